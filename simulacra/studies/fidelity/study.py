"""The fidelity report: every published figure of `rows`, judged over communities and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from simulacra.community import Community, load_community
from simulacra.designs import make_arm
from simulacra.errors import SpecError
from simulacra.experiment import RunSpec, one_blas_thread
from simulacra.parallel import spread
from simulacra.record.runfiles import plain
from simulacra.scoring.semantic import topic_affinity
from simulacra.studies.contagion import t_interval
from simulacra.studies.fidelity.rows import ROWS, Row
from simulacra.studies.fidelity.world import Size, World

COMMUNITIES: Final = ("game-makers", "local-politics", "new-parents")
"""A hobby, a quarrel and a support group; the second has a feed by votes, the others are chronological."""
SEEDS: Final = 8
SIZE: Final = Size()

Found = Mapping[int, tuple[float, float]]
"""Row number -> figure, and its floor (NaN where it has none)."""


@dataclass(frozen=True)
class Result:
    """One published figure and ours."""

    row: Row
    worst: float  # the run (of an effect: the community) that lies worst; NaN where undefined
    low: float  # of an effect: its 95 % interval; of a level: the range over runs
    high: float
    median: float  # over all runs
    floor: float  # median sampling floor; NaN where there is none
    where: str  # of the worst
    passed: bool
    reason: str  # why not; "" where it passed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN and infinity as None."""
        r = self.row
        told = {
            "row": f"S{r.s}", "figure": r.figure, "published": r.published, "source": r.source, "band": r.band, "judged": r.judged,
            "worst": self.worst, "low": self.low, "high": self.high, "median": self.median, "floor": self.floor, "where": self.where,
            "pass": self.passed, "reason": self.reason, "set_by": r.set_by,
        }  # fmt: skip
        return dict(plain(told))


