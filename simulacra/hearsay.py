"""How news spreads: who knows of an item, who takes a rumour for true, who means to come, and who speaks of it.

The kernel's half of `news`. One [items, personas] array a fact, filled from what personas read and from nothing else: with talk
switched off nobody but those who knew first ever knows. Readers learn from a post that mentions an item; those who know may
mention it when they write. Chances are keyed by (item, persona) or (item, persona, step), so that arms of a comparison share them.
A run without news has none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.behaviour import readiness
from simulacra.events import ACTS, AWARENESS, KINDS, SAYINGS
from simulacra.news import News
from simulacra.persona import OLD_HAND
from simulacra.seams import Bools, Briefs, Bytes, Floats, Ints, Reading, State, Writing
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.behaviour import Behaviour
    from simulacra.platform import PlatformView

F64 = NDArray[np.float64]

NEVER = 2**30
"""Step at which an item is learnt by those who do not know it."""
TELLS, ASKS, DOUBTS, CORRECTS, INVITES, COMES, DECLINES, WELCOMES = range(1, len(SAYINGS))
KNEW, LEARNT, WARNED, ACCEPTS, REJECTS, WILL_COME, WILL_NOT, CAME = range(len(AWARENESS))
MISINFORMATION = KINDS.index("misinformation")
_SURE = 99.0
"""Log-odds of what is certain."""

_ACT_OF_SAYING = {
    TELLS: "share", ASKS: "ask", DOUBTS: "disagree", CORRECTS: "answer", INVITES: "share", COMES: "agree", DECLINES: "share",
    WELCOMES: "thank",
}  # fmt: skip
_ACTS = np.array([0, *(ACTS.index(_ACT_OF_SAYING[s]) for s in range(1, len(SAYINGS)))], np.int8)

_COLUMNS: dict[str, tuple[str, float]] = {
    "learnt": ("int32", NEVER), "source": ("int32", -1), "heard": ("int16", 0), "told": ("int16", 0), "weight": ("float32", 0),
    "warned": ("bool", 0), "stance": ("int8", 0),
}  # fmt: skip


class Known(NamedTuple):
    """What some personas know of every item, [items, m]."""

    learnt: Ints  # step, NEVER where it is not known
    heard: NDArray[np.int16]  # posts read that speak of it
    told: NDArray[np.int16]  # posts written that speak of it
    weight: Floats  # log-odds that what was read adds to belief
    warned: Bools  # a note was seen under it
    stance: Bytes  # a rumour: 1 accepted, -1 rejected; an invitation: 1 comes, -1 does not; 0 not known

    def at(self, *place: Any) -> Known:
        """The same at some places of the arrays."""
        columns: Any = (column[place] for column in self)
        return Known(*columns)

    @property
    def knows(self) -> Bools:
        return np.asarray(self.learnt < NEVER)


class Heard(NamedTuple):
    """What the reading of one step adds, one row a persona and item, ordered by persona, then item."""

    persona: Ints
    item: Bytes
    post: Ints  # the first post read that speaks of it
    after: Known  # [rows] as it stands after reading
    events: NDArray[np.int32]  # [e, 4] persona, item, index into AWARENESS, post


class Hearsay:
    """What everybody knows of every item, and which posts speak of one. The platform alone changes it."""

    learnt: Ints
    source: Ints
    heard: NDArray[np.int16]
    told: NDArray[np.int16]
    weight: Floats
    warned: Bools
    stance: Bytes

    def __init__(self, items: tuple[News, ...], population: int, topics: tuple[str, ...]) -> None:
        """topics: the community's, of which an item may name one."""
        self.items = items
        for name, (dtype, default) in _COLUMNS.items():
            setattr(self, name, np.full((len(items), population), default, dtype))
        self.host = np.full(len(items), -1, np.int32)  # who invites
        self.topic = np.array([topics.index(item.topic) if item.topic in topics else -1 for item in items], np.int8)
        self.meets = np.array([item.kind == "invitation" for item in items])
        self.rumour = np.array([item.kind == "rumour" for item in items])
        self.posts = np.zeros((0, 3), np.int32)  # post ascending, item, saying

    # -- looking --

    def mentions(self, posts: Ints) -> tuple[Ints, Ints]:
        """(item, saying) of each post; -1 and 0 where it speaks of none, and for the post -1."""
        at = np.minimum(np.searchsorted(self.posts[:, 0], posts), max(len(self.posts) - 1, 0))
        if not len(self.posts):
            return np.full(len(posts), -1, np.int32), np.zeros(len(posts), np.int32)
        found = self.posts[at, 0] == posts
        return np.where(found, self.posts[at, 1], -1), np.where(found, self.posts[at, 2], 0)

    def known(self, persona: Ints) -> Known:
        """What those personas know [items, m]."""
        return Known(*(getattr(self, name)[:, persona] for name in Known._fields))

    def retold(self, world: PlatformView) -> Ints:
        """Posts that stand and pass on as true a rumour of which some post bears a note, and bear none themselves."""
        posts = self.posts[self.rumour[self.posts[:, 1]] & (self.posts[:, 2] == TELLS)]
        noted = posts[world.posts.label[posts[:, 0]] > 0, 1]
        others = posts[np.isin(posts[:, 1], noted), 0]
        others = others[world.posts.label[others] == 0]
        return others[world.visible(others)].astype(np.int32)

    def live(self, step: int) -> Bools:
        """Which items may be spoken of [items]."""
        return np.array([not item.over(step) for item in self.items], bool)

    # -- changing --

    def seed(self, item: int, persona: Ints, step: int) -> None:
        """Those personas know the item first; of an invitation the first of them is the host."""
        self.learnt[item, persona], self.stance[item, persona] = step, 1
        if self.meets[item] and len(persona):
            self.host[item] = persona[0]

    def take_in(self, heard: Heard) -> None:
        """Carry out what reading adds."""
        cell = (heard.item, heard.persona)
        fresh = self.learnt[cell] == NEVER
        self.source[heard.item[fresh], heard.persona[fresh]] = heard.post[fresh]
        for name, values in zip(Known._fields, heard.after, strict=True):
            getattr(self, name)[cell] = values

    def note(self, posts: Ints, author: Ints, item: Bytes, saying: Bytes) -> Ints:
        """Those new posts speak of items (-1 none). Returns the rows that do."""
        rows = np.flatnonzero(item >= 0).astype(np.int32)
        if len(rows):
            self.posts = np.concatenate([self.posts, np.column_stack([posts[rows], item[rows], saying[rows]]).astype(np.int32)])
            np.add.at(self.told, (item[rows], author[rows]), 1)
        return rows

    # -- checkpoint --

    def state(self) -> State:
        own: State = {name: getattr(self, name).copy() for name in _COLUMNS}
        return own | {
            "host": self.host.copy(),
            "posts": self.posts.copy(),
            "names": np.array([i.title for i in self.items], "U"),
        }

    def restore(self, state: State) -> None:
        """Take up a state. Items that it does not know start unknown, as in an arm that adds news to its past."""
        names = state["names"].tolist()
        place = {name: i for i, name in enumerate(names)}
        mine = [(i, place[item.title]) for i, item in enumerate(self.items) if item.title in place]
        for name in (*_COLUMNS, "host"):
            for i, j in mine:
                getattr(self, name)[i] = state[name][j]
        new = {j: i for i, j in mine}
        posts = state["posts"][np.isin(state["posts"][:, 1], list(new))]
        self.posts = np.column_stack([posts[:, 0], [new[j] for j in posts[:, 1].tolist()], posts[:, 2]]).astype(np.int32)


