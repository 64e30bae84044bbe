"""Design: a community from its goal to the button that starts it."""

from __future__ import annotations

from dataclasses import fields
from statistics import median
from typing import Any

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.behaviour import Behaviour
from simulacra.community import (
    MAX_GOAL,
    MAX_NAME,
    MAX_RULE,
    MAX_RULES,
    MAX_SKETCH,
    MAX_SKETCHES,
    MAX_WEIGHT,
    bundled_communities,
    load_community,
)  # fmt: skip
from simulacra.designs import differences
from simulacra.errors import SimulacraError
from simulacra.experiment import RunSpec
from simulacra.views import drafts, go, levers, mind, parts, say, store

VISITS_A_DAY, POSTS_A_VISIT = 1.3, 0.06
"""Of a member, and of a visit. `simulacra run` on each bundled community, 1,000 members, 7 days: 1.26 to 1.31, and 0.051 to 0.069."""
VISITS_A_SECOND, HOUR_SECONDS, BEGINS_SECONDS = 23_000.0, 0.0027, 1.5
"""Of one core where no run has been played here yet: what visits take, what a simulated hour takes whoever comes, and imports.
`simulacra run pittsburgh`, 7 days, took 2.2 CPU seconds with 1,000 members and 6.8 with 10,000; `simulacra compare local-politics` in
one process 19.9 s for 16 pairs of 90 members and 5 days, 9.1 for 8 of 200 and 3, 20.3 for 8 of 1,000 and 7, 8.3 for 4 of 2,000 and 3."""
_LEAST_SECONDS = 5.0  # of visits, so that a run tells how fast they are
TABS = ("Community", "Feed", "Moderation", "Behaviour", "Size and start")
_TABS_KEY = "design-tabs"
SIZES = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


Slots = dict[str, Any]
"""Field of the draft -> the place below it for a message."""


def page() -> None:
    say.head("Design", "What the community is for, who its members are, and what they are shown.")
    draft = _draft()
    _start_from()
    tabs = st.tabs(TABS, on_change="rerun", key=_TABS_KEY)
    version = st.session_state["draft_version"]
    with tabs[0]:
        _community(draft, version)
        _next(1)
    for place, field, cards in ((1, "feed", levers.feed_cards), (2, "moderation", levers.moderation_cards)):
        if tabs[place].open:  # dozens of inputs each: drawn when looked at, from what the draft says
            with tabs[place]:
                cards(draft, f"d{version}")
                _at(field, drafts.problem(draft))
                _next(place + 1)
    with tabs[3]:
        _behaviour(draft, version)
        _at("behaviour", drafts.problem(draft))
        _next(4)
    with tabs[4]:
        _size_and_start(draft, drafts.problem(draft))


def _next(place: int) -> None:
    """A button that leads to the tab of that place."""

    def turn() -> None:
        st.session_state[_TABS_KEY] = TABS[place]

    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(f"Next: {TABS[place].lower()}", key=f"next-{place}", icon=":material/arrow_forward:",
                  icon_position="right", on_click=turn)  # fmt: skip


# -- which draft -----------------------------------------------------------------------------------------------------------


def _draft() -> drafts.Draft:
    """The draft of this session; a new one where the address asks for another source."""
    state = st.session_state
    source = next((f"{key}={go.asked(key)}" for key in ("start", "like", "community") if go.asked(key)), "")
    if "draft" not in state or (source and source != state.get("draft_source")):
        state["draft_source"] = source
        try:
            _take(_from(source))
        except SimulacraError as error:
            say.mistake(error)
            _take(drafts.blank())
    if f"name-{state['draft_version']}" not in state:  # back from another page: editors begin with what was written there
        _take(state["draft"])
    return state["draft"]


def _from(source: str) -> drafts.Draft:
    key, _, name = source.partition("=")
    if key == "like":
        return drafts.of_run(store.run(name))
    if key == "community":
        return drafts.of_community(store.community(name))
    return drafts.blank()


def _take(draft: drafts.Draft) -> None:
    """Make this the session's draft. Inputs are named by its version, so that they begin with what it says."""
    st.session_state["draft"] = draft
    st.session_state["draft_version"] = st.session_state.get("draft_version", 0) + 1


def _changed(draft: drafts.Draft) -> None:
    """Draw the page anew after a row was added or taken away."""
    _take(draft)
    st.rerun()


