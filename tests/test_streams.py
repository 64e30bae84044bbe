"""Randomness is a function of seed, purpose and keys, and of nothing else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulacra.streams import Streams

keys = st.lists(st.integers(-(2**31), 2**31), min_size=1, max_size=30, unique=True)


@given(seed=st.integers(0, 2**40), who=keys, step=st.integers(-100, 10_000))
def test_a_draw_does_not_depend_on_who_else_is_drawn_for(seed, who, step):
    together = Streams(seed).uniform("vote", step, np.array(who))
    alone = [Streams(seed).uniform("vote", step, np.array([w]))[0] for w in who]
    assert together.tolist() == alone


@given(seed=st.integers(0, 2**40), who=keys)
def test_drawing_for_one_purpose_leaves_every_other_purpose_alone(seed, who):
    streams, fresh = Streams(seed), Streams(seed)
    streams.uniform("an extra draw", np.array(who))
    assert streams.bits("visit", np.array(who)).tolist() == fresh.bits("visit", np.array(who)).tolist()


def test_purposes_seeds_and_keys_are_uncorrelated():
    who = np.arange(20_000)
    columns = [
        Streams(1).uniform("a", who),
        Streams(1).uniform("b", who),
        Streams(2).uniform("a", who),
        Streams(1).uniform("a", 1, who),
    ]
    columns += [Streams(1).uniform("a", 2, who), Streams(1).uniform("a", who + 1)]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 5 / np.sqrt(len(who))


def test_uniform_fills_the_open_interval_evenly():
    u = Streams(3).uniform("u", np.arange(200_000))
    assert u.min() > 0 and u.max() < 1
    counts = np.histogram(u, 50, (0, 1))[0]
    assert ((counts - 4000) ** 2 / 4000).sum() < 95  # chi-square with 49 degrees of freedom, p = .0001


def test_normal_and_exponential_have_their_moments():
    n, e = Streams(3).normal("n", np.arange(200_000)), Streams(3).exponential("e", np.arange(200_000))
    assert abs(n.mean()) < 0.01 and abs(n.std() - 1) < 0.01 and abs((n**4).mean() - 3) < 0.1
    assert abs(e.mean() - 1) < 0.01 and abs(e.var() - 1) < 0.03


def test_pick_follows_the_weights_and_ignores_the_other_rows():
    weights = np.array([0.1, 0.2, 0.7])
    picks = Streams(5).pick(np.tile(np.log(weights), (50_000, 1)), "act", 3, np.arange(50_000))
    assert np.allclose(np.bincount(picks) / 50_000, weights, atol=0.01)
    assert Streams(5).pick(np.log(weights)[None], "act", 3, np.array([17])).tolist() == [picks[17]]


def test_negative_and_scalar_keys_are_keys_like_any_other():
    s = Streams(1)
    assert s.bits("x", -48, np.array([1]))[0] != s.bits("x", 48, np.array([1]))[0]
    assert s.uniform("x", 1, 2) == s.uniform("x", 1, 2) != s.uniform("x", 2, 1)
