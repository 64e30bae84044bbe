"""The language writer: what a mind decided, put to a language model, and what came back as posts.

One prompt for each post (or for a few, with `batch`). Whatever goes wrong is a failure with its reason and never a text; the author
acts again at its next visit. Sampling seeds and examples are keyed by who writes when, never by post ids, so that arms of a
comparison ask the same where they are the same, and a stored answer serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulacra.events import ACTS, KINDS, SAYINGS
from simulacra.minds import prompts
from simulacra.minds.prompts import Brief, Community, Example, Said, Tidings
from simulacra.minds.roles import Roles, length
from simulacra.seams import Briefs, Musing, Prompt, TextGenerator, Thought, Writer, Writing
from simulacra.text.faults import looks_english, post_fault

if TYPE_CHECKING:
    from simulacra.platform import PlatformView
    from simulacra.streams import Streams

_ANCESTORS = 5
"""Posts of a thread that are looked at above the one answered; prompts show those that have room, and the opening post."""
_LEVELS = (-0.6, 0.0, 0.6)
"""Moods of example posts."""
_VARIANTS = 4
"""Sets of examples for each act, topic and mood: more variety costs prefix caches."""
_VOICES = ("share", "ask", "agree", "disagree", "vent")
_FAR_PAST = -(10**5)
"""Steps before this are no hours of a run: calibration and examples are written there."""


class LanguageWriter:
    """Writes for the personas of one seed with a language model.

    sketch: writes the examples of the community's voice, what the scorer is calibrated by, and, unless writes_past, the burn-in
    days. batch: posts in one call, 1 to 8. Only `fallen_back` changes over time: posts of a batch that had to be asked for alone.
    """

    def __init__(
        self, generator: TextGenerator, sketch: Writer, roles: Roles, *, writes_past: bool = True, batch: int = 1
    ) -> None:
        self.generator, self.roles, self.batch = generator, roles, batch if generator.chats else 1
        self.calibrates_by_past = writes_past
        self.fallen_back = 0
        self._voices = Voices(sketch, roles)
        self._sketch = sketch

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        """One post a brief; `failure` says why where there is none."""
        if briefs.step < (_FAR_PAST if self.calibrates_by_past else 0):
            return self._sketch.write(briefs, world, streams)
        count = len(briefs.author)
        texts, failure = [""] * count, dict[int, str]()
        if count:
            texts, failure = self._written(self.briefs(briefs, world, streams), seeds(briefs, streams), briefs, world, streams)
        return Writing(texts, np.zeros(count, np.int64), np.zeros(count, np.int8), failure)

    def prompts(self, briefs: Briefs, world: PlatformView, streams: Streams) -> list[Prompt]:
        """What would be asked, one prompt a brief."""
        told, seed = self.briefs(briefs, world, streams), seeds(briefs, streams)
        return [
            self._prompt(b, s, a, briefs.step, world, streams)
            for b, s, a in zip(told, seed, briefs.author.tolist(), strict=True)
        ]

    def community(self, world: PlatformView, streams: Streams) -> Community:
        """What all prompts share: the arm's own rules, and how people talk here."""
        c = world.community
        return Community(c.name, c.goal, c.rules, self._voices.lines(world, streams) if self.generator.chats else ())

    def briefs(self, briefs: Briefs, world: PlatformView, streams: Streams) -> list[Brief]:
        """The rows in words."""
        people, parents = world.population, briefs.parent.tolist()
        words = length(people, briefs.author, briefs.parent >= 0, briefs.step, briefs.revision, streams).tolist()
        threads = [thread_of(parent, world) if parent >= 0 else () for parent in parents]
        topics, authors = world.community.topics, briefs.author.tolist()
        memory, plans = ([()] * len(authors) if lines is None else lines for lines in (briefs.memory, briefs.plans))
        news = tidings(briefs, world)
        rows = zip(
            authors, briefs.act.tolist(), briefs.topic.tolist(), briefs.mood.tolist(), briefs.truth.tolist(), strict=True
        )
        return [
            Brief(self.roles.persona(people, who, streams), ACTS[act], KINDS[truth], topics[topic], mood, words[i], threads[i],
                  memory[i], briefs.revision, plans[i], news[i])
            for i, (who, act, topic, mood, truth) in enumerate(rows)
        ]  # fmt: skip

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """What each concludes from what it remembers: one call each."""
        chats, fault = self.generator.chats, post_faults(world.community.goal)

        def unusable(answer: str) -> str:
            found = prompts.insights(answer, chats)
            return next(filter(None, map(fault, found)), "") if found else "empty"

        answers = self.generator.answer(self.reflections(musings, world, step, streams), unusable)
        return [
            Thought((), answer.failure) if answer.failure else Thought(prompts.insights(answer.text, chats))
            for answer in answers
        ]

    def reflections(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Prompt]:
        """What would be asked of those who reflect."""
        community, people = self.community(world, streams), world.population
        who = np.array([musing.persona for musing in musings], np.int32)
        seed = (streams.bits("reflect", step, who) >> np.uint64(33)).astype(np.int64).tolist()
        return [
            prompts.reflection_prompt(community, self.roles.persona(people, m.persona, streams), m.memories, seed[at], self.generator.chats)
            for at, m in enumerate(musings)
        ]  # fmt: skip

    def _prompt(self, brief: Brief, seed: int, author: int, step: int, world: PlatformView, streams: Streams) -> Prompt:
        community = self.community(world, streams)
        if self.generator.chats:
            return prompts.chat_prompt(community, brief, seed)
        topic = world.community.topics.index(brief.topic)
        examples = self._voices.examples(ACTS.index(brief.act), topic, brief.mood, author + step, world, streams)
        return prompts.page_prompt(community, brief, examples, seed)

    def _written(
        self, told: Sequence[Brief], seed: Sequence[int], briefs: Briefs, world: PlatformView, streams: Streams
    ) -> tuple[list[str], dict[int, str]]:
        texts, open_rows = [""] * len(told), list(range(len(told)))
        if self.batch > 1 and len(told) > 1:
            texts, open_rows = self._batched(told, seed, world, streams)
        author = briefs.author.tolist()
        asked = [self._prompt(told[row], seed[row], author[row], briefs.step, world, streams) for row in open_rows]
        chats, fault = self.generator.chats, post_faults(world.community.goal)
        answers = self.generator.answer(asked, lambda answer: fault(prompts.spoken(answer, chats))) if asked else []
        failure: dict[int, str] = {}
        for row, answer in zip(open_rows, answers, strict=True):
            texts[row] = "" if answer.failure else prompts.spoken(answer.text, chats)
            if not texts[row]:
                failure[row] = answer.failure or "empty"
        return texts, failure

    def _batched(
        self, told: Sequence[Brief], seed: Sequence[int], world: PlatformView, streams: Streams
    ) -> tuple[list[str], list[int]]:
        """Posts of the batches, and the rows that have to be asked for alone because their batch brought nothing usable for them."""
        starts = range(0, len(told), self.batch)
        community, fault = self.community(world, streams), post_faults(world.community.goal)
        asked = [prompts.batch_prompt(community, told[at : at + self.batch], seed[at]) for at in starts]
        texts: list[str] = []
        for at, answer in zip(starts, self.generator.answer(asked), strict=True):
            size = len(told[at : at + self.batch])
            texts += [text if text and not fault(text) else "" for text in prompts.batch_texts(answer.text, size)]
        alone = [row for row, text in enumerate(texts) if not text]
        self.fallen_back += len(alone)
        return texts, alone


