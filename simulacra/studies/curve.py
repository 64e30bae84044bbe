"""A sweep as a page: one picture a measure, in a file that needs no network."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.checks import clean
from simulacra.errors import SpecError
from simulacra.record.durable import disk_errors, replace_file

if TYPE_CHECKING:
    from simulacra.studies.sweep import Sweep

_LINE, _BAND, _NOW = "#0072b2", "rgba(0,114,178,.18)", "#7a8194"


def check_page(file: Path) -> None:
    """Raises SpecError where plotly is not installed or the name is no HTML file's."""
    if find_spec("plotly") is None:
        raise SpecError('out: plotly is not installed. Install it with: pip install "simulacra[app]", or use --json.')
    if file.suffix.lower() not in (".html", ".htm"):
        raise SpecError(f"out = {str(file)[:80]!r}: expected a name that ends in .html")


def write_page(answer: Sweep, file: Path) -> None:
    """Write the curve as one HTML file. Raises SpecError as `check_page` does."""
    check_page(file)
    from simulacra.studies.sweep import title_of

    head = f"{answer.community}: {answer.key}"
    size = f"{answer.personas:,} members, {answer.days} days, {answer.seeds} paired seeds; {answer.design}; now {answer.now:g}."
    body = figure(answer).to_html(include_plotlyjs=True, full_html=False)
    said = [f"{title_of(name)}. {told}" for name, told in zip(answer.measures, answer.sentences, strict=True)]
    lines = "".join(f"<p>{escape(clean(line))}</p>" for line in [size, *said, *answer.notes])
    style = "body{font-family:system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;line-height:1.45}"
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(clean(head))}</title><style>{style}</style>'
        f"<h1>{escape(clean(head))}</h1>{body}{lines}</html>"
    )
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, page.encode())


def figure(answer: Sweep) -> Any:
    """A plotly figure: level against value with its 95 % band, a line at the value in force, a panel a measure."""
    from plotly.subplots import make_subplots

    from simulacra.studies.sweep import title_of

    found = make_subplots(len(answer.measures), 1, shared_xaxes=True, vertical_spacing=0.06)
    for at, name in enumerate(answer.measures, 1):
        rows = sorted(answer.of(name), key=lambda row: row.value)
        x = [row.value for row in rows]
        ends = [row.level_high for row in rows], [row.level_low for row in reversed(rows)]
        found.add_scatter(
            x=[*x, *reversed(x)], y=[*ends[0], *ends[1]], fill="toself", fillcolor=_BAND, line={"width": 0}, hoverinfo="skip",
            row=at, col=1,
        )  # fmt: skip
        found.add_scatter(
            x=x, y=[row.level for row in rows], mode="lines+markers", line={"color": _LINE}, row=at, col=1,
            customdata=[[row.difference, row.low, row.high] for row in rows],
            hovertemplate="%{x}: %{y:.4g}<br>against now %{customdata[0]:+.3g} "
            "(%{customdata[1]:+.3g} to %{customdata[2]:+.3g})<extra></extra>",
        )  # fmt: skip
        if min(x) <= answer.now <= max(x):
            found.add_vline(x=answer.now, line_dash="dot", line_color=_NOW, annotation_text="now", row=at, col=1)
        found.update_yaxes(title_text=escape(clean(title_of(name))), row=at, col=1)
    found.update_xaxes(title_text=answer.key, row=len(answer.measures), col=1)
    found.update_layout(height=90 + 330 * len(answer.measures), showlegend=False, plot_bgcolor="white", hovermode="closest")
    found.update_xaxes(gridcolor="#e5e8ef")
    found.update_yaxes(gridcolor="#e5e8ef")
    return found
