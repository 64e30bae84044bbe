"""Checking a record against its digests: what is missing, cut short, changed or added."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulacra.errors import RecordError
from simulacra.record.checkpoints import load_state, state_digest
from simulacra.record.durable import TEMPORARY, disk_errors
from simulacra.record.recording import day_name, day_number, measured_counts
from simulacra.record.runfiles import (
    CHECKPOINT_FILE,
    DAY_FILE,
    LOCK_FILE,
    PERSONAS_FILE,
    RUN_FILE,
    cause_digest,
    checked_info,
    damaged,
    day_facts,
    open_parquet,
    read_rows,
)
from simulacra.record.runs import RunFolder
from simulacra.record.tables import DayFacts, TableFacts, column_digest, facts_digest, population_facts, run_digest, schema


class Files(Protocol):
    """The files of a record, wherever they lie: a folder, or a bundle that is not unpacked yet."""

    where: str

    def names(self) -> set[str]:
        """Relative names with '/', unfinished files and the lock left out."""

    def open(self, name: str) -> BinaryIO:
        """Seekable. Raises RecordError where it is missing or cannot be read."""


class FolderFiles:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def names(self) -> set[str]:
        found = set()
        with disk_errors(self.path):
            for folder, inner, files in os.walk(self.path):
                inner[:] = [name for name in inner if not name.startswith(TEMPORARY)]
                found |= {
                    Path(folder, name).relative_to(self.path).as_posix() for name in files if not name.startswith(TEMPORARY)
                }
        return found - {LOCK_FILE}

    def open(self, name: str) -> BinaryIO:
        with disk_errors(self.path / name):
            return open(self.path / name, "rb")


def verify(run: RunFolder | Path | str) -> list[str]:
    """What differs between a record and its digests, one line each; empty where it is intact.

    A run may be verified while it is written. Notes and later scores are not part of the digest and are not looked at.
    """
    return differences(FolderFiles(run.path if isinstance(run, RunFolder) else Path(run)))


def differences(files: Files, limit: int | None = None) -> list[str]:
    """The same for files anywhere. limit: bytes; a file that would unpack to more in memory is refused before it does."""
    return list(_Check(files, limit).lines())


class _Check:
    def __init__(self, files: Files, limit: int | None) -> None:
        self.files = files
        self.names = files.names()
        self.limit = limit

    def lines(self) -> Iterator[str]:
        try:
            info = checked_info(Path(self.files.where, RUN_FILE), self._bytes(RUN_FILE))
        except RecordError as error:
            yield str(error)
            return
        if info.get("cause_digest") != cause_digest(info["cause"], info["labels"]):
            yield f"{RUN_FILE}: the cause or the labels differ from their digest"
        yield from self._personas(info)
        yield from self._days(info)

    def _personas(self, info: dict[str, Any]) -> Iterator[str]:
        try:
            facts = population_facts(self._table(PERSONAS_FILE, int(info["personas"].get("rows", -1))))
        except (RecordError, ValueError) as error:
            yield _line(PERSONAS_FILE, error)
            return
        if facts_digest(facts) != info["personas"].get("digest"):
            yield f"{PERSONAS_FILE}: differs from its digest"

    def _days(self, info: dict[str, Any]) -> Iterator[str]:
        known: dict[int, str] = {day["day"]: day["digest"] for day in info["days"]}
        present = {day for name in self.names if (day := day_number(name.split("/")[0])) is not None}
        found: list[DayFacts] = []
        for day in sorted(known.keys() | present):
            if day not in present:
                yield f"{day_name(day)}: day {day} is missing"
            elif day not in known and not self._may_be_new(day, known, info["status"]):
                yield f"{day_name(day)}: day {day} is not part of the record"
            else:
                facts = yield from self._day(day, known.get(day))
                found += [facts] if facts and day in known else []
        if len(found) == len(known):
            if run_digest(info["personas"].get("digest"), found) != info["digest"]:
                yield f"{RUN_FILE}: the run's digest differs from that of its days"
            if info["counts"] != measured_counts(found):
                yield f"{RUN_FILE}: the counts differ from the rows of its days"

    def _may_be_new(self, day: int, known: dict[int, str], status: str) -> bool:
        """run.json lags behind the days of a run in progress, or one that was killed."""
        return status != "finished" and day > max(known, default=day - 1)

    def _day(self, day: int, digest: str | None) -> Generator[str, None, DayFacts | None]:
        """Yields what differs; returns what day.json says, None where it cannot be read."""
        folder = day_name(day)
        try:
            facts = day_facts(Path(self.files.where, folder, DAY_FILE), self._bytes(f"{folder}/{DAY_FILE}"))
        except RecordError as error:
            yield _line(f"{folder}/{DAY_FILE}", error)
            return None
        if facts.day != day or (digest is not None and facts.digest != digest):
            yield f"{folder}/{DAY_FILE}: day {day} differs from its digest"
        for name, table in facts.tables.items():
            yield from self._day_table(f"{folder}/{name}.parquet", name, table)
        expected = {f"{folder}/{name}" for name in [DAY_FILE, CHECKPOINT_FILE, *(f"{table}.parquet" for table in facts.tables)]}
        for extra in sorted(name for name in self.names - expected if name.startswith(folder + "/")):
            yield f"{extra[:120]!r}: is not part of the record"
        yield from self._checkpoint(f"{folder}/{CHECKPOINT_FILE}", facts.state)
        return facts

    def _day_table(self, file: str, name: str, facts: TableFacts) -> Iterator[str]:
        if file not in self.names:
            yield f"{file}: is missing"
            return
        try:
            table = self._table(file, facts.rows)
            if problem := _schema_problem(name, table.schema):
                yield f"{file}: {problem}"
                return
            digests = {column: column_digest(table[column]) for column in table.column_names}
        except (RecordError, ValueError) as error:
            yield _line(file, error)
            return
        for column in [column for column, digest in digests.items() if facts.columns.get(column) != digest]:
            yield f"{file}: column {column!r} differs from its digest"

    def _checkpoint(self, file: str, digest: str) -> Iterator[str]:
        if file not in self.names:
            return  # not every checkpoint is kept
        try:
            with self.files.open(file) as content:
                state = load_state(content)
        except (RecordError, ValueError) as error:
            yield _line(file, error)
            return
        if state_digest(state) != digest:
            yield f"{file}: differs from its digest"

    def _table(self, file: str, rows: int) -> pa.Table:
        """The table, its rows counted in the footer before any is unpacked."""
        with self.files.open(file) as content:
            try:
                parquet = open_parquet(content)
                if parquet.metadata.num_rows != rows:
                    raise RecordError(f"{file}: {parquet.metadata.num_rows} rows found, {rows} expected")
                if self.limit is not None:
                    _check_size(file, parquet, content, self.limit)
                return read_rows(parquet)
            except (pa.ArrowException, OSError) as error:
                raise damaged(file, error) from error

    def _bytes(self, name: str) -> bytes:
        with self.files.open(name) as content:
            return content.read()


def _line(file: str, error: Exception) -> str:
    return str(error) if str(error).startswith(file) or isinstance(error, RecordError) else f"{file}: {error}"


def _schema_problem(name: str, found: pa.Schema) -> str:
    """What is wrong with the columns of a table of events.TABLES; "" where nothing is."""
    expected = schema(name)
    if found.names != expected.names:
        return f"columns {', '.join(found.names)[:120]!r} found, {', '.join(expected.names)} expected"
    for there, here in zip(found, expected, strict=True):
        if _plain_type(there.type) != _plain_type(here.type):
            return f"column {here.name!r} is of type {there.type}, {here.type} expected"
    return ""


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_size(file: str, parquet: pq.ParquetFile, content: BinaryIO, limit: int) -> None:
    """Refuse a small file that repeats numbers or texts without end: rows are counted in the footer, and the lengths of texts
    are added up while they are still a dictionary."""
    size = parquet.metadata.num_rows * parquet.metadata.num_columns * 4
    texts = [field.name for field in parquet.schema_arrow if pa.types.is_string(field.type)]
    if size <= limit and texts:
        content.seek(0)
        packed = read_rows(open_parquet(io.BytesIO(content.read()), texts), texts)
        size += sum(_text_size(chunk) for column in packed.columns for chunk in column.chunks)
    if size > limit:
        raise RecordError(f"{file}: unpacks to {size} bytes, {limit} are allowed")


def _text_size(chunk: pa.DictionaryArray) -> int:
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return pc.sum(lengths.take(chunk.indices)).as_py() or 0
