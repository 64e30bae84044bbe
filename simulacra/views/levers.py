"""Editing an arm: the feed with its settings and a sample slate, moderation designs with theirs, what rules were taken to mean.

What exists is read off the registries and the metadata of each design's fields, so a lever that is added to the program appears
here by itself. Editors take the arm as plain tables (`design`, `feed`, `moderation`, as in a community file), change them in
place, and write down only what differs from a default.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from typing import Any, get_args

import streamlit as st

from simulacra.community import MOST_KINDS, Meaning, Stance
from simulacra.errors import SimulacraError
from simulacra.events import KINDS
from simulacra.feeds import FEEDS, make_feed
from simulacra.moderation import POLICIES
from simulacra.parameters import settable
from simulacra.rules import described, propose
from simulacra.views import look, preview, say

Tables = dict[str, Any]

_COLUMNS = 3


# -- the feed --------------------------------------------------------------------------------------------------------------


def feed_cards(arm: Tables, key: str) -> None:
    """The chosen feed with its parameters and what it does to a sample slate, then cards of all feeds to choose from."""
    chosen = arm["design"]["feed"].partition(":")[0]
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(border=True):
            st.markdown(f"**{title(chosen)}**", help=known(FEEDS[chosen]) if chosen in FEEDS else None)
            st.caption(FEEDS[chosen].about if chosen in FEEDS else "A feed of your own.")
            feed_parameters(arm, key)
        st.markdown("**Choose another feed**")
        names = list(FEEDS)
        for row in range(0, len(names), 2):
            for column, name in zip(st.columns(2), names[row : row + 2], strict=False):
                with column, st.container(border=True, height="stretch", gap="xsmall"):
                    _feed_card(arm, name, name == chosen, key)
    with right, st.container(key="sample"):
        sample_slate(arm)


def _feed_card(arm: Tables, name: str, is_chosen: bool, key: str) -> None:
    st.markdown(f"**{title(name)}**", help=known(FEEDS[name]))
    st.caption(FEEDS[name].about)
    if is_chosen:
        st.badge("chosen", icon=":material/check:", color="primary")
    elif st.button("Choose", key=f"{key}-feed-{name}"):
        arm["design"]["feed"] = name
        st.rerun()


def feed_parameters(arm: Tables, key: str) -> None:
    """Inputs for the parameters of the chosen feed."""
    name, _, told = arm["design"]["feed"].partition(":")
    if name not in FEEDS:
        st.caption("A feed of your own: set its parameters in the file.")
        return
    kept = dict(arm["feed"].get(name, {}))
    if told:  # "weighted:recency=1": as a table, so that inputs and file say the same
        kept |= dict(setting.split("=", 1) for setting in told.split(",") if "=" in setting)
        arm["design"]["feed"] = name
    parameters = settable(FEEDS[name])
    if not parameters:
        st.caption("This feed has no settings.")
    if any(field.metadata.get("kind") == "shares" for field in parameters.values()):
        changed = _shares(kept, f"{key}-{name}")
    else:
        changed = _changed(parameters, kept, f"{key}-{name}", title(name))
    arm["feed"] = {name: changed} if changed else {}


def _shares(kept: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Shares of a mixture: a slider for each feed that is part of it."""
    shares = {name: float(value) for name, value in (kept or {"hot": 0.7, "random": 0.3}).items()}
    names = [name for name in FEEDS if name != "mix"]
    parts = st.multiselect(
        "Feeds in the mixture", names, [n for n in shares if n in names], format_func=title, key=f"{key}-parts"
    )
    return {name: st.slider(title(name), 0.0, 1.0, shares.get(name, 0.3), 0.05, key=f"{key}-{name}") for name in parts}


def sample_slate(arm: Tables) -> None:
    """The sample as the chosen feed ranks it now."""
    try:
        feed = make_feed(arm["design"]["feed"], arm["feed"].get(arm["design"]["feed"], {}))
    except SimulacraError as error:
        say.mistake(error)
        return
    told = "Made-up posts, ranked by the feed's own code for one reader. Arrows: places won or lost against newest first."
    st.markdown(f"**What {title(arm['design']['feed'].partition(':')[0])} does to ten sample posts**", help=told)
    cells = "".join(_sample(place, post, moved) for place, (post, moved) in enumerate(preview.ranked(feed), 1))
    st.html(f'<div class="sim-slate">{cells}</div>')


