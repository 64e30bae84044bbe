"""Automatic seeds: how many a comparison is worth, by the width of its primary measure's interval and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulacra.analysis.comparison import contrast_of
from simulacra.analysis.contrast import CAP_SEEDS, next_seeds
from simulacra.replicates.results import values_of
from simulacra.replicates.spec import BASELINE, VARIANT, ComparisonSpec


def grown(spec: ComparisonSpec, results: Mapping[int, Mapping[str, Any]]) -> ComparisonSpec:
    """The specification with as many seeds as the finished replicates ask for.

    A pure function of them, so that a resumed comparison takes the same way.
    """
    while all(seed in results for seed, _ in spec.replicates()):
        arms = values_of({seed: results[seed] for seed, _ in spec.replicates()}, spec)
        primary = contrast_of(spec.plan.primary, arms[BASELINE], arms[VARIANT], spec.paired)
        margin = spec.plan.margin_of(spec.plan.primary, primary.level)
        wanted = next_seeds(primary, margin, spec.seeds)
        if wanted == spec.seeds:
            break
        spec = replace(spec, seeds=wanted)
    return spec


def stopping_rule(spec: ComparisonSpec) -> str:
    """What decided how many seeds there are, in words; "" where the designer did."""
    if not spec.auto:
        return ""
    return (
        f"Seeds were added four at a time until the interval of {spec.plan.primary} reached no further than the margin on "
        f"either side, or to {CAP_SEEDS}; never because of what it showed. It ended at {spec.seeds}."
    )
