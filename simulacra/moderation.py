"""Moderation designs: levers that act before a draft is posted or after readers have seen it. A run holds a list of them.

A policy decides; the platform carries out; the record keeps every decision with its reason. No policy knows the truth about a
post: filters read words, human moderators look and err (`PlatformView.judge`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from simulacra.errors import SpecError
from simulacra.events import ACTIONS
from simulacra.feeds import nearest
from simulacra.seams import Drafts, Ints, ModerationDesign, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

REMOVE, KEEP, MUTE, BAN, CANCEL, REVISE, SEND = (ACTIONS.index(a) for a in ("remove", "keep", "mute", "ban", "cancel", "revise", "send"))


def rulings(author: ArrayLike, action: ArrayLike, reason: Sequence[str], **columns: ArrayLike) -> Rulings:
    """Rows of decisions; columns not given take their neutral value. All arguments broadcast to the length of `author`."""
    author = np.asarray(author, np.int32)
    n = len(author)

    def column(name: str, neutral: float, dtype: type) -> Any:
        return np.broadcast_to(np.asarray(columns.get(name, neutral), dtype), n).copy()

    return Rulings(
        draft=column("draft", -1, np.int32), post=column("post", -1, np.int32), author=author,
        action=np.broadcast_to(np.asarray(action, np.int8), n).copy(), rule=column("rule", 0, np.int8),
        minutes=column("minutes", 0, np.float32), until=column("until", -1, np.int32), reason=list(reason),
    )  # fmt: skip


class Policy:
    """A lever that does nothing; designs override what they do."""

    name: ClassVar[str]
    about: ClassVar[str]
    removes: ClassVar[bool] = False
    """Whether it takes posts away, so that what readers see of violations moves mechanically."""
    compliance: float = 0.0

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        return None

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        return None

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


@dataclass
class StickyRules(Policy):
    """The rules pinned on top. Matias (2019) found newcomers' compliance up 8 points (52 to 60 %) in r/science; no effect in
    r/futurology. `visibility` scales how much a persona's compliance counts (behaviour parameter `norm_strength`)."""

    name = "sticky_rules"
    about = "Pins the rules above every thread, so that people have them in mind when they write."
    visibility: float = 0.7  # 0 nobody notices, 1 everybody has just read them

    @property
    def compliance(self) -> float:  # type: ignore[override]
        return self.visibility


DEFAULT_WORDS = (
    "asshole", "bastard", "bitch", "bullshit", "crap", "cretin", "damn you", "dickhead", "dimwit", "douche", "dumbass", "fool",
    "fuck*", "get lost", "go to hell", "idiot*", "imbecile*", "jackass", "jerk", "kill yourself", "liar", "loser*", "moron*",
    "nobody likes you", "pathetic", "piss off", "scum", "screw you", "shit*", "shut up", "stupid", "trash", "wanker", "you suck",
    "affiliate link", "buy now", "click here", "coupon", "discount code", "dm me", "for sale now", "free shipping", "limited offer",
    "promo code", "special offer", "use code",
)  # fmt: skip
"""What a moderator who knows no community would forbid: written down without a look at any phrase bank. `*` stands for an ending."""


@dataclass
class Automod(Policy):
    """A word filter in the manner of Reddit's AutoModerator: a post with a listed word is taken down as it is posted."""

    name = "automod"
    about = "Takes a post down at once when it holds a word or pattern from the list."
    removes = True
    words: tuple[str, ...] = ()  # the designer's own words; * at the end of one stands for any ending
    patterns: tuple[str, ...] = ()  # regular expressions, for what words cannot say
    default: bool = True  # whether the default list counts too
    _found: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.words, self.patterns = _strings("words", self.words), _strings("patterns", self.patterns)
        listed = [*self.words, *(DEFAULT_WORDS if self.default else ())]
        parts = [rf"\b{re.escape(w.rstrip('*'))}" + ("" if w.endswith("*") else r"\b") for w in listed if w.strip("* ")]
        for pattern in self.patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise SpecError(f"moderation.automod: pattern {pattern!r} is no regular expression ({error}).") from None
        self._found = re.compile("|".join([*parts, *(f"(?:{p})" for p in self.patterns)]) or r"(?!)", re.IGNORECASE)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        found = [self._found.search(text) for text in drafts.writing.text]
        rows = [row for row, match in enumerate(found) if match]
        if not rows:
            return None
        reasons = [f"holds {match.group(0)!r}" for match in found if match]
        return rulings(drafts.brief.author[rows], REMOVE, reasons, draft=rows)


