"""A sample slate: what a feed design, as it is set now, puts before one reader out of ten posts that differ in all that feeds look at.

The design ranks with its own code on a real platform of two members; only the ten posts are made up, and the page says so.
"""

from __future__ import annotations

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
    hours: float  # old
    up: int
    down: int
    replies: int
    impressions: int
    toxicity: float
    liked: bool  # on the reader's favourite topic
    friend: bool  # by somebody the reader follows


SAMPLES = (
    Sample("A friend's question, just asked", 1, 0, 0, 0, 2, 0.03, True, True),
    Sample("A popular guide from yesterday", 20, 41, 2, 6, 160, 0.02, False, False),
    Sample("A heated quarrel", 5, 9, 12, 23, 140, 0.86, False, False),
    Sample("A snide remark by a friend", 3, 2, 4, 5, 40, 0.71, True, True),
    Sample("A new member's first post", 2, 0, 0, 0, 1, 0.04, False, False),
    Sample("A joke that everybody upvoted", 8, 30, 1, 4, 120, 0.12, False, False),
    Sample("A long answer on your favourite topic", 11, 8, 0, 3, 45, 0.02, True, False),
    Sample("An advertisement", 4, 1, 3, 1, 50, 0.05, False, False),
    Sample("A friend's thanks", 7, 4, 0, 1, 30, 0.01, False, True),
    Sample("An old debate that will not end", 44, 25, 14, 48, 420, 0.41, True, False),
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
    """A platform of two members (the reader, and the author of everything) with the sample on it."""
    from simulacra.population import grow
    from simulacra.scoring.semantic import topic_affinity

    community = Community(
        "sample", "Sample", "Two members.", (), ("the reader's topic", "another topic"), (Sketch("reader, 40"),)
    )
    near = replace(topic_affinity(community, use_model=False), topics=np.eye(2, dtype=np.float32))
    population = grow(community, 2, Streams(1), 3, 0.0, near)
    world = PlatformView(community, population, np.eye(2, dtype=np.float32))
    columns = {
        "author": 1, "time": [NOW - s.hours for s in SAMPLES], "step": [int(NOW - s.hours) for s in SAMPLES],
        "root": list(range(len(SAMPLES))), "topic": [0 if s.liked else 1 for s in SAMPLES], "up": [s.up for s in SAMPLES],
        "down": [s.down for s in SAMPLES], "replies": [s.replies for s in SAMPLES],
        "impressions": [s.impressions for s in SAMPLES], "toxicity": [s.toxicity for s in SAMPLES],
        "valence": [-s.toxicity for s in SAMPLES], "slot": list(range(len(SAMPLES))),
    }  # fmt: skip
    ids = world.posts.append([s.title for s in SAMPLES], **columns)
    world.pool[: len(ids)] = ids
    return world, population
