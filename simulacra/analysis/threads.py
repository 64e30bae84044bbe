"""How threads grow: their sizes and depths, and how far these are from a forum's."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from simulacra.analysis.facts import NAN, Array, Facts, gini, mean, median, top_share
from simulacra.errors import SpecError
from simulacra.streams import Streams

SIZE_BINS = (0, 1, 2, 3, 4, 6, 9, 14)
"""Lowest number of replies of each bin of the thread-size histogram: 0, 1, 2, 3, 4-5, 6-8, 9-13, 14 and more."""
DEEPEST = 11
"""Depths of replies are counted 1, 2, ... 10, and 11 or more."""
_FLOOR_DRAWS = 400


def zero_reply_share(facts: Facts) -> float:
    """Threads without a single reply, [0, 1] (forums: .13 and .28); NaN without threads. S6."""
    return mean(facts.thread_sizes == 0)


def thread_size_mean(facts: Facts) -> float:
    """Replies per thread, mean, >= 0 (forums: 4.1 and 6.3); NaN without threads. S7."""
    return mean(facts.thread_sizes)


def thread_size_median(facts: Facts) -> float:
    """Replies per thread, median, >= 0 (forums: 2 and 3); NaN without threads. S7."""
    return median(facts.thread_sizes)


def thread_size_p90(facts: Facts) -> float:
    """Replies that a tenth of threads exceed, >= 0 (forums: 9 and 16); NaN without threads. S7."""
    return float(np.percentile(facts.thread_sizes, 90)) if len(facts.thread_sizes) else NAN


def thread_size_gini(facts: Facts) -> float:
    """Gini of replies per thread, those without any included, [0, 1] (forums: .57 and .68); NaN without replies. S7."""
    return gini(facts.thread_sizes)


def thread_top10_share(facts: Facts) -> float:
    """Replies that the largest tenth of threads hold, as a share of all, [0, 1] (forums: .41 and .48); NaN without replies. S7."""
    return top_share(facts.thread_sizes, 0.1)


def depth_mean(facts: Facts) -> float:
    """Depth of replies, mean, >= 1: 1 answers the opening post (forums: 2.4 to 3.1); NaN without replies. S9."""
    return mean(facts.posts.depth[facts.replies])


def depth1_share(facts: Facts) -> float:
    """Replies that answer the opening post itself, [0, 1] (forums: .26 to .43); NaN without replies. S9."""
    return mean(facts.posts.depth[facts.replies] == 1)


def depth_max_mean(facts: Facts) -> float:
    """Depth of a thread's deepest reply, mean over threads with replies, >= 1 (forums: 3.3 to 8.0); NaN without any. S9."""
    deepest = np.zeros(len(facts.posts.id), np.int64)
    np.maximum.at(deepest, facts.root_row[facts.replies], facts.posts.depth[facts.replies])
    return mean(deepest[facts.opened][facts.thread_sizes > 0])


def leaf_share(facts: Facts) -> float:
    """Replies that get no reply themselves, [0, 1] (forums: .50 to .57); NaN without replies. S11."""
    return mean(_children(facts)[facts.replies] == 0)


def children_per_reply(facts: Facts) -> float:
    """Replies to each reply, mean, >= 0; under 1 a conversation dies out by itself (forums: .58 to .74); NaN without replies. S11."""
    return mean(_children(facts)[facts.replies])


def ping_pong_share(facts: Facts) -> float:
    """Replies at depth 3 and more whose author wrote the post before the last, and not the last (A answers B answers A), [0, 1]
    (forums: .36 and .53); NaN without such depth. S12."""
    posts, parent = facts.posts, facts.parent_row
    row = facts.replies[posts.depth[facts.replies] >= 3]
    before = parent[row]
    back = posts.author[parent[before]] == posts.author[row]
    return mean(back & (posts.author[before] != posts.author[row]))


def starter_reply_share(facts: Facts) -> float:
    """Replies written by the member who opened the thread, [0, 1] (forums: .34); NaN without replies. S12."""
    author = facts.posts.author
    return mean(author[facts.replies] == author[facts.root_row[facts.replies]])


