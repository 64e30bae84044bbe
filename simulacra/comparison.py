"""Paired comparison: from one number per seed and arm to a difference with an interval and a plain sentence.

The unit is the seed (a replicate), never a post: posts of one run share a history. Intervals are Student's t on the paired
seed differences (a percentile bootstrap covers 81 to 90 % at 4 to 10 seeds when it says 95) or Welch's t when the arms have
seeds of their own. They are per row: of twenty rows without any effect about one interval excludes 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulacra.measures import MEASURES, mechanical

if TYPE_CHECKING:
    import pyarrow as pa

PerSeed = Mapping[int, Mapping[str, float]]
"""seed -> measure -> value."""

MIN_SEEDS = 6
"""Below this no significance is claimed: the exact two-sided sign-flip p of 5 seeds cannot fall under .0625."""
CONFIDENCE = 0.95
_TOLD_APART = 1e-12
"""Differences below this are rounding: measures are means of floats of order 1."""
_HELPFUL = 0.3
"""Correlation of arms below which pairing hardly narrows the interval: the variance falls by the correlation's share."""

_FIRST = ("toxicity_written", "toxicity_seen")
"""What an answer always speaks of, whether it moved or not."""

Kind = Literal["mechanical", "response"]


@dataclass(frozen=True)
class Row:
    """One measure in two arms. Values are means over seeds; NaN where undefined."""

    measure: str
    unit: str
    baseline: float
    variant: float
    difference: float  # variant - baseline
    low: float  # of the 95 % interval
    high: float
    correlation: float  # of the arms over seeds, [-1, 1]; NaN when unpaired or where an arm does not vary
    seeds: int  # replicates that had a value in both arms
    kind: Kind
    claim: bool  # the interval excludes 0 and there were seeds enough
    sentence: str
    effect: str | None = None  # verdicts, filled in by a later part
    stability: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        return {key: _finite(value) for key, value in asdict(self).items()}


def paired_rows(
    baseline: PerSeed, variant: PerSeed, *, paired: bool = True, changed: frozenset[str] = frozenset()
) -> list[Row]:
    """One row a measure, in the order of MEASURES.

    baseline, variant: values by seed. paired: compare equal seeds (seeds in one arm only are passed over); otherwise every seed
    of either arm counts once. changed: lever classes that differ (`designs.levers`). No seeds: rows of NaN, seeds 0.
    """
    direct = mechanical(changed)
    names = [name for name in MEASURES if any(name in values for values in (*baseline.values(), *variant.values()))]
    return [_row(name, baseline, variant, paired, "mechanical" if name in direct else "response") for name in names]


def headline(rows: Sequence[Row], levers: Sequence[str] = ()) -> str:
    """The answer in a few sentences: what changed, what became of toxicity, what else moved clearly.

    levers: what differs between the arms, in words.
    """
    parts = [f"Changed: {'; '.join(levers)}." if levers else "The two arms have the same design."]
    seeds = max((row.seeds for row in rows), default=0)
    if all(row.difference == 0 for row in rows if not math.isnan(row.difference)):
        return " ".join([*parts, f"Nothing differs: every measure is identical in all {seeds} seeds."])
    if seeds < MIN_SEEDS:
        return " ".join([*parts, _too_few(seeds)])
    claims = [row for row in rows if row.claim]
    if not claims:
        return " ".join([*parts, f"No measure differs clearly at {seeds} seeds; more seeds would narrow the intervals."])
    told = [*(row for row in rows if row.measure in _FIRST), *_most_telling(claims)]
    parts += [row.sentence for row in told]
    if len(claims) > sum(row.claim for row in told):
        parts.append(f"{len(claims)} of {len(rows)} measures differ clearly; the table has them all.")
    return " ".join(parts)


def pairing_note(rows: Sequence[Row]) -> str:
    """How much pairing helped, from the realised correlations; "" where there are none."""
    found = [row.correlation for row in rows if not math.isnan(row.correlation)]
    if not found:
        return ""
    middle = float(np.median(found))
    verdict = "pairing narrowed the intervals" if middle >= _HELPFUL else "pairing did not help here"
    return f"Arms correlate {middle:.2f} over seeds (median of {len(found)} measures): {verdict}."


def rows_table(rows: Sequence[Row]) -> pa.Table:
    """The rows as one Arrow table, a column a field."""
    import pyarrow as pa

    return pa.table({name: [getattr(row, name) for row in rows] for name in Row.__dataclass_fields__}, schema=_row_schema())


# -- one row ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Estimate:
    baseline: float
    variant: float
    difference: float
    low: float
    high: float
    correlation: float
    seeds: int
    agree: int  # seeds whose difference has the sign of the mean difference


def _row(name: str, baseline: PerSeed, variant: PerSeed, paired: bool, kind: Kind) -> Row:
    found = _paired(name, baseline, variant) if paired else _unpaired(name, baseline, variant)
    excludes_zero = found.low > 0 or found.high < 0
    claim = excludes_zero and found.seeds >= MIN_SEEDS
    return Row(
        measure=name, unit=MEASURES[name].unit, baseline=found.baseline, variant=found.variant, difference=found.difference,
        low=found.low, high=found.high, correlation=found.correlation, seeds=found.seeds, kind=kind, claim=claim,
        sentence=_sentence(name, found, claim, kind, paired),
    )  # fmt: skip


