"""The moment after a post: the run as it stood at the end of that hour, from the nearest checkpoint and the recorded turns since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.branches.replay import LaterWriter, Record, RecordedWriter, ThreadWriter
from simulacra.errors import RecordError, SpecError
from simulacra.experiment import (
    Run,
    RunSpec,
    Stage,
    affinity_from_dict,
    handed_over,
    label_sets,
    one_blas_thread,
    past_of,
    set_stage,
)
from simulacra.persona import Population
from simulacra.record.recording import day_name
from simulacra.record.runfiles import CHECKPOINT_FILE
from simulacra.record.tables import DayBuffer
from simulacra.scoring.semantic import TopicAffinity
from simulacra.seams import Briefs, Recorder, State, Writer
from simulacra.sessions import Session, open_session
from simulacra.simulation import Simulation
from simulacra.streams import Rerolled

POLICY = "what_if"
"""Name under which decisions that no policy made are recorded."""

Setting = Callable[[RunSpec, TopicAffinity, Population], Stage]
"""What makes the stage of a moment: with a model within caps, or one that only counts what a model would be asked."""


def within(session: Session | None) -> Setting | None:
    """The stage with that model at work; None where there is none."""
    return None if session is None else partial(set_stage, session=session)


class Buffered:
    """A recorder that keeps everything in one buffer, whatever days pass: for a few hours that are no run."""

    def __init__(self, labels: dict[str, tuple[str, ...]]) -> None:
        self.buffer = DayBuffer(labels)

    def add(self, table: str, **columns: Any) -> None:
        self.buffer.add(table, **columns)

    def close_day(self, day: int, state: State) -> None:
        """Nothing is made durable."""


def labels_of(spec: RunSpec) -> dict[str, tuple[str, ...]]:
    """The run's label sets, and the name of decisions from outside."""
    sets = label_sets(spec)
    return {**sets, "policies": (*sets["policies"], POLICY)}


@dataclass(frozen=True)
class Moment:
    """A run at the end of an hour. Cheap to hand to another process: what is heavy is read again from the run's folder there.

    state: everything that the future depends on. `spec` and `population` may hold a guest more than the run does.
    """

    path: Path
    step: int  # first hour that is not over
    state: State
    guest: str = ""  # sketch of a persona that has joined last; "" nobody
    topic: int = 0  # what the guest cares about
    setting: Setting | None = field(
        default=None, compare=False
    )  # None: the run's own model without caps; lost on the way to a process

    @cached_property
    def run(self) -> Run:
        from simulacra.experiment import open_run

        return open_run(self.path)

    @cached_property
    def near(self) -> TopicAffinity:
        return affinity_from_dict(self.run.folder.info["cause"]["similarity"])

    @cached_property
    def spec(self) -> RunSpec:
        from simulacra.branches.guests import with_sketch

        spec = self.run.spec
        return replace(spec, community=with_sketch(spec.community, self.guest)) if self.guest else spec

    @cached_property
    def population(self) -> Population:
        from simulacra.branches.guests import joined

        people, spec = self.run.folder.population, self.run.spec
        return joined(people, spec.community, self.guest, self.topic, self.near, spec.seed) if self.guest else people

    @cached_property
    def stage(self) -> Stage:
        """Of a language mind with the model at work: what it has been asked before is beside the run."""
        if self.setting is not None:
            return self.setting(self.spec, self.near, self.population)
        session = open_session(self.spec.language, self.run.path.parent)
        return set_stage(self.spec, self.near, self.population, session)

    @cached_property
    def record(self) -> Record:
        """What was written from the moment's day on."""
        folder = self.run.folder
        return Record(self.run.frames, folder.state(_kept(self.run)[-1]), _since(self.run, self.step))

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: the rest is made again there."""
        return {name: getattr(self, name) for name in ("path", "step", "state", "guest", "topic")}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept, setting=None)

    def later(self, step: int, state: State) -> Moment:
        """The same people at another hour, or in another state."""
        other = replace(self, step=step, state=state)
        made = (name for name in ("run", "near", "spec", "population", "stage", "record") if name in self.__dict__)
        other.__dict__.update({name: self.__dict__[name] for name in made})
        return other

    def with_guest(self, sketch: str, topic: int) -> Moment:
        """The same moment, with somebody of that description among the people."""
        from simulacra.branches.guests import widened

        other = Moment(self.path, self.step, widened(self.state, len(self.population)), sketch, topic, self.setting)
        other.__dict__.update({name: self.__dict__[name] for name in ("run", "near", "record") if name in self.__dict__})
        return other

    def simulation(self, recorder: Recorder, lane: int = 0, writer: Writer | None = None) -> Simulation:
        """The simulation that goes on from here. lane: 0 for the chances that the run had, others for another roll."""
        stage = replace(self.stage, streams=Rerolled(self.spec.seed, lane), writer=writer or self.stage.writer)
        simulation = stage.simulation(self.spec.wired(max((self.step - 1) // 24 + 1, 1)), recorder)
        simulation.policy_names = (*simulation.policy_names, POLICY)
        simulation.restore(self.state)
        return simulation

    @property
    def _model_decides(self) -> bool:
        return self.spec.language is not None and self.spec.language.autonomy == "full"

    def recorded_writer(self, root: int | None = None) -> Writer:
        """Takes what was written from the record and asks the run's own writer for nothing but what is not in it. A mind that decides by
        the model has to be asked itself; its answers are stored. root: after the record's end that thread alone is written by the
        model, as with `quiet_writer`; None: everything is."""
        if self._model_decides:
            return self.stage.writer
        recorded = RecordedWriter(self.record, self.stage.writer, _always)
        if root is None or self.spec.language is None:
            return recorded
        return LaterWriter(24 * self.run.days, recorded, self.quiet_writer(root))

    def quiet_writer(self, root: int) -> Writer:
        """For a mind that costs something: the thread is written by it, everything else is taken from the record or sketched."""
        if self.spec.language is None or self._model_decides:
            return self.stage.writer
        plain = replace(self.spec.arm, moderation=())  # the stage of a sketch mind bears no lever that asks a model
        sketched = set_stage(
            replace(self.spec, mind="sketch", language=None, arm=plain, earlier=()), self.near, self.population
        ).writer
        return ThreadWriter(root, self.stage.writer, RecordedWriter(self.record, sketched, _always))


def _always(briefs: Briefs, world: Any) -> NDArray[np.bool_]:
    return np.ones(len(briefs.author), bool)


def play_on(simulation: Simulation, spec: RunSpec, until: int, recorder: Recorder) -> Simulation:
    """Play to the hour `until`, through changes of design where the run is a fork; returns the simulation that stands there."""
    for day, _ in spec.earlier:
        if simulation.step <= 24 * day < until:
            simulation.play_until(24 * day)
            simulation = handed_over(simulation, spec, day, recorder)
    simulation.play_until(until)
    return simulation


def moment_after(run: Run, post: int, setting: Setting | None = None) -> Moment:
    """The run at the end of the hour in which that post was written: nobody has read it yet. setting: makes its stage.

    Raises SpecError for a post that does not exist or was written in the burn-in; RecordError where the run is still being
    written, or replaying its turns gives something else than its record: another version of the program wrote it.
    """
    if run.status == "running":
        raise RecordError(f"{run.id} is still running. Wait for its end, or stop it: a stopped run will do.")
    row = post_row(run, post)
    if row["step"] < 0:
        raise SpecError(f"post {post} was written before day 1, in the burn-in. Take one of the measured days.")
    return moment_at(run, int(row["step"]) + 1, setting)


def moment_at(run: Run, step: int, setting: Setting | None = None) -> Moment:
    """The run at the beginning of that hour, 0 to the last one that is finished."""
    is_kept = bool(_days_kept(run))
    start = checkpoint_before(run, step, setting) if is_kept else _beginning(run)
    if start.step == step:
        return start
    with one_blas_thread():
        silent = Buffered(labels_of(run.spec))
        simulation = start.simulation(silent, writer=start.recorded_writer() if is_kept else None)
        simulation = play_on(simulation, run.spec, step, silent)
    _check_replay(run, simulation, start.step, step)
    return start.later(step, simulation.state())


def checkpoint_before(run: Run, step: int, setting: Setting | None = None) -> Moment:
    """The run at the last kept checkpoint that is not after that hour. setting: makes its stage."""
    day = max(day for day in _kept(run) if 24 * day <= step)
    start = Moment(run.path, 24 * day, run.folder.state(day), setting=setting)
    start.__dict__["run"] = run
    return start


def _beginning(run: Run) -> Moment:
    """The run at the beginning of day 1 where no checkpoint is kept, as in a bundle without them: its past is played again.

    Raises RecordError for minds that cost something.
    """
    spec = run.spec
    if spec.mind != "sketch":
        _kept(run)
    start = Moment(run.path, 0, {})
    start.__dict__["run"] = run
    with one_blas_thread():
        past, _ = past_of(spec, start.stage)
        return start.later(0, past.fork(spec.wired(1), Buffered(labels_of(spec))).state())


def _days_kept(run: Run) -> list[int]:
    """Days whose checkpoints are there, burn-in's last included."""
    return [day for day in run.folder.days if (run.path / day_name(day) / CHECKPOINT_FILE).exists() and day >= 0]


