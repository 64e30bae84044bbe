"""What moderation does and what it costs: reports, removals and their errors, the work of people.

Violations, recall and false removals are counted against each draft's truth, never against a scorer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulacra.analysis.agreement import HALF, kappa
from simulacra.analysis.facts import HOURS_PER_DAY, Array, Facts, mean, ratio


def reports(facts: Facts) -> float:
    """Reports by readers, a count, >= 0."""
    return float(facts.reactions["report"])


def removals(facts: Facts) -> float:
    """Posts removed, a count, >= 0; a post that two policies remove counts once."""
    return float(len(facts.removed))


def removal_recall(facts: Facts) -> float:
    """Posts against this arm's rules that were removed, among all such posts of the measured days, [0, 1]; NaN without any."""
    posted = facts.posts.forbidden & facts.written
    return ratio(posted[facts.removed].sum(), posted.sum())


def false_removal_share(facts: Facts) -> float:
    """Removed posts that break none of this arm's rules, among removed posts, [0, 1]; lower is better; NaN without removals."""
    return mean(~facts.posts.forbidden[facts.removed])


def missed_violations(facts: Facts) -> float:
    """Violations posted in the measured days and not removed by their end, a count, >= 0."""
    posted = facts.posts.forbidden & facts.written
    return float(posted.sum() - posted[facts.removed].sum())


def moderator_minutes(facts: Facts) -> float:
    """Minutes that human moderators spent, per measured day, >= 0; NaN without days."""
    return ratio(facts.minutes, facts.days)


def bans(facts: Facts) -> float:
    """Personas banned for good, a count, >= 0."""
    return float(facts.departures["banned"])


# -- people at work --------------------------------------------------------------------------------------------------------


def reports_per_day(facts: Facts) -> float:
    """Reports by readers per measured day, >= 0; NaN without days."""
    return ratio(facts.reactions["report"], facts.days)


def moderator_hours(facts: Facts) -> float:
    """Hours that human moderators spent, per measured day, >= 0; NaN without days."""
    return moderator_minutes(facts) / 60


def queue_mean(facts: Facts) -> float:
    """Posts that wait for a moderator, mean over the measured hours, >= 0; NaN where no moderator decided anything.

    A post waits from its first report, or from being held, until a person decides or anything removes it. Where a policy asks for
    several reports before it queues a post, the wait for those is in it.
    """
    return mean(_queue(facts))


def queue_max(facts: Facts) -> float:
    """Posts that wait for a moderator at the worst hour, >= 0 (see `queue_mean`); NaN where no moderator decided anything."""
    queue = _queue(facts)
    return float(queue.max()) if len(queue) else float("nan")


def hours_to_decision(facts: Facts) -> float:
    """Hours from a post's first report, or from being held, to a moderator's decision on it, mean over decided posts, >= 0; NaN
    without decisions."""
    return mean(decision_hours(facts))


def toxicity_llm_kappa(facts: Facts) -> float:
    """Agreement of the language model that moderates with a scorer: Cohen's kappa of "removed by llm_moderator" and "scores over .5",
    over posts of the measured days, [-1, 1]; 0 as chance would have it; NaN where either says the same of all, so also where no model
    moderates. Rules ask for more than civility: low agreement is no fault by itself."""
    ruled = facts.post_rulings
    by_model = np.zeros(len(facts.posts.id), bool)
    by_model[ruled.row[(ruled.policy == "llm_moderator") & (ruled.action == "remove")]] = True
    by_score = facts.posts.toxicity > HALF
    verdicts = by_model[facts.written], by_score[facts.written]
    return kappa(*verdicts) if all(0 < v.sum() < len(v) for v in verdicts) else float("nan")


def llm_unjudged(facts: Facts) -> float:
    """Drafts that passed because the language model that moderates gave no judgement on them, a count, >= 0."""
    return float(facts.unjudged)


def queue_by_hour(facts: Facts) -> Array:
    """[measured hours] posts that wait for a moderator at the end of each hour; empty where no moderator decided anything."""
    return _queue(facts)


def decision_hours(facts: Facts) -> Array:
    """[decided posts] hours from a post's first report, or from being held, to a moderator's decision on it."""
    waits = _waits(facts)
    decided = waits.by_person & (waits.until < _NEVER)
    return waits.until[decided] - waits.since[decided]


_NEVER = np.iinfo(np.int64).max
_CLOSING = ("keep", "remove", "release")


class _Waits(NamedTuple):
    """Posts that came before a moderator, or ought to have."""

    since: Array  # step of the first report, or of being held
    until: Array  # step of the decision or of any removal; _NEVER: still waiting
    by_person: Array  # bool: a moderator decided


def _waits(facts: Facts) -> _Waits:
    ruled, reported = facts.post_rulings, facts.reports
    rows, n = len(facts.posts.id), _NEVER
    since, decided, removed = (np.full(rows, n) for _ in range(3))
    np.minimum.at(since, reported.row, reported.step)
    held = ruled.action == "hold"
    np.minimum.at(since, ruled.row[held], ruled.step[held])
    staffed = np.unique(ruled.policy[(ruled.minutes > 0) | np.isin(ruled.action, ("keep", "release"))])
    by_person = np.isin(ruled.policy, staffed) & np.isin(ruled.action, _CLOSING)
    np.minimum.at(decided, ruled.row[by_person], ruled.step[by_person])
    gone = ruled.action == "remove"
    np.minimum.at(removed, ruled.row[gone], ruled.step[gone])
    came = np.flatnonzero(since < n) if len(staffed) else np.zeros(0, np.int64)
    until = np.maximum(np.minimum(decided, removed), since)[came]
    return _Waits(since[came], until, (decided <= removed)[came] & (decided[came] < n))


def _queue(facts: Facts) -> Array:
    """[measured hours] posts that wait at the end of each hour; empty where no moderator decided anything."""
    waits = _waits(facts)
    if not len(waits.since):
        return np.zeros(0)
    hours = facts.days * HOURS_PER_DAY
    came, went = (np.bincount(step[step < hours], minlength=hours) for step in (waits.since, waits.until))
    return np.cumsum(came - went)
