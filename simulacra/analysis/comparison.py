"""Paired comparison: from one number per seed and arm to rows with an interval, a verdict and a plain sentence each.

The unit is the seed (a replicate), never a post: posts of one run share a history. Intervals and verdicts are those of
`verdict`. Intervals are per row: of twenty rows without any effect about one excludes 0, so only the measures that were named
before the comparison was played (its `Plan`) answer the question; all others are exploration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulacra.analysis.contrast import HELPFUL, MIN_SEEDS, Contrast, contrast
from simulacra.analysis.judge import NOBODY, Judged
from simulacra.analysis.measures import MEASURES, mechanical
from simulacra.analysis.segments import AT, measure_named
from simulacra.analysis.verdict import Plan, Role, Verdict, judge
from simulacra.analysis.wording import in_minutes, sentence

if TYPE_CHECKING:
    import pyarrow as pa

PerSeed = Mapping[int, Mapping[str, float]]
"""seed -> measure -> value."""

_MOST_EXPLORED = 3

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
    effect: str  # higher, lower, no difference that matters, undecided, no verdict
    stability: str  # convergent, divergent, uncertain, no verdict
    role: Role  # primary, guardrail or exploration
    margin: float  # the difference that matters, in the measure's unit
    p: float  # two-sided t
    adjusted_p: float  # Holm over primary and guardrails; NaN for exploration
    more_seeds: int | None  # that an undecided effect would take; None: decided, or over 1,000
    scorer: str = ""  # who judged: a scorer, truth (what authors meant), "" for what is counted, nobody

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        return {key: _finite(value) for key, value in asdict(self).items()}


_UNPLANNED, _ITSELF = Plan(), Judged()


def paired_rows(
    baseline: PerSeed,
    variant: PerSeed,
    *,
    paired: bool = True,
    changed: frozenset[str] = frozenset(),
    plan: Plan = _UNPLANNED,
    judged: Judged = _ITSELF,
    segments: bool = False,
) -> list[Row]:
    """One row a measure, in the order of MEASURES; measures among a kind of members ("toxicity_seen@newcomers") only where the plan
    names them.

    baseline, variant: values by seed. paired: compare equal seeds (seeds in one arm only are passed over); otherwise every seed
    of either arm counts once. changed: lever classes that differ (`designs.levers`). plan: what was named before the comparison
    was played. judged: which measures must not be the run's own scorer's, and whose they are; where they are nobody's, what values
    there are is not looked at. segments: every measure among every kind of members instead. No seeds: rows of NaN, seeds 0.
    """
    direct = mechanical(changed)
    known = dict.fromkeys(name for values in (*baseline.values(), *variant.values()) for name in values)
    whole, parts = [name for name in MEASURES if name in known], [name for name in known if AT in name]
    names = parts if segments else [*whole, *(name for name in plan.family if name in parts)]
    contrasts = {
        name: _NOTHING if judged.of(name) == NOBODY else contrast_of(name, baseline, variant, paired) for name in names
    }
    verdicts = judge(contrasts, plan)
    kinds: dict[str, Kind] = {n: "mechanical" if n.partition(AT)[0] in direct else "response" for n in names}
    return [_row(verdicts[name], contrasts[name], kinds[name], judged.of(name)) for name in names]


def headline(rows: Sequence[Row], levers: Sequence[str] = (), seconds_per_seed: float | None = None) -> str:
    """The answer in a few sentences: what changed, the primary measure, the guardrails, what else seems to have moved.

    levers: what differs between the arms, in words. seconds_per_seed: what one more replicate takes, where that is known.
    """
    parts = [f"Changed: {'; '.join(levers)}." if levers else "The two arms have the same design."]
    seeds = max((row.seeds for row in rows), default=0)
    if all(row.difference == 0 for row in rows if not math.isnan(row.difference)):
        return " ".join([*parts, f"Nothing differs: every measure is identical in {_number_of_seeds(seeds)}."])
    if seeds < MIN_SEEDS:
        return " ".join([*parts, _too_few(seeds)])
    family = sorted((row for row in rows if row.role != "exploration"), key=lambda row: row.role != "primary")
    parts += [row.sentence + _time(row, seconds_per_seed) for row in family]
    told = _most_telling(rows)
    if told:
        parts += ["Seen besides, not named before the run:", *map(_besides, told)]
    return " ".join(parts)


def pairing_note(rows: Sequence[Row]) -> str:
    """How much pairing helped, from the realised correlations; "" where there are none."""
    found = [row.correlation for row in rows if not math.isnan(row.correlation)]
    if not found:
        return ""
    middle = float(np.median(found))
    verdict = "pairing narrowed the intervals" if middle >= HELPFUL else "pairing did not help here"
    return f"Arms correlate {middle:.2f} over seeds (median of {len(found)} measures): {verdict}."


def rows_table(rows: Sequence[Row]) -> pa.Table:
    """The rows as one Arrow table, a column a field."""
    import pyarrow as pa

    return pa.table({name: [getattr(row, name) for row in rows] for name in Row.__dataclass_fields__}, schema=_row_schema())


# -- one row ---------------------------------------------------------------------------------------------------------------


def contrast_of(name: str, baseline: PerSeed, variant: PerSeed, paired: bool) -> Contrast:
    """The contrast of one measure's values by seed. A seed without a value counts as one with NaN."""
    seeds = (sorted(baseline.keys() & variant.keys()),) * 2 if paired else (sorted(baseline), sorted(variant))
    a, b = ([arm[seed].get(name, math.nan) for seed in own] for arm, own in zip((baseline, variant), seeds, strict=True))
    return contrast(a, b, paired)