def _start_from() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known = {**dict.fromkeys(bundled_communities(), "an example"), **dict.fromkeys(store.own_designs(), "yours")}
        chosen = st.selectbox("Start from", list(known), None, format_func=lambda slug: f"{store.name_of(slug)}, {known[slug]}",
                              placeholder="a community that exists", width=360)  # fmt: skip
        if st.button("Open", disabled=chosen is None):
            st.session_state.pop("draft_source", None)
            go.to("design", community=chosen)
        loaded = st.session_state.get("draft_version", 0)
        # Another box once a file was taken: an open one would cover the form.
        with st.popover("Load a file", icon=":material/upload_file:", key=f"load-{loaded}"):
            _upload(f"file-{loaded}")
        if st.button("Start blank", type="tertiary"):
            st.session_state.pop("draft_source", None)
            go.to("design", start="blank")


def _upload(key: str) -> None:
    file = st.file_uploader("A community's TOML file", "toml", key=key)
    if file is not None and st.button("Use this file", type="primary"):
        try:
            _take(drafts.of_toml(file.getvalue(), file.name))
        except SimulacraError as error:
            say.mistake(error)
            return
        st.rerun()


# -- the community ---------------------------------------------------------------------------------------------------------


def _at(field: str, wrong: tuple[str, str]) -> None:
    """The message at the field that it is about."""
    if wrong[0] == field:
        st.html(f'<div class="sim-chip sim-wrong">{say.esc(wrong[1], 300)}</div>')


def _community(draft: drafts.Draft, version: int) -> None:
    slots: Slots = {}  # filled at the end: a message drawn before the inputs would be about what stood in them before
    left, right = st.columns([2, 3], gap="large")
    with left:
        draft["name"] = st.text_input("Name", draft["name"], key=f"name-{version}", max_chars=MAX_NAME,
                                      placeholder="Allotment Neighbours")  # fmt: skip
        slots["name"] = st.empty()
    with right:
        draft["goal"] = st.text_area("Goal", draft["goal"], key=f"goal-{version}", max_chars=MAX_GOAL, height=80,
                                     placeholder="People who ... come here to ...")  # fmt: skip
        slots["goal"] = st.empty()
    _rules(draft, version, slots)
    _sketches(draft, version, slots)
    topics = st.text_area("Topics", "\n".join(draft["topics"]), key=f"topics-{version}", height="content",
                          placeholder="One a line. Left empty, they are found in the goal, the rules and the sketches.")  # fmt: skip
    draft["topics"] = [line.strip() for line in topics.splitlines() if line.strip()]
    slots["topics"] = st.empty()
    _fill(slots, draft)
    if draft["voices_of"]:
        kept = drafts.with_bank(draft)
        st.caption(f"Members speak with the phrase bank of {draft['voices_of']}." if kept else "The phrase bank of "
                   f"{draft['voices_of']} is left out: it speaks of topics that are no longer listed.")  # fmt: skip
    else:
        st.caption(
            "Members speak from the general phrase bank. A bank of the community's own makes them sound more like it: "
            "docs/voices.md says how to write one."
        )


def _fill(slots: Slots, draft: drafts.Draft) -> None:
    """The message below its field; nothing on a page where nothing has been written yet."""
    wrong = drafts.problem(draft)
    if wrong[0] in slots and draft != drafts.blank():
        with slots[wrong[0]]:
            _at(wrong[0], wrong)


def _rules(draft: drafts.Draft, version: int, slots: Slots) -> None:
    _section("Rules", "Below each rule stands what it was taken to mean: confirm or correct it. A meaning that nobody confirmed is "
             "used as a guess, and the result says so.")  # fmt: skip
    with st.container(gap="xsmall"):
        for place, rule in enumerate(draft["rules"]):
            with st.container(gap=None):
                _rule(draft, rule, place, version)
    slots["rules"] = st.empty()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        _add_rule(draft)
        name = st.text_input("Your name, to stand beside what you confirm", st.session_state.get("reviewer", ""), max_chars=80,
                             placeholder="the designer", width=300)  # fmt: skip
        st.session_state["reviewer"] = name


def _add_rule(draft: drafts.Draft) -> None:
    if st.button("Add a rule", icon=":material/add:", type="tertiary", disabled=len(draft["rules"]) >= MAX_RULES):
        draft["rules"].append({"text": ""})
        _changed(draft)


def _section(title: str, about: str) -> None:
    """A heading inside a tab, with what to do below it; both our own words."""
    st.html(f'<div class="sim-section">{title}</div><div class="sim-quiet">{about}</div>')


def _rule(draft: drafts.Draft, rule: dict[str, Any], place: int, version: int) -> None:
    key, label = f"rule-{version}-{place}", f"Rule {place + 1}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = st.text_input(label, rule["text"], key=key, label_visibility="collapsed", max_chars=MAX_RULE, width="stretch")
        if st.button("", key=f"drop-{key}", icon=":material/close:", type="tertiary", help=f"Delete rule {place + 1}"):
            draft["rules"].pop(place)
            _changed(draft)
    levers.unconfirm(rule, words)
    if rule["text"].strip():
        levers.rule_meaning(rule, key)


