"""Verbs that read what was played, and hand it on: runs, show, verify, export, import, note."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import EXIT_MISTAKE, is_experiment, runs_option, say, say_json, verb
from simulacra.cli.told import comparison_lines, plain_thread, run_lines
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
    from simulacra.experiment import open_run
    from simulacra.reading import notable_threads, threads
    from simulacra.replicates import open_comparison
    from simulacra.terminal import thread

    try:
        run = open_run(a.run, a.runs)
    except RecordError:
        if not is_experiment(a):
            raise
        answer = open_comparison(a.run, a.runs)
        say_json(answer.to_dict()) if a.json else say(comparison_lines(answer, True))
        return
    found = threads(run.frames, [_root_of(run, a.post)] if a.post is not None else notable_threads(run.frames, a.threads))
    if a.json:
        say_json({**run.to_dict(), "threads": [plain_thread(view) for view in found]})
        return
    say(run_lines(run))
    for view in found:
        say(["", f"Thread {view.id}, {view.count()} posts on {view.topic}:", *thread(view, a.most)])


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
