"""The verb that holds the model to published figures: fidelity."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import say, say_json, verb

if TYPE_CHECKING:
    from simulacra.studies.fidelity import Fidelity


def do_fidelity(a: argparse.Namespace) -> None:
    from simulacra.studies.fidelity import COMMUNITIES, fidelity
    from simulacra.studies.fidelity.page import check_page, write_page
    from simulacra.studies.fidelity.world import Size
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    if a.out is not None:
        check_page(a.out)
    size = Size(a.personas, a.days, a.arm_personas or 5 * a.personas, min(a.days, 7))
    answer = fidelity(
        a.community or COMMUNITIES, a.seeds, size, first_seed=a.seed, jobs=a.jobs,
        progress=lambda done, of: live.say(f"run {done} of {of}"),
    )  # fmt: skip
    if a.out is not None:
        write_page(answer, a.out)
    say_json(answer.to_dict()) if a.json else say(_lines(answer, a.out))


def _lines(answer: Fidelity, out: Path | None) -> list[str]:
    from simulacra.terminal import paragraph, table

    cells = [
        (f"S{r.row.s}", r.row.figure, r.row.band, f"{r.worst:.3g}", f"{r.median:.3g}", "pass" if r.passed else "FAIL")
        for r in answer.results
    ]
    failed = [paragraph(f"{r.row.name}: {r.reason}.", "  ", "    ") for r in answer.results if not r.passed]
    size = (
        f"{', '.join(answer.communities)}, {len(answer.seeds)} seeds: levels from {answer.size.personas:,} members and {answer.size.days} "
        f"days, effects from {answer.size.arm_personas:,} members and {answer.size.arm_days} days."
    )
    return [
        "", paragraph(size), "", *table(("row", "figure", "band", "worst", "median", ""), cells, left=3), "", *failed, "",
        paragraph(f"Answer: {answer.sentence}", "", "  "), *([f"  Report: {out}"] if out else []),
    ]  # fmt: skip


def add(verbs: Any) -> None:
    """The fidelity report."""
    said = "hold the model to every published figure that it can be held to: what passes, what fails and why"
    fidelity = verb(verbs, "fidelity", do_fidelity, said)
    fidelity.add_argument("community", nargs="*", help="bundled communities' names or TOML files (default: three bundled ones)")
    fidelity.add_argument(
        "--personas", type=int, default=1000, metavar="N", help="members of the runs that levels are taken from (default 1000)"
    )
    fidelity.add_argument(
        "--arm-personas",
        type=int,
        metavar="N",
        help="members of the arms that effects are taken from (default five times --personas)",
    )
    fidelity.add_argument("--days", type=int, default=30, metavar="N", help="days that levels are taken from (default 30)")
    fidelity.add_argument("--seeds", type=int, default=8, metavar="N", help="replicates, at least 2 (default 8)")
    fidelity.add_argument("--seed", type=int, default=1, metavar="N", help="first seed (default 1)")
    fidelity.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, -1 for one a core (default 1)")
    fidelity.add_argument("--out", type=Path, metavar="FILE.md", help="write the report into this file too")
    fidelity.add_argument("--quiet", action="store_true", help="no progress on standard error")
