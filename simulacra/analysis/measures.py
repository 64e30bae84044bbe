"""Measures: pure functions from a run's events to numbers.

Only the measured days count (steps 0 and later), though burn-in posts that are still being read are part of what is seen.
`*_written` is over posts as they were posted, those removed later included; `*_seen` is weighted by impressions, so a post that
nobody saw before its removal is not in it. Violations, recall and false removals are counted against each draft's truth, never
against a scorer. Where there is nothing to count a measure is NaN (a share of nothing) or 0 (a count), as its docstring says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.events import ACTIONS, DEPARTURES, KINDS, REACTIONS

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]
Direction = Literal["lower", "higher", "neither"]

HOURS_PER_DAY = 24
TOXIC = 0.5
"""A post whose toxicity is above this counts as toxic. On the lexical scorer's own scale: for comparing, not as a rate."""
_EMOTIONAL = 0.05
"""VADER's own convention: compound above .05 is positive, below -.05 negative (Hutto and Gilbert 2014)."""


class EventTables(Protocol):
    """What the measures need of `frames.Frames`: columns of a table of events.TABLES, or of `personas`."""

    def arrow(self, name: str, burn_in: bool = ..., columns: Sequence[str] | None = ...) -> pa.Table: ...


_COLUMNS: dict[str, tuple[str, ...]] = {
    "posts": ("id", "step", "author", "parent", "root", "toxicity", "valence", "positive", "negative", "rule", "truth"),
    "impressions": ("post", "source"),
    "visits": ("step", "persona"),
    "reactions": ("reaction",),
    "rulings": ("post", "action", "minutes"),
    "departures": ("step", "reason"),
    "failures": ("step",),
    "personas": ("arrival",),
}
"""What is read of each table: never the texts, which are most of a record."""


# -- the facts of a run, as arrays -----------------------------------------------------------------------------------------


class Posts(NamedTuple):
    """Every post of the run, burn-in included, in order of id; row i is post first + i."""

    id: Array
    step: Array
    author: Array
    parent: Array
    root: Array
    toxicity: Array
    valence: Array
    positive: Array
    negative: Array
    rule: Array  # number of the community's rule that is broken, from 1; 0 where none covers it
    violation: Array  # bool: the draft's truth is some kind of violation, whether or not a rule of this arm covers it

    @property
    def forbidden(self) -> Array:
        """[posts] bool: breaks one of this arm's rules, so that a moderator ought to remove it."""
        return self.rule > 0


@dataclass(frozen=True)
class Facts:
    """What happened in the measured days, as numpy columns read once. All arrays of one table are equally long."""

    tables: EventTables
    _read: dict[str, pa.Table] = field(default_factory=dict, repr=False)

    @cached_property
    def posts(self) -> Posts:
        table = self._table("posts", burn_in=True)
        columns = [*(_numbers(table, name) for name in _COLUMNS["posts"][:-1]), ~_has_label(table, "truth", KINDS[0])]
        order = np.argsort(columns[0], kind="stable")
        return Posts(*(column[order] for column in columns))

    @cached_property
    def written(self) -> Array:
        """[posts] bool: written in the measured days."""
        return self.posts.step >= 0

    @cached_property
    def seen(self) -> Array:
        """[impressions] rows of `posts` that were looked at."""
        return self._rows(_numbers(self._table("impressions"), "post"))

    @cached_property
    def visits(self) -> tuple[Array, Array]:
        """[visits] step, persona."""
        table = self._table("visits")
        return _numbers(table, "step"), _numbers(table, "persona")

    @cached_property
    def feed_impressions(self) -> int:
        return int(_has_label(self._table("impressions"), "source", "feed").sum())

    @cached_property
    def reactions(self) -> dict[str, int]:
        """Number of reactions by name: up, down, report."""
        codes = _numbers(self._table("reactions"), "reaction")
        return {name: int((codes == code).sum()) for code, name in REACTIONS.items()}

    @cached_property
    def removed(self) -> Array:
        """Rows of `posts` that were removed in the measured days, each once, whenever they were written."""
        table = self._table("rulings")
        post = _numbers(table, "post")[_has_label(table, "action", "remove")]
        return np.unique(self._rows(post[post >= 0]))

    @cached_property
    def rulings(self) -> dict[str, int]:
        """Number of rulings by action."""
        table = self._table("rulings")
        return {action: int(_has_label(table, "action", action).sum()) for action in ACTIONS}

    @cached_property
    def minutes(self) -> float:
        return float(_numbers(self._table("rulings"), "minutes").sum())

    @cached_property
    def departures(self) -> dict[str, int]:
        """Number of personas who left for good, by reason."""
        table = self._table("departures", burn_in=True)
        measured = _numbers(table, "step") >= 0
        return {reason: int((_has_label(table, "reason", reason) & measured).sum()) for reason in DEPARTURES}

    @cached_property
    def failures(self) -> int:
        return len(self._table("failures"))

    @cached_property
    def arrival(self) -> Array:
        """[personas] first step at which each can visit; far below 0 for those already there."""
        return _numbers(self._table("personas"), "arrival")

    @cached_property
    def days(self) -> int:
        """Measured days, from the last visit."""
        step = self.visits[0]
        return int(step.max()) // HOURS_PER_DAY + 1 if len(step) else 0

    @cached_property
    def members(self) -> int:
        """Personas who were there at some time of the measured days: arrived before the end, not gone in burn-in."""
        gone_before = len(self._table("departures", burn_in=True)) - sum(self.departures.values())
        return int((self.arrival < self.days * HOURS_PER_DAY).sum()) - gone_before

    @cached_property
    def posts_by_author(self) -> Array:
        """[personas] posts written in the measured days."""
        return np.bincount(self.posts.author[self.written], minlength=len(self.arrival))

    def _table(self, name: str, burn_in: bool = False) -> pa.Table:
        if name not in self._read:
            self._read[name] = self.tables.arrow(name, burn_in, _COLUMNS[name])
        return self._read[name]

    def _rows(self, ids: Array) -> Array:
        known = self.posts.id
        dense = len(known) > 0 and known[-1] - known[0] == len(known) - 1
        rows: Array = ids - known[0] if dense else np.searchsorted(known, ids)
        return rows


