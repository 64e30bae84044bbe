"""The files of a run folder: names, what run.json and day.json hold, and readers that say damage in one clear line."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulacra.errors import RecordError
from simulacra.events import TABLES
from simulacra.persona import Population
from simulacra.record.checkpoints import save_state
from simulacra.record.durable import disk_errors, write_file
from simulacra.record.recording import measured_counts
from simulacra.record.tables import (
    DayFacts,
    TableFacts,
    facts_digest,
    hash_json,
    label_set,
    population_facts,
    population_table,
    run_digest,
)
from simulacra.seams import State

FORMAT = 1
"""Version of the folder's format. Another one is refused."""

RUN_FILE, PERSONAS_FILE, DAY_FILE, CHECKPOINT_FILE = "run.json", "personas.parquet", "day.json", "checkpoint/state.npz"
REVIEW_FILE, LOCK_FILE, SCORES_FOLDER = "review.jsonl", "lock", "scores"

Status = Literal["running", "interrupted", "finished", "stopped", "capped", "failed"]
"""`running` while a living writer holds the lock; `interrupted` where it died; the others as it was told to `finish`."""

Keep = Literal["all", "last", "auto"]
"""Which checkpoints stay: all; the newest and day 0, where arms fork; or all as long as they are small."""

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows keeps for itself
_PACKAGES = ("simulacra", "numpy", "pyarrow", "vaderSentiment", "alt-profanity-check", "scikit-learn", "sentence-transformers")
_FIELDS = {"status": str, "cause": dict, "labels": dict, "personas": dict, "days": list, "counts": dict, "digest": str}


# -- ids -------------------------------------------------------------------------------------------------------------------


def run_id(community: str, seed: int, cause: Mapping[str, Any]) -> str:
    """A readable id that equal causes share: community, seed and a short hash of the whole cause."""
    slug = re.sub(r"[^a-z0-9]+", "-", community.lower())[:40].strip("-") or "run"
    return f"{slug}-{int(seed)}-{hash_json(plain(cause))[:8]}"


def run_id_of(cause: Any) -> str:
    """`run_id` from the cause's own `community` (a slug, or an object with one) and `seed`."""
    community = cause.get("community", "run")
    slug = community.get("slug") or community.get("name") if isinstance(community, dict) else community
    return run_id(str(slug), int(cause.get("seed") or 0), cause)


def checked_run_id(text: str) -> str:
    """The text, where it can be a folder's name on any system. Raises RecordError otherwise."""
    if not _ID.fullmatch(text) or _RESERVED.fullmatch(text):
        raise RecordError(
            f"Run name {text[:60]!r} cannot be a folder's name. Use up to 100 letters, digits, '-', '_' or '.', "
            "starting and ending with a letter or digit."
        )
    return text


# -- run.json and day.json -------------------------------------------------------------------------------------------------


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
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return [plain(item) for item in sorted(value)]
        case Path():
            return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} cannot stand in a run's cause or measures")


def to_json(value: Any) -> bytes:
    """ASCII only: whatever a name or a rule holds, no terminal that shows this file can be led astray by it."""
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode("ascii")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def cause_digest(cause: Any, labels: Mapping[str, Any]) -> str:
    """What betrays a cause or a label that was changed by hand."""
    return hash_json([cause, plain(labels)])


def checked_info(file: Path, content: bytes) -> dict[str, Any]:
    """run.json parsed. Raises RecordError where it is damaged or of another format version."""
    try:
        info = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{file}: not JSON ({str(error)[:80]}). Restore the file from a copy.") from error
    if not isinstance(info, dict) or "format" not in info:
        raise RecordError(f"{file}: not a run's description: 'format' is missing. Restore the file from a copy.")
    if info["format"] != FORMAT:
        versions = info.get("versions")
        writer = versions.get("simulacra", "unknown") if isinstance(versions, dict) else "unknown"
        raise RecordError(
            f"{file}: format version {str(info['format'])[:20]!r}; this program reads {FORMAT}. "
            f"Open it with the version that wrote it ({str(writer)[:20]!r})."
        )
    for key, kind in _FIELDS.items():
        if not isinstance(info.get(key), kind):
            raise RecordError(f"{file}: {key!r} is missing or not of type {kind.__name__}. Restore the file from a copy.")
    if not all(_is_day(day) for day in info["days"]) or not all(_is_labels(labels) for labels in info["labels"].values()):
        raise RecordError(f"{file}: 'days' or 'labels' are damaged. Restore the file from a copy.")
    return info


def _is_day(day: Any) -> bool:
    return isinstance(day, dict) and isinstance(day.get("day"), int) and isinstance(day.get("digest"), str)


def _is_labels(labels: Any) -> bool:
    return isinstance(labels, list) and all(isinstance(label, str) for label in labels)


