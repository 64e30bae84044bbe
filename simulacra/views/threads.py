"""Threads: reads like a forum, in one design or in both side by side; a member's own feed; notes for a review."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from simulacra.analysis.measures import TOXIC
from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.record.review import add_note, notes
from simulacra.views import forum, go, interview, look, member, multiverse, pair, parts, say, store, whatif

PAGE_SIZE = 20
TAGS = ("rude", "off topic", "great", "unreal", "discuss")


BRANCHES = {"whatif": (whatif.page, "post"), "multiverse": (multiverse.page, "post"), "interview": (interview.page, "member")}
"""What can be asked of a run here: its page, and what the address names."""
_ACTS = (
    ("note", "Note", "Note on the post of"),
    ("whatif", "WhatIf", "What if something else followed the post of"),
    ("multiverse", "Multiverse", "Roll chance again from the post of"),
)
"""Buttons below each post: what it asks for, its word, and what it is to somebody who hears it, before the author's name."""


def page() -> None:
    if _asking():
        return
    say.head("Threads", "Read what members wrote, as they saw it, and what became of it.")
    run = parts.choose_run(finished=True)
    if run is None:
        return
    post, thread = go.number("post"), go.number("thread")
    if post is not None and thread is None:
        thread = forum.root_of(run, post)
    if thread is not None:
        _thread_page(run, thread, post)
        return
    view = st.segmented_control(
        "View",
        ["Threads", "A member's feed"],
        default="A member's feed" if go.asked("member") else "Threads",
        label_visibility="collapsed",
    )
    if view == "A member's feed":
        _feed_page(run)
    else:
        _list_page(run)


def _asking() -> bool:
    """Draw the page of a question about a post or a member where the address names one."""
    name = go.asked("ask")
    if name not in BRANCHES:
        return False
    draw, subject = BRANCHES[name]
    run, about = parts.opened(go.asked("run")), go.number(subject)
    if run is None or about is None:
        say.head("Threads", "Read what members wrote, as they saw it, and what became of it.")
        say.empty("Nothing to ask about", "Choose a post or a member on the Threads page first.")
        return True
    draw(run, about)
    return True


# -- the list --------------------------------------------------------------------------------------------------------------


