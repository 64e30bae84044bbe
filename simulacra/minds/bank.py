"""The phrase bank of a community, ready to write from: where the lines of each part of a post come from.

A bank is data (docs/voices.md). A community's own bank is mixed with the general bank; a community without one lives on the
general bank and the phrases found in its goal and sketches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from math import exp, log2
from typing import Any, NamedTuple

from simulacra.community import Community
from simulacra.minds.data import general_bank, violation_bank
from simulacra.minds.dialect import dialect_of, spoken
from simulacra.minds.lines import HAS_THING, IS_DOING, Dice, Line, Words, life_of, without_brackets
from simulacra.minds.subjects import subject_of
from simulacra.minds.things import Thing, clean, found_things, make_thing, told_by, with_article
from simulacra.scoring.profanity import Profanity
from simulacra.scoring.vader import Vader


class Pool:
    """Where the lines of one part come from: the community's own list and the general one.

    Both lists come in the order of their valence, so that a mood can lean towards one end. share: chance that a line is the
    general bank's, where both have lines. is_topical: the own list is one topic's, so that any line of it is about the subject.
    """

    def __init__(self, own: Sequence[Line], general: Sequence[Line], share: float, is_topical: bool = False) -> None:
        self._lists = (own or general, general or own)
        naming = tuple([line for line in lines if line.bits & HAS_THING] or lines for lines in self._lists)
        self._about = (own, naming[1]) if own and is_topical else naming
        talked, about = (tuple(_talked(lines) for lines in lists) for lists in (self._lists, self._about))
        # A short list said over and over gives itself away more than a line that names nothing.
        self._talked = talked, about if is_topical or len(about[True]) >= MANY else talked
        self._threshold = int(share * 2**24)
        self.is_empty = not self._lists[0]
        self.variety = log2(max(1, len(self._lists[0])))

    def pick(self, dice: Dice, mood: float, bar: int, used: set[int], about: bool = False) -> Line:
        """A line without any of the bits in `bar`, whose key is not in `used`, if a few tries find one.

        mood: [-1, 1], leans towards lines of that valence; at 0 all are equally likely. about: lines on the subject only, where
        there are any. The pool must not be empty.
        """
        lists = self._talked[about] if bar & IS_DOING else self._about if about else self._lists
        bar &= ~IS_DOING
        general = next(dice) < self._threshold
        lean = exp(-LEAN * mood)
        for lines in (lists[general], lists[not general]):
            size = len(lines)
            for _ in range(5):
                line = lines[int(size * (next(dice) / 16777216) ** lean)]
                if not line.bits & bar and line.key not in used:
                    return line
        return line


def _talked(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines that suit a thing which nobody does or has in general, all of them where these are few."""
    talked = [line for line in lines if not line.bits & IS_DOING]
    return talked if len(talked) >= FEW else lines


LEAN = 1.4
"""How strongly moods choose among lines by valence: at mood .5 the upper half of a list is drawn 7 times in 10."""


class Topic(NamedTuple):
    """What there is to say about one topic."""

    things: list[Thing]  # never empty; each as often as it is to be talked about
    others: list[Thing]  # each of them once
    aspects: list[str]  # never empty
    parts: dict[str, Pool]  # facts, praise, gripes, stories, tips
    asks: dict[str, Pool]  # by kind of question
    answers: dict[str, Pool]
    openers: tuple[str, ...]  # kinds of question that people come with
    asked: tuple[str, ...]  # and those of them that suit a thing which nobody does or has in general
    is_general: bool  # without lines of a bank of the community's own
    back: tuple[str, ...]  # and those that they ask back of somebody who has told something


class Bank(NamedTuple):
    """Everything a sketch writer of one community draws from."""

    topics: list[Topic]
    acts: dict[str, Pool]
    who: list[tuple[str, int]]  # companions and what each presumes of the writer's life
    when: list[str]  # times in the past
    kinds: tuple[str, ...]  # kinds of question, in a fixed order: their index is part of a memo


