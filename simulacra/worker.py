"""Starting, stopping and watching runs that other processes play.

The app starts `simulacra run` and `simulacra compare` as processes of their own session, so that closing the browser or the app
stops nothing, and learns how they do from the folders they write. What such a process says on standard error is kept beside the
runs in `.log/`, for the case that it could not even begin, with a lock that is held for as long as the process lives.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from simulacra.cli.common import cores
from simulacra.errors import RecordError
from simulacra.record.durable import WriterLock, disk_errors, is_held
from simulacra.record.runfiles import LOCK_FILE, checked_run_id

LOGS = ".log"


def start(
    verb: str, name: str, runs_dir: Path, arguments: Sequence[str], answer: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start `simulacra VERB ARGUMENTS` for the run or experiment of that name; returns the process.

    The process reads nothing from us and writes to its folder; its messages go to the log. answer: a file for what it prints, one
    JSON object when it is done; without one the verb is also told where runs are. Raises RecordError for a name that cannot be a
    folder's, a process of this name that is still at work, or a disk that refuses.
    """
    log = log_file(runs_dir, checked_run_id(name))
    where = [] if answer is not None else ["--runs", str(runs_dir)]
    command = [sys.executable, "-m", "simulacra", verb, *arguments, *where, "--json"]
    with disk_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        if answer is not None:
            answer.parent.mkdir(parents=True, exist_ok=True)
        process = _held(command, _lock_of(runs_dir, name), log, answer)
    threading.Thread(target=process.wait, daemon=True).start()  # so that it does not stay a zombie while the app lives
    return process


def _held(command: Sequence[str], lock: Path, log: Path, answer: Path | None) -> subprocess.Popen[bytes]:
    """The process, started with the lock in its hands: the system frees it when the process ends, however it ends."""
    hold = WriterLock.acquire(lock)
    try:
        with open(log, "wb") as messages, open(answer or os.devnull, "wb") as told:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=told, stderr=messages, start_new_session=True,
                env=_environment(), pass_fds=hold.handed_on,
            )  # fmt: skip
    finally:
        hold.release()  # ours; the process has its own


def is_at_work(runs_dir: Path, name: str) -> bool:
    """Whether a process that was started under this name is alive."""
    return is_held(_lock_of(runs_dir, name))


def _lock_of(runs_dir: Path, name: str) -> Path:
    return runs_dir / LOGS / f"{name}.lock"


def start_run(
    community: Path, name: str, runs_dir: Path, *, personas: int, days: int, seed: int = 1, overlay: Path | None = None,
    more: Sequence[str] = (),
) -> subprocess.Popen[bytes]:  # fmt: skip
    """Play one run of a community file under that name. more: options of the mind."""
    on_top = ["--overlay", str(overlay)] if overlay else []
    size = ["--personas", str(personas), "--days", str(days), "--seed", str(seed)]
    return start("run", name, runs_dir, [str(community), "--id", name, *size, *on_top, *more])


def resume_run(name: str, runs_dir: Path, more: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Go on with a stopped, capped or interrupted run. more: new caps."""
    return start("resume", name, runs_dir, [name, *more])


def resume_comparison(name: str, runs_dir: Path) -> subprocess.Popen[bytes]:
    """Play the replicates that a stopped comparison lacks."""
    return start("compare", name, runs_dir, ["--resume", name, "--jobs", str(spare_cores())])


def check_robustness(name: str, runs_dir: Path) -> subprocess.Popen[bytes]:
    """Play a finished comparison under other assumptions (`compare --robust`); what it found goes to the experiment's folder."""
    return start("compare", f"{name}-robust", runs_dir, ["--resume", name, "--robust", "--jobs", str(spare_cores())])


def spare_cores() -> int:
    """Processes to play replicates with: all cores but one, which the app and its reader keep; at most 8."""
    return min(max(cores() - 1, 1), 8)


def stop(folder: Path) -> bool:
    """Ask the process that writes this run or experiment to stop after the hour it is in; False where nobody writes it.

    Finished days are safe, and the run can be resumed.
    """
    process = writer_of(folder)
    if process is None:
        return False
    try:
        os.kill(process, signal.SIGTERM)
    except ProcessLookupError:  # it ended in between
        return False
    except PermissionError as error:
        raise RecordError(f"{folder}: is written by another user's process {process}. Ask them to stop it.") from error
    return True


def writer_of(folder: Path) -> int | None:
    """The id of the living process that writes this run or experiment; None where there is none."""
    lock = folder / LOCK_FILE
    with disk_errors(lock):
        if not is_held(lock):
            return None
        owner = lock.read_text(errors="replace").strip()
    return int(owner) if owner.isdigit() else None


def log_file(runs_dir: Path, name: str) -> Path:
    return runs_dir / LOGS / f"{name}.txt"


def seconds_at_work(runs_dir: Path, name: str) -> float:
    """Seconds since the process of this name was started; 0 where none was."""
    lock = _lock_of(runs_dir, name)
    with disk_errors(lock):
        return max(time.time() - lock.stat().st_mtime, 0.0) if lock.is_file() else 0.0


def last_words(runs_dir: Path, name: str) -> str:
    """The last line that the process of this name said, without the program's name; "" where it said nothing."""
    log = log_file(runs_dir, name)
    with disk_errors(log):
        lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    told = [line for line in lines if line.strip()]
    return told[-1].removeprefix("simulacra: ") if told else ""


def _environment() -> dict[str, str]:
    """Ours, with this package to be found first: the worker must be the same program, installed or not."""
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}
