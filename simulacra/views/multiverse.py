"""Multiverse: the spread of ways in which a thread could have gone on, its best and its worst side by side."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from simulacra.branches.continuations import THREAD_MEASURES
from simulacra.experiment import Run
from simulacra.views import branch, charts, look, parts, questions, say

if TYPE_CHECKING:
    from simulacra.estimates import Estimate


def page(run: Run, post: int) -> None:
    """The question, what was asked before, and the answer."""
    say.head("Multiverse", "Roll chance again from a post on: in how many ways could its thread have gone?")
    row = branch.asked_about(run, post)
    if row is None:
        return
    known = questions.put_before(run, "multiverse", post)
    with st.expander("Roll again in another way", icon=":material/casino:") if known else st.container(border=True):
        _form(run, post, int(row["root"]))
    question = questions.chosen(known)
    if question is None:
        say.empty("Nothing rolled yet", "Choose how often, then roll. The spread, the best and the worst appear here.")
        return
    st.subheader(say.md(question.told), anchor=False)
    told = questions.answered(question)
    if told is not None:
        _answer(run, told, question.name)


def _form(run: Run, post: int, root: int) -> None:
    names = list(THREAD_MEASURES)
    columns = st.columns(3, vertical_alignment="bottom")
    rolls = columns[0].slider(
        "Rolls of chance", 2, 64, 20 if run.spec.mind == "sketch" else 4, key=f"rolls-{post}",
        help="The run's own is one of them. From 16 on, two separate kinds of continuation are named where there are any",
    )  # fmt: skip
    hours = columns[1].slider("Hours played on", 6, 168, 48, 6, key=f"rolls-hours-{post}")
    by = columns[2].selectbox(
        "Best and worst by", names, names.index("toxicity"), format_func=branch.title, key=f"rolls-by-{post}"
    )

    def price() -> Estimate:
        return import_module(questions.PRICES).multiverse_price(run, root, rolls, post, hours)

    terms = branch.terms(run, f"rolls-{post}", (rolls, hours), price)
    took = branch.seconds_for(run, hours, rolls)
    label = f"Roll: about {say.duration(took)}" if run.spec.language is None else "Roll"
    if st.button(label, type="primary", icon=":material/casino:", key=f"roll-{post}", disabled=not terms.is_agreed):
        told = f"{say.count(rolls, 'roll')} from post {post} on, {hours} hours, best and worst by {THREAD_MEASURES[by].title}"
        arguments = ["--thread", str(root), "--from", str(post), "-n", str(rolls), "--hours", str(hours), "--by", by]
        questions.ask(run, "multiverse", post, arguments, told, terms.options)


# -- the answer ------------------------------------------------------------------------------------------------------------


def _answer(run: Run, told: Mapping[str, Any], key: str) -> None:
    say.answer("The spread", told["sentence"], "", parts.TONES["depends"])
    branch.cut_short(told)
    values = {name: [branch.known(roll["values"][name]) for roll in told["rolls"]] for name in THREAD_MEASURES}
    table = pd.DataFrame({"roll": [roll["lane"] for roll in told["rolls"]], **values})
    shown = [name for name in THREAD_MEASURES if table[name].nunique() > 1]
    about = (
        "A dot is one roll of chance, the box holds the middle half, the diamond is the run's own thread. A thread that was picked because "
        "it is long or heated stands near an end of its own spread: that is what picking does."
    )
    if shown:
        figure = charts.spreads([(branch.titled(name), values[name]) for name in shown])
        parts.chart(figure, "How the thread goes on, in every roll", about, table, f"rolls-{key}")
    _ends(told, key)
    with st.expander("The spread in numbers", icon=":material/table_chart:"):
        parts.table(
            _numbers(told["spreads"]),
            ("lowest", "a quarter below", "median", "three quarters below", "highest", "mean", "the run"),
        )
    branch.notes(told["notes"])


def _ends(told: Mapping[str, Any], key: str) -> None:
    """Best and worst, side by side; any roll in the place of either."""
    rolls = {roll["lane"]: roll for roll in told["rolls"]}
    st.caption(f"Best and worst: {say.md(told['criterion'])}.")
    for column, end, tone in zip(st.columns(2, gap="large"), ("best", "worst"), (look.POSITIVE, look.TOXIC), strict=True):
        if told[end] is None:
            continue
        with column:
            st.html(say.arm(end.capitalize(), "", tone))
            lanes = list(rolls)
            lane = st.selectbox(
                f"Roll shown as {end}", lanes, lanes.index(told[end]), format_func=branch.roll_words, key=f"{end}-{key}",
                label_visibility="collapsed",
            )  # fmt: skip
            value = branch.known(rolls[lane]["values"][told["by"]])
            st.caption(f"{branch.title(told['by'])}: {say.number(value)}")
            branch.continuation(rolls[lane], int(told["post"]), f"{end}-{lane}-thread-{key}")


def _numbers(spreads: list[dict[str, Any]]) -> pd.DataFrame:
    named = {
        "low": "lowest", "quarter": "a quarter below", "median": "median", "three_quarters": "three quarters below", "high": "highest",
        "mean": "mean", "recorded": "the run",
    }  # fmt: skip
    return pd.DataFrame([
        {"measure": branch.title(row["measure"]), **{title: say.number(branch.known(row[name])) for name, title in named.items()}}
        for row in spreads
    ])  # fmt: skip
