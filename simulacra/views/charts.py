"""Frames in, plotly figures out. Nothing here reads a file or draws on a page.

Every label that comes from a run goes through `say.flat`. Times are simulated days, a day being 24 steps.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from simulacra.views import look
from simulacra.views.say import flat

GRID = "rgba(128,134,150,.18)"
HEIGHT = 260
LABELLED = 8  # members named in the picture of the network


def figure(height: int = HEIGHT, **layout: Any) -> go.Figure:
    """An empty figure in the app's look; it takes text and background colours from the theme."""
    found = go.Figure()
    found.update_layout(
        height=height, margin={"l": 8, "r": 12, "t": 10, "b": 8}, hovermode="x unified", showlegend=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None, "font": {"size": 12}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "rgba(122,129,148,.7)", "activecolor": look.PLAIN}, **layout,
    )  # fmt: skip
    found.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    found.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    return found


def over_time(frames: Mapping[str, pd.DataFrame], column: str, title: str, band: int = 0, span: float = 0.0) -> go.Figure:
    """A line an arm over simulated days.

    frames: arm -> rows with `step` (hour) and `column`; and `n`, the weight, where means are smoothed over `band` hours.
    span: the least height of the scale; 0 fits it to the lines.
    """
    found = figure()
    ends: list[float] = []
    for name, frame in frames.items():
        rows = smoothed(frame, column, band) if band else frame
        ends += [rows[column].min(), rows[column].max()] if len(rows) else []
        found.add_scatter(
            x=rows["step"] / 24 + 1,
            y=rows[column],
            name=flat(name),
            mode="lines",
            line={"color": look.ARMS.get(name, look.BASELINE), "width": 2.2},
        )
    found.update_layout(showlegend=len(frames) > 1)
    found.update_xaxes(title="simulated day", tick0=1, dtick=1)
    found.update_yaxes(title=title, range=_scale(ends, span))
    return found


def _scale(ends: Sequence[float], span: float) -> list[float] | None:
    """A range of at least `span` around what is drawn, not below 0 where nothing is; None where it may fit itself."""
    there = [end for end in ends if not math.isnan(end)]
    if not span or not there or max(there) - min(there) >= span:
        return None
    low = (min(there) + max(there) - span) / 2
    low = max(low, 0.0) if min(there) >= 0 else low
    return [low, low + span * 1.05]


def smoothed(frame: pd.DataFrame, column: str, hours: int) -> pd.DataFrame:
    """Means over a moving window of hours, weighted by the rows `n` behind each hour; hours without rows are filled.

    It begins where a window is full: the mean of a first post or two would stand out as if something had happened. Of fewer hours than
    a window there is one value, the last.
    """
    if frame.empty:
        return frame
    steps = np.arange(int(frame["step"].min()), int(frame["step"].max()) + 1)
    full = frame.set_index("step").reindex(steps)
    weight = full["n"].fillna(0)
    total = (full[column].fillna(0) * weight).rolling(hours, min_periods=1).sum()
    mass = weight.rolling(hours, min_periods=1).sum()
    means = pd.DataFrame({"step": steps, column: (total / mass.where(mass > 0)).to_numpy()})
    return means.iloc[min(hours, len(steps)) - 1 :]


def bars_by_hour(frame: pd.DataFrame, column: str, title: str, tone: str = look.BASELINE) -> go.Figure:
    """Counts an hour. frame: `step` and the counts."""
    found = figure(200)
    found.add_bar(x=frame["step"] / 24 + 1, y=frame[column], marker_color=tone, marker_line_width=0)
    found.update_xaxes(title="simulated day", dtick=1)
    found.update_yaxes(title=title)
    return found


def histogram(frames: Mapping[str, pd.Series], title: str, bins: int = 25, low: float = 0.0, high: float = 1.0) -> go.Figure:
    """Shares of posts by value, an outline an arm."""
    found = figure()
    edges = np.linspace(low, high, bins + 1)
    for name, values in frames.items():
        counts, _ = np.histogram(values.dropna().clip(low, high), edges)
        found.add_scatter(
            x=edges, y=[*(100 * counts / max(counts.sum(), 1)), 0.0], name=flat(name), mode="lines", fill="tozeroy",
            line={"shape": "hv", "color": look.ARMS.get(name, look.BASELINE), "width": 2},
            fillcolor=_faint(look.ARMS.get(name, look.BASELINE)),
        )  # fmt: skip
    found.update_layout(showlegend=len(frames) > 1)
    found.update_xaxes(title=title)
    found.update_yaxes(title="in 100 posts")
    return found


