"""VADER's compound score (Hutto and Gilbert 2014), ten times faster than the package and equal to it.

The lexicon, the booster words and the constants are those of the installed `vaderSentiment`; only the walk over the words is our
own: whatever depends on a single token is computed once per distinct token, and the rules look at lexicon words alone, since
every other word adds exactly 0. tests/test_lexical.py compares the two on many texts, odd ones included.
"""

from __future__ import annotations

import math
import string
from typing import NamedTuple

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

_TOKENS_KEPT = 200_000
"""Distinct tokens remembered before the memory is emptied: bounds it whatever users and models write."""


_RARE_IN_IDIOMS = ("shit", "bomb", "ass", "badass", "stop", "yeah", "kiss", "die", "beating", "kind", "sort", "enough")
"""One word of every idiom and two-word booster of the package: without one of them near, none of these can be there."""
_BEARING = frozenset(("no", "this", "least", *_RARE_IN_IDIOMS))
"""Words beside boosters and negations that a rule looks for."""


class Sentiment(NamedTuple):
    """What VADER reads in one text."""

    compound: float  # [-1, 1]; 0 where no word is in the lexicon
    positive: int  # words that are positive in the lexicon, negation ignored as by LIWC
    negative: int
    words: int  # tokens with a letter or digit


class _Token(NamedTuple):
    """All that depends on one token alone."""

    lower: str  # stripped of punctuation (emoticons are not), lower case
    valence: float | None  # in the lexicon; None where it is not
    upper: bool
    boost: float  # of a booster word, else 0
    negates: bool
    is_word: bool
    is_plain: bool  # changes no valence around it, nor does any rule change its own


class Vader:
    """Scores texts one by one; holds the lexicon and a memory of tokens, nothing that changes a score."""

    def __init__(self) -> None:
        analyzer = SentimentIntensityAnalyzer()
        self._lexicon: dict[str, float] = analyzer.lexicon
        self._emojis: dict[str, str] = analyzer.emojis
        self._negate = frozenset(NEGATE)
        self._tokens: dict[str, _Token] = {}

    def score(self, text: str) -> Sentiment:
        """Sentiment of one text; the empty text scores 0 everywhere."""
        if not text.isascii() and not self._emojis.keys().isdisjoint(text):
            spelled = self._score(self._spell_emojis(text))
            return spelled._replace(words=self._words(text))
        return self._score(text)

    def _score(self, text: str) -> Sentiment:
        tokens = [self._tokens.get(t) or self._token(t) for t in text.split()]
        hits = [i for i, t in enumerate(tokens) if t.valence is not None]
        words = sum([t.is_word for t in tokens])
        if not hits:
            return Sentiment(0.0, 0, 0, words)
        shouts = 0 < sum([t.upper for t in tokens]) < len(tokens)
        counted = [i for i in hits if not tokens[i].boost and not _is_kind_of(tokens, i)]
        values = [self._valence(tokens, i, shouts) for i in counted]
        _halve_before_but(tokens, counted, values)
        total = sum(values)
        positive = sum([tokens[i].valence > 0 for i in hits])  # type: ignore[operator]
        return Sentiment(_compound(total, text), positive, len(hits) - positive, words)

    def _token(self, token: str) -> _Token:
        stripped = token.strip(string.punctuation)
        word = token if len(stripped) <= 2 else stripped
        lower = word.lower()
        negates = lower in self._negate or "n't" in lower
        boost = BOOSTER_DICT.get(lower, 0.0)
        is_plain = not (negates or boost or lower in _BEARING)
        is_word = any(map(str.isalnum, token))
        entry = _Token(lower, self._lexicon.get(lower), word.isupper(), boost, negates, is_word, is_plain)
        if len(self._tokens) >= _TOKENS_KEPT:
            self._tokens.clear()
        self._tokens[token] = entry
        return entry

    def _words(self, text: str) -> int:
        return sum([(self._tokens.get(t) or self._token(t)).is_word for t in text.split()])

    def _spell_emojis(self, text: str) -> str:
        """Emojis replaced by their descriptions, with a space in front where the package puts one."""
        parts: list[str] = []
        spaced = True
        for character in text:
            spelled = self._emojis.get(character)
            if spelled is None:
                parts.append(character)
                spaced = character == " "
            else:
                parts.append(spelled if spaced else " " + spelled)
                spaced = False
        return "".join(parts)

    def _valence(self, tokens: list[_Token], i: int, shouts: bool) -> float:
        """Valence of the lexicon word at i, moved by the words around it. The order of the rules is the package's."""
        token = tokens[i]
        if not token.upper and all([t.is_plain for t in tokens[max(0, i - 3) : i + 3]]):
            return token.valence or 0.0
        base = valence = token.valence or 0.0
        before = [tokens[j].lower if j >= 0 else "" for j in (i - 1, i - 2, i - 3)]
        if token.lower == "no" and i + 1 < len(tokens) and tokens[i + 1].valence is not None:
            valence = 0.0
        if before[0] == "no" or before[1] == "no" or (before[2] == "no" and before[0] in ("or", "nor")):
            valence = base * N_SCALAR
        if token.upper and shouts:
            valence += C_INCR if valence > 0 else -C_INCR
        for distance in range(min(3, i)):
            neighbour = tokens[i - distance - 1]
            if neighbour.valence is not None:
                continue
            valence += _boost(neighbour, valence, shouts) * (1.0, 0.95, 0.9)[distance]
            valence = _negated(valence, tokens, i, distance)
            if distance == 2:
                valence = _idioms(valence, tokens, i, before)
        return _least(valence, tokens, i, before)


