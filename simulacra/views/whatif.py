"""WhatIf: somebody else replies, a moderator acts, or a post is gone; the thread as it was and as it goes on, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from simulacra.branches import guests
from simulacra.branches.continuations import THREAD_MEASURES
from simulacra.branches.whatif import Change
from simulacra.errors import SimulacraError, SpecError
from simulacra.experiment import Run
from simulacra.views import branch, charts, forum, look, parts, questions, readout, say, store

if TYPE_CHECKING:
    from simulacra.estimates import Estimate

KINDS = ("Somebody replies", "A moderator acts", "A moderator speaks", "The post is removed")
_ACTS = {"lock": "lock its thread", "label": "put a label on it", "warn": "warn its author"}
_ANY = "as the words or the person suggest"


def page(run: Run, post: int) -> None:
    """The question, what was asked before, and the answer."""
    say.head("WhatIf", "Change one thing after a post and see how its thread goes on, with the change and without it.")
    row = branch.asked_about(run, post)
    if row is None:
        return
    known = questions.put_before(run, "whatif", post)
    with st.expander("Ask something else", icon=":material/help:") if known else st.container(border=True):
        _form(run, post)
    question = questions.chosen(known)
    if question is None:
        say.empty("Nothing asked yet", "Say what is different after this post, then play it. Both futures appear here.")
        return
    st.subheader(say.md(question.told), anchor=False)
    told = questions.answered(question)
    if told is not None:
        _answer(run, told, question.name)


# -- the question ----------------------------------------------------------------------------------------------------------


def _form(run: Run, post: int) -> None:
    kind = st.segmented_control("What is different?", KINDS, default=KINDS[0], key=f"whatif-kind-{post}", required=True)
    change = _speaks(run, post) if kind == KINDS[0] else _moderates(kind, post)
    columns = st.columns(3, vertical_alignment="bottom")
    hours = columns[0].slider("Hours played on", 6, 96, 24, 6, key=f"whatif-hours-{post}")
    rolls = columns[1].slider(
        "Rolls of chance", 1, 32, 8 if run.spec.mind == "sketch" else 1, key=f"whatif-rolls-{post}",
        help="One future is an anecdote. Each roll draws everything after the post anew, the same for both sides; under 6 there is no "
        "verdict",
    )  # fmt: skip
    ripple = columns[2].toggle("Measure the whole community too", key=f"whatif-ripple-{post}")

    def price() -> Estimate:
        return import_module(questions.PRICES).whatif_price(run, post, _made(kind, change), hours, rolls, ripple)

    terms = branch.terms(run, f"whatif-{post}", (kind, change, hours, rolls, ripple), price)
    took = branch.seconds_for(run, hours, 2 * rolls)
    label = f"Play it: about {say.duration(took)}" if run.spec.language is None else "Play it"
    if st.button(label, type="primary", icon=":material/play_arrow:", key=f"whatif-{post}", disabled=not terms.is_agreed):
        try:
            made = _made(kind, change)
        except SimulacraError as error:
            say.mistake(error)
            return
        told = f"{made.describe(post)} ({hours} hours, {say.count(rolls, 'roll')}{', whole community' if ripple else ''})"
        arguments = [*options(post, made), "--hours", str(hours), "-n", str(rolls), *(["--ripple"] if ripple else [])]
        questions.ask(run, "whatif", post, arguments, told[:1].upper() + told[1:], terms.options)


def _made(kind: str, change: Mapping[str, Any]) -> Change:
    """The change as it was put in. Raises SpecError with what is missing."""
    if not any(change.values()):
        raise SpecError(_MISSING[kind])
    return Change(**change)


_MISSING = {
    KINDS[0]: "Say who replies: a line that describes somebody, or a member.",
    KINDS[1]: "Choose what the moderator does.",
    KINDS[2]: "Write what the moderator says.",
}


def _speaks(run: Run, post: int) -> dict[str, Any]:
    """Who replies, and with which words."""
    left, right = st.columns(2)
    with left:
        who = st.text_input(
            "A new person, in a line",
            placeholder="a sarcastic museum expert, 60",
            max_chars=guests.LONGEST,
            key=f"whatif-as-{post}",
        )
        handles = store.handles(run)
        member = st.selectbox(
            "or a member", forum.most_active(run), None, format_func=lambda i: handles[i], placeholder="nobody of the members",
            key=f"whatif-member-{post}", help="Goes before the line on the left, where both are given",
        )  # fmt: skip
    with right:
        words = st.text_input(
            "In these words", placeholder="empty: the mind writes them", max_chars=guests.LONGEST, key=f"whatif-say-{post}"
        )
        act = st.selectbox(
            "What the reply does", list(forum.VERBS), None, format_func=lambda name: forum.VERBS[name], placeholder=_ANY,
            key=f"whatif-act-{post}",
        )  # fmt: skip
    return {"as_": f"@{handles[member]}" if member is not None else who.strip(), "say": words.strip(), "act": act or ""}


def _moderates(kind: str, post: int) -> dict[str, Any]:
    if kind == KINDS[1]:
        acts = st.pills(
            "The moderator ...", list(_ACTS), selection_mode="multi", format_func=_ACTS.__getitem__, key=f"whatif-mod-{post}"
        )
        return {"moderate": tuple(acts)}
    if kind == KINDS[2]:
        words = st.text_input(
            "The moderator writes", placeholder="Please keep it kind.", max_chars=guests.LONGEST, key=f"whatif-words-{post}"
        )
        return {"moderator": words.strip()}
    return {"moderate": ("remove",)}


def options(post: int, change: Change) -> list[str]:
    """The change as options of `simulacra whatif`; words go after an equals sign, since they may begin with a dash."""
    told = ["--post", str(post)]
    for name, words in (("as", change.as_), ("say", change.say), ("act", change.act), ("moderator", change.moderator)):
        told += [f"--{name}={words}"] if words else []
    return told + ([f"--moderate={','.join(change.moderate)}"] if change.moderate else [])


# -- the answer ------------------------------------------------------------------------------------------------------------


def _answer(run: Run, told: Mapping[str, Any], key: str) -> None:
    rows = pd.DataFrame(told["rows"])
    moved = rows["effect"].isin(["higher", "lower"]).any()
    word, tone = (
        ("Not posted", "early") if told["refused"] else ("Clear change", "clear") if moved else ("What follows", "same")
    )
    say.answer(word, told["sentence"], "", parts.TONES[tone])
    branch.cut_short(told)
    _side_by_side(run, told, key)
    if len(told["without"]) > 1:
        _differences(told, key)
    st.markdown("**The thread in numbers, means over rolls**")
    parts.table(_numbers(rows), ("without", "with", "difference"))
    if told["ripple"]:
        st.markdown("**The whole community over those hours** (each row stands alone)")
        parts.table(_ripple(told["ripple"]), ("without", "with", "difference"))
    branch.notes(told["notes"])


def _side_by_side(run: Run, told: Mapping[str, Any], key: str) -> None:
    lanes = len(told["without"])
    lane = 0
    if lanes > 1:
        lane = st.selectbox("Shown", range(lanes), format_func=branch.roll_words, key=f"lane-{key}", width=320)
    names = ("As it was" if lane == 0 else "Without the change", "With the change")
    sides = zip(st.columns(2, gap="large"), names, ("baseline", "variant"), ("without", "with"), strict=True)
    for column, name, arm, side in sides:
        with column:
            st.html(say.arm(name, "", look.ARMS[arm]))
            branch.continuation(told[side][lane], int(told["post"]), f"{side}-{lane}-{key}")


def _differences(told: Mapping[str, Any], key: str) -> None:
    """A dot a roll: what the change did to each number of the thread."""
    rows, table = [], {"roll": [c["lane"] for c in told["without"]]}
    for row in told["rows"]:
        name = row["measure"]
        both = [(_value(a, name), _value(b, name)) for a, b in zip(told["without"], told["with"], strict=True)]
        table |= {f"{name}_without": [a for a, _ in both], f"{name}_with": [b for _, b in both]}
        mean, low, high = (branch.known(row[column]) for column in ("difference", "low", "high"))
        rows.append((branch.titled(name), [b - a for a, b in both], mean, low, high, row["margin"]))
    about = (
        "With the change minus without. A dot is one roll of chance; the bar is the mean's 95 % interval over rolls. Within the grey band "
        "a reader of one thread would notice nothing."
    )
    parts.chart(charts.changes(rows), "What the change does, roll by roll", about, pd.DataFrame(table), f"whatif-{key}")


def _value(roll: Mapping[str, Any], name: str) -> float:
    return branch.known(roll["values"][name])


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    columns = ["measure", "unit", "without", "with", "difference", "effect"]
    cells = [
        (branch.title(row["measure"]), THREAD_MEASURES[row["measure"]].unit, *_sides(row["without"], row["with_"]), _interval(row),
         branch.EFFECTS.get(row["effect"], row["effect"]))
        for row in rows.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(cells, columns=columns)


def _sides(*values: float | None) -> list[str]:
    return [say.number(branch.known(value)) for value in values]


def _ripple(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Measures of the community, those that moved first; those that moved in no roll are left out."""
    moved = [row for row in rows if row["difference"]]
    moved.sort(key=lambda row: row["effect"] not in ("higher", "lower"))
    return pd.DataFrame([
        {"measure": readout.title(row["measure"]), "without": say.amount(branch.known(row["baseline"]), row["unit"]),
         "with": say.amount(branch.known(row["variant"]), row["unit"]), "difference": _interval(row),
         "effect": branch.EFFECTS.get(row["effect"], row["effect"])}
        for row in moved
    ], columns=["measure", "without", "with", "difference", "effect"])  # fmt: skip


def _interval(row: Mapping[str, Any]) -> str:
    """ "+1.3 (−0.5 to +3.0)"; without the interval where there is none."""
    mean, low, high = (branch.known(row[name]) for name in ("difference", "low", "high"))
    if mean != mean:
        return "–"
    return say.interval(mean, low, high) if low == low else f"{mean:+.2f}".replace("-", "−")
