"""A run is a folder that anyone can open: what caused it, who lived in it, what happened on each day, and where it can go on.

    runs/<run-id>/ run.json           cause, versions, labels, status, counts, digest
                   personas.parquet
                   burn-0001/ burn-0002/ day-0001/ ...   one Parquet file a table, day.json, checkpoint/state.npz
                   review.jsonl       a reviewer's notes (simulacra.review)
                   scores/            later scorers
                   lock               held by the living writer

A day is written under a temporary name, synced and renamed, so it is there whole or not at all, and it never changes again. The
days on disk are the truth; run.json only sums them up and may lag by one day after a crash. `docs/format.md` has the columns.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulacra.checkpoints import copy_state, load_state, save_state, state_digest
from simulacra.durable import (
    TEMPORARY,
    WriterLock,
    disk_errors,
    is_held,
    promote_folder,
    replace_file,
    write_file,
)
from simulacra.errors import RecordError
from simulacra.events import TABLES
from simulacra.persona import Population
from simulacra.seams import State
from simulacra.tables import (
    BURN_IN_DAYS,
    DayBuffer,
    DayFacts,
    LabelSets,
    TableFacts,
    all_label_sets,
    hash_json,
    label_set,
    population_from,
    population_table,
    run_digest,
    table_facts,
)

if TYPE_CHECKING:
    from simulacra.frames import Frames

FORMAT = 1
"""Version of the folder's format. Another one is refused."""

RUN_FILE, PERSONAS_FILE, DAY_FILE, CHECKPOINT_FILE = "run.json", "personas.parquet", "day.json", "checkpoint/state.npz"
LOCK_FILE = "lock"

Status = Literal["running", "interrupted", "finished", "stopped", "failed"]
"""`running` while a living writer holds the lock; `interrupted` where it died; the others as it was told to `finish`."""

Keep = Literal["all", "last", "auto"]
"""Which checkpoints stay: all; the newest and day 0, where arms fork; or all as long as they are small."""

SMALL_CHECKPOINT = 16 * 2**20  # bytes; what `auto` keeps of every day
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
_DAY_NAME = re.compile(r"(burn|day)-(\d{4,6})")
_PACKAGES = ("simulacra", "numpy", "pyarrow", "vaderSentiment", "alt-profanity-check", "scikit-learn", "sentence-transformers")


# -- names -----------------------------------------------------------------------------------------------------------------


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


def run_id(community: str, seed: int, cause: Mapping[str, Any]) -> str:
    """A readable id that equal causes share: community, seed and a short hash of the whole cause."""
    slug = re.sub(r"[^a-z0-9]+", "-", community.lower())[:40].strip("-") or "run"
    return f"{slug}-{int(seed)}-{hash_json(plain(cause))[:8]}"


def checked_run_id(text: str) -> str:
    """The text, where it can be a folder's name on any system. Raises RecordError otherwise."""
    if not _ID.fullmatch(text) or _RESERVED.fullmatch(text):
        raise RecordError(
            f"Run name {text[:60]!r} cannot be a folder's name. Use up to 100 letters, digits, '-', '_' or '.', "
            "starting and ending with a letter or digit."
        )
    return text


def plain(value: Any) -> Any:
    """The value as JSON can hold it: dataclasses and mappings as objects, sequences and arrays as lists, NaN as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case np.generic() | np.ndarray():
            return plain(value.tolist())
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
        case Path():
            return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} cannot stand in a run's cause or measures")


# -- a past that runs can share --------------------------------------------------------------------------------------------


class Day(NamedTuple):
    """A finished day: its tables, those with rows only, and what is known of them."""

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


def _own_label_sets(label_sets: LabelSets, past: Past | None) -> dict[str, tuple[str, ...]]:
    """The run's label sets; labels that only the past knows come after its own, so that no code changes."""
    own = all_label_sets(label_sets)
    for name, labels in (past.label_sets if past else {}).items():
        known = own.get(name, ())
        own[name] = known + tuple(label for label in labels if label not in known)
    return own


