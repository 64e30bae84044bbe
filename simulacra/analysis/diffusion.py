"""How far a piece of news got: who knows it when, from whom, who takes it for true, who means to come, and what a note changed.

Pure functions of a run's tables `awareness` and `mentions`, which only a run with news has.

    spread(Facts(frames), 0)             -> Spread(aware=.52, size=11, depth=3, ...): the first item of the arm's list
    spread_table(Facts(frames), titles)  -> one tidy row an item and figure, `awareness@1` (the end of day 1) and so on among them
    cascade(Facts(frames), 0)            -> who told whom

Everybody who learns an item learns it from one post, the first that it reads; so tellings make a forest whose roots are those who
knew first. Field figures: 13 of 25 agents knew of a party after two days and 5 of 12 invited came (S41, Park et al. 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulacra.analysis.catalogue import TRUTH, Measure, catalogue
from simulacra.analysis.facts import HOURS_PER_DAY, Array, Facts, ratio
from simulacra.events import AWARENESS, SAYINGS

UNKNOWN = 2**30
"""Step at which those learn an item who never do."""


class Cascade(NamedTuple):
    """Who learnt an item when, and from whom. All [personas]."""

    learnt: Array  # step; UNKNOWN where never
    teller: Array  # the author of the post that told; -1 for those who knew first, and for those who do not know
    depth: Array  # tellings between those who knew first and this persona; 0 for them; -1 for those who do not know
    root: Array  # who knew first in this chain; -1 for those who do not know

    @property
    def knows(self) -> Array:
        """[personas] bool"""
        knows: Array = self.learnt < UNKNOWN
        return knows


class Spread(NamedTuple):
    """How far one item got by the end of the run. Shares are NaN where there is nobody to count."""

    first: int  # personas who knew it first
    knowers: int  # who know it in the end, those included
    aware: float  # knowers as a share of members
    reach: float  # share of members who read a post that speaks of it
    half_hours: float  # hours from its start until half of the later knowers know; NaN if nobody learnt it
    mentions: int  # posts that speak of it
    speakers: int  # personas who wrote those
    size: int  # personas in the largest cascade, the one who knew first not counted
    depth: int  # longest chain of tellings
    believed: float  # of those who know a rumour or a fact, the share that takes it for true in the end
    doubted: int  # knowers who take it for false in the end
    coming: float  # of those told of a meet-up, the share that means to come
    came: int  # who were there, the host included
    warned: int  # who saw a note under it
    turned: int  # who believed it before their note and do not in the end
    told_per_believer: float  # posts that pass it on, per persona that ever believed it


class SpreadRow(NamedTuple):
    """One row of the tidy table."""

    item: str
    measure: str
    value: float
    unit: str


UNITS = {
    "first": "members", "knowers": "members", "aware": "share of members", "reach": "share of members", "half_hours": "hours",
    "mentions": "posts", "speakers": "members", "size": "members", "depth": "tellings", "believed": "share of knowers",
    "doubted": "members", "coming": "share of those told", "came": "members", "warned": "members", "turned": "members",
    "told_per_believer": "posts per believer",
}  # fmt: skip


# -- one item --------------------------------------------------------------------------------------------------------------


def cascade(facts: Facts, item: int) -> Cascade:
    """Who learnt the item when and from whom. An item that nobody ever knew has no cascade: all never."""
    n, rows = facts.personas, _Rows(facts, item)
    learnt, source = np.full(n, UNKNOWN, np.int64), np.full(n, -1, np.int64)
    learns = np.isin(rows.what, (AWARENESS.index("knew"), AWARENESS.index("learnt")))
    learnt[rows.persona[learns]], source[rows.persona[learns]] = rows.step[learns], rows.post[learns]
    teller = _authors(facts, source)
    # A model's persona may speak of what it was never told; it begins a chain of its own, else chains could close into rings.
    told = (teller >= 0) & (learnt[teller] < learnt)
    teller = np.where(told, teller, -1)
    depth, root = np.where(learnt < UNKNOWN, 0, -1), np.where(learnt < UNKNOWN, np.arange(n), -1)
    above = teller
    while (above >= 0).any():
        depth += above >= 0
        root = np.where(above >= 0, above, root)
        above = np.where(above >= 0, teller[above], -1)
    return Cascade(learnt, teller, depth, root)


def awareness_curve(facts: Facts, item: int) -> Array:
    """[days] share of members who know the item at the end of each measured day, never falling. NaN without members."""
    learnt = np.sort(cascade(facts, item).learnt[facts.present])
    ends = np.arange(1, facts.days + 1) * HOURS_PER_DAY
    return np.array([ratio(float(np.searchsorted(learnt, end)), len(learnt)) for end in ends])


def spread(facts: Facts, item: int) -> Spread:
    """Everything about one item, by its place in the arm's list."""
    tree, rows = cascade(facts, item), _Rows(facts, item)
    knows, later = tree.knows, tree.knows & (tree.teller >= 0)
    firsts = np.flatnonzero(rows.of("knew"))
    start = int(rows.step[firsts].min()) if len(firsts) else 0
    wait = tree.learnt[later] - start
    sizes = np.bincount(tree.root[later], minlength=1)
    stance, ever = _stances(facts.personas, rows)
    warned = np.unique(rows.persona[rows.of("warned")])
    comes, declines = (np.unique(rows.persona[rows.of(what)]) for what in ("comes", "declines"))
    post, author, tells = _mentions(facts, item)
    return Spread(
        first=len(firsts),
        knowers=int(knows.sum()),
        aware=ratio(float((knows & facts.present).sum()), facts.members),
        reach=_reach(facts, post),
        half_hours=float(np.median(wait)) if len(wait) else float("nan"),
        mentions=len(post),
        speakers=len(np.unique(author)),
        size=int(sizes.max()),
        depth=max(0, int(tree.depth.max(initial=0))),
        believed=ratio(float((stance[knows] > 0).sum()), float(knows.sum())),
        doubted=int((stance[knows] < 0).sum()),
        coming=ratio(len(comes), len(comes) + len(declines)),
        came=int(rows.of("came").sum()),
        warned=len(warned),
        turned=int(((_stances(facts.personas, rows, before_note=True)[0] > 0) & (stance < 0))[warned].sum()),
        told_per_believer=ratio(float(tells.sum()), float(ever.sum())),
    )


