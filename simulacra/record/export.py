"""Handing a run on: as CSV, as Parquet, as one zip file, or as a ConvoKit corpus."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulacra.errors import RecordError, SpecError
from simulacra.events import TABLES
from simulacra.record.bundle import write_bundle
from simulacra.record.corpus import write_corpus
from simulacra.record.durable import TEMPORARY, disk_errors, promote
from simulacra.record.frames import Frames
from simulacra.record.runs import RunFolder

Format = Literal["csv", "parquet", "zip", "convokit"]

_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_FORMULA = r"^'*(?:[\pZ\pC]*[=+\-@＝＋－＠]|[\t\r\n])"
"""What a spreadsheet may take for a formula: a leading = + - @ (also full width), whatever blanks or invisible characters come
before it, or a leading tab or line break. Leading apostrophes are part of the pattern so that neutralising can be undone."""


def export_run(run: RunFolder, to: Format, out: Path | str, burn_in: bool = False) -> Path:
    """Write the run elsewhere; the run itself is only read. Returns the path written.

    to: "csv" and "parquet" give a folder with one file a table and `personas`; "zip" the whole run folder in one file, which
    `bundle.import_bundle` takes in again; "convokit" a corpus folder (always with burn-in, since replies reach back to it).
    out: the file or folder to make. burn_in: whether csv and parquet hold the unmeasured days too (day -1 and 0).
    Raises SpecError on an unknown format, RecordError where `out` exists or cannot be written; nothing is left behind then.
    """
    out, frames = Path(out), run.frames()
    writers: dict[str, Callable[[Path], None]] = {
        "csv": lambda path: write_csv(frames, path, burn_in),
        "parquet": lambda path: write_parquet(frames, path, burn_in),
        "zip": lambda path: write_bundle(run, path),
        "convokit": lambda path: write_corpus(run, path),
    }
    if to not in writers:
        raise SpecError(f"Unknown export format {str(to)[:40]!r}. Known: {', '.join(get_args(Format))}.")
    with _new(out) as temporary:
        writers[to](temporary)
    return out


@contextmanager
def _new(out: Path) -> Iterator[Path]:
    """A temporary path beside `out` that takes its name if all goes well and vanishes if not."""
    temporary = out.with_name(TEMPORARY + out.name)
    with disk_errors(out):
        if out.exists():
            raise RecordError(f"{out}: exists already. Name another place, or remove it first.")
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            promote(temporary, out)
        finally:
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)


# -- tables ----------------------------------------------------------------------------------------------------------------


def write_parquet(frames: Frames, folder: Path, burn_in: bool) -> None:
    """One Parquet file a table over all days, with the column `day`."""
    folder.mkdir()
    for name in TABLES:
        with pq.ParquetWriter(folder / f"{name}.parquet", frames.schema(name), compression="zstd") as writer:
            for part in frames.daily(name, burn_in):
                writer.write_table(part)
    pq.write_table(frames.arrow("personas"), folder / "personas.parquet", compression="zstd")


def write_csv(frames: Frames, folder: Path, burn_in: bool) -> None:
    """One CSV file a table, UTF-8 with a header; text is made safe by `safe_for_spreadsheets`."""
    from pyarrow import csv

    folder.mkdir()
    for name in TABLES:
        with csv.CSVWriter(folder / f"{name}.csv", safe_for_spreadsheets(frames.schema(name).empty_table()).schema) as writer:
            for part in frames.daily(name, burn_in):
                writer.write_table(safe_for_spreadsheets(part))
    csv.write_csv(safe_for_spreadsheets(_spread_interests(frames)), folder / "personas.csv")


def safe_for_spreadsheets(table: pa.Table) -> pa.Table:
    """The table with its text made harmless: a cell that a spreadsheet could take for a formula gets an apostrophe in front,
    control characters other than tab and line break become U+FFFD. Numbers stay as they are.

    To undo the apostrophes: remove one where a cell matches `_FORMULA` after it.
    """
    for i, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            table = table.set_column(i, field.name, _safe_text(table[field.name].cast(pa.string())))
    return table


def _safe_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    cleaned = pc.replace_substring_regex(column, pattern=_CONTROLS, replacement="\ufffd")
    quoted = pc.binary_join_element_wise("'", cleaned, "")
    return pc.if_else(pc.match_substring_regex(column, pattern=_FORMULA), quoted, cleaned)


def _spread_interests(frames: Frames) -> pa.Table:
    """personas with one column a topic, `interests.<topic>`, in place of the list."""
    table, topics = frames.arrow("personas"), frames.topics
    interests = table["interests"].combine_chunks()
    width = interests.type.list_size
    values = interests.flatten().to_numpy().reshape(len(interests), width)
    place = table.column_names.index("interests")
    table = table.remove_column(place)
    names = topics if len(topics) == width else tuple(map(str, range(width)))
    for i, topic in reversed(list(enumerate(names))):
        table = table.add_column(place, f"interests.{topic}", pa.array(values[:, i]))
    return table
