"""Finished days, the past that runs can share, and the recorder that keeps a run in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pyarrow as pa

from simulacra.errors import RecordError
from simulacra.events import TABLES
from simulacra.persona import Population
from simulacra.record.checkpoints import copy_state
from simulacra.record.tables import (
    BURN_IN_DAYS,
    DayBuffer,
    DayFacts,
    LabelSets,
    all_label_sets,
    facts_digest,
    population_facts,
    population_table,
    run_digest,
    table_facts,
)
from simulacra.seams import State

if TYPE_CHECKING:
    from simulacra.record.frames import Frames

_DAY_NAME = re.compile(r"(burn|day)-(\d{4,6})")


def day_name(day: int) -> str:
    """The folder of a day: day-0001 is the first measured one, burn-0001 and burn-0002 are days -1 and 0."""
    return f"day-{day:04d}" if day > 0 else f"burn-{day + BURN_IN_DAYS:04d}"


def day_number(name: str) -> int | None:
    """The inverse of `day_name`; None where the name is not a day's."""
    match = _DAY_NAME.fullmatch(name)
    if not match or (number := int(match[2])) < 1:
        return None
    day = number if match[1] == "day" else number - BURN_IN_DAYS
    return day if day_name(day) == name else None


class Day(NamedTuple):
    """A finished day: what is known of it, and its tables, those with rows only."""

    facts: DayFacts
    tables: dict[str, pa.Table]


class Past(Protocol):
    """Finished days that another run may start from: a RunFolder or a MemoryRecorder."""

    @property
    def label_sets(self) -> dict[str, tuple[str, ...]]: ...
    @property
    def days(self) -> list[int]: ...
    def day(self, day: int) -> Day: ...
    def state(self, day: int) -> State: ...


def own_label_sets(label_sets: LabelSets, past: Past | None) -> dict[str, tuple[str, ...]]:
    """The run's label sets; labels that only the past knows come after its own, so that no code changes."""
    own = all_label_sets(label_sets)
    for name, labels in (past.label_sets if past else {}).items():
        known = own.get(name, ())
        own[name] = known + tuple(label for label in labels if label not in known)
    return own


def shared_days(past: Past, through: int) -> list[int]:
    """The past's days up to and including that one. Raises RecordError where it has not got so far."""
    days = [day for day in past.days if day <= through]
    if not days or days[-1] != through:
        span = f"{past.days[0]} to {past.days[-1]}" if past.days else "none"
        raise RecordError(f"A past through day {through} was asked for; the run to share has these days: {span}.")
    return days


def check_next(day: int, days: list[int]) -> None:
    """Raises ValueError where that day does not follow on those: a bug of the caller. A run may begin on day -1, 0 or 1."""
    expected = [days[-1] + 1] if days else list(range(1 - BURN_IN_DAYS, 2))
    if day not in expected:
        raise ValueError(f"day {day} closed, {' or '.join(map(str, expected))} expected")


def measured_counts(days: Iterable[DayFacts]) -> dict[str, int]:
    """Rows of every table over the measured days."""
    counts = dict.fromkeys(TABLES, 0)
    for facts in days:
        for name, table in facts.tables.items() if facts.day > 0 else ():
            counts[name] += table.rows
    return counts


class MemoryRecorder:
    """Keeps a run in memory: the same tables, frames and digest as a folder. For replicates whose records are not kept."""

    def __init__(self, population: Population, label_sets: LabelSets, past: Past | None = None, through: int = 0) -> None:
        """label_sets: the run's own, at least `topics` and `policies`. past, through: start from another run's days up to and
        including that one; tables in memory are shared, not copied."""
        self.population = population
        self.label_sets = own_label_sets(label_sets, past)
        self._buffer = DayBuffer(self.label_sets)
        self._personas = facts_digest(population_facts(population_table(population)))
        self._days: list[Day] = [past.day(day) for day in shared_days(past, through)] if past else []
        self._states: dict[int, State] = {through: past.state(through)} if past else {}

    def add(self, table: str, **columns: Any) -> None:
        self._buffer.add(table, **columns)

    def close_day(self, day: int, state: State) -> None:
        check_next(day, self.days)
        tables = self._buffer.seal()
        facts = DayFacts(day, {name: table_facts(table) for name, table in tables.items()}, state="")
        self._days.append(Day(facts, tables))
        self._buffer.clear()
        self._states = {kept: old for kept, old in self._states.items() if kept == 0} | {day: copy_state(state)}

    def fork(self, label_sets: LabelSets | None = None, through: int | None = None) -> MemoryRecorder:
        """Another recorder with the same past, to the last day or `through`; neither sees what the other adds."""
        through = self.days[-1] if through is None else through
        return MemoryRecorder(self.population, label_sets or self.label_sets, past=self, through=through)

    @property
    def days(self) -> list[int]:
        return [day.facts.day for day in self._days]

    def day(self, day: int) -> Day:
        return self._days[self.days.index(day)]

    def state(self, day: int | None = None) -> State:
        """The state after a day (default the last). Only the newest and day 0 are kept."""
        day = self.days[-1] if day is None and self._days else day
        if day not in self._states:
            raise RecordError(f"No checkpoint of day {day} is kept in memory. Kept: {sorted(self._states)}.")
        return copy_state(self._states[day])

    @property
    def counts(self) -> dict[str, int]:
        """Rows of every table over the measured days."""
        return measured_counts(day.facts for day in self._days)

    @property
    def digest(self) -> str:
        """The same as that of a folder with equal content."""
        return run_digest(self._personas, [day.facts for day in self._days])

    def personas(self) -> pa.Table:
        return population_table(self.population)

    def parts(self, table: str, day: int) -> pa.Table | Path | None:
        """A day's table for reading; None where it has no rows."""
        return self.day(day).tables.get(table)

    def frames(self) -> Frames:
        from simulacra.record.frames import Frames

        return Frames(self)
