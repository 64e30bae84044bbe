"""Verbs that branch off from a run: fork, diff, whatif, multiverse, interview."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import design_options, runs_option, runs_setting, say, say_json, stopping, verb
from simulacra.cli.told import run_lines

if TYPE_CHECKING:
    from simulacra.branches.forks import Parting


def do_fork(a: argparse.Namespace) -> None:
    from simulacra.branches.forks import fork, parting
    from simulacra.experiment import open_run
    from simulacra.terminal import Live

    source = open_run(a.run, a.runs)
    live = Live(quiet=a.quiet)
    with stopping() as should_stop:
        run = fork(
            source, a.at_day, a.set, a.days, feed=a.feed, moderation=a.moderation, behaviour=a.behaviour, runs_dir=a.runs,
            run_id=a.id, progress=live.hour, should_stop=should_stop,
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


def add(verbs: Any) -> None:
    """fork, diff."""
    fork = verb(verbs, "fork", do_fork, "another run with the same past and another design from a day on")
    fork.add_argument("run", metavar="RUN", help="a run's id or path")
    fork.add_argument(
        "--at-day", type=int, required=True, metavar="N", help="last day of the shared past; 0: the burn-in alone"
    )
    design_options(fork)
    fork.add_argument("--days", type=int, metavar="N", help="day on which the fork ends (default: where the run was to end)")
    fork.add_argument("--id", help="name of the new run's folder")
    runs_option(fork)

    diff = verb(verbs, "diff", do_diff, "when two runs of one past part, and their measures since")
    diff.add_argument("run", metavar="RUN")
    diff.add_argument("other", metavar="OTHER")
    runs_option(diff)