def _sample(place: int, post: preview.Sample, moved: int) -> str:
    chips = [
        say.chip(f"{post.hours:g} h old"),
        say.chip(f"▲{post.up} ▼{post.down}"),
        say.chip(say.count(post.replies, "reply", "replies")),
    ]
    chips += [say.chip("your topic", look.POSITIVE)] if post.liked else []
    chips += [say.chip("you follow the author", look.BASELINE)] if post.friend else []
    chips += [say.chip("the other home group", look.NEGATIVE)] if post.far else []
    chips += [say.chip(f"toxic {post.toxicity:.2f}", look.TOXIC)] if post.toxicity > 0.5 else []
    arrow = f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else "·"
    return f'<div>{place}</div><div>{say.esc(post.title)}<br>{"".join(chips)}</div><div class="sim-quiet">{arrow}</div>'


# -- moderation ------------------------------------------------------------------------------------------------------------


def moderation_cards(arm: Tables, key: str) -> None:
    """Cards of all moderation designs to switch on and off, with their parameters; they act in the order of the list."""
    st.caption("Switch on as many as you like; they act in the order in which they were switched on. None: every post stays.")
    names = list(POLICIES)
    for row in range(0, len(names), _COLUMNS):
        for column, name in zip(st.columns(_COLUMNS), names[row : row + _COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                _policy_card(arm, name, key)


def _policy_card(arm: Tables, name: str, key: str) -> None:
    chosen = arm["design"]["moderation"]
    on = st.toggle(f"**{title(name)}**", name in chosen, key=f"{key}-on-{name}", help=known(POLICIES[name]))
    st.caption(POLICIES[name].about)
    if on and name not in chosen:
        arm["design"]["moderation"] = [*chosen, name]
    if not on:
        arm["design"]["moderation"] = [other for other in chosen if other != name]
        arm["moderation"] = {other: table for other, table in arm["moderation"].items() if other != name}
    elif settable(POLICIES[name]):
        with st.popover("Settings", icon=":material/tune:"):
            policy_parameters(arm, name, key)


def policy_parameters(arm: Tables, name: str, key: str) -> None:
    """Inputs for a moderation design's parameters."""
    parameters = settable(POLICIES[name])
    if not parameters:
        st.caption("This design has no settings.")
    changed = _changed(parameters, arm["moderation"].get(name, {}), f"{key}-{name}", title(name))
    rest = {other: table for other, table in arm["moderation"].items() if other != name}
    arm["moderation"] = {**rest, **({name: changed} if changed else {})}


# -- parameters ------------------------------------------------------------------------------------------------------------


def _changed(parameters: Mapping[str, Field[Any]], kept: Mapping[str, Any], key: str, of: str) -> dict[str, Any]:
    """Inputs for the parameters; returns the values that differ from the defaults."""
    values = {name: _input(field, kept.get(name, field.default), f"{key}-{name}") for name, field in parameters.items()}
    return {name: value for name, value in values.items() if value != _plain(parameters[name].default)}


def _input(parameter: Field[Any], value: Any, key: str) -> Any:
    """The input that suits a parameter: its kind, unit, meaning and range come from its field."""
    meta, default = parameter.metadata, parameter.default
    label, about = _label(parameter)
    kind = meta.get("kind") or ("switch" if isinstance(default, bool) else "words" if isinstance(default, tuple) else "number")
    if kind == "switch":
        return st.checkbox(label, bool(value), key=key, help=about)
    if kind == "words":
        lines = st.text_area(f"{label}, one a line", "\n".join(value), key=key, help=about)
        return [line.strip() for line in lines.splitlines() if line.strip()]
    if kind == "feed":
        names = [name for name, feed in FEEDS.items() if "base" not in settable(feed) and name != "mix"]
        place = names.index(value) if value in names else 0
        return st.selectbox(label, names, place, format_func=title, key=key, help=about)
    if kind == "number" and default is not MISSING:
        return _slider(parameter, float(value), key)
    return st.text_input(label, str(value), key=key, help=about)


def _label(parameter: Field[Any]) -> tuple[str, str]:
    """What a parameter does, in words, with its unit; and its name in a file."""
    about, unit = str(parameter.metadata.get("about", "")), str(parameter.metadata.get("unit", ""))
    words = about[:1].upper() + about[1:] if about else title(parameter.name)
    return f"{words} ({unit})" if unit and len(unit) < 24 else words, f"`{parameter.name}` in a community's file"


def _slider(parameter: Field[Any], value: float, key: str) -> float | int:
    meta = parameter.metadata
    low, high = _range(_default(parameter), str(meta.get("unit", "")), meta)
    low, high = min(low, value), max(high, value)
    label, about = _label(parameter)
    if meta.get("whole"):
        return st.slider(label, int(low), int(high), int(value), key=key, help=about)
    step = 0.5 if high - low > 20 else 0.05 if high - low > 1 else 0.01
    return float(st.slider(label, low, high, value, step, key=key, help=about))


def _range(default: float, unit: str, meta: Mapping[str, Any]) -> tuple[float, float]:
    """A slider's ends: the parameter's own where it has them, else what a designer would try."""
    low, high = float(meta.get("low", 0.0)), float(meta.get("high", math.inf))
    if meta.get("above") is not None:
        low = max(low, float(meta["above"]) + (0.01 if default <= 1 else 0.5))
    wide = 96.0 if unit.startswith("hours") else max(3.0, 4 * abs(default))
    return (low if math.isfinite(low) else -wide), (high if math.isfinite(high) else wide)


def _default(parameter: Field[Any]) -> float:
    return float(parameter.default) if isinstance(parameter.default, int | float) else 0.0


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


# -- rules -----------------------------------------------------------------------------------------------------------------


def rule_meaning(rule: Mapping[str, Any], key: str) -> None:
    """What a rule was taken to mean, with buttons to confirm or correct it; `rule` is a table of `drafts.rule_tables`."""
    meaning = meaning_of(rule)
    is_confirmed = bool(rule.get("confirmed_by"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="sim-quiet">→ {say.esc(described(meaning))}</div>', width="content")
        if not is_confirmed and st.button(
            "Right", key=f"{key}-right", icon=":material/check:", type="tertiary", help="Confirm this meaning"
        ):
            confirm(rule, meaning)
            st.rerun()
        with st.popover("Change" if is_confirmed else "Not quite", type="tertiary"):
            _correct(rule, meaning, key)


def _correct(rule: Mapping[str, Any], meaning: Meaning | None, key: str) -> None:
    kinds = st.multiselect(
        "This rule is about", KINDS[1:], list(meaning.kinds) if meaning else [], format_func=_kind, max_selections=MOST_KINDS,
        key=f"{key}-kinds", placeholder="nothing that is modelled",
    )  # fmt: skip
    stances = get_args(Stance)
    stance = st.segmented_control(
        "and it", stances, default=meaning.stance if meaning else stances[0], key=f"{key}-stance", required=True
    )
    if st.button("Confirm", key=f"{key}-confirm", type="primary"):
        confirm(rule, Meaning(tuple(kinds), stance))
        st.rerun()


def confirm(rule: Any, meaning: Meaning | None) -> None:
    """Write into the rule's table what it means and who said so."""
    found = meaning or Meaning(())
    name = str(st.session_state.get("reviewer", "")).strip() or "the designer"
    rule.update(kinds=list(found.kinds), stance=found.stance, confirmed_by=name)


def unconfirm(rule: Any, words: str) -> None:
    """Give the rule other words; what was confirmed of the old ones is gone."""
    if words != rule["text"]:
        rule.clear()
        rule["text"] = words


def meaning_of(rule: Mapping[str, Any]) -> Meaning | None:
    """What was confirmed, else what cue words propose; None where they find nothing."""
    if rule.get("confirmed_by"):
        return Meaning(tuple(rule["kinds"]), rule["stance"], rule["confirmed_by"])
    return propose(rule["text"])


def _kind(name: str) -> str:
    return name.replace("_", " ")


# -- words -----------------------------------------------------------------------------------------------------------------


_TITLES = {"llm_moderator": "Language-model moderator", "pre_screen": "Pre-screen", "automod": "Automod (word filter)"}


def title(name: str) -> str:
    """A lever's or parameter's name as a heading."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def known(design: Callable[..., Any]) -> str | None:
    """What the field knows of a design; its own docstring where it does not say so apart. None where it says nothing."""
    told = getattr(design, "known", "") or inspect.getdoc(design) or ""
    words = " ".join(str(told).split()).replace("`", "")
    return None if not words or words.startswith((f"{design.__name__}(", "A feed that is a score")) else say.md(words, 1200)
