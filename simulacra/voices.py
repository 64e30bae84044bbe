"""The shape of a phrase bank (docs/voices.md): reads a `<slug>.voices.toml` and refuses what the sketch mind could not use."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulacra.checks import check_keys, content_hash, fail, nearest, read_toml, shown, table, text, texts

TOPIC_LISTS = ("things", "aspects", "facts", "praise", "gripes", "stories", "tips")
ACT_LISTS = (
    "share_open", "share_close", "ask_open", "ask_close", "answer_open", "agree", "disagree", "joke", "vent", "thank",
    "promote", "insult", "off_topic", "up", "down",
    # the general bank sorts its rude lines by which kind of scorer sees them
    "insult_both", "insult_lexical", "insult_semantic", "insult_neither", "rude_harmless",
    # reactions by what the answered post did, and short words in front of them
    "agree_head", "agree_praise", "agree_gripe", "agree_story", "agree_tip", "agree_fact", "disagree_head", "disagree_praise",
    "disagree_gripe", "disagree_story", "disagree_tip", "disagree_fact", "object_head", "thank_head", "thank_take", "thank_share",
    "thank_back",
    "agree_ask", "disagree_ask", "thank_ask", "vent_reply", "up_after", "down_after", "told_after", "off_after",
    # lines that break a rule (data/violations.toml has general ones), and what is said to those who do
    "harassment", "harassment_open", "politics", "medical_advice", "medical_advice_open", "misinformation", "low_effort",
    "low_effort_open", "spoiler", "personal_data", "preaching", "object",
)  # fmt: skip
SLOTS = ("thing", "other", "aspect", "topic", "when", "who")
"""Slots that every line may use (`when` and `who` fall back on the general bank); the lists under [words] add theirs."""

MAX_LINES, MAX_LINE = 2_000, 400
_SLOT = re.compile(r"\{(.*?)\}")
_NESTED = re.compile(r"\[[^\]]*\[")
_LONE = re.compile(r"\[[^\]|]*\]")


def read_voices(path: Path, topics: Iterable[str] | None = None) -> dict[str, Any]:
    """The checked bank: {"words": {slot: [...]}, "topics": [{"name", ...}], "acts": {...}}.

    topics: the community's topics, whose names those of the bank must be; None for the general bank. Lists that a bank leaves
    out are simply absent. Raises CommunityError naming file, key and what to do.
    """
    where = shown(path)
    return check_voices(read_toml(path, where), where, topics)


def read_voices_text(toml: str, where: str, topics: Iterable[str] | None = None) -> dict[str, Any]:
    """`read_voices` of a file's text."""
    return check_voices(tomllib.loads(toml), where, topics)


def check_voices(raw: Mapping[str, Any], where: str, topics: Iterable[str] | None = None) -> dict[str, Any]:
    """The bank, cleaned; raises CommunityError where it breaks the format."""
    check_keys(where, raw, ("words", "topics", "acts"))
    words = {
        key: _words(where, f"words.{key}", entries) for key, entries in table(where, "words", raw.get("words", {})).items()
    }
    slots = {*SLOTS, *words}
    acts = table(where, "acts", raw.get("acts", {}))
    check_keys(where, acts, ACT_LISTS, "acts.")
    known = None if topics is None else tuple(topics)
    entries = raw.get("topics", [])
    if not isinstance(entries, list):
        fail(where, "topics must be tables. Write [[topics]] before each.")
    checked = [_topic(where, f"topics[{i}]", table(where, f"topics[{i}]", t), slots, known) for i, t in enumerate(entries, 1)]
    return {
        "words": words,
        "topics": checked,
        "acts": {key: _lines(where, f"acts.{key}", lines, slots) for key, lines in acts.items()},
    }


def voices_digest(voices: Mapping[str, Any]) -> str:
    """A hash of what a bank says, whatever the order of its tables; "" for no bank."""
    return content_hash(json.dumps(voices, sort_keys=True, ensure_ascii=False)) if voices else ""


def _topic(where: str, at: str, raw: Mapping[str, Any], slots: set[str], known: tuple[str, ...] | None) -> dict[str, Any]:
    check_keys(where, raw, ("name", "asks", "answers", *TOPIC_LISTS), f"{at}.")
    name = text(where, f"{at}.name", raw.get("name", ""), 80)
    if known is not None and name not in known:
        fail(where, f"{at}.name is {name!r}, which is no topic of the community. {nearest(name, known)}")
    topic: dict[str, Any] = {"name": name}
    for key in TOPIC_LISTS:
        if key in raw:
            is_words = key in ("things", "aspects")
            topic[key] = _words(where, f"{at}.{key}", raw[key]) if is_words else _lines(where, f"{at}.{key}", raw[key], slots)
    for part in ("asks", "answers"):
        lists = table(where, f"{at}.{part}", raw.get(part, {}))
        topic[part] = {key: _lines(where, f"{at}.{part}.{key}", lines, slots) for key, lines in lists.items()}
    for key in topic["asks"]:
        if key not in topic["answers"]:
            fail(where, f"{at}.asks.{key} has no answers. Add {at}.answers.{key} or rename the list.")
    return topic


def _words(where: str, key: str, value: object) -> list[str]:
    entries = list(texts(where, key, value, MAX_LINES, 120))
    for i, entry in enumerate(entries, 1):
        if "{" in entry or "[" in entry:
            fail(where, f"{key}[{i}] is {entry!r}: words hold no slots or brackets. Write it out.")
    return entries


def _lines(where: str, key: str, value: object, slots: set[str]) -> list[str]:
    lines = list(texts(where, key, value, MAX_LINES, MAX_LINE))
    for i, line in enumerate(lines, 1):
        problem = line_mistake(line, slots)
        if problem:
            fail(where, f"{key}[{i}] ({line[:50]}): {problem}")
    return lines


def line_mistake(line: str, slots: set[str]) -> str:
    """What is wrong with a line, "" if nothing."""
    for slot in _SLOT.findall(line):
        if slot not in slots:
            return f"unknown slot {{{slot}}}. {nearest(slot, slots)}"
    if line.count("{") != line.count("}") or line.count("[") != line.count("]") or _NESTED.search(line):
        return "brackets do not match or are nested. Close each [ and { once; alternatives do not nest."
    if _LONE.search(line):
        return "brackets without | hold no alternatives. Write [one|other] or [maybe|]."
    return ""
