"""docs/levers.md says of every lever what the code says: names, parameters, units, ranges, what is known, cost, failure."""

import re
from pathlib import Path

import pytest

from simulacra.analysis.measures import MECHANICAL
from simulacra.feeds import FEEDS
from simulacra.moderation import POLICIES
from simulacra.parameters import allowed, settable

DOCUMENT = (Path(__file__).parent.parent / "docs/levers.md").read_text(encoding="utf-8")
LEVERS = {**FEEDS, **POLICIES}


def section(name):
    return DOCUMENT.split(f"\n### `{name}`\n", 1)[1].split("\n#", 1)[0]


def flat(text):
    return " ".join(text.split())


def test_every_lever_is_documented_and_no_other():
    assert re.findall(r"^### `(\w+)`$", DOCUMENT, re.MULTILINE) == list(LEVERS)


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_is_documented_in_the_words_of_the_code(name):
    text, design = flat(section(name)), LEVERS[name]
    told = ["about", "known"] + (["cost", "fails"] if name in POLICIES else [])
    for attribute in told:
        assert flat(getattr(design, attribute)) in text, attribute
    assert ("**Formula.**" in text) == (name in FEEDS)
    assert "**Here.**" in text
    if name in POLICIES:
        assert ("**Scorer.** lexical" in text) == (design.scorer == "lexical")


@pytest.mark.parametrize("name", LEVERS)
def test_every_parameter_is_documented_with_default_unit_and_range(name):
    lines = [line for line in section(name).splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    parameters = settable(LEVERS[name])
    assert [row[0].strip("|` ") for row in rows] == list(parameters)
    for row, f in zip(rows, parameters.values(), strict=True):
        assert [row[2], row[4]] == [f.metadata["unit"], f.metadata["about"]]
        if f.metadata["kind"] == "number":
            assert float(row[1]) == f.default and row[3] == allowed(f)
        elif f.metadata["kind"] in ("switch", "feed"):
            assert row[1].strip("`") == str(f.default).lower()


def test_what_each_class_of_lever_moves_by_itself_is_documented():
    for lever in {design.lever for design in POLICIES.values()}:
        row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| {lever} |"))
        names, moved = (cell.strip() for cell in row.strip("|").split("|")[1:])
        assert names.split(", ") == [name for name, design in POLICIES.items() if design.lever == lever]
        assert set(moved.split(", ")) - {"nothing"} == MECHANICAL[lever]