def _sketches(draft: drafts.Draft, version: int, slots: Slots) -> None:
    _section("Sketches of members", "Five to fifteen, a line each: work, age, what they love or hate, temper, how they write. Thousands "
             "of different people grow from them; a sketch of weight 2 has twice as many descendants as one of weight 1.")  # fmt: skip
    with st.container(gap="xsmall", key="sketches"):
        st.html('<div class="sim-sketch-heads"><span>Name</span><span>Sketch</span><span>Weight</span></div>')
        for place, sketch in enumerate(list(draft["personas"])):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _sketch(sketch, f"{version}-{place}", place + 1)
                if st.button("", key=f"drop-sketch-{version}-{place}", icon=":material/close:", type="tertiary",
                             help=f"Delete sketch {place + 1}"):  # fmt: skip
                    draft["personas"].pop(place)
                    _changed(draft)
    if st.button("Add a sketch", icon=":material/add:", type="tertiary", disabled=len(draft["personas"]) >= MAX_SKETCHES):
        draft["personas"].append({"name": "", "sketch": "", "weight": 1.0})
        _changed(draft)
    slots["personas"] = st.empty()


def _sketch(sketch: dict[str, Any], key: str, number: int) -> None:
    """Inputs for one sketch, written back into it."""
    hidden: Any = "collapsed"
    sketch["name"] = st.text_input(
        f"Name of sketch {number}",
        sketch["name"],
        key=f"name-of-{key}",
        label_visibility=hidden,
        placeholder="name",
        width=130,
        max_chars=MAX_NAME,
    )
    sketch["sketch"] = st.text_area(
        f"Sketch {number}",
        sketch["sketch"],
        key=f"sketch-{key}",
        label_visibility=hidden,
        max_chars=MAX_SKETCH,
        height="content",
        placeholder="art teacher, 41, loves museums, cheerful, writes in full sentences",
    )
    sketch["weight"] = st.number_input(
        f"Weight of sketch {number}",
        0.0,
        MAX_WEIGHT,
        float(sketch["weight"]),
        0.1,
        key=f"weight-{key}",
        label_visibility=hidden,
        width=120,
        format="%.1f",
    )


# -- behaviour -------------------------------------------------------------------------------------------------------------


def _behaviour(draft: drafts.Draft, version: int) -> None:
    st.caption(
        "How members behave: every parameter of the model. Most designers leave these alone. A value that you change is kept in the "
        "community's file. Sources such as S15 are listed in docs/odd.md."
    )
    current = Behaviour()
    known = fields(Behaviour)
    rows = pd.DataFrame(
        {
            "parameter": [f.name for f in known],
            "what it does": [f.metadata["about"] for f in known],
            "value": [_number(draft["behaviour"].get(f.name, f.default), f) for f in known],
            "default": [getattr(current, f.name) for f in known],
            "unit": [f.metadata["unit"] for f in known],
            "source": [f.metadata["source"] for f in known],
        }
    )
    began = st.session_state.setdefault(f"behaviour-began-{version}", rows["value"].tolist())
    rows["value"] = began
    edited = st.data_editor(rows, hide_index=True, key=f"behaviour-{version}", height=520,
                            disabled=["parameter", "what it does", "default", "unit", "source"],
                            column_config={"unit": st.column_config.TextColumn(width=130)})  # fmt: skip
    draft["behaviour"] = {
        str(row.parameter): float(row.value) for row in edited.itertuples() if float(row.value) != float(row.default)
    }


def _number(value: Any, parameter: Any) -> float:
    """A setting as a number: "off" is the value without the mechanism."""
    if value in ("off", False):
        return float(parameter.metadata["off"])
    return float(parameter.default) if value in ("on", True) else float(value)


# -- size and start --------------------------------------------------------------------------------------------------------


def seconds_for(personas: int, days: int, runs: int = 1) -> float:
    """How long playing takes one core here with the sketch mind: visits over the speed of the runs that were played on this machine, and
    what every hour takes."""
    speeds = [speed for run in store.runs()[:12] if (speed := _speed(run.id)) is not None]
    visits = personas * VISITS_A_DAY * (days + 2) / (median(speeds) if speeds else VISITS_A_SECOND)
    return runs * (visits + HOUR_SECONDS * 24 * (days + 2)) + BEGINS_SECONDS


