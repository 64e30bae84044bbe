"""The signs of the mechanisms that rest on published findings, each at the place where it acts."""

from dataclasses import replace

import numpy as np
import pytest
from support import past

from simulacra import behaviour as model
from simulacra.behaviour import Behaviour
from simulacra.seams import Reading


def reading(post, readers, source=0):
    """Every reader looks at this one post for the first time."""
    n = len(readers)
    zero, none = np.zeros(n, np.int8), np.zeros(n, bool)
    return Reading(
        np.arange(n, dtype=np.int32), readers, np.full(n, post, np.int32), zero, zero + np.int8(source), ~none,
        np.zeros(n, np.float32), none, none,
    )  # fmt: skip


@pytest.fixture
def world():
    """A past of its own, to change at will."""
    root = past(300)
    return root.fork(root.arm, root.recorder.fork()).platform


READERS = np.arange(300, dtype=np.int32)


@pytest.mark.parametrize("votes", [8, -8])
def test_votes_shown_attract_votes_and_hidden_ones_do_not(world, votes):
    """S19."""
    b, streams = Behaviour().with_settings({"herding": 1, "upvote": -1, "downvote": -1}), past(300).streams

    def balance(shown):
        return int(model.reactions(b, reading(0, READERS), world, shown, streams)[0].sum())

    world.posts.up[0], world.posts.down[0] = max(votes, 0), max(-votes, 0)
    assert (balance(True) - balance(False)) * votes > 0


def test_emotional_reading_makes_people_write(world):
    """S20: with fewer emotional posts fewer words were written."""
    b, count = Behaviour().with_settings({"withdrawal": 3, "write": 0.3}), {}
    for valence in (0, -0.9):
        world.posts.valence[0] = valence
        count[valence] = int(model.writers(b, reading(0, READERS), world, READERS, 5, past(300).streams).sum())
    assert count[-0.9] > count[0] > 0


def test_rude_reading_lowers_satisfaction_and_an_answer_raises_it(world):
    """Churn by toxicity seen; S17: newcomers stay where somebody answers."""
    b = Behaviour()
    world.posts.toxicity[0] = 0
    civil, answered = (model.satisfaction(b, reading(0, READERS, s), world, READERS).mean() for s in (0, 1))
    world.posts.toxicity[0] = 0.9
    rude = model.satisfaction(b, reading(0, READERS), world, READERS).mean()
    assert rude < civil < answered
    off = b.with_settings({"suffer_rude": "off"})
    assert np.isclose(model.satisfaction(off, reading(0, READERS), world, READERS).mean(), civil)


def test_the_dissatisfied_leave_and_newcomers_sooner(world):
    """S17."""
    b, streams = Behaviour().with_settings({"churn": 0.1}), past(300).streams

    def gone(satisfaction, behaviour=b):
        world.members.satisfaction[:] = satisfaction
        return len(model.leavers(behaviour, world, READERS, 5, streams))

    assert gone(-0.5) > gone(0) > gone(0.5)
    world.population = replace(world.population, arrival=np.zeros_like(world.population.arrival))
    assert gone(0) > gone(0, b.with_settings({"churn_newcomer": "off"}))
