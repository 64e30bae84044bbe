"""Does an answer hold when the behaviour model is wrong? `simulacra compare --robust`.

Seeds measure chance, not wrong assumptions. The headline is played again under 12 draws of all behaviour parameters at once (a
Latin hypercube, so that 12 draws cover every parameter's range evenly) and with each mechanism switched off in both arms, over
fewer seeds each. A direction that holds in fewer than 10 of 12 draws is *assumption-driven*, whatever the seeds say.

    experiments/<id>/robust/draw-01 ...   a small experiment each, resumable like any other
    experiments/<id>/robust.json          the result
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, asdict, dataclass, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from simulacra.analysis.comparison import Row
from simulacra.analysis.limits import MECHANISMS
from simulacra.behaviour import Behaviour
from simulacra.cluster import LOCAL
from simulacra.designs import Arm
from simulacra.errors import SpecError, Stopped
from simulacra.experiment import ShouldStop, affinity_from_dict
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import plain, to_json
from simulacra.replicates import Comparison, ComparisonSpec, ExperimentFolder, Replicated, finish_comparison
from simulacra.streams import Streams

DRAWS, ENOUGH = 12, 10
"""Draws of the parameters, and in how many of them a direction must hold."""
SEEDS = 4
"""Seeds of each draw and mechanism: enough to tell a direction of the headline's size, a tenth of its cost each."""
FACTOR = 2.0
"""A parameter is drawn between its value over and times this (log-uniform), inside its limits: no published range is narrower
that we know of, and few are published at all (ours)."""
LOG_ODDS = 0.5
"""Half width of the range of a level in log-odds (uniform): odds times .6 to 1.6 (ours)."""
VANISHED = 0.25
"""An effect has vanished when less than this share of it remains, or its sign has turned."""
_CLOCK = "hour of day"

ROBUST_FILE = "robust.json"


@dataclass(frozen=True)
class Held:
    """One other setting of the behaviour parameters, and the primary measure's difference under it."""

    name: str  # draw-01 ..., or without-contagion
    settings: Mapping[str, float]
    difference: float  # mean over its seeds
    same_direction: bool
    remains: float  # share of the difference that the same seeds show under the default parameters


@dataclass(frozen=True)
class Robustness:
    """How an answer's primary measure fared under other assumptions. A direction must hold in ten of twelve draws."""

    measure: str
    draws: tuple[Held, ...]
    without: tuple[Held, ...]  # each mechanism switched off

    @property
    def held(self) -> int:
        """Draws in which the direction held."""
        return sum(draw.same_direction for draw in self.draws)

    @property
    def assumption_driven(self) -> bool:
        return self.held * DRAWS < ENOUGH * len(self.draws)

    @property
    def carried_by(self) -> list[str]:
        """Mechanisms without which the effect vanishes."""
        return [h.name.removeprefix("without-") for h in self.without if not h.same_direction or h.remains < VANISHED]

    @property
    def sentence(self) -> str:
        """In words."""
        verdict = "assumption-driven, whatever the seeds say" if self.assumption_driven else "robust to these assumptions"
        told = f"Direction held in {self.held} of {len(self.draws)} draws of the behaviour parameters: {verdict}."
        if self.carried_by:
            return f"{told} It vanishes without {' or '.join(self.carried_by)}."
        names = ", ".join(held.name.removeprefix("without-") for held in self.without)
        return f"{told} No single mechanism carries it: it outlives switching off {names}." if names else told

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "measure": self.measure, "held": self.held, "of": len(self.draws), "assumption_driven": self.assumption_driven,
            "carried_by": self.carried_by, "sentence": self.sentence, "draws": [asdict(held) for held in self.draws],
            "without": [asdict(held) for held in self.without],
        }  # fmt: skip


def robustness(
    answer: Comparison,
    jobs: int = 1,
    progress: Callable[[Replicated], None] | None = None,
    should_stop: ShouldStop | None = None,
    *,
    count: int = DRAWS,
    mechanisms: Sequence[str] = MECHANISMS,
    seeds: int = SEEDS,
    backend: str = LOCAL,
) -> Robustness | None:
    """The answer's primary measure under other assumptions; None where it has no direction that could hold.

    count: draws of the parameters. mechanisms: behaviour parameters to switch off one by one, those that are on. seeds: of
    each, not more than the answer has. What an earlier call played is not played again. Raises SpecError for an unpaired
    comparison, Stopped once should_stop says so.
    """
    if not answer.spec.paired:
        raise SpecError("robust: expected the same seeds in both arms. Leave out --unpaired.")
    row = next((row for row in answer.row_list if row.role == "primary"), None)
    if row is None or row.effect not in ("higher", "lower"):
        return None
    settings, seeds = dict(_settings(answer.spec, count, mechanisms)), min(seeds, answer.spec.seeds)
    total, started, played = seeds * len(settings), perf_counter(), 0

    def tell(_: Replicated) -> None:
        nonlocal played
        played += 1
        if progress is not None:
            progress(Replicated(skipped + played, total, played, perf_counter() - started))

    found, skipped = {}, 0
    for name, values in settings.items():
        small = _comparison(answer, name, under(answer.spec, values, seeds), jobs, tell, should_stop, backend)
        skipped += seeds - small.fresh
        found[name] = _held(name, values, answer, small, row)
    result = Robustness(
        row.measure,
        tuple(held for name, held in found.items() if name.startswith("draw")),
        tuple(held for name, held in found.items() if name.startswith("without")),
    )
    file = answer.path / ROBUST_FILE
    with disk_errors(file):
        replace_file(file, to_json(plain(result.to_dict())))
    return result


