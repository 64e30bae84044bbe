"""What the personas of one arm remember, take into their prompts, conclude and plan: where the memory streams meet a run.

A mind calls it before it writes (`recall`, `at_visit`) and after (`take_in`, `reflect`). Only those who write have a stream: it
holds their own posts as they were posted, what they read that mattered most to them, answers to them first, and news. Who holds a
meet-up or means to come to one has that as a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulacra import hearsay as news
from simulacra.hearsay import Heard
from simulacra.minds.memory import Embedder, Memory, importance
from simulacra.news import News, date
from simulacra.scoring.semantic import embed
from simulacra.seams import Briefs, Floats, Ints, Lines, Musing, Reading, State, Thinker, Thoughts, Writer

if TYPE_CHECKING:
    from simulacra.platform import PlatformView
    from simulacra.streams import Streams

MOST_READ = 4
"""Posts of one visit that are remembered: those of the highest importance."""
MOST_CHARACTERS = 160
"""Of a post, in a memory: no more of it has room in a prompt."""
THRESHOLD = 250.0
"""Importance since the last reflection at which a persona reflects. Park et al.'s 150 came to .30 reflections a post in a week of
1,000 trip planners, this to .16 (estimates of both: docs/language.md)."""
PONDERED = 10
"""Memories that a reflection rests on."""
OWN, TOLD = 3.0, 5.0
"""Importance of a post of one's own, to which 3 |valence| is added, and of a piece of news. Ours."""

_EMBEDDING = Lock()


def alike(texts: Sequence[str]) -> Floats:
    """MiniLM's vectors, the same on any number of cores; arms that are played by threads take turns. In bfloat16 where the processor
    can: a third less time, and what is recalled is ranked by three decimals."""
    with _EMBEDDING:
        return embed(texts, tokens=64, coarse=True)


class Recollection:
    """The memories of one arm's personas in a run.

    recalled: memories told in a prompt. since: step from which on prompts are asked; before it nothing is recalled or reflected on.
    """

    def __init__(self, recalled: int, since: int = 0, embedder: Embedder | None = None) -> None:
        self.recalled, self.since = recalled, since
        self.memory = Memory(threshold=THRESHOLD, embedder=embedder or alike)
        self._noticed = 0  # posts up to this id have been noticed by their authors

    # -- before writing --

    def recall(self, briefs: Briefs, heard: Heard | None, world: PlatformView) -> Briefs:
        """The briefs with what comes to their authors' minds and what those mean to do."""
        if briefs.step < self.since:
            return briefs
        author, posts, topics = briefs.author.tolist(), world.posts, world.community.topics
        rows = list(zip(author, briefs.parent.tolist(), briefs.topic.tolist(), strict=True))
        asked = [posts.text[parent] if parent >= 0 else topics[topic] for _, parent, topic in rows]
        there = [_before_one(who, parent, world) for who, parent, _ in rows]
        memory = self.memory.recall(author, asked, briefs.step, self.recalled, there)
        return briefs._replace(memory=_lines(memory), plans=self._plans(briefs.author, heard, world, briefs.step))

    def at_visit(
        self, persona: Ints, slates: Sequence[Sequence[int]], heard: Heard | None, world: PlatformView, step: int
    ) -> tuple[Lines, Lines]:
        """(memories, plans) of visitors [n], ascending, before they decide anything. slates: posts that each has before it."""
        texts = [" ".join(world.posts.text[post] for post in slate[:3]) for slate in slates]
        there = [{_told(post, who, world) for post in slate} for who, slate in zip(persona.tolist(), slates, strict=True)]
        memory = self.memory.recall(persona, texts, step, self.recalled, there)
        return _lines(memory), self._plans(persona, heard, world, step)

    def _plans(self, persona: Ints, heard: Heard | None, world: PlatformView, step: int) -> Lines:
        """What each means to do; those who hold a meet-up or have decided to come to one have it as a plan from now on."""
        who = persona.tolist()
        if world.hearsay is not None:
            known, items = news.known_after(world.hearsay, heard, persona), world.hearsay.items
            means = known.knows & (known.stance > 0) & (world.hearsay.meets & world.hearsay.live(step))[:, None]
            for item, at in np.argwhere(means).tolist():
                is_host = world.hearsay.host[item] == persona[at]
                self.memory.intend(who[at], items[item].when, _plan(items[item], bool(is_host)))
        ahead = (self.memory.planned_ahead(person, step) for person in who)
        return _lines([[f"{date(when, step)}: {what}" for when, what in plans] for plans in ahead])

    # -- after writing --

    def notice(self, world: PlatformView) -> None:
        """Who has written since the last call remembers its posts, as moderation let them stand. Call before an hour's turns."""
        posts = world.posts
        for post in range(self._noticed, len(posts)):
            who = int(posts.author[post])
            weight = OWN + 3 * abs(float(posts.valence[post]))
            self.memory.observe([who], int(posts.step[post]), [_told(post, who, world)], weight, "wrote")
        self._noticed = len(posts)

    def take_in(
        self, reading: Reading, persona: Ints, authors: Ints, heard: Heard | None, world: PlatformView, step: int
    ) -> None:
        """Visitors who have written before or write now remember the most important of what they read, and news.

        persona: of the visits, ascending. authors: of them, who write.
        """
        who = np.union1d(authors, persona[self.memory.has_any(persona)]).astype(np.int32)
        if not len(who):
            return
        rows = np.flatnonzero(reading.fresh & np.isin(reading.reader, who))
        post, reader, posts = reading.post[rows], reading.reader[rows], world.posts
        mine = (posts.parent[post] >= 0) & (posts.author[posts.parent[post]] == reader) if len(posts) else np.zeros(0, bool)
        weight = importance(
            posts.valence[post], posts.toxicity[post], mine, reading.tie[rows], reading.affinity[rows], posts.up[post] + posts.down[post]
        )  # fmt: skip
        kept = _most(reading.visit[rows], weight, MOST_READ)
        told = [_told(p, who_read, world) for p, who_read in zip(post[kept].tolist(), reader[kept].tolist(), strict=True)]
        source = ["answered" if answers else "read" for answers in mine[kept]]
        self.memory.observe(reader[kept], step, told, weight[kept], source)
        self._hear(who, heard, world, step)

    def _hear(self, who: Ints, heard: Heard | None, world: PlatformView, step: int) -> None:
        if world.hearsay is None:
            return
        known = news.known_after(world.hearsay, heard, who).knows
        for item, at in np.argwhere(known).tolist():
            words, person = _heard(world.hearsay.items[item]), int(who[at])
            if not self.memory.holds(person, words):
                self.memory.observe([person], step, [words], TOLD, "news")

    def reflect(self, writer: Writer, world: PlatformView, step: int, streams: Streams) -> Thoughts | None:
        """Those who have lived through enough draw conclusions, which they remember; None where nobody has, or nobody can be asked.
        A reflection that fails is not asked for again before as much has happened once more."""
        due = self.memory.due() if step >= self.since and isinstance(writer, Thinker) else np.zeros(0, np.int32)
        if not len(due) or not isinstance(writer, Thinker):
            return None
        held = self.memory.recall(due, [""] * len(due), step, PONDERED)
        musings = [Musing(person, tuple(memories)) for person, memories in zip(due.tolist(), held, strict=True)]
        rows: list[tuple[int, str, str]] = []
        for musing, thought in zip(musings, writer.reflect(musings, world, step, streams), strict=True):
            self.memory.reflected(musing.persona, [f"I thought: {words}" for words in thought.insights], step)
            rows += [(musing.persona, words, "") for words in thought.insights]
            rows += [(musing.persona, "", thought.failure)] if thought.failure else []
        return Thoughts(np.array([who for who, *_ in rows], np.int32), [text for _, text, _ in rows], [why for *_, why in rows])

    # -- checkpoint --

    def state(self) -> State:
        return {f"memory.{name}": value for name, value in self.memory.state().items()} | {"noticed": np.array([self._noticed])}

    def restore(self, state: State) -> None:
        """Take up a state; one without memories, of a mind that kept none, leaves this as it is."""
        if "noticed" in state:
            self._noticed = int(state["noticed"][0])
            self.memory.restore({n.removeprefix("memory."): v for n, v in state.items() if n.startswith("memory.")})


