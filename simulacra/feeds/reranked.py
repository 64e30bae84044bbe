"""Feeds that take another feed's order and change it: for variety, against dominance, without counts, or as a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simulacra.errors import SpecError
from simulacra.feeds.ranking import status_of
from simulacra.parameters import base_feed, number
from simulacra.seams import Candidates, FeedDesign, Floats, Ints, Readers, Slates, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

_DEPTH = 3
"""Posts taken from the base feed for each place of the slate: what a re-ranking has to choose from."""


def _made(text: str) -> FeedDesign:
    from simulacra.feeds.making import make_feed  # it knows this module's feeds, hence not above

    return make_feed(text)


@dataclass(frozen=True)
class Reranked:
    """Another feed's order, changed. All it knows of posts it has from that feed."""

    name: ClassVar[str]
    about: ClassVar[str]
    known: ClassVar[str]
    base: str = base_feed("hot")

    def __post_init__(self) -> None:
        _ = self.inner  # an unknown base is found here, not in the first hour of a run

    @cached_property
    def inner(self) -> FeedDesign:
        return _made(self.base)

    @property
    def watches(self) -> tuple[str, ...]:
        return tuple(getattr(self.inner, "watches", ()))

    @property
    def scorer(self) -> str | None:
        return getattr(self.inner, "scorer", None)

    @property
    def shows_counts(self) -> bool:
        return bool(getattr(self.inner, "shows_counts", True))

    def prepare(self, world: PlatformView, step: int) -> None:
        self.inner.prepare(world, step)

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        return self.inner.rank(readers, candidates, k, world, streams)

    def state(self) -> State:
        return self.inner.state()

    def restore(self, state: State) -> None:
        self.inner.restore(state)


@dataclass(frozen=True)
class HideCounts(Reranked):
    name = "hide_counts"
    about = "Another feed with its vote counts hidden, so that nobody can follow the crowd."
    known = (
        "Visible votes herd: one early upvote made the next vote 32 % likelier to be up and raised the final score by a "
        "quarter (S19, Muchnik et al. 2013). With language-model agents hiding counts changed little else (S28: E-I -.85 "
        "against -.84)."
    )

    @property
    def shows_counts(self) -> bool:
        return False


@dataclass(frozen=True)
class DownplayDominant(Reranked):
    name = "downplay_dominant"
    about = "Another feed in which no author holds more than a share of any slate."
    known = (
        "With language-model agents, downplaying dominant voices lowered the inequality of followers from .83 to .67 and "
        "left the camps as they were (S28, Larooij and Tornberg 2025)."
    )
    share: float = number(0.1, "share of a slate", "most that one author may hold; one post always may stand", above=0, high=1)

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        post = self.inner.rank(readers, candidates, _DEPTH * k, world, streams).post
        if not len(world.posts):
            return Slates(post[:, :k])
        author = np.where(post >= 0, world.posts.author[np.maximum(post, 0)], -1)
        kept = (post >= 0) & (_nth_of_its_kind(author) < max(1, int(self.share * k)))
        first = np.argsort(~kept, axis=1, kind="stable")[:, :k]
        return Slates(np.where(np.take_along_axis(kept, first, axis=1), np.take_along_axis(post, first, axis=1), -1))


