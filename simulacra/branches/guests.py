"""Somebody who was not there: a persona grown from one line, or a member told to speak, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from simulacra.behaviour import ACT_OF_KIND
from simulacra.community import Community, Sketch
from simulacra.errors import SpecError
from simulacra.events import ACTS
from simulacra.people.population import grow
from simulacra.people.sketches import read_sketch
from simulacra.persona import Population
from simulacra.platform import Members
from simulacra.scoring.semantic import TopicAffinity
from simulacra.seams import State
from simulacra.streams import Streams

LONGEST = 300
"""Characters of a description or of words that are put into a thread."""
VISITS_A_DAY = 4.0
"""A guest has come for this conversation: it opens the app at least so often, for as long as it is followed (assumption, ours)."""
MODERATOR = "moderator of this community, 40, patient, fair, calm, polite, writes in full sentences"

_ACTS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset(("hot",)), "insult"),
    (frozenset(("selling",)), "promote"),
    (frozenset(("contrarian", "superior", "blunt", "grumpy")), "disagree"),
    (frozenset(("sarcastic", "funny")), "joke"),
    (frozenset(("anxious", "sad", "tired")), "vent"),
    (frozenset(("curious",)), "ask"),
    (frozenset(("warm", "cheerful", "lawful")), "agree"),
)
"""What a described person does when nobody says: the first row whose temper its description has (assumption, ours)."""
_TROLLS = ("troll", "harasser", "bully", "hater")
_BREAKS = {ACTS[act]: kind for kind, act in ACT_OF_KIND.items()}


def widened(state: State, personas: int) -> State:
    """A checkpoint's state with room for one persona more, who has not been there. personas: how many it holds."""
    fresh = Members(_nobody())
    wider = dict(state)
    for name, array in state.items():
        column = name.removeprefix("members.")
        if name.startswith("mind.memory."):
            continue  # streams of those who remember, whoever they are
        if column != name:
            wider[name] = np.concatenate([array, getattr(fresh, column)])
        elif name == "platform.seen":
            wider[name] = np.concatenate([array, np.zeros_like(array[:1])])
        elif name.endswith(".items") and name.startswith("feed.") and len(array):
            wider[name] = np.insert(array, personas, 0, axis=0)  # factors of authors, then of topics (feeds.collaborative)
        elif name.startswith(("feed.", "policy.", "mind.")) and array.ndim and len(array) == personas:
            wider[name] = np.concatenate([array, np.zeros_like(array[:1])])  # what a part keeps of every persona
    return wider


def _nobody() -> Population:
    empty: dict[str, Any] = {field.name: np.zeros(1, np.float32) for field in fields(Population)}
    return Population(**empty)


def joined(population: Population, community: Community, sketch: str, topic: int, near: TopicAffinity, seed: int) -> Population:
    """The population and, last, a persona grown from that sketch, who is interested in that topic and what is near it."""
    only = replace(community, personas=(Sketch(sketch, "guest"),))
    taste = replace(near, sketches=near.topics[topic][None])
    guest = grow(only, 1, Streams(seed).derive(f"guest {sketch}"), similarity=taste)
    columns: Mapping[str, Any] = {
        "handle": np.array([_free(str(guest.handle[0]), population)], object),
        "sketch": np.array([len(community.personas)], guest.sketch.dtype),
        "activity": np.maximum(guest.activity, np.float32(VISITS_A_DAY)),
    }
    guest = replace(guest, **columns)
    both = {f.name: np.concatenate([getattr(population, f.name), getattr(guest, f.name)]) for f in fields(Population)}
    return Population(**both)


def with_sketch(community: Community, sketch: str) -> Community:
    """The community with one sketch more, of which nobody but the guest descends."""
    return replace(community, personas=(*community.personas, Sketch(sketch, "guest")))


def _free(handle: str, population: Population) -> str:
    taken = {str(name).lower() for name in population.handle}
    return next(name for name in (handle, *(f"{handle}{n}" for n in range(2, 10**6))) if name.lower() not in taken)


def member(population: Population, handle: str) -> int:
    """The persona of that screen name, or of that id. Raises SpecError where there is none."""
    name = handle.strip().removeprefix("@")
    found = np.flatnonzero(np.array([str(known).lower() == name.lower() for known in population.handle]))
    if len(found):
        return int(found[0])
    if name.isdecimal() and int(name) < len(population):
        return int(name)
    from difflib import get_close_matches

    close = get_close_matches(name, [str(known) for known in population.handle], n=1, cutoff=0.6)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise SpecError(f"No member called {name[:60]!r}.{hint} Give a screen name, or an id from 0 to {len(population) - 1}.")


def act_of(sketch: str, parent_act: str, said: str = "", toxicity: float = 0.0, valence: float = 0.0) -> str:
    """What a described person does: read from its words where it has some, else from its description and what it answers."""
    if said:
        if toxicity > 0.5:
            return "insult"
        if said.rstrip().endswith("?"):
            return "ask"
        return "answer" if parent_act == "ask" else "agree" if valence > 0.3 else "disagree" if valence < -0.1 else "share"
    low = sketch.lower()
    if any(word in low for word in _TROLLS):
        return "insult"
    tempers = set(read_sketch(sketch).tempers)
    own = next((act for found, act in _ACTS if tempers & found), "")
    if own in ("", "agree", "ask", "vent") and parent_act == "ask":
        return "answer"
    return own or ("answer" if parent_act in ("ask", "share") else "agree")


def truth_of(act: str) -> int:
    """Which kind of rule an act breaks by its nature, as an index into KINDS; 0 none."""
    return _BREAKS.get(act, 0)


def checked_act(act: str) -> str:
    """An act of events.ACTS. Raises SpecError for another word."""
    if act not in ACTS:
        raise SpecError(f"act = {act[:40]!r}: expected one of {', '.join(ACTS)}.")
    return act


def checked_words(what: str, text: str) -> str:
    """One line of at most LONGEST characters. Raises SpecError for more, or for nothing."""
    words = " ".join(text.split())
    if not words or len(words) > LONGEST:
        raise SpecError(f"{what}: {len(words)} characters, expected 1 to {LONGEST}. Write one line.")
    return words
