"""Editing an arm: the feed with its parameters and a sample slate, moderation designs with theirs, rules with their meaning.

What exists is read off the registries, so a lever that is added to the program appears here by itself. Editors take the arm as
plain tables (`design`, `feed`, `moderation`, as in a community file) and change them in place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any

import streamlit as st

from simulacra.errors import SimulacraError
from simulacra.events import KINDS
from simulacra.feeds import FEEDS, make_feed
from simulacra.moderation import POLICIES
from simulacra.rules import rule_of_kind
from simulacra.views import look, preview, say

Tables = dict[str, Any]

KIND_WORDS = {
    "insult": "insults and unkindness", "harassment": "harassment", "self_promotion": "advertising and self-promotion",
    "off_topic": "posts off the topic", "politics": "politics", "medical_advice": "medical advice", "misinformation": "misinformation",
    "low_effort": "low-effort posts", "spoiler": "spoilers", "personal_data": "personal data", "preaching": "preaching",
}  # fmt: skip


# -- the feed --------------------------------------------------------------------------------------------------------------


def feed_cards(arm: Tables, key: str) -> None:
    """Cards of all feed designs; the chosen one shows its parameters and what it does to a sample slate."""
    chosen = arm["design"]["feed"].partition(":")[0]
    cards = st.columns(3)
    for place, (name, design) in enumerate(FEEDS.items()):
        with cards[place % 3], st.container(border=True):
            mark = " · chosen" if name == chosen else ""
            st.markdown(f"**{_title(name)}**{mark}", help=_known(design))
            st.caption(design.about)
            if name != chosen and st.button("Choose", key=f"{key}-feed-{name}"):
                _choose_feed(arm, name)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(f"**{_title(chosen)}: its settings**")
        feed_parameters(arm, key)
    with right:
        sample_slate(arm)


def _choose_feed(arm: Tables, name: str) -> None:
    arm["design"]["feed"] = name
    st.rerun()


def feed_parameters(arm: Tables, key: str) -> None:
    """Sliders for the parameters of the chosen feed; a value that equals the default is not written down."""
    name, _, told = arm["design"]["feed"].partition(":")
    if name not in FEEDS:
        return
    kept = dict(arm["feed"].get(name, {}))
    if told:  # "weighted:recency=1": as a table, so that sliders and file say the same
        kept |= dict(setting.split("=", 1) for setting in told.split(",") if "=" in setting)
        arm["design"]["feed"] = name
    parameters = fields(FEEDS[name])
    if not parameters:
        st.caption("This feed has no settings.")
    values = {f.name: _slider(f, kept.get(f.name, f.default), f"{key}-{name}") for f in parameters}
    changed = {f.name: values[f.name] for f in parameters if values[f.name] != f.default}
    arm["feed"] = {name: changed} if changed else {}


def _slider(parameter: Field[Any], value: Any, key: str) -> float:
    low, high = _range(parameter.name, float(parameter.default))
    value = float(value)
    return float(
        st.slider(
            _title(parameter.name), min(low, value), max(high, value), value, (high - low) / 60 if high < 20 else 0.5,
            key=f"{key}-{parameter.name}", help=_comment(parameter.name),
        )
    )  # fmt: skip


def _range(name: str, default: float) -> tuple[float, float]:
    """A slider's ends: hours from 1, a designer's weights to both sides of 0, all else up to four times the default."""
    if name in ("half_life", "hours"):
        return 1.0, 96.0
    if name in ("recency", "popularity", "similarity", "tie", "toxicity", "novelty", "taste", "reply"):
        return -3.0, 6.0 if default > 2 else 3.0
    return (0.0, 4 * default) if default > 0 else (-3.0, 3.0)


def _comment(name: str) -> str | None:
    known = {
        "half_life": "Hours after which a post's lead is halved", "hours": "Age that ten times the votes make up for",
        "toxicity": "Below 0, rude posts sink", "novelty": "Above 0, posts that nobody has seen yet rise",
        "tie": "Authors whom the reader follows", "similarity": "Posts near the reader's interests",
        "prior": "Impressions' worth of average opinion that every post starts with",
    }  # fmt: skip
    return known.get(name)


def sample_slate(arm: Tables) -> None:
    """The sample as the chosen feed ranks it now."""
    try:
        feed = make_feed(arm["design"]["feed"], arm["feed"].get(arm["design"]["feed"], {}))
    except SimulacraError as error:
        say.mistake(error)
        return
    st.markdown("**What this does to a sample of ten posts**", help="Made-up posts, ranked by the feed's own code for one reader. "
                "Arrows: places won or lost against newest first.")  # fmt: skip
    cells = "".join(_sample(place, post, moved) for place, (post, moved) in enumerate(preview.ranked(feed), 1))
    st.html(f'<div class="sim-slate">{cells}</div>')


def _sample(place: int, post: preview.Sample, moved: int) -> str:
    chips = [say.chip(f"{post.hours:g} h old"), say.chip(f"▲{post.up} ▼{post.down}"), say.chip(f"{post.replies} replies")]
    chips += [say.chip("your topic", look.POSITIVE)] if post.liked else []
    chips += [say.chip("you follow the author", look.BASELINE)] if post.friend else []
    chips += [say.chip(f"toxic {post.toxicity:.2f}", look.TOXIC)] if post.toxicity > 0.5 else []
    arrow = f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else "·"
    return f'<div>{place}</div><div>{say.esc(post.title)}<br>{"".join(chips)}</div><div class="sim-quiet">{arrow}</div>'


# -- moderation ------------------------------------------------------------------------------------------------------------


def moderation_cards(arm: Tables, key: str) -> None:
    """Cards of all moderation designs to switch on and off, with their parameters; they act in the order of the list."""
    chosen = list(arm["design"]["moderation"])
    cards = st.columns(2)
    for place, (name, design) in enumerate(POLICIES.items()):
        with cards[place % 2], st.container(border=True):
            on = st.toggle(f"**{_title(name)}**", name in chosen, key=f"{key}-on-{name}", help=_known(design))
            st.caption(design.about)
            if on:
                chosen = chosen if name in chosen else [*chosen, name]
                with st.popover("Settings", icon=":material/tune:"):
                    policy_parameters(arm, name, key)
            elif name in chosen:
                chosen.remove(name)
    arm["design"]["moderation"] = chosen
    arm["moderation"] = {name: table for name, table in arm["moderation"].items() if name in chosen}
    if not chosen:
        st.caption("No moderation: every post stays.")


def policy_parameters(arm: Tables, name: str, key: str) -> None:
    """Inputs for a moderation design's parameters; a value that equals the default is not written down."""
    kept = arm["moderation"].get(name, {})
    parameters = [f for f in fields(POLICIES[name]) if f.init]
    if not parameters:
        st.caption("This design has no settings.")
    values = {f.name: _input(f, kept.get(f.name, f.default), f"{key}-{name}-{f.name}") for f in parameters}
    changed = {f.name: values[f.name] for f in parameters if values[f.name] != _plain(f.default)}
    arm["moderation"] = {**{k: v for k, v in arm["moderation"].items() if k != name}, **({name: changed} if changed else {})}


