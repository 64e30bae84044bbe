"""Finding what a community talks about in its own words: noun phrases of goal, rules and sketches.

No tagger, no model: a phrase is a run of words between stop words and verbs, less the words that every forum's description
holds; a verb is known by what stands around it. `python -m benchmarks.topics` counts how often that goes wrong. A designer who
wants other topics lists them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import NamedTuple

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
    return [phrase for run in _runs(text, is_sentence) if (phrase := _trim(run.words))]


def content_words(phrases: Iterable[str]) -> frozenset[str]:
    """The words of phrases, of three letters or more, that not every community's description has."""
    words = {word.lower() for phrase in phrases for word in re.findall(r"[^\W\d_]{3,}", phrase)}
    return frozenset(words - _words("stop") - _words("generic") - _words("doing"))


def who_is_there(goal: str) -> frozenset[str]:
    """The members themselves, by whom a goal often begins ("Tenants of a block", "Home bakers swap", "A chess club that"), as keys
    without article and plural: nobody's topic. Empty where the goal begins otherwise."""
    lead = _LEAD.sub("", goal, count=1)
    first, second = (*islice(_runs(lead), 2), None, None)[:2]
    if first is None or not lead.lower().startswith(" ".join(first.words).lower()):
        return frozenset()
    is_body = first.words[-1].lower() in _words("bodies")
    is_pair = second is not None and not second.before - _JOINS and _are_many(second) and second.after not in (",", ".", ":")
    # "Books and films we love" begins with a pair too, but not one that does something.
    is_pair = is_pair and second is not None and (second.after in _words("doing") or second.after in _WHICH)
    goes_on = re.match(r" and (?:those|anyone|people|their)\b", lead[len(" ".join(first.words)) :], re.I)
    names = first.after not in (",", ".", ":", "and") or is_pair or goes_on or _is_agent(first.words[-1])
    names = names or goal.lower().startswith("for ")
    found = [first.words] if names and (is_body or _are_many(first)) else []
    if found and second is not None and (is_pair or (is_body and first.after == "of" and _are_many(second))):
        found.append(second.words)
    return frozenset(_key(" ".join(words[at:])) for words in found for at in range(len(words)))


def _are_many(run: Run) -> bool:
    return run.words[-1].endswith("s") or run.words[-1].lower() in ("people", "children")


def _is_agent(word: str) -> bool:
    """Whether a word of many is one for people by its ending ("amateurs and those studying"), or one that is known."""
    return word.endswith(("ers", "ors", "ists", "ians", "eurs")) or is_somebody(word)


def is_somebody(phrase: str, members: frozenset[str] = frozenset()) -> bool:
    """Whether a phrase names people: one of the community's members by any name, or what somebody is to somebody."""
    last = _key(phrase.split()[-1])
    return last in members or last in _words("people") or f"{last}s" in _words("people")


_LEAD = re.compile(r"\s*(?:an? (?:\w+ )?place (?:where|for) |where |for |an? |the |some |we are |we're )*", re.I)
_JOINS = frozenset(("and", "or", "&", "the", "a", "an"))
_WHICH = frozenset("of who that in at on from with".split())  # noqa: SIM905


def loves(sketch: str) -> Iterator[tuple[str, float]]:
    """Phrases for what a sketch says that its persona likes, does or worries about, weightiest first, and how much each weighs."""
    for part in subject_parts(read_sketch(sketch).parts[1:]):
        interest, does = _INTEREST.search(part), _DOES.match(part)
        if interest or does:
            told = (interest or does)[1]  # type: ignore[index]
            near = _OBJECT_ENDS.split(told, maxsplit=1)[0]
            found = noun_phrases(near, is_sentence=False) or noun_phrases(told, is_sentence=False)[:1]
        else:
            found = noun_phrases(part, is_sentence=False)
        for phrase in found:
            yield phrase, 1.5 if interest else 1.2 if does else 0.5


_DOES = re.compile(
    r"(?:(?:mostly|always|also|still|often|quietly|secretly) )*(?!always|has|is|was|does his|does her|says|asks|lives|makes|gives|"
    r"works|speaks|swears|sounds|comes|goes|gets|takes|needs|shouts|laughs|drinks|never|perhaps|sometimes|across|less)"
    r"(?:[a-z]{2,}[^s\W]s (?:about |over |at |after |through |for )?|(?:anxious|worried|angry|nervous|excited|serious|upset|unsure|"
    r"passionate|strict|picky|bitter|furious|proud|keen|hopeless|good|fussy|tired|afraid|scared) (?:about|at|of|on|with|over) )(.+)"
)
"""A part of a sketch that begins with what its persona does ("trains deaf dogs") or what stirs it ("anxious about drug rounds")."""
_OBJECT_ENDS = re.compile(
    r" (?:with|from|in|at|on|by|before|after|behind|for|against|to|without|since|until|out|than|through|every|when|because|but|"
    r"while|so|that|who)\b"
)


