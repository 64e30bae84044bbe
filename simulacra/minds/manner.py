"""How a persona puts words: what is stable about it (companions, pet phrases, emoji, spelling), and sentences made into a post
in its style."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from simulacra.minds import lines
from simulacra.minds.data import manner_bank
from simulacra.minds.lines import Dice, Line

PLAIN, GOOD, BAD, ALONE, FELT = 0, 1, -1, 2, 3
"""Tones of a sentence. ALONE also means: never joined to its neighbours by a comma; FELT: how the sentence before it felt."""


class Sentence(NamedTuple):
    text: str
    tone: int


class Manner(NamedTuple):
    """One persona's way of writing."""

    capitals: float
    punctuation: float
    emoji: float
    verbosity: float
    irritability: float
    false: int  # life bits that are not true of this persona
    bits: Sequence[int]  # stable random numbers of this persona, 0 .. 2^24-1
    work: str  # "" where it is not known
    age: int  # years


class Manners:
    """Everything that styling needs, compiled once a writer."""

    def __init__(self) -> None:
        bank = manner_bank()
        self.lists = {name: [Line(raw, 0, {}) for raw in raws] for name, raws in bank["manner"].items()}
        self.emoji: Mapping[str, Sequence[str]] = bank["emoji"]
        self._misspelt: Mapping[str, str] = bank["misspelt"]
        self._chat: Mapping[str, str] = bank["chat"]
        self._chat_words = re.compile(r"\b(?:" + "|".join(map(re.escape, self._chat)) + r")\b")

    def pet(self, name: str, manner: Manner, dice: Dice) -> Line:
        """One of the two lines of a list that this persona is fond of."""
        lines = self.lists[name]
        lane = (0 if name == "pet_open" else 2) + next(dice) % 2
        return lines[manner.bits[lane] % len(lines)]

    def finish(self, sentences: Sequence[Sentence], manner: Manner, mood: float, joking: bool, dice: Dice) -> str:
        """Sentences as one post: joined, punctuated, spelt and decorated in the persona's style."""
        text = _join(sentences, manner, mood, dice)
        text = self._spell(text, manner, dice)
        if next(dice) < manner.emoji * 2**24:
            text = f"{text} {self._pick_emoji(manner, mood, joking, dice)}"
        return text

    def _spell(self, text: str, manner: Manner, dice: Dice) -> str:
        """Misspellings, chat abbreviations and lost apostrophes of those personas that have them."""
        habit = manner.bits[4] % 16
        if habit == 0:
            for right, wrong in self._misspelt.items():
                if right in text and next(dice) & 1:
                    text = text.replace(right, wrong, 1)
        if manner.capitals < 0.3:
            if habit in (1, 2) and manner.age < 45:
                text = self._chat_words.sub(lambda match: self._chat[match[0]], text)
            if habit in (2, 3, 4, 5):
                text = text.replace("n't", "nt").replace("'m ", "m ").replace("'s ", "s ")
        return text

    def _pick_emoji(self, manner: Manner, mood: float, joking: bool, dice: Dice) -> str:
        """One of four favourites for the mood, sometimes twice."""
        name = "joke" if joking else "good" if mood > 0.15 else "bad" if mood < -0.25 else "plain"
        known = self.emoji[name]
        roll = next(dice)
        favourite = known[(manner.bits[5] + (roll & 3) * 5) % len(known)]
        return favourite * 2 if roll % 11 == 0 and not favourite.isascii() else favourite


def life_bits(age: int, is_female: bool, bits: Sequence[int]) -> int:
    """Life bits that are *not* true of a persona, from its age and sex and its own stable coin."""
    wife = (bits[6] % 10 == 0) == is_female
    false = (lines.HUSBAND if wife else lines.WIFE) | (lines.HIS if is_female else lines.HERS)
    if age < 48:
        false |= lines.GRANDCHILD
    if age < 58:
        false |= lines.RETIRED
    if age > 52:
        false |= lines.GRANDPARENT
    if age > 34:
        false |= lines.STUDENT
    return false


