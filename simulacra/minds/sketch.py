"""The sketch writer: posts by a grammar over phrase banks. No model, no network; the same briefs give the same words.

A post is planned by its act (grammar.py), said in lines of the community's bank and the general one (bank.py), and put in its
author's manner (manner.py). A memo kept with each post says what it is about, so that replies answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulacra.community import Community
from simulacra.events import ACTS, KINDS, STRATA
from simulacra.minds import gossip, grammar, manner
from simulacra.minds.bank import build_bank
from simulacra.minds.grammar import Draft
from simulacra.minds.lines import AGE, HANDLE, TOPIC, WHO, WORK, Dice
from simulacra.minds.manner import ALONE, FELT, Manner, Manners, Sentence
from simulacra.minds.things import clean, told_by, with_article
from simulacra.seams import Briefs, Writing
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

LANES = 72
"""Random numbers drawn for a post beforehand; the few posts that need more continue with a congruential sequence."""
TRAIT_LANES = 12
_LEVELS = ("capitals", "punctuation", "emoji", "verbosity", "irritability")
"""Traits of a population that make a manner, in the order of Manner's fields."""
_BREAKS = {"promote": "self_promotion", "off_topic": "off_topic"}
"""Acts whose own lines already break the rule of that kind."""


class SketchWriter:
    """Writes for the personas of one community. Stateless: what a reply needs of its parent is in the parent's memo.

    forgetful: authors may say again what has been said, so that words depend on nothing but who writes, when, what and in which mood.
    """

    def __init__(self, community: Community, forgetful: bool = False) -> None:
        self._forgetful = forgetful
        self._bank = build_bank(community)
        self._manners = Manners()
        self._topic_names = [
            clean(name) if community.voices else with_article(clean(name), told_by(community)) for name in community.topics
        ]

    def write(self, briefs: Briefs, world: PlatformView, streams: Streams) -> Writing:
        """One post a brief. An uncivil one carries the stratum of its insult.

        With `revision` above 0 the author says it milder: nothing in the text breaks a rule, whatever `truth` says, and the
        caller has to record it so.
        """
        count = len(briefs.author)
        texts: list[str] = []
        memos = np.zeros(count, np.int64)
        strata = np.zeros(count, np.int8)
        if count:
            dice, people = _draw(briefs, streams), self._people(briefs.author, world, streams)
            said = [set() for _ in range(count)] if self._forgetful else _said_before(briefs.author, briefs.parent, world)
            truths = briefs.truth if briefs.news is None else np.where(briefs.news >= 0, 0, briefs.truth)
            columns = (briefs.act, briefs.topic, briefs.mood, briefs.parent, truths)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            for row, (act, topic, mood, parent, truth) in enumerate(rows):
                draft = self._begin(world, people[row], _roll(dice[row]), topic, mood, parent, said[row])
                stratum = self._compose(draft, people[row], ACTS[act], KINDS[truth], briefs.revision)
                is_bare = KINDS[truth] == "low_effort" and briefs.revision == 0
                texts.append(self._finish(draft, people[row], ACTS[act], is_bare))
                memos[row], strata[row] = grammar.pack(draft.about()), STRATA.index(stratum)
            self._tell_news(briefs, world, streams, texts, memos)
        return Writing(texts, memos, strata)

    def _tell_news(self, briefs: Briefs, world: PlatformView, streams: Streams, texts: list[str], memos: np.ndarray) -> None:
        """Posts that speak of news say so: in place of anything else where they open a thread on it or answer one, else at the end."""
        if briefs.news is None or briefs.saying is None or world.hearsay is None:
            return
        rows = np.flatnonzero(briefs.news >= 0)
        if not len(rows):
            return
        briefs = briefs.take(rows)
        dice, people = _draw(briefs, streams, "news words"), self._people(briefs.author, world, streams)
        about, _ = world.hearsay.mentions(briefs.parent)
        columns = zip(briefs.news, briefs.saying, about, briefs.parent, briefs.topic, briefs.mood.tolist(), strict=True)  # type: ignore[arg-type]
        for at, (item, saying, answered, parent, topic, mood) in enumerate(columns):
            place = gossip.ANSWER if answered == item else gossip.OPEN if parent < 0 else gossip.ASIDE
            draft = self._begin(world, people[at], _roll(dice[at]), int(topic), mood, int(parent), set())
            news = world.hearsay.items[item]
            said = gossip.sentences(news, int(saying), place, briefs.step, draft.fill, draft.dice, people[at], draft.room)
            words = self._manners.finish(list(said), people[at], mood, False, draft.dice)
            row = rows[at]
            texts[row] = f"{texts[row]} {words}" if place == gossip.ASIDE else words
            if place != gossip.ASIDE:
                memos[row] = 0  # it is about nothing that the bank knows

    def _people(self, authors: np.ndarray, world: PlatformView, streams: Streams) -> list[Manner]:
        """The manner of each author, one row a brief."""
        people = world.population
        bits = _small(streams.bits("manner", authors[:, None], np.arange(TRAIT_LANES)[None, :]))
        levels: Iterator[Any] = zip(*(getattr(people, name)[authors].tolist() for name in _LEVELS), strict=True)
        lives = zip(people.age[authors].tolist(), people.sex[authors].tolist(), people.work[authors].tolist(), strict=True)
        return [
            Manner._make((*level, manner.life_bits(age, sex == "Female", stable), stable, clean(work) if work else "", age))
            for level, stable, (age, sex, work) in zip(levels, bits, lives, strict=True)
        ]

    def _begin(
        self, world: PlatformView, person: Manner, dice: Dice, topic: int, mood: float, parent: int, said: set[int]
    ) -> Draft:
        """An empty draft that knows what it is about and whom it answers."""
        about = grammar.unpack(int(world.posts.memo[parent])) if parent >= 0 else None
        if about is not None and about.topic < len(self._topic_names):
            topic = about.topic
        draft = Draft(self._bank, topic, person, dice, mood, _room(person, parent >= 0, dice), said)
        fill = draft.fill
        fill[TOPIC], fill[WORK], fill[AGE] = self._topic_names[topic], manner.article(person.work or "regular"), str(person.age)
        fill[WHO] = manner.companion(self._bank.who, person, dice)
        fill[HANDLE] = clean(world.population.handle[world.posts.author[parent]]) if parent >= 0 else "some people"
        draft.settle(about, parent >= 0)
        return draft

    def _compose(self, draft: Draft, person: Manner, act: str, truth: str, revision: int) -> str:
        """Say what act and truth ask for; returns the stratum, "none" for civil posts."""
        if revision > 0:
            act, truth = _milder(act, draft.is_reply), "none"
            draft.mood = max(draft.mood, CALM)
        elif act == "insult" and truth == "none":
            truth = "insult"
        if truth != "none" and _BREAKS.get(act) != truth:
            return grammar.break_rule(draft, truth, act)
        grammar.perform(draft, act)
        if act == "share" and draft.stance in RUEFUL and draft.chance(0.02 + 0.08 * person.irritability):
            draft.act("rude_harmless")
        return "none"

    def _finish(self, draft: Draft, person: Manner, act: str, is_bare: bool) -> str:
        """The draft as a post in its author's manner, with its greetings and pet phrases; bare: without these."""
        sentences = draft.sentences
        if is_bare:
            return self._manners.finish(sentences, person, draft.mood, act == "joke", draft.dice)
        if draft.variety < VARIETY and act in ADDS and sentences and not draft.is_aside:
            draft.add_to(act, is_plain=draft.variety < PLAIN_VARIETY)
        opener = self._opener(draft, act)
        coda = self._pet("pet_close", draft) if draft.chance(0.035) and act not in BARE else ""
        if opener and sentences:
            sentences[0] = Sentence(_clause(opener, sentences[0].text), sentences[0].tone)
        if coda and sentences and sentences[-1].text[-1] not in "?!" and sentences[-1].tone not in (ALONE, FELT):
            sentences[-1] = Sentence(f"{sentences[-1].text}, {coda}", sentences[-1].tone)
        if draft.is_reply and sentences and draft.chance(0.04):
            sentences[0] = Sentence(f"{self._line('hello', draft)} {sentences[0].text}", sentences[0].tone)
        return self._manners.finish(sentences, person, draft.mood, act == "joke", draft.dice)

    def _opener(self, draft: Draft, act: str) -> str:
        """What the first sentence begins with, mostly nothing: the subject of an answer that does not name it, a mood, the author's
        life, a habit."""
        if act in BARE or draft.is_opened:
            return ""
        if act == "answer" and not draft.named and draft.chance(0.12):
            return self._line("echo", draft)
        roll = draft.roll() / 16777216
        if act == "ask":
            return self._line("pet_ask", draft) if roll > 0.9 else ""
        if act in ("vent", "disagree") and draft.mood < -0.3 and roll < 0.15:
            return self._line("annoyed", draft)
        if act == "share" and draft.mood > 0.4 and roll < 0.06:
            return self._line("warm", draft)
        if act in ("share", "answer", "disagree") and roll > 0.985:
            return self._line("life", draft)
        return self._pet("pet_open", draft) if roll > 0.935 and act in ("share", "answer", "vent", "disagree") else ""

    def _pet(self, name: str, draft: Draft) -> str:
        return self._manners.pet(name, draft.writer, draft.dice).render(draft.fill, draft.dice, draft.writer)

    def _line(self, name: str, draft: Draft) -> str:
        lines = self._manners.lists[name]
        return lines[draft.roll() % len(lines)].render(draft.fill, draft.dice, draft.writer)


