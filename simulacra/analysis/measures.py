"""Measures: pure functions from a run's events to numbers, by name, with unit and direction.

Only the measured days count (steps 0 and later), though burn-in posts that are still being read are part of what is seen.
`*_written` is over posts as they were posted, those removed later included; `*_seen` is weighted by impressions, so a post that
nobody saw before its removal is not in it. Violations, recall and false removals are counted against each draft's truth, never
against a scorer. Where there is nothing to count a measure is NaN (a share of nothing) or 0 (a count), as its docstring says.

The functions stand in modules by subject: tone, participation, workload, staying; `structure` holds those that are taken on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from simulacra.analysis.catalogue import LEXICAL, TRUTH, Direction, Measure, catalogue
from simulacra.analysis.diffusion import DIFFUSION
from simulacra.analysis.facts import HOURS_PER_DAY, Array, EventTables, Facts, gini, mean
from simulacra.analysis.groups import cross_group_seen, ei_replies
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
from simulacra.analysis.structure import STRUCTURE
from simulacra.analysis.tone import (
    TOXIC,
    negative_share,
    negative_words,
    positive_share,
    positive_words,
    toxic_author_share,
    toxic_seen_share,
    toxic_share,
    toxicity_across_groups,
    toxicity_by_depth,
    toxicity_group_gap,
    toxicity_of_openings,
    toxicity_of_replies,
    toxicity_seen,
    toxicity_severity,
    toxicity_written,
    uncivil_per_100,
    uncivil_seen_per_100,
    valence_seen,
    valence_written,
    violations_per_100,
    violations_seen_per_100,
)
from simulacra.analysis.workload import (
    bans,
    false_removal_share,
    hours_to_decision,
    llm_unjudged,
    missed_violations,
    moderator_hours,
    moderator_minutes,
    queue_max,
    queue_mean,
    removal_recall,
    removals,
    reports,
    reports_per_day,
    toxicity_llm_kappa,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "ALL",
    "DETAILS",
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

MEASURES: dict[str, Measure] = catalogue(
    (toxicity_written, "toxicity of what members write", "score 0 to 1", "lower", LEXICAL),
    (toxicity_seen, "toxicity of what members read", "score 0 to 1", "lower", LEXICAL),
    (toxic_share, "share of posts that are toxic", "share", "lower", LEXICAL),
    (toxic_seen_share, "share of readings that are toxic", "share", "lower", LEXICAL),
    (toxicity_severity, "toxicity of the toxic posts", "score .5 to 1", "lower", LEXICAL),
    (toxic_author_share, "share of writers with a toxic post", "share", "lower", LEXICAL),
    (uncivil_per_100, "posts meant to be rude", "per 100 posts", "lower", TRUTH),
    (uncivil_seen_per_100, "reading of posts meant to be rude", "per 100 impressions", "lower", TRUTH),
    (violations_per_100, "posts that insult, advertise or stray", "per 100 posts", "lower", TRUTH),
    (violations_seen_per_100, "reading of such posts", "per 100 impressions", "lower", TRUTH),
    (valence_written, "cheerfulness of what members write", "score -1 to 1", "higher", LEXICAL),
    (valence_seen, "cheerfulness of what members read", "score -1 to 1", "higher", LEXICAL),
    (positive_words, "positive words written", "share of words", "higher", LEXICAL),
    (negative_words, "negative words written", "share of words", "lower", LEXICAL),
    (positive_share, "share of posts that are positive", "share", "higher", LEXICAL),
    (negative_share, "share of posts that are negative", "share", "lower", LEXICAL),
    (posts_per_persona, "posts per member", "posts", "higher"),
    (writers_share, "share of members who post", "share", "higher"),
    (replies_per_thread, "replies per thread", "posts", "higher"),
    (unanswered_share, "share of threads that nobody answers", "share", "lower"),
    (participation_gini, "inequality of posting", "Gini 0 to 1", "neither"),
    (exposure_gini, "inequality of being read", "Gini 0 to 1", "neither"),
    (ei_replies, "E-I index of replies", "index -1 to 1", "neither"),
    (cross_group_seen, "reading across home groups", "share", "neither"),
    (visits_per_persona_day, "visits per member and day", "visits", "higher"),
    (impressions_per_visit, "posts read per visit", "posts", "neither"),
    (votes_per_100_impressions, "votes per 100 readings", "per 100 impressions", "neither"),
    (upvote_share, "share of votes that are upvotes", "share", "higher"),
    (reports, "reports by members", "count", "lower"),
    (removals, "posts removed", "count", "neither"),
    (removal_recall, "share of violations that are removed", "share", "higher", TRUTH),
    (false_removal_share, "share of removals that hit harmless posts", "share", "lower", TRUTH),
    (missed_violations, "violations that stay up", "count", "lower", TRUTH),
    (moderator_minutes, "moderators' work", "minutes a day", "lower"),
    (queue_mean, "posts that wait for a moderator", "posts", "lower"),
    (hours_to_decision, "wait for a moderator's decision", "hours", "lower"),
    (bans, "members banned", "count", "neither"),
    (persona_churn, "share of members who leave", "share", "lower"),
    (newcomer_return, "share of newcomers who come back", "share", "higher"),
    (failures, "drafts that failed", "count", "lower"),
)
"""Every measure that every replicate takes, by name, in the order of a report."""

DETAILS: dict[str, Measure] = catalogue(
    (toxicity_of_openings, "toxicity of opening posts", "score 0 to 1", "lower", LEXICAL),
    (toxicity_of_replies, "toxicity of replies", "score 0 to 1", "lower", LEXICAL),
    (toxicity_by_depth, "toxicity per level of depth", "score per level", "neither", LEXICAL),
    (toxicity_across_groups, "toxicity across against within home groups", "score -1 to 1", "lower", LEXICAL),
    (toxicity_group_gap, "gap in toxicity between home groups", "score 0 to 1", "neither", LEXICAL),
    (reports_per_day, "reports a day", "reports a day", "lower"),
    (queue_max, "posts that wait at the worst hour", "posts", "lower"),
    (moderator_hours, "moderators' work in hours", "hours a day", "lower"),
    (toxicity_llm_kappa, "agreement of model and scorer on what to remove", "kappa -1 to 1", "neither", LEXICAL),
    (llm_unjudged, "drafts that a model could not judge", "count", "lower"),
)
"""More of the same subjects, taken on demand. `structure.STRUCTURE` has the shape of a community, `diffusion.DIFFUSION` the way of news."""

ALL: dict[str, Measure] = {**MEASURES, **DETAILS, **STRUCTURE, **DIFFUSION}
"""Every measure there is."""


def measure(tables: EventTables) -> dict[str, float]:
    """All measures of one run that every replicate takes, in the order of MEASURES.

    tables: `frames.Frames`, or anything that hands out the same Arrow tables.
    """
    facts = Facts(tables)
    return {name: float(m.function(facts)) for name, m in MEASURES.items()}


class Measured(Protocol):
    """A run: its name and its tables."""

    @property
    def id(self) -> str: ...
    @property
    def frames(self) -> EventTables: ...


class Judgement(NamedTuple):
    """One row of the tidy table."""

    measure: str
    value: float
    unit: str
    direction: Direction
    scorer: str
    about: str


def judgements(facts: Facts) -> list[Judgement]:
    """Every measure there is of one run by what the run itself recorded."""
    return [Judgement(m.name, float(m.function(facts)), m.unit, m.direction, m.scorer, m.about) for m in ALL.values()]


def judged_by(tables: EventTables, scorer: str, scores: Mapping[str, Array]) -> list[Judgement]:
    """The measures that a second scorer can take, by its own scores.

    scores: column -> [posts] in order of id, burn-in included; another length raises ValueError. `toxicity` and `valence` stand in for
    the recorded ones in the measures of their name; every further column (an emotion, a label) gives its mean over posts and over
    impressions, as `anger_written` and `anger_seen`.
    """
    replaced = {name: values.astype(np.float64) for name, values in scores.items() if name in ("toxicity", "valence")}
    facts = Facts(tables, replaced)
    if any(len(values) != len(facts.written) for values in scores.values()):
        raise ValueError(f"{scorer}: one score a post expected, {len(facts.written)} posts.")
    taken = [m for m in ALL.values() if score_of(m.name) in replaced]
    rows = [Judgement(m.name, float(m.function(facts)), m.unit, m.direction, scorer, m.about) for m in taken]
    for name, values in scores.items():
        if name not in replaced:
            about = f"Mean chance of {name} by {scorer}, [0, 1], over"
            written, seen = mean(values[facts.written]), mean(values[facts.seen])
            rows.append(Judgement(f"{name}_written", written, "score 0 to 1", "neither", scorer, f"{about} posts."))
            rows.append(Judgement(f"{name}_seen", seen, "score 0 to 1", "neither", scorer, f"{about} impressions."))
    return rows


def judged_values(tables: EventTables, scores: Mapping[str, Array]) -> dict[str, float]:
    """The measures of MEASURES that rest on one of these scores, by these scores. scores: as `Facts` takes them."""
    facts = Facts(tables, scores)
    return {name: float(m.function(facts)) for name, m in MEASURES.items() if score_of(name) in scores}


def score_of(measure: str) -> str:
    """The score that a measure rests on where a second scorer may take the first one's place: toxicity, valence or ""."""
    if measure in ("valence_written", "valence_seen"):
        return "valence"
    return "toxicity" if measure.startswith("toxic") and ALL[measure].scorer == LEXICAL else ""


