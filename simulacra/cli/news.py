"""What `simulacra show RUN --news` says: how far each piece of news got, who told whom, who believed it, who came."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from simulacra.cli.common import say, say_json
from simulacra.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulacra.analysis.diffusion import Spread
    from simulacra.analysis.facts import Facts
    from simulacra.experiment import Run

TOLD = 12
"""Tellings that are listed, from the first."""


def show_news(run: Run, which: str, as_json: bool) -> None:
    """Every item of the run, or those that `which` names: a number from 1, or a part of the words; "" all."""
    from simulacra.analysis.diffusion import spread, spread_table
    from simulacra.analysis.facts import Facts
    from simulacra.terminal import paragraph

    items = run.spec.arm.news
    titles, facts = [item.title for item in items], Facts(run.frames)
    chosen = _named(titles, which, run.id)
    if as_json:
        shown = {titles[number] for number in chosen}
        rows = [row._asdict() for row in spread_table(facts, titles) if row.item in shown]
        say_json({"run_id": run.id, "rows": [row | {"value": None if isnan(row["value"]) else row["value"]} for row in rows]})
        return
    for number in chosen:
        lines = [*_sentences(spread(facts, number), items[number].kind), _curve(facts, number), *_tellings(run, facts, number)]
        say([paragraph(f"{number + 1}. {titles[number]}"), *(paragraph(line, "   ", "     ") for line in lines), ""])


def _named(titles: Sequence[str], which: str, run: str) -> list[int]:
    if not titles:
        raise SpecError(
            f'{run} was given no news. Play one with simulacra run COMMUNITY --news "rumour: the museum will close".'
        )
    if which.isdigit() and 1 <= int(which) <= len(titles):
        return [int(which) - 1]
    found = [number for number, title in enumerate(titles) if which.lower() in title.lower()]
    if not found:
        raise SpecError(
            f"{run} has no news called {which!r}. Known: {'; '.join(f'{n}. {t}' for n, t in enumerate(titles, 1))}."
        )
    return found


def _sentences(s: Spread, kind: str) -> list[str]:
    half = "" if isnan(s.half_hours) else f"; half of those told knew within {s.half_hours:.0f} hours"
    if not s.knowers:
        return ["Nobody knows it yet."]
    lines = [
        f"Known to {s.knowers:,} ({s.aware:.0%} of members), to {s.first:,} of them from the start{half}.",
        f"Posts that speak of it: {s.mentions:,}, by {s.speakers:,} authors; {s.reach:.0%} of members read one. Longest chain of "
        f"tellings: {s.depth}; members told in the largest cascade: {s.size:,}.",
    ]
    if kind == "invitation" and not isnan(s.coming):
        lines.append(f"Of those told {s.coming:.0%} mean to come; {s.came:,} were there.")
    if kind == "rumour":
        lines.append(f"{s.believed:.0%} of those who know it take it for true; those who take it for false: {s.doubted:,}.")
    if s.warned:
        lines.append(
            f"{s.warned:,} saw a note under it; {s.turned:,} of them had believed it and no longer do. What notes cause is told by "
            "comparing a run without them."
        )
    return lines


def _curve(facts: Facts, number: int) -> str:
    from simulacra.analysis.diffusion import awareness_curve

    curve = awareness_curve(facts, number)
    return "Know it at the end of " + ", ".join(f"day {day} {share:.0%}" for day, share in enumerate(curve, 1)) + "."


def _tellings(run: Run, facts: Facts, number: int) -> list[str]:
    """Who learnt it when and from whom, the first of them."""
    from simulacra.analysis.diffusion import cascade
    from simulacra.terminal import hour

    tree = cascade(facts, number)
    order = [int(p) for p in tree.learnt.argsort(kind="stable")[: int(tree.knows.sum())]]
    handles: Mapping[int, str] = dict(enumerate(run.frames.arrow("personas", columns=("handle",)).column("handle").to_pylist()))
    from_whom = {p: f"from {handles[int(tree.teller[p])]}" if tree.teller[p] >= 0 else "knew it first" for p in order}
    lines = [f"{hour(int(tree.learnt[p]))}  {handles[p]} {from_whom[p]}" for p in order[:TOLD]]
    return [*lines, f"... and {len(order) - TOLD:,} more"] if len(order) > TOLD else lines
