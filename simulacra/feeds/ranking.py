"""How candidates become a slate: the k best of each reader's, and the class of feeds that are a score.

A feed of your own is a frozen dataclass with a `score` method (or any object with the methods of `seams.FeedDesign`). Its
fields are its parameters: `[feed.<name>]` in a community file, `--feed "name:parameter=value"` on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulacra.seams import Candidates, Ints, Readers, Slates, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

Scores = NDArray[np.floating[Any]]
Ties = NDArray[np.bool_] | np.float32

_INDEX_BITS = 12
_LEVELS = 2 ** (30 - _INDEX_BITS) - 2
"""Scores are rounded to this many levels between a reader's lowest and highest candidate before they are compared, so that the
last bits of a floating-point sum decide nothing."""
_BLOCKS = 80
"""Columns are dealt into so many blocks to bound the k-th best from below (k must be smaller)."""


def best_first(pool_score: Scores, own_score: Scores, candidates: Candidates, k: int) -> Slates:
    """The k best candidates of each reader: unread before read, then by score, ties to the post written last.

    pool_score: [c] where all readers agree, else [n, c]; own_score: [n, m]. Posts that a reader has looked at stay below all it
    has not; posts that are not there yet are never offered.
    """
    n, c = candidates.status.shape
    slate = np.full((n, k), -1, np.int32)
    if c:
        key = _level(pool_score) | _by_age(candidates.pool)
        key = key + ((1 - candidates.status).astype(np.int32) << 30)
        best = _largest(key, k)
        slate[:, : best.shape[1]] = np.where(best >= 0, np.sort(candidates.pool)[best & (2**_INDEX_BITS - 1)], -1)
    return _merge(slate, pool_score, own_score, candidates) if candidates.own.shape[1] else Slates(slate)


def _merge(slate: Ints, pool_score: Scores, own_score: Scores, candidates: Candidates) -> Slates:
    """The k best of a slate from the pool and of each reader's own posts."""
    k = slate.shape[1]
    post = np.hstack([slate, candidates.own])
    unread, score = np.ones(post.shape, bool), np.hstack([np.zeros(slate.shape, np.float32), own_score])
    if len(candidates.pool):
        order = np.argsort(candidates.pool)
        column = order[np.searchsorted(candidates.pool[order], np.maximum(slate, candidates.pool[order[0]]))]
        unread[:, :k] = np.take_along_axis(candidates.status, column, axis=1) == 0
        score[:, :k] = pool_score[column] if pool_score.ndim == 1 else np.take_along_axis(pool_score, column, axis=1)
    first = np.lexsort((-post, -np.round(score, 4), ~unread, post < 0), axis=1)[:, :k]
    return Slates(np.take_along_axis(post, first, axis=1))


def status_of(post: Ints, candidates: Candidates) -> NDArray[np.int8]:
    """Each cell's status among the pool's candidates [n, k]: 0 unread, 1 looked at before, 2 not there yet; -1 for what is not
    in the pool. post: [n, k]."""
    if not len(candidates.pool):
        return np.full(post.shape, -1, np.int8)
    order = np.argsort(candidates.pool)
    column = order[np.searchsorted(candidates.pool[order], post).clip(max=len(order) - 1)]
    return np.where(candidates.pool[column] == post, np.take_along_axis(candidates.status, column, axis=1), -1).astype(np.int8)


def _level(score: Scores) -> NDArray[np.int32]:
    """Scores as integers from 0 (the reader's lowest candidate) to _LEVELS (its highest), above the index bits."""
    low = score.min(axis=-1, keepdims=True)
    span = score.max(axis=-1, keepdims=True) - low
    level = score - low
    level *= _LEVELS / np.where(span > 0, span, 1)
    out = level.astype(np.int32)
    out <<= _INDEX_BITS
    return out


def _by_age(pool: Ints) -> NDArray[np.int32]:
    """Each pool post's place in order of writing: the tie-break, and the way back from a key to its post."""
    place = np.empty(len(pool), np.int32)
    place[np.argsort(pool)] = np.arange(len(pool), dtype=np.int32)
    return place


def _largest(key: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """The k largest of each row of distinct keys, descending, without sorting the rest.

    The k-th largest of the maxima of disjoint blocks is no larger than the k-th largest of all, so few others pass that bound.
    """
    n, c = key.shape
    if c <= 4 * _BLOCKS or k >= _BLOCKS:
        return np.sort(key, axis=1)[:, ::-1][:, :k]
    whole = c - c % _BLOCKS
    maxima = key[:, :whole].reshape(n, -1, _BLOCKS).max(axis=1)
    bound = np.partition(maxima, _BLOCKS - k, axis=1)[:, _BLOCKS - k, None]
    row, column = np.divmod(np.flatnonzero(key >= bound), c)
    count = np.bincount(row, minlength=n)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    few = np.full((n, int(count.max())), -(2**31), np.int32)
    few[row, place] = key[row, column]
    return np.sort(few, axis=1)[:, ::-1][:, :k]


class ScoredFeed:
    """A feed that is a score. Stateless unless a design says otherwise."""

    name: ClassVar[str]
    about: ClassVar[str]
    known: ClassVar[str] = ""
    """What the field knows of it, with the source."""
    scorer: ClassVar[str | None] = None
    """The scorer whose opinion it ranks by: its effect on toxicity is to be judged by another one."""
    watches: ClassVar[tuple[str, ...]] = ()
    """Properties of posts that the score itself looks at ("toxicity", "valence"): a comparison calls what the feed does to the
    exposure-weighted measure of such a property mechanical, not a response of people."""

    def prepare(self, world: PlatformView, step: int) -> None:
        """Nothing to learn."""

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        """How good each post is for each reader, higher is better, any finite scale.

        posts: [c] where all readers share them, [n, m] where each has its own (ids, never -1). tie: the reader follows the
        author. Returns [n, c] or [n, m], or one row for all readers where they agree.
        """
        raise NotImplementedError

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        n, c = candidates.status.shape
        score = self.score(candidates.pool, readers, candidates.tie, world, streams) if c else np.zeros(0)
        pool = np.asarray(score, np.float32)
        own = np.zeros((n, 0), np.float32)
        if candidates.own.shape[1]:
            score = self.score(np.maximum(candidates.own, 0), readers, np.float32(1), world, streams)
            own = np.broadcast_to(np.asarray(score, np.float32), candidates.own.shape)
        return best_first(pool, own, candidates, k)

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


def affinity(posts: Ints, readers: Readers, world: PlatformView) -> Scores:
    """Cosine of a reader's taste and a post's topic, [-1, 1]: [n, c] for shared posts, [n, m] for own ones."""
    vectors = world.topic_vectors[world.posts.topic[posts]]
    if posts.ndim == 1:
        return readers.taste @ vectors.T
    return np.einsum("nd,nmd->nm", readers.taste, vectors)


def age(posts: Ints, readers: Readers, world: PlatformView) -> Scores:
    """Hours since each post was written."""
    return np.float32(readers.step) - world.posts.time[posts]


def net_votes(posts: Ints, world: PlatformView) -> Scores:
    return (world.posts.up[posts] - world.posts.down[posts]).astype(np.float32)
