"""What a community without a bank of its own is about: one of the common subjects that the package has lines on, if any.

A subject is known by its words, and its lines must suit: a chess club has two words of board games, but nothing of what people say
of them. Where that is in doubt there is no subject, since lines for anybody are better than wrong ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import fsum, log
from typing import Any

from simulacra.community import Community
from simulacra.minds.data import general_bank, subject_banks
from simulacra.people.phrases import content_words, goal_phrases

ENOUGH = 3.0
"""Different words of a subject that must be there, `LIKENESS` times the likeness of its lines included: one alone ("recipes" for
glazes, "clubs" for chess) says nothing. Tuned on half of the communities of `python -m benchmarks.topics`."""
LIKENESS = 2.5
FULL = 8
"""Different words that a description has at least; of a shorter one a single word in common would say too much."""
MARGIN = 0.5
"""By how much the best subject must be better than the next."""
RARE = 2
"""Lines for anybody that may have a word without its saying less of a subject."""


def subject_of(community: Community) -> Mapping[str, Any]:
    """The subject most of whose words stand in a community's name, goal and topics, and whose lines speak of the same things; {}
    where none has enough of both or two are about equal."""
    goal = community.goal[:2_000]
    # What only a sketch has named says nothing of the community: a sober lawyer's client dinners are no cooking.
    own = " ".join(persona.sketch for persona in community.personas).lower()
    text = " ".join((community.name, goal, *(topic for topic in community.topics if topic.lower() not in own)))
    told = content_words((*community.topics, *(phrase for phrase, _ in goal_phrases(goal))))
    stems = sorted({_stem(word) for word in told})
    scores = [_score(text, stems, words, lines) for words, lines in zip(_patterns(), _vocabularies(), strict=True)]
    best, second = sorted(scores, reverse=True)[:2]
    return subject_banks()[scores.index(best)] if best >= ENOUGH and best - second >= MARGIN else {}


def _score(text: str, stems: Sequence[str], words: Sequence[re.Pattern[str]], lines: Mapping[str, float]) -> float:
    """Words of the subject that the text has, and how much the lines of the subject speak of what it speaks of; 0 without a word."""
    found = sum(bool(word.search(text)) for word in words)
    likeness = fsum(lines.get(stem, 0.0) for stem in stems) / max(FULL, len(stems))
    return found + LIKENESS * likeness if found else 0.0


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], ...]:
    return tuple(tuple(re.compile(rf"\b(?:{word})\b", re.IGNORECASE) for word in s["words"]) for s in subject_banks())


@cache
def _vocabularies() -> tuple[Mapping[str, float], ...]:
    """Of each subject the stems that its lines have, and how much they say: the fewer subjects have one, the more."""
    said = [Counter(_stems(lines)) for lines in subject_banks()]
    anybody = Counter(_stems(general_bank()))
    having = Counter(stem for stems in said for stem in stems)
    rarity = {stem: log((len(said) + 1) / (count + (anybody[stem] > RARE))) for stem, count in having.items()}
    return tuple({stem: rarity[stem] for stem in stems} for stems in said)


def _stems(bank: Mapping[str, Any]) -> Iterator[str]:
    """Stems of all lines, one a line and word."""
    for line in _lines({key: value for key, value in bank.items() if key not in ("name", "words")}):
        yield from {_stem(word) for word in _WORD.findall(_SLOT.sub(" ", line))}


def _lines(bank: Any) -> Iterator[str]:
    if isinstance(bank, str):
        yield bank
    else:
        for value in bank.values() if isinstance(bank, Mapping) else bank:
            yield from _lines(value)


_WORD = re.compile(r"[^\W\d_]{3,}")
_SLOT = re.compile(r"\{[^}]*\}")
_ENDING = re.compile(r"(?:ings?|ers?|ed|es|s|y|ies)$")


def _stem(word: str) -> str:
    """A word without its ending, cut to seven letters: enough to tell "potters" and "pottery" apart from other words."""
    low = word.lower()
    return _ENDING.sub("", low)[:7] if len(low) > 4 else low.rstrip("s")