def _candidates(goal: str, rules: Iterable[str], sketches: Iterable[str]) -> Iterator[tuple[str, float]]:
    members = who_is_there(goal)
    for phrase, is_place in goal_phrases(goal):
        if not is_somebody(phrase, members):
            yield phrase, 1.0 if is_place else 3.0
        elif phrase.split()[-1].lower() in _words("bodies") and (about := noun_phrases(" ".join(phrase.split()[:-1]))):
            yield about[0], 2.0  # what the club is for
    for phrase, weight in (found for sketch in sketches for found in loves(sketch)):
        if not is_somebody(phrase, members):
            yield phrase, weight
    for phrase in (found for rule in rules for found in noun_phrases(rule)):
        if not is_somebody(phrase, members):
            yield phrase, 0.4


def goal_phrases(goal: str) -> Iterator[tuple[str, bool]]:
    """Phrases of a goal in the order of the text, and whether one only says where its members are ("bakers IN A SMALL TOWN keep")."""
    is_early = True
    for run in _runs(goal):
        is_early = is_early and not run.before & _words("doing")
        if phrase := _trim(run.words):
            yield phrase, is_early and bool(run.before & _WHERE)


_WHERE = frozenset("in at from across around near".split())  # noqa: SIM905


class Run(NamedTuple):
    """Words between stop words and punctuation: a noun phrase, mostly."""

    words: list[str]
    before: frozenset[str]  # what stood between it and the run before, in lower case
    after: str  # what it ends at, in lower case


def _runs(text: str, sentence_start: bool = True) -> Iterator[Run]:
    """Runs of words between stop words and punctuation, less what context shows to be a verb."""
    tokens = [*_TOKEN.findall(text), "."]
    lows = [token.lower().replace("’", "'") for token in tokens]
    run: list[str] = []
    before: set[str] = set()
    is_list = False
    for at, (token, word) in enumerate(zip(tokens, lows, strict=True)):
        previous = lows[at - 1] if at else ""
        is_list = word == ":" or (is_list and word not in _CLAUSES)
        if word.endswith("'s") and {word[:-2], f"{word[:-2]}s"} & (_words("generic") | _words("stop") | _words("doing")):
            word = "of"  # "each other's kids": whose they are says nothing
        is_end = not word[0].isalpha() or word in _words("stop")
        if word in _words("doing"):
            is_end = not _is_modifier(lows, at, run, is_list)
        if is_end or _is_verb(token, previous, lows[at + 1] if at + 1 < len(lows) else ".", run):
            if word in _words("after_verb") or (len(run) > 1 and run[-1].endswith("ing") and is_somebody(run[-2])):
                run = run[:-1]  # "members BOOK the kiln", "people RECOVERING from burnout"
            elif word == "about" and _is_base(run[-1:]):
                run = run[:-1]  # "nurses on night shifts VENT about rotas"
            if run and not (len(run) == 1 and _says_what_is_done(lows, at, len(run), before)):
                yield Run(run, frozenset(before), word)
                before = set()
            run = []
            before.add(word)
        else:
            run.append(word if sentence_start and token[1:].islower() else token)
        sentence_start = token in ".!?:"


_CLAUSES = frozenset(". ! ? how who which that what when where why we they".split())  # noqa: SIM905
_ARTICLES = frozenset("a an the my our your their his her its this that each every".split())  # noqa: SIM905
_HELPING = frozenset("help helps helping let lets to go goes come comes can could will would should may might must do".split())  # noqa: SIM905
_PARTICLES = frozenset("for about against over on around down along away back".split())  # noqa: SIM905
_BE = frozenset("is are was were be been being am".split())  # noqa: SIM905
_TIMES = frozenset("before after until since during".split())  # noqa: SIM905


