"""The facts of a run: columns of its event tables as numpy arrays, read once, and the small arithmetic that measures share.

Only the measured days count (steps 0 and later), though burn-in posts that are still being read are part of what is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.events import ACTIONS, DEPARTURES, KINDS, REACTIONS

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[Any]

NAN = float("nan")
HOURS_PER_DAY = 24
UNCIVIL = ("insult", "harassment")
"""Kinds of violation that are rude to somebody."""


class EventTables(Protocol):
    """What the measures need of `frames.Frames`: columns of a table of events.TABLES, or of `personas`."""

    def arrow(self, name: str, burn_in: bool = ..., columns: Sequence[str] | None = ...) -> pa.Table: ...


_COLUMNS: dict[str, tuple[str, ...]] = {
    "posts": (
        "id", "step", "author", "parent", "root", "depth", "toxicity", "valence", "positive", "negative", "rule", "truth",
    ),
    "impressions": ("post", "source"),
    "visits": ("step", "persona"),
    "reactions": ("step", "post", "reaction"),
    "rulings": ("step", "post", "action", "minutes", "policy"),
    "departures": ("step", "persona", "reason"),
    "failures": ("step",),
    "personas": ("arrival",),
}  # fmt: skip
"""What every measurement reads of each table: never the texts, which are most of a record."""


class Posts(NamedTuple):
    """Every post of the run, burn-in included, in order of id; row i is post first + i."""

    id: Array
    step: Array
    author: Array
    parent: Array
    root: Array
    depth: Array
    toxicity: Array
    valence: Array
    positive: Array
    negative: Array
    rule: Array  # number of the community's rule that is broken, from 1; 0 where none covers it
    violation: Array  # bool: the draft's truth is some kind of violation, whether or not a rule of this arm covers it

    uncivil: Array  # bool: the draft's truth is an insult or harassment

    @property
    def forbidden(self) -> Array:
        """[posts] bool: breaks one of this arm's rules, so that a moderator ought to remove it."""
        return self.rule > 0


class Reports(NamedTuple):
    """Readers' reports in the measured days."""

    row: Array  # of `posts`
    step: Array


class PostRulings(NamedTuple):
    """Rulings on posts in the measured days."""

    row: Array  # of `posts`
    step: Array
    action: Array  # words
    policy: Array  # words
    minutes: Array


