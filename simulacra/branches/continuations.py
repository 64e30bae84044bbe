"""What follows a moment: one continuation a roll of chance, as a thread to read and as numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra.analysis.later import Later
from simulacra.analysis.measures import TOXIC, measure
from simulacra.branches.moments import Buffered, Moment, labels_of, play_on
from simulacra.errors import Capped, SpecError
from simulacra.events import ACTS, KINDS
from simulacra.experiment import one_blas_thread
from simulacra.reading import PostView
from simulacra.record.frames import Frames
from simulacra.record.tables import all_label_sets, population_table
from simulacra.simulation import Simulation

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.seams import Writer

MOST_ROLLS, MOST_HOURS = 1000, 24 * 14
_ALONE = 600_000
"""Persona-hours, about five seconds of one core."""


class ThreadMeasure(NamedTuple):
    """A number that a continuation of a thread has: its title, unit, the difference that matters, and which way is better."""

    title: str
    unit: str
    margin: float
    better: str  # lower, higher, neither


THREAD_MEASURES: dict[str, ThreadMeasure] = {
    "replies": ThreadMeasure("replies that follow", "posts", 1.0, "neither"),
    "people": ThreadMeasure("people who write in it", "people", 1.0, "neither"),
    "readings": ThreadMeasure("readings of the thread", "readings", 10.0, "neither"),
    "toxicity": ThreadMeasure("toxicity of the replies", "score 0 to 1", 0.05, "lower"),
    "rude": ThreadMeasure("plainly rude replies", "posts", 0.5, "lower"),
    "valence": ThreadMeasure("cheerfulness of the replies", "score -1 to 1", 0.1, "higher"),
    "depth": ThreadMeasure("deepest level reached", "levels", 1.0, "neither"),
    "removed": ThreadMeasure("posts removed", "posts", 0.5, "neither"),
    "downvotes": ThreadMeasure("downvotes in the thread", "votes", 1.0, "lower"),
}
"""What is counted of a thread after the moment. A post that was put in from outside is not counted itself. Means of replies are
NaN where there are none. Margins are ours: the smallest difference that a reader of one thread would notice."""


@dataclass(frozen=True)
class Continuation:
    """One way in which a thread goes on."""

    lane: int  # the roll of chance; 0 is the one that the run had
    thread: PostView  # the whole thread, as it stands at the end
    since: int  # posts with this id or a higher one were written after the moment
    put_in: int  # id of the post that was put in, -1 none
    values: Mapping[str, float]  # by THREAD_MEASURES
    community: Mapping[str, float] = field(
        default_factory=dict
    )  # by analysis.measures.MEASURES over the hours; {} if not asked

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        from simulacra.cli.told import plain_thread

        return {
            "lane": self.lane, "since": self.since, "put_in": self.put_in, "values": plain_values(self.values),
            "community": plain_values(self.community), "thread": plain_thread(self.thread),
        }  # fmt: skip


def plain_values(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


@dataclass(frozen=True)
class Task:
    """What a process needs to play one continuation."""

    moment: Moment
    root: int
    hours: int
    lane: int
    put_in: int = -1
    first: int = 0  # id of the first post after the moment; those put in come before
    ripple: bool = False
    removed: Mapping[int, str] = field(default_factory=dict)  # post -> by whom it was removed before the moment
    said: pa.Table | None = None  # posts put in at the moment, which the record does not have
    recorded: bool = False  # what the record has is not written again


def continued(task: Task) -> Continuation:
    """Play one continuation. Runs in this process or in a worker."""
    moment = task.moment
    recorder = Buffered(labels_of(moment.spec))
    with one_blas_thread():
        simulation = moment.simulation(recorder, task.lane, writer_of(task))
        before = _tallies(simulation, task.root)
        simulation = play_on(simulation, moment.spec, moment.step + task.hours, recorder)
    tables = recorder.buffer.seal()
    thread = live_thread(simulation, task.root, {**task.removed, **removals(tables)})
    community = _ripple(task, tables) if task.ripple else {}
    return Continuation(task.lane, thread, task.first, task.put_in, _values(simulation, task, before), community)


def writer_of(task: Task) -> Writer | None:
    """Who writes that continuation; None for the run's own writer, everywhere."""
    if task.recorded:
        return task.moment.recorded_writer(None if task.ripple else task.root)
    return None if task.ripple else task.moment.quiet_writer(task.root)