# -- what was written ------------------------------------------------------------------------------------------------------


def toxicity_written(facts: Facts) -> float:
    """Mean toxicity of posts, [0, 1]; lower is calmer; NaN without posts."""
    return _mean(facts.posts.toxicity[facts.written])


def valence_written(facts: Facts) -> float:
    """Mean valence (VADER compound) of posts, [-1, 1]; higher is more cheerful; NaN without posts."""
    return _mean(facts.posts.valence[facts.written])


def positive_words(facts: Facts) -> float:
    """Positive words among the words of a post, mean over posts, [0, 1] (Kramer et al. 2014 with LIWC); NaN without posts."""
    return _mean(facts.posts.positive[facts.written])


def negative_words(facts: Facts) -> float:
    """Negative words among the words of a post, mean over posts, [0, 1] (Kramer et al. 2014 with LIWC); NaN without posts."""
    return _mean(facts.posts.negative[facts.written])


def positive_share(facts: Facts) -> float:
    """Share of posts with valence above .05, [0, 1]; NaN without posts."""
    return _mean(facts.posts.valence[facts.written] > _EMOTIONAL)


def negative_share(facts: Facts) -> float:
    """Share of posts with valence below -.05, [0, 1]; NaN without posts."""
    return _mean(facts.posts.valence[facts.written] < -_EMOTIONAL)


def toxic_share(facts: Facts) -> float:
    """Share of posts with toxicity above .5, [0, 1]; lower is calmer; NaN without posts."""
    return _mean(facts.posts.toxicity[facts.written] > TOXIC)


def violations_per_100(facts: Facts) -> float:
    """Posts whose truth is some kind of violation, per 100 posts, [0, 100]; NaN without posts."""
    return 100 * _mean(facts.posts.violation[facts.written])


# -- what was seen ---------------------------------------------------------------------------------------------------------


def toxicity_seen(facts: Facts) -> float:
    """Mean toxicity over impressions, [0, 1]: a post read ten times counts ten times; NaN without impressions."""
    return _mean(facts.posts.toxicity[facts.seen])


def valence_seen(facts: Facts) -> float:
    """Mean valence over impressions, [-1, 1]; NaN without impressions."""
    return _mean(facts.posts.valence[facts.seen])


def toxic_seen_share(facts: Facts) -> float:
    """Share of impressions that are of posts with toxicity above .5, [0, 1]; NaN without impressions."""
    return _mean(facts.posts.toxicity[facts.seen] > TOXIC)


def violations_seen_per_100(facts: Facts) -> float:
    """Impressions of posts whose truth is some kind of violation, per 100 impressions, [0, 100]; NaN without impressions."""
    return 100 * _mean(facts.posts.violation[facts.seen])


# -- taking part -----------------------------------------------------------------------------------------------------------


def posts_per_persona(facts: Facts) -> float:
    """Posts per member over all measured days, lurkers counted, >= 0; NaN without members."""
    return _ratio(facts.written.sum(), facts.members)


def writers_share(facts: Facts) -> float:
    """Members who posted at least once, [0, 1]; NaN without members."""
    return _ratio((facts.posts_by_author > 0).sum(), facts.members)


def replies_per_thread(facts: Facts) -> float:
    """Replies, at any depth, per thread opened in the measured days, >= 0. Threads opened late have had less time: the same in
    all arms of a comparison. NaN without threads."""
    posts, opened = facts.posts, _threads(facts)
    sizes = np.bincount(np.searchsorted(posts.id, posts.root), minlength=len(posts.id))
    return _mean(sizes[opened] - 1)