def spread_table(facts: Facts, titles: Sequence[str]) -> list[SpreadRow]:
    """One row an item and figure, and `awareness@D` for every measured day D. titles: what each item is, in the arm's order."""
    rows = []
    for number, title in enumerate(titles):
        figures = spread(facts, number)._asdict()
        rows += [SpreadRow(title, name, float(value), UNITS[name]) for name, value in figures.items()]
        curve = awareness_curve(facts, number)
        rows += [SpreadRow(title, f"awareness@{day}", float(v), "share of members") for day, v in enumerate(curve, 1)]
    return rows


# -- all items of a run ----------------------------------------------------------------------------------------------------


def news_awareness(facts: Facts) -> float:
    """Members who know a piece of news in the end, [0, 1]; mean over its items. NaN without news."""
    return _mean_over_items(facts, "aware")


def news_reach(facts: Facts) -> float:
    """Members who read a post that speaks of a piece of news, [0, 1]; mean over its items. NaN without news."""
    return _mean_over_items(facts, "reach")


def news_mentions(facts: Facts) -> float:
    """Posts that speak of a piece of news, >= 0; mean over its items. NaN without news."""
    return _mean_over_items(facts, "mentions")


def news_cascade_size(facts: Facts) -> float:
    """Members who learnt a piece of news, by any chain of tellings, from the one who passed it to most; mean over its items. NaN
    without news."""
    return _mean_over_items(facts, "size")


def news_cascade_depth(facts: Facts) -> float:
    """Tellings in the longest chain from somebody who knew first, >= 0; mean over items. NaN without news."""
    return _mean_over_items(facts, "depth")


def rumour_believed(facts: Facts) -> float:
    """Of those who know a rumour the share that takes it for true in the end, [0, 1]; mean over rumours. NaN where there is none."""
    return _mean_over_items(facts, "believed", "accepts", "rejects")


def meetup_coming(facts: Facts) -> float:
    """Of those who were told of a meet-up the share that means to come, [0, 1]; mean over meet-ups. NaN where nobody was told."""
    return _mean_over_items(facts, "coming", "comes", "declines")


