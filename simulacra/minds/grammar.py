"""What a post of each act is made of: a draft picks lines of a bank, and each act is one short plan over them."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from simulacra.minds.bank import Bank, Pool
from simulacra.minds.lines import ASPECT, HAS_THING, HAS_WHO, IS_DOING, IS_LONG, IT, OTHER, SLOTS, THING, Dice
from simulacra.minds.manner import ALONE, BAD, FELT, GOOD, PLAIN, Manner, Sentence
from simulacra.minds.things import Thing, verbs_with

PRAISED, GRIPED, STATED, TOLD, ADVISED, ANSWERED, BROKE, STRAYED, JOKED, THANKED, SOLD, LAZY, DISPUTED = range(1, 14)
"""What a post did: praised or griped about its thing, stated something of it, told a story, gave advice, answered a question
(whose kind its memo keeps), broke a rule, spoke of something else, joked, thanked, advertised, said next to nothing, contradicted.
0: nothing that a reply could take up. At most 15: a memo has four bits for it."""

_SUFFIX = {
    PRAISED: "_praise", GRIPED: "_gripe", STATED: "_fact", TOLD: "_story", ADVISED: "_tip", ANSWERED: "_fact", DISPUTED: "_fact",
}  # fmt: skip
"""Lists of agreement and disagreement, by what is agreed with."""

NAMED_AGAIN = 0.3
"""Later sentences that say the name of the thing again where a pronoun would do."""

UNDERSTOOD = 0.5
"""Replies that take what the thread is about as named, in communities without voices, whose lines name it more often."""

TAKEN_UP = 0.75
"""Reactions that say what they react to; the others are whole lines that fit anything. Tuned by the cosine of replies and parents."""


PLAIN_BITS = 9.0
"""Bits of variety below which a set piece is rounded off."""

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
    kind: int = 0  # of the question that it asks or, if ANSWERED, has answered, from 1; 0 none
    stance: int = 0  # what it did: PRAISED ... BROKE; 0 none
    first: int = 0  # keys of its first three lines
    second: int = 0
    third: int = 0


_BITS = (5, 7, 6, 4, 4, 12, 12, 12)
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
        self.fill = [""] * SLOTS
        self.bar = writer.false | (IS_LONG if self.chance(0.7 - 1.2 * writer.verbosity) else 0)
        self.used = said
        self.keys: list[int] = []
        self.sentences: list[Sentence] = []
        self.parent: About | None = None
        self.is_reply = False
        self.named = False
        self.is_opened = False  # begins with a way into a post or a reply already
        self.variety = 0.0 if len(self.topic.things) > 8 else -2.0  # bits; few things to speak of make for equal posts
        self.brevity = 0.25 - 0.3 * writer.verbosity  # chance that a line loses the afterthought at its end
        self.kind = self.stance = self.thing = self.aspect = 0
        self.leaning = 0.0

    # -- what it is about

    def settle(self, parent: About | None, is_reply: bool) -> None:
        """Choose the thing and the aspect: the parent's, where it is known, in their short form; in a thread of one's own
        something that suits the mood."""
        things, aspects = self.topic.things, self.topic.aspects
        self.parent, self.is_reply = parent, is_reply
        self.thing, self.aspect = self.roll() % len(things), self.roll() % len(aspects)
        if parent is not None:
            self.thing = parent.thing % len(things)
            if self.chance(0.6):
                self.aspect = parent.aspect % len(aspects)
        elif (self.mood < 0) != (self.taste_for(things[self.thing]) < 0):
            self.thing = self.roll() % len(things)
        thing, others = things[self.thing], self.topic.others
        other = others[(start := self.roll()) % len(others)]
        if other.mark == thing.mark:
            other = others[(start + 1) % len(others)]
        self.leaning = self.taste_for(thing)
        if self.topic.is_general and thing.is_counted:
            self.bar |= IS_DOING
        self.named = parent is not None and self.topic.is_general and self.chance(UNDERSTOOD)
        self.fill[THING] = self.name(thing) if is_reply else thing.long
        self.fill[OTHER] = self.name(other) if self.roll() % 3 else other.long
        self.fill[ASPECT] = aspects[self.aspect]
        self.fill[IT:] = (*thing.pronouns, *thing.verbs, *verbs_with(aspects[self.aspect]), *other.verbs)

    def taste_for(self, thing: Thing) -> float:
        """What this persona thinks of a thing, [-1, 1], the same in all its posts."""
        return ((self.writer.bits[11] ^ thing.mark) * 2654435761 >> 8 & 0xFFFF) / 32768 - 1

    def about(self) -> About:
        return About(self.topic_index, self.thing, self.aspect, self.kind, self.stance, *(*self.keys, 0, 0, 0)[:3])

    @property
    def parent_kind(self) -> str | None:
        """The kind of the question that the parent asks or has answered."""
        kind = self.parent.kind if self.parent else 0
        return self.bank.kinds[kind - 1] if 0 < kind <= len(self.bank.kinds) else None

    @property
    def parent_stance(self) -> int:
        return self.parent.stance if self.parent else 0

    @property
    def is_aside(self) -> bool:
        """Whether the draft takes up something that is no contribution to the topic: a joke, thanks, an insult, an advertisement."""
        return self.parent_stance in ASIDES

    @property
    def suffix(self) -> str:
        """Of the lists of reactions, by what is reacted to."""
        return "_ask" if self.is_asked else _SUFFIX.get(self.parent_stance, "")

    @property
    def is_asked(self) -> bool:
        """Whether the parent is a question."""
        return self.parent_kind is not None and self.parent_stance != ANSWERED

    # -- chance

    def roll(self) -> int:
        return next(self.dice)

    def name(self, thing: Thing) -> str:
        return thing.shorts[self.roll() % len(thing.shorts)]

    def chance(self, probability: float) -> bool:
        return next(self.dice) < probability * 16777216

    @property
    def left(self) -> int:
        return self.room - len(self.sentences)

    def line(self, pool: Pool, about: bool = False, mood: float | None = None, whole: bool = False) -> str:
        """The words of a line of the pool, which must not be empty; about as in Pool.pick. What has been named may be a pronoun
        from then on. mood: lean towards lines of that valence, in place of the author's own."""
        line = pool.pick(self.dice, self.mood if mood is None else mood, self.bar, self.used, about)
        again = self.named and not self.chance(NAMED_AGAIN)
        text = line.render(self.fill, self.dice, self.writer, again, is_brief=not whole and self.chance(self.brevity))
        self.variety += pool.variety + line.variety
        self.used.add(line.key)
        self.keys.append(line.key)
        if line.bits & HAS_WHO:
            self.bar |= HAS_WHO
        if line.bits & HAS_THING:
            self.named = True
            self.fill[THING] = self.name(self.topic.things[self.thing])
        return text

    def say(
        self, pool: Pool | None, tone: int = PLAIN, about: bool = False, mood: float | None = None, whole: bool = False
    ) -> None:
        """Add a line of the pool as a sentence, if there is one."""
        if pool is not None and not pool.is_empty:
            self.sentences.append(Sentence(self.line(pool, about, mood, whole), tone))

    def act(self, name: str, tone: int = PLAIN, about: bool = False, whole: bool = False) -> None:
        self.say(self.bank.acts.get(name), tone, about, whole=whole)

    def maybe(self, probability: float, name: str) -> None:
        """The line of an act with this probability."""
        if self.chance(probability):
            self.act(name)

    def open(self, probability: float, name: str) -> None:
        """A way into the post with this probability. Without voices it names no thing: what follows may be about another."""
        bar = self.bar
        self.bar |= HAS_THING if self.topic.is_general else 0
        self.maybe(probability, name)
        self.bar = bar | self.bar & HAS_WHO

    def part(self, name: str, tone: int = PLAIN, mood: float | None = None) -> None:
        """A line on the topic, mostly one about its thing, always so where the post goes on with something."""
        self.say(self.topic.parts.get(name), tone, bool(self.sentences) or self.chance(0.9), mood)

    # -- building blocks of the plans

    def opinion(self, sign: int) -> None:
        """Praise or a gripe."""
        self.part("praise" if sign > 0 else "gripes", GOOD if sign > 0 else BAD)
        self.stance = PRAISED if sign > 0 else GRIPED

    def judges(self) -> int:
        """Whether the author, as it feels and thinks of the thing, would praise (1) or gripe (-1) now; mostly neither (0).

        Nobody praises today what it complained of yesterday, so a good mood has nothing to say of a thing that is disliked.
        """
        strength = self.mood if self.leaning > 0 else -self.mood
        return (1 if self.leaning > 0 else -1) if self.chance(0.16 + max(0.0, 1.0 * strength)) else 0

    def remark(self) -> None:
        """Something on the subject: an opinion the likelier the stronger the mood, else a story or a fact."""
        sign = self.judges()
        if sign:
            self.opinion(sign)
        elif self.chance(0.4):
            self.part("facts")
            self.stance = STATED
        else:
            self.story()
            self.stance = TOLD

    def story(self, mood: float | None = None) -> None:
        """Something that happened, now and then with the time in front."""
        self.part("stories", mood=mood)
        text, tone = self.sentences[-1]
        if self.chance(0.25) and _UNDATED.match(text):
            when = self.bank.when[self.roll() % len(self.bank.when)]
            self.sentences[-1] = Sentence(f"{when} {text}", tone)

    def more(self) -> None:
        """Go on from what has been said, as long as there is room: an opinion has a story behind it, a story a feeling or an
        opinion after it, a fact or advice more of the same."""
        while self.left > 0 and self.sentences:
            before = len(self.sentences)
            self._next()
            if len(self.sentences) == before:
                return

    def add_to(self, act: str, is_plain: bool) -> None:
        """One sentence more, for a post so short that others will say the same words; is_plain: one of the author's own. Without
        voices none where it would have to join what was said before."""
        self.room = len(self.sentences) + 1
        if act == "ask":
            self.act("back_because" if self.is_reply else "ask_close")
        elif self.topic.is_general and self._answers_back:
            return
        elif is_plain and not (self.topic.is_general and self.stance == ANSWERED):
            self.remark()
        else:
            self.more()

    @property
    def _answers_back(self) -> bool:
        return self.stance == ANSWERED and (self.parent_kind or "").startswith("back_")

    def _next(self) -> None:
        stance, first = self.stance, len(self.sentences) == 1
        if stance in (PRAISED, GRIPED):
            sign = 1 if stance == PRAISED else -1
            if not first or self.chance(0.35):
                self.feeling(sign)
            elif self.chance(0.6):
                self.story(0.5 * sign)
            else:
                self.part("praise" if sign > 0 else "gripes", GOOD if sign > 0 else BAD)
        elif stance == TOLD:
            sign = self.judges()
            if first and sign and self.chance(0.6):
                self.opinion(sign)
            elif abs(self.mood) > 0.3 and self.chance(0.6):
                self.feeling(1 if self.mood > 0 else -1)
            elif self.sentences[-1].tone != FELT and self.chance(0.5):
                self.act("told_after", FELT)
                self.room = len(self.sentences)
        elif stance in (ADVISED, ANSWERED):
            self.part("tips" if self.chance(0.55) or self.topic.is_general else "facts")
        elif stance == STATED:
            self.part("facts" if self.chance(0.5) or self.topic.is_general else "tips")

    def round_off(self, act: str) -> None:
        """A few words more where what has been said is so short and plain that somebody else will say just that."""
        if self.variety < PLAIN_BITS and self.sentences and self.chance(0.85):
            self.act(act, ALONE)

    def feeling(self, sign: int) -> None:
        """What it felt like; once a post."""
        if self.sentences[-1].tone != FELT:
            self.act("up_after" if sign > 0 else "down_after", FELT)
            self.room = len(self.sentences)

    def question(self, kind: str) -> None:
        self.say(self.topic.asks.get(kind), PLAIN, about=not kind.startswith("back_") or self.chance(0.4))
        self.kind = self.bank.kinds.index(kind) + 1

    def reaction(self, name: str, suffix: str) -> None:
        """A short word, what it is about, or both: "exactly, the parking broke us too"."""
        clauses, heads = self.bank.acts.get(name + suffix), self.bank.acts.get(f"{name}_head")
        if clauses is None or (suffix != "_ask" and not self.chance(TAKEN_UP)):
            self.act(name)
            return
        clause = self.line(clauses, about=True)
        if suffix != "_ask" and heads is not None and self.chance(0.55):
            head = self.line(heads)
            self.is_opened = True
            clause = f"{head} {clause}" if head.endswith((" but", "?")) else f"{head}, {clause}"
        self.sentences.append(Sentence(clause, PLAIN))


