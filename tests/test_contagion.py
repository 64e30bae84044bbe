"""Contagion is measured by withholding posts, and nothing else passes for it."""

import numpy as np
import pytest
from support import arm, past, played

from simulacra.errors import SpecError
from simulacra.streams import Streams
from simulacra.studies.contagion import (
    CONTROL,
    OUTCOMES,
    PLACEBO,
    TREATMENT,
    WITHDRAWAL,
    Omission,
    Probe,
    ProbeRow,
    conversation_matching,
    openings,
    over_exposure,
    probe,
    t_interval,
    twin_effect,
    withdrawal_effect,
    words_in_all,
)

SILENT = {"contagion": "off", "hurt": "off", "flattery": "off"}


@pytest.fixture(scope="module")
def silent():
    return probe("pittsburgh", "positive", personas=200, days=2, seeds=2, behaviour={**SILENT, "write": 0.3})


@pytest.fixture(scope="module")
def contagious():
    return probe(
        "pittsburgh",
        "positive",
        personas=400,
        days=3,
        seeds=6,
        behaviour={"contagion": 1, "mood_hours": 48, "write": 0.5, "opening": 0.6},
    )


def test_with_contagion_off_twins_write_the_same_words(silent):
    twin = [r for r in silent.rows if r.estimate in ("twin", "whole community") and r.measure != WITHDRAWAL]
    assert len(twin) == 8
    assert all(r.difference == 0 for r in twin)
    plain = [r.difference for r in silent.rows if r.estimate == "plain"]
    assert any(p != 0 for p in plain)  # the naive estimate is never exactly nothing


def test_strong_contagion_is_found_with_the_right_sign(contagious):
    whole = contagious.row("whole community")
    assert whole.high < 0  # less good news to read, sadder threads
    assert contagious.row("twin").difference < 0
    assert abs(contagious.row("twin").difference) < abs(whole.difference)


def test_who_meets_fewer_emotional_posts_writes_less_though_no_mood_spreads():
    livelier = {"withdrawal": 5, "write": 0.3, "write_spread": 0.5, "lurkers": 0, "opening": 1}
    found = probe("pittsburgh", "positive", personas=400, days=2, seeds=6, behaviour={**SILENT, **livelier})
    whole = found.row("whole community", WITHDRAWAL)
    assert whole.high < 0 and whole.causal
    causal = [r for r in found.rows if r.estimate in ("twin", "whole community") and r.measure in OUTCOMES]
    assert len(causal) == 8 and all(r.difference == 0 for r in causal)


def test_words_in_all_count_every_post_and_every_silent_persona():
    sim = played(days=2, personas=200)
    frames, people = sim.recorder.frames(), len(sim.population)
    talk = words_in_all(frames, people)
    assert talk.sum() == frames.table("posts").words.sum() and (talk == 0).any()
    group = (np.arange(people) % 3).astype(np.int8)
    fewer = talk - 2.0 * (group == TREATMENT) - 0.5 * (group == PLACEBO)
    assert withdrawal_effect(fewer, talk, group) == pytest.approx(-1.5)
    assert withdrawal_effect(fewer, talk, None) == pytest.approx((fewer - talk).mean())
    assert np.isnan(withdrawal_effect(fewer, talk, np.full(people, TREATMENT, np.int8)))


def test_an_omission_keeps_controls_whole_and_gives_placebos_the_same_share():
    world, streams = past(200).platform, past(200).streams
    n = len(world.posts)
    people = np.arange(150, dtype=np.int32)
    slates = np.tile(np.arange(n, dtype=np.int32), (150, 1))
    omission = Omission("positive", (people % 3).astype(np.int8), np.full(150, 0.5, np.float32))
    kept = omission.keep(slates, people, world, streams)
    positive = world.posts.valence[:n] > 0.05
    withheld = {g: 1 - kept[omission.group == g].mean() for g in (CONTROL, TREATMENT, PLACEBO)}
    assert withheld[CONTROL] == 0
    assert kept[omission.group == TREATMENT][:, ~positive].all()
    assert 0.4 < 1 - kept[omission.group == TREATMENT][:, positive].mean() < 0.6
    assert abs(withheld[PLACEBO] - withheld[TREATMENT]) < 0.05
    assert 0.15 < 1 - kept[omission.group == PLACEBO][:, positive].mean() < 0.45