def lorenz(frames: Mapping[str, np.ndarray[Any, Any]], what: str) -> go.Figure:
    """Share of `what` that the least active share of people holds; the diagonal is equality."""
    found = figure()
    found.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="equal shares", line={"color": look.PLAIN, "dash": "dot", "width": 1.5}
    )
    for name, counts in frames.items():
        ordered = np.sort(counts.astype(float))
        held = np.concatenate([[0], np.cumsum(ordered)]) / max(ordered.sum(), 1)
        people = np.linspace(0, 1, len(held))
        found.add_scatter(
            x=100 * people, y=100 * held, name=flat(name if len(frames) > 1 else "this run"), mode="lines",
            line={"color": look.ARMS.get(name, look.BASELINE), "width": 2.2},
        )  # fmt: skip
    found.update_layout(showlegend=True)
    found.update_xaxes(title="members from the least to the most active, in 100", range=[0, 100])
    found.update_yaxes(title=f"share of {what}, in 100", range=[0, 100])
    return found


def by_depth(frames: Mapping[str, pd.DataFrame], column: str, title: str) -> go.Figure:
    """A mean by depth of reply with a standard error. frame: `depth`, column, `se`, `n`."""
    found = figure()
    for name, frame in frames.items():
        tone = look.ARMS.get(name, look.BASELINE)
        found.add_scatter(
            x=frame["depth"], y=frame[column], name=flat(name), mode="lines+markers", line={"color": tone, "width": 2},
            error_y={"type": "data", "array": frame["se"], "thickness": 1.2, "color": tone},
        )  # fmt: skip
    found.update_layout(showlegend=len(frames) > 1)
    found.update_xaxes(title="depth (0 opens a thread)", dtick=1)
    found.update_yaxes(title=title)
    return found


def paired_differences(
    labels: Sequence[str], seeds: Sequence[Sequence[float]], means: Sequence[float], lows: Sequence[float],
    highs: Sequence[float], margins: Sequence[float], axis: str, hovers: Sequence[str] | None = None,
    notes: Sequence[str] = (),
) -> go.Figure:  # fmt: skip
    """The one plot of a read-out: a row a measure, seeds as dots, the interval as a bar, the band that does not matter shaded.

    All values are in units of the row (variant minus baseline). margins: half width of the shaded band, NaN for none. notes: a
    second line under each label, such as the difference with its interval in the measure's own unit.
    """
    found = figure(110 + 72 * len(labels), hoverlabel={"align": "left"})
    found.update_layout(hovermode="closest")
    for row, (dots, mean, low, high, margin) in enumerate(zip(seeds, means, lows, highs, margins, strict=True)):
        y = len(labels) - 1 - row
        if not math.isnan(margin):
            found.add_shape(
                type="rect", x0=-margin, x1=margin, y0=y - 0.34, y1=y + 0.34, fillcolor=GRID, line_width=0, layer="below"
            )
        found.add_scatter(
            x=list(dots), y=[y + _jitter(i, len(dots)) for i in range(len(dots))], mode="markers", name="one seed",
            marker={"size": 7, "color": look.PLAIN, "opacity": 0.75}, hovertemplate="one seed: %{x:+.3g}<extra></extra>",
        )  # fmt: skip
        found.add_scatter(
            x=[low, high], y=[y, y], mode="lines", line={"color": look.VARIANT, "width": 5}, hoverinfo="skip",
        )  # fmt: skip
        found.add_scatter(
            x=[mean], y=[y], mode="markers", marker={"size": 13, "color": look.VARIANT, "line": {"color": "white", "width": 2}},
            hovertemplate=(flat(hovers[row], 160) if hovers else "mean %{x:+.3g}") + "<extra></extra>",
        )  # fmt: skip
    found.add_vline(x=0, line_color=look.PLAIN, line_width=1.5)
    found.update_xaxes(title=_axis(axis))
    _rows(found, labels, notes, 48)
    return found


def _axis(words: str) -> str:
    """An axis title of our own words, in two lines where it is long: a narrow window would cut it off."""
    return "<br>".join(textwrap.wrap(words, 60))


def _rows(found: go.Figure, labels: Sequence[str], notes: Sequence[str] = (), most: int = 52) -> None:
    """Names of rows, the first on top, each with a note below it where there is one."""
    told = [flat(label, most) for label in labels]
    told = [f"{label}<br>{flat(note)}" for label, note in zip(told, notes, strict=True)] if notes else told
    found.update_yaxes(
        tickvals=list(range(len(told))), ticktext=told[::-1], range=[-0.6, len(told) - 0.4], showgrid=False, tickfont={"size": 13},
    )  # fmt: skip


