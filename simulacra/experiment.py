"""From a specification to a wired run, played into a folder: `run`, `resume`, `open_run`.

Here the parts meet: community, population, sketch writer, scorer, feed, moderation, behaviour, record. Comparisons of arms
over seeds are in `replicates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.measures import measure
from simulacra.analysis.turns import failed_turns, language_facts
from simulacra.behaviour import Behaviour
from simulacra.community import Community, community_from_dict, community_to_dict, load_community
from simulacra.designs import Arm, BehaviourSettings, Settings, make_arm
from simulacra.errors import Capped, RecordError, SpecError, Stopped
from simulacra.minds.assessor import ModelAssessor
from simulacra.minds.settings import MINDS as ALL_MINDS
from simulacra.minds.settings import Language, make_writer, mind_maker
from simulacra.moderation import POLICIES, check_askable
from simulacra.persona import Population
from simulacra.record.recording import MemoryRecorder
from simulacra.record.runfiles import checked_run_id, run_id
from simulacra.record.runs import RunFolder
from simulacra.record.tables import hash_json
from simulacra.scoring.semantic import TopicAffinity, topic_affinity
from simulacra.seams import Assessor, Mind, Recorder, Scorer, State, Writer
from simulacra.sessions import Session, budget_after, open_session, with_personas
from simulacra.simulation import Arm as WiredArm
from simulacra.simulation import Progress, Simulation
from simulacra.streams import Streams

if TYPE_CHECKING:
    import pandas as pd

    from simulacra.record.frames import Frames
    from simulacra.text import Budget

Floats = NDArray[np.float32]
OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]

MOST_PERSONAS, MOST_DAYS = 1_000_000, 365
MINDS, SCORERS = ("sketch",), ("lexical",)  # minds: those that need no model
RUNS_DIR = "runs"

_SETUP = ("first_ties", "homophily", "newcomers")
"""Behaviour parameters that act before the first measured day: an arm that changes one has a past of its own."""


# -- what causes a run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSpec:
    """The complete cause of a run: equal specifications give equal records, digest for digest."""

    community: Community
    arm: Arm
    personas: int = 1000  # there at the beginning; newcomers come on top
    days: int = 7  # measured days, after two of burn-in
    seed: int = 1
    mind: str = "sketch"
    scorer: str = "lexical"
    earlier: tuple[tuple[int, Arm], ...] = ()  # (last day, design) of what was in force before `arm`, as a fork has it
    language: Language | None = None  # how a model takes part, where the mind is not the sketch mind

    def __post_init__(self) -> None:
        if self.language is not None:
            object.__setattr__(self, "mind", self.language.mind)
        elif self.mind in ALL_MINDS and self.mind not in MINDS:
            raise SpecError(f"mind {self.mind!r} was given no model.")
        _whole("personas", self.personas, 2, MOST_PERSONAS)
        _whole("days", self.days, 1, MOST_DAYS)
        _whole("seed", self.seed, 0, 2**63 - 1)
        for what, value, known in (("mind", self.mind, ALL_MINDS), ("scorer", self.scorer, SCORERS)):
            if value not in known:
                raise SpecError(f"No {what} called {value!r}. Known: {', '.join(known)}.")
        changes = [0, *(day for day, _ in self.earlier), self.days]
        if any(late <= early for early, late in pairwise(changes)):
            raise SpecError(f"changes after days {changes[1:-1]}: expected rising days from 1 to {self.days - 1}.")
        for arm in (self.arm, *(arm for _, arm in self.earlier)):
            check_askable(arm.moderation, arm.rules, self.language is not None)

    @property
    def past_behaviour(self) -> Behaviour:
        """How people behave in burn-in: as the community's file says, whatever the arm changes later."""
        setup = {name: value for name, value in self.arm_on(1).behaviour.items() if name in _SETUP}
        return Behaviour().with_settings({**self.community.behaviour, **setup})

    def arm_on(self, day: int) -> Arm:
        """The design in force on a measured day."""
        return next((arm for last, arm in self.earlier if day <= last), self.arm)

    def wired(self, day: int | None = None) -> WiredArm:
        """The arm, or that of an earlier day, with its parts built, fresh of any state."""
        arm = self.arm if day is None else self.arm_on(day)
        return WiredArm(arm.applied_to(self.community), arm.build_feed(), arm.build_policies(), arm.build_behaviour())

    def cause(self, near: TopicAffinity) -> dict[str, Any]:
        """As run.json holds it: plain data from which the run can be played again, the phrase bank included."""
        return {
            **self._core(),
            "voices": self.community.voices,
            "similarity": affinity_to_dict(near),
        }

    @classmethod
    def from_cause(cls, cause: Mapping[str, Any], where: str = "run.json") -> RunSpec:
        """The specification that `cause` described. Raises CommunityError, SpecError or RecordError naming `where`."""
        try:
            community = community_from_dict(cause["community"], cause["voices"], where)
            known = {name: cause[name] for name in ("personas", "days", "seed", "mind", "scorer")}
            if "language" in cause:
                known["language"] = Language.from_dict(cause["language"], where)
            known["earlier"] = tuple((int(day), Arm.from_dict(arm)) for day, arm in cause.get("earlier", ()))
            return cls(community, Arm.from_dict(cause["arm"]), **known)
        except (KeyError, TypeError) as error:
            raise RecordError(f"{where}: the cause lacks {error}. It was not written by this program.") from error

    def default_id(self) -> str:
        """The run's name where none is given: community, seed and a hash that equal specifications share."""
        return run_id(self.community.slug, self.seed, self._core())

    def _core(self) -> dict[str, Any]:
        return {
            "community": community_to_dict(self.community), "arm": self.arm.to_dict(), "personas": self.personas,
            "days": self.days, "seed": self.seed, "mind": self.mind, "scorer": self.scorer,
            **({"language": self.language.to_dict()} if self.language is not None else {}),
            **({"earlier": [[day, arm.to_dict()] for day, arm in self.earlier]} if self.earlier else {}),
        }  # fmt: skip


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpecError(f"{name} = {value!r}: expected a whole number from {low:,} to {high:,}.")


