"""A sample slate: how a feed design, as it is set now, ranks ten posts that differ in all that feeds look at, for one reader.

The design ranks with its own code on a real platform of a few members; only the ten posts are made up, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from simulacra.community import Community, Sketch
from simulacra.persona import Population
from simulacra.platform import PlatformView
from simulacra.seams import Candidates, FeedDesign, Readers
from simulacra.streams import Streams

NOW = 48  # the reader comes on the evening of day 2


class Sample(NamedTuple):
    """A post of the sample and what a designer should know of it."""

    title: str
    author: int  # 1 and up; the reader is 0
    hours: float  # old
    up: int
    down: int
    replies: int
    impressions: int
    toxicity: float
    liked: bool = False  # on the reader's favourite topic
    friend: bool = False  # by somebody the reader follows
    far: bool = False  # by somebody of the other home group
    across: float = 0.2  # share of its votes that came from the group that is not its author's


SAMPLES = (
    Sample("A friend's question, just asked", 1, 1, 0, 0, 0, 2, 0.03, liked=True, friend=True),
    Sample("A popular guide from yesterday", 2, 20, 41, 2, 6, 160, 0.02, across=0.5),
    Sample("A heated quarrel", 3, 5, 9, 12, 23, 140, 0.86, across=0.6),
    Sample("A snide remark by a friend", 1, 3, 2, 4, 5, 40, 0.71, liked=True, friend=True),
    Sample("A new member's first post", 4, 2, 0, 0, 0, 1, 0.04),
    Sample("A joke that everybody upvoted", 5, 8, 30, 1, 4, 120, 0.12, far=True, across=0.5),
    Sample("A long answer on your favourite topic", 6, 11, 8, 0, 3, 45, 0.02, liked=True, far=True),
    Sample("An advertisement", 3, 4, 1, 3, 1, 50, 0.05),
    Sample("A friend's thanks", 1, 7, 4, 0, 1, 30, 0.01, friend=True),
    Sample("An old debate that will not end", 2, 44, 25, 14, 48, 420, 0.41, liked=True, across=0.4),
)


def ranked(feed: FeedDesign) -> list[tuple[Sample, int]]:
    """The sample in the order of this feed, best first, each with the places it gained on newest-first (negative: lost)."""
    order = _order(feed)
    newest = sorted(range(len(SAMPLES)), key=lambda i: SAMPLES[i].hours)
    return [(SAMPLES[i], newest.index(i) - place) for place, i in enumerate(order)]


def _order(feed: FeedDesign) -> list[int]:
    world, population = _world()
    feed.prepare(world, NOW)
    n = len(SAMPLES)
    readers = Readers(np.zeros(1, np.int32), world.topic_vectors[:1], population.group[:1], NOW)
    tie = np.array([[sample.friend for sample in SAMPLES]])
    candidates = Candidates(np.arange(n, dtype=np.int32), np.zeros((1, 0), np.int32), np.zeros((1, n), np.int8), tie)
    slate = feed.rank(readers, candidates, n, world, Streams(1)).post[0]
    return [int(post) for post in slate if post >= 0]


@cache
def _world() -> tuple[PlatformView, Population]:
    """A platform of the reader and the sample's authors, with the sample on it."""
    from simulacra.people.population import grow
    from simulacra.scoring.semantic import topic_affinity

    topics = ("the reader's topic", "another topic")
    community = Community("sample", "Sample", "A few members.", (), topics, (Sketch("reader, 40"),))
    near = replace(topic_affinity(community, use_model=False), topics=np.eye(2, dtype=np.float32))
    people = grow(community, 1 + max(sample.author for sample in SAMPLES), Streams(1), 3, 0.0, near)
    group = np.zeros(len(people), np.int8)
    group[[sample.author for sample in SAMPLES if sample.far]] = 1
    population = replace(people, group=group)
    world = PlatformView(community, population, np.eye(2, dtype=np.float32))
    ids = world.posts.append([sample.title for sample in SAMPLES], **_columns())
    world.pool[: len(ids)] = ids
    return world, population


def _columns() -> dict[str, Sequence[float]]:
    """The sample as columns of the platform's posts."""
    places = list(range(len(SAMPLES)))
    return {
        "author": [s.author for s in SAMPLES],
        "time": [NOW - s.hours for s in SAMPLES],
        "step": [int(NOW - s.hours) for s in SAMPLES],
        "root": places,
        "slot": places,
        "topic": [0 if s.liked else 1 for s in SAMPLES],
        "up": [s.up for s in SAMPLES],
        "down": [s.down for s in SAMPLES],
        "up_far": [round(s.up * s.across) for s in SAMPLES],
        "down_far": [round(s.down * s.across) for s in SAMPLES],
        "replies": [s.replies for s in SAMPLES],
        "impressions": [s.impressions for s in SAMPLES],
        "toxicity": [s.toxicity for s in SAMPLES],
        "valence": [-s.toxicity for s in SAMPLES],
    }