@dataclass(frozen=True)
class Facts:
    """What happened in the measured days, as numpy columns read once. All arrays of one table are equally long.

    scores: columns of `Posts` that another scorer judges in place of the recorded ones, [posts] in order of id.
    """

    tables: EventTables
    scores: Mapping[str, Array] = field(default_factory=dict, repr=False)
    _read: dict[str, pa.Table] = field(default_factory=dict, repr=False)
    _members: Array | None = field(default=None, repr=False)  # [personas] bool: whose doings count; None: everybody's

    def among(self, members: Array) -> Facts:
        """What these members wrote, read and did. members: [personas] bool. Every post can still be looked up by its row."""
        part = Facts(self.tables, self.scores, self._read, members)
        part.__dict__.update(posts=self.posts, root_row=self.root_row, arrival=self.arrival, days=self.days)
        return part

    def _theirs(self, personas: Array) -> Array:
        """[n] bool: of these personas, who counts."""
        return np.ones(len(personas), bool) if self._members is None else self._members[personas]

    # -- posts --

    @cached_property
    def posts(self) -> Posts:
        table = self._table("posts", burn_in=True)
        truth = [~_has_label(table, "truth", KINDS[0]), _has_label(table, "truth", *UNCIVIL)]
        columns = [*(_numbers(table, name) for name in _COLUMNS["posts"][:-1]), *truth]
        order = np.argsort(columns[0], kind="stable")
        return Posts(*(column[order] for column in columns))._replace(**self.scores)

    @cached_property
    def written(self) -> Array:
        """[posts] bool: written in the measured days."""
        written: Array = self.posts.step >= 0
        return written if self._members is None else written & self._theirs(self.posts.author)

    @cached_property
    def opened(self) -> Array:
        """Rows of `posts` that opened a thread in the measured days."""
        return np.flatnonzero(self.written & (self.posts.parent < 0))

    @cached_property
    def replies(self) -> Array:
        """Rows of `posts` that are replies written in the measured days."""
        return np.flatnonzero(self.written & (self.posts.parent >= 0))

    @cached_property
    def parent_row(self) -> Array:
        """[posts] row of the post replied to; -1 where it opens a thread."""
        parent = self.posts.parent
        return np.where(parent >= 0, self.rows_of(np.maximum(parent, self.posts.id[:1])), -1) if len(parent) else parent

    @cached_property
    def root_row(self) -> Array:
        """[posts] row of the post that opened the thread."""
        return self.rows_of(self.posts.root)

    @cached_property
    def thread_sizes(self) -> Array:
        """[threads] replies, at any depth, to each thread opened in the measured days."""
        return np.bincount(self.root_row, minlength=len(self.posts.id))[self.opened] - 1

    @cached_property
    def posts_by_author(self) -> Array:
        """[personas] posts written in the measured days."""
        return np.bincount(self.posts.author[self.written], minlength=self.personas)

    @cached_property
    def upvotes(self) -> Array:
        """[posts] upvotes received in the measured days."""
        table = self._table("reactions")
        liked = _numbers(table, "post")[_numbers(table, "reaction") == 1]
        return np.bincount(self.rows_of(liked), minlength=len(self.posts.id))

    # -- reading --

    @cached_property
    def seen(self) -> Array:
        """[impressions] rows of `posts` that were looked at."""
        rows = self.rows_of(_numbers(self._table("impressions"), "post"))
        return rows if self._members is None else rows[self._theirs(self.column("impressions", "persona"))]

    @cached_property
    def readers(self) -> Array:
        """[impressions] who looked, in the order of `seen`. Read apart: it is the longest column that few measures need."""
        readers = self.column("impressions", "persona")
        return readers[self._theirs(readers)]

    @cached_property
    def visits(self) -> tuple[Array, Array]:
        """[visits] step, persona."""
        table = self._table("visits")
        step, persona = _numbers(table, "step"), _numbers(table, "persona")
        theirs = self._theirs(persona)
        return step[theirs], persona[theirs]

    @cached_property
    def feed_impressions(self) -> int:
        of_feed = _has_label(self._table("impressions"), "source", "feed")
        return int((of_feed if self._members is None else of_feed & self._theirs(self.column("impressions", "persona"))).sum())

    @cached_property
    def reactions(self) -> dict[str, int]:
        """Number of reactions by name: up, down, report."""
        codes = _numbers(self._table("reactions"), "reaction")
        codes = codes if self._members is None else codes[self._theirs(self.column("reactions", "persona"))]
        return {name: int((codes == code).sum()) for code, name in REACTIONS.items()}

    # -- moderation --

    @cached_property
    def removed(self) -> Array:
        """Rows of `posts` that were removed in the measured days, each once, whenever they were written."""
        table = self._table("rulings")
        post = _numbers(table, "post")[_has_label(table, "action", "remove")]
        rows = np.unique(self.rows_of(post[post >= 0]))
        return rows[self._theirs(self.posts.author[rows])]

    @cached_property
    def reports(self) -> Reports:
        table = self._table("reactions")
        reported = _numbers(table, "reaction") == 2
        return Reports(self.rows_of(_numbers(table, "post")[reported]), _numbers(table, "step")[reported])

    @cached_property
    def post_rulings(self) -> PostRulings:
        table = self._table("rulings")
        post = _numbers(table, "post")
        columns = (_numbers(table, "step"), _words(table, "action"), _words(table, "policy"), _numbers(table, "minutes"))
        known = post >= 0
        return PostRulings(self.rows_of(post[known]), *(column[known] for column in columns))

    @cached_property
    def rulings(self) -> dict[str, int]:
        """Number of rulings by action."""
        table = self._table("rulings")
        return {action: int(_has_label(table, "action", action).sum()) for action in ACTIONS}

    @cached_property
    def unjudged(self) -> int:
        """Drafts that a model was to judge and could not: it keeps those by name, before they are posts."""
        table = self._table("rulings")
        return int((_has_label(table, "policy", "llm_moderator") & _has_label(table, "action", "keep")).sum())

    @cached_property
    def minutes(self) -> float:
        return float(_numbers(self._table("rulings"), "minutes").sum())

    # -- people --

    @cached_property
    def departures(self) -> dict[str, int]:
        """Number of personas who left for good, by reason."""
        table = self._table("departures", burn_in=True)
        measured = (_numbers(table, "step") >= 0) & self._theirs(_numbers(table, "persona"))
        return {reason: int((_has_label(table, "reason", reason) & measured).sum()) for reason in DEPARTURES}

    @cached_property
    def failures(self) -> int:
        return len(self._table("failures"))

    @cached_property
    def arrival(self) -> Array:
        """[personas] first step at which each can visit; far below 0 for those already there."""
        return _numbers(self._table("personas"), "arrival")

    @cached_property
    def group(self) -> Array:
        """[personas] home group, 0 or 1."""
        return self.column("personas", "group")

    @property
    def personas(self) -> int:
        return len(self.arrival)

    @cached_property
    def days(self) -> int:
        """Measured days, from the last visit."""
        step = self.visits[0]
        return int(step.max()) // HOURS_PER_DAY + 1 if len(step) else 0

    @cached_property
    def present(self) -> Array:
        """[personas] bool: there at some time of the measured days; arrived before the end, not gone in burn-in."""
        table = self._table("departures", burn_in=True)
        here = self.arrival < self.days * HOURS_PER_DAY
        here[_numbers(table, "persona")[_numbers(table, "step") < 0]] = False
        return here if self._members is None else here & self._members

    @cached_property
    def members(self) -> int:
        """How many were present."""
        return int(self.present.sum())

    # -- reading tables --

    def column(self, table: str, name: str, burn_in: bool = False) -> Array:
        """A numeric column that not every measurement needs, in the order of its table."""
        return _numbers(self.tables.arrow(table, burn_in, (name,)), name)

    def rows_of(self, ids: Array) -> Array:
        """Rows of `posts` of these post ids, all of which exist."""
        known = self.posts.id
        dense = len(known) > 0 and known[-1] - known[0] == len(known) - 1
        rows: Array = ids - known[0] if dense else np.searchsorted(known, ids)
        return rows

    def _table(self, name: str, burn_in: bool = False) -> pa.Table:
        if name not in self._read:
            self._read[name] = self.tables.arrow(name, burn_in, _COLUMNS[name])
        return self._read[name]


