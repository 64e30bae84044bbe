"""Does the answer outlive other assumptions? The check of `simulacra compare --robust`, started here and read from its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.analysis.limits import MECHANISMS
from simulacra.behaviour import Behaviour
from simulacra.replicates import Comparison
from simulacra.studies.robustness import DRAWS, ENOUGH, SEEDS, VANISHED
from simulacra.views import charts, jobs, look, parts, readout, say, store


def section(answer: readout.Answer) -> None:
    """What the check found, or a button that starts it."""
    found, row = answer.found, answer.rows.get(answer.primary)
    if found.robustness:
        _shown(found.robustness, answer.primary)
        return
    if row is None or row.effect not in ("higher", "lower"):
        st.caption("Nothing to check: only an answer with a direction can lose it.")
        return
    if not found.spec.paired or found.status != "finished":
        st.caption("Only a finished comparison whose designs share their seeds can be checked.")
        return
    st.write(
        f"Much in the model is our assumption. The check plays this comparison again, smaller, with all of them moved at random "
        f"{DRAWS} times, and with each mechanism switched off in turn."
    )
    pairs, pace = _pairs(found), found.seconds_per_seed
    took = f", about {say.duration(pairs * pace)}" if pace else ""
    jobs.offered(
        f"Check it: {pairs} more pairs{took}", "robust", f"{found.id}-robust",
        lambda: worker.check_robustness(found.id, store.runs_dir()),
    )  # fmt: skip


def named(mechanisms: Sequence[str]) -> str:
    """Mechanisms in words, quoted; "" for none."""
    return ", ".join(f"“{readout.ASSUMED.get(name, say.spaced(name))}”" for name in mechanisms)


def _pairs(found: Comparison) -> int:
    """How many small pairs the check plays."""
    behaviour = found.spec.baseline.build_behaviour()
    off = {field.name: field.metadata["off"] for field in fields(Behaviour)}
    acting = [name for name in MECHANISMS if getattr(behaviour, name) != off[name]]
    return (DRAWS + len(acting)) * min(SEEDS, found.spec.seeds)


def _shown(told: dict[str, Any], primary: str) -> None:
    held, of = int(told["held"]), int(told["of"])
    driven, carried = bool(told["assumption_driven"]), named(told["carried_by"])
    verdict = "Driven by assumptions" if driven else "It holds"
    sentence = f"The direction held in {held} of {of} draws of the model's assumptions (at least {ENOUGH} of {DRAWS} must)."
    more = f"It vanishes without this: {carried}." if carried else "No single mechanism carries it."
    say.answer(verdict, sentence, more, parts.TONES["early" if driven else "clear"])
    draws, without = told["draws"], told["without"]
    rows = [("all assumptions moved", [_value(d) for d in draws], look.BASELINE)]
    rows += [(f"without “{readout.ASSUMED.get(_mechanism(w), _mechanism(w))}”", [_value(w)], _tone(w)) for w in without]
    table = pd.DataFrame([
        {"setting": d["name"], "difference": _value(d), "same direction": d["same_direction"], "remains": d["remains"]}
        for d in [*draws, *without]
    ])  # fmt: skip
    about = (
        f"A dot is the mean difference over {SEEDS} small pairs with other assumptions. Orange: less than "
        f"{100 * VANISHED:.0f} in 100 of the difference is left without that mechanism, or it turned."
    )
    figure = charts.dots(rows, f"{readout.title(primary).lower()}: variant minus baseline")
    parts.chart(figure, "The difference under other assumptions", about, table, "robustness")


def _mechanism(held: dict[str, Any]) -> str:
    return str(held["name"]).removeprefix("without-")


def _tone(held: dict[str, Any]) -> str:
    gone = not held["same_direction"] or (held["remains"] is not None and held["remains"] < VANISHED)
    return look.VARIANT if gone else look.BASELINE


def _value(held: dict[str, Any]) -> float:
    return float("nan") if held["difference"] is None else float(held["difference"])
