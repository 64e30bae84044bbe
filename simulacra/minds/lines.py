"""Lines of a phrase bank, ready to be said: compiled on first use, and loosened as different people would put the same thing.

A line is written with alternatives and slots (docs/voices.md). To these compiling adds what no bank has to write out: words
that each persona puts in its own way, other numbers and days, an adverb here and there, a version without its afterthought
and one with a pronoun for the thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import log2
from typing import Any, NamedTuple, Protocol

from simulacra.minds.data import manner_bank

THING, OTHER, ASPECT, TOPIC, WHO, WORK, AGE, HANDLE, IT, THEY, THERE, TO_THERE = range(12)
"""Slots that depend on the post; every other slot is a list of words. IT to TO_THERE are pronouns for the thing."""
_VERB_FORMS = ("is", "was", "has", "does", "s")
_NUMBERED = {"thing": 12, "aspect": 17, "other": 22}
"""Where the verb forms that stand with a slot's noun begin among the slots."""
SLOTS = 27
_CONTEXT = {
    **{f"{noun}:{form}": start + at for noun, start in _NUMBERED.items() for at, form in enumerate(_VERB_FORMS)},
    "thing": THING, "other": OTHER, "aspect": ASPECT, "topic": TOPIC, "who": WHO, "a_work": WORK, "age": AGE, "handle": HANDLE,
    "it": IT, "they": THEY, "there": THERE, "to_there": TO_THERE,
}  # fmt: skip

HAS_THING, HAS_WHO = 1, 2
IS_LONG = 4
"""More words than a terse persona cares to write."""
HUSBAND, WIFE, GRANDCHILD, GRANDPARENT, RETIRED, STUDENT, HIS, HERS = (1 << bit for bit in range(3, 11))
IS_DOING = 1 << 11
"""A line for anybody that takes its thing for something one does or has ("keep up {thing}"), and not only talks of it."""
_TALKED_OF = re.compile(
    r"(?<!spend )(?<!spent )(?<!up )(?<!started )(?<!evening )(?<!hours )(?<!tag )(?<!expense )"
    r"\b(?:about|on|over|mentions?|brings up|explain|trouble with|discuss|called|comes to) \{thing\}"
)
_LIFE = {
    HUSBAND: r"\b(?:my|our) (?:\w+ )?(?:husband|boyfriend|hubby)\b",
    WIFE: r"\b(?:my|our) (?:\w+ )?(?:wife|girlfriend)\b",
    GRANDCHILD: r"\bgrand(?:son|daughter|kid|child|children|baby)",
    GRANDPARENT: r"\b(?:my|our) (?:\w+ )?(?:grandma|grandpa|grandmother|grandfather|nana|gran|granddad)\b",
    RETIRED: r"\bI(?:'m| am)? retired\b|\bmy (?:pension|retirement)\b",
    STUDENT: r"\bmy (?:dorm|thesis|professor|homework)\b|\bmy (?:senior|junior|sophomore|freshman) year\b",
    HIS: r"\b(?:as a|I'm a|I'm the|being a) (?:\w+ )?(?:dad|father|guy|man|husband)\b",
    HERS: r"\b(?:as a|I'm a|I'm the|being a) (?:\w+ )?(?:mom|mother|woman|wife)\b"
    r"|\bmy (?:milk|c-section|boobs?|stitches|latch)\b"
    r"|\bI(?:'m| was|'ve been)? (?:pump(?:ed|ing)?|nurs(?:ed|ing)|breastf\w+)\b",
}
"""What a line says about the life of whoever writes it. A persona says only what is true of it."""
_ANY_LIFE = re.compile("|".join(_LIFE.values()), re.IGNORECASE)
_LIFE_PATTERNS = {bit: re.compile(pattern, re.IGNORECASE) for bit, pattern in _LIFE.items()}

