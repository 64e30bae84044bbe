"""Does mood spread by reading here? The probe of `simulacra probe contagion`, started here for the design of a run, and read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import pandas as pd
import streamlit as st

from simulacra import worker
from simulacra.community import VOICES_SUFFIX, community_to_toml
from simulacra.errors import SimulacraError
from simulacra.experiment import Run
from simulacra.record.durable import disk_errors, replace_file
from simulacra.studies.contagion import CAUSAL, Omit, Probe, ProbeRow
from simulacra.views import charts, design, drafts, jobs, parts, say, store

SEEDS = 8
_PLAYED = 3.4  # runs that one replicate takes: nobody's feed, some readers' and everybody's changed, and the past
_SIZES = (100, 200, 500, 1000, 2000)


@dataclass(frozen=True)
class Figure:
    """What one estimate of the probe is called, what it compares, and what it would be if no mood spread."""

    title: str
    compares: str
    without: str


FIGURES = {
    "twin": Figure(
        "Readers against themselves",
        "A third of readers lose emotional posts, a third (the placebo) as many posts of any kind. Each is compared with itself in the "
        "same run with nothing withheld; placebo is taken off.",
        "exactly 0: nothing but the reading differs",
    ),
    "plain": Figure(
        "Readers against the placebo group",
        "The same two groups of readers in one run, without their twins: what a platform could measure of itself.",
        "an interval around 0",
    ),
    "whole community": Figure(
        "Everybody's feed changed",
        "Everybody loses emotional posts, against nobody: what a design that did this would do, answers and all.",
        "exactly 0",
    ),
    "over-exposure": Figure(
        "What was read before emotional posts",
        "Share of emotional posts that people had read before writing one, against their own visits shuffled. After Ferrara and Yang.",
        "may differ from 0: a cheerful afternoon cheers reading and writing alike",
    ),
    "conversation matching": Figure(
        "Replies match what they answer",
        "How a reply's cheerfulness follows that of the post it answers, against a random post.",
        "above 0 all the same: people answer in the tone they are spoken to",
    ),
}  # fmt: skip
"""Estimate of the probe -> its words."""


def section(run: Run) -> None:
    """The answer for this run's design, or what asks for it."""
    st.write(
        "Readers who are alike read alike, so reading and writing go together even where no mood spreads. Only an experiment can "
        "tell. The probe plays this design again and withholds emotional posts from some readers, chosen by lot."
    )
    kinds: list[Omit] = ["positive", "negative"]
    omit = st.segmented_control("Withhold", kinds, default=kinds[0], format_func=_posts, key=f"omit-{run.id}", required=True)
    told = answer_of(run, omit)
    if told is None:
        _ask(run, omit)
        return
    _shown(told, run)


def _posts(omit: str) -> str:
    return "cheerful posts" if omit == "positive" else "gloomy posts"


# -- asking ----------------------------------------------------------------------------------------------------------------


def _name(run: Run, omit: str) -> str:
    return f"{run.id[:80]}-probe-{omit}"


def _file(run: Run, omit: str) -> Path:
    return store.answers_dir() / f"{_name(run, omit)}.json"


def _ask(run: Run, omit: Omit) -> None:
    if worker.is_at_work(store.runs_dir(), _name(run, omit)):
        jobs.progress(_name(run, omit))
        return
    left, right = st.columns(2)
    personas = left.select_slider("Members", _SIZES, 500, format_func=lambda n: f"{n:,}", key=f"probe-size-{omit}")
    days = right.slider("Days", 1, 14, 3, key=f"probe-days-{omit}")
    took = design.seconds_for(personas, days, round(_PLAYED * SEEDS)) / worker.spare_cores()
    jobs.offered(
        f"Run the probe: {SEEDS} rolls of chance, about {say.duration(took)}", f"probe-{run.id}-{omit}", _name(run, omit),
        lambda: begin(run, omit, personas, days),
    )  # fmt: skip
    if run.spec.language is not None:
        st.caption("The probe plays with the sketch mind: the model that wrote this run is not asked.")


def begin(run: Run, omit: Omit, personas: int, days: int) -> Popen[bytes]:
    """Write the run's community and design to a file and start the probe on it. Raises SimulacraError."""
    community = run.spec.arm.applied_to(run.spec.community)
    path = store.answers_dir() / f"{_name(run, omit)}.toml"
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, community_to_toml(community).encode())
        bank = drafts.bank_of(community)
        if bank is not None:
            replace_file(path.with_name(f"{path.stem}{VOICES_SUFFIX}"), bank.read_bytes())
    size = ["--personas", str(personas), "--days", str(days), "--seeds", str(SEEDS), "--jobs", str(worker.spare_cores())]
    arguments = ["contagion", str(path), "--omit", omit, *size]
    return worker.start("probe", _name(run, omit), store.runs_dir(), arguments, _file(run, omit))


