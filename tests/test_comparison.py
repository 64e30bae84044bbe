"""Comparisons on numbers whose answer is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from simulacra.analysis.comparison import MIN_SEEDS, Row, headline, paired_rows, pairing_note, rows_table
from simulacra.analysis.verdict import Plan
from simulacra.analysis.wording import in_minutes

MEASURE = "toxicity_written"


def arm(values: list[float], first_seed: int = 1) -> dict[int, dict[str, float]]:
    return {first_seed + i: {MEASURE: value} for i, value in enumerate(values)}


def only_row(baseline: list[float], variant: list[float], **options: object) -> Row:
    (row,) = paired_rows(arm(baseline), arm(variant), **options)  # type: ignore[arg-type]
    return row


def test_the_interval_is_students_t_on_the_paired_differences() -> None:
    row = only_row([1, 2, 3, 4, 5, 6], [2, 2.5, 4, 4.5, 6, 6.5])  # differences 1, .5, 1, .5, 1, .5
    half = 2.570582 * np.std([1, 0.5] * 3, ddof=1) / math.sqrt(6)  # t(.975, 5)
    assert row.difference == pytest.approx(0.75)
    assert (row.low, row.high) == pytest.approx((0.75 - half, 0.75 + half), rel=1e-6)
    assert row.claim and row.seeds == 6 and row.correlation > 0.98


def test_welch_is_used_when_arms_have_seeds_of_their_own() -> None:
    a, b = [1.0, 2, 3, 4, 5, 6], [2.0, 4, 6, 8, 10, 12]
    (row,) = paired_rows(arm(a), arm(b, first_seed=100), paired=False)
    assert row.difference == pytest.approx(3.5)
    assert (row.low, row.high) == pytest.approx((-0.4994, 7.4994), abs=1e-3)  # df 7.353, t 2.3417, se 1.7078
    assert math.isnan(row.correlation)


def test_equal_arms_are_identical_and_claim_nothing() -> None:
    row = only_row([0.1, 0.2, 0.3] * 3, [0.1, 0.2, 0.3] * 3)
    assert (row.difference, row.low, row.high, row.claim) == (0, 0, 0, False)
    assert "identical in all 9 runs" in row.sentence and row.effect == "no difference that matters"


def test_a_constant_difference_is_claimed_with_an_interval_of_no_width() -> None:
    row = only_row([0.0] * 8, [1.0] * 8)
    assert (row.low, row.high, row.claim) == (1, 1, True)
    assert math.isnan(row.correlation)


@pytest.mark.parametrize("seeds", range(1, MIN_SEEDS))
def test_too_few_seeds_claim_nothing_and_say_so(seeds: int) -> None:
    row = only_row([0.1 + 0.001 * i for i in range(seeds)], [0.9 + 0.002 * i for i in range(seeds)])
    assert not row.claim
    assert "no claim" in row.sentence
    assert "cannot carry a claim" in headline([row], ["feed: hot -> random"])


def test_one_seed_has_a_difference_but_no_interval() -> None:
    row = only_row([0.1], [0.4])
    assert row.difference == pytest.approx(0.3)
    assert math.isnan(row.low) and math.isnan(row.high)
    assert row.to_dict()["low"] is None
    json.dumps(row.to_dict(), allow_nan=False)


def test_seeds_without_a_value_are_left_out_and_counted() -> None:
    row = only_row([1, math.nan, 3, 4, 5, 6, 7], [2, 3, math.nan, 5, 6, 7, 8])
    assert row.seeds == 5
    assert row.difference == pytest.approx(1)
    empty = only_row([math.nan] * 8, [math.nan] * 8)
    assert empty.seeds == 0 and math.isnan(empty.difference) and "nothing to count in either arm" in empty.sentence


def test_pairing_narrows_the_interval_when_arms_correlate_and_says_when_it_does_not() -> None:
    rng = np.random.default_rng(3)
    common, noise = rng.normal(size=8), rng.normal(size=(2, 8)) * 0.1
    a, b = arm(list(common + noise[0])), arm(list(common + noise[1] + 0.2))
    paired, unpaired = (paired_rows(a, b, paired=p)[0] for p in (True, False))
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 3
    assert "narrowed" in pairing_note([paired])
    apart = only_row([1, 2, 3, 4, 5, 6, 7, 8.0], [4, 8, 1, 6, 3, 7, 2, 5.0])
    assert "did not help" in pairing_note([apart]) and "did not help" in apart.sentence


def test_intervals_cover_the_truth_at_their_nominal_rate() -> None:
    rng = np.random.default_rng(0)
    arms = zip(rng.normal(size=(600, 6)), rng.normal(0.5, 1, (600, 6)), strict=True)
    rows = [only_row(list(a), list(a + d)) for a, d in arms]
    covered = np.mean([row.low <= 0.5 <= row.high for row in rows])
    assert 0.92 <= covered <= 0.975


def test_a_removal_lever_makes_what_is_read_mechanical_and_leaves_what_is_written_a_response() -> None:
    values = {seed: {"toxicity_seen": 0.1 * seed, "toxicity_written": 0.1 * seed} for seed in range(8)}
    kinds = {row.measure: row.kind for row in paired_rows(values, values, changed=frozenset({"removal"}))}
    assert kinds == {"toxicity_seen": "mechanical", "toxicity_written": "response"}


def test_the_headline_names_the_change_and_the_primary_measure() -> None:
    row = only_row([0.1, 0.2, 0.3, 0.1, 0.2, 0.3], [0.2, 0.3, 0.41, 0.2, 0.3, 0.42], plan=Plan(MEASURE))
    text = headline([row], ["feed: chronological -> engagement"])
    assert text.startswith("Changed: feed: chronological -> engagement. Clear change: members write about")
    assert "more rude posts per 100" in text and "6 of 6 runs agree" in text


def test_what_was_not_named_before_the_run_is_told_as_exploration() -> None:
    moved = only_row([0.1, 0.2, 0.3, 0.1, 0.2, 0.3], [0.2, 0.3, 0.41, 0.2, 0.3, 0.42])
    assert moved.role == "exploration" and moved.effect == "higher" and moved.sentence.startswith("Seems changed")
    assert "Seen besides, not named before the run: Members write about" in headline([moved])


def test_the_time_that_more_runs_would_take_is_told_with_the_answer_and_not_in_the_row() -> None:
    row = only_row(list(np.linspace(0.1, 0.2, 8)), [0.1, 0.3, 0.1, 0.2, 0.25, 0.1, 0.2, 0.22], plan=Plan(MEASURE))
    assert row.effect == "undecided" and row.more_seeds
    assert "would take about" not in row.sentence
    assert f"about {in_minutes(9.0 * row.more_seeds)} here" in headline([row], [], 9.0)


def test_a_difference_of_a_role_survives_arrow() -> None:
    table = rows_table([only_row([1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7.5], plan=Plan(MEASURE, 0.5))])
    assert table.column("role").to_pylist() == ["primary"] and table.column("effect").to_pylist() == ["higher"]
    assert table.column("more_seeds").to_pylist() == [None]


def test_rows_become_one_arrow_table() -> None:
    table = rows_table([only_row([1, 2, 3], [1, 2, 4])])
    assert table.column("measure").to_pylist() == [MEASURE]
    assert table.column("seeds").to_pylist() == [3]


def test_a_measure_that_only_one_arm_has_stands_alone() -> None:
    row = only_row([math.nan] * 6, [0.2] * 6)
    assert math.isnan(row.baseline) and row.variant == pytest.approx(0.2)
    assert "0.2 in the variant, nothing to count in the other arm" in row.sentence
    assert not row.claim
