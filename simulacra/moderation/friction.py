"""Levers that act on members before they post: rules in sight, a moment's thought, waiting times, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulacra.moderation.filters import Scored
from simulacra.moderation.policy import Policy, action, rulings
from simulacra.parameters import number
from simulacra.persona import OLD_HAND
from simulacra.seams import Drafts, Ints, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


@dataclass
class StickyRules(Policy):
    """`visibility` scales how much a persona's compliance counts (behaviour parameter `norm_strength`)."""

    name = "sticky_rules"
    about = "Pins the rules above every thread, so that people have them in mind when they write."
    known = (
        "With the rules pinned, newcomers' compliance rose by 8 points (52 to 60 %) in r/science; no effect in "
        "r/futurology, and fewer comments under AMA threads (S30, Matias 2019)."
    )
    cost = "Nothing but a place on the screen."
    fails = "People stop seeing what is always there, which is not modelled."
    lever = "reminder"
    visibility: float = number(0.7, "visibility of rules", "0: nobody notices, 1: everybody has just read them")

    @property
    def compliance(self) -> float:  # type: ignore[override]
        return self.visibility


@dataclass
class Welcome(Policy):
    name = "welcome"
    about = "Shows newcomers the rules when they join; they have them in mind in their first days."
    known = (
        "Rules shown to newcomers raised their compliance by 8 points and their comments by 70 % in r/science; a "
        "replication in r/futurology found nothing (S30, Matias 2019). The rise in comments is not modelled."
    )
    cost = "A message for each newcomer, written once."
    fails = "Reaches newcomers only, who write little; those who mean harm read rules too."
    lever = "reminder"
    visibility: float = number(1.0, "visibility of rules", "on the first day; 1: has just read them", above=0)
    fade: float = number(168.0, "hours", "until newcomers have forgotten", above=0)

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        # Told in the hour before their first possible visit, so that their very first post is written with the rules in mind.
        coming = (world.population.arrival > OLD_HAND) & (world.population.arrival <= step + 1)
        members = world.members
        new = np.flatnonzero(coming & (members.reminded_until == OLD_HAND) & (members.visits == 0) & ~members.departed)
        if not len(new):
            return None
        reasons = ["welcome: here are the rules"] * len(new)
        return rulings(new, action("welcome"), reasons, strength=self.visibility, until=step + 1 + max(1, round(self.fade)))


@dataclass
class Reconsider(Scored):
    """A think-twice prompt. The shares hold for a persona of average compliance."""

    name = "reconsider"
    about = "Asks the author to think twice when a draft looks rude; some cancel, some write it milder."
    known = (
        "Of 100 prompted drafts on Twitter 69 were sent as they were, 9 cancelled, 22 reworded, of which 8 milder; prompted "
        "users wrote 6 % fewer offensive posts (S31, Katsaros, Yang and Fratamico 2022)."
    )
    cost = "A click for every prompted author, right or wrong."
    fails = "Two thirds send what they wrote; the scorer prompts harmless drafts and misses civil insults."
    lever = "friction"
    threshold: float = number(0.5, "toxicity score", "above which the prompt comes; the scorer's own scale, no rate", high=1)
    cancel: float = number(0.09, "share of prompted drafts", "given up", high=1)
    milder: float = number(0.08, "share of prompted drafts", "rewritten milder", high=1)
    reword: float = number(0.14, "share of prompted drafts", "reworded to no effect", high=1)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = self._above(drafts)
        if not len(rows):
            return None
        author = drafts.brief.author[rows]
        minding = 2 * world.population.compliance[author]
        u = streams.uniform("reconsider", author, drafts.brief.step)
        cancel, milder, reword = (np.cumsum([self.cancel, self.milder, self.reword])[:, None] * minding).clip(0, 1)
        code = np.where(u < cancel, action("cancel"), np.where(u < milder, action("revise"), action("send")))
        sent = np.where(u < reword, "reworded", "sent as it was")
        reason = np.where(u < cancel, "thought better of it", np.where(u < milder, "written milder", sent))
        return rulings(author, code, reason.tolist(), draft=rows)


class Waiting(Policy):
    """A lever that refuses drafts whose authors have to wait. A refused draft is lost; its author may write again later."""

    cost = "No moderator time; drafts that are lost, and members who do not come back for them (their anger is not modelled)."
    lever = "volume"

    def _refused(self, drafts: Drafts, rows: NDArray[np.integer], reasons: list[str]) -> Rulings | None:
        return rulings(drafts.brief.author[rows], action("refuse"), reasons, draft=rows) if len(rows) else None


@dataclass
class SlowMode(Waiting):
    name = "slow_mode"
    about = "Makes members wait so many minutes between two posts."
    known = (
        "Chat platforms offer it (Discord from 5 seconds to 6 hours) to cool heated channels. Published measurements are "
        "few; rude threads grow fast (S35), which is what waiting slows."
    )
    fails = "Slows the helpful as much as the heated; the most active write less, whatever they write."
    minutes: float = number(120.0, "minutes", "between two posts of the same member", above=0)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        author, step = drafts.brief.author, drafts.brief.step
        last = world.members.recent[author, 0]
        if not len(world.posts):
            return None
        passed = 60 * (step + world.minute(author, step, streams) - world.posts.time[np.maximum(last, 0)])
        rows = np.flatnonzero((last >= 0) & (passed < self.minutes))
        return self._refused(drafts, rows, [f"posted {minutes:.0f} minutes ago" for minutes in passed[rows]])


@dataclass
class RateLimit(Waiting):
    name = "rate_limit"
    about = "Allows each member so many posts a day, counted from midnight."
    known = (
        "Few members write most: on a forum the busiest tenth of those who post in a month write 58 % (S1), so that a limit "
        "touches few and shares out the floor; Reddit and Stack Overflow limit new or low-rated accounts so."
    )
    fails = "Hits the most helpful members first, who are the most active; answers are refused as well as quarrels."
    posts: float = number(3.0, "posts a day", "that each member may write", low=1)
    _midnight: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        if not len(self._midnight):
            self._midnight = world.members.written.copy()
        author = drafts.brief.author
        today = world.members.written[author] - self._midnight[author]
        rows = np.flatnonzero(today >= self.posts)
        return self._refused(drafts, rows, [f"{count} posts today" for count in today[rows]])

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        if step % 24 == 23 or not len(self._midnight):
            self._midnight = world.members.written.copy()
        return None

    def state(self) -> State:
        return {"midnight": self._midnight}

    def restore(self, state: State) -> None:
        self._midnight = state["midnight"].copy()


@dataclass
class NewcomerWait(Waiting):
    name = "newcomer_wait"
    about = "Lets newcomers read, but not write, in their first hours."
    known = (
        "Forums use it against spam and drive-by trolling. A third of newcomers post only once (S17), mostly at once: who "
        "has to wait may never post."
    )
    fails = "Costs honest newcomers their first question; those with patience wait it out."
    hours: float = number(24.0, "hours", "from the first possible visit", above=0)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        arrival = world.population.arrival[drafts.brief.author]
        here = drafts.brief.step - arrival
        rows = np.flatnonzero((arrival > OLD_HAND) & (here < self.hours))
        return self._refused(drafts, rows, [f"joined {hours} hours ago" for hours in here[rows]])