_PIECE = re.compile(r"\[([^\]]*)\]|\{([\w:]+)\}")

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
    "had|could|can|can't|couldn't|might|may|would|will|won't|wouldn't|should|must|did|didn't|felt|made|left|took|came|kept|"
    "cost|saved|ran|went|got|gave|turned|looked|worked|helped|stayed|sat|changed|beat|deserved|needed|opened|closed|started|"
    "ended|wanted|seemed|tasted|smelled|sounded|sold|broke"
)
"""Verbs before which a pronoun may stand, whether the thing is one or many."""
_AFTER = (
    "and|or|but|for|with|in|on|at|to|again|when|if|before|after|than|until|till|by|from|because|so|as|without|once|twice|"
    "every|last|this|since|while|alone|first|too|instead|over|between|during|under|yet|anyway|either|though|myself|"
    "yourself|ourselves|now"
)
_NAMED = re.compile(
    r"(?<!\bthe )(?<!\ba )(?<!\ban )(?<!\bmy )(?<!\bour )(?<!\byour )(?<!\bthat )(?<!\bthis )(?<!\bother )(?<!-)"
    r"(?<!\bmore )(?<!\bno )(?<!\bany )(?<!\bsome )(?<!\bless )(?<!\bout )(?<!\bup )(?<!\boff )(?<!\bdown )(?<!\baway )"  # "worked out it"
    r"(?:\b(?P<where>at|to) )?\{thing\}"
    rf"(?:(?P<verb>(?= (?:{_VERBS})\b))|(?=$|[,?!;:\]|]| (?:{_AFTER})\b| \{{when\}}))"
)
"""A {thing} that a pronoun can stand for: not inside a noun phrase ("the {thing} ticket"), but before a verb or the end of a
clause."""


def again(raw: str) -> str | None:
    """The line with a pronoun for the thing, for posts that have named it; None where it has to be named.

    After "at" and "to" a place is "there"; before its verb the thing is "it" or "they", elsewhere "it" or "them".
    """
    replaced = _NAMED.sub(_pronoun, raw)
    return None if "{thing}" in replaced else replaced


_IS_INSIDE = re.compile(r"\b(?:about|on|of|with|from|for|in|by) $")
"""Before a thing whose verb is another's: "the advice on THEM came as photocopies"."""


def _pronoun(match: re.Match[str]) -> str:
    if match["verb"] is not None and match["where"] is None:
        return "{it}" if _IS_INSIDE.search(match.string[: match.start()]) else "{they}"
    return {"at": "{there}", "to": "{to_there}", None: "{it}"}[match["where"]]


_ASKS_OF = re.compile(r"\b(is|was|has|does)(n't)? \{(thing|aspect|other)\}")
_SAYS_OF = re.compile(
    r"(^|[,:;] |[\[|]|\b(?:but|and|that|because|if|when|think|since|so|why|what|how|while|as|where|before|until|whether|say|says) )"
    r"\{(thing|aspect|other)\} ((?:only|still|finally|always|never) )?(?:(is|was|has|does)(n't)?|(take|make|get|come|look|cost|seem|work|"
    r"feel|need|help|taste|fit|start|turn|run|deserve|matter|mean|keep|give|want|sound|end|happen|bring|leave|stay|drag|sit|cause|shrink|"
    r"change|weigh|beat)s)\b"
)
_IS_ASKED = re.compile(r"(?:what |how |why |where |when )?(?:is|was|has|does)\b|.*\?$")


def agreeing(raw: str) -> str:
    """The line with its verbs as slots where they stand with a thing, an aspect or another thing, which may be one or many."""
    if _IS_ASKED.match(raw):
        raw = _ASKS_OF.sub(lambda m: f"{{{m[3]}:{m[1]}}}{m[2] or ''} {{{m[3]}}}", raw)
    return _SAYS_OF.sub(_verb_slot, raw)


def _verb_slot(match: re.Match[str]) -> str:
    start, noun, adverb, form, negation, verb = match.groups("")
    agreed = f"{{{noun}:{form}}}{negation}" if form else f"{verb}{{{noun}:s}}"
    return f"{start}{{{noun}}} {adverb}{agreed}"


