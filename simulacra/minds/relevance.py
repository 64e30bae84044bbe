"""Which kinds of violation the talk of a community's topics tempts people to: spoilers where there are stories, and so on."""

from __future__ import annotations

import re

import numpy as np

from simulacra.community import Community
from simulacra.events import KINDS
from simulacra.minds.data import violation_bank
from simulacra.seams import Bools

BOUND = ("politics", "medical_advice", "misinformation", "spoiler")
"""Kinds that depend on what is talked about; the words of data/violations.toml tell. All others are committed anywhere."""


def relevance(community: Community) -> Bools:
    """Which kinds talk of each topic invites [topics, KINDS]; True throughout for kinds that are not bound to a subject.

    A topic's name decides. Where no topic of the community has such a word its goal does, for all of them.
    """
    words = violation_bank()["topics"]
    found = np.ones((len(community.topics), len(KINDS)), bool)
    for kind in BOUND:
        told = re.compile(rf"\b(?:{'|'.join(words[kind])})\b", re.IGNORECASE)
        named = np.array([bool(told.search(topic)) for topic in community.topics])
        found[:, KINDS.index(kind)] = named if named.any() else bool(told.search(community.goal[:READ]))
    return found


READ = 2_000
"""Characters of a goal that are searched: nobody describes a community in more."""
