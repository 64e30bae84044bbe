"""Personas as a language model is told of them: a population's arrays and a designer's sketches put into words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from simulacra.minds.prompts import Persona
from simulacra.people.sketches import read_sketch

if TYPE_CHECKING:
    from simulacra.community import Community
    from simulacra.minds.personapool import PersonaPool
    from simulacra.persona import Population
    from simulacra.streams import Streams

_AGE = re.compile(r"^(?:aged? |about |around )?\d{2}(?:[- ]years?[- ]old| ?yo)?$|\b\d{2}[- ]years?[- ]old\b")
_TYPING = re.compile(
    r"\b(?:writes?|types?|sentences|bursts|paragraphs|capitals?|caps|emojis?|exclamation|punctuation|one-liners?|lower-?\s?case)\b",
    re.I,
)
_TEMPER = (
    ("agreeableness", "warm", "sharp-tongued"), ("neuroticism", "easily worried", "hard to rattle"),
    ("extraversion", "talkative", "reserved"), ("openness", "curious", "set in their ways"),
    ("conscientiousness", "exact", "careless"),
)  # fmt: skip
_STRIKING = 1.2
"""z score beyond which a trait is worth a word."""


class Roles:
    """The members of one community in words. pool: what a model made of the sketches (`personapool`), None for the sketches alone."""

    def __init__(self, community: Community, pool: PersonaPool | None = None) -> None:
        self._natures = [sketch_nature(sketch.sketch) for sketch in community.personas]
        self._pool = pool

    def persona(self, people: Population, who: int, streams: Streams) -> Persona:
        """Who that persona is. Work and age are its own; interests and temper come from its sketch or its pool entries."""
        sketch = int(people.sketch[who])
        told = self._pool.nature(sketch, who, streams) if self._pool is not None else ""
        nature = "; ".join(filter(None, [told or self._natures[sketch], temper(people, who)]))
        return Persona(
            str(people.handle[who]), int(people.age[who]), str(people.work[who]) or "no occupation given", nature,
            manner(people, who), str(people.bio[who]),
        )  # fmt: skip


@lru_cache(maxsize=4096)
def sketch_nature(sketch: str) -> str:
    """What a sketch says of interests and temper: without its age, its work and how it types, which each persona has of its own."""
    reading = read_sketch(sketch)
    rest = [
        p
        for p in reading.parts
        if not _AGE.search(p.lower()) and not _TYPING.search(p) and (not reading.work or reading.work not in p)
    ]
    return ", ".join(rest)


def temper(people: Population, who: int) -> str:
    """The persona's most striking trait in a word or two; "" for average people."""
    scores = [float(getattr(people, name)[who]) for name, _, _ in _TEMPER]
    at = int(np.argmax(np.abs(scores)))
    words = "quick to anger" if people.irritability[who] > 0.75 else ""
    if abs(scores[at]) > _STRIKING:
        words = ", ".join(filter(None, [_TEMPER[at][1 if scores[at] > 0 else 2], words]))
    return words


def manner(people: Population, who: int) -> str:
    """How the persona types; "" for as most people do."""
    capitals, marks, emoji = (float(getattr(people, name)[who]) for name in ("capitals", "punctuation", "emoji"))
    told = [
        "all lower case" if capitals < 0.15 else "single words in CAPITALS for stress" if capitals > 0.8 else "",
        "hardly any punctuation" if marks < 0.25 else "exclamation marks and dots ..." if marks > 0.75 else "",
        "an emoji" if emoji > 0.35 else "",
    ]
    return ", ".join(filter(None, told))


def length(people: Population, who: np.ndarray, is_reply: np.ndarray, step: int, revision: int, streams: Streams) -> np.ndarray:
    """About how many words each author feels like writing [m], 4 to 90: lognormal around 8 to 40 by verbosity, a third more to open
    a thread. Medians of 12 to 16 words and a p90 of 23 to 50 were found in comments of two forums (docs/odd.md)."""
    middle = 8 * 5.0 ** people.verbosity[who].astype(np.float64) * np.where(is_reply, 1.0, 1.35)
    return np.clip(middle * np.exp(0.4 * streams.normal("length", step, revision, who)), 4, 90).astype(np.int64)
