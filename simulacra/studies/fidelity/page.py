"""docs/fidelity.md from the answer of `fidelity`."""

from __future__ import annotations

import math
from pathlib import Path

from simulacra.errors import SpecError
from simulacra.record.durable import disk_errors, replace_file
from simulacra.studies.fidelity.rows import NOT_TESTED
from simulacra.studies.fidelity.study import Fidelity, Result

_HOW = {
    "level": "level of a run: the worst run counts, the range is over runs",
    "effect": "effect: the mean over seeds of the worst community counts, with its 95 % t interval",
    "sign": "effect whose interval must exclude 0 besides",
    "none": "no effect: the interval must include 0",
    "once": "a small model by itself",
}


def write_page(answer: Fidelity, path: Path) -> None:
    """Write the report as Markdown."""
    with disk_errors(path):
        replace_file(path, page(answer).encode())


def check_page(path: Path) -> None:
    """Refuse what could not be written before hours of playing. Raises SpecError."""
    if path.is_dir() or not path.parent.is_dir():
        raise SpecError(f"out = {path}: expected a file in a folder that exists.")


def page(answer: Fidelity) -> str:
    """The report as Markdown."""
    size, seeds = answer.size, answer.seeds
    rows = [_line(result) for result in answer.results]
    lines = [
        "# Fidelity: published figures and ours",
        "",
        "Does a simulated community look like communities that were measured? Each row is a published figure, the band in which ours "
        "must lie, and ours: the worst case over communities and seeds, and the median of all runs. A row that fails stays, with the "
        "reason. Passing says that the model can be like that, not that it is right: a level that fits does not make the effect of a "
        "design true.",
        "",
        f"**{answer.sentence}**",
        "",
        "```",
        f"simulacra fidelity --seeds {len(seeds)} --jobs 2 --out docs/fidelity.md      # writes this page; add --json for the figures",
        "```",
        "",
        f"Communities: {', '.join(answer.communities)}; seeds {seeds[0]} to {seeds[-1]}; levels from {size.personas:,} members over "
        f"{size.days} days under each community's own design, effects from paired arms of {size.arm_personas:,} members over "
        f"{size.arm_days} days, which rows share where they ask for the same one; sketch mind.",
        "",
        "How a figure is judged: " + "; ".join(f"*{word}* ({about})" for word, about in _HOW.items()) + ".",
        "",
        "† A parameter of the model was set so that runs fall near this figure (section 7 of [odd.md](odd.md)), so passing is no "
        "evidence. S-numbers are rows of the table of targets that the project began with; figures of Slicer, Delving, Barrapunto and "
        "Meneame were computed from public archives (`simulacra/data/reference/forums.json` says which, and holds the histograms). Of a "
        "TVD the sampling floor stands beside it: how far a second sample of as many threads of the same community would lie, at most in "
        "95 of 100.",
        "",
        "| row | figure | published | source | judged | band | ours, worst | range or interval | median | |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "## Why rows fail",
        "",
        *[f"- **{r.row.name}**: {_number(r.worst)} at {r.where}; {r.reason}." for r in answer.results if not r.passed],
        "",
        "## Rows of the table of targets that are not tested",
        "",
        *[f"- {row}: {why}." for row, why in NOT_TESTED.items()],
    ]
    return "\n".join(lines) + "\n"


def _line(result: Result) -> str:
    row = result.row
    cells = [
        f"S{row.s}", row.figure + (" †" if row.set_by else ""), row.published, row.source, row.judged, row.band, _number(result.worst),
        _range(result), _number(result.median), "pass" if result.passed else "**FAIL**",
    ]  # fmt: skip
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _range(result: Result) -> str:
    if result.row.judged == "once":
        return ""
    ends = f"{_number(result.low)} to {_number(result.high)}"
    return ends if math.isnan(result.floor) else f"{ends}; floor {_number(result.floor)}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.4f}"
