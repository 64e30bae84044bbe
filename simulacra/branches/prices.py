"""What a question to a language run will take, before it is asked: calls, tokens, time, money.

A dry run of the question with the sketch mind standing in: the roll of the run's own chances and up to three others are played, and
what a model would be asked is counted. What is stored already is counted as well, but for the side that the record holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from simulacra.branches.continuations import Task, writer_of
from simulacra.branches.dossier import dossier
from simulacra.branches.guests import checked_words, member
from simulacra.branches.interview import prompt_of
from simulacra.branches.moments import Buffered, Moment, Setting, checkpoint_before, labels_of, play_on, post_row
from simulacra.branches.multiverse import tasks_from, thread_and_start
from simulacra.branches.recollection import facts_of
from simulacra.branches.whatif import Change, both_sides, checked_rolls
from simulacra.errors import SpecError
from simulacra.estimates import Count, Estimate, dry_stage, estimate_of, expects_chat
from simulacra.experiment import Run, one_blas_thread
from simulacra.minds.memory import Embedder
from simulacra.minds.settings import Language
from simulacra.scoring.semantic import embed
from simulacra.seams import Writer

_ROLLS, _WORK = 4, 400_000
"""Rolls that are played dry, and persona-hours of them: beyond, fewer rolls, but two, stand for all."""
TOKENS_AN_ANSWER = 90
"""Output of an interview: two to five plain sentences and their JSON."""


def whatif_price(run: Run, post: int, change: Change, hours: int = 24, n: int | None = None, ripple: bool = False) -> Estimate:
    """What that question takes, with arguments as `whatif` has them. Raises SpecError or RecordError as that does."""
    language, rolls = _language(run), checked_rolls(n, hours, default=1)
    dry = _Dry(language)
    if language.autonomy == "full":
        return dry.of_visits(run, int(post_row(run, post)["step"]) + 1, hours, 2 * rolls, own=1)
    sides = both_sides(run, post, change, hours, ripple, dry.setting)
    dry.begin_anew()  # what it took to come to the moment is in the record
    dry.count.calls += bool(change.as_ and not change.say)
    return dry.of_rolls(sides.tasks(_dry_rolls(run, 2 * hours, rolls)), 2, rolls)


def multiverse_price(run: Run, thread: int, n: int = 20, post: int | None = None, hours: int = 48) -> Estimate:
    """What that question takes, with arguments as `multiverse` has them. Raises SpecError or RecordError as that does."""
    language, rolls = _language(run), checked_rolls(n, hours, default=20)
    dry = _Dry(language)
    if language.autonomy == "full":
        _, start = thread_and_start(run, thread, post)
        return dry.of_visits(run, int(post_row(run, start)["step"]) + 1, hours, rolls, own=1)
    tasks = tasks_from(run, thread, post, hours, _dry_rolls(run, hours, rolls), dry.setting)
    dry.begin_anew()
    return dry.of_rolls(tasks, 1, rolls)


def interview_price(run: Run, persona: int | str, question: str, embedder: Embedder = embed) -> Estimate:
    """What an interview takes: one call. Raises SpecError or RecordError as that does."""
    language = _language(run)
    asked = checked_words("question", question)
    known = dossier(run, member(run.folder.population, str(persona)))
    count = Count()
    count.add(0, 1)
    prompt = prompt_of(run, known, tuple(facts_of(known, asked, embedder)), asked, expects_chat(language.model))
    count.measure(prompt, TOKENS_AN_ANSWER)
    return estimate_of(language, count, Count(), 1, 0, 0, in_turn=True)


def _language(run: Run) -> Language:
    if run.spec.language is None:
        raise SpecError("The sketch mind costs nothing: a question to this run asks no model.")
    return run.spec.language


def _dry_rolls(run: Run, hours: int, rolls: int) -> int:
    """How many rolls of so many hours are played dry."""
    return min(rolls, max(2, min(_ROLLS, _WORK // (run.spec.personas * hours))))


@dataclass
class _Dry:
    """Counts of what a model would be asked."""

    language: Language
    count: Count = field(default_factory=Count)
    thoughts: Count = field(default_factory=Count)

    @property
    def setting(self) -> Setting:
        return lambda spec, near, people: dry_stage(
            spec, self.language, near, people, expects_chat(self.language.model), self.count, self.thoughts
        )

    def begin_anew(self) -> None:
        """Forget what was counted; prompts that were measured stay a sample of how long they are."""
        self.count.calls = self.count.judging = self.thoughts.calls = 0

    def of_rolls(self, tasks: Sequence[Task], each: int, rolls: int) -> Estimate:
        """For so many rolls of `each` continuations; tasks are of the first few, which are the run's own and some that stand for all
        others."""
        first, all_ = self._after(tasks[:each]), self._after(tasks[each:])
        times = (rolls - 1) / max(1, len(tasks) // each - 1)
        calls, judging, thinking = (round(a + (b - a) * times) for a, b in zip(first, all_, strict=True))
        return estimate_of(self.language, self.count, self.thoughts, calls + thinking, thinking, judging, in_turn=True)

    def _after(self, tasks: Sequence[Task]) -> tuple[int, int, int]:
        """(calls, of those judgements, reflections) counted once these have been played."""
        for task in tasks:
            _play(task.moment, task.hours, partial(writer_of, task), task.lane)
        return self.count.calls, self.count.judging, self.thoughts.calls

    def of_visits(self, run: Run, step: int, hours: int, continuations: int, own: int) -> Estimate:
        """Where the model decides, every visit is a call in each continuation; `own` of them are the record, as far as it goes.

        The hours since the last checkpoint are played by the behaviour model too and not counted: to come to the moment as it was, the
        model's decisions would have to be looked up.
        """
        start = checkpoint_before(run, step, self.setting)
        _play(start, step + hours - start.step, lambda: None, 0)
        beyond = min(max(step + hours - 24 * run.days, 0) / hours, 1.0)
        times = continuations - own * (1 - beyond)
        here, thoughts = (sum(n for at, n in c.by_step.items() if at >= step) for c in (self.count, self.thoughts))
        judging = self.count.judging * here / max(1, self.count.calls)
        calls, judging, thinking = (round(n * times) for n in (here, judging, thoughts))
        return estimate_of(self.language, self.count, self.thoughts, calls + thinking, thinking, judging, in_turn=False)


def _play(moment: Moment, hours: int, writer: Callable[[], Writer | None], lane: int) -> None:
    recorder = Buffered(labels_of(moment.spec))
    with one_blas_thread():
        play_on(moment.simulation(recorder, lane, writer()), moment.spec, moment.step + hours, recorder)
