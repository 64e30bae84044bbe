"""What moderation does and what it costs: reports, removals and their errors, the work of people.

Violations, recall and false removals are counted against each draft's truth, never against a scorer.
"""

from __future__ import annotations

from simulacra.analysis.facts import Facts, mean, ratio


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
