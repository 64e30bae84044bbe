"""Arms times replicates: play two designs over several seeds, in parallel, resumably, and compare them.

    experiments/<id>/ experiment.json      what is compared, over which seeds, where records are kept, status
                      seed-0001.json ...   measures and digests of a finished replicate, written whole or not at all
                      rows.parquet         the answer

A replicate is one seed: population and burn-in are played once and forked into both arms, so arms share a past and, by
construction of `Streams`, every chance that the design does not touch. Replicates are independent of each other, so joblib runs
them on cores, or on a cluster under another joblib backend, and a killed comparison lacks whole replicates and nothing else.
"""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from simulacra.analysis.comparison import Row, contrast_of, headline, paired_rows, pairing_note, rows_table
from simulacra.analysis.judge import NOBODY, Judged, acting_columns, judged_measures
from simulacra.analysis.limits import limits_of
from simulacra.analysis.measures import judged_values, measure
from simulacra.analysis.segments import AT, segment_values
from simulacra.analysis.turns import failed_turns, language_facts
from simulacra.analysis.verdict import CAP_SEEDS, FIRST_SEEDS, Plan, next_seeds
from simulacra.behaviour import Behaviour
from simulacra.cluster import LOCAL, RAY, check_backend, scatter
from simulacra.community import Community, community_from_dict, community_to_dict, load_community
from simulacra.designs import Arm, BehaviourSettings, Settings, differences, levers, make_arm
from simulacra.errors import Capped, RecordError, SpecError, Stopped
from simulacra.experiment import (
    RUNS_DIR,
    Run,
    RunSpec,
    ShouldStop,
    Stage,
    affinity_from_dict,
    affinity_to_dict,
    label_sets,
    one_blas_thread,
    open_run,
    past_of,
    play_into,
    resume,
    set_stage,
    warnings_of,
)  # fmt: skip
from simulacra.minds.settings import Language
from simulacra.record.durable import WriterLock, disk_errors, is_held, replace_file
from simulacra.record.recording import MemoryRecorder
from simulacra.record.runfiles import checked_run_id, now, plain, to_json, versions
from simulacra.record.runs import RunFolder
from simulacra.record.tables import hash_json
from simulacra.scoring.judging import DEFAULT_JUDGE, NO_JUDGE, Judge, check_judge, check_weights
from simulacra.scoring.semantic import TopicAffinity, WeightsError, topic_affinity
from simulacra.seams import Recorder
from simulacra.sessions import Session, budget_after, open_session, with_personas
from simulacra.simulation import Simulation

if TYPE_CHECKING:
    import pandas as pd

    from simulacra.record.frames import Frames
    from simulacra.text import Budget

FORMAT = 1
"""Version of the experiment folder's format. Another one is refused."""
EXPERIMENT_FILE, ROWS_FILE, LOCK_FILE = "experiment.json", "rows.parquet", "lock"
BASELINE, VARIANT = "baseline", "variant"
MOST_SEEDS = 1000
AUTO: Literal["auto"] = "auto"
WORDING_ONLY = "The sketch mind cannot tell these wordings apart; use a language mind."
_WATCH = "simulacra: watch the parent"

Seeds = int | Literal["auto"]
"""How many replicates, or "auto": as many as the primary measure's interval needs."""
Keep = Literal["first", "all", "none"]
"""Whose full records stay in the runs folder: the first replicate's, all, or nobody's."""


class Replicated(NamedTuple):
    """How far a comparison has come."""

    done: int  # replicates finished, those of earlier calls included
    total: int
    fresh: int  # finished by this call
    seconds: float  # since this call began


