"""Threads and processes that play replicates: how each learns that it should end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep

from simulacra.experiment import ShouldStop

_WATCH = "simulacra: watch the parent"


@contextmanager
def together(most: int, should_stop: ShouldStop | None) -> Iterator[tuple[ThreadPoolExecutor, ShouldStop]]:
    """Threads, and what asks them to stop: the user, or that one of them has failed and the block is being left."""
    over = threading.Event()
    with ThreadPoolExecutor(most) as threads:
        try:
            yield threads, lambda: over.is_set() or (should_stop is not None and should_stop())
        finally:
            over.set()
            threads.shutdown(wait=True, cancel_futures=True)


def behave_as_worker() -> None:
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
