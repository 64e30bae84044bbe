"""What a community without voices reads like: no broken slots, no wrong number or article, no line too often, replies that answer."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from test_lines import World, briefs, write

from simulacra.community import Community, Sketch
from simulacra.events import ACTS
from simulacra.minds.bank import build_bank
from simulacra.minds.dialect import dialect_of
from simulacra.minds.grammar import unpack
from simulacra.minds.lines import HAS_THING, IS_DOING, agreeing
from simulacra.minds.sketch import SketchWriter
from simulacra.minds.subjects import subject_of
from simulacra.minds.things import found_things, make_thing, with_article
from simulacra.people.phrases import find_topics


def described(name: str, goal: str) -> Community:
    """A community as a designer has it after five minutes."""
    return Community(name.lower(), name, goal, ("Be kind.",), find_topics(goal, ("Be kind.",)), (Sketch("nurse, 34, warm"),))


KILN = described(
    "Kiln",
    "Members of a shared pottery studio book the kiln, swap glaze recipes, show what came out, and settle who left clay in the sink.",
)
BIKES = described(
    "Wheelie", "Riders of the city bike-sharing app report broken bikes, contest fees and ask why an account is locked."
)
CHESS = described("Castle", "Parents of children in a chess club arrange lifts to tournaments and cheer each other's kids on.")
TENANTS = described(
    "Court", "Tenants of a block of 120 flats report repairs, share the laundry room and argue with the landlord."
)
ALL = {c.name: c for c in (KILN, BIKES, CHESS, TENANTS)}
NEEDS_PARENT = ("answer", "agree", "disagree", "thank")


@cache
def posts(name: str) -> tuple[list[str], list[str]]:
    """600 civil posts that open threads and as many replies, over 20 hours, all acts."""
    community = ALL[name]
    by, world = SketchWriter(community), World()
    for step in range(20):
        act = [a for a in ACTS if a not in (*NEEDS_PARENT, "insult")][step % 4]
        opened = briefs(range(30), act, step=step + 1, mood=(step % 5 - 2) / 3, topic=step % len(community.topics))
        world.add(opened, write(opened, world, by))
    openers = list(world.posts.text)
    for step in range(20):
        act = [a for a in ACTS if a != "insult"][step % (len(ACTS) - 1)]
        replied = briefs(range(30), act, step=step + 40, parent=[(30 * step + 7 * i) % len(openers) for i in range(30)])
        world.add(replied, write(replied, world, by))
    return openers, world.posts.text[len(openers) :]


MANY = "flats|fees|repairs|glaze recipes|broken bikes|tournaments"
FLAWS = {
    "doubled word": r"\b(?!(?:had|that|ha|no|so|night|out|hello|yes|really|step|bit|now|again|ages) )([a-z]{2,}) \1\b",
    "unfilled slot": r"[{}\[\]|]",
    "a before a vowel": r"\ba (?:[ai]|e(?!u|we)|o(?!ne\b|nce\b)|u(?!se|ni|s\b|k\b|surp|ten))[a-z]{2,}",
    "an before a consonant": r"\ban [bcdfgjklmnpqrstvwyz][a-z]+",
    "two spaces": r"  ",
    "article twice": r"\b(?:a|an|the|my|our) (?:the|a|an)\b",
    "one of many": r"\bone (?:minutes|hours|days|weeks)\b",
    "number": rf"(?:^|[.?!] |\b(?:but|if|when|because|how|why|what|was) )(?:(?:{MANY}) (?:is|was|has|does|isn't|wasn't|hasn't)\b"
    rf"|(?:is|does|was|has) (?:{MANY})\b|(?:the kiln|the sink|the landlord|the account|the laundry room) (?:are|were|have|do)\b)",
    "bare noun": r"\b(?:about|with|on|of|to) (?:kiln|sink|landlord|account(?! of)|laundry room)\b",
}
"""Kinds of flaw that a reader stumbles over, as they show in lower case."""


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("flaw", FLAWS)
def test_no_post_has_the_flaw(flaw: str, name: str) -> None:
    openers, replies = posts(name)
    assert [m[0] + ": " + t for t in (*openers, *replies) if (m := re.search(FLAWS[flaw], t.lower()))] == []


@pytest.mark.parametrize("name", ALL)
def test_hardly_any_sentence_is_used_often(name: str) -> None:
    openers, replies = posts(name)
    said = Counter(s for t in (*openers, *replies) for s in re.split(r"[.?!\n]+ ?", t.lower()) if len(s.split()) > 4)
    assert said.most_common(1)[0][1] <= 0.02 * len(openers + replies)


def test_members_and_states_and_verbs_are_no_topics() -> None:
    found = {topic for community in ALL.values() for topic in community.topics}
    assert not found & {"riders", "parents", "tenants", "locked", "block", "other's", "club arrange lifts", "contest fees"}
    assert {"kiln", "broken bikes", "fees", "tournaments", "landlord"} <= found


@pytest.mark.parametrize(
    ("phrase", "told", "named"),
    [
        ("kiln", "members book the kiln", "the kiln"),
        ("landlord", "what to ask the landlord for", "the landlord"),
        ("account", "why an account is locked", "the account"),
        ("glaze recipes", "swap the glaze recipes", "glaze recipes"),
        ("clay", "who left clay in the sink", "clay"),
        ("the laundry room", "share the laundry room", "the laundry room"),
        ("Welsh", "lost his Welsh as a boy", "Welsh"),
    ],
)
def test_a_thing_has_the_article_that_the_designer_gave_it(phrase: str, told: str, named: str) -> None:
    assert with_article(phrase, told) == named


@pytest.mark.parametrize(
    ("raw", "slots"),
    [
        ("is {thing} [really |]worth it?", "{thing:is} {thing} [really |]worth it?"),
        ("{thing} wasn't ready", "{thing} {thing:was}n't ready"),
        ("they say {thing}, but {aspect} needs time", "they say {thing}, but {aspect} need{aspect:s} time"),
        (
            "{thing} still matters, and would you say {thing} beats {other}?",
            "{thing} still matter{thing:s}, and would you say {thing} beat{thing:s} {other}?",
        ),
        ("the price of {thing} is high", "the price of {thing} is high"),
        ("the leaflet on {thing} was long", "the leaflet on {thing} was long"),
    ],
)
def test_verbs_follow_the_number_of_their_noun_and_of_no_other(raw: str, slots: str) -> None:
    assert agreeing(raw) == slots


def test_one_word_in_common_is_no_common_subject() -> None:
    """A chess club for children shares a word with the games of a cafe, and nothing else."""
    lines = {line.plain() for topic in build_bank(CHESS).topics for pool in topic.parts.values() for line in pool._lists[0]}
    assert not any("café" in line or "campaign" in line for line in lines)
    lines = {line.plain() for topic in build_bank(KILN).topics for pool in topic.parts.values() for line in pool._lists[0]}
    assert any("bisque" in line for line in lines) and not any("oven" in line or "salt" in line for line in lines)


def test_nobody_is_asked_to_choose_between_a_thing_and_itself() -> None:
    bank = build_bank(BIKES)
    assert all(len({t.mark for t in topic.others}) == len(topic.others) > 1 for topic in bank.topics)


def test_what_strays_is_answered_as_such() -> None:
    world, by = World(), SketchWriter(KILN)
    strayed = briefs(range(100), "off_topic", truth="off_topic")
    world.add(strayed, write(strayed, world, by))
    things = {thing.long for topic in KILN.topics for thing in found_things(topic, KILN)} - {"clay"}
    for act in ("agree", "ask", "share"):
        replies = write(briefs(range(1, 101), act, step=2, parent=range(100)), world, by).text
        assert sum(any(thing in text.lower() for thing in things) for text in replies) < 20


def test_lines_for_anybody_are_said_in_the_english_and_the_money_of_the_community() -> None:
    said = "my mum's neighbour practises once a fortnight for ten euros"
    assert dialect_of(KILN)(said) == "my mom's neighbor practices every two weeks for ten bucks"
    assert dialect_of(TENANTS)(said.replace("mum", "mom")) == said.replace("euros", "quid")  # it lives in flats
    assert dialect_of(described("Weg", "Walkers share huts for a few euros a night."))("forty quid") == "forty euros"


def test_a_name_in_a_sketch_keeps_its_capital() -> None:
    assert "Singer treadles" in find_topics("Sewing machines.", (), ("mechanic, 71, restores Singer treadles",))


@pytest.mark.parametrize(
    ("goal", "members", "topics"),
    [
        ("Owners and repairers of old radios hunt for valves.", {"owners", "repairers"}, {"radios", "valves"}),
        ("Licensed pilots and those studying for the test compare gliders.", {"licensed pilots"}, {"gliders"}),
        ("A chess club that meets in a pub sorts out the teams.", {"chess club", "club"}, {"chess", "teams"}),
        ("A circle of tape collectors trades forgotten labels.", {"tape collectors"}, {"forgotten labels"}),
        ("Line cooks and pastry chefs swap staff meals.", {"line", "cooks", "pastry chefs"}, {"staff meals"}),
        ("For long-haul truckers: parking, border queues and sleep.", {"long-haul truckers"}, {"parking", "border queues"}),
    ],
)
def test_who_is_there_is_no_topic(goal: str, members: set[str], topics: set[str]) -> None:
    found = set(find_topics(goal))
    assert topics <= found and not found & members


@pytest.mark.parametrize(
    ("goal", "verbs", "topics"),
    [
        ("Walkers ask how to weather storms and fight for open paths.", {"weather storms", "weather", "fight"}, {"storms", "open paths"}),
        ("Nurses let off steam and swap shifts.", {"steam"}, {"shifts"}),
        ("Nurses on night shifts vent about rotas.", {"vent", "night shifts vent"}, {"night shifts", "rotas"}),
        ("Villagers debate two things: planning applications, the playing field and the coming pay ballot.", {"applications", "field"},
         {"planning applications", "playing field", "coming pay ballot"}),
        ("Rowers plan contest weekends.", {"weekends"}, {"contest weekends"}),
    ],
)  # fmt: skip
def test_a_verb_is_no_topic_and_a_name_keeps_its_first_word(goal: str, verbs: set[str], topics: set[str]) -> None:
    found = set(find_topics(goal))
    assert topics <= found and not found & verbs


def test_what_a_sketch_says_that_somebody_does_is_a_topic() -> None:
    sketches = (
        "nurse, 31, trains deaf dogs, cheerful",
        "cook, 40, anxious about vet bills, writes in capitals",
        "clerk, 50, makes many typos",
    )
    found = set(find_topics("We walk.", (), sketches))
    assert {"deaf dogs", "vet bills"} <= found and not any("typo" in topic for topic in found)


@pytest.mark.parametrize(
    ("goal", "sketches", "subject"),
    [
        ("A chess club goes over games, argues about openings and plays in the county league.", (), ""),
        ("Radio amateurs studying for the exam compare antennas.", (), ""),
        (
            "People in their first year without alcohol.",
            ("lawyer, 39, worries about client dinners", "roofer, 45, counts coffee cups"),
            "",
        ),
        ("Nurses on hospital wards swap shifts, handovers and ways to sleep.", (), "work"),
        ("Home bakers keep a sourdough starter and share loaves of rye bread.", (), "food"),
    ],
)
def test_a_subject_is_one_whose_lines_suit_the_community(goal: str, sketches: tuple[str, ...], subject: str) -> None:
    topics = find_topics(goal, (), sketches)
    community = Community("x", "X", goal, ("Be kind.",), topics, tuple(map(Sketch, sketches or ("nurse, 34",))))
    assert subject_of(community).get("name", "") == subject


@pytest.mark.parametrize(
    ("thing", "counted"), [("toilets", True), ("the night sky", True), ("sleep", False), ("sleeping rough", False)]
)
def test_what_is_many_or_one_of_many_is_nothing_that_one_does(thing: str, counted: bool) -> None:
    assert make_thing(thing, is_place=False).is_counted == counted


def test_nobody_keeps_up_a_thing_that_can_only_be_talked_of() -> None:
    """Lines for anybody about what one does ("how do you keep up {thing}?") are said of sleep, and not of toilets."""
    doing = re.compile(
        r"(?:keep up|get better at|stick with|start with|recommend|bother with|used to|deal with) (?:the )?(?:toilets|sleep)\b"
    )
    said = {}
    for thing in ("toilets", "sleep"):
        club = Community("c", "C", "We talk.", ("Be kind.",), (thing, thing + "s", thing + " logs"), (Sketch("nurse, 34"),))
        by, world = SketchWriter(club), World()
        texts = [t for step in range(1, 9) for t in write(briefs(range(150), "ask", step=step), world, by).text]
        said[thing] = sum(bool(doing.search(text.lower())) for text in texts)
    assert said["toilets"] < 5 < 20 < said["sleep"]


def test_every_kind_of_question_that_is_asked_of_a_counted_thing_has_lines_for_it() -> None:
    bank = build_bank(TENANTS)
    for topic in bank.topics:
        for kind in topic.asked:
            own, general = topic.asks[kind]._lists
            fitting = [line for line in general if line.bits & HAS_THING and not line.bits & IS_DOING]
            assert len(fitting) >= 4 or own is not general


def test_an_answer_to_a_question_back_is_no_story() -> None:
    """Lines for anybody that happen to stand side by side tell none."""
    world, by = World(), SketchWriter(BIKES)
    told = briefs(range(100), "share", step=1)
    world.add(told, write(told, world, by))
    asked = briefs(range(1, 101), "ask", step=2, parent=list(range(100)))
    world.add(asked, write(asked, world, by))
    kinds = build_bank(BIKES).kinds
    back = [
        row
        for row in range(100, 200)
        if (about := unpack(int(world.posts.memo[row]))) and kinds[about.kind - 1].startswith("back_")
    ]
    answers = write(briefs(range(2, 2 + len(back)), "answer", step=3, parent=back), world, by)
    stories = {line.key for topic in build_bank(BIKES).topics for list_ in topic.parts["stories"]._lists for line in list_}
    memos = [unpack(int(memo)) for memo in answers.memo]
    assert len(back) > 50 and not any(about is None or about.second in stories for about in memos)