def test_withheld_posts_are_not_shown_and_the_rest_moves_up():
    everyone = Omission(
        "positive", np.full(len(past().population), TREATMENT, np.int8), np.ones(len(past().population), np.float32)
    )
    sim = past().fork(arm()._replace(exposure=everyone), past().recorder.fork())
    sim.play(1)
    seen = sim.recorder.frames().table("impressions")
    seen = seen[seen.source == "feed"]
    assert (sim.platform.posts.valence[seen.post] <= 0.05).all()
    first = seen.sort_values("position").groupby(["persona", "step"]).position
    assert (first.first() == 0).all() and (first.max() == first.size() - 1).all()


def test_a_planted_difference_is_recovered():
    sim = played(arm(behaviour={"write": 0.3}), days=2, personas=400)
    twin = openings(sim, sim.recorder.frames())
    group = (np.arange(10_000) % 3).astype(np.int8)
    planted = twin._replace(outcome={k: v + 0.1 * (group[twin.author] == TREATMENT) for k, v in twin.outcome.items()})
    effect = twin_effect(planted, twin, group)
    assert all(e == pytest.approx(0.1) for e in effect.values())


def test_openings_are_own_threads_only():
    sim = played(days=2, personas=200)
    own = openings(sim, sim.recorder.frames())
    posts = sim.recorder.frames().table("posts").set_index(["author", "step"])
    assert len(own.author) > 5
    for key in zip(own.author, own.step, strict=True):
        assert posts.parent[key] == -1 and posts.truth[key] == "none"


def test_matching_and_over_exposure_find_nothing_in_unrelated_numbers():
    frames = played(days=2, personas=200).recorder.frames()
    assert abs(conversation_matching(frames, Streams(3))) < 0.35
    assert abs(over_exposure(frames, Streams(3), "positive")) < 0.1


def test_intervals_need_two_replicates():
    assert t_interval([0.2])[0] == 0.2 and np.isnan(t_interval([0.2])[1])
    mean, low, high = t_interval([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2) and high - low == pytest.approx(2 * 4.3027 * 0.1 / np.sqrt(3), rel=1e-3)


def test_fewer_than_six_seeds_claim_nothing(silent):
    assert "No answer: 2 seeds" in silent.sentence


@pytest.mark.parametrize(("half", "says"), [(0.015, "So d is below 0.025"), (0.1, "about 200 seeds of this many members")])
def test_what_was_not_seen_tells_what_would_show_it(half, says):
    """half: of the interval, in standard deviations, around d = .01 at 8 seeds; intervals narrow with the root of the seeds."""
    sd = 0.4
    rows = [
        ProbeRow("valence", estimate, "", 0.01 * sd, (0.01 - wide) * sd, (0.01 + wide) * sd, 0.01, 8, True)
        for estimate, wide in (("twin", half), ("whole community", 1))
    ]
    assert says in Probe("positive", 1000, 7, 8, tuple(rows)).sentence


@pytest.mark.parametrize(
    "kwargs,says", [({"omit": "angry"}, "expected positive or negative"), ({"seeds": 0}, "expected a whole number from 1")]
)
def test_a_probe_that_makes_no_sense_is_refused_in_one_line(kwargs, says):
    with pytest.raises(SpecError, match=says):
        probe("pittsburgh", **kwargs)


def test_a_probe_without_emotional_posts_says_so():
    with pytest.raises(SpecError, match="no positive post was written"):
        probe("pittsburgh", personas=5, days=1, seeds=1, behaviour={"write": "off"})
