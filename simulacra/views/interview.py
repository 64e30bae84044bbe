"""Interview: ask a member of a run something, after it, and read what its answer rests on."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import streamlit as st

from simulacra.branches import guests
from simulacra.experiment import Run
from simulacra.views import forum, go, member, mind, questions, say, store

PROPOSED = (
    "How do you feel about this place?", "Were the rules fair to you?", "Who do you talk to?", "What would you change?",
    "Why did you leave?",
)  # fmt: skip


def page(run: Run, persona: int) -> None:
    """The member, a question, and what was answered so far."""
    say.head("Interview", "Ask a member after the run: it answers from what the record holds of it.")
    if st.button("All threads", icon=":material/arrow_back:"):
        go.to("threads", run=run.id)
    if not 0 <= persona < len(store.personas(run)):
        say.empty("This member is not in this run", "Go back to the threads and choose a name.")
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _whom(run, persona)
    with right:
        _form(run, persona)
        known = questions.put_before(run, "interview", persona)
        if not known:
            say.empty("Nothing asked yet", "Type a question, or take one of those above.")
        for question in known:
            _exchange(run, question)


def _whom(run: Run, persona: int) -> None:
    handles, active = store.handles(run), forum.most_active(run)
    options = active if persona in active else [persona, *active]
    other = st.selectbox(
        "Member", options, options.index(persona), format_func=lambda i: handles[i], key=f"interview-who-{persona}"
    )
    if other != persona:
        st.query_params.from_dict({"run": run.id, "ask": "interview", "member": str(other)})
        st.rerun()
    with st.container(border=True):
        member.card(run, persona)


def _form(run: Run, persona: int) -> None:
    terms = _terms(run, persona)
    with st.form(f"interview-{persona}", clear_on_submit=True, border=False):
        words = st.text_input("Your question", max_chars=guests.LONGEST, placeholder="What do you think of …?")
        asked = st.form_submit_button("Ask", type="primary", icon=":material/question_answer:")
    proposed = st.pills(
        "or", PROPOSED, key=f"interview-proposed-{persona}-{len(questions.put_before(run, 'interview', persona))}"
    )
    if asked and not words.strip():
        say.mistake("Type a question first.")
    words = words.strip().lstrip("-") if asked else proposed or ""  # a dash would begin an option of the command
    if words:
        questions.ask(run, "interview", persona, ["--persona", str(persona), words], words, terms)


def _terms(run: Run, persona: int) -> list[str]:
    """What an answer takes of a language model, with caps to stop it at, as options; [] for the sketch mind."""
    if run.spec.language is None:
        return []
    told = _price(str(run.path), run.digest, persona)
    cost = (
        "of unknown price" if told["cost"] is None else "for nothing" if told["cost"] == 0 else f"for about ${told['cost']:.4f}"
    )
    st.caption(
        f"Each answer asks {say.md(run.spec.language.model.name)}: {say.count(told['calls'], 'call')} {say.md(cost)}, about "
        f"{told['input_tokens']:,} tokens in and {told['output_tokens']:,} out; more calls where an answer has to be asked for again. An "
        "equal question costs nothing twice."
    )
    return [*mind.caps(*mind.cap_inputs(f"interview-{persona}")), "--yes"]


@st.cache_data(max_entries=64, show_spinner=False)
def _price(path: str, digest: str, persona: int) -> Mapping[str, Any]:
    """What an answer takes: questions differ little in length, so one stands for all."""
    from simulacra.estimates import by_words
    from simulacra.experiment import open_run

    price: Mapping[str, Any] = (
        import_module(questions.PRICES).interview_price(open_run(path), persona, PROPOSED[0], by_words).to_dict()
    )
    return price


def _exchange(run: Run, question: questions.Question) -> None:
    with st.container(border=True):
        st.html(f"<b>{say.esc(question.told)}</b>")
        told = questions.answered(question)
        if told is not None:
            _answer(run, told)


def _answer(run: Run, told: Mapping[str, Any]) -> None:
    st.html(
        f'<div class="sim-text">{say.esc(told["answer"])}</div><div class="sim-quiet">{say.esc(told["handle"])} · '
        f"{say.esc(told['source'])}</div>"
    )
    resting = [fact for fact in told["facts"] if fact["posts"]]
    if not resting:
        return
    with st.expander("What it rests on", icon=":material/fact_check:"):
        for place, fact in enumerate(resting):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.html(f'<div class="sim-quiet">{say.esc(fact["text"])}</div>')
                post = int(fact["posts"][0])
                if st.button("Read it there", key=f"rests-{told['persona']}-{told['question']}-{place}", type="tertiary"):
                    go.to("threads", run=run.id, post=post)
