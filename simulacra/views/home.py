"""Home: what this is, a finished example, what was done lately, and how to begin."""

from __future__ import annotations

import html

import streamlit as st

from simulacra.errors import SimulacraError
from simulacra.record.runs import RunSummary
from simulacra.replicates import Comparison
from simulacra.views import example, go, look, parts, readout, say, store

RECENT = 6


def page() -> None:
    say.head("Simulacra", "A sandbox for designers of social platforms.")
    st.write(
        "Describe a community in a page: its goal, its rules, a few sketches of its members. Thousands of simulated "
        "members then "
        "live there for some days, and you read what they write. Change the feed or the moderation, play both designs with the "
        "same people and the same chances, and see what difference it makes and how sure that is."
    )
    _begin()
    _example()
    st.subheader("Lately", anchor=False)
    _recent()


def _begin() -> None:
    with st.container(horizontal=True):
        if st.button("New community", type="primary", icon=":material/add:", help="Write a goal, rules and sketches"):
            go.to("design", start="blank")
        if st.button("Compare two designs", icon=":material/compare_arrows:", help="Start from a question"):
            go.to("compare", new=1)
        if st.button("Import a run", icon=":material/upload:", help="A zip file that a colleague exported"):
            go.to("library", open="import")


def _example() -> None:
    """The finished comparison that ships with the program: one sentence, and two ways into it."""
    try:
        example.unpack(store.runs_dir(), store.experiments_dir())
        found = store.experiment(example.NAME)
        answer = readout.answer_of(found)
        told = readout.read_out(answer)
    except SimulacraError as error:
        st.caption("The example that ships with the program cannot be opened here: " + say.md(error))
        return
    with st.container(border=True):
        st.html(
            '<div class="sim-quiet">A finished example</div>'
            f"<b>{say.esc(found.spec.community.name)}</b>: {say.esc(answer.asked)}"
            f'<div class="sim-quiet">{say.esc(_played(found))}</div>'
        )
        say.answer(told.word, told.sentence, "", parts.TONES[told.tone])
        st.html(f'<div class="sim-quiet">{_RANGE}</div>')
        with st.container(horizontal=True):
            if st.button("Open the example", type="primary", icon=":material/bar_chart:"):
                go.to("compare", experiment=example.NAME)
            if st.button("Read its threads", icon=":material/forum:"):
                go.to("threads", run=found.runs["variant"][0], side=1)


_RANGE = (
    "How to read it: the brackets hold the 95 % interval, in which the average of many more pairs would most likely lie. A pair of runs "
    "is both designs with the same people and the same chances; how many agree tells how often a single pair shows it."
)


def _played(found: Comparison) -> str:
    """What was played for a comparison, in a line."""
    spec = found.spec
    size = f"{spec.personas:,} members, {say.count(spec.days, 'day')}, {say.count(len(spec.replicates()), 'pair')} of runs"
    return f"{size}; {say.differences(found.differences)}"


def _recent() -> None:
    runs = [run for run in store.runs() if not run.id.startswith(f"{example.NAME}-")]
    trials = [trial for trial in store.trials() if trial.id != example.NAME]
    if not runs and not trials:
        say.empty("Nothing of your own yet", "Begin with “New community”, or duplicate the example from its page.")
        return
    left, right = st.columns(2)
    with left:
        st.caption("Comparisons")
        for trial in trials[:RECENT]:
            _trial(trial)
        if not trials:
            say.empty("No comparison yet", "“Compare two designs” starts from a question.")
    with right:
        st.caption("Runs")
        single = [run for run in runs if not store.is_of_comparison(run.id, trials)]
        for run in single[:RECENT]:
            _run(run)
        if not single:
            say.empty("No single run yet", "“New community” ends with a button that starts one.")


def _trial(trial: store.Trial) -> None:
    done = f"{trial.done} of {trial.total} pairs" if trial.status != "finished" else _verdict(trial.id)
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(_line(trial.id, trial.status, trial.message or done))
        if trial.status != "damaged" and st.button("Open", key=f"trial-{trial.id}", type="tertiary"):
            go.to("compare", experiment=trial.id)


def _verdict(name: str) -> str:
    """The read-out of a finished comparison: its word and its sentence."""
    try:
        told = readout.read_out(readout.answer_of(store.experiment(name)))
    except SimulacraError as error:
        return str(error)
    return told.sentence if told.tone == "same" else f"{told.word}. {told.sentence}"


def _run(run: RunSummary) -> None:
    told = run.message or f"{say.count(run.posts, 'post')}, {say.count(run.days, 'day')}, {say.count(run.personas, 'member')}"
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(_line(run.id, run.status, told))
        if run.status != "damaged" and st.button("Open", key=f"run-{run.id}", type="tertiary"):
            go.to("threads" if run.status == "finished" else "run", run=run.id)


def _line(name: str, status: str, told: str) -> str:
    tone = look.POSITIVE if status == "finished" else look.BASELINE if status == "running" else look.VARIANT
    chip = say.chip(say.STATUS.get(status, status), tone)
    return f'<b>{say.esc(name)}</b> {chip}<div class="sim-quiet">{html.escape(told[:200])}</div>'
