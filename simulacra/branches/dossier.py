"""What a run's record knows of one persona: who it is, what it wrote and read, how its mood moved, what was decided about it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simulacra.analysis.measures import TOXIC
from simulacra.experiment import Run
from simulacra.minds.memory import Memory
from simulacra.news import date
from simulacra.record.recording import day_name
from simulacra.record.runfiles import CHECKPOINT_FILE
from simulacra.seams import State

UNCIVIL = ("insult", "harassment")


class Wrote(NamedTuple):
    """A post of the persona, with what became of it."""

    id: int
    step: int
    act: str
    topic: str
    text: str
    toxicity: float
    valence: float
    mood: float
    truth: str  # the kind of rule that its author meant to break, "none"
    answers: str  # handle of the author it replied to; "" where it opened a thread
    up: int
    down: int
    replies: tuple[str, ...]  # handles of those who answered, in order
    removed_by: str
    reason: str

    @property
    def is_rude(self) -> bool:
        """By what its author meant, or by the scorer."""
        return self.truth in UNCIVIL or self.toxicity > TOXIC


class Read(NamedTuple):
    """A post that the persona looked at, at its first sight."""

    id: int
    step: int  # when it was read
    author: str
    topic: str
    text: str
    toxicity: float
    valence: float
    is_answer: bool  # to a post of the persona


class Day(NamedTuple):
    """How the persona stood at the end of a day."""

    day: int
    mood: float
    satisfaction: float


@dataclass(frozen=True)
class Dossier:
    """Everything that a record knows of one persona over the measured days."""

    id: int
    handle: str
    bio: str
    sketch: str  # the designer's line it descends from
    age: int
    work: str
    interests: tuple[str, ...]  # topics, the dearest first
    manner: dict[str, float]  # capitals, punctuation, emoji, verbosity
    arrived: int | None  # step; None: there before the first day
    last_day: int  # of the run so far
    visits: int
    wrote: tuple[Wrote, ...]
    read: tuple[Read, ...]
    days: tuple[Day, ...]
    decided: tuple[dict[str, Any], ...]  # rulings on it: step, policy, action, reason, post
    left: tuple[int, str] | None  # step and reason
    follows: tuple[str, ...] | None  # handles, at the end; None where no checkpoint is kept
    followers: int
    memory: Memory | None = None  # of minds that keep one, as it last was

    def recalled(self, question: str, most: int = 4) -> list[str]:
        """What it calls to mind at a question; [] where its mind keeps no memory."""
        return self.memory.recall([self.id], [question], 24 * self.last_day, most)[0] if self.memory is not None else []

    def plans(self) -> list[str]:
        """What it means to do after the last finished day, as it would say it then; [] where its mind keeps no memory."""
        now = 24 * self.last_day
        return (
            []
            if self.memory is None
            else [f"{what}, {date(when, now)}" for when, what in self.memory.planned_ahead(self.id, now)]
        )

    @property
    def mean_valence(self) -> float:
        """Of what it read; NaN where it read nothing."""
        return float(np.mean([r.valence for r in self.read])) if self.read else math.nan

    def before(self, post: Wrote) -> list[Read]:
        """What it read in the visit in which it wrote that post, in reading order."""
        return [r for r in self.read if r.step == post.step]

    def partners(self) -> list[tuple[str, int]]:
        """Whom it answered, and how often, most often first."""
        return Counter(w.answers for w in self.wrote if w.answers and w.answers != self.handle).most_common()


def dossier(run: Run, persona: int) -> Dossier:
    """The dossier of that persona. Reads the finished days; works while a run is written, too."""
    people, frames = run.folder.population, run.frames
    handle = [str(name) for name in people.handle]
    visits = frames.arrow("visits", columns=("persona",))["persona"].to_numpy()
    table = frames.arrow("posts", burn_in=True, columns=_POST)
    posts = {name: table[name].to_numpy(zero_copy_only=False) for name in _POST}
    sketches, topics = run.spec.community.personas, frames.topics
    order = np.argsort(-people.interests[persona], kind="stable")
    moods = _of(frames.arrow("moods"), "persona", persona)
    gone = _of(frames.arrow("departures", burn_in=True), "persona", persona)
    arrival = int(people.arrival[persona])
    state = _last_state(run)
    follows, followers = _ties(state, persona, handle)
    at = int(people.sketch[persona])
    return Dossier(
        id=persona, handle=handle[persona], bio=str(people.bio[persona]), sketch=sketches[at].sketch if at < len(sketches) else "",
        age=int(people.age[persona]), work=str(people.work[persona]), interests=tuple(topics[i] for i in order[:3]),
        manner={name: float(getattr(people, name)[persona]) for name in ("capitals", "punctuation", "emoji", "verbosity")},
        arrived=arrival if arrival >= 0 else None, last_day=run.days, visits=int((visits == persona).sum()),
        wrote=_wrote(run, persona, posts, handle), read=_read(run, persona, posts, handle),
        days=tuple(Day(row["day"], row["mood"], row["satisfaction"]) for row in moods),
        decided=tuple(_of(frames.arrow("rulings"), "author", persona)),
        left=(gone[0]["step"], gone[0]["reason"]) if gone else None, follows=follows, followers=followers,
        memory=memory_in(state),
    )  # fmt: skip


_POST = ("id", "step", "author", "parent", "act", "topic", "text", "toxicity", "valence", "mood", "truth")


def _of(table: Any, column: str, value: int) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    rows: list[dict[str, Any]] = table.filter(pc.equal(table[column], value)).to_pylist()
    return rows


def _wrote(run: Run, persona: int, posts: dict[str, Any], handle: list[str]) -> tuple[Wrote, ...]:
    rows = np.flatnonzero((posts["author"] == persona) & (posts["step"] >= 0))
    ids = posts["id"][rows]
    reactions = run.frames.arrow("reactions", columns=("post", "reaction"))
    post, reaction = reactions["post"].to_numpy(), reactions["reaction"].to_numpy()
    removed = _removed(run, persona)
    found = []
    for row, id in zip(rows.tolist(), ids.tolist(), strict=True):
        parent, on = int(posts["parent"][row]), post == id
        by, reason = removed.get(id, ("", ""))
        found.append(Wrote(
            id, int(posts["step"][row]), str(posts["act"][row]), str(posts["topic"][row]), str(posts["text"][row]),
            float(posts["toxicity"][row]), float(posts["valence"][row]), float(posts["mood"][row]), str(posts["truth"][row]),
            handle[posts["author"][np.searchsorted(posts["id"], parent)]] if parent >= 0 else "",
            int((reaction[on] == 1).sum()), int((reaction[on] == -1).sum()),
            tuple(handle[a] for a in posts["author"][posts["parent"] == id] if a != persona), by, reason,
        ))  # fmt: skip
    return tuple(found)


def _removed(run: Run, persona: int) -> dict[int, tuple[str, str]]:
    """Post -> policy and reason, of the persona's posts that were removed and not put back."""
    gone: dict[int, tuple[str, str]] = {}
    for ruling in _of(run.frames.arrow("rulings"), "author", persona):
        if ruling["action"] == "remove":
            gone[ruling["post"]] = ruling["policy"], ruling["reason"]
        elif ruling["action"] == "restore":
            gone.pop(ruling["post"], None)
    return gone


