"""Feed designs: how candidates become a slate. A design gives each post a score for a reader; `ScoredFeed.rank` does the rest.

A feed of your own is a frozen dataclass with a `score` method; its fields are its parameters, set by `[feed.<name>]` in a
community file or by `--feed "name:parameter=value"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simulacra.errors import SpecError
from simulacra.seams import Candidates, FeedDesign, Ints, Readers, Slates, State
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
    n, k = slate.shape
    post = np.hstack([slate, candidates.own])
    unread, score = np.ones(post.shape, bool), np.hstack([np.zeros(slate.shape, np.float32), own_score])
    if len(candidates.pool):
        order = np.argsort(candidates.pool)
        column = order[np.searchsorted(candidates.pool[order], np.maximum(slate, candidates.pool[order[0]]))]
        unread[:, :k] = np.take_along_axis(candidates.status, column, axis=1) == 0
        score[:, :k] = pool_score[column] if pool_score.ndim == 1 else np.take_along_axis(pool_score, column, axis=1)
    first = np.lexsort((-post, -np.round(score, 4), ~unread, post < 0), axis=1)[:, :k]
    return Slates(np.take_along_axis(post, first, axis=1))


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
        pool = np.asarray(self.score(candidates.pool, readers, candidates.tie, world, streams) if c else np.zeros(0), np.float32)
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


@dataclass(frozen=True)
class Chronological(ScoredFeed):
    name = "chronological"
    about = "Newest first, for everyone alike."

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return -age(posts, readers, world)


@dataclass(frozen=True)
class Hot(ScoredFeed):
    """Reddit's published formula: sign(s) log10(max(|s|, 1)) + t / 45000 s, s = upvotes minus downvotes (reddit, _sorts.pyx, 2008-17)."""

    name = "hot"
    about = "Votes on a logarithmic scale against age, as Reddit published it: ten times the votes outweigh 12.5 hours."
    hours: float = 12.5  # age that a tenfold score makes up for

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        votes = net_votes(posts, world)
        order = np.sign(votes) * np.log10(np.maximum(np.abs(votes), 1))
        return order - age(posts, readers, world) / self.hours


@dataclass(frozen=True)
class Engagement(ScoredFeed):
    """Predicted reactions: the post's smoothed rate of votes (either way) and replies per impression, times what this reader's taste
    and ties make of it, fading with age. Replies weigh more than votes, as in the ranker that Twitter published in 2023."""

    name = "engagement"
    about = "What will be reacted to: votes of either sign and, above all, replies, for readers of this taste."
    reply: float = 3.0  # one reply counts as so many votes
    taste: float = 1.0  # log-odds per unit of affinity
    tie: float = 0.5  # log-odds for an author one follows
    half_life: float = 18.0  # hours
    prior: float = 8.0  # impressions' worth of average opinion that every post starts with

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        p = world.posts
        reactions = p.up[posts] + p.down[posts] + self.reply * p.replies[posts]
        rate = (reactions + 0.1 * self.prior) / (p.impressions[posts] + self.prior)
        common = np.log(rate) - age(posts, readers, world) * (np.log(2) / self.half_life)
        score = self.taste * affinity(posts, readers, world) + common.astype(np.float32)
        return score + self.tie * np.asarray(tie, np.float32) if self.tie else score


@dataclass(frozen=True)
class Personalised(ScoredFeed):
    name = "personalised"
    about = "What is nearest to each reader's interests, newer before older."
    half_life: float = 24.0  # hours in which a post's lead halves

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return (1 + affinity(posts, readers, world)) * np.exp2(-age(posts, readers, world) / self.half_life)


@dataclass(frozen=True)
class Following(ScoredFeed):
    name = "following"
    about = "Posts of those one follows, newest first; then everybody else's, newest first."

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return 1000.0 * np.asarray(tie, np.float32) - age(posts, readers, world)


@dataclass(frozen=True)
class Random(ScoredFeed):
    name = "random"
    about = "Chance alone, drawn anew for every reader and hour: a yardstick for the others."

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        p = world.posts
        reader = readers.persona[:, None]
        return streams.uniform("feed.random", readers.step, reader, p.author[posts], p.step[posts]).astype(np.float32)


@dataclass(frozen=True)
class Weighted(ScoredFeed):
    """A designer's own mixture. Each term is scaled to about [0, 1] (similarity to [-1, 1]) before it is weighted."""

    name = "weighted"
    about = "Your own weights over recency, popularity, similarity, tie, toxicity and novelty."
    recency: float = 1.0  # 1 now, half after half_life hours
    popularity: float = 0.0  # net votes v as v / (|v| + 5)
    similarity: float = 0.0  # cosine of taste and topic
    tie: float = 0.0  # the reader follows the author
    toxicity: float = 0.0  # as scored
    novelty: float = 0.0  # 1 unseen by anyone, half after 20 impressions
    half_life: float = 24.0  # hours

    @property
    def watches(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("toxicity",) if self.toxicity else ()

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        p, votes = world.posts, net_votes(posts, world)
        common = (
            self.recency * np.exp2(-age(posts, readers, world) / self.half_life)
            + self.popularity * votes / (np.abs(votes) + 5)
            + self.toxicity * p.toxicity[posts]
            + self.novelty * 20 / (20 + p.impressions[posts])
        )
        score = common.astype(np.float32)
        if self.similarity:
            score = score + self.similarity * affinity(posts, readers, world)
        return score + self.tie * np.asarray(tie, np.float32) if self.tie else score


FEEDS: dict[str, type[Any]] = {
    feed.name: feed for feed in (Chronological, Hot, Engagement, Personalised, Following, Random, Weighted)
}


def make_feed(text: str, parameters: Mapping[str, Any] | None = None) -> FeedDesign:
    """A feed from its name, or from "name:parameter=value,parameter=value".

    parameters: those of the community file's [feed.<name>] table; the text's own come on top.
    Raises SpecError for an unknown feed or parameter, or a value that is no finite number.
    """
    name, _, settings = text.partition(":")
    name = name.strip()
    if name not in FEEDS:
        raise SpecError(f"No feed design called {name!r}.{nearest(name, FEEDS)} Known: {', '.join(sorted(FEEDS))}.")
    values = dict(parameters or {})
    for setting in filter(None, (s.strip() for s in settings.split(","))):
        key, equals, value = setting.partition("=")
        if not equals:
            raise SpecError(f"feed {name}: {setting!r} is not parameter=number, as in {name}:half_life=12.")
        values[key.strip()] = value.strip()
    known = {f.name for f in fields(FEEDS[name])}
    return FEEDS[name](**{key: _number(f"feed {name}", key, value, known) for key, value in values.items()})  # type: ignore[no-any-return]


def _number(where: str, key: str, value: Any, known: set[str]) -> float:
    if key not in known:
        raise SpecError(f"{where}: no parameter {key!r}.{nearest(key, known)} Known: {', '.join(sorted(known)) or 'none'}.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or isinstance(value, bool):
        raise SpecError(f"{where}: {key} = {value!r} is not a number. Give one, as in {key}=1.5.")
    if key in ("half_life", "hours", "prior") and number <= 0:
        raise SpecError(f"{where}: {key} = {value} must be above 0.")
    return number


def nearest(name: str, known: Any) -> str:
    """A hint for a misspelt name, or nothing."""
    match = get_close_matches(name, list(known), 1)
    return f" Did you mean {match[0]!r}?" if match else ""
