"""Profile lines: a line a persona might have written about itself, joined from its work, age, interests, temper and habits.

Two to four clauses, each a template of data/people.toml chosen by who the persona is, filled with its own facts. All rows are
made at once by indices into one pool of strings; every choice is keyed by the persona's id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.people.lists import Index, people, with_article
from simulacra.people.pools import Pool, to_indices, to_objects
from simulacra.streams import Streams

_SLOT = re.compile(r"\{(\w+)\}")
_DRAWN = {
    "pet": "pets",
    "hobby": "hobbies",
    "doing": "doing",
    "when": "when",
    "drink": "drinks",
    "skill": "skills",
    "count": "counts",
}
_OWN = ("work", "a_work", "age", "years", "since", "topic", "topic2")
_TEMPERS = ("sunny", "sour", "worried", "calm", "loud", "silent", "neat", "open", "long_writer", "short_writer")
_LISTS = ("who", "retired", "young", "topic", "home", "family", "elder", "free", *_TEMPERS)
_CLAUSES = 4
_COUNT_CHANCE = (0.35, 0.82)  # cumulative: two clauses, three; else four
# who, topic, home, free, temper: log odds of coming early and so of being there at all
_KINDS = np.log(np.array([5.0, 1.5, 1.0, 1.7, 1.3]))
_SEPARATORS = (". ", ". ", ". ", ", ", " / ", " | ", "; ", " · ", " - ", ". ")
_LOWER, _EMOJI = 0.2, 0.35  # below, a persona writes no capitals; above, it ends its profile with an emoji
_THIS_YEAR = 2026  # for years of birth


class Facts(NamedTuple):
    """What profile lines are made of, one row a persona."""

    ids: Index
    age: Index
    works: Sequence[str]  # all occupations, without "retired"
    work: Index  # [n] index into works
    is_retired: NDArray[np.bool_]
    topics: Sequence[str]
    first: Index  # [n] topic it cares about most
    second: Index
    temper: NDArray[np.float64]  # [n, 10] z scores in the order of _TEMPERS: how much each line of temper is its own
    capitals: NDArray[np.float32]
    punctuation: NDArray[np.float32]
    emoji: NDArray[np.float32]


@dataclass(frozen=True)
class _Templates:
    """All templates as pieces: text, slot, text, slot, text. Slots are numbers: 0 none, then _OWN, then _DRAWN."""

    pool: Pool
    start: dict[str, int]  # list -> first template
    count: dict[str, int]
    text: Index  # [t, 3] string indices
    slot: Index  # [t, 2]
    drawn_start: Index  # [slots] first string of a drawn slot's list
    drawn_count: Index  # [slots] 0 for slots that are the persona's own


def bios(facts: Facts, streams: Streams) -> NDArray[np.object_]:
    """One profile line a persona, [n] of str, never empty."""
    templates = _templates()
    pool, own = _own_strings(templates.pool, facts)
    lists = _clause_lists(facts, streams)
    wanted = 2 + np.searchsorted(_COUNT_CHANCE, streams.uniform("bio clauses", facts.ids))
    style = streams.integers(len(_SEPARATORS), "bio separator", facts.ids)
    stops = np.array([s == ". " for s in _SEPARATORS])[style]
    separator = pool.add(_SEPARATORS)[style]
    emoji, ending = _endings(pool, facts, stops, streams)
    columns: list[Index] = []
    for position in range(_CLAUSES):
        here = position < wanted
        if position:
            columns.append(np.where(here, separator, 0))
        pieces = _clause(templates, own, lists[:, position], position, facts.ids, streams)
        is_first = stops if position else np.ones(len(facts.ids), bool)
        columns += [np.where(here, piece, 0) for piece in _capitalised(pieces, is_first, pool.capital)]
    return _in_style(pool.join([*columns, ending, emoji]), facts.capitals < _LOWER)


# -- templates -------------------------------------------------------------------------------------------------------------


@cache
def _templates() -> _Templates:
    lines, pool = people()["bios"], Pool()
    slots = ("", *_OWN, *_DRAWN)
    drawn = [pool.add(lines[_DRAWN[slot]]) if slot in _DRAWN else np.zeros(0, np.int64) for slot in slots]
    start: dict[str, int] = {}
    texts: list[Index] = []
    marks: list[list[int]] = []
    for name in _LISTS:
        start[name] = len(texts)
        for line in lines[name]:
            parts = [*_SLOT.split(line), "", "", "", ""][:5]
            texts.append(pool.add(parts[::2]))
            marks.append([slots.index(part) for part in parts[1::2]])
    pool.add([*_SEPARATORS, ".", "!", "...", *(" " + e for e in lines["emoji"])])
    return _Templates(
        pool, start, {name: len(lines[name]) for name in _LISTS}, np.array(texts), np.array(marks),
        np.array([d[0] if len(d) else 0 for d in drawn]), np.array([len(d) for d in drawn]),
    )  # fmt: skip


def _own_strings(shared: Pool, facts: Facts) -> tuple[Pool, Index]:
    """A pool with this community's strings, and the index of each own slot's string, [1 + own slots, n]."""
    pool = shared.copy()
    works = pool.add(facts.works)
    a_works = pool.add([with_article(w) for w in facts.works])
    numbers = pool.add([str(n) for n in range(121)])
    since = pool.add([str(_THIS_YEAR - n) for n in range(121)])
    topics = pool.add(facts.topics)
    years = np.clip((facts.age - 20) * 2 // 3, 1, 45)
    rows = (works[facts.work], a_works[facts.work], numbers[facts.age], numbers[years], since[facts.age],
            topics[facts.first], topics[facts.second])  # fmt: skip
    return pool, np.stack([np.zeros(len(facts.ids), np.int64), *rows])


# -- clauses ---------------------------------------------------------------------------------------------------------------


def _clause_lists(facts: Facts, streams: Streams) -> Index:
    """Which list (number in _LISTS) each clause is drawn from, [n, 4], best first, no list twice."""
    scores = _KINDS + streams.gumbel("bio kinds", facts.ids[:, None], np.arange(len(_KINDS)))
    order = np.argsort(-scores, axis=1)[:, :_CLAUSES]
    chosen = np.stack([_who(facts), np.full(len(facts.ids), _LISTS.index("topic")), _home(facts, streams),
                       np.full(len(facts.ids), _LISTS.index("free")), _temper(facts, streams)], axis=1)  # fmt: skip
    return np.take_along_axis(chosen, order, axis=1)


def _who(facts: Facts) -> Index:
    return np.where(facts.is_retired, _LISTS.index("retired"), np.where(facts.age < 25, _LISTS.index("young"), 0))


def _home(facts: Facts, streams: Streams) -> Index:
    u = streams.uniform("bio home", facts.ids)
    family = (facts.age >= 28) & (facts.age < 60) & (u < 0.45)
    elder = (facts.age >= 62) & (u < 0.45)
    return np.where(family, _LISTS.index("family"), np.where(elder, _LISTS.index("elder"), _LISTS.index("home")))


def _temper(facts: Facts, streams: Streams) -> Index:
    noise = streams.gumbel("bio temper", facts.ids[:, None], np.arange(len(_TEMPERS)))
    return _LISTS.index("sunny") + np.argmax(facts.temper + 0.4 * noise, axis=1)


def _clause(t: _Templates, own: Index, lists: Index, position: int, ids: Index, streams: Streams) -> list[Index]:
    """The five pieces of one clause: text, slot, text, slot, text."""
    starts, counts = (np.array([table[name] for name in _LISTS]) for table in (t.start, t.count))
    line = starts[lists] + streams.integers(counts[lists], "bio line", ids, position)
    pieces = [t.text[line, 0]]
    for gap in range(2):
        slot = t.slot[line, gap]
        which = streams.integers(np.maximum(t.drawn_count[slot], 1), "bio slot", ids, 2 * position + gap)
        mine = own[np.minimum(slot, len(own) - 1), np.arange(len(ids))]
        pieces += [np.where(t.drawn_count[slot] > 0, t.drawn_start[slot] + which, mine), t.text[line, gap + 1]]
    return pieces


def _capitalised(pieces: list[Index], where: NDArray[np.bool_], capital: int) -> list[Index]:
    """A capital on the first piece that is not empty, in the rows of `where`."""
    out, todo = [], where.copy()
    for piece in pieces:
        now = todo & (piece != 0)
        out.append(np.where(now, piece + capital, piece))
        todo &= ~now
    return out


# -- style -----------------------------------------------------------------------------------------------------------------


def _endings(pool: Pool, facts: Facts, stops: NDArray[np.bool_], streams: Streams) -> tuple[Index, Index]:
    """An emoji for those who use them, and a final mark after sentences."""
    emojis = pool.add([" " + e for e in people()["bios"]["emoji"]])
    emoji = emojis[streams.integers(len(emojis), "bio emoji", facts.ids)]
    dot, bang, dots = pool.add([".", "!", "..."])
    u = streams.uniform("bio end", facts.ids)
    loud = np.where(u < 0.7, bang, dots)
    mark = np.where(facts.punctuation > 0.7, loud, np.where((facts.punctuation > 0.25) & (u < 0.6), dot, 0))
    return np.where(facts.emoji > _EMOJI, emoji, 0), np.where(stops, mark, 0)


def _in_style(lines: pa.Array, is_lower: NDArray[np.bool_]) -> NDArray[np.object_]:
    out = to_objects(lines)
    lower = np.flatnonzero(is_lower)
    out[lower] = to_objects(pc.utf8_lower(lines.take(to_indices(lower))))
    return out
