"""A new comparison: what is being decided, the two designs, what decides it, and how much to play."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import streamlit as st

from simulacra import worker
from simulacra.analysis.contrast import CAP_SEEDS, FIRST_SEEDS, MORE_SEEDS
from simulacra.analysis.judge import acting_columns
from simulacra.analysis.margins import margin_of
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.verdict import MOST_GUARDRAILS, Plan
from simulacra.community import bundled_communities
from simulacra.designs import Arm, differences, make_arm
from simulacra.designs import levers as changed_levers
from simulacra.errors import SimulacraError
from simulacra.experiment import affinity_from_dict
from simulacra.feeds import FEEDS
from simulacra.moderation import POLICIES
from simulacra.record.durable import disk_errors
from simulacra.replicates import AUTO, BASELINE, VARIANT, Comparison, judge_of
from simulacra.rules import same_to_the_sketch_mind
from simulacra.scoring.classifier import PREFIX
from simulacra.scoring.judging import DEFAULT_JUDGE, NO_JUDGE
from simulacra.views import design, drafts, go, levers, look, parts, readout, say, store

MOST_KEPT = 250_000  # persona-days of which all records are kept; of larger comparisons only the first replicate's
_IN_A_ROW = 3
_SAME = "The same question"
MOST_PAIRS = 48
MOST_MORE = 200  # further replicates that a button offers
JUDGES = {DEFAULT_JUDGE: "The second scorer, by meaning", NO_JUDGE: "Nobody: leave those measures out"}
"""Second scorer -> what it is in plain words."""
_OWN_JUDGE = "own"
_MORE_JUDGE = "Name the text classifier that judges: open Advanced."


def page() -> None:
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
    arms = {BASELINE: baseline, VARIANT: variant}
    for column, (name, arm) in zip(columns, arms.items(), strict=True):
        with column, st.container(border=True):
            st.html(say.arm(name, "", look.ARMS[name]))
            _arm(arm, f"{name}-{st.session_state['arms_token']}")
    lines, wrong = _differences(draft, arms)
    told = "".join(f"<li>{say.esc(say.differences([line]))}</li>" for line in lines) or "<li>nothing yet</li>"
    st.html(
        f'<div class="sim-quiet"><b>What differs</b><ul class="sim-list">{told}</ul><b>What is the same</b>: people, their chances and '
        "habits, the common past, and every setting not named here.</div>"
    )
    _idle(draft, arms)
    plan = _plan(template)
    asked = "" if template.title in (readout.TEMPLATES[-1].title, _SAME) else template.title
    _size(draft, arms, lines, wrong, asked, plan, template.days)


def _template() -> readout.Template | None:
    """The chosen template; cards to choose from where none is chosen. Only those whose levers exist are offered."""
    offered = [t for t in readout.TEMPLATES if set(t.moderation) <= POLICIES.keys()]
    names = {t.title: t for t in offered}
    like = go.asked("like")
    if like:
        again = _again(like)
        offered = [again, *(t for t in offered if t.title != again.title)]
        names = {t.title: t for t in offered}
        chosen = st.session_state.get("template", again.title)
    else:
        chosen = st.session_state.get("template")
    if chosen in names:
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(f"<b>{say.esc(chosen)}</b><div class='sim-quiet'>{say.esc(names[chosen].about)}</div>")
            if st.button("Ask something else", type="tertiary", icon=":material/undo:"):
                st.session_state["template"] = ""
                st.rerun()
        return names[chosen]
    for first in range(0, len(offered), _IN_A_ROW):
        row = offered[first : first + _IN_A_ROW]
        for place, (column, template) in enumerate(zip(st.columns(_IN_A_ROW), row, strict=False), first):
            with column, st.container(border=True, height="stretch"):
                _card(template, f"template-{place}")
    return None


def _again(like: str) -> readout.Template:
    """The question of a comparison that is duplicated, with its measure, guardrails and days; its two designs stay as they were."""
    spec, asked = store.experiment(like).spec, readout.question_of(store.experiment(like).folder)
    return readout.Template(
        asked or _SAME, f"As in {like}: the same designs and the same measure, to change and play again.",
        spec.plan.primary, spec.plan.guardrails, days=spec.days, is_again=True,
    )  # fmt: skip


def _card(template: readout.Template, key: str) -> None:
    st.markdown(f"**{template.title}**")
    st.caption(template.about)
    if st.button("Choose", key=key):
        st.session_state["template"] = template.title
        st.rerun()


def _began(template: readout.Template) -> tuple[drafts.Draft, levers.Tables, levers.Tables] | None:
    """Draft of the community and the two arms as tables, kept in the session until community or template change."""
    like = go.asked("like")
    known = [*store.own_designs(), *(slug for slug in bundled_communities() if slug not in store.own_designs())]
    if like:
        spec = store.experiment(like).spec
        draft = drafts.of_community(spec.community)
        st.caption(f"The community of {like}: {say.md(draft['name'])}")
        token, arms = f"like-{like}-{template.title}", [_tables(arm.to_dict()) for arm in (spec.baseline, spec.variant)]
        if not template.is_again:  # another question: the variant is what it proposes for the design that was the baseline
            arms[1] = _varied(_tables(spec.baseline.to_dict()), template)
    else:
        asked = go.asked("community")
        place = known.index(asked if asked in known else _latest())
        slug = st.selectbox("Community", known, place, width=420, format_func=store.name_of)
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


def _latest() -> str:
    """The community that was designed here last, else a bundled one."""
    own = store.own_designs()
    return max(own, key=lambda slug: own[slug].stat().st_mtime) if own else "pittsburgh"


def _tables(arm: dict[str, Any]) -> levers.Tables:
    """An arm as `Arm.to_dict` gives it, in the tables that the editors change."""
    return {
        "design": {"feed": arm["feed"], "moderation": list(arm["moderation"])},
        "feed": dict(arm["feed_parameters"]),
        "moderation": dict(arm["moderation_parameters"]),
        "rules": [{"text": rule, **arm.get("confirmed", {}).get(rule, {})} for rule in arm["rules"]],
    }


def _varied(arm: levers.Tables, template: readout.Template) -> levers.Tables:
    """The variant that a template proposes."""
    kept = arm["design"]
    added = [name for name in template.moderation if name not in kept["moderation"]]
    feed = template.feed if template.feed and template.feed != kept["feed"] else kept["feed"]
    return {**arm, "design": {"feed": feed, "moderation": [*kept["moderation"], *added]}}


def _arm(arm: levers.Tables, key: str) -> None:
    """Edit one arm in place."""
    names = list(FEEDS)
    feed = arm["design"]["feed"].partition(":")[0]
    arm["design"]["feed"] = st.selectbox("Feed", names, names.index(feed), key=f"{key}-feed", format_func=levers.title)
    st.caption(FEEDS[arm["design"]["feed"]].about)
    with st.popover("Settings of the feed", icon=":material/tune:"):
        levers.feed_parameters(arm, key)
    arm["design"]["moderation"] = st.multiselect(
        "Moderation", list(POLICIES), arm["design"]["moderation"], key=f"{key}-moderation", format_func=levers.title,
        placeholder="nothing", help="They act in the order in which they stand",
    )  # fmt: skip
    for name in arm["design"]["moderation"]:
        st.caption(f"**{levers.title(name)}**: {POLICIES[name].about}")
    if arm["design"]["moderation"]:
        with st.popover("Settings of moderation", icon=":material/tune:"):
            for name in arm["design"]["moderation"]:
                st.markdown(f"**{levers.title(name)}**")
                levers.policy_parameters(arm, name, key)
    text = st.text_area("Rules, one a line", "\n".join(rule["text"] for rule in arm["rules"]), key=f"{key}-rules", height=120)
    known = {rule["text"]: rule for rule in arm["rules"]}
    words = [line.strip() for line in text.splitlines() if line.strip()]
    arm["rules"] = [known.get(line, {"text": line}) for line in words]
    for place, rule in enumerate(arm["rules"]):
        if not rule.get("confirmed_by"):
            with st.container(gap=None):
                st.html(f'<div class="sim-quiet">{say.esc(rule["text"], 90)}</div>')
                levers.rule_meaning(rule, f"{key}-rule-{place}-{rule['text']}")


def _idle(draft: drafts.Draft, arms: dict[str, levers.Tables]) -> None:
    """Say before anything is played that two sets of rules mean the same, so that nothing can come of it."""
    try:
        baseline, variant = _made(draft, arms)
    except SimulacraError:
        return
    if changed_levers(baseline, variant) == {"rules"} and same_to_the_sketch_mind(baseline, variant):
        st.warning(readout.WORDING, icon=":material/info:")


def _made(draft: drafts.Draft, arms: dict[str, levers.Tables]) -> list[Arm]:
    community, _ = drafts.checked(draft)
    return [make_arm(community, _changes(arm), name) for name, arm in arms.items()]


def _differences(draft: drafts.Draft, arms: dict[str, levers.Tables]) -> tuple[list[str], str]:
    """(what differs, one line each; what is wrong with an arm, "" where nothing is)."""
    try:
        made = _made(draft, arms)
    except SimulacraError as error:
        return [], str(error)
    return differences(*made), ""


def _changes(arm: levers.Tables) -> dict[str, Any]:
    """An arm as a parsed overlay: only the levers it uses have tables."""
    feed, policies = arm["design"]["feed"], arm["design"]["moderation"]
    return {
        "design": {"feed": feed, "moderation": list(policies)},
        "rules": drafts.rule_entries(arm["rules"]),
        "feed": {name: table for name, table in arm["feed"].items() if name == feed and table},
        "moderation": {name: table for name, table in arm["moderation"].items() if name in policies and table},
    }


def _plan(template: readout.Template) -> Plan:
    """Measure, margin and guardrails, named before anything is played."""
    st.subheader("What decides it", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    names = list(MEASURES)
    primary = left.selectbox(
        "One measure",
        names,
        names.index(template.primary),
        format_func=readout.title,
        key=f"primary-{template.title}",
        help="The answer is about this one. Everything else is exploration.",
    )
    left.caption(readout.plain(MEASURES[primary].about))
    with right:
        margin = _margin(primary, _margin_before(primary))
    guardrails = st.multiselect(
        f"What must not get worse (at most {MOST_GUARDRAILS})", [name for name in names if name != primary],
        [name for name in template.guardrails if name != primary], max_selections=MOST_GUARDRAILS, format_func=readout.title,
        key=f"guards-{template.title}-{primary}",
    )  # fmt: skip
    return Plan(primary, margin, tuple(guardrails))


def _margin_before(primary: str) -> float | None:
    """The margin of the comparison that is duplicated, where it asked for the same measure."""
    plan = store.experiment(go.asked("like")).spec.plan if go.asked("like") else None
    return plan.margin if plan is not None and plan.primary == primary else None


def _margin(primary: str, before: float | None) -> float | None:
    """The smallest difference that the designer would act on, in the measure's own unit; None for our default."""
    known = margin_of(primary)
    if known.relative:
        st.caption("A difference that matters")
        st.markdown(f"{100 * known.size:g} % of the baseline", help="Our default: this measure grows with the community")
        return None
    default = known.size * known.scale
    size = st.number_input(
        f"A difference that matters ({known.unit})",
        min_value=0.0,
        value=float(default if before is None else before * known.scale),
        key=f"margin-{primary}-{go.asked('like')}",
        help="The smallest one that you would act on",
    )
    return None if size in (0.0, default) else size / known.scale