RUEFUL = (grammar.GRIPED, grammar.TOLD)
"""After what somebody curses its own stupidity or luck, which harms nobody and looks rude to a list of words."""
BARE = ("joke", "promote", "off_topic", "thank", "insult")
"""Acts that are said as they stand."""
ADDS = ("share", "ask", "answer", "agree", "disagree", "vent")
"""Acts that go on where they would be so short and plain that others will say the same words."""
CALM = -0.2
"""The worst mood in which somebody who thinks again still writes."""
VARIETY = 7.0
"""Bits below which they do."""
PLAIN_VARIETY = 4.0
"""Bits below which the author adds a remark of its own."""
RECALL = 400
"""Posts looked back over for what a thread has said: a sibling's line said again gives the machine away."""
OWN = 2_000
"""Posts looked back over for what an author has said: nobody tells the same story twice in a week."""
RECENT = 80
"""Posts of the whole community that a reply looks back over: who has just read a story does not tell the same one as its own. Who
opens a thread looks at nothing but its own posts, so that arms whose members feel alike open them in the same words."""
STOCK = 1_200
"""The same for jokes and other set pieces, which are remembered for longer."""
_SET_PIECES = np.isin(np.arange(len(ACTS)), [ACTS.index(act) for act in (*BARE, "agree")])


