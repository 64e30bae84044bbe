"""A small, real simulation for tests: the pittsburgh community, its voices, the sketch writer, the lexical scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from simulacra.behaviour import Behaviour
from simulacra.community import Community, load_community
from simulacra.feeds import make_feed
from simulacra.minds.sketch import SketchWriter
from simulacra.moderation import POLICIES, make_policies
from simulacra.people.population import grow
from simulacra.persona import Population
from simulacra.record.recording import MemoryRecorder
from simulacra.scoring.lexical import LexicalScorer
from simulacra.scoring.semantic import topic_affinity
from simulacra.simulation import Arm, Simulation, unit_rows
from simulacra.streams import Streams


@cache
def community() -> Community:
    return load_community("pittsburgh")


@cache
def population(personas: int, seed: int, newcomers: float = 0.05) -> Population:
    return grow(community(), personas, Streams(seed), 3, newcomers, topic_affinity(community(), use_model=False))


@cache
def writer() -> SketchWriter:
    return SketchWriter(community())


def arm(
    feed: str = "hot", moderation: Sequence[str] = (), behaviour: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> Arm:  # fmt: skip
    return Arm(
        community(), make_feed(feed), make_policies(list(moderation), parameters), Behaviour().with_settings(behaviour or {})
    )


def simulation(design: Arm | None = None, personas: int = 80, seed: int = 1) -> Simulation:
    """Not yet burnt in."""
    people = population(personas, seed)
    labels = {"topics": community().topics, "policies": tuple(POLICIES)}
    vectors = unit_rows(topic_affinity(community(), use_model=False).topics)
    return Simulation(
        people, design or arm(), writer=writer(), scorer=LexicalScorer(), streams=Streams(seed), recorder=MemoryRecorder(people, labels),
        topic_vectors=vectors, policy_names=tuple(POLICIES),
    )  # fmt: skip


@cache
def past(personas: int = 80, seed: int = 1) -> Simulation:
    """A burnt-in simulation under the neutral design, to fork from and never to play on."""
    root = simulation(Arm.neutral(community(), Behaviour()), personas, seed)
    root.burn_in()
    return root


def played(design: Arm | None = None, days: int = 1, personas: int = 80, seed: int = 1) -> Simulation:
    """An arm, forked from the common past and played."""
    root = past(personas, seed)
    fork = root.fork(design or arm(), root.recorder.fork())
    fork.play(days)
    return fork
