"""What the verbs share: printing, stopping, options that several of them have."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from simulacra.errors import Stopped

EXIT_MISTAKE, EXIT_STOPPED = 2, 130


def number_or_auto(text: str) -> int | str:
    """A number of replicates, or auto."""
    if text != "auto" and not text.lstrip("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: expected a whole number or auto")
    return text if text == "auto" else int(text)


def say(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def say_json(value: dict[str, Any]) -> None:
    """One object, ASCII only: nothing in it can lead a terminal astray."""
    from simulacra.record.runfiles import plain

    print(json.dumps(plain(value), allow_nan=False))


def runs_setting(a: argparse.Namespace) -> str:
    return option_of_runs(Path(a.runs))


def option_of_runs(runs: Path) -> str:
    return "" if str(runs) == "runs" else f" --runs {runs}"


def community_of(a: argparse.Namespace) -> Any:
    """The community with what --set says, as if its file said so."""
    from simulacra.community import load_community
    from simulacra.designs import make_arm

    community = load_community(a.community)
    settings = [*(a.set or ()), *(f"news.add={json.dumps(item)}" for item in getattr(a, "news", None) or ())]
    return make_arm(community, settings).applied_to(community) if settings else community


def is_experiment(a: argparse.Namespace) -> bool:
    from simulacra.replicates import EXPERIMENT_FILE, experiments_beside

    return any((place / EXPERIMENT_FILE).is_file() for place in (experiments_beside(a.runs) / a.run, Path(a.run)))


@contextmanager
def stopping(at_once: bool = False) -> Iterator[Callable[[], bool]]:
    """While inside, Ctrl-C and SIGTERM ask to stop; yields whether that happened. A second signal interrupts at once.

    at_once: raise Stopped in the main thread instead, which waits for worker processes and asks nobody.
    """
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        print("\nsimulacra: stopping ...", file=sys.stderr, flush=True)
        if at_once:
            raise Stopped("stopped")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def verb(verbs: Any, name: str, function: Callable[[argparse.Namespace], int | None], about: str) -> argparse.ArgumentParser:
    sentence = f"{about[0].upper()}{about[1:]}."
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=sentence, allow_abbrev=False)
    verb.set_defaults(verb=function)
    verb.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return verb


def design_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--feed", metavar="NAME", help='such as hot, or "weighted:recency=1,toxicity=-2"')
    verb.add_argument("--moderation", metavar="LIST", help="such as sticky_rules,automod, or none")
    verb.add_argument("--behaviour", action="append", metavar="KEY=VALUE", help="such as contagion=off; repeatable")
    told = 'what somebody knows first, such as "rumour: the museum will close"; repeatable'
    verb.add_argument("--news", action="append", metavar="TEXT", help=told)
    said = "any setting, as if the community's file said so; repeatable"
    verb.add_argument("--set", action="append", metavar="KEY=VALUE", help=said)


def size_options(verb: argparse.ArgumentParser, seed: str) -> None:
    verb.add_argument("--personas", type=int, default=1000, metavar="N", help="members at the beginning (default 1000)")
    verb.add_argument("--days", type=int, default=7, metavar="N", help="simulated days, after two of burn-in (default 7)")
    verb.add_argument("--seed", type=int, default=1, metavar="N", help=f"{seed} (default 1)")


def replication_options(verb: argparse.ArgumentParser, jobs: int = 1) -> None:
    said = "replicates (default 8; fewer than 6 make no claim), or auto: 8 to 32, until the primary's interval is narrow enough"
    verb.add_argument("--seeds", type=number_or_auto, default=8, metavar="N", help=said)
    verb.add_argument("--jobs", type=int, default=jobs, metavar="N", help=f"processes, -1 for one a core (default {jobs})")


def backend_option(verb: argparse.ArgumentParser) -> None:
    said = "where replicates are played: local, or ray for the Ray cluster that RAY_ADDRESS names (default local)"
    verb.add_argument("--backend", choices=("local", "ray"), default="local", help=said)


def runs_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are kept (default runs/)")
    verb.add_argument("--quiet", action="store_true", help="no progress on standard error")


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
