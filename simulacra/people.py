"""Word lists from which people are made (data/people.toml), as pools of strings that are joined in bulk by index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Index = NDArray[np.int64]
RETIRED = "retired "


@cache
def people() -> dict[str, Any]:
    """The tables of data/people.toml."""
    return tomllib.loads(files("simulacra").joinpath("data/people.toml").read_text("utf-8"))


class Pool:
    """Strings by index. `add` gives the indices of new ones; index + `capital` is the same string with a capital first letter."""

    def __init__(self) -> None:
        self._strings: list[str] = [""]
        self._at: dict[str, int] = {"": 0}

    def copy(self) -> Pool:
        """A pool that can grow apart from this one; indices stay valid."""
        other = Pool()
        other._strings, other._at = list(self._strings), dict(self._at)
        return other

    def add(self, strings: Sequence[str]) -> Index:
        """Indices of the strings, [len(strings)]; a string that is there already keeps its index."""
        for string in strings:
            if string not in self._at:
                self._at[string] = len(self._strings)
                self._strings.append(string)
        return np.array([self._at[string] for string in strings], np.int64)

    @property
    def capital(self) -> int:
        """What to add to an index once all strings are in."""
        return len(self._strings)

    def join(self, pieces: Sequence[Index]) -> pa.Array:
        """Rows of concatenated strings: pieces are index columns of equal length."""
        strings = pa.array([*self._strings, *(s[:1].upper() + s[1:] for s in self._strings)])
        return pc.binary_join_element_wise(*(strings.take(pa.array(p.astype(np.int32))) for p in pieces), "")


def to_objects(strings: pa.Array) -> NDArray[np.object_]:
    """A pyarrow string array as a numpy array of str."""
    objects: NDArray[np.object_] = strings.to_numpy(zero_copy_only=False)
    return objects


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
    """`a nurse`, `an electrician`, `an HVAC tech`, `a university clerk`."""
    low = noun.lower()
    spelt = noun.split()[0].isupper() and len(noun.split()[0]) > 1 and low[0] in "fhlmnrsx"
    vowel = low[0] in "aeio8" or (low[0] == "u" and not low.startswith(("uni", "us", "ut")))
    return f"{'an' if vowel or spelt else 'a'} {noun}"
