"""Verbs that read what was played, and hand it on: runs, show, verify, export, import, note."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import EXIT_MISTAKE, is_experiment, runs_option, say, say_json, verb
from simulacra.cli.news import show_news
from simulacra.cli.told import comparison_lines, plain_thread, run_dict, run_lines
from simulacra.errors import RecordError, SpecError

if TYPE_CHECKING:
    from simulacra.experiment import Run

EXPORTS = ("csv", "parquet", "zip", "convokit")


def do_runs(a: argparse.Namespace) -> None:
    from simulacra.checks import clean
    from simulacra.record.runs import list_runs
    from simulacra.terminal import table

    found = list_runs(a.runs)
    if a.json:
        say_json({"runs": [{**vars(run), "path": str(run.path)} for run in found], "runs_dir": str(a.runs)})
        return
    rows = [
        (*map(clean, (r.id, r.status, r.community)), f"{r.personas:,}", str(r.days), f"{r.posts:,}", clean(r.started))
        for r in found
    ]
    say(table(("run", "status", "community", "personas", "days", "posts", "started"), rows, left=3))
    say([clean(f"{run.id}: {run.message}") for run in found if run.message])
    if not found:
        say([f"No runs in {a.runs}. Make one: simulacra run pittsburgh"])


def do_show(a: argparse.Namespace) -> None:
    from simulacra.analysis.drift import run_drift
    from simulacra.experiment import open_run
    from simulacra.reading import notable_threads, threads
    from simulacra.replicates import open_comparison
    from simulacra.terminal import paragraph, thread

    try:
        run = open_run(a.run, a.runs)
    except RecordError:
        if not is_experiment(a):
            raise
        answer = open_comparison(a.run, a.runs)
        _only_of_runs(a)
        say_json(answer.to_dict()) if a.json else say(comparison_lines(answer, True))
        return
    if a.news is not None:
        show_news(run, a.news, a.json)
        return
    if a.all:
        _show_everything(run, a)
        return
    found = threads(run.frames, [_root_of(run, a.post)] if a.post is not None else notable_threads(run.frames, a.threads))
    if a.json:
        say_json({**run_dict(run), "drift": run_drift(run).to_dict(), "threads": [plain_thread(view) for view in found]})
        return
    say([*run_lines(run), "", paragraph(run_drift(run).sentence), *_second_opinions(run)])
    for view in found:
        say(["", f"Thread {view.id}, {view.count()} posts on {view.topic}:", *thread(view, a.most)])


def _only_of_runs(a: argparse.Namespace) -> None:
    """Say of an option that reads one run that an experiment has many."""
    for option, given in (("--news", a.news is not None), ("--all", a.all), ("--post", a.post is not None)):
        if given:
            raise SpecError(f"{option} reads one run, and {a.run} is an experiment. Name a run (`simulacra runs` lists them).")


def _second_opinions(run: Run) -> list[str]:
    from simulacra.cli.second import agreement_lines
    from simulacra.scoring.sidecar import scorers_of
    from simulacra.terminal import paragraph

    return ["", *map(paragraph, agreement_lines(run.folder))] if scorers_of(run.folder) else []


def _show_everything(run: Run, a: argparse.Namespace) -> None:
    """Every measure by every scorer, the shape of the community among them."""
    from simulacra.analysis.facts import Facts
    from simulacra.analysis.measures import ALL, measure_table
    from simulacra.analysis.replygraph import hub_tail
    from simulacra.analysis.threads import depth_distance, size_distance
    from simulacra.analysis.writers import posting_tail
    from simulacra.scoring.sidecar import read_scores, scorers_of
    from simulacra.terminal import paragraph, scored_table

    complete = {name: read_scores(run.folder, name) for name in scorers_of(run.folder)}
    posts = len(Facts(run.frames).posts.id)
    second = {
        name: {column: values for column, values in scores.items() if column != "post"}
        for name, scores in complete.items()
        if len(scores["post"]) == posts
    }
    rows = measure_table(run, second).to_pylist()
    facts = Facts(run.frames)
    tails = {"posts per member": posting_tail(facts), "answered by": hub_tail(facts)}
    distances = {"thread sizes, slicer": size_distance(facts), "reply depths, delving": depth_distance(facts)}
    if a.json:
        shape = {"tails": {k: t._asdict() | {"scale_free": t.scale_free} for k, t in tails.items()},
                 "distances": {k: d._asdict() for k, d in distances.items()}}  # fmt: skip
        say_json({"run_id": run.id, "rows": rows, **shape})
        return
    titles = [ALL[row["measure"]].title if row["measure"] in ALL else row["measure"].replace("_", ", ") for row in rows]
    say(scored_table((t, row["value"], row["unit"], row["scorer"]) for t, row in zip(titles, rows, strict=True)))
    say(["", *(paragraph(f"Tail of {what}: {tail.sentence}") for what, tail in tails.items())])
    say([paragraph(
        f"{what[:1].upper()}{what[1:]}: distance {d.tvd:.2f}; a second sample of {d.threads} threads would lie up to {d.floor:.2f} away."
    ) for what, d in distances.items()])  # fmt: skip
    say(_second_opinions(run))


def do_verify(a: argparse.Namespace) -> int:
    from simulacra.checks import clean
    from simulacra.record.runs import RunFolder
    from simulacra.record.verify import verify

    run = RunFolder.open(a.run, a.runs)
    wrong = verify(run)
    if a.json:
        say_json({"run_id": run.id, "path": str(run.path), "ok": not wrong, "digest": run.digest, "differences": wrong})
    elif not wrong:
        say([f"{run.id}: {len(run.days)} days agree with digest {run.digest}."])
    if wrong and not a.json:
        print("\n".join(f"simulacra: {clean(line)}" for line in wrong), file=sys.stderr)
    return EXIT_MISTAKE if wrong else 0


def do_export(a: argparse.Namespace) -> None:
    from simulacra.record.export import export_run
    from simulacra.record.runs import RunFolder

    run = RunFolder.open(a.run, a.runs)
    path = export_run(run, a.to, a.out)
    say_json({"run_id": run.id, "to": a.to, "path": str(path)}) if a.json else say([f"{run.id} as {a.to}: {path}"])


def do_import(a: argparse.Namespace) -> None:
    from simulacra.record.bundle import import_bundle

    run = import_bundle(a.bundle, a.runs, a.id)
    found = {"run_id": run.id, "path": str(run.path), "digest": run.digest}
    say_json(found) if a.json else say([f"Imported and verified: {run.path}. Look at it: simulacra show {run.id}"])


def do_note(a: argparse.Namespace) -> None:
    from simulacra.checks import clean
    from simulacra.record.review import add_note, notes
    from simulacra.record.runs import RunFolder

    run = RunFolder.open(a.run, a.runs)
    if a.text or a.tag:
        if a.post is not None:
            _check_post(run, a.post)
        add_note(run, -1 if a.post is None else a.post, a.text or "", a.tag or (), a.author)
    found = notes(run, a.post)
    if a.json:
        say_json({"run_id": run.id, "notes": [{**vars(note), "tags": list(note.tags)} for note in found]})
        return
    say([clean(f"{_about(note.post)} {' '.join('#' + tag for tag in note.tags)} {note.text} ({note.at})") for note in found])


def _about(post: int) -> str:
    return f"post {post}:" if post >= 0 else "run:"


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


def add(verbs: Any) -> None:
    """Verbs that read and hand on what was played."""
    runs = verb(verbs, "runs", do_runs, "list runs")
    runs_option(runs)

    show = verb(verbs, "show", do_show, "measures and threads of a run, or the answer of an experiment")
    show.add_argument("run", metavar="RUN", help="a run's id or path (or an experiment's)")
    show.add_argument("--threads", type=int, default=3, metavar="N", help="how many threads (default 3)")
    show.add_argument("--post", type=int, metavar="ID", help="the thread that holds this post")
    show.add_argument("--all", action="store_true", help="every measure by every scorer, without threads")
    show.add_argument(
        "--news", nargs="?", const="", metavar="WORD", help="how far its news got; with a word or number, that item"
    )
    show.add_argument("--most", type=int, default=20, metavar="N", help="posts to show of each thread (default 20)")
    runs_option(show)

    verify = verb(verbs, "verify", do_verify, "check a run's record against its digest")
    verify.add_argument("run", metavar="RUN")
    runs_option(verify)

    export = verb(verbs, "export", do_export, "write a run elsewhere")
    export.add_argument("run", metavar="RUN")
    export.add_argument("--to", choices=EXPORTS, required=True)
    export.add_argument("--out", type=Path, required=True, metavar="PATH")
    runs_option(export)

    take_in = verb(verbs, "import", do_import, "take in a run that was exported as zip")
    take_in.add_argument("bundle", type=Path, metavar="ZIP")
    take_in.add_argument("--id", help="another name for it here")
    runs_option(take_in)

    note = verb(verbs, "note", do_note, "write a note on a run or a post, or list them")
    note.add_argument("run", metavar="RUN")
    note.add_argument("text", nargs="?", help="the note; without text and tags, notes are listed")
    note.add_argument("--post", type=int, metavar="ID", help="the post it is on; without it the run as a whole")
    note.add_argument("--tag", action="append", metavar="WORD", help="repeatable")
    note.add_argument("--author", default="", metavar="NAME")
    runs_option(note)