class Distance(NamedTuple):
    """How far a histogram lies from a forum's."""

    tvd: float  # total variation distance, [0, 1]: the share that would have to move to another bin
    floor: float  # how far a second sample of as many threads of the same community would lie, at most in 95 of 100
    threads: int


def size_histogram(facts: Facts) -> Array:
    """[8] share of threads with 0, 1, 2, 3, 4-5, 6-8, 9-13, 14 and more replies; NaN without threads."""
    return _shares(_size_rows(facts))


def depth_histogram(facts: Facts) -> Array:
    """[11] share of replies at depth 1, 2, ... 10, 11 and more; NaN without replies."""
    return _shares(_depth_rows(facts))


def size_distance(facts: Facts, forum: str = "slicer") -> Distance:
    """Thread sizes against a forum's (slicer, delving); a quarter of one forum against the next: .075. NaN without threads. S8."""
    return _distance(_size_rows(facts), reference(forum)["retest"]["hist_all"])


def depth_distance(facts: Facts, forum: str = "delving") -> Distance:
    """Depths of replies against a forum's (delving, barrapunto, meneame_2015_03); forums among each other: .09 to .17. NaN without
    replies. S10."""
    return _distance(_depth_rows(facts), reference(forum)["depth"]["hist_1_to_10plus"])


def size_tvd(facts: Facts) -> float:
    """Total variation distance of thread sizes to those of a support forum, [0, 1], 0 alike (`size_distance`); NaN without
    threads. S8."""
    return size_distance(facts).tvd


def depth_tvd(facts: Facts) -> float:
    """Total variation distance of reply depths to those of a technical forum, [0, 1], 0 alike (`depth_distance`); NaN without
    replies. S10."""
    return depth_distance(facts).tvd


@cache
def _forums() -> dict[str, Any]:
    text = (files("simulacra") / "data" / "reference" / "forums.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def reference(forum: str) -> dict[str, Any]:
    """Aggregates of a public forum archive. Raises SpecError for an unknown one."""
    known = _forums()["forums"]
    if forum not in known:
        raise SpecError(f"No reference forum {forum[:40]!r}. Known: {', '.join(known)}.")
    found: dict[str, Any] = known[forum]
    return found


def _children(facts: Facts) -> Array:
    """[posts] direct replies in the measured days."""
    return np.bincount(facts.parent_row[facts.replies], minlength=len(facts.posts.id))


def _size_rows(facts: Facts) -> Array:
    """[threads, 8] one-hot: the bin of each thread's size."""
    place = np.searchsorted(SIZE_BINS, facts.thread_sizes, side="right") - 1
    return np.eye(len(SIZE_BINS))[place]


def _depth_rows(facts: Facts) -> Array:
    """[threads, 11] replies at each depth of each thread opened in the measured days."""
    place = np.full(len(facts.posts.id), -1)
    place[facts.opened] = np.arange(len(facts.opened))
    thread = place[facts.root_row[facts.replies]]
    depth = np.minimum(facts.posts.depth[facts.replies], DEEPEST) - 1
    rows = np.zeros((len(facts.opened), DEEPEST))
    np.add.at(rows, (thread[thread >= 0], depth[thread >= 0]), 1)
    return rows


def _shares(rows: Array) -> Array:
    total = rows.sum()
    found: Array = rows.sum(axis=0) / total if total else np.full(rows.shape[1], NAN)
    return found


def _distance(rows: Array, other: Array) -> Distance:
    """rows: [threads, bins]. The floor resamples whole threads (Bayesian bootstrap, Rubin 1981): replies of one thread are alike."""
    shares = _shares(rows)
    if not len(rows) or not np.isfinite(shares).all():
        return Distance(NAN, NAN, len(rows))
    against = np.asarray(other) / np.sum(other)
    weights = Streams(0).exponential("floor", np.arange(_FLOOR_DRAWS)[:, None], np.arange(len(rows))[None])
    again = weights @ rows
    again /= again.sum(axis=1, keepdims=True)
    floor = np.percentile(np.abs(again - shares).sum(axis=1) / 2, 95)
    return Distance(float(np.abs(shares - against).sum() / 2), float(floor), len(rows))
