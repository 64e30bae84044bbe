"""Independent pieces of work, in this process, on its cores, or on whatever cluster a surrounding joblib configuration names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def spread(work: Callable[[T], R], pieces: Sequence[T], jobs: int = 1) -> Iterator[R]:
    """What `work` makes of each piece, as they are finished; in order in this process where jobs is 1.

    jobs: processes, -1 for one a core.
    """
    if jobs == 1 or len(pieces) < 2:
        yield from map(work, pieces)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")(
        delayed(work)(piece) for piece in pieces
    )