def share(d: Draft) -> None:
    if not d.is_reply:
        d.open(0.3, "share_open")
        d.is_opened = bool(d.sentences)
        d.room += len(d.sentences)
    d.remark()
    d.more()
    if not d.is_reply and d.chance(0.12):
        d.act("share_close")


def ask(d: Draft) -> None:
    back = _asked_back(d) if d.is_reply else ()
    if back and d.chance(0.8):
        d.question(back[d.roll() % len(back)])
        if d.chance(0.3):
            question = d.sentences[-1]
            lead = d.line(d.bank.acts["back_lead"])
            text = question.text.removeprefix("and ") if lead.endswith("and") else question.text
            d.sentences[-1] = Sentence(f"{lead} {text}", question.tone)
            d.is_opened = True
        if d.chance(0.25):
            d.act("back_because")
        return
    kinds, asked = d.topic.asked if d.bar & IS_DOING else d.topic.openers, d.parent_kind
    if not d.is_reply:
        d.open(0.3, "ask_open")
        d.is_opened = bool(d.sentences)
    if kinds:
        kind = kinds[d.roll() % len(kinds)]
        if kind == asked:
            kind = kinds[(kinds.index(kind) + 1) % len(kinds)]
        d.question(kind)
    if not d.is_reply and d.chance(0.2):
        d.act("ask_close")


