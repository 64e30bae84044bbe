"""Strings joined in bulk: pools of strings by index, and pyarrow's string kernels over them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.people.lists import Index


class Pool:
    """Strings by index. Index + `capital` is the same string with a capital first letter."""

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
        strings = to_strings([*self._strings, *(s[:1].upper() + s[1:] for s in self._strings)])
        nothing = strings[0]
        return pc.binary_join_element_wise(*(strings.take(to_indices(piece)) for piece in pieces), nothing)


# By buffers, since pyarrow's own conversions from and to Python and numpy import pandas (.35 s).


def to_strings(strings: Sequence[str]) -> pa.Array:
    """A pyarrow string array of str."""
    encoded = [s.encode() for s in strings]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(e) for e in encoded], out=ends[1:])
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def to_indices(numbers: NDArray[np.integer[Any]]) -> pa.Array:
    """A pyarrow index array, for `take`."""
    return pa.Array.from_buffers(pa.int32(), len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers, np.int32))])


def to_numbers(indices: pa.Array) -> NDArray[np.int32]:
    """A pyarrow int32 array without nulls as a numpy array."""
    return np.frombuffer(indices.buffers()[1], np.int32, len(indices), 4 * indices.offset)


def to_objects(strings: pa.Array) -> NDArray[np.object_]:
    """A pyarrow string array without nulls as a numpy array of str."""
    _, ends, content = strings.buffers()
    bounds = np.frombuffer(ends, np.int32, len(strings) + 1, 4 * strings.offset).tolist()
    data = content.to_pybytes() if content else b""
    objects = np.empty(len(strings), object)
    objects[:] = [data[low:high].decode() for low, high in pairwise(bounds)]
    return objects