# -- what is compared ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ComparisonSpec:
    """The complete cause of a comparison. Both arms have equally many seeds: the same ones when paired, disjoint ones else.

    plan: what is asked, named before anything is played. auto: `seeds` is how many it is worth so far (8 to begin with, never
    over 32); results decide by the width of the primary measure's interval how it goes on (`ExperimentFolder.spec`).
    """

    community: Community
    baseline: Arm
    variant: Arm
    personas: int = 1000
    days: int = 7
    seeds: int = 8
    first_seed: int = 1
    paired: bool = True
    plan: Plan = field(default_factory=Plan)
    auto: bool = False
    language: Language | None = None  # how a model takes part; None: the sketch mind writes
    judge: str = ""  # the second scorer where an arm acts by the first; "": nobody is needed, or nobody is there

    def __post_init__(self) -> None:
        if not isinstance(self.seeds, int) or isinstance(self.seeds, bool) or not 1 <= self.seeds <= MOST_SEEDS:
            raise SpecError(f"seeds = {self.seeds!r}: expected a whole number from 1 to {MOST_SEEDS:,}.")
        for arm in (BASELINE, VARIANT):
            self.run_spec(arm, self.first_seed)  # its checks are ours
        if self.judge:
            check_judge(self.judge)
            if self.judge == NO_JUDGE or not self.acting:
                raise SpecError(f"judge = {self.judge!r}: a second scorer is for arms that act by the first. Leave it out.")

    def run_spec(self, arm: str, seed: int) -> RunSpec:
        """The specification of one arm of one replicate: the run that `simulacra.run` would play."""
        return RunSpec(self.community, self.arms[arm], self.personas, self.days, seed, language=self.language)

    @property
    def arms(self) -> dict[str, Arm]:
        return {BASELINE: self.baseline, VARIANT: self.variant}

    @cached_property
    def acting(self) -> frozenset[str]:
        """Scores of the run's own scorer by which an arm acts."""
        return acting_columns(self.arms.values())

    @property
    def judged_measures(self) -> frozenset[str]:
        """The measures that rest on those scores, so that another scorer must take them."""
        return judged_measures(self.acting)

    def replicates(self) -> list[tuple[int, tuple[str, ...]]]:
        """(seed, its arms), in order of seeds."""
        first = range(self.first_seed, self.first_seed + self.seeds)
        if self.paired:
            return [(seed, (BASELINE, VARIANT)) for seed in first]
        apart = CAP_SEEDS if self.auto else self.seeds  # so that a seed keeps its arm when there are more
        return [*((seed, (BASELINE,)) for seed in first), *((seed + apart, (VARIANT,)) for seed in first)]

    def cause(self) -> dict[str, Any]:
        """As experiment.json holds it, voices and similarity apart."""
        return {
            "community": community_to_dict(self.community),
            "arms": {name: arm.to_dict() for name, arm in self.arms.items()},
            "personas": self.personas, "days": self.days, "seeds": AUTO if self.auto else self.seeds,
            "first_seed": self.first_seed, "paired": self.paired, "plan": self.plan.to_dict(),
            **({"language": self.language.to_dict()} if self.language is not None else {}),
            **({"judge": self.judge} if self.judge else {}),
        }  # fmt: skip

    @classmethod
    def from_cause(cls, cause: Mapping[str, Any], voices: Mapping[str, Any], where: str) -> ComparisonSpec:
        """The specification that `cause` described."""
        try:
            arms = {name: Arm.from_dict(values) for name, values in cause["arms"].items()}
            known = {name: cause[name] for name in ("personas", "days", "first_seed", "paired")}
            known["plan"] = Plan.from_dict(cause["plan"]) if "plan" in cause else Plan()  # none was named then
            known["language"] = Language.from_dict(cause["language"], where) if "language" in cause else None
            known |= {"judge": cause.get("judge", "")} | _seeds(cause["seeds"])
            return cls(community_from_dict(cause["community"], voices, where), arms[BASELINE], arms[VARIANT], **known)
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"{where}: damaged, {error} is missing. Restore the file from a copy.") from error

    def default_id(self) -> str:
        """The experiment's name where none is given: community and a hash, so that the same command finds it again."""
        return checked_run_id(f"{self.community.slug}-{hash_json(self.cause())[:8]}")


def _seeds(seeds: Seeds) -> dict[str, Any]:
    """`seeds` and `auto` of a ComparisonSpec."""
    return {"seeds": FIRST_SEEDS, "auto": True} if seeds == AUTO else {"seeds": seeds, "auto": False}


# -- one replicate ---------------------------------------------------------------------------------------------------------


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
        _behave_as_worker()
    _write_result(task, replicate_of(task, should_stop))
    return task.seed


def replicate_of(task: Task, should_stop: ShouldStop | None = None) -> dict[str, Any]:
    """Every arm of a replicate, played: its result as plain values, not yet written anywhere."""
    started = perf_counter()
    pasts = _Pasts(task.near, should_stop, task.session, Judge(task.judge, task.acting, should_stop) if task.judge else None)
    with one_blas_thread():
        arms = _arms(task, pasts, should_stop)
    return {"seed": task.seed, "arms": arms, "seconds": round(perf_counter() - started, 3)}


def _write_result(task: Task, result: Mapping[str, Any]) -> None:
    with disk_errors(task.file):
        replace_file(task.file, to_json(plain(result)))


def _arms(task: Task, pasts: _Pasts, should_stop: ShouldStop | None) -> dict[str, dict[str, Any]]:
    """arm -> its result. With a language model the arms of a seed play at the same time: while one waits for answers the other asks."""
    if task.session is None or len(task.specs) == 1:
        return {name: _play_arm(task, name, spec, pasts, should_stop) for name, spec in task.specs.items()}
    for spec in task.specs.values():
        pasts.of(spec)
    with _together(len(task.specs), should_stop) as (threads, stop):
        playing = {name: threads.submit(_play_arm, task, name, spec, pasts, stop) for name, spec in task.specs.items()}
        return {name: arm.result() for name, arm in playing.items()}


