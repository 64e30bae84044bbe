"""For whom a design makes a difference: measures among kinds of members who are told apart before anything is compared.

    segment_values(frames)            -> {"toxicity_seen@newcomers": .08, ...}: every measure of SEGMENTED among each of SEGMENTS
    measure_named("toxicity_seen@newcomers")

Kinds rest on what a design cannot touch: the day of arrival and the home group, which the seed fixes, and what was written in the two
burn-in days, which both arms share. So both arms of a seed have the same members in each kind, and their differences are paired.
Measures among a kind count what these members wrote, read and did; a thread belongs to who opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from simulacra.analysis.catalogue import Measure
from simulacra.analysis.facts import Array, EventTables, Facts
from simulacra.analysis.measures import MEASURES

AT = "@"
HEAVY = 2
"""Posts in the two burn-in days from which on a member is a heavy writer: about the most active tenth."""


class Segment(NamedTuple):
    """A kind of members."""

    title: str
    about: str
    members: Callable[[Facts], Array]  # [personas] bool


def _old_hands(facts: Facts) -> Array:
    return facts.arrival < 0


def _wrote_before(facts: Facts) -> Array:
    """[personas] posts in the burn-in days."""
    return np.bincount(facts.posts.author[facts.posts.step < 0], minlength=facts.personas)


SEGMENTS: dict[str, Segment] = {
    "newcomers": Segment("newcomers", "arrive in the measured days", lambda f: f.arrival >= 0),
    "old_hands": Segment("old hands", "there from the beginning", _old_hands),
    "group:a": Segment("home group A", "of the first home group", lambda f: f.group == 0),
    "group:b": Segment("home group B", "of the second home group", lambda f: f.group == 1),
    "heavy_writers": Segment(
        "heavy writers", "old hands who wrote two posts or more in the burn-in days",
        lambda f: _old_hands(f) & (_wrote_before(f) >= HEAVY),
    ),
    "light_writers": Segment(
        "light writers", "old hands who wrote one post or none in the burn-in days",
        lambda f: _old_hands(f) & (_wrote_before(f) < HEAVY),
    ),
}  # fmt: skip
"""Kinds of members by name. Newcomers and old hands are everybody, so are the home groups, and so are heavy and light writers of
the old hands."""

SEGMENTED: tuple[str, ...] = (
    "toxicity_written", "toxicity_seen", "toxic_share", "toxic_seen_share", "uncivil_per_100", "uncivil_seen_per_100",
    "violations_per_100", "violations_seen_per_100", "valence_written", "valence_seen", "posts_per_persona", "writers_share",
    "replies_per_thread", "unanswered_share", "cross_group_seen", "visits_per_persona_day", "impressions_per_visit",
    "votes_per_100_impressions", "removals", "persona_churn",
)  # fmt: skip
"""Measures that are taken among kinds of members."""


def segment_values(tables: EventTables, scores: Mapping[str, Array] | None = None) -> dict[str, float]:
    """Every measure of SEGMENTED among every kind, as "measure@kind"; NaN where the kind is empty or has nothing to count.

    scores: of another scorer, as `Facts` takes them.
    """
    facts = Facts(tables, scores or {})
    found = {name: facts.among(segment.members(facts)) for name, segment in SEGMENTS.items()}
    return {f"{m}{AT}{name}": float(MEASURES[m].function(part)) for m in SEGMENTED for name, part in found.items()}


def is_measure(name: str) -> bool:
    """Whether a replicate has a value of that name: a measure, or one of SEGMENTED among a kind of members."""
    base, at, kind = name.partition(AT)
    return (base in SEGMENTED and kind in SEGMENTS) if at else name in MEASURES


def measure_named(name: str) -> Measure:
    """The measure of that name; among a kind of members its title says so."""
    base, at, kind = name.partition(AT)
    return replace(MEASURES[base], name=name, title=f"{MEASURES[base].title}, {SEGMENTS[kind].title}") if at else MEASURES[name]