def forest(
    labels: Sequence[str], values: Sequence[tuple[float, float, float]], axis: str, notes: Sequence[str] = ()
) -> go.Figure:
    """A row a figure: its mean as a dot, its interval (mean, low, high) as a bar, around a line at 0. notes: a line under each label."""
    found = figure(110 + 46 * len(labels))
    for place, (mean, low, high) in enumerate(values):
        y = len(labels) - 1 - place
        found.add_scatter(x=[low, high], y=[y, y], mode="lines", line={"color": look.BASELINE, "width": 5}, hoverinfo="skip")
        found.add_scatter(
            x=[mean], y=[y], mode="markers", marker={"size": 12, "color": look.BASELINE, "line": {"color": "white", "width": 2}},
            hovertemplate="%{x:+.4f}<extra></extra>",
        )  # fmt: skip
    found.add_vline(x=0, line_color=look.PLAIN, line_width=1.5)
    found.update_layout(hovermode="closest")
    found.update_xaxes(title=_axis(axis))
    _rows(found, labels, notes)
    return found


def dots(rows: Sequence[tuple[str, Sequence[float], str]], axis: str) -> go.Figure:
    """A row of dots for each (label, values, colour), around a line at 0."""
    found = figure(100 + 30 * len(rows))
    for place, (_, values, tone) in enumerate(rows):
        y = len(rows) - 1 - place
        found.add_scatter(
            x=list(values), y=[y + _jitter(i, len(values)) for i in range(len(values))], mode="markers",
            marker={"size": 9, "color": tone, "opacity": 0.8}, hovertemplate="%{x:+.3g}<extra></extra>",
        )  # fmt: skip
    found.add_vline(x=0, line_color=look.PLAIN, line_width=1.5)
    found.update_layout(hovermode="closest")
    found.update_xaxes(title=_axis(axis))
    _rows(found, [label for label, _, _ in rows])
    return found


