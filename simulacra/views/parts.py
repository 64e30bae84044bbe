"""Parts that several pages share: choosing a run, charts with their words and downloads, the forum component."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go_
import streamlit as st

from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.views import forum as forum_rows
from simulacra.views import go, look, say, store

TONES = {"clear": look.BASELINE, "same": look.PLAIN, "early": "#b58100", "depends": look.NEGATIVE}
"""Colour of a read-out by its tone: none is red or green, since a change is neither good nor bad by itself."""

_HERE = Path(__file__).parent


def forum(key: str, data: Mapping[str, Any], on_open: Callable[[], None], on_ask: Callable[[], None]) -> Any:
    """The forum component: a list of threads or one thread, see forum.js. Returns its triggers `open` and `ask`."""
    mount = st.components.v2.component(
        "simulacra_forum", html='<div class="root"></div>', css=(_HERE / "forum.css").read_text("utf-8"),
        js=(_HERE / "forum.js").read_text("utf-8"),
    )  # fmt: skip
    return mount(data=dict(data), key=key, on_open_change=on_open, on_ask_change=on_ask)


def choose_part(tree: forum_rows.Tree, post: int | None, key: str) -> int:
    """Which part of a long thread is read, with a control above it; 1 where it is short. post: whose part comes first."""
    if tree.parts == 1:
        return 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        place = st.empty()
        number = st.pagination(tree.parts, default=tree.part_of(post), key=_part_key(key, post), width=420)
    first = (number - 1) * forum_rows.PART
    last = min(first + forum_rows.PART, len(tree.order))
    place.caption(f"Posts {first + 1:,} to {last:,} of {len(tree.order):,}, as the thread reads from above.")
    return number


def next_part(tree: forum_rows.Tree, number: int, post: int | None, key: str) -> None:
    """A button below a part that leads to the next one; nothing below the last."""
    if number >= tree.parts:
        return
    more = min(forum_rows.PART, len(tree.order) - number * forum_rows.PART)

    def turn() -> None:
        st.session_state[_part_key(key, post)] = number + 1

    st.button(f"Show the next {more:,} posts", icon=":material/expand_more:", key=f"more-{key}", on_click=turn)


def _part_key(key: str, post: int | None) -> str:
    """A link to another post of a thread opens the part that holds it."""
    return f"part-{key}-{post}"


def choose_run(finished: bool = False) -> Run | None:
    """The run of the address, with a box to choose another; None, with an empty state, where there is none to choose.

    finished: only runs with at least one finished day.
    """
    found = {run.id: run for run in store.runs() if run.status != "damaged" and (run.days or not finished)}
    if not found:
        say.empty("No run to read yet", "Start one on the Design page, or open the example on the Home page.")
        return None
    asked = go.asked("run")
    names = list(found)
    place: int | None = names.index(asked) if asked in found else 0
    if asked and asked not in found:
        _cannot_show(asked)
        place = None
    state = "".join(found[name].status[:1] for name in names)  # a box whose labels changed is another box
    chosen = st.selectbox(
        "Run", names, place, format_func=lambda name: _run_label(found[name]), key=f"choose-run-{asked}-{state}", width=560,
        placeholder="choose a run",
    )  # fmt: skip
    if chosen is None:
        return None
    if chosen != asked:
        st.query_params.from_dict({"run": chosen})
    return opened(chosen)


def _cannot_show(name: str) -> None:
    """Why the run of the address is not shown, and where to look instead."""
    there = next((run for run in store.runs() if run.id == name), None)
    if there is None:
        say.mistake(f"No run called {name!r} here. It may have been deleted: the Library can undo that. Choose another below.")
        return
    if there.status == "damaged":
        say.mistake(there.message)
        go.link("library", "Open it in the Library", ":material/folder_open:", run=name)
        return
    say.mistake(f"{name} has no finished day yet, so there is nothing to read. It is {say.STATUS[there.status]}.")
    go.link("run", "See how it is getting on", ":material/play_circle:", run=name)


def opened(name: str) -> Run | None:
    """The run of that id; None, with what is wrong, where it cannot be read."""
    try:
        run = store.run(name)
        _ = run.spec
        return run
    except RecordError as error:
        say.mistake(error)
        return None


def _run_label(run: Any) -> str:
    if run.status != "finished":  # its counts move
        return f"{run.id} · {say.STATUS.get(run.status, run.status)}"
    return f"{run.id} · {run.personas:,} members, {say.count(run.days, 'day')}, {say.count(run.posts, 'post')}"


def chart(figure: go_.Figure, title: str, definition: str, data: pd.DataFrame | None, name: str, alt: str = "") -> None:
    """A figure on a card with its definition, a CSV of its data, and plotly's own camera button for a PNG.

    title, definition: our own words. data: what is drawn; None leaves the download out. name: of the file.
    """
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{title}**")
            if data is not None:
                st.download_button(
                    "CSV",
                    lambda: csv(data),
                    f"{name}.csv",
                    "text/csv",
                    key=f"csv-{name}",
                    type="tertiary",
                    icon=":material/download:",
                    help="The numbers of this chart",
                    on_click="ignore",
                )
        st.plotly_chart(figure, key=f"chart-{name}", config=_config(name), alt=alt or f"{title}. {definition}")
        st.caption(definition)


def _config(name: str) -> dict[str, Any]:
    """Buttons of a figure: the camera, nothing that leads elsewhere."""
    return {
        "displaylogo": False, "displayModeBar": True, "showEditInChartStudio": False,
        "toImageButtonOptions": {"filename": name, "scale": 2},
        "modeBarButtonsToRemove": [
            "zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d",
        ],
    }  # fmt: skip


def table(frame: pd.DataFrame, numbers: Sequence[str] = ()) -> None:
    """A frame as a table whose long cells break into lines; everything in it is text. numbers: columns of values."""
    heads = "".join(f'<th scope="col">{say.esc(name)}</th>' for name in frame.columns)
    kinds = ["n" if name in numbers else "" for name in frame.columns]
    rows = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{say.esc(cell)}</td>' for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    st.html(f'<table class="sim-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>')


def csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV in UTF-8; no cell begins as a formula would."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    from simulacra.record.export import safe_for_spreadsheets

    table = pa.Table.from_pandas(frame, preserve_index=False)
    plain = [
        (f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in table.schema
    ]  # as pandas 3 has text
    sink = io.BytesIO()
    arrow_csv.write_csv(safe_for_spreadsheets(table.cast(pa.schema(plain))), sink)
    return sink.getvalue()


def figures(values: Sequence[tuple[str, str | Mapping[str, str], str]], below: Mapping[str, str] | None = None) -> None:
    """A row of numbers: (label, value or the value of each arm, what it means). All our own words and numbers.

    below: label -> a line under the number, such as an interval.
    """
    cells = "".join(
        f'<div class="sim-card" title="{say.esc(about)}"><div class="sim-quiet">{say.esc(label)}</div>{_figure(value)}'
        f"{_below((below or {}).get(label, ''))}</div>"
        for label, value, about in values
    )
    st.html(f'<div class="sim-figures">{cells}</div>')


def _below(words: str) -> str:
    return f'<div class="sim-quiet">{say.esc(words)}</div>' if words else ""


def _figure(value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return f'<div class="sim-figure">{say.esc(value)}</div>'
    if len(value) == 1:
        return _figure(next(iter(value.values())))
    both = "".join(
        f'<span title="{arm}"><span class="sim-dot" style="--tone:{look.ARMS[arm]}"></span> {say.esc(told)}</span>'
        for arm, told in value.items()
    )
    return f'<div class="sim-figure sim-both">{both}</div>'
