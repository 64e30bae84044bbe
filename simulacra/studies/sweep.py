"""How much of it? `simulacra sweep` plays one parameter at several values over paired seeds: a response curve with intervals.

Each seed's past is played once and forked into an arm for every value, so that arms share people and chances, as in a
comparison. Every value is compared with the one in force now (the community's own, or the default), seed by seed.

    sweeps/<id>/ sweep.json       what is swept
                 seed-0001.json   measures of a finished replicate, one arm a value; a killed sweep lacks whole replicates
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.contrast import MIN_SEEDS, contrast, effect_of
from simulacra.analysis.judge import NOBODY, Judged, acting_columns, judged_measures
from simulacra.analysis.measures import MEASURES, mechanical
from simulacra.analysis.verdict import Plan, judge
from simulacra.analysis.wording import sentence
from simulacra.behaviour import Behaviour
from simulacra.cluster import LOCAL, check_backend
from simulacra.community import Community, community_to_dict, load_community
from simulacra.designs import Arm, levers, make_arm
from simulacra.errors import RecordError, SpecError, Stopped
from simulacra.experiment import RUNS_DIR, RunSpec, ShouldStop
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import plain, to_json, versions
from simulacra.record.tables import hash_json
from simulacra.replicates import Task, judge_of, played
from simulacra.scoring.semantic import topic_affinity

STEPS: Final = 7
FEWEST, MOST = 2, 50
"""Values of a sweep."""
MOST_MEASURES = 5
_NOW = "now"
_VARY = re.compile(r"\s*([\w.]+)\s*=\s*([^=]+?)\s*\.\.\s*([^=]+?)\s*")

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Vary:
    """A parameter and the range through which it is turned."""

    key: str  # feed.NAME.PARAMETER, moderation.POLICY.PARAMETER or behaviour.PARAMETER
    low: float  # where it begins
    high: float  # where it ends; may lie below

    @classmethod
    def parse(cls, text: str) -> Vary:
        """From "feed.weighted.toxicity=-3..0". Raises SpecError for what is no range of numbers."""
        match = _VARY.fullmatch(text)
        try:
            low, high = (float(end) for end in match.groups()[1:]) if match else (math.nan, math.nan)
        except ValueError:
            low = high = math.nan
        if match is None or not (math.isfinite(low) and math.isfinite(high)) or low == high:
            raise SpecError(
                f"vary = {text[:60]!r}: expected KEY=FROM..TO with two different numbers, as in behaviour.contagion=0..0.3"
            )
        key = match[1]
        return cls(key if "." in key else f"behaviour.{key}", low, high)

    def values(self, steps: int, whole: bool) -> list[float]:
        """Evenly spaced values, ends included; whole numbers, each once, where the parameter is counted."""
        found = [float(f"{value:.6g}") for value in np.linspace(self.low, self.high, steps)]
        return list(dict.fromkeys(float(round(value)) for value in found)) if whole else found


@dataclass(frozen=True)
class SweepRow:
    """One measure at one value of the parameter: its level, and its paired difference from the value in force now."""

    value: float
    measure: str
    level: float
    level_low: float
    level_high: float
    difference: float
    low: float
    high: float
    effect: str  # against now, as in a comparison
    seeds: int
    scorer: str  # who judged

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN as None."""
        return dict(plain(self))


@dataclass(frozen=True)
class Sweep:
    """The answer of `sweep`."""

    path: Path
    community: str
    key: str
    now: float  # the value in force
    design: str  # the design in which it was turned, in words
    measures: tuple[str, ...]
    personas: int
    days: int
    seeds: int
    rows: tuple[SweepRow, ...]  # by measure, then value
    sentences: tuple[str, ...]  # one a measure: from the first value to the last

    def of(self, measure: str) -> list[SweepRow]:
        return [row for row in self.rows if row.measure == measure]

    @property
    def notes(self) -> list[str]:
        """What to keep in mind when reading the curve."""
        found = ["Intervals are 95 %, per value: of many values about one in twenty excludes 0 by chance."]
        if self.seeds < MIN_SEEDS:
            found.append(f"Fewer than {MIN_SEEDS} seeds make no claim.")
        return [*found, "Simulated members, not users; scorer levels are relative; nothing else was varied."]

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        told = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("rows", "path")}
        return {**told, "path": str(self.path), "notes": self.notes, "rows": [row.to_dict() for row in self.rows]}


