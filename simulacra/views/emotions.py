"""Six emotions in what members write and read, from a second scorer's sidecar beside the run; a button that has it made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from simulacra import worker
from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.record.runfiles import read_parquet
from simulacra.views import charts, jobs, look, parts, say, store

EMOTIONS = {
    "joy": "#009e73", "surprise": "#e69f00", "sadness": "#0072b2", "fear": "#cc79a7", "disgust": "#56b4e9", "anger": "#d55e00",
}  # fmt: skip
"""Ekman's six and their fixed colours (Okabe and Ito)."""
SCORER = "semantic"

Runs = Mapping[str, Run]


def section(runs: Runs) -> None:
    """Charts where every run was read by the second scorer, else a button for each that was not."""
    if find_spec("simulacra.cli.scoring") is None:
        return
    st.markdown("**Six emotions**")
    waiting = {arm: run for arm, run in runs.items() if not _file(run).is_file() or at_work(run)}
    if waiting:
        st.caption(
            "Emotions are read by a second scorer that knows sentences by their meaning. It takes about a minute for a thousand posts, and "
            "is kept beside the run."
        )
        for arm, run in waiting.items():
            offer(run, f"emotions-{run.id}", "Read the emotions" + (f" of the {arm}" if len(runs) > 1 else ""))
        return
    written, read = {}, {}
    for arm, run in runs.items():
        try:
            written[arm], read[arm] = means(run)
        except RecordError as error:
            say.mistake(error)
            return
    about = "Mean chance that a post holds the emotion, 0 to 1, by a linear head over sentence embeddings; several may hold at once. "
    about += "Whiskers: 95 % interval over posts, as if each were written by itself. "
    left, right = st.columns(2)
    for place, found, verb, how in (
        (left, written, "write", "Posts as written."), (right, read, "read", "Posts weighted by how often they were read."),
    ):  # fmt: skip
        table = pd.concat([values.assign(design=arm) for arm, values in found.items()])
        with place:
            parts.chart(_bars(found), f"Emotions in what members {verb}", about + how, table, f"emotions-{verb}")


def means(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """emotion, mean, half: mean chance over the posts of the measured days with half its 95 % interval; as written, and as read."""
    return _means(str(run.path), run.digest, _file(run).stat().st_mtime)


@st.cache_data(max_entries=16, show_spinner=False)
def _means(path: str, digest: str, made: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    from simulacra.experiment import open_run

    run = open_run(path)
    scores = read_parquet(_file(run)).to_pandas()
    posts = store.query(run, """
        SELECT p.id AS post, count(i.post) AS n, p.burn_in FROM posts p LEFT JOIN impressions i ON i.post = p.id AND NOT i.burn_in
        GROUP BY p.id, p.burn_in
    """)  # fmt: skip
    both = posts.merge(scores, on="post")
    chances = both[list(EMOTIONS)].to_numpy(float)
    return _weighted(chances, (~both["burn_in"]).to_numpy(float)), _weighted(chances, both["n"].to_numpy(float))


def _weighted(chances: NDArray[np.float64], weight: NDArray[np.float64]) -> pd.DataFrame:
    """emotion, mean, half of chances [posts, emotions] under weights [posts]; the linearised error of a ratio of sums."""
    total = max(weight.sum(), 1.0)
    mean = weight @ chances / total
    error = np.sqrt((weight**2) @ (chances - mean) ** 2) / total
    return pd.DataFrame({"emotion": list(EMOTIONS), "mean": mean, "half": 1.96 * error})


def _bars(found: Mapping[str, pd.DataFrame]) -> Any:
    figure = charts.figure()
    for arm, values in found.items():
        tone = look.ARMS[arm] if len(found) > 1 else list(EMOTIONS.values())
        whiskers = {"type": "data", "array": values["half"], "thickness": 1.2, "color": look.PLAIN}
        figure.add_bar(x=values["emotion"], y=values["mean"], error_y=whiskers, name=arm, marker_color=tone)
    figure.update_layout(barmode="group", showlegend=len(found) > 1, hovermode="closest")
    figure.update_yaxes(title="mean chance", rangemode="tozero")
    return figure


def offer(run: Run, key: str, label: str) -> None:
    """A button that has the second scorer read a run; its progress while it does."""
    told = f"{label}: {say.count(run.counts['posts'], 'post')}"
    jobs.offered(told, key, _name(run), partial(_begin, run), icon=":material/mood:")


def _begin(run: Run) -> None:
    worker.start("score", _name(run), store.runs_dir(), [run.id, "--with", SCORER])


def _name(run: Run) -> str:
    return f"{run.id[:80]}-{SCORER}"


def at_work(run: Run) -> bool:
    """Whether the second scorer is reading this run."""
    return worker.is_at_work(store.runs_dir(), _name(run))


def _file(run: Run) -> Path:
    return run.path / "scores" / f"{SCORER}.parquet"
