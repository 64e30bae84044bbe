"""The command line: verbs over the same functions as the Python API.

Results go to standard output (with `--json` exactly one JSON object), progress and messages to standard error. A designer's
mistake is one line and exit code 2; a stopped run says how to go on and exits with 130. Heavy modules are imported by the verb
that needs them, so that `--help` costs next to nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from simulacra.cli import fidelity, files, language, playing, reading, scoring, studies, whatif
from simulacra.cli.common import EXIT_MISTAKE, EXIT_STOPPED
from simulacra.errors import SimulacraError, Stopped


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Before numpy is imported: matrix products are small here, and threads would only fight over the cores.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.verb(arguments) or 0)
    except SimulacraError as error:
        _complain(str(error))
        return EXIT_MISTAKE
    except Stopped as stop:
        _complain(str(stop))
        return EXIT_STOPPED
    except KeyboardInterrupt:
        _complain("interrupted; finished days are safe.")
        return EXIT_STOPPED
    except BrokenPipeError:  # `simulacra show ... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _complain(message: str) -> None:
    from simulacra.checks import clean

    print(f"simulacra: {clean(message)}", file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_MISTAKE, f"{self.prog}: {' '.join(message.split())}. See {self.prog} --help.\n")


def parser() -> Parser:
    """All verbs and their options."""
    from simulacra import __version__

    top = Parser(
        prog="simulacra",
        description="A sandbox for designers of social platforms: simulate a community, change its design, compare.",
        epilog="Start with: simulacra demo",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"simulacra {__version__}")
    verbs = top.add_subparsers(metavar="VERB", required=True)
    for group in (playing, language, whatif, studies, fidelity, reading, scoring, files):
        group.add(verbs)
    return top