def _shared_days(past: Past, through: int) -> list[int]:
    days = [day for day in past.days if day <= through]
    if not days or days[-1] != through:
        raise RecordError(f"The past holds days {_span(past.days)}; it cannot be shared through day {through}.")
    return days


def _span(days: list[int]) -> str:
    return f"{days[0]} to {days[-1]}" if days else "(none)"


def _check_next(day: int, days: list[int]) -> None:
    expected = [days[-1] + 1] if days else list(range(1 - BURN_IN_DAYS, 2))
    if day not in expected:
        raise ValueError(f"day {day} closed, {' or '.join(map(str, expected))} expected")


# -- in memory -------------------------------------------------------------------------------------------------------------


class MemoryRecorder:
    """Keeps a run in memory: the same tables, frames and digest as a folder. For replicates whose records are not kept."""

    def __init__(
        self, population: Population, label_sets: LabelSets, past: Past | None = None, through: int = 0
    ) -> None:
        """past, through: start from another run's days up to and including that one, without copying its tables."""
        self.population = population
        self.label_sets = _own_label_sets(label_sets, past)
        self._buffer = DayBuffer(self.label_sets)
        self._personas = hash_json(dataclasses.asdict(table_facts(population_table(population))))
        self._days: list[Day] = [past.day(day) for day in _shared_days(past, through)] if past else []
        self._states: dict[int, State] = {through: past.state(through)} if past else {}

    def add(self, table: str, **columns: Any) -> None:
        self._buffer.add(table, **columns)

    def close_day(self, day: int, state: State) -> None:
        _check_next(day, self.days)
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
        return _counts(day.facts for day in self._days)

    @property
    def digest(self) -> str:
        return run_digest(self._personas, [day.facts for day in self._days])

    def personas(self) -> pa.Table:
        return population_table(self.population)

    def parts(self, table: str, day: int) -> pa.Table | Path | None:
        """A day's table for reading; None where it has no rows."""
        return self.day(day).tables.get(table)

    def frames(self) -> Frames:
        from simulacra.frames import Frames

        return Frames(self)


def _counts(days: Iterable[DayFacts]) -> dict[str, int]:
    """Rows of every table over the measured days."""
    counts = dict.fromkeys(TABLES, 0)
    for facts in days:
        for name, table in facts.tables.items() if facts.day > 0 else ():
            counts[name] += table.rows
    return counts


# -- on disk ---------------------------------------------------------------------------------------------------------------


class Resumed(NamedTuple):
    """Where a run goes on: after `last_day`, from `state`. Without a finished day: None and an empty state."""

    folder: RunFolder
    last_day: int | None
    state: State


