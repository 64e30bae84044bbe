"""Compare: a question, two designs, and a read-out that is understood in ten seconds."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.community import bundled_communities
from simulacra.designs import differences, make_arm
from simulacra.errors import SimulacraError
from simulacra.margins import margin_of
from simulacra.measures import MEASURES
from simulacra.moderation import POLICIES
from simulacra.replicates import BASELINE, VARIANT, Comparison
from simulacra.verdict import MOST_GUARDRAILS, Plan
from simulacra.views import charts, design, drafts, go, levers, look, pair, parts, readout, say, store

MOST_KEPT = 250_000  # persona-days of which all records are kept; of larger comparisons only the first replicate's


def page() -> None:
    say.head("Compare", "Two designs, the same people, the same chances: what difference does the design make?")
    if go.asked("new"):
        _new()
        return
    trials = [trial for trial in store.trials() if trial.status != "damaged"]
    asked = go.asked("experiment")
    if not trials and not asked:
        say.empty("No comparison yet", "Start one from a question, or open the example on the Home page.")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
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
    if not worker.log_file(store.runs_dir(), name).exists():
        say.mistake(f"No comparison called {name!r} here. It may have been deleted.")
        return

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        if any(trial.id == name for trial in store.trials()):
            st.rerun()
        said = worker.last_words(store.runs_dir(), name)
        if said and not said.startswith("replicate"):
            say.mistake(said)
        else:
            st.progress(0.0, "Growing the members ...")

    waiting()


# -- a comparison that exists ----------------------------------------------------------------------------------------------


def _shown(name: str) -> None:
    found = store.experiment(name)
    if found.status == "running":

        @st.fragment(run_every=3.0)
        def watching() -> None:
            now = store.experiment(name)
            if now.status != "running":
                st.rerun()
            _state(now)
            _answer(now, readout.judged(now), short=True)

        watching()
        return
    _state(found)
    _read_out(found)


def _state(found: Comparison) -> None:
    """Status and buttons of a comparison that is not finished."""
    done, total = len(found.folder.results()), len(found.spec.replicates())
    if found.status == "finished":
        return
    st.progress(
        done / total, f"{done} of {say.count(total, 'pair')} of runs finished ({say.STATUS.get(found.status, found.status)})"
    )
    with st.container(horizontal=True):
        if found.status == "running" and st.button("Pause", icon=":material/pause:"):
            worker.stop(found.path)
            st.toast("Pausing ...")
        if found.status != "running" and st.button("Go on", type="primary", icon=":material/play_arrow:"):
            worker.resume_comparison(found.id, store.runs_dir())
            st.rerun()


def _read_out(found: Comparison) -> None:
    judged = readout.judged(found)
    _answer(found, judged)
    if not judged.contrasts:
        return
    _plot(found, judged)
    _guardrails(judged)
    st.subheader("Why", anchor=False)
    pair.why(found, judged)
    st.subheader("Read it", anchor=False)
    pair.threads(found, judged)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What would change this", anchor=False)
        for line in _not_varied(found):
            st.markdown(f"- {line}")
    with right:
        st.subheader("Limits", anchor=False)
        for line in readout.limits(found):
            st.markdown(f"- {say.md(line)}")
    with st.expander("Explore: everything else that was measured", icon=":material/explore:"):
        _explore(judged)
    with st.expander("Numbers and technical labels", icon=":material/table_chart:"):
        _numbers(found, judged)


def _answer(found: Comparison, judged: readout.Judged, short: bool = False) -> None:
    question = judged.question
    asked = question.asked or f"{MEASURES[question.plan.primary].title}: which design is better?"
    st.html(f'<div style="font-size:1.2rem;font-weight:600">{say.esc(asked)}</div>')
    for column, (name, arm) in zip(st.columns(2), found.spec.arms.items(), strict=True):
        column.html(say.arm(name, arm.describe(), look.ARMS[name]))
    answer = readout.read_out(judged)
    spec = found.spec
    finished = len(found.folder.results())
    more = f"{say.count(finished, 'pair')} of runs, {spec.personas:,} members, {say.count(spec.days, 'day')}; {'; '.join(found.differences)}"
    say.answer(answer.word, answer.sentence, more, parts.TONES[answer.tone])
    if not question.named and not short:
        st.caption(
            "No question was named before this was played, so the measure was chosen by us and the margin is our default."
        )
    if not short:
        _next(found, answer)


def _next(found: Comparison, answer: readout.ReadOut) -> None:
    with st.container(horizontal=True):
        if answer.more_seeds and found.status == "finished":
            more = min(answer.more_seeds, 64)
            seconds = answer.seconds if answer.seconds and more == answer.more_seeds else None
            took = f", about {say.duration(seconds)}" if seconds else ""
            if st.button(f"Play {more} more runs{took}", type="primary", icon=":material/add:"):
                _play_more(found, more)
        if found.runs[BASELINE] and st.button("Read threads side by side", icon=":material/forum:"):
            go.to("threads", run=found.runs[VARIANT][0], side=1)
        if found.runs[BASELINE] and st.button("Measures of one pair", icon=":material/monitoring:"):
            go.to("measures", run=found.runs[VARIANT][0])
        if st.button("Duplicate", icon=":material/content_copy:", help="The same designs, to change and play again"):
            go.to("compare", new=1, like=found.id)
        if found.runs[BASELINE] and st.button("Note, export, share", icon=":material/ios_share:"):
            go.to("library", experiment=found.id)


def _play_more(found: Comparison, more: int) -> None:
    """The same comparison with more seeds, under a name of its own: what was decided with fewer stays as it was."""
    spec = found.spec
    name = store.free_name(f"{found.id}-{spec.seeds + more}")
    question = readout.question_of(found.folder)
    _launch(name, drafts.of_community(spec.community), spec.baseline.to_dict(), spec.variant.to_dict(), spec.personas, spec.days,
            spec.seeds + more, question)  # fmt: skip


def _plot(found: Comparison, judged: readout.Judged) -> None:
    """Primary and guardrails on one axis: differences in units of the margin that was named for each."""
    names = [name for name in judged.question.plan.family if name in judged.contrasts and judged.contrasts[name].seeds]
    if not names or not found.spec.paired:
        return
    units = [judged.verdicts[name].margin or math.nan for name in names]
    rows = [judged.contrasts[name] for name in names]
    ends = [c.interval() for c in rows]
    figure = charts.paired_differences(
        [_label(name, place) for place, name in enumerate(names)],
        [list(c.differences / unit) for c, unit in zip(rows, units, strict=True)],
        [c.mean / unit for c, unit in zip(rows, units, strict=True)],
        [low / unit for (low, _), unit in zip(ends, units, strict=True)],
        [high / unit for (_, high), unit in zip(ends, units, strict=True)],
        [1.0] * len(names), "variant minus baseline, in differences that matter (shaded: too small to matter)",
        [judged.sentence(name) for name in names],
    )  # fmt: skip
    table = pd.DataFrame({"measure": names, "mean": [c.mean for c in rows], "low": [e[0] for e in ends], "high": [e[1] for e in ends],
                          "margin": units})  # fmt: skip
    told = "; ".join(f"{MEASURES[n].title}: 1 is {readout.margin_words(n, judged.verdicts[n].margin)}" for n in names)
    parts.chart(figure, "Differences, run by run", f"A grey dot is one pair of runs with the same seed, the bar the 95 % interval of "
                f"their mean. {told}.", table, f"differences-{found.id}")  # fmt: skip


def _label(name: str, place: int) -> str:
    title = MEASURES[name].title
    return f"{title[:1].upper()}{title[1:]}" + ("" if place else "  ★")


def _guardrails(judged: readout.Judged) -> None:
    names = [name for name in judged.question.plan.guardrails if name in judged.verdicts]
    if not names:
        return
    st.subheader("What must not get worse", anchor=False)
    tones = {
        "fine": look.POSITIVE,
        "better": look.BASELINE,
        "worse": look.VARIANT,
        "changed": look.NEGATIVE,
        "unclear": look.PLAIN,
    }
    for column, name in zip(st.columns(len(names)), names, strict=True):
        word, told = readout.guard(judged, name)
        title = MEASURES[name].title
        column.html(
            f'<div class="sim-card"><b>{say.esc(title[:1].upper() + title[1:])}</b><br>{say.chip(word, tones[word])}'
            f'<div class="sim-quiet">{say.esc(told)}</div></div>'
        )


def _not_varied(found: Comparison) -> list[str]:
    spec = found.spec
    return [
        "Another community: the same lever can work where people quarrel and do nothing where they do not.",
        f"Another size or length: here {spec.personas:,} members over {say.count(spec.days, 'day')}.",
        "Other assumptions: the behaviour parameters stayed at their values. Change those marked as ours on the Design page and "
        "compare again; a direction that flips was an assumption, not a finding.",
        "A better writer: the sketch mind answers a wording only through what it was taken to mean.",
    ]


def _explore(judged: readout.Judged) -> None:
    names = judged.others()
    if not names:
        st.caption("Nothing else was measured.")
        return
    sizes = [max(-6.0, min(6.0, judged.effect_size(name))) for name in names]
    tones = [look.VARIANT if abs(size) > 1 else look.PLAIN for size in sizes]
    figure = charts.intervals(
        [MEASURES[name].title for name in names], sizes, tones, "difference in half widths of its 95 % interval"
    )
    parts.chart(figure, "Everything else", "Beyond 1 (orange) the interval excludes 0. These were not named before the comparison was "
                "played: of twenty such rows about one does so by chance. Longer bars are cut at 6.", None, "explore")  # fmt: skip


def _numbers(found: Comparison, judged: readout.Judged) -> None:
    rows = []
    for name, c in judged.contrasts.items():
        verdict, (low, high) = judged.verdicts[name], c.interval()
        rows.append({
            "measure": MEASURES[name].title, "role": verdict.role, "baseline": float(c.baseline.mean()) if len(c.baseline) else math.nan,
            "variant": float(c.variant.mean()) if len(c.variant) else math.nan, "difference": c.mean, "low": low, "high": high,
            "margin": verdict.margin, "effect": verdict.effect, "stability": verdict.stability.word, "p": verdict.p,
            "Holm p": verdict.adjusted_p, "pairs": c.seeds, "kind": "mechanical" if name in judged.direct else "response",
            "unit": MEASURES[name].unit,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    st.dataframe(table, hide_index=True, height=420)
    st.download_button(
        "Download as CSV", lambda: parts.csv(table), "comparison.csv", "text/csv", icon=":material/download:", on_click="ignore"
    )
    for note in found.notes:
        st.caption(say.md(note))


# -- a new comparison ------------------------------------------------------------------------------------------------------


def _new() -> None:
    st.subheader("What are you deciding?", anchor=False)
    template = _template()
    if template is None:
        return
    began = _began(template)
    if began is None:
        return
    draft, baseline, variant = began
    st.subheader("The two designs", anchor=False)
    columns = st.columns(2, gap="large")
    rules: dict[str, list[str]] = {}
    for column, (name, arm) in zip(columns, ((BASELINE, baseline), (VARIANT, variant)), strict=True):
        with column, st.container(border=True):
            st.html(say.arm(name, "", look.ARMS[name]))
            rules[name] = _arm(arm, f"{name}-{draft['slug']}-{template.title}", arm.get("rules", draft["rules"]))
    lines, wrong = _differences(draft, baseline, variant, rules)
    st.html(f'<div class="sim-quiet"><b>What differs:</b> {say.esc("; ".join(lines) or "nothing yet")}. '
            "<b>What is the same:</b> people, their chances and habits, the common past, and every setting not named here.</div>")  # fmt: skip
    plan = _plan(template)
    _size(draft, (baseline, variant), rules, lines, wrong, readout.Question(template.title, plan))


def _template() -> readout.Template | None:
    """The chosen template; cards to choose from where none is chosen. Only those whose levers exist are offered."""
    offered = [t for t in readout.TEMPLATES if set(t.moderation) <= POLICIES.keys()]
    names = {t.title: t for t in offered}
    like = go.asked("like")
    chosen = st.session_state.get("template", "Something else" if like else None)
    cards = st.columns(3)
    for place, template in enumerate(offered):
        with cards[place % 3], st.container(border=True):
            st.markdown(f"**{template.title}**")
            st.caption(template.about)
            mark = template.title == chosen
            if st.button("Chosen" if mark else "Choose", key=f"template-{place}", type="primary" if mark else "secondary"):
                st.session_state["template"] = template.title
                st.rerun()
    return names.get(chosen or "")


def _began(template: readout.Template) -> tuple[drafts.Draft, levers.Tables, levers.Tables] | None:
    """Draft of the community and the two arms as tables, kept in the session until community or template change."""
    like = go.asked("like")
    known = [*store.own_designs(), *(slug for slug in bundled_communities() if slug not in store.own_designs())]
    if like:
        spec = store.experiment(like).spec
        draft = drafts.of_community(spec.community)
        st.caption(f"The community of {like}: {say.md(draft['name'])}")
        token, arms = f"like-{like}", [_tables(arm.to_dict()) for arm in (spec.baseline, spec.variant)]
    else:
        asked = go.asked("community")
        slug = st.selectbox("Community", known, known.index(asked) if asked in known else 0, width=420)
        try:
            draft = drafts.of_community(store.community(slug))
        except SimulacraError as error:
            say.mistake(error)
            return None
        token = f"{slug}-{template.title}"
        arms = [_tables(drafts.as_arm(draft).to_dict()), _varied(_tables(drafts.as_arm(draft).to_dict()), template)]
    if st.session_state.get("arms_token") != token:
        st.session_state["arms_token"], st.session_state["arms"] = token, arms
    baseline, variant = st.session_state["arms"]
    return draft, baseline, variant


def _tables(arm: dict[str, object]) -> levers.Tables:
    """An arm as `Arm.to_dict` gives it, in the tables that the editors change."""
    return {
        "design": {"feed": arm["feed"], "moderation": list(arm["moderation"])}, "feed": dict(arm["feed_parameters"]),  # type: ignore[call-overload]
        "moderation": dict(arm["moderation_parameters"]), "rules": list(arm["rules"]),  # type: ignore[call-overload]
    }  # fmt: skip


def _varied(arm: levers.Tables, template: readout.Template) -> levers.Tables:
    """The variant that a template proposes."""
    kept = arm["design"]
    added = [name for name in template.moderation if name not in kept["moderation"]]
    feed = template.feed if template.feed and template.feed != kept["feed"] else kept["feed"]
    return {**arm, "design": {"feed": feed, "moderation": [*kept["moderation"], *added]}}


def _arm(arm: levers.Tables, key: str, rules: list[str]) -> list[str]:
    """Edit one arm; returns its rules."""
    from simulacra.feeds import FEEDS

    names = list(FEEDS)
    feed = arm["design"]["feed"].partition(":")[0]
    arm["design"]["feed"] = st.selectbox("Feed", names, names.index(feed), key=f"{key}-feed", format_func=levers._title)
    st.caption(FEEDS[arm["design"]["feed"]].about)
    with st.popover("Settings of the feed", icon=":material/tune:"):
        levers.feed_parameters(arm, key)
    arm["design"]["moderation"] = st.multiselect(
        "Moderation", list(POLICIES), arm["design"]["moderation"], key=f"{key}-moderation", format_func=levers._title,
        placeholder="nothing", help="They act in the order in which they stand",
    )  # fmt: skip
    for name in arm["design"]["moderation"]:
        st.caption(f"**{levers._title(name)}**: {POLICIES[name].about}")
    if arm["design"]["moderation"]:
        with st.popover("Settings of moderation", icon=":material/tune:"):
            for name in arm["design"]["moderation"]:
                st.markdown(f"**{levers._title(name)}**")
                levers.policy_parameters(arm, name, key)
    text = st.text_area("Rules, one a line", "\n".join(rules), key=f"{key}-rules", height=120)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _differences(
    draft: drafts.Draft, baseline: levers.Tables, variant: levers.Tables, rules: dict[str, list[str]]
) -> tuple[list[str], str]:
    """(what differs, one line each; what is wrong with an arm, "" where nothing is)."""
    try:
        community, _ = drafts.checked(draft)
        arms = [
            make_arm(community, _changes(arm, rules[name]), name) for name, arm in ((BASELINE, baseline), (VARIANT, variant))
        ]
    except SimulacraError as error:
        return [], str(error)
    return differences(*arms), ""


def _changes(arm: levers.Tables, rules: list[str]) -> dict[str, object]:
    """An arm as a parsed overlay: only the levers it uses have tables."""
    feed, policies = arm["design"]["feed"], arm["design"]["moderation"]
    return {
        "design": {"feed": feed, "moderation": list(policies)}, "rules": rules,
        "feed": {name: table for name, table in arm["feed"].items() if name == feed and table},
        "moderation": {name: table for name, table in arm["moderation"].items() if name in policies and table},
    }  # fmt: skip


def _plan(template: readout.Template) -> Plan:
    """Measure, margin and guardrails, named before anything is played."""
    st.subheader("What decides it", anchor=False)
    left, middle, right = st.columns([2, 1, 3])
    names = list(MEASURES)
    primary = left.selectbox("One measure", names, names.index(template.primary), format_func=_title_of, key=f"primary-{template.title}",
                             help="The answer is about this one. Everything else is exploration.")  # fmt: skip
    left.caption(MEASURES[primary].about)
    with middle:
        margin = _margin(primary)
    guardrails = right.multiselect(
        f"What must not get worse (at most {MOST_GUARDRAILS})", [name for name in names if name != primary],
        [name for name in template.guardrails if name != primary], max_selections=MOST_GUARDRAILS, format_func=_title_of,
        key=f"guards-{template.title}-{primary}",
    )  # fmt: skip
    return Plan(primary, margin, tuple(guardrails))


def _margin(primary: str) -> float | None:
    """The smallest difference that the designer would act on, in the measure's own unit; None for our default."""
    known = margin_of(primary)
    if known.relative:
        st.caption("A difference that matters")
        st.markdown(f"{100 * known.size:g} % of the baseline", help="Our default: this measure grows with the community")
        return None
    default = known.size * known.scale
    size = st.number_input(f"A difference that matters ({known.unit})", min_value=0.0, value=float(default), key=f"margin-{primary}",
                           help="The smallest one that you would act on")  # fmt: skip
    return None if size in (0.0, default) else size / known.scale


