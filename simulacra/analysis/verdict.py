"""Verdicts: what a comparison may claim, from one number per seed and arm.

Two answers, not one. *Effect*, from the paired interval alone: higher, lower, no difference that matters (two one-sided tests
against a margin named beforehand), or undecided with the seeds it would take. *Stability*, from how the outcomes of single
seeds lie: divergent where they fall into two groups that one normal group would hardly show, convergent where seeds differ by
less than the margin, uncertain elsewhere. Agreement of signs is not asked: where nothing differs it calls 71 % of cases
divergent at 8 seeds.

Everything here is a pure function of arrays. The unit is the seed (a replicate), never a post.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulacra.analysis.margins import amount, change, margin_of
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.segments import SEGMENTED, SEGMENTS, is_measure, measure_named
from simulacra.errors import SpecError
from simulacra.streams import Streams

F64 = NDArray[np.float64]

Effect = Literal["higher", "lower", "no difference that matters", "undecided", "no verdict"]
StabilityWord = Literal["convergent", "divergent", "uncertain", "no verdict"]
Role = Literal["primary", "guardrail", "exploration"]

MIN_SEEDS = 6
"""Below this there is no verdict: the exact two-sided sign-flip p of 5 seeds cannot fall under .0625."""
SPLIT_SEEDS = 16
"""Below this, split worlds are often missed: two 6 SD apart in one arm are found in 20 % of cases at 8 seeds, 80 % at 16."""
LEVEL = 0.05
SPLIT_LEVEL = 0.01
LEAST_MINORITY = 0.2
MOST_GUARDRAILS = 4
POWER = 0.8
"""With which the seeds that `seeds_to_decide` names shall suffice, were the estimates true."""
MOST_SEEDS = 1000

FIRST_SEEDS, MORE_SEEDS, CAP_SEEDS = 8, 4, 32
"""`--seeds auto`: begin with, add, and at most."""

HELPFUL = 0.3
"""Correlation of arms below which pairing hardly narrows the interval: the variance falls by the correlation's share."""

_ROUNDING = 1e-12
"""Differences below this are rounding: measures are means of floats of order 1."""
_NULL_DRAWS, _NULL_VALUES = 20_000, 4_000_000
"""Draws behind a split's p-value (standard error .0007 at .01), fewer where that would take more than so many values."""
_NULL_CHUNK = 1_000_000


