"""Who leaves, who comes back, and what failed."""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import HOURS_PER_DAY, Facts, mean, ratio


def persona_churn(facts: Facts) -> float:
    """Members who left of their own accord in the measured days, [0, 1]; bans are counted apart. NaN without members."""
    return ratio(facts.departures["dissatisfied"], facts.members)


def newcomer_return(facts: Facts) -> float:
    """Newcomers who came back on a later day, among those whose first visit was at least a day before the end, [0, 1];
    NaN without such newcomers."""
    step, persona = facts.visits
    newcomer = facts.arrival[persona] >= 0
    step, persona = step[newcomer], persona[newcomer]
    first = np.full(len(facts.arrival), np.iinfo(np.int32).max)
    last = np.full(len(facts.arrival), -1)
    np.minimum.at(first, persona, step)
    np.maximum.at(last, persona, step)
    early = first < (facts.days - 1) * HOURS_PER_DAY
    return mean(last[early] // HOURS_PER_DAY > first[early] // HOURS_PER_DAY)


def failures(facts: Facts) -> float:
    """Drafts that could not be written, a count, >= 0; 0 for the sketch mind."""
    return float(facts.failures)