def _is_modifier(lows: Sequence[str], at: int, run: Sequence[str], is_list: bool) -> bool:
    """Whether a word that may be a verb is part of a name instead: "the PLAYING field", "plan CONTEST weekends", "a dog RESCUE find"."""
    if at == 0 or at + 1 >= len(lows):
        return False
    word, previous, following = lows[at], lows[at - 1], lows[at + 1]
    goes_on = following[0].isalpha() and following not in _words("stop")
    starts = at - len(run) - 1
    article = lows[starts] if starts >= 0 else ""
    if run and starts < 0 and word.endswith("s") and (following == "and" or following in _WHICH):
        return True  # "line COOKS and"
    if run:
        is_open = all(w.lower() in _words("doing") or w.endswith("ing") for w in run)  # "the coming pay ballot"
        return goes_on and (is_open or (article in ("a", "an") and following in _words("doing")))
    if not goes_on:
        return False
    if previous in _ARTICLES:
        return True
    if previous in _words("doing") and previous not in _HELPING:
        is_subject = at <= 2 and previous.endswith("s")  # "home COOKS share", at the start
        return not is_subject and not word.endswith(("ing", "s"))
    return is_list and word.endswith("ing") and previous in (",", ":", "and", "or")


def _is_verb(token: str, previous: str, following: str, run: Sequence[str]) -> bool:
    """Whether a word is a verb, or says how something is, by the word before it: "WHO restore", "TO weather wagons", "ARE proud of"."""
    if not token.islower():
        return False
    if previous in ("who", "we", "they") or (previous in ("have", "has", "had", *_BE) and not run):
        return True
    if previous in ("to", "off"):
        return not token.endswith("s")  # "let off STEAM" is no verb, and nothing either
    return previous in _TIMES and not (following[0].isalpha() and following not in _words("stop"))


def _says_what_is_done(lows: Sequence[str], end: int, size: int, before: set[str]) -> bool:
    """Whether a word that stands alone is a verb by what follows: "those STUDYING for", ", and FIGHT for darker lamps"."""
    word, following, start = lows[end - 1], lows[end], end - size
    previous = lows[start - 1] if start else ""
    if word.endswith("ing") and previous not in _ARTICLES:
        return following in _words("after_verb") or following in ("for", "after", "through", "to", "from", "about", "with")
    return previous in (",", "and", "or") and _is_base([word]) and following in _PARTICLES and bool(before)


def _is_base(last: Sequence[str]) -> bool:
    """Whether the word may be a verb's plain form."""
    return any(word.islower() and (word.endswith("ss") or not word.endswith(("s", "ing"))) for word in last)


def ends_phrase(word: str) -> bool:
    """Whether no noun phrase goes on with the word."""
    low = word.lower()
    return not low[0].isalpha() or low.rstrip(".,;:!?") in _words("stop") | _words("doing")


def _trim(run: list[str]) -> str:
    """The run without generic words at its ends; its last three words; "" if nothing is left."""
    generic = _words("generic")
    while run and (run[0].lower() in generic or (run[0].lower().endswith("ly") and len(run) > 1)):
        run = run[2 if run[0].endswith("ly") and len(run) > 2 and _STATE.fullmatch(run[1]) else 1 :]  # "newly arrived families"
    size = len(run)
    while run and (run[-1].lower() in generic or run[-1].lower().endswith("ly")):
        run = run[:-1]
    if 0 < len(run) < size:
        run = [*run[:-1], _in_general(run[-1])]
    if len(run) == 1 and _STATE.fullmatch(run[0].lower()):
        return ""
    phrase = " ".join(run[-3:])
    return phrase if len(phrase) > 2 else ""


def _in_general(noun: str) -> str:
    """A noun that stood before another, as what is talked of: of many where it can be counted ("TOOL advice" is about tools)."""
    is_mass = noun in _words("mass") or _UNCOUNTED.search(noun)
    if is_mass or not noun.islower() or not noun.isalpha():
        return noun
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    if re.search(r"(?:li|ni|wi)fe$|[ae]lf$|[ae]af$", noun):  # knives, shelves, leaves
        return f"{noun.removesuffix('e')[:-1]}ves"
    return f"{noun}es" if re.search(r"(?:[xz]|[cs]h)$", noun) else f"{noun}s"


_UNCOUNTED = re.compile(
    r"(?:s|ing|ness|ity|tion|ment|ism|age|ics?|al|[st]ive|ous|ful|ware|work|craft|wear|ed|est|er?ly|graphy|ology)$"
)
"""Endings of plurals, of nouns for what cannot be counted and of adjectives."""


_STATE = re.compile(
    r"(?!moped|hundred|infrared|kindred)[a-z]{3,}[^aeo\W]ed|\w+-(?:free|friendly|based)|"
    r"night|morning|evening|afternoon|noon|midnight|dawn|dusk"
)
"""What stands alone and is nothing: a participle or the like ("is locked", "gluten-free talk") and a time ("bakes at night")."""


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
