"""What a post of each act is made of: a draft picks lines of a bank, and each act is one short plan over them."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from simulacra.minds.bank import Bank, Pool
from simulacra.minds.lines import ASPECT, HAS_THING, HAS_WHO, IS_LONG, IT, OTHER, THING, Dice
from simulacra.minds.manner import ALONE, BAD, GOOD, PLAIN, Manner, Sentence
from simulacra.minds.things import Thing

PRAISED, GRIPED, STATED = 1, 2, 3
"""What a post said about its thing."""

PRONOUN_SHARE = 0.03
"""Replies that need not name what their parent named. Tuned by the cosine between replies and parents."""


_UNDATED = re.compile(
    r"(?:I|we|my|our) (?!.*\b(?:ago|last|since|yesterday|when|once|after|before|until|still|now|every|always|never|today|"
    r"tonight|morning|evening|night|spring|summer|autumn|winter|\w+day|week|weekend|month|year|years)\b)"
)
"""A story in the first person that says nothing of its time."""


class About(NamedTuple):
    """What a post is about: the part of it that those who reply need. Indices into the community's bank."""

    topic: int
    thing: int
    aspect: int
    kind: int = 0  # of the question it asks, from 1; 0 asks nothing
    stance: int = 0  # PRAISED, GRIPED, STATED; 0 none
    first: int = 0  # keys of its first three lines
    second: int = 0
    third: int = 0


_BITS = (5, 8, 7, 4, 2, 12, 12, 12)
"""Widths of About's fields in a memo. A lowest bit of 1 tells a memo from "no memo"."""


def pack(about: About) -> int:
    """A memo (fits int64); indices too large for their field are cut, which costs the replies their exact subject, no more."""
    memo = 0
    for value, bits in zip(about, _BITS, strict=True):
        memo = memo << bits | (value & ((1 << bits) - 1))
    return memo << 1 | 1


def unpack(memo: int) -> About | None:
    """What a memo says; None for 0, the memo of posts that other minds or people wrote."""
    if not memo & 1:
        return None
    memo >>= 1
    values = []
    for bits in reversed(_BITS):
        values.append(memo & ((1 << bits) - 1))
        memo >>= bits
    return About(*reversed(values))


def keys(memo: int) -> tuple[int, int, int]:
    """The line keys in a memo."""
    return memo >> 25 & 4095, memo >> 13 & 4095, memo >> 1 & 4095