_NOTHING = contrast([], [], paired=False)


def _row(verdict: Verdict, c: Contrast, kind: Kind, scorer: str) -> Row:
    low, high = c.interval()
    title = measure_named(verdict.measure).title
    told = f"{title[:1].upper()}{title[1:]}: {_NOT_JUDGED}" if scorer == NOBODY else sentence(verdict, c, kind == "mechanical")
    return Row(
        measure=verdict.measure, unit=measure_named(verdict.measure).unit, baseline=_mean(c.baseline), variant=_mean(c.variant),
        difference=c.mean, low=low, high=high, correlation=c.correlation, seeds=c.seeds, kind=kind,
        claim=(low > 0 or high < 0) and c.seeds >= MIN_SEEDS, sentence=told, scorer=scorer,
        effect=verdict.effect, stability=verdict.stability.word, role=verdict.role, margin=verdict.margin, p=verdict.p,
        adjusted_p=verdict.adjusted_p, more_seeds=verdict.more_seeds,
    )  # fmt: skip


_NOT_JUDGED = (
    "not judged. An arm acts by the very scorer that would judge it, and no other one has read these runs: play it with --judge "
    "semantic, or look at what authors meant (uncivil_seen_per_100)."
)


# -- in words --------------------------------------------------------------------------------------------------------------


def _besides(row: Row) -> str:
    told = row.sentence.removeprefix("Seems changed").lstrip(":, ")
    return told[:1].upper() + told[1:]


def _time(row: Row, seconds_per_seed: float | None) -> str:
    if row.more_seeds is None or seconds_per_seed is None:
        return ""
    return f" (These runs would take about {in_minutes(row.more_seeds * seconds_per_seed)} here.)"


def _most_telling(rows: Sequence[Row]) -> list[Row]:
    """At most three that moved: responses of people before mechanical rows, then by how many margins they moved."""
    moved = [row for row in rows if row.role == "exploration" and row.effect in ("higher", "lower")]
    return sorted(moved, key=lambda row: (row.kind == "mechanical", -abs(row.difference) / (row.margin or 1)))[:_MOST_EXPLORED]


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


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else math.nan


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row_schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"float": pa.float64(), "int": pa.int32(), "int | None": pa.int32(), "bool": pa.bool_()}
    return pa.schema([(name, kinds.get(str(f.type), pa.string())) for name, f in Row.__dataclass_fields__.items()])
