"""Playing a comparison: begun, gone on with, opened, finished."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from simulacra.analysis.verdict import Plan
from simulacra.cluster import LOCAL
from simulacra.community import Community, load_community
from simulacra.designs import BehaviourSettings, Settings, make_arm
from simulacra.errors import Capped, RecordError, Stopped
from simulacra.experiment import RUNS_DIR, ShouldStop, affinity_from_dict
from simulacra.minds.settings import Language
from simulacra.record.runfiles import checked_run_id
from simulacra.replicates.answer import Comparison
from simulacra.replicates.backends import check_jobs, check_place, played
from simulacra.replicates.folder import EXPERIMENT_FILE, ExperimentFolder, Keep, experiments_beside
from simulacra.replicates.judging import judge_of
from simulacra.replicates.playing import Task
from simulacra.replicates.spec import BASELINE, VARIANT, ComparisonSpec, Seeds, seeds_of
from simulacra.scoring.semantic import topic_affinity
from simulacra.sessions import Session, budget_after, open_session, with_personas

if TYPE_CHECKING:
    from simulacra.text import Budget


class Replicated(NamedTuple):
    """How far a comparison has come."""

    done: int  # replicates finished, those of earlier calls included
    total: int
    fresh: int  # finished by this call
    seconds: float  # since this call began


def compare(
    community: Community | str | Path, baseline: Settings = "feed=chronological", variant: Settings = "feed=engagement",
    personas: int = 1000, days: int = 7, seeds: Seeds = 8, jobs: int = 1,
    *, plan: Plan | None = None, first_seed: int = 1, paired: bool = True, keep: Keep = "first", judge: str | None = None,
    feed: str | None = None, moderation: str | Sequence[str] | None = None, behaviour: BehaviourSettings = None,
    language: Language | None = None, persona_pool: int = 0, budget: Budget | None = None,
    runs_dir: str | Path = RUNS_DIR, experiments_dir: str | Path | None = None, experiment_id: str | None = None,
    progress: Callable[[Replicated], None] | None = None, should_stop: ShouldStop | None = None, backend: str = LOCAL,
) -> Comparison:  # fmt: skip
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
    loaded = _shared(community, feed, moderation, behaviour)
    arms = make_arm(loaded, baseline, BASELINE), make_arm(loaded, variant, VARIANT)
    check_place(backend, language, keep)
    check_jobs(jobs)
    session = open_session(language, runs_dir, budget)
    if language is not None and session is not None:
        language = with_personas(language, loaded, session, persona_pool)
    plan = plan or Plan()
    spec = ComparisonSpec(
        loaded, *arms, personas, days, first_seed=first_seed, paired=paired, plan=plan, language=language,
        judge=judge_of(arms, plan, judge), **seeds_of(seeds),
    )  # fmt: skip
    name = checked_run_id(experiment_id) if experiment_id is not None else spec.default_id()
    folder = ExperimentFolder(_experiments(runs_dir, experiments_dir) / name)
    folder.begin(spec, topic_affinity(loaded), keep, Path(runs_dir))
    return finish_comparison(folder, jobs, progress, should_stop, session, backend)


def _shared(
    community: Community | str | Path, feed: str | None, moderation: str | Sequence[str] | None, behaviour: BehaviourSettings
) -> Community:
    """The community with what both arms share, as if its file said so."""
    loaded = community if isinstance(community, Community) else load_community(community)
    if feed is None and moderation is None and not behaviour:
        return loaded
    return make_arm(loaded, None, feed=feed, moderation=moderation, behaviour=behaviour).applied_to(loaded)


def _experiments(runs_dir: str | Path, experiments_dir: str | Path | None) -> Path:
    return Path(experiments_dir) if experiments_dir is not None else experiments_beside(runs_dir)


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
    check_jobs(jobs)
    folder = open_comparison(experiment, runs_dir, experiments_dir).folder
    language, info = folder.spec.language, folder.info
    session = open_session(language, info["runs_dir"], budget_after(info.get("spent"), budget), retry_failed)
    return finish_comparison(folder, jobs, progress, should_stop, session, backend)


def open_comparison(
    experiment: str | Path, runs_dir: str | Path = RUNS_DIR, experiments_dir: str | Path | None = None
) -> Comparison:
    """A comparison that exists, by id or path; rows are those of the replicates that are finished."""
    place = _experiments(runs_dir, experiments_dir)
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
    check_place(backend, folder.spec.language, folder.info["keep"])
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
                raise _told(stop, folder, total - len(_missing(folder)[0]), total) from None
            tasks, total = _missing(folder, session)
        answer = Comparison(folder, fresh)
        folder.write_rows(answer.row_list)
    return replace(answer)  # without cached properties of a folder that was still running


def _told(stop: Stopped, folder: ExperimentFolder, done: int, total: int) -> Stopped:
    """The same end, saying how far the comparison has come and how to go on."""
    runs_dir = folder.info["runs_dir"]
    option = "" if runs_dir == RUNS_DIR else f" --runs {runs_dir}"
    told = f"with {done} of {total} replicates done. Go on with: simulacra compare --resume {folder.path.name}{option}"
    if not isinstance(stop, Capped):
        return Stopped(f"Stopped {told}")
    reason = str(stop).partition(". ")[0].rstrip(".")
    return Capped(f"{reason}. It ended {told} and a higher --max-cost, --max-calls or --max-minutes")


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