class Voices:
    """Posts by the sketch mind in the community's own voice, for a model to hear how people talk there. Written once and kept."""

    def __init__(self, sketch: Writer, roles: Roles) -> None:
        self._sketch, self._roles = sketch, roles
        self._examples: dict[tuple[int, int, int, int], list[Example]] = {}
        self._lines: tuple[str, ...] = ()

    def examples(self, act: int, topic: int, mood: float, turn: int, world: PlatformView, streams: Streams) -> list[Example]:
        """Two posts of that act, on that topic, in a like mood. turn: spreads the sets of examples over authors and hours."""
        level = int(np.argmin([abs(mood - m) for m in _LEVELS]))
        key = (act, topic, level, turn % _VARIANTS)
        if key not in self._examples:
            self._examples[key] = self._written([act, act], [topic, topic], _LEVELS[level], key[-1], world, streams)
        return self._examples[key]

    def lines(self, world: PlatformView, streams: Streams) -> tuple[str, ...]:
        """A few posts of different acts and topics, the same for a whole run."""
        if not self._lines:
            acts = [ACTS.index(act) for act in _VOICES]
            topics = [n % len(world.community.topics) for n in range(len(acts))]
            self._lines = tuple(e.text for e in self._written(acts, topics, 0.1, _VARIANTS, world, streams))
        return self._lines

    def _written(
        self, acts: Sequence[int], topics: Sequence[int], mood: float, variant: int, world: PlatformView, streams: Streams
    ) -> list[Example]:
        count, people = len(acts), world.population
        lanes = np.arange(count)
        author = streams.integers(len(people), "example author", np.array(acts), np.array(topics), variant, lanes).astype(
            np.int32
        )
        nothing = np.zeros(count, np.int8)
        briefs = Briefs(
            author, -(2 * 10**6) - variant, np.array(acts, np.int8), np.array(topics, np.int8), np.full(count, mood, np.float32),
            np.full(count, -1, np.int32), nothing,
        )  # fmt: skip
        texts = self._sketch.write(briefs, world, streams).text
        personas = [self._roles.persona(people, who, streams) for who in author.tolist()]
        return [
            Example(prompts.page_label(p), ACTS[act], mood, text) for p, act, text in zip(personas, acts, texts, strict=True)
        ]