def _is_kind_of(tokens: list[_Token], i: int) -> bool:
    return tokens[i].lower == "kind" and i + 1 < len(tokens) and tokens[i + 1].lower == "of"


def _boost(token: _Token, valence: float, shouts: bool) -> float:
    """What a booster word adds to the valence of a word after it."""
    if not token.boost:
        return 0.0
    boost = -token.boost if valence < 0 else token.boost
    if token.upper and shouts:
        boost += C_INCR if valence > 0 else -C_INCR
    return boost


def _negated(valence: float, tokens: list[_Token], i: int, distance: int) -> float:
    """The valence after the negation rule for the word `distance` + 1 places before i."""
    far = tokens[i - distance - 1]
    if distance == 0:
        return valence * N_SCALAR if far.negates else valence
    between = [tokens[j].lower for j in range(i - distance, i)]
    near_so = between[-1] in ("so", "this")
    if distance == 1:
        if far.lower == "never" and near_so:
            return valence * 1.25
    elif (far.lower == "never" and between[0] in ("so", "this")) or near_so:
        return valence * 1.25
    if far.lower == "without" and "doubt" in between:
        return valence
    return valence * N_SCALAR if far.negates else valence


def _idioms(valence: float, tokens: list[_Token], i: int, before: list[str]) -> float:
    """Idioms such as "to die for" set the valence; two-word boosters such as "sort of" move it."""
    word = tokens[i].lower
    one, two, three = before
    for phrase in (f"{one} {word}", f"{two} {one} {word}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}"):
        if phrase in SPECIAL_CASES:
            valence = float(SPECIAL_CASES[phrase])
            break
    after = [t.lower for t in tokens[i + 1 : i + 3]]
    for count in (1, 2):
        if len(after) >= count:
            valence = float(SPECIAL_CASES.get(" ".join([word, *after[:count]]), valence))
    for phrase in (f"{three} {two} {one}", f"{three} {two}", f"{two} {one}"):
        valence += float(BOOSTER_DICT.get(phrase, 0.0))
    return valence


def _least(valence: float, tokens: list[_Token], i: int, before: list[str]) -> float:
    """ "least" turns the valence round, "at least" and "very least" do not."""
    if before[0] != "least" or tokens[i - 1].valence is not None:
        return valence
    if i > 1 and before[1] in ("at", "very"):
        return valence
    return valence * N_SCALAR


def _halve_before_but(tokens: list[_Token], counted: list[int], values: list[float]) -> None:
    """What stands before the first "but" counts half, what stands after it 1.5 times, in place.

    The package looks values up by equality, so of two equal values the first one is changed twice: kept, to stay equal to it.
    """
    but = next((j for j, t in enumerate(tokens) if t.lower == "but"), None)
    if but is None:
        return
    for at in range(len(values)):
        first = values.index(values[at])
        if counted[first] < but:
            values[first] *= 0.5
        elif counted[first] > but:
            values[first] *= 1.5


def _compound(total: float, text: str) -> float:
    """The sum of valences with the emphasis of ! and ?, normalised to [-1, 1], four decimals."""
    emphasis = min(text.count("!"), 4) * 0.292
    questions = text.count("?")
    if questions > 1:
        emphasis += questions * 0.18 if questions <= 3 else 0.96
    if total > 0:
        total += emphasis
    elif total < 0:
        total -= emphasis
    return round(max(-1.0, min(1.0, total / math.sqrt(total * total + 15))), 4)