@st.cache_data(max_entries=64, show_spinner=False)
def _speed(run_id: str) -> float | None:
    """Visits a second of a finished run, the burn-in's among them; None for one that a model wrote, and for one too short to tell what
    it took beside its beginning (clocks in records count whole seconds)."""
    from datetime import datetime

    try:
        run = store.run(run_id)
        info = run.folder.info
    except SimulacraError:
        return None
    if info["status"] != "finished" or not info.get("ended") or run.spec.language is not None:
        return None
    seconds = (datetime.fromisoformat(info["ended"]) - datetime.fromisoformat(info["started"])).total_seconds()
    visits = info["counts"].get("visits", 0) * (run.days + 2) / max(run.days, 1)
    seconds -= BEGINS_SECONDS + HOUR_SECONDS * 24 * (run.days + 2)
    return visits / seconds if seconds >= _LEAST_SECONDS else None


def _size_and_start(draft: drafts.Draft, wrong: tuple[str, str]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        personas = st.select_slider("Members at the beginning", SIZES, 500, format_func=lambda n: f"{n:,}")
        days = st.slider("Simulated days", 1, 30, 3, help="Two days of burn-in come before, unmeasured")
        seed = int(
            st.number_input("Roll of chance (seed)", 0, 10**9, 1, help="The same seed gives the same run, word for word")
        )
        choice = mind.choose("run") if mind.is_ready() else mind.Choice()
    with right:
        is_told = choice.is_sketch or (not wrong[0] and mind.agreed(_spec(draft, personas, days, seed), choice, "run"))
        took = seconds_for(personas, days)
        visits = personas * VISITS_A_DAY * days
        if choice.is_sketch:
            parts.figures([
                ("Time", f"about {say.duration(took)}", "From the speed of earlier runs on this machine"),
                ("Posts", f"about {visits * POSTS_A_VISIT:,.0f}", "Some 6 in 100 visits write"),
                ("Cost", "none", "No model is called"),
            ])  # fmt: skip
    _what_differs(draft)
    _unconfirmed(draft)
    if wrong[0]:
        st.info(f"Not ready yet: {say.md(wrong[1])}", icon=":material/edit:")
    with st.container(horizontal=True):
        if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=bool(wrong[0]) or not is_told):
            _start(draft, personas, days, seed, choice)
        if st.button("Save", icon=":material/save:", disabled=bool(wrong[0])):
            _save(draft)
        if not wrong[0]:
            st.download_button("Download TOML", lambda: drafts.toml(draft).encode(), "community.toml", "application/toml",
                               icon=":material/download:", on_click="ignore")  # fmt: skip
        if st.button("Compare it with a variant", icon=":material/compare_arrows:", disabled=bool(wrong[0])):
            path = _save(draft)
            if path:
                go.to("compare", new=1, community=path)


def _unconfirmed(draft: drafts.Draft) -> None:
    """How many rules are used as a guess, and a button to confirm them all as they were taken."""
    guessed = [rule for rule in draft["rules"] if rule["text"].strip() and not rule.get("confirmed_by")]
    if not guessed:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{say.count(len(guessed), 'rule has', 'rules have')} a meaning that nobody confirmed: it is used, and the "
            f"result says so."
        )
        if st.button("Confirm all as they stand", type="tertiary", icon=":material/done_all:"):
            for rule in guessed:
                levers.confirm(rule, levers.meaning_of(rule))
            st.rerun()


def _what_differs(draft: drafts.Draft) -> None:
    """What was changed since the community was opened from a file."""
    slug = draft["slug"]
    if slug not in {**bundled_communities(), **store.own_designs()}:
        return
    try:
        mine, original = drafts.as_arm(draft), drafts.as_arm(drafts.of_community(store.community(slug)))
    except SimulacraError:
        return
    lines = differences(original, mine)
    if lines:
        told = say.esc(say.differences(lines))
        st.html(f'<div class="sim-quiet"><b>Changed since it was opened:</b> {told}. All else is as in {say.esc(slug)}.</div>')


def _save(draft: drafts.Draft) -> str:
    """Save the draft where anything was changed; returns the slug of its file, "" where that failed."""
    try:
        path = drafts.stored(draft)
        load_community(path)
    except SimulacraError as error:
        say.mistake(error)
        return ""
    st.toast(f"Kept as {path.name}", icon=":material/save:")
    return path.stem


def _spec(draft: drafts.Draft, personas: int, days: int, seed: int) -> RunSpec:
    """What would be played, with the sketch mind."""
    community, arm = drafts.checked(draft)
    return RunSpec(community, arm, personas, days, seed)


def _start(draft: drafts.Draft, personas: int, days: int, seed: int, choice: mind.Choice) -> None:
    slug = _save(draft)
    if not slug:
        return
    name = store.free_name(f"{slug}-{seed}")
    try:
        worker.start_run(drafts.stored(draft), name, store.runs_dir(), personas=personas, days=days, seed=seed,
                         more=choice.arguments())  # fmt: skip
    except SimulacraError as error:
        say.mistake(error)
        return
    go.to("run", run=name)
