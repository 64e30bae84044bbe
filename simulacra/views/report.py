"""A report as one HTML file that opens anywhere without the tool: design, read-out, charts, threads, notes, limits.

No script, no outside address: charts are drawn as SVG here, all text is escaped, and the file forbids itself everything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from simulacra.analysis.judge import NOBODY
from simulacra.analysis.measures import MEASURES
from simulacra.experiment import Run
from simulacra.record.review import notes
from simulacra.replicates import BASELINE, VARIANT, Comparison
from simulacra.views import charts, forum, look, pair, readout, say, store

MOST_THREADS, MOST_POSTS = 10, 12

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
body{font:16px/1.55 system-ui,sans-serif;color:#1d2130;max-width:56rem;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.9rem;margin-bottom:.2rem}h2{margin-top:2.4rem;border-bottom:1px solid #dfe2ec;padding-bottom:.2rem}
.quiet{color:#5b6275;font-size:.9rem}
.answer{border-left:.4rem solid #3b4cca;background:#f4f5f9;padding:1rem 1.2rem;border-radius:.5rem;font-size:1.25rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
td,th{text-align:left;border-bottom:1px solid #e6e8f0;padding:.3rem .5rem;vertical-align:top}
.post{border-left:2px solid #dfe2ec;padding:.15rem 0 .15rem .8rem;margin:.35rem 0}
.text{white-space:pre-wrap;overflow-wrap:anywhere}.gone{opacity:.6;text-decoration:line-through}
.card{border:1px solid #dfe2ec;border-radius:.6rem;padding:.8rem 1rem;margin:.8rem 0;break-inside:avoid}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#5b6275}
"""


def of_run(run: Run) -> str:
    """The report of one run."""
    spec = run.spec
    body = [
        f"<h1>{say.esc(spec.community.name)}</h1><p class=quiet>Run {say.esc(run.id)}: {spec.personas:,} members, "
        f"{say.count(run.days, 'day')}, seed {spec.seed}, digest {say.esc(run.digest)}</p>",
        _design(run), "<h2>Measures</h2>", _measures({"value": store.measures(run)}),
        "<h2>Over time</h2>", _over_time({BASELINE: run}), _threads(run), _notes([run]), _limits(_of_one(run)),
    ]  # fmt: skip
    return _file(spec.community.name, body)


def of_comparison(found: Comparison) -> str:
    """The report of a comparison, with threads of its median pair."""
    answer, spec = readout.answer_of(found), found.spec
    told = readout.read_out(answer)
    seed = pair.median_seed(found, answer.primary)
    runs = pair.runs_of(found, seed) if seed is not None else None
    arms = "".join(f"<tr><th>{name}</th><td>{say.esc(say.design(arm))}</td></tr>" for name, arm in spec.arms.items())
    body = [
        f"<h1>{say.esc(answer.asked or 'A comparison of two designs')}</h1>",
        f"<p class=quiet>{say.esc(spec.community.name)}: {spec.personas:,} members, {say.count(spec.days, 'day')}, "
        f"{len(found.folder.results())} pairs of runs</p>",
        f"<div class=answer><b>{say.esc(told.word)}</b><br>{say.esc(told.sentence)}</div>",
        f"<table>{arms}<tr><th>what differs</th><td>{say.esc(say.differences(found.differences))}</td></tr></table>",
        "<h2>Differences, run by run</h2>", _differences(answer), _verdicts(answer),
        *([f"<h2>The pair of seed {seed}, over time</h2>", _over_time(runs), _design(runs[BASELINE])] if runs else []),
        *(_threads(run, f": {arm}") for arm, run in (runs or {}).items()),
        _notes(list((runs or {}).values())), _limits([*found.limits, *found.warnings]),
    ]  # fmt: skip
    return _file(answer.asked or found.id, body)


