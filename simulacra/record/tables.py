"""The tables of events.TABLES as Arrow: rows collected cheaply, a day sealed into immutable tables, a digest of their content.

A digest is of logical values, column by column: numbers in one byte order, labels and text as words. Two records with equal
content have equal digests whatever their files, chunks, label order or compression.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.events import LABELS, TABLES, Column
from simulacra.persona import Population

LabelSets = Mapping[str, tuple[str, ...]]
"""Names of label sets (`topics`, `policies`, ...) and their labels; the position is the code."""

BURN_IN_DAYS = 2
"""Unmeasured days before day 1: they are days -1 and 0."""

_DECIMALS = 4  # recorded floats are rounded: the last bits of exp and pow differ between processors
_STORED = {
    column.dtype: np.dtype(np.int16 if column.dtype.startswith("label:") else column.dtype)
    for columns in TABLES.values()
    for column in columns
    if column.dtype != "str"
}
_ACCEPTED_KINDS = {"i": "iu", "f": "fiu", "b": "b"}


# -- columns ---------------------------------------------------------------------------------------------------------------


def label_set(column: Column) -> str | None:
    """The name of the column's label set; None where it holds no labels."""
    return column.dtype.removeprefix("label:") if column.dtype.startswith("label:") else None


def arrow_type(column: Column) -> pa.DataType:
    """How the column stands in Arrow and Parquet: labels as a dictionary of strings."""
    if label_set(column):
        return pa.dictionary(pa.int16(), pa.string())
    if column.dtype == "str":
        return pa.string()
    return pa.from_numpy_dtype(np.dtype(column.dtype))


def schema(table: str) -> pa.Schema:
    return pa.schema([(column.name, arrow_type(column)) for column in TABLES[table]])


def all_label_sets(label_sets: LabelSets) -> dict[str, tuple[str, ...]]:
    """The run's own sets and the fixed ones of events.LABELS.

    Raises ValueError where a set that TABLES needs is missing, or repeats a label.
    """
    sets = {**LABELS, **{name: tuple(labels) for name, labels in label_sets.items()}}
    needed = {name for columns in TABLES.values() for column in columns if (name := label_set(column))}
    if missing := sorted(needed - sets.keys()):
        raise ValueError(f"label sets {missing} are missing; given: {sorted(label_sets)}")
    for name, labels in sets.items():
        if len(set(labels)) < len(labels):
            raise ValueError(f"label set {name!r} repeats a label: {labels}")
    return sets


def quantise(values: NDArray[Any]) -> NDArray[np.float32]:
    """Rounded to four decimals, one zero and one NaN, so that equal values have equal bytes."""
    rounded = np.round(values.astype(np.float64), _DECIMALS).astype(np.float32) + np.float32(0)
    rounded[np.isnan(rounded)] = np.nan
    return rounded


