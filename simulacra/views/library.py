"""Library: all runs and comparisons, notes and where a review stands; duplicate, delete, export, import."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from simulacra.errors import RecordError, SimulacraError
from simulacra.experiment import Run
from simulacra.record.bundle import import_bundle
from simulacra.record.export import export_run
from simulacra.record.review import Note, add_note, notes
from simulacra.record.runfiles import checked_run_id
from simulacra.record.runs import RunFolder, RunSummary
from simulacra.replicates import Comparison
from simulacra.views import go, report, say, store
from simulacra.views.pair import kept_pairs
from simulacra.views.threads import TAGS, note_card

REVIEW = ("to look at", "agreed", "questioned")
_PREFIX = "review: "
"""A review's state is the last note on the run as a whole that has one of these tags."""


def page() -> None:
    say.head("Library", "Everything that was played here: look for it, review it, hand it on.")
    _undo()
    with st.expander("Import a run", icon=":material/upload:", expanded=go.asked("open") == "import"):
        _import()
    search = st.text_input("Search", placeholder="name, community, tag or words of a note", icon=":material/search:", width=420)
    tabs = st.tabs(["Runs", "Comparisons"], default="Comparisons" if go.asked("experiment") else "Runs")
    with tabs[0]:
        _runs(search.strip().lower())
    with tabs[1]:
        _trials(search.strip().lower())


# -- delete and undo -------------------------------------------------------------------------------------------------------


def _undo() -> None:
    """What was deleted last can be taken back, also after a reload."""
    for place in (store.runs_dir(), store.experiments_dir()):
        found = store.trashed(place)
        if not found:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Deleted: {say.md(found[0])}")
            if st.button("Undo", key=f"undo-{place.name}", icon=":material/undo:", type="tertiary"):
                _do(partial(store.restore, place, found[0]))


def _do(action: Callable[[], object]) -> None:
    try:
        action()
    except SimulacraError as error:
        say.mistake(error)
        return
    st.rerun()


# -- import ----------------------------------------------------------------------------------------------------------------


def _import() -> None:
    st.caption(
        "A zip file that somebody exported as a bundle. Every file is checked against its digest before anything is written."
    )
    file = st.file_uploader("Bundle", "zip", label_visibility="collapsed")
    name = st.text_input("Another name for it here (optional)", max_chars=100, width=420)
    if file is not None and st.button("Import", type="primary"):
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "bundle.zip"
            bundle.write_bytes(file.getvalue())
            try:
                run = import_bundle(bundle, store.runs_dir(), name.strip() or None)
            except RecordError as error:
                say.mistake(str(error).replace(str(bundle), "The file"))
                return
        go.to("library", run=run.id)


# -- runs ------------------------------------------------------------------------------------------------------------------


def _runs(search: str) -> None:
    found = _wanted([run for run in store.runs() if not search or search in _words_of(run)], bool(search))
    if not found:
        say.empty(
            "Nothing here",
            "Start a run on the Design page, or import a colleague's." if not search else "No run has these words.",
        )
        return
    table = pd.DataFrame(
        [
            {
                "run": run.id,
                "status": say.STATUS.get(run.status, run.status),
                "community": run.community,
                "members": run.personas,
                "days": run.days,
                "posts": run.posts,
                "review": _review_of(run),
                "notes": _note_count(run),
                "begun": run.started[:16].replace("T", " "),
            }
            for run in found
        ]
    )
    chosen = _choose(table, "runs-table", go.asked("run"), "run")
    if chosen is not None:
        _run(chosen)


def _wanted(found: list[RunSummary], is_searched: bool) -> list[RunSummary]:
    """Runs without those that comparisons kept, which are many, unless they are asked for."""
    trials = store.trials()
    single = [run for run in found if not store.is_of_comparison(run.id, trials)]
    many = len(found) - len(single)
    if not many:
        return found
    asked = not single or is_searched or go.asked("run") in {run.id for run in found} - {run.id for run in single}
    return found if st.toggle(f"Show the {say.count(many, 'run')} that comparisons kept, too", asked) else single