@contextmanager
def _together(most: int, should_stop: ShouldStop | None) -> Iterator[tuple[ThreadPoolExecutor, ShouldStop]]:
    """Threads, and what asks them to stop: the user, or that one of them has failed and the block is being left."""
    over = threading.Event()
    with ThreadPoolExecutor(most) as threads:
        try:
            yield threads, lambda: over.is_set() or (should_stop is not None and should_stop())
        finally:
            over.set()
            threads.shutdown(wait=True, cancel_futures=True)


def _behave_as_worker() -> None:
    """Leave Ctrl-C to the parent, and end as soon as the parent is gone: a resumed comparison will want the locks held here.

    Records are safe from a sudden end at any moment, so nothing needs to be told.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches the whole process group
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            sleep(0.05)
        os._exit(1)

    if all(thread.name != _WATCH for thread in threading.enumerate()):  # a worker plays several replicates
        threading.Thread(target=watch, name=_WATCH, daemon=True).start()


class _Pasts:
    """The common pasts of a replicate: one, unless arms differ in what acts before the first day."""

    def __init__(
        self, near: TopicAffinity, should_stop: ShouldStop | None, session: Session | None = None, judge: Judge | None = None
    ) -> None:
        self._near, self._should_stop, self._session, self.judge = near, should_stop, session, judge
        self._played: dict[Behaviour, tuple[Stage, Simulation, MemoryRecorder]] = {}

    def of(self, spec: RunSpec) -> tuple[Stage, Simulation, MemoryRecorder]:
        """Stage, the simulation at the end of burn-in, and its record."""
        key = spec.past_behaviour
        if key not in self._played:
            stage = set_stage(spec, self._near, session=self._session)
            self._played[key] = (stage, *past_of(spec, stage, self._should_stop))
        return self._played[key]


def _play_arm(task: Task, name: str, spec: RunSpec, pasts: _Pasts, should_stop: ShouldStop | None) -> dict[str, Any]:
    if name in task.keep:
        run = _kept_run(task.runs_dir, task.keep[name], spec, task.near, pasts, should_stop, task.session)
        found = _measured(run.measures, run.frames, pasts.judge)
        return {"run": run.id, "digest": run.digest, **found, **_turns(spec, run.frames, run.counts["posts"])}
    _, past, memory = pasts.of(spec)
    recorder = memory.fork()
    past.fork(spec.wired(), recorder).play(spec.days, should_stop=should_stop)
    frames = recorder.frames()
    turns = _turns(spec, frames, recorder.counts["posts"])
    return {"run": None, "digest": recorder.digest, **_measured(measure(frames), frames, pasts.judge), **turns}


def _measured(values: dict[str, float], frames: Frames, judge: Judge | None) -> dict[str, Any]:
    """What a result says of measures: those of everybody, those among kinds of members ("toxicity_seen@newcomers"), and whose they are.

    With a judge the measures that rest on scores which it has read are its own; the recorded scorer's go to `unjudged`.
    """
    if judge is None:
        return {"measures": values | segment_values(frames)}
    scores = judge.read(frames)
    judged = judged_values(frames, scores)
    own = {name: values[name] for name in judged}
    return {"measures": values | judged | segment_values(frames, scores), "judge": judge.name, "unjudged": own}


def _turns(spec: RunSpec, frames: Frames, posts: int) -> dict[str, Any]:
    """What a language mind's result says of its turns; nothing for the sketch mind."""
    return {} if spec.language is None else {"turns": {"posts": posts, "failures": dict(failed_turns(frames))}}


def _kept_run(
    runs_dir: Path, run: str, spec: RunSpec, near: TopicAffinity, pasts: _Pasts, should_stop: ShouldStop | None,
    session: Session | None = None,
) -> Run:  # fmt: skip
    """The finished run of that id: found, resumed or played."""
    if (runs_dir / run).exists():
        found = open_run(run, runs_dir)
        if found.spec != spec:
            raise RecordError(f"{found.path}: another run has this name. Remove it or compare under another --id.")
        return found if found.status == "finished" else resume(run, runs_dir, should_stop=should_stop, session=session)
    stage, past, memory = pasts.of(spec)
    folder = RunFolder.create(runs_dir, run, spec.cause(near), stage.population, label_sets(spec), past=memory)

    def begin(recorder: Recorder, _: ShouldStop | None) -> Simulation:
        return past.fork(spec.wired(), recorder)

    play_into(folder, spec.days, begin, should_stop=should_stop)
    return Run(folder)