_PARTS = ("facts", "praise", "gripes", "stories", "tips")
GENERAL_SHARE = {
    "facts": 0.04, "praise": 0.12, "gripes": 0.12, "stories": 0.06, "tips": 0.05, "asks": 0.1, "answers": 0.2,
    "share_open": 0.4, "share_close": 0.6, "ask_open": 0.5, "ask_close": 0.6,
    "agree": 0.6, "disagree": 0.6, "joke": 0.65, "vent": 0.5, "thank": 0.7, "promote": 0.75, "off_topic": 0.85,
}  # fmt: skip
"""How much of the general bank is mixed into a community's own, by part: more where lines carry little of the subject.

Tuned by `python -m benchmarks.quality`: more of it raises the share of distinct bigrams and lowers topicality.
"""


BARE_SHARE = 0.45
"""The most of it where the lines are those of a common subject (data/subjects.toml), which know less of the community."""
ENOUGH_LINES = 2
"""A subject's own list of n lines leaves the general bank ENOUGH_LINES / n, if that is less: a long one needs it less, and general
lines on a thing that they do not know ("use a cheap notebook for the oven") give the machine away."""
ANY_ANSWER = ("who",)
"""Kinds of question that only the general bank answers where a community has no voices: "mine, with the goose in it" fits one question
of its subject, "yes, me" fits all."""


FEW = 4
"""Things found in a community's own text from which on those of its subject are not needed."""
MANY = 12
"""Lines that name a thing from which on a list of jokes or insults is drawn from for that."""
OWN_THINGS = 6
"""How often what was found in a community's own text stands for one thing of its common subject."""


class _Numbered:
    """Makes lines, numbering them in the order they are made; a list of lines is sorted by the valence of its words."""

    def __init__(self) -> None:
        self._next = count(1)
        self._read = Vader().score
        self._subjects: dict[str, dict[str, dict[str, list[Line]]]] = {}

    def lines(self, raw: Sequence[str], words: Words, is_general: bool = False) -> list[Line]:
        lines = [Line(text, next(self._next), words, is_general) for text in raw]
        return sorted(lines, key=lambda line: self._read(line.plain()).compound)

    def subject(self, subject: Mapping[str, Any], words: Words) -> dict[str, dict[str, list[Line]]]:
        """The lines of a common subject: the same for all topics that share it, so that none is said twice in a row."""
        name = subject.get("name", "")
        if name not in self._subjects:
            self._subjects[name] = _topic_lines(self, subject, words)
        return self._subjects[name]

    def lists(self, table: Mapping[str, Sequence[str]], words: Words, is_general: bool = False) -> dict[str, list[Line]]:
        return {name: self.lines(raw, words, is_general) for name, raw in table.items()}


def build_bank(community: Community) -> Bank:
    """The bank of a community: its own voices, where it has any, mixed with the general bank."""
    speak = dialect_of(community)
    general, own = spoken(general_bank(), speak), community.voices
    # Two of three companions and times are the community's own, if it names any.
    shared = {key: [*(list(own.get("words", {}).get(key, ())) * 4), *general["words"][key]] for key in ("when", "who")}
    general_words = {**general["words"], **shared}
    own_words = {**general_words, **own.get("words", {}), **shared}
    number = _Numbered()
    insults = _sorted_insults(own.get("acts", {}).get("insult", ()))
    breaking = spoken({kind: lines for kind, lines in violation_bank().items() if kind != "topics"}, speak)
    acts = {**general["acts"], **breaking}
    common = number.lists(acts, general_words, is_general=True)
    anywhere = _topic_lines(number, general["topics"][0], general_words, is_general=True)
    named = {t["name"]: t for t in own.get("topics", ())}
    subject = {} if own else {**spoken(subject_of(community), speak)}
    local = number.lists({"joke": subject.get("joke", ()), **own.get("acts", {}), **insults}, own_words)
    topics = [
        _topic(name, community, named.get(name, {}), subject, general["topics"][0], anywhere, number, own_words)
        for name in community.topics
    ]
    return Bank(
        topics=topics,
        acts={key: _pool(key, local.get(key, []), common.get(key, []), bool(own)) for key in sorted({*common, *local})},
        who=[(text, life_of(text)) for text in own_words["who"]],
        when=[text for text in own_words["when"] if not text.startswith("every")],
        kinds=tuple(sorted({kind for topic in topics for kind in topic.asks})),
    )


def _pool(part: str, own: Sequence[Line], general: Sequence[Line], has_voices: bool) -> Pool:
    return Pool(own, general, GENERAL_SHARE.get(part, 0.3) if has_voices else 0.85)