class Draft:
    """A post under composition: sentences so far, and what may still be said.

    room: sentences that the author feels like writing, at least 1. said: keys of lines that this thread has read before.
    `parent`: what the post replied to is about, None where that is not known and where the draft opens a thread.
    """

    def __init__(self, bank: Bank, topic: int, writer: Manner, dice: Dice, mood: float, room: int, said: set[int]) -> None:
        self.bank, self.topic_index, self.topic = bank, topic, bank.topics[topic]
        self.writer, self.dice, self.mood, self.room = writer, dice, mood, room
        self.fill = [""] * 12
        self.bar = writer.false | (IS_LONG if self.chance(0.9 - 1.2 * writer.verbosity) else 0)
        self.used = said
        self.keys: list[int] = []
        self.sentences: list[Sentence] = []
        self.parent: About | None = None
        self.is_reply = False
        self.named = False
        self.on_topic = False
        self.variety = 0.0 if len(self.topic.things) > 8 else -2.0  # bits; few things to speak of make for equal posts
        self.brevity = 0.95 - 0.5 * writer.verbosity  # chance that a line loses the afterthought at its end
        self.kind = self.stance = self.thing = self.aspect = 0

    # -- what it is about

    def settle(self, parent: About | None, is_reply: bool) -> None:
        """Choose the thing and the aspect: the parent's, where it is known, in their short form."""
        things, aspects = self.topic.things, self.topic.aspects
        self.parent, self.is_reply = parent, is_reply
        self.thing, self.aspect = self.roll() % len(things), self.roll() % len(aspects)
        if parent is not None:
            self.thing = parent.thing % len(things)
            if self.chance(0.6):
                self.aspect = parent.aspect % len(aspects)
        other = things[(self.thing + 1 + self.roll() % max(1, len(things) - 1)) % len(things)]
        thing = things[self.thing]
        self.fill[THING] = self.name(thing) if is_reply else thing.long
        self.fill[OTHER] = self.name(other) if self.roll() % 3 else other.long
        self.fill[ASPECT] = aspects[self.aspect]
        self.fill[IT:] = thing.pronouns
        # In a reply the parent has named the thing: often a pronoun will do.
        self.named = parent is not None and self.chance(PRONOUN_SHARE)

    def about(self) -> About:
        return About(self.topic_index, self.thing, self.aspect, self.kind, self.stance, *(*self.keys, 0, 0, 0)[:3])

    # -- chance

    def roll(self) -> int:
        return next(self.dice)

    def name(self, thing: Thing) -> str:
        return thing.shorts[self.roll() % len(thing.shorts)]

    def chance(self, probability: float) -> bool:
        return next(self.dice) < probability * 16777216

    # -- saying

    @property
    def left(self) -> int:
        return self.room - len(self.sentences)

    def say(self, pool: Pool | None, tone: int = PLAIN, about: bool = False) -> None:
        """Add a line of the pool, if there is one; about as in Pool.pick."""
        if pool is None or pool.is_empty:
            return
        line = pool.pick(self.dice, self.mood, self.bar, self.used, about)
        text = line.render(self.fill, self.dice, self.writer, self.named, is_brief=self.chance(self.brevity))
        self.sentences.append(Sentence(text, tone))
        self.variety += pool.variety + line.variety
        self.used.add(line.key)
        self.keys.append(line.key)
        if line.bits & HAS_WHO:
            self.bar |= HAS_WHO
        if line.bits & HAS_THING:
            self.named = True
            self.fill[THING] = self.name(self.topic.things[self.thing])

    @property
    def is_topical(self) -> bool:
        """Whether a stranger could tell what the post is about."""
        return self.named or self.on_topic

    def act(self, name: str, tone: int = PLAIN, about: bool = False) -> None:
        self.say(self.bank.acts.get(name), tone, about)

    def maybe(self, probability: float, name: str, spare: int = 1) -> None:
        """The line of an act with this probability, if there is room for `spare` sentences beside it."""
        if self.left > spare and self.chance(probability):
            self.act(name)

    def part(self, name: str, tone: int = PLAIN) -> None:
        """A line on the topic, mostly one about its thing."""
        self.on_topic = True
        self.say(self.topic.parts.get(name), tone, self.chance(0.65 if self.named else 0.9))

    # -- building blocks of the plans

    def opinion(self, sign: int) -> None:
        """Praise or a gripe. A post that has taken a stance keeps to it, mostly."""
        if self.stance in (PRAISED, GRIPED) and self.chance(0.85):
            sign = 1 if self.stance == PRAISED else -1
        self.part("praise" if sign > 0 else "gripes", GOOD if sign > 0 else BAD)
        if self.stance not in (PRAISED, GRIPED):
            self.stance = PRAISED if sign > 0 else GRIPED

    def remark(self) -> None:
        """Something on the subject in the author's mood: an opinion the likelier the stronger the mood."""
        mood = self.mood
        praise, gripe = 0.06 + max(0.0, 1.1 * mood), 0.06 + max(0.0, -1.1 * mood)
        at = self.roll() / 16777216 * (praise + gripe + 0.75)
        if at < praise:
            self.opinion(1)
        elif at < praise + gripe:
            self.opinion(-1)
        else:
            if at < praise + gripe + 0.33:
                self.part("facts")
            else:
                self.story()
            self.stance = self.stance or STATED

    def story(self) -> None:
        """Something that happened, now and then with the time in front."""
        self.part("stories")
        text, tone = self.sentences[-1]
        if self.chance(0.25) and _UNDATED.match(text):
            when = self.bank.when[self.roll() % len(self.bank.when)]
            self.sentences[-1] = Sentence(f"{when} {text}", tone)

    def feeling(self) -> None:
        """How the author feels, if the mood is strong enough to say it and fits what has been said."""
        sign = GOOD if self.mood > 0 else BAD
        if self.stance not in (GRIPED if sign == GOOD else PRAISED,) and self.chance(0.1 + 1.2 * abs(self.mood)):
            self.act("up" if sign == GOOD else "down", sign)

    def more(self) -> None:
        """Fill the room that is left."""
        for _ in range(self.left):
            at = self.roll() % 100
            if at < 15 + 50 * abs(self.mood):
                self.feeling()
            elif at < 75:
                self.remark()
            else:
                self.part("tips")

    def question(self, kind: str) -> None:
        self.say(self.topic.asks.get(kind), PLAIN, True)
        self.kind = self.kind or self.bank.kinds.index(kind) + 1


def share(d: Draft) -> None:
    if not d.is_reply:
        d.maybe(0.4, "share_open")
    d.remark()
    d.more()
    if not d.is_reply and d.chance(0.15):
        d.act("share_close")


def ask(d: Draft) -> None:
    kinds = tuple(d.topic.asks)
    asked = d.bank.kinds[d.parent.kind - 1] if d.parent and d.parent.kind else None
    kind = kinds[d.roll() % len(kinds)] if kinds else None
    if kind == asked and len(kinds) > 1:
        kind = kinds[(kinds.index(kind) + 1) % len(kinds)]
    if not d.is_reply:
        d.maybe(0.3, "ask_open", spare=0)
    if kind is not None:
        d.question(kind)
    if d.left > 0 and d.chance(0.3):
        d.remark()
    if d.chance(0.1 if d.is_reply else 0.25):
        d.act("ask_close")


