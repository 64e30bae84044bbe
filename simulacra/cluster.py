"""Independent pieces of work on a Ray cluster: the one that RAY_ADDRESS names, one that runs here, or one started for this call.

Ray is an extra (`pip install simulacra[ray]`) and must be installed, with the same version of Simulacra, on every machine of the
cluster. A piece whose worker or machine is lost is played again elsewhere; since a piece is a pure function of its seed the
result does not depend on where, when or how often it was played.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from simulacra.errors import SimulacraError, SpecError, Stopped

T = TypeVar("T")
R = TypeVar("R")

LOCAL, RAY = "local", "ray"
BACKENDS = (LOCAL, RAY)

RETRIES = 5
"""How often a piece is played again after its worker or machine was lost, before that is taken for its own fault."""
_LOOK = 0.2
"""Seconds between two looks at whether to stop."""


def check_backend(name: str) -> None:
    """Raises SpecError for a backend that does not exist, or Ray where it is not installed."""
    if name not in BACKENDS:
        raise SpecError(f"backend = {name!r}: expected {' or '.join(BACKENDS)}.")
    if name == RAY:
        _ray()


class Scattered(Generic[R]):
    """Pieces handed to the cluster; make it with `scatter`. Their results come as they are finished."""

    def __init__(self, work: Callable[[T], R], pieces: Sequence[T]) -> None:
        from simulacra import __version__

        ray = _connected()
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_played_there)
        self._of = {task.remote(work, piece, __version__): at for at, piece in enumerate(pieces)}

    def results(self, should_stop: Callable[[], bool] | None = None) -> Iterator[tuple[int, R]]:
        """(which piece, its result). Raises Stopped once should_stop says so, SpecError where a piece was lost for good."""
        ray = _ray()
        while self._of:
            if should_stop is not None and should_stop():
                raise Stopped("stopped")
            done, _ = ray.wait(list(self._of), timeout=_LOOK)
            for reference in done:
                yield self._of.pop(reference), _got(ray, reference)

    def cancel(self) -> None:
        """Stop what is still played or waits."""
        for reference in self._of:
            _ray().cancel(reference, force=True)
        self._of = {}


@contextmanager
def scatter(work: Callable[[T], R], pieces: Sequence[T]) -> Iterator[Scattered[R]]:
    """The pieces at work on the cluster while inside; what is unfinished on leaving is cancelled."""
    scattered: Scattered[R] = Scattered(work, pieces)
    try:
        yield scattered
    finally:
        scattered.cancel()


def _played_there(work: Callable[[Any], Any], piece: Any, version: str) -> Any:
    """On a worker."""
    from simulacra import __version__

    if __version__ != version:
        raise SpecError(
            f"A machine of the Ray cluster has simulacra {__version__}, this one {version}. Install the same version."
        )
    return work(piece)


def _got(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SimulacraError):
            raise error.cause from None
        if isinstance(error.cause, ray.exceptions.RaySystemError):  # the work could not even be read there
            told = str(error.cause).strip().splitlines()[0][:200]
            raise SpecError(
                f"A machine of the Ray cluster cannot play: {told}. Is the same simulacra installed on it?"
            ) from error
        raise
    except ray.exceptions.RayError as error:
        told = " ".join(str(error).split())[:200]
        raise SpecError(
            f"Ray lost a piece of work {RETRIES + 1} times and gave up: {told} Go on with --backend local."
        ) from error


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report home
    try:
        import ray
    except ModuleNotFoundError as error:
        raise SpecError('backend = ray: Ray is not installed. Install it with: pip install "simulacra[ray]"') from error
    return ray


def _connected() -> Any:
    ray = _ray()
    if ray.is_initialized():
        return ray
    # Ray takes SIGTERM for itself; our commands want it to stop in good order.
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        told = " ".join(str(error).split())[:200]
        raise SpecError(f"No Ray cluster at {os.environ.get('RAY_ADDRESS', 'this machine')}: {told}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)
    return ray