def _paired(name: str, baseline: PerSeed, variant: PerSeed) -> _Estimate:
    common = sorted(set(baseline) & set(variant))
    both = [(baseline[seed].get(name, math.nan), variant[seed].get(name, math.nan)) for seed in common]
    pairs = np.array(both, float).reshape(-1, 2)
    defined = np.isfinite(pairs)
    if not defined.all(axis=1).any():  # no seed has both: each arm stands for itself
        a, b = (_mean(pairs[defined[:, arm], arm]) for arm in (0, 1))
        return _Estimate(a, b, math.nan, math.nan, math.nan, math.nan, 0, 0)
    a, b = pairs[defined.all(axis=1)].T
    difference = b - a
    difference[np.abs(difference) < _TOLD_APART] = 0.0
    n = len(difference)
    half = _half_width(difference.std(ddof=1) / math.sqrt(n), n - 1) if n > 1 else math.nan
    mean = _mean(difference)
    agree = int((np.sign(difference) == np.sign(mean)).sum())
    return _Estimate(_mean(a), _mean(b), mean, mean - half, mean + half, _correlation(a, b), n, agree)


def _unpaired(name: str, baseline: PerSeed, variant: PerSeed) -> _Estimate:
    """Welch 1947: unequal variances, Satterthwaite's degrees of freedom. `seeds` is the smaller arm's number."""
    a, b = (_values(name, arm) for arm in (baseline, variant))
    mean = _mean(b) - _mean(a)
    n = min(len(a), len(b))
    half = math.nan
    if n > 1:
        parts = np.array([a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)])
        weight = (parts**2 / np.array([len(a) - 1, len(b) - 1])).sum()
        half = _half_width(math.sqrt(parts.sum()), parts.sum() ** 2 / weight if weight else n - 1)
    return _Estimate(_mean(a), _mean(b), mean, mean - half, mean + half, math.nan, n, 0)


def _values(name: str, arm: PerSeed) -> NDArray[np.float64]:
    values = np.array([arm[seed].get(name, math.nan) for seed in sorted(arm)], float)
    return values[np.isfinite(values)]


def _half_width(standard_error: float, degrees: float) -> float:
    if standard_error < _TOLD_APART:
        return 0.0
    from scipy.special import stdtrit  # late: a third of a second

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2)) * standard_error


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 3 or a.std() < _TOLD_APART or b.std() < _TOLD_APART:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


# -- in words --------------------------------------------------------------------------------------------------------------


def _sentence(name: str, found: _Estimate, claim: bool, kind: Kind, paired: bool) -> str:
    title = MEASURES[name].title
    if found.seeds == 0:
        return f"{_capital(title)}: {_undefined(found)}."
    if found.difference == 0 and found.low == found.high:
        return f"{_capital(title)}: identical in {_number_of_seeds(found.seeds)}."
    change = f"{'higher' if found.difference > 0 else 'lower'} by {figure(abs(found.difference))}"
    if found.seeds == 1:
        return f"{_capital(title)}: {change} in the one seed; no interval from one seed, no claim."
    interval = f"95 % interval {figure(found.low)} to {figure(found.high)}"
    agreement = f"{found.agree} of {found.seeds} seeds agree" if paired else f"{found.seeds} seeds an arm"
    if found.seeds < MIN_SEEDS:
        return f"{_capital(title)}: {change} ({interval}; {agreement}); fewer than {MIN_SEEDS} seeds, no claim."
    if not claim:
        return f"{_capital(title)}: no clear difference ({interval}; {agreement}).{_pairing(found)}"
    by_design = ", by the design itself" if kind == "mechanical" else ""
    return f"{_capital(title)}: {change}{by_design} ({interval}; {agreement})."


def _undefined(found: _Estimate) -> str:
    for arm, value in (("baseline", found.baseline), ("variant", found.variant)):
        if not math.isnan(value):
            return f"{figure(value)} in the {arm}, nothing to count in the other arm"
    return "nothing to count in either arm"


def _pairing(found: _Estimate) -> str:
    return " Pairing did not help here." if found.correlation < _HELPFUL else ""


def _most_telling(claims: Sequence[Row]) -> list[Row]:
    """At most three others: responses of people before mechanical rows, then by how many half-widths they lie from 0."""
    rest = [row for row in claims if row.measure not in _FIRST]
    return sorted(rest, key=lambda row: (row.kind == "mechanical", -_distance(row)))[:3]


def _distance(row: Row) -> float:
    half = (row.high - row.low) / 2
    return abs(row.difference) / half if half else math.inf


def _too_few(seeds: int) -> str:
    some = "One seed" if seeds == 1 else f"{seeds} seeds"
    return f"{some} cannot carry a claim of significance (at least {MIN_SEEDS} are needed): read the table as a hint."


def _number_of_seeds(seeds: int) -> str:
    return "the one seed" if seeds == 1 else f"all {seeds} seeds"


def figure(value: float) -> str:
    """A number as a reader wants it: about three digits that count, never a power of ten; "-" for NaN."""
    if math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    digits = next((d for limit, d in ((1000, 0), (100, 1), (10, 2), (0.1, 3)) if size >= limit), 4)
    return f"{value:,.{digits}f}" if size >= 0.00005 else f"{value:.5f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row_schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"float": pa.float64(), "int": pa.int32(), "bool": pa.bool_()}
    return pa.schema([(name, kinds.get(str(f.type), pa.string())) for name, f in Row.__dataclass_fields__.items()])