# -- the experiment's folder -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExperimentFolder:
    """experiments/<id>: reading needs no lock; `comparing` holds it while replicates are played."""

    path: Path

    @property
    def info(self) -> dict[str, Any]:
        """experiment.json. Raises RecordError where it is missing, damaged or of another format version."""
        file = self.path / EXPERIMENT_FILE
        info = _read_json(file)
        if info.get("format") != FORMAT:
            raise RecordError(f"{file}: format version {info.get('format')!r}, this program reads {FORMAT}.")
        return info

    @property
    def status(self) -> str:
        """running, finished, stopped, capped, or interrupted: it says running and nobody is."""
        status = str(self.info.get("status", ""))
        if status == "running" and not is_held(self.path / LOCK_FILE):
            return "interrupted"
        return status

    @property
    def spec(self) -> ComparisonSpec:
        """What is compared; with automatic seeds, over as many as the results so far ask for."""
        info = self.info
        spec = ComparisonSpec.from_cause(info["cause"], info["voices"], str(self.path / EXPERIMENT_FILE))
        return self._grown(spec) if spec.auto else spec

    def _grown(self, spec: ComparisonSpec) -> ComparisonSpec:
        """Automatic seeds: a pure function of the finished replicates, so that a resumed comparison takes the same way."""
        results = self.results()
        while all(seed in results for seed, _ in spec.replicates()):
            arms = values_of({seed: results[seed] for seed, _ in spec.replicates()}, spec)
            primary = contrast_of(spec.plan.primary, arms[BASELINE], arms[VARIANT], spec.paired)
            margin = spec.plan.margin_of(spec.plan.primary, primary.level)
            wanted = next_seeds(primary, margin, spec.seeds)
            if wanted == spec.seeds:
                break
            spec = replace(spec, seeds=wanted)
        return spec

    def results(self) -> dict[int, dict[str, Any]]:
        """seed -> arm -> run, digest and measures of the finished replicates."""
        found = (_read_json(file) for file in sorted(self.path.glob("seed-*.json")))
        return {int(result["seed"]): result["arms"] for result in found}

    def file_of(self, seed: int) -> Path:
        return self.path / f"seed-{seed:04d}.json"

    def begin(self, spec: ComparisonSpec, near: TopicAffinity, keep: Keep, runs_dir: Path) -> None:
        """Write experiment.json where there is none; refuse one of another cause."""
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / EXPERIMENT_FILE).exists():
            if self.info["cause"] != plain(spec.cause()):
                raise RecordError(f"{self.path}: another comparison has this name. Give another --id.")
            return
        self._write({
            "format": FORMAT, "experiment": self.path.name, "status": "running", "started": now(), "updated": now(),
            "cause": spec.cause(), "keep": keep, "runs_dir": str(runs_dir), "versions": versions(), "seconds": 0.0,
            "similarity": affinity_to_dict(near), "voices": spec.community.voices,
        })  # fmt: skip

    @contextmanager
    def comparing(self, spent: Callable[[], Mapping[str, Any]] | None = None) -> Iterator[None]:
        """The lock, and a status that says how it ended. Raises RecordError where another process compares.

        spent: what a language model has cost so far, which is kept.
        """
        with disk_errors(self.path):
            lock = WriterLock.acquire(self.path / LOCK_FILE)
        started = perf_counter()
        try:
            self._set("running")
            yield
            self._set("finished", perf_counter() - started, spent)
        except Capped:
            self._set("capped", perf_counter() - started, spent)
            raise
        except (Stopped, KeyboardInterrupt):
            self._set("stopped", perf_counter() - started, spent)
            raise
        except RecordError:
            with suppress(RecordError):  # the disk that refused may refuse this too
                self._set("failed", perf_counter() - started, spent)
            raise
        finally:
            lock.release()

    def _set(self, status: str, seconds: float = 0.0, spent: Callable[[], Mapping[str, Any]] | None = None) -> None:
        info = self.info
        cost = {"spent": spent()} if spent is not None else {}
        self._write({**info, **cost, "status": status, "updated": now(), "seconds": round(info["seconds"] + seconds, 1)})

    def _write(self, info: Mapping[str, Any]) -> None:
        with disk_errors(self.path):
            replace_file(self.path / EXPERIMENT_FILE, to_json(plain(info)))

    def write_rows(self, rows: Sequence[Row]) -> None:
        """The answer as Parquet."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(rows_table(rows), sink)
        with disk_errors(self.path):
            replace_file(self.path / ROWS_FILE, sink.getvalue().to_pybytes())


def experiments_beside(runs_dir: str | Path) -> Path:
    """Where experiments are kept by default: a folder `experiments` beside the runs' folder."""
    return Path(runs_dir).parent / "experiments"


def _read_json(file: Path) -> dict[str, Any]:
    try:
        with disk_errors(file):
            content = json.loads(file.read_bytes())
    except ValueError as error:
        raise RecordError(f"{file}: no JSON ({error}). Restore the file from a copy, or remove it to play it again.") from error
    if not isinstance(content, dict):
        raise RecordError(f"{file}: not a JSON object. Restore the file from a copy.")
    return content


def values_of(results: Mapping[int, Mapping[str, Any]], spec: ComparisonSpec) -> dict[str, dict[int, dict[str, float]]]:
    """arm -> seed -> measure -> value, NaN where undefined, from an experiment's `results`.

    A measure by a scorer that an arm acts by is undefined as well, unless another one took it.
    """
    own_homework = spec.judged_measures
    arms: dict[str, dict[int, dict[str, float]]] = {BASELINE: {}, VARIANT: {}}
    for seed, replicate in results.items():
        for arm, result in replicate.items():
            withheld = own_homework if result.get("judge") is None else frozenset[str]()
            arms[arm][seed] = {
                name: math.nan if value is None or name.partition(AT)[0] in withheld else value
                for name, value in result["measures"].items()
            }
    return arms


