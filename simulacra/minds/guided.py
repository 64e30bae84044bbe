"""A mind in two halves: the behaviour model decides who reacts, who writes, which act and in which mood; a writer finds the words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra import behaviour as model
from simulacra import hearsay
from simulacra.behaviour import Behaviour, Temptation
from simulacra.community import Community
from simulacra.events import ACTS
from simulacra.minds.relevance import relevance
from simulacra.persona import OLD_HAND
from simulacra.rules import weights
from simulacra.seams import Bools, Briefs, Bytes, Floats, Ints, Reading, State, Thoughts, Turns, Visits, Writer, Writing
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.minds.remembering import Recollection
    from simulacra.platform import PlatformView

_SELLS = re.compile(
    r"\b(?:sells?|selling|push(?:es|ing) (?:his|her|their|its|own)|posts offers|promot\w*|advertis\w*|affiliate|dropship\w*|DM invit\w*)\b",
    re.I,
)


DISAGREE, INSULT = (ACTS.index(act) for act in ("disagree", "insult"))


def sells(sketch: str) -> bool:
    """Whether a sketch is of somebody who sells something, and is therefore tempted to advertise."""
    return bool(_SELLS.search(sketch))


class Draft(NamedTuple):
    """Who writes, and what has been decided about it, before it is a brief."""

    visit: Ints
    parent: Ints
    act: Bytes
    topic: Bytes
    truth: Bytes
    talk: hearsay.Talk | None = None  # of which news the posts speak


class GuidedMind:
    """Decides by the behaviour model, writes through a `Writer`.

    expected: [topics, acts] mean valence of neutral posts, from the calibration that all arms of a seed share.
    visibility: how much the rules are in sight beyond memory, >= 0: the sum of the moderation designs' `compliance`.
    recollect: makes the memories of an arm; None: nobody remembers what was said.
    """

    def __init__(
        self, community: Community, behaviour: Behaviour, writer: Writer, taste: Floats, expected: Floats, visibility: float = 0.0,
        shows_counts: bool = True, recollect: Callable[[], Recollection] | None = None,
    ) -> None:  # fmt: skip
        self.behaviour, self.writer, self.taste, self.expected = behaviour, writer, taste, expected
        self.shows_counts = shows_counts
        self.recollection = recollect() if recollect is not None else None
        self._seller = np.array([sells(s.sketch) for s in community.personas])
        self._pinned = visibility
        self._invites = relevance(community)
        self._forbidden = weights(community.rules, community.confirmed, behaviour.limit_share)

    def take_turns(self, visits: Visits, world: PlatformView, streams: Streams) -> Turns:
        b, persona, step = self.behaviour, visits.persona, visits.step
        look = model.looked(b, persona, visits.slate, self.taste[persona], world, step, streams)
        reading = self.read(visits, look, world, streams)
        arriving = model.mood_on_arrival(b, world, persona, step, streams)
        swayed = model.mood_after_reading(b, arriving, reading, world, self.expected, persona)
        mood = swayed.total
        vote, reported = model.reactions(b, reading, world, self.shows_counts, streams)
        heard = hearsay.listen(b, reading, world, step, streams)
        draft = self._decide(reading, mood, heard, world, persona, step, streams)
        author = persona[draft.visit]
        item, saying = draft.talk or (None, None)
        briefs = Briefs(
            author,
            step,
            draft.act,
            draft.topic,
            mood[draft.visit].astype(np.float32),
            draft.parent,
            draft.truth,
            news=item,
            saying=saying,
        )
        if self.recollection is not None:
            self.recollection.notice(world)
            briefs = self.recollection.recall(briefs, heard, world)
        writing = self.writer.write(briefs, world, streams)
        thoughts = self._live_through(reading, persona, written(briefs, writing), heard, world, step, streams)
        return Turns(
            look, reading, vote, reported, draft.visit, briefs, writing, mood.astype(np.float32), swayed.swayed.astype(np.float32),
            thoughts,
        )  # fmt: skip

    def rewrite(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        if self.recollection is not None and briefs.memory is None:  # a reply that no visit produced
            briefs = self.recollection.recall(briefs, None, world)
        return self.writer.write(briefs, world, streams)

    def _live_through(
        self, reading: Reading, persona: Ints, authors: Ints, heard: hearsay.Heard | None, world: PlatformView, step: int,
        streams: Streams,
    ) -> Thoughts | None:  # fmt: skip
        """What visitors read becomes memory, and some of them reflect; nothing where nobody remembers."""
        if self.recollection is None:
            return None
        self.recollection.take_in(reading, persona, authors, heard, world, step)
        return self.recollection.reflect(self.writer, world, step, streams)

    def read(self, visits: Visits, look: Bytes, world: PlatformView, streams: Streams) -> Reading:
        """Impressions: the top of each slate as far as the visitor looks, but for posts that it leaves folded, and before it the
        answers that were waiting."""
        shown = (np.arange(visits.slate.shape[1]) < look[:, None]) & (visits.slate >= 0)
        n_visit, n_at = np.nonzero(visits.notices >= 0)
        f_visit, f_at = np.nonzero(shown)
        opened = model.opened(self.behaviour, visits.persona[f_visit], visits.slate[f_visit, f_at], world, streams)
        f_visit, f_at = f_visit[opened], f_at[opened]
        visit = np.concatenate([n_visit, f_visit]).astype(np.int32)
        post = np.concatenate([visits.notices[n_visit, n_at], visits.slate[f_visit, f_at]])
        reader = visits.persona[visit]
        source = np.repeat([1, 0], [len(n_visit), len(f_visit)]).astype(np.int8)
        author = world.posts.author[post]
        fresh = world.unread(reader, post)
        # An answer that also stands in the slate counts once: as the notification, read first.
        fresh[len(n_visit) :] &= ~np.isin(_pair(f_visit, post[len(n_visit) :]), _pair(n_visit, post[: len(n_visit)]))
        return Reading(
            visit, reader, post, np.concatenate([n_at, f_at]).astype(np.int8), source, fresh,
            np.einsum("sd,sd->s", self.taste[reader], world.topic_vectors[world.posts.topic[post]]),
            (world.members.followees[reader] == author[:, None]).any(axis=1),
            world.population.group[reader] != world.population.group[author],
        )  # fmt: skip

    def _decide(
        self, reading: Reading, mood: NDArray[np.float64], heard: hearsay.Heard | None, world: PlatformView, persona: Ints, step: int,
        streams: Streams,
    ) -> Draft:  # fmt: skip
        b = self.behaviour
        mouth = hearsay.mouths(b, heard, world, persona, step)
        wants = model.writers(b, reading, world, persona, step, streams, hearsay.urge(b, mouth))
        visit = np.flatnonzero(wants).astype(np.int32)
        parent = model.choose_parent(b, reading, world, wants, persona, step, streams)[visit]
        author = persona[visit]
        group = world.population.group
        camp = (parent >= 0) & (group[world.posts.author[parent]] != group[author]) if len(world.posts) else parent >= 0
        act = model.choose_act(b, author, mood[visit], parent, camp, world, step, streams)
        topic = model.choose_topic(b, author, parent, world, step, streams)
        visibility = self._visibility(author, world, step)
        tempted = Temptation(
            mood[visit], self._context(reading, parent, visit, world, len(persona)), camp,
            self._seller[world.population.sketch[author]], visibility, parent >= 0, self._invites[topic],
            _disputes(act, parent, world),
        )  # fmt: skip
        truth = model.violations(b, author, tempted, world, step, streams)
        for kind, replaced in model.ACT_OF_KIND.items():
            act[truth == kind] = replaced
        draft = Draft(visit, parent, act, topic, truth)
        against = b.norm_strength * 2 * world.population.compliance[author] * visibility[:, hearsay.MISINFORMATION]
        talk = hearsay.speak(b, mouth, visit, parent, truth > 0, against, world, step, streams)
        return draft if talk is None else _with_news(draft, talk, world)

    @staticmethod
    def _context(reading: Reading, parent: Ints, visit: Ints, world: PlatformView, visits: int) -> NDArray[np.float64]:
        toxicity = world.posts.toxicity
        around = model.mean_by_visit(reading, toxicity[reading.post], visits)[visit]
        answered = np.where(parent >= 0, toxicity[np.maximum(parent, 0)], 0.0) if len(toxicity) else np.zeros(len(parent))
        return np.asarray(answered + 0.5 * around, np.float64)

    def _visibility(self, author: Ints, world: PlatformView, step: int) -> NDArray[np.float64]:
        """Rules stay in memory a little and are minded more when pinned; newcomers, who do not know them yet, gain twice from the pin.
        Who has been told of them has them in mind for a while."""
        arrival = world.population.arrival[author]
        newcomer = (arrival > OLD_HAND) & (step - arrival < 7 * 24)
        memory = np.where(newcomer, 0.0, self.behaviour.rule_memory)
        in_mind = memory + self._pinned * np.where(newcomer, 2.0, 1.0) + world.reminded(author, step)
        return np.asarray(in_mind[:, None] * self._forbidden)  # a rule counts for its own kinds alone

    def state(self) -> State:
        return self.recollection.state() if self.recollection is not None else {}

    def restore(self, state: State) -> None:
        """The behaviour model keeps its state in the platform's members; the sketch writer has none; memories are here."""
        if self.recollection is not None:
            self.recollection.restore(state)