def _kept(run: Run) -> list[int]:
    """The same, at least one. Raises RecordError where none is."""
    days = _days_kept(run)
    if not days:
        raise RecordError(f"{run.id}: no checkpoint is kept, so nothing can go on from it. Play the run anew.")
    return days


def _since(run: Run, step: int) -> int:
    return 24 * max(day for day in _kept(run) if 24 * day <= step)


def _check_replay(run: Run, simulation: Simulation, start: int, step: int) -> None:
    """Compare what was replayed with the record: who wrote when in answer to what."""
    table = run.frames.arrow("posts", burn_in=True, columns=("id", "step", "author", "parent"))
    told = {name: table[name].to_numpy() for name in table.column_names}
    hours = (told["step"] >= start) & (told["step"] < step)
    posts, n = simulation.platform.posts, len(simulation.platform.posts)
    played = np.flatnonzero(posts.step[:n] >= start)
    same = np.array_equal(told["id"][hours], played) and all(
        np.array_equal(told[name][hours], getattr(posts, name)[played]) for name in ("step", "author", "parent")
    )
    if not same:
        made = run.folder.info.get("versions", {}).get("simulacra", "unknown")
        raise RecordError(
            f"{run.id}: playing day {start // 24 + 1} again does not give what its record says. It was written by another "
            f"version of the program ({str(made)[:20]}). Play the run anew: simulacra run."
        )


def post_row(run: Run, post: int) -> dict[str, Any]:
    """step, author, root, act, topic, rule and words of a post. Raises SpecError where there is none of that id."""
    names = ("id", "step", "author", "parent", "root", "act", "topic", "rule", "text")
    table = run.frames.arrow("posts", burn_in=True, columns=names)
    ids = table["id"].to_numpy()
    found = np.flatnonzero(ids == post)
    if not len(found):
        raise SpecError(f"{run.id} has no post {post}. Posts: {ids.min(initial=0)} to {ids.max(initial=-1)}.")
    row: dict[str, Any] = table.slice(int(found[0]), 1).to_pylist()[0]
    return row
