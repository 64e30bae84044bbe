"""Phrase banks made ready to write from: lines that compile on first use, and where the lines of one part of a post come from.

A bank is data (docs/voices.md). A community's own bank is mixed with the general bank; a community without one lives on the general bank and
the phrases found in its goal, rules and sketches.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import count
from typing import Any, NamedTuple, Protocol

from simulacra.community import Community
from simulacra.phrases import find_topics
from simulacra.scoring.profanity import Profanity

THING, OTHER, ASPECT, TOPIC, WHO, WORK, AGE, HANDLE, IT, THEY, THERE, TO_THERE = range(12)
"""Slots that depend on the post; every other slot is a list of words. IT to TO_THERE are pronouns for the thing."""
_CONTEXT = {
    "thing": THING, "other": OTHER, "aspect": ASPECT, "topic": TOPIC, "who": WHO, "a_work": WORK, "age": AGE, "handle": HANDLE,
    "it": IT, "they": THEY, "there": THERE, "to_there": TO_THERE,
}  # fmt: skip

HAS_THING, HAS_WHO = 1, 2
HUSBAND, WIFE, GRANDCHILD, GRANDPARENT, RETIRED, STUDENT, HIS, HERS = (1 << bit for bit in range(2, 10))
_LIFE = {
    HUSBAND: r"\b(?:my|our) (?:\w+ )?(?:husband|boyfriend|hubby)\b",
    WIFE: r"\b(?:my|our) (?:\w+ )?(?:wife|girlfriend)\b",
    GRANDCHILD: r"\bgrand(?:son|daughter|kid|child|children|baby)",
    GRANDPARENT: r"\b(?:my|our) (?:\w+ )?(?:grandma|grandpa|grandmother|grandfather|nana|gran|granddad)\b",
    RETIRED: r"\bI(?:'m| am)? retired\b|\bmy (?:pension|retirement)\b",
    STUDENT: r"\bmy (?:dorm|thesis|professor|homework)\b|\bmy (?:senior|junior|sophomore|freshman) year\b",
    HIS: r"\b(?:as a|I'm a|I'm the|being a) (?:\w+ )?(?:dad|father|guy|man|husband)\b",
    HERS: r"\b(?:as a|I'm a|I'm the|being a) (?:\w+ )?(?:mom|mother|woman|wife)\b|\bmy (?:milk|c-section|boobs?|stitches|latch)\b"
    r"|\bI(?:'m| was|'ve been)? (?:pump(?:ed|ing)?|nurs(?:ed|ing)|breastf\w+)\b",
}
"""What a line says about the life of whoever writes it. A persona says only what is true of it."""
_ANY_LIFE = re.compile("|".join(_LIFE.values()), re.IGNORECASE)
_LIFE_PATTERNS = {bit: re.compile(pattern, re.IGNORECASE) for bit, pattern in _LIFE.items()}

_PIECE = re.compile(r"\[([^\]]*)\]|\{(\w+)\}")

Words = Mapping[str, Sequence[str]]
Dice = Iterator[int]
"""Random numbers of one post, each uniform on 0 .. 2^24-1."""
IDIOM_LANES = 12


class Idiom(NamedTuple):
    """A word that people put differently, each persona always in the same way. lane: which of its stable numbers decides."""

    options: tuple[str, ...]
    lane: int


class Writer(Protocol):
    """What a line needs to know of whoever says it."""

    @property
    def false(self) -> int:
        """Life bits that are not true of this persona."""

    @property
    def bits(self) -> Sequence[int]:
        """Stable random numbers, at least IDIOM_LANES."""


Part = str | int | Idiom | tuple[Any, ...]


def life_of(text: str) -> int:
    """Bits for what the text says about its writer's life; 0 for nothing."""
    if not _ANY_LIFE.search(text):
        return 0
    return sum(bit for bit, pattern in _LIFE_PATTERNS.items() if pattern.search(text))