class RunFolder:
    """A run's folder. Reading needs no lock and works while the run is written; writing needs the lock (`create`, `resume`).

    Used as a context manager it releases the lock at the end; a run that was not told to `finish` then shows as interrupted.
    """

    def __init__(self, path: Path, lock: WriterLock | None = None) -> None:
        self.path = path
        self._lock = lock
        _ = self.info  # refuses what is not a run of this format

    # making and finding

    @classmethod
    def create(
        cls,
        runs_dir: Path | str,
        run_id: str | None,
        cause: Mapping[str, Any],
        population: Population,
        label_sets: LabelSets,
        *,
        past: Past | None = None,
        through: int = 0,
        keep: Keep = "auto",
    ) -> RunFolder:
        """A new run, locked for this process, with status "running".

        run_id: the folder's name; None makes one from the cause's community, seed and hash. cause: all that determines the run
        (plain data or dataclasses). label_sets: the run's own, at least `topics` and `policies`. past, through: start from the
        days of another run up to that one; files are hard-linked where the file system can. keep: which checkpoints stay.
        Raises RecordError where the name cannot be used, the run exists or the disk refuses; nothing is left behind then.
        """
        caused = plain(cause)
        name = checked_run_id(run_id if run_id is not None else _id_of(caused))
        path = Path(runs_dir) / name
        temporary = path.with_name(f"{TEMPORARY}{name}-{os.getpid()}")
        with disk_errors(path):
            _refuse_existing(path)
            try:
                temporary.mkdir(parents=True)
                _write_beginning(temporary, name, caused, population, _own_label_sets(label_sets, past), keep)
                if past:
                    _link_past(temporary, past, through)
                promote_folder(temporary, path)
            except OSError:
                _refuse_existing(path)
                raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            folder = cls(path, WriterLock.acquire(path / LOCK_FILE))
        folder._sum_up()
        return folder

    @classmethod
    def open(cls, run: Path | str, runs_dir: Path | str = "runs") -> RunFolder:
        """The run with this id in runs_dir, or at this path. Raises RecordError where there is none that can be read."""
        for path in (Path(runs_dir) / run, Path(run)):
            with disk_errors(path):
                if (path / RUN_FILE).is_file():
                    return cls(path)
        known = sorted(path.name for path in run_paths(Path(runs_dir)))
        listed = f"Known there: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}." if known else "There are none yet."
        raise RecordError(f"No run {str(run)[:80]!r} in {runs_dir}, and no run folder at that path. {listed}")

    def resume(self) -> Resumed:
        """Take the lock, remove what a dead writer left unfinished, and return the last finished day with its state.

        Raises RecordError where another process writes the run, the run is finished, or the last checkpoint is damaged.
        """
        with disk_errors(self.path):
            self._lock = WriterLock.acquire(self.path / LOCK_FILE)
        try:
            return self._resumed()
        except RecordError:
            self.release()
            raise

    def _resumed(self) -> Resumed:
        if self.info["status"] == "finished":
            raise RecordError(f"{self.path}: the run is finished; there is nothing to resume.")
        with disk_errors(self.path):
            for left in self.path.glob(TEMPORARY + "*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        days = self.days
        state = self.state(days[-1]) if days else {}
        self._write_info(status="running", ended=None, message=None, **self._sums())
        return Resumed(self, days[-1] if days else None, state)

    # writing

    def recorder(self) -> FolderRecorder:
        """What the simulation writes to; the lock must be held."""
        self._must_write()
        return FolderRecorder(self)

    def finish(
        self,
        status: Literal["finished", "stopped", "failed"],
        measures: Mapping[str, Any] | None = None,
        message: str | None = None,
    ) -> None:
        """Say how the run ended, with its measures or the reason, and release the lock."""
        self._must_write()
        changes = {"status": status, "ended": _now(), "message": message, **self._sums()}
        if measures is not None:
            changes["measures"] = plain(measures)
        self._write_info(**changes)
        self.release()

    def release(self) -> None:
        """Give the lock up; finished days stay, and the run can be resumed."""
        if self._lock:
            self._lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _must_write(self) -> None:
        if not (self._lock and self._lock.is_mine):
            raise RecordError(f"{self.path}: opened for reading. Resume the run to write to it.")

    def _sum_up(self, facts: list[DayFacts] | None = None) -> None:
        self._write_info(**self._sums(facts))

    def _write_info(self, **changes: Any) -> None:
        with disk_errors(self.path):
            replace_file(self.path / RUN_FILE, _json({**self.info, **changes, "updated": _now()}))

    def _sums(self, facts: list[DayFacts] | None = None) -> dict[str, Any]:
        """What run.json says of the days on disk."""
        facts = [self.facts(day) for day in self.days] if facts is None else facts
        return {
            "days": [{"day": day.day, "digest": day.digest} for day in facts],
            "counts": _counts(facts),
            "digest": run_digest(self.info["personas"]["digest"], facts),
        }

    def _write_day(self, facts: DayFacts, tables: Mapping[str, pa.Table], state: State) -> None:
        name = day_name(facts.day)
        temporary = self.path / (TEMPORARY + name)
        with disk_errors(self.path / name):
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                _write_day(temporary, facts, tables, state)
                promote_folder(temporary, self.path / name)
            except OSError:
                shutil.rmtree(temporary, ignore_errors=True)
                raise

    def _drop_checkpoints(self, newest: int) -> None:
        """Remove the checkpoints that the run was not told to keep: never the newest, nor day 0, where arms fork."""
        keep = self.info["keep"]
        with disk_errors(self.path):
            for day in self.days:
                file = self.path / day_name(day) / CHECKPOINT_FILE
                if day in (0, newest) or not file.exists():
                    continue
                if keep == "last" or (keep == "auto" and file.stat().st_size > SMALL_CHECKPOINT):
                    file.unlink()

    # reading

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def info(self) -> dict[str, Any]:
        """run.json as it now stands. Raises RecordError where it is damaged or of another format version."""
        file = self.path / RUN_FILE
        with disk_errors(file):
            content = file.read_bytes()
        return checked_info(file, content)

    @property
    def status(self) -> Status:
        status: Status = self.info["status"]
        if status != "running" or (self._lock and self._lock.is_mine):
            return status
        with disk_errors(self.path):
            held = is_held(self.path / LOCK_FILE)
        # Looked at again after the lock: the writer may have finished in between.
        return "running" if held else "interrupted" if self.info["status"] == "running" else self.info["status"]

    @property
    def label_sets(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(labels) for name, labels in self.info["labels"].items()}

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.info["counts"]
        return counts

    @property
    def digest(self) -> str:
        return str(self.info["digest"])

    @property
    def days(self) -> list[int]:
        """The finished days on disk, in order; burn-in days are -1 and 0."""
        with disk_errors(self.path):
            days = (day_number(path.name) for path in self.path.iterdir() if path.is_dir())
            return sorted(day for day in days if day is not None)

    def facts(self, day: int) -> DayFacts:
        """What day.json says. Raises RecordError where it is missing or damaged."""
        file = self.path / day_name(day) / DAY_FILE
        with disk_errors(file):
            return day_facts(file, file.read_bytes())

    def day(self, day: int) -> Day:
        facts = self.facts(day)
        return Day(facts, {name: read_parquet(self.path / day_name(day) / f"{name}.parquet") for name in facts.tables})

    def state(self, day: int | None = None) -> State:
        """The state after a day (default the last). Raises RecordError where its checkpoint is not kept, or is damaged."""
        day = self.days[-1] if day is None and self.days else day
        kept = [kept for kept in self.days if (self.path / day_name(kept) / CHECKPOINT_FILE).exists()]
        if day is None or day not in kept:
            raise RecordError(f"{self.path}: no checkpoint of day {day} is kept. Kept: {', '.join(map(str, kept)) or 'none'}.")
        file = self.path / day_name(day) / CHECKPOINT_FILE
        with disk_errors(file), open(file, "rb") as content:
            try:
                state = load_state(content)
            except ValueError as error:
                raise RecordError(f"{file}: {error}. Restore the file from a copy, or start the run anew.") from error
        if state_digest(state) != self.facts(day).state:
            raise RecordError(f"{file}: differs from its digest. Restore the file from a copy, or start the run anew.")
        return state

    def personas(self) -> pa.Table:
        return read_parquet(self.path / PERSONAS_FILE)

    @property
    def population(self) -> Population:
        """The personas as the simulation holds them, bit for bit."""
        return population_from(self.personas())

    def parts(self, table: str, day: int) -> pa.Table | Path | None:
        """A day's table for reading: the path of its file; None where it has no rows."""
        path = self.path / day_name(day) / f"{table}.parquet"
        return path if path.exists() else None

    def frames(self) -> Frames:
        from simulacra.frames import Frames

        return Frames(self)


class FolderRecorder:
    """Writes a run's events to its folder, a day at a time. Made by `RunFolder.recorder`."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._buffer = DayBuffer(folder.label_sets)
        self._facts = [folder.facts(day) for day in folder.days]

    def add(self, table: str, **columns: Any) -> None:
        self._buffer.add(table, **columns)

    def close_day(self, day: int, state: State) -> None:
        """Make the day durable: on return it is on the disk. Raises RecordError where the disk refuses; nothing of the day is
        kept on disk then, its rows are still held, and it can be closed again."""
        self.folder._must_write()
        _check_next(day, [facts.day for facts in self._facts])
        tables = self._buffer.seal()
        facts = DayFacts(day, {name: table_facts(table) for name, table in tables.items()}, state_digest(state))
        self.folder._write_day(facts, tables, state)
        self._buffer.clear()
        self._facts.append(facts)
        self.folder._sum_up(self._facts)
        self.folder._drop_checkpoints(newest=day)


# -- files -----------------------------------------------------------------------------------------------------------------


def checked_info(file: Path, content: bytes) -> dict[str, Any]:
    """run.json parsed. Raises RecordError where it is damaged or of another format version."""
    try:
        info = json.loads(content)
    except ValueError as error:
        raise RecordError(f"{file}: no JSON ({error}). Restore the file from a copy.") from error
    if not isinstance(info, dict) or "format" not in info:
        raise RecordError(f"{file}: not a run's description: 'format' is missing. Restore the file from a copy.")
    if info["format"] != FORMAT:
        version = str(_dict(info.get("versions")).get("simulacra", "unknown"))[:20]
        raise RecordError(
            f"{file}: format version {str(info['format'])[:20]!r}, this program reads {FORMAT}. "
            f"Open it with the version that wrote it ({version!r})."
        )
    expected = {"status": str, "cause": dict, "labels": dict, "personas": dict, "days": list, "counts": dict, "digest": str}
    for key, kind in expected.items():
        if not isinstance(info.get(key), kind):
            raise RecordError(f"{file}: {key!r} should be a {kind.__name__}. Restore the file from a copy.")
    return info


def day_facts(file: Path, content: bytes) -> DayFacts:
    """day.json parsed. Raises RecordError where it is damaged."""
    try:
        raw = json.loads(content)
        tables = {name: TableFacts(int(table["rows"]), dict(table["columns"])) for name, table in raw["tables"].items()}
        return DayFacts(int(raw["day"]), tables, str(raw["state"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{file}: damaged. Restore the file from a copy.") from error


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The file's rows. Raises RecordError in one line where it is missing, truncated or no Parquet."""
    try:
        with disk_errors(path), open(path, "rb") as file:
            return pq.read_table(file, columns=columns)
    except pa.ArrowException as error:
        raise damaged(path, error) from error


def damaged(path: Path | str, error: Exception) -> RecordError:
    """One line for a file that the Parquet reader refuses."""
    reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return RecordError(f"{path}: damaged or truncated ({reason}). Restore it from a copy; other days are not affected.")


def _write_beginning(
    folder: Path, name: str, cause: Any, population: Population, label_sets: dict[str, tuple[str, ...]], keep: Keep
) -> None:
    personas = population_table(population)
    write_file(folder / PERSONAS_FILE, lambda file: pq.write_table(personas, file, compression="zstd"))
    info = {
        "format": FORMAT,
        "run": name,
        "status": "running",
        "started": _now(),
        "updated": _now(),
        "ended": None,
        "message": None,
        "keep": keep,
        "cause": cause,
        "cause_digest": hash_json(cause),
        "versions": _versions(),
        "labels": label_sets,
        "personas": {"rows": len(population), "digest": hash_json(dataclasses.asdict(table_facts(personas)))},
        "days": [],
        "counts": {},
        "digest": "",
        "measures": None,
    }
    write_file(folder / RUN_FILE, lambda file: file.write(_json(info)))


def _write_day(folder: Path, facts: DayFacts, tables: Mapping[str, pa.Table], state: State) -> None:
    (folder / CHECKPOINT_FILE).parent.mkdir(parents=True)
    for name, table in tables.items():
        write_file(folder / f"{name}.parquet", lambda file, name=name, table=table: write_parquet(file, name, table))  # type: ignore[misc]
    write_file(folder / CHECKPOINT_FILE, lambda file: save_state(file, state))
    content = {"day": facts.day, "digest": facts.digest, "state": facts.state}
    tables_json = {name: dataclasses.asdict(table) for name, table in facts.tables.items()}
    write_file(folder / DAY_FILE, lambda file: file.write(_json({**content, "tables": tables_json})))


def write_parquet(file: Any, name: str, table: pa.Table) -> None:
    """One table of events.TABLES as Parquet. Numbers go in undictionaried: that is smaller and faster for ids."""
    labels = [column.name for column in TABLES[name] if label_set(column)]
    pq.write_table(table, file, compression="zstd", compression_level=1, use_dictionary=labels)


def _link_past(folder: Path, past: Past, through: int) -> None:
    for day in _shared_days(past, through):
        if isinstance(past, RunFolder):
            _link_day(past.path / day_name(day), folder / day_name(day), with_checkpoint=day == through)
        else:
            facts, tables = past.day(day)
            state = past.state(day) if day == through else {}
            _write_day(folder / day_name(day), dataclasses.replace(facts, state=state_digest(state)), tables, state)


def _link_day(source: Path, target: Path, with_checkpoint: bool) -> None:
    (target / CHECKPOINT_FILE).parent.mkdir(parents=True)
    names = [path.name for path in source.iterdir() if path.is_file()]
    for name in [*names, CHECKPOINT_FILE] if with_checkpoint else names:
        try:
            os.link(source / name, target / name)
        except OSError:  # other file system, or one without hard links
            write_file(target / name, lambda file, name=name: file.write((source / name).read_bytes()))  # type: ignore[misc]


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise RecordError(f"{path}: exists already. Resume it, give the new run another name, or remove the folder.")


def _id_of(cause: Any) -> str:
    community = cause.get("community", "run")
    slug = community.get("slug") or community.get("name") if isinstance(community, dict) else community
    return run_id(str(slug), int(cause.get("seed", 0)), cause)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # not installed here, so it had no part in the run
    return found


def _json(value: Any) -> bytes:
    """ASCII only: whatever a name or a rule holds, no terminal that shows this file can be led astray by it."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode("ascii")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# -- many runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSummary:
    """A line in a list of runs. For a folder that cannot be read: status "damaged", and `message` says why."""

    id: str
    path: Path
    status: str
    community: str = ""
    seed: int | None = None
    personas: int = 0
    days: int = 0  # measured ones
    posts: int = 0
    started: str = ""
    digest: str = ""
    message: str = ""


def run_paths(runs_dir: Path) -> list[Path]:
    """The run folders in a folder; none where it does not exist."""
    with disk_errors(runs_dir):
        if not runs_dir.is_dir():
            return []
        return [path for path in runs_dir.iterdir() if not path.name.startswith(".") and (path / RUN_FILE).is_file()]


def list_runs(runs_dir: Path | str = "runs") -> list[RunSummary]:
    """All runs in a folder, the newest first."""
    summaries = [summary(path) for path in run_paths(Path(runs_dir))]
    return sorted(summaries, key=lambda run: (run.started, run.id), reverse=True)


def summary(path: Path) -> RunSummary:
    try:
        folder = RunFolder(path)
        info, status = folder.info, folder.status
    except RecordError as error:
        return RunSummary(path.name, path, "damaged", message=str(error))
    cause = info["cause"]
    community, seed = cause.get("community", ""), cause.get("seed")
    return RunSummary(
        id=path.name,
        path=path,
        status=status,
        community=str(community.get("slug", "") if isinstance(community, dict) else community),
        seed=seed if isinstance(seed, int) else None,
        personas=info["personas"].get("rows", 0),
        days=sum(day.get("day", 0) > 0 for day in info["days"]),
        posts=info["counts"].get("posts", 0),
        started=str(info.get("started", "")),
        digest=info["digest"],
        message=str(info.get("message") or ""),
    )