def seeds(briefs: Briefs, streams: Streams) -> list[int]:
    """Sampling seeds [m], 31 bits, keyed by who writes when and in which version."""
    bits = streams.bits("model", briefs.step, briefs.revision, np.asarray(briefs.author))
    return (bits >> np.uint64(33)).astype(np.int64).tolist()


def tidings(briefs: Briefs, world: PlatformView) -> list[Tidings | None]:
    """The news that each post is to speak of [m], None where it is to speak of none."""
    if briefs.news is None or briefs.saying is None or world.hearsay is None:
        return [None] * len(briefs.author)
    items = world.hearsay.items
    rows = zip(briefs.news.tolist(), briefs.saying.tolist(), strict=True)
    return [
        Tidings(items[item].told(briefs.step), SAYINGS[said], items[item].when >= 0) if item >= 0 else None
        for item, said in rows
    ]


def thread_of(post: int, world: PlatformView) -> tuple[Said, ...]:
    """The opening post, what led to this one, and this one last. Bounded, however long the thread is."""
    posts = world.posts
    chain = [post]
    while len(chain) <= _ANCESTORS and posts.parent[chain[-1]] >= 0:
        chain.append(int(posts.parent[chain[-1]]))
    root = int(posts.root[post])
    if chain[-1] != root:
        chain.append(root)
    return tuple(said(one, world) for one in reversed(chain))


def said(post: int, world: PlatformView) -> Said:
    """A post as somebody else reads it."""
    posts = world.posts
    gone = posts.removed[post] >= 0 or bool(posts.hidden[post])
    text = "(removed)" if gone else posts.text[post]
    return Said(str(world.population.handle[posts.author[post]]), text, ACTS[posts.act[post]])


def post_faults(goal: str) -> Callable[[str], str]:
    """What is wrong with the words of a persona; a community whose goal is not in English may write in its own language."""
    language = "en" if looks_english(goal) else ""
    return lambda text: post_fault(text, language)