def _size(
    draft: drafts.Draft, arms: dict[str, levers.Tables], lines: list[str], wrong: str, asked: str, plan: Plan, days: int
) -> None:
    st.subheader("How much to play", anchor=False)
    columns = st.columns(4, vertical_alignment="bottom")
    before = store.experiment(go.asked("like")).spec if go.asked("like") else None
    size, pairs = (before.personas, before.seeds) if before else (200, 8)
    sizes = sorted({*design.SIZES[:8], size})
    personas = columns[0].select_slider("Members", sizes, size, format_func=lambda n: f"{n:,}")
    days = columns[1].slider("Days", 1, 14, days)
    with columns[2]:
        auto = st.toggle(
            "As many pairs as it takes", before is not None and before.auto,
            help=f"Begins with {FIRST_SEEDS} and adds {MORE_SEEDS} until the interval of the measure is narrow enough to decide, to "
            f"{CAP_SEEDS} at most",
        )  # fmt: skip
        seeds = st.slider(
            "Pairs of runs", 2, MOST_PAIRS, min(max(pairs, 2), MOST_PAIRS), disabled=auto,
            help="A pair is both designs with the same people and chances. Fewer than 6 carry no claim; under 16 split worlds could be "
            "missed",
        )  # fmt: skip
    with columns[3]:
        parts.figures(
            [("Time", _time(personas, days, (FIRST_SEEDS, CAP_SEEDS) if auto else (seeds,)), "From earlier runs here")]
        )
    judge, unjudged = ("", "") if wrong else _judge(_made(draft, arms), plan, before.judge if before else "")
    if wrong or unjudged:
        say.mistake(wrong or unjudged)
    elif not lines:
        st.info("The two designs are the same so far. Change something in the variant.", icon=":material/info:")
    cannot = bool(wrong or unjudged) or not lines
    if st.button("Start the comparison", type="primary", icon=":material/play_arrow:", disabled=cannot):
        name = store.free_name(f"{draft['slug'] or draft['name']}-vs")
        _launch(name, draft, arms, personas, days, None if auto else seeds, asked, plan, judge)


