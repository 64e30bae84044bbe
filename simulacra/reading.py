"""Threads as people read them: from the tables of a run to trees of posts with their authors, votes, readers and fate.

Used by `simulacra show` and `simulacra demo`; it decides nothing about looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.record.frames import Frames

Array = NDArray[Any]

_COLUMNS = ("id", "step", "author", "parent", "root", "act", "topic", "text", "toxicity", "valence", "truth")


@dataclass
class PostView:
    """One post as a reader finds it, with the replies below it in order of writing."""

    id: int
    step: int  # simulated hour; negative in burn-in
    author: str  # handle
    act: str
    topic: str
    text: str
    toxicity: float
    valence: float
    truth: str  # which kind of rule it breaks, "none"
    up: int
    down: int
    readers: int  # impressions
    removed_by: str = ""  # policy, "" while it stands
    replies: list[PostView] = field(default_factory=list)

    @property
    def day(self) -> int:
        return self.step // 24 + 1

    def count(self) -> int:
        """Posts of this subtree, itself included."""
        waiting, found = [self], 0
        while waiting:
            waiting += waiting.pop().replies
            found += 1
        return found


def threads(frames: Frames, roots: Iterable[int]) -> list[PostView]:
    """The threads with those opening posts, in that order; ids that open no thread are passed over."""
    wanted = list(dict.fromkeys(roots))
    posts = _rows_with(frames.arrow("posts", burn_in=True, columns=_COLUMNS), "root", wanted)
    ids = posts.column("id").to_pylist()
    views = {view.id: view for view in _views(frames, posts, ids)}
    parents = dict(zip(ids, posts.column("parent").to_pylist(), strict=True))
    for post in sorted(views):
        if parents[post] in views:
            views[parents[post]].replies.append(views[post])
    return [views[root] for root in wanted if root in views and parents[root] < 0]


def notable_threads(frames: Frames, count: int = 3) -> list[int]:
    """Opening posts of threads worth reading: the longest, the most read, the most heated, then further long ones.

    Only threads opened in the measured days. Fewer than `count`, down to [], where there are fewer threads.
    """
    posts = frames.arrow("posts", columns=("id", "root", "parent", "toxicity"))
    opened = _column(posts, "id")[_column(posts, "parent") < 0]
    if not len(opened):
        return []
    place = np.searchsorted(opened, _column(posts, "root"))
    inside = (place < len(opened)) & (opened[np.minimum(place, len(opened) - 1)] == _column(posts, "root"))
    size = np.bincount(place[inside], minlength=len(opened))
    heat = np.bincount(place[inside], _column(posts, "toxicity")[inside], len(opened))
    seen = np.bincount(np.maximum(_column(frames.arrow("impressions", columns=("post",)), "post"), 0), minlength=opened[-1] + 1)
    longest = opened[np.lexsort((opened, -size))]
    talked = size >= 2  # a lone post is no thread to read
    best = [longest[0], _best(opened, seen[opened] * talked), _best(opened, heat * talked)]
    return [int(root) for root in dict.fromkeys([*best, *longest])][:count]


def matched_threads(a: Frames, b: Frames) -> tuple[int, int] | None:
    """The opening posts of the thread that both arms of a replicate have and answered most (where they answered it less).

    Arms share chances, so the same person often opens the same thread in the same hour: matched are author, hour and words.
    None where the arms have no such thread with a reply in both.
    """
    openings = [_openings(frames) for frames in (a, b)]
    both = [(min(openings[0][key][1], openings[1][key][1]), key) for key in openings[0].keys() & openings[1].keys()]
    if not both or max(both)[0] < 1:
        return None
    # The largest of the smaller sizes; among equals the earliest, so that the choice is the same every time.
    key = min(key for size, key in both if size == max(both)[0])
    return openings[0][key][0], openings[1][key][0]


def _openings(frames: Frames) -> dict[tuple[int, int, str], tuple[int, int]]:
    """(step, author, text) of each thread opened in the measured days -> its id and the number of its replies."""
    posts = frames.arrow("posts", columns=("id", "step", "author", "parent", "root", "text"))
    root, reply = _column(posts, "root"), _column(posts, "parent") >= 0
    replies = np.bincount(root[reply], minlength=int(root.max()) + 1 if len(root) else 0)
    rows = np.flatnonzero(~reply)
    columns = [posts.column(name).take(rows).to_pylist() for name in ("step", "author", "text", "id")]
    return {(s, a, t): (i, int(replies[i])) for s, a, t, i in zip(*columns, strict=True)}


def _views(frames: Frames, posts: pa.Table, ids: Sequence[int]) -> list[PostView]:
    handles = frames.arrow("personas", columns=("handle",)).column("handle").take(_column(posts, "author")).to_pylist()
    reactions = _rows_with(frames.arrow("reactions", burn_in=True, columns=("post", "reaction")), "post", ids)
    votes = {value: _tally(reactions.filter(_equals(reactions, "reaction", value)), ids) for value in (1, -1)}
    readers = _tally(_rows_with(frames.arrow("impressions", burn_in=True, columns=("post",)), "post", ids), ids)
    removed = _removals(frames, ids)
    names = ("id", "step", "act", "topic", "text", "toxicity", "valence", "truth")
    rows = zip(*(posts.column(name).to_pylist() for name in names), strict=True)
    return [
        PostView(id, step, handle, act, topic, text, toxicity, valence, truth, up, down, seen, removed.get(id, ""))
        for (id, step, act, topic, text, toxicity, valence, truth), handle, up, down, seen in zip(
            rows, handles, votes[1], votes[-1], readers, strict=True
        )
    ]


def _removals(frames: Frames, ids: Sequence[int]) -> dict[int, str]:
    rulings = _rows_with(frames.arrow("rulings", burn_in=True, columns=("post", "policy", "action")), "post", ids)
    columns = (rulings.column(name).to_pylist() for name in ("post", "policy", "action"))
    return {post: policy for post, policy, action in zip(*columns, strict=True) if action == "remove"}


def _tally(table: pa.Table, ids: Sequence[int]) -> list[int]:
    """How many rows each post has, in the order of ids."""
    found, counts = np.unique(_column(table, "post"), return_counts=True)
    known = dict(zip(found.tolist(), counts.tolist(), strict=True))
    return [known.get(post, 0) for post in ids]


def _rows_with(table: pa.Table, name: str, values: Sequence[int]) -> pa.Table:
    return table.filter(np.isin(_column(table, name), list(values)))


def _equals(table: pa.Table, name: str, value: int) -> Array:
    return _column(table, name) == value


def _best(opened: Array, score: Array) -> int:
    return int(opened[np.argmax(score)])


def _column(table: pa.Table, name: str) -> Array:
    return table.column(name).to_numpy()
