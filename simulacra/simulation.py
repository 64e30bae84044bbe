"""The loop. A `Simulation` is one arm of one replicate: a population on a platform under one feed and one list of moderation designs.

Two simulations share nothing but what never changes (population, phrase banks), so arms can be played side by side, and
`fork` gives another arm the same past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from simulacra import behaviour as model
from simulacra import hearsay, reach
from simulacra.behaviour import Behaviour
from simulacra.community import Community
from simulacra.errors import Stopped
from simulacra.events import ACTIONS, ACTS, DEPARTURES, KINDS
from simulacra.feeds import make_feed
from simulacra.feeds.classic import Unanswered
from simulacra.minds.guided import GuidedMind, wants_counts
from simulacra.persona import Population
from simulacra.platform import POOL, Platform
from simulacra.rules import rule_of_kind
from simulacra.seams import (
    Assessor,
    Briefs,
    Drafts,
    Exposure,
    FeedDesign,
    Floats,
    Ints,
    Mind,
    ModerationDesign,
    Readers,
    Recorder,
    Rulings,
    Scorer,
    Scores,
    State,
    Turns,
    Visits,
    Writer,
    Writing,
)  # fmt: skip
from simulacra.streams import Streams

BURN_IN_DAYS = 2
SLATE = 20
"""Posts that a visit is offered."""
_BATCH = 64
"""Readers ranked at once: their [64, 2000] scores stay in the processor's cache."""
_NEWEST, _UNANSWERED = make_feed("chronological"), Unanswered()
"""What a visitor can look at in place of the feed: lists, in which nothing is demoted."""
_CALIBRATION = 24
"""Neutral posts scored for each topic and act to find what the scorer makes of the vocabulary alone."""

CANCEL, REVISE, REFUSE, REMOVE = (ACTIONS.index(a) for a in ("cancel", "revise", "refuse", "remove"))
_ONCE_POSTED = [ACTIONS.index(a) for a in ("remove", "hold", "collapse", "demote", "limit", "label", "lock")]
"""Rulings on a draft that are carried out when it has become a post."""


class Arm(NamedTuple):
    """What may differ between the arms of a comparison, wired: everything else is shared."""

    community: Community  # its rules
    feed: FeedDesign
    policies: Sequence[ModerationDesign]
    behaviour: Behaviour
    exposure: Exposure | None = None  # an experiment on what readers are shown

    @classmethod
    def neutral(cls, community: Community, behaviour: Behaviour) -> Arm:
        """The design under which the burn-in days are played: newest first, nobody moderates."""
        return cls(community, make_feed("chronological"), [], behaviour)


class Progress(NamedTuple):
    """How far a simulation has come."""

    step: int
    steps: int  # where it will end
    posts: int
    visits: int
    seconds: float


