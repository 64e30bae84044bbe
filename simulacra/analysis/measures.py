"""Measures: pure functions from a run's events to numbers, by name, with unit and direction.

Only the measured days count (steps 0 and later), though burn-in posts that are still being read are part of what is seen.
`*_written` is over posts as they were posted, those removed later included; `*_seen` is weighted by impressions, so a post that
nobody saw before its removal is not in it. Violations, recall and false removals are counted against each draft's truth, never
against a scorer. Where there is nothing to count a measure is NaN (a share of nothing) or 0 (a count), as its docstring says.

The functions stand in modules by subject: tone, participation, workload, staying; `structure` holds those that are taken on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulacra.analysis.facts import HOURS_PER_DAY, Array, EventTables, Facts, gini
from simulacra.analysis.participation import (
    exposure_gini,
    impressions_per_visit,
    participation_gini,
    posts_per_persona,
    replies_per_thread,
    unanswered_share,
    upvote_share,
    visits_per_persona_day,
    votes_per_100_impressions,
    writers_share,
)
from simulacra.analysis.staying import failures, newcomer_return, persona_churn
from simulacra.analysis.tone import (
    TOXIC,
    negative_share,
    negative_words,
    positive_share,
    positive_words,
    toxic_seen_share,
    toxic_share,
    toxicity_seen,
    toxicity_written,
    valence_seen,
    valence_written,
    violations_per_100,
    violations_seen_per_100,
)
from simulacra.analysis.workload import (
    bans,
    false_removal_share,
    missed_violations,
    moderator_minutes,
    removal_recall,
    removals,
    reports,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "HOURS_PER_DAY",
    "MEASURES",
    "MECHANICAL",
    "TOXIC",
    "Array",
    "Direction",
    "EventTables",
    "Facts",
    "Measure",
    "gini",
    "measure",
    "measure_table",
    "mechanical",
]

Direction = Literal["lower", "higher", "neither"]


@dataclass(frozen=True)
class Measure:
    """One measure: its name, what to call it in a sentence, its unit, which way is better, and the function."""

    name: str
    title: str
    unit: str
    direction: Direction
    function: Callable[[Facts], float]

    @property
    def about(self) -> str:
        """What it counts: the first sentence of its docstring."""
        return " ".join((self.function.__doc__ or "").split())


def _catalogue(*rows: tuple[Callable[[Facts], float], str, str, Direction]) -> dict[str, Measure]:
    return {f.__name__: Measure(f.__name__, title, unit, direction, f) for f, title, unit, direction in rows}


MEASURES: dict[str, Measure] = _catalogue(
    (toxicity_written, "toxicity of what members write", "score 0 to 1", "lower"),
    (toxicity_seen, "toxicity of what members read", "score 0 to 1", "lower"),
    (toxic_share, "share of posts that are toxic", "share", "lower"),
    (toxic_seen_share, "share of readings that are toxic", "share", "lower"),
    (violations_per_100, "posts that insult, advertise or stray", "per 100 posts", "lower"),
    (violations_seen_per_100, "reading of such posts", "per 100 impressions", "lower"),
    (valence_written, "cheerfulness of what members write", "score -1 to 1", "higher"),
    (valence_seen, "cheerfulness of what members read", "score -1 to 1", "higher"),
    (positive_words, "positive words written", "share of words", "higher"),
    (negative_words, "negative words written", "share of words", "lower"),
    (positive_share, "share of posts that are positive", "share", "higher"),
    (negative_share, "share of posts that are negative", "share", "lower"),
    (posts_per_persona, "posts per member", "posts", "higher"),
    (writers_share, "share of members who post", "share", "higher"),
    (replies_per_thread, "replies per thread", "posts", "higher"),
    (unanswered_share, "share of threads that nobody answers", "share", "lower"),
    (participation_gini, "inequality of posting", "Gini 0 to 1", "neither"),
    (exposure_gini, "inequality of being read", "Gini 0 to 1", "neither"),
    (visits_per_persona_day, "visits per member and day", "visits", "higher"),
    (impressions_per_visit, "posts read per visit", "posts", "neither"),
    (votes_per_100_impressions, "votes per 100 readings", "per 100 impressions", "neither"),
    (upvote_share, "share of votes that are upvotes", "share", "higher"),
    (reports, "reports by members", "count", "lower"),
    (removals, "posts removed", "count", "neither"),
    (removal_recall, "share of violations that are removed", "share", "higher"),
    (false_removal_share, "share of removals that hit harmless posts", "share", "lower"),
    (missed_violations, "violations that stay up", "count", "lower"),
    (moderator_minutes, "moderators' work", "minutes a day", "lower"),
    (bans, "members banned", "count", "neither"),
    (persona_churn, "share of members who leave", "share", "lower"),
    (newcomer_return, "share of newcomers who come back", "share", "higher"),
    (failures, "drafts that failed", "count", "lower"),
)
"""Every measure by name, in the order of a report."""


def measure(tables: EventTables) -> dict[str, float]:
    """All measures of one run, in the order of MEASURES.

    tables: `frames.Frames`, or anything that hands out the same Arrow tables.
    """
    facts = Facts(tables)
    return {name: float(m.function(facts)) for name, m in MEASURES.items()}


def measure_table(values: Mapping[str, float]) -> pa.Table:
    """Values as one tidy Arrow table: measure, value, unit, direction, about."""
    import pyarrow as pa

    rows = [(MEASURES[name], value) for name, value in values.items()]
    return pa.table(
        {
            "measure": [m.name for m, _ in rows],
            "value": pa.array([value for _, value in rows], pa.float64()),
            "unit": [m.unit for m, _ in rows],
            "direction": [m.direction for m, _ in rows],
            "about": [m.about for m, _ in rows],
        }
    )


# -- mechanical or response ------------------------------------------------------------------------------------------------

_SEEN = {"toxicity_seen", "toxic_seen_share", "violations_seen_per_100", "valence_seen"}
_WORK = {"reports", "removals", "removal_recall", "false_removal_share", "missed_violations", "moderator_minutes", "bans"}
_WRITTEN = {
    "toxicity_written", "toxic_share", "valence_written", "positive_words", "negative_words", "positive_share",
    "negative_share", "violations_per_100",
}  # fmt: skip

MECHANICAL: dict[str, frozenset[str]] = {
    "removal": frozenset(_SEEN | _WORK | {"exposure_gini"}),  # what is taken down is neither read nor reported any more
    "friction": frozenset(_WRITTEN | {"missed_violations"}),  # drafts are cancelled or revised before they count as written
    "exposure": frozenset(_SEEN | {"exposure_gini", "impressions_per_visit"}),  # it folds, moves down or limits what is read
    "volume": frozenset(
        {"posts_per_persona", "writers_share", "participation_gini", "replies_per_thread", "unanswered_share"}
    ),  # drafts are refused, or threads closed
    "sanction": frozenset({"bans", "posts_per_persona", "writers_share", "participation_gini", "moderator_minutes"}),
    "reminder": frozenset(),  # rules in sight change nothing but people
    "rules": frozenset(),
    "feed": frozenset({"exposure_gini"}),  # sharing out attention is what a feed does
    "feed.toxicity": frozenset({"toxicity_seen", "toxic_seen_share", "violations_seen_per_100"}),
    "feed.valence": frozenset({"valence_seen"}),
    "behaviour.visit_rate": frozenset({"visits_per_persona_day"}),
    "behaviour.scroll": frozenset({"impressions_per_visit"}),
    "behaviour.write": frozenset({"posts_per_persona", "writers_share"}),
    "behaviour.opening": frozenset({"replies_per_thread"}),
    "behaviour.insult": frozenset({"toxicity_written", "toxic_share", "violations_per_100"}),
    "behaviour.promote": frozenset({"violations_per_100"}),
    "behaviour.off_topic": frozenset({"violations_per_100"}),
    "behaviour.upvote": frozenset({"votes_per_100_impressions", "upvote_share"}),
    "behaviour.downvote": frozenset({"votes_per_100_impressions", "upvote_share"}),
    "behaviour.report": frozenset({"reports"}),
    "behaviour.false_report": frozenset({"reports"}),
    "behaviour.churn": frozenset({"persona_churn"}),
}
"""Lever class (see `designs.levers`) -> measures on which it acts directly. All else that moves is people's response."""


def mechanical(changed: frozenset[str]) -> frozenset[str]:
    """The measures on which the changed levers act directly. Unknown classes act on none."""
    return frozenset().union(*(MECHANICAL.get(lever, frozenset()) for lever in changed))
