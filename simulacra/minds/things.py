"""What posts are about: things, what they are called, and where they come from when no bank names any."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from simulacra.community import Community
from simulacra.people.phrases import ends_phrase, goal_phrases, is_somebody, loves, who_is_there


class Thing(NamedTuple):
    """Something that posts are about, and how it is called."""

    long: str  # as first mentioned
    shorts: tuple[str, ...]  # as it is called after that, the usual name several times
    pronouns: tuple[str, str, str, str]  # for it, they, there, to_there
    mark: int  # a hash of its name, by which personas keep to what they think of it
    verbs: tuple[str, ...]  # for is, was, has, does and the s of other verbs, as they stand with it
    is_counted: bool = False  # many, or one of many: nothing that one does or has in general, such as "sleep" or "weeding"


def make_thing(entry: str, is_place: bool) -> Thing:
    long, _, short = entry.partition(" > ")
    it, they = ("them", "they") if _is_plural(long) else ("it", "it")
    return Thing(
        long,
        _names(short or long),
        (it, they, "there" if is_place else f"at {it}", "there" if is_place else f"to {it}"),
        crc32(long.encode()),
        verbs_with(long),
        not _is_doing(long),
    )


def _is_doing(noun: str) -> bool:
    """Whether a noun stands for something in general: one that is neither many nor has an article, or a gerund."""
    head = _HEAD.split(noun, maxsplit=1)[0].split()[-1].lower()
    is_name = noun[:1].isupper()
    return head.endswith("ing") or not (is_name or _is_plural(noun) or noun.split()[0].lower() in _DETERMINERS)


@lru_cache(maxsize=4096)
def verbs_with(noun: str) -> tuple[str, ...]:
    """is, was, has, does and the ending of other verbs, as they stand with the noun."""
    return ("are", "were", "have", "do", "") if _is_plural(noun) else ("is", "was", "has", "does", "s")


def _names(short: str) -> tuple[str, ...]:
    """What people call a thing that has been named: "the teen shelf", now and then "the shelf"; proper names have no other form."""
    words = short.split()
    if words[0] != "the" or len(words) < 3 or not all(word.isalpha() and word.islower() for word in words):
        return (short,)
    return (short,) * 5 + (f"the {words[-1]}",)


_HEAD = re.compile(r"(?<=\w) (?:with|of|from|on|in|at|for|that|by|between|to|near|behind|past)\b")


def _is_plural(noun: str) -> bool:
    """By its last word before a preposition; names and what has an article count as one."""
    last = _HEAD.split(noun, maxsplit=1)[0].split()[-1].lower()
    if not noun[:1].islower() and " " not in noun.strip():
        return False
    if noun.startswith(("a ", "an ", "that ", "this ", "what ", "how ")):
        return False
    return last in _PLURAL or (last.endswith("s") and last[-2:] not in ("ss", "'s", "us", "is") and last not in _SINGULAR)


_PLURAL = frozenset("people children men women mice feet teeth geese police staff kids".split())  # noqa: SIM905
_SINGULAR = frozenset(
    "news series maths physics economics politics ethics gymnastics athletics mathematics statistics acoustics linguistics "  # noqa: SIM905
    "electronics ceramics logistics lens bias gas atlas canvas christmas species".split()
)
"""Words that end like plurals and stand with "is"."""


_READ = 2_000
"""Characters of a goal or sketch that are searched for things: nobody describes a community in more."""


def found_things(topic: str, community: Community) -> list[Thing]:
    """What posts on a topic are about where no bank says so: the topic itself, phrases of the community's own texts that share
    a word with it, and the other phrases. Each thing stands in the list as often as it is to be talked about."""
    goal = community.goal[:_READ]
    fond = (found for persona in community.personas for found in loves(persona.sketch[:_READ]))
    told = (
        *(phrase for phrase, is_place in goal_phrases(goal) if not is_place),
        *(phrase for phrase, weight in fond if weight > 1),
    )
    named, members = {_bare(t) for t in community.topics}, who_is_there(goal)
    phrases = [p for p in dict.fromkeys(told) if _bare(p) not in named and not is_somebody(p, members)]
    stems = {_stem(word) for word in topic.split()}
    others = [t for t in community.topics if t != topic]
    near = [p for p in phrases if p != topic and p not in others and stems & {_stem(word) for word in p.split()}]
    far = [p for p in phrases if p not in near and p != topic and p not in others]
    weighted = [topic] * (2 + len(near)) + near * 2 + far
    written = told_by(community)
    return [make_thing(with_article(clean(thing), written), is_place=False) for thing in weighted]


def told_by(community: Community) -> str:
    """All that a designer wrote, as far as it is searched for things."""
    return " ".join((community.goal, *community.rules, *(p.sketch for p in community.personas)))[: 4 * _READ]


@lru_cache(maxsize=1024)
def with_article(phrase: str, told: str) -> str:
    """The phrase as a post would name it: a name given to it left out ("starter called Boris"), with "the" where the text that it
    comes from has an article before it ("book the kiln", "a toaster oven")."""
    phrase = phrase.split(" called ")[0].split(" named ")[0]
    if phrase.split()[0].lower() in _DETERMINERS or _is_plural(phrase) or (phrase.istitle() and " " not in phrase):
        return phrase
    article = rf"\b(?:an?|the|one|this|that|every|each|which|his|her|their|your|our|my|own) (?:[\w-]+ )?{re.escape(phrase)}\b"
    ends = (told[match.end() :].split(maxsplit=1)[:1] for match in re.finditer(article + r"(?!s\b)", told, re.IGNORECASE))
    return f"the {phrase}" if any(not end or ends_phrase(end[0]) for end in ends) else phrase  # not "a CHESS club"


_DETERMINERS = frozenset("the a an my our your their his her its this that these those some any".split())  # noqa: SIM905


@lru_cache(maxsize=8192)
def clean(text: str, most: int = 60) -> str:
    """Text from outside as part of one sentence: printable, one line, at most that many characters; "it" if nothing is left."""
    return " ".join("".join(c for c in text[: 4 * most] if c.isprintable()).split())[:most].strip() or "it"


def _bare(phrase: str) -> str:
    """A key for a thing: lower case, without article and plural."""
    return phrase.lower().removeprefix("the ").removesuffix("s")


def _stem(word: str) -> str:
    return word.lower().rstrip("s")[:6]