class Simulation:
    """One arm of one replicate, from the first hour of burn-in on.

    topic_vectors: [topics, d], unit rows whose products say how near two topics are. policy_names: labels for the record, the
    same for every arm that writes to one record. Raises nothing of its own; `play` raises `Stopped` when asked to stop.
    """

    def __init__(
        self, population: Population, arm: Arm, *, writer: Writer, scorer: Scorer, streams: Streams, recorder: Recorder,
        topic_vectors: Floats, policy_names: Sequence[str], slate: int = SLATE, pool: int = POOL,
        make_mind: Callable[..., Mind] = GuidedMind, assessor: Assessor | None = None,
    ) -> None:  # fmt: skip
        self.population, self.arm, self.writer, self.scorer = population, arm, writer, scorer
        self.make_mind, self.assessor = make_mind, assessor
        self.streams, self.recorder = streams, recorder
        self.policy_names, self.slate = tuple(policy_names), slate
        self.platform = Platform(arm.community, population, topic_vectors, pool)
        self.taste = unit_rows(population.interests @ topic_vectors)
        self.step = -24 * BURN_IN_DAYS
        self.visits = 0
        self.expected: Floats = np.zeros((len(arm.community.topics), len(ACTS)), np.float32)
        self.mind: Mind = self._make_mind()
        self._rule_of_truth = _rule_table(arm.community)
        for policy in arm.policies:
            policy.wire(assessor)

    def _make_mind(self) -> Mind:
        arm = self.arm
        pinned = sum(policy.compliance for policy in arm.policies)
        return self.make_mind(
            arm.community, arm.behaviour, self.writer, self.taste, self.expected, pinned, wants_counts(arm.feed)
        )

    # -- playing --

    def burn_in(self, should_stop: Callable[[], bool] | None = None) -> None:
        """Calibrate the scorer, tie the first ties, play the burn-in days. What comes after is this simulation's or its forks'."""
        self.expected[:] = calibrate(self.writer, self.scorer, self.platform, self.streams)
        for draw in range(12):
            self.platform.follow(*model.first_ties(self.arm.behaviour, self.platform, draw, self.streams))
        self.play(0, should_stop=should_stop)

    def play(
        self, days: int, progress: Callable[[Progress], None] | None = None, should_stop: Callable[[], bool] | None = None
    ) -> None:
        """Play from where it is to the end of that measured day. Days that are over are in the record before the next begins."""
        self.play_until(days * 24, progress, should_stop)

    def play_until(
        self, end: int, progress: Callable[[Progress], None] | None = None, should_stop: Callable[[], bool] | None = None
    ) -> None:
        """Play the steps before `end`, which may lie inside a day."""
        started = perf_counter()
        while self.step < end:
            if should_stop is not None and should_stop():
                raise Stopped(f"stopped in day {self.step // 24 + 1}; finished days are safe")
            self._hour(self.step)
            self.step += 1
            if self.step == 0 and getattr(self.writer, "calibrates_by_past", False):
                self.expected[:] = recalibrated(self.expected, self.platform)
            if self.step % 24 == 0:
                self._close_day()
            if progress is not None:
                progress(Progress(self.step, end, len(self.platform.posts), self.visits, perf_counter() - started))

    def _hour(self, step: int) -> None:
        world, streams = self.platform, self.streams
        world.welcome(step)
        self._spread_news(step)
        self.arm.feed.prepare(world, step)
        visits = self._arrive(step)
        turns = self.mind.take_turns(visits, world, streams)
        self._hear_news(turns, step)
        world.look(turns)
        drafts, removed = self._moderate(turns.briefs, turns.writing, step)
        ids = self._publish(drafts, world.minute(drafts.brief.author, step, streams))
        self._note_news(drafts, ids, step)
        self._carry_out(removed, ids, step)
        for policy in self.arm.policies:
            self._rule(policy, policy.after(world, step, streams), step)
        leaving = self._settle(visits, turns, step)
        world.turn_pool(ids, step, streams)
        self._record(visits, turns, drafts, ids, leaving, step)

    def _publish(self, drafts: Drafts, minute: Floats) -> Ints:
        ids = self.platform.publish(drafts, minute, model.appeal(drafts.brief.author, drafts.brief.step, self.streams))
        self.platform.tell_openers(ids[model.watched(self.arm.behaviour, ids, self.platform, self.streams)])
        return ids

    def _arrive(self, step: int) -> Visits:
        world, streams = self.platform, self.streams
        world.turn_spells(model.spells(self.arm.behaviour, world, step, streams))
        persona = model.arrivals(self.arm.behaviour, world, step, streams)
        notices = reach.delivered(persona, world.arrive(persona, step), world, streams)
        self.visits += len(persona)
        slates = np.empty((len(persona), self.slate), np.int32)
        newest, waiting = model.browses(self.arm.behaviour, persona, step, streams)
        for feed, who in ((_NEWEST, newest), (_UNANSWERED, waiting), (self.arm.feed, ~(newest | waiting))):
            rows = np.flatnonzero(who)
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                slates[batch] = self._slate(feed, persona[batch], step)
        return Visits(persona, slates, notices, step)

    def _slate(self, feed: FeedDesign, persona: Ints, step: int) -> Ints:
        world, streams = self.platform, self.streams
        readers = Readers(persona, self.taste[persona], self.population.group[persona], step)
        candidates = world.candidates(persona, world.minute(persona, step, streams), step)
        spare = max((policy.spare for policy in self.arm.policies), default=0)
        post = feed.rank(readers, candidates, self.slate + spare, world, streams).post
        if spare:
            post = reach.arranged(persona, post, self.slate, world, streams, demotes=feed is self.arm.feed)
        return post if self.arm.exposure is None else _kept(post, self.arm.exposure.keep(post, persona, world, streams))

    def _settle(self, visits: Visits, turns: Turns, step: int) -> Ints:
        """What visits leave behind: moods, satisfaction, ties, and who does not come back (returned)."""
        world, b, members = self.platform, self.arm.behaviour, self.platform.members
        persona = visits.persona
        members.mood[persona], members.swayed[persona], members.mooded_at[persona] = turns.mood, turns.swayed, step
        members.credit[persona] = 0
        reading = turns.reading
        members.satisfaction[persona] = model.satisfaction(b, reading, world, persona)
        follower, followee = model.new_ties(b, reading, turns.reaction, world, self.streams)
        tied = world.follow(follower, followee)
        self.recorder.add("follows", step=np.full(int(tied.sum()), step), follower=follower[tied], followee=followee[tied])
        leaving = model.leavers(b, world, persona, step, self.streams)
        leaving = leaving[~members.departed[leaving]]
        world.depart(leaving)
        return leaving

    # -- news --

    def _spread_news(self, step: int) -> None:
        """Items whose hour has come: somebody knows them, or the meet-up takes place."""
        for number, item in enumerate(self.arm.community.news):
            if item.starts == step:
                first = hearsay.first_knowers(self.arm.behaviour, self.platform, number, self.streams)
                self.platform.seed_news(number, first, step)
                self._write_awareness(step, first, number, hearsay.KNEW)
            if item.when == step:
                came = hearsay.who_came(self.arm.behaviour, self.platform, number, self.streams)
                self._write_awareness(step, came, number, hearsay.CAME)

    def _write_awareness(self, step: int, persona: Ints, item: int, what: int) -> None:
        n = len(persona)
        self.recorder.add(
            "awareness",
            step=np.full(n, step),
            persona=persona,
            item=np.full(n, item),
            what=np.full(n, what),
            post=np.full(n, -1),
        )

    def _hear_news(self, turns: Turns, step: int) -> None:
        """Readers learn of what they have read, whatever mind read it."""
        heard = hearsay.listen(self.arm.behaviour, turns.reading, self.platform, step, self.streams)
        if heard is not None:
            self.platform.hear(heard)
            persona, item, what, post = heard.events.T
            self.recorder.add("awareness", step=np.full(len(post), step), persona=persona, item=item, what=what, post=post)

    def _note_news(self, drafts: Drafts, ids: Ints, step: int) -> None:
        rows, brief = self.platform.speak(ids, drafts), drafts.brief
        if len(rows) and brief.news is not None and brief.saying is not None:
            self.recorder.add(
                "mentions", step=np.full(len(rows), step), post=ids[rows], author=brief.author[rows], item=brief.news[rows],
                saying=brief.saying[rows],
            )  # fmt: skip

    # -- moderation --

    def _moderate(self, briefs: Briefs, writing: Writing, step: int) -> tuple[Drafts, list[tuple[str, Rulings]]]:
        """Score what was written and let every lever see it before it is posted. Returns the drafts that will be posted, and rulings
        that take posts down at once, whose `draft` names a row of those drafts."""
        drafts = self._score(briefs, writing, step)
        at_once: list[tuple[str, Rulings]] = []
        for policy in self.arm.policies:
            if not len(drafts.brief.author):
                break
            ruling = policy.before(drafts._replace(removed=_taken_down(drafts, at_once)), self.platform, self.streams)
            if ruling is None:
                continue
            later = np.isin(ruling.action, _ONCE_POSTED)
            self._write_rulings(policy.name, _rows(ruling, ~later), step, drafts)
            drafts = self._revise(drafts, ruling.draft[ruling.action == REVISE])
            at_once.append((policy.name, _rows(ruling, later)))
            dropped = ruling.draft[np.isin(ruling.action, (CANCEL, REFUSE))]
            if len(dropped):
                kept = np.setdiff1d(np.arange(len(drafts.brief.author)), dropped)
                drafts, at_once = drafts.take(kept), [(name, _follow(r, kept)) for name, r in at_once]
        return drafts, at_once

    def _score(self, briefs: Briefs, writing: Writing, step: int) -> Drafts:
        if writing.failure:
            rows = sorted(writing.failure)
            reasons = [writing.failure[row] for row in rows]
            self.recorder.add("failures", step=np.full(len(rows), step), persona=briefs.author[rows], reason=reasons)
        if self.platform.hearsay is not None:
            briefs = hearsay.as_written(briefs, writing, self.platform)
        drafts = Drafts(briefs, writing, self.scorer.score(writing.text), self._rule_of_truth[briefs.truth])
        return drafts.take(np.setdiff1d(np.arange(len(briefs.author)), list(writing.failure))) if writing.failure else drafts

    def _revise(self, drafts: Drafts, rows: Ints) -> Drafts:
        """The authors of those drafts write them again, milder; an insult becomes plain disagreement or a complaint."""
        if not len(rows):
            return drafts
        brief = drafts.take(rows).brief
        milder = np.where(brief.parent >= 0, ACTS.index("disagree"), ACTS.index("vent"))
        act = np.where(brief.act == ACTS.index("insult"), milder, brief.act).astype(np.int8)
        brief = brief._replace(act=act, truth=np.zeros_like(brief.truth), revision=brief.revision + 1)
        writing = self.mind.rewrite(brief, self.platform, self.streams)
        again = Drafts(brief, writing, self.scorer.score(writing.text), np.zeros(len(rows), np.int8))
        # Where no milder words were found, the draft stays as it was.
        found = np.setdiff1d(np.arange(len(rows)), list(writing.failure))
        return _replaced(drafts, rows[found], again.take(found))

    def _carry_out(self, at_once: list[tuple[str, Rulings]], ids: Ints, step: int) -> None:
        for name, ruling in at_once:
            post = ids[ruling.draft]
            standing = self.platform.posts.removed[post] < 0
            ruling = _rows(ruling._replace(post=post), standing)
            self.platform.rule(ruling, step)
            self._write_rulings(name, ruling, step)

    def _rule(self, policy: ModerationDesign, ruling: Rulings | None, step: int) -> None:
        if ruling is None or not len(ruling.author):
            return
        banned = ruling.author[ruling.action == ACTIONS.index("ban")]
        banned = banned[~self.platform.members.departed[banned]]
        self.platform.rule(ruling, step)
        self._write_rulings(policy.name, ruling, step)
        self._write_departures(banned, "banned", step)

    # -- from outside the model --

    def interject(self, briefs: Briefs, writing: Writing, minute: Floats) -> Ints:
        """Posts that no visit produced, put in at the end of the hour `briefs.step` which is over: moderated like any draft, read from
        the next hour on. minute: [m] when in that hour. Returns the ids of those that were posted."""
        drafts, removed = self._moderate(briefs, writing, briefs.step)
        ids = self._publish(drafts, minute[np.isin(briefs.author, drafts.brief.author)])
        self._carry_out(removed, ids, briefs.step)
        self.platform.turn_pool(ids, briefs.step, self.streams)
        self._record_posts(drafts, ids)
        return ids

    def intervene(self, policy: str, ruling: Rulings) -> None:
        """Decisions that no policy made, carried out at the end of the hour that is over. policy: the name they are recorded under,
        one of `policy_names`."""
        self.platform.rule(ruling, self.step - 1)
        self._write_rulings(policy, ruling, self.step - 1)

    # -- recording --

    def _write_rulings(self, policy: str, ruling: Rulings, step: int, drafts: Drafts | None = None) -> None:
        n, posts = len(ruling.author), self.platform.posts
        if n == 0:
            return
        truth, toxicity = np.zeros(n, np.int8), np.zeros(n, np.float32)
        judged = ruling.post >= 0
        truth[judged], toxicity[judged] = posts.truth[ruling.post[judged]], posts.toxicity[ruling.post[judged]]
        if drafts is not None:
            truth, toxicity = drafts.brief.truth[ruling.draft], drafts.scores.toxicity[ruling.draft]
        self.recorder.add(
            "rulings", step=np.full(n, step), post=ruling.post, author=ruling.author, policy=np.full(n, self.policy_names.index(policy)),
            action=ruling.action, rule=ruling.rule, reason=ruling.reason, minutes=ruling.minutes, toxicity=toxicity, truth=truth,
            until=ruling.until,
        )  # fmt: skip

    def _write_departures(self, persona: Ints, reason: str, step: int) -> None:
        n = len(persona)
        self.recorder.add("departures", step=np.full(n, step), persona=persona, reason=np.full(n, DEPARTURES.index(reason)))

    def _record(self, visits: Visits, turns: Turns, drafts: Drafts, ids: Ints, leaving: Ints, step: int) -> None:
        n, add = len(visits.persona), self.recorder.add
        wrote = np.zeros(n, bool)
        wrote[turns.writer] = True
        offered = (visits.slate >= 0).sum(axis=1)
        add("visits", step=np.full(n, step), persona=visits.persona, slate=offered, looked=turns.looked, wrote=wrote)
        r = turns.reading
        steps = np.full(len(r.post), step)
        add("impressions", step=steps, persona=r.reader, post=r.post, position=r.position, source=r.source)
        for rows, value in ((turns.reaction != 0, turns.reaction), (turns.reported, np.full(len(r.post), 2))):
            add("reactions", step=steps[rows], persona=r.reader[rows], post=r.post[rows], reaction=value[rows])
        self._record_posts(drafts, ids)
        if turns.thoughts is not None:
            who, text, failure = turns.thoughts
            add("thoughts", step=np.full(len(who), step), persona=who, text=text, failure=failure)
        self._write_departures(leaving, "dissatisfied", step)

    def _record_posts(self, drafts: Drafts, ids: Ints) -> None:
        p, s, brief = self.platform.posts, drafts.scores, drafts.brief
        self.recorder.add(
            "posts", id=ids, step=np.full(len(ids), brief.step), author=brief.author, parent=brief.parent, root=p.root[ids],
            depth=p.depth[ids], act=brief.act, topic=brief.topic, text=drafts.writing.text, toxicity=s.toxicity,
            valence=s.valence, positive=s.positive,
            negative=s.negative, words=s.words, mood=brief.mood, truth=brief.truth, stratum=drafts.writing.stratum, rule=drafts.rule,
        )  # fmt: skip

    def _close_day(self) -> None:
        members = self.platform.members
        here = np.flatnonzero(members.present & (members.visits > 0))
        steps = np.full(len(here), self.step - 1)
        self.recorder.add("moods", step=steps, persona=here, mood=members.mood[here], satisfaction=members.satisfaction[here])
        self.recorder.close_day((self.step - 1) // 24 + 1, self.state())

    # -- one past, many arms --

    def fork(self, arm: Arm, recorder: Recorder, carried: Sequence[str] = ()) -> Simulation:
        """Another arm with the same past: everything that has happened, and the same chances from now on.

        carried: the parts of the arm ("feed", "policy.NAME") that go on with what they have learnt; the others start fresh.
        """
        other = Simulation(
            self.population, arm, writer=self.writer, scorer=self.scorer, streams=self.streams, recorder=recorder,
            topic_vectors=self.platform.topic_vectors, policy_names=self.policy_names, slate=self.slate, pool=len(self.platform.pool),
            make_mind=self.make_mind, assessor=self.assessor,
        )  # fmt: skip
        kept = tuple(f"{part}." for part in carried)
        own = ("feed.", "policy.")
        other.restore({k: v for k, v in self.state().items() if k.startswith(kept) or not k.startswith(own)})
        return other

    def state(self) -> State:
        """Everything that the future depends on. Parts that belong to the arm are named "feed." and "policy."."""
        own: State = {"step": np.array([self.step]), "visits": np.array([self.visits]), "expected": self.expected.copy()}
        own |= self.platform.state() | {f"mind.{k}": v for k, v in self.mind.state().items()}
        own |= {f"feed.{k}": v for k, v in self.arm.feed.state().items()}
        for policy in self.arm.policies:
            own |= {f"policy.{policy.name}.{k}": v for k, v in policy.state().items()}
        return own

    def restore(self, state: State) -> None:
        """Take up a state. Feed and policies start fresh where it holds nothing of theirs (a fork into another arm)."""
        self.step, self.visits = int(state["step"][0]), int(state["visits"][0])
        self.expected[:] = state["expected"]
        self.platform.restore(state)
        self.mind.restore(_part(state, "mind."))
        if part := _part(state, "feed."):
            self.arm.feed.restore(part)
        for policy in self.arm.policies:
            if part := _part(state, f"policy.{policy.name}."):
                policy.restore(part)


def calibrate(writer: Writer, scorer: Scorer, world: Platform, streams: Streams) -> Floats:
    """Mean valence that the scorer gives to posts written in a neutral mood, [topics, acts]: what vocabulary alone is worth."""
    topics, acts, people = len(world.community.topics), len(ACTS), len(world.population)
    topic, act = (a.ravel().astype(np.int8) for a in np.meshgrid(np.arange(topics), np.arange(acts), indexing="ij"))
    total = np.zeros(topics * acts)
    nobody, nothing = np.full(len(topic), -1, np.int32), np.zeros(len(topic), np.float32)
    for draw in range(_CALIBRATION):
        step = -(10**6) - draw
        author = streams.integers(people, "calibrate", draw, np.arange(len(topic))).astype(np.int32)
        brief = Briefs(author, step, act, topic, nothing, nobody, np.zeros(len(topic), np.int8))
        total += scorer.score(writer.write(brief, world, streams).text).valence
    return (total / _CALIBRATION).reshape(topics, acts).astype(np.float32)


_FIRM = 10
"""Posts of an act from which its own mean weighs more than that of all acts."""


def recalibrated(expected: Floats, world: Platform) -> Floats:
    """The calibration [topics, acts], moved to what was written in the burn-in days, act by act.

    For a writer whose neutral posts would cost thousands of calls: `expected` comes from a free one, and what this writer's posts
    are on average above it is added. Acts with few posts take the mean of all; where nothing was written nothing moves.
    """
    posts = world.posts
    count = len(posts)
    if not count:
        return expected
    act = posts.act[:count]
    surprise = (posts.valence[:count] - expected[posts.topic[:count], act]).astype(np.float64)
    overall = surprise.sum() / (count + _FIRM)
    shift = (np.bincount(act, surprise, len(ACTS)) + _FIRM * overall) / (np.bincount(act, minlength=len(ACTS)) + _FIRM)
    return np.round(expected + shift, 4).astype(np.float32)


def unit_rows(rows: Floats) -> Floats:
    """Each row divided by its length; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1)).astype(np.float32)


def _kept(slate: Ints, keep: np.ndarray) -> Ints:
    """The slate without what is not to be shown: the rest moves up, in order."""
    shown = np.where(keep, slate, -1)
    return np.take_along_axis(shown, np.argsort(shown < 0, axis=1, kind="stable"), axis=1)


def _rule_table(community: Community) -> np.ndarray:
    table = np.zeros(len(KINDS), np.int8)
    for kind, number in rule_of_kind(community.rules, community.confirmed).items():
        table[kind] = number
    return table


def _part(state: State, prefix: str) -> State:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _rows(ruling: Rulings, keep: np.ndarray) -> Rulings:
    rows = np.flatnonzero(keep)
    chosen: Any = ([x[i] for i in rows] if isinstance(x, list) else x[rows] for x in ruling)
    return Rulings(*chosen)


def _follow(ruling: Rulings, kept: np.ndarray) -> Rulings:
    """The same rulings after drafts were dropped: rows renumbered, rulings on dropped drafts gone."""
    ruling = _rows(ruling, np.isin(ruling.draft, kept))
    return ruling._replace(draft=np.searchsorted(kept, ruling.draft).astype(np.int32))


def _taken_down(drafts: Drafts, at_once: list[tuple[str, Rulings]]) -> np.ndarray:
    """[m] which drafts are removed by what has been ruled so far."""
    removed = np.zeros(len(drafts.brief.author), bool)
    for _, ruling in at_once:
        removed[ruling.draft[ruling.action == REMOVE]] = True
    return removed


def _replaced(drafts: Drafts, rows: Ints, new: Drafts) -> Drafts:
    """Those rows of the drafts, exchanged for new ones."""

    def put(old: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        out = old.copy()
        out[rows] = fresh
        return out

    text = list(drafts.writing.text)
    for row, words in zip(rows, new.writing.text, strict=True):
        text[row] = words
    brief = drafts.brief._replace(act=put(drafts.brief.act, new.brief.act), truth=put(drafts.brief.truth, new.brief.truth))
    writing = Writing(text, put(drafts.writing.memo, new.writing.memo), put(drafts.writing.stratum, new.writing.stratum))
    columns: Any = (put(old, fresh) for old, fresh in zip(drafts.scores, new.scores, strict=True))  # type: ignore[arg-type]
    scores = Scores(*columns)
    return Drafts(brief, writing, scores, put(drafts.rule, new.rule))
