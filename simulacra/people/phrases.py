"""Finding what a community talks about in its own words: noun phrases of goal, rules and sketches, by stop words alone.

No tagger, no model: a phrase is a run of words between stop words, verbs that members of any forum do, and words that every
forum's description holds. Good enough to name topics; a designer who wants others lists them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from simulacra.people.sketches import read_sketch, subject_parts

_INTEREST = re.compile(
    r"\b(?:loves?|likes?|enjoys?|collects?|grows?|bakes?|hates?|fights?|follows?|into|obsessed with|interested in|fan of|"
    r"mad about|crazy about|curious about|here for|knows? (?:everything|all|a lot) about|cares? about|talks? about|"
    r"builds?|restores?|repairs?|makes?|plays?|paints?|keeps?|swears by|dreams of|lives (?:by|for)|expert (?:in|on))\s+(.+)",
    re.I,
)
_TOKEN = re.compile(r"[^\W\d_][\w'’-]*|[^\w\s]")
_LAST_RESORT = ("getting started", "what worked", "everyday life")


def find_topics(goal: str, rules: Iterable[str] = (), sketches: Iterable[str] = (), most: int = 8) -> tuple[str, ...]:
    """3 to `most` topics, weightiest first: phrases of the goal count most, then what sketches love, then rules.

    A text that yields fewer than three is filled up with words of the goal and then with topics that suit any community.
    """
    scores: dict[str, float] = {}
    shown: dict[str, str] = {}
    for phrase, weight in _candidates(goal, rules, sketches):
        key = _key(phrase)
        shown.setdefault(key, phrase)
        scores[key] = scores.get(key, 0.0) + weight
    _absorb(scores)
    ranked = sorted(scores, key=lambda key: -scores[key])  # sorted() is stable: ties keep the order of the text
    # What only a rule or a remark on somebody's manner says ("strict", "lower case") is no topic where there are others.
    firm = [key for key in ranked if scores[key] >= 1]
    ranked = firm if len(firm) >= 3 else ranked
    found = [shown[key] for key in ranked[:most]]
    return tuple(found + [t for t in _LAST_RESORT if t not in found][: max(0, 3 - len(found))])


def noun_phrases(text: str, is_sentence: bool = True) -> list[str]:
    """Phrases of one to three words in the order of the text, in the case they are written in; [] for none.

    is_sentence: the first word's capital says nothing, since it begins a sentence.
    """
    return [phrase for run in _runs(text, is_sentence) if (phrase := _trim(run))]


def who_is_there(goal: str) -> frozenset[str]:
    """The members themselves, by whom a goal often begins ("Tenants of a block", "Home bakers swap"), as keys without article and
    plural: nobody's topic. Empty where the goal begins otherwise."""
    first = _MEMBERS.match(goal)
    words = first[1].lower().split() if first else []
    if not words or not (words[-1].endswith("s") or words[-1] in ("people", "children")):
        return frozenset()
    return frozenset({" ".join(words).removesuffix("s"), words[-1].removesuffix("s")})


_MEMBERS = re.compile(
    r"\s*(?:a place (?:where|for) |where |for )?((?:[\w-]+ ){0,2}?[\w-]+) (?:of|who|in|at|from|with|learning|that|on)\b", re.I
)
"""The first words of a goal up to what says which members are meant."""


def _candidates(goal: str, rules: Iterable[str], sketches: Iterable[str]) -> Iterator[tuple[str, float]]:
    members = who_is_there(goal)
    for phrase in noun_phrases(goal):
        if _key(phrase) not in members:
            yield phrase, 3.0
    for sketch in sketches:
        for part in subject_parts(read_sketch(sketch).parts[1:]):
            interest = _INTEREST.search(part)
            for phrase in noun_phrases(interest[1] if interest else part, is_sentence=False):
                yield phrase, 1.5 if interest else 0.5
    for rule in rules:
        for phrase in noun_phrases(rule):
            yield phrase, 0.4


def _runs(text: str, sentence_start: bool = True) -> Iterator[list[str]]:
    """Runs of words between stop words and punctuation."""
    ends = _words("stop") | _words("doing")
    run: list[str] = []
    is_verb = False
    for token in [*_TOKEN.findall(text), "."]:
        word = token.lower().replace("’", "'")
        if word.endswith("'s") and {word[:-2], f"{word[:-2]}s"} & (_words("generic") | ends):
            word = "of"  # "each other's kids": whose they are says nothing
        if not word[0].isalpha() or word in ends or is_verb:
            if word in _words("after_verb"):
                run = run[:-1]
            if run:
                yield run
            run = []
        else:
            run.append(word if sentence_start and token[1:].islower() else token)
        sentence_start, is_verb = token in ".!?:", word in ("who", "we", "they")  # "people who restore bicycles"


def _trim(run: list[str]) -> str:
    """The run without generic words at its ends; its last three words; "" if nothing is left."""
    generic = _words("generic")
    while run and run[0].lower() in generic:
        run = run[1:]
    while run and (run[-1].lower() in generic or run[-1].lower().endswith("ly")):
        run = run[:-1]
    if len(run) == 1 and _STATE.fullmatch(run[0]):
        return ""
    phrase = " ".join(run[-3:])
    return phrase if len(phrase) > 2 else ""


_STATE = re.compile(r"(?!moped|hundred|infrared|kindred)[a-z]{3,}[^aeo\W]ed")
"""A participle that stands alone ("is locked") says how something is, and is nothing."""


@cache
def _words(name: str) -> frozenset[str]:
    """A list of data/phrases.toml."""
    lists = tomllib.loads(files("simulacra").joinpath("data/phrases.toml").read_text("utf-8"))
    return frozenset(lists[name].split())


def _key(phrase: str) -> str:
    """One key for singular and plural."""
    low = phrase.lower()
    return low[:-1] if low.endswith("s") and not low.endswith("ss") else low


def _absorb(scores: dict[str, float]) -> None:
    """A phrase inside a longer one gives its weight to the weightiest such ("starters" to "sourdough starters")."""
    for key in sorted(scores, key=len):
        hosts = [k for k in scores if k != key and re.search(rf"\b{re.escape(key)}s?\b", k)]
        if hosts and scores[key] <= 2 * max(scores[k] for k in hosts):
            scores[max(hosts, key=lambda k: scores[k])] += scores.pop(key)
