"""WhatIf: somebody else speaks, a moderator acts, or a post is gone, at the moment after a post; and what follows in its thread.

Both sides start from the same moment and share every chance that the change does not touch, roll by roll. The whole community
plays on in either; only the reading is of the thread, unless the ripple is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra.analysis.comparison import Row, paired_rows
from simulacra.analysis.contrast import MIN_SEEDS, Contrast, contrast, effect_of, holm
from simulacra.branches import guests
from simulacra.branches.continuations import (
    MOST_HOURS,
    MOST_ROLLS,
    THREAD_MEASURES,
    Continuation,
    Task,
    continue_all,
    cut_short,
    removals,
    rolls_played,
)
from simulacra.branches.moments import POLICY, Buffered, Moment, Setting, labels_of, moment_after, post_row, within
from simulacra.errors import SpecError
from simulacra.events import ACTIONS, ACTS
from simulacra.experiment import RUNS_DIR, Run, one_blas_thread, open_run
from simulacra.moderation.policy import joined, rulings
from simulacra.seams import Briefs, Rulings, Writing
from simulacra.simulation import Simulation

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.sessions import Session

MODERATES = ("remove", "lock", "label", "warn")
"""What a moderator can do to the post: take it down, close its thread to replies, put a label on it, warn its author."""
_LESSON, _LESSON_HOURS = 1.0, 168
"""How much those who are warned have the rules in mind, and for how long: as in the policy `strikes`."""


@dataclass(frozen=True)
class Change:
    """What is different from the moment on. At least one thing must be."""

    as_: str = ""  # who replies: one line that describes a person, or "@handle" of a member
    say: str = ""  # its words; "" lets the mind write them
    act: str = ""  # what the reply does; "" reads it from words or description
    moderate: tuple[str, ...] = ()  # of MODERATES
    moderator: str = ""  # a moderator's words, put into the thread

    def __post_init__(self) -> None:
        if unknown := [act for act in self.moderate if act not in MODERATES]:
            raise SpecError(f"moderate = {unknown[0][:40]!r}: expected {', '.join(MODERATES)}.")
        if (self.say or self.act) and not self.as_:
            raise SpecError('say and act need somebody who replies: as_="a sarcastic expert", or --as on the command line.')
        if not (self.as_ or self.moderate or self.moderator):
            raise SpecError("Nothing is different: say who replies (--as), what a moderator does (--moderate) or says.")
        if self.act:
            guests.checked_act(self.act)
        for name in ("as_", "say", "moderator"):
            if getattr(self, name):
                object.__setattr__(self, name, guests.checked_words(name.strip("_"), getattr(self, name)))

    def describe(self, post: int) -> str:
        """In words: '"a sarcastic expert, 60" replies to post 12', or "@river_jo replies to post 12"."""
        told = []
        if self.as_:
            said = f', saying "{self.say}"' if self.say else ""
            who = f'"{self.as_}"' if self.speaker else self.as_
            told.append(f"{who} replies to post {post}{said}")
        doing = {
            "remove": f"post {post} is removed", "lock": "its thread is locked", "label": f"post {post} gets a label",
            "warn": "its author is warned",
        }  # fmt: skip
        told += [doing[act] for act in self.moderate]
        if self.moderator:
            told.append(f'a moderator writes "{self.moderator}"')
        return "; ".join(told)

    @property
    def speaker(self) -> str:
        """The sketch of the person who speaks; "" for a member or nobody."""
        if self.as_:
            return "" if self.as_.startswith("@") else self.as_
        return guests.MODERATOR if self.moderator else ""


@dataclass(frozen=True)
class ThreadRow:
    """One number of the thread with and without the change: means over rolls, the paired difference, and what it may claim."""

    measure: str
    without: float
    with_: float
    difference: float
    low: float  # of the 95 % interval over rolls
    high: float
    rolls: int  # that had a value on both sides
    effect: str  # higher, lower, no difference that matters, undecided, no verdict
    margin: float

    def to_dict(self) -> dict[str, Any]:
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class WhatIf:
    """The answer: both futures of the thread, roll by roll."""

    run_id: str
    post: int
    root: int
    step: int  # first hour after the moment
    hours: int
    change: Change
    refused: str  # why moderation did not let the reply through; "" where it did, or there was none
    without: tuple[Continuation, ...]  # by lane; lane 0 is what the record holds, as far as it goes
    with_: tuple[Continuation, ...]
    notes: tuple[str, ...] = ()
    capped: str = ""  # the cap that ended it before all rolls were played

    @cached_property
    def rows(self) -> list[ThreadRow]:
        """One row a thread measure."""
        pairs = {name: contrast(_column(self.without, name), _column(self.with_, name)) for name in THREAD_MEASURES}
        adjusted = dict(zip(pairs, holm([pair.p for pair in pairs.values()]), strict=True))
        return [_row(name, pair, adjusted[name]) for name, pair in pairs.items()]

    @cached_property
    def ripple(self) -> list[Row]:
        """The same for the whole community over those hours, a row a measure; [] where the ripple was not asked for."""
        sides = [{c.lane: dict(c.community) for c in side if c.community} for side in (self.without, self.with_)]
        return paired_rows(*sides) if all(sides) else []

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.refused:
            return f"The reply was not posted: {self.refused}. Nothing follows from it."
        n = len(self.without)
        if n < MIN_SEEDS:
            return f"{_rolls(n)} can show how the thread might go on, and no more (at least {MIN_SEEDS} carry a claim)."
        moved = [row for row in self.rows if row.effect in ("higher", "lower")]
        if moved:
            told = "; ".join(_told(row) for row in moved)
            return f"With the change, in {n} rolls of chance: {told}."
        if all(row.difference == 0 for row in self.rows if np.isfinite(row.difference)):
            return f"Nothing in the thread changes, in any of {n} rolls of chance."
        undecided = [row for row in self.rows if row.effect == "undecided"]
        if undecided:
            return f"{n} rolls of chance show no clear difference in the thread: it may go either way."
        return f"No difference that matters in the thread, in {n} rolls of chance."

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, NaN as None."""
        return {
            "run_id": self.run_id, "post": self.post, "root": self.root, "step": self.step, "hours": self.hours,
            "change": {"as": self.change.as_, **{k: v for k, v in asdict(self.change).items() if k != "as_"}},
            "told": self.change.describe(self.post), "refused": self.refused, "sentence": self.sentence,
            "rows": [row.to_dict() for row in self.rows], "ripple": [row.to_dict() for row in self.ripple],
            "without": [c.to_dict() for c in self.without], "with": [c.to_dict() for c in self.with_], "notes": list(self.notes),
            "capped": self.capped,
        }  # fmt: skip


