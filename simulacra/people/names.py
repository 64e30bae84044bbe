"""Screen names in several patterns, as people choose them: quietotter, mel_draws, jo84, northside.nate, tea_and_maps.

Unique by construction, not by checking: persona i's place in its pattern goes through a keyed permutation of all combinations
of the pattern's words, and only when these are used up a number (a letter after digits) is added, as on a real platform.
So persona 17 has the same name in a population of a thousand and of a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.people.lists import Index, people
from simulacra.people.pools import Pool, to_indices, to_numbers, to_objects
from simulacra.streams import Streams

_BLOCK = 32  # of this many consecutive ids, each pattern gets its share
_SEPARATORS = ("", "_", ".", "-")
_SEPARATOR_CHANCE = (0.55, 0.83, 0.93)  # cumulative
_ODD_ONES = ("14", "18", "69", "88")  # numbers that are codes for something else
_YEARS = range(1946, 2008)


@dataclass(frozen=True)
class Pattern:
    """Word lists joined in order. `share` of 32 ids; `glue`: a fixed text between the words instead of a drawn separator."""

    share: int
    lists: tuple[str, ...]
    glue: tuple[str, ...] | None = None
    overflow: str = "numbers"


PATTERNS = (
    Pattern(9, ("adjectives", "nouns")),
    Pattern(5, ("names", "verbs")),
    Pattern(5, ("names", "digits"), overflow="letters"),
    Pattern(4, ("places", "names")),
    Pattern(4, ("names", "letters", "two_digits"), glue=("_", ""), overflow="letters"),
    Pattern(3, ("nouns", "nouns"), glue=("_and_",)),
    Pattern(2, ("prefixes", "consonants")),
)  # fmt: skip


def handles(ids: Index, female: NDArray[np.bool_], streams: Streams) -> NDArray[np.object_]:
    """Screen names of the personas with these ids, [n]; those with first names get one that goes with `female`.

    Distinct for distinct ids, whatever the case of letters.
    """
    pattern, place = _places(ids, streams)
    made, rows = [], []
    for p, spec in enumerate(PATTERNS):
        here = np.flatnonzero(pattern == p)
        made.append(_pattern_handles(spec, f"handle {p}", ids[here], place[here], female[here], streams))
        rows.append(here)
    order = np.argsort(np.concatenate(rows), kind="stable")
    return to_objects(pa.concat_arrays(made).take(to_indices(order)))


def shuffled(streams: Streams, purpose: str, numbers: Index, size: int) -> Index:
    """A keyed permutation of 0 .. size - 1, applied to numbers in that range: a four-round Feistel network that is walked
    until it lands in the range (Black and Rogaway 2002, cycle walking)."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    out = _feistel(streams, purpose, numbers, half)
    while (outside := np.flatnonzero(out >= size)).size:
        out[outside] = _feistel(streams, purpose, out[outside], half)
    return out


def _feistel(streams: Streams, purpose: str, numbers: Index, half: int) -> Index:
    mask = (1 << half) - 1
    left, right = numbers >> half, numbers & mask
    for turn in range(4):
        left, right = right, left ^ (streams.bits(purpose, turn, right).astype(np.int64) & mask)
    return (left << half) | right


def _places(ids: Index, streams: Streams) -> tuple[Index, Index]:
    """Pattern of each id, and its number among the ids of that pattern."""
    block = ids // _BLOCK
    # An odd factor and an offset permute each block, so that patterns do not repeat in step.
    factor = streams.bits("handle block", block, 0).astype(np.int64) | 1
    slot = ((ids % _BLOCK) * factor + streams.bits("handle block", block, 1).astype(np.int64)) % _BLOCK
    shares = np.array([p.share for p in PATTERNS])
    ends = np.cumsum(shares)
    pattern = np.searchsorted(ends, slot, side="right")
    return pattern, block * shares[pattern] + slot - (ends - shares)[pattern]


@cache
def _pool() -> tuple[Pool, dict[str, Index]]:
    """All words with their indices, list by list."""
    lists = {name: words.split() for name, words in people()["handles"].items() if name != "rude"}
    lists["consonants"] = [n for n in lists["nouns"] if n[0] not in "aeiou"]
    lists["letters"] = list("abcdefghjklmnprstvwxyz")
    lists["two_digits"] = [f"{n:02}" for n in range(2, 100) if f"{n:02}" not in _ODD_ONES]
    lists["digits"] = [*lists["two_digits"], *map(str, _YEARS)]
    lists["numbers"] = [*lists["two_digits"], *(str(n) for n in range(100, 1000) if n not in (420, 666))]
    lists["glue"] = [*_SEPARATORS, "_and_"]  # all strings must be in the pool before it is used
    pool = Pool()
    return pool, {name: pool.add(words) for name, words in lists.items()}


def _pattern_handles(
    spec: Pattern, purpose: str, ids: Index, place: Index, female: NDArray[np.bool_], streams: Streams
) -> pa.Array:
    pool, lists = _pool()
    sizes = [len(lists["female" if name == "names" else name]) for name in spec.lists]
    space = int(np.prod(sizes))
    which = shuffled(streams, purpose, place % space, space)
    ending = _overflow(lists[spec.overflow], which, place // space, streams)
    capital = np.where(streams.uniform("handle case", ids) < 0.25, pool.capital, 0)
    words: list[Index] = []
    for name, size in zip(spec.lists, sizes, strict=True):
        words.append(_words(lists, name, which % size, female) + capital)
        which = which // size
    if spec.glue is not None:
        return pool.join([*_woven(words, [np.full(len(ids), pool.add([text])[0]) for text in spec.glue]), ending])
    glue = pool.add(_SEPARATORS)[np.searchsorted(_SEPARATOR_CHANCE, streams.uniform("handle separator", ids))]
    return pool.join([*_woven(words, [_parted(pool, words, glue)]), ending])


def _woven(words: list[Index], glue: list[Index]) -> list[Index]:
    """Word, glue, word, glue, word."""
    return [column for pair in zip(words, glue, strict=False) for column in pair] + words[len(glue) :]


def _parted(pool: Pool, words: list[Index], glue: Index) -> Index:
    """The glue, with a separator where the words would run together into something rude."""
    rude = "|".join(people()["handles"]["rude"].split())
    found = to_numbers(pc.find_substring_regex(pool.join(words), pattern=rude, ignore_case=True))
    return np.where((glue == 0) & (found >= 0), pool.add(["_"])[0], glue)


def _words(lists: dict[str, Index], name: str, which: Index, female: NDArray[np.bool_]) -> Index:
    if name != "names":
        return lists[name][which]
    return np.where(female, lists["female"][which], lists["male"][which])


def _overflow(endings: Index, which: Index, turn: Index, streams: Streams) -> Index:
    """Nothing at the first use of a combination, then another ending at each turn. Raises ValueError when all are used up,
    which no allowed population comes near."""
    if turn.size and turn.max() > len(endings):
        raise ValueError("more personas than screen names")
    start = streams.bits("handle ending", which) >> np.uint64(1)
    again = endings[(start.astype(np.int64) + turn) % len(endings)]
    return np.where(turn == 0, 0, again)