def _title_of(name: str) -> str:
    title = MEASURES[name].title
    return title[:1].upper() + title[1:]


def _size(
    draft: drafts.Draft, arms: tuple[levers.Tables, levers.Tables], rules: dict[str, list[str]], lines: list[str], wrong: str,
    question: readout.Question,
) -> None:  # fmt: skip
    st.subheader("How much to play", anchor=False)
    columns = st.columns(4, vertical_alignment="bottom")
    personas = columns[0].select_slider("Members", design.SIZES[:8], 200, format_func=lambda n: f"{n:,}")
    days = columns[1].slider("Days", 1, 14, 3)
    seeds = columns[2].slider(
        "Pairs of runs", 2, 48, 8, help="Fewer than 6 carry no claim; under 16 split worlds could be missed"
    )
    columns[3].metric("Time", f"about {say.duration(design.seconds_for(personas, days, 2 * seeds))}")
    if wrong:
        say.mistake(wrong)
    elif not lines:
        st.info("The two designs are the same so far. Change something in the variant.", icon=":material/info:")
    if st.button("Start the comparison", type="primary", icon=":material/play_arrow:", disabled=bool(wrong) or not lines):
        name = store.free_name(f"{draft['slug'] or draft['name']}-vs")
        told = [_changes(arm, rules[arm_name]) for arm_name, arm in zip((BASELINE, VARIANT), arms, strict=True)]
        _launch(name, draft, told[0], told[1], personas, days, seeds, question)


