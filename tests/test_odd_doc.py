"""docs/odd.md lists every parameter of the behaviour model as the code has it, and no other."""

from dataclasses import fields
from pathlib import Path

import pytest

from simulacra.behaviour import Behaviour

PAGE = (Path(__file__).parent.parent / "docs" / "odd.md").read_text("utf-8")
ROWS = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}


def row(f):
    m = f.metadata
    span = f"{m['low']:g} to {m['high']:g}"
    return f"| `{f.name}` | {f.default:g} | {m['unit']} | {m['off']:g} | {span} | {m['about']} | {m['source']} |"


def test_every_parameter_stands_in_the_table_in_the_order_of_the_code():
    assert list(ROWS) == [f.name for f in fields(Behaviour)]


@pytest.mark.parametrize("f", fields(Behaviour), ids=lambda f: f.name)
def test_a_parameter_is_told_as_the_code_has_it(f):
    assert ROWS[f.name] == row(f)
    assert all(f.metadata[key] for key in ("unit", "source", "about"))