def whatif(
    run: Run | str | Path, post: int, as_: str = "", say: str = "", remove: bool = False, act: str = "", ripple: bool = False,
    *, moderate: str | Sequence[str] = (), moderator: str = "", hours: int = 24, n: int | None = None, jobs: int | None = None,
    runs_dir: str | Path = RUNS_DIR, progress: Callable[[int, int], None] | None = None, session: Session | None = None,
) -> WhatIf:  # fmt: skip
    """Change one thing at the moment after a post, and see how its thread goes on, with the change and without it.

    post: a post of the measured days. as_: who replies to it: one line that describes a person, who joins the community, or
    "@handle" of a member. say: the words of that reply, otherwise the mind writes them; act: what it does ("joke", "insult"),
    otherwise read from the words or the description. remove, moderate: what a moderator does at that moment (see MODERATES).
    moderator: what one writes into the thread. hours: how long the community plays on, 1 to 336. n: rolls of chance, 1 to 1,000;
    by default 8 for the sketch mind and 1 for minds that cost something. ripple: measure the whole community too. jobs:
    processes, -1 for one a core, by default as many as are worth their start. session: of a language mind with its caps, which count
    in this process alone; opened without any where the run has one and none is given. A cap that is reached leaves the rolls that
    were played and says so; raises Capped where there is none, and SpecError or RecordError in one line for what cannot be asked.
    """
    source = run if isinstance(run, Run) else open_run(run, runs_dir)
    change = asked_change(as_, say, act, moderate, remove, moderator)
    rolls = checked_rolls(n, hours, default=8 if source.spec.mind == "sketch" else 1)
    sides = both_sides(source, post, change, hours, ripple, within(session))
    played = continue_all(sides.tasks(rolls), jobs, progress)
    whole = rolls_played(played, rolls, 2)
    without, with_ = (tuple(played.found[2 * lane + side] for lane in range(whole)) for side in (0, 1))
    plain = sides.plain
    notes = (*cut_short(played, whole, rolls), *notes_of(source, plain.moment.step, hours))
    return WhatIf(
        source.id, post, plain.root, plain.moment.step, hours, change, sides.refused, without, with_, notes, played.capped
    )