# -- named before the run --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What a comparison is asked, named before it is played. All other measures are exploration."""

    primary: str = "toxicity_seen"
    margin: float | None = None  # of the primary, in its own unit; None: the default of `margins`
    guardrails: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.primary, *self.guardrails):
            if not is_measure(name):
                raise SpecError(_unknown(name))
        if len(self.guardrails) > MOST_GUARDRAILS:
            raise SpecError(
                f"{len(self.guardrails)} guardrails: expected at most {MOST_GUARDRAILS}; the table has all measures."
            )
        if len(set(self.family)) < len(self.family):
            raise SpecError(f"guardrails {', '.join(self.guardrails)}: each once, and not the primary measure {self.primary}.")
        if self.margin is not None and not (self.margin > 0 and math.isfinite(self.margin)):
            raise SpecError(f"margin = {self.margin!r}: expected a number above 0 in the unit of {self.primary}.")

    @property
    def family(self) -> tuple[str, ...]:
        """The measures that are tested, primary first."""
        return (self.primary, *self.guardrails)

    def role(self, measure: str) -> Role:
        if measure == self.primary:
            return "primary"
        return "guardrail" if measure in self.guardrails else "exploration"

    def margin_of(self, measure: str, baseline: float) -> float:
        """The margin in the measure's own unit. baseline: the measure's mean in the baseline arm."""
        if measure == self.primary and self.margin is not None:
            return self.margin
        return margin_of(measure).of(baseline)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; `from_dict` is the inverse."""
        return {"primary": self.primary, "margin": self.margin, "guardrails": list(self.guardrails)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        return cls(values["primary"], values["margin"], tuple(values["guardrails"]))


def _unknown(name: str) -> str:
    base, at, kind = name.partition("@")
    if at and base in MEASURES:
        what = f"kind of members called {kind!r}. Known: {', '.join(SEGMENTS)}" if base in SEGMENTED else (
            f"measure {base!r} among kinds of members. Taken so: {', '.join(SEGMENTED)}"
        )  # fmt: skip
        return f"No {what}."
    return f"No measure called {name!r}.{_nearest(name)} Known: {', '.join(MEASURES)}."


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(MEASURES), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


# -- the difference --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two arms' values of one measure over seeds, and their difference. Make it with `contrast`.

    Intervals are Student's t on paired differences (a percentile bootstrap covers 81 to 90 % at 4 to 10 seeds when it says 95),
    Welch's t where arms have seeds of their own.
    """

    baseline: F64  # [n]
    variant: F64  # [n], or [m] when unpaired
    paired: bool

    @cached_property
    def differences(self) -> F64:
        """[n] variant - baseline seed by seed; empty when unpaired."""
        if not self.paired:
            return np.empty(0)
        found = self.variant - self.baseline
        return np.where(np.abs(found) < _ROUNDING, 0.0, found)

    @property
    def seeds(self) -> int:
        """Replicates that count: pairs, or the smaller arm's."""
        return min(len(self.baseline), len(self.variant))

    @property
    def level(self) -> float:
        """Mean of the baseline; NaN without values."""
        return _mean(self.baseline)

    @cached_property
    def mean(self) -> float:
        """Of the difference; NaN without seeds."""
        return _mean(self.differences) if self.paired else _mean(self.variant) - _mean(self.baseline)

    @cached_property
    def error(self) -> float:
        """Standard error of the mean difference; NaN under two seeds, 0 where nothing varies."""
        if self.seeds < 2:
            return math.nan
        found = math.sqrt(_mean_variance(self.differences) if self.paired else sum(self._parts))
        return found if found >= _ROUNDING else 0.0

    @cached_property
    def degrees(self) -> float:
        """Of freedom; Satterthwaite's when unpaired."""
        if self.paired or self.seeds < 2 or not self.error:
            return self.seeds - 1
        weight = sum(part**2 / (len(arm) - 1) for part, arm in zip(self._parts, (self.baseline, self.variant), strict=True))
        return self.error**4 / weight

    @property
    def _parts(self) -> tuple[float, float]:
        return _mean_variance(self.baseline), _mean_variance(self.variant)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Low and high end of the (1 - level) interval; NaN under two seeds."""
        half = self.half_width(level)
        return self.mean - half, self.mean + half

    def half_width(self, level: float = LEVEL) -> float:
        return _t(self.degrees, 1 - level / 2) * self.error if self.error else self.error

    @cached_property
    def p(self) -> float:
        """Two-sided t p-value of "no difference", [0, 1]; NaN under two seeds."""
        if not self.error:
            return math.nan if self.error != 0 else float(self.mean == 0)
        return 2 * _t_below(-abs(self.mean) / self.error, self.degrees)

    def equivalence_p(self, margin: float) -> float:
        """p-value of "they differ by the margin or more": the larger of two one-sided t tests (Schuirmann 1987)."""
        room = margin - abs(self.mean)
        if not self.error:
            return math.nan if self.error != 0 else float(room <= 0)
        return _t_below(-room / self.error, self.degrees)

    @property
    def agree(self) -> int:
        """Seeds whose difference has the sign of the mean difference; 0 when unpaired."""
        return int((np.sign(self.differences) == np.sign(self.mean)).sum()) if self.paired else 0

    @property
    def correlation(self) -> float:
        """Of the arms over seeds, [-1, 1]; NaN when unpaired, under three seeds, or where an arm does not vary."""
        if not self.paired or self.seeds < 3 or min(self.baseline.std(), self.variant.std()) < _ROUNDING:
            return math.nan
        return float(np.corrcoef(self.baseline, self.variant)[0, 1])


def contrast(baseline: ArrayLike, variant: ArrayLike, paired: bool = True) -> Contrast:
    """The contrast of two arms; paired arrays are equally long. NaN is "no value": such seeds, or pairs, are left out."""
    a, b = (np.asarray(arm, float) for arm in (baseline, variant))
    if paired and np.isfinite(a).any() and np.isfinite(b).any():
        both = np.isfinite(a) & np.isfinite(b)
        return Contrast(a[both], b[both], True)
    return Contrast(a[np.isfinite(a)], b[np.isfinite(b)], False)  # an arm without values leaves the other to stand alone


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the order given; NaN ("not tested") stays NaN and does not count."""
    tested = sorted((i for i in range(len(p)) if not math.isnan(p[i])), key=lambda i: p[i])
    adjusted, floor = [math.nan] * len(p), 0.0
    for rank, i in enumerate(tested):
        floor = adjusted[i] = max(floor, min(1.0, (len(tested) - rank) * p[i]))
    return adjusted


