"""What a community without a bank of its own is about: one of the common subjects that the package has lines on, if any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from simulacra.minds.data import subject_banks


def subject_of(topic: str, goal: str) -> Mapping[str, Any]:
    """The subject whose words stand most often in a topic's name or, if none does, in the goal; {} for none."""
    return _most(topic) or _most(goal[:2_000])


def _most(text: str) -> Mapping[str, Any]:
    found = [(len(pattern.findall(text)), -at) for at, pattern in enumerate(_patterns())]
    count, at = max(found)
    return subject_banks()[-at] if count else {}


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b(?:{'|'.join(subject['words'])})\b", re.IGNORECASE) for subject in subject_banks())