def _read(run: Run, persona: int, posts: dict[str, Any], handle: list[str]) -> tuple[Read, ...]:
    seen = _of(run.frames.arrow("impressions"), "persona", persona)
    own = posts["id"][posts["author"] == persona]
    found: dict[int, Read] = {}
    for row in seen:
        at = int(np.searchsorted(posts["id"], row["post"]))
        if row["post"] not in found:
            found[row["post"]] = Read(
                row["post"], row["step"], handle[posts["author"][at]], str(posts["topic"][at]), str(posts["text"][at]),
                float(posts["toxicity"][at]), float(posts["valence"][at]),
                row["source"] == "notification" and bool(np.isin(posts["parent"][at], own)),
            )  # fmt: skip
    return tuple(found.values())


def _last_state(run: Run) -> State:
    """Of the last finished day; {} where its checkpoint is not kept, as in a bundle without them."""
    days = run.folder.days
    return run.folder.state(days[-1]) if days and (run.path / day_name(days[-1]) / CHECKPOINT_FILE).exists() else {}


def _ties(state: State, persona: int, handle: list[str]) -> tuple[tuple[str, ...] | None, int]:
    """Whom the persona follows as it last stood, and by how many it is followed; None where that is not kept."""
    if "members.followees" not in state:
        return None, 0
    return tuple(handle[f] for f in state["members.followees"][persona] if f >= 0), int(state["members.followers"][persona])


def memory_in(state: State) -> Memory | None:
    """The memories that a checkpoint holds, whichever part of the mind kept them; None where none did."""
    for name in state:
        place = name.removesuffix("owner")
        if place != name and place + "plan_steps" in state:
            memory = Memory(state[place + "text"].shape[1])
            memory.restore({key.removeprefix(place): value for key, value in state.items() if key.startswith(place)})
            return memory
    return None