_VERBS = (
    "was is were are had has have could can can't couldn't might may would will won't wouldn't should must did didn't does doesn't felt feels "
    "made makes left took takes came comes kept keeps cost costs saved ran runs went goes got gets gave gives turned turns looked looks "
    "worked works helped helps stayed stays sat sits changed changes beat beats deserved deserves needed needs opened closed "
    "started starts ended wants wanted seemed seems tasted smelled sounded sold sells broke breaks just never always really still only"
).split()
_AFTER = (
    "and or but for with in on at to again when if before after than until till by from because so as without once twice every last "
    "this since while alone first too instead over between during under yet anyway either though myself yourself ourselves now"
).split()
_NAMED = re.compile(
    r"(?<!\bthe )(?<!\ba )(?<!\ban )(?<!\bmy )(?<!\bour )(?<!\byour )(?<!\bthat )(?<!\bthis )(?<!\bother )(?<!-)"
    r"(?:\b(?P<where>at|to) )?\{thing\}"
    rf"(?:(?P<verb>(?= (?:{'|'.join(_VERBS)})\b))|(?=$|[,?!;:\]|]| (?:{'|'.join(_AFTER)})\b| \{{when\}}))"
)
"""A {thing} that a pronoun can stand for: not inside a noun phrase ("the {thing} ticket"), followed by a verb or the end of its clause."""


def again(raw: str) -> str | None:
    """The line with a pronoun for the thing, for posts that have named it; None where it has to be named.

    After "at" and "to" a place is "there"; before a verb the thing is "it" or "they", elsewhere "it" or "them".
    """
    replaced = _NAMED.sub(_pronoun, raw)
    return None if "{thing}" in replaced else replaced


def _pronoun(match: re.Match[str]) -> str:
    if match["verb"] is not None and match["where"] is None:
        return "{they}"
    return {"at": "{there}", "to": "{to_there}", None: "{it}"}[match["where"]]


class Line:
    """One line of a bank. `bits` says what it holds (HAS_*) and what it presumes about its writer; `key` is its number in the bank,
    modulo 4,096 so that three fit a memo."""

    __slots__ = ("_again", "_parts", "_raw", "_words", "bits", "key")

    def __init__(self, raw: str, key: int, words: Words) -> None:
        self._raw, self._words = raw, words
        self._parts: tuple[Part, ...] | None = None
        self._again: tuple[Part, ...] | None = None
        self.key = key & 4095
        # A line that offers alternatives presumes nothing: render() takes one that is true of the writer.
        self.bits = life_of(_PIECE.sub("", raw)) if "[" in raw else life_of(raw)
        if "{thing}" in raw:
            self.bits |= HAS_THING
        if "{who}" in raw:
            self.bits |= HAS_WHO

    def render(self, fill: Sequence[str], dice: Dice, writer: Writer) -> str:
        """The words. fill: text of each context slot."""
        parts = self._parts
        if parts is None:
            parts = self._parts = compile_line(self._raw, self._words)
        return _render(parts, fill, dice, writer)

    def render_again(self, fill: Sequence[str], dice: Dice, writer: Writer) -> str:
        """The words, with a pronoun for the thing where the sentence allows it."""
        parts = self._again
        if parts is None:
            parts = self._again = compile_line(again(self._raw) or self._raw, self._words)
        return _render(parts, fill, dice, writer)


def _render(parts: tuple[Part, ...], fill: Sequence[str], dice: Dice, writer: Writer) -> str:
    out = []
    for part in parts:
        kind = type(part)
        if kind is str:
            out.append(part)
        elif kind is int:
            out.append(fill[part])  # type: ignore[index]
        elif kind is Idiom:
            out.append(part.options[writer.bits[part.lane] % len(part.options)])  # type: ignore[union-attr]
        else:
            choice = part[next(dice) % len(part)]  # type: ignore[index,arg-type]
            if type(choice) is tuple:
                options, life = choice
                choice = _render(options, fill, dice, writer) if not life & writer.false else _other(part, fill, dice, writer)
            out.append(choice)
    return "".join(out)  # type: ignore[arg-type]


def _other(alternatives: Any, fill: Sequence[str], dice: Dice, writer: Writer) -> str:
    """The first alternative that is true of the writer, in place of one that is not."""
    for choice in alternatives:
        if type(choice) is str:
            return choice
        if not choice[1] & writer.false:
            return _render(choice[0], fill, dice, writer)
    return _render(alternatives[0][0], fill, dice, writer)


