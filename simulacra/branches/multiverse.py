"""Multiverse: the spread of ways in which one thread could have gone on from a post. The spread comes first, the mean second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulacra.analysis.stability import SPLIT_LEVEL, two_groups
from simulacra.branches.continuations import THREAD_MEASURES, Continuation, Task, continue_all, cut_short, rolls_played
from simulacra.branches.moments import Setting, moment_after, post_row, within
from simulacra.branches.whatif import checked_rolls, notes_of, removed_before
from simulacra.errors import SpecError
from simulacra.experiment import RUNS_DIR, Run, open_run

if TYPE_CHECKING:
    from simulacra.sessions import Session

_SPLIT_ROLLS = 16
"""Below this, two kinds of continuation are often missed (see analysis.verdict)."""
_HALVES = 8
"""Below this, no middle half is told: it would be the guess of a line between two rolls."""


@dataclass(frozen=True)
class Spread:
    """How one number of the thread lies over rolls of chance."""

    measure: str
    rolls: int  # that have a value
    low: float  # the lowest
    quarter: float
    median: float
    three_quarters: float
    high: float  # the highest
    mean: float
    recorded: float  # what the run had; NaN where it has no value
    rank: float  # share of rolls below it, ties counted half, [0, 1]; NaN where it has no value
    kinds: str  # "" or a line on the two groups into which the rolls fall

    def to_dict(self) -> dict[str, Any]:
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Multiverse:
    """Rolls of one thread from a post on. Roll 0 is what the run had."""

    run_id: str
    root: int
    post: int  # from which on chance is rolled again
    step: int  # first hour after it
    hours: int
    by: str  # the measure by which best and worst are named
    rolls: tuple[Continuation, ...]
    notes: tuple[str, ...] = ()
    capped: str = ""  # the cap that ended it before all rolls were played

    @cached_property
    def spreads(self) -> list[Spread]:
        """One a thread measure."""
        return [_spread(name, [c.values[name] for c in self.rolls]) for name in THREAD_MEASURES]

    @cached_property
    def ordered(self) -> list[Continuation]:
        """Continuations with a value of `by`, from best to worst; where no way is better, from low to high. Among equals the longer
        one first, then the earlier roll."""
        sign = -1.0 if THREAD_MEASURES[self.by].better == "higher" else 1.0
        known = [c for c in self.rolls if np.isfinite(c.values[self.by])]
        return sorted(known, key=lambda c: (sign * c.values[self.by], -c.values["replies"], c.lane))

    @property
    def best(self) -> Continuation | None:
        return self.ordered[0] if self.ordered else None

    @property
    def worst(self) -> Continuation | None:
        """Of those equally bad, the longest."""
        if not self.ordered:
            return None
        last = self.ordered[-1].values[self.by]
        return next(c for c in self.ordered if c.values[self.by] == last)

    @property
    def criterion(self) -> str:
        """By what best and worst are named, in words."""
        told = THREAD_MEASURES[self.by]
        way = {"lower": "lowest", "higher": "highest", "neither": "least"}[told.better]
        return f"{told.title}: {way} is shown as {'best' if told.better != 'neither' else 'the one end'}"

    @property
    def sentence(self) -> str:
        """The spread in plain words."""
        replies, chosen = (next(s for s in self.spreads if s.measure == name) for name in ("replies", self.by))
        told = f"In {len(self.rolls)} rolls of chance the thread draws {replies.low:.0f} to {replies.high:.0f} more replies"
        if replies.rolls >= _HALVES:
            told += f" (half of them {replies.quarter:.0f} to {replies.three_quarters:.0f})"
        if chosen.measure != "replies" and chosen.rolls:
            told += f"; {THREAD_MEASURES[self.by].title} {chosen.low:.2f} to {chosen.high:.2f}"
        return told + "." + self._place(replies) + "".join(f" {spread.kinds}" for spread in self.spreads if spread.kinds)

    def _place(self, spread: Spread) -> str:
        """Where the run stands among the other rolls, counted: no finer than they are."""
        counts = [c.values[spread.measure] for c in self.rolls[1:]]
        below, equal = (sum(value < spread.recorded for value in counts), sum(value == spread.recorded for value in counts))
        if not counts:
            return f" The run had {spread.recorded:.0f}."
        same = f", as many as {equal}" if equal else ""
        return f" The run had {spread.recorded:.0f}: more than {below} of the {len(counts)} other rolls{same}."

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        ends = {name: None if end is None else end.lane for name, end in (("best", self.best), ("worst", self.worst))}
        return {
            "run_id": self.run_id, "root": self.root, "post": self.post, "step": self.step, "hours": self.hours, "by": self.by,
            "criterion": self.criterion, "sentence": self.sentence, **ends, "spreads": [s.to_dict() for s in self.spreads],
            "rolls": [c.to_dict() for c in self.rolls], "notes": list(self.notes), "capped": self.capped,
        }  # fmt: skip


def multiverse(
    run: Run | str | Path,
    thread: int,
    n: int = 20,
    post: int | None = None,
    *,
    hours: int = 48,
    by: str = "toxicity",
    jobs: int | None = None,
    runs_dir: str | Path = RUNS_DIR,
    progress: Callable[[int, int], None] | None = None,
    session: Session | None = None,
) -> Multiverse:
    """The ways in which a thread could have gone on.

    thread: its opening post, or any post of it. n: rolls of chance, the recorded one among them. post: from which on chance is
    rolled again; by default the opening post. hours: how long the community plays on, 1 to 336. by: one of THREAD_MEASURES, which
    names best and worst. jobs: processes, -1 for one a core, by default as many as are worth their start. session: of a language mind
    with its caps, which count in this process alone; opened without any where the run has one and none is given. A cap that is
    reached leaves the rolls that were played and says so; raises Capped where these are fewer than two, and SpecError or RecordError
    in one line for what cannot be asked.
    """
    source = run if isinstance(run, Run) else open_run(run, runs_dir)
    if by not in THREAD_MEASURES:
        raise SpecError(f"by = {by[:40]!r}: expected one of {', '.join(THREAD_MEASURES)}.")
    rolls = checked_rolls(n, hours, default=20)
    tasks = tasks_from(source, thread, post, hours, rolls, within(session))
    played = continue_all(tasks, jobs, progress)
    whole = rolls_played(played, rolls, 1, least=min(2, rolls))
    step, start = tasks[0].moment.step, thread_and_start(source, thread, post)[1]
    notes = (*cut_short(played, whole, rolls), *notes_of(source, step, hours))
    found = tuple(played.found[lane] for lane in range(whole))
    return Multiverse(source.id, tasks[0].root, start, step, hours, by, found, notes, played.capped)


def tasks_from(run: Run, thread: int, post: int | None, hours: int, rolls: int, setting: Setting | None) -> list[Task]:
    """What a process needs to play each roll. setting: makes the stage."""
    root, start = thread_and_start(run, thread, post)
    moment = moment_after(run, start, setting)
    first, removed = len(moment.state["posts.author"]), removed_before(run, moment.step)
    task = Task(moment, root, hours, 0, first=first, removed=removed, recorded=run.spec.mind != "sketch")
    return [task, *(replace(task, lane=lane, recorded=False) for lane in range(1, rolls))]


def thread_and_start(run: Run, thread: int, post: int | None) -> tuple[int, int]:
    """(the thread's opening post, the post from which on chance is rolled again). Raises SpecError where that is in another thread."""
    root = int(post_row(run, thread)["root"])
    start = root if post is None else post
    if post_row(run, start)["root"] != root:
        raise SpecError(f"post {start} is not in thread {root}. Name a post of that thread.")
    return root, start


def _spread(name: str, values: list[float]) -> Spread:
    known = np.array([value for value in values if np.isfinite(value)])
    recorded = values[0]
    ends = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]) if len(known) else np.full(5, np.nan)
    low, quarter, median, three, high = (float(q) for q in ends)
    mean = float(known.mean()) if len(known) else float("nan")
    rank = float(np.mean(known < recorded) + 0.5 * np.mean(known == recorded)) if np.isfinite(recorded) else float("nan")
    return Spread(name, len(known), low, quarter, median, three, high, mean, recorded, rank, _kinds(name, known))


def _kinds(name: str, known: np.ndarray) -> str:
    """A line where the rolls fall into two groups that one normal group would hardly show, and the gap is worth telling."""
    found = two_groups(known) if len(known) >= _SPLIT_ROLLS else None
    measure = THREAD_MEASURES[name]
    if found is None or found.p >= SPLIT_LEVEL / len(THREAD_MEASURES) or found.gap <= max(measure.margin, found.widest):
        return ""
    return (
        f"Two kinds of continuation by {measure.title}: {found.below} of {len(known)} near {found.low:.2f}, {found.above} near "
        f"{found.high:.2f}."
    )