_DEPENDENT = (
    "if|when|after|before|once|for|in|on|at|as|while|since|with|by|to|though|although|unless|because|until|till|whoever|"
    "not|no|from|between|during|every|whether|either|neither|both|without|instead|despite|honestly|yes|yep|no|nope|same|"
    "sure|okay|well|look|so"
)
_FULL_CLAUSE = re.compile(rf"(?!\[?(?:{_DEPENDENT})\b)(?:\S+ ){{3,}}\S+$")


def shortened(raw: str) -> str:
    """The line without what follows its last comma, where four words or more stand before it and make a clause of their own."""
    if raw.endswith("?"):
        head, comma, tail = raw[:-1].rpartition(", ")
        return f"{head}?" if comma and tail.startswith(("or ", "[or ")) and _is_whole(head) else raw
    head, comma, _ = raw.rpartition(", ")
    keeps_thing = ("{thing}" in head) == ("{thing}" in raw)
    return head if comma and keeps_thing and _is_whole(head) and _FULL_CLAUSE.match(head) else raw


def _is_whole(head: str) -> bool:
    """Whether no bracket was cut open, and no clause after its "and"."""
    return head.count("[") == head.count("]") and " and, " not in f"{head}, "


LONG = 9
"""Words, slots and alternatives counted as they stand, from which on a line is long."""


class Line:
    """One line of a bank. `bits` says what it holds (HAS_*) and what it presumes about its writer; `key` is its number in the
    bank, modulo 4,096 so that three fit a memo. is_general: written for any community, so that its thing may be anything."""

    __slots__ = ("_raw", "_versions", "_words", "bits", "key", "variety")

    def __init__(self, raw: str, key: int, words: Words, is_general: bool = False) -> None:
        self._raw, self._words = raw, words
        self._versions: list[tuple[Part, ...] | None] = [None] * 4
        self.key = key & 4095
        self.variety = 0.0
        # A line that offers alternatives presumes nothing: render() takes one that is true of the writer.
        self.bits = life_of(_PIECE.sub("", raw)) if "[" in raw else life_of(raw)
        if "{thing}" in raw:
            self.bits |= HAS_THING
            if is_general and "{thing}" in _TALKED_OF.sub("", raw):
                self.bits |= IS_DOING
        if "{who}" in raw:
            self.bits |= HAS_WHO
        if raw.count(" ") >= LONG:
            self.bits |= IS_LONG

    def render(self, fill: Sequence[str], dice: Dice, writer: Writer, is_named: bool = False, is_brief: bool = False) -> str:
        """The words. fill: text of each context slot; is_named: a pronoun stands for the thing where the sentence allows it;
        is_brief: an afterthought at its end is left out."""
        version = is_named + 2 * is_brief
        parts = self._versions[version]
        if parts is None:
            raw = shortened(self._raw) if is_brief else self._raw
            parts = self._versions[version] = compile_line((again(raw) or raw) if is_named else raw, self._words)
            # Of the whole line, not of this version: what was rendered before must decide nothing.
            self.variety = self.variety or _variety(compile_line(self._raw, self._words))
        return _render(parts, fill, dice, writer)

    def plain(self) -> str:
        """The line with the first of its alternatives and without slots: enough to weigh its words."""
        return without_brackets(self._raw)


def without_brackets(raw: str) -> str:
    """A line with the first of its alternatives and without slots."""
    return _PIECE.sub(lambda match: (match[1] or "").split("|")[0], raw)


_SLOT_VARIETY = {THING: 2.0, OTHER: 4.0, ASPECT: 2.0, TOPIC: 1.0, WHO: 3.0}