def _choose(table: pd.DataFrame, key: str, asked: str, column: str) -> str | None:
    """The row chosen in a table, else the one that the address asks for."""
    event = st.dataframe(
        table, hide_index=True, key=key, on_select="rerun", selection_mode="single-row", height=min(33 * len(table) + 37, 420)
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(table):
        return str(table[column].iloc[rows[0]])
    if asked in set(table[column]):
        return asked
    st.caption("Choose a row to review it or hand it on.")
    return None


def _words_of(run: RunSummary) -> str:
    words = [run.id, run.community, run.status]
    for note in _notes(run):
        words += [note.text, *note.tags, note.author]
    return " ".join(words).lower()


def _notes(run: RunSummary) -> list[Note]:
    if run.status == "damaged":
        return []
    return list(notes(RunFolder(run.path)))


def _note_count(run: RunSummary) -> int:
    return sum(bool(note.text) for note in _notes(run))


def _review_of(run: RunSummary) -> str:
    return _state(tag for note in _notes(run) for tag in note.tags)


def _state(tags: Iterable[str]) -> str:
    told = [tag.removeprefix(_PREFIX) for tag in tags if tag.startswith(_PREFIX)]
    return told[-1] if told else ""


def _run(name: str) -> None:
    try:
        run = store.run(name)
        _ = run.spec
    except SimulacraError as error:
        say.mistake(error)
        _delete_button(store.runs_dir() / name, name)
        return
    with st.container(border=True):
        st.html(
            f"<b>{say.esc(run.spec.community.name)}</b><div class='sim-quiet'>{say.esc(name)} · "
            f"{say.esc(say.design(run.spec.arm))}</div>"
        )
        with st.container(horizontal=True):
            if st.button("Read threads", icon=":material/forum:", disabled=not run.days):
                go.to("threads", run=name)
            if st.button("Progress", icon=":material/play_circle:"):
                go.to("run", run=name)
            if st.button("Duplicate", icon=":material/content_copy:", key="duplicate-run"):
                go.to("design", like=name)
            _delete_button(run.path, name)
        left, right = st.columns(2, gap="large")
        with left:
            _review(run)
        with right:
            _export(run)


def _delete_button(folder: Path, name: str) -> None:
    if st.button("Delete", icon=":material/delete:", key=f"delete-{name}", help="Can be undone"):
        st.query_params.clear()
        _do(lambda: store.trash(folder))


def _review(run: Run) -> None:
    found = notes(run.folder)
    state = _state(tag for note in found for tag in note.tags)
    chosen = st.segmented_control("Review", REVIEW, default=state or None, key=f"review-{run.id}-{len(found)}")
    if chosen and chosen != state:
        add_note(run.folder, -1, "", [f"{_PREFIX}{chosen}"], st.session_state.get("reviewer", ""))
        st.rerun()
    for note in found:
        if note.text:
            note_card(note.text, note.tags, note.author, note.at)
            if note.post >= 0 and st.button(f"Open post {note.post}", key=f"open-{note.post}-{note.at}", type="tertiary"):
                go.to("threads", run=run.id, post=note.post)
    with st.form(f"note-{run.id}", clear_on_submit=True):
        text = st.text_area("A note on the run", max_chars=2000)
        tags = st.multiselect("Tags", TAGS, accept_new_options=True)
        author = st.text_input("Your name", st.session_state.get("reviewer", ""), max_chars=80)
        if st.form_submit_button("Keep the note") and (text.strip() or tags):
            st.session_state["reviewer"] = author
            _do(lambda: add_note(run.folder, -1, text.strip(), tags, author.strip()))


# -- export ----------------------------------------------------------------------------------------------------------------


def _export(run: Run) -> None:
    st.caption("Hand it on")
    busy = run.status == "running"
    for label, kind, about in (
        ("Bundle (zip)", "zip", "The whole record with its notes; a colleague imports it here"),
        ("Tables (CSV)", "csv", "A zip of CSV files that no spreadsheet takes for formulas"),
        ("ConvoKit corpus", "convokit", "A zip of a corpus folder for conversation analysis"),
    ):
        st.download_button(
            label,
            partial(_exported, run, kind),
            f"{run.id}-{kind}.zip",
            "application/zip",
            help=about,
            icon=":material/download:",
            key=f"export-{kind}-{run.id}",
            disabled=busy,
            on_click="ignore",
            width=220,
        )
    st.download_button(
        "Report (HTML)",
        lambda: report.of_run(run).encode(),
        f"{run.id}.html",
        "text/html",
        icon=":material/description:",
        help="One file that opens without the tool: design, charts, ten threads, notes, limits",
        disabled=not run.days,
        key=f"report-{run.id}",
        on_click="ignore",
        width=220,
    )


def _exported(run: Run, kind: str) -> bytes:
    """The export as one zip file's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = export_run(run.folder, kind, Path(folder) / run.id)  # type: ignore[arg-type]
        if path.is_file():
            return path.read_bytes()
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    packed.write(file, f"{run.id}/{file.relative_to(path).as_posix()}")
        return sink.getvalue()


# -- comparisons -----------------------------------------------------------------------------------------------------------


def _trials(search: str) -> None:
    found = [trial for trial in store.trials() if search in trial.id.lower() or search in trial.message.lower()]
    if not found:
        say.empty("Nothing here", "Start a comparison from a question on the Compare page.")
        return
    table = pd.DataFrame(
        [
            {
                "comparison": t.id,
                "status": say.STATUS.get(t.status, t.status),
                "pairs": f"{t.done} of {t.total}",
                "begun": t.started[:16].replace("T", " "),
            }
            for t in found
        ]
    )
    chosen = _choose(table, "trials-table", go.asked("experiment"), "comparison")
    if chosen is None:
        return
    try:
        trial = store.experiment(checked_run_id(chosen))
        _ = trial.spec
    except SimulacraError as error:
        say.mistake(error)
        _delete_button(store.experiments_dir() / chosen, chosen)
        return
    with st.container(border=True):
        st.html(f"<b>{say.esc(chosen)}</b><div class='sim-quiet'>{say.esc(say.differences(trial.differences))}</div>")
        with st.container(horizontal=True):
            if st.button("Open the read-out", type="primary", icon=":material/compare_arrows:"):
                go.to("compare", experiment=chosen)
            st.download_button("Report (HTML)", lambda: report.of_comparison(trial).encode(), f"{chosen}.html", "text/html",
                               icon=":material/description:", on_click="ignore", key=f"report-{chosen}",
                               help="One file that opens without the tool")  # fmt: skip
            if st.button("Duplicate", icon=":material/content_copy:", key="duplicate-trial"):
                go.to("compare", new=1, like=chosen)
            _delete_button(trial.path, chosen)
        _kept(trial)


def _kept(trial: Comparison) -> None:
    """The runs of a comparison whose records are there, to note on and to export."""
    kept = [run for pair in kept_pairs(trial).values() for run in pair.values()]
    if not kept:
        st.caption("No record of its runs is here, so there is nothing to note on or to export but the report.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Note on one of its runs, or export it", kept, key=f"kept-{trial.id}", width=420,
            help="Notes stand in a run and travel in its bundle; numbers at the end of names are seeds: both designs of a pair share one",
        )  # fmt: skip
        if st.button("Note, tags, bundle", icon=":material/rate_review:"):
            go.to("library", run=name)