# -- the answer ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Two designs compared over seeds: rows, sentences, and where the records are."""

    folder: ExperimentFolder
    fresh: int = field(default=0, compare=False)  # replicates that this call played

    def __repr__(self) -> str:
        return f"<Comparison {self.id}: {self.status}, {self.spec.seeds} seeds>"

    @property
    def id(self) -> str:
        return self.folder.path.name

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def status(self) -> str:
        return self.folder.status

    @cached_property
    def spec(self) -> ComparisonSpec:
        return self.folder.spec

    @cached_property
    def results(self) -> dict[str, dict[int, dict[str, float]]]:
        """arm -> seed -> measure -> value, NaN where undefined."""
        return values_of(self.folder.results(), self.spec)

    @property
    def judged(self) -> Judged:
        """Which measures another scorer must take, since an arm acts by the first, and which one did."""
        return Judged(self.spec.judged_measures, self.spec.judge or NOBODY)

    @property
    def digests(self) -> dict[str, dict[int, str]]:
        """arm -> seed -> digest of the run, whether its record was kept or not."""
        found = self.folder.results()
        return {arm: {seed: r[arm]["digest"] for seed, r in found.items() if arm in r} for arm in (BASELINE, VARIANT)}

    @property
    def runs(self) -> dict[str, list[str]]:
        """arm -> ids of its kept runs, in order of seeds."""
        found = self.folder.results().values()
        return {arm: [r[arm]["run"] for r in found if arm in r and r[arm]["run"]] for arm in (BASELINE, VARIANT)}

    @property
    def runs_dir(self) -> Path:
        return Path(self.folder.info["runs_dir"])

    @cached_property
    def row_list(self) -> list[Row]:
        """One row a measure."""
        return self._rows(segments=False)

    @cached_property
    def segment_list(self) -> list[Row]:
        """One row for each measure among each kind of members: exploration, unless the plan names it."""
        return self._rows(segments=True)

    def _rows(self, segments: bool) -> list[Row]:
        spec = self.spec
        return paired_rows(
            self.results[BASELINE], self.results[VARIANT], paired=spec.paired, changed=levers(spec.baseline, spec.variant),
            plan=spec.plan, judged=self.judged, segments=segments,
        )  # fmt: skip

    @property
    def rows(self) -> pd.DataFrame:
        """The rows as a frame, a column a field of `Row`."""
        return rows_table(self.row_list).to_pandas()

    @property
    def differences(self) -> list[str]:
        """What differs between the arms, one short line each."""
        return differences(self.spec.baseline, self.spec.variant)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        told = headline(self.row_list, self.differences, self.seconds_per_seed)
        if (checked := self.robustness) and checked["assumption_driven"]:
            told = f"{told} Assumption-driven: the direction held in {checked['held']} of {checked['of']} draws of what is assumed."
        return f"{told} {WORDING_ONLY}" if self._wording_only else told

    @property
    def _wording_only(self) -> bool:
        """Whether the arms differ in rules alone, and in nothing of them that the sketch mind knows."""
        from simulacra.rules import same_to_the_sketch_mind

        a, b = self.spec.baseline, self.spec.variant
        return self.spec.language is None and levers(a, b) == {"rules"} and same_to_the_sketch_mind(a, b)

    @property
    def seconds_per_seed(self) -> float | None:
        """Wall seconds that one more replicate takes here, from those played; None before the first."""
        done = len(self.folder.results())
        return float(self.folder.info["seconds"]) / done or None if done else None

    @property
    def notes(self) -> list[str]:
        """What to keep in mind when reading the answer."""
        found = [pairing_note(self.row_list)] if self.spec.paired else ["Unpaired: each arm has seeds of its own."]
        if self._own_pasts:
            found.append("The arms differ in what acts before the first day, so each has a past of its own.")
        by_chance = max(1, round(len(self.row_list) / 20))
        found.append(
            f"Intervals are per measure: of {len(self.row_list)} rows about {by_chance} excludes 0 by chance alone. Measures "
            "named before the run are tested together (Holm)."
        )
        return [note for note in [*found, self._stopping_rule] if note]

    @property
    def limits(self) -> list[str]:
        """What a reader must know before acting on the answer."""
        return limits_of(self.spec, self.row_list, self.results, self.language, self.robustness)

    @property
    def language(self) -> dict[str, Any] | None:
        """What a language mind did and took over all replicates; None for the sketch mind."""
        if self.spec.language is None:
            return None
        turns = [result["turns"] for replicate in self.folder.results().values() for result in replicate.values()]
        failures = sum((Counter(t["failures"]) for t in turns), Counter[str]())
        spent = self.folder.info.get("spent", {})
        return language_facts(self.spec.language, failures, sum(t["posts"] for t in turns), spent)

    @property
    def robustness(self) -> dict[str, Any] | None:
        """What `compare --robust` found (`robustness.Robustness.to_dict`); None where it was not asked."""
        file = self.path / "robust.json"
        return _read_json(file) if file.exists() else None

    @property
    def _stopping_rule(self) -> str:
        spec = self.spec
        if not spec.auto:
            return ""
        return (
            f"Seeds were added four at a time until the interval of {spec.plan.primary} reached no further than the margin on "
            f"either side, or to {CAP_SEEDS}; never because of what it showed. It ended at {spec.seeds}."
        )

    @property
    def warnings(self) -> list[str]:
        """How interests were matched where embeddings were missing, and rules that nothing models."""
        similarity = self.folder.info["similarity"].get("warning", "")
        both = (warnings_of(self.spec.run_spec(arm, self.spec.first_seed), similarity) for arm in (BASELINE, VARIANT))
        return list(dict.fromkeys(line for lines in both for line in lines))

    @property
    def _own_pasts(self) -> bool:
        a, b = (self.spec.run_spec(arm, self.spec.first_seed).past_behaviour for arm in (BASELINE, VARIANT))
        return a != b

    def to_dict(self) -> dict[str, Any]:
        """What `simulacra compare --json` prints: plain values, NaN as None."""
        spec, info = self.spec, self.folder.info
        return {
            "experiment_id": self.id, "path": str(self.path), "status": self.status, "community": spec.community.slug,
            "baseline": spec.baseline.describe(), "variant": spec.variant.describe(), "differences": self.differences,
            "personas": spec.personas, "days": spec.days, "seeds": spec.seeds, "paired": spec.paired,
            "plan": spec.plan.to_dict(), "auto": spec.auto, "rows": [self._row_dict(row) for row in self.row_list],
            "sentence": self.sentence, "notes": self.notes, "limits": self.limits, "robustness": self.robustness,
            "judge": {"measures": sorted(self.judged.measures), "scorer": self.judged.scorer} if spec.acting else None,
            "warnings": self.warnings, "runs": self.runs, "runs_dir": str(self.runs_dir), "seconds": info["seconds"],
            **({"language": self.language} if spec.language is not None else {}),
        }  # fmt: skip

    def _row_dict(self, row: Row) -> dict[str, Any]:
        pace = self.seconds_per_seed
        minutes = None if row.more_seeds is None or pace is None else round(row.more_seeds * pace / 60, 1)
        return {**row.to_dict(), "more_minutes": minutes}


