"""How results look in a terminal: tables, threads as trees, progress.

Whatever people or files say is cleaned before it is shown: no control character reaches the terminal.
"""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, TextIO

from simulacra.checks import clean

if TYPE_CHECKING:
    from simulacra.analysis.comparison import Row
    from simulacra.reading import PostView
    from simulacra.replicates import Replicated
    from simulacra.simulation import Progress

WIDEST, NARROWEST = 110, 60
_DEEPEST = 8
"""Replies below this level are not indented further: a narrow column of words cannot be read."""
_VERBS = {
    "share": "shares", "ask": "asks", "answer": "answers", "agree": "agrees", "disagree": "disagrees", "joke": "jokes",
    "vent": "vents", "thank": "thanks", "promote": "promotes", "insult": "insults", "off_topic": "strays",
}  # fmt: skip


def width() -> int:
    """Columns to fill: the terminal's, within what can be read."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))


def paragraph(text: str, indent: str = "", hanging: str | None = None) -> str:
    """Cleaned text wrapped to the terminal. hanging: indent of the second line on, by default that of the first."""
    rest = indent if hanging is None else hanging
    return textwrap.fill(clean(text), width(), initial_indent=indent, subsequent_indent=rest, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of a table: the first `left` columns flush left, the others right. Just the head where there are no rows."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    wide = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        placed = (c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, wide, strict=True)))
        return "  ".join(placed).rstrip()

    return [line(lines[0]), line(["-" * w for w in wide]), *(line(cells) for cells in lines[1:])]


# -- threads ---------------------------------------------------------------------------------------------------------------


def thread(post: PostView, most: int | None = None) -> list[str]:
    """A thread as lines, replies indented below what they answer. most: posts to show; the rest is counted in a last line."""
    placed = list(_walk(post))
    shown = placed[:most]
    lines = [line for depth, view in shown for line in _post(view, depth)]
    if len(shown) < len(placed):
        lines.append(f"    ... {len(placed) - len(shown)} more replies")
    return lines


def _walk(post: PostView) -> Iterator[tuple[int, PostView]]:
    """Depth first, without recursion: a thread may be deeper than the interpreter's stack."""
    waiting = [(0, post)]
    while waiting:
        at, view = waiting.pop()
        yield at, view
        waiting += [(at + 1, reply) for reply in reversed(view.replies)]


def _post(view: PostView, depth: int) -> list[str]:
    indent = "    " + "   " * min(depth, _DEEPEST)
    removed = f" [removed by {view.removed_by}]" if view.removed_by else ""
    head = (
        f"{clean(view.author)} {_VERBS.get(view.act, view.act)}, {hour(view.step)}  +{view.up} -{view.down}  "
        f"read {view.readers}x  tox {view.toxicity:.2f} val {view.valence:+.2f}{removed}"
    )
    return [f"{indent}{head}", *paragraph(view.text, indent + "  ").splitlines()]


def hour(step: int) -> str:
    """A simulated hour in words: "day 2 14:00"; days before the first are burn-in."""
    day = step // 24 + 1
    return f"{f'day {day}' if day > 0 else 'before day 1'} {step % 24:02d}:00"


# -- answers ---------------------------------------------------------------------------------------------------------------


def comparison_table(rows: Sequence[Row], everything: bool = False) -> list[str]:
    """The rows of a comparison with their verdicts. Measures with nothing to count are left out and counted."""
    from simulacra.analysis.comparison import figure
    from simulacra.analysis.segments import measure_named

    told = [row for row in rows if everything or row.role != "exploration" or _has_something(row)]
    cells = [
        (
            _ROLES[row.role] + measure_named(row.measure).title + _judge(row.scorer),
            _EFFECTS.get(row.effect, row.effect) + _KINDS[row.kind],
            row.stability, figure(row.baseline), figure(row.variant), _signed(row.difference),
            "-" if math.isnan(row.low) else f"{figure(row.low)} to {figure(row.high)}",
            "-" if math.isnan(row.correlation) else f"{row.correlation:.2f}", str(row.seeds),
        )
        for row in told
    ]  # fmt: skip
    head = ("  measure", "effect", "stability", "baseline", "variant", "difference", "95 % interval", "corr", "seeds")
    lines = table(head, cells, left=3)
    if len(told) < len(rows):
        lines.append(f"  ({len(rows) - len(told)} measures with nothing to count are left out; --all shows them)")
    return [*lines, *(f"  {line}" for line in _KEY)]