def effect_of(c: Contrast, margin: float, p: float | None = None) -> Effect:
    """The effect that an interval shows. p: the difference's p-value adjusted for the family it is tested in, if any.

    A difference that is real but certainly smaller than the margin is "no difference that matters".
    """
    if c.seeds < MIN_SEEDS:
        return "no verdict"
    if c.equivalence_p(margin) <= LEVEL:
        return "no difference that matters"
    low, high = c.interval()
    if (low > 0 or high < 0) and (p is None or p <= LEVEL):
        return "higher" if c.mean > 0 else "lower"
    return "undecided"


def seeds_to_decide(c: Contrast, margin: float, family: int = 1) -> int | None:
    """How many seeds in all would decide an undecided effect, if mean and SD are what they look like; None over 1,000.

    Decided with 80 % power, either as a difference from 0 (at level .05 over the family's size) or as one below the margin; and
    surely once the interval is no wider than the margin, since it then cannot hold both 0 and the margin.
    """
    if not c.error or math.isnan(c.error):
        return None
    n = np.arange(c.seeds + 1, MOST_SEEDS + 1, dtype=float)
    degrees = c.degrees / (c.seeds - 1) * (n - 1)
    error = c.error * np.sqrt(c.seeds / n)
    sure, one_sided = _t(degrees, 1 - LEVEL / (2 * family)), _t(degrees, 1 - LEVEL)
    differs = _t_below(abs(c.mean) / error - sure, degrees)
    equals = 1 - sum(_t_below(one_sided - room / error, degrees) for room in (margin - abs(c.mean), margin + abs(c.mean)))
    enough = n[(np.maximum(differs, equals) >= POWER) | (2 * sure * error <= margin)]
    return int(enough[0]) if len(enough) else None


# -- how outcomes lie ------------------------------------------------------------------------------------------------------


class Split(NamedTuple):
    """The best division of outcomes into a low and a high group."""

    low: float  # mean of the low group
    high: float
    below: int  # seeds in the low group
    above: int
    gap: float  # empty stretch between the groups
    widest: float  # empty stretch inside either group
    p: float  # chance that one normal group of as many seeds is divided as clearly, simulated


class Stability(NamedTuple):
    """The word, and for a divergent measure which distribution splits and how."""

    word: StabilityWord
    where: str = ""
    split: Split | None = None


def stability_of(outcomes: Mapping[str, ArrayLike], margin: float) -> Stability:
    """How the outcomes of single seeds lie. outcomes: name -> values by seed (each arm, and their differences); NaN left out.

    divergent: one of them falls into two groups, each of at least a fifth and two of the seeds, as one normal group does in
    fewer than 1 of 100 cases (shared out over the distributions looked at), and the empty stretch between the groups is wider
    than the margin and than any inside them (a skewed group has its widest gaps in its tail). convergent: the 95 % upper bound
    of the between-seed SD of all of them is within the margin. uncertain: neither. Under 6 seeds: no verdict.
    """
    arrays = {name: _defined(values) for name, values in outcomes.items()}
    arrays = {name: values for name, values in arrays.items() if len(values)}
    if not arrays or min(map(len, arrays.values())) < MIN_SEEDS:
        return Stability("no verdict")
    for name, values in reversed(arrays.items()):  # a split of the differences says most
        found = two_groups(values)
        if found is not None and found.p < SPLIT_LEVEL / len(arrays) and found.gap > max(margin, found.widest):
            return Stability("divergent", name, found)
    settled = all(sd_bound(values) <= margin for values in arrays.values())
    return Stability("convergent" if settled else "uncertain")


def two_groups(values: ArrayLike) -> Split | None:
    """The two groups that explain most of the variance; None where all values are equal or there are fewer than four."""
    ordered = np.sort(_defined(values))
    n = len(ordered)
    if n < 4 or ordered[-1] - ordered[0] < _ROUNDING:
        return None
    explained, cut = _best_cut(ordered[None])
    k = int(cut[0])
    null = _explained_by_chance(n)
    as_clear = len(null) - int(np.searchsorted(null, explained[0] - _ROUNDING))
    low, high = ordered[:k], ordered[k:]
    inside = float(max(np.diff(low).max(), np.diff(high).max()))
    return Split(_mean(low), _mean(high), k, n - k, float(high[0] - low[-1]), inside, (1 + as_clear) / (1 + len(null)))


def _best_cut(ordered: F64) -> tuple[F64, NDArray[np.int64]]:
    """For each row of ascending values [r, n]: the largest share of variance between two groups, and the low group's size."""
    n = ordered.shape[1]
    least = max(2, math.ceil(LEAST_MINORITY * n))
    centred = ordered - ordered.mean(axis=1, keepdims=True)
    sizes = np.arange(least, n - least + 1)
    sums = np.cumsum(centred, axis=1)[:, sizes - 1]
    between = sums**2 * (n / (sizes * (n - sizes)))
    best = between.argmax(axis=1)
    rows = np.arange(len(ordered))
    return between[rows, best] / (centred**2).sum(axis=1), sizes[best]


