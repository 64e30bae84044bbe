"""How two home groups meet: in replies, in follows, in what is read, and whom votes and followers favour."""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import Array, Facts, correlation, mean
from simulacra.analysis.replygraph import replied

LEAST_READ = 5
"""Impressions a reader must have had for the mix of what it read to be measured."""


def ei_replies(facts: Facts) -> float:
    """E-I index of replies to others: (across home groups - within) / all, [-1, 1]: -1 all stay within (Krackhardt and Stern 1988;
    with language models -.89 under a following feed, +.33 under bridging, S29). Two groups of equal size that answer blindly give 0.
    NaN without replies."""
    author, other = replied(facts)
    return _ei(facts.group[author] != facts.group[other])


def ei_follows(facts: Facts) -> float:
    """E-I index of ties made in the measured days by following, [-1, 1] (base design of a language-model sandbox: -.84, S28); NaN
    without any."""
    group = facts.group
    return _ei(group[facts.column("follows", "follower")] != group[facts.column("follows", "followee")])


def cross_group_seen(facts: Facts) -> float:
    """Impressions of posts by members of the other home group, [0, 1]; NaN without impressions. S29."""
    group = facts.group
    return mean(group[facts.posts.author[facts.seen]] != group[facts.readers])


def exposure_diversity(facts: Facts) -> float:
    """Entropy of the home groups of the authors that a reader saw, in bits, mean over readers with 5 impressions or more, [0, 1]: 0
    one side only, 1 both alike; NaN without such readers. Shannon 1948."""
    ones = np.bincount(facts.readers, facts.group[facts.posts.author[facts.seen]] == 1, minlength=facts.personas)
    all_ = np.bincount(facts.readers, minlength=facts.personas)
    share = ones[all_ >= LEAST_READ] / all_[all_ >= LEAST_READ]
    return mean(_bits(share) + _bits(1 - share))


def partisan_amplification(facts: Facts) -> float:
    """Correlation, over posts written, of how one-sided a post's author is with the upvotes it got, [-1, 1] (language-model sandbox:
    .08 to .19, S28). One-sided: the author's replies across home groups are rare (`one_sidedness`). NaN where undefined."""
    side, written = one_sidedness(facts), facts.written
    of_post = side[facts.posts.author]
    known = written & np.isfinite(of_post)
    return correlation(of_post[known], facts.upvotes[known])


def partisan_following(facts: Facts) -> float:
    """Correlation, over writers, of how one-sided a member is with the followers it gained in the measured days, [-1, 1]
    (language-model sandbox: .04 to .25, S28); NaN where undefined."""
    side = one_sidedness(facts)
    gained = np.bincount(facts.column("follows", "followee"), minlength=facts.personas)
    return correlation(side[np.isfinite(side)], gained[np.isfinite(side)])


def one_sidedness(facts: Facts) -> Array:
    """[personas] |share of a member's upvotes that go to its own home group - .5| * 2, [0, 1]: 1 likes one side only, 0 both alike;
    NaN for members with fewer than 3 upvotes. Personas carry a home group and no strength of it, so behaviour stands in."""
    voter, post = facts.column("reactions", "persona"), facts.column("reactions", "post")
    liked = facts.column("reactions", "reaction") == 1
    voter, author = voter[liked], facts.posts.author[facts.rows_of(post[liked])]
    own = np.bincount(voter, facts.group[voter] == facts.group[author], minlength=facts.personas)
    cast = np.bincount(voter, minlength=facts.personas)
    share = np.divide(own, cast, out=np.full(facts.personas, np.nan), where=cast >= 3)
    return np.abs(share - 0.5) * 2


def _bits(share: Array) -> Array:
    """-p log2 p, 0 at 0."""
    return -share * np.log2(np.where(share > 0, share, 1))


def _ei(across: Array) -> float:
    return 2 * mean(across) - 1