# -- what all arms of a seed share -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """The parts that do not depend on the arm: people, chances, words, scores, and how near topics are to each other."""

    population: Population
    streams: Streams
    writer: Writer
    scorer: Scorer
    topic_vectors: Floats  # [topics, d], unit rows
    make_mind: Callable[..., Mind]
    assessor: Assessor | None = None  # whom levers ask about rules; None for the sketch mind

    def simulation(self, arm: WiredArm, recorder: Recorder) -> Simulation:
        return Simulation(
            self.population, arm, writer=self.writer, scorer=self.scorer, streams=self.streams, recorder=recorder,
            topic_vectors=self.topic_vectors, policy_names=tuple(POLICIES), make_mind=self.make_mind,
            assessor=self.assessor,
        )  # fmt: skip


def set_stage(
    spec: RunSpec, near: TopicAffinity, population: Population | None = None, session: Session | None = None
) -> Stage:
    """Everything a simulation of this specification needs but its arm.

    population: grown from the seed where not given. session: the model at work, which a language mind needs.
    """
    streams = Streams(spec.seed)
    if population is None:
        population = _grow(spec, near, streams)
    writer: Writer = _writer(_Known(spec.community))
    assessor: Assessor | None = None
    if spec.language is not None:
        if session is None:
            raise SpecError("A language mind needs a session (`sessions.open_session`).")
        writer = make_writer(spec.language, spec.community, session.generator, writer)
        session.writers.append(writer)
        assessor = ModelAssessor(session.generator)
    return Stage(population, streams, writer, _scorer(), topic_vectors(near.topics), mind_maker(spec.language), assessor)


class _Known:
    """A community that can be looked up: equal ones, voices included, are one key."""

    def __init__(self, community: Community) -> None:
        self.community = community
        self._digest = hash_json(community_to_dict(community))

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self._digest == other._digest


@lru_cache(maxsize=4)
def _writer(known: _Known) -> Writer:
    """Compiling a phrase bank takes half a second, and writers hold no state: replicates in one process share one."""
    from simulacra.minds.sketch import SketchWriter

    return SketchWriter(known.community)


@lru_cache(maxsize=1)
def _scorer() -> Scorer:
    from simulacra.scoring.lexical import LexicalScorer

    return LexicalScorer()


def _grow(spec: RunSpec, near: TopicAffinity, streams: Streams) -> Population:
    from simulacra.people.population import grow

    people = grow(spec.community, spec.personas, streams, spec.days, spec.past_behaviour.newcomers, near)
    pool = spec.language.pool if spec.language is not None else None
    return people if pool is None else pool.applied_to(people, streams)


def topic_vectors(cosines: Floats) -> Floats:
    """Unit vectors [topics, topics] whose products are nearest to the given cosines [topics, topics].

    They are the symmetric square root, which is unique; eigenvectors alone differ in sign between linear algebra libraries.
    """
    values, vectors = np.linalg.eigh(cosines.astype(np.float64))
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return np.round(root / np.linalg.norm(root, axis=1, keepdims=True), 5).astype(np.float32)