def _nth_of_its_kind(values: Ints) -> Ints:
    """For each cell, how many equal values stand before it in its row."""
    n, m = values.shape
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    column = np.broadcast_to(np.arange(m, dtype=np.int32), (n, m))
    begins = np.ones((n, m), bool)
    begins[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    nth = column - np.maximum.accumulate(np.where(begins, column, 0), axis=1)
    out = np.empty((n, m), np.int32)
    np.put_along_axis(out, order, nth, axis=1)
    return out


@dataclass(frozen=True)
class Diversified(Reranked):
    """Maximal marginal relevance (Carbonell and Goldstein 1998, SIGIR): each place goes to the post with the best balance of
    relevance and unlikeness to what stands above it. Relevance is the place in the base feed, so any base will do."""

    name = "diversified"
    about = "Another feed, re-ordered so that neighbouring posts differ in topic (maximal marginal relevance)."
    known = (
        "Maximal marginal relevance is the standard re-ranking for variety (Carbonell and Goldstein 1998). Readers of more "
        "varied lists report broader interests at a small cost in clicks; effects on attitudes are not established."
    )
    relevance: float = number(0.5, "share", "weight of the base feed's order; the rest is unlikeness to posts above", high=1)

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        post = self.inner.rank(readers, candidates, _DEPTH * k, world, streams).post
        if not len(world.posts):
            return Slates(post[:, :k])
        read = status_of(post, candidates) == 1
        relevance = self.relevance * (1 - np.arange(post.shape[1]) / post.shape[1])
        worth = np.where(post >= 0, relevance - 2 * read, -np.inf).astype(np.float32)  # what has been read comes last
        alike = world.topic_vectors @ world.topic_vectors.T
        pick = _mmr(worth, world.posts.topic[np.maximum(post, 0)], alike, 1 - self.relevance, k)
        return Slates(np.where(pick >= 0, np.take_along_axis(post, np.maximum(pick, 0), axis=1), -1))


def _mmr(worth: Floats, topic: np.ndarray, alike: Floats, weight: float, k: int) -> Ints:
    """Columns in order of choice [n, k], -1 where none is left: each the most worth less weight times likeness to those chosen.

    worth: [n, m], -inf for what may not be chosen; topic: [n, m]; alike: [topics, topics].
    """
    n, row = len(worth), np.arange(len(worth))
    worth, likeness = worth.copy(), np.zeros((n, len(alike)), np.float32)
    chosen = np.full((n, k), -1, np.int32)
    for place in range(min(k, worth.shape[1])):
        value = worth - weight * np.take_along_axis(likeness, topic.astype(np.intp), axis=1)
        column = np.argmax(value, axis=1)
        chosen[:, place] = np.where(np.isfinite(value[row, column]), column, -1)
        worth[row, column] = -np.inf
        likeness = np.maximum(likeness, alike[topic[row, column]])
    return chosen


@dataclass(frozen=True)
class Mix:
    """Several feeds in one slate: each place is filled from one of them, drawn by chance in the given shares."""

    name = "mix"
    about = "Several feeds in one slate, each place drawn from one of them in given shares."
    known = (
        "Platforms reserve a share of places for exploration, so that new authors are seen at all; in the Music Lab "
        "experiment less social influence meant less inequality and more predictable success (S49, Salganik et al. 2006)."
    )
    shares: tuple[tuple[str, float], ...] = field(
        default=(("hot", 0.8), ("random", 0.2)),
        metadata={"kind": "shares", "unit": "share of places", "about": "feeds and their shares, as in mix:hot=0.7,random=0.3"},
    )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Mix:
        """From "feed=share" pairs; the default where there are none. Raises SpecError where they are none or sum to nothing."""
        shares = [(name, _share(name, value)) for name, value in values.items()]
        if shares and not sum(share for _, share in shares) > 0:
            raise SpecError(f"feed mix: the shares of {', '.join(values)} sum to nothing. Give one of them a share above 0.")
        return cls(tuple((name, share) for name, share in shares if share > 0)) if shares else cls()

    def __post_init__(self) -> None:
        _ = self.parts

    @cached_property
    def parts(self) -> dict[str, FeedDesign]:
        return {name: _made(name) for name, _ in self.shares}

    @property
    def watches(self) -> tuple[str, ...]:
        return tuple(sorted({seen for part in self.parts.values() for seen in getattr(part, "watches", ())}))

    @property
    def scorer(self) -> str | None:
        return next((scorer for part in self.parts.values() if (scorer := getattr(part, "scorer", None))), None)

    @property
    def shows_counts(self) -> bool:
        return all(getattr(part, "shows_counts", True) for part in self.parts.values())

    def prepare(self, world: PlatformView, step: int) -> None:
        for part in self.parts.values():
            part.prepare(world, step)

    def rank(self, readers: Readers, candidates: Candidates, k: int, world: PlatformView, streams: Streams) -> Slates:
        lists = np.stack([part.rank(readers, candidates, k, world, streams).post for part in self.parts.values()], axis=1)
        bounds = np.cumsum([share for _, share in self.shares])
        u = streams.uniform("feed.mix", readers.step, readers.persona[:, None], np.arange(k)) * bounds[-1]
        return Slates(_dealt(lists, np.searchsorted(bounds, u, side="right").clip(max=len(bounds) - 1)))

    def state(self) -> State:
        return {f"{name}.{key}": value for name, part in self.parts.items() for key, value in part.state().items()}

    def restore(self, state: State) -> None:
        for name, part in self.parts.items():
            own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            if own:
                part.restore(own)


def _share(name: str, value: Any) -> float:
    try:
        share = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share < np.inf:
        raise SpecError(f"feed mix: {name} = {value!r} is not a number of 0 or more, as in mix:hot=0.7,random=0.3.")
    return share


def _dealt(lists: Ints, source: np.ndarray) -> Ints:
    """Slates dealt from several: place j of reader i takes the best post not yet dealt of list source[i, j], of any list where
    that one is used up. lists: [n, parts, k], -1 empty; source: [n, k]. Returns [n, k]."""
    n, parts, k = lists.shape
    row, free = np.arange(n), lists >= 0
    slate = np.full((n, k), -1, np.int32)
    for place in range(k):
        # Columns in the order in which they are preferred: those of the drawn list first.
        preference = free & (np.arange(parts)[None, :, None] == source[:, place, None, None])
        preference = np.where(preference.any(axis=(1, 2))[:, None, None], preference, free)
        first = np.argmax(preference.reshape(n, -1), axis=1)
        post = np.where(preference.reshape(n, -1)[row, first], lists.reshape(n, -1)[row, first], -1)
        slate[:, place] = post
        free &= lists != post[:, None, None]
    return slate
