"""Writers for a past that is played again: recorded words come from the record, so that no model is asked for them twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.events import ACTS, STRATA
from simulacra.seams import Briefs, Bytes, Musing, State, Thinker, Thought, Writer, Writing
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView
    from simulacra.record.frames import Frames

Key = tuple[int, int]
"""(author, step): a persona writes at most once an hour."""


class Said(NamedTuple):
    """A draft as it ended: what was posted, or why nothing was."""

    text: str
    memo: int
    stratum: int
    act: str
    parent: int
    failure: str = ""


class Record:
    """What every persona wrote in every hour of a run from a step on."""

    def __init__(self, frames: Frames, state: State, since: int) -> None:
        """state: a checkpoint of the run after which nothing is looked up: it alone keeps the writers' memos."""
        names = ("author", "step", "text", "id", "stratum", "act", "parent")
        posts = frames.arrow("posts", burn_in=True, columns=names)
        posts = posts.filter(posts["step"].to_numpy() >= since)
        columns = [posts[name].to_pylist() for name in names]
        memo = state["posts.memo"]
        self._said: dict[Key, Said] = {
            (author, step): Said(text, int(memo[post]), STRATA.index(stratum), act, parent)
            for author, step, text, post, stratum, act, parent in zip(*columns, strict=True)
            if post < len(memo)
        }
        failures = frames.arrow("failures", burn_in=True)
        for persona, step, reason in zip(*(failures[name].to_pylist() for name in ("persona", "step", "reason")), strict=True):
            self._said.setdefault((persona, step), Said("", 0, 0, "", -1, reason))
        rulings = frames.arrow("rulings", burn_in=True, columns=("author", "step", "action"))
        rows = zip(*(rulings[name].to_pylist() for name in ("author", "step", "action")), strict=True)
        thoughts = frames.arrow("thoughts", burn_in=True)
        self._thoughts: dict[Key, Thought] = {}
        for persona, step, text, why in zip(
            *(thoughts[name].to_pylist() for name in ("persona", "step", "text", "failure")), strict=True
        ):
            before = self._thoughts.get((persona, step), Thought(()))
            self._thoughts[persona, step] = Thought((*before.insights, text) if text else before.insights, why)
        self._revised = {(author, step) for author, step, action in rows if action == "revise"}

    def of(self, author: int, step: int, act: str, parent: int, revision: int) -> Said | None:
        """What that person wrote then, doing that; None where the record does not say: a draft that moderation stopped, the first
        version of one that was revised, or something else than what happened."""
        said = self._said.get((author, step))
        if said is None or (revision == 0 and (author, step) in self._revised):
            return None
        return said if said.failure or (said.act, said.parent) == (act, parent) else None

    def thought(self, persona: int, step: int) -> Thought | None:
        """What that person concluded then; None where the record does not say."""
        return self._thoughts.get((persona, step))


class RecordedWriter:
    """Takes from the record what it has, for posts that `applies` to; another writer writes the rest."""

    def __init__(self, record: Record, otherwise: Writer, applies: Callable[[Briefs, PlatformView], NDArray[np.bool_]]) -> None:
        self._record, self._otherwise, self._applies = record, otherwise, applies

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        """As seams.Writer."""
        if not len(briefs.author):
            return self._otherwise.write(briefs, world, streams)
        rows = zip(
            briefs.author.tolist(), briefs.act.tolist(), briefs.parent.tolist(), self._applies(briefs, world), strict=True
        )
        found = [
            self._record.of(author, briefs.step, ACTS[act], parent, briefs.revision) if applies else None
            for author, act, parent, applies in rows
        ]
        missing = np.array([row for row, said in enumerate(found) if said is None], np.int32)
        fresh = iter(_each(self._otherwise.write(briefs.take(missing), world, streams))) if len(missing) else iter(())
        return _joined([said if said is not None else next(fresh) for said in found])

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """As seams.Thinker: from the record, else from the other writer; no thought where that one cannot think."""
        found = [self._record.thought(musing.persona, step) for musing in musings]
        missing = [musing for musing, thought in zip(musings, found, strict=True) if thought is None]
        fresh = iter(_reflected(self._otherwise, missing, world, step, streams))
        return [thought if thought is not None else next(fresh) for thought in found]


class ThreadWriter:
    """One writer for one thread, another for all others: so a model is asked for nothing but the thread that is looked at."""

    def __init__(self, root: int, inside: Writer, outside: Writer) -> None:
        self._root, self._inside, self._outside = root, inside, outside

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        """As seams.Writer."""
        within = in_thread(briefs, world, self._root)
        written: dict[int, Said] = {}
        for writer, rows in ((self._inside, np.flatnonzero(within)), (self._outside, np.flatnonzero(~within))):
            if len(rows):
                said = _each(writer.write(briefs.take(rows), world, streams))
                written.update(zip(rows.tolist(), said, strict=True))
        return _joined([written[row] for row in range(len(briefs.author))])

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """As seams.Thinker: what the writer of all others has; a model is asked for words in the thread alone."""
        return _reflected(self._outside, musings, world, step, streams)


class LaterWriter:
    """One writer up to an hour, another from it on."""

    def __init__(self, step: int, before: Writer, after: Writer) -> None:
        self._step, self._before, self._after = step, before, after

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        """As seams.Writer."""
        return self._at(briefs.step).write(briefs, world, streams)

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """As seams.Thinker."""
        return _reflected(self._at(step), musings, world, step, streams)

    def _at(self, step: int) -> Writer:
        return self._before if step < self._step else self._after


def _reflected(writer: Writer, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
    """What that writer makes of the musings; no thoughts where it cannot think."""
    if musings and isinstance(writer, Thinker):
        return writer.reflect(musings, world, step, streams)
    return [Thought(())] * len(musings)


def in_thread(briefs: Briefs, world: PlatformView, root: int) -> NDArray[np.bool_]:
    """Which briefs answer in the thread that this post opened [m]."""
    if not len(world.posts):
        return np.zeros(len(briefs.parent), bool)
    return (briefs.parent >= 0) & (world.posts.root[np.maximum(briefs.parent, 0)] == root)


def _each(writing: Writing) -> list[Said]:
    return [
        Said(text, int(memo), int(stratum), "", -1, writing.failure.get(row, ""))
        for row, (text, memo, stratum) in enumerate(zip(writing.text, writing.memo, writing.stratum, strict=True))
    ]


def _joined(said: list[Said]) -> Writing:
    stratum: Bytes = np.array([one.stratum for one in said], np.int8)
    failure = {row: one.failure for row, one in enumerate(said) if one.failure}
    return Writing([one.text for one in said], np.array([one.memo for one in said], np.int64), stratum, failure)
