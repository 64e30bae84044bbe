"""Writing so that a crash or a full disk leaves the old state or the new one, and a lock that dies with its owner."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from simulacra.errors import RecordError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TEMPORARY = ".tmp-"
"""Prefix of names that are not finished: a reader ignores them, the next writer removes them."""

_LOCK_BYTE = 0x7FFF_FFFF  # Windows locks bytes, and a locked byte cannot be read: lock one that holds nothing
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about this path into one line that tells what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            advice = "the disk is full or a quota is reached. Finished days are safe: free some space, then resume."
        elif error.errno in _FORBIDDEN:
            advice = "not permitted. Choose a folder that you may write to, or change its permissions."
        else:
            advice = f"{error.strerror or error}."
        raise RecordError(f"{path}: {advice}") from error


def write_file(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Create the file and let `fill` write it. Not durable yet: `promote` syncs whatever it gives a name."""
    with open(path, "wb") as file:
        fill(file)


def replace_file(path: Path, content: bytes) -> None:
    """Give the file this content, all or nothing, durably."""
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        write_file(temporary, lambda file: file.write(content))
        _sync(temporary)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def promote(temporary: Path, final: Path) -> None:
    """Give a finished file or folder its final name, durably. Raises OSError where `final` is a folder that is not empty."""
    below = list(temporary.rglob("*")) if temporary.is_dir() else []
    # One at a time, each sync waits for a journal commit of its own (4 ms on an SSD); together they share one.
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(_sync, [*below, temporary]))
    os.rename(temporary, final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    """Have the file, or the folder's list of names, on the disk."""
    if sys.platform == "win32" and path.is_dir():
        return  # Windows has no such call
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class WriterLock:
    """Exclusive hold on a file for as long as this process lives or until released; freed by the system on any death."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> WriterLock:
        """Raises RecordError where another writer, of this or another process, holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        for attempt in range(5):  # a reader that asks `is_held` holds the lock for some microseconds
            if _try_lock(descriptor):
                lock = cls(path, descriptor)
                lock._sign()
                return lock
            time.sleep(0.01 * attempt)
        os.lseek(descriptor, 0, os.SEEK_SET)
        owner = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        who = f"process {owner}" if owner.isdigit() else "another process"
        raise RecordError(f"{path.parent}: {who} is writing this run. Wait for it or stop it, then try again.")

    def _sign(self) -> None:
        """Leave the process id for the message that another writer gets."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def handed_on(self) -> tuple[int, ...]:
        """What a child process must inherit to hold the lock as well; () on Windows, which inherits no locks."""
        return () if self._descriptor is None or sys.platform == "win32" else (self._descriptor,)

    @property
    def is_mine(self) -> bool:
        return self._descriptor is not None


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock. False where the file is missing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