def companion(who: Sequence[tuple[str, int]], manner: Manner, dice: Dice) -> str:
    """One of three people whom this persona keeps mentioning, the first of them most often."""
    which = (0, 0, 1, 2)[next(dice) & 3]
    start = manner.bits[7] + which * 7919
    for step in range(len(who)):
        text, life = who[(start + step) % len(who)]
        if not life & manner.false:
            return text
    return "a friend"


def _join(sentences: Sequence[Sentence], manner: Manner, mood: float, dice: Dice) -> str:
    pieces: list[str] = []
    lower = manner.capitals < 0.22
    breaks = manner.bits[8] % 9 == 0 or len(sentences) > 4
    start = True
    last = len(sentences) - 1
    for at, (text, tone) in enumerate(sentences):
        if start and not lower:
            text = text[:1].upper() + text[1:]
        pieces.append(_shout(text, manner, mood, dice) if manner.capitals > 0.8 else text)
        follower = sentences[at + 1] if at < last else None
        mark = _mark(text, tone, follower, manner, dice)
        start = mark not in (", ", " - ", ", but ", "; ")
        if breaks and start and follower is not None and next(dice) % 3 == 0:
            mark = mark.rstrip() + "\n"
        pieces.append(mark)
    text = "".join(pieces).rstrip().replace("  ", " ")
    return text.lower() if lower and manner.capitals < 0.15 else text


def _mark(text: str, tone: int, follower: Sentence | None, manner: Manner, dice: Dice) -> str:
    """What stands after a sentence: its mark and the gap to the next."""
    gap = "" if follower is None else " "
    if text[-1:] in "?!":
        return _doubled(text[-1], manner, dice) + gap
    roll = next(dice) % 100
    if tone == GOOD and roll < (manner.punctuation - 0.45) * 120:
        return ("!!" if manner.punctuation > 0.85 and roll % 3 == 0 else "!") + gap
    if text.endswith("."):
        return gap  # "at 4 a.m."
    if follower is None:
        return _last_mark(manner, roll)
    if ALONE not in (tone, follower.tone) and len(text) < 60:
        if follower.tone == FELT and roll < 40:
            return ", "
        if tone * follower.tone == -1 and roll < 45:
            return ", but "
        if roll < 35 and manner.punctuation < 0.3 and follower.text[-1:] != "?":
            return ", " if manner.bits[9] % 4 else " - "
    if manner.punctuation > 0.7 and manner.bits[10] % 3 == 0 and roll < 40:
        return "... "
    return ". "


def _doubled(mark: str, manner: Manner, dice: Dice) -> str:
    """What to add to a ? or ! that a line brings: nothing, or one more from those who are fond of them."""
    return mark if manner.punctuation > 0.8 and next(dice) % 4 == 0 else ""


def _last_mark(manner: Manner, roll: int) -> str:
    if manner.punctuation < 0.3 or (manner.punctuation < 0.5 and roll < 40):
        return ""
    if manner.punctuation > 0.7 and manner.bits[10] % 3 == 0 and roll < 35:
        return "..."
    return "."


_STRESSED = re.compile(
    r"\b(?:never|always|love|loved|hate|hated|so|very|best|worst|all|every|nobody|everybody|really|still|free|only|ever|stop|any|"
    r"huge|terrible|wonderful|perfect|awful|amazing|great|zero|twice|again|not|way too|please|must|whole)\b"
)


def _shout(text: str, manner: Manner, mood: float, dice: Dice) -> str:
    """A stressed word in capitals now and then; a whole sentence when angry."""
    roll = next(dice)
    if mood < -0.45 and manner.capitals > 0.88 and roll % 4 == 0:
        return text.upper()
    return text if roll % 3 == 0 else _STRESSED.sub(lambda match: match[0].upper(), text, count=1)


@cache
def article(noun: str) -> str:
    """ "a" or "an" before the noun, by its first letter."""
    return f"an {noun}" if noun[:1].lower() in tuple("aeiou") else f"a {noun}"