# -- other assumptions -----------------------------------------------------------------------------------------------------


def draws(centre: Behaviour, streams: Streams, count: int = DRAWS) -> list[dict[str, float]]:
    """`count` draws of every behaviour parameter that has a range, around `centre`: a Latin hypercube, keyed by name."""
    named = [f for f in fields(Behaviour) if f.metadata["unit"] != _CLOCK]
    which = np.arange(count)
    values = []
    for f in named:
        stratum = np.argsort(np.argsort(streams.uniform(f"stratum {f.name}", which)))
        share = (stratum + streams.uniform(f"within {f.name}", which)) / count
        values.append([_value(f, float(getattr(centre, f.name)), u) for u in share])
    return [{f.name: column[i] for f, column in zip(named, values, strict=True)} for i in range(count)]


def _value(f: Field[Any], centre: float, share: float) -> float:
    """The parameter at this share of its range, (0, 1), four digits. One that is switched off stays off."""
    if centre == f.metadata["off"]:
        return centre
    at = 2 * share - 1
    level = f.metadata["unit"] == "log-odds" and f.metadata["low"] < 0  # how often a thing happens at all; others are weights
    moved = centre + LOG_ODDS * at if level else centre * FACTOR**at
    return float(f"{min(max(moved, f.metadata['low']), f.metadata['high']):.4g}")


def _settings(spec: ComparisonSpec, count: int, mechanisms: Sequence[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Name and changed parameters of every setting to play."""
    centre = Behaviour().with_settings(spec.community.behaviour)
    for number, values in enumerate(draws(centre, Streams(0), count), 1):
        yield f"draw-{number:02d}", values
    off = {f.name: float(f.metadata["off"]) for f in fields(Behaviour)}
    for name in mechanisms:
        if getattr(centre, name) != off[name]:
            yield f"without-{name}", {name: off[name]}


def under(spec: ComparisonSpec, values: Mapping[str, float], seeds: int) -> ComparisonSpec:
    """The comparison with other behaviour parameters in both arms; what an arm itself changes it keeps."""
    before = spec.community.behaviour

    def moved(arm: Arm) -> Arm:
        own = {name: value for name, value in arm.behaviour.items() if before.get(name) != value}
        return replace(arm, behaviour={**before, **values, **own})

    community = replace(spec.community, behaviour={**before, **values})
    return replace(
        spec,
        community=community,
        baseline=moved(spec.baseline),
        variant=moved(spec.variant),
        seeds=seeds,
        auto=False,
    )


def _comparison(
    answer: Comparison,
    name: str,
    spec: ComparisonSpec,
    jobs: int,
    progress: Callable[[Replicated], None],
    should_stop: ShouldStop | None,
    backend: str,
) -> Comparison:
    folder = ExperimentFolder(answer.path / "robust" / name)
    near = affinity_from_dict(answer.folder.info["similarity"])
    folder.begin(spec, near, "none", Path(answer.runs_dir))
    try:
        return finish_comparison(folder, jobs, progress, should_stop, backend=backend)
    except Stopped:
        raise Stopped(f"Stopped while playing {name}. Go on with the same command: nothing is played twice.") from None


def _held(name: str, values: Mapping[str, float], answer: Comparison, small: Comparison, row: Row) -> Held:
    there = _difference(small, row.measure, sorted(small.results["baseline"]))
    here = _difference(answer, row.measure, sorted(small.results["baseline"]))
    remains = there / here if here else math.nan
    return Held(name, dict(values), there, there * row.difference > 0, round(remains, 3))


def _difference(answer: Comparison, measure: str, seeds: list[int]) -> float:
    """Mean of variant - baseline over these seeds; NaN where there is no value."""
    both = [(answer.results["baseline"][seed][measure], answer.results["variant"][seed][measure]) for seed in seeds]
    found = [b - a for a, b in both if not math.isnan(b - a)]
    return float(np.mean(found)) if found else math.nan
