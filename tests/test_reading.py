"""Threads as trees, and how they look in a terminal, on a hand-made record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from simulacra.analysis.comparison import figure
from simulacra.reading import PostView, matched_threads, notable_threads, threads
from simulacra.terminal import duration, hour, table, thread


class Tables:
    """Event tables from columns; burn-in rows (step < 0) are left out unless asked for."""

    def __init__(self, posts: list[tuple[Any, ...]], impressions: Sequence[int] = (), removed: Sequence[int] = ()) -> None:
        names = ("id", "step", "author", "parent", "root", "text", "toxicity")
        columns = dict(zip(names, map(list, zip(*posts, strict=True)), strict=True))
        rows = len(posts)
        self.tables = {
            "posts": pa.table({
                **columns, "act": ["ask"] * rows, "topic": ["soil"] * rows, "valence": [0.5] * rows, "truth": ["none"] * rows,
            }),
            "impressions": pa.table({
                "step": pa.array([1] * len(impressions), pa.int32()), "post": pa.array(impressions, pa.int32()),
            }),
            "reactions": pa.table({"step": [1, 1, 1], "post": [0, 0, 1], "reaction": [1, -1, 1]}),
            "rulings": pa.table({
                "step": pa.array([1] * len(removed), pa.int32()), "post": pa.array(removed, pa.int32()),
                "policy": pa.array(["automod"] * len(removed), pa.string()),
                "action": pa.array(["remove"] * len(removed), pa.string()),
            }),
            "personas": pa.table({"handle": ["ana", "ben", "cy"]}),
        }  # fmt: skip

    def arrow(self, name: str, burn_in: bool = False, columns: Sequence[str] | None = None) -> pa.Table:
        found = self.tables[name]
        if not burn_in and name != "personas":
            found = found.filter([step >= 0 for step in found["step"].to_pylist()])
        return found.select(list(columns or found.column_names))


@pytest.fixture
def garden() -> Tables:
    return Tables(
        [
            (0, 1, 0, -1, 0, "how do I start?", 0.0),
            (1, 2, 1, 0, 0, "with compost", 0.0),
            (2, 3, 2, 1, 0, "nonsense", 0.1),
            (3, 4, 0, 0, 0, "anyone else?", 0.0),
            (4, 5, 2, -1, 4, "slugs again", 0.0),
            (5, 6, 1, 4, 4, "you clown", 0.9),
            (6, 7, 2, -1, 6, "alone", 0.99),
            (7, -3, 1, -1, 7, "before the beginning", 0.0),
        ],
        impressions=[4, 4, 4, 0, 1],
        removed=[5],
    )


def test_a_thread_is_a_tree_in_order_of_writing(garden: Tables) -> None:
    (root,) = threads(garden, [0])  # type: ignore[arg-type]
    assert [reply.text for reply in root.replies] == ["with compost", "anyone else?"]
    assert [reply.author for reply in root.replies[0].replies] == ["cy"]
    assert (root.up, root.down, root.readers, root.count(), root.day) == (1, 1, 1, 4, 1)


def test_removed_posts_say_who_removed_them(garden: Tables) -> None:
    (root,) = threads(garden, [4, 1])  # type: ignore[arg-type]  # 1 opens no thread
    assert root.replies[0].removed_by == "automod"
    assert any("[removed by automod]" in line for line in thread(root))


def test_notable_threads_are_the_longest_the_most_read_and_the_most_heated_with_replies(garden: Tables) -> None:
    assert notable_threads(garden, 3) == [0, 4, 6]  # type: ignore[arg-type]  # 4 is both most read and most heated
    assert notable_threads(garden, 1) == [0]  # type: ignore[arg-type]


def test_matched_threads_have_the_same_author_hour_and_words(garden: Tables) -> None:
    other = Tables(
        [
            (0, 9, 0, -1, 0, "how do I start?", 0.0),
            (1, 5, 2, -1, 1, "slugs again", 0.0),
            (2, 8, 0, 1, 1, "poor you", 0.0),
        ]
    )
    assert matched_threads(garden, other) == (4, 1)  # type: ignore[arg-type]
    nothing = Tables([(0, 9, 0, -1, 0, "something else", 0.0)])
    assert matched_threads(garden, nothing) is None  # type: ignore[arg-type]


def test_a_long_thread_is_cut_and_counted(garden: Tables) -> None:
    (root,) = threads(garden, [0])  # type: ignore[arg-type]
    lines = thread(root, most=2)
    assert "2 more replies" in lines[-1]
    assert sum("read" in line for line in lines) == 2


def test_a_thread_of_ten_thousand_levels_is_shown() -> None:
    def view(id: int) -> PostView:
        return PostView(id, id, "ana", "ask", "soil", "deep", 0, 0, "none", 0, 0, 0)

    root = bottom = view(0)
    for id in range(1, 10_000):
        bottom.replies.append(view(id))
        bottom = bottom.replies[0]
    assert root.count() == 10_000
    assert len(thread(root)) == 20_000
    assert max(map(len, thread(root))) < 110


def test_what_people_write_is_cleaned_before_it_is_shown() -> None:
    bad = PostView(0, 30, "a\x1b[31m", "ask", "soil", "x\x07\u202ey\n\nz", 0, 0, "none", 0, 0, 0)
    shown = "\n".join(thread(bad))
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "day 2 06:00" in shown


def test_tables_line_up() -> None:
    lines = table(("name", "n"), [("roses", "1"), ("soil", "1,000")])
    assert lines == ["name       n", "-----  -----", "roses      1", "soil   1,000"]


@pytest.mark.parametrize(
    "value, text",
    [(0, "0"), (float("nan"), "-"), (12345.6, "12,346"), (123.45, "123.5"), (12.345, "12.35"), (0.5, "0.500"),
     (-0.0123, "-0.0123"), (0.00001, "0.00001")],
)  # fmt: skip
def test_figures_have_the_digits_that_count(value: float, text: str) -> None:
    assert figure(value) == text


def test_times_are_said_in_words() -> None:
    assert [duration(s) for s in (8.4, 200, 4800)] == ["8 s", "3 min", "1 h 20 min"]
    assert hour(-1) == "before day 1 23:00"
