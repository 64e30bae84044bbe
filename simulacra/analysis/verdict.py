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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulacra.analysis.contrast import F64, Contrast, Effect, effect_of, holm, seeds_to_decide
from simulacra.analysis.margins import margin_of
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.segments import SEGMENTED, SEGMENTS, is_measure
from simulacra.analysis.stability import Stability, stability_of
from simulacra.errors import SpecError

Role = Literal["primary", "guardrail", "exploration"]

MOST_GUARDRAILS = 4


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
