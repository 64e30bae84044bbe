"""Threads, slates and members of a run as plain rows for the forum pages: DuckDB reads what is asked for and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from simulacra.analysis.measures import TOXIC
from simulacra.experiment import Run
from simulacra.record.review import Note, notes
from simulacra.views import store

SORTS = {
    "As members saw it": "readings",
    "Newest": "newest",
    "Most replied": "replies",
    "Most toxic": "toxic",
    "Turning points": "turn",
}
"""Label -> key of `sorted_threads`. The first follows the run's feed: what it put before most eyes comes first."""

VERBS = {
    "share": "shares", "ask": "asks", "answer": "answers", "agree": "agrees", "disagree": "disagrees", "joke": "jokes",
    "vent": "vents", "thank": "says thanks", "promote": "promotes", "insult": "attacks", "off_topic": "strays",
}  # fmt: skip

_ACTIONS = {
    "remove": "removed", "label": "labelled", "keep": "looked at and kept", "revise": "reworded before posting",
    "send": "sent after a second thought", "hold": "held for review", "release": "released after review",
}  # fmt: skip

_COUNTED = """
WITH seen AS (SELECT post, count(*) AS n FROM impressions {where} GROUP BY post),
votes AS (SELECT post, count(*) FILTER (reaction = 1) AS up, count(*) FILTER (reaction = -1) AS down,
                 count(*) FILTER (reaction = 2) AS reports FROM reactions {where} GROUP BY post),
gone AS (SELECT DISTINCT post FROM rulings WHERE action = 'remove' AND post >= 0)
"""


# -- lists of threads ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filters:
    """What to keep in a list of threads: those opened on these days that hold a post like this."""

    days: tuple[int, int]
    author: int | None = None
    act: str = ""
    words: str = ""
    toxic: bool = False
    removed: bool = False

    @property
    def of_posts(self) -> str:
        """SQL over `posts p`; "" where every thread passes."""
        parts = []
        if self.author is not None:
            parts.append(f"p.author = {int(self.author)}")
        if self.act in VERBS:
            parts.append(f"p.act = '{self.act}'")
        if self.words:
            parts.append(f"contains(lower(p.text), {_literal(self.words.lower()[:100])})")
        if self.toxic:
            parts.append(f"p.toxicity > {TOXIC}")
        if self.removed:
            parts.append("p.id IN (SELECT post FROM rulings WHERE action = 'remove')")
        return " AND ".join(parts)


def threads(of: Run) -> pd.DataFrame:
    """One row a thread opened in the measured days: root, step, day, author, text, topic, posts, toxic (highest), readings, up,
    down, last (step of the last post), removed (posts), valence (mean)."""
    return store.query(of, f"""
        {_COUNTED.format(where="")}
        , sums AS (
            SELECT p.root, count(*) AS posts, max(p.toxicity) AS toxic, max(p.step) AS last, avg(p.valence) AS valence,
                   sum(coalesce(seen.n, 0)) AS readings, count(gone.post) AS removed
            FROM posts p LEFT JOIN seen ON seen.post = p.id LEFT JOIN gone ON gone.post = p.id GROUP BY p.root)
        SELECT o.id AS root, o.step, o.day, o.author, m.handle, o.text, o.topic, o.act, sums.* EXCLUDE (root),
               coalesce(votes.up, 0) AS up, coalesce(votes.down, 0) AS down
        FROM posts o JOIN sums ON sums.root = o.id JOIN personas m ON m.id = o.author LEFT JOIN votes ON votes.post = o.id
        WHERE o.parent < 0 AND NOT o.burn_in
    """)  # fmt: skip


def turning_points(of: Run) -> pd.DataFrame:
    """root, post, turn: where the mean toxicity after a post differs most from that before it, for threads of five posts up.

    turn > 0: it grew heated after this post; at least two posts stand on either side.
    """
    return store.query(
        of,
        """
        WITH placed AS (
            SELECT root, id, row_number() OVER w AS place, count(*) OVER (PARTITION BY root) AS n,
                   avg(toxicity) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
                   avg(toxicity) OVER (w ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS after
            FROM posts WINDOW w AS (PARTITION BY root ORDER BY id))
        SELECT root, arg_max(id, abs(after - before)) AS post, arg_max(after - before, abs(after - before)) AS turn
        FROM placed WHERE place >= 2 AND n - place >= 2 AND n >= 5 GROUP BY root
    """,
    )


def sorted_threads(of: Run, key: str, filters: Filters) -> pd.DataFrame:
    """Threads that pass the filters, best first by a key of SORTS; with `turn` and `post` when sorted by turning points."""
    found = threads(of)
    found = found[found["day"].between(*filters.days)]
    if filters.of_posts:
        kept = store.query(of, f"SELECT DISTINCT p.root FROM posts p WHERE {filters.of_posts}")["root"]
        found = found[found["root"].isin(kept)]
    if key == "turn":
        found = found.merge(turning_points(of), on="root")
        found["size"] = found["turn"].abs()
    column = {"readings": "readings", "newest": "root", "replies": "posts", "toxic": "toxic", "turn": "size"}[key]
    return found.sort_values([column, "root"], ascending=False, kind="stable")