# -- comparing -------------------------------------------------------------------------------------------------------------


def compare(
    community: Community | str | Path,
    baseline: Settings = "feed=chronological",
    variant: Settings = "feed=engagement",
    personas: int = 1000,
    days: int = 7,
    seeds: Seeds = 8,
    jobs: int = 1,
    *,
    plan: Plan | None = None,
    first_seed: int = 1,
    paired: bool = True,
    keep: Keep = "first",
    feed: str | None = None,
    moderation: str | Sequence[str] | None = None,
    behaviour: BehaviourSettings = None,
    runs_dir: str | Path = RUNS_DIR,
    experiments_dir: str | Path | None = None,
    experiment_id: str | None = None,
    progress: Callable[[Replicated], None] | None = None,
    should_stop: ShouldStop | None = None,
    language: Language | None = None,
    persona_pool: int = 0,
    budget: Budget | None = None,
    judge: str | None = None,
    backend: str = LOCAL,
) -> Comparison:
    """Play two designs of a community over several seeds and compare them, measure by measure.

    baseline, variant: the two arms as settings on top of the community's own design (see `designs.Settings`); "" is that
    design. feed, moderation, behaviour: changes that both arms share, as if the community's file said so. seeds: replicates,
    1 to 1,000, from first_seed on; fewer than 6 make no claim; "auto" begins with 8 and adds 4 until the primary measure's
    interval is as narrow as its margin, to 32 at most. plan: the primary measure, its margin and guardrails, named before
    anything is played; by default toxicity_seen with its default margin. paired: both arms of a seed share its past and its
    chances; otherwise each arm has seeds of its own. jobs: processes, -1 for one a core; a surrounding
    `joblib.parallel_config` decides how. backend: local, or ray for a Ray cluster (`cluster`), which then decides how many are
    played at once. keep: whose full records stay in runs_dir. experiments_dir: by default beside
    runs_dir. experiment_id: by default community and a hash of what is compared: the same call goes on where a killed one ended
    and plays nothing twice. language, persona_pool, budget: as in `run`; arms and seeds are then threads of this process, `jobs`
    seeds at a time (8 where jobs is 1), and share one budget. judge: the second scorer that takes the measures of toxicity where an
    arm acts by the first (removes, hides, holds, prompts or ranks by its score): by default semantic; none leaves them out. Raises
    CommunityError, SpecError or RecordError for input that cannot be used; Stopped once should_stop says so.
    """
    loaded = community if isinstance(community, Community) else load_community(community)
    if feed is not None or moderation is not None or behaviour:
        loaded = make_arm(loaded, None, feed=feed, moderation=moderation, behaviour=behaviour).applied_to(loaded)
    arms = make_arm(loaded, baseline, BASELINE), make_arm(loaded, variant, VARIANT)
    _check_place(backend, language, keep)
    session = open_session(language, runs_dir, budget)
    if language is not None and session is not None:
        language = with_personas(language, loaded, session, persona_pool)
    spec = ComparisonSpec(
        loaded,
        *arms,
        personas,
        days,
        first_seed=first_seed,
        paired=paired,
        plan=plan or Plan(),
        language=language,
        judge=judge_of(arms, plan or Plan(), judge),
        **_seeds(seeds),
    )
    if keep not in ("first", "all", "none"):
        raise SpecError(f"keep = {keep!r}: expected first, all or none.")
    place = Path(experiments_dir) if experiments_dir is not None else experiments_beside(runs_dir)
    name = checked_run_id(experiment_id) if experiment_id is not None else spec.default_id()
    folder = ExperimentFolder(place / name)
    _whole_jobs(jobs)
    folder.begin(spec, topic_affinity(loaded), keep, Path(runs_dir))
    return finish_comparison(folder, jobs, progress, should_stop, session, backend)


