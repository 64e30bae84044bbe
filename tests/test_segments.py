"""Kinds of members: told apart by what no design touches, and every measure among them counted by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from handmade import OLD_HAND, HandMade, post

from simulacra.analysis.facts import Facts
from simulacra.analysis.margins import change, margin_of
from simulacra.analysis.measures import MEASURES, measure
from simulacra.analysis.segments import SEGMENTED, SEGMENTS, is_measure, measure_named, segment_values
from simulacra.analysis.verdict import Plan
from simulacra.cli import main
from simulacra.errors import SpecError
from simulacra.replicates import compare
from simulacra.views import readout


@pytest.fixture
def square() -> HandMade:
    """Four members: 0 (group a, wrote twice in burn-in), 1 (b, once), 2 (a, never), 3 (b, a newcomer)."""
    reads = [(0, 3), (0, 4), (1, 3), (2, 4), (3, 3), (3, 3), (3, 5), (1, 0)]
    return HandMade(
        arrival=[OLD_HAND, OLD_HAND, OLD_HAND, 2],
        group=[0, 1, 0, 1],
        posts=[
            post(0, 0, step=-20, toxicity=0.2), post(1, 0, step=-10), post(2, 1, step=-9),
            post(3, 0, step=1, toxicity=0.8, valence=-0.4, truth="insult", rule=1),
            post(4, 1, parent=3, root=3, depth=1, step=2, toxicity=0.1, valence=0.6),
            post(5, 3, step=4, toxicity=0.3), post(6, 3, step=5, toxicity=0.5),
        ],
        impressions=[{"step": 6, "persona": who, "post": what, "source": "feed"} for who, what in reads],
        visits=[{"step": s, "persona": p} for s, p in ((1, 0), (2, 1), (3, 2), (4, 3), (5, 3))],
        reactions=[{"step": 6, "persona": p, "post": 3, "reaction": r} for p, r in ((0, 1), (3, -1), (3, 1))],
        rulings=[{"step": 7, "post": 3, "author": 0, "action": "remove", "policy": "automod"}],
        departures=[{"step": 9, "persona": 2, "reason": "dissatisfied"}],
    )  # fmt: skip


EXPECTED = {
    "newcomers": {
        "toxicity_seen": (0.8 + 0.8 + 0.3) / 3, "toxicity_written": 0.4, "posts_per_persona": 2, "visits_per_persona_day": 2,
        "impressions_per_visit": 3 / 2, "unanswered_share": 1.0, "persona_churn": 0.0, "removals": 0, "uncivil_per_100": 0,
        "votes_per_100_impressions": 200 / 3, "cross_group_seen": 2 / 3,
    },
    "old_hands": {
        "toxicity_seen": (0.8 + 0.1 + 0.8 + 0.1 + 0.2) / 5, "toxicity_written": 0.45, "posts_per_persona": 2 / 3,
        "unanswered_share": 0.0, "persona_churn": 1 / 3, "removals": 1, "uncivil_per_100": 50, "uncivil_seen_per_100": 40,
        "writers_share": 2 / 3, "replies_per_thread": 1.0,
    },
    "group:a": {"toxicity_seen": (0.8 + 0.1 + 0.1) / 3, "valence_written": -0.4, "posts_per_persona": 1 / 2},
    "group:b": {"toxicity_seen": (0.8 + 0.8 + 0.8 + 0.3 + 0.2) / 5, "toxicity_written": 0.3, "posts_per_persona": 3 / 2},
    "heavy_writers": {"toxicity_seen": 0.45, "toxicity_written": 0.8, "posts_per_persona": 1},
    "light_writers": {"toxicity_seen": (0.8 + 0.1 + 0.2) / 3, "toxicity_written": 0.1, "persona_churn": 1 / 2},
}  # fmt: skip


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, values in EXPECTED.items() for name in values])
def test_measures_among_a_kind_equal_what_one_counts_by_hand(square: HandMade, kind: str, name: str) -> None:
    assert segment_values(square)[f"{name}@{kind}"] == pytest.approx(EXPECTED[kind][name])


def test_every_kind_and_every_measure_is_taken_once(square: HandMade) -> None:
    found = segment_values(square)
    assert list(found) == [f"{name}@{kind}" for name in SEGMENTED for kind in SEGMENTS]
    assert set(SEGMENTED) <= MEASURES.keys() and all(map(is_measure, found)) and EXPECTED.keys() == SEGMENTS.keys()


def test_kinds_part_everybody_in_two() -> None:
    tables = HandMade([OLD_HAND, OLD_HAND, 0, 30], posts=[post(0, 0, step=-3), post(1, 0, step=-2)])
    facts = Facts(tables)
    for one, other in (("newcomers", "old_hands"), ("group:a", "group:b")):
        assert (SEGMENTS[one].members(facts) ^ SEGMENTS[other].members(facts)).all()
    writers = SEGMENTS["heavy_writers"].members(facts) | SEGMENTS["light_writers"].members(facts)
    assert np.array_equal(writers, SEGMENTS["old_hands"].members(facts))


def test_among_everybody_is_the_whole(square: HandMade) -> None:
    facts, whole = Facts(square), measure(square)
    everybody = facts.among(np.ones(4, bool))
    assert {n: MEASURES[n].function(everybody) for n in SEGMENTED} == pytest.approx(
        {n: whole[n] for n in SEGMENTED}, nan_ok=True
    )


def test_a_kind_without_members_has_no_value() -> None:
    found = segment_values(HandMade([OLD_HAND], posts=[post(0, 0, step=1)]))
    assert math.isnan(found["toxicity_seen@newcomers"]) and math.isnan(found["posts_per_persona@newcomers"])


def test_another_scorer_may_judge_among_kinds(square: HandMade) -> None:
    found = segment_values(square, {"toxicity": np.full(7, 0.5)})
    assert {value for name, value in found.items() if name.startswith("toxicity_")} == {0.5}


# -- in a comparison ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("segments")
    plan = Plan("valence_seen", guardrails=("posts_per_persona@newcomers",))
    settings = ("feed=chronological", "feed=engagement", 60, 1, 3)
    compare("pittsburgh", *settings, plan=plan, runs_dir=place / "runs", experiment_id="kinds", moderation="none")
    return place


def test_segments_are_rows_with_intervals_and_explore(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["compare", "--resume", "kinds", "--segments", "--runs", str(place / "runs"), "--quiet"]
    assert main([*where, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["measure"]: row for row in told["segments"]}
    assert {name.partition("@")[2] for name in rows} == set(SEGMENTS)
    row = rows["valence_seen@old_hands"]
    assert row["low"] <= row["difference"] <= row["high"] and row["seeds"] == 3 and row["role"] == "exploration"
    assert [r["role"] for r in told["rows"] if "@" in r["measure"]] == ["guardrail"]  # the one that was named, and no other
    assert main(where) == 0
    out = capsys.readouterr().out
    assert "cheerfulness of what members read, heavy writers" in out and "old hands who wrote two posts or more" in out
    assert "decides nothing" in out


def test_the_app_finds_its_segments(place: Path) -> None:
    from simulacra.replicates import open_comparison

    answer = readout.answer_of(open_comparison("kinds", place / "runs"))
    assert [segment.name for segment in answer.segments()] == list(SEGMENTS)
    assert answer.segments()[1].title == "Old hands"
    assert readout.title("posts_per_persona@newcomers") == "Posts per member, newcomers"
    assert [row.measure for row in answer.tested] == ["valence_seen", "posts_per_persona@newcomers"]


def test_a_kind_may_be_a_guardrail_and_is_told_in_words() -> None:
    assert Plan("toxicity_seen@newcomers").primary == "toxicity_seen@newcomers"
    assert margin_of("toxicity_seen@newcomers") == margin_of("toxicity_seen")
    assert measure_named("toxicity_seen@group:a").title == "toxicity of what members read, home group A"
    assert change("toxicity_seen@group:a", -0.03, -0.04, -0.02).startswith("among group a, members read about 3 fewer")


@pytest.mark.parametrize(
    "name, told",
    [
        ("toxicity_seen@elders", "No kind of members called 'elders'. Known: newcomers"),
        ("bans@newcomers", "No measure 'bans' among kinds of members"),
        ("joy@newcomers", "No measure called"),
    ],
)
def test_unknown_kinds_are_one_line(name: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        Plan(name)