def _judge(arms: list[Arm], plan: Plan, before: str) -> tuple[str, str]:
    """Choose who judges where a design acts by the scorer: (its name, "" where nobody is needed; why it will not do, "" where it will).

    before: who judged the comparison that is duplicated.
    """
    with st.expander("Advanced", icon=":material/tune:"):
        acting = acting_columns(arms)
        if not acting:
            st.caption("No design here acts by a score, so the scorer of every run judges both.")
            return "", ""
        own = before if before not in ("", *JUDGES) else ""
        kinds = {**JUDGES, _OWN_JUDGE: "Another one"}
        kind = st.selectbox(
            f"Who judges {' and '.join(sorted(acting))}", list(kinds), len(JUDGES) if own else 0, format_func=kinds.__getitem__,
            key="judge", width=420,
            help="A design here acts by the scorer that every run carries and would grade its own homework, so another reads",
        )  # fmt: skip
        asked = kind
        if kind == _OWN_JUDGE:
            name = st.text_input(
                "A text classifier", own.removeprefix(PREFIX), max_chars=300, key="judge-name", placeholder="folder or name",
                help="One that the library transformers can load from this machine",
            )  # fmt: skip
            asked = f"{PREFIX}{name.strip()}"
    try:
        judge_of(arms, plan, asked)
    except SimulacraError as error:
        return asked, _MORE_JUDGE if asked == PREFIX else str(error)
    return asked, ""


