"""A mind that leaves the decisions to a language model: one call a visit, which sees the slate, the persona and its memories and
decides votes, reports, whether to write, to whom, which act, and the words.

The model is not told a mood, and nothing read moves one here: whatever spreads from reader to writer is the model's own doing.
Results made in this way are labelled *emergent*. Attention (how far a visitor scrolls) stays with the behaviour model, and so does
the burn-in. Whether a text breaks a rule is what the model itself says of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra import behaviour as model
from simulacra.events import ACTS, KINDS
from simulacra.hearsay import Heard, listen
from simulacra.minds.guided import GuidedMind, written
from simulacra.minds.language import LanguageWriter, post_faults
from simulacra.minds.prompts import MOST_OFFERED, Choice, Offered, Persona, choice, offered_in, visit_prompt
from simulacra.seams import Bools, Briefs, Bytes, Prompt, Reading, Turns, Visits, Writing
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


class _Slates(NamedTuple):
    """What each visit is asked about: rows of the reading that its numbers name, and the prompt."""

    rows: list[list[int]]  # [n] number of a post less one -> row of the reading
    prompts: list[Prompt]


class AutonomousMind(GuidedMind):
    """Decides and writes through a model that chats. Takes what GuidedMind takes; its writer is a LanguageWriter."""

    writer: LanguageWriter

    def take_turns(self, visits: Visits, world: PlatformView, streams: Streams) -> Turns:
        if visits.step < 0:
            return super().take_turns(visits, world, streams)
        taste = self.taste[visits.persona]
        look = model.looked(self.behaviour, visits.persona, visits.slate, taste, world, visits.step, streams)
        reading = self.read(visits, look, world, streams)
        heard = None
        if self.recollection is not None:
            heard = listen(self.behaviour, reading, world, visits.step, streams)
            self.recollection.notice(world)
        slates = self._slates(visits, reading, world, streams, heard)
        topics, fault = len(world.community.topics), post_faults(world.community.goal)

        def unusable(answer: str) -> str:
            made = choice(answer, MOST_OFFERED, topics, ACTS, KINDS)
            return "invalid JSON" if made is None else fault(made.text) if made.writes else ""

        answers = self.writer.generator.answer(slates.prompts, unusable)
        choices = [choice(a.text, len(r), topics, ACTS, KINDS) for a, r in zip(answers, slates.rows, strict=True)]
        failure = {
            v: a.failure or "invalid JSON"
            for v, (a, c) in enumerate(zip(answers, choices, strict=True))
            if a.failure or c is None
        }
        reaction, reported = _reactions(choices, slates.rows, reading)
        turns = self._turns(visits, look, reading, reaction, reported, choices, slates.rows, failure, world, streams)
        authors = written(turns.briefs, turns.writing)
        return turns._replace(thoughts=self._live_through(reading, visits.persona, authors, heard, world, visits.step, streams))

    def _slates(
        self, visits: Visits, reading: Reading, world: PlatformView, streams: Streams, heard: Heard | None = None
    ) -> _Slates:
        writer, people = self.writer, world.population
        rows: list[list[int]] = [[] for _ in visits.persona]
        for row, visit in enumerate(reading.visit.tolist()):  # answers come first, then the slate from the top
            if len(rows[visit]) < MOST_OFFERED and reading.post[row] not in reading.post[rows[visit]]:
                rows[visit].append(row)
        slates = [[_offered(row, reading, world) for row in chosen] for chosen in rows]
        who = visits.persona.tolist()
        memory: Any = [()] * len(who)
        plans: Any = memory
        if self.recollection is not None:
            posts = [reading.post[chosen].tolist() for chosen in rows]
            memory, plans = self.recollection.at_visit(visits.persona, posts, heard, world, visits.step)
        seed = (streams.bits("model visit", visits.step, visits.persona) >> np.uint64(33)).astype(np.int64).tolist()
        community, topics = writer.community(world, streams), world.community.topics
        personas: list[Persona] = [writer.roles.persona(people, one, streams) for one in who]
        asked = [
            visit_prompt(community, topics, personas[i], memory[i], slates[i], seed[i], ACTS, KINDS, plans=plans[i])
            for i in range(len(who))
        ]
        return _Slates([shown[: offered_in(prompt)] for shown, prompt in zip(rows, asked, strict=True)], asked)

    def _turns(
        self, visits: Visits, look: Bytes, reading: Reading, reaction: Bytes, reported: Bools, choices: list[Choice | None],
        rows: list[list[int]], failure: dict[int, str], world: PlatformView, streams: Streams,
    ) -> Turns:  # fmt: skip
        """Drafts of the visits that write, and failed visits as drafts without a text."""
        step, persona = visits.step, visits.persona
        free = world.members.muted_until[persona] <= step
        made = [(v, c) for v, c in enumerate(choices) if v in failure or (c is not None and c.writes and free[v])]
        parents = [_parent(c, rows[v], reading, world) if c is not None else -1 for v, c in made]
        writes = np.array([v for v, _ in made], np.int32)
        mood = model.mood_on_arrival(self.behaviour, world, persona, step, streams).own.clip(-1, 1).astype(np.float32)
        parent = np.array(parents, np.int32)
        topic = [
            world.posts.topic[p] if p >= 0 else (c.topic if c is not None else 1) - 1
            for p, (_, c) in zip(parents, made, strict=True)
        ]
        briefs = Briefs(
            persona[writes], step, _codes(made, ACTS, lambda c: c.act), np.array(topic, np.int8), mood[writes], parent,
            _codes(made, KINDS, lambda c: c.breaks),
        )  # fmt: skip
        texts = ["" if v in failure or c is None else c.text for v, c in made]
        nothing = np.zeros(len(made), np.int8)
        failed = {row: failure[v] for row, (v, _) in enumerate(made) if v in failure}
        writing = Writing(texts, np.zeros(len(made), np.int64), nothing, failed)
        return Turns(look, reading, reaction, reported, writes, briefs, writing, mood, np.zeros(len(persona), np.float32))


def _codes(made: list[tuple[int, Choice | None]], labels: tuple[str, ...], label: Callable[[Choice], str]) -> Bytes:
    return np.array([labels.index(label(c)) if c is not None else 0 for _, c in made], np.int8)


def _offered(row: int, reading: Reading, world: PlatformView) -> Offered:
    posts, post = world.posts, reading.post[row]
    return Offered(
        str(world.population.handle[posts.author[post]]), posts.text[post], int(posts.up[post]), int(posts.down[post]),
        bool(reading.source[row] == 1 and posts.author[posts.parent[post]] == reading.reader[row]), bool(posts.locked[posts.root[post]]),
    )  # fmt: skip


def _parent(made: Choice, rows: list[int], reading: Reading, world: PlatformView) -> int:
    """The post answered; -1 opens a thread, as does an answer to a thread that takes none, or to oneself."""
    if not 1 <= made.to <= len(rows):
        return -1
    row = rows[made.to - 1]
    post = int(reading.post[row])
    own = world.posts.author[post] == reading.reader[row]
    return -1 if own or world.posts.locked[world.posts.root[post]] else post


def _reactions(choices: list[Choice | None], rows: list[list[int]], reading: Reading) -> tuple[Bytes, Bools]:
    """Votes and reports for every impression; only posts seen for the first time are voted on, as under the behaviour model."""
    reaction, reported = np.zeros(len(reading.post), np.int8), np.zeros(len(reading.post), bool)
    for made, known in zip(choices, rows, strict=True):
        for n, vote in (made.votes if made is not None else {}).items():
            row = known[n - 1] if n <= len(known) else -1
            if row >= 0 and reading.fresh[row]:
                reported[row] |= vote == "report"
                reaction[row] = {"up": 1, "down": -1}.get(vote, reaction[row])
    return reaction, reported
