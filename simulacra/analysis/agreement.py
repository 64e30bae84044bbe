"""How far two judges of the same posts agree: scorers with each other, and each with what authors meant."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulacra.analysis.facts import Array, correlation, mean, ratio

HALF = 0.5


class Agreement(NamedTuple):
    """Two scorers on the same posts."""

    posts: int
    correlation: float  # Pearson's, of the scores
    kappa: float  # Cohen's, of the verdicts "over .5": 0 as chance would have it, 1 always alike; NaN where both never differ
    both: int  # posts that both call toxic
    first_alone: int  # that only the first does
    second_alone: int
    differ: float  # share of posts on which the verdicts differ, [0, 1]
    low: float  # of its 95 % interval (Wilson 1927), as if posts were drawn by themselves
    high: float


class Discernment(NamedTuple):
    """A scorer against the truth: whether posts meant to be rude score higher."""

    auc: (
        float  # chance that a post meant to be rude scores higher than one that is not; .5: none; NaN where one kind is missing
    )
    recall: float  # posts meant to be rude that score over .5
    precision: float  # posts over .5 that were meant to be rude


def agreement(first: Array, second: Array, above: float = HALF) -> Agreement:
    """Of two arrays of scores of the same posts, each [0, 1]. NaN under three posts."""
    a, b = first > above, second > above
    counted = int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())
    apart = counted[1] + counted[2]
    return Agreement(
        len(first), correlation(first, second), kappa(a, b), *counted, ratio(apart, len(first)), *wilson(apart, len(first))
    )


def wilson(count: int, of: int) -> tuple[float, float]:
    """Ends of the 95 % interval of a share (Wilson 1927), [0, 1]; NaN of nothing."""
    if not of:
        return float("nan"), float("nan")
    share, z = count / of, 1.959964
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * float(np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2)))
    return max(0.0, middle - half), min(1.0, middle + half)


def kappa(a: Array, b: Array) -> float:
    """Cohen's (1960) kappa of two yes-no verdicts, [-1, 1]; NaN where both say the same of every post."""
    if not len(a):
        return float("nan")
    by_chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else float("nan")


def discernment(scores: Array, rude: Array, above: float = HALF) -> Discernment:
    """Of scores against intent. rude: [posts] bool."""
    return Discernment(auc(scores, rude), mean(scores[rude] > above), mean(rude[scores > above]))


def auc(scores: Array, positive: Array) -> float:
    """Area under the ROC curve, by ranks (Mann and Whitney 1947), ties counted half, [0, 1]; NaN where one class is missing."""
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
