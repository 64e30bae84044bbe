"""Verbs that branch off from a run: fork, diff, whatif, multiverse, interview."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from simulacra.cli.common import EXIT_STOPPED, design_options, runs_option, runs_setting, say, say_json, stopping, verb
from simulacra.cli.language import agree, budget_of, cap_options, question_options
from simulacra.cli.told import run_lines
from simulacra.errors import Capped, SpecError

if TYPE_CHECKING:
    from simulacra.branches.forks import Parting
    from simulacra.branches.interview import Interview
    from simulacra.branches.multiverse import Multiverse
    from simulacra.branches.whatif import WhatIf
    from simulacra.estimates import Estimate
    from simulacra.experiment import Run
    from simulacra.sessions import Session


def do_fork(a: argparse.Namespace) -> None:
    from simulacra.branches.forks import fork, parting
    from simulacra.experiment import open_run
    from simulacra.terminal import Live

    source = open_run(a.run, a.runs)
    live = Live(quiet=a.quiet)
    with stopping() as should_stop:
        run = fork(
            source, a.at_day, a.set, a.days, feed=a.feed, moderation=a.moderation, behaviour=a.behaviour, runs_dir=a.runs,
            run_id=a.id, progress=live.hour, should_stop=should_stop, budget=budget_of(a, live),
        )  # fmt: skip
    parted = parting(source, run)
    if a.json:
        say_json({**run.to_dict(), "parting": parted.to_dict()})
        return
    say([*run_lines(run)[:2], "", *parting_lines(parted), "", f"Read it: simulacra show {run.id}{runs_setting(a)}"])


def do_diff(a: argparse.Namespace) -> None:
    from simulacra.branches.forks import parting
    from simulacra.experiment import open_run

    parted = parting(open_run(a.run, a.runs), open_run(a.other, a.runs))
    say_json(parted.to_dict()) if a.json else say(parting_lines(parted))


def parting_lines(parted: Parting) -> list[str]:
    from simulacra.branches.forks import parting_cells
    from simulacra.terminal import paragraph, table

    lines = [paragraph(line, "", "  ") for line in parted.sentences]
    if not parted.rows:
        return lines
    first = (parted.through or 0) + 1
    days = f"day {first}" if parted.until == first else f"days {first} to {parted.until}"
    head = (f"measure, {days}", parted.a.id[:24], parted.b.id[:24], "difference")
    return [*lines, "", *table(head, parting_cells(parted))]


def do_whatif(a: argparse.Namespace) -> int:
    from simulacra.branches.whatif import whatif
    from simulacra.experiment import open_run

    acts = [name for text in a.moderate or () for name in text.split(",") if name]
    run = open_run(a.run, a.runs)

    def price() -> Estimate:
        from simulacra.branches.prices import whatif_price
        from simulacra.branches.whatif import asked_change

        change = asked_change(a.as_, a.say, a.act, acts, a.remove, a.moderator)
        return whatif_price(run, a.post, change, a.hours, a.n, a.ripple)

    with _asking(run, a, price) as asking:
        if asking is None:
            return 0
        answer = whatif(
            run, a.post, a.as_, a.say, a.remove, a.act, a.ripple, moderate=acts, moderator=a.moderator,
            hours=a.hours, n=a.n, jobs=a.jobs, progress=asking.progress, session=asking.session,
        )  # fmt: skip
    _keep(a, answer.to_dict())
    say_json(answer.to_dict()) if a.json else say(whatif_lines(answer, a.most))
    return EXIT_STOPPED if answer.capped else 0


def whatif_lines(answer: WhatIf, most: int) -> list[str]:
    from simulacra.branches.continuations import THREAD_MEASURES
    from simulacra.terminal import comparison_table, hour, paragraph, table, thread

    rows = [
        (THREAD_MEASURES[r.measure].title, _EFFECTS.get(r.effect, r.effect), _figure(r.without), _figure(r.with_), _signed(r.difference),
         "-" if math.isnan(r.low) else f"{_figure(r.low)} to {_figure(r.high)}", str(r.rolls))
        for r in answer.rows
    ]  # fmt: skip
    told = f"What if, after {hour(answer.step - 1)}: {answer.change.describe(answer.post)}."
    span = f"The {answer.hours} hours that follow in thread {answer.root}, in {len(answer.without)} rolls of chance:"
    head = ("measure", "effect", "without", "with", "difference", "95 % interval", "rolls")
    lines = ["", paragraph(told, "", "  "), "", span, "", *table(head, rows, left=2), ""]
    lines.append(paragraph(f"Answer: {answer.sentence}", "", "  "))
    if answer.ripple:
        lines += ["", "The whole community over those hours (each row stands alone):", "", *comparison_table(answer.ripple)]
    lines += ["", *(paragraph(note, "  ", "  ") for note in answer.notes)]
    for name, side in (("Without the change", answer.without), ("With it", answer.with_)):
        lines += ["", f"{name}, with the chances that the run had:", *thread(side[0].thread, most)]
    return lines


def do_multiverse(a: argparse.Namespace) -> int:
    from simulacra.branches.multiverse import multiverse
    from simulacra.experiment import open_run

    run = open_run(a.run, a.runs)

    def price() -> Estimate:
        from simulacra.branches.prices import multiverse_price

        return multiverse_price(run, a.thread, a.n, a.start, a.hours)

    with _asking(run, a, price) as asking:
        if asking is None:
            return 0
        answer = multiverse(
            run, a.thread, a.n, a.start, hours=a.hours, by=a.by, jobs=a.jobs, progress=asking.progress, session=asking.session
        )
    _keep(a, answer.to_dict())
    say_json(answer.to_dict()) if a.json else say(multiverse_lines(answer, a.most))
    return EXIT_STOPPED if answer.capped else 0


def multiverse_lines(answer: Multiverse, most: int) -> list[str]:
    from simulacra.branches.continuations import THREAD_MEASURES
    from simulacra.terminal import hour, paragraph, table, thread

    rows = [
        (THREAD_MEASURES[s.measure].title, _figure(s.low), _figure(s.quarter), _figure(s.median), _figure(s.three_quarters),
         _figure(s.high), _figure(s.mean), _figure(s.recorded), str(s.rolls))
        for s in answer.spreads
    ]  # fmt: skip
    head = ("measure", "lowest", "25 %", "median", "75 %", "highest", "mean", "the run", "rolls")
    span = f"Thread {answer.root} from post {answer.post} ({hour(answer.step - 1)}) on, {answer.hours} hours, {len(answer.rolls)} rolls:"
    lines = ["", span, "", *table(head, rows), "", paragraph(answer.sentence, "", "  "), ""]
    lines += [paragraph(note, "  ", "  ") for note in answer.notes]
    for name, end in (("Best", answer.best), ("Worst", answer.worst)):
        if end is not None:
            which = "the run itself" if end.lane == 0 else f"roll {end.lane}"
            said = f"{name} ({answer.criterion}): {which}, {_figure(end.values[answer.by])}"
            lines += ["", paragraph(said, "", "  "), *thread(end.thread, most)]
    return lines


def do_interview(a: argparse.Namespace) -> int:
    from simulacra.branches.interview import interview
    from simulacra.experiment import open_run

    run = open_run(a.run, a.runs)

    def price() -> Estimate:
        from simulacra.branches.prices import interview_price

        return interview_price(run, a.persona, a.question)

    with _asking(run, a, price) as asking:
        if asking is None:
            return 0
        answer = interview(run, a.persona, a.question, session=asking.session)
    _keep(a, answer.to_dict())
    say_json(answer.to_dict()) if a.json else say(interview_lines(answer))
    return 0


def interview_lines(answer: Interview) -> list[str]:
    """The answer; a model's with the facts to check it by, the record's with the posts that it rests on."""
    from simulacra.branches.interview import BY_MODEL
    from simulacra.terminal import paragraph

    lines = [
        "",
        paragraph(f"{answer.handle} is asked: {answer.question}", "", "  "),
        "",
        paragraph(answer.answer, "    ", "    "),
        "",
    ]
    lines.append(paragraph(f"({answer.source})", "  ", "  "))
    if answer.source != BY_MODEL:
        rests = sorted({post for fact in answer.facts for post in fact.posts})
        return [*lines, f"  Posts it rests on: {', '.join(map(str, rests))}."] if rests else lines
    for fact in answer.facts:
        posts = f" (post {', '.join(map(str, fact.posts))})" if fact.posts else ""
        lines.append(paragraph(f"{fact.text}{posts}", "  - ", "    "))
    return lines


class _Asking(NamedTuple):
    """A question under way."""

    progress: Callable[[int, int], None]
    session: Session | None  # of a language run


@contextmanager
def _asking(run: Run, a: argparse.Namespace, price: Callable[[], Estimate]) -> Iterator[_Asking | None]:
    """Progress on standard error, and Ctrl-C or SIGTERM as an end: nothing is half done, since nothing is written before the end.

    A language run's price is told first, and its model asked within the caps. None where the price alone was asked for.
    """
    from simulacra.branches.continuations import KEPT
    from simulacra.sessions import open_session
    from simulacra.terminal import Live

    live, started = Live(quiet=a.quiet), perf_counter()

    def told(done: int, total: int) -> None:
        live.count("continuation", done, total, perf_counter() - started)

    language = run.spec.language
    if language is None and (wrong := _for_models(a)):
        raise SpecError(f"--{wrong} is for runs that a language model wrote: a question to {run.id} costs nothing.")
    with stopping(at_once=True):
        if a.price:
            found = price()
            say_json(found.to_dict()) if a.json else say(found.told())
            yield None
            return
        if language is not None and not (a.yes and a.quiet):
            agree(price, a, live)
        session = open_session(language, run.path.parent, budget_of(a, live))
        try:
            yield _Asking(told, session)
        except Capped as cap:
            raise Capped(f"{cap} {KEPT}") from None


def _for_models(a: argparse.Namespace) -> str:
    """The first option given that makes no sense where the sketch mind wrote; "" none."""
    given = {"max-cost": a.max_cost, "max-calls": a.max_calls, "max-minutes": a.max_minutes, "price": a.price}
    return next((name for name, value in given.items() if value), "")


def _keep(a: argparse.Namespace, answer: dict[str, Any]) -> None:
    """Write the answer to --out, whole or not at all."""
    if a.out is None:
        return
    from simulacra.record.durable import disk_errors, replace_file
    from simulacra.record.runfiles import plain, to_json

    with disk_errors(a.out):
        a.out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(a.out, to_json(plain(answer)))


def _figure(value: float) -> str:
    from simulacra.analysis.comparison import figure

    return figure(value)


def _signed(value: float) -> str:
    return f"+{_figure(value)}" if value > 0 else _figure(value)


_EFFECTS = {"no difference that matters": "too small"}


def _branch_options(verb: argparse.ArgumentParser, hours: int) -> None:
    verb.add_argument("--hours", type=int, default=hours, metavar="N", help=f"how long it is played on (default {hours})")
    verb.add_argument("--jobs", type=int, metavar="N", help="processes, -1 for one a core (default: as many as pay)")
    verb.add_argument("--most", type=int, default=12, metavar="N", help="posts to show of each thread (default 12)")
    verb.add_argument("--out", type=Path, metavar="FILE", help="keep the answer as JSON in this file too")
    question_options(verb)
    runs_option(verb)


def add(verbs: Any) -> None:
    """fork, diff, whatif, multiverse, interview."""
    _add_fork(verbs)
    _add_diff(verbs)
    _add_whatif(verbs)
    _add_multiverse(verbs)
    _add_interview(verbs)


def _add_fork(verbs: Any) -> None:
    fork = verb(verbs, "fork", do_fork, "another run with the same past and another design from a day on")
    fork.add_argument("run", metavar="RUN", help="a run's id or path")
    fork.add_argument(
        "--at-day", type=int, required=True, metavar="N", help="last day of the shared past; 0: the burn-in alone"
    )
    design_options(fork)
    fork.add_argument("--days", type=int, metavar="N", help="day on which the fork ends (default: where the run was to end)")
    fork.add_argument("--id", help="name of the new run's folder")
    cap_options(fork)
    runs_option(fork)


def _add_diff(verbs: Any) -> None:
    diff = verb(verbs, "diff", do_diff, "when two runs of one past part, and their measures since")
    diff.add_argument("run", metavar="RUN")
    diff.add_argument("other", metavar="OTHER")
    runs_option(diff)


def _add_whatif(verbs: Any) -> None:
    ask = verb(verbs, "whatif", do_whatif, "change one thing after a post, and see how its thread goes on")
    ask.add_argument("run", metavar="RUN", help="a run's id or path")
    ask.add_argument("--post", type=int, required=True, metavar="ID", help="the post after which something is different")
    ask.add_argument(
        "--as", dest="as_", default="", metavar="WHO", help='who replies: "a sarcastic expert", or @handle of a member'
    )
    ask.add_argument("--say", default="", metavar="WORDS", help="what they say (default: the mind writes it)")
    ask.add_argument("--act", default="", metavar="ACT", help="what the reply does, such as joke or insult")
    ask.add_argument("--remove", action="store_true", help="a moderator takes the post down")
    ask.add_argument("--moderate", action="append", metavar="ACTS", help="of remove, lock, label, warn; repeatable")
    ask.add_argument("--moderator", default="", metavar="WORDS", help="a moderator says this in the thread")
    ask.add_argument("--ripple", action="store_true", help="measure the whole community too")
    said = "rolls of chance (default 8; 1 for language minds; fewer than 6 make no claim)"
    ask.add_argument("-n", type=int, metavar="N", help=said)
    _branch_options(ask, 24)


def _add_multiverse(verbs: Any) -> None:
    many = verb(verbs, "multiverse", do_multiverse, "the spread of ways in which a thread could have gone on")
    many.add_argument("run", metavar="RUN", help="a run's id or path")
    many.add_argument("--thread", type=int, required=True, metavar="ID", help="its opening post, or any post of it")
    many.add_argument(
        "--from", dest="start", type=int, metavar="POST", help="where chance is rolled again (default: the opening)"
    )
    many.add_argument("-n", type=int, default=20, metavar="N", help="rolls of chance, the run's own among them (default 20)")
    many.add_argument("--by", default="toxicity", metavar="MEASURE", help="names best and worst (default toxicity)")
    _branch_options(many, 48)


def _add_interview(verbs: Any) -> None:
    put = verb(verbs, "interview", do_interview, "ask a member of a run something, after it")
    put.add_argument("run", metavar="RUN", help="a run's id or path")
    put.add_argument("--persona", required=True, metavar="ID", help="a member's screen name or id")
    put.add_argument("question", metavar="QUESTION", help='such as "Why did you leave?"')
    put.add_argument("--out", type=Path, metavar="FILE", help="keep the answer as JSON in this file too")
    question_options(put)
    runs_option(put)