def unanswered_share(facts: Facts) -> float:
    """Threads opened in the measured days to which nobody but their author has replied, [0, 1]; NaN without threads."""
    posts, opened = facts.posts, _threads(facts)
    root = np.searchsorted(posts.id, posts.root)
    by_others = posts.author != posts.author[root]
    return _mean(np.bincount(root[by_others], minlength=len(posts.id))[opened] == 0)


def participation_gini(facts: Facts) -> float:
    """Gini of posts per persona over those who posted, [0, 1]: 0 all alike, 1 one writes all (forums in a week: about .54).

    Lurkers are left out, as the published figures do. NaN without posts.
    """
    counts = facts.posts_by_author
    return gini(counts[counts > 0])


def exposure_gini(facts: Facts) -> float:
    """Gini of impressions per post written in the measured days, posts that nobody saw included, [0, 1]: 0 all equally read.
    NaN without posts."""
    return gini(np.bincount(facts.seen, minlength=len(facts.posts.id))[facts.written])


def impressions_per_visit(facts: Facts) -> float:
    """Posts of the feed looked at per visit (notices of replies not counted), >= 0; NaN without visits."""
    return _ratio(facts.feed_impressions, len(facts.visits[0]))


def visits_per_persona_day(facts: Facts) -> float:
    """Visits per member and day, >= 0; NaN without members."""
    return _ratio(len(facts.visits[0]), facts.members * facts.days)


def upvote_share(facts: Facts) -> float:
    """Upvotes among votes, [0, 1]; NaN without votes."""
    votes = facts.reactions
    return _ratio(votes["up"], votes["up"] + votes["down"])


def votes_per_100_impressions(facts: Facts) -> float:
    """Votes of either sign per 100 impressions, >= 0; NaN without impressions."""
    votes = facts.reactions
    return 100 * _ratio(votes["up"] + votes["down"], len(facts.seen))


# -- moderation ------------------------------------------------------------------------------------------------------------


def reports(facts: Facts) -> float:
    """Reports by readers, a count, >= 0."""
    return float(facts.reactions["report"])


def removals(facts: Facts) -> float:
    """Posts removed, a count, >= 0; a post that two policies remove counts once."""
    return float(len(facts.removed))


def removal_recall(facts: Facts) -> float:
    """Posts against this arm's rules that were removed, among all such posts of the measured days, [0, 1]; NaN without any."""
    posted = facts.posts.forbidden & facts.written
    return _ratio(posted[facts.removed].sum(), posted.sum())


def false_removal_share(facts: Facts) -> float:
    """Removed posts that break none of this arm's rules, among removed posts, [0, 1]; lower is better; NaN without removals."""
    return _mean(~facts.posts.forbidden[facts.removed])


def missed_violations(facts: Facts) -> float:
    """Violations posted in the measured days and not removed by their end, a count, >= 0."""
    posted = facts.posts.forbidden & facts.written
    return float(posted.sum() - posted[facts.removed].sum())


def moderator_minutes(facts: Facts) -> float:
    """Minutes that human moderators spent, per measured day, >= 0; NaN without days."""
    return _ratio(facts.minutes, facts.days)


def bans(facts: Facts) -> float:
    """Personas banned for good, a count, >= 0."""
    return float(facts.departures["banned"])


# -- staying ---------------------------------------------------------------------------------------------------------------


def persona_churn(facts: Facts) -> float:
    """Members who left of their own accord in the measured days, [0, 1]; bans are counted apart. NaN without members."""
    return _ratio(facts.departures["dissatisfied"], facts.members)


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
    return _mean(last[early] // HOURS_PER_DAY > first[early] // HOURS_PER_DAY)


def failures(facts: Facts) -> float:
    """Drafts that could not be written, a count, >= 0; 0 for the sketch mind."""
    return float(facts.failures)


# -- the table -------------------------------------------------------------------------------------------------------------


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


# -- helpers ---------------------------------------------------------------------------------------------------------------


def gini(counts: Array) -> float:
    """Gini coefficient of counts >= 0, [0, 1): half the mean absolute difference over the mean. NaN for none or all zero."""
    total = counts.sum()
    if not total:
        return float("nan")
    n = len(counts)
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ np.sort(counts) / (n * total))


def _threads(facts: Facts) -> Array:
    return facts.written & (facts.posts.parent < 0)


def _mean(values: Array) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _numbers(table: pa.Table, name: str) -> Array:
    return table.column(name).to_numpy()


def _has_label(table: pa.Table, name: str, label: str) -> Array:
    """[rows] bool: the label column says `label`. Works on dictionary-encoded and plain string columns."""
    import pyarrow.compute as pc

    if not len(table):
        return np.zeros(0, bool)
    return pc.equal(table.column(name), label).to_numpy()
