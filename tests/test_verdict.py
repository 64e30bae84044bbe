"""Verdicts on numbers whose answer is known, and on a thousand comparisons where nothing differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from scipy import stats

from simulacra.analysis.contrast import CAP_SEEDS, FIRST_SEEDS, Contrast, contrast, effect_of, holm, next_seeds, seeds_to_decide
from simulacra.analysis.margins import MARGINS, amount, change, margin_of
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.stability import sd_bound, stability_of, two_groups
from simulacra.analysis.verdict import Plan, judge
from simulacra.analysis.wording import in_minutes, sentence  # fmt: skip
from simulacra.classics import bank_run, music_lab
from simulacra.errors import SpecError

F64 = NDArray[np.float64]
MEASURE = "toxicity_seen"
FLAT = np.full(8, 0.1)


def noisy(mean: float, sd: float, n: int = 8, seed: int = 0) -> F64:
    """Values whose sample mean and SD are exactly these."""
    x = np.random.default_rng(seed).normal(size=n)
    return np.asarray(mean + sd * (x - x.mean()) / x.std(ddof=1))


def differing(mean: float, sd: float, n: int = 8) -> Contrast:
    a = noisy(0.3, 0.001, n, seed=1)
    return contrast(a, a + noisy(mean, sd, n))


# -- intervals and p-values ------------------------------------------------------------------------------------------------


def test_paired_and_unpaired_intervals_and_p_values_are_scipys() -> None:
    a, b = noisy(1, 0.5, 9, 1), noisy(1.4, 0.9, 9, 2)
    for paired, test in ((True, stats.ttest_rel(b, a)), (False, stats.ttest_ind(b, a, equal_var=False))):
        found, known = contrast(a, b, paired), test.confidence_interval()
        assert found.interval() == pytest.approx((known.low, known.high))
        assert found.p == pytest.approx(test.pvalue)


def test_equivalence_is_two_one_sided_tests() -> None:
    c, margin = differing(0.004, 0.006), 0.01
    known = max(
        stats.ttest_1samp(c.differences, -margin, alternative="greater").pvalue,
        stats.ttest_1samp(c.differences, margin, alternative="less").pvalue,
    )
    assert c.equivalence_p(margin) == pytest.approx(known)


def test_holm_steps_down_and_passes_over_what_was_not_tested() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.03, math.nan, 0.01]) == pytest.approx([0.03, math.nan, 0.02], nan_ok=True)
    assert holm([]) == []


@given(some.lists(some.floats(0, 1), max_size=6))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a >= x for a, x in zip(adjusted, p, strict=True))
    assert [adjusted[i] for i in np.argsort(p, kind="stable")] == sorted(adjusted)


def test_the_bound_of_the_spread_is_chi_squares() -> None:
    assert sd_bound(noisy(0, 1, 8)) == pytest.approx(math.sqrt(7 / stats.chi2.ppf(0.05, 7)))
    assert sd_bound(FLAT) == 0 and math.isnan(sd_bound([1.0]))


# -- effect ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mean, sd, word",
    [
        (0.03, 0.01, "higher"),
        (-0.03, 0.01, "lower"),
        (0.001, 0.002, "no difference that matters"),
        (0.006, 0.002, "no difference that matters"),  # clearly not 0, and clearly too small to matter
        (0.01, 0.03, "undecided"),
        (0.03, 0.0, "higher"),
        (0.0, 0.0, "no difference that matters"),
    ],
)
def test_the_effect_is_read_off_interval_and_margin(mean: float, sd: float, word: str) -> None:
    a = noisy(0.3, 0.05)
    assert effect_of(contrast(a, a + (noisy(mean, sd) if sd else mean)), 0.01) == word


def test_under_six_seeds_there_is_no_verdict_however_large_the_difference() -> None:
    for n in range(6):
        c = contrast(np.zeros(n), np.ones(n) + 0.001 * np.arange(n))
        assert effect_of(c, 0.01) == "no verdict"
        assert stability_of({"baseline": c.baseline, "variant": c.variant}, 0.01).word == "no verdict"


def test_a_guardrail_must_survive_holm_and_exploration_need_not() -> None:
    weak = differing(0.02, 0.022)  # p about .04
    strong = differing(0.1, 0.01)
    plan = Plan("toxicity_seen", None, ("toxicity_written", "valence_seen"))
    found = judge({"toxicity_seen": weak, "toxicity_written": weak, "valence_seen": strong, "toxic_share": weak}, plan)
    assert 0.03 < weak.p < 0.05
    assert [found[name].effect for name in found] == ["undecided", "undecided", "higher", "higher"]
    assert [found[name].role for name in found] == ["primary", "guardrail", "guardrail", "exploration"]
    assert found["toxicity_seen"].adjusted_p == pytest.approx(2 * weak.p) and math.isnan(found["toxic_share"].adjusted_p)


def test_the_seeds_it_would_take_decide_four_times_out_of_five() -> None:
    random, margin = np.random.default_rng(7), 0.01
    for mean in (0.0, 0.012):
        needed = seeds_to_decide(differing(mean, 0.02), margin)
        assert needed is not None and 8 < needed < 200
        decided = [effect_of(contrast(np.zeros(needed), random.normal(mean, 0.02, needed)), margin) for _ in range(300)]
        assert 0.7 <= np.mean([word != "undecided" for word in decided]) <= 0.92


def test_what_a_thousand_seeds_would_not_decide_is_not_detectable() -> None:
    c = differing(0.0001, 1.0)
    assert seeds_to_decide(c, 0.001) is None
    told = sentence(judge({MEASURE: c}, Plan(MEASURE, 0.001))[MEASURE], c)
    assert "not detectable at this size" in told


# -- stability -------------------------------------------------------------------------------------------------------------


def test_one_tight_group_converges_a_wide_one_is_uncertain_two_far_groups_diverge() -> None:
    tight, wide = noisy(0.5, 0.004), noisy(0.5, 0.03)
    two = np.array([0.1, 0.11, 0.12, 0.9, 0.91, 0.89, 0.1, 0.9])
    assert stability_of({"variant": tight}, 0.01).word == "convergent"
    assert stability_of({"variant": wide}, 0.01).word == "uncertain"
    found = stability_of({"baseline": tight, "variant": two}, 0.01)
    assert (found.word, found.where) == ("divergent", "variant")
    assert found.split is not None and (found.split.below, found.split.above) == (4, 4)


def test_a_single_straggler_is_not_a_world_of_its_own() -> None:
    assert stability_of({"variant": np.array([0.1] * 4 + [0.11] * 3 + [0.9])}, 0.01).word == "uncertain"


def test_a_split_narrower_than_the_margin_does_not_matter() -> None:
    two = np.array([0.1, 0.1001, 0.1002, 0.101, 0.1011, 0.1012, 0.1, 0.101])
    assert stability_of({"variant": two}, 0.0001).word == "divergent"
    assert stability_of({"variant": two}, 0.01).word == "convergent"


def test_sign_agreement_under_no_effect_is_not_called_divergent() -> None:
    random = np.random.default_rng(3)
    words = [stability_of({"difference": random.normal(size=32)}, 0.1).word for _ in range(100)]
    assert words.count("divergent") <= 3


@pytest.mark.parametrize("seeds", [8, 16, 32])
def test_one_normal_group_is_split_at_the_stated_rate(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    found = [two_groups(random.normal(3, 2, seeds)) for _ in range(2000)]
    assert 0.004 <= np.mean([split is not None and split.p < 0.01 for split in found]) <= 0.017


def test_two_worlds_six_deviations_apart_are_found_nine_times_in_ten_at_sixteen_seeds() -> None:
    random = np.random.default_rng(1)
    worlds = random.normal(size=(300, 16)) + 6 * (random.random((300, 16)) < 0.5)
    assert np.mean([stability_of({"variant": w}, 1).word == "divergent" for w in worlds]) >= 0.85


def test_equal_values_and_missing_values_are_no_split() -> None:
    assert two_groups(FLAT) is None and two_groups([]) is None and two_groups([1, 2, 3]) is None
    assert stability_of({"variant": np.full(8, math.nan)}, 0.1).word == "no verdict"
    assert stability_of({"variant": FLAT, "baseline": np.full(8, math.nan)}, 0.1).word == "convergent"


# -- where nothing differs -------------------------------------------------------------------------------------------------


@cache
def pool(outcome: str) -> F64:
    """One number a replicate of a cheap model, 300 replicates of one and the same arm."""
    seeds = range(300)
    if outcome == "trials":
        return music_lab.best_song_share(music_lab.downloads(0, seeds, 200))
    return {"inequality": music_lab.inequality, "hit": music_lab.best_song_share}[outcome](music_lab.downloads(1, seeds, 200))


def equal_arms(values: F64, seeds: int, times: int = 1000) -> Iterator[tuple[F64, F64]]:
    """Pairs of samples without a common member, drawn from one pool."""
    random = np.random.default_rng(11)
    for _ in range(times):
        drawn = random.choice(values, 2 * seeds, replace=False)
        yield drawn[:seeds], drawn[seeds:]


Arms = Callable[[F64, int], Iterator[tuple[F64, F64]]]


def false_verdicts(values: F64, seeds: int, margin: float, arms: Arms = equal_arms) -> tuple[float, float]:
    """Share of comparisons that claim a change, and that claim a divergence."""
    pairs = [contrast(a, b) for a, b in arms(values, seeds)]
    changed = [effect_of(c, margin) in ("higher", "lower") for c in pairs]
    split = [stability_of({"a": c.baseline, "b": c.variant, "difference": c.differences}, margin) for c in pairs]
    return float(np.mean(changed)), float(np.mean([found.word == "divergent" for found in split]))


@pytest.mark.parametrize("seeds", [8, 16])
@pytest.mark.parametrize("outcome", ["trials", "inequality"])
def test_a_thousand_comparisons_of_equal_arms_claim_a_change_in_seven_of_a_hundred_at_most(outcome: str, seeds: int) -> None:
    values = pool(outcome)
    changed, divergent = false_verdicts(values, seeds, 0.5 * float(values.std()))
    assert changed <= 0.07
    assert divergent <= 0.03


def test_an_outcome_flatter_than_a_bell_is_called_split_a_little_more_often() -> None:
    """A rich-get-richer share, margin half an SD: one normal group is not its truth, and the price of that is known."""
    values = pool("hit")
    changed, divergent = false_verdicts(values, 16, 0.5 * float(values.std()))
    assert changed <= 0.07 and divergent <= 0.05


def test_a_placebo_that_shuffles_which_arm_is_which_claims_nothing() -> None:
    random = np.random.default_rng(4)

    def placebo(values: F64, seeds: int) -> Iterator[tuple[F64, F64]]:
        for a, b in equal_arms(values, seeds):
            treated = b + values.std()  # a real change in every pair ...
            swap = random.random(seeds) < 0.5  # ... whose label says nothing
            yield np.where(swap, treated, a), np.where(swap, a, treated)

    values = pool("inequality")
    changed, divergent = false_verdicts(values, 16, 0.5 * float(values.std()), placebo)
    assert changed <= 0.07 and divergent <= 0.03
    assert effect_of(contrast(values[:16], values[:16] + values.std()), 0.01) == "higher"


def test_a_negative_control_does_not_move_while_the_treatment_does() -> None:
    """Influence changes who wins; how good the songs are is settled beforehand, so what blind listeners like may not move."""
    seeds = range(16)
    blind, led = (music_lab.downloads(influence, seeds, 300) for influence in (0, 1))
    treated = contrast(music_lab.inequality(blind), music_lab.inequality(led))
    control = contrast(music_lab.first_impressions(seeds, 300), music_lab.first_impressions(seeds, 300))
    assert effect_of(treated, 0.02) == "higher"
    assert (effect_of(control, 0.02), control.mean) == ("no difference that matters", 0)


def test_a_bank_run_in_the_middle_region_is_found_nine_times_in_ten_at_sixteen_seeds() -> None:
    banks = bank_run.withdrawn(0.65, range(16 * 100)).reshape(100, 16)
    assert np.mean([stability_of({"bank": b}, 0.1).word == "divergent" for b in banks]) >= 0.9


# -- seeds one after another -----------------------------------------------------------------------------------------------


def test_seeds_are_added_until_the_interval_is_narrow_enough_or_the_cap_is_reached() -> None:
    assert next_seeds(differing(0.5, 0.001), 0.01) == 8
    assert next_seeds(differing(0.5, 0.05), 0.01) == 12  # however significant it is
    assert next_seeds(differing(0.0, 1.0, CAP_SEEDS), 0.01) == CAP_SEEDS
    assert next_seeds(differing(0.0, 1.0, 30), 0.01) == CAP_SEEDS


def test_stopping_on_width_keeps_the_intervals_coverage() -> None:
    random, truth, covered = np.random.default_rng(9), 0.02, []
    for _ in range(1000):
        differences, n = random.normal(truth, 0.02, CAP_SEEDS), FIRST_SEEDS
        while (wanted := next_seeds(contrast(np.zeros(n), differences[:n]), 0.01)) > n:
            n = wanted
        low, high = contrast(np.zeros(n), differences[:n]).interval()
        covered.append(low <= truth <= high)
    assert 0.92 <= np.mean(covered) <= 0.97


# -- what is named before the run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values, part",
    [
        (("toxicity_sen",), "Did you mean toxicity_seen?"),
        (("toxicity_seen", None, ("nonsense",)), "No measure called 'nonsense'"),
        (("toxicity_seen", 0.0), "margin = 0.0: expected a number above 0"),
        (("toxicity_seen", math.nan), "expected a number above 0"),
        (("toxicity_seen", None, tuple(list(MEASURES)[2:7])), "at most 4"),
        (("toxicity_seen", None, ("toxicity_seen",)), "not the primary"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_in_one_line(values: tuple[object, ...], part: str) -> None:
    with pytest.raises(SpecError) as refused:
        Plan(*values)  # type: ignore[arg-type]
    assert part in str(refused.value) and "\n" not in str(refused.value)


def test_a_plan_survives_its_record() -> None:
    plan = Plan("valence_seen", 0.03, ("bans", "persona_churn"))
    assert Plan.from_dict(plan.to_dict()) == plan


def test_every_measure_has_a_margin_above_zero_and_a_sentence() -> None:
    for name in MEASURES:
        assert margin_of(name).of(3.0) > 0, name
        assert change(name, 0.5, 0.4, 0.6).strip() and amount(name, 0.5)
    assert set(MARGINS) <= set(MEASURES)


def test_margins_of_counts_follow_the_baseline_and_never_vanish() -> None:
    plan = Plan()
    assert plan.margin_of("removals", 200.0) == pytest.approx(20) and plan.margin_of("removals", 0.0) == 1
    assert Plan("removals", 5.0).margin_of("removals", 200.0) == 5
    assert plan.margin_of("bans", math.nan) == 1


# -- in words --------------------------------------------------------------------------------------------------------------


def told(c: Contrast, margin: float | None = None, **options: float) -> str:
    return sentence(judge({MEASURE: c}, Plan(MEASURE, margin), **options)[MEASURE], c)


def test_a_clear_change_is_told_in_posts_per_hundred_with_interval_and_agreement() -> None:
    text = told(differing(-0.03, 0.013))
    assert text == "Clear change: members read about 3 fewer rude posts per 100 (2 to 4); 8 of 8 runs agree."


def test_no_difference_that_matters_names_the_margin() -> None:
    assert told(differing(0.001, 0.002)) == "No difference that matters to you (less than 1 per 100)."


def test_too_early_says_how_many_runs_and_minutes_it_would_take() -> None:
    text = told(differing(0.008, 0.02), seconds_per_seed=9.0)
    assert text.startswith("Too early: members read about") and "more runs, " in text and "minutes, would tell." in text


def test_worlds_that_split_are_told_before_the_average() -> None:
    d = np.array([-0.03, -0.031, -0.029, -0.03, -0.032, 0.05, 0.051, 0.049])
    text = told(contrast(np.full(8, 0.2), 0.2 + d))
    assert "5 runs calmed down, 3 flared up" in text and text.startswith("It depends")


def test_an_arm_that_splits_is_told_after_the_effect() -> None:
    worlds = np.array([0.1, 0.101, 0.5, 0.501, 0.1, 0.5, 0.1, 0.5])
    text = told(contrast(worlds, worlds - 0.05 + noisy(0, 0.001)))
    assert text.startswith("Clear change") and "runs split, 4 near" in text


def test_few_runs_give_a_hint_and_no_claim() -> None:
    assert "no claim" in told(contrast(np.zeros(3), np.array([0.1, 0.2, 0.3])))
    assert "nothing to count in either arm" in told(contrast([], []))
    assert "identical in all 8 runs" in told(contrast(FLAT, FLAT))


def test_durations_read_as_people_say_them() -> None:
    assert [in_minutes(s) for s in (0.2, 20, 57, 130, 7300)] == ["1 seconds", "20 seconds", "1 minute", "2 minutes", "2 hours"]
