"""Verbs that ask the model itself: classic, probe, audit, sweep."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import (
    EXIT_MISTAKE,
    backend_option,
    community_of,
    runs_option,
    say,
    say_json,
    size_options,
    stopping,
    verb,
)
from simulacra.errors import SpecError

if TYPE_CHECKING:
    from simulacra.studies.audit import Audit, AuditRow
    from simulacra.studies.contagion import Probe
    from simulacra.studies.sweep import Sweep, SweepRow

EXIT_FAILED = 1
"""The question was understood and the answer is no: a knob is dead."""


def do_classic(a: argparse.Namespace) -> int:
    from simulacra.analysis.stability import SPLIT_SEEDS
    from simulacra.classics import find, play
    from simulacra.terminal import paragraph, table

    classic = find(a.name)
    if not 1 <= a.seeds <= 1000:
        raise SpecError(f"seeds = {a.seeds}: expected a whole number from 1 to 1,000.")
    cases = list(play(classic, range(1, a.seeds + 1)))
    enough = a.seeds >= SPLIT_SEEDS
    wrong = [case.setting.name for case in cases if enough and not case.right]
    if a.json:
        rows = [
            {"setting": c.setting.name, "mean": c.outcomes.mean(), "known": c.setting.level, "lowest": c.outcomes.min(),
             "highest": c.outcomes.max(), "stability": c.stability.word, "expected": c.setting.word, "right": c.right}
            for c in cases
        ]  # fmt: skip
        say_json(
            {"classic": classic.name, "measure": classic.outcome, "margin": classic.margin, "seeds": a.seeds, "rows": rows}
        )
        return EXIT_MISTAKE if wrong else 0
    told = [
        (c.setting.name, f"{c.outcomes.mean():.3f}", "-" if c.setting.level is None else f"{c.setting.level:.3f}",
         f"{c.outcomes.min():.3f} to {c.outcomes.max():.3f}", c.stability.word, c.setting.word or "-")
        for c in cases
    ]  # fmt: skip
    say([paragraph(f"{classic.about} ({classic.source})"), "", f"{classic.outcome}, {a.seeds} seeds a setting:"])
    say(table(("setting", "mean", "known", "lowest to highest", "stability", "expected"), told))
    found = "All as known." if enough else f"Fewer than {SPLIT_SEEDS} seeds can miss split worlds."
    say(["", f"Not as known: {', '.join(wrong)}." if wrong else found])
    return EXIT_MISTAKE if wrong else 0


def do_probe(a: argparse.Namespace) -> None:
    from simulacra.studies.contagion import probe
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    answer = probe(
        a.community, a.omit, a.personas, a.days, a.seeds, first_seed=a.seed, feed=a.feed, behaviour=a.behaviour, jobs=a.jobs,
        progress=lambda done, of: live.say(f"replicate {done} of {of}"),
    )  # fmt: skip
    say_json(answer.to_dict()) if a.json else say(_probe_lines(answer))


def _probe_lines(answer: Probe) -> list[str]:
    from simulacra.terminal import paragraph, table

    rows = [
        (
            row.estimate, row.measure, f"{row.difference:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}",
            "-" if math.isnan(row.d) else f"{row.d:+.3f}", "cause" if row.causal else "association",
        )
        for row in answer.rows
    ]  # fmt: skip
    meaning = (
        "twin: each treated persona against itself in a world where nothing was withheld, minus the same for a placebo group; "
        "exactly 0 where reading moves no mood. plain: without twins. over-exposure and conversation matching are associations: "
        "people who are alike read alike, and replies match their parents' tone without any mood spreading."
    )
    size = f"{answer.personas:,} members, {answer.days} days, {answer.seeds} replicates"
    return [
        "", f"Withholding {answer.omit} posts: {size}.", "",
        *table(("estimate", "measure", "difference", "95 % interval", "d", "shows"), rows, left=2), "",
        paragraph(f"Answer: {answer.sentence}", "", "  "), "", paragraph(meaning, "  ", "  "),
    ]  # fmt: skip


def do_audit(a: argparse.Namespace) -> int:
    from simulacra.studies.audit import audit
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    answer = audit(
        community_of(a), a.knob or (), a.personas, a.seeds, quick=a.quick, first_seed=a.seed, jobs=a.jobs,
        progress=lambda done, of: live.say(f"seed {done} of {of}"),
    )  # fmt: skip
    say_json(answer.to_dict()) if a.json else say(_audit_lines(answer))
    return EXIT_FAILED if answer.failed else 0


def _audit_lines(answer: Audit) -> list[str]:
    from simulacra.terminal import paragraph, table

    head = ("knob", "turned", "moves", "expected", "difference", "95 % interval", "")
    size = f"{answer.personas:,} members, {answer.seeds} paired seeds; each knob in a context in which it can act."
    return [
        "", f"Every knob turned one notch: {size}", "",
        *table(head, [_audit_cells(row) for row in answer.rows], left=4), "",
        *(f"  {row.knob}: {row.note}." for row in answer.rows if row.note), paragraph(f"Answer: {answer.sentence}", "", "  "),
    ]  # fmt: skip


def _audit_cells(row: AuditRow) -> tuple[str, ...]:
    if row.ok is None:
        return row.knob, row.turned, row.measure, row.expected, "-", "-", "not turned"
    interval = "one seed" if row.seeds == 1 else f"{row.low:+.4g} to {row.high:+.4g}"
    return (
        row.knob, row.turned, row.measure, row.expected, f"{row.difference:+.4g}", interval, "ok" if row.ok else "DEAD OR WRONG",
    )  # fmt: skip


def do_sweep(a: argparse.Namespace) -> None:
    from simulacra.studies.curve import check_page, write_page
    from simulacra.studies.sweep import sweep
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    if a.out is not None:
        check_page(a.out)
    names = [name.strip() for text in a.measure or ["toxicity_seen"] for name in text.split(",") if name.strip()]
    with stopping(at_once=a.jobs != 1 and a.backend == "local") as should_stop:
        answer = sweep(
            community_of(a), a.vary, a.steps, a.personas, a.days, a.seeds, a.jobs, measures=names, first_seed=a.seed,
            judge_by=a.judge, backend=a.backend, runs_dir=a.runs, should_stop=should_stop,
            progress=lambda done, of: live.say(f"replicate {done} of {of}"),
        )  # fmt: skip
    if a.out is not None:
        write_page(answer, a.out)
    say_json(answer.to_dict()) if a.json else say(_sweep_lines(answer, a.out))


def _sweep_lines(answer: Sweep, out: Path | None) -> list[str]:
    from simulacra.studies.sweep import title_of
    from simulacra.terminal import paragraph, table

    size = f"{answer.personas:,} members, {answer.days} days, {answer.seeds} paired seeds; {answer.design}; now {answer.now:g}."
    lines = ["", paragraph(f"{answer.key} on {answer.community}: {size}")]
    head = ("value", "level", "95 % interval", "against now", "95 % interval", "effect")
    for name, told in zip(answer.measures, answer.sentences, strict=True):
        rows = answer.of(name)
        by = f", judged by {rows[0].scorer}" if rows[0].scorer else ""
        lines += ["", paragraph(f"{title_of(name)}{by}", "  "), "", *table(head, map(_sweep_cells, rows), left=0)]
        lines += ["", paragraph(f"Answer: {told}", "", "  ")]
    return [*lines, "", *(paragraph(note, "  ") for note in answer.notes), *([f"  Picture: {out}"] if out else [])]


def _sweep_cells(row: SweepRow) -> tuple[str, ...]:
    return (
        f"{row.value:g}", f"{row.level:.4g}", f"{row.level_low:.4g} to {row.level_high:.4g}", f"{row.difference:+.3g}",
        f"{row.low:+.3g} to {row.high:+.3g}", row.effect,
    )  # fmt: skip


def _add_sweep(verbs: Any) -> None:
    sweep = verb(verbs, "sweep", do_sweep, "turn one parameter through a range: a response curve with intervals")
    sweep.add_argument("community", help="a bundled community's name or a TOML file")
    said = "what to turn, such as feed.weighted.toxicity=-3..0 or behaviour.contagion=0..0.3"
    sweep.add_argument("--vary", required=True, metavar="KEY=FROM..TO", help=said)
    sweep.add_argument("--steps", type=int, default=7, metavar="N", help="values, ends included (default 7)")
    sweep.add_argument(
        "--measure", action="append", metavar="NAME", help="what to look at (default toxicity_seen); up to five, repeatable"
    )
    sweep.add_argument("--personas", type=int, default=300, metavar="N", help="members (default 300)")
    sweep.add_argument("--days", type=int, default=3, metavar="N", help="simulated days, after two of burn-in (default 3)")
    sweep.add_argument("--seeds", type=int, default=8, metavar="N", help="paired replicates (default 8)")
    sweep.add_argument("--seed", type=int, default=1, metavar="N", help="first seed (default 1)")
    sweep.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, -1 for one a core (default 1)")
    backend_option(sweep)
    sweep.add_argument("--judge", metavar="SCORER", help="who judges where the design acts by the scorer, as in compare")
    sweep.add_argument("--set", action="append", metavar="KEY=VALUE", help="as if the community's file said so; repeatable")
    sweep.add_argument("--out", type=Path, metavar="FILE.html", help="draw the curve into this file too")
    runs_option(sweep)


def _add_audit(verbs: Any) -> None:
    audit = verb(verbs, "audit", do_audit, "turn every knob one notch and see whether it moves what it promises")
    audit.add_argument("community", help="a bundled community's name or a TOML file")
    audit.add_argument("--knob", action="append", metavar="NAME", help="only this one, or those that begin so; repeatable")
    audit.add_argument("--personas", type=int, default=300, metavar="N", help="members (default 300)")
    audit.add_argument("--seeds", type=int, default=6, metavar="N", help="paired replicates (default 6)")
    audit.add_argument("--seed", type=int, default=1, metavar="N", help="first seed (default 1)")
    said = "one seed, and all of them only for knobs without the promised sign in it: a fifth of the time"
    audit.add_argument("--quick", action="store_true", help=said)
    audit.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, -1 for one a core (default 1)")
    audit.add_argument("--set", action="append", metavar="KEY=VALUE", help="as if the community's file said so; repeatable")
    audit.add_argument("--quiet", action="store_true", help="no progress on standard error")


def add(verbs: Any) -> None:
    """Verbs that ask the model itself: known answers, causes."""
    classic = verb(verbs, "classic", do_classic, "play a small model whose answer is known, and judge it")
    classic.add_argument("name", metavar="NAME", help="schelling, bank-run or music-lab")
    classic.add_argument("--seeds", type=int, default=16, metavar="N", help="replicates of each setting (default 16)")

    probe = verb(verbs, "probe", do_probe, "an experiment inside the simulation: does mood spread by reading?")
    probe.add_argument("what", choices=("contagion",))
    probe.add_argument("community", help="a bundled community's name or a TOML file")
    probe.add_argument(
        "--omit", choices=("positive", "negative"), default="positive", help="which posts are withheld (default positive)"
    )
    probe.add_argument("--feed", metavar="NAME", help="in place of the community's own")
    probe.add_argument("--behaviour", action="append", metavar="KEY=VALUE", help="such as contagion=off; repeatable")
    size_options(probe, "first seed")
    probe.add_argument("--seeds", type=int, default=8, metavar="N", help="replicates (default 8; fewer than 6 make no claim)")
    probe.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, -1 for one a core (default 1)")
    probe.add_argument("--quiet", action="store_true", help="no progress on standard error")
    _add_audit(verbs)
    _add_sweep(verbs)
