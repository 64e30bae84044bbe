"""Figures that are levels of one run under the community's own design, beyond the measures that every report has."""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import Array, Facts, mean, ratio
from simulacra.analysis.threads import thread_size_mean, thread_size_median


def mean_over_median(facts: Facts) -> float:
    """Mean over median of replies per thread; NaN where the median is 0."""
    return ratio(thread_size_mean(facts), thread_size_median(facts))


def three_answers_share(facts: Facts) -> float:
    """Replies that get three replies or more, [0, 1]; NaN without replies."""
    children = np.bincount(facts.parent_row[facts.replies], minlength=len(facts.posts.id))
    return mean(children[facts.replies] >= 3)


def width_over_depth(facts: Facts) -> float:
    """Mean over answered threads of the replies at the fullest level, over the mean of the deepest level; NaN without replies."""
    level = _by_level(facts)
    answered = level[level.any(axis=1)]
    deepest = answered.shape[1] - np.argmax(answered[:, ::-1] > 0, axis=1) if len(answered) else np.zeros(0)
    return ratio(mean(answered.max(axis=1) if len(answered) else np.zeros(0)), mean(deepest))


def _by_level(facts: Facts) -> Array:
    """[threads, deepest] replies at depth 1, 2, ... of each thread opened in the measured days."""
    place = np.full(len(facts.posts.id), -1)
    place[facts.opened] = np.arange(len(facts.opened))
    thread, depth = place[facts.root_row[facts.replies]], facts.posts.depth[facts.replies]
    count = np.zeros((len(facts.opened), int(depth.max(initial=1))))
    np.add.at(count, (thread[thread >= 0], depth[thread >= 0] - 1), 1)
    return count