_SEMANTIC = re.compile(
    r"\b(?:clowns?|dunces?|parasites?|dirtbags?|embarrass\w*|waste|miserable|braindead|delusional|shameless|pompous|hateful|vile|"
    r"repulsive|rotten|incompetent|gullible|childish)\b",
    re.IGNORECASE,
)
"""Words that an embedding-based scorer flags and a word list does not (measured, docs/design.md)."""


def _sorted_insults(lines: Sequence[str]) -> dict[str, list[str]]:
    """A community's own rude lines by which kind of scorer sees them: the lexical one is asked, the other goes by its words."""
    if not lines:
        return {}
    strata: dict[str, list[str]] = {f"insult_{name}": [] for name in ("both", "lexical", "semantic", "neither")}
    plain = [without_brackets(line) for line in lines]
    for line, score in zip(lines, Profanity().score(plain), strict=True):
        seen = "both" if score > 0.5 else "semantic" if _SEMANTIC.search(line) else "neither"
        strata[f"insult_{seen}"].append(line)
    return strata


def _topic_lines(
    number: _Numbered, topic: Mapping[str, Any], words: Words, is_general: bool = False
) -> dict[str, dict[str, list[Line]]]:
    """A topic's lists of lines: {"parts": {name: lines}, "asks": {kind: lines}, "answers": {kind: lines}}."""
    return {
        "parts": number.lists({part: topic.get(part, ()) for part in _PARTS}, words, is_general),
        "asks": number.lists(topic.get("asks", {}), words, is_general),
        "answers": number.lists(topic.get("answers", {}), words, is_general),
    }


def _topic(
    name: str,
    community: Community,
    own: Mapping[str, Any],
    subject: Mapping[str, Any],
    general: Mapping[str, Any],
    anywhere: Mapping[str, Mapping[str, list[Line]]],
    number: _Numbered,
    words: Words,
) -> Topic:
    lines = _topic_lines(number, own, words) if own else number.subject(subject, words)

    share = GENERAL_SHARE if own else {}

    def pools(group: str, part: str | None = None) -> dict[str, Pool]:
        keys = sorted({*lines[group], *anywhere[group]})
        found = {
            k: Pool(
                lines[group].get(k, []),
                anywhere[group].get(k, []),
                1.0
                if group == "answers" and not own and k in ANY_ANSWER
                else share.get(part or k) or _bare(lines[group].get(k, [])),
                True,
            )
            for k in keys
        }
        return {key: pool for key, pool in found.items() if not pool.is_empty}

    is_place = _is_place(own)
    things = [make_thing(entry, is_place) for entry in own.get("things", ())] or found_things(name, community)
    if len({thing.mark for thing in things}) < FEW:
        things = [*things * OWN_THINGS, *(make_thing(entry, is_place) for entry in subject.get("things", ()))]
    aspects = list(own.get("aspects", subject.get("aspects", ()))) or list(general.get("aspects", ())) or [name]
    asks = pools("asks", "asks")
    if lines["asks"]:  # a community that sorts its questions is asked only those kinds
        asks = {kind: pool for kind, pool in asks.items() if kind in lines["asks"] or kind.startswith("back_")}
    back = tuple(kind for kind in asks if kind.startswith("back_"))
    openers = tuple(kind for kind in asks if kind not in back)
    asked = tuple(kind for kind in openers if kind in lines["asks"] or _is_asked(anywhere["asks"].get(kind, ()))) or openers
    told = () if own else (make_thing(with_article(clean(t), told_by(community)), False) for t in community.topics)
    others = list({thing.mark: thing for thing in (*things, *told)}.values())
    return Topic(things, others, aspects, pools("parts"), asks, pools("answers", "answers"), openers, asked, not own, back)


def _is_asked(lines: Sequence[Line]) -> bool:
    """Whether enough of the questions of a kind only talk of their thing: nobody asks what the sky costs a month."""
    return sum(bool(line.bits & HAS_THING) and not line.bits & IS_DOING for line in lines) >= FEW


def _bare(own: Sequence[Line]) -> float:
    return min(BARE_SHARE, ENOUGH_LINES / max(1, len(own)))


def _is_place(topic: Mapping[str, Any]) -> bool:
    """Whether the things of a topic are places: its stories and gripes happen "at" them."""
    lines = [line for part in _PARTS for line in topic.get(part, ())]
    return sum(" at {thing}" in line for line in lines) > 0.08 * len(lines) > 0