def label_sets(spec: RunSpec) -> dict[str, tuple[str, ...]]:
    """The labels that depend on the run, in the order of their codes."""
    return {"topics": spec.community.topics, "policies": tuple(POLICIES)}


def past_of(spec: RunSpec, stage: Stage, should_stop: ShouldStop | None = None) -> tuple[Simulation, MemoryRecorder]:
    """The burn-in days, played into memory: the common past from which arms are forked."""
    memory = MemoryRecorder(stage.population, label_sets(spec))
    past = stage.simulation(WiredArm.neutral(spec.community, spec.past_behaviour), memory)
    past.burn_in(should_stop)
    return past, memory


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Matrix products on one thread: sums are taken in one order then, and digests agree whatever the machine's cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


# -- a run that exists -----------------------------------------------------------------------------------------------------


class Run:
    """A run on disk, finished or not: its measures, its tables, its cause."""

    def __init__(self, folder: RunFolder, seconds: float | None = None) -> None:
        """seconds: what playing it took, where that is known."""
        self.folder = folder
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.status}, {self.counts['posts']} posts>"

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def status(self) -> str:
        """running, finished, stopped, capped (a limit on money, calls or minutes), interrupted (its writer died) or failed."""
        return self.folder.status

    @property
    def digest(self) -> str:
        """Of the record's content; equal for equal specifications."""
        return self.folder.digest

    @property
    def counts(self) -> dict[str, int]:
        """Rows of every table over the measured days; 0 where nothing happened yet."""
        from simulacra.events import TABLES

        return {**dict.fromkeys(TABLES, 0), **self.folder.counts}

    @property
    def days(self) -> int:
        """Finished measured days."""
        return max([0, *self.folder.days])

    @cached_property
    def spec(self) -> RunSpec:
        """What caused it, enough to play it again."""
        return RunSpec.from_cause(self.folder.info["cause"], str(self.path))

    @property
    def warnings(self) -> list[str]:
        """What a reader of the answer should know of how it was made; [] where there is nothing."""
        return warnings_of(self.spec, self.folder.info["cause"].get("similarity", {}).get("warning", ""))

    @property
    def language(self) -> dict[str, Any] | None:
        """What a language mind did and took: model, shares of failed turns, calls, tokens, cost; None for the sketch mind."""
        if self.spec.language is None:
            return None
        return language_facts(
            self.spec.language, failed_turns(self.frames), self.counts["posts"], self.folder.info.get("spent", {})
        )

    @property
    def frames(self) -> Frames:
        """Its tables as pandas, Arrow or SQL views."""
        return self.folder.frames()

    @property
    def posts(self) -> pd.DataFrame:
        """Posts of the measured days: id, step, author, parent (-1 opens a thread), root, act, text, scores and more."""
        return self.frames.table("posts")

    @property
    def measures(self) -> dict[str, float]:
        """Every measure over the finished days (see `simulacra.MEASURES`); NaN where undefined."""
        return measure(self.frames)

    def to_dict(self) -> dict[str, Any]:
        """What `simulacra run --json` prints: plain values, NaN as None."""
        counts = self.counts
        return {
            "run_id": self.id, "path": str(self.path), "status": self.status, "community": self.spec.community.slug,
            "personas": self.spec.personas, "days": self.days, "seed": self.spec.seed, "posts": counts["posts"],
            "visits": counts["visits"], "impressions": counts["impressions"], "reactions": counts["reactions"],
            "failures": counts["failures"], "digest": self.digest, "seconds": self.seconds,
            "measures": {name: None if np.isnan(value) else value for name, value in self.measures.items()},
            "warnings": self.warnings, **({"language": self.language} if self.spec.language else {}),
        }  # fmt: skip


def warnings_of(spec: RunSpec, similarity: str) -> list[str]:
    """One line each: how interests were matched where no embeddings were there, rules whose meaning is a guess or not modelled."""
    from simulacra import rules

    told = spec.language is not None
    return ([similarity] if similarity else []) + rules.warnings(spec.arm.rules, spec.arm.confirmed, told=told)


# -- playing ---------------------------------------------------------------------------------------------------------------