def _strings(key: str, value: Any) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(value)
    if any(not isinstance(item, str) for item in items):
        raise SpecError(f"moderation.automod: {key} = {value!r} is not a list of strings.")
    return items


@dataclass
class Reconsider(Policy):
    """A think-twice prompt. Of 100 prompted drafts on Twitter 69 were sent as they were, 9 cancelled, 22 reworded, of which 8 milder
    (Katsaros, Yang and Fratamico 2022). The shares hold for a persona of average compliance."""

    name = "reconsider"
    about = "Asks the author to think twice when a draft looks rude; some cancel, some write it milder."
    threshold: float = 0.5  # toxicity score that triggers the prompt
    cancel: float = 0.09  # share of prompted drafts given up
    milder: float = 0.08  # share rewritten milder
    reword: float = 0.14  # share reworded to no effect

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = np.flatnonzero(drafts.scores.toxicity > self.threshold)
        if not len(rows):
            return None
        author = drafts.brief.author[rows]
        minding = 2 * world.population.compliance[author]
        u = streams.uniform("reconsider", author, drafts.brief.step)
        cancel, milder, reword = (np.cumsum([self.cancel, self.milder, self.reword])[:, None] * minding).clip(0, 1)
        action = np.where(u < cancel, CANCEL, np.where(u < milder, REVISE, SEND))
        reason = np.where(u < cancel, "thought better of it", np.where(u < milder, "written milder", np.where(u < reword, "reworded", "sent as it was")))  # fmt: skip
        return rulings(author, action, reason.tolist(), draft=rows)