def _list_page(run: Run) -> None:
    top, boxes = st.columns([2, 3], vertical_alignment="bottom")
    with top:
        label = st.selectbox(
            "Sort",
            list(forum.SORTS),
            help="“As members saw it” puts first what the run's feed brought before "
            "most eyes. Turning points are posts after which a thread grew calmer or more heated.",
        )
    with boxes:
        filters = _filters(run)
    key = forum.SORTS[label]
    found = forum.sorted_threads(run, key, filters)
    twin = store.twin_of(run.id)
    if twin is not None:
        st.html(say.arm(twin[1], say.design(run.spec.arm), look.ARMS[twin[1]]))
    if twin is not None and go.asked("side"):
        found = _shared_first(run, store.run(twin[2]), found)
        st.caption("Threads that both designs have come first. Choose one: it opens in both, side by side.")
    if found.empty:
        say.empty("No thread like that", "Loosen the filters, or sort in another way.")
        return
    pages = -(-len(found) // PAGE_SIZE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(say.count(len(found), "thread"))
        number = st.pagination(pages, key=f"page-{label}-{filters}", width=360) if pages > 1 else 1
    rows = found.iloc[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    data = {"threads": [_listed(row, key) for row in rows.to_dict("records")]}
    opened = parts.forum(f"list-{run.id}", data, _nothing, _nothing).open
    if opened is not None:
        _show_thread(run, int(opened))


def _filters(run: Run) -> forum.Filters:
    with st.popover("Filter", icon=":material/filter_list:"):
        days = st.slider("Days opened", 1, run.days, (1, run.days)) if run.days > 1 else (1, 1)
        words = st.text_input("Words", placeholder="in any post of the thread")
        handles = store.handles(run)
        author = st.selectbox("Member", forum.most_active(run), None, format_func=lambda i: handles[i], placeholder="anybody")
        act = st.selectbox(
            "Somebody ...", list(forum.VERBS), None, format_func=lambda name: forum.VERBS[name], placeholder="does anything"
        )
        toxic = st.checkbox("Holds a toxic post", help=f"A score above {TOXIC} on the scorer's own scale")
        removed = st.checkbox("Holds a removed post")
    return forum.Filters((int(days[0]), int(days[1])), author, act or "", words.strip(), toxic, removed)


def _shared_first(run: Run, other: Run, found: pd.DataFrame) -> pd.DataFrame:
    """Threads that both designs have, first, with their place in `order`: they can be read side by side."""
    order = {root: place for place, root in enumerate(forum.shared_threads(run, other))}
    return found.assign(order=found["root"].map(order)).sort_values("order", kind="stable", na_position="last")


def _listed(row: dict[Any, Any], key: str) -> dict[str, Any]:
    from simulacra.checks import clean

    chips = [("toxic", f"up to {row['toxic']:.2f} toxic")] if row["toxic"] > TOXIC else []
    chips += [("removed", f"{row['removed']} removed")] if row["removed"] else []
    if row.get("order", math.nan) >= 0:
        chips.append(("both", "in both designs"))
    if key == "turn":
        chips.append(("toxic" if row["turn"] > 0 else "new", "grew heated" if row["turn"] > 0 else "calmed down"))
    return {
        "root": int(row["root"]),
        "score": int(row["up"] - row["down"]),
        "text": clean(str(row["text"])),
        "chips": chips,
        "head": f"{clean(str(row['handle']))} {forum.VERBS.get(row['act'], '')} · {say.moment(int(row['step']))} · "
        f"{clean(str(row['topic']))}",
        "feet": f"{say.count(row['posts'] - 1, 'reply', 'replies')} · read {row['readings']:,.0f} times",
    }


def _nothing() -> None:
    """Triggers are read from the component's result."""


def _show_thread(run: Run, root: int) -> None:
    st.query_params.from_dict({"run": run.id, "thread": str(root), **({"side": "1"} if go.asked("side") else {})})
    st.rerun()


# -- one thread ------------------------------------------------------------------------------------------------------------


def _thread_page(run: Run, root: int, post: int | None) -> None:
    twin = store.twin_of(run.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("All threads", icon=":material/arrow_back:"):
            st.query_params.from_dict({"run": run.id, **({"side": "1"} if go.asked("side") else {})})
            st.rerun()
        beside = twin is not None and st.toggle("Side by side with the other design", bool(go.asked("side")))
    if not forum.tree(run, root).order:
        say.empty("This thread is not in this run", "Go back to all threads.")
        return
    if twin is None or not beside:
        if twin is not None:
            st.html(say.arm(twin[1], say.design(run.spec.arm), look.ARMS[twin[1]]))
        _thread(run, root, post)
        return
    _, arm, other_id = twin
    other = store.run(other_id)
    arms = [(run, arm, root), (other, "variant" if arm == "baseline" else "baseline", forum.same_thread(run, root, other))]
    for column, (shown, name, thread) in zip(st.columns(2, gap="large"), sorted(arms, key=lambda a: a[1]), strict=True):
        with column:
            st.html(say.arm(name, say.design(shown.spec.arm), look.ARMS[name]))
            if thread is None:
                say.empty("Not in this design", "Here nobody opened this thread in that hour with these words.")
            else:
                _thread(shown, thread, post if shown is run else None)


def _thread(run: Run, root: int, post: int | None) -> None:
    tree, key = forum.tree(run, root), f"{run.id}-{root}"
    turns = forum.turning_points(run)
    turn = next(iter(turns.loc[turns["root"] == root, "post"].tolist()), None)
    number = parts.choose_part(tree, post, key)
    here, above = tree.part(number)
    st.caption(_thread_words(run, tree, root, turn, number))
    posts = [
        {**row, "is_above": row["id"] in above} for row in forum.thread(run, root, (*here, *above) if tree.parts > 1 else None)
    ]
    marks = {"posts": posts, "acts": _ACTS, "part": number, **({"asked": post} if post is not None else {})}
    if turn is not None:
        marks["turn"] = turn
    asked = parts.forum(f"thread-{key}", marks, _nothing, _nothing).ask
    parts.next_part(tree, number, post, key)
    if asked is not None:
        if asked["what"] in BRANCHES:
            go.to("threads", run=run.id, ask=asked["what"], post=int(asked["post"]))
        if asked["what"] == "note":
            _note_dialog(run.id, int(asked["post"]))
        else:
            _member_dialog(run.id, int(asked["author"]), int(asked["post"]))


def _thread_words(run: Run, tree: forum.Tree, root: int, turn: int | None, number: int) -> str:
    people = say.count(forum.writers(run, root), "member")
    told = f"{say.count(len(tree.order), 'post')} by {people}. Choose a name to meet the member."
    if turn is None:
        return told
    place = tree.part_of(turn)
    return told + (" A red edge marks the turning point." if place == number else f" The turning point is in part {place}.")


# -- a member --------------------------------------------------------------------------------------------------------------


@st.dialog("Member", width="large")
def _member_dialog(run_id: str, persona: int, post: int | None) -> None:
    run = store.run(run_id)
    member.card(run, persona)
    if post is not None:
        _seen_before(run, persona, post)
    st.markdown("**Other posts**")
    rows = forum.posts_of(run, persona).head(8)
    for row in rows.itertuples():
        st.html(
            f'<div class="sim-quiet">{say.moment(row.step)} · {forum.VERBS.get(row.act, "")}</div><div '
            f'class="sim-text">{say.esc(row.text)}</div>'
        )
    with st.container(horizontal=True):
        if st.button("Interview", icon=":material/question_answer:", help="Ask this member something, after the run"):
            go.to("threads", run=run_id, ask="interview", member=persona)
        if st.button("See the feed as this member", icon=":material/visibility:"):
            go.to("threads", run=run_id, member=persona)


def _seen_before(run: Run, persona: int, post: int) -> None:
    """What a member looked at in the visit in which it wrote a post."""
    step = store.query(run, f"SELECT step FROM posts WHERE id = {int(post)}")["step"]
    if step.empty:
        return
    st.markdown("**Read just before writing this**")
    pair.slate_list(forum.slate(run, persona, int(step.iloc[0])))


# -- a member's feed -------------------------------------------------------------------------------------------------------


def _feed_page(run: Run) -> None:
    """What one member was shown in one hour; in both designs where the run has a twin."""
    handles, active = store.handles(run), forum.most_active(run)
    asked = go.number("member")
    options = active if asked is None or asked in active else [asked, *active]
    if not options:
        say.empty("Nobody has come yet", "Wait until a day is finished.")
        return
    left, right = st.columns(2)
    persona = left.selectbox(
        "Member", options, options.index(asked) if asked in options else 0, format_func=lambda i: handles[i]
    )
    twin = store.twin_of(run.id)
    runs = [(run, twin[1] if twin else "")]
    if twin:
        runs.append((store.run(twin[2]), "variant" if twin[1] == "baseline" else "baseline"))
    hours = _common_hours([shown for shown, _ in runs], persona)
    if not hours:
        say.empty("This member never looked at anything", "Choose another member.")
        return
    step = right.selectbox(
        "Visit", hours, format_func=say.moment, help="Hours in which the member came, in every design that is shown"
    )
    st.caption("From the top of the feed; ↩ is a notice of a reply. Only what was looked at is recorded.")
    for column, (shown, arm) in zip(st.columns(len(runs), gap="large"), sorted(runs, key=lambda r: r[1]), strict=True):
        with column:
            if arm:
                st.html(say.arm(arm, say.design(shown.spec.arm), look.ARMS[arm]))
            pair.slate_list(forum.slate(shown, persona, step))


def _common_hours(runs: list[Run], persona: int) -> list[int]:
    """Visits that all runs have; those of the first where there is none."""
    each = [forum.visits(run, persona) for run in runs]
    return sorted(set(each[0]).intersection(*each[1:])) or each[0]


# -- notes -----------------------------------------------------------------------------------------------------------------


@st.dialog("Note for a review", width="medium")
def _note_dialog(run_id: str, post: int) -> None:
    run = store.run(run_id)
    for note in notes(run.folder, post):
        note_card(note.text, note.tags, note.author, note.at)
    text = st.text_area("What do you see?", max_chars=2000, key=f"note-text-{post}")
    tags = st.multiselect("Tags", TAGS, accept_new_options=True, key=f"note-tags-{post}")
    author = st.text_input("Your name", st.session_state.get("reviewer", ""), max_chars=80)
    if st.button("Keep the note", type="primary", disabled=not text.strip() and not tags):
        st.session_state["reviewer"] = author
        try:
            add_note(run.folder, post, text.strip(), tags, author.strip())
        except RecordError as error:
            say.mistake(error)
            return
        st.rerun()


def note_card(text: str, tags: tuple[str, ...], author: str, at: str) -> None:
    """One note, as data: nothing in it is obeyed."""
    chips = "".join(say.chip(tag) for tag in tags)
    st.html(
        f'<div class="sim-card"><div class="sim-text">{say.esc(text)}</div>{chips}<div '
        f'class="sim-quiet">{say.esc(author)} {say.esc(at[:16].replace("T", " "))}</div></div>'
    )