def day_facts(file: Path, content: bytes) -> DayFacts:
    """day.json parsed. Raises RecordError where it is damaged."""
    try:
        raw = json.loads(content)
        tables = {name: TableFacts(int(table["rows"]), dict(table["columns"])) for name, table in raw["tables"].items()}
        if unknown := tables.keys() - TABLES.keys():
            raise ValueError(f"unknown tables {unknown}")
        return DayFacts(int(raw["day"]), tables, str(raw["state"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RecordError(f"{file}: damaged. Restore the file from a copy.") from error


# -- Parquet ---------------------------------------------------------------------------------------------------------------


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The file's rows. Raises RecordError in one line where it is missing, truncated or no Parquet."""
    try:
        with disk_errors(path), open(path, "rb") as file:
            return read_rows(open_parquet(file), columns)
    except pa.ArrowException as error:
        raise damaged(path, error) from error


def open_parquet(file: BinaryIO, read_dictionary: list[str] | None = None) -> pq.ParquetFile:
    """A Parquet file that `read_rows` may read. read_dictionary: columns of text that stay packed."""
    return pq.ParquetFile(file, read_dictionary=read_dictionary, pre_buffer=False)


def read_rows(parquet: pq.ParquetFile, columns: list[str] | None = None) -> pa.Table:
    """The rows of an opened file, read on this thread alone: for tables of our size that is as fast.

    Arrow's own threads, which `pre_buffer` or `use_threads` bring in, let go of a Python file and of the bytes read from it some time
    after the table is there. One that does so while the interpreter ends takes the process down: "terminate called without an active
    exception", in `PyBuffer::~PyBuffer`.
    """
    return parquet.read(columns, use_threads=False)


def damaged(path: Path | str, error: Exception) -> RecordError:
    """One line for a file that the Parquet reader refuses."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return RecordError(f"{path}: damaged or truncated ({reason}). Restore it from a copy; other days are not affected.")


def write_table(file: BinaryIO, name: str, table: pa.Table) -> None:
    """One table of events.TABLES as Parquet. Numbers go in without a dictionary: for ids that is smaller and faster."""
    labels = [column.name for column in TABLES[name] if label_set(column)]
    pq.write_table(table, file, compression="zstd", compression_level=1, use_dictionary=labels)


# -- writing a run's beginning and its days --------------------------------------------------------------------------------


def write_personas(folder: Path, population: Population) -> dict[str, Any]:
    """personas.parquet. Returns what run.json says of it."""
    personas = population_table(population)
    write_file(folder / PERSONAS_FILE, lambda file: pq.write_table(personas, file, compression="zstd"))
    return {"rows": len(population), "digest": facts_digest(population_facts(personas))}


def first_info(
    name: str, cause: Any, personas: dict[str, Any], labels: Mapping[str, tuple[str, ...]], days: Sequence[DayFacts], keep: Keep
) -> dict[str, Any]:
    """What run.json says when a run begins. days: those of the past that it shares."""
    return {
        "format": FORMAT,
        "run": name,
        "status": "running",
        "started": now(),
        "updated": now(),
        "ended": None,
        "message": None,
        "keep": keep,
        "cause": cause,
        "cause_digest": cause_digest(cause, labels),
        "versions": versions(),
        "labels": plain(labels),
        "personas": personas,
        **sums(personas["digest"], days),
        "measures": None,
    }


def sums(personas: str, days: Sequence[DayFacts]) -> dict[str, Any]:
    """What run.json says of the finished days. personas: their digest."""
    return {
        "days": [{"day": facts.day, "digest": facts.digest} for facts in days],
        "counts": measured_counts(days),
        "digest": run_digest(personas, days),
    }


def write_day(folder: Path, facts: DayFacts, tables: Mapping[str, pa.Table], state: State | None) -> None:
    """All files of a day in a new folder. state: None leaves the checkpoint out."""
    folder.mkdir(parents=True)
    for name, table in tables.items():
        with_name = _table_writer(name, table)
        write_file(folder / f"{name}.parquet", with_name)
    if state is not None:
        (folder / CHECKPOINT_FILE).parent.mkdir()
        write_file(folder / CHECKPOINT_FILE, lambda file: save_state(file, state))
    described = {name: dataclasses.asdict(table) for name, table in facts.tables.items()}
    content = {"day": facts.day, "digest": facts.digest, "state": facts.state, "tables": described}
    write_file(folder / DAY_FILE, lambda file: file.write(to_json(content)))


def _table_writer(name: str, table: pa.Table) -> Any:
    return lambda file: write_table(file, name, table)


@cache
def versions() -> dict[str, str]:
    """What the run was made with: Python, machine and the packages that have a part in its result."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # not installed here, so it had no part in the run
    return found
