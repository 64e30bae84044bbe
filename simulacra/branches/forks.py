"""Forking a run: the same past byte for byte, another design from a day on, and how the two runs part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from simulacra.analysis.comparison import figure
from simulacra.analysis.later import Later
from simulacra.analysis.measures import MEASURES, measure
from simulacra.designs import Arm, BehaviourSettings, Settings, differences, make_arm
from simulacra.errors import SpecError
from simulacra.experiment import (
    RUNS_DIR,
    Beginning,
    OnProgress,
    Run,
    RunSpec,
    ShouldStop,
    affinity_from_dict,
    label_sets,
    one_blas_thread,
    open_run,
    play_into,
    refuse_existing,
    set_stage,
)
from simulacra.record.recording import day_name
from simulacra.record.runfiles import checked_run_id
from simulacra.record.runs import RunFolder
from simulacra.sessions import open_session

if TYPE_CHECKING:
    from simulacra.text import Budget

_SETUP = ("first_ties", "homophily", "newcomers")
_LOOKED_AT = ("posts", "visits", "impressions", "reactions", "rulings")
"""Tables in which two runs are searched for the hour in which they part."""


def fork(
    run: Run | str | Path,
    day: int,
    settings: Settings = None,
    days: int | None = None,
    *,
    feed: str | None = None,
    moderation: str | Sequence[str] | None = None,
    behaviour: BehaviourSettings = None,
    runs_dir: str | Path = RUNS_DIR,
    run_id: str | None = None,
    progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
    budget: Budget | None = None,
) -> Run:
    """A new run with the past of another one through `day`, and other settings from the next day on.

    run: a run, its id in runs_dir or its path; it must have finished that day. day: last shared day, 0 (the burn-in alone) to
    one before the end. settings, feed, moderation, behaviour: on top of the run's own design, as `designs.make_arm` reads them;
    none at all gives the same run again. days: where the fork ends, at most where the run was to end (newcomers are known no
    further). budget: caps of a language mind, for the fork alone. run_id: by default community, seed and a hash that equal forks
    share. The past's files are hard-linked or copied, so the new folder is complete. Raises SpecError or RecordError before
    anything is written; Stopped once should_stop says so.
    """
    started = perf_counter()
    source = run if isinstance(run, Run) else open_run(run, runs_dir)
    spec = forked_spec(source, day, settings, days, feed=feed, moderation=moderation, behaviour=behaviour)
    place = Path(runs_dir)
    name = checked_run_id(run_id) if run_id is not None else spec.default_id()
    refuse_existing(place / name)
    near = affinity_from_dict(source.folder.info["cause"]["similarity"])
    past = source.folder
    with one_blas_thread():
        session = open_session(spec.language, place, budget)
        stage = set_stage(spec, near, past.population, session)
        state = past.state(day)
        folder = RunFolder.create(
            place, name, spec.cause(near), stage.population, label_sets(spec), past=past, through=day, keep=past.info["keep"]
        )
        play_into(folder, spec.days, Beginning(spec, stage, day, state), progress, should_stop, session)
    return Run(folder, perf_counter() - started)


def forked_spec(
    source: Run,
    day: int,
    settings: Settings = None,
    days: int | None = None,
    *,
    feed: str | None = None,
    moderation: str | Sequence[str] | None = None,
    behaviour: BehaviourSettings = None,
) -> RunSpec:
    """The specification of a fork: its cause tells the design before the change as well, so that it could be played from nothing.

    Raises SpecError for a day that the run has not finished, an end beyond the run's, or a setting that acts before day 1.
    """
    old = source.spec
    _check_day(source, day)
    end = old.days if days is None else days
    if not isinstance(end, int) or isinstance(end, bool) or not day < end <= old.days:
        raise SpecError(f"days = {end!r}: expected a whole number from {day + 1} to {old.days}, where {source.id} was to end.")
    before = old.arm_on(max(day, 1))
    arm = make_arm(
        before.applied_to(old.community), settings, before.name, feed=feed, moderation=moderation, behaviour=behaviour
    )
    if idle := [name for name in _SETUP if before.behaviour.get(name) != arm.behaviour.get(name)]:
        raise SpecError(f"behaviour.{idle[0]} acts before the first day, so a fork cannot change it. Play a new run with it.")
    if day == 0 or before.design() == arm.design():
        return replace(old, arm=arm, days=end, earlier=tuple(change for change in old.earlier if change[0] < day))
    earlier = (*(change for change in old.earlier if change[0] < day), (day, before))
    return replace(old, arm=arm, days=end, earlier=earlier)


def _check_day(source: Run, day: int) -> None:
    last = min(source.days, source.spec.days - 1)
    if not isinstance(day, int) or isinstance(day, bool) or not 0 <= day <= last:
        have = f"{source.id} has finished {source.days} of {source.spec.days} days" if source.days else f"{source.id} has none"
        raise SpecError(f"day = {day!r}: expected the last day to share, from 0 (burn-in alone) to {last}; {have}.")


# -- how two runs part -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parting:
    """Two runs of one past: how long it lasts, when they part, and their measures since then, side by side."""

    a: Run
    b: Run
    shared: tuple[int, ...]  # days that are equal, digest for digest; burn-in days are -1 and 0
    step: int | None  # first hour in which the records differ; None: they do not
    changes: list[str]  # what differs between the designs after the shared days
    until: int  # last day that both have
    rows: list[tuple[str, float, float]]  # measure, value in a, value in b, over the days after the shared ones; [] where none

    @property
    def through(self) -> int | None:
        """Last shared day; None where they share nothing."""
        return self.shared[-1] if self.shared else None

    @property
    def sentences(self) -> list[str]:
        """What to know before reading the rows, in plain words."""
        if self.through is None:
            return [f"{self.a.id} and {self.b.id} share no past: compare designs over seeds with `simulacra compare`."]
        told = [f"{self.a.id} and {self.b.id} share their past through {_day_words(self.through)}, digest for digest."]
        if self.step is None:
            return [*told, f"They do not differ up to day {self.until}."]
        changed = f" after that: {'; '.join(self.changes)}" if self.changes else ": nothing in their designs"
        told += [f"What differs{changed}.", f"Their records part on {_hour_words(self.step)}."]
        return [*told, "One past and one seed make no claim: `simulacra compare` with several seeds tells chance from effect."]

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        rows = [{"measure": name, "unit": MEASURES[name].unit, "a": _finite(a), "b": _finite(b)} for name, a, b in self.rows]
        return {
            "a": self.a.id, "b": self.b.id, "shared_through": self.through, "parts_at_step": self.step, "changes": self.changes,
            "until": self.until, "rows": rows, "sentences": self.sentences,
        }  # fmt: skip


def parting(a: Run, b: Run) -> Parting:
    """How two runs part. Their measures are taken over the days that both have after the shared ones."""
    digests = [{day["day"]: day["digest"] for day in run.folder.info["days"]} for run in (a, b)]
    same_people = a.folder.info["personas"]["digest"] == b.folder.info["personas"]["digest"]
    both = sorted(digests[0].keys() & digests[1].keys()) if same_people else []
    shared: list[int] = []
    for day in both:
        if digests[0][day] != digests[1][day]:
            break
        shared.append(day)
    apart = len(shared) < len(both)
    until = both[-1] if both else 0
    first = max(shared[-1] + 1 if shared else 1, 1)
    step = _first_difference(a, b, first) if apart and shared else None
    rows = _rows(a, b, first, until) if apart and shared else []
    return Parting(a, b, tuple(shared), step, differences(*_arms_after(a, b, first)), until, rows)


def _arms_after(a: Run, b: Run, day: int) -> tuple[Arm, Arm]:
    return a.spec.arm_on(day), b.spec.arm_on(day)


def _rows(a: Run, b: Run, first: int, until: int) -> list[tuple[str, float, float]]:
    start = 24 * (first - 1)
    values = [measure(Later(_Until(run, until), start)) for run in (a, b)]
    return [(name, values[0][name], values[1][name]) for name in MEASURES]


class _Until:
    """A run's tables up to a day, so that runs of unequal length are measured over the same days."""

    def __init__(self, run: Run, last: int) -> None:
        self._frames, self._last = run.frames, last

    def arrow(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> Any:
        import pyarrow.compute as pc

        if name == "personas":
            return self._frames.arrow(name, burn_in, columns)
        asked = list(columns) if columns is not None else None
        table = self._frames.arrow(name, burn_in, None if asked is None else [*dict.fromkeys([*asked, "step"])])
        kept = table.filter(pc.less(table["step"], 24 * self._last))
        return kept if asked is None else kept.select(asked)


def _first_difference(a: Run, b: Run, day: int) -> int | None:
    """The first hour of that day in which any table differs."""
    found = [step for name in _LOOKED_AT if (step := _parts_at(a, b, name, day)) is not None]
    return min(found, default=None)


def _parts_at(a: Run, b: Run, table: str, day: int) -> int | None:
    rows = [_rows_of(run, table, day) for run in (a, b)]
    for left, right in zip(*rows, strict=False):
        if left != right:
            return int(min(left["step"], right["step"]))
    longer = max(rows, key=len)
    shorter = min(rows, key=len)
    return int(longer[len(shorter)]["step"]) if len(longer) > len(shorter) else None


def _rows_of(run: Run, table: str, day: int) -> list[dict[str, Any]]:
    part = run.folder.parts(table, day)
    if part is None:
        return []
    found: list[dict[str, Any]] = run.folder.day(day).tables[table].to_pylist()
    return found


def _day_words(day: int) -> str:
    return f"day {day}" if day > 0 else f"the burn-in ({day_name(day)})"


def _hour_words(step: int) -> str:
    return f"day {step // 24 + 1} at {step % 24:02d}:00"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def parting_cells(parting: Parting) -> list[tuple[str, str, str, str]]:
    """The rows for a table: title, both values, their difference. Measures with nothing to count are left out."""
    told = [row for row in parting.rows if any(value != 0 and not math.isnan(value) for value in row[1:])]
    return [(MEASURES[name].title, figure(a), figure(b), _signed(b - a)) for name, a, b in told]


def _signed(value: float) -> str:
    return f"+{figure(value)}" if value > 0 else figure(value)
