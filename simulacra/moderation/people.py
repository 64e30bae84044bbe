"""Levers that are people's work: moderators who look at reports or at held posts, strikes and appeals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simulacra.moderation.filters import Scored
from simulacra.moderation.policy import Staffed, action, joined, recent_posts, rulings
from simulacra.parameters import number
from simulacra.seams import Bools, Drafts, Ints, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

_MEMORY = 24 * 14
"""Hours for which a decision is remembered, so that what is kept does not grow with the run."""


def _verdicts(posts: Ints, guilty: Bools, instead: str, minutes: float, world: PlatformView) -> Rulings:
    """Removal of the guilty and another action for the rest, with the rule and the time that each case took."""
    return rulings(
        world.posts.author[posts], np.where(guilty, action("remove"), action(instead)),
        np.where(guilty, "broke a rule", "no rule broken").tolist(), post=posts, minutes=minutes,
        rule=np.where(guilty, world.posts.rule[posts], 0),
    )  # fmt: skip


@dataclass
class HumanReview(Staffed):
    """Reported posts wait in a queue that moderators work through, first come first served, with a delay and errors. Three
    removals mute an author for a day, five ban it, unless `strikes` is listed too and decides that."""

    name = "human_review"
    about = "Moderators look at what members report, remove what breaks a rule, mute after three removals and ban after five."
    known = (
        "Reports are few and come late; removals lower what readers see and, for a while, what is written (S33). A ban of "
        "whole communities cut hate speech of those who stayed by 80 % or more, 20 to 40 % of accounts left (S32, "
        "Chandrasekharan et al. 2017)."
    )
    cost = "Minutes a case; the queue grows where moderators have too little time."
    fails = (
        "What nobody reports stays; delay lets harm be read first; people err in both directions; reports can be used as a "
        "weapon."
    )
    lever = "removal"
    reports: float = number(1.0, "reports", "that put a post in the queue", low=1)
    mute_after: float = number(3.0, "removals", "after which an author is muted; 0: never")
    ban_after: float = number(5.0, "removals", "after which an author is banned; 0: never")
    mute_hours: float = number(24.0, "hours", "that a mute lasts", above=0)
    _decided: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))
    punishes: bool = field(init=False, repr=False, compare=False, default=True)
    LADDER: ClassVar[tuple[str, ...]] = ("mute_after", "ban_after", "mute_hours")

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        self._enqueue(world, step)
        looked = self._next_cases(step)
        if not len(looked):
            return None
        self._decided = np.concatenate([self._decided, looked])
        return self._decide(looked[world.visible(looked)], world, step, streams)

    def _enqueue(self, world: PlatformView, step: int) -> None:
        new = world.reported[world.posts.reports[world.reported] >= self.reports]
        self._queue.add(np.setdiff1d(new, np.concatenate([self._queue.posts, self._decided])), step)
        self._decided = self._decided[world.posts.step[self._decided] > step - _MEMORY]

    def _decide(self, posts: Ints, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        if not len(posts):
            return None
        guilty = world.judge(posts, self.miss, self.false_alarm, streams)
        case = _verdicts(posts, guilty, "keep", self.minutes_per_case, world)
        return joined(case, self._punish(world.posts.author[posts[guilty]], world, step) if self.punishes else None)

    def _punish(self, author: Ints, world: PlatformView, step: int) -> Rulings:
        who, times = np.unique(author, return_counts=True)
        before = world.members.strikes[who]
        strikes = before + times
        ban = (strikes >= self.ban_after) & (before < self.ban_after)
        mute = (strikes >= self.mute_after) & (before < self.mute_after) & ~ban
        until = np.where(mute, step + self.mute_hours, -1)
        rows = ban | mute
        reason = [f"{count} removals" for count in strikes[rows]]
        return rulings(who[rows], np.where(ban, action("ban"), action("mute"))[rows], reason, until=until[rows])

    def state(self) -> State:
        return super().state() | {"decided": self._decided}

    def restore(self, state: State) -> None:
        super().restore(state)
        self._decided = state["decided"]


@dataclass
class PreScreen(Staffed, Scored):
    """Held posts keep the time at which they were written: whoever reads by age finds them late."""

    name = "pre_screen"
    about = "Holds a post that the scorer finds toxic until a moderator has looked; it is then released or removed."
    known = (
        "Approval before posting keeps harm from being read at all; on small forums it is common, and the wait is its "
        "price: a first answer comes within hours (S16), and newcomers without an answer leave (S17)."
    )
    cost = "Minutes for every held post, right or wrong; authors' waiting."
    fails = "Held conversations die; posts that score low pass unseen; too few moderators hold posts for days."
    lever = "removal"
    delay: float = number(1.0, "hours", "time before anyone looks", low=1)

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        rows = self._above(drafts)
        if not len(rows):
            return None
        reasons = [f"scored {score:.2f}, waits for a moderator" for score in drafts.scores.toxicity[rows]]
        return rulings(drafts.brief.author[rows], action("hold"), reasons, draft=rows)

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        new = recent_posts(world, step)
        self._queue.add(new[world.posts.hidden[new]], step)
        looked = self._next_cases(step)
        looked = looked[world.posts.removed[looked] < 0]
        if not len(looked):
            return None
        guilty = world.judge(looked, self.miss, self.false_alarm, streams)
        return _verdicts(looked, guilty, "release", self.minutes_per_case, world)


@dataclass
class Strikes(Staffed):
    """A strike is a removal of one's post by any policy, or a post that many readers report. Strikes fade. Some removals are
    appealed: another moderator looks, and a mistake is undone, post, strike and mute."""

    name = "strikes"
    about = (
        "Warns, mutes and bans members by their strikes (removals, or posts that many report); strikes fade, removals can "
        "be appealed."
    )
    known = (
        "Few members cause most trouble (S35), so acting on people reaches further than acting on posts. After bans of "
        "communities 20 to 40 % of accounts left and the others behaved better (S32, Chandrasekharan et al. 2017). Appeals "
        "matter for being seen as fair."
    )
    cost = "Minutes for every appeal; members who leave when they are muted."
    fails = "False removals and organised reports turn into bans; those who come back under other names are not modelled."
    lever = "sanction"
    warn_after: float = number(1.0, "strikes", "after which a member is warned and told the rules; 0: never")
    mute_after: float = number(3.0, "strikes", "after which a member is muted; 0: never")
    ban_after: float = number(5.0, "strikes", "after which a member is banned; 0: never")
    mute_hours: float = number(24.0, "hours", "that a mute lasts", above=0)
    fade_days: float = number(30.0, "days", "after which a strike counts no more", above=0)
    reports: float = number(3.0, "reports", "that make a post a strike without removal; 0: only removals count")
    appeal: float = number(0.2, "share of removals", "that their authors appeal", high=1)
    lesson: float = number(1.0, "visibility of rules", "how much a warned member has the rules in mind; 1: has just read them")
    fade: float = number(168.0, "hours", "until a warned member has forgotten", above=0)
    delay: float = number(12.0, "hours", "time before anyone looks at an appeal")
    _post: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))
    _when: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        kept = step - self._when < 24 * self.fade_days
        self._post, self._when = self._post[kept], self._when[kept]
        new = self._new_strikes(world, step)
        self._file_appeals(new, world, step, streams)
        return joined(self._punish(new, world, step), self._appeals(world, step, streams))

    def _new_strikes(self, world: PlatformView, step: int) -> Ints:
        """Posts that have become strikes since the last hour: removed by anyone, or reported by many."""
        recent = recent_posts(world, step - _MEMORY)
        struck = recent[world.posts.removed[recent] >= max(step - 1, 0)]
        if self.reports > 0:
            many = world.reported[world.posts.reports[world.reported] >= self.reports]
            struck = np.concatenate([struck, many[world.posts.removed[many] < 0]])
        return np.setdiff1d(struck, self._post)

    def _punish(self, new: Ints, world: PlatformView, step: int) -> Rulings | None:
        before = self._counted(world)
        self._post = np.concatenate([self._post, new])
        self._when = np.concatenate([self._when, np.full(len(new), step, np.int32)])
        who = np.unique(world.posts.author[new])
        who = who[~world.members.departed[who]]
        was, now = before[who], self._counted(world)[who]

        def reached(bound: float) -> Bools:
            return np.asarray((was < bound) & (now >= bound) if bound > 0 else np.zeros(len(who), bool))

        ban = reached(self.ban_after)
        mute = reached(self.mute_after) & ~ban
        warn = reached(self.warn_after) & ~ban & ~mute
        return joined(
            self._sanction(who[warn], now[warn], "warn", step + self.fade, self.lesson),
            self._sanction(who[mute], now[mute], "mute", step + self.mute_hours),
            self._sanction(who[ban], now[ban], "ban", -1),
        )

    def _counted(self, world: PlatformView) -> Ints:
        return np.bincount(world.posts.author[self._post], minlength=len(world.population)).astype(np.int32)

    @staticmethod
    def _sanction(who: Ints, strikes: Ints, what: str, until: float, strength: float = 0.0) -> Rulings:
        reasons = [f"{n} strike{'s' if n > 1 else ''}" for n in strikes]
        return rulings(who, action(what), reasons, until=round(until), strength=strength)

    def _file_appeals(self, new: Ints, world: PlatformView, step: int, streams: Streams) -> None:
        removed = new[world.posts.removed[new] >= 0]
        angry = streams.uniform("appeal", world.posts.author[removed], world.posts.step[removed]) < self.appeal
        self._queue.add(removed[angry], step)

    def _appeals(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        looked = self._next_cases(step)
        if not len(looked):
            return None
        guilty = world.judge(looked, self.miss, self.false_alarm, streams, "judge appeal")
        author, granted = world.posts.author[looked], looked[~guilty]
        self._forget(granted)
        case = rulings(
            author, np.where(guilty, action("keep"), action("restore")),
            np.where(guilty, "appeal refused: the removal stands", "appeal granted: no rule broken").tolist(), post=looked,
            minutes=self.minutes_per_case,
        )  # fmt: skip
        freed = np.unique(world.posts.author[granted])
        freed = freed[(world.members.muted_until[freed] > step) & (self._counted(world)[freed] < self.mute_after)]
        return joined(case, rulings(freed, action("unmute"), ["appeal granted"] * len(freed)))

    def _forget(self, posts: Ints) -> None:
        kept = ~np.isin(self._post, posts)
        self._post, self._when = self._post[kept], self._when[kept]

    def state(self) -> State:
        return super().state() | {"post": self._post, "when": self._when}

    def restore(self, state: State) -> None:
        super().restore(state)
        self._post, self._when = state["post"], state["when"]