def _file(title: str, body: Sequence[str]) -> str:
    return (
        f'<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv="Content-Security-Policy" '
        f'content="{_POLICY}">'
        f"<title>{say.esc(title)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


# -- sections --------------------------------------------------------------------------------------------------------------


def _design(run: Run) -> str:
    community, arm = run.spec.community, run.spec.arm
    rules = "".join(f"<li>{say.esc(rule)}</li>" for rule in arm.rules)
    sketches = "".join(f"<li>{say.esc(f'{s.name}: {s.sketch}' if s.name else s.sketch)}</li>" for s in community.personas)
    return (
        f"<h2>The design</h2><p>{say.esc(community.goal)}</p><p><b>{say.esc(say.design(arm))}</b></p><p>Rules</p>"
        f"<ol>{rules}</ol>"
        f"<p>Members grow from these sketches</p><ul>{sketches}</ul>"
    )


def _measures(values: Mapping[str, Mapping[str, float]]) -> str:
    heads = "".join(f"<th>{say.esc(name)}</th>" for name in values)
    rows = "".join(
        f"<tr><td title='{say.esc(m.about)}'>{say.esc(m.title)}</td>"
        + "".join(f"<td>{say.amount(found.get(name, math.nan), m.unit)}</td>" for found in values.values())
        + f"<td class=quiet>{say.esc(m.unit)}</td></tr>"
        for name, m in MEASURES.items()
    )
    return f"<table><tr><th>measure</th>{heads}<th></th></tr>{rows}</table>"


def _verdicts(answer: readout.Answer) -> str:
    rows = "".join(
        f"<tr><td>{say.esc(readout.title(row.measure))}</td><td>{row.role}</td><td>{say.esc(row.scorer or 'counted')}</td>"
        f"<td>{say.esc(row.sentence)}</td></tr>"
        for row in answer.tested
    )
    return f"<table><tr><th>measure</th><th>role</th><th>judged by</th><th>verdict</th></tr>{rows}</table>"


def _over_time(runs: Mapping[str, Run]) -> str:
    sql = "SELECT step, avg({0}) AS {0}, count(*) AS n FROM posts WHERE NOT burn_in GROUP BY step ORDER BY step"
    made = []
    for column, title in (
        ("toxicity", "Toxicity of what is written, 12-hour mean"),
        ("valence", "Cheerfulness of what is written, 12-hour mean"),
    ):
        frames = {arm: charts.smoothed(store.query(run, sql.format(column)), column, 12) for arm, run in runs.items()}
        made.append(f"<p class=quiet>{title}</p>{_lines(frames, column)}")
    return "".join(made) + (_legend() if len(runs) > 1 else "")


def _threads(run: Run, suffix: str = "") -> str:
    """The ten threads that members read most, the beginning of each."""
    found = forum.sorted_threads(run, "readings", forum.Filters((1, max(run.days, 1)))).head(MOST_THREADS)
    cards = "".join(_thread(run, int(root)) for root in found["root"])
    return f"<h2>Ten threads, the most read{say.esc(suffix)}</h2>{cards}"


def _thread(run: Run, root: int) -> str:
    posts = forum.thread(run, root)
    shown = "".join(_post(post) for post in posts[:MOST_POSTS])
    left = f"<p class=quiet>... {len(posts) - MOST_POSTS} more posts</p>" if len(posts) > MOST_POSTS else ""
    return f"<div class=card>{shown}{left}</div>"


def _post(post: Mapping[str, object]) -> str:
    fate = "".join(f"<div class=quiet>{say.esc(text)}</div>" for text in post["fate"])  # type: ignore[attr-defined]
    gone = " gone" if post["removed"] else ""
    indent = min(int(str(post["depth"])), 6)
    return (
        f"<div class=post style='margin-left:{indent * 1.1:.1f}rem'><div class=quiet><b>{say.esc(post['handle'])}</b> "
        f"{post['verb']}, {post['when']} · "
        f"+{post['up']} −{post['down']} · read {post['seen']} times · toxicity {post['toxicity']}</div>"
        f"<div class='text{gone}'>{say.esc(post['text'])}</div>{fate}</div>"
    )


def _notes(runs: Sequence[Run]) -> str:
    cards = [
        f"<div class=card><div class=text>{say.esc(note.text)}</div><div class=quiet>{say.esc(', '.join(note.tags))} "
        f"{say.esc(note.author)} "
        f"{say.esc(note.at[:16])} · {'post ' + str(note.post) if note.post >= 0 else 'the whole run'} of "
        f"{say.esc(run.id)}</div></div>"
        for run in runs
        for note in notes(run.folder)
    ]
    return f"<h2>Notes</h2>{''.join(cards) or '<p class=quiet>Nobody has written a note yet.</p>'}"


def _limits(lines: Sequence[str]) -> str:
    return f"<h2>Limits</h2><ul>{''.join(f'<li>{say.esc(readout.limit(line))}</li>' for line in lines)}</ul>"


def _of_one(run: Run) -> list[str]:
    return [
        "These are simulated members, not users: the record says what this model does, not what your community will do.",
        "One run is one course of chance. Compare designs over several seeds before believing a difference.",
        "Toxicity and cheerfulness are levels on a scorer's own scale.", *_judged(run), *run.warnings,
    ]  # fmt: skip


def _judged(run: Run) -> list[str]:
    judge = store.judge(run)
    if not judge:
        return []
    who = "nobody has judged it: a second scorer must read the run" if judge == NOBODY else f"its figures above are by {judge}"
    return [
        f"The design acts by the scores that the record holds, which cannot judge it; {who}. Charts over time show the first."
    ]


# -- charts as SVG ---------------------------------------------------------------------------------------------------------


def _lines(frames: Mapping[str, pd.DataFrame], column: str, wide: int = 780, high: int = 190) -> str:
    """A line an arm over simulated days."""
    values = pd.concat([frame[column] for frame in frames.values()]).dropna()
    if values.empty:
        return "<p class=quiet>Nothing to draw.</p>"
    low, top = float(values.min()), float(values.max())
    span, last = (top - low) or 1.0, max(int(frame["step"].max()) for frame in frames.values()) or 1
    drawn = []
    for arm, frame in frames.items():
        rows = frame.dropna()
        points = " ".join(
            f"{50 + (wide - 60) * step / last:.1f},{high - 25 - (high - 40) * (value - low) / span:.1f}"
            for step, value in zip(rows["step"], rows[column], strict=True)
        )
        drawn.append(f'<polyline fill="none" stroke="{look.ARMS.get(arm, look.BASELINE)}" stroke-width="2" points="{points}"/>')
    days = "".join(
        f'<text x="{50 + (wide - 60) * 24 * day / last:.0f}" y="{high - 6}">day {day + 1}</text>'
        for day in range((last + 23) // 24)
    )
    ends = f'<text x="4" y="20">{top:.2f}</text><text x="4" y="{high - 24}">{low:.2f}</text>'
    return f'<svg viewBox="0 0 {wide} {high}" role="img">{"".join(drawn)}{days}{ends}</svg>'


def _differences(answer: readout.Answer, wide: int = 780) -> str:
    """The paired differences of the question's measures in units of their margins."""
    rows = [row for row in answer.tested if row.margin > 0 and len(answer.differences(row.measure))]
    if not rows:
        return "<p class=quiet>Nothing to draw: arms have seeds of their own, or nothing was counted.</p>"
    scaled = [answer.differences(row.measure) / row.margin for row in rows]
    reach = max(1.5, *(float(np.abs(values).max()) for values in scaled))

    def x(value: float) -> float:
        return 270 + (wide - 290) * (max(-reach, min(reach, value)) / reach + 1) / 2

    high = len(rows) * 46
    drawn = [
        f'<rect x="{x(-1):.0f}" y="4" width="{x(1) - x(-1):.0f}" height="{high + 2}" fill="#eceef4"/>',
        f'<line x1="{x(0):.0f}" x2="{x(0):.0f}" y1="4" y2="{high + 6}" stroke="#7a8194"/>',
    ]
    for place, (row, values) in enumerate(zip(rows, scaled, strict=True)):
        y = 28 + 46 * place
        drawn.append(f'<text x="4" y="{y - 4}">{say.esc(readout.title(row.measure), 40)}</text>')
        drawn.append(f'<text x="4" y="{y + 12}">{say.esc(readout.in_its_unit(row))}</text>')
        drawn += [f'<circle cx="{x(float(v)):.1f}" cy="{y}" r="3.2" fill="#7a8194" opacity=".55"/>' for v in values]
        if math.isfinite(row.low):
            ends = f'x1="{x(row.low / row.margin):.1f}" x2="{x(row.high / row.margin):.1f}"'
            drawn.append(f'<line {ends} y1="{y}" y2="{y}" stroke="{look.VARIANT}" stroke-width="4"/>')
            drawn.append(f'<circle cx="{x(row.difference / row.margin):.1f}" cy="{y}" r="6" fill="{look.VARIANT}"/>')
    return (
        f'<svg viewBox="0 0 {wide} {high + 16}" role="img">{"".join(drawn)}</svg><p class=quiet>Variant minus baseline in '
        "differences that matter: a dot is a pair of runs with one seed, the bar the 95 % interval of their mean; in the "
        "grey band a "
        "difference is too small to matter.</p>"
    )


def _legend() -> str:
    return "".join(
        f'<span style="color:{tone};margin-right:1rem">●</span>{arm} '
        for arm, tone in ((BASELINE, look.BASELINE), (VARIANT, look.VARIANT))
    )