# -- one thread ------------------------------------------------------------------------------------------------------------


PART = 300
"""Posts of a thread that are drawn at once. The browser took 5.9 s to draw 11,425."""
MOST_ABOVE = 40
"""Posts of earlier parts that stand above a part, the nearest ones."""


@dataclass(frozen=True)
class Tree:
    """The order in which a thread reads: every post before its replies, and these in order of writing."""

    order: tuple[int, ...]
    parent: Mapping[int, int]

    @property
    def parts(self) -> int:
        """Into how many parts it falls; 1 where it is short or empty."""
        return max(1, -(-len(self.order) // PART))

    def part_of(self, post: int | None) -> int:
        """The part that holds a post, from 1; the first for a post that is not in the thread."""
        return self.order.index(post) // PART + 1 if post in self.parent else 1

    def part(self, number: int) -> tuple[tuple[int, ...], frozenset[int]]:
        """(posts of that part in reading order, those of earlier parts that the first of them stands below)."""
        here = self.order[(number - 1) * PART : number * PART]
        above, post = set[int](), self.parent.get(here[0], -1) if here else -1
        while post in self.parent and len(above) < MOST_ABOVE:
            above.add(post)
            post = self.parent[post]
        return here, frozenset(above)


def reading_order(parent: Mapping[int, int]) -> Tree:
    """The tree of a thread from post -> parent, in order of ids; without recursion, however deep it is."""
    replies: dict[int, list[int]] = {}
    for post, above in parent.items():
        replies.setdefault(above if above in parent else -1, []).append(post)
    order, waiting = [], replies.get(-1, [])[::-1]
    while waiting:
        order.append(waiting.pop())
        waiting += replies.get(order[-1], [])[::-1]
    return Tree(tuple(order), parent)


def tree(of: Run, root: int) -> Tree:
    """How a thread reads; empty where there is none."""
    rows = store.query(of, f"SELECT id, parent FROM posts WHERE root = {int(root)} ORDER BY id")
    return reading_order(dict(zip(rows["id"].tolist(), rows["parent"].tolist(), strict=True)))


def writers(of: Run, root: int) -> int:
    """How many members wrote in a thread."""
    return int(store.query(of, f"SELECT count(DISTINCT author) AS n FROM posts WHERE root = {int(root)}")["n"].iloc[0])


def thread(of: Run, root: int, only: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """The posts of a thread in order of writing, each a plain dict for the thread component. [] where there is none.

    only: of these posts, all by default.
    """
    some = "" if only is None else f" AND p.id IN ({', '.join(str(int(post)) for post in only) or '-1'})"
    inside = f"WHERE post IN (SELECT p.id FROM posts p WHERE p.root = {int(root)}{some})"
    rows = store.query(of, f"""
        {_COUNTED.format(where=inside)}
        SELECT p.id, p.parent, p.depth, p.step, p.author, m.handle, m.arrival, p.act, p.topic, p.text, p.toxicity, p.valence,
               coalesce(seen.n, 0) AS seen, coalesce(votes.up, 0) AS up, coalesce(votes.down, 0) AS down,
               coalesce(votes.reports, 0) AS reports
        FROM posts p JOIN personas m ON m.id = p.author
             LEFT JOIN seen ON seen.post = p.id LEFT JOIN votes ON votes.post = p.id
        WHERE p.root = {int(root)}{some} ORDER BY p.id
    """)  # fmt: skip
    fates, noted = _fates(of, root), _noted(of)
    return [_post(row, fates, noted) for row in rows.to_dict("records")]


def _post(row: Mapping[Any, Any], fates: Mapping[int, list[str]], noted: Mapping[int, int]) -> dict[str, Any]:
    from simulacra.checks import clean
    from simulacra.views.say import moment

    post = int(row["id"])
    fate = fates.get(post, [])
    return {
        "id": post,
        "parent": int(row["parent"]),
        "depth": int(row["depth"]),
        "author": int(row["author"]),
        "handle": clean(str(row["handle"])),
        "when": moment(int(row["step"])),
        "verb": VERBS.get(row["act"], str(row["act"])),
        "text": clean(str(row["text"])),
        "toxicity": round(float(row["toxicity"]), 2),
        "valence": round(float(row["valence"]), 2),
        "toxic": bool(row["toxicity"] > TOXIC),
        "seen": int(row["seen"]),
        "up": int(row["up"]),
        "down": int(row["down"]),
        "reports": int(row["reports"]),
        "newcomer": int(row["arrival"]) >= 0,
        "notes": noted.get(post, 0),
        "removed": any(text.startswith("removed") for text in fate),
        "fate": [clean(text) for text in fate],
    }


def _fates(of: Run, root: int) -> dict[int, list[str]]:
    """post -> what moderation did with it, in words, by whom and why."""
    rules = of.spec.arm.rules
    rows = store.query(of, f"""
        SELECT post, policy, action, rule, reason FROM rulings
        WHERE post IN (SELECT id FROM posts WHERE root = {int(root)}) ORDER BY step
    """)  # fmt: skip
    found: dict[int, list[str]] = {}
    for row in rows.itertuples():
        rule = f", rule {row.rule}: {rules[row.rule - 1]}" if 0 < row.rule <= len(rules) else ""
        what = _ACTIONS.get(str(row.action), str(row.action))
        found.setdefault(int(row.post), []).append(f"{what} by {str(row.policy).replace('_', ' ')} ({row.reason}{rule})")
    return found


def _noted(of: Run) -> dict[int, int]:
    found: dict[int, int] = {}
    for note in post_notes(of):
        found[note.post] = found.get(note.post, 0) + 1
    return found


def post_notes(of: Run) -> list[Note]:
    """All notes on posts of the run, in order of writing."""
    return [note for note in notes(of.folder) if note.post >= 0]


def same_thread(of: Run, root: int, other: Run) -> int | None:
    """The thread that the same member opened in the same hour with the same words in another run; None where there is none."""
    opened = store.query(of, f"SELECT author, step, text FROM posts WHERE id = {int(root)}")
    if opened.empty:
        return None
    author, step, text = opened.iloc[0]
    twin = store.query(other, f"SELECT id, text FROM posts WHERE parent < 0 AND author = {int(author)} AND step = {int(step)}")
    same = twin[twin["text"] == text]
    return int(same["id"].iloc[0]) if len(same) else None


def shared_threads(of: Run, other: Run) -> list[int]:
    """Threads of `of` that the other run has too, those that are long in both first."""
    mine, theirs = threads(of), threads(other)
    both = mine.merge(theirs, on=["author", "step", "text"], suffixes=("", "_other"))
    both["shorter"] = both[["posts", "posts_other"]].min(axis=1)
    return [int(root) for root in both.sort_values(["shorter", "root"], ascending=[False, True])["root"]]


def root_of(of: Run, post: int) -> int | None:
    """The thread that holds a post."""
    found = store.query(of, f"SELECT root FROM posts WHERE id = {int(post)}")["root"]
    return int(found.iloc[0]) if len(found) else None


# -- one member ------------------------------------------------------------------------------------------------------------


def visits(of: Run, persona: int) -> list[int]:
    """Hours in which a member opened the app in the measured days and looked at something."""
    sql = f"SELECT DISTINCT step FROM visits WHERE persona = {int(persona)} AND looked > 0 AND NOT burn_in ORDER BY step"
    return [int(step) for step in store.query(of, sql)["step"]]


def slate(of: Run, persona: int, step: int) -> pd.DataFrame:
    """What a member looked at in that hour, from the top: position, id, handle, text, toxicity, valence, act, depth, step."""
    return store.query(of, f"""
        SELECT i.position, i.source, p.id, p.root, m.handle, p.act, p.text, p.toxicity, p.valence, p.depth, p.step
        FROM impressions i JOIN posts p ON p.id = i.post
             JOIN personas m ON m.id = p.author
        WHERE i.persona = {int(persona)} AND i.step = {int(step)} ORDER BY i.source DESC, i.position
    """)  # fmt: skip


def posts_of(of: Run, persona: int) -> pd.DataFrame:
    """A member's posts, the newest first: id, root, step, act, text, toxicity."""
    sql = f"SELECT id, root, step, act, text, toxicity FROM posts WHERE author = {int(persona)} ORDER BY id DESC"
    return store.query(of, sql)


def moods_of(of: Run, persona: int) -> pd.DataFrame:
    """day, mood of one member."""
    return store.query(of, f"SELECT day, mood FROM moods WHERE persona = {int(persona)} AND NOT burn_in ORDER BY step")


def most_active(of: Run, most: int = 300) -> list[int]:
    """Members by posts and then visits in the measured days."""
    sql = f"""SELECT v.persona FROM (SELECT persona, count(*) AS n, count(*) FILTER (wrote) AS w FROM visits
              WHERE NOT burn_in GROUP BY persona) v ORDER BY w DESC, n DESC, v.persona LIMIT {int(most)}"""
    return [int(persona) for persona in store.query(of, sql)["persona"]]


def _literal(text: str) -> str:
    """The text as an SQL string: quotes doubled, no zero byte. The connection can reach nothing but the run's views anyway."""
    return "'" + text.replace("\x00", "").replace("'", "''") + "'"