def _asked_back(d: Draft) -> tuple[str, ...]:
    """Kinds of question that what the parent did invites, as far as the community has lines for them."""
    if d.is_asked:
        asked = d.parent_kind or ""
        return () if asked.startswith("back_") else tuple(kind for kind in d.topic.back if kind == "back_tried")
    return tuple(kind for kind in d.topic.back if kind in _INVITED.get(d.parent_stance, _INVITED[PRAISED]))


_INVITED = {
    TOLD: ("back_when", "back_how", "back_again", "back_detail", "back_why"),
    PRAISED: ("back_when", "back_again", "back_detail", "back_why"),
    GRIPED: ("back_when", "back_how", "back_again", "back_detail"),
    STATED: ("back_sure", "back_detail"),
    ADVISED: ("back_sure", "back_detail"),
    ANSWERED: ("back_sure", "back_detail"),
    DISPUTED: ("back_sure", "back_why"),
}
"""Kinds of question asked back, by what is asked about: nobody asks how a fact ended."""


def answer(d: Draft) -> None:
    kind = d.parent_kind
    answers = d.topic.answers.get(kind) if kind else None
    if kind is None or answers is None:
        d.part("tips")
        d.stance = ADVISED
    else:
        d.say(answers, whole=True)
        d.stance, d.kind = ANSWERED, d.bank.kinds.index(kind) + 1
    if kind is not None and kind.startswith("back_"):
        if d.topic.is_general:
            return  # lines for anybody that happen to stand side by side tell no story
        if d.left > 0 or d.chance(0.4):
            d.story()
    else:
        d.more()