class Sides(NamedTuple):
    """The two futures of a thread, as what a process needs to play one roll of them."""

    plain: Task
    other: Task
    refused: str  # why moderation did not let the reply through
    is_costly: bool  # by a mind that costs something: of the future without the change, roll 0 is what the record holds

    def tasks(self, rolls: int) -> list[Task]:
        """Two a roll, without the change and with it: a cap ends after whole rolls."""
        return [
            task
            for lane in range(rolls)
            for task in (
                replace(self.plain, lane=lane, recorded=self.is_costly and lane == 0),
                replace(self.other, lane=lane),
            )
        ]


def both_sides(run: Run, post: int, change: Change, hours: int, ripple: bool, setting: Setting | None) -> Sides:
    """The moment after a post as it was, and with the change made. setting: makes the stage of either."""
    moment = moment_after(run, post, setting)
    row = post_row(run, post)
    removed = removed_before(run, moment.step)
    if post in removed:
        raise SpecError(
            f"post {post} was removed by {removed[post]} in the hour it was written: nobody could have answered it."
        )
    made = _made(moment, row, change)
    plain = Task(moment, row["root"], hours, 0, first=len(moment.state["posts.author"]), ripple=ripple, removed=removed)
    gone = {**removed, **made.removed}
    other = replace(plain, moment=made.moment, put_in=made.put_in, first=made.first, removed=gone, said=made.said)
    return Sides(plain, other, made.refused, run.spec.mind != "sketch")


def asked_change(as_: str, say: str, act: str, moderate: str | Sequence[str], remove: bool, moderator: str) -> Change:
    """The change that is asked for. Raises SpecError for none, and for two at once."""
    if as_ and moderator:
        raise SpecError("Either somebody replies (as_) or a moderator speaks (moderator): ask one question at a time.")
    acts = (moderate.split(",") if isinstance(moderate, str) and moderate else list(moderate or ())) + ["remove"] * remove
    return Change(as_, say, act, tuple(dict.fromkeys(name.strip() for name in acts)), moderator)


def checked_rolls(n: int | None, hours: int, default: int) -> int:
    """How many rolls. Raises SpecError for numbers that make no sense."""
    rolls = default if n is None else n
    for name, value, most in (("n", rolls, MOST_ROLLS), ("hours", hours, MOST_HOURS)):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise SpecError(f"{name} = {value!r}: expected a whole number from 1 to {most:,}.")
    return rolls


def removed_before(run: Run, step: int) -> dict[int, str]:
    """Post -> policy, of the removals of a run before that hour that were not undone."""
    table = run.frames.arrow("rulings", burn_in=True, columns=("step", "post", "policy", "action"))
    gone: dict[int, str] = {}
    for when, post, policy, action in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        if when < step and action == "remove":
            gone[post] = policy
        elif when < step and action == "restore":
            gone.pop(post, None)
    return gone


def notes_of(run: Run, step: int, hours: int) -> tuple[str, ...]:
    """What to keep in mind when reading continuations."""
    notes = ["Rolls share this run's past up to the moment: intervals are over chance after it, not over other pasts."]
    if step + hours > 24 * run.spec.days:
        notes.append(f"The run was to end with day {run.spec.days}: no newcomers arrive after it.")
    if run.spec.mind != "sketch":
        notes.append("Only the thread is written by the model; the rest of the community is taken from the record or sketched.")
    return tuple(notes)