def _ripple(task: Task, tables: Mapping[str, pa.Table]) -> Mapping[str, float]:
    """Every measure of the community after the moment; posts put in at the moment are there to be read and count as its past."""
    import pyarrow as pa

    if task.said is not None:
        tables = {**tables, "posts": pa.concat_tables([task.said, *([tables["posts"]] if "posts" in tables else [])])}
    return measure(Later(Frames(_Hours(task.moment, tables)), task.moment.step))


class Continued(NamedTuple):
    """What came of continuations."""

    found: dict[int, Continuation]  # by place among the tasks
    capped: str  # the cap that ended it before all were played; "" none


KEPT = "What the model answered is kept: asked again with a higher cap, the same question goes on from there and nothing is paid for twice."


def continue_all(
    tasks: Sequence[Task], jobs: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Continued:
    """The continuations of those tasks, begun in their order. jobs: processes, -1 for one a core; None: as many as are worth their
    start; where the caps of a model count, this one alone, whatever is asked for. progress: called with how many are done, of how
    many. Raises SpecError for other numbers of jobs."""
    if jobs is not None and (not isinstance(jobs, int) or isinstance(jobs, bool) or jobs == 0 or jobs < -1):
        raise SpecError(f"jobs = {jobs!r}: expected a whole number of processes from 1 up, or -1 for one a core.")
    jobs = _worth_starting(tasks) if jobs is None else jobs
    is_counted = any(task.moment.setting is not None for task in tasks)
    found: dict[int, Continuation] = {}
    try:
        for place, continuation in _played(tasks, 1 if is_counted else jobs):
            found[place] = continuation
            if progress is not None:
                progress(len(found), len(tasks))
    except Capped as cap:
        return Continued(found, str(cap))
    return Continued(found, "")


def rolls_played(played: Continued, rolls: int, each: int, least: int = 1) -> int:
    """How many rolls of so many continuations each are whole. Raises Capped where these are fewer than `least`."""
    whole = next((lane for lane in range(rolls) if any(each * lane + i not in played.found for i in range(each))), rolls)
    if whole < least:
        raise Capped(f"{played.capped} No answer yet: {whole} of {rolls} rolls were played.")
    return whole


def cut_short(played: Continued, whole: int, rolls: int) -> tuple[str, ...]:
    """A note on the cap that ended it; () where all rolls were played."""
    return (f"{played.capped} So {whole} of {rolls} rolls were played. {KEPT}",) if played.capped else ()


def _played(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, Continuation]]:
    if jobs == 1 or len(tasks) < 2:
        for place, task in enumerate(tasks):
            yield place, continued(task)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")(
        delayed(_placed)(place, task) for place, task in enumerate(tasks)
    )


_HERE: dict[tuple[Path, int, str], Moment] = {}
"""In a worker: the last few moments, so that people and phrase banks are made once and not once a continuation."""


def _placed(place: int, task: Task) -> tuple[int, Continuation]:
    key = (task.moment.path, task.moment.step, task.moment.guest)
    if key not in _HERE:
        for old in list(_HERE)[:-3]:
            del _HERE[old]
        _HERE[key] = task.moment
        _ = task.moment.stage
    return place, continued(replace(task, moment=_HERE[key].later(task.moment.step, task.moment.state)))


def _worth_starting(tasks: Sequence[Task]) -> int:
    """A process takes seconds to start: for so few persona-hours this one is faster alone."""
    work = sum(len(task.moment.population) * task.hours for task in tasks)
    return 1 if work < _ALONE else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# -- reading a platform as it stands ---------------------------------------------------------------------------------------