def sweep(
    community: Community | str | Path, vary: Vary | str, steps: int = STEPS, personas: int = 300, days: int = 3, seeds: int = 8,
    jobs: int = 1, *, measures: Sequence[str] = ("toxicity_seen",), first_seed: int = 1,
    judge_by: str | None = None, backend: str = LOCAL, runs_dir: str | Path = RUNS_DIR,
    progress: Callable[[int, int], None] | None = None, should_stop: ShouldStop | None = None,
) -> Sweep:  # fmt: skip
    """Turn one parameter through a range and measure what each value does.

    vary: as `Vary.parse` reads it. steps: values, ends included. measures: one to five. The feed or policy whose parameter it is
    is put in force where the community's own design lacks it. judge_by, backend, jobs: as `judge`, `backend` and `jobs` of
    `compare`. progress: called with (replicates done, of). What an earlier call with the same question played is not played
    again; more seeds go on where it ended. Raises SpecError for what cannot be varied; Stopped once should_stop says so.
    """
    loaded = community if isinstance(community, Community) else load_community(community)
    vary = Vary.parse(vary) if isinstance(vary, str) else vary
    plan = _plan(measures)
    check_backend(backend)
    if not 1 <= seeds <= 1000 or not FEWEST <= steps <= MOST:
        raise SpecError(f"seeds = {seeds}, steps = {steps}: expected 1 to 1,000 seeds and {FEWEST} to {MOST} steps.")
    base, (now, whole) = _base(loaded, vary)
    values = vary.values(steps, whole)
    arms = {_NOW: make_arm(loaded, [*base, f"{vary.key}={_told(now)}"])}
    arms |= {_told(value): make_arm(loaded, [*base, f"{vary.key}={_told(value)}"]) for value in values}
    asked = [name for name in plan.family if name in judged_measures(acting_columns(arms.values()))]
    by = judge_of(list(arms.values()), plan, judge_by) if asked else ""
    specs = {name: RunSpec(loaded, arm, personas, days, first_seed) for name, arm in arms.items()}
    folder = _begun(loaded, vary, specs, by, Path(runs_dir).parent / "sweeps")
    wanted = range(first_seed, first_seed + seeds)
    _play(folder, specs, wanted, by, jobs, backend, progress, should_stop)
    found = {seed: _read(folder, seed) for seed in wanted}
    told = _Read(plan, arms, found, Judged(frozenset(asked), by or NOBODY))
    rows = [told.row(name, value) for name in plan.family for value in values]
    sentences = tuple(told.sentence(name, values[0], values[-1]) for name in plan.family)
    design = make_arm(loaded, base).describe()
    return Sweep(
        folder, loaded.slug, vary.key, now, design, plan.family, personas, days, seeds, tuple(rows), sentences
    )  # fmt: skip


def _plan(measures: Sequence[str]) -> Plan:
    if not 1 <= len(measures) <= MOST_MEASURES:
        raise SpecError(f"{len(measures)} measures: expected one to {MOST_MEASURES}.")
    return Plan(measures[0], None, tuple(measures[1:]))


# -- what is varied --------------------------------------------------------------------------------------------------------


def _base(community: Community, vary: Vary) -> tuple[list[str], tuple[float, bool]]:
    """Settings of all arms, and the parameter's value now and whether it is counted in whole numbers."""
    arm, (head, _, rest) = make_arm(community), vary.key.partition(".")
    lever, _, parameter = rest.rpartition(".")
    given: list[str] = []
    if head == "feed" and (lever or arm.feed_name) != arm.feed_name:
        given = [f"feed={lever}"]
    if head == "moderation" and lever not in arm.moderation:
        given = [f"moderation={'+'.join([*arm.moderation, lever])}"]
    return given, _in_force(make_arm(community, given), head, parameter, vary.key)


def _in_force(arm: Arm, head: str, parameter: str, key: str) -> tuple[float, bool]:
    parts: dict[str, Callable[[], list[Any]]] = {
        "behaviour": lambda: [arm.build_behaviour()],
        "feed": lambda: [arm.build_feed()],
        "moderation": lambda: [p for p in arm.build_policies() if getattr(p, "name", "") == key.split(".")[1]],
    }
    owner = next(iter(parts[head]()), None) if head in parts else None
    value = getattr(owner, parameter, None) if owner is not None else None
    if owner is None or isinstance(value, bool) or not isinstance(value, int | float):
        what = "is no number" if value is not None and not callable(value) else "is not a parameter"
        raise SpecError(
            f"{key} {what} that could be varied. Expected feed.NAME.PARAMETER, moderation.POLICY.PARAMETER or behaviour.PARAMETER; "
            "see `simulacra parameters`."
        )
    known = {} if isinstance(owner, Behaviour) else {f.name: f for f in fields(owner)}
    return float(value), bool(known[parameter].metadata.get("whole", False)) if parameter in known else False


