"""Run: how a run is getting on, with pause and resume, and what is being written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.views import charts, go, jobs, look, mind, parts, readout, say, store

_PAUSED = ("stopped", "interrupted", "capped")
POLL_SECONDS = 2.0
NEXT = {
    "stopped": "It was paused. What was played is safe, to the hour; Resume goes on from there.",
    "interrupted": "Its process ended before the run did, as when a machine is switched off. Finished days are safe; Resume goes on from "
    "the last of them.",
    "capped": "It reached its cap on cost or calls. Resume with a higher cap goes on from there; what was answered is not paid for twice.",
    "failed": "It could not go on: the reason stands below. Mend it and duplicate the run, or read the days that are finished.",
}  # fmt: skip
"""Status -> what it means, and what to do."""
NEWEST = 8


def page() -> None:
    say.head("Run", "How a run is getting on. Closing this page stops nothing.")
    name = go.asked("run")
    if store.is_beginning(name):
        _beginning(name)
        return
    run = parts.choose_run()
    if run is None:
        return
    status = run.status  # once a drawing: a run that is being paused may stop while the page is drawn, and its parts must agree
    _who(run, status)
    if status in NEXT:
        st.caption(NEXT[status])
    _buttons(run, status)
    if status == "running":
        _live(run)
    else:
        _state(run)


def _beginning(name: str) -> None:
    """A run whose process was started and has written no folder yet: it grows its people, or it could not begin."""

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        if (store.runs_dir() / name).exists():
            st.rerun()
        said = worker.last_words(store.runs_dir(), name)
        if said and "day" not in said.split(" ")[:1]:
            say.mistake(said)
            go.link("design", "Back to the design", ":material/edit_note:")
        else:
            st.progress(0.0, jobs.begun(name, "Growing the members and reading the topics, a few seconds"))

    waiting()


def _live(before: Run) -> None:
    """The state of a running run, drawn again every other second until it ends.

    The whole page is drawn again only where its buttons change: when the run ends and when its first day is finished. A button
    that is drawn again while it is being pressed would lose the press.
    """
    had_days = bool(before.days)

    @st.fragment(run_every=POLL_SECONDS)
    def watching() -> None:
        run = store.run(before.id)
        _state(run)
        if run.status != "running" or bool(run.days) != had_days:
            st.rerun()

    watching()


def _who(run: Run, status: str) -> None:
    spec = run.spec
    st.html(
        f"<b>{say.esc(spec.community.name)}</b> {say.chip(say.STATUS[status], look.BASELINE)}"
        f'<div class="sim-quiet">{say.esc(say.design(spec.arm), 300)} · {spec.personas:,} members at the beginning · '
        f"roll of chance (seed) {spec.seed}</div>"
    )


def _state(run: Run) -> None:
    st.progress(min(run.days / run.spec.days, 1.0), _progress_words(run))
    counts = run.counts
    parts.figures([
        ("Posts", f"{counts['posts']:,}", "Written in the measured days that are finished"),
        ("Visits", f"{counts['visits']:,}", "Times that a member opened the app"),
        ("Posts read", f"{counts['impressions']:,}", "Impressions: posts of a slate that were looked at"),
        ("Drafts turned away", f"{_turned_away(run):,}", "Stopped by moderation, or given up by authors who were asked to think twice"),
        ("Drafts that failed", f"{counts['failures']:,}", "Drafts that could not be written; the member acts again later"),
    ])  # fmt: skip
    _model(run)
    if message := run.folder.info.get("message"):
        say.mistake(str(message))
    for warning in run.warnings:
        st.caption(":material/info: " + say.md(readout.limit(warning)))
    if run.days:
        _what_happens(run)
    else:
        going = "Wait a moment" if run.status == "running" else "Resume it"
        say.empty("No measured day is finished yet", f"{going}: two days of burn-in come first, a community is not born empty.")


def _model(run: Run) -> None:
    """What a language model did and took; nothing for the sketch mind, which calls none."""
    if run.spec.language is None:
        return
    facts = run.language
    if facts is None:
        return
    cost = f"${facts['cost']:.2f}" if not facts["unpriced"] else f"${facts['cost']:.2f} and more"
    stored = f"{facts['stored']:,} more were answered from the store, for nothing"
    refused, failed = 100 * facts["refused"], 100 * facts["failed"]
    parts.figures([
        ("Calls of the model", f"{facts['calls']:,}", f"{facts['retries']:,} of them were asked again; {stored}"),
        ("Tokens in", f"{facts['input_tokens']:,}", "Read by the model"),
        ("Tokens out", f"{facts['output_tokens']:,}", "Written by the model"),
        ("Cost so far", cost, "By the price table; calls of a model that it does not know are not in it"),
        ("Turns that failed", f"{failed:.1f} in 100", f"No post came of them; {refused:.1f} in 100 were refused by the model"),
    ])  # fmt: skip
    who = "Decided and written" if facts["emergent"] else "Written"
    reasons = ", ".join(f"{say.spaced(reason)} {count:,}" for reason, count in facts["failures"].items())
    told = f"{who} by {facts['model']}; burn-in by the {'model' if facts['past'] == 'model' else 'sketch mind'}."
    st.caption(say.md(told + (f" Failed turns: {reasons}." if reasons else "")))


def _progress_words(run: Run) -> str:
    done = f"Day {run.days} of {run.spec.days} finished"
    if run.status != "running":
        return done
    speed = _speed(run)
    if speed is None:
        return f"{done}; two days of burn-in come before the first"
    visits, left = speed
    return f"{done} · {visits:,.0f} visits a second · about {say.duration(left)} left"


def _speed(run: Run) -> tuple[float, float] | None:
    """(visits a second, seconds left), from the days finished so far; None before there is one."""
    info = run.folder.info
    seconds = (datetime.fromisoformat(info["updated"]) - datetime.fromisoformat(info["started"])).total_seconds()
    if not run.days or seconds <= 0:
        return None
    return run.counts["visits"] / seconds, seconds / (run.days + 2) * (run.spec.days - run.days)


def _turned_away(run: Run) -> int:
    stopped = "action IN ('cancel', 'refuse') OR (action = 'remove' AND post < 0)"
    sql = f"SELECT count(*) AS n FROM rulings WHERE NOT burn_in AND ({stopped})"
    return int(store.query(run, sql)["n"].iloc[0]) if run.days else 0


def _buttons(run: Run, status: str) -> None:
    with st.container(horizontal=True):
        if status == "running" and st.button(
            "Pause", icon=":material/pause:", help="Stops after the hour it is in; go on any time"
        ):
            _try(lambda: worker.stop(run.path), "Pausing ...")
        if run.spec.language is not None and status in _PAUSED:
            _resume_within(run)
        elif status in _PAUSED and st.button("Resume", type="primary", icon=":material/play_arrow:"):
            _try(lambda: worker.resume_run(run.id, store.runs_dir()), "Going on ...")
            _wait_for_writer(run)
        kind: Literal["primary", "secondary"] = "primary" if status == "finished" else "secondary"  # what to do next
        if run.days and st.button("Read threads", type=kind, icon=":material/forum:"):
            go.to("threads", run=run.id)
        if run.days and st.button("Measures", icon=":material/monitoring:"):
            go.to("measures", run=run.id)
        if st.button("Duplicate", icon=":material/content_copy:", help="Open its design to change it"):
            go.to("design", like=run.id)


def _resume_within(run: Run) -> None:
    """Resume a language run under caps: they count what was spent before, and nothing is paid for twice."""
    with st.popover("Resume", icon=":material/play_arrow:", type="primary"):
        st.caption(
            "Caps count from the run's beginning; what the model has answered is kept and not paid for twice. 0: no cap."
        )
        spent = run.folder.info.get("spent") or {}
        cost = st.number_input("Stop at dollars", 0.0, 10_000.0, 0.0, 1.0, key="resume-cost")
        calls = st.number_input(
            "Stop at calls", 0, 10_000_000, 0, 100, key="resume-calls", help=f"{int(spent.get('calls', 0)):,} so far"
        )
        if st.button("Go on", type="primary"):
            _try(lambda: worker.resume_run(run.id, store.runs_dir(), mind.caps(cost, int(calls))), "Going on ...")
            _wait_for_writer(run)


def _try(action: Callable[[], object], told: str) -> None:
    try:
        action()
        st.toast(told)
    except RecordError as error:
        say.mistake(error)


def _wait_for_writer(run: Run) -> None:
    """Draw the page again once the process has taken the run up, so that the button does not seem to do nothing."""

    @st.fragment(run_every=0.5)
    def waiting() -> None:
        if store.run(run.id).status not in _PAUSED:
            st.rerun()
        st.caption("Starting ...")

    waiting()


def _what_happens(run: Run) -> None:
    hours = store.query(run, """
        SELECT step, count(*) AS n, avg(toxicity) AS toxicity, avg(valence) AS valence FROM posts
        WHERE NOT burn_in GROUP BY step ORDER BY step
    """)  # fmt: skip
    left, middle, right = st.columns(3)
    for place, figure, title in (
        (left, charts.bars_by_hour(hours, "n", "posts an hour"), "Posts"),
        (middle, _small(hours, "toxicity", look.TOXIC), "Toxicity of what is written"),
        (right, _small(hours, "valence", look.POSITIVE), "Cheerfulness of what is written"),
    ):
        with place, st.container(border=True):
            st.caption(title)
            st.plotly_chart(figure, key=f"live-{title}", config={"displayModeBar": False})
    st.subheader("Newest posts", anchor=False)
    for row in _newest(run).itertuples():
        st.html(
            f'<div class="sim-quiet"><b>{say.esc(row.handle)}</b> · {say.moment(row.step)}</div>'
            f'<div class="sim-text">{say.esc(row.text)}</div>'
        )


def _small(hours: pd.DataFrame, column: str, tone: str) -> object:
    figure = charts.over_time({"": hours}, column, "12-hour mean", band=12)
    figure.update_traces(line_color=tone)
    figure.update_layout(height=200)
    return figure


def _newest(run: Run) -> pd.DataFrame:
    return store.query(run, f"""
        SELECT m.handle, p.step, p.text FROM posts p JOIN personas m ON m.id = p.author ORDER BY p.id DESC LIMIT {NEWEST}
    """)  # fmt: skip