def compile_line(raw: str, words: Words) -> tuple[Part, ...]:
    """A line as literals, context slots (int), idioms and choices (tuples).

    A choice holds plain strings and, for alternatives that hold slots or speak of the writer's life, pairs (parts, life bits).
    A slot that nobody knows stays as it is written: a bank is data and never breaks a run.
    """
    parts: list[Part] = []
    end = 0
    for match in _PIECE.finditer(raw):
        parts += _idioms(raw[end : match.start()])
        end = match.end()
        if match[1] is not None:
            parts.append(tuple(_alternative(option, words) for option in match[1].split("|")))
        else:
            parts.append(_slot(match[2], match[0], words))
    parts += _idioms(raw[end:])
    return tuple(part for part in parts if part != "")


def _idioms(text: str) -> list[Part]:
    """Literal text, with an Idiom where a word is one that people put differently."""
    pattern, groups = idiolects()
    parts: list[Part] = []
    end = 0
    for match in pattern.finditer(text):
        parts += [text[end : match.start()], groups[match[0]]]
        end = match.end()
    return [*parts, text[end:]]


@cache
def idiolects() -> tuple[re.Pattern[str], Mapping[str, Idiom]]:
    """The words that people put differently, as one pattern, and the ways to put each."""
    groups: dict[str, Idiom] = {}
    for number, options in enumerate(manner_bank()["idiolect"]):
        groups[options[0]] = Idiom(tuple(options), number % IDIOM_LANES)
    for short, long in manner_bank()["contractions"].items():
        groups[short] = Idiom((short,) * 7 + (long,), 0)
    words = "|".join(re.escape(word) for word in sorted(groups, key=len, reverse=True))
    return re.compile(rf"(?<!\ba )(?<!\ban )\b(?:{words})\b(?!['-]| (?:I|you|we|they|he|she|it|there|this|that)\b)"), groups


def _alternative(option: str, words: Words) -> str | tuple[tuple[Part, ...], int]:
    life = life_of(option)
    if not life and "{" not in option:
        return option
    return compile_line(option, words), life


def _slot(name: str, written: str, words: Words) -> Part:
    if name in _CONTEXT:
        return _CONTEXT[name]
    entries = words.get(name)
    if not entries:
        return written
    return tuple(entry if not (life := life_of(entry)) else ((entry,), life) for entry in entries)


class Pool:
    """Where the lines of one part come from: the community's own list and the general one.

    share: chance that a line is the general bank's, where both have lines.
    """

    def __init__(self, own: Sequence[Line], general: Sequence[Line], share: float) -> None:
        self._lists = (own or general, general or own)
        self._about = tuple([line for line in lines if line.bits & HAS_THING] or lines for lines in self._lists)
        self._aside = tuple([line for line in lines if not line.bits & HAS_THING] or lines for lines in self._lists)
        self._threshold = int(share * 2**24)
        self.is_empty = not self._lists[0]

    def pick(self, dice: Dice, bar: int, used: set[int], about: bool | None = None) -> Line:
        """A line without any of the bits in `bar`, whose key is not in `used`, if a few tries find one.

        about: True for lines that name the thing, False for those that do not, where there are any; None for all. The pool must not
        be empty.
        """
        lists = self._lists if about is None else self._about if about else self._aside
        lines = lists[next(dice) < self._threshold]
        size = len(lines)
        for _ in range(8):
            line = lines[next(dice) % size]
            if not line.bits & bar and line.key not in used:
                break
        return line


class Thing(NamedTuple):
    """Something that posts are about, and how it is called."""

    long: str  # as first mentioned
    short: str  # as replies call it
    pronouns: tuple[str, str, str, str]  # for it, they, there, to_there


class Topic(NamedTuple):
    """What there is to say about one topic."""

    things: list[Thing]  # never empty
    aspects: list[str]  # never empty
    parts: dict[str, Pool]  # facts, praise, gripes, stories, tips
    asks: dict[str, Pool]  # by kind of question
    answers: dict[str, Pool]


