"""docs/measures.md says of every measure what the code says, and of none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulacra.analysis.measures import ALL
from simulacra.analysis.segments import SEGMENTED, SEGMENTS
from simulacra.scoring.heads import EMOTIONS
from simulacra.scoring.sidecar import KNOWN

PAGE = (Path(__file__).parent.parent / "docs" / "measures.md").read_text("utf-8")
ROWS = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| `")]
TOLD = {row[0].strip("`"): row for row in ROWS if len(row) == 6}


def test_every_measure_is_documented_once_and_no_other() -> None:
    assert sorted(TOLD) == sorted(ALL)
    assert len(ROWS) == len(ALL) + len(SEGMENTS)


@pytest.mark.parametrize("name", list(ALL))
def test_a_measure_is_documented_in_the_words_of_the_code(name: str) -> None:
    m, (_, about, unit, better, judge, caveat) = ALL[name], TOLD[name]
    assert (about.replace("\\|", "|"), unit, better, judge) == (m.about, m.unit, m.direction, m.scorer or "counted")
    assert len(caveat) > 10


def test_kinds_scorers_and_emotions_are_documented() -> None:
    kinds = {row[0].strip("`"): row[1] for row in ROWS if len(row) == 2}
    assert kinds == {name: kind.about for name, kind in SEGMENTS.items()}
    assert f"Taken so: {', '.join(f'`{name}`' for name in SEGMENTED)}." in PAGE
    assert all(f"`{name}`" in PAGE for name in EMOTIONS) and all(name in PAGE for name in KNOWN)
