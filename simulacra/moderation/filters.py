"""Levers that read words: a list of them, or a scorer's opinion. They act at once, cost no human time, and know no truth."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulacra.errors import SpecError
from simulacra.moderation.policy import Policy, action, rulings
from simulacra.parameters import number, switch, texts
from simulacra.seams import Drafts, Ints, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

DEFAULT_WORDS = (
    "asshole", "bastard", "bitch", "bullshit", "crap", "cretin", "damn you", "dickhead", "dimwit", "douche", "dumbass", "fool",
    "fuck*", "get lost", "go to hell", "idiot*", "imbecile*", "jackass", "jerk", "kill yourself", "liar", "loser*", "moron*",
    "nobody likes you", "pathetic", "piss off", "scum", "screw you", "shit*", "shut up", "stupid", "trash", "wanker",
    "you suck", "affiliate link", "buy now", "click here", "coupon", "discount code", "dm me", "for sale now", "free shipping",
    "limited offer", "promo code", "special offer", "use code",
)  # fmt: skip
"""What a moderator who knows no community would forbid, written down without a look at any phrase bank; `*` is any ending."""


@dataclass
class Automod(Policy):
    """A word filter in the manner of Reddit's AutoModerator: a post with a listed word is taken down as it is posted."""

    name = "automod"
    about = "Takes a post down at once when it holds a word or pattern from the list."
    known = (
        "Most large subreddits run AutoModerator; moderators value it for plain cases and spend much time on its false "
        "positives (Jhaver et al. 2019). Deleting automatically lowers later rule-breaking in short threads, also by others "
        "(S33, Horta Ribeiro et al. 2023)."
    )
    cost = "No moderator time; somebody has to write and tend the list."
    fails = (
        "Harmless uses of listed words go, and rudeness in unlisted words stays; authors learn to write around it, which is "
        "not modelled."
    )
    lever = "removal"
    words: tuple[str, ...] = texts("the designer's own; * at the end of a word stands for any ending")
    patterns: tuple[str, ...] = texts("regular expressions, for what words cannot say")
    default: bool = switch(True, "whether the default list counts too")
    _found: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
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
        return rulings(drafts.brief.author[rows], action("remove"), reasons, draft=rows)


@dataclass
class Scored(Policy):
    """A lever that acts on drafts whose toxicity score is above a threshold."""

    scorer = "lexical"
    threshold: float = number(0.5, "toxicity score", "above which it acts; the scorer's own scale, no rate", high=1)

    def _above(self, drafts: Drafts) -> NDArray[np.intp]:
        return np.flatnonzero(drafts.scores.toxicity > self.threshold)


def _scores(drafts: Drafts, rows: NDArray[np.intp]) -> list[str]:
    return [f"scored {score:.2f}" for score in drafts.scores.toxicity[rows]]


@dataclass
class Remove(Scored):
    name = "remove"
    about = "Takes a post down at once when the scorer finds it toxic; the author is told that it is gone, not why."
    known = (
        "Automatic deletion lowered later rule-breaking in threads of up to 20 comments, hiding did not (S33, Horta Ribeiro "
        "et al. 2023, 412 million comments); removal lowers non-compliance at once, not for long (Srinivasan et al. 2019)."
    )
    cost = "No moderator time. False removals: harmless posts that use rude words."
    fails = (
        "Scorers miss insults in civil words and take harmless rude words for insults; what it removes must be judged by "
        "another scorer."
    )
    lever = "removal"
    threshold: float = number(0.8, "toxicity score", "above which it acts; the scorer's own scale, no rate", high=1)
    lesson: float = number(0.3, "visibility of rules", "how much the author has them in mind; 1: has just read them")
    fade: float = number(24.0, "hours", "until the author has forgotten", above=0)
    _reason = ""

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = self._above(drafts)
        if not len(rows):
            return None
        reasons = [score + self._reason for score in _scores(drafts, rows)]
        until = drafts.brief.step + max(1, round(self.fade))
        return rulings(drafts.brief.author[rows], action("remove"), reasons, draft=rows, strength=self.lesson, until=until)


