"""A small, real simulation for tests: the pittsburgh community, its voices, the sketch writer, the lexical scorer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from simulacra.behaviour import Behaviour
from simulacra.community import Community, load_community
from simulacra.feeds import make_feed
from simulacra.minds.sketch import SketchWriter
from simulacra.moderation import POLICIES, make_policies
from simulacra.news import News
from simulacra.people.population import grow
from simulacra.persona import Population
from simulacra.record.recording import MemoryRecorder
from simulacra.scoring.lexical import LexicalScorer
from simulacra.scoring.semantic import topic_affinity
from simulacra.seams import Answer, Prompt
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
    parameters: Mapping[str, Mapping[str, Any]] | None = None, news: Sequence[News] = (),
) -> Arm:  # fmt: skip
    known = replace(community(), news=tuple(news)) if news else community()
    return Arm(known, make_feed(feed), make_policies(list(moderation), parameters), Behaviour().with_settings(behaviour or {}))


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


class ScriptedGenerator:
    """A language model that says what a function makes of each prompt; keeps what it was asked."""

    name = "scripted"

    def __init__(self, say: Callable[[Prompt], str | Answer], chats: bool = True) -> None:
        self.say, self.chats = say, chats
        self.asked: list[Prompt] = []

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        self.asked += prompts
        return [self._one(self.say(prompt), fault) for prompt in prompts]

    @staticmethod
    def _one(said: str | Answer, fault: Callable[[str], str] | None) -> Answer:
        if isinstance(said, Answer):
            return said
        wrong = fault(said) if fault else ""
        return Answer("" if wrong else said, wrong, 300, 20, 1)


def json_post(prompt: Prompt) -> str:
    """An answer in the schema that differs from prompt to prompt."""
    return json.dumps({"text": f"I took the bus number {prompt.seed % 997} and it was fine by me"})
