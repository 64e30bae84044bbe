"""Feeds that platforms have: by age, votes, predicted reactions, interests, ties, chance, or a designer's own weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulacra.feeds.ranking import ScoredFeed, Scores, Ties, affinity, age, net_votes
from simulacra.parameters import ANY, number
from simulacra.seams import Ints, Readers
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


@dataclass(frozen=True)
class Chronological(ScoredFeed):
    name = "chronological"
    about = "Newest first, for everyone alike."
    known = (
        "On Facebook and Instagram a chronological feed cut the time spent substantially and about halved uncivil content "
        "on Facebook, while political and untrustworthy content rose and attitudes did not change in three months (S25, "
        "Guess et al. 2023)."
    )

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return -age(posts, readers, world)


@dataclass(frozen=True)
class Unanswered(ScoredFeed):
    """Threads without an answer, newest first, then everything else, newest first: the list of that name in forums. It is no design to
    choose but a place where visitors look beside the feed (`browse_unanswered`)."""

    name = "unanswered"
    about = "Threads that nobody has answered yet, newest first."

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        waits = (world.posts.depth[posts] == 0) & (world.posts.replies[posts] == 0)
        return np.float32(1000) * waits - age(posts, readers, world)


@dataclass(frozen=True)
class Top(ScoredFeed):
    name = "top"
    about = "Most votes within a window of hours; older posts only when those are used up."
    known = (
        "Votes herd: one early upvote raised final scores by a quarter (S19, Muchnik et al. 2013), and seeing others' "
        "choices makes success more unequal and less predictable (S49, Salganik et al. 2006). A list by votes feeds on "
        "itself."
    )
    hours: float = number(24.0, "hours", "posts older than this come last", above=0)

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return net_votes(posts, world) - np.float32(1000) * (age(posts, readers, world) > self.hours)


@dataclass(frozen=True)
class Hot(ScoredFeed):
    """Reddit's published formula: sign(s) log10(max(|s|, 1)) + t / 45000 s, s = upvotes minus downvotes (_sorts.pyx)."""

    name = "hot"
    about = "Votes weighed against age, as Reddit published it: ten times the votes make up for 12.5 hours."
    known = (
        "Published in Reddit's source code (2008 to 2017). Early votes count most, and votes herd: +25 % in the final score "
        "from one early upvote (S19, Muchnik et al. 2013); a third of submissions on Reddit end with a score of 1 (S18)."
    )
    hours: float = number(12.5, "hours", "age that a tenfold score makes up for", above=0)

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        votes = net_votes(posts, world)
        order = np.sign(votes) * np.log10(np.maximum(np.abs(votes), 1))
        return order - age(posts, readers, world) / self.hours


@dataclass(frozen=True)
class Engagement(ScoredFeed):
    """Predicted reactions: the post's smoothed rate of votes (either way) and replies per impression, times what this reader's
    taste and ties make of it, fading with age. Replies weigh more than votes, as in the ranker Twitter published in 2023."""

    name = "engagement"
    about = "What will be reacted to: votes of either sign and, above all, replies, for readers of this taste."
    known = (
        "Against a chronological feed Twitter's engagement ranking amplified the author's anger by .47 SD and hostility to "
        "the other side by .24 SD, and readers felt worse about the other side (S24, Milli et al. 2025, N = 806)."
    )
    reply: float = number(3.0, "votes", "what one reply counts for", low=ANY)
    taste: float = number(1.0, "log-odds per unit of affinity", "how much a reader's interests count", low=ANY)
    tie: float = number(0.5, "log-odds", "how much it counts that the reader follows the author", low=ANY)
    half_life: float = number(18.0, "hours", "age at which a post's rate counts half", above=0)
    prior: float = number(8.0, "impressions", "worth of average opinion that every post starts with", above=0)

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
    known = (
        "Ranking by interest keeps people reading and narrows what they read; that it makes filter bubbles by itself is "
        "disputed, since people choose alike sources anyway. Watch exposure inequality and how much is read across groups."
    )
    half_life: float = number(24.0, "hours", "age at which a post's lead has halved", above=0)

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return (1 + affinity(posts, readers, world)) * np.exp2(-age(posts, readers, world) / self.half_life)


@dataclass(frozen=True)
class Following(ScoredFeed):
    name = "following"
    about = "Posts of those one follows, newest first; then everybody else's, newest first."
    known = (
        "A feed of followed accounts is a like-minded one: with language-model agents the comments' E-I index was -.89 "
        "under a follow feed, -.70 under a global one and +.33 under a bridging one (S29, Tornberg 2023)."
    )

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        return 1000.0 * np.asarray(tie, np.float32) - age(posts, readers, world)


@dataclass(frozen=True)
class Random(ScoredFeed):
    name = "random"
    about = "Chance alone, drawn anew for every reader and hour: a yardstick for the others."
    known = "Platforms use random order as the yardstick of their own experiments; nobody ships it."

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        p = world.posts
        reader = readers.persona[:, None]
        return streams.uniform("feed.random", readers.step, reader, p.author[posts], p.step[posts]).astype(np.float32)


@dataclass(frozen=True)
class Weighted(ScoredFeed):
    """A designer's own mixture. Each term is scaled to about [0, 1] (similarity to [-1, 1]) before it is weighted."""

    name = "weighted"
    about = "Your own weights over recency, popularity, similarity, tie, toxicity and novelty."
    known = (
        "Weights are how platforms tune their rankers. Re-weighting hostile content moved warmth towards the other side by "
        "about two degrees of a hundred in ten days, engagement about unchanged (S26, Piccardi et al. 2025)."
    )
    recency: float = number(1.0, "weight", "1 now, half after half_life hours", low=ANY)
    popularity: float = number(0.0, "weight", "net votes v as v / (|v| + 5)", low=ANY)
    similarity: float = number(0.0, "weight", "cosine of the reader's taste and the post's topic", low=ANY)
    tie: float = number(0.0, "weight", "the reader follows the author", low=ANY)
    toxicity: float = number(0.0, "weight", "toxicity as scored, 0 to 1", low=ANY)
    novelty: float = number(0.0, "weight", "1 unseen by anyone, half after 20 impressions", low=ANY)
    half_life: float = number(24.0, "hours", "age at which recency counts half", above=0)

    @property
    def watches(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("toxicity",) if self.toxicity else ()

    @property
    def scorer(self) -> str | None:  # type: ignore[override]
        return "lexical" if self.toxicity else None

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