def answer_of(run: Run, omit: Omit) -> Probe | None:
    """What the probe of this run's design found; None before it has, or where it could not."""
    file = _file(run, omit)
    if worker.is_at_work(store.runs_dir(), _name(run, omit)) or not file.is_file():
        return None
    try:
        with disk_errors(file):
            told = json.loads(file.read_bytes())
        rows = tuple(ProbeRow(**{key: _number(key, value) for key, value in row.items()}) for row in told["rows"])
        return Probe(told["omit"], told["personas"], told["days"], told["seeds"], rows)
    except (ValueError, KeyError, TypeError, SimulacraError):
        return None  # it died before it had an answer: asking again writes the file anew


def _number(key: str, value: Any) -> Any:
    return math.nan if value is None and key in ("difference", "low", "high", "d") else value


# -- showing ---------------------------------------------------------------------------------------------------------------


def _shown(told: Probe, run: Run) -> None:
    word, tone = verdict(told)
    size = f"{say.count(told.seeds, 'roll')} of chance, {told.personas:,} members, {say.count(told.days, 'day')}."
    advice = " More members or days narrow the interval: forget this answer below and ask again." if tone == "early" else ""
    say.answer(word, _sentence(told), size + advice, parts.TONES[tone])
    rows = [row for row in told.rows if row.measure == "valence" and row.estimate in CAUSAL]
    figure = charts.forest(
        [FIGURES[row.estimate].title for row in rows], [(row.difference, row.low, row.high) for row in rows],
        "change in the cheerfulness of own threads (−1 to 1)",
        [say.interval(row.difference, row.low, row.high) for row in rows],
    )  # fmt: skip
    table = pd.DataFrame(told.to_dict()["rows"])
    about = (
        "Mean and 95 % interval over seeds, for threads that members open of their own accord on their own topics. All three are "
        "causal: who lost posts was drawn by lot."
    )
    parts.chart(figure, "Caused by reading", about, table, f"contagion-{told.omit}")
    st.markdown("**What each figure shows, and what it would be if no mood spread**")
    parts.table(explained(told), ("found",))
    with st.expander("Words rather than scores", icon=":material/table_chart:"):
        parts.table(_others(told), ("difference",))
    if st.button("Forget this answer and ask again", key=f"again-{told.omit}", icon=":material/refresh:", type="tertiary"):
        _file(run, told.omit).unlink(missing_ok=True)
        st.rerun()


def _sentence(told: Probe) -> str:
    """What the twins found, in words, with its interval."""
    row = told.row("twin")
    if math.isnan(row.difference):
        return "Nobody opened enough threads of their own to tell."
    moved = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
    more = f" {told.to_detect}" if row.low <= 0 <= row.high else ""
    return (
        f"Readers from whom {_posts(told.omit)} were withheld opened threads whose cheerfulness differs by {moved} from their own without "
        f"that, on a scale from −1 to 1.{more}"
    )


def verdict(told: Probe) -> tuple[str, str]:
    """A word and its tone for the causal answer: of the twins, the sharpest of the estimates."""
    row = told.row("twin")
    if told.seeds < 6 or math.isnan(row.low):
        return "No answer", "early"
    if row.low == row.high == 0:
        return "No contagion", "same"
    return ("Not detectable at this size", "early") if row.low <= 0 <= row.high else ("Mood spreads", "clear")


def explained(told: Probe) -> pd.DataFrame:
    """One row an estimate: what it is, what was found, whether it shows a cause, and what it would be without contagion."""
    rows = []
    for name, words in FIGURES.items():
        row = next((r for r in told.rows if r.estimate == name and r.measure in ("valence", "share", "slope")), None)
        if row is not None:
            found = "–" if math.isnan(row.difference) else f"{row.difference:+.4f} ({row.low:+.4f} to {row.high:+.4f})"
            kind = "a cause" if row.causal else "an association"
            rows.append({"figure": words.title, "found": found, "shows": kind, "compares": words.compares,
                         "if no mood spread": words.without})  # fmt: skip
    return pd.DataFrame(rows)


def _others(told: Probe) -> pd.DataFrame:
    """The causal estimates of the other outcomes: shares of emotional words, and how many words there were."""
    rows = [row for row in told.rows if row.estimate in CAUSAL and row.measure != "valence"]
    return pd.DataFrame([
        {"figure": FIGURES[row.estimate].title, "outcome": say.spaced(row.measure),
         "difference": f"{row.difference:+.4f} ({row.low:+.4f} to {row.high:+.4f})"}
        for row in rows
    ])  # fmt: skip