def answer(d: Draft) -> None:
    kind = d.bank.kinds[d.parent.kind - 1] if d.parent and 0 < d.parent.kind <= len(d.bank.kinds) else None
    d.maybe(0.2, "answer_open")
    answers = d.topic.answers.get(kind) if kind else None
    if answers is not None:
        d.say(answers)
    else:
        d.part("tips")
    d.stance = STATED
    d.more()


def agree(d: Draft) -> None:
    d.act("agree", about=_names(d))
    _why(d, d.parent.stance if d.parent else 0)
    d.more()


def disagree(d: Draft) -> None:
    d.act("disagree", about=_names(d))
    stance = d.parent.stance if d.parent else 0
    _why(d, GRIPED if stance == PRAISED else PRAISED if stance == GRIPED else 0)
    d.more()


def _names(d: Draft) -> bool:
    """Whether to say what is agreed or disagreed with."""
    return d.chance(0.4)


def _why(d: Draft, stance: int) -> None:
    """A reason of the given stance; without one, whatever the mood says."""
    if d.left <= 0 and d.chance(0.75):
        return
    if stance in (PRAISED, GRIPED):
        d.opinion(1 if stance == PRAISED else -1)
    else:
        d.remark()


def joke(d: Draft) -> None:
    d.act("joke")
    if d.left > 0 or (not d.is_topical and d.chance(0.4)):
        d.remark()


def vent(d: Draft) -> None:
    d.act("vent", BAD)
    if d.left > 0 or (not d.is_topical and d.chance(0.4)):
        d.opinion(-1)
    if d.left > 0:
        d.act("down", BAD)
    d.stance = GRIPED
    d.more()


def thank(d: Draft) -> None:
    d.act("thank", GOOD)
    if d.chance(0.25) and d.topic.asks:
        kinds = tuple(d.topic.asks)
        d.question(kinds[d.roll() % len(kinds)])
    elif d.left > 0 or (not d.is_topical and d.chance(0.4)):
        d.remark()


def promote(d: Draft) -> None:
    d.act("promote")
    if d.left > 0:
        d.act("promote")


def off_topic(d: Draft) -> None:
    d.act("off_topic")
    if d.left > 0:
        d.act("up" if d.mood > 0.3 else "down" if d.mood < -0.3 else "off_topic")


def insult(d: Draft) -> None:
    """What stands around an insult; the insult itself is added as a sentence of its own."""
    if d.chance(0.45):
        if d.is_reply and d.chance(0.5):
            d.act("disagree")
        else:
            d.opinion(-1)


PLANS: dict[str, Callable[[Draft], None]] = {
    "share": share, "ask": ask, "answer": answer, "agree": agree, "disagree": disagree, "joke": joke, "vent": vent,
    "thank": thank, "promote": promote, "insult": insult, "off_topic": off_topic,
}  # fmt: skip

MILDER = {"insult": ("disagree", "vent"), "promote": ("answer", "share"), "off_topic": ("answer", "share")}
"""What an author who thinks again writes instead: (in a reply, opening a thread)."""

STRATUM_SHARE = {"both": 0.27, "lexical": 0.13, "semantic": 0.22, "neither": 0.38}
"""How insults are spread over what sees them. An assumption: it exists so that no filter sees everything."""


IN_PASSING = 0.25
"""How often a violation that is no insult comes behind what the post would have said anyway."""


def break_rule(d: Draft, kind: str, act: str) -> str:
    """Say what breaks a rule of this kind; returns the stratum of an uncivil post, "none" for others.

    An insult is added to what stands around it. Other violations take the place of the act, mostly: who preaches does not
    answer first.
    """
    if kind == "insult":
        PLANS[act](d)
        return _add_insult(d)
    if kind == "low_effort":
        d.act("low_effort" if d.is_reply else "low_effort_open", ALONE)
        return "none"
    if d.chance(IN_PASSING):
        d.room = 1
        PLANS["disagree" if kind == "harassment" and d.is_reply else act](d)
        del d.sentences[1:]
    d.named = False  # a spoiler that says "it" spoils nothing
    d.act("promote" if kind == "self_promotion" else kind if d.is_reply or kind != "harassment" else "harassment_open", ALONE)
    if kind == "harassment":
        return _add_insult(d) if d.chance(0.4) else "neither"
    return "none"


def _add_insult(d: Draft) -> str:
    strata = tuple(STRATUM_SHARE)
    ends = tuple(accumulate(STRATUM_SHARE.values()))
    stratum = strata[min(bisect(ends, d.roll() / 16777216), len(strata) - 1)]
    for _ in range(1 + (d.left > 0 and d.chance(0.3))):
        d.act(f"insult_{stratum}", ALONE)
    return stratum