class Bank(NamedTuple):
    """Everything a sketch writer of one community draws from."""

    topics: list[Topic]
    acts: dict[str, Pool]
    who: list[tuple[str, int]]  # companions and what each presumes of the writer's life
    kinds: tuple[str, ...]  # kinds of question, in a fixed order: their index is part of a memo


_PARTS = ("facts", "praise", "gripes", "stories", "tips")
GENERAL_SHARE = {
    "facts": 0.04, "praise": 0.15, "gripes": 0.15, "stories": 0.08, "tips": 0.08, "asks": 0.08, "answers": 0.1,
    "share_open": 0.3, "share_close": 0.35, "ask_open": 0.35, "ask_close": 0.4, "answer_open": 0.4, "agree": 0.3, "disagree": 0.3,
    "joke": 0.15, "vent": 0.2, "thank": 0.4, "promote": 0.1, "off_topic": 0.5, "up": 0.4, "down": 0.4,
}  # fmt: skip
"""How much of the general bank is mixed into a community's own, by part: more where lines carry little of the subject.

Tuned by `python -m benchmarks.quality`: more of it raises the share of distinct bigrams and lowers topicality.
"""


@cache
def general_bank() -> Mapping[str, Any]:
    """The parsed general bank (60 ms)."""
    return _load("general.voices.toml")


@cache
def manner_bank() -> Mapping[str, Any]:
    """Parsed pet phrases, emoji, misspellings and lines that break rules."""
    return _load("manner.toml")


def _load(name: str) -> Mapping[str, Any]:
    return tomllib.loads((resources.files("simulacra") / "data" / name).read_text(encoding="utf-8"))


class _Numbered:
    """Makes lines, numbering them in the order they are made."""

    def __init__(self) -> None:
        self._next = count(1)

    def lines(self, raw: Sequence[str], words: Words) -> list[Line]:
        return [Line(text, next(self._next), words) for text in raw]

    def lists(self, table: Mapping[str, Sequence[str]], words: Words) -> dict[str, list[Line]]:
        return {name: self.lines(raw, words) for name, raw in table.items()}


def build_bank(community: Community) -> Bank:
    """The bank of a community: its own voices, where it has any, mixed with the general bank."""
    general, own = general_bank(), community.voices
    shared = {key: [*own.get("words", {}).get(key, ()), *general["words"].get(key, ())] for key in ("when", "who")}
    general_words = {**general["words"], **shared}
    own_words = {**general_words, **own.get("words", {})}
    number = _Numbered()
    insults = _sorted_insults(own.get("acts", {}).get("insult", ()))
    acts = {**general["acts"], **manner_bank()["acts"], **manner_bank()["violations"]}
    common = number.lists(acts, general_words)
    anywhere = _topic_lines(number, general["topics"][0], general_words)
    named = {t["name"]: t for t in own.get("topics", ())}
    local = number.lists({**own.get("acts", {}), **insults}, own_words)
    topics = [
        _topic(name, community, named.get(name, {}), general["topics"][0], anywhere, number, own_words)
        for name in community.topics
    ]
    return Bank(
        topics=topics,
        acts={key: _pool(key, local.get(key, []), common.get(key, [])) for key in sorted({*common, *local})},
        who=[(text, life_of(text)) for text in own_words["who"]],
        kinds=tuple(sorted({kind for topic in topics for kind in topic.asks})),
    )


def _pool(part: str, own: Sequence[Line], general: Sequence[Line]) -> Pool:
    return Pool(own, general, GENERAL_SHARE.get(part, 0.3))


_SEMANTIC = re.compile(
    r"\b(?:clowns?|dunces?|parasites?|dirtbags?|embarrass\w*|waste|miserable|braindead|delusional|shameless|pompous|hateful|vile|"
    r"repulsive|rotten|incompetent|gullible|childish)\b",
    re.IGNORECASE,
)
"""Words that an embedding-based scorer flags and a word list does not (measured, docs/design.md)."""


