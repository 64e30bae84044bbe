"""What the package says of its own: the general phrase bank, and how personas put things. Parsed once a process."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any


@cache
def general_bank() -> Mapping[str, Any]:
    """The parsed general bank (60 ms)."""
    return _load("general.voices.toml")


@cache
def manner_bank() -> Mapping[str, Any]:
    """Parsed pet phrases, emoji and misspellings."""
    return _load("manner.toml")


@cache
def violation_bank() -> Mapping[str, Any]:
    """Parsed lines that break rules, by kind, and under "topics" the words that tell which talk tempts people to which kind."""
    return _load("violations.toml")


@cache
def subject_banks() -> Sequence[Mapping[str, Any]]:
    """Parsed lines on common subjects, for communities without a bank of their own."""
    return tuple(_load("subjects.toml")["subjects"])


@cache
def news_bank() -> Mapping[str, Any]:
    """Parsed lines in which people pass news on, by kind of news."""
    return _load("news.toml")


def _load(name: str) -> Mapping[str, Any]:
    return tomllib.loads((resources.files("simulacra") / "data" / name).read_text(encoding="utf-8"))