def run(
    community: Community | str | Path,
    personas: int = 1000,
    days: int = 7,
    seed: int = 1,
    feed: str | None = None,
    moderation: str | Sequence[str] | None = None,
    behaviour: BehaviourSettings = None,
    runs_dir: str | Path = RUNS_DIR,
    run_id: str | None = None,
    progress: OnProgress | None = None,
    *,
    settings: Settings = None,
    should_stop: ShouldStop | None = None,
    language: Language | None = None,
    persona_pool: int = 0,
    budget: Budget | None = None,
) -> Run:
    """Play one run of a community into a folder.

    community: a bundled community's name, a TOML file's path, or a loaded one. personas: at the beginning, 2 to 1,000,000.
    days: measured simulated days, 1 to 365. feed, moderation, behaviour: designs in place of the community's own
    ("engagement", "weighted:recency=1,toxicity=-2", ["automod"], "none", {"contagion": "off"}). settings: more of an arm, as
    `designs.make_arm` reads them. run_id: the folder's name; by default community, seed and a hash of the specification.
    progress: called after every simulated hour. should_stop: asked before every hour; once true, `Stopped` is raised.
    language: a language mind (`simulacra.make_language("openai", "gpt-4o-mini")`); by default the sketch mind writes. persona_pool:
    people that the model makes of the sketches beforehand, 0 none. budget: caps on money, calls and minutes; reaching one raises
    `Capped`, and the run can be resumed.
    Raises CommunityError, SpecError or RecordError for input that cannot be used, before anything is written.
    """
    loaded = community if isinstance(community, Community) else load_community(community)
    arm = make_arm(loaded, settings, "run", feed=feed, moderation=moderation, behaviour=behaviour)
    session = open_session(language, runs_dir, budget)
    if language is not None and session is not None:
        language = with_personas(language, loaded, session, persona_pool)
    spec = RunSpec(loaded, arm, personas, days, seed, language=language)
    return play(spec, runs_dir, run_id, progress, should_stop, session)


def play(
    spec: RunSpec,
    runs_dir: str | Path = RUNS_DIR,
    run_id: str | None = None,
    progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
    session: Session | None = None,
) -> Run:
    """Play a specification into a new folder; see `run`. session: opened without caps where a language mind is given none."""
    started = perf_counter()
    name = checked_run_id(run_id) if run_id is not None else spec.default_id()
    refuse_existing(Path(runs_dir) / name)
    near = topic_affinity(spec.community)
    session = session or open_session(spec.language, runs_dir)
    with one_blas_thread():
        stage = set_stage(spec, near, session=session)
        folder = RunFolder.create(runs_dir, name, spec.cause(near), stage.population, label_sets(spec))
        play_into(folder, spec.days, Beginning(spec, stage), progress, should_stop, session)
    return Run(folder, perf_counter() - started)


def resume(
    run: str | Path,
    runs_dir: str | Path = RUNS_DIR,
    progress: OnProgress | None = None,
    should_stop: ShouldStop | None = None,
    budget: Budget | None = None,
    retry_failed: bool = False,
    session: Session | None = None,
) -> Run:
    """Play a stopped, capped or interrupted run to its end; the record is the one that an undisturbed run would have left.

    run: its id in runs_dir, or its path. budget: new caps for a language mind, which count what was spent before. retry_failed:
    failures of the model that are stored are asked again, so that the record may differ from an undisturbed one's.
    Raises RecordError where there is nothing to resume or another process writes it.
    """
    started = perf_counter()
    folder, last_day, state = RunFolder.open(run, runs_dir).resume()
    with folder, one_blas_thread():
        spec = RunSpec.from_cause(folder.info["cause"], str(folder.path))
        if spec.language is not None:
            spec.language.check_playable(str(folder.path))
            caps = budget_after(folder.info.get("spent"), budget)
            session = session or open_session(spec.language, folder.path.parent, caps, retry_failed)
        stage = set_stage(spec, affinity_from_dict(folder.info["cause"]["similarity"]), folder.population, session)
        play_into(folder, spec.days, Beginning(spec, stage, last_day, state), progress, should_stop, session)
    return Run(folder, perf_counter() - started)


def open_run(run: str | Path, runs_dir: str | Path = RUNS_DIR) -> Run:
    """A run that exists, for reading; it may still be being written. Raises RecordError where there is none."""
    return Run(RunFolder.open(run, runs_dir))


Begin = Callable[[Recorder, ShouldStop | None], Simulation]
"""Makes the simulation that goes on writing to a recorder, wherever it stands."""


