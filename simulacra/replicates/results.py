"""A replicate's result as plain values: what is written of measures, who took them, and how it is read again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulacra.analysis.measures import judged_values
from simulacra.analysis.segments import AT, segment_values
from simulacra.analysis.turns import failed_turns
from simulacra.experiment import RunSpec
from simulacra.replicates.spec import BASELINE, VARIANT, ComparisonSpec
from simulacra.scoring.judging import Judge

if TYPE_CHECKING:
    from simulacra.record.frames import Frames


def measured(values: dict[str, float], frames: Frames, judge: Judge | None) -> dict[str, Any]:
    """What a result says of measures: those of everybody, those among kinds of members ("toxicity_seen@newcomers"), and whose they are.

    With a judge the measures that rest on scores which it has read are its own; the recorded scorer's go to `unjudged`.
    """
    if judge is None:
        return {"measures": values | segment_values(frames)}
    scores = judge.read(frames)
    judged = judged_values(frames, scores)
    own = {name: values[name] for name in judged}
    return {"measures": values | judged | segment_values(frames, scores), "judge": judge.name, "unjudged": own}


def turns_of(spec: RunSpec, frames: Frames, posts: int) -> dict[str, Any]:
    """What a language mind's result says of its turns; nothing for the sketch mind."""
    return {} if spec.language is None else {"turns": {"posts": posts, "failures": dict(failed_turns(frames))}}


def values_of(results: Mapping[int, Mapping[str, Any]], spec: ComparisonSpec) -> dict[str, dict[int, dict[str, float]]]:
    """arm -> seed -> measure -> value, NaN where undefined, from an experiment's `results`.

    A measure by a scorer that an arm acts by is undefined as well, unless another one took it.
    """
    own_homework = spec.judged_measures
    arms: dict[str, dict[int, dict[str, float]]] = {BASELINE: {}, VARIANT: {}}
    for seed, replicate in results.items():
        for arm, result in replicate.items():
            withheld = own_homework if result.get("judge") is None else frozenset[str]()
            arms[arm][seed] = {
                name: math.nan if value is None or name.partition(AT)[0] in withheld else value
                for name, value in result["measures"].items()
            }
    return arms