@dataclass(frozen=True)
class Fidelity:
    """The answer of `fidelity`."""

    communities: tuple[str, ...]
    size: Size
    seeds: tuple[int, ...]
    results: tuple[Result, ...]

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def sentence(self) -> str:
        rows = {result.row.s for result in self.results}
        whole = {s for s in rows if all(result.passed for result in self.results if result.row.s == s)}
        return (
            f"{self.passed} of {len(self.results)} figures lie in their bands; of the {len(rows)} rows of the table of targets that they "
            f"stand for, {len(whole)} pass in every figure."
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        size = {"communities": list(self.communities), **self.size._asdict(), "seeds": list(self.seeds)}
        return {**size, "sentence": self.sentence, "rows": [result.to_dict() for result in self.results]}


def fidelity(
    communities: Sequence[Community | str | Path] = COMMUNITIES, seeds: int = SEEDS, size: Size = SIZE, *, first_seed: int = 1,
    jobs: int = 1, progress: Callable[[int, int], None] | None = None,
) -> Fidelity:  # fmt: skip
    """Play the communities over several seeds and hold them to every published figure.

    communities: names, paths or loaded ones. seeds: at least 2, since effects need an interval. progress: called with (pieces done,
    of). Raises SpecError for sizes that make no sense.
    """
    if not 2 <= seeds <= 1000:
        raise SpecError(f"seeds = {seeds}: expected a whole number from 2 to 1,000; an interval needs two.")
    loaded = [c if isinstance(c, Community) else load_community(c) for c in communities]
    if not loaded or len({c.slug for c in loaded}) < len(loaded):
        raise SpecError("communities: expected at least one, each once.")
    for community in loaded:
        for personas, days in ((size.personas, size.days), (size.arm_personas, size.arm_days)):
            RunSpec(community, make_arm(community), personas, days, first_seed)  # its checks are ours
    numbers = tuple(range(first_seed, first_seed + seeds))
    pieces = [(community, seed) for seed in numbers for community in loaded]
    found: dict[tuple[str, int], Found] = {}
    for slug, seed, values in spread(partial(_piece, size=size), [*pieces, None], jobs):
        found[slug, seed] = values
        if progress is not None:
            progress(len(found), len(pieces) + 1)
    slugs = tuple(community.slug for community in loaded)
    results = tuple(_result(at, row, found, slugs, numbers) for at, row in enumerate(ROWS))
    return Fidelity(slugs, size, numbers, results)


_ALONE = ("", 0)
"""Where the figures of the small models are found, which need no community."""


def _piece(piece: tuple[Community, int] | None, size: Size) -> tuple[str, int, Found]:
    if piece is None:
        return (*_ALONE, {at: (row.value(None), math.nan) for at, row in enumerate(ROWS) if row.judged == "once"})  # type: ignore[arg-type]
    community, seed = piece
    with one_blas_thread():
        world = World(community, topic_affinity(community), size, seed)
        asked = [(at, row) for at, row in enumerate(ROWS) if row.judged != "once"]
        return community.slug, seed, {at: (row.value(world), row.floor(world) if row.floor else math.nan) for at, row in asked}


# -- judging ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """What is held to the band: a run, or the mean of a community's runs with its interval."""

    where: str
    value: float
    low: float
    high: float


def _result(at: int, row: Row, found: Mapping[tuple[str, int], Found], slugs: Sequence[str], seeds: Sequence[int]) -> Result:
    if row.judged == "once":
        value = found[_ALONE][at][0]
        return judged(row, [Case("16 seeds", value, value, value)], np.array([value]))
    values = np.array([[found[slug, seed][at] for seed in seeds] for slug in slugs])
    runs, floors = values[..., 0], values[..., 1]
    if row.judged == "level":
        cases = [
            Case(f"{slug}, seed {seed}", v, float(np.nanmin(runs, initial=math.inf)), float(np.nanmax(runs, initial=-math.inf)))
            for slug, line in zip(slugs, runs.tolist(), strict=True) for seed, v in zip(seeds, line, strict=True)
        ]  # fmt: skip
    else:
        cases = [Case(slug, *t_interval(line)) for slug, line in zip(slugs, runs.tolist(), strict=True)]
    return judged(row, cases, runs.ravel(), floors.ravel())


def judged(row: Row, cases: Sequence[Case], runs: np.ndarray, floors: np.ndarray | None = None) -> Result:
    """The row's answer, from the case that lies worst. runs: every figure, for the median."""
    worst = min(cases, key=lambda case: _room(row, case))
    fault = _fault(row, worst)
    reason = ": ".join(part for part in (fault, row.lacks if fault else "") if part)
    return Result(
        row, worst.value, worst.low, worst.high, _median(runs), _median(floors if floors is not None else np.zeros(0)), worst.where,
        not fault, reason,
    )  # fmt: skip


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _room(row: Row, case: Case) -> float:
    """How far inside the band a case lies; below 0 outside, and lowest of all where it is undefined. Of a sign, the end of the interval
    that is nearer to 0 counts; of no effect, how far the interval is from excluding 0."""
    if math.isnan(case.value):
        return -math.inf
    room = min(case.value - row.low, row.high - case.value)
    if row.judged == "sign":
        clear = case.low if row.low >= 0 else -case.high
        return min(room, -math.inf if math.isnan(clear) else clear)
    return min(room, case.high, -case.low) if row.judged == "none" else room


def _fault(row: Row, case: Case) -> str:
    """What is wrong with a case; "" where nothing is."""
    if math.isnan(case.value):
        return "undefined in some run"
    if not row.low - _ROUNDING <= case.value <= row.high + _ROUNDING:
        return "outside the band"
    if row.judged == "sign" and not (case.low > 0 or case.high < 0):
        return "not detectable at this size: the interval includes 0"
    if row.judged == "none" and not case.low <= 0 <= case.high:
        return "there is an effect here: the interval excludes 0"
    return ""


_ROUNDING = 1e-9