@dataclass(frozen=True)
class Beginning:
    """The arm's simulation as it stood after a finished day; burn-in is played into the record where it is not over."""

    spec: RunSpec
    stage: Stage
    last_day: int | None = None  # -1 and 0 are the burn-in days; None: no day is finished
    state: State = field(default_factory=dict)

    def __call__(self, recorder: Recorder, should_stop: ShouldStop | None) -> Simulation:
        simulation = self._begun(recorder, should_stop)
        for day, _ in self.spec.earlier:
            if day * 24 >= simulation.step:
                simulation.play(day, should_stop=should_stop)
                simulation = handed_over(simulation, self.spec, day, recorder)
        return simulation

    def _begun(self, recorder: Recorder, should_stop: ShouldStop | None) -> Simulation:
        """The simulation after `last_day`, under the design of that day."""
        if self.last_day is not None and self.last_day > 0:
            simulation = self.stage.simulation(self.spec.wired(self.last_day), recorder)
            simulation.restore(self.state)
            return simulation
        past = self.stage.simulation(WiredArm.neutral(self.spec.community, self.spec.past_behaviour), recorder)
        if self.last_day is None:
            past.burn_in(should_stop)
        else:
            past.restore(self.state)
            past.play(0, should_stop=should_stop)
        return past.fork(self.spec.wired(1), recorder)


def handed_over(simulation: Simulation, spec: RunSpec, day: int, recorder: Recorder) -> Simulation:
    """The simulation that goes on under the design of the next day, once `day` is over."""
    return simulation.fork(spec.wired(day + 1), recorder, carried(spec.arm_on(day), spec.arm_on(day + 1)))


def carried(old: Arm, new: Arm) -> list[str]:
    """Parts whose state outlives a change of design: a feed that stays the same, and every policy that stays in force, so
    that a queue of reports is still there when more moderators come."""
    a, b = old.design(), new.design()
    same_feed = (a["feed"], a["feed_parameters"]) == (b["feed"], b["feed_parameters"])
    return ["feed"] * same_feed + [f"policy.{name}" for name in old.moderation if name in new.moderation]


def play_into(
    folder: RunFolder, days: int, begin: Begin, progress: OnProgress | None = None, should_stop: ShouldStop | None = None,
    session: Session | None = None,
) -> None:  # fmt: skip
    """Play what is missing of a locked folder. Whatever ends it, it says how it ended and gives the lock back.

    session: of a language mind that this run alone uses: what it spends is kept in the record.
    """
    folder.spent = session.spent if session is not None else None
    with folder:
        try:
            begin(folder.recorder(), should_stop).play(days, progress, should_stop)
        except Capped as cap:
            folder.finish("capped", message=str(cap))
            more = "--max-cost, --max-calls or --max-minutes"
            raise Capped(f"{cap} Finished days are safe. Go on with: {_resume_command(folder)} and a higher {more}") from None
        except Stopped as stop:
            folder.finish("stopped")
            raise Stopped(f"{_capital(str(stop))}. Go on with: {_resume_command(folder)}") from None
        except RecordError as error:
            with suppress(RecordError):  # a full disk may refuse this too; the run then shows as interrupted
                folder.finish("failed", message=str(error))
            raise
        folder.finish("finished", measure(folder.frames()))


def affinity_to_dict(near: TopicAffinity) -> dict[str, Any]:
    """As plain data for a record: the model may be missing where the record is played on."""
    matrices = {name: getattr(near, name).tolist() for name in ("topics", "sketches", "rules")}
    return {"source": near.source, "warning": near.warning, **matrices}


def affinity_from_dict(kept: Mapping[str, Any]) -> TopicAffinity:
    """The inverse of `affinity_to_dict`."""
    width = len(kept["topics"])
    topics, sketches, rules = (np.array(kept[name], np.float32).reshape(-1, width) for name in ("topics", "sketches", "rules"))
    return TopicAffinity(topics, sketches, rules, kept["source"], kept["warning"])


def refuse_existing(path: Path) -> None:
    """Refuse before any work is done what `RunFolder.create` would refuse after it."""
    if path.exists():
        raise RecordError(
            f"{path}: this run exists already. Look at it with `simulacra show {path.name}`, go on with `simulacra resume "
            f"{path.name}`, or give another --id or --seed."
        )


def _resume_command(folder: RunFolder) -> str:
    return f"simulacra resume {folder.id}{runs_option(folder.path)}"


def runs_option(path: Path) -> str:
    """What to add to a command so that it finds the run or experiment at this path."""
    return "" if path.parent == Path(RUNS_DIR) else f" --runs {path.parent}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