def _variety(parts: Sequence[Part]) -> float:
    """Bits of variation in a line: how unlikely it is to be said twice in the same words."""
    bits = 0.0
    for part in parts:
        if type(part) is int:
            bits += _SLOT_VARIETY.get(part, 0.0)
        elif type(part) is tuple:
            bits += log2(len(part)) if part.count("") * 2 <= len(part) else 1.0
        elif type(part) is Idiom:
            bits += 0.8
    return bits


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
            choice: Any = part[next(dice) % len(part)]  # type: ignore[index,arg-type]
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
    raw = agreeing(raw)
    parts: list[Part] = []
    end = 0
    is_question = raw.endswith("?")
    for match in _PIECE.finditer(raw):
        parts += _loosened(raw[end : match.start()], is_question)
        end = match.end()
        if match[1] is not None:
            before = raw[: match.start()][-8:]  # enough for "my " and "as a ": what an alternative presumes may begin there
            parts.append(tuple(_alternative(option, before, words) for option in match[1].split("|")))
        else:
            parts.append(_slot(match[2], match[0], words))
    parts += _loosened(raw[end:], is_question)
    return tuple(part for part in parts if part != "")


def _loosened(text: str, is_question: bool) -> list[Part]:
    """Literal text as people would vary it: an Idiom for a word that they put differently, another number, an adverb put in."""
    found: list[tuple[int, int, Part]] = []
    others = _interchangeable()
    for first in {word for word in _TOKEN.findall(text) if word in others}:
        for word, pattern, other in others[first]:
            if word in text:
                found += [(match.start(), match.end(), other) for match in pattern.finditer(text)]
    if not is_question:
        for pattern, adverbs in _adverbs():
            found += [(match.end(), match.end(), adverbs) for match in pattern.finditer(text)]
    # "Tuesday and Thursday" stays as it is: exchanged, both may come out the same.
    days = [part for _, _, part in found if type(part) is tuple]
    found = [entry for entry in found if days.count(entry[2]) < 2 or "" in entry[2]]  # type: ignore[operator,arg-type]
    parts: list[Part] = []
    end = 0
    for start, stop, part in sorted(found, key=lambda f: (f[0], -f[1])):
        if start >= end:  # of two words at one place the longer counts
            parts += [text[end:start], part]
            end = stop
    return [*parts, text[end:]]


_NO_PRONOUN = r"(?! (?:I|you|we|they|he|she|it|there|this|that|one|any\w+)\b)"
_NAMES = ("[Ww]ard", "route", "room", "page", "rule", "level", "grade", "step", "or", "out of")
"""Words after which a number is a name, or one of a pair."""
_NO_NAME = "".join(rf"(?<!\b{word} )" for word in _NAMES) + "(?<!-)"


_TOKEN = re.compile(r"[\w']+")


@cache
def _interchangeable() -> Mapping[str, Sequence[tuple[str, re.Pattern[str], Part]]]:
    """Words with other ways to put them, by their first word: where they count, and the ways: an Idiom, or a choice made anew
    each time."""
    found: list[tuple[str, str, Part]] = []
    for number, options in enumerate(manner_bank()["idiolect"]):
        found.append((options[0], r"(?<!\ba )(?<!\ban )\b{}\b(?!['-])", Idiom(tuple(options), number % IDIOM_LANES)))
    for short, long in manner_bank()["contractions"].items():
        found.append((short, r"\b{}\b" + _NO_PRONOUN, Idiom((short,) * 7 + (long,), 0)))
    for group in manner_bank()["swaps"]:
        found += [(word, _NO_NAME + r"\b{}\b(?!['-]| or )", tuple(group)) for word in group]
    by_first: dict[str, list[tuple[str, re.Pattern[str], Part]]] = {}
    for word, pattern, part in found:
        entry = (word, re.compile(pattern.format(re.escape(word))), part)
        by_first.setdefault(_TOKEN.findall(word)[0], []).append(entry)
    return by_first


@cache
def _adverbs() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """After which verbs an adverb may be put in, and the adverbs, with "" as often as people leave it out."""
    return tuple(
        (
            re.compile(rf"\b(?:{'|'.join(entry['after'])})(?= [a-z]){_NO_PRONOUN}(?! (?:not|{'|'.join(entry['adverbs'])})\b)"),
            ("",) * entry["none"] + tuple(f" {adverb}" for adverb in entry["adverbs"]),
        )
        for entry in manner_bank()["adverb"]
    )


def _alternative(option: str, before: str, words: Words) -> str | tuple[tuple[Part, ...], int]:
    life = life_of(before + option)
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
