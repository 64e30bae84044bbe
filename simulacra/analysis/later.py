"""The tables of a run as if its measured time began later, so that every measure can be taken of what came after a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.analysis.measures import EventTables


class Later:
    """Event tables whose step 0 is `start` of the given ones: what happened before counts as burn-in.

    Whoever arrived before `start` is an old hand; otherwise the tables are the same. Days are counted from `start`.
    """

    def __init__(self, tables: EventTables, start: int) -> None:
        self._tables, self._start = tables, start

    def arrow(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> pa.Table:
        """As `frames.Frames.arrow`."""
        clock = "arrival" if name == "personas" else "step"
        asked = list(columns) if columns is not None else None
        if asked is None or clock in asked:
            return self._moved(name, clock, self._tables.arrow(name, True, asked), burn_in)
        return self._moved(name, clock, self._tables.arrow(name, True, [*asked, clock]), burn_in).select(asked)

    def _moved(self, name: str, clock: str, table: pa.Table, burn_in: bool) -> pa.Table:
        import pyarrow as pa

        step = table[clock].to_numpy().astype(np.int32) - np.int32(self._start)
        moved = table.set_column(table.column_names.index(clock), clock, pa.array(step, pa.int32()))
        return moved if burn_in or name == "personas" else moved.filter(pa.array(step >= 0))