def _told(value: float) -> str:
    return f"{value:.10g}"


# -- playing ---------------------------------------------------------------------------------------------------------------


def _begun(community: Community, vary: Vary, specs: Mapping[str, RunSpec], by: str, place: Path) -> Path:
    """The sweep's folder: by a hash of what is swept, seeds apart, so that the same question finds its results."""
    some = specs[_NOW]
    cause = plain({
        "community": community_to_dict(community), "voices": hash_json(plain(community.voices)), "key": vary.key,
        "arms": {name: spec.arm.design() for name, spec in specs.items()}, "personas": some.personas, "days": some.days,
        "judge": by, "versions": versions(),
    })  # fmt: skip
    path = place / f"{community.slug}-{hash_json(cause)[:8]}"
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        replace_file(path / "sweep.json", to_json(cause))
    return path


def _play(
    folder: Path, specs: Mapping[str, RunSpec], seeds: Sequence[int], by: str, jobs: int, backend: str,
    progress: Callable[[int, int], None] | None, should_stop: ShouldStop | None,
) -> None:  # fmt: skip
    acting = acting_columns(spec.arm for spec in specs.values())
    near = topic_affinity(specs[_NOW].community)
    tasks = [
        Task({name: replace(spec, seed=seed) for name, spec in specs.items()}, near, _file(folder, seed), folder, {}, os.getpid(),
             judge=by, acting=acting)
        for seed in seeds if not _file(folder, seed).exists()
    ]  # fmt: skip
    done = len(seeds) - len(tasks)
    if not tasks:
        return
    try:
        for _ in played(tasks, jobs, should_stop, backend):
            done += 1
            if progress is not None:
                progress(done, len(seeds))
    except Stopped:
        raise Stopped(f"Stopped with {done} of {len(seeds)} replicates done. Go on with the same command.") from None


def _file(folder: Path, seed: int) -> Path:
    return folder / f"seed-{seed:04d}.json"


def _read(folder: Path, seed: int) -> dict[str, dict[str, float]]:
    """arm -> measure -> value of a finished replicate."""
    file = _file(folder, seed)
    try:
        with disk_errors(file):
            arms = json.loads(file.read_bytes())["arms"]
        return {arm: {k: math.nan if v is None else v for k, v in found["measures"].items()} for arm, found in arms.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{file}: damaged ({error}). Remove it to play it again.") from error


# -- reading ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """Results of a sweep, read."""

    plan: Plan
    arms: Mapping[str, Arm]
    found: Mapping[int, Mapping[str, Mapping[str, float]]]
    judged: Judged

    def values(self, measure: str, arm: str) -> F64:
        """[seeds]; NaN where an arm acts by the score and nobody else has read it."""
        if self.judged.of(measure) == NOBODY:
            return np.full(len(self.found), math.nan)
        return np.array([self.found[seed][arm][measure] for seed in sorted(self.found)], float)

    def row(self, measure: str, value: float) -> SweepRow:
        there, now = self.values(measure, _told(value)), self.values(measure, _NOW)
        level, c = contrast(np.zeros(len(there)), there), contrast(now, there)
        effect = effect_of(c, self.plan.margin_of(measure, c.level))
        return SweepRow(
            value, measure, level.mean, *level.interval(), c.mean, *c.interval(), effect, c.seeds, self.judged.of(measure)
        )  # fmt: skip

    def sentence(self, measure: str, low: float, high: float) -> str:
        """What turning it from one end to the other does, as a comparison of the two ends would say it."""
        ends = self.arms[_told(low)], self.arms[_told(high)]
        c = contrast(self.values(measure, _told(low)), self.values(measure, _told(high)))
        by_design = measure in mechanical(levers(*ends))
        verdict = judge({measure: c}, Plan(measure))[measure]
        return f"From {low:g} to {high:g}: {sentence(verdict, c, by_design)}"


def title_of(measure: str) -> str:
    """A measure in words, with its unit."""
    known = MEASURES[measure]
    return f"{known.title} ({known.unit})"
