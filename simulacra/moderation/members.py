"""Levers that are in members' hands: reports that lock a thread, notes under posts, votes that collapse them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulacra.moderation.policy import Policy, Queue, action, joined, rulings
from simulacra.parameters import number, switch
from simulacra.seams import Ints, Rulings, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


@dataclass
class Label(Policy):
    """Readers' notes, as Community Notes: somebody reports, readers of both home groups agree, and the note appears after a
    delay. What it does to readers is three behaviour parameters: label_view, label_vote, label_reply."""

    name = "label"
    about = "Puts a readers' note under a post that several readers report, some of the other home group, after a delay."
    known = (
        "After a note, reposts fell by 46 %, likes by 44 %, replies by 22 %, views by 14 %; over a post's whole life by 12, "
        "13, 7 and 6 %, since most is read before; notes more than 48 hours late did nothing (S34, Slaughter et al. 2025)."
    )
    cost = "No moderator time; readers who write and rate notes."
    fails = "Comes late; what both camps do not agree on gets no note; harmless posts can be labelled by organised reports."
    lever = "exposure"
    reports: float = number(2.0, "reports", "that ask for a note", low=1)
    across: float = number(1.0, "reports", "of these that come from the other home group than the author's")
    delay: float = number(12.0, "hours", "from the reports to the note")
    follows: bool = switch(True, "the note also goes under all other posts that pass the same rumour on")
    _queue: Queue = field(init=False, repr=False, compare=False, default_factory=Queue)

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        posts, new = world.posts, world.reported
        new = new[(posts.reports[new] >= self.reports) & (posts.reports_far[new] >= self.across) & (posts.label[new] == 0)]
        self._queue.add(np.setdiff1d(new, self._queue.posts), step)
        noted = self._queue.take(self._queue.due(step - self.delay))
        noted = noted[world.visible(noted)]
        if self.follows and world.hearsay is not None:
            noted = np.union1d(noted, world.hearsay.retold(world))
        if not len(noted):
            return None
        reasons = [f"{n} readers added a note" if n else "a note on the same rumour" for n in posts.reports[noted]]
        return rulings(posts.author[noted], action("label"), reasons, post=noted)

    def state(self) -> State:
        return self._queue.state()

    def restore(self, state: State) -> None:
        self._queue.restore(state)


@dataclass
class CommunityVotes(Policy):
    name = "community_votes"
    about = "Collapses a post while its downvotes outnumber its upvotes by so many."
    known = (
        "Distributed moderation by votes works on large sites (Slashdot: Lampe and Resnick 2004) and punishes minority "
        "views as well as bad posts; a fake downvote is corrected by others, a fake upvote is not (S19, Muchnik et al. "
        "2013)."
    )
    cost = "No moderator time; readers' votes."
    fails = "Small communities vote too little for it; the larger home group can fold the smaller one's posts away."
    lever = "exposure"
    score: float = number(2.0, "votes", "downvotes more than upvotes", low=1)
    opened: float = number(0.1, "share of readers", "who open a collapsed post", high=1)
    _folded: Ints = field(init=False, repr=False, compare=False, default_factory=lambda: np.empty(0, np.int32))

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        standing = np.sort(world.standing().posts)
        net = world.posts.up[standing] - world.posts.down[standing]
        below = standing[net <= -self.score]
        # A post that another lever has collapsed already is left to that lever.
        fold = np.setdiff1d(below, self._folded)
        fold = fold[world.posts.attention[fold] == 1]
        unfold = np.setdiff1d(np.intersect1d(self._folded, standing), below)
        self._folded = np.union1d(np.setdiff1d(np.intersect1d(self._folded, standing), unfold), fold)
        return joined(self._ruling(fold, "collapse", world), self._ruling(unfold, "expand", world))

    def _ruling(self, posts: Ints, what: str, world: PlatformView) -> Rulings:
        reasons = [f"{up} up, {down} down" for up, down in zip(world.posts.up[posts], world.posts.down[posts], strict=True)]
        return rulings(world.posts.author[posts], action(what), reasons, post=posts, strength=self.opened)

    def state(self) -> State:
        return {"folded": self._folded}

    def restore(self, state: State) -> None:
        self._folded = state["folded"]


@dataclass
class LockThread(Policy):
    name = "lock_thread"
    about = "Closes a thread to new replies once readers have made so many reports in it."
    known = (
        "Longer threads are more toxic on every platform studied (S35, Avalle et al. 2024), and one rude post in a thread "
        "makes the next likelier (S22, Cheng et al. 2017); what a lock does to later threads has hardly been measured."
    )
    cost = "No moderator time as modelled: reports lock by themselves."
    fails = (
        "Ends good conversations with the bad one; the quarrel may move to a new thread; a few reporters can close anything."
    )
    lever = "volume"
    reports: float = number(3.0, "reports", "within a thread, over posts that still stand", low=1)

    def after(self, world: PlatformView, step: int, streams: Streams) -> Rulings | None:
        if not len(world.reported):
            return None
        posts, standing = world.posts, world.standing().posts
        hot = np.unique(posts.root[world.reported])
        heat = np.zeros(len(hot))
        inside = standing[np.isin(posts.root[standing], hot)]
        np.add.at(heat, np.searchsorted(hot, posts.root[inside]), posts.reports[inside])
        lock = (heat >= self.reports) & ~posts.locked[hot]
        reasons = [f"{count:.0f} reports in the thread" for count in heat[lock]]
        return rulings(posts.author[hot[lock]], action("lock"), reasons, post=hot[lock])