# -- the change ------------------------------------------------------------------------------------------------------------


class _Made(NamedTuple):
    """The moment once the change is made."""

    moment: Moment
    put_in: int  # id of the post put in, -1 none
    first: int  # id of the first post after the moment
    refused: str  # why the reply was not posted; "" where it was, or none was asked for
    removed: Mapping[int, str]  # post -> by whom it was removed at the moment
    said: pa.Table | None  # the posts put in, as a record has them


def _made(moment: Moment, post: Mapping[str, Any], change: Change) -> _Made:
    other, speaker = _with_speaker(moment, post, change)
    recorder = Buffered(labels_of(other.spec))
    with one_blas_thread():
        simulation = other.simulation(recorder)
        _refuse_impossible(simulation, post, change, speaker)
        ids, refused = np.empty(0, np.int32), ""
        if change.as_:
            ids = _speak(simulation, other, post, change, speaker)
            refused = "" if len(ids) else _why(recorder)
        if change.moderate:
            simulation.intervene(POLICY, _rulings(simulation, post, change.moderate))
        if change.moderator:
            ids = np.concatenate([ids, _moderate(simulation, post, change.moderator)])
        first = len(simulation.platform.posts)
        state = simulation.state()
    put_in = int(ids[0]) if len(ids) else -1
    tables = recorder.buffer.seal()
    return _Made(other.later(moment.step, state), put_in, first, refused, removals(tables), tables.get("posts"))


def _with_speaker(moment: Moment, post: Mapping[str, Any], change: Change) -> tuple[Moment, int]:
    """The moment with whoever is to speak among its people, and who that is; -1 where nobody is."""
    if change.speaker:
        topic = moment.spec.community.topics.index(post["topic"])
        return moment.with_guest(change.speaker, topic), len(moment.population)
    return moment, guests.member(moment.population, change.as_) if change.as_ else -1


def _refuse_impossible(simulation: Simulation, post: Mapping[str, Any], change: Change, speaker: int) -> None:
    world = simulation.platform
    if change.as_ and world.posts.locked[post["root"]]:
        raise SpecError(f"post {post['id']}: its thread was locked at that moment, so nobody can reply.")
    if change.as_ and not change.speaker and not world.members.present[speaker]:
        where = "had left" if world.members.departed[speaker] else "had not arrived yet"
        raise SpecError(f"{change.as_}: {where} at that moment. Name another member.")


def _speak(simulation: Simulation, moment: Moment, post: Mapping[str, Any], change: Change, speaker: int) -> np.ndarray:
    """The reply is written, moderated, posted. Returns its id in an array, or none where moderation stopped it."""
    who, world = np.array([speaker], np.int32), simulation.platform
    _here(simulation, speaker)
    score = simulation.scorer.score([change.say]) if change.say else None
    toxicity, valence = (float(score.toxicity[0]), float(score.valence[0])) if score is not None else (0.0, 0.0)
    sketch = change.speaker or moment.spec.community.personas[world.population.sketch[speaker]].sketch
    act = change.act or guests.act_of(sketch, post["act"], change.say, toxicity, valence)
    brief = _brief(simulation, who, post, act)
    if change.say:
        return _put_in(simulation, brief, change.say, post)
    writing = simulation.mind.rewrite(brief, world, simulation.streams)
    if writing.failure:
        raise SpecError(f"The reply could not be written ({writing.failure[0]}). Give its words yourself: say=, or --say.")
    return simulation.interject(brief, writing, _just_after(simulation, post))


def _here(simulation: Simulation, speaker: int) -> None:
    """The speaker is in the community and looking at it; a guest comes in its usual mood."""
    members, step = simulation.platform.members, simulation.step - 1
    if members.visits[speaker] == 0:
        members.mood[speaker] = simulation.population.baseline[speaker]
        members.present[speaker] = True
    members.last_visit[speaker] = members.mooded_at[speaker] = step
    members.visits[speaker] += 1