def text_array(texts: Sequence[str]) -> pa.Array:
    """Text as Arrow strings. Lone surrogates, which models write now and then, become '?': they have no UTF-8."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", "replace").decode("utf-8") for text in texts], pa.string())


# -- a day in progress -----------------------------------------------------------------------------------------------------


class DayBuffer:
    """Rows of the day in progress as lists of chunks. `add` costs microseconds; `seal` pays for the whole day at once."""

    def __init__(self, label_sets: LabelSets) -> None:
        self.label_sets = all_label_sets(label_sets)
        self._chunks: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def add(self, table: str, **columns: Any) -> None:
        """Append rows to a table: every column, equally long. A scalar stands for a column of equal values.

        Values are copied. Raises ValueError or TypeError on unknown tables and columns, unequal lengths and values that the
        column's type cannot hold: a bug of the caller, not of a user.
        """
        specification = TABLES[table]
        if columns.keys() != {column.name for column in specification}:
            odd = sorted(columns.keys() ^ {column.name for column in specification})
            raise ValueError(f"{table}: every column once is expected; missing or unknown: {odd}")
        if rows := _length(table, columns):
            self._chunks[table].append({c.name: _chunk(table, c, columns[c.name], rows) for c in specification})

    def seal(self) -> dict[str, pa.Table]:
        """The tables that have rows, in the order of TABLES. The buffer keeps its rows until `clear`."""
        return {name: self._sealed(name) for name in TABLES if self._chunks[name]}

    def clear(self) -> None:
        for chunks in self._chunks.values():
            chunks.clear()

    def _sealed(self, table: str) -> pa.Table:
        chunks = self._chunks[table]
        arrays = [self._column(f"{table}.{c.name}", c, [chunk[c.name] for chunk in chunks]) for c in TABLES[table]]
        return pa.Table.from_arrays(arrays, schema=schema(table))

    def _column(self, where: str, column: Column, parts: list[Any]) -> pa.Array:
        if column.dtype == "str":
            return text_array([text for part in parts for text in part])
        values = np.concatenate(parts)
        if name := label_set(column):
            return _labelled(where, values, self.label_sets[name])
        return pa.array(quantise(values) if values.dtype.kind == "f" else values)


def _length(table: str, columns: Mapping[str, Any]) -> int:
    lengths = {name: len(values) for name, values in columns.items() if not _is_scalar(values)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{table}: columns of unequal length: {lengths}")
    return next(iter(lengths.values()), 1)


def _is_scalar(values: Any) -> bool:
    return isinstance(values, (str, int, float)) or getattr(values, "ndim", 1) == 0


def _chunk(table: str, column: Column, values: Any, rows: int) -> list[str] | NDArray[Any]:
    if column.dtype == "str":
        return [values] * rows if isinstance(values, str) else list(values)
    dtype = _STORED[column.dtype]
    array = np.asarray(values)
    if array.dtype != dtype:
        _check_fit(f"{table}.{column.name}", array, dtype)
    chunk = np.empty(rows, dtype)  # a copy: callers hand over arrays that they go on changing
    chunk[...] = array
    return chunk


def _check_fit(where: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    if array.dtype.kind not in _ACCEPTED_KINDS[dtype.kind]:
        raise TypeError(f"{where}: {array.dtype} given, {dtype} expected")
    if dtype.kind == "i" and not np.can_cast(array.dtype, dtype):
        bounds = np.iinfo(dtype)
        if array.min() < bounds.min or array.max() > bounds.max:
            raise ValueError(f"{where}: {array.min()} to {array.max()} given, {dtype} holds {bounds.min} to {bounds.max}")


def _labelled(where: str, codes: NDArray[Any], labels: tuple[str, ...]) -> pa.DictionaryArray:
    if codes.min() < 0 or codes.max() >= len(labels):
        raise ValueError(f"{where}: codes {codes.min()} to {codes.max()} given, {len(labels)} labels known")
    return pa.DictionaryArray.from_arrays(pa.array(codes), text_array(labels))


# -- digests ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableFacts:
    """What is known of a sealed table without opening it."""

    rows: int
    columns: dict[str, str]  # name -> digest of its values


@dataclass(frozen=True)
class DayFacts:
    """What is known of a finished day without opening it; stands as day.json in its folder."""

    day: int
    tables: dict[str, TableFacts]  # those with rows
    state: str  # digest of the checkpoint; no part of the day's digest, since checkpoints may be dropped

    @property
    def digest(self) -> str:
        return hash_json([self.day, [[name, facts_digest(facts)] for name, facts in sorted(self.tables.items())]])


def hash_json(value: Any) -> str:
    """Digest of plain data (numbers, strings, lists, mappings), 32 hexadecimal digits."""
    return blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()


def run_digest(personas: str, days: Iterable[DayFacts]) -> str:
    """The digest of a run: its personas, then its days in order."""
    return hash_json([personas, [[facts.day, facts.digest] for facts in days]])


def facts_digest(facts: TableFacts) -> str:
    """The digest of one table: its columns and how many rows."""
    return hash_json([facts.rows, sorted(facts.columns.items())])


def population_facts(table: pa.Table) -> TableFacts:
    """Of personas.parquet: traits are stored as they are, since a run goes on from them, but told apart by four decimals."""
    for i, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            table = table.set_column(i, field.name, pa.array(quantise(table[field.name].to_numpy())))
        elif pa.types.is_fixed_size_list(field.type):
            flat = pa.array(quantise(table[field.name].combine_chunks().flatten().to_numpy()))
            table = table.set_column(i, field.name, pa.FixedSizeListArray.from_arrays(flat, field.type.list_size))
    return table_facts(table)


def table_facts(table: pa.Table) -> TableFacts:
    return TableFacts(table.num_rows, {name: column_digest(table[name]) for name in table.column_names})


def column_digest(column: pa.ChunkedArray) -> str:
    """Digest of a column's logical values, 32 hexadecimal digits; chunks, label order and compression do not matter.

    Raises ValueError where cells are empty (the record has none) or the type is none of the record's.
    """
    if column.null_count:
        raise ValueError(f"{column.null_count} empty cells")
    hashed = blake2b(digest_size=16)
    if pa.types.is_dictionary(column.type):
        _hash_labels(hashed, column)
    elif pa.types.is_string(column.type):
        _hash_text(hashed, column)
    elif pa.types.is_fixed_size_list(column.type):
        hashed.update(f"list {column.type.list_size}".encode())
        for chunk in column.chunks:
            _hash_numbers(hashed, chunk.flatten())
    else:
        hashed.update(str(column.type).encode())
        for chunk in column.chunks:
            _hash_numbers(hashed, chunk)
    return hashed.hexdigest()


def _hash_numbers(hashed: blake2b, chunk: pa.Array) -> None:
    values = chunk.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"type {chunk.type} is none of the record's")
    hashed.update(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).view(np.uint8).data)


def _hash_text(hashed: blake2b, column: pa.ChunkedArray) -> None:
    """Lengths of all rows, then the bytes of all rows: no separator that a text could contain."""
    hashed.update(b"text")
    for chunk in column.chunks:
        hashed.update(pc.binary_length(chunk).to_numpy(zero_copy_only=False).astype("<i8").data)
    for chunk in column.chunks:
        if len(chunk):
            _, offsets, data = chunk.buffers()
            ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            if data is not None:
                hashed.update(memoryview(data)[ends[0] : ends[-1]])


def _hash_labels(hashed: blake2b, column: pa.ChunkedArray) -> None:
    """The labels in use, sorted, then each row's place among them: the run's code table does not matter."""
    codes = [chunk.indices.to_numpy(zero_copy_only=False).astype(np.int64) for chunk in column.chunks]
    labels = [chunk.dictionary.to_pylist() for chunk in column.chunks]
    used = [np.flatnonzero(np.bincount(code, minlength=len(known))) for code, known in zip(codes, labels, strict=True)]
    words = sorted({known[i] for known, seen in zip(labels, used, strict=True) for i in seen})
    place = {word: i for i, word in enumerate(words)}
    hashed.update(b"labels" + json.dumps(words).encode())
    for code, known in zip(codes, labels, strict=True):
        hashed.update(np.array([place.get(word, -1) for word in known], "<i4")[code].data)


# -- personas --------------------------------------------------------------------------------------------------------------


def population_table(population: Population) -> pa.Table:
    """One row a persona: `id`, then the fields of Population; interests as a fixed-size list, unrounded."""
    columns = {"id": pa.array(np.arange(len(population), dtype=np.int32))}
    for field in fields(Population):
        columns[field.name] = _trait_array(getattr(population, field.name))
    return pa.table(columns)


def _trait_array(values: NDArray[Any]) -> pa.Array:
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])
    return text_array(values.tolist()) if values.dtype.kind in "OU" else pa.array(values)


def population_from(table: pa.Table) -> Population:
    """The inverse of `population_table`: equal arrays, bit for bit."""
    return Population(**{field.name: _traits(table[field.name].combine_chunks()) for field in fields(Population)})


def _traits(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_fixed_size_list(column.type):
        values: NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
    elif pa.types.is_string(column.type):
        values = np.fromiter(column.to_pylist(), object, len(column))
    else:
        values = column.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()