def spreads(rows: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """A panel a measure: how its values lie over rolls of chance, as dots above a box; the first roll, the run's own, as a diamond.

    rows: (title, values by roll, NaN where undefined).
    """
    found = _panels([title for title, _ in rows])
    for place, (_, values) in enumerate(rows):
        known = [value for value in values if not math.isnan(value)]
        found.add_box(
            x=known, y0=0, orientation="h", boxpoints=False, line={"color": look.BASELINE, "width": 1.5}, width=0.5,
            fillcolor=_faint(look.BASELINE), hoverinfo="skip", **_panel(place),
        )  # fmt: skip
        _rolls(found, place, known)
        found.add_scatter(
            x=values[:1], y=[0], mode="markers", hovertemplate="the run: %{x:.3g}<extra></extra>", **_panel(place),
            marker={"size": 13, "symbol": "diamond", "color": look.VARIANT, "line": {"color": "white", "width": 1.5}},
        )  # fmt: skip
    return found


def changes(rows: Sequence[tuple[str, Sequence[float], float, float, float, float]]) -> go.Figure:
    """A panel a measure: what a change does in each roll of chance, as dots; mean and interval as a bar; what does not matter shaded.

    rows: (title, difference by roll, mean, low, high, margin), NaN where undefined.
    """
    found = _panels([title for title, *_ in rows])
    for place, (_, values, mean, low, high, margin) in enumerate(rows):
        at = _panel(place)
        found.add_shape(type="rect", x0=-margin, x1=margin, y0=-0.4, y1=0.95, fillcolor=GRID, line_width=0, layer="below", **at)
        _rolls(found, place, [value for value in values if not math.isnan(value)])
        found.add_scatter(
            x=[low, high], y=[0, 0], mode="lines", line={"color": look.VARIANT, "width": 5}, hoverinfo="skip", **at
        )
        found.add_scatter(
            x=[mean], y=[0], mode="markers", hovertemplate="mean %{x:+.3g}<extra></extra>", **at,
            marker={"size": 12, "color": look.VARIANT, "line": {"color": "white", "width": 2}},
        )  # fmt: skip
        found.add_vline(x=0, line_color=look.PLAIN, line_width=1.2, **at)
    return found


_ACROSS = 3


def _panels(titles: Sequence[str]) -> go.Figure:
    """An empty panel a title, three in a row."""
    down = -(-len(titles) // _ACROSS)
    found = make_subplots(
        down, _ACROSS, subplot_titles=[flat(title) for title in titles], vertical_spacing=0.4 / down, horizontal_spacing=0.06
    )
    found.update_layout(figure(60 + 160 * down).layout, hovermode="closest", margin_t=48)
    found.update_xaxes(gridcolor=GRID, zeroline=False)
    found.update_yaxes(visible=False, range=[-0.4, 0.95])
    found.update_annotations(font_size=13)
    return found


def _panel(place: int) -> dict[str, int]:
    return {"row": place // _ACROSS + 1, "col": place % _ACROSS + 1}


def _rolls(found: go.Figure, place: int, values: Sequence[float]) -> None:
    """A dot a roll, above what sums them up."""
    found.add_scatter(
        x=list(values), y=[0.62 + 0.5 * _jitter(i, len(values)) for i in range(len(values))], mode="markers",
        marker={"size": 6, "color": look.PLAIN, "opacity": 0.6}, hovertemplate="one roll: %{x:.3g}<extra></extra>", **_panel(place),
    )  # fmt: skip


def _jitter(i: int, n: int) -> float:
    """Dots of one row spread evenly over its height, in an order that hides no pattern of the seeds."""
    return ((i * 7) % n / max(n - 1, 1) - 0.5) * 0.5 if n > 1 else 0.0


def intervals(
    labels: Sequence[str], effects: Sequence[float], tones: Sequence[str], axis: str, notes: Sequence[str] = ()
) -> go.Figure:
    """Differences in half widths of their own intervals, so that each interval is as wide: for the overview of everything measured.

    notes: the difference with its interval in the measure's own unit, below each label.
    """
    found = figure(90 + 38 * len(labels))
    for row, (effect, tone) in enumerate(zip(effects, tones, strict=True)):
        y = len(labels) - 1 - row
        found.add_scatter(
            x=[effect - 1, effect + 1], y=[y, y], mode="lines", line={"color": tone, "width": 4}, hoverinfo="skip"
        )
        found.add_scatter(x=[effect], y=[y], mode="markers", marker={"size": 9, "color": tone}, hoverinfo="skip")
    found.add_vline(x=0, line_color=look.PLAIN, line_width=1.5)
    found.update_layout(hovermode=False)
    found.update_xaxes(title=_axis(axis), showticklabels=False)
    _rows(found, labels, notes)
    found.update_yaxes(tickfont={"size": 12})
    return found


def moods(frame: pd.DataFrame) -> go.Figure:
    """One persona's mood at the end of each day, [-1, 1]."""
    found = figure(170)
    found.add_hline(y=0, line_color=GRID)
    found.add_scatter(
        x=frame["day"], y=frame["mood"], mode="lines+markers", line={"color": look.POSITIVE, "width": 2},
        hovertemplate="day %{x}: mood %{y:+.2f}<extra></extra>",
    )  # fmt: skip
    found.update_xaxes(title="simulated day", dtick=1)
    found.update_yaxes(title="mood", range=[-1, 1])
    return found


def network(nodes: pd.DataFrame, edges: pd.DataFrame) -> go.Figure:
    """Members as dots, the busiest by name, ties as lines. nodes: x, y, size, label, community (int); edges: x0, y0, x1, y1."""
    found = figure(560)
    lines = np.full((len(edges), 3, 2), np.nan)
    lines[:, 0] = edges[["x0", "y0"]].to_numpy()
    lines[:, 1] = edges[["x1", "y1"]].to_numpy()
    found.add_scatter(
        x=lines[:, :, 0].ravel(), y=lines[:, :, 1].ravel(), mode="lines",
        line={"color": "rgba(128,134,150,.32)", "width": 0.8}, hoverinfo="skip",
    )  # fmt: skip
    palette = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", look.PLAIN)
    tones = [palette[min(int(c), len(palette) - 1)] for c in nodes["community"]]
    found.add_scatter(
        x=nodes["x"], y=nodes["y"], mode="markers", text=[flat(label) for label in nodes["label"]],
        marker={"size": nodes["size"], "color": tones, "line": {"color": "white", "width": 0.6}},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    hubs = nodes.sort_values("size").groupby("community").tail(1).nlargest(LABELLED, "size")
    for hub in hubs.itertuples():
        found.add_annotation(
            x=hub.x, y=hub.y, text=flat(hub.label, 24), showarrow=False, yshift=hub.size / 2 + 9, borderpad=2,
            font={"size": 12, "color": "white"}, bgcolor="rgba(29,33,48,.72)",
        )  # fmt: skip
    found.update_layout(hovermode="closest")
    found.update_xaxes(visible=False)
    found.update_yaxes(visible=False, scaleanchor="x")
    return found


def stacked(frame: pd.DataFrame, x: str, series: Mapping[str, tuple[str, str]], axis: str, y: str) -> go.Figure:
    """Stacked bars. series: column -> (name, colour)."""
    found = figure()
    for column, (name, tone) in series.items():
        found.add_bar(x=frame[x], y=frame[column], name=flat(name), marker_color=tone)
    found.update_layout(barmode="stack", showlegend=True)
    found.update_xaxes(title=axis, dtick=1)
    found.update_yaxes(title=y)
    return found


def _faint(tone: str) -> str:
    red, green, blue = (int(tone[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},.12)"
