"""When members write, how long answers take, and which newcomers come back."""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import HOURS_PER_DAY, NAN, Array, Facts, correlation, mean, median, ratio

LEAST_POSTS = 20
"""Posts a member must have written for its rhythm to be measured, as in the published figures."""


def burstiness(facts: Facts) -> float:
    """(s - m) / (s + m) of the hours between a member's posts (m mean, s deviation), median over members with 20 posts or more,
    [-1, 1]: 0 a Poisson process, 1 all at once (forums: .36 and .43; Goh and Barabasi 2008). Posts carry whole hours. NaN without
    such members. S14."""
    return median(np.array([_burst(gaps) for gaps in _gaps(facts)]))


def gap_memory(facts: Facts) -> float:
    """Correlation of the logarithms of successive gaps (1 + hours) between a member's posts, median over members with 20 posts or
    more, [-1, 1]: 0 a Poisson process (forums: .10 and .15); NaN without such members. S14."""
    logs = (np.log1p(gaps) for gaps in _gaps(facts))
    found = np.array([correlation(log[:-1], log[1:]) for log in logs])
    return median(found[np.isfinite(found)])


def peak_to_trough(facts: Facts) -> float:
    """Posts in the busiest hour of the day over those in the quietest, >= 1 (forums: 4.0 and 4.3); NaN where an hour of the day
    has no post. S15."""
    hours = _hours(facts)
    return ratio(hours.max(), hours.min())


def hour_entropy(facts: Facts) -> float:
    """Entropy of posts over the hours of the day, as a share of the greatest possible, [0, 1]: 1 day and night alike (forums: .967
    and .974); NaN without posts. S15."""
    return _entropy(_hours(facts)) / np.log(HOURS_PER_DAY)


def first_reply_hours(facts: Facts) -> float:
    """Hours from the opening of a thread to the first answer of another member, median over answered threads, >= 0 (forums: 2.4
    and 18.8); whole hours; NaN without answers. S16."""
    return median(_waits(facts))


def answered_within_day(facts: Facts) -> float:
    """Answered threads whose first answer of another member came within 24 hours, [0, 1]; of threads opened a day or more before
    the end, since the rest had no chance to be late (forums: .85 and .57); NaN without any. S16."""
    return mean(_waits(facts, (facts.days - 1) * HOURS_PER_DAY) <= HOURS_PER_DAY)


def newcomer_one_post(facts: Facts) -> float:
    """Newcomers with one post only, among those who first posted a day or more before the end, [0, 1] (forums, over their whole
    life: .27 and .34); NaN without any. S17."""
    return mean(_posts_of_newcomers(facts)[0] == 1)


def newcomer_one_day(facts: Facts) -> float:
    """Newcomers who posted within one calendar day only, among those who first posted a day or more before the end, [0, 1] (forums:
    .34 and .48); NaN without any. S17."""
    _, first, last, _ = _posts_of_newcomers(facts)
    return mean(first // HOURS_PER_DAY == last // HOURS_PER_DAY)


def newcomer_post_return(facts: Facts) -> float:
    """Newcomers who posted again 1 to 7 days after their first post, among those who first posted a day or more before the end,
    [0, 1] (forums: .28 and .29); NaN without any. S17."""
    return mean(_posts_of_newcomers(facts)[3])


def _gaps(facts: Facts) -> list[Array]:
    """Hours between successive posts of each member with 20 posts or more."""
    rows = np.flatnonzero(facts.written)
    author, step = facts.posts.author[rows], facts.posts.step[rows]
    order = np.lexsort((step, author))
    ends = np.cumsum(np.bincount(author, minlength=facts.personas))[:-1]
    return [np.diff(steps) for steps in np.split(step[order], ends) if len(steps) >= LEAST_POSTS]


def _burst(gaps: Array) -> float:
    m, s = gaps.mean(), gaps.std()
    return float((s - m) / (s + m)) if s + m else NAN


def _hours(facts: Facts) -> Array:
    """[24] posts by hour of the day."""
    return np.bincount(facts.posts.step[facts.written] % HOURS_PER_DAY, minlength=HOURS_PER_DAY)


def _entropy(counts: Array) -> float:
    """In nats; NaN without any."""
    if not counts.sum():
        return NAN
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def _waits(facts: Facts, opened_before: int | None = None) -> Array:
    """[answered threads] hours until another member answered."""
    posts, root = facts.posts, facts.root_row
    by_others = facts.replies[posts.author[facts.replies] != posts.author[root[facts.replies]]]
    first = np.full(len(posts.id), np.iinfo(np.int64).max)
    np.minimum.at(first, root[by_others], posts.step[by_others])
    rows = facts.opened[first[facts.opened] < np.iinfo(np.int64).max]
    if opened_before is not None:
        rows = rows[posts.step[rows] < opened_before]
    return first[rows] - posts.step[rows]


def _posts_of_newcomers(facts: Facts) -> tuple[Array, Array, Array, Array]:
    """[newcomers who first posted a day or more before the end] posts, first step, last step, whether posted 1 to 7 days later."""
    rows = np.flatnonzero(facts.written & (facts.arrival[facts.posts.author] >= 0)) if facts.personas else np.zeros(0, int)
    author, step = facts.posts.author[rows], facts.posts.step[rows]
    first = np.full(facts.personas, np.iinfo(np.int64).max)
    last = np.full(facts.personas, -1)
    np.minimum.at(first, author, step)
    np.maximum.at(last, author, step)
    later = (step - first[author] >= HOURS_PER_DAY) & (step - first[author] < 8 * HOURS_PER_DAY)
    returned = np.bincount(author, later, minlength=facts.personas) > 0
    early = first < (facts.days - 1) * HOURS_PER_DAY
    return facts.posts_by_author[early], first[early], last[early], returned[early]