def _sorted_insults(lines: Sequence[str]) -> dict[str, list[str]]:
    """A community's own rude lines by which kind of scorer sees them: the lexical scorer is asked, the other goes by its words."""
    if not lines:
        return {}
    strata: dict[str, list[str]] = {f"insult_{name}": [] for name in ("both", "lexical", "semantic", "neither")}
    plain = [_PIECE.sub(lambda match: (match[1] or "").split("|")[0], line) for line in lines]
    for line, score in zip(lines, Profanity().score(plain), strict=True):
        seen = "both" if score > 0.5 else "semantic" if _SEMANTIC.search(line) else "neither"
        strata[f"insult_{seen}"].append(line)
    return strata


def _topic_lines(number: _Numbered, topic: Mapping[str, Any], words: Words) -> dict[str, dict[str, list[Line]]]:
    """A topic's lists of lines: {"parts": {name: lines}, "asks": {kind: lines}, "answers": {kind: lines}}."""
    return {
        "parts": number.lists({part: topic.get(part, ()) for part in _PARTS}, words),
        "asks": number.lists(topic.get("asks", {}), words),
        "answers": number.lists(topic.get("answers", {}), words),
    }


def _topic(
    name: str,
    community: Community,
    own: Mapping[str, Any],
    general: Mapping[str, Any],
    anywhere: Mapping[str, Mapping[str, list[Line]]],
    number: _Numbered,
    words: Words,
) -> Topic:
    lines = _topic_lines(number, own, words)

    def pools(group: str, part: str | None = None) -> dict[str, Pool]:
        keys = sorted({*lines[group], *anywhere[group]})
        found = {k: _pool(part or k, lines[group].get(k, []), anywhere[group].get(k, [])) for k in keys}
        return {key: pool for key, pool in found.items() if not pool.is_empty}

    is_place = _is_place(own)
    things = [_thing(entry, is_place) for entry in own.get("things", ())] or found_things(name, community)
    aspects = list(own.get("aspects", ())) or list(general.get("aspects", ())) or [name]
    asks = pools("asks", "asks")
    if lines["asks"]:  # a community that sorts its questions is asked only those kinds
        asks = {kind: pool for kind, pool in asks.items() if kind in lines["asks"]}
    return Topic(things, aspects, pools("parts"), asks, pools("answers", "answers"))


def _thing(entry: str, is_place: bool) -> Thing:
    long, _, short = entry.partition(" > ")
    it, they = ("them", "they") if _is_plural(long) else ("it", "it")
    return Thing(long, short or long, (it, they, "there" if is_place else f"at {it}", "there" if is_place else f"to {it}"))


def _is_plural(noun: str) -> bool:
    """By its last word; names and what has an article count as one."""
    last = noun.split()[-1]
    return noun[:1].islower() and not noun.startswith(("a ", "an ", "that ", "this ")) and last.endswith("s") and last[-2:] not in ("ss", "'s", "us")


def _is_place(topic: Mapping[str, Any]) -> bool:
    """Whether the things of a topic are places: its stories and gripes happen "at" them."""
    lines = [line for part in _PARTS for line in topic.get(part, ())]
    return sum(" at {thing}" in line for line in lines) > 0.08 * len(lines) > 0


def found_things(topic: str, community: Community) -> list[Thing]:
    """What posts on a topic are about where no bank says so: the topic itself, phrases of the community's own texts that share a
    word with it, and the other phrases. Each thing stands in the list as often as it is to be talked about."""
    sketches = [persona.sketch for persona in community.personas]
    phrases = find_topics(community.goal, community.rules, sketches, most=40)
    stems = {_stem(word) for word in topic.split()}
    others = [t for t in community.topics if t != topic]
    near = [p for p in phrases if p != topic and p not in others and stems & {_stem(word) for word in p.split()}]
    far = [p for p in phrases if p not in near and p != topic and p not in others]
    weighted = [topic] * (2 + len(near)) + near * 2 + far
    return [_thing(f"{thing} > {' '.join(thing.split()[-3:])}", is_place=False) for thing in weighted]


def _stem(word: str) -> str:
    return word.lower().rstrip("s")[:6]
