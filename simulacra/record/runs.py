"""A run is a folder that anyone can open: what caused it, who lived in it, what happened on each day, and where it can go on.

    runs/<run-id>/ run.json           cause, versions, labels, status, counts, digest
                   personas.parquet
                   burn-0001/ burn-0002/ day-0001/ ...   one Parquet file a table, day.json, checkpoint/state.npz
                   review.jsonl       a reviewer's notes (simulacra.record.review)
                   scores/            later scorers
                   lock               held by the living writer

A day is written under a temporary name, synced and renamed, so it is there whole or not at all, and it never changes again. The
days on disk are the truth; run.json only sums them up and may lag by one day after a crash. `docs/format.md` has the columns.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa

from simulacra.errors import RecordError
from simulacra.persona import Population
from simulacra.record.checkpoints import load_state, state_digest
from simulacra.record.durable import TEMPORARY, WriterLock, disk_errors, is_held, promote, replace_file, write_file
from simulacra.record.recording import (
    Day,
    MemoryRecorder,
    Past,
    check_next,
    day_name,
    day_number,
    own_label_sets,
    shared_days,
)
from simulacra.record.runfiles import (
    CHECKPOINT_FILE,
    DAY_FILE,
    LOCK_FILE,
    PERSONAS_FILE,
    RUN_FILE,
    Keep,
    Status,
    checked_info,
    checked_run_id,
    day_facts,
    first_info,
    now,
    plain,
    read_parquet,
    run_id_of,
    sums,
    to_json,
    write_day,
    write_personas,
)
from simulacra.record.tables import DayBuffer, DayFacts, LabelSets, population_from, table_facts
from simulacra.seams import State

if TYPE_CHECKING:
    from simulacra.record.frames import Frames

__all__ = ["FolderRecorder", "MemoryRecorder", "Resumed", "RunFolder", "RunSummary", "list_runs"]

SMALL_CHECKPOINT = 16 * 2**20
"""Bytes; `keep="auto"` keeps the checkpoints of all days up to this size."""


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
        self.spent: Callable[[], Mapping[str, Any]] | None = (
            None  # what a language model has cost so far; kept with every change
        )
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
        Raises RecordError where the name cannot be used, the run exists or the disk refuses; no half run is left behind then.
        """
        caused = plain(cause)
        name = checked_run_id(run_id if run_id is not None else run_id_of(caused))
        path = Path(runs_dir) / name
        temporary = path.with_name(f"{TEMPORARY}{name}-{os.getpid()}")
        with disk_errors(path):
            _refuse_existing(path)
            try:
                temporary.mkdir(parents=True)
                personas = write_personas(temporary, population)
                days = _share_past(temporary, past, through) if past else []
                info = first_info(name, caused, personas, own_label_sets(label_sets, past), days, keep)
                write_file(temporary / RUN_FILE, lambda file: file.write(to_json(info)))
                promote(temporary, path)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # somebody else was faster
                    _refuse_existing(path)
                raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            return cls(path, WriterLock.acquire(path / LOCK_FILE))

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
        self._sum_up([self.facts(day) for day in days], status="running", ended=None, message=None)
        return Resumed(self, days[-1] if days else None, state)

    # writing

    def recorder(self) -> FolderRecorder:
        """What the simulation writes to; the lock must be held."""
        self._must_write()
        return FolderRecorder(self)

    def finish(
        self,
        status: Literal["finished", "stopped", "capped", "failed"],
        measures: Mapping[str, Any] | None = None,
        message: str | None = None,
    ) -> None:
        """Say how the run ended, with its measures or the reason, and release the lock."""
        self._must_write()
        told = {"measures": plain(measures)} if measures is not None else {}
        self._write_info(status=status, ended=now(), message=message, **told)
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

    def _write_info(self, **changes: Any) -> None:
        spent = {"spent": plain(self.spent())} if self.spent is not None else {}
        with disk_errors(self.path):
            replace_file(self.path / RUN_FILE, to_json({**self.info, **spent, **changes, "updated": now()}))

    def _sum_up(self, days: list[DayFacts], **changes: Any) -> None:
        """Have run.json say what is on disk, and what else has changed."""
        self._write_info(**sums(self.info["personas"]["digest"], days), **changes)

    def _write_day(self, facts: DayFacts, tables: Mapping[str, pa.Table], state: State) -> None:
        name = day_name(facts.day)
        temporary = self.path / (TEMPORARY + name)
        with disk_errors(self.path / name):
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                write_day(temporary, facts, tables, state)
                promote(temporary, self.path / name)
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
        from simulacra.record.frames import Frames

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
        check_next(day, [facts.day for facts in self._facts])
        tables = self._buffer.seal()
        facts = DayFacts(day, {name: table_facts(table) for name, table in tables.items()}, state_digest(state))
        self.folder._write_day(facts, tables, state)
        self._buffer.clear()
        self._facts.append(facts)
        self.folder._sum_up(self._facts)
        self.folder._drop_checkpoints(newest=day)


# -- sharing a past --------------------------------------------------------------------------------------------------------


def _share_past(folder: Path, past: Past, through: int) -> list[DayFacts]:
    """Put the past's days up to that one into the new folder. Returns what is known of them."""
    days = shared_days(past, through)
    for day in days:
        target = folder / day_name(day)
        if isinstance(past, RunFolder):
            _link_day(past.path / day_name(day), target, needs_checkpoint=day == through)
        else:
            facts, tables = past.day(day)
            state = past.state(day) if day == through else None
            write_day(target, dataclasses.replace(facts, state=state_digest(state or {})), tables, state)
    return [past.day(day).facts for day in days]


def _link_day(source: Path, target: Path, needs_checkpoint: bool) -> None:
    """The day's files under another name, its checkpoint too where it is kept; it must be where the new run starts from it."""
    target.mkdir()
    names = [path.name for path in source.iterdir() if path.is_file()]
    if needs_checkpoint or (source / CHECKPOINT_FILE).exists():
        (target / CHECKPOINT_FILE).parent.mkdir()
        names.append(CHECKPOINT_FILE)
    for name in names:
        _link_file(source / name, target / name)


def _link_file(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        with open(source, "rb") as original:
            write_file(target, lambda file: shutil.copyfileobj(original, file))


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise RecordError(f"{path}: exists already. Resume it, give the new run another name, or remove the folder.")


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
