"""Feeds that rank for how people get on with each other: approval across home groups, calm, warmth, the other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulacra.feeds.ranking import ScoredFeed, Scores, Ties, age
from simulacra.parameters import number
from simulacra.seams import Ints, Readers
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


def bridging_score(posts: Ints, world: PlatformView, prior: float) -> Scores:
    """How far both home groups approve of each post, (0, 1): the product of each group's smoothed share of upvotes.

    prior: imaginary votes, half of them up, that each group starts with, above 0. Without votes the score is .25; many upvotes
    from one group alone bring at most .5. The form is Polis' group-informed consensus (Small et al. 2021);
    groups here are the personas' home groups instead of clusters of opinions, and a vote stands for agreement.
    """
    p = world.posts
    far_up, far_down = p.up_far[posts], p.down_far[posts]
    near_up, near_down = p.up[posts] - far_up, p.down[posts] - far_down
    near = (near_up + prior / 2) / (near_up + near_down + prior)
    far = (far_up + prior / 2) / (far_up + far_down + prior)
    return np.asarray(near * far, np.float32)


@dataclass(frozen=True)
class Bridging(ScoredFeed):
    name = "bridging"
    about = "What members of both home groups vote up, newer before older."
    known = (
        "Bridging-based ranking is what Community Notes and Polis use to find agreement. In a field experiment over six "
        "months prosocial rankers lowered polarisation by .03 SD (S27, Stray et al. 2026); with language-model agents "
        "bridging was the least toxic feed and mixed the camps (S29), and the most unequal one in another study (S28, "
        "Larooij and Tornberg 2025)."
    )
    prior: float = number(2.0, "votes", "imaginary votes, half of them up, that each group starts with", above=0)
    half_life: float = number(24.0, "hours", "age at which a post's score counts half", above=0)

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return bridging_score(posts, world, self.prior) * np.exp2(-age(posts, readers, world) / self.half_life)


@dataclass(frozen=True)
class CrossGroup(ScoredFeed):
    name = "cross_group"
    about = "Newest first, with posts by the other home group treated as some hours newer."
    known = (
        "Boosting the other side changed little with language-model agents (S28: E-I -.83 against -.84). Exposure to "
        "opposing views can also annoy: watch votes, toxicity and churn, not only who reads whom."
    )
    hours: float = number(12.0, "hours", "head start of a post by the other home group")

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        group = world.population.group
        far = group[world.posts.author[posts]] != readers.group[:, None]
        return np.float32(self.hours) * far - age(posts, readers, world)


@dataclass(frozen=True)
class DownrankToxic(ScoredFeed):
    name = "downrank_toxic"
    about = "Newest first, with toxic posts treated as some hours older."
    known = (
        "Showing less hostile content moved warmth towards the other side by +2.1 of 100, showing more by -2.5, in ten "
        "days, with engagement about unchanged (S26, Piccardi et al. 2025)."
    )
    watches = ("toxicity",)
    scorer = "lexical"
    hours: float = number(48.0, "hours per unit of toxicity", "how much older a post with toxicity 1 is made to look")

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return -age(posts, readers, world) - np.float32(self.hours) * world.posts.toxicity[posts]


@dataclass(frozen=True)
class BoostPositive(ScoredFeed):
    name = "boost_positive"
    about = "Newest first, with cheerful posts treated as some hours newer and gloomy ones as older."
    known = (
        "Showing people fewer negative posts made them write fewer negative words (d .02) and more positive ones (d .008; "
        "S20, Kramer et al. 2014). It also buries those who ask for help on a bad day: watch the share of unanswered posts."
    )
    watches = ("valence",)
    scorer = "lexical"
    hours: float = number(12.0, "hours per unit of valence", "how much newer a post with valence 1 is made to look")

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return np.float32(self.hours) * world.posts.valence[posts] - age(posts, readers, world)
