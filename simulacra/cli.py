"""The command line: verbs over the same functions as the Python API.

Results go to standard output (with `--json` exactly one JSON object), progress and messages to standard error. A designer's
mistake is one line and exit code 2; a stopped run says how to go on and exits with 130. Heavy modules are imported by the verb
that needs them, so that `--help` costs next to nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from simulacra.errors import RecordError, SimulacraError, SpecError, Stopped

if TYPE_CHECKING:
    from simulacra.community import Community
    from simulacra.contagion import Probe
    from simulacra.experiment import Run
    from simulacra.reading import PostView
    from simulacra.replicates import Comparison
    from simulacra.terminal import Live
    from simulacra.verdict import Plan

EXIT_MISTAKE, EXIT_STOPPED = 2, 130
EXPORTS = ("csv", "parquet", "zip", "convokit")
DEMO = {"community": "pittsburgh", "baseline": "feed=chronological", "variant": "feed=engagement"}


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


# -- verbs that play -------------------------------------------------------------------------------------------------------


def do_run(a: argparse.Namespace) -> None:
    from simulacra.designs import make_arm
    from simulacra.experiment import RunSpec, play
    from simulacra.terminal import Live

    community = _community(a)
    arm = make_arm(community, a.overlay, "run", feed=a.feed, moderation=a.moderation, behaviour=a.behaviour)
    spec = RunSpec(community, arm, a.personas, a.days, a.seed)
    live = Live(quiet=a.quiet)
    live.wait(f"Growing {a.personas:,} members of {community.name} and playing two days of burn-in ...")
    with stopping() as should_stop:
        run = play(spec, a.runs, a.id, live.hour, should_stop)
    _show_run_result(run, a)


def do_resume(a: argparse.Namespace) -> None:
    from simulacra.experiment import resume
    from simulacra.terminal import Live

    if _is_experiment(a):
        raise SpecError(f"{a.run} is a comparison. Go on with: simulacra compare --resume {a.run}{_runs_option(a)}")
    with stopping() as should_stop:
        run = resume(a.run, a.runs, Live(quiet=a.quiet).hour, should_stop)
    _show_run_result(run, a)


def do_compare(a: argparse.Namespace) -> None:
    from simulacra.replicates import compare, resume_comparison
    from simulacra.terminal import Live

    if (a.community is None) == (a.resume is None):
        raise SpecError("compare: give a community, or --resume and an experiment's id.")
    live = Live(quiet=a.quiet)
    with stopping(at_once=a.jobs != 1) as should_stop:
        if a.resume is not None:
            answer = resume_comparison(a.resume, a.jobs, runs_dir=a.runs, progress=live.replicate, should_stop=should_stop)
        else:
            answer = compare(
                _community(a), a.baseline, a.variant, a.personas, a.days, a.seeds, a.jobs, plan=_plan(a), first_seed=a.seed,
                paired=not a.unpaired, keep=a.keep, feed=a.feed, moderation=a.moderation, behaviour=a.behaviour,
                runs_dir=a.runs, experiment_id=a.id, progress=live.replicate, should_stop=should_stop,
            )  # fmt: skip
    if answer.fresh == 0:
        live.say(f"All {answer.spec.seeds} replicates had been played; none was played again. --id NAME plays them afresh.")
    if a.robust:
        _check_robustness(answer, a, live)
    _print_json(answer.to_dict()) if a.json else _print(_comparison_lines(answer, a.all))


def _check_robustness(answer: Comparison, a: argparse.Namespace, live: Live) -> None:
    from simulacra.robustness import robustness

    live.say("Playing the same comparison under other assumptions ...")
    with stopping(at_once=a.jobs != 1) as should_stop:
        if robustness(answer, a.jobs, live.replicate, should_stop) is None:
            live.say("The primary measure shows no direction that other assumptions could turn: nothing was played.")


def do_demo(a: argparse.Namespace) -> None:
    from simulacra.replicates import compare, experiments_beside
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    name = _demo_id(experiments_beside(a.runs))
    live.say(f"Playing two designs of {DEMO['community']}, {a.personas:,} members, {a.days} days, {a.seeds} replicates ...")
    with stopping(at_once=a.jobs != 1) as should_stop:
        answer = compare(
            DEMO["community"], DEMO["baseline"], DEMO["variant"], a.personas, a.days, a.seeds, a.jobs, runs_dir=a.runs,
            experiment_id=name, progress=live.replicate, should_stop=should_stop,
        )  # fmt: skip
    if a.json:
        _print_json(answer.to_dict())
        return
    _print([*_comparison_lines(answer, False), *_matched_lines(answer), *_next_steps(answer)])


def _demo_id(place: Path) -> str:
    """`demo`, or the first of demo-2, demo-3 ... that is not finished: a demonstration plays, it shows no old answer."""
    from simulacra.replicates import EXPERIMENT_FILE, ExperimentFolder

    number, name = 1, "demo"
    while (place / name / EXPERIMENT_FILE).exists() and ExperimentFolder(place / name).status == "finished":
        number += 1
        name = f"demo-{number}"
    return name


# -- verbs that read -------------------------------------------------------------------------------------------------------


def do_runs(a: argparse.Namespace) -> None:
    from simulacra.checks import clean
    from simulacra.runs import list_runs
    from simulacra.terminal import table

    found = list_runs(a.runs)
    if a.json:
        _print_json({"runs": [{**vars(run), "path": str(run.path)} for run in found], "runs_dir": str(a.runs)})
        return
    rows = [
        (*map(clean, (r.id, r.status, r.community)), f"{r.personas:,}", str(r.days), f"{r.posts:,}", clean(r.started))
        for r in found
    ]
    _print(table(("run", "status", "community", "personas", "days", "posts", "started"), rows, left=3))
    _print([clean(f"{run.id}: {run.message}") for run in found if run.message])
    if not found:
        _print([f"No runs in {a.runs}. Make one: simulacra run pittsburgh"])


def do_show(a: argparse.Namespace) -> None:
    from simulacra.experiment import open_run
    from simulacra.reading import notable_threads, threads
    from simulacra.replicates import open_comparison
    from simulacra.terminal import thread

    try:
        run = open_run(a.run, a.runs)
    except RecordError:
        if not _is_experiment(a):
            raise
        answer = open_comparison(a.run, a.runs)
        _print_json(answer.to_dict()) if a.json else _print(_comparison_lines(answer, True))
        return
    found = threads(run.frames, [_root_of(run, a.post)] if a.post is not None else notable_threads(run.frames, a.threads))
    if a.json:
        _print_json({**run.to_dict(), "threads": [_plain_thread(view) for view in found]})
        return
    _print(_run_lines(run))
    for view in found:
        _print(["", f"Thread {view.id}, {view.count()} posts on {view.topic}:", *thread(view, a.most)])


def do_verify(a: argparse.Namespace) -> int:
    from simulacra.checks import clean
    from simulacra.runs import RunFolder
    from simulacra.verify import verify

    run = RunFolder.open(a.run, a.runs)
    wrong = verify(run)
    if a.json:
        _print_json({"run_id": run.id, "path": str(run.path), "ok": not wrong, "digest": run.digest, "differences": wrong})
    elif not wrong:
        _print([f"{run.id}: {len(run.days)} days agree with digest {run.digest}."])
    if wrong and not a.json:
        print("\n".join(f"simulacra: {clean(line)}" for line in wrong), file=sys.stderr)
    return EXIT_MISTAKE if wrong else 0


def do_export(a: argparse.Namespace) -> None:
    from simulacra.export import export_run
    from simulacra.runs import RunFolder

    run = RunFolder.open(a.run, a.runs)
    path = export_run(run, a.to, a.out)
    _print_json({"run_id": run.id, "to": a.to, "path": str(path)}) if a.json else _print([f"{run.id} as {a.to}: {path}"])


def do_import(a: argparse.Namespace) -> None:
    from simulacra.bundle import import_bundle

    run = import_bundle(a.bundle, a.runs, a.id)
    found = {"run_id": run.id, "path": str(run.path), "digest": run.digest}
    _print_json(found) if a.json else _print([f"Imported and verified: {run.path}. Look at it: simulacra show {run.id}"])


def do_note(a: argparse.Namespace) -> None:
    from simulacra.checks import clean
    from simulacra.review import add_note, notes
    from simulacra.runs import RunFolder

    run = RunFolder.open(a.run, a.runs)
    if a.text or a.tag:
        if a.post is not None:
            _check_post(run, a.post)
        add_note(run, -1 if a.post is None else a.post, a.text or "", a.tag or (), a.author)
    found = notes(run, a.post)
    if a.json:
        _print_json({"run_id": run.id, "notes": [{**vars(note), "tags": list(note.tags)} for note in found]})
        return
    _print([clean(f"{_about(note.post)} {' '.join('#' + tag for tag in note.tags)} {note.text} ({note.at})") for note in found])


def _about(post: int) -> str:
    return f"post {post}:" if post >= 0 else "run:"


# -- verbs for designers' files --------------------------------------------------------------------------------------------


def do_new(a: argparse.Namespace) -> None:
    from simulacra.checks import slugify
    from simulacra.community import starter
    from simulacra.durable import disk_errors

    path = a.out or Path(f"{slugify(a.name)}.toml")
    with disk_errors(path):
        try:
            with open(path, "x", encoding="utf-8") as file:
                file.write(starter(a.name))
        except FileExistsError:
            raise RecordError(f"{path}: exists already. Give another name, or --out and another path.") from None
    told = [f"Wrote {path}. Edit it, then:", f"  simulacra check {path}", f"  simulacra run {path}"]
    _print_json({"path": str(path)}) if a.json else _print(told)


def do_check(a: argparse.Namespace) -> None:
    from simulacra import rules
    from simulacra.community import check_community, load_community
    from simulacra.designs import make_arm

    community = load_community(a.file)
    arm = make_arm(community)
    notes = check_community(a.file)
    suggested, trouble = _suggested_kinds(community, str(a.file))
    paste = rules.to_confirm(community.rules, community.confirmed, suggested, a.by)
    if a.json:
        _print_json({
            "file": str(a.file), "ok": True, "name": community.name, "slug": community.slug,
            "sketches": len(community.personas), "rules": len(community.rules), "topics": list(community.topics),
            "design": arm.describe(), "notes": [*notes, *rules.warnings(community.rules, community.confirmed), *trouble],
            "meanings": _meanings(community, suggested), "toml": paste,
        })  # fmt: skip
        return
    counts = f"{len(community.personas)} sketches, {len(community.rules)} rules, topics: {', '.join(community.topics)}"
    _print([f"{community.name}: fine. {counts}. Design: {arm.describe()}.", *(f"note: {note}" for note in [*notes, *trouble])])
    _print(_told_meanings(community, suggested))
    if any(meaning is None for meaning in community.meanings):
        _print(
            [
                "",
                "To confirm, correct what is wrong, say who you are, and put this into the file in place of its rules:",
                "",
                paste,
            ]
        )


def _suggested_kinds(community: Community, source: str) -> tuple[list[str], list[str]]:
    """For each rule a kind that embeddings suggest where cue words found none ("" else), and a note where they could not be asked."""
    from simulacra import rules
    from simulacra.community import bundled_communities
    from simulacra.scoring.kinds import suggest
    from simulacra.scoring.semantic import WeightsError

    open_rules = [r for r in community.rules if r not in community.confirmed and rules.propose(r) is None]
    try:
        found = dict(zip(open_rules, suggest(open_rules, bundled_communities().get(source)), strict=True))
    except WeightsError as error:
        return [""] * len(community.rules), [f"rules without a kind were compared with no other sentences. {error}"]
    return [found.get(rule, "") for rule in community.rules], []


def _meanings(community: Community, suggested: Sequence[str]) -> list[dict[str, Any]]:
    from simulacra import rules

    found = rules.meanings(community.rules, community.confirmed)
    return [
        {"text": rule, "kinds": list(m.kinds) if m else [], "stance": m.stance if m else None, "suggested": near,
         "confirmed_by": community.confirmed[rule].confirmed_by if rule in community.confirmed else ""}
        for rule, m, near in zip(community.rules, found, suggested, strict=True)
    ]  # fmt: skip


def _told_meanings(community: Community, suggested: Sequence[str]) -> list[str]:
    from simulacra import rules

    lines = []
    for n, (rule, near) in enumerate(zip(community.rules, suggested, strict=True), 1):
        perhaps = f"; perhaps {near.replace('_', ' ')}, by likeness" if near else ""
        told = rules.described(community.confirmed.get(rule) or rules.propose(rule))
        lines.append(f'rule {n}, "{rule}": {told}{perhaps}.')
    return lines


def do_parameters(a: argparse.Namespace) -> None:
    from dataclasses import fields

    from simulacra.behaviour import Behaviour
    from simulacra.feeds import FEEDS
    from simulacra.moderation import POLICIES
    from simulacra.terminal import paragraph

    listed = {"feeds": _catalogue(FEEDS), "moderation": _catalogue(POLICIES)}
    behaviour = {f.name: {"default": f.default, **f.metadata} for f in fields(Behaviour)}
    if a.json:
        _print_json({**listed, "behaviour": behaviour})
        return
    for kind, known in listed.items():
        _print(["", f"{kind}:"])
        for name, design in known.items():
            parameters = ", ".join(f"{key}={value}" for key, value in design["parameters"].items())
            _print([paragraph(f"{name}: {design['about']}" + (f" ({parameters})" if parameters else ""), "  ", "      ")])
    _print(["", "behaviour (default, unit; source):"])
    for name, p in behaviour.items():
        told = f"{name} = {p['default']:g} {p['unit']}: {p['about']} ({p['source']}; off = {p['off']:g})"
        _print([paragraph(told, "  ", "      ")])


def _catalogue(known: Mapping[str, type[Any]]) -> dict[str, dict[str, Any]]:
    """Designs by name with what they do and the defaults of their parameters."""
    from dataclasses import fields

    return {
        name: {"about": design.about, "parameters": {f.name: _default(f) for f in fields(design) if f.init}}
        for name, design in known.items()
    }


def _default(parameter: Any) -> Any:
    return list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default


def do_classic(a: argparse.Namespace) -> int:
    from simulacra.classics import find, play
    from simulacra.terminal import paragraph, table
    from simulacra.verdict import SPLIT_SEEDS

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
        _print_json(
            {"classic": classic.name, "measure": classic.outcome, "margin": classic.margin, "seeds": a.seeds, "rows": rows}
        )
        return EXIT_MISTAKE if wrong else 0
    told = [
        (c.setting.name, f"{c.outcomes.mean():.3f}", "-" if c.setting.level is None else f"{c.setting.level:.3f}",
         f"{c.outcomes.min():.3f} to {c.outcomes.max():.3f}", c.stability.word, c.setting.word or "-")
        for c in cases
    ]  # fmt: skip
    _print([paragraph(f"{classic.about} ({classic.source})"), "", f"{classic.outcome}, {a.seeds} seeds a setting:"])
    _print(table(("setting", "mean", "known", "lowest to highest", "stability", "expected"), told))
    found = "All as known." if enough else f"Fewer than {SPLIT_SEEDS} seeds can miss split worlds."
    _print(["", f"Not as known: {', '.join(wrong)}." if wrong else found])
    return EXIT_MISTAKE if wrong else 0


def do_probe(a: argparse.Namespace) -> None:
    from simulacra.contagion import probe
    from simulacra.terminal import Live

    live = Live(quiet=a.quiet)
    answer = probe(
        a.community, a.omit, a.personas, a.days, a.seeds, first_seed=a.seed, feed=a.feed, behaviour=a.behaviour, jobs=a.jobs,
        progress=lambda done, of: live.say(f"replicate {done} of {of}"),
    )  # fmt: skip
    _print_json(answer.to_dict()) if a.json else _print(_probe_lines(answer))


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


def do_app(a: argparse.Namespace) -> int:
    from simulacra.launch import serve

    return serve(a.runs, a.port, a.headless)


# -- what is printed -------------------------------------------------------------------------------------------------------


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _print_json(value: dict[str, Any]) -> None:
    """One object, ASCII only: nothing in it can lead a terminal astray."""
    from simulacra.runfiles import plain

    print(json.dumps(plain(value), allow_nan=False))


def _show_run_result(run: Run, a: argparse.Namespace) -> None:
    if a.json:
        _print_json(run.to_dict())
        return
    _print([*_run_lines(run), "", f"Read three threads of it: simulacra show {run.id}{_runs_option(a)}"])


def _run_lines(run: Run) -> list[str]:
    from simulacra.terminal import measures_table, paragraph

    counts, spec = run.counts, run.spec
    head = (
        f"{run.id}: {run.status}. {spec.community.name}, {spec.personas:,} members, {run.days} of {spec.days} days, seed "
        f"{spec.seed}; {spec.arm.describe()}. "
    )
    head += ", ".join(f"{counts[name]:,} {name}" for name in ("posts", "visits", "impressions", "reactions", "failures")) + "."
    took = f" Played in {run.seconds:.1f} s." if run.seconds else ""
    lines = [paragraph(head + took), f"Record: {run.path}, digest {run.digest}", ""]
    lines += measures_table(run.measures) if run.days else ["No measured day is finished yet."]
    return [*lines, "", *(paragraph(f"Note: {line}") for line in run.warnings)] if run.warnings else lines


def _comparison_lines(answer: Comparison, everything: bool) -> list[str]:
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


def _robust_lines(answer: Comparison) -> list[str]:
    from simulacra.terminal import paragraph

    found = answer.robustness
    return [paragraph(f"Other assumptions: {found['sentence']}", "", "  "), ""] if found else []


def _kept(answer: Comparison) -> list[str]:
    return [run for runs in answer.runs.values() for run in runs]


def _matched_lines(answer: Comparison, most: int = 6) -> list[str]:
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


def _next_steps(answer: Comparison) -> list[str]:
    baseline = answer.runs["baseline"][0]
    return [
        "", "What to type next:",
        f"  simulacra show {baseline}{_option(answer.runs_dir)}",
        "  simulacra compare pittsburgh --baseline moderation=none --variant moderation=automod+human_review",
        "  simulacra new \"My community\"        # a commented file to describe your own",
        "  simulacra parameters                # every feed, moderation design and behaviour parameter",
    ]  # fmt: skip


def _plain_thread(post: PostView) -> dict[str, Any]:
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


def _runs_option(a: argparse.Namespace) -> str:
    return _option(Path(a.runs))


def _option(runs: Path) -> str:
    return "" if str(runs) == "runs" else f" --runs {runs}"


# -- small things ----------------------------------------------------------------------------------------------------------


def _community(a: argparse.Namespace) -> Any:
    """The community with what --set says, as if its file said so."""
    from simulacra.community import load_community
    from simulacra.designs import make_arm

    community = load_community(a.community)
    return make_arm(community, a.set).applied_to(community) if a.set else community


def _plan(a: argparse.Namespace) -> Plan:
    from simulacra.verdict import Plan

    names = tuple(name.strip() for text in a.guardrail or () for name in text.split(",") if name.strip())
    return Plan(a.primary, a.margin, names)


def number_or_auto(text: str) -> int | str:
    """A number of replicates, or auto."""
    if text != "auto" and not text.lstrip("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: expected a whole number or auto")
    return text if text == "auto" else int(text)


def _is_experiment(a: argparse.Namespace) -> bool:
    from simulacra.replicates import EXPERIMENT_FILE, experiments_beside

    return any((place / EXPERIMENT_FILE).is_file() for place in (experiments_beside(a.runs) / a.run, Path(a.run)))


def _root_of(run: Run, post: int) -> int:
    """The opening post of the thread that holds a post."""
    posts = run.frames.arrow("posts", burn_in=True, columns=("id", "root"))
    roots = dict(zip(posts.column("id").to_pylist(), posts.column("root").to_pylist(), strict=True))
    if post not in roots:
        raise SpecError(f"{run.id} has no post {post}. Posts: 0 to {max(roots, default=-1)}.")
    return int(roots[post])


def _check_post(run: Any, post: int) -> None:
    known = run.frames().arrow("posts", burn_in=True, columns=("id",)).column("id").to_pylist()
    if post not in known:
        raise SpecError(f"{run.id} has no post {post}. Posts: 0 to {max(known, default=-1)}. No --post: a note on the run.")


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


# -- the parser ------------------------------------------------------------------------------------------------------------


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

    run = _verb(verbs, "run", do_run, "play one run of a community")
    run.add_argument("community", help="a bundled community's name or a TOML file")
    _design(run)
    _size(run, "seed of all chance")
    run.add_argument("--overlay", type=Path, metavar="FILE", help="a TOML overlay on top of the community's design")
    run.add_argument("--id", help="name of the run's folder")
    _runs(run)

    resume = _verb(verbs, "resume", do_resume, "go on with a stopped or interrupted run")
    resume.add_argument("run", metavar="RUN", help="a run's id or path")
    _runs(resume)

    compare = _verb(verbs, "compare", do_compare, "compare two designs over several seeds")
    compare.add_argument("community", nargs="?", help="a bundled community's name or a TOML file")
    own = '"key=value ..." or a TOML overlay; default: the community\'s own design'
    compare.add_argument("--baseline", default="", metavar="SETTINGS", help=own)
    such = 'such as "feed=engagement moderation=none" or strict.toml'
    compare.add_argument("--variant", default="", metavar="SETTINGS", help=such)
    _design(compare)
    _size(compare, "first seed")
    _replication(compare)
    compare.add_argument("--primary", default="toxicity_seen", metavar="MEASURE", help="what decides (default toxicity_seen)")
    compare.add_argument("--margin", type=float, metavar="SIZE", help="the smallest difference of it that matters, in its unit")
    such = "a measure to watch besides; at most four, repeatable"
    compare.add_argument("--guardrail", action="append", metavar="MEASURE", help=such)
    compare.add_argument("--robust", action="store_true", help="replay the primary measure under other assumptions")
    compare.add_argument("--unpaired", action="store_true", help="disjoint seeds for the two arms")
    compare.add_argument("--keep", choices=("first", "all"), default="first", help="whose full records stay (default first)")
    compare.add_argument("--id", help="name of the experiment's folder")
    compare.add_argument("--resume", metavar="EXPERIMENT", help="play the replicates that this experiment lacks")
    compare.add_argument("--all", action="store_true", help="show measures with nothing to count too")
    _runs(compare)

    demo = _verb(verbs, "demo", do_demo, "the main job on a bundled community: compare two feeds")
    demo.add_argument("--personas", type=int, default=1000, metavar="N")
    demo.add_argument("--days", type=int, default=7, metavar="N")
    _replication(demo, jobs=min(8, _cores()))
    _runs(demo)
    _probe_verb(verbs)
    _reading_verbs(verbs)
    _file_verbs(verbs)
    return top


def _reading_verbs(verbs: Any) -> None:
    runs = _verb(verbs, "runs", do_runs, "list runs")
    _runs(runs)

    show = _verb(verbs, "show", do_show, "measures and threads of a run, or the answer of an experiment")
    show.add_argument("run", metavar="RUN", help="a run's id or path (or an experiment's)")
    show.add_argument("--threads", type=int, default=3, metavar="N", help="how many threads (default 3)")
    show.add_argument("--post", type=int, metavar="ID", help="the thread that holds this post")
    show.add_argument("--most", type=int, default=20, metavar="N", help="posts to show of each thread (default 20)")
    _runs(show)

    verify = _verb(verbs, "verify", do_verify, "check a run's record against its digest")
    verify.add_argument("run", metavar="RUN")
    _runs(verify)

    export = _verb(verbs, "export", do_export, "write a run elsewhere")
    export.add_argument("run", metavar="RUN")
    export.add_argument("--to", choices=EXPORTS, required=True)
    export.add_argument("--out", type=Path, required=True, metavar="PATH")
    _runs(export)

    take_in = _verb(verbs, "import", do_import, "take in a run that was exported as zip")
    take_in.add_argument("bundle", type=Path, metavar="ZIP")
    take_in.add_argument("--id", help="another name for it here")
    _runs(take_in)

    note = _verb(verbs, "note", do_note, "write a note on a run or a post, or list them")
    note.add_argument("run", metavar="RUN")
    note.add_argument("text", nargs="?", help="the note; without text and tags, notes are listed")
    note.add_argument("--post", type=int, metavar="ID", help="the post it is on; without it the run as a whole")
    note.add_argument("--tag", action="append", metavar="WORD", help="repeatable")
    note.add_argument("--author", default="", metavar="NAME")
    _runs(note)


def _probe_verb(verbs: Any) -> None:
    probe = _verb(verbs, "probe", do_probe, "an experiment inside the simulation: does mood spread by reading?")
    probe.add_argument("what", choices=("contagion",))
    probe.add_argument("community", help="a bundled community's name or a TOML file")
    probe.add_argument(
        "--omit", choices=("positive", "negative"), default="positive", help="which posts are withheld (default positive)"
    )
    probe.add_argument("--feed", metavar="NAME", help="in place of the community's own")
    probe.add_argument("--behaviour", action="append", metavar="KEY=VALUE", help="such as contagion=off; repeatable")
    _size(probe, "first seed")
    probe.add_argument("--seeds", type=int, default=8, metavar="N", help="replicates (default 8; fewer than 6 make no claim)")
    probe.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, -1 for one a core (default 1)")
    probe.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _file_verbs(verbs: Any) -> None:
    new = _verb(verbs, "new", do_new, "write a commented community file to begin with")
    new.add_argument("name", help="the community's name")
    new.add_argument("--out", type=Path, metavar="FILE", help="default: the name as a file name, here")

    check = _verb(
        verbs, "check", do_check, "check a community file, say what could be better and what its rules were taken to mean"
    )
    check.add_argument("file", help="a TOML file or a bundled community's name")
    check.add_argument("--by", default="", metavar="NAME", help="who confirms the rules' meanings, for the lines to paste")

    classic = _verb(verbs, "classic", do_classic, "play a small model whose answer is known, and judge it")
    classic.add_argument("name", metavar="NAME", help="schelling, bank-run or music-lab")
    classic.add_argument("--seeds", type=int, default=16, metavar="N", help="replicates of each setting (default 16)")

    _verb(verbs, "parameters", do_parameters, "list feeds, moderation designs and behaviour parameters")

    app = _verb(verbs, "app", do_app, "open the app in the browser, on this machine alone")
    app.add_argument("--port", type=int, default=8501, metavar="N", help="default 8501")
    app.add_argument("--headless", action="store_true", help="open no browser window")
    _runs(app)


def _verb(verbs: Any, name: str, function: Callable[[argparse.Namespace], int | None], about: str) -> argparse.ArgumentParser:
    sentence = f"{about[0].upper()}{about[1:]}."
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=sentence, allow_abbrev=False)
    verb.set_defaults(verb=function)
    verb.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return verb


def _design(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--feed", metavar="NAME", help='such as hot, or "weighted:recency=1,toxicity=-2"')
    verb.add_argument("--moderation", metavar="LIST", help="such as sticky_rules,automod, or none")
    verb.add_argument("--behaviour", action="append", metavar="KEY=VALUE", help="such as contagion=off; repeatable")
    said = "any setting, as if the community's file said so; repeatable"
    verb.add_argument("--set", action="append", metavar="KEY=VALUE", help=said)


def _size(verb: argparse.ArgumentParser, seed: str) -> None:
    verb.add_argument("--personas", type=int, default=1000, metavar="N", help="members at the beginning (default 1000)")
    verb.add_argument("--days", type=int, default=7, metavar="N", help="simulated days, after two of burn-in (default 7)")
    verb.add_argument("--seed", type=int, default=1, metavar="N", help=f"{seed} (default 1)")


def _replication(verb: argparse.ArgumentParser, jobs: int = 1) -> None:
    said = "replicates (default 8; fewer than 6 make no claim), or auto: 8 to 32, until the primary's interval is narrow enough"
    verb.add_argument("--seeds", type=number_or_auto, default=8, metavar="N", help=said)
    verb.add_argument("--jobs", type=int, default=jobs, metavar="N", help=f"processes, -1 for one a core (default {jobs})")


def _runs(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are kept (default runs/)")
    verb.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