def _time(personas: int, days: int, pairs: tuple[int, ...]) -> str:
    return "about " + " to ".join(say.duration(design.seconds_for(personas, days, 2 * n) / worker.spare_cores()) for n in pairs)


def play_more(found: Comparison, more: int) -> None:
    """Play the same comparison with more seeds, and go and watch it."""
    try:
        name = grown(found, more)
        worker.resume_comparison(name, store.runs_dir())
    except SimulacraError as error:
        say.mistake(error)
        return
    go.to("compare", experiment=name)


def grown(found: Comparison, more: int) -> str:
    """A comparison with more seeds, under a name of its own: what was decided with fewer stays as it was. Returns its name.

    What is finished is taken over, not played again, unless another version of the program played it.
    """
    spec, folder = found.spec, found.folder
    name = store.free_name(f"{found.id}-{spec.seeds + more}")
    larger = store.experiments_folder(name)
    near = affinity_from_dict(folder.info["similarity"])
    larger.begin(replace(spec, seeds=spec.seeds + more, auto=False), near, folder.info["keep"], store.runs_dir())
    readout.keep_question(larger, readout.question_of(folder))
    if folder.info["versions"] == larger.info["versions"]:
        with disk_errors(larger.path):
            for seed in folder.results():
                shutil.copyfile(folder.file_of(seed), larger.file_of(seed))
    return name


def _launch(
    name: str, draft: drafts.Draft, arms: dict[str, levers.Tables], personas: int, days: int, seeds: int | None,
    asked: str, plan: Plan, judge: str = "",
) -> None:  # fmt: skip
    """Keep community, arms and question, start the process, and go and watch it. seeds: None for as many as it takes. judge: "" leaves
    it to the process."""
    try:
        community = drafts.stored(draft)
        overlays = {arm: store.save_text(f"arm-{name}-{arm}", drafts.overlay(tables)) for arm, tables in arms.items()}
        readout.keep_question(store.experiments_folder(name), asked)
        keep = "all" if personas * days * (seeds or CAP_SEEDS) <= MOST_KEPT else "first"
        size = ["--personas", str(personas), "--days", str(days), "--seeds", str(seeds or AUTO), "--keep", keep]
        designs = [word for arm in (BASELINE, VARIANT) for word in (f"--{arm}", str(overlays[arm]))]
        work = ["--id", name, "--jobs", str(worker.spare_cores())]
        worker.start("compare", name, store.runs_dir(), [str(community), *designs, *size, *work, *decided_by(plan, judge)])
    except SimulacraError as error:
        say.mistake(error)
        return
    st.session_state.pop("template", None)
    go.to("compare", experiment=name)


def decided_by(plan: Plan, judge: str) -> list[str]:
    """What decides a comparison and who judges, as options of `simulacra compare`."""
    margin = [] if plan.margin is None else ["--margin", repr(plan.margin)]
    guardrails = [word for guardrail in plan.guardrails for word in ("--guardrail", guardrail)]
    return ["--primary", plan.primary, *margin, *guardrails, *(["--judge", judge] if judge else [])]