@dataclass
class RemoveExplained(Remove):
    name = "remove_explained"
    about = "Takes a post down as remove does, and tells the author which rule it broke and why."
    known = (
        "Explanations lower the odds that an author's next post is removed, whether a bot or a person gives them (S33, "
        "Jhaver et al. 2019)."
    )
    cost = "No moderator time: the explanation is a template. Written by hand it costs minutes a case, which is not counted."
    fails = "As remove; besides, explained thresholds teach the determined how to stay below them, which is not modelled."
    lesson: float = number(1.0, "visibility of rules", "how much the author has them in mind; 1: has just read them")
    fade: float = number(168.0, "hours", "until the author has forgotten", above=0)
    _reason = ": rude towards others; the author was told the rules"


@dataclass
class Hide(Scored):
    name = "hide"
    about = "Collapses a post that the scorer finds toxic: it keeps its place, and few open it."
    known = "Hiding had about no effect on later rule-breaking, where deleting had one (S33, Horta Ribeiro et al. 2023)."
    cost = "No moderator time; readers' clicks."
    fails = "Those who open collapsed posts see them all the same, and authors do not learn that they were hidden."
    lever = "exposure"
    opened: float = number(0.1, "share of readers", "who open a collapsed post", high=1)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = self._above(drafts)
        if not len(rows):
            return None
        return rulings(drafts.brief.author[rows], action("collapse"), _scores(drafts, rows), draft=rows, strength=self.opened)


@dataclass
class Downrank(Scored):
    name = "downrank"
    about = (
        "Moves a post that the scorer finds toxic some places down, whatever the feed; lists of newest posts stay as they are."
    )
    known = (
        "Showing less hostile content moved warmth towards the other side by +2.1 of 100 in ten days, engagement about "
        "unchanged (S26, Piccardi et al. 2025)."
    )
    cost = "No moderator time; harmless posts that score high lose readers."
    fails = "Invisible to author and reader, hence hard to contest; whoever browses the newest posts still meets everything."
    lever = "exposure"
    places: int = number(15, "places", "that the post loses in a slate of 20", low=1, high=50, whole=True)

    @property
    def spare(self) -> int:  # type: ignore[override]
        return self.places

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = self._above(drafts)
        if not len(rows):
            return None
        return rulings(drafts.brief.author[rows], action("demote"), _scores(drafts, rows), draft=rows, strength=self.places)


@dataclass
class ShadowLimit(Scored):
    """Offences are counted per author over a window; who has too many is limited from then on, and not told."""

    name = "shadow_limit"
    about = "Shows the posts of authors who keep scoring as toxic to a share of readers only, without telling them."
    known = (
        "Platforms limit reach silently to deny trolls their reward; there is little published evidence on effects, and "
        "much on the distrust that it breeds once it is found out (Nicholas 2022)."
    )
    cost = "No moderator time; trust, once members notice."
    fails = "Limits those whose harmless words score high; nobody appeals what nobody is told."
    lever = "exposure"
    spare = 15
    posts: float = number(2.0, "posts", "scored as toxic within memory_hours, from which on an author is limited", low=1)
    memory_hours: float = number(72.0, "hours", "for which an offence counts", above=0)
    hours: float = number(72.0, "hours", "for which an author is limited", above=0)
    reach: float = number(0.1, "share of readers", "to whom a limited author's posts are shown", high=1)
    _offender: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))
    _when: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))
    _limited_at: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        if not len(self._limited_at):
            self._limited_at = np.full(len(world.population), -(10**6), np.int32)
        author, step = drafts.brief.author, drafts.brief.step
        self._note(author[self._above(drafts)], step)
        rows = np.flatnonzero(step - self._limited_at[author] < self.hours)
        if not len(rows):
            return None
        reasons = [f"the author is limited since hour {since}" for since in self._limited_at[author[rows]]]
        return rulings(author[rows], action("limit"), reasons, draft=rows, strength=self.reach)

    def _note(self, offenders: Ints, step: int) -> None:
        kept = step - self._when < self.memory_hours
        self._offender = np.concatenate([self._offender[kept], offenders])
        self._when = np.concatenate([self._when[kept], np.full(len(offenders), step, np.int32)])
        who, times = np.unique(self._offender, return_counts=True)
        caught = who[(times >= self.posts) & np.isin(who, offenders)]
        self._limited_at[caught] = step

    def state(self) -> State:
        return {"offender": self._offender, "when": self._when, "limited_at": self._limited_at.copy()}

    def restore(self, state: State) -> None:
        self._offender, self._when, self._limited_at = state["offender"], state["when"], state["limited_at"].copy()