# -- arithmetic ------------------------------------------------------------------------------------------------------------


def gini(counts: Array) -> float:
    """Gini coefficient of counts >= 0, [0, 1): half the mean absolute difference over the mean. NaN for none or all zero."""
    total = counts.sum()
    if not total:
        return NAN
    n = len(counts)
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ np.sort(counts) / (n * total))


def top_share(counts: Array, share: float) -> float:
    """What the largest `share` of counts >= 0 hold of their sum, [0, 1]: at least one of them. NaN for none or all zero."""
    total = counts.sum()
    if not total:
        return NAN
    k = max(1, round(share * len(counts)))
    return float(np.sort(counts)[-k:].sum() / total)


def mean(values: Array) -> float:
    """NaN without values."""
    return float(values.mean(dtype=np.float64)) if len(values) else NAN


def median(values: Array) -> float:
    """NaN without values."""
    return float(np.median(values)) if len(values) else NAN


def ratio(part: float, whole: float) -> float:
    """NaN where there is no whole."""
    return float(part) / float(whole) if whole else NAN


def correlation(a: Array, b: Array) -> float:
    """Pearson's, [-1, 1]; NaN under three pairs or where one side does not vary."""
    if len(a) < 3 or not np.ptp(a) or not np.ptp(b):
        return NAN
    return float(np.corrcoef(a, b)[0, 1])


def slope(x: Array, y: Array) -> float:
    """Of y on x by least squares; NaN under three points or where x does not vary."""
    if len(x) < 3 or not np.ptp(x):
        return NAN
    centred = x - x.mean()
    return float(centred @ y / (centred @ centred))


def _numbers(table: pa.Table, name: str) -> Array:
    return table.column(name).to_numpy()


def _has_label(table: pa.Table, name: str, *labels: str) -> Array:
    """[rows] bool: the label column says one of `labels`. Works on dictionary-encoded and plain string columns."""
    import pyarrow.compute as pc

    found = np.zeros(len(table), bool)
    for label in labels if len(table) else ():
        found |= pc.equal(table.column(name), label).to_numpy()
    return found


def _words(table: pa.Table, name: str) -> Array:
    """[rows] a label column as words."""
    import pyarrow as pa

    return np.array(table.column(name).cast(pa.string()).to_pylist(), dtype=object)