def _said_before(authors: np.ndarray, parents: np.ndarray, world: PlatformView) -> list[set[int]]:
    """For every row the keys of lines that are not to be said again: its author's own and, in a reply, those that its thread, or
    anybody just now, has used of late."""
    posts, count = world.posts, len(world.posts.text)
    near, stock, own = (max(0, count - window) for window in (RECENT, STOCK, OWN))
    set_pieces = posts.memo[stock:count][_SET_PIECES[posts.act[stock:count]]]
    lately = {
        key for memo in (*posts.memo[near:count].tolist(), *set_pieces.tolist()) if memo & 1 for key in grammar.keys(memo)
    }
    said: list[set[int]] = [set(lately) if parent >= 0 else set() for parent in parents.tolist()]
    reply = np.flatnonzero(parents >= 0)
    first = max(0, count - RECALL)
    row, column = np.nonzero(posts.root[parents[reply]][:, None] == posts.root[None, first:count])
    of_own, own_column = np.nonzero(authors[:, None] == posts.author[None, own:count])
    rows, columns = np.concatenate((reply[row], of_own)), np.concatenate((first + column, own + own_column))
    for at, memo in zip(rows.tolist(), posts.memo[columns].tolist(), strict=True):
        if memo & 1:
            said[at].update(grammar.keys(memo))
    return said


def _draw(briefs: Briefs, streams: Streams, purpose: str = "words") -> list[list[int]]:
    """The random numbers of each post, keyed by who writes when and in which version."""
    bits = streams.bits(purpose, briefs.step, briefs.revision, briefs.author[:, None], np.arange(LANES)[None, :])
    return _small(bits)


def _small(bits: np.ndarray) -> list[list[int]]:
    """The upper 24 bits: small integers are the cheap ones in Python."""
    rows: list[list[int]] = (bits >> np.uint64(40)).astype(np.int64).tolist()
    return rows


def _roll(row: Sequence[int]) -> Iterator[int]:
    """The drawn numbers, then as many more as are asked for (constants of C's rand; enough to pick a line)."""
    yield from row
    state = row[0]
    while True:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield state >> 7


def _room(person: Manner, is_reply: bool, dice: Dice) -> int:
    """How many sentences the author feels like writing, 1 to 5."""
    spread = next(dice) / 16777216
    return 1 + int(person.verbosity**2 * (0.8 if is_reply else 1.9) + spread * spread * 1.02)


def _milder(act: str, is_reply: bool) -> str:
    in_reply, in_thread = grammar.MILDER.get(act, (act, act))
    return in_reply if is_reply else in_thread


def _clause(opener: str, sentence: str) -> str:
    """The opener before the sentence, with a comma where it brings no mark of its own."""
    if opener[-1] in ".?!":
        return f"{opener} {sentence[:1].upper()}{sentence[1:]}"
    bare = opener[-1] in ":," or opener.endswith((" but", " and"))
    return f"{opener} {sentence}" if bare else f"{opener}, {sentence}"