def _launch(
    name: str, draft: drafts.Draft, baseline: dict[str, object], variant: dict[str, object], personas: int, days: int, seeds: int,
    question: readout.Question,
) -> None:  # fmt: skip
    """Save community, arms and question, start the process, and go and watch it."""
    try:
        community = drafts.stored(draft)
        overlays = [
            store.save_text(f"arm-{name}-{arm}", drafts.overlay(_as_tables(changes), list(changes["rules"])))  # type: ignore[call-overload]
            for arm, changes in ((BASELINE, baseline), (VARIANT, variant))
        ]
        question.save(store.experiments_folder(name))
        keep = "all" if personas * days * seeds <= MOST_KEPT else "first"
        worker.start("compare", name, store.runs_dir(), [
            str(community), "--baseline", str(overlays[0]), "--variant", str(overlays[1]), "--personas", str(personas), "--days",
            str(days), "--seeds", str(seeds), "--keep", keep, "--id", name,
        ])  # fmt: skip
    except SimulacraError as error:
        say.mistake(error)
        return
    st.session_state.pop("template", None)
    go.to("compare", experiment=name)


def _as_tables(changes: dict[str, object]) -> levers.Tables:
    """A parsed overlay, or an arm as a record keeps it, as the tables of `drafts.overlay`."""
    return changes if "design" in changes else _tables(changes)