# -- the first who know ----------------------------------------------------------------------------------------------------


def first_knowers(b: Behaviour, world: PlatformView, item: int, streams: Streams) -> Ints:
    """Who knows an item first, by luck, activity and readiness to write: others would take it to the grave. The host comes first.

    Drawn among members who are there from the beginning and have not left; among all where no descendant of `origin` is.
    """
    news, people = world.hearsay.items[item], world.population  # type: ignore[union-attr]
    here = (people.arrival == OLD_HAND) & ~world.members.departed
    sketches = [i for i, sketch in enumerate(world.community.personas) if sketch.name == news.origin]
    among = (np.flatnonzero(here & np.isin(people.sketch, sketches)) if news.origin else np.flatnonzero(here)).astype(np.int32)
    among = among if len(among) else np.flatnonzero(here).astype(np.int32)
    count = int(news.knows) if news.knows >= 1 else round(news.knows * int(here.sum()))
    ready = np.log(people.activity[among] + 1e-6) + readiness(b, among, streams)
    luck = ready + streams.gumbel("knows first", item, among)
    return among[np.argsort(-luck, kind="stable")[: max(1, count)]].astype(np.int32)


# -- reading ---------------------------------------------------------------------------------------------------------------


def listen(b: Behaviour, reading: Reading, world: PlatformView, step: int, streams: Streams) -> Heard | None:
    """What readers make of the posts that speak of news; None where nobody read any."""
    hearsay = world.hearsay
    if hearsay is None or not len(hearsay.posts):
        return None
    item, saying = hearsay.mentions(reading.post)
    rows = np.flatnonzero(item >= 0)
    if not len(rows):
        return None
    noted = world.posts.label[reading.post[rows]] > 0
    fresh = reading.fresh[rows]
    rows, noted, fresh = rows[fresh | noted], noted[fresh | noted], fresh[fresh | noted]
    if not len(rows):
        return None
    cell = reading.reader[rows].astype(np.int64) * len(hearsay.items) + item[rows]
    cells, first, of = np.unique(cell, return_index=True, return_inverse=True)
    persona, which = (cells // len(hearsay.items)).astype(np.int32), (cells % len(hearsay.items)).astype(np.int8)
    before = Known(*(getattr(hearsay, name)[which, persona] for name in Known._fields))
    heard = before.heard + np.bincount(of, fresh, len(cells)).astype(np.int16)
    telling = np.isin(saying[rows], (TELLS, INVITES, COMES)) & fresh
    doubting = np.isin(saying[rows], (DOUBTS, CORRECTS)) & fresh
    adds = b.news_tie * (reading.tie[rows] & telling) + b.news_repeat * telling - b.news_doubt * doubting
    warned = before.warned | (np.bincount(of, noted, len(cells)) > 0)
    weight = before.weight + np.bincount(of, adds, len(cells)) + b.news_label * (warned & ~before.warned)
    learnt = np.minimum(before.learnt, step).astype(np.int32)
    told = before.told
    after = Known(learnt, heard, told, weight.astype(np.float32), np.asarray(warned), before.stance)
    after = after._replace(stance=_stance(b, before, after, persona, which, world, step, streams))
    post = reading.post[rows[first]]
    return Heard(persona, which, post, after, _events(hearsay, before, after, persona, which, post))


def _stance(
    b: Behaviour, before: Known, after: Known, persona: Ints, item: Bytes, world: PlatformView, step: int, streams: Streams
) -> Bytes:
    """Belief in rumours, which what is read can turn; whether one comes to a meet-up, decided once, on hearing of it; facts are
    taken for true. Each persona has one threshold an item, so more telling never lowers belief and a note never raises it."""
    hearsay, people = world.hearsay, world.population
    assert hearsay is not None
    believes = streams.uniform("believes", item, persona) < _sigmoid(
        b.news_believe + 0.25 * people.agreeableness[persona] + after.weight
    )
    follows = _follows(world, persona, hearsay.host[item])
    comes = streams.uniform("attends", item, persona) < _sigmoid(
        b.news_attend
        + b.news_taste * _taste(world, persona, item)
        + b.news_tie * follows
        + b.news_talk * people.extraversion[persona]
    )
    open_yet = hearsay.live(step)[item]
    told = np.where(hearsay.rumour[item], believes, True)
    stance = np.where(hearsay.meets[item], np.where(comes & open_yet, 1, -1), np.where(told, 1, -1))
    return np.where(hearsay.meets[item] & (before.stance != 0), before.stance, stance).astype(np.int8)


def _events(hearsay: Hearsay, before: Known, after: Known, persona: Ints, item: Bytes, post: Ints) -> NDArray[np.int32]:
    """Rows of the table `awareness`, in the order of AWARENESS for each persona and item."""
    fresh, changed = before.learnt == NEVER, before.stance != after.stance
    meets, rumour = hearsay.meets[item], hearsay.rumour[item]
    happened = {
        LEARNT: fresh, WARNED: after.warned & ~before.warned, ACCEPTS: rumour & changed & (after.stance > 0),
        REJECTS: rumour & changed & (after.stance < 0), WILL_COME: meets & changed & (after.stance > 0),
        WILL_NOT: meets & changed & (after.stance < 0),
    }  # fmt: skip
    found = [np.column_stack([persona[r], item[r], np.full(int(r.sum()), what), post[r]]) for what, r in happened.items()]
    events = np.concatenate(found).astype(np.int32)
    return events[np.lexsort((events[:, 2], events[:, 1], events[:, 0]))]


def _taste(world: PlatformView, persona: Ints, item: Bytes) -> F64:
    """How much each persona cares for its item's topic against the average member, [-1, 1]; 0 for items near no topic."""
    assert world.hearsay is not None
    topic = world.hearsay.topic[item]
    share = world.population.interests[persona, np.maximum(topic, 0)] * world.population.interests.shape[1]
    return np.where(topic >= 0, np.clip(np.asarray(share, np.float64) - 1, -1, 1), 0.0)


def _follows(world: PlatformView, persona: Ints, whom: Ints) -> Bools:
    return np.asarray((world.members.followees[persona] == whom[:, None]).any(axis=1) & (whom >= 0))


# -- speaking --------------------------------------------------------------------------------------------------------------


class Talk(NamedTuple):
    """Which drafts speak of which item [m]."""

    item: Bytes  # -1 none
    saying: Bytes  # index into SAYINGS


class Mouth(NamedTuple):
    """Some personas in this step and what they know of every item."""

    persona: Ints  # [m] ascending
    known: Known  # [items, m]
    base: F64  # [items, m] log-odds that a draft of theirs speaks of the item, but for what it answers
    first: Bools  # [items, m] brought the item


def known_after(hearsay: Hearsay, heard: Heard | None, persona: Ints) -> Known:
    """What those personas, ascending, know of every item once they have read what they read in this step [items, m]."""
    known = hearsay.known(persona)
    if heard is not None and len(persona):
        at = np.minimum(np.searchsorted(persona, heard.persona), len(persona) - 1)
        mine = persona[at] == heard.persona
        for name, values in heard.after.at(mine)._asdict().items():
            getattr(known, name)[heard.item[mine], at[mine]] = values
    return known


def mouths(b: Behaviour, heard: Heard | None, world: PlatformView, persona: Ints, step: int) -> Mouth | None:
    """What the visitors of a step could speak of after reading [items, n]; None where nobody knows anything."""
    hearsay = world.hearsay
    if hearsay is None or b.news_mention <= -_SURE:
        return None
    known = known_after(hearsay, heard, persona)
    first = (hearsay.learnt[:, persona] < NEVER) & (hearsay.source[:, persona] < 0)
    if not known.knows.any():
        return None
    items, everyone = np.arange(len(hearsay.items), dtype=np.int8), world.population
    grid = (np.repeat(items, len(persona)), np.tile(persona, len(items)))
    shape = known.learnt.shape
    taste = _taste(world, grid[1], grid[0]).reshape(shape)
    ties = _follows(world, grid[1], hearsay.host[grid[0]]).reshape(shape)
    age = np.where(known.knows, step - known.learnt, 0)
    base = (
        b.news_mention + b.news_taste * taste + b.news_tie * ties + b.news_talk * everyone.extraversion[persona]
        + b.news_first * first - b.news_again * known.told - age / b.news_fade + b.news_label_tell * known.warned
    )  # fmt: skip
    return Mouth(persona, known, np.where(known.knows & hearsay.live(step)[:, None], base, -_SURE), first)


def urge(b: Behaviour, mouth: Mouth | None) -> F64 | float:
    """How much more a visitor wants to write for having something to tell [n], log-odds; 0 for those without news."""
    if mouth is None:
        return 0.0
    return np.asarray(((b.news_urge + b.news_first * mouth.first) * _sigmoid(mouth.base)).max(axis=0))


def speak(
    b: Behaviour, mouth: Mouth | None, visit: Ints, parent: Ints, barred: Bools, against: F64, world: PlatformView, step: int,
    streams: Streams,
) -> Talk | None:  # fmt: skip
    """Which drafts speak of an item, and what they say [m]; None where none can.

    visit: columns of the mouth that write. parent: [m]. barred: [m] drafts that are busy with something else. against: [m] log-odds
    by which a rule against misinformation keeps its author from passing rumours on.
    """
    if mouth is None or not len(visit):
        return None
    hearsay = world.hearsay
    assert hearsay is not None
    who, known = mouth.persona[visit], mouth.known.at(slice(None), visit)
    about, said = hearsay.mentions(parent)
    items = np.arange(len(hearsay.items))[:, None]
    answers = about == items
    logit = mouth.base[:, visit] + np.where(
        answers,
        b.news_answer + np.where(known.told > 0, b.news_again * known.told * 0.7, 0.0),
        np.where(parent >= 0, b.news_aside, 0),
    )
    passes_on = hearsay.rumour[:, None] & (known.stance > 0)
    logit = np.where(known.knows & ~barred, logit - passes_on * against, -_SURE)
    u = streams.uniform("mention", step, items, who)
    margin = logit - np.log(u / (1 - u))
    best = np.argmax(margin, axis=0)
    column = np.arange(len(who))
    hit = (margin[best, column] > 0) & (logit[best, column] > -_SURE)
    saying = _choose(hearsay, best, known.at(best, column), answers[best, column], said, parent, who, step, streams)
    return Talk(np.where(hit, best, -1).astype(np.int8), np.where(hit, saying, 0).astype(np.int8))


def _choose(
    hearsay: Hearsay, item: NDArray[np.intp], known: Known, answers: Bools, said: Ints, parent: Ints, who: Ints, step: int,
    streams: Streams,
) -> Ints:  # fmt: skip
    """What each draft says of its item, given what its author makes of it and what it answers."""
    u = streams.uniform("saying", step, item, who)
    believes = known.stance > 0
    doubted = np.where(known.warned, CORRECTS, DOUBTS)
    answering = np.where(believes, np.where(u < 0.6, TELLS, ASKS), np.where(u < 0.75, doubted, ASKS))
    telling = np.where(believes, np.where(u < 0.8, TELLS, ASKS), np.where(u < 0.5, ASKS, doubted))
    about = np.where(answers, answering, telling)
    host = hearsay.host[item] == who
    guest = np.where(answers, np.where(u < 0.7, COMES, ASKS), np.where(u < 0.5, TELLS, COMES))
    absent = np.where(answers, np.where(u < 0.6, DECLINES, ASKS), TELLS)
    # Who has asked once or said already that it comes talks on about the arrangements.
    meeting = np.where(host, np.where(answers, WELCOMES, INVITES), np.where(known.stance > 0, guest, absent))
    return np.where(hearsay.meets[item], meeting, about).astype(np.int32)


def act_of(saying: Bytes, act: Bytes) -> Bytes:
    """What a draft does, given what it says of news [m]: its own act where it says nothing."""
    return np.where(saying > 0, _ACTS[saying], act).astype(np.int8)


def breaks(talk: Talk, hearsay: Hearsay) -> Bools:
    """Drafts that pass a rumour on as true [m]."""
    return np.asarray(hearsay.rumour[np.maximum(talk.item, 0)] & (talk.item >= 0) & (talk.saying == TELLS))


OVERHEARD = 0.75
"""Share of an item's content words from which on a text that nobody asked for it speaks of it."""


def as_written(briefs: Briefs, writing: Writing, world: PlatformView) -> Briefs:
    """The briefs with what their texts really say of news: the loop is closed through words.

    A post speaks of the item that it was asked for if it holds half of its content words or answers a post that speaks of it; a
    model that forgot it has told nobody. A post that was not asked and holds most of an item's words tells it all the same.
    """
    hearsay = world.hearsay
    assert hearsay is not None
    m = len(briefs.author)
    asked = np.full(m, -1, np.int8) if briefs.news is None else briefs.news
    saying = np.zeros(m, np.int8) if briefs.saying is None else briefs.saying
    about, _ = hearsay.mentions(briefs.parent)
    item = asked.copy()
    for row, text in enumerate(writing.text):
        at = int(asked[row])
        if at >= 0:
            item[row] = at if about[row] == at or hearsay.items[at].says(text) else -1
        else:
            item[row] = next((i for i, news in enumerate(hearsay.items) if news.says(text, OVERHEARD)), -1)
    said = np.where(item < 0, 0, np.where(asked >= 0, saying, TELLS)).astype(np.int8)
    return briefs._replace(news=item, saying=said) if (item >= 0).any() or briefs.news is not None else briefs


def _sigmoid(x: Any) -> F64:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -60, 60))))


# -- meeting ---------------------------------------------------------------------------------------------------------------


def who_came(b: Behaviour, world: PlatformView, item: int, streams: Streams) -> Ints:
    """Who is at the meet-up: the host, and of those who meant to come and have not left most."""
    hearsay = world.hearsay
    assert hearsay is not None
    means = np.flatnonzero((hearsay.stance[item] > 0) & ~world.members.departed)
    shows = (streams.uniform("shows up", item, means) < b.news_show) | (means == hearsay.host[item])
    return means[shows].astype(np.int32)