def written(briefs: Briefs, writing: Writing) -> Ints:
    """Who has written something."""
    return np.delete(briefs.author, list(writing.failure))


def _with_news(draft: Draft, talk: hearsay.Talk, world: PlatformView) -> Draft:
    """The drafts with what they say of news: an invitation opens a thread, an item brings its own topic, a rumour passed on as true
    is misinformation."""
    known = world.hearsay
    assert known is not None
    topic = known.topic[np.maximum(talk.item, 0)]
    return Draft(
        draft.visit,
        np.where(talk.saying == hearsay.INVITES, -1, draft.parent).astype(np.int32),
        hearsay.act_of(talk.saying, draft.act),
        np.where((talk.item >= 0) & (topic >= 0), topic, draft.topic).astype(np.int8),
        np.where(hearsay.breaks(talk, known), hearsay.MISINFORMATION, draft.truth).astype(np.int8),
        talk,
    )


def _disputes(act: Bytes, parent: Ints, world: PlatformView) -> Bools:
    """Which drafts contradict a post that contradicts or insults [m]."""
    rows = np.flatnonzero((act == DISAGREE) & (parent >= 0))
    found = np.zeros(len(act), bool)
    found[rows] = np.isin(world.posts.act[parent[rows]], (DISAGREE, INSULT))
    return found


def _pair(visit: NDArray[np.integer], post: Ints) -> NDArray[np.int64]:
    return visit.astype(np.int64) << 32 | post


def wants_counts(feed: object) -> bool:
    """Whether a feed design shows vote counts (all do, unless they say otherwise)."""
    return bool(getattr(feed, "shows_counts", True))
