"""Which second scorer a comparison needs, and what it refuses to play without one."""

from __future__ import annotations

from collections.abc import Sequence

from simulacra.analysis.judge import acting_columns, judged_measures
from simulacra.analysis.segments import AT
from simulacra.analysis.verdict import Plan
from simulacra.designs import Arm
from simulacra.errors import SpecError
from simulacra.scoring.judging import DEFAULT_JUDGE, NO_JUDGE, check_judge, check_weights
from simulacra.scoring.semantic import WeightsError


def judge_of(arms: Sequence[Arm], plan: Plan, asked: str | None) -> str:
    """The second scorer that a comparison needs, "" where it needs none or is to have none. Raises SpecError where what is asked would
    be left without a judge."""
    acting = acting_columns(arms)
    if asked is not None:
        check_judge(asked)
    if not acting:
        return ""
    left = sorted({name for name in plan.family if name.partition(AT)[0] in judged_measures(acting)})
    instead = "name what authors meant instead (--primary uncivil_seen_per_100)"
    if asked == NO_JUDGE:
        if left:
            raise SpecError(f"{left[0]}: an arm acts by the very scorer that would judge it. Give a --judge, or {instead}.")
        return ""
    try:
        check_weights(asked or DEFAULT_JUDGE)
    except WeightsError as error:
        raise SpecError(
            f"An arm acts by the scorer that every run carries, so another must judge it: {error} Or play with --judge none and {instead}."
        ) from error
    return asked or DEFAULT_JUDGE
