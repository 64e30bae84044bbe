"""How runs and comparisons are told on a terminal, and as plain values."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import runs_setting, say, say_json

if TYPE_CHECKING:
    from simulacra.experiment import Run
    from simulacra.reading import PostView
    from simulacra.replicates import Comparison


def show_run_result(run: Run, a: argparse.Namespace) -> None:
    if a.json:
        say_json(run_dict(run))
        return
    say([*run_lines(run), "", f"Read three threads of it: simulacra show {run.id}{runs_setting(a)}"])


def run_lines(run: Run) -> list[str]:
    from simulacra.scoring.opinions import judged_values
    from simulacra.terminal import measures_table, paragraph

    counts, spec = run.counts, run.spec
    head = (
        f"{run.id}: {run.status}. {spec.community.name}, {spec.personas:,} members, {run.days} of {spec.days} days, seed "
        f"{spec.seed}; {spec.arm.describe()}. "
    )
    head += ", ".join(f"{counts[name]:,} {name}" for name in ("posts", "visits", "impressions", "reactions", "failures")) + "."
    took = f" Played in {run.seconds:.1f} s." if run.seconds else ""
    lines = [paragraph(head + took), f"Record: {run.path}, digest {run.digest}", "", *_language_lines(run)]
    if not run.days:
        lines.append("No measured day is finished yet.")
    else:
        values, judge = judged_values(run, run.measures)
        lines += measures_table(values)
        lines += ["", paragraph(_judge_note(run, judge))] if judge else []
    return [*lines, "", *(paragraph(f"Note: {line}") for line in run.warnings)] if run.warnings else lines


def _language_lines(run: Run) -> list[str]:
    """What a language mind did and took; nothing for the sketch mind."""
    from simulacra.analysis.turns import told
    from simulacra.terminal import paragraph

    facts = run.language if run.days else None
    return [*(paragraph(line, "", "  ") for line in told(facts)), ""] if facts is not None else []


def run_dict(run: Run) -> dict[str, Any]:
    """A run as plain values; what its design acts by is not judged by the scorer that it acts by."""
    from simulacra.scoring.opinions import judged_values

    if not run.days:
        return run.to_dict()
    values, judge = judged_values(run, run.measures)
    shown = {"measures": {name: None if math.isnan(value) else value for name, value in values.items()}, "judge": judge}
    return run.to_dict() | (shown if judge else {})


def _judge_note(run: Run, judge: str) -> str:
    from simulacra.analysis.judge import NOBODY, acting_levers

    acting = acting_levers(run.spec.arm)
    levers = ", ".join(dict.fromkeys(name for names in acting.values() for name in names))
    told = f"This design acts by the lexical scorer's {' and '.join(acting)} ({levers}), so that scorer cannot judge it"
    if judge == NOBODY:
        return f"{told}: those measures are left out. Have a second one read the run: simulacra score {run.id}"
    return f"{told}: those measures are by {judge}."


def comparison_lines(answer: Comparison, everything: bool) -> list[str]:
    from simulacra.terminal import comparison_table, paragraph

    spec = answer.spec
    pairing = "the same seeds in both arms" if spec.paired else "seeds of its own for each arm"
    head = f"{spec.community.name}: {spec.personas:,} members, {spec.days} days, {spec.seeds} replicates, {pairing}."
    status = [] if answer.status == "finished" else [f"This comparison is {answer.status}: the rows are of what is finished."]
    return [
        "", paragraph(head), *status,
        paragraph(f"baseline: {spec.baseline.describe()}", "  ", "            "),
        paragraph(f"variant:  {spec.variant.describe()}", "  ", "            "), "",
        *comparison_table(answer.row_list, everything), "",
        paragraph(f"Answer: {answer.sentence}", "", "  "), "", *_robust_lines(answer),
        *(paragraph(note, "  ", "  ") for note in [*answer.notes, *answer.warnings]), "", "Limits:",
        *(paragraph(limit, "  - ", "    ") for limit in answer.limits), "",
        paragraph(f"Kept: {answer.path}; full records in {answer.runs_dir}: {', '.join(_kept(answer)) or 'none'}.", "  ", "  "),
    ]  # fmt: skip


def segment_lines(answer: Comparison) -> list[str]:
    """The plan's measures among kinds of members, and who these are."""
    from simulacra.analysis.segments import SEGMENTED, SEGMENTS
    from simulacra.terminal import comparison_table, paragraph

    family = {name.partition("@")[0] for name in answer.spec.plan.family}
    rows = [row for row in answer.segment_list if row.measure.partition("@")[0] in family]
    if not rows:
        return ["", paragraph(f"Not taken among kinds of members. Those that are: {', '.join(SEGMENTED)}.")]
    kinds = "; ".join(f"{segment.title}: {segment.about}" for segment in SEGMENTS.values())
    note = "Exploration, unless it was named before the run: it suggests where to look and decides nothing."
    return ["", "For whom:", "", *comparison_table(rows), "", paragraph(f"Told apart before the run. {kinds}. {note}")]


def _robust_lines(answer: Comparison) -> list[str]:
    from simulacra.terminal import paragraph

    found = answer.robustness
    return [paragraph(f"Other assumptions: {found['sentence']}", "", "  "), ""] if found else []


def _kept(answer: Comparison) -> list[str]:
    return [run for runs in answer.runs.values() for run in runs]


def matched_lines(answer: Comparison, most: int = 6) -> list[str]:
    """The beginning of one thread that both arms of the first replicate have."""
    from simulacra.experiment import open_run
    from simulacra.reading import matched_threads, threads
    from simulacra.terminal import thread

    kept = [answer.runs[arm][0] for arm in ("baseline", "variant")]
    frames = [open_run(run, answer.runs_dir).frames for run in kept]
    match = matched_threads(*frames)
    if match is None:
        return []
    lines = ["", "One thread, opened by the same member in the same hour, in both designs:"]
    for arm, table, root in zip((answer.spec.baseline, answer.spec.variant), frames, match, strict=True):
        (view,) = threads(table, [root])
        lines += ["", f"  under {arm.describe()} ({view.count()} posts, read {view.readers} times):", *thread(view, most)]
    return lines


def plain_thread(post: PostView) -> dict[str, Any]:
    """A thread as nested plain values; replies are visited without recursion, so depth does not matter."""
    plain: dict[int, dict[str, Any]] = {}
    waiting, order = [post], []
    while waiting:
        view = waiting.pop()
        order.append(view)
        waiting += view.replies
    for view in reversed(order):
        replies = [plain[reply.id] for reply in view.replies]
        plain[view.id] = {**{k: v for k, v in vars(view).items() if k != "replies"}, "replies": replies}
    return plain[post.id]