DIFFUSION: dict[str, Measure] = catalogue(
    (news_awareness, "members who know the news", "share", "neither"),
    (news_reach, "members who read of the news", "share", "neither"),
    (news_mentions, "posts that speak of the news", "posts", "neither"),
    (news_cascade_size, "members told by one chain of tellings", "members", "neither"),
    (news_cascade_depth, "longest chain of tellings", "tellings", "neither"),
    (rumour_believed, "belief in rumours", "share", "lower", TRUTH),
    (meetup_coming, "those told of a meet-up who mean to come", "share", "higher"),
)
"""Measures of news by name, taken on demand."""


def _mean_over_items(facts: Facts, figure: str, *only: str) -> float:
    """Mean of a figure of `Spread` over items, or over those of which one of these things happened to somebody."""
    table = facts.tables.arrow("awareness", False, ("item", "what"))
    items, what = table.column("item").to_numpy(), _codes(table.column("what"), AWARENESS)
    happened = np.isin(what, [AWARENESS.index(name) for name in only]) if only else np.ones(len(items), bool)
    values = [float(getattr(spread(facts, int(item)), figure)) for item in np.unique(items[happened])]
    return float(np.mean(values)) if values else float("nan")


# -- reading tables --------------------------------------------------------------------------------------------------------


class _Rows:
    """The rows of `awareness` on one item, as they happened."""

    def __init__(self, facts: Facts, item: int) -> None:
        table = facts.tables.arrow("awareness", False, ("step", "persona", "item", "what", "post"))
        mine = table.column("item").to_numpy() == item
        self.step, self.persona, self.post = (table.column(c).to_numpy()[mine] for c in ("step", "persona", "post"))
        self.what = _codes(table.column("what"), AWARENESS)[mine]

    def of(self, what: str) -> Array:
        """[rows] bool: this happened."""
        found: Array = self.what == AWARENESS.index(what)
        return found


def _stances(personas: int, rows: _Rows, before_note: bool = False) -> tuple[Array, Array]:
    """([personas] 1 takes it for true in the end, -1 for false, 0 does not know it; [personas] bool: ever took it for true).

    before_note: as it stood before each saw a note. Who learns what is no rumour takes it for true.
    """
    noted = np.full(personas, UNKNOWN, np.int64)
    warned = rows.of("warned")
    noted[rows.persona[warned]] = rows.step[warned]
    counts = rows.step < noted[rows.persona] if before_note else np.ones(len(rows.step), bool)
    stance, ever = np.zeros(personas, np.int8), np.zeros(personas, bool)
    rumour = rows.of("accepts") | rows.of("rejects")
    true = rows.of("knew") | rows.of("accepts") | (rows.of("learnt") & (not rumour.any()))
    for row in np.flatnonzero(counts & (true | rows.of("rejects"))):
        stance[rows.persona[row]] = 1 if true[row] else -1
    ever[rows.persona[true]] = True
    return stance, ever


def _mentions(facts: Facts, item: int) -> tuple[Array, Array, Array]:
    """Post, author and whether it passes the item on, of the posts that speak of it."""
    table = facts.tables.arrow("mentions", False, ("post", "author", "item", "saying"))
    mine = table.column("item").to_numpy() == item
    tells = np.isin(_codes(table.column("saying"), SAYINGS), [SAYINGS.index(s) for s in ("tells", "invites", "comes")])
    return table.column("post").to_numpy()[mine], table.column("author").to_numpy()[mine], tells[mine]


def _authors(facts: Facts, post: Array) -> Array:
    """[personas] who wrote each of these posts, -1 for -1 and for posts that speak of no news."""
    known, author = facts.column("mentions", "post"), facts.column("mentions", "author")
    if not len(known):
        return np.full(len(post), -1, np.int64)
    order = np.argsort(known, kind="stable")
    at = order[np.minimum(np.searchsorted(known[order], post), len(order) - 1)]
    return np.where(known[at] == post, author[at], -1)


def _reach(facts: Facts, post: Array) -> float:
    readers = facts.column("impressions", "persona")[np.isin(facts.column("impressions", "post"), post)]
    return ratio(len(np.unique(readers)), facts.members)


def _codes(column: object, labels: Sequence[str]) -> Array:
    """[rows] places of a label column's words in `labels`."""
    import pyarrow as pa

    words = column.cast(pa.string()).to_pylist()  # type: ignore[attr-defined]
    place = {label: number for number, label in enumerate(labels)}
    return np.array([place[word] for word in words], np.int64)
