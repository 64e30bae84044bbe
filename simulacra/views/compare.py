"""Compare: a question, two designs, and a read-out that is understood in ten seconds."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.analysis.margins import margin_of
from simulacra.analysis.segments import SEGMENTS
from simulacra.errors import RecordError
from simulacra.replicates import VARIANT, Comparison
from simulacra.views import ask, charts, go, jobs, look, pair, parts, readout, robust, say, store


def page() -> None:
    say.head("Compare", "Two designs, the same people, the same chances: what difference does the design make?")
    if go.asked("new"):
        ask.page()
        return
    trials = [trial for trial in store.trials() if trial.status != "damaged"]
    asked = go.asked("experiment")
    if not trials and not asked:
        say.empty("No comparison yet", "Start one from a question, or open the example on the Home page.")
    left, right = st.columns([7, 3], vertical_alignment="bottom")
    with right:
        if st.button("New comparison", type="primary" if not trials else "secondary", icon=":material/add:"):
            go.to("compare", new=1)
    if not trials and not asked:
        return
    names = [trial.id for trial in trials]
    if asked and asked not in names:
        _not_there(asked)
        return
    with left:
        chosen = st.selectbox("Comparison", names, names.index(asked) if asked in names else 0, key=f"choose-{asked}")
    if chosen != asked:
        st.query_params.from_dict({"experiment": chosen})
    _shown(chosen)


def _not_there(name: str) -> None:
    """A comparison whose process has written nothing yet, or that does not exist."""
    if not store.is_beginning(name):
        say.mistake(f"No comparison called {name!r} here. It may have been deleted.")
        return

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        if any(trial.id == name for trial in store.trials()):
            st.rerun()
        said = worker.last_words(store.runs_dir(), name)
        if said and not said.startswith("replicate"):
            say.mistake(said)
            go.link("compare", "Back to the question", ":material/arrow_back:", new=1)
        else:
            st.progress(0.0, jobs.begun(name, "Growing the members of the first pair"))

    waiting()


# -- a comparison that exists ----------------------------------------------------------------------------------------------


def _shown(name: str) -> None:
    found = store.experiment(name)
    if _is_played(found):

        @st.fragment(run_every=3.0)
        def watching() -> None:
            now = store.experiment(name)
            if not _is_played(now):
                st.rerun()
            _state(now)
            _answer(readout.answer_of(now), short=True)

        watching()
        return
    _state(found)
    _read_out(found)


def _is_played(found: Comparison) -> bool:
    """Whether a process plays it, or was started to and has not said so in the folder yet."""
    return found.status == "running" or (found.status != "finished" and worker.is_at_work(store.runs_dir(), found.id))


def _state(found: Comparison) -> None:
    """Status and buttons of a comparison that is not finished."""
    done, total = len(found.folder.results()), len(found.spec.replicates())
    if found.status == "finished":
        return
    is_played = _is_played(found)
    status = say.STATUS["running" if is_played else found.status]
    told = f"{done} of {say.count(total, 'pair')} of runs finished{', more where they are needed' if found.spec.auto else ''}"
    pace = found.seconds_per_seed or (worker.seconds_at_work(store.runs_dir(), found.id) / done if done else 0.0)
    left = f" · about {say.duration(pace * (total - done))} left" if is_played and pace and done < total else ""
    st.progress(done / total, f"{told} ({status}){left}")
    if not is_played:
        st.caption("What stands below rests on the pairs that are finished. Go on plays those that are missing.")
    with st.container(horizontal=True):
        if is_played and st.button("Pause", icon=":material/pause:"):
            worker.stop(found.path)
            st.toast("Pausing ...")
        if not is_played and st.button("Go on", type="primary", icon=":material/play_arrow:"):
            try:
                worker.resume_comparison(found.id, store.runs_dir())
            except RecordError as error:
                say.mistake(error)
                return
            st.rerun()


def _read_out(found: Comparison) -> None:
    answer = readout.answer_of(found)
    _answer(answer)
    if not answer.rows:
        return
    if answer.is_equal:
        _equal(found)
        return
    _plot(answer)
    _guardrails(answer)
    _segments(answer)
    st.subheader("Why", anchor=False)
    pair.why(answer)
    st.subheader("Does it hold under other assumptions?", anchor=False)
    robust.section(answer)
    st.subheader("Read it", anchor=False)
    pair.threads(answer)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What would change this", anchor=False)
        st.markdown("\n".join(f"- {line}" for line in _not_varied(found)))
    with right:
        st.subheader("Limits", anchor=False)
        st.markdown(_limits(found))
    with st.expander("Explore: everything else that was measured", icon=":material/explore:"):
        _explore(answer)
    with st.expander("Numbers and technical labels", icon=":material/table_chart:"):
        _numbers(answer)


def _limits(found: Comparison) -> str:
    return "\n".join(f"- {say.md(readout.limit(line), 1200)}" for line in [*found.limits, *found.warnings])


def _equal(found: Comparison) -> None:
    """What stands in place of plots where both designs gave the same record with every seed."""
    if found.wording_only:
        why = readout.WORDING
    else:
        why = (
            "What differs never came to act: nobody met it in these days. Duplicate it and play more members or days, or change "
            "something that acts more often."
        )
    say.empty("Both designs played out word for word the same", why)
    st.subheader("Limits", anchor=False)
    st.markdown(_limits(found))


def _answer(answer: readout.Answer, short: bool = False) -> None:
    found, spec = answer.found, answer.found.spec
    asked = answer.asked or f"{readout.title(answer.primary)}: what difference does it make?"
    st.html(f'<div class="sim-asked">{say.esc(asked)}</div>')
    for column, (name, arm) in zip(st.columns(2), spec.arms.items(), strict=True):
        column.html(say.arm(name, say.design(arm), look.ARMS[name]))
    told = readout.so_far(answer) if short else readout.read_out(answer)
    size = f"{say.count(len(found.folder.results()), 'pair')} of runs, {spec.personas:,} members, {say.count(spec.days, 'day')}"
    say.answer(told.word, told.sentence, f"{size}; {say.differences(found.differences)}", parts.TONES[told.tone])
    if short:
        return
    if not answer.named:
        st.caption("No measure was named before this was played: the default one is shown.")
    _next(found, told)


def _next(found: Comparison, told: readout.ReadOut) -> None:
    with st.container(horizontal=True):
        if told.more_seeds and found.status == "finished":
            took = f", about {say.duration(told.seconds)}" if told.seconds else ""
            label = f"Play {say.count(told.more_seeds, 'more run')}{took}"
            if told.more_seeds <= ask.MOST_MORE and st.button(label, type="primary", icon=":material/add:"):
                ask.play_more(found, told.more_seeds)
        kept = pair.kept_pairs(found)
        if kept:
            shown = kept[pair.median_seed(found, found.spec.plan.primary) or min(kept)]
            if st.button("Read threads side by side", icon=":material/forum:"):
                go.to("threads", run=shown[VARIANT], side=1)
            if st.button("Measures of one pair", icon=":material/monitoring:"):
                go.to("measures", run=shown[VARIANT])
        if st.button("Duplicate", icon=":material/content_copy:", help="The same designs, to change and play again"):
            go.to("compare", new=1, like=found.id)
        if st.button("Note, export, share", icon=":material/ios_share:"):
            go.to("library", experiment=found.id)


def _plot(answer: readout.Answer) -> None:
    """Primary and guardrails on one axis: differences in units of the margin of each."""
    rows = [row for row in answer.tested if row.margin > 0]
    if not rows or not answer.found.spec.paired:
        return
    figure = charts.paired_differences(
        [readout.title(row.measure) + ("  ★" if row.role == "primary" else "") for row in rows],
        [list(answer.differences(row.measure) / row.margin) for row in rows],
        [row.difference / row.margin for row in rows],
        [row.low / row.margin for row in rows],
        [row.high / row.margin for row in rows],
        [1.0] * len(rows),
        "variant minus baseline; 1 is a difference that matters to you (shaded: too small to matter)",
        [row.sentence for row in rows],
        [readout.in_its_unit(row) for row in rows],
    )
    table = pd.DataFrame(
        [{key: getattr(row, key) for key in ("measure", "difference", "low", "high", "margin", "unit")} for row in rows]
    )
    told = "; ".join(
        f"{readout.title(row.measure).lower()}: 1 is {readout.margin_words(row.measure, row.margin)}" for row in rows
    )
    about = (
        f"A grey dot is one pair of runs with the same seed, the bar the 95 % interval of their mean, ★ what decides. {told}."
    )
    parts.chart(figure, "Differences, run by run", about, table, "differences")


def _guardrails(answer: readout.Answer) -> None:
    rows = [row for row in answer.tested if row.role == "guardrail"]
    if not rows:
        return
    st.subheader("What must not get worse", anchor=False)
    tones = {
        "fine": look.POSITIVE,
        "better": look.BASELINE,
        "worse": look.VARIANT,
        "changed": look.NEGATIVE,
        "unclear": look.PLAIN,
    }
    cards = [
        f'<div class="sim-card"><b>{say.esc(readout.title(row.measure))}</b><br>{say.chip(word, tones[word])}'
        f'<div class="sim-quiet">{say.esc(row.sentence)}</div></div>'
        for row in rows
        for word in (readout.guard(row),)
    ]
    st.html(f'<div class="sim-cards">{"".join(cards)}</div>')


def _segments(answer: readout.Answer) -> None:
    """For whom it makes a difference: the primary measure by kinds of members, where they were told apart."""
    found = [segment for segment in answer.segments() if segment.contrast.seeds >= 2]
    if not found:
        return
    st.subheader("For whom", anchor=False)
    scale = margin_of(answer.primary).scale
    ends = [s.contrast.interval() for s in found]
    values = [(scale * s.contrast.mean, scale * low, scale * high) for s, (low, high) in zip(found, ends, strict=True)]
    unit = margin_of(answer.primary).unit
    title = readout.title(answer.primary)
    notes = [f"{say.interval(*value)} {unit}" for value in values]
    figure = charts.forest([s.title for s in found], values, f"{title.lower()}: variant minus baseline ({unit})", notes)
    table = pd.DataFrame([
        {"members": s.title, "baseline": scale * s.contrast.level, "difference": v[0], "low": v[1], "high": v[2], "pairs": s.contrast.seeds}
        for s, v in zip(found, values, strict=True)
    ])  # fmt: skip
    about = (
        "The same measure among kinds of members, with 95 % intervals over pairs of runs. Unless one was named before the comparison "
        f"was played, they suggest where to look, and decide nothing. {_kinds(found)}"
    )
    parts.chart(figure, title, about, table, "segments")


def _kinds(segments: list[readout.Segment]) -> str:
    """Who the members of each kind are."""
    told = [f"{s.title}: {SEGMENTS[s.name].about}" for s in segments if s.name in SEGMENTS]
    return f"{'. '.join(told)}." if told else ""


def _not_varied(found: Comparison) -> list[str]:
    spec, checked = found.spec, found.robustness
    carried = robust.named(checked["carried_by"]) if checked else ""
    return [
        "Another community: the same lever can work where people quarrel and do nothing where they do not.",
        f"Another size or length: here {spec.personas:,} members over {say.count(spec.days, 'day')}.",
        f"A community in which this does not act: {carried}." if carried else
        "Other assumptions about people: check them above. A direction that flips was an assumption, not a finding.",
        "A better writer: the sketch mind answers a wording only through what it was taken to mean.",
    ]  # fmt: skip


def _explore(answer: readout.Answer) -> None:
    rows = [row for row in answer.explored if row.low < row.high]
    same = [readout.title(row.measure).lower() for row in answer.explored if not row.low < row.high]
    if not rows:
        st.caption("Nothing else differs.")
        return
    sizes = [max(-6.0, min(6.0, readout.clarity(row))) for row in rows]
    tones = [look.VARIANT if abs(size) > 1 else look.PLAIN for size in sizes]
    labels = [readout.title(row.measure) for row in rows]
    about = (
        "A dot is the mean difference over pairs, the bar its 95 % interval, drawn as wide in every row. Orange: the interval excludes 0. "
        "These were not named before the comparison was played: of twenty such rows about one does so by chance. Far dots are drawn at the "
        "edge."
    )
    axis = "variant minus baseline, each row on a scale of its own"
    figure = charts.intervals(labels, sizes, tones, axis, [readout.in_its_unit(row) for row in rows])
    parts.chart(figure, "Everything else", about, None, "explore")
    if same:
        st.caption(f"The same in both designs with every seed: {', '.join(same)}.")


def _numbers(answer: readout.Answer) -> None:
    table = pd.DataFrame([{**row.to_dict(), "measure": readout.title(row.measure)} for row in answer.rows.values()])
    table = table.drop(columns="sentence")
    st.dataframe(table, hide_index=True, height=420)
    st.download_button(
        "Download as CSV", lambda: parts.csv(table), "comparison.csv", "text/csv", icon=":material/download:", on_click="ignore"
    )
    for note in answer.found.notes:
        st.caption(say.md(note))
