"""One event loop for all calls of this process, and for each address one pool of slots that every run shares.

A step of one community waits for its own answers only: meanwhile other communities, arms and replicates (threads) use the slots.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

_LONGEST_END = 5.0
"""Seconds for calls to let go at the end of the program."""

_lock = Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_pools: dict[str, Pool] = {}


def loop() -> asyncio.AbstractEventLoop:
    """The loop that runs in the background of this process; started on first use, again after a fork."""
    with _lock:
        pid = os.getpid()
        if pid not in _loops:
            _loops.clear()
            _pools.clear()
            _loops[pid] = asyncio.new_event_loop()
            thread = Thread(target=_loops[pid].run_forever, name="simulacra-calls", daemon=True)
            thread.start()
            atexit.register(_end, pid, _loops[pid], thread)
        return _loops[pid]


def _end(pid: int, made: asyncio.AbstractEventLoop, thread: Thread) -> None:
    """Cancel what is under way and end the thread, so that none of ours runs on in an interpreter that is being taken down."""
    if pid != os.getpid():
        return  # a fork has its parent's list, but not its threads
    with suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(_cancel_all(), made).result(_LONGEST_END)
    made.call_soon_threadsafe(made.stop)
    thread.join(_LONGEST_END)


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns, done on the background loop while the caller waits. Interrupting the wait cancels the work."""
    future: Future[T] = asyncio.run_coroutine_threadsafe(work, loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def pool_of(address: str, slots: int) -> Pool:
    """The pool of that address; the first to ask decides how many calls may be under way at once."""
    loop()
    with _lock:
        return _pools.setdefault(address, Pool(slots))


class Pool:
    """Slots at one address, given out first come first served, and how well they are used."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._free = asyncio.Semaphore(slots)
        self._waiting = self._busy = 0
        self._since = monotonic()
        self._busy_seconds = self._wanted_seconds = 0.0
        self._down_since: float | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A slot of one's own, for as long as the block lasts."""
        self._move(waiting=1)
        try:
            await self._free.acquire()
        except BaseException:
            self._move(waiting=-1)
            raise
        self._move(waiting=-1, busy=1)
        try:
            yield
        finally:
            self._move(busy=-1)
            self._free.release()

    @property
    def busy_share(self) -> float:
        """Share of the slots that were busy over the time in which somebody waited for one; 1 where nobody ever did."""
        return self._busy_seconds / (self._wanted_seconds * self.slots) if self._wanted_seconds else 1.0

    def _move(self, waiting: int = 0, busy: int = 0) -> None:
        now = monotonic()
        # Whoever waits while slots are free is about to be let in within this turn of the loop.
        if self._waiting > 0:
            self._busy_seconds += self._busy * (now - self._since)
            self._wanted_seconds += now - self._since
        self._since = now
        self._waiting += waiting
        self._busy += busy

    def reached(self) -> None:
        """The server answered something."""
        self._down_since = None

    def unreached(self) -> float:
        """The server could not be reached: for how many seconds in a row now."""
        self._down_since = monotonic() if self._down_since is None else self._down_since
        return monotonic() - self._down_since
