"""Questions put to a run: WhatIf, Multiverse, interviews. Each is a process that leaves its answer in a file beside the runs.

A question is kept with what it was and its answer, under a name made of the run, what it is about and how it was asked, so that a
reload or a second tab finds it, and an equal question is not played twice. Nothing is written into the run's folder.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from simulacra import worker
from simulacra.errors import SimulacraError
from simulacra.experiment import Run
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import to_json
from simulacra.views import go, jobs, say, store

_ASKED = ".asked.json"
PRICES = "simulacra.branches.prices"
"""What tells the price of a question; imported late, since it imports every mind."""


@dataclass(frozen=True)
class Question:
    """What was asked of a run."""

    name: str  # of its process and its files
    told: str  # in words
    at: str  # when, ISO

    @property
    def file(self) -> Path:
        """Where its answer is, once there is one."""
        return store.answers_dir() / f"{self.name}.json"

    @property
    def is_open(self) -> bool:
        """Whether its process is at work."""
        return worker.is_at_work(store.runs_dir(), self.name)

    @property
    def answer(self) -> dict[str, Any] | None:
        """As the verb prints it with --json; None while there is none, or where it could not be had."""
        if self.is_open or not self.file.is_file():
            return None
        with disk_errors(self.file):
            return _read(str(self.file), self.file.stat().st_mtime_ns)

    @property
    def failure(self) -> str:
        """Why there is no answer, in the words of the process."""
        return worker.last_words(store.runs_dir(), self.name) or "It ended without an answer."


@st.cache_data(max_entries=32, show_spinner=False)
def _read(path: str, changed: int) -> dict[str, Any] | None:
    try:
        told = json.loads(Path(path).read_bytes())
    except ValueError:  # it died before it had an answer
        return None
    return told if isinstance(told, dict) else None


def put(run: Run, verb: str, subject: int, arguments: Sequence[str], told: str, terms: Sequence[str] = ()) -> Question:
    """Ask, unless the same was asked before and answered in full. subject: the post or persona. terms: options that are no part of the
    question, such as caps: an answer that one of them cut short is asked for again. Raises SimulacraError."""
    words = zlib.crc32(json.dumps(list(arguments)).encode())
    question = Question(f"{_about(run, verb, subject)}-{words:08x}", told, datetime.now(UTC).isoformat(timespec="seconds"))
    if not question.is_open and (question.answer is None or question.answer.get("capped")):
        asked = question.file.with_name(f"{question.name}{_ASKED}")
        with disk_errors(asked):
            asked.parent.mkdir(parents=True, exist_ok=True)
            replace_file(asked, to_json({"told": told, "at": question.at}))
        where = ["--runs", str(store.runs_dir())]
        worker.start(verb, question.name, store.runs_dir(), [str(run.path), *arguments, *terms, *where], question.file)
    return question


def put_before(run: Run, verb: str, subject: int) -> list[Question]:
    """What was asked of that post or persona, the latest first."""
    found = []
    for path in store.answers_dir().glob(f"{_about(run, verb, subject)}-*{_ASKED}"):
        with disk_errors(path):
            told = _read(str(path), path.stat().st_mtime_ns) or {}
        found.append(Question(path.name.removesuffix(_ASKED), str(told.get("told", "")), str(told.get("at", ""))))
    return sorted(found, key=lambda question: (question.at, question.name), reverse=True)


def _about(run: Run, verb: str, subject: int) -> str:
    """The part of a name that questions of one kind about one thing share; another run of the same name has another digest."""
    return f"{run.id[:60]}-{run.digest.rpartition(':')[2][:8]}-{verb}-{subject}"


def forget(question: Question) -> None:
    """Delete a question and its answer."""
    for path in (question.file, question.file.with_name(f"{question.name}{_ASKED}")):
        with disk_errors(path):
            path.unlink(missing_ok=True)


def ask(run: Run, verb: str, subject: int, arguments: Sequence[str], told: str, terms: Sequence[str] = ()) -> None:
    """Put the question and look at it; a mistake is said where the button stands. terms: as `put` has them."""
    try:
        question = put(run, verb, subject, arguments, told, terms)
    except SimulacraError as error:
        say.mistake(error)
        return
    st.query_params["answer"] = question.name
    st.rerun()


def chosen(known: Sequence[Question]) -> Question | None:
    """The question that is looked at: of the address, else the latest; a box to choose where there are several."""
    if not known:
        return None
    names = [question.name for question in known]
    asked = go.asked("answer")
    place = names.index(asked) if asked in names else 0
    if len(known) == 1:
        return known[0]
    told = {question.name: question.told for question in known}
    name = st.selectbox("Asked so far", names, place, format_func=lambda n: told[n], key=f"asked-{names[0]}-{asked}", width=760)
    if name != asked:
        st.query_params["answer"] = name
    return known[names.index(name)]


def answered(question: Question) -> dict[str, Any] | None:
    """The answer, or what stands in its place: progress, or why there is none with a way to ask again."""
    if question.is_open:
        jobs.progress(question.name)
        return None
    told = question.answer
    if told is None:
        say.mistake(question.failure)
        if st.button("Clear this question", icon=":material/delete:", key=f"clear-{question.name}"):
            forget(question)
            st.query_params.pop("answer", None)
            st.rerun()
    return told