def _input(parameter: Field[Any], value: Any, key: str) -> Any:
    title = _title(parameter.name)
    if isinstance(parameter.default, bool):
        return st.checkbox(title, bool(value), key=key)
    if isinstance(parameter.default, tuple):
        lines = st.text_area(title, "\n".join(value), key=key, help="One a line")
        return [line.strip() for line in lines.splitlines() if line.strip()]
    if isinstance(parameter.default, float | int):
        return float(st.number_input(title, min_value=0.0, value=float(value), key=key))
    return st.text_input(title, str(value), key=key)


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


# -- rules -----------------------------------------------------------------------------------------------------------------


def rule_meanings(rules: list[str]) -> list[str]:
    """For each rule what it was taken to mean, in words; a rule that nothing models says so."""
    found: dict[int, list[str]] = {}
    for kind, number in rule_of_kind(rules).items():
        found.setdefault(number, []).append(KIND_WORDS.get(KINDS[kind], KINDS[kind]))
    return [_meaning(found.get(number, []), rules, number) for number in range(1, len(rules) + 1)]


def _meaning(kinds: list[str], rules: list[str], number: int) -> str:
    if kinds:
        return "forbids " + " and ".join(kinds)
    if rule_of_kind([rules[number - 1]]):
        return "says again what an earlier rule says"
    return "not modelled: nothing in a run depends on it"


# -- words -----------------------------------------------------------------------------------------------------------------


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _known(design: Callable[..., Any]) -> str | None:
    """What the field knows of a design: its own docstring, where it says more than its signature."""
    words = " ".join((inspect.getdoc(design) or "").split()).replace("`", "")
    return (
        None
        if not words or words.startswith((f"{getattr(design, '__name__', '')}(", "A feed that is a score"))
        else say.md(words)
    )


def describe(arm: Mapping[str, Any]) -> str:
    """An arm in a few words: "engagement feed; automod, human review"."""
    names = ", ".join(name.replace("_", " ") for name in arm["design"]["moderation"]) or "no moderation"
    return f"{arm['design']['feed'].partition(':')[0].replace('_', ' ')} feed; {names}"