def agree(d: Draft) -> None:
    stance = d.parent_stance
    d.reaction("agree", d.suffix)
    _why(d, stance)


def disagree(d: Draft) -> None:
    stance = d.parent_stance
    d.reaction("disagree", d.suffix)
    _why(d, GRIPED if stance == PRAISED else PRAISED if stance == GRIPED else stance)
    if d.stance == STATED:
        d.stance = DISPUTED


def _why(d: Draft, stance: int) -> None:
    """A reason of the given stance, where there is room; what the author says of the thing elsewhere stays true."""
    d.stance = stance if stance in (PRAISED, GRIPED, ADVISED) else STATED
    if d.is_asked:
        return
    if d.left <= 0 and d.chance(0.85):
        return
    sign = 1 if stance == PRAISED else -1 if stance == GRIPED else 0
    if sign and sign * d.leaning > -0.3 and d.chance(0.6):
        d.opinion(sign)
    elif stance in (ADVISED, ANSWERED):
        d.part("tips")
    elif stance and (stance == TOLD or not d.topic.is_general):
        d.story(0.5 * sign if sign else None)
    elif d.topic.is_general:
        return
    d.more()


def joke(d: Draft) -> None:
    d.act("joke", about=d.chance(0.6), whole=True)
    d.round_off("joke_after")
    d.stance = JOKED


def vent(d: Draft) -> None:
    if d.is_reply and d.parent_stance in (BROKE, DISPUTED):
        d.act("vent_reply", BAD)
    elif d.is_reply or d.chance(0.75 if d.topic.is_general else 0.5):
        d.opinion(-1)
    else:
        d.act("vent", BAD, whole=True)
    d.stance = GRIPED
    if d.left > 0 or d.chance(0.4):
        d.feeling(-1)


def thank(d: Draft) -> None:
    told = d.parent_stance
    if d.is_asked:
        d.act("thank_ask", GOOD)
    elif told in (ADVISED, ANSWERED) and d.chance(0.75):
        d.reaction("thank", "_take")
    elif told in (ADVISED, ANSWERED) or not d.is_reply:
        d.act("thank", GOOD)
    else:
        d.act("thank_back" if told in (0, STATED, DISPUTED) and d.chance(0.7) else "thank_share", GOOD, about=True)
    d.round_off("thank_after")
    d.stance = THANKED


