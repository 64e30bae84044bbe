"""Below the post: lines that compile, memos that replies understand, things that are found, personas that keep their life."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from support import community, writer

from simulacra.community import Community, Sketch
from simulacra.events import ACTS, KINDS, STRATA
from simulacra.minds import grammar
from simulacra.minds.bank import build_bank
from simulacra.minds.data import general_bank, manner_bank
from simulacra.minds.grammar import About
from simulacra.minds.lines import Line, again, compile_line, life_of, shortened
from simulacra.minds.manner import article
from simulacra.minds.sketch import SketchWriter
from simulacra.minds.things import found_things
from simulacra.people.population import grow
from simulacra.persona import Population
from simulacra.scoring.lexical import LexicalScorer
from simulacra.seams import Briefs, Writing
from simulacra.streams import Streams

BAKERS = Community(
    "bakers", "Crumb and Crust", "Home bakers swap sourdough starters and argue about flour and hydration.", ("Be kind.",),
    ("sourdough starters", "flour", "hydration"), (Sketch("nurse, 34, loves rye bread"), Sketch("cook, 50, swears by cold fermentation")),
)  # fmt: skip


@cache
def people() -> Population:
    return grow(community(), 300, Streams(5), days=1, newcomer_rate=0.0, similarity=None)


class World:
    """The part of a platform that a writer reads."""

    def __init__(self, population: Population | None = None) -> None:
        self.population = population or people()
        columns = ("author", "act", "topic", "memo", "root")
        self.posts = SimpleNamespace(text=[], **{name: np.zeros(0, np.int64) for name in columns})

    def add(self, briefs: Briefs, writing: Writing) -> None:
        ids = np.arange(len(self.posts.text), len(self.posts.text) + len(writing.text))
        self.posts.text += writing.text
        root = np.where(briefs.parent >= 0, np.append(self.posts.root, ids)[briefs.parent], ids)
        columns = {"author": briefs.author, "act": briefs.act, "topic": briefs.topic, "memo": writing.memo, "root": root}
        for name, new in columns.items():
            setattr(self.posts, name, np.concatenate([getattr(self.posts, name), new]))


def briefs(
    authors: Sequence[int], act: str, *, step: int = 1, mood: object = 0.0, parent: object = -1, truth: str = "none", topic: int = 0,
    revision: int = 0,
) -> Briefs:  # fmt: skip
    n = len(authors)
    return Briefs(
        np.array(authors, np.int32), step, np.full(n, ACTS.index(act), np.int8), np.full(n, topic, np.int8),
        np.broadcast_to(np.asarray(mood, np.float32), n), np.broadcast_to(np.asarray(parent, np.int32), n),
        np.full(n, KINDS.index(truth), np.int8), revision,
    )  # fmt: skip


def write(asked: Briefs, world: World | None = None, by: SketchWriter | None = None) -> Writing:
    return (by or writer()).write(asked, world or World(), Streams(1))  # type: ignore[arg-type]


def thread(act: str, opening: str, count: int = 300) -> list[tuple[About, About]]:
    """What `count` openings and a reply to each, by somebody else, are about."""
    world = World()
    opened = briefs(range(count), opening, topic=2)
    world.add(opened, write(opened, world))
    replies = write(briefs([(a + 1) % count for a in range(count)], act, step=2, parent=range(count)), world)
    pairs = zip(map(grammar.unpack, world.posts.memo.tolist()), map(grammar.unpack, replies.memo.tolist()), strict=True)
    return [(parent, reply) for parent, reply in pairs if parent and reply]


# -- memos and threads -----------------------------------------------------------------------------------------------------


def test_a_memo_survives_packing():
    about = About(31, 100, 60, 15, 8, 4095, 1, 77)
    assert grammar.unpack(grammar.pack(about)) == about
    assert 0 < grammar.pack(about) < 2**63
    assert grammar.unpack(0) is None


def test_an_answer_is_of_the_kind_that_was_asked():
    bank = build_bank(community())
    for asked, answered in thread("answer", "ask"):
        pool = bank.topics[asked.topic].answers[bank.kinds[asked.kind - 1]]
        known = {line.key for lines in pool._lists for line in lines}
        assert known & {answered.first, answered.second, answered.third}


def test_replies_stay_with_the_thing_of_their_parent():
    assert all((parent.topic, parent.thing) == (reply.topic, reply.thing) for parent, reply in thread("agree", "share"))


@pytest.mark.parametrize(("act", "keeps"), [("agree", True), ("disagree", False)])
def test_agreement_keeps_the_stance_and_disagreement_turns_it(act: str, keeps: bool):
    taken = [(p.stance, r.stance) for p, r in thread(act, "vent") if r.stance in (grammar.PRAISED, grammar.GRIPED)]
    assert len(taken) > 30
    assert np.mean([(a == b) is keeps for a, b in taken]) > 0.8


def test_a_thread_does_not_hear_a_line_again_while_there_are_others():
    world, heard = World(), []
    opened = briefs([0], "ask")
    world.add(opened, write(opened, world))
    for step in range(2, 20):  # of about a hundred lines: by chance alone one of 18 would come twice
        asked = briefs([step], "promote", step=step, parent=0)
        said = write(asked, world)
        world.add(asked, said)
        heard.append(grammar.keys(int(said.memo[0]))[0])
    assert len(set(heard)) == len(heard)


def test_a_member_does_not_say_the_same_of_its_own_again():
    world, own = World(), []
    for step in range(2, 20):  # of a hundred ways to advertise, one would come twice by chance alone
        asked = briefs([7], "promote", step=step)
        said = write(asked, world)
        world.add(asked, said)
        own.append(grammar.keys(int(said.memo[0]))[0])
    assert len(set(own)) == len(own)


@pytest.mark.parametrize(
    ("act", "opening", "lists"),
    [
        ("agree", "joke", ("joked_agree",)),
        ("disagree", "joke", ("joked_disagree",)),
        ("ask", "promote", ("sold_ask",)),
        ("disagree", "promote", ("sold_disagree",)),
        ("agree", "thank", ("thanked_agree",)),
        ("disagree", "insult", ("broke_disagree",)),
        ("agree", "off_topic", ("chat_agree",)),
    ],
)
def test_what_is_no_contribution_is_answered_as_what_it_is(act: str, opening: str, lists: tuple[str, ...]):
    acts = build_bank(community()).acts
    known = {line.key for name in lists if name in acts for own in acts[name]._lists for line in own}
    taken = thread(act, opening, 100)
    assert len(taken) == 100 and all(reply.first in known for _, reply in taken)


def test_questions_asked_back_fit_what_they_ask_about():
    kinds = build_bank(community()).kinds
    of_facts = {
        kinds[reply.kind - 1] for parent, reply in thread("ask", "share") if parent.stance == grammar.STATED and reply.kind
    }
    assert "back_sure" in of_facts and not of_facts & {"back_how", "back_when", "back_tried"}
    of_questions = [kinds[reply.kind - 1] for _, reply in thread("ask", "ask")]
    assert of_questions.count("back_tried") > 0.6 * len(of_questions)


def test_a_reply_to_a_post_without_memo_keeps_to_its_topic():
    world = World()
    asked = briefs(range(40), "share", topic=3)
    world.add(asked, write(asked, world)._replace(memo=np.zeros(40, np.int64)))
    replies = write(briefs(range(40), "answer", step=2, parent=range(40), topic=3), world)
    assert {about.topic for memo in replies.memo.tolist() if (about := grammar.unpack(memo))} == {3}


def test_no_briefs_give_no_writing():
    nothing = write(briefs([], "share"))
    assert nothing.text == [] and len(nothing.memo) == len(nothing.stratum) == 0


# -- moods and rules -------------------------------------------------------------------------------------------------------


def test_valence_follows_single_moods_and_neutral_ones_are_neither_sunny_nor_dark():
    moods = np.linspace(-0.9, 0.9, 300)
    score = LexicalScorer().score
    assert np.corrcoef(moods, score(write(briefs(range(300), "share", mood=moods)).text).valence)[0, 1] > 0.4
    assert abs(float(score(write(briefs(range(300), "share")).text).valence.mean())) < 0.2


def test_who_thinks_again_leaves_the_insult_out():
    first, second = (write(briefs(range(300), "insult", truth="insult", mood=-0.5, revision=r)) for r in (0, 1))
    assert first.stratum.all() and not second.stratum.any()
    flagged = [(LexicalScorer().score(w.text).toxicity > 0.5).mean() for w in (first, second)]
    assert flagged[1] < 0.12 < 0.3 < flagged[0]


OTHER_KINDS = [k for k in KINDS if k not in ("none", "insult", "harassment", "self_promotion", "off_topic")]


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_every_kind_of_rule_is_broken_in_words_of_its_own(kind: str):
    broken, kept = (write(briefs(range(80), "share", truth=truth)).text for truth in (kind, "none"))
    assert not set(broken) & set(kept)


@pytest.mark.parametrize("kind", ["harassment", "medical_advice"])
def test_what_opens_a_thread_speaks_to_nobody_who_has_written_before(kind: str):
    answering = re.compile(r"you (?:write|wrote|said|had|show up)|dose was|your (?:old )?posts")
    opened = write(briefs(range(200), "share", truth=kind)).text
    assert not [text for text in opened if answering.search(text)]


def test_harassment_is_uncivil_and_has_a_stratum():
    assert (write(briefs(range(50), "disagree", truth="harassment")).stratum > STRATA.index("none")).all()


# -- personas --------------------------------------------------------------------------------------------------------------


def posts_of(population: Population, author: int, count: int = 60) -> list[str]:
    world = World(population)
    return [write(briefs([author], "share", step=step, mood=0.4), world).text[0] for step in range(count)]


def test_the_talkative_write_more_words():
    def words(level: float) -> float:
        everyone = replace(people(), verbosity=np.full(300, level, np.float32))
        return float(np.mean([len(t.split()) for t in posts_of(everyone, 3)]))

    assert words(0.0) < words(0.5) < words(1.0)
    assert words(1.0) - words(0.0) > 5


def test_nobody_has_both_a_husband_and_a_wife():
    for author in range(40):
        text = " ".join(posts_of(people(), author, 40)).lower()
        assert not (re.search(r"\bmy husband\b", text) and re.search(r"\bmy wife\b", text)), author


def test_the_young_have_no_grandchildren():
    young = replace(people(), age=np.full(300, 22, np.int8))
    assert not any("grandson" in t or "granddaughter" in t for author in range(25) for t in posts_of(young, author, 25))


# -- lines -----------------------------------------------------------------------------------------------------------------


class Plain:
    """A writer of whom everything is true and who puts things as they are written."""

    false = 0
    bits = (0,) * 12


def said(raw: str, rolls: Sequence[int] = (0,) * 40, words: dict[str, list[str]] | None = None) -> str:
    fill = ["Kennywood", "the Warhol", "the line", "kids", "my aunt", "a nurse", "41", "mel", "it", "it", "there", "there"]
    return Line(raw, 1, words or {}).render(fill, iter(rolls), Plain())


def test_a_line_says_one_alternative_and_fills_its_slots():
    assert said("{who} [left|stayed] at {thing}", [1]) == "my aunt stayed at Kennywood"
    assert said("gone [by {when}|]!", [0, 1], {"when": ["noon", "dusk"]}) == "gone by dusk!"
    assert said("an {unknown} slot") == "an {unknown} slot"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("we ate at {thing} {when}", "we ate {there} {when}"),
        ("{thing} had moved", "{they} had moved"),
        ("people on {thing} gave up a seat", "people on {it} gave up a seat"),  # "on them", and never "on they"
        ("{thing} was shut", None),  # the pronoun may be plural
        ("skip {thing}, go home", "skip {it}, go home"),
        ("the {thing} ticket", None),
        ("{thing} prices are high", None),
    ],
)
def test_a_pronoun_stands_for_the_thing_where_grammar_allows_it(raw: str, expected: str | None):
    assert again(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("we had {thing} to ourselves, pure [joy|bliss]", "we had {thing} to ourselves"),
        ("if stairs are hard for you, call first", "if stairs are hard for you, call first"),
        ("worth it, even for [two|three]", "worth it, even for [two|three]"),
        ("is {thing} any good, or a trap?", "is {thing} any good?"),
        ("it helped us a lot and, better still, cost nothing", "it helped us a lot and, better still, cost nothing"),
        ("bring a sweater in spring, {thing} is cold", "bring a sweater in spring, {thing} is cold"),
    ],
)
def test_an_afterthought_can_be_left_out_but_no_half_sentence_stays(raw: str, expected: str):
    assert shortened(raw) == expected


def test_every_line_of_the_general_bank_compiles():
    bank = general_bank()
    topic = bank["topics"][0]
    lists = [
        *bank["acts"].values(),
        *(topic[p] for p in ("facts", "praise", "gripes", "stories", "tips")),
        *topic["asks"].values(),
    ]
    assert all(compile_line(line, bank["words"]) for lines in lists for line in lines)


def test_lines_know_what_they_presume_of_their_writer():
    assert life_of("my husband drove") and life_of("my wife drove")
    assert life_of("my husband drove") != life_of("my wife drove")
    assert not life_of("the bus was late")


@pytest.mark.parametrize("raw", ["my [wife|husband] drove", "[my wife|my husband] drove", "{kin} drove"])
def test_of_alternatives_one_is_said_that_is_true_of_the_writer(raw: str):
    married = SimpleNamespace(false=life_of("my wife drove"), bits=(0,) * 12)
    line = Line(raw, 1, {"kin": ["my wife", "my husband"]})
    assert {line.render([""] * 12, iter([roll] * 9), married) for roll in range(4)} == {"my husband drove"}


def test_articles_follow_the_first_letter():
    assert [article(w) for w in ("nurse", "accountant", "Usher")] == ["a nurse", "an accountant", "an Usher"]


def test_every_way_to_put_a_word_has_an_alternative_and_a_word_one_list():
    bank = manner_bank()
    assert all(len(set(group)) >= 2 for group in (*bank["idiolect"], *bank["swaps"]))
    assert len({group[0] for group in bank["idiolect"]}) == len(bank["idiolect"])


# -- communities without voices --------------------------------------------------------------------------------------------


def test_things_are_found_in_what_the_designer_wrote():
    things = {thing.long for topic in BAKERS.topics for thing in found_things(topic, BAKERS)}
    assert {"sourdough starters", "flour", "hydration", "rye bread", "cold fermentation"} <= things


def test_a_community_without_voices_talks_about_its_own_topics():
    """Named by its own words, or in lines that only bakers say."""
    asked = [t.lower() for t in write(briefs(range(200), "ask", topic=0), by=SketchWriter(BAKERS)).text]
    kitchen = re.compile(
        "starter|flour|crumb|crust|proof|oven|pan|loaf|bread|mixer|knife|stone|basket|bak|salt|fridge|lid|cut it"
    )
    assert np.mean(["sourdough starters" in t for t in asked]) > 0.15
    assert np.mean([bool(kitchen.search(t)) for t in asked]) > 0.7


def test_long_or_hostile_handles_and_work_stay_inside_a_sentence():
    evil = "{thing} [a|b] \x00\x1b[31m \u202e <script> " + "A" * 1_000_000
    marked = replace(people(), handle=np.array([evil] * 300, object), work=np.array([evil] * 300, object))
    world = World(marked)
    asked = briefs(range(30), "share")
    world.add(asked, write(asked, world))
    for text in write(briefs(range(30), "disagree", step=2, parent=range(30), truth="harassment"), world).text:
        assert len(text) < 2_000
        assert not set(text) & set("\x00\x1b\u202e")