_ROLES = {"primary": "> ", "guardrail": "+ ", "exploration": "  "}
_EFFECTS = {"no difference that matters": "too small"}
_KINDS = {"mechanical": " (m)", "response": ""}
_KEY = (
    "> primary measure, + guardrail, named before the run; all others are exploration. (m) mechanical: the design acts on",
    "this very measure. too small: no difference that matters. corr: of the arms over seeds. [..] judged by that scorer.",
)


def _judge(scorer: str) -> str:
    """Who judged, where it is not the scorer that every run carries."""
    return "" if scorer in ("", "lexical", "truth") else f" [{scorer}]"


def _has_something(row: Row) -> bool:
    return any(value != 0 and not math.isnan(value) for value in (row.baseline, row.variant))


def _signed(value: float) -> str:
    from simulacra.analysis.comparison import figure

    return f"+{figure(value)}" if value > 0 else figure(value)


def measures_table(values: dict[str, float]) -> list[str]:
    """Measures of one run, in words."""
    from simulacra.analysis.comparison import figure
    from simulacra.analysis.measures import MEASURES

    rows = [(MEASURES[name].title, figure(value), MEASURES[name].unit) for name, value in values.items()]
    return table(("measure", "value", "unit"), [(title, value, f" {unit}") for title, value, unit in rows])


def scored_table(rows: Iterable[tuple[str, float, str, str]]) -> list[str]:
    """(measure in words, value, unit, scorer) as lines."""
    from simulacra.analysis.comparison import figure

    told = [(title, figure(value), f" {unit}", scorer) for title, value, unit, scorer in rows]
    return table(("measure", "value", "unit", "scorer"), told)


# -- progress --------------------------------------------------------------------------------------------------------------


class Live:
    """Progress on standard error: one line that is rewritten in a terminal, a line a day (or a replicate) elsewhere."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.counters: Callable[[], str] = str  # what a language model has taken so far; "" for the sketch mind
        self._rewrites = self.stream.isatty()
        self._last = 0.0
        self._first_step: int | None = None
        self._wide = 0

    def hour(self, progress: Progress) -> None:
        """After every simulated hour of a run."""
        if self._first_step is None:
            self._first_step = progress.step - 1
        played = progress.step - self._first_step
        left = progress.seconds / played * (progress.steps - progress.step)
        day = min(progress.step // 24 + 1, progress.steps // 24)
        rate = progress.visits / progress.seconds if progress.seconds else 0.0
        text = (
            f"day {day} of {progress.steps // 24}, {progress.posts:,} posts, {progress.visits:,} visits "
            f"({rate:,.0f} visits/s), {duration(left)} left"
        )
        self._show(self._counted(text), due=progress.step % 24 == 0, over=progress.step == progress.steps)

    def replicate(self, progress: Replicated) -> None:
        """After every replicate of a comparison."""
        left = progress.seconds / progress.fresh * (progress.total - progress.done)
        text = f"replicate {progress.done} of {progress.total}, {duration(left)} left"
        self._show(self._counted(text), due=True, over=progress.done == progress.total)

    def _counted(self, text: str) -> str:
        return "; ".join(filter(None, [text, self.counters()]))

    def count(self, what: str, done: int, total: int, seconds: float) -> None:
        """After every part of some work that is counted."""
        self._show(f"{what} {done} of {total}, {duration(seconds / done * (total - done))} left", due=True, over=done == total)

    def part(self, text: str, due: bool, over: bool) -> None:
        """How far something is whose parts are many; elsewhere than in a terminal only when `due`, and its end."""
        self._show(text, due=due or over, over=over)

    def wait(self, text: str) -> None:
        """What is going on before there is progress: for people only."""
        if self._rewrites:
            self.say(text)

    def say(self, text: str) -> None:
        """A line of its own."""
        if not self.quiet:
            self._end_line()
            print(clean(text), file=self.stream, flush=True)

    def _show(self, text: str, due: bool, over: bool) -> None:
        if self.quiet or not (due if not self._rewrites else over or monotonic() - self._last > 0.2):
            return
        self._last = monotonic()
        if self._rewrites:
            print("\r" + text.ljust(self._wide), end="\n" if over else "", file=self.stream, flush=True)
            self._wide = 0 if over else len(text)
        else:
            print(text, file=self.stream, flush=True)

    def _end_line(self) -> None:
        if self._wide:
            print(file=self.stream)
            self._wide = 0


def duration(seconds: float) -> str:
    """Time in words: "8 s", "3 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