@cache
def _explained_by_chance(n: int) -> F64:
    """[draws] ascending: the share of variance that the best cut explains in n values of one normal group.

    Simulated on first use (30 ms at 8 seeds, 160 ms at 32). Its 99th percentile at 8, 16 and 32 seeds: .936, .852, .791.
    """
    streams, draws, rows = Streams(0), min(_NULL_DRAWS, _NULL_VALUES // n), max(1, _NULL_CHUNK // n)
    found = []
    for start in range(0, draws, rows):
        draw = np.arange(start, min(start + rows, draws))
        found.append(_best_cut(np.sort(streams.normal("one normal group", n, draw[:, None], np.arange(n)[None]), axis=1))[0])
    return np.sort(np.concatenate(found))


def sd_bound(values: ArrayLike) -> float:
    """95 % upper bound of the standard deviation between seeds (chi-square); NaN under two values."""
    from scipy.special import chdtri

    found = _defined(values)
    if len(found) < 2:
        return math.nan
    degrees = len(found) - 1
    return float(found.std(ddof=1) * math.sqrt(degrees / chdtri(degrees, 1 - LEVEL)))


# -- seeds one after another -----------------------------------------------------------------------------------------------


def next_seeds(c: Contrast, margin: float, played: int | None = None) -> int:
    """How many seeds to have in all: as many as were played once the half-width is within the margin or 32 are played, else
    four more. played: by default those that had a value.

    Significance is not looked at: stopping on it gives 15-16 % false changes, stopping on width keeps the coverage (.93-.95).
    """
    played = c.seeds if played is None else played
    if played >= CAP_SEEDS or c.half_width() <= margin:
        return played
    return min(CAP_SEEDS, played + MORE_SEEDS)


# -- the verdict -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """Two words on one measure and what they rest on."""

    measure: str
    role: Role
    margin: float
    effect: Effect
    stability: Stability
    p: float  # two-sided t
    adjusted_p: float  # Holm over primary and guardrails; NaN for exploration
    equivalence_p: float
    more_seeds: int | None  # that an undecided effect would take on top; None: decided, or more than 1,000
    seconds: float | None  # that they would take; None where unknown


def judge(contrasts: Mapping[str, Contrast], plan: Plan, seconds_per_seed: float | None = None) -> dict[str, Verdict]:
    """A verdict on every measure. contrasts: by measure. seconds_per_seed: what one more replicate takes on this machine."""
    tested = [name for name in plan.family if name in contrasts]
    adjusted = dict(zip(tested, holm([contrasts[name].p for name in tested]), strict=True))
    return {name: _verdict(name, c, plan, adjusted.get(name), seconds_per_seed) for name, c in contrasts.items()}


def _verdict(name: str, c: Contrast, plan: Plan, adjusted: float | None, seconds_per_seed: float | None) -> Verdict:
    margin = plan.margin_of(name, c.level)
    effect = effect_of(c, margin, adjusted)
    family = 1 if adjusted is None else len(plan.family)
    needed = seeds_to_decide(c, margin, family) if effect == "undecided" else None
    more = needed - c.seeds if needed is not None else None
    return Verdict(
        measure=name, role=plan.role(name), margin=margin, effect=effect, stability=stability_of(_outcomes(c), margin), p=c.p,
        adjusted_p=math.nan if adjusted is None else adjusted, equivalence_p=c.equivalence_p(margin), more_seeds=more,
        seconds=more * seconds_per_seed if more is not None and seconds_per_seed is not None else None,
    )  # fmt: skip


def _outcomes(c: Contrast) -> dict[str, F64]:
    arms = {"baseline": c.baseline, "variant": c.variant}
    return {**arms, "difference": c.differences} if c.paired else arms


# -- in words --------------------------------------------------------------------------------------------------------------


def sentence(verdict: Verdict, c: Contrast, by_design: bool = False) -> str:
    """The verdict for people, one to three short sentences. by_design: the lever acts on this very measure."""
    title = _capital(_title(verdict.measure))
    if c.seeds == 0:
        return f"{title}: {_undefined(c)}."
    if c.seeds < MIN_SEEDS:
        return f"{title}: {_hint(verdict, c)}."
    told = _effect_words(verdict, c, by_design)
    split = _split_words(verdict, c)
    if verdict.stability.where == "difference":
        return f"{split} On average: {_lower_first(told)}"
    return f"{told} {split}".rstrip()


def _effect_words(verdict: Verdict, c: Contrast, by_design: bool) -> str:
    name, (low, high) = verdict.measure, c.interval()
    if c.mean == 0 and c.error == 0:
        return f"No difference: {_title(name)} is identical in all {c.seeds} runs."
    if verdict.effect == "no difference that matters":
        about = "" if verdict.role == "primary" else f" in {_title(name)}"
        return f"No difference that matters to you{about} (less than {amount(name, verdict.margin)})."
    told = change(name, c.mean, low, high)
    if verdict.effect == "undecided":
        return f"Too early{_multiplicity(verdict, low, high)}: {told}{_agreement(c)}; {_more(verdict)}.{_pairing(c)}"
    cause = ", by the design itself" if by_design else ""
    lead = "Seems changed" if verdict.role == "exploration" else "Clear change"  # one row in twenty does by chance
    return f"{lead}{cause}: {told}{_agreement(c)}."


def _multiplicity(verdict: Verdict, low: float, high: float) -> str:
    """An interval without 0 that does not survive Holm needs an explanation."""
    return ", allowing for the measures tested together" if low > 0 or high < 0 else ""


def _agreement(c: Contrast) -> str:
    return f"; {c.agree} of {c.seeds} runs agree" if c.paired else f"; {c.seeds} runs an arm"


def _pairing(c: Contrast) -> str:
    return " Pairing did not help here." if c.correlation < HELPFUL else ""


def _more(verdict: Verdict) -> str:
    if verdict.more_seeds is None:
        return f"not detectable at this size, {MOST_SEEDS:,} runs would not do"
    time = f", {in_minutes(verdict.seconds)}," if verdict.seconds is not None else ""
    return f"about {verdict.more_seeds} more runs{time} would tell"


def _split_words(verdict: Verdict, c: Contrast) -> str:
    where, split = verdict.stability.where, verdict.stability.split
    if split is None:
        return ""
    groups = ((split.below, split.low), (split.above, split.high))
    if where != "difference":
        ends = " and ".join(f"{count} near {_level(verdict.measure, mean)}" for count, mean in groups)
        return f"It depends: the {where}'s runs split, {ends}."
    if split.low < 0 < split.high:
        down, up = ("calmed down", "flared up") if "toxic" in verdict.measure else ("went down", "went up")
        return f"It depends ({_title(verdict.measure)}): {split.below} runs {down}, {split.above} {up}."
    ends = " and ".join(f"{count} runs by about {_level(verdict.measure, abs(mean))}" for count, mean in groups)
    return f"It depends how far: {_title(verdict.measure)} went {'up' if split.low > 0 else 'down'} in {ends}."


def _hint(verdict: Verdict, c: Contrast) -> str:
    if c.mean == 0 and not c.error:
        return f"identical in {'the one run' if c.seeds == 1 else f'all {c.seeds} runs'}; fewer than {MIN_SEEDS} runs, no claim"
    direction = "higher" if c.mean > 0 else "lower"
    return f"{direction} by about {amount(verdict.measure, abs(c.mean))}{_agreement(c)}; fewer than {MIN_SEEDS} runs, no claim"


def _undefined(c: Contrast) -> str:
    for arm, values in (("baseline", c.baseline), ("variant", c.variant)):
        if len(values):
            return f"{_mean(values):.3g} in the {arm}, nothing to count in the other arm"
    return "nothing to count in either arm"


def in_minutes(seconds: float) -> str:
    """Time in words: "20 seconds", "2 minutes", "3 hours"."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 0.9 * size:
            count = max(1, round(seconds / size))
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{max(1, round(seconds))} seconds"


def _level(measure: str, value: float) -> str:
    return amount(measure, value)


def _title(measure: str) -> str:
    return measure_named(measure).title if is_measure(measure) else measure


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


# -- small things ----------------------------------------------------------------------------------------------------------


def _t(degrees: Any, share: float) -> Any:
    """Quantile of Student's t."""
    from scipy.special import stdtrit  # late: a third of a second

    found = stdtrit(degrees, share)
    return float(found) if np.ndim(found) == 0 else found


def _t_below(t: Any, degrees: Any) -> Any:
    """Chance that Student's t is below."""
    from scipy.special import stdtr

    found = stdtr(degrees, t)
    return float(found) if np.ndim(found) == 0 else found


def _defined(values: ArrayLike) -> F64:
    found = np.asarray(values, float)
    return found[np.isfinite(found)]


def _mean(values: F64) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean_variance(values: F64) -> float:
    """Variance of the mean."""
    return float(values.var(ddof=1)) / len(values)
