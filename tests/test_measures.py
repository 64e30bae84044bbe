"""Measures on a hand-made record whose every figure can be counted on fingers."""

from __future__ import annotations

import math
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
from handmade import HandMade, look, post

from simulacra.analysis.measures import ALL, DETAILS, MEASURES, MECHANICAL, Facts, gini, measure, measure_table, mechanical
from simulacra.behaviour import Behaviour


@pytest.fixture
def two_days() -> HandMade:
    """Five personas (4 is a newcomer of the first day), one burn-in post, four measured ones, one of them removed unseen."""
    return HandMade(
        arrival=[-(2**15)] * 4 + [3],
        posts=[
            post(0, 0, step=-5, toxicity=0.0, valence=0.5),
            post(1, 1, step=1, toxicity=0.9, valence=-0.8, truth="insult", rule=1, positive=0.0, negative=0.5),
            post(2, 2, parent=1, root=1, depth=1, step=2, toxicity=0.1, valence=0.4, positive=0.25),
            post(3, 1, parent=2, root=1, depth=2, step=3, toxicity=0.2, valence=0.0),
            post(4, 3, step=30, toxicity=0.6, valence=0.0, truth="self_promotion", rule=2),
        ],
        impressions=[*look(4, 0), *look(4, 1), *look(2, 2, "notification"), *look(9, 3, step=-2)],
        visits=[{"step": s, "persona": p} for s, p in ((-3, 0), (1, 1), (2, 2), (3, 1), (4, 4), (30, 3), (47, 4))],
        reactions=[{"persona": 0, "post": 1, "reaction": r} for r in (1, 1, 1, -1, 2)],
        rulings=[
            {"step": 30, "post": 4, "author": 3, "action": "remove", "minutes": 3.0, "policy": "human_review"},
            {"step": 31, "post": 3, "author": 1, "action": "remove", "minutes": 3.0, "policy": "human_review"},
            {"step": 31, "post": 3, "author": 1, "action": "remove", "minutes": 0.0, "policy": "automod"},
            {"step": 31, "post": 2, "author": 2, "action": "keep", "minutes": 3.0, "policy": "human_review"},
            {"step": 32, "post": 2, "author": 2, "action": "remove", "minutes": 0.0, "policy": "automod"},
        ],
        departures=[{"step": 40, "persona": 2, "reason": "dissatisfied"}, {"step": 40, "persona": 1, "reason": "banned"}],
        failures=[{"step": 7, "persona": 0, "reason": "timeout"}],
    )


EXPECTED = {
    "toxicity_written": (0.9 + 0.1 + 0.2 + 0.6) / 4,  # the burn-in post does not count, the removed ones do
    "toxicity_seen": (4 * 0.0 + 4 * 0.9 + 2 * 0.1) / 10,  # the burn-in post is still being read; post 4 never was
    "toxic_share": 2 / 4,
    "toxic_seen_share": 4 / 10,
    "violations_per_100": 50,
    "violations_seen_per_100": 40,
    "valence_written": (-0.8 + 0.4) / 4,
    "valence_seen": (4 * 0.5 - 4 * 0.8 + 2 * 0.4) / 10,
    "positive_words": 0.25 / 4,
    "negative_words": 0.5 / 4,
    "positive_share": 1 / 4,
    "negative_share": 1 / 4,
    "posts_per_persona": 4 / 5,
    "writers_share": 3 / 5,
    "replies_per_thread": (2 + 0) / 2,
    "unanswered_share": 1 / 2,
    "participation_gini": 1 / 6,  # of 1, 1, 2
    "exposure_gini": 0.5833333,  # of 4, 2, 0, 0
    "visits_per_persona_day": 6 / 10,
    "impressions_per_visit": 8 / 6,
    "votes_per_100_impressions": 40,
    "upvote_share": 3 / 4,
    "reports": 1,
    "removals": 3,
    "removal_recall": 1 / 2,
    "false_removal_share": 2 / 3,
    "missed_violations": 1,
    "moderator_minutes": 9 / 2,
    "bans": 1,
    "persona_churn": 1 / 5,
    "newcomer_return": 1.0,
    "failures": 1,
    "toxicity_severity": (0.9 + 0.6) / 2,
    "toxic_author_share": 2 / 3,
    "uncivil_per_100": 25,
    "uncivil_seen_per_100": 40,
    "ei_replies": 1,  # 2 and 1 answer each other, and are of different groups
    "cross_group_seen": (2 + 2 + 1) / 10,
    "queue_mean": 1,  # the reported post 1 waits to the end
    "queue_max": 1,
    "hours_to_decision": math.nan,  # what was decided had not been reported
    "toxicity_of_openings": (0.9 + 0.6) / 2,
    "toxicity_of_replies": (0.1 + 0.2) / 2,
    "toxicity_by_depth": math.nan,
    "toxicity_across_groups": math.nan,
    "toxicity_group_gap": (0.9 + 0.2 + 0.6) / 3 - 0.1,
    "reports_per_day": 1 / 2,
    "moderator_hours": 9 / 2 / 60,
    "toxicity_llm_kappa": math.nan,  # no model moderates
    "llm_unjudged": 0,
}


def test_every_measure_has_a_counted_example() -> None:
    assert set(EXPECTED) == {*MEASURES, *DETAILS}


@pytest.mark.parametrize("name", list(EXPECTED))
def test_measures_equal_what_one_counts_by_hand(two_days: HandMade, name: str) -> None:
    assert ALL[name].function(Facts(two_days)) == pytest.approx(EXPECTED[name], abs=1e-6, nan_ok=True)


