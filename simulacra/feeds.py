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
from simulacra.seams import Bools, Candidates, FeedDesign, Ints, Readers, Slates, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

Scores = NDArray[np.floating[Any]]

_INDEX_BITS = 12
_LEVELS = 2 ** (30 - _INDEX_BITS) - 2
"""Scores are rounded to this many levels between a reader's lowest and highest candidate before they are compared, so that the
last bits of a floating-point sum decide nothing."""


def best_first(score: Scores, candidates: Candidates, k: int) -> Slates:
    """The k best candidates of each reader: unread before read, then by score, ties to the post written last.

    score: [n, c + m] for the pool's c columns and the m own ones. Posts that a reader has seen stay below all it has not.
    """
    n, total = score.shape
    if total == 0:
        return Slates(np.full((n, k), -1, np.int32))
    if total >= 2**_INDEX_BITS:
        raise ValueError(f"{total} candidates do not fit in {_INDEX_BITS} bits")
    low = score.min(axis=1, keepdims=True)
    span = score.max(axis=1, keepdims=True) - low
    level = (score - low) * (_LEVELS / np.where(span > 0, span, 1))
    key = np.rint(level, out=level).astype(np.int32)
    key <<= _INDEX_BITS
    key |= np.arange(total, dtype=np.int32)
    c = len(candidates.pool)
    key[:, :c] |= np.where(candidates.seen, np.int32(0), np.int32(2**30))
    key[:, c:] |= np.int32(2**30)
    key[:, c:][candidates.own < 0] = -1
    if total > k:
        key = np.partition(key, total - k, axis=1)[:, total - k :]
    key = np.sort(key, axis=1)[:, ::-1]
    index = key & (2**_INDEX_BITS - 1)
    post = np.full((n, k), -1, np.int32)
    shared = index < c
    pool = candidates.pool[np.where(shared, index, 0)] if c else np.full_like(index, -1)
    own = np.take_along_axis(candidates.own, np.where(shared, 0, index - c), axis=1) if candidates.own.shape[1] else pool
    post[:, : key.shape[1]] = np.where(key < 0, -1, np.where(shared, pool, own))
    return Slates(post)


class ScoredFeed:
    """A feed that is a score. Stateless unless a design says otherwise."""

    name: ClassVar[str]
    about: ClassVar[str]
    watches: ClassVar[tuple[str, ...]] = ()
    """Properties of posts that the score itself looks at ("toxicity", "valence"): a comparison calls what the feed does to the
    exposure-weighted measure of such a property mechanical, not a response of people."""

    def prepare(self, world: PlatformView, step: int) -> None:
        """Nothing to learn."""

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        """How good each post is for each reader, higher is better, any finite scale.

        posts: [c] where all readers share them, [n, m] where each has its own (ids, never -1). tie: the reader follows the
        author. Returns something that broadcasts to [n, c] or [n, m].
        """
        raise NotImplementedError

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        n, c = candidates.seen.shape
        score = np.empty((n, c + candidates.own.shape[1]), np.float32)
        if c:
            score[:, :c] = self.score(candidates.pool, readers, candidates.tie, world, streams)
        if score.shape[1] > c:
            score[:, c:] = self.score(np.maximum(candidates.own, 0), readers, 1.0, world, streams)
        return best_first(score, candidates, k)

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
    """Hours since each post was written, >= 0."""
    return (readers.step - world.posts.step[posts]).astype(np.float32)


def net_votes(posts: Ints, world: PlatformView) -> Scores:
    return (world.posts.up[posts] - world.posts.down[posts]).astype(np.float32)


@dataclass(frozen=True)
class Chronological(ScoredFeed):
    name = "chronological"
    about = "Newest first, for everyone alike."

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        return -age(posts, readers, world)


@dataclass(frozen=True)
class Hot(ScoredFeed):
    """Reddit's published formula: sign(s) log10(max(|s|, 1)) + t / 45000 s, s = upvotes minus downvotes (reddit, _sorts.pyx, 2008-17)."""

    name = "hot"
    about = "Votes on a logarithmic scale against age, as Reddit published it: ten times the votes outweigh 12.5 hours."
    hours: float = 12.5  # age that a tenfold score makes up for

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
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

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        p = world.posts
        reactions = p.up[posts] + p.down[posts] + self.reply * p.replies[posts]
        rate = (reactions + 0.1 * self.prior) / (p.impressions[posts] + self.prior)
        fade = age(posts, readers, world) * (np.log(2) / self.half_life)
        return self.taste * affinity(posts, readers, world) + self.tie * np.asarray(tie, np.float32) + (np.log(rate) - fade)


@dataclass(frozen=True)
class Personalised(ScoredFeed):
    name = "personalised"
    about = "What is nearest to each reader's interests, newer before older."
    half_life: float = 24.0  # hours in which a post's lead halves

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        return (1 + affinity(posts, readers, world)) * np.exp2(-age(posts, readers, world) / self.half_life)


@dataclass(frozen=True)
class Following(ScoredFeed):
    name = "following"
    about = "Posts of those one follows, newest first; then everybody else's, newest first."

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        return 1000.0 * np.asarray(tie, np.float32) - age(posts, readers, world)


@dataclass(frozen=True)
class Random(ScoredFeed):
    name = "random"
    about = "Chance alone, drawn anew for every reader and hour: a yardstick for the others."

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
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

    def score(self, posts: Ints, readers: Readers, tie: Bools | float, world: PlatformView, streams: Streams) -> Scores:
        p, votes = world.posts, net_votes(posts, world)
        common = (
            self.recency * np.exp2(-age(posts, readers, world) / self.half_life)
            + self.popularity * votes / (np.abs(votes) + 5)
            + self.toxicity * p.toxicity[posts]
            + self.novelty * 20 / (20 + p.impressions[posts])
        )
        personal = self.similarity * affinity(posts, readers, world) if self.similarity else 0.0
        return common + personal + self.tie * np.asarray(tie, np.float32)


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
