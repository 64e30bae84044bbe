"""A program that is killed while a real model writes pays for no stored answer twice, and ends as if nothing had happened.

The program runs as a user runs it: a child process, killed with SIGKILL, taken up by another one. What it asks is counted at the
server.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from simulacra.experiment import open_run
from simulacra.record.verify import verify
from simulacra.replicates import open_comparison
from simulacra.sessions import ANSWERS

ROOT = Path(__file__).parents[2]
Question = tuple[str, int]
"""What is asked, and the seed of the sampling: a retry has another one."""


class Between(ThreadingHTTPServer):
    """Stands between the program and the model: counts questions, and answers equal ones equally.

    llama.cpp itself does not quite: beside others in its batch a question's sums are taken in another order.
    """

    daemon_threads = True

    def __init__(self, model: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.model, self.asked = model.removesuffix("/v1"), Counter[Question]()
        self._given: dict[tuple[str, bytes | None], tuple[int, bytes]] = {}
        self._guard, self._locks = Lock(), dict[tuple[str, bytes | None], Lock]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Status and body, the model's own when it is asked this for the first time."""
        what = (path, body)
        with self._guard:
            lock = self._locks.setdefault(what, Lock())
            if body is not None and "prompt" in (told := json.loads(body)):
                self.asked[told["prompt"], told["seed"]] += 1
        with lock:
            if what not in self._given:
                self._given[what] = self._from_model(path, body)
            return self._given[what]

    def _from_model(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            with urlopen(Request(self.model + path, body, {"Content-Type": "application/json"}), timeout=120) as reply:
                return reply.status, reply.read()
        except HTTPError as refused:
            return refused.code, refused.read()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed hears no answer."""


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._reply(None)

    def _reply(self, body: bytes | None) -> None:
        status, answer = self.server.answer(self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def between(url: str) -> Iterator[Between]:
    with Between(url) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def simulacra(place: Path, *words: str) -> subprocess.Popen[str]:
    """The program at work in a runs folder of that place."""
    command = [sys.executable, "-m", "simulacra", *words, "--runs", str(place / "runs"), "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it printed, once it has ended as it should."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out)


def killed(process: subprocess.Popen[str], when: Callable[[], bool]) -> None:
    """SIGKILL, as soon as that is so."""
    with process:
        until = time.monotonic() + 120
        while not when() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        alive = process.poll() is None
        process.kill()
        assert alive and when(), process.communicate()


def stored(place: Path) -> set[Question]:
    """The questions whose answers are on disk: posts', not those about the server."""
    found = set()
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"file:{place / 'runs' / ANSWERS}?mode=ro", uri=True)) as db,
    ):
        for system, asked in db.execute("SELECT s.text, prompt FROM answers JOIN systems s ON s.hash = system"):
            prompt = json.loads(asked)
            found.add((system + prompt["user"], prompt["seed"]))
    return found


def mind(between: Between) -> list[str]:
    return ["--mind", "openai", "--model", "gemma", "--base-url", between.url, "--past", "sketch", "--yes"]


def asked_again(between: Between, before: Counter[Question], kept: set[Question]) -> set[Question]:
    """Stored answers that were asked of the server again. What was under way at the kill is asked once more, and nothing else is."""
    after = set(between.asked - before)
    assert after and max(between.asked.values()) <= 2, "the kill came too late, or something was asked thrice"
    return kept & after


def test_a_killed_run_ends_with_the_record_of_an_undisturbed_one_and_pays_for_no_answer_twice(between: Between, tmp_path: Path):
    size = ["--personas", "30", "--days", "1", "--seed", "5", "--behaviour", "write=0.06", "--moderation", "none"]
    command = ["run", "pittsburgh", *size, *mind(between), "--id", "one"]
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    killed(simulacra(here, *command), lambda: len(stored(here)) >= 2)
    kept, before = stored(here), between.asked.copy()
    assert open_run("one", here / "runs").status == "interrupted"

    run = told(simulacra(here, "resume", "one"))
    assert run["status"] == "finished" and run["posts"] > len(kept)
    assert asked_again(between, before, kept) == set()
    assert run["language"]["stored"] >= len(kept)
    assert verify(here / "runs" / "one") == []

    undisturbed = told(simulacra(elsewhere, *command))
    assert undisturbed["language"]["stored"] == 0
    assert run["digest"] == undisturbed["digest"]


def test_a_killed_comparison_ends_with_the_answer_of_an_undisturbed_one_and_pays_for_no_answer_twice(
    between: Between, tmp_path: Path
):
    size = ["--personas", "16", "--days", "1", "--seeds", "2", "--behaviour", "write=0.1", "--moderation", "none"]
    arms = ["--baseline", "feed=chronological", "--variant", "feed=hot"]
    command = ["compare", "pittsburgh", *arms, *size, *mind(between), "--id", "two"]
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    killed(simulacra(here, *command), lambda: len(stored(here)) >= 2)
    kept, before = stored(here), between.asked.copy()
    assert open_comparison("two", here / "runs").status == "interrupted"

    answer = told(simulacra(here, "compare", "--resume", "two"))
    assert answer["status"] == "finished"
    assert asked_again(between, before, kept) == set()

    undisturbed = told(simulacra(elsewhere, *command))
    assert answer["rows"] == undisturbed["rows"]
    digests = [open_comparison("two", place / "runs").digests for place in (here, elsewhere)]
    assert digests[0] == digests[1] and len(digests[0]["variant"]) == 2