def measure_table(run: Measured, second: Mapping[str, Mapping[str, Array]] | None = None) -> pa.Table:
    """Every measure there is of one run as one tidy Arrow table: run, measure, value, unit, direction, scorer, about.

    second: scorer -> its scores, as `judged_by` takes them; their rows follow, so that a measure may stand there by several scorers.
    A second or two, most of it imports: `measure` takes the quick ones alone. Undefined values are NaN.
    """
    import pyarrow as pa

    rows = judgements(Facts(run.frames))
    for scorer, scores in (second or {}).items():
        rows += judged_by(run.frames, scorer, scores)
    columns = {name: [getattr(row, name) for row in rows] for name in Judgement._fields}
    return pa.table({"run": [run.id] * len(rows), **columns, "value": pa.array(columns["value"], pa.float64())})


# -- mechanical or response ------------------------------------------------------------------------------------------------

_SEEN = {"toxicity_seen", "toxic_seen_share", "violations_seen_per_100", "uncivil_seen_per_100", "valence_seen"}
_WORK = {
    "reports", "removals", "removal_recall", "false_removal_share", "missed_violations", "moderator_minutes", "bans", "queue_mean",
    "hours_to_decision",
}  # fmt: skip
_WRITTEN = {
    "toxicity_written", "toxic_share", "valence_written", "positive_words", "negative_words", "positive_share",
    "negative_share", "violations_per_100", "uncivil_per_100", "toxicity_severity", "toxic_author_share",
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
    "feed": frozenset({"exposure_gini", "cross_group_seen"}),  # sharing out attention is what a feed does
    "feed.toxicity": frozenset({"toxicity_seen", "toxic_seen_share", "violations_seen_per_100", "uncivil_seen_per_100"}),
    "feed.valence": frozenset({"valence_seen"}),
    "behaviour.visit_rate": frozenset({"visits_per_persona_day"}),
    "behaviour.scroll": frozenset({"impressions_per_visit"}),
    "behaviour.write": frozenset({"posts_per_persona", "writers_share"}),
    "behaviour.opening": frozenset({"replies_per_thread"}),
    "behaviour.insult": frozenset(
        {"toxicity_written", "toxic_share", "toxic_author_share", "violations_per_100", "uncivil_per_100"}
    ),
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
