"""Where replicates are played: one after another, on cores through joblib, by threads around a model, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed

from simulacra.cluster import LOCAL, RAY, check_backend, scatter
from simulacra.errors import SpecError
from simulacra.experiment import ShouldStop, one_blas_thread
from simulacra.minds.settings import Language
from simulacra.replicates.folder import Keep
from simulacra.replicates.playing import Task, play_replicate, replicate_of, write_result
from simulacra.replicates.workers import together

LANGUAGE_SEEDS = 8
"""Seeds of a language comparison that are played at once where `jobs` does not say: enough to keep a pool of calls busy."""


def check_place(backend: str, language: Language | None, keep: Keep) -> None:
    """Raises SpecError where such replicates cannot be played there, or their records not be kept so."""
    if keep not in ("first", "all", "none"):
        raise SpecError(f"keep = {keep!r}: expected first, all or none.")
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


def check_jobs(jobs: object) -> None:
    """Raises SpecError for what is no number of processes."""
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs == 0 or jobs < -1:
        raise SpecError(f"jobs = {jobs!r}: expected a whole number of processes from 1 up, or -1 for one a core.")


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
            write_result(away[at], result)
            yield away[at].seed


def _played_in_threads(tasks: Sequence[Task], most: int, should_stop: ShouldStop | None) -> Iterator[int]:
    """Seeds as they are finished, by threads that share one pool of calls. When one stops the others stop after their hour."""
    # One limit around all threads: the first to leave its own must not lift it for the others.
    with one_blas_thread(), together(len(tasks) if most < 1 else most, should_stop) as (threads, stop):
        for done in as_completed([threads.submit(play_replicate, task, stop) for task in tasks]):
            yield done.result()