def _brief(simulation: Simulation, who: np.ndarray, post: Mapping[str, Any], act: str) -> Briefs:
    topic = simulation.platform.posts.topic[post["id"]]
    return Briefs(
        who, simulation.step - 1, np.array([ACTS.index(act)], np.int8), np.array([topic], np.int8),
        simulation.platform.members.mood[who], np.array([post["id"]], np.int32), np.array([guests.truth_of(act)], np.int8),
    )  # fmt: skip


def _put_in(simulation: Simulation, brief: Briefs, words: str, post: Mapping[str, Any]) -> np.ndarray:
    writing = Writing([words], np.zeros(1, np.int64), np.zeros(1, np.int8))
    return simulation.interject(brief, writing, _just_after(simulation, post))


def _just_after(simulation: Simulation, post: Mapping[str, Any]) -> np.ndarray:
    """A minute after the post, within its hour."""
    minute = float(simulation.platform.posts.time[post["id"]]) - (simulation.step - 1)
    return np.array([min(minute + 1 / 60, 0.999)], np.float32)


def _moderate(simulation: Simulation, post: Mapping[str, Any], words: str) -> np.ndarray:
    """A moderator's words below the post; everybody who has written in the thread so far is told the rules by them."""
    who = np.array([len(simulation.population) - 1], np.int32)
    _here(simulation, int(who[0]))
    ids = _put_in(simulation, _brief(simulation, who, post, "answer"), words, post)
    posts, n = simulation.platform.posts, len(simulation.platform.posts)
    told = np.setdiff1d(np.unique(posts.author[:n][posts.root[:n] == post["root"]]), who)
    simulation.intervene(POLICY, _warning(told, simulation.step, "a moderator spoke in the thread"))
    return ids


def _warning(who: np.ndarray, step: int, reason: str) -> Rulings:
    until, count = step + _LESSON_HOURS, len(who)
    return rulings(who, ACTIONS.index("warn"), [reason] * count, until=until, strength=_LESSON)


def _rulings(simulation: Simulation, post: Mapping[str, Any], moderate: Sequence[str]) -> Rulings:
    author, made = [post["author"]], []
    for act in moderate:
        if act == "warn":
            made.append(_warning(np.array(author, np.int32), simulation.step, "warned by a moderator"))
        else:
            on = post["root"] if act == "lock" else post["id"]
            made.append(rulings(author, ACTIONS.index(act), ["a moderator's decision"], post=on, rule=post["rule"]))
    found = joined(*made)
    assert found is not None
    return found


def _why(recorder: Buffered) -> str:
    """Why the reply was not posted: the last decision of moderation before posting."""
    table = recorder.buffer.seal().get("rulings")
    if table is None:
        return "moderation stopped it"
    last = table.slice(len(table) - 1, 1).to_pylist()[0]
    return f"{last['policy']} decided to {last['action']} it ({last['reason']})"


# -- rows ------------------------------------------------------------------------------------------------------------------


def _column(side: Sequence[Continuation], name: str) -> list[float]:
    return [continuation.values[name] for continuation in side]


def _row(name: str, pair: Contrast, p: float) -> ThreadRow:
    margin = THREAD_MEASURES[name].margin
    low, high = pair.interval()
    without, with_ = (float(arm.mean()) if len(arm) else float("nan") for arm in (pair.baseline, pair.variant))
    return ThreadRow(name, without, with_, pair.mean, low, high, pair.seeds, effect_of(pair, margin, p), margin)


def _told(row: ThreadRow) -> str:
    from simulacra.analysis.comparison import figure

    title = THREAD_MEASURES[row.measure].title
    return f"{title} {row.effect}, {figure(row.without)} -> {figure(row.with_)} ({figure(row.low)} to {figure(row.high)})"


def _rolls(n: int) -> str:
    return "One roll of chance" if n == 1 else f"{n} rolls of chance"
