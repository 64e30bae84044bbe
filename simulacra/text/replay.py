"""Every answer kept on disk, failures too, so that none is paid for twice and a resumed run gets the answers that it had.

One SQLite file, in write-ahead mode: threads and processes share it, a killed process loses nothing that it had been told.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from simulacra.errors import RecordError
from simulacra.seams import Answer, Prompt
from simulacra.text.abilities import Abilities
from simulacra.text.budget import Budget
from simulacra.text.models import ModelSpec

_TABLES = """
CREATE TABLE IF NOT EXISTS systems (hash BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, model BLOB NOT NULL, system BLOB NOT NULL, prompt TEXT NOT NULL, text TEXT NOT NULL, failure TEXT NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, calls INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS models (hash BLOB PRIMARY KEY, identity TEXT NOT NULL, abilities TEXT);
"""


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Answers:
    """The answers in one file. Safe under threads and processes; of two that store the same answer, the first is kept."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()
        self._lock = Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=60, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise RecordError(
                f"{self.path.name}: answers cannot be kept there ({error}). Check the folder and its disk."
            ) from None

    def key(self, model: bytes, prompt: Prompt) -> bytes:
        """Of an answer: by everything that it may depend on."""
        return _hash(model.hex() + json.dumps(prompt, ensure_ascii=False, sort_keys=True))

    def model(self, model: ModelSpec) -> bytes:
        """The model's hash, known to the file from now on."""
        identity = json.dumps(model.identity(), sort_keys=True)
        self._do("INSERT OR IGNORE INTO models (hash, identity) VALUES (?, ?)", _hash(identity), identity)
        return _hash(identity)

    def abilities(self, model: bytes) -> Abilities | None:
        """What the model's server was found to do when it was asked first; None where it has not been."""
        rows = self._do("SELECT abilities FROM models WHERE hash = ?", model)
        return Abilities.from_dict(json.loads(rows[0][0])) if rows and rows[0][0] else None

    def keep_abilities(self, model: bytes, able: Abilities) -> None:
        self._do("UPDATE models SET abilities = ? WHERE hash = ?", json.dumps(able.to_dict()), model)

    def get(self, keys: Sequence[bytes], failed: bool = True) -> dict[bytes, Answer]:
        """Those that are stored, with `calls` 0. failed: whether failures count as answers."""
        found: dict[bytes, Answer] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            rows = self._do(
                f"SELECT key, text, failure, input_tokens, output_tokens FROM answers WHERE key IN ({marks})", *some
            )
            found |= {row[0]: Answer(*row[1:]) for row in rows if failed or not row[2]}
        return found

    def put(self, model: bytes, key: bytes, prompt: Prompt, answer: Answer, replace: bool = False) -> None:
        """Keep an answer; `replace`: in place of a failure that is stored."""
        system, asked = prompt.system, json.dumps(prompt._asdict() | {"system": ""}, ensure_ascii=False)
        self._do("INSERT OR IGNORE INTO systems VALUES (?, ?)", _hash(system), system)
        if replace:
            self._do("DELETE FROM answers WHERE key = ? AND failure != ''", key)
        columns = (key, model, _hash(system), asked, *answer)
        self._do("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *columns)

    def __len__(self) -> int:
        return int(self._do("SELECT COUNT(*) FROM answers")[0][0])

    def _do(self, sql: str, *values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise RecordError(f"{self.path.name}: answers cannot be read or kept there ({error}).") from None


class Asking(Protocol):
    """What an adapter offers to `Replay`: a generator that tells of each answer as it comes."""

    @property
    def name(self) -> str: ...
    @property
    def chats(self) -> bool: ...
    def found(self) -> Abilities: ...
    def ask(
        self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None, done: Callable[[int, Answer], None]
    ) -> None: ...


_under_way: dict[tuple[Path, bytes], Future[Answer]] = {}
_under_way_lock = Lock()


@dataclass
class Replay:
    """A `TextGenerator` that asks another one only what it has not stored. Two runs of this process that ask the same thing at the
    same time make one call. retry_failed: failures that were stored before are asked again."""

    inner: Asking
    model: ModelSpec
    answers: Answers
    budget: Budget
    retry_failed: bool = False
    _model: bytes = field(init=False, repr=False)
    _tried: set[bytes] = field(init=False, repr=False, default_factory=set)

    def __post_init__(self) -> None:
        self._model = self.answers.model(self.model)

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def chats(self) -> bool:
        return self.inner.chats

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        """One answer a prompt, in order; equal prompts have one answer."""
        keys = [self.answers.key(self._model, prompt) for prompt in prompts]
        asked = dict(zip(keys, prompts, strict=True))
        known = self._stored(list(asked))
        for answer in known.values():
            self.budget.answered(0, answer.failure)
        while missing := [key for key in asked if key not in known]:
            known |= self._ask({key: asked[key] for key in missing}, fault)
        return [known[key] for key in keys]

    def _stored(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        found = self.answers.get(keys)
        return {k: a for k, a in found.items() if not (self.retry_failed and a.failure and k not in self._tried)}

    def _ask(self, asked: dict[bytes, Prompt], fault: Callable[[str], str] | None) -> dict[bytes, Answer]:
        """What this thread asked for itself, and what others who were asking already got."""
        own, others = self._claim(list(asked))
        got: dict[bytes, Answer] = {}

        def done(row: int, answer: Answer) -> None:
            key = order[row]
            self.answers.put(self._model, key, asked[key], answer, self.retry_failed)
            self._tried.add(key)
            got[key] = answer
            own[key].set_result(answer)

        try:
            # Somebody may have stored an answer between our look and our claim.
            for key, answer in self._stored(list(own)).items():
                got[key] = answer._replace(calls=0)
                own[key].set_result(answer)
            order = [key for key in own if key not in got]
            self.inner.ask([asked[key] for key in order], fault, done)
        finally:
            self._release(own)
        for key, future in others.items():
            try:
                got[key] = future.result()._replace(calls=0)
            except CancelledError:  # whoever asked was stopped; the caller asks again
                continue
        return got

    def _claim(self, keys: Sequence[bytes]) -> tuple[dict[bytes, Future[Answer]], dict[bytes, Future[Answer]]]:
        own, others = {}, {}
        with _under_way_lock:
            for key in keys:
                place = (self.answers.path, key)
                if place in _under_way:
                    others[key] = _under_way[place]
                else:
                    own[key] = _under_way[place] = Future()
        return own, others

    def _release(self, own: dict[bytes, Future[Answer]]) -> None:
        with _under_way_lock:
            for key, future in own.items():
                del _under_way[self.answers.path, key]
                future.cancel()
