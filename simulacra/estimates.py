"""What a language run will take, before it is played: calls, tokens, time, money.

A dry run of the kernel with the sketch mind standing in: who writes when is decided by the same behaviour model and the same
chances, so calls are counted, not guessed (with full autonomy: one for every visit). A sample of the prompts is rendered and
measured. What cannot be known beforehand, how long a model's answers are and how often it has to be asked again, is said so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulacra.experiment import RunSpec, Stage, one_blas_thread, past_of, set_stage
from simulacra.minds.assessor import ModelAssessor
from simulacra.minds.autonomous import AutonomousMind
from simulacra.minds.guided import GuidedMind
from simulacra.minds.language import LanguageWriter
from simulacra.minds.personapool import batches
from simulacra.minds.prompts import tokens
from simulacra.minds.settings import Language, make_writer, remembering
from simulacra.scoring.semantic import WeightsError, topic_affinity
from simulacra.seams import Assessment, Briefs, Drafts, Floats, Musing, Prompt, TextGenerator, Thought, Turns, Visits, Writing
from simulacra.sessions import Session
from simulacra.streams import Streams
from simulacra.text import Budget, ModelSpec, price_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulacra.persona import Population
    from simulacra.platform import PlatformView
    from simulacra.scoring.semantic import TopicAffinity
    from simulacra.seams import Answer, Writer

_RENDERED = 300
"""Prompts that are all measured; of those beyond, every tenth."""
TOKENS_A_WORD, TOKENS_A_POST, TOKENS_A_VISIT = 1.4, 10, 45
"""Output of a post: tokens a word and of its JSON; of a visit without a text. Measured on English; other scripts take more."""
TOKENS_A_THOUGHT = 50
"""Output of a reflection: two short sentences and their JSON."""
TOKENS_A_JUDGEMENT = 15
"""Output of a judgement that keeps a draft: {"draft_1": {"rule": 0, "why": ""}}."""
LATENCY, TOKENS_A_SECOND = 0.8, 60.0
"""Seconds to the first token of a hosted model, and tokens a second from then on: rough, and said to be."""
LOCAL_POSTS_A_SECOND = 1.5
"""Of the packaged 270M model on two idle cores (1 to 3); larger models are slower by their size."""
WORTH_ASKING = {"cost": 1.0, "calls": 2000, "seconds": 3600.0}
"""Beyond any of these a run is confirmed first."""


@dataclass(frozen=True)
class Estimate:
    """What a run or comparison with a language mind is expected to take, retries not counted."""

    language: Language
    chats: bool
    runs: int  # arms times seeds
    posts: int  # that will be written in measured days, or for full autonomy visits
    calls: int  # in all
    past_calls: int  # of those, for the burn-in days
    pool_calls: int  # of those, to expand the sketches
    thinking_calls: int  # of those, reflections on what members remember
    judging_calls: int  # of those, by which a language model moderates
    input_tokens: int
    output_tokens: int
    longest_prompt: int  # tokens, of those measured
    seconds: float  # rough
    cost: float | None  # US dollars; None where the price table does not know the model

    @property
    def tokens_a_call(self) -> float:
        return self.input_tokens / self.calls if self.calls else 0.0

    @property
    def is_large(self) -> bool:
        """Whether to ask before it is begun: money, calls or hours, or many calls of unknown price."""
        over = self.calls > WORTH_ASKING["calls"] or self.seconds > WORTH_ASKING["seconds"]
        return over or (self.cost > WORTH_ASKING["cost"] if self.cost is not None else self.calls > 200)

    def brief(self) -> str:
        """In a few words: calls, time, money."""
        from simulacra.terminal import duration

        price = "of unknown price" if self.cost is None else "for nothing" if self.cost == 0 else f"for about ${self.cost:.2f}"
        return f"{self.calls:,} calls {price}, roughly {duration(self.seconds)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as `simulacra estimate --json` prints them."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "language"}
        model = self.language.model
        return {
            "model": model.name, "kind": model.kind, "autonomy": self.language.autonomy, "past": self.language.past, **told,
            "tokens_a_call": round(self.tokens_a_call, 1), "is_large": self.is_large,
        }  # fmt: skip

    def told(self) -> list[str]:
        """In lines, for people."""
        from simulacra.terminal import duration

        what = "visits, one call each" if self.language.autonomy == "full" else "posts"
        parts = [f"{self.posts:,} {what}"]
        burn_in = f"{self.past_calls:,} calls for the burn-in days (--past sketch writes them for nothing)"
        parts += [burn_in] if self.past_calls else []
        parts += [f"{self.pool_calls:,} to invent people"] if self.pool_calls else []
        parts += [f"{self.thinking_calls:,} to think back (--no-memory saves them)"] if self.thinking_calls else []
        parts += [f"{self.judging_calls:,} to judge drafts (llm_moderator)"] if self.judging_calls else []
        price = "nothing" if self.cost == 0 else f"about ${self.cost:.2f}" if self.cost is not None else "unknown"
        unpriced = f" (add {self.language.model.name} to a price table and name it in SIMULACRA_PRICES)"
        how = unpriced if self.cost is None else ""
        runs = f" in {self.runs} runs" if self.runs > 1 else ""
        return [
            f"{self.language.model.name}: about {self.calls:,} calls{runs}: {'; '.join(parts)}.",
            f"About {self.input_tokens:,} input and {self.output_tokens:,} output tokens ({self.tokens_a_call:.0f} input tokens a "
            f"call, the longest {self.longest_prompt:,}). Price: {price}{how}.",
            f"Time: roughly {duration(self.seconds)} where the model is as fast as usual. Retries and stored answers are not counted.",
        ]


def estimate(
    spec: RunSpec, arms: int = 1, seeds: int = 1, persona_pool: int = 0, paired: bool = True, concurrent: int = 1
) -> Estimate:
    """What playing that specification takes; for a comparison, of `arms` arms over `seeds` seeds like it.

    One seed of one arm is played dry. paired: the arms of a seed share one past. concurrent: runs that are played at once.
    """
    language = spec.language
    if language is None:
        raise ValueError("the sketch mind costs nothing")
    chats = expects_chat(language.model)
    near = topic_affinity(spec.community)
    with one_blas_thread():
        dry, past, thoughts = _played(spec, language, near, chats)
    runs, pasts = arms * seeds, seeds if paired else arms * seeds
    pool_calls = batches(spec.community, persona_pool) if persona_pool else 0
    here, judging = dry.calls - past.calls, dry.judging * runs
    written = here * runs - judging
    calls = here * runs + past.calls * pasts
    share = calls / dry.calls if dry.calls else 0.0
    thinking = sum(n * (runs if step >= 0 else pasts) for step, n in thoughts.by_step.items())
    of_thoughts = thinking / thoughts.calls if thoughts.calls else 0.0
    given = round(dry.input_tokens * share + thoughts.input_tokens * of_thoughts) + 500 * pool_calls
    taken = round(dry.output_tokens * share + thoughts.output_tokens * of_thoughts) + 600 * pool_calls
    calls, longest = calls + thinking, max(dry.longest, thoughts.longest)
    price = price_of(language.model)
    return Estimate(
        language, chats, runs, written * language.batch if language.autonomy == "guided" else written, calls + pool_calls,
        past.calls * pasts, pool_calls, thinking, judging, given, taken, longest, _seconds(dry, language, runs, calls, concurrent),
        None if price is None else round(price.of(given, taken), 4),
    )  # fmt: skip


def estimate_of(
    language: Language, count: Count, thoughts: Count, calls: int, thinking: int, judging: int, in_turn: bool
) -> Estimate:
    """What so many calls take, of prompts like those that were counted. calls: reflections included; thinking, judging: of those.
    in_turn: each waits for the one before, as in one thread."""
    given, taken = count.each(calls - thinking)
    more_given, more_taken = thoughts.each(thinking)
    given, taken = round(given + more_given), round(taken + more_taken)
    longest = max(count.longest, thoughts.longest)
    price = price_of(language.model)
    if language.model.kind == "local":
        seconds = calls / LOCAL_POSTS_A_SECOND
    else:
        each = LATENCY + taken / max(1, calls) / TOKENS_A_SECOND
        seconds = calls * each / (1 if in_turn else language.model.concurrency)
    return Estimate(
        language, expects_chat(language.model), 1, calls - thinking - judging, calls, 0, 0, thinking, judging, given, taken, longest,
        seconds, None if price is None else round(price.of(given, taken), 4),
    )  # fmt: skip


def _seconds(dry: Count, language: Language, runs: int, calls: int, concurrent: int) -> float:
    """A step waits for its own answers, runs share the slots: whichever is longer, the steps one by one or all calls by the slots."""
    if language.model.kind == "local":
        return calls / LOCAL_POSTS_A_SECOND
    each = LATENCY + dry.output_tokens / max(1, dry.calls) / TOKENS_A_SECOND
    slots = language.model.concurrency
    in_turn = sum(-(-n // slots) for n in dry.by_step.values()) * each * -(-runs // max(1, concurrent))
    return max(in_turn, calls / slots * each)


# -- the dry run -----------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """Calls counted, prompts measured. Token sums are of the measured prompts, scaled up."""

    calls: int = 0
    judging: int = 0  # of those, about drafts that a language model moderates
    measured: int = 0
    longest: int = 0
    by_step: dict[int, int] = field(default_factory=dict)
    _input: int = 0
    _output: float = 0.0

    def add(self, step: int, calls: int) -> None:
        self.calls += calls
        self.by_step[step] = self.by_step.get(step, 0) + calls

    def measure(self, prompt: Prompt, output: float) -> None:
        length = tokens(prompt.system) + tokens(prompt.user)
        self.measured, self.longest = self.measured + 1, max(self.longest, length)
        self._input, self._output = self._input + length, self._output + output

    @property
    def wants_more(self) -> bool:
        return self.measured < _RENDERED

    @property
    def input_tokens(self) -> float:
        return self.each(self.calls)[0]

    @property
    def output_tokens(self) -> float:
        return self.each(self.calls)[1]

    def each(self, calls: float) -> tuple[float, float]:
        """(input tokens, output tokens) of so many calls like those that were measured."""
        return self._input / max(1, self.measured) * calls, self._output / max(1, self.measured) * calls

    def copy(self) -> Count:
        return replace(self, by_step=dict(self.by_step))


class Unasked:
    """A model that must not be asked: it lends its name to prompts that are only measured."""

    def __init__(self, name: str, chats: bool) -> None:
        self.name, self.chats = name, chats

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        raise AssertionError("a dry run asks nothing")


class CountingWriter(LanguageWriter):
    """The sketch mind writes; what a language model would have been asked is counted and a sample of it measured."""

    count: Count
    thoughts: Count  # of reflections alone
    stand_in: Writer

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        if len(briefs.author) and briefs.step >= (-(10**5) if self.calibrates_by_past else 0):
            self.count.add(briefs.step, -(-len(briefs.author) // self.batch))
            rows = np.arange(len(briefs.author)) if self.count.wants_more else np.arange(0, len(briefs.author), 10)
            some = briefs.take(rows)
            for brief, prompt in zip(self.briefs(some, world, streams), self.prompts(some, world, streams), strict=True):
                self.count.measure(prompt, brief.words * TOKENS_A_WORD + TOKENS_A_POST)
        return self.stand_in.write(briefs, world, streams)

    def reflect(self, musings: Sequence[Musing], world: PlatformView, step: int, streams: Streams) -> list[Thought]:
        """Nothing is thought; the calls are counted and measured."""
        self.thoughts.add(step, len(musings))
        for prompt in self.reflections(musings, world, step, streams):
            self.thoughts.measure(prompt, TOKENS_A_THOUGHT)
        return [Thought(())] * len(musings)


class CountingAssessor(ModelAssessor):
    """Lets every draft pass; what a language model would have been asked about it is counted and a sample of it measured."""

    def __init__(self, unasked: TextGenerator, count: Count) -> None:
        super().__init__(unasked)
        self._count = count

    def assess(self, drafts: Drafts, world: PlatformView, streams: Streams, batch: int) -> list[Assessment]:
        asked = self.questions(drafts, world, streams, batch)
        self._count.add(drafts.brief.step, len(asked))
        self._count.judging += len(asked)
        for about, prompt in asked if self._count.wants_more else asked[::10]:
            self._count.measure(prompt, about * TOKENS_A_JUDGEMENT)
        return [Assessment(0)] * len(drafts.rule)


class CountingMind(AutonomousMind):
    """The behaviour model decides; the visits that a language model would have decided are counted and a sample measured."""

    writer: CountingWriter

    def take_turns(self, visits: Visits, world: PlatformView, streams: Streams) -> Turns:
        if visits.step < 0:
            return super().take_turns(visits, world, streams)
        count = self.writer.count
        before = count.copy()
        turns = GuidedMind.take_turns(self, visits, world, streams)
        for name, value in vars(before).items():  # posts of measured days are part of their visit's answer
            setattr(count, name, value)
        count.add(visits.step, len(visits.persona))
        if count.wants_more:
            wrote = set(turns.writer.tolist())
            for visit, prompt in enumerate(self._slates(visits, turns.reading, world, streams).prompts):
                count.measure(prompt, TOKENS_A_VISIT + (25 if visit in wrote else 0))
        return turns


def _played(spec: RunSpec, language: Language, near: TopicAffinity, chats: bool) -> tuple[Count, Count, Count]:
    """Counts of a whole dry run, and of its burn-in days alone, both without reflections; and of its reflections."""
    count, thoughts = Count(), Count()
    past, memory = past_of(spec, dry_stage(spec, language, near, None, chats, count, thoughts))
    before = count.copy()
    past.fork(spec.wired(), memory.fork()).play(spec.days)
    return count, before, thoughts


def dry_stage(
    spec: RunSpec,
    language: Language,
    near: TopicAffinity,
    people: Population | None,
    chats: bool,
    count: Count,
    thoughts: Count,
) -> Stage:
    """The stage of a language mind with the sketch mind standing in: calls are counted, reflections in `thoughts`, and none is made.

    people: grown from the seed where not given.
    """
    unasked: TextGenerator = Unasked(language.model.name, chats)
    stage = set_stage(spec, near, people, Session(unasked, Budget()))
    plain = replace(spec.arm, moderation=())  # a sketch mind bears no lever that asks a model
    sketch = set_stage(replace(spec, language=None, mind="sketch", arm=plain, earlier=()), near, stage.population).writer
    writer = make_writer(language, spec.community, unasked, sketch, CountingWriter)
    assert isinstance(writer, CountingWriter)
    writer.count, writer.thoughts, writer.stand_in = count, thoughts, sketch
    mind = remembering(CountingMind if language.autonomy == "full" else GuidedMind, language, by_words)
    assessor = CountingAssessor(unasked, count)
    return Stage(stage.population, stage.streams, writer, stage.scorer, stage.topic_vectors, mind, assessor)


def by_words(texts: Sequence[str]) -> Floats:
    raise WeightsError("A dry run matches memories by their words.")


def expects_chat(model: ModelSpec) -> bool:
    """Whether the model chats, as far as that is known without asking it: files say so themselves, servers are taken to."""
    if model.chats is not None:
        return model.chats
    if model.kind == "openai":
        return True
    if not model.path:
        return False
    from pathlib import Path

    from simulacra.text.llama_local import has_chat_template

    return has_chat_template(Path(model.path))