def judge_of(arms: Sequence[Arm], plan: Plan, asked: str | None) -> str:
    """The second scorer that a comparison needs, "" where it needs none or is to have none. Raises SpecError where what is asked would
    be left without a judge."""
    acting = acting_columns(arms)
    if asked is not None:
        check_judge(asked)
    if not acting:
        return ""
    left = sorted({name for name in plan.family if name.partition(AT)[0] in judged_measures(acting)})
    instead = "name what authors meant instead (--primary uncivil_seen_per_100)"
    if asked == NO_JUDGE:
        if left:
            raise SpecError(f"{left[0]}: an arm acts by the very scorer that would judge it. Give a --judge, or {instead}.")
        return ""
    try:
        check_weights(asked or DEFAULT_JUDGE)
    except WeightsError as error:
        raise SpecError(
            f"An arm acts by the scorer that every run carries, so another must judge it: {error} Or play with --judge none and {instead}."
        ) from error
    return asked or DEFAULT_JUDGE


def resume_comparison(
    experiment: str | Path,
    jobs: int = 1,
    *,
    runs_dir: str | Path = RUNS_DIR,
    experiments_dir: str | Path | None = None,
    progress: Callable[[Replicated], None] | None = None,
    should_stop: ShouldStop | None = None,
    budget: Budget | None = None,
    retry_failed: bool = False,
    backend: str = LOCAL,
) -> Comparison:
    """Play the replicates that a stopped, capped or killed comparison lacks; the answer is that of an undisturbed one.

    budget: new caps for a language mind, which count what was spent before. retry_failed: as in `resume`. backend: as in `compare`.
    """
    _whole_jobs(jobs)
    folder = open_comparison(experiment, runs_dir, experiments_dir).folder
    language, info = folder.spec.language, folder.info
    session = open_session(language, info["runs_dir"], budget_after(info.get("spent"), budget), retry_failed)
    return finish_comparison(folder, jobs, progress, should_stop, session, backend)


def open_comparison(
    experiment: str | Path, runs_dir: str | Path = RUNS_DIR, experiments_dir: str | Path | None = None
) -> Comparison:
    """A comparison that exists, by id or path; rows are those of the replicates that are finished."""
    place = Path(experiments_dir) if experiments_dir is not None else experiments_beside(runs_dir)
    for path in (place / experiment, Path(experiment)):
        if (path / EXPERIMENT_FILE).is_file():
            return Comparison(ExperimentFolder(path))
    raise RecordError(f"No experiment {str(experiment)[:80]!r} in {place}, and no experiment folder at that path.")


def finish_comparison(
    folder: ExperimentFolder,
    jobs: int = 1,
    progress: Callable[[Replicated], None] | None = None,
    should_stop: ShouldStop | None = None,
    session: Session | None = None,
    backend: str = LOCAL,
) -> Comparison:
    """Play what is missing, in order of seeds, and write the rows. Automatic seeds: until no more are asked for.

    session: of a language mind; opened without caps where it is not given. backend: as in `compare`.
    """
    _check_place(backend, folder.spec.language, folder.info["keep"])
    if (language := folder.spec.language) is not None:
        language.check_playable(str(folder.path))
        session = session or open_session(language, folder.info["runs_dir"], budget_after(folder.info.get("spent"), None))
    tasks, total = _missing(folder, session)
    if not tasks and folder.status == "finished":
        return Comparison(folder)
    started, fresh = perf_counter(), 0
    with folder.comparing(session.spent if session is not None else None):
        while tasks:
            before = total - len(tasks) - fresh  # replicates of earlier calls
            try:
                for _ in played(tasks, jobs, should_stop, backend):
                    fresh += 1
                    if progress is not None:
                        progress(Replicated(before + fresh, total, fresh, perf_counter() - started))
            except Stopped as stop:
                done = total - len(_missing(folder)[0])
                told = f"with {done} of {total} replicates done. Go on with: {_resume_command(folder)}"
                if isinstance(stop, Capped):
                    more = "and a higher --max-cost, --max-calls or --max-minutes"
                    raise Capped(f"{_first_sentence(stop)} It ended {told} {more}") from None
                raise Stopped(f"Stopped {told}") from None
            tasks, total = _missing(folder, session)
        answer = Comparison(folder, fresh)
        folder.write_rows(answer.row_list)
    return replace(answer)  # without cached properties of a folder that was still running


