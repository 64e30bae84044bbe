"""One replicate: population and burn-in are played once per seed and forked into its arms; its result is plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from simulacra.analysis.measures import measure
from simulacra.behaviour import Behaviour
from simulacra.errors import RecordError
from simulacra.experiment import (
    Run,
    RunSpec,
    ShouldStop,
    Stage,
    label_sets,
    one_blas_thread,
    open_run,
    past_of,
    play_into,
    resume,
    set_stage,
)
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.recording import MemoryRecorder
from simulacra.record.runfiles import plain, to_json
from simulacra.record.runs import RunFolder
from simulacra.replicates.results import measured, turns_of
from simulacra.replicates.workers import behave_as_worker, together
from simulacra.scoring.judging import Judge
from simulacra.scoring.semantic import TopicAffinity
from simulacra.seams import Recorder
from simulacra.sessions import Session
from simulacra.simulation import Simulation


@dataclass(frozen=True)
class Task:
    """What a worker needs to play one replicate and leave its result in the experiment's folder."""

    specs: Mapping[str, RunSpec]  # arm -> specification, all of one seed
    near: TopicAffinity
    file: Path  # where the result goes
    runs_dir: Path
    keep: Mapping[str, str]  # arm -> run id where the full record is kept
    home: int  # process that handed it out: a worker knows by it that it is one
    session: Session | None = None  # the model at work; such tasks are played by threads of one process
    judge: str = ""  # the second scorer, and
    acting: frozenset[str] = frozenset()  # the scores that it must read

    @property
    def seed(self) -> int:
        return next(iter(self.specs.values())).seed


def play_replicate(task: Task, should_stop: ShouldStop | None = None) -> int:
    """Play every arm of a replicate and write its result; returns the seed. Runs in this process or in a worker."""
    if os.getpid() != task.home:
        behave_as_worker()
    write_result(task, replicate_of(task, should_stop))
    return task.seed


def replicate_of(task: Task, should_stop: ShouldStop | None = None) -> dict[str, Any]:
    """Every arm of a replicate, played: its result as plain values, not yet written anywhere."""
    started = perf_counter()
    with one_blas_thread():
        arms = _Replicate(task, should_stop).arms()
    return {"seed": task.seed, "arms": arms, "seconds": round(perf_counter() - started, 3)}


def write_result(task: Task, result: Mapping[str, Any]) -> None:
    """The result in its file, whole or not at all."""
    with disk_errors(task.file):
        replace_file(task.file, to_json(plain(result)))


class _Replicate:
    """A replicate while it is played: the common past of its arms, and the second scorer that reads them all."""

    def __init__(self, task: Task, should_stop: ShouldStop | None) -> None:
        self.task, self._should_stop = task, should_stop
        self._judge = Judge(task.judge, task.acting, should_stop) if task.judge else None
        self._pasts: dict[Behaviour, tuple[Stage, Simulation, MemoryRecorder]] = {}

    def arms(self) -> dict[str, dict[str, Any]]:
        """arm -> its result. With a language model the arms play at the same time: while one waits for answers the other asks."""
        specs = self.task.specs
        if self.task.session is None or len(specs) == 1:
            return {name: self._arm(name, self._should_stop) for name in specs}
        for spec in specs.values():
            self._past(spec)
        with together(len(specs), self._should_stop) as (threads, stop):
            playing = {name: threads.submit(self._arm, name, stop) for name in specs}
            return {name: arm.result() for name, arm in playing.items()}

    def _past(self, spec: RunSpec) -> tuple[Stage, Simulation, MemoryRecorder]:
        """Stage, the simulation at the end of burn-in, and its record: one for all arms, unless they differ in what acts before the
        first day."""
        key = spec.past_behaviour
        if key not in self._pasts:
            stage = set_stage(spec, self.task.near, session=self.task.session)
            self._pasts[key] = (stage, *past_of(spec, stage, self._should_stop))
        return self._pasts[key]

    def _arm(self, name: str, should_stop: ShouldStop | None) -> dict[str, Any]:
        spec = self.task.specs[name]
        if name in self.task.keep:
            run = self._kept(name, should_stop)
            found = measured(run.measures, run.frames, self._judge)
            return {"run": run.id, "digest": run.digest, **found, **turns_of(spec, run.frames, run.counts["posts"])}
        _, past, memory = self._past(spec)
        recorder = memory.fork()
        past.fork(spec.wired(), recorder).play(spec.days, should_stop=should_stop)
        frames = recorder.frames()
        found = measured(measure(frames), frames, self._judge)
        return {"run": None, "digest": recorder.digest, **found, **turns_of(spec, frames, recorder.counts["posts"])}

    def _kept(self, name: str, should_stop: ShouldStop | None) -> Run:
        """The finished run of an arm whose full record stays: found, resumed or played."""
        task, spec, run = self.task, self.task.specs[name], self.task.keep[name]
        if (task.runs_dir / run).exists():
            found = open_run(run, task.runs_dir)
            if found.spec != spec:
                raise RecordError(f"{found.path}: another run has this name. Remove it or compare under another --id.")
            if found.status == "finished":
                return found
            return resume(run, task.runs_dir, should_stop=should_stop, session=task.session)
        stage, past, memory = self._past(spec)
        folder = RunFolder.create(task.runs_dir, run, spec.cause(task.near), stage.population, label_sets(spec), past=memory)

        def begin(recorder: Recorder, _: ShouldStop | None) -> Simulation:
            return past.fork(spec.wired(), recorder)

        play_into(folder, spec.days, begin, should_stop=should_stop)
        return Run(folder)
