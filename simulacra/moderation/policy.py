"""What all moderation designs share: the class of a lever, rows of rulings, and the desk at which people work.

A policy decides; the platform carries out; the record keeps every decision with its reason. No policy knows the truth about a
post: filters read words, human moderators look and err (`PlatformView.judge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from simulacra.events import ACTIONS
from simulacra.parameters import number
from simulacra.seams import Assessor, Drafts, Ints, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


def action(name: str) -> int:
    """The code of an action of events.ACTIONS."""
    return ACTIONS.index(name)


def rulings(author: ArrayLike, action: ArrayLike, reason: Sequence[str], **columns: ArrayLike) -> Rulings:
    """Rows of decisions; columns not given take their neutral value. All arguments broadcast to the length of `author`."""
    author = np.asarray(author, np.int32)
    n = len(author)

    def column(name: str, neutral: float, dtype: type) -> Any:
        return np.broadcast_to(np.asarray(columns.get(name, neutral), dtype), n).copy()

    return Rulings(
        draft=column("draft", -1, np.int32), post=column("post", -1, np.int32), author=author,
        action=np.broadcast_to(np.asarray(action, np.int8), n).copy(), rule=column("rule", 0, np.int8),
        minutes=column("minutes", 0, np.float32), until=column("until", -1, np.int32),
        strength=column("strength", 0, np.float32), reason=list(reason),
    )  # fmt: skip


def joined(*parts: Rulings | None) -> Rulings | None:
    """All rows of several rulings; None where there are none."""
    given = [part for part in parts if part is not None and len(part.author)]
    if not given:
        return None
    columns: list[Any] = [list(chain(*c)) if isinstance(c[0], list) else np.concatenate(c) for c in zip(*given, strict=True)]
    return Rulings(*columns)


class Policy:
    """A lever that does nothing; designs override what they do."""

    name: ClassVar[str]
    about: ClassVar[str]
    known: ClassVar[str]
    """What the field knows of it, with the source."""
    cost: ClassVar[str]
    """What it costs, in people's time and otherwise."""
    fails: ClassVar[str]
    """How it goes wrong."""
    lever: ClassVar[str]
    """Its class for `measures.MECHANICAL`: which measures it moves by itself, whatever people do."""
    scorer: ClassVar[str | None] = None
    """The scorer by whose opinion it acts: its effect on toxicity is to be judged by another one."""
    asks: ClassVar[bool] = False
    """Whether it asks a language model, so that it needs a language mind."""
    compliance: float = 0.0
    spare: int = 0

    def wire(self, assessor: Assessor | None) -> None:
        """Nothing to ask."""

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        return None

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        return None

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


# -- people at work --------------------------------------------------------------------------------------------------------


def _none() -> Ints:
    return np.empty(0, np.int32)


@dataclass
class Queue:
    """Posts that wait, in order, each with the step since which it does."""

    posts: Ints = field(default_factory=_none)
    since: Ints = field(default_factory=_none)

    def add(self, posts: Ints, step: int) -> None:
        self.posts = np.concatenate([self.posts, posts])
        self.since = np.concatenate([self.since, np.full(len(posts), step, np.int32)])

    def due(self, step: float) -> int:
        """How many have waited since that step or longer."""
        return int((self.since <= step).sum())

    def take(self, count: int) -> Ints:
        """The first so many, which wait no longer."""
        taken, self.posts, self.since = self.posts[:count], self.posts[count:], self.since[count:]
        return taken

    def state(self) -> State:
        return {"posts": self.posts, "since": self.since}

    def restore(self, state: State) -> None:
        self.posts, self.since = state["posts"], state["since"]


@dataclass
class Staffed(Policy):
    """A policy at which people work: cases wait in a queue, first come first served, for moderators who have so much time a
    day, look no sooner than after a delay, and err."""

    moderators: float = number(2.0, "people", "moderators who work on this")
    hours_per_day: float = number(1.0, "hours a day", "each moderator's time", high=24)
    minutes_per_case: float = number(3.0, "minutes", "time that one case takes")
    delay: float = number(2.0, "hours", "time before anyone looks")
    miss: float = number(0.1, "chance", "that a violation is kept", high=1)
    false_alarm: float = number(0.05, "chance", "that a harmless post is taken for a violation", high=1)
    _queue: Queue = field(init=False, repr=False, compare=False, default_factory=Queue)
    _minutes: float = field(init=False, repr=False, compare=False, default=0.0)

    def _next_cases(self, step: int) -> Ints:
        """The posts that moderators get to in this hour."""
        per_hour = self.moderators * self.hours_per_day * 60 / 24
        # Time not used does not pile up beyond a shift: nobody works through a quiet week in one morning.
        self._minutes = min(self._minutes + per_hour, max(24 * per_hour, self.minutes_per_case))
        due = self._queue.due(step - self.delay)
        cases = min(due, int(self._minutes / self.minutes_per_case)) if self.minutes_per_case > 0 else due
        self._minutes -= cases * self.minutes_per_case
        return self._queue.take(cases)

    def state(self) -> State:
        return {f"queue.{key}": value for key, value in self._queue.state().items()} | {"minutes": np.array([self._minutes])}

    def restore(self, state: State) -> None:
        self._queue.restore({"posts": state["queue.posts"], "since": state["queue.since"]})
        self._minutes = float(state["minutes"][0])


def recent_posts(world: PlatformView, since: int) -> Ints:
    """Ids of the posts written in that step or later: ids ascend with steps, so that old ones are never looked at."""
    n = len(world.posts)
    return np.arange(np.searchsorted(world.posts.step[:n], since), n, dtype=np.int32)