def _check_place(backend: str, language: Language | None, keep: Keep) -> None:
    """Raises SpecError where such replicates cannot be played there."""
    check_backend(backend)
    if backend != RAY:
        return
    if language is not None:
        raise SpecError(
            "backend = ray: a language mind's calls come from one process, which keeps their budget and answers. Play it with "
            "--backend local, and put the cluster behind the model's address (--base-url)."
        )
    if keep == "all":
        raise SpecError(
            "backend = ray: full records stay on this machine, so keep = all would play all of them here. Use first."
        )


def _first_sentence(stop: Stopped) -> str:
    return str(stop).partition(". ")[0].rstrip(".") + "."


def _missing(folder: ExperimentFolder, session: Session | None = None) -> tuple[list[Task], int]:
    """Tasks of the replicates that are not finished, and how many replicates there are in all."""
    spec, info = folder.spec, folder.info
    near = affinity_from_dict(info["similarity"])
    replicates = spec.replicates()
    first_of = {arm: min(seed for seed, arms in replicates if arm in arms) for arm in spec.arms}
    tasks = []
    for seed, arms in replicates:
        if folder.file_of(seed).exists():
            continue
        kept = [arm for arm in arms if info["keep"] == "all" or (info["keep"] == "first" and seed == first_of[arm])]
        tasks.append(
            Task(
                specs={arm: spec.run_spec(arm, seed) for arm in arms}, near=near, file=folder.file_of(seed),
                runs_dir=Path(info["runs_dir"]), keep={arm: f"{folder.path.name}-{arm}-{seed}" for arm in kept},
                home=os.getpid(), session=session, judge=spec.judge, acting=spec.acting,
            )
        )  # fmt: skip
    return tasks, len(replicates)


def played(tasks: Sequence[Task], jobs: int, should_stop: ShouldStop | None, backend: str = LOCAL) -> Iterator[int]:
    """Seeds as they are finished; in this process, in order, when jobs is 1. backend: local, or ray for a cluster."""
    if backend == RAY:
        yield from _played_on_ray(tasks, should_stop)
        return
    if tasks[0].session is not None:
        yield from _played_in_threads(tasks, LANGUAGE_SEEDS if jobs == 1 else jobs, should_stop)
        return
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield play_replicate(task, should_stop)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")(
        delayed(play_replicate)(task) for task in tasks
    )


def _played_on_ray(tasks: Sequence[Task], should_stop: ShouldStop | None) -> Iterator[int]:
    """Seeds as they are finished on a Ray cluster. Only this process writes, so that machines need share no folder; for the same
    reason replicates whose full records stay are played here, beside the cluster."""
    here, away = ([task for task in tasks if bool(task.keep) == kept] for kept in (True, False))
    with scatter(replicate_of, away) as scattered:
        for task in here:
            yield play_replicate(task, should_stop)
        for at, result in scattered.results(should_stop):
            _write_result(away[at], result)
            yield away[at].seed


LANGUAGE_SEEDS = 8
"""Seeds of a language comparison that are played at once where `jobs` does not say: enough to keep a pool of calls busy."""


def _played_in_threads(tasks: Sequence[Task], most: int, should_stop: ShouldStop | None) -> Iterator[int]:
    """Seeds as they are finished, by threads that share one pool of calls. When one stops the others stop after their hour."""
    # One limit around all threads: the first to leave its own must not lift it for the others.
    with one_blas_thread(), _together(len(tasks) if most < 1 else most, should_stop) as (threads, stop):
        for done in as_completed([threads.submit(play_replicate, task, stop) for task in tasks]):
            yield done.result()


def _whole_jobs(jobs: object) -> None:
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs == 0 or jobs < -1:
        raise SpecError(f"jobs = {jobs!r}: expected a whole number of processes from 1 up, or -1 for one a core.")


def _resume_command(folder: ExperimentFolder) -> str:
    runs_dir = folder.info["runs_dir"]
    option = "" if runs_dir == RUNS_DIR else f" --runs {runs_dir}"
    return f"simulacra compare --resume {folder.path.name}{option}"
