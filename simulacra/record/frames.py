"""A run's tables for reading: as pandas frames, as Arrow, or by SQL over DuckDB views.

A reader may open a run while it is written: each call sees the days that were finished when it began. Burn-in days are left out
unless asked for; the SQL views hold them, marked by `burn_in`, since replies reach back to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.errors import SpecError
from simulacra.events import TABLES
from simulacra.record.tables import label_set, schema

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

HOURS_PER_DAY = 24


class Source(Protocol):
    """Where tables come from: a RunFolder or a MemoryRecorder."""

    @property
    def label_sets(self) -> dict[str, tuple[str, ...]]: ...
    @property
    def days(self) -> list[int]: ...
    def parts(self, table: str, day: int) -> pa.Table | Path | None: ...
    def personas(self) -> pa.Table: ...


class Frames:
    """The tables of one run: the columns of events.TABLES, and `day` (step // 24 + 1; burn-in days are -1 and 0)."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def table(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table as a pandas frame, labels as categoricals over the run's whole label set. Empty with all columns where
        nothing happened. columns: only these, which saves memory on impressions. Raises SpecError on unknown names, RecordError
        on damaged files."""
        return self.arrow(name, burn_in, columns).to_pandas()

    def arrow(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> pa.Table:
        """The same as `table`, in Arrow: labels as dictionaries in the order of the label set."""
        if name == "personas":
            personas = self._source.personas()
            return personas.select(list(columns)) if columns is not None else personas
        wanted = self._wanted(name, columns)
        stored = [column for column in wanted if column != "day"]
        read = stored if "day" not in wanted or "step" in stored else [*stored, "step"]
        parts = [self._read(name, part, read) for part in self._parts(name, burn_in)]
        table = pa.concat_tables(parts) if parts else schema(name).empty_table().select(read)
        if "day" in wanted:
            table = table.append_column("day", _day_of(table["step"]))
        return table.select(wanted)

    def daily(self, name: str, burn_in: bool = False) -> Iterator[pa.Table]:
        """The same as `arrow` without personas, a day at a time, for what does not fit into memory at once."""
        for day in self._source.days:
            part = self._source.parts(name, day) if burn_in or day > 0 else None
            if part is not None:
                table = self._read(name, part, schema(name).names)
                yield table.append_column("day", _day_of(table["step"]))

    def schema(self, name: str) -> pa.Schema:
        """Of what `arrow` gives for a table of events.TABLES."""
        return schema(name).append(pa.field("day", pa.int32()))

    @property
    def topics(self) -> tuple[str, ...]:
        """The community's topics, in the order of personas' interests."""
        return self._source.label_sets["topics"]

    def sql(self, query: str) -> pd.DataFrame:
        """The answer of one DuckDB query over the views `visits`, `impressions`, ... and `personas`.

        The views hold all days, with two columns more: `day`, and `burn_in` (true before day 1). The connection can read
        nothing but these views and write nowhere. Raises SpecError with DuckDB's first line where the query is wrong, or asks
        for a damaged file.
        """
        import duckdb

        if not query.strip():
            raise SpecError("Query: is empty. Example: SELECT day, count(*) FROM posts GROUP BY day")
        with self._connection() as connection:
            try:
                return connection.execute(query).df()
            except duckdb.Error as error:
                raise SpecError(f"Query: {str(error).splitlines()[0]}") from error

    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
        for name in TABLES:
            connection.register(f"_{name}", self._scannable(name))
            connection.execute(
                f"CREATE VIEW {name} AS SELECT *, CAST(floor(step / {HOURS_PER_DAY}.0) AS INTEGER) + 1 AS day, "
                f"step < 0 AS burn_in FROM _{name}"
            )
        connection.register("personas", self._source.personas())
        return connection

    def _scannable(self, name: str) -> Any:
        """All days of a table for DuckDB, labels as plain strings: a dataset that scans the files, or a table in memory."""
        strings = _plain_schema(name)
        parts = self._parts(name, burn_in=True)
        paths = [str(part) for part in parts if isinstance(part, Path)]
        if paths:
            import pyarrow.dataset as ds

            return ds.dataset(paths, schema=strings, format="parquet")
        tables = [part.cast(strings) for part in parts if isinstance(part, pa.Table)]
        return pa.concat_tables(tables) if tables else strings.empty_table()

    def _parts(self, name: str, burn_in: bool) -> list[pa.Table | Path]:
        days = [day for day in self._source.days if burn_in or day > 0]
        parts = (self._source.parts(name, day) for day in days)
        return [part for part in parts if part is not None]

    def _read(self, name: str, part: pa.Table | Path, columns: list[str]) -> pa.Table:
        table = _read_parquet(part, columns) if isinstance(part, Path) else part.select(columns)
        for column in TABLES[name]:
            if column.name in columns and (labels := label_set(column)):
                place = table.column_names.index(column.name)
                known = self._source.label_sets[labels]
                table = table.set_column(place, column.name, _relabelled(table[column.name], known))
        return table

    def _wanted(self, name: str, columns: Sequence[str] | None) -> list[str]:
        if name not in TABLES:
            raise SpecError(f"No table {name[:60]!r}. Known: {', '.join([*TABLES, 'personas'])}.")
        known = [*(column.name for column in TABLES[name]), "day"]
        if unknown := [column for column in columns or () if column not in known]:
            raise SpecError(f"Table {name}: no column {unknown[0][:60]!r}. Known: {', '.join(known)}.")
        return list(known if columns is None else columns)


def _read_parquet(path: Path, columns: list[str]) -> pa.Table:
    from simulacra.record.runfiles import read_parquet

    return read_parquet(path, columns)


def _plain_schema(name: str) -> pa.Schema:
    strings = [(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type) for field in schema(name)]
    return pa.schema(strings)


def _day_of(step: pa.ChunkedArray) -> pa.Array:
    return pa.array((np.floor_divide(step.to_numpy(), HOURS_PER_DAY) + 1).astype(np.int32))


def _relabelled(column: pa.ChunkedArray, labels: tuple[str, ...]) -> pa.ChunkedArray:
    """The column over one dictionary for all days: the run's label set, in its order."""
    known = pa.array(labels, pa.string())
    chunks = []
    for chunk in column.chunks:
        places = pc.index_in(chunk.dictionary, value_set=known).cast(pa.int16())
        chunks.append(pa.DictionaryArray.from_arrays(places.take(chunk.indices), known))
    return pa.chunked_array(chunks, pa.dictionary(pa.int16(), pa.string()))