def live_thread(simulation: Simulation, root: int, removed: Mapping[int, str]) -> PostView:
    """The thread that this post opened, as it now stands. removed: post -> by whom."""
    posts, n = simulation.platform.posts, len(simulation.platform.posts)
    handle, topics = simulation.population.handle, simulation.arm.community.topics
    views: dict[int, PostView] = {}
    for post in np.flatnonzero(posts.root[:n] == root).tolist():
        by = removed.get(post, "moderation") if posts.removed[post] >= 0 else ""
        views[post] = PostView(
            post, int(posts.step[post]), str(handle[posts.author[post]]), ACTS[posts.act[post]], topics[posts.topic[post]],
            posts.text[post], round(float(posts.toxicity[post]), 4), round(float(posts.valence[post]), 4),
            KINDS[posts.truth[post]], int(posts.up[post]), int(posts.down[post]), int(posts.impressions[post]), by,
        )  # fmt: skip
        parent = int(posts.parent[post])
        if parent in views:
            views[parent].replies.append(views[post])
    return views[root]


class _Tallies(NamedTuple):
    """Of a thread before the moment."""

    readings: int
    removed: int
    down: int


def _tallies(simulation: Simulation, root: int) -> _Tallies:
    posts, n = simulation.platform.posts, len(simulation.platform.posts)
    inside = posts.root[:n] == root
    return _Tallies(
        int(posts.impressions[:n][inside].sum()), int((posts.removed[:n][inside] >= 0).sum()), int(posts.down[:n][inside].sum())
    )


def _values(simulation: Simulation, task: Task, before: _Tallies) -> dict[str, float]:
    posts, n = simulation.platform.posts, len(simulation.platform.posts)
    after, now = np.flatnonzero((posts.root[:n] == task.root) & (np.arange(n) >= task.first)), _tallies(simulation, task.root)
    toxicity = posts.toxicity[after]
    return {
        "replies": float(len(after)), "people": float(len(np.unique(posts.author[after]))),
        "readings": float(now.readings - before.readings), "toxicity": _mean(toxicity), "rude": float((toxicity > TOXIC).sum()),
        "valence": _mean(posts.valence[after]), "depth": float(posts.depth[:n][posts.root[:n] == task.root].max()),
        "removed": float(now.removed - before.removed), "downvotes": float(now.down - before.down),
    }  # fmt: skip


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else math.nan


def removals(tables: Mapping[str, pa.Table]) -> dict[int, str]:
    """Post -> policy, of the removals in those tables."""
    if "rulings" not in tables:
        return {}
    columns = (tables["rulings"][name].to_pylist() for name in ("post", "policy", "action"))
    return {post: policy for post, policy, action in zip(*columns, strict=True) if action == "remove"}


class _Hours:
    """The hours after a moment as a source of frames, with what measures need of the past: its posts and departures."""

    def __init__(self, moment: Moment, tables: Mapping[str, pa.Table]) -> None:
        self._moment, self._tables = moment, tables
        self._past = [day for day in moment.run.folder.days if 24 * (day - 1) < moment.step]

    @property
    def label_sets(self) -> dict[str, tuple[str, ...]]:
        return all_label_sets(labels_of(self._moment.spec))

    @property
    def days(self) -> list[int]:
        return [*self._past, self._past[-1] + 1]

    def parts(self, table: str, day: int) -> pa.Table | Path | None:
        import pyarrow.compute as pc

        if day not in self._past:
            return self._tables.get(table)
        part = self._moment.run.folder.parts(table, day) if table in ("posts", "departures") else None
        if part is None or 24 * day <= self._moment.step:
            return part
        rows = self._moment.run.folder.day(day).tables[table]
        return rows.filter(pc.less(rows["step"], self._moment.step))

    def personas(self) -> pa.Table:
        return population_table(self._moment.population)
