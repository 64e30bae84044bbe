"""A reviewer's notes on a run: review.jsonl, one JSON object a line, appended and never part of the digest."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulacra.errors import RecordError
from simulacra.record.durable import disk_errors
from simulacra.record.runfiles import REVIEW_FILE, now
from simulacra.record.runs import RunFolder

LONGEST_NOTE = 20_000
"""Characters; longer notes are refused."""


@dataclass(frozen=True)
class Note:
    """What somebody wrote about a post. Text, tags and author are data: nothing in the program acts on them."""

    post: int  # post id; -1 for a note on the run as a whole
    text: str
    tags: tuple[str, ...] = ()
    author: str = ""
    at: str = ""  # ISO 8601, UTC


def add_note(run: RunFolder, post: int, text: str, tags: Sequence[str] = (), author: str = "") -> Note:
    """Append a note; it is on the disk on return. Needs no lock: a run may be reviewed while it is written.

    Raises RecordError where the note says nothing, is longer than LONGEST_NOTE, or the disk refuses.
    """
    if not text.strip() and not tags:
        raise RecordError("A note needs text or a tag.")
    if len(text) > LONGEST_NOTE:
        raise RecordError(f"The note has {len(text)} characters; {LONGEST_NOTE} are allowed. Shorten it.")
    note = Note(int(post), text, tuple(tags), author, now())
    _append(run, json.dumps(asdict(note)))
    return note


def notes(run: RunFolder, post: int | None = None) -> list[Note]:
    """All notes, or those on one post, in the order of writing. A line that a crash cut short is left out with a warning."""
    file = run.path / REVIEW_FILE
    with disk_errors(file):
        lines = file.read_bytes().split(b"\n") if file.exists() else []
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_note(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            warnings.warn(f"{file}: line {number} is no note ({type(error).__name__}) and is left out.", stacklevel=2)
    return [note for note in found if post is None or note.post == post]


def _note(raw: dict[str, Any]) -> Note:
    tags = tuple(str(tag) for tag in raw["tags"])
    return Note(int(raw["post"]), str(raw["text"]), tags, str(raw["author"]), str(raw["at"]))


def _append(run: RunFolder, line: str) -> None:
    """One write of the whole line, so that two reviewers do not mix; on a line of its own even after a torn one."""
    file = run.path / REVIEW_FILE
    with disk_errors(file):
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and _last_byte(descriptor, size) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + line.encode("ascii") + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)