def _told(post: int, me: int, world: PlatformView) -> str:
    """A post as that persona remembers it."""
    posts = world.posts
    author, parent = int(posts.author[post]), int(posts.parent[post])
    to = int(posts.author[parent]) if parent >= 0 else -1
    handle = world.population.handle
    if author == me:
        said = "I wrote" if to < 0 else f"I answered {handle[to]}"
    else:
        said = f"{handle[author]} answered me" if to == me else f"{handle[author]} wrote"
    return f"{said}: {posts.text[post][:MOST_CHARACTERS]}"


def _before_one(me: int, parent: int, world: PlatformView) -> set[str]:
    """The posts of a thread that a prompt shows, as they would be remembered."""
    shown: set[str] = set()
    post = parent
    while post >= 0 and len(shown) < 5:
        shown.add(_told(post, me, world))
        post = int(world.posts.parent[post])
    return shown | ({_told(int(world.posts.root[parent]), me, world)} if parent >= 0 else set())


def _plan(item: News, is_host: bool) -> str:
    return f"hold {item.inside}, to which I invite people here" if is_host else f"go to {item.inside}"


def _heard(item: News) -> str:
    return f"I heard of {item.inside}, day {item.when // 24 + 1}" if item.when >= 0 else f"I heard that {item.inside}"


def _most(group: Ints, weight: Floats, most: int) -> NDArray[np.intp]:
    """The rows of the highest weight in each group, at most so many of one, in their own order."""
    order = np.lexsort((np.arange(len(group)), -np.round(weight, 3), group))
    of = group[order]
    rank = np.arange(len(of)) - np.searchsorted(of, of)
    return np.sort(order[rank < most])


def _lines(rows: Sequence[Sequence[str]]) -> Lines:
    out = np.empty(len(rows), object)
    for at, lines in enumerate(rows):
        out[at] = tuple(lines)
    return out
