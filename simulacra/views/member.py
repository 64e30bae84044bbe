"""Who a member is: the card that the Threads page and interviews show."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simulacra.experiment import Run
from simulacra.views import charts, forum, say, store


def card(run: Run, persona: int) -> None:
    """Bio, sketch, traits, and mood over the days."""
    row = store.personas(run).iloc[persona]
    sketch = run.spec.community.personas[int(row["sketch"])]
    sort = "newcomer" if row["arrival"] >= 0 else "there from the beginning"
    facts = f"{row['age']}, {row['work']}" if row["work"] else f"{row['age']}"
    liked = ", ".join(topic for topic, _ in store.interests(run, persona)[:3])
    st.html(
        f"<h4>{say.esc(row['handle'])}</h4><div class='sim-text'>{say.esc(row['bio'])}</div>"
        f"<div class='sim-quiet'>{say.esc(facts)} · {sort} · likes {say.esc(liked)}</div>"
        f"<div class='sim-quiet'>Descends from the sketch "
        f"“{say.esc(f'{sketch.name}: {sketch.sketch}' if sketch.name else sketch.sketch)}”</div>"
        + "".join(say.chip(word) for word in _temper(row))
    )
    moods = forum.moods_of(run, persona)
    if len(moods):
        st.caption("Mood at the end of each day: 1 is elated, 0 even, −1 miserable")
        st.plotly_chart(charts.moods(moods), key=f"mood-{run.id}-{persona}", config={"displayModeBar": False})


def _temper(row: Any) -> list[str]:
    """The traits in which a member stands out, in words."""
    told = []
    for trait, low, high in (
        ("irritability", "slow to anger", "quick to anger"), ("compliance", "minds rules little", "minds rules"),
        ("susceptibility", "steady", "catches others' moods"), ("verbosity", "writes little", "writes at length"),
    ):  # fmt: skip
        told += [high] if row[trait] > 0.65 else [low] if row[trait] < 0.35 else []
    return told