def promote(d: Draft) -> None:
    d.act("promote", whole=True)
    d.round_off("promote_after")
    d.stance = SOLD


def off_topic(d: Draft) -> None:
    d.act("off_topic", whole=True)
    if d.chance(0.4):
        d.act("off_after", FELT)
    else:
        d.round_off("off_after")
    d.stance = STRAYED


ASIDES = {STRAYED: "chat", JOKED: "joked", THANKED: "thanked", BROKE: "broke", SOLD: "sold", LAZY: "lazy"}
"""What is no contribution to the topic, and the first half of the names of the lists that take it up."""
_SAME_AGAIN = 0.5
"""How often a joke answers a joke with a line about the joke."""
_STAYS = {
    ("chat", "agree"),
    ("chat", "ask"),
    ("chat", "answer"),
    ("chat", "share"),
    ("chat", "thank"),
    ("sold", "ask"),
    ("sold", "answer"),
}
"""After which replies the talk is still of the same thing."""


def reply_aside(d: Draft, act: str) -> bool:
    """Answer a joke, thanks, an advertisement or something off the subject as such, where there are lines for it: nobody answers a
    parrot with a view on flour. Returns whether it did."""
    aside = ASIDES.get(d.parent_stance, "")
    lines = d.bank.acts.get(f"{aside}_{act}")
    if lines is None or (act == "joke" and not d.chance(_SAME_AGAIN)):
        return False
    d.say(lines, ALONE if aside == "thanked" else PLAIN, whole=True)
    d.is_opened = True
    d.round_off(f"{aside}_after")
    if aside == "joked" or act == "joke":
        d.stance = JOKED
    elif act == "thank":
        d.stance = THANKED
    elif (aside, act) in _STAYS:
        d.stance = d.parent_stance
    elif aside == "thanked" and d.left > 0 and act in ("agree", "answer"):
        d.part("tips")
        d.stance = ADVISED
    return True


def insult(d: Draft) -> None:
    """What stands around an insult; the insult itself is added as a sentence of its own."""
    if d.chance(0.45):
        if d.is_reply and not d.is_aside:
            d.reaction("disagree", d.suffix)
        elif not d.is_reply:
            d.opinion(-1)
    d.stance = BROKE


def perform(d: Draft, act: str) -> None:
    """Say what the act asks for, in reply to whatever the parent did."""
    if not reply_aside(d, act):
        PLANS[act](d)


PLANS: dict[str, Callable[[Draft], None]] = {
    "share": share, "ask": ask, "answer": answer, "agree": agree, "disagree": disagree, "joke": joke, "vent": vent,
    "thank": thank, "promote": promote, "insult": insult, "off_topic": off_topic,
}  # fmt: skip

MILDER = {
    "insult": ("disagree", "share"),
    "vent": ("share", "share"),
    "promote": ("answer", "share"),
    "off_topic": ("answer", "share"),
}
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
        perform(d, act)
        d.stance = BROKE
        return _add_insult(d)
    if kind == "low_effort":
        d.stance = LAZY
        d.act(_opening(d, kind), ALONE)
        return "none"
    if d.chance(IN_PASSING):
        d.room = 1
        perform(d, "disagree" if kind == "harassment" and d.is_reply else act)
        del d.sentences[1:]
    d.stance, d.named = SOLD if kind == "self_promotion" else BROKE, False  # a spoiler that says "it" spoils nothing
    d.act("promote" if kind == "self_promotion" else _opening(d, kind), ALONE)
    if kind == "harassment":
        return _add_insult(d) if d.chance(0.4) else "neither"
    return "none"


def _opening(d: Draft, kind: str) -> str:
    """The list of lines for a violation: of some kinds another one where the post opens a thread and speaks to nobody."""
    return kind if d.is_reply or f"{kind}_open" not in d.bank.acts else f"{kind}_open"


def _add_insult(d: Draft) -> str:
    strata = tuple(STRATUM_SHARE)
    ends = tuple(accumulate(STRATUM_SHARE.values()))
    stratum = strata[min(bisect(ends, d.roll() / 16777216), len(strata) - 1)]
    for _ in range(1 + (d.left > 0 and d.chance(0.3))):
        d.act(f"insult_{stratum}", ALONE)
    d.round_off("insult_after")
    return stratum
