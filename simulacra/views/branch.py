"""Parts that the pages of WhatIf and Multiverse share: the post that is asked about, and threads as a continuation left them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from simulacra.analysis.measures import TOXIC
from simulacra.branches.continuations import THREAD_MEASURES
from simulacra.checks import clean
from simulacra.experiment import Run
from simulacra.views import forum, go, mind, parts, say, store

if TYPE_CHECKING:
    from simulacra.estimates import Estimate

EFFECTS = {"no difference that matters": "too small to matter", "no verdict": "–"}
_BEGINS_SECONDS = 1.5
_SPEED = 200_000.0
"""Persona-hours a second of one core, and seconds to begin: of 1,000 members `simulacra whatif -n 8` took 2.8 s for 24 hours and 4.8 s
for 72 on an idle machine, `-n 1` 1.3 s."""


def asked_about(run: Run, post: int) -> dict[str, Any] | None:
    """The post, shown with its place; None, with an empty state, where nothing can be asked about it."""
    found = store.query(run, f"""
        SELECT p.id, p.root, p.step, p.act, p.text, p.author, m.handle FROM posts p JOIN personas m ON m.id = p.author
        WHERE p.id = {int(post)}
    """)  # fmt: skip
    with st.container(horizontal=True):
        if st.button("Back to the thread", icon=":material/arrow_back:"):
            root = int(found["root"].iloc[0]) if len(found) else None
            go.to("threads", run=run.id, thread=root, post=post if root is not None else None)
    if found.empty:
        say.empty("This post is not in this run", "Go back to the threads and choose one.")
        return None
    row: dict[str, Any] = found.iloc[0].to_dict()
    st.html(
        f'<div class="sim-card"><div class="sim-quiet">{say.esc(row["handle"])} {forum.VERBS.get(row["act"], "")} · '
        f'{say.moment(int(row["step"]))}</div><div class="sim-text">{say.esc(row["text"])}</div></div>'
    )
    if int(row["step"]) < 0:
        say.empty("This post was written before day 1", "Choose a post of the measured days: from there on chances are known.")
        return None
    if run.status == "running":
        say.empty("This run is still being played", "Wait for its end, or pause it on the Run page.")
        return None
    return row


def seconds_for(run: Run, hours: int, continuations: int) -> float:
    """About how long so many continuations take here."""
    return _BEGINS_SECONDS + run.spec.personas * hours * continuations / _SPEED


@dataclass(frozen=True)
class Terms:
    """On which a question is put."""

    is_agreed: bool  # its price was told and, where it is much, agreed to
    options: tuple[str, ...] = ()  # of the command line: caps, and that it need not ask again


def terms(run: Run, key: str, what: object, price: Callable[[], Estimate]) -> Terms:
    """What the question takes of a language model, with caps to stop it at; nothing for the sketch mind. what: the question."""
    language = run.spec.language
    if language is None:
        return Terms(True)
    decided = language.autonomy == "full"
    rest = "so every visit of every member is a call" if decided else "the rest is taken from the record or sketched"
    st.caption(
        f"{'Members' if decided else 'Replies in this thread'} are {'played' if decided else 'written'} by "
        f"{say.md(language.model.name)}, which may cost money or time; {rest}. So few rolls are proposed."
    )
    caps = mind.caps(*mind.cap_inputs(key))
    return Terms(mind.agreed_price(key, what, price), (*caps, "--yes"))


def cut_short(told: Mapping[str, Any]) -> None:
    """Says of an answer that a cap ended it, and how to go on."""
    if told.get("capped"):
        st.warning(say.md(f"Cut short. {told['notes'][0]}"), icon=":material/savings:")


def notes(told: Sequence[str]) -> None:
    st.html("".join(f'<div class="sim-quiet">{say.esc(note)}</div>' for note in told))


def continuation(told: Mapping[str, Any], post: int, key: str) -> None:
    """The thread of a continuation: the posts after the moment, with those they stand below."""
    posts, hidden = _kept(_flat(told["thread"]), int(told["since"]), int(told["put_in"]), post)
    fresh = sum(p["is_new"] for p in posts)
    below = f"; {say.count(hidden, 'earlier post')} left out" if hidden else ""
    st.caption(f"{say.count(fresh, 'post follows', 'posts follow')}{below}.")
    tree = forum.reading_order({row["id"]: row["parent"] for row in posts})
    number = parts.choose_part(tree, None, key)
    here, above = tree.part(number)
    shown = [{**row, "is_above": row["id"] in above} for row in posts if row["id"] in {*here, *above}]
    parts.forum(key, {"posts": shown, "marked": post, "part": number}, _nothing, _nothing)
    parts.next_part(tree, number, None, key)


def _nothing() -> None:
    """There is nothing to press in these threads but folds."""


def _flat(thread: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A nested thread as rows for the thread component, in order of ids; without recursion, however deep it is."""
    rows, waiting = [], [(thread, -1, 0)]
    while waiting:
        post, parent, depth = waiting.pop()
        by = str(post["removed_by"]).replace("_", " ")
        rows.append({
            "id": int(post["id"]), "parent": parent, "depth": depth, "author": -1, "handle": clean(str(post["author"])),
            "when": say.moment(int(post["step"])), "verb": forum.VERBS.get(post["act"], str(post["act"])),
            "text": clean(str(post["text"])), "toxicity": float(post["toxicity"]), "valence": float(post["valence"]),
            "toxic": post["toxicity"] > TOXIC, "seen": int(post["readers"]), "up": int(post["up"]), "down": int(post["down"]),
            "reports": 0, "newcomer": False, "notes": 0, "removed": bool(by), "fate": [f"removed by {clean(by)}"] if by else [],
        })  # fmt: skip
        waiting += [(reply, int(post["id"]), depth + 1) for reply in post["replies"]]
    return sorted(rows, key=lambda row: row["id"])


def _kept(posts: Sequence[dict[str, Any]], since: int, put_in: int, asked: int) -> tuple[list[dict[str, Any]], int]:
    """(posts after the moment with what they stand below, the post asked about and what was put in; how many others there are)."""
    known = {post["id"]: post for post in posts}
    wanted = {post["id"] for post in posts if post["id"] >= since} | {asked, put_in} & known.keys()
    for post in list(wanted):
        while post in known and known[post]["parent"] in known:
            post = known[post]["parent"]
            wanted.add(post)
    rows = [
        {**post, "is_new": post["id"] >= since, "is_put_in": post["id"] == put_in} for post in posts if post["id"] in wanted
    ]
    return rows, len(posts) - len(rows)


def title(measure: str) -> str:
    """A thread measure's name, capitalised."""
    told = THREAD_MEASURES[measure].title
    return told[:1].upper() + told[1:]


def titled(measure: str) -> str:
    """Its name with its unit where the name does not say what is counted."""
    unit = THREAD_MEASURES[measure].unit
    return f"{title(measure)} ({unit})" if unit.startswith("score") else title(measure)


def known(value: float | None) -> float:
    """A number of an answer; NaN for what JSON has as null."""
    return math.nan if value is None else float(value)


def roll_words(lane: int) -> str:
    return "As chance had it in the run" if lane == 0 else f"Roll {lane} of chance"