@dataclass
class HumanReview(Policy):
    """Reported posts wait in a queue that moderators work through, first come first served, with a delay and an error rate. Three
    removals mute an author for a day, five ban it."""

    name = "human_review"
    about = "Moderators look at what members report, remove what breaks a rule, mute after three removals and ban after five."
    removes = True
    moderators: float = 2.0
    hours_per_day: float = 1.0  # each moderator's time
    minutes_per_case: float = 3.0
    delay: float = 2.0  # hours before anyone looks
    reports: float = 1.0  # reports that put a post in the queue
    miss: float = 0.1  # chance that a violation is kept
    false_alarm: float = 0.05  # chance that a harmless post is removed
    mute_after: float = 3.0  # removals
    ban_after: float = 5.0
    mute_hours: float = 24.0
    _queue: Ints = field(init=False, repr=False, compare=False)
    _since: Ints = field(init=False, repr=False, compare=False)
    _decided: Ints = field(init=False, repr=False, compare=False)
    _minutes: float = field(init=False, repr=False, compare=False, default=0.0)

    def __post_init__(self) -> None:
        self._queue, self._since, self._decided = (np.empty(0, np.int32) for _ in range(3))

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        self._enqueue(world, step)
        per_hour = self.moderators * self.hours_per_day * 60 / 24
        # Time not used does not pile up beyond a shift: nobody works through a quiet week in one morning.
        self._minutes = min(self._minutes + per_hour, max(24 * per_hour, self.minutes_per_case))
        due = int((self._since <= step - self.delay).sum())
        cases = min(due, int(self._minutes / self.minutes_per_case)) if self.minutes_per_case > 0 else due
        if cases == 0:
            return None
        self._minutes -= cases * self.minutes_per_case
        looked = self._queue[:cases]
        self._queue, self._since = self._queue[cases:], self._since[cases:]
        self._decided = np.concatenate([self._decided, looked])
        return self._decide(looked[world.visible(looked)], world, step, streams)

    def _enqueue(self, world: PlatformView, step: int) -> None:
        new = world.reported[world.posts.reports[world.reported] >= self.reports]
        new = np.setdiff1d(new, np.concatenate([self._queue, self._decided]))
        self._queue = np.concatenate([self._queue, new])
        self._since = np.concatenate([self._since, np.full(len(new), step, np.int32)])
        oldest = step - 24 * 14  # a decision is remembered for two weeks, so memory does not grow with the run
        self._decided = self._decided[world.posts.step[self._decided] > oldest]

    def _decide(self, posts: Ints, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        if not len(posts):
            return None
        guilty = world.judge(posts, self.miss, self.false_alarm, streams)
        author = world.posts.author[posts]
        case = rulings(
            author, np.where(guilty, REMOVE, KEEP), np.where(guilty, "broke a rule", "no rule broken").tolist(),
            post=posts, rule=np.where(guilty, world.posts.rule[posts], 0), minutes=self.minutes_per_case,
        )  # fmt: skip
        return _join(case, self._punish(author[guilty], world, step))

    def _punish(self, author: Ints, world: PlatformView, step: int) -> Rulings:
        who, times = np.unique(author, return_counts=True)
        before = world.members.strikes[who]
        strikes = before + times
        ban = (strikes >= self.ban_after) & (before < self.ban_after)
        mute = (strikes >= self.mute_after) & (before < self.mute_after) & ~ban
        until = np.where(mute, step + self.mute_hours, -1)
        rows = ban | mute
        reason = [f"{count} removals" for count in strikes[rows]]
        return rulings(who[rows], np.where(ban, BAN, MUTE)[rows], reason, until=until[rows])

    def state(self) -> State:
        return {
            "human_review.queue": self._queue, "human_review.since": self._since, "human_review.decided": self._decided,
            "human_review.minutes": np.array([self._minutes]),
        }  # fmt: skip

    def restore(self, state: State) -> None:
        self._queue, self._since = state["human_review.queue"], state["human_review.since"]
        self._decided = state["human_review.decided"]
        self._minutes = float(state["human_review.minutes"][0])


def _join(a: Rulings, b: Rulings) -> Rulings:
    return Rulings(*(x + y if isinstance(x, list) else np.concatenate([x, y]) for x, y in zip(a, b, strict=True)))


POLICIES: dict[str, type[Any]] = {policy.name: policy for policy in (StickyRules, Automod, HumanReview, Reconsider)}

_FREE = {"words", "patterns", "default"}
"""Parameters that are not numbers; their policy checks them itself."""


def make_policies(names: Sequence[str], parameters: Mapping[str, Mapping[str, Any]] | None = None) -> list[ModerationDesign]:
    """The levers of those names, in order. "none" and an empty list mean no moderation.

    parameters: one table a policy, as in a community file's [moderation.<name>].
    Raises SpecError for unknown names or parameters, doubles, "none" beside others, and values out of range.
    """
    names = [n for n in names if n != "none"] if list(names) in ([], ["none"]) else list(names)
    for name in names:
        if name == "none":
            raise SpecError(f"moderation: 'none' stands beside {', '.join(n for n in names if n != 'none')}. Take one or the other.")
        if name not in POLICIES:
            raise SpecError(f"No moderation design called {name!r}.{nearest(name, POLICIES)} Known: none, {', '.join(sorted(POLICIES))}.")
        if names.count(name) > 1:
            raise SpecError(f"moderation: {name!r} is listed twice. Delete one.")
    return [POLICIES[name](**_checked(name, (parameters or {}).get(name, {}))) for name in names]


def _checked(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {f.name for f in fields(POLICIES[name]) if f.init}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise SpecError(f"moderation.{name}: no parameter {key!r}.{nearest(key, known)} Known: {', '.join(sorted(known)) or 'none'}.")
        if key in _FREE:
            checked[key] = value
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not np.isfinite(number) or number < 0 or isinstance(value, bool):
            raise SpecError(f"moderation.{name}: {key} = {value!r} is not a number of 0 or more.")
        checked[key] = number
    return checked
