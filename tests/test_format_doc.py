import re
from pathlib import Path

import pytest
from sample_runs import finished_run

from simulacra.events import LABELS, TABLES

DOCUMENT = (Path(__file__).parent.parent / "docs/format.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, its two head rows left out."""
    section = DOCUMENT.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented_as_it_is_defined(table):
    assert rows(f"### `{table}`") == [[f"`{column.name}`", column.dtype, column.about] for column in TABLES[table]]


def test_no_table_is_documented_that_does_not_exist():
    assert re.findall(r"^### `(\w+)`$", DOCUMENT, re.MULTILINE) == list(TABLES)


def test_every_label_is_documented():
    documented = {name.strip("`"): labels for name, labels in rows("## Words and units")}
    assert {name: ", ".join(labels) for name, labels in LABELS.items()}.items() <= documented.items()
    assert {"topics", "policies"} <= documented.keys()


def test_files_hold_what_is_documented_of_them(tmp_path):
    run = finished_run(tmp_path)
    assert [row[0].strip("`") for row in rows("## `personas.parquet`")] == run.personas().column_names
    keys = {key for row in rows("## `run.json`") for key in re.findall(r"`(\w+)`", row[0])}
    assert keys == run.info.keys()
