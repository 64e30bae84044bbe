"""A community as its designer writes it (TOML) and as the program holds it: name, goal, rules, topics, sketches, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sketch:
    """A designer's one-line description of a kind of member."""

    sketch: str
    name: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Community:
    """Everything that a community file says, checked. Equal communities give equal runs: no paths, no clocks in here."""

    slug: str
    name: str
    goal: str
    rules: tuple[str, ...]
    topics: tuple[str, ...]
    personas: tuple[Sketch, ...]
    feed: str = "hot"
    moderation: tuple[str, ...] = ()
    feed_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    moderation_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    voices: Mapping[str, Any] = field(default_factory=dict)  # parsed phrase bank, {} where the community has none
