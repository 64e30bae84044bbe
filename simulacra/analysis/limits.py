"""What an answer cannot say: the limits printed under every comparison.

A limit that a reader can look up in the answer itself names the figures; effects larger than field studies found are flagged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from simulacra.analysis.judge import NOBODY, Judged, acting_levers
from simulacra.analysis.segments import measure_named
from simulacra.analysis.stability import SPLIT_SEEDS
from simulacra.analysis.turns import told
from simulacra.behaviour import Behaviour

if TYPE_CHECKING:
    from simulacra.analysis.comparison import Row
    from simulacra.replicates import ComparisonSpec


class FieldEffect(NamedTuple):
    """The largest effect that field experiments we know of found on a quantity like this one."""

    size: float  # in the measure's unit, or a share of the baseline where relative
    relative: bool
    source: str


_WORDS = FieldEffect(0.001, False, "Kramer et al. 2014: 0.1 words per 100 (n = 689,003)")
_RUDE = FieldEffect(
    0.8, True, "Chandrasekharan et al. 2017: 80 % less hate speech by those who stayed after a community was banned"
)

FIELD_EFFECTS: dict[str, FieldEffect] = {
    "positive_words": _WORDS,
    "negative_words": _WORDS,
    "toxicity_written": _RUDE,
    "toxic_share": _RUDE,
    "violations_per_100": _RUDE,
    "posts_per_persona": FieldEffect(0.7, True, "Matias 2019: 70 % more comments by newcomers when rules were pinned"),
}
"""By measure of what people *write*: what is *seen* moves as far as a design likes."""

RETENTION = ("persona_churn", "newcomer_return")
_SHORT_DAYS = 30

MECHANISMS = (
    "contagion",
    "herding",
    "correction",
    "withdrawal",
    "hurt",
    "flattery",
    "insult_mood",
    "insult_context",
    "harass_quarrel",
    "parent_rude",
    "parent_gloom",
    "provoked",
    "vote_side",
    "vote_rude",
    "answered",
    "own_thread",
    "scroll_taste",
    "notice_pull",
    "norm_strength",
    "suffer_rude",
    "churn_slope",
    "follow",
)
"""Behaviour parameters by which what is read, or done to a post, acts on what is done: the mechanisms that can carry a response."""


def limits_of(
    spec: ComparisonSpec, rows: Sequence[Row], values: Mapping[str, Mapping[int, Mapping[str, float]]],
    language: Mapping[str, Any] | None = None, robustness: Mapping[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    """The limits of a comparison, one sentence or two each.

    rows: its rows. values: arm -> seed -> measure -> value. language: `turns.language_facts` of a language mind. robustness:
    `Robustness.to_dict` of the check under other assumptions, where it was played.
    """
    return [
        "Simulated members, not users: this says what the model does with two designs, not what your community will do.",
        *_mind(language),
        *_judge(spec, rows),
        "Scorer levels are relative: compare arms, do not read toxicity or cheerfulness as a rate.",
        _mechanisms(spec, robustness),
        _not_varied(spec, robustness),
        *([_failed(values)] if language is None else []),
        *_seeds(rows),
        *_retention(spec.days, rows),
        *_implausible(rows),
    ]


_SKETCH = "The sketch mind writes by a grammar over phrase banks; a documented behaviour model decides who does what."
_GUIDED = "A documented behaviour model decides who does what, in which mood; the model finds the words."
_FULL = (
    "Emergent: the model decides whom to answer, what to vote for and what to write, and is told no mood; what spreads between "
    "members is its doing, and its habits (politeness, sameness, following the crowd) are in the answer."
)


def _mind(language: Mapping[str, Any] | None) -> list[str]:
    if language is None:
        return [_SKETCH]
    wording = "One wording of the prompts and one model: play it with another model before you trust a small difference."
    return [*told(language), _FULL if language["emergent"] else _GUIDED, wording]


def _judge(spec: ComparisonSpec, rows: Sequence[Row]) -> Iterator[str]:
    """Who judged what an arm acts by."""
    for arm in spec.arms.values():
        for score, levers in acting_levers(arm).items():
            judges = {row.scorer for row in rows if Judged(spec.judged_measures, NOBODY).of(row.measure) == NOBODY}
            by = ", ".join(sorted(judges - {NOBODY})) or "nobody"
            told = f"The {arm.name} acts by the lexical scorer's {score} ({', '.join(levers)}), so {score} is judged by {by}"
            yield (
                f"{told}: a scorer must not grade its own homework."
                if by != "nobody"
                else (
                    f"{told}: the lexical scorer would grade its own homework. What authors meant is counted all the same (uncivil_*)."
                )
            )
        if "automod" in arm.moderation:
            yield (
                f"The {arm.name}'s word filter and the lexical scorer know many of the same words: read posts meant to be rude "
                "(uncivil_*) beside toxicity."
            )


def _not_varied(spec: ComparisonSpec, robustness: Mapping[str, Any] | None) -> str:
    people = "" if robustness else " behaviour parameters,"
    return f"Not varied: the community, {spec.personas:,} members, {_days(spec.days)},{people} writer, scorer."


def _mechanisms(spec: ComparisonSpec, robustness: Mapping[str, Any] | None) -> str:
    off = {arm: _switched_off(spec, arm) for arm in spec.arms}
    both = [name for name in MECHANISMS if all(name in names for names in off.values())]
    carried = [name for name in MECHANISMS if name not in both]
    without = f" Switched off: {', '.join(both)}." if both else ""
    named = f"Mechanisms that may carry a response: {', '.join(carried) or 'none'}.{without}"
    if robustness is None:
        return f"{named} Seeds measure chance, not whether these are right; --robust asks which carry the effect."
    carried_by = robustness["carried_by"]
    found = f"it vanishes without {' or '.join(carried_by)}" if carried_by else "it outlives switching off any one of them"
    return f"{named} Of the effect on {robustness['measure']}: {found}. It held in {robustness['held']} of {robustness['of']} draws."


def _switched_off(spec: ComparisonSpec, arm: str) -> set[str]:
    behaviour = spec.arms[arm].build_behaviour()
    return {f.name for f in fields(Behaviour) if getattr(behaviour, f.name) == f.metadata["off"]}


def _failed(values: Mapping[str, Mapping[int, Mapping[str, float]]]) -> str:
    counts = [seed.get("failures", 0.0) for arm in values.values() for seed in arm.values()]
    total = int(sum(count for count in counts if not math.isnan(count)))
    if not total:
        return "Failed turns: none."
    return f"Failed turns: {total:,} drafts could not be written in {len(counts)} runs; their authors act again later."


def _seeds(rows: Sequence[Row]) -> Iterator[str]:
    seeds = max((row.seeds for row in rows), default=0)
    if seeds < SPLIT_SEEDS and not any(row.stability == "divergent" for row in rows):
        yield f"With {seeds} runs, split worlds could be missed: two far apart are found reliably from {SPLIT_SEEDS} runs on."


def _retention(days: int, rows: Sequence[Row]) -> Iterator[str]:
    if days < _SHORT_DAYS and any(row.measure in RETENTION for row in rows):
        yield f"{_days(days).capitalize()} cannot show retention: who leaves or comes back over months is not in here."


def _days(days: int) -> str:
    return "one day" if days == 1 else f"{days} days" if days != 7 else "seven days"


def _implausible(rows: Sequence[Row]) -> Iterator[str]:
    """Differences that are clear and beyond what any field study we know of found."""
    for row in rows:
        known = FIELD_EFFECTS.get(row.measure)
        if known is None or not row.claim or row.kind == "mechanical":
            continue
        size = known.size * abs(row.baseline) if known.relative else known.size
        if min(abs(row.low), abs(row.high)) > size:
            yield f"Larger than any field study we know: {measure_named(row.measure).title} ({known.source}). Doubt it."
