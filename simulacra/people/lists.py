"""Word lists from which people are made (data/people.toml), and what is known of occupations."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
RETIRED = "retired "


@cache
def people() -> dict[str, Any]:
    """The tables of data/people.toml."""
    return tomllib.loads(files("simulacra").joinpath("data/people.toml").read_text("utf-8"))


# -- occupations -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Occupations:
    """All titles, field by field. Field f owns titles[start[f]:start[f + 1]]."""

    fields: tuple[str, ...]
    titles: tuple[str, ...]
    degree: Index  # least degree of each title, 0 to 4
    start: Index  # [fields + 1]
    heads: dict[str, int]  # word -> field

    def field_of(self, work: str) -> int:
        """The field an occupation in a sketch belongs to, -1 if none is known; the last telling word decides."""
        words = re.findall(r"[a-z-]+", work.lower().replace("'s", ""))
        return next((self.heads[w] for w in reversed(words) if w in self.heads), -1)

    def degree_of(self, work: str) -> int:
        """The least degree for an occupation in a sketch: that of the same title, else the middle one of its field, else 0."""
        low = work.lower().removeprefix(RETIRED)
        if low in self.titles:
            return int(self.degree[self.titles.index(low)])
        field = self.field_of(work)
        return int(np.median(self.degree[self.start[field] : self.start[field + 1]])) if field >= 0 else 0


@cache
def occupations() -> Occupations:
    """The occupations of data/people.toml."""
    tables = people()["occupations"]
    entries = [
        entry.rpartition(" ") if entry[-1].isdigit() else (entry, "", "0") for t in tables.values() for entry in t["titles"]
    ]
    heads: dict[str, int] = {}
    for f, table in enumerate(tables.values()):
        for word in table["heads"].split():
            heads.setdefault(word, f)
    return Occupations(
        fields=tuple(tables),
        titles=tuple(title for title, _, _ in entries),
        degree=np.array([int(degree) for _, _, degree in entries], np.int64),
        start=np.concatenate([[0], np.cumsum([len(t["titles"]) for t in tables.values()])]),
        heads=heads,
    )


def with_article(noun: str) -> str:
    """`a nurse`, `an electrician`, `an HVAC tech`, `a university clerk`; "" for ""."""
    if not noun:
        return ""
    low = noun.lower()
    spelt = re.match(r"[FHLMNRSX](?:[A-Z]|-)", noun) is not None
    vowel = low[0] in "aeio8" or (low[0] == "u" and not low.startswith(("uni", "us", "ut")))
    return f"{'an' if vowel or spelt else 'a'} {noun}"