def test_a_run_in_which_nothing_happens_has_no_shares_and_no_errors() -> None:
    values = measure(HandMade(arrival=[-5, -5]))
    counts = {"reports", "removals", "missed_violations", "bans", "failures"}
    assert {name for name, value in values.items() if value == 0} >= counts
    assert all(math.isnan(value) or value == 0 for value in values.values())
    assert math.isnan(values["toxicity_written"])
    assert math.isnan(values["newcomer_return"])


def test_labels_may_be_dictionaries(two_days: HandMade) -> None:
    plain = measure(two_days)
    posts = two_days.tables["posts"]
    two_days.tables["posts"] = posts.set_column(posts.column_names.index("truth"), "truth", posts["truth"].dictionary_encode())
    assert measure(two_days) == pytest.approx(plain, nan_ok=True)


def test_gini_of_known_distributions() -> None:
    assert gini(np.array([3, 3, 3, 3])) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)  # (n - 1) / n: one has it all
    assert math.isnan(gini(np.array([0, 0])))
    assert math.isnan(gini(np.array([])))


def test_the_table_is_tidy_and_says_who_judged(two_days: HandMade) -> None:
    table = measure_table(SimpleNamespace(id="two-days", frames=two_days)).to_pandas().set_index("measure")
    assert list(table) == ["run", "value", "unit", "direction", "scorer", "about"]
    assert list(table.index) == list(ALL)
    assert set(table["run"]) == {"two-days"}
    assert table["value"]["toxicity_written"] == pytest.approx(EXPECTED["toxicity_written"])
    assert dict(table["scorer"][["toxicity_seen", "uncivil_seen_per_100", "posts_per_persona"]]) == {
        "toxicity_seen": "lexical", "uncivil_seen_per_100": "truth", "posts_per_persona": "",
    }  # fmt: skip
    assert table["about"].str.len().min() > 20


def test_what_reads_scores_says_so_and_nothing_else_does() -> None:
    """Blind all scores: exactly the measures that name the lexical scorer change."""
    scores = {"toxicity": 0.9, "valence": 0.8, "positive": 0.5, "negative": 0.5}
    shape = [post(0, 0), post(1, 1, 0, 0, depth=1), post(2, 0, 1, 0, depth=2), post(3, 1), post(4, 0, 3, 3, depth=1)]
    scored = [
        {**p, **{name: value * (i + 1) ** 2 / 25 * (-1) ** (i * (name == "valence")) for name, value in scores.items()}}
        for i, p in enumerate(shape)
    ]

    def taken(posts: list[dict[str, object]]) -> dict[str, float]:
        run = HandMade([-5, -5], group=[0, 1], posts=posts, impressions=[*look(2, 4), *look(1, 1)])
        return {name: m.function(Facts(run)) for name, m in ALL.items()}

    blind, seeing = taken(shape), taken(scored)
    moved = {name for name in ALL if blind[name] != pytest.approx(seeing[name], nan_ok=True)}
    unmoved = {
        "toxicity_across_groups",
        "toxicity_llm_kappa",
    }  # two members cannot answer within and across; no model moderates
    assert moved == {name for name, m in ALL.items() if m.scorer == "lexical"} - unmoved


def test_moderators_queue_is_counted_from_report_to_decision() -> None:
    """Reported at 2, decided at 5; held at 3, released at 4; reported at 6, removed by a filter at 8; reported at 9, never seen."""
    run = HandMade(
        arrival=[-5, -5],
        posts=[post(i, 0, step=1) for i in range(4)],
        visits=[{"step": 11, "persona": 0}],
        reactions=[{"step": s, "persona": 1, "post": p, "reaction": 2} for s, p in ((2, 0), (4, 0), (6, 2), (9, 3))],
        rulings=[
            {"step": 3, "post": 1, "action": "hold", "policy": "pre_screen"},
            {"step": 4, "post": 1, "action": "release", "policy": "pre_screen", "minutes": 3.0},
            {"step": 5, "post": 0, "action": "keep", "policy": "human_review", "minutes": 3.0},
            {"step": 8, "post": 2, "action": "remove", "policy": "automod"},
        ],
    )
    facts = Facts(run)
    assert ALL["hours_to_decision"].function(facts) == pytest.approx((3 + 1) / 2)
    assert ALL["queue_max"].function(facts) == 2
    assert ALL["queue_mean"].function(facts) == pytest.approx((3 + 1 + 2 + 15) / 24)


def test_rudeness_is_told_apart_by_depth_and_by_group() -> None:
    run = HandMade(
        arrival=[-5] * 3,
        group=[0, 0, 1],
        posts=[
            post(0, 0),
            post(1, 1, 0, 0, depth=1, toxicity=0.1),
            post(2, 2, 1, 0, depth=2, toxicity=0.5),
            post(3, 1, 2, 0, depth=3, toxicity=0.9),
        ],
    )
    assert ALL["toxicity_by_depth"].function(Facts(run)) == pytest.approx(0.4)
    assert ALL["toxicity_across_groups"].function(Facts(run)) == pytest.approx((0.5 + 0.9) / 2 - 0.1)


def test_every_mechanical_measure_exists() -> None:
    assert set().union(*MECHANICAL.values()) <= set(MEASURES)


def test_behaviour_that_acts_on_a_measure_is_called_by_its_real_name() -> None:
    named = {lever.removeprefix("behaviour.") for lever in MECHANICAL if lever.startswith("behaviour.")}
    assert named <= {parameter.name for parameter in fields(Behaviour)}


def test_removal_is_mechanical_on_what_is_read_and_never_on_what_is_written() -> None:
    direct = mechanical(frozenset({"removal"}))
    assert "toxicity_seen" in direct
    assert "toxicity_written" not in direct
    assert mechanical(frozenset({"behaviour.contagion"})) == frozenset()
