"""What posts are about: things, what they are called, and where they come from when no bank names any."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from simulacra.community import Community
from simulacra.people.phrases import noun_phrases


class Thing(NamedTuple):
    """Something that posts are about, and how it is called."""

    long: str  # as first mentioned
    shorts: tuple[str, ...]  # as it is called after that, the usual name several times
    pronouns: tuple[str, str, str, str]  # for it, they, there, to_there
    mark: int  # a hash of its name, by which personas keep to what they think of it


def make_thing(entry: str, is_place: bool) -> Thing:
    long, _, short = entry.partition(" > ")
    it, they = ("them", "they") if _is_plural(long) else ("it", "it")
    return Thing(
        long,
        _names(short or long),
        (it, they, "there" if is_place else f"at {it}", "there" if is_place else f"to {it}"),
        crc32(long.encode()),
    )


def _names(short: str) -> tuple[str, ...]:
    """What people call a thing that has been named: "the teen shelf", "that teen shelf"; proper names have no other form."""
    words = short.split()
    if words[0] != "the" or len(words) < 2 or not all(word.islower() for word in words):
        return (short,)
    bare = " ".join(words[1:])
    pointing = ("these", "those") if _is_plural(short) else ("this", "that")
    return (
        (short,) * 5
        + tuple(f"{word} {bare}" for word in pointing)
        + (("the " + bare.split()[-1],) if len(words) > 2 else (short,))
    )


_HEAD = re.compile(r"(?<=\w) (?:with|of|from|on|in|at|for|that|by|between|to|near|behind|past)\b")


def _is_plural(noun: str) -> bool:
    """By its last word before a preposition; names and what has an article count as one."""
    last = _HEAD.split(noun, maxsplit=1)[0].split()[-1]
    return (
        noun[:1].islower()
        and not noun.startswith(("a ", "an ", "that ", "this "))
        and last.endswith("s")
        and last[-2:] not in ("ss", "'s", "us")
    )


_FOND = re.compile(
    r"\b(?:loves?|likes|keeps|collects|into|obsessed with|grows|bakes|restores|builds|plays|paints|swears by|fan of|follows|"
    r"hates)\s+([^,;.]+)"
)
"""What a sketch says that its persona is fond of, or is not."""


_READ = 2_000
"""Characters of a goal or sketch that are searched for things: nobody describes a community in more."""


def found_things(topic: str, community: Community) -> list[Thing]:
    """What posts on a topic are about where no bank says so: the topic itself, phrases of the community's own texts that share
    a word with it, and the other phrases. Each thing stands in the list as often as it is to be talked about."""
    fond = [match[1] for persona in community.personas for match in _FOND.finditer(persona.sketch[:_READ])]
    phrases = list(dict.fromkeys(phrase for text in (community.goal[:_READ], *fond) for phrase in noun_phrases(text)))
    stems = {_stem(word) for word in topic.split()}
    others = [t for t in community.topics if t != topic]
    near = [p for p in phrases if p != topic and p not in others and stems & {_stem(word) for word in p.split()}]
    far = [p for p in phrases if p not in near and p != topic and p not in others]
    weighted = [topic] * (2 + len(near)) + near * 2 + far
    told = " ".join((community.goal[:_READ], *fond))
    return [make_thing(_with_article(clean(thing), told), is_place=False) for thing in weighted]


def _with_article(phrase: str, told: str) -> str:
    """The phrase as a post would name it: a name given to it left out ("starter called Boris"), with "the" where the text that it
    comes from counts it ("a toaster oven")."""
    phrase = phrase.split(" called ")[0].split(" named ")[0]
    one = re.search(rf"\b(?:an?|one|his|her|their|own) (?:\w+ )?{re.escape(phrase)}\b", told, re.IGNORECASE)
    return f"the {phrase}" if one and not _is_plural(phrase) else phrase


@lru_cache(maxsize=8192)
def clean(text: str, most: int = 60) -> str:
    """Text from outside as part of one sentence: printable, one line, at most that many characters; "it" if nothing is left."""
    return " ".join("".join(c for c in text[: 4 * most] if c.isprintable()).split())[:most].strip() or "it"


def _stem(word: str) -> str:
    return word.lower().rstrip("s")[:6]
