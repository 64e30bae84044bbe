"""What a community without a bank of its own is about: one of the common subjects that the package has lines on, if any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from simulacra.community import Community
from simulacra.minds.data import subject_banks

ENOUGH = 2
"""Different words of a subject that must be there: one alone ("recipes" for glazes, "clubs" for chess) says nothing."""


def subject_of(community: Community) -> Mapping[str, Any]:
    """The subject most of whose words stand in a community's name, goal and topics; {} where none has two or two have equally many."""
    text = " ".join((community.name, community.goal[:2_000], *community.topics))
    counts = [sum(bool(word.search(text)) for word in words) for words in _patterns()]
    best = max(counts, default=0)
    return subject_banks()[counts.index(best)] if best >= ENOUGH and counts.count(best) == 1 else {}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], ...]:
    return tuple(tuple(re.compile(rf"\b(?:{word})\b", re.IGNORECASE) for word in s["words"]) for s in subject_banks())
