"""Event tables made by hand, a few rows each, for measures whose every figure can be counted on fingers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from simulacra.events import TABLES

OLD_HAND = -(2**15)


class HandMade:
    """Event tables from rows in columns' order; tables not given are empty."""

    def __init__(self, arrival: Sequence[int], group: Sequence[int] | None = None, **tables: list[dict[str, Any]]) -> None:
        self.tables = {name: self._table(name, tables.get(name, [])) for name in TABLES}
        groups = [i % 2 for i in range(len(arrival))] if group is None else group
        people = {"arrival": pa.array(arrival, pa.int32()), "group": pa.array(groups, pa.int8())}
        self.tables["personas"] = pa.table(people)

    def _table(self, name: str, rows: list[dict[str, Any]]) -> pa.Table:
        columns = TABLES[name]
        return pa.table(
            {c.name: pa.array([row.get(c.name, blank(c.dtype)) for row in rows], arrow_type(c.dtype)) for c in columns}
        )

    def arrow(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> pa.Table:
        table = self.tables[name]
        if not burn_in and name != "personas" and len(table):
            table = table.filter(pa.compute.greater_equal(table["step"], 0))
        return table.select(list(columns or table.column_names))


def arrow_type(dtype: str) -> pa.DataType:
    return pa.string() if is_text(dtype) else pa.float64() if dtype == "float32" else pa.from_numpy_dtype(np.dtype(dtype))


def is_text(dtype: str) -> bool:
    return dtype.startswith(("label", "str"))


def blank(dtype: str) -> Any:
    return "none" if is_text(dtype) else np.dtype(dtype).type(0).item()


def post(id: int, author: int, parent: int = -1, root: int | None = None, **more: Any) -> dict[str, Any]:
    return {"id": id, "author": author, "parent": parent, "root": id if root is None else root, **more}


def look(personas: int, post: int, source: str = "feed", step: int = 5) -> list[dict[str, Any]]:
    return [{"step": step, "persona": p, "post": post, "source": source} for p in range(personas)]
