"""Kinds of rule violation: what tempts members to each, what they then write, and how often it happens."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from support import arm, community, past, played, population, writer
from test_sketch import briefs, written

from simulacra import behaviour as model
from simulacra.behaviour import Behaviour, Temptation
from simulacra.community import bundled_communities, load_community
from simulacra.events import ACTS, KINDS
from simulacra.minds.data import violation_bank
from simulacra.minds.relevance import BOUND, relevance
from simulacra.people.population import grow
from simulacra.scoring.lexical import LexicalScorer
from simulacra.streams import Streams

NEW = tuple(kind for kind in KINDS[1:] if kind not in ("insult", "self_promotion", "off_topic"))


def rate(kind: str, people: slice | np.ndarray = slice(None), **tempted: object) -> float:
    """Share of the drafts of these people that commit the kind, at a base of log-odds -2."""
    world, n = past(400).platform, len(population(400, 1))
    author = np.arange(n, dtype=np.int32)[people]
    zero, false = np.zeros(len(author)), np.zeros(len(author), bool)
    all_kinds = np.ones((len(author), len(KINDS)), bool)
    plain = Temptation(zero, zero, false, false, np.zeros((len(author), len(KINDS))), ~false, all_kinds)
    full = {name: np.full(len(author), value) if np.isscalar(value) else value for name, value in tempted.items()}
    b = Behaviour().with_settings(
        {"insult": "off", "promote": "off", "off_topic": "off"} | dict.fromkeys(NEW, "off") | {kind: -2}
    )
    found = [
        model.violations(b, author, plain._replace(**full), world, step, Streams(5)) == KINDS.index(kind) for step in range(60)
    ]
    return float(np.mean(found))


def test_quarrels_and_bad_moods_turn_into_harassment_of_somebody_who_is_there() -> None:
    calm = rate("harassment")
    assert rate("harassment", rude_context=0.8) > 1.5 * calm and rate("harassment", mood=-0.7) > 1.5 * calm
    assert rate("harassment", replies=False) == 0


@pytest.mark.parametrize(
    ("kind", "trait", "sign"),
    [
        ("low_effort", "verbosity", -1),
        ("preaching", "agreeableness", -1),
        ("misinformation", "conscientiousness", -1),
        ("medical_advice", "age", 1),
    ],
)
def test_those_who_are_so_inclined_do_it_more(kind: str, trait: str, sign: int) -> None:
    order = np.argsort(sign * getattr(population(400, 1), trait))
    assert rate(kind, order[-130:]) > 1.15 * rate(kind, order[:130])


def test_quarrels_make_people_expose_each_other_and_anger_makes_them_blame_politics() -> None:
    assert rate("personal_data", rude_context=0.8) > 1.5 * rate("personal_data")
    assert rate("politics", mood=-0.8) > 1.2 * rate("politics")


def test_subjects_invite_what_belongs_to_them() -> None:
    nowhere = np.zeros((len(population(400, 1)), len(KINDS)), bool)
    assert rate("spoiler", invited=nowhere) == rate("medical_advice", invited=nowhere) == 0
    for kind in ("politics", "misinformation"):
        assert rate(kind) > 1.5 * rate(kind, invited=nowhere) > 0
    for slug, kind, invited in (
        ("chronic-pain", "medical_advice", True), ("chronic-pain", "spoiler", False), ("pittsburgh", "spoiler", False),
        ("game-makers", "spoiler", True), ("game-makers", "medical_advice", False), ("local-politics", "politics", True),
    ):  # fmt: skip
        assert relevance(load_community(slug))[:, KINDS.index(kind)].any() == invited
    cafe = replace(community(), topics=("strategy games", "the menu"), goal="A café.")
    assert relevance(cafe)[:, KINDS.index("spoiler")].tolist() == [True, False]
    trail = replace(cafe, topics=("boots", "maps"), goal="Walkers share advice and stories from the trail.")
    assert not relevance(trail)[:, KINDS.index("spoiler")].any(), "a story from one's own life has no ending to give away"


@pytest.mark.parametrize("kind", NEW)
def test_the_bank_has_many_lines_for_every_kind_and_no_real_person_in_them(kind: str) -> None:
    bank = violation_bank()
    assert len(set(bank[kind])) >= 40
    posts = written("share", truth=kind, hours=3).text
    assert len(set(posts)) > 0.75 * len(posts) or kind == "low_effort"
    assert all(p.strip() and not set("{}[]|") & set(p) for p in posts)
    numbers = {number for line in bank[kind] for number in re.findall(r"\d{3,}", line)}
    assert all(number == "555" or number.startswith("0") or kind != "personal_data" for number in numbers)


def test_words_of_a_violation_name_the_communitys_things() -> None:
    things = {short for topic in writer()._bank.topics for thing in topic.things for short in (thing.long, *thing.shorts)}
    for kind in BOUND:
        posts = [p.lower() for p in written("share", truth=kind, hours=2).text]
        assert np.mean([any(thing.lower() in p for thing in things) for p in posts]) > 0.3, kind


def test_replies_and_threads_break_a_rule_in_words_of_their_own() -> None:
    opened = written("share", truth="low_effort", hours=2).text
    sim = played(days=1)
    some = np.arange(80, dtype=np.int32) % len(sim.platform.posts)
    replies = writer().write(briefs(sim, "agree", truth="low_effort")._replace(parent=some), sim.platform, sim.streams).text
    assert not set(replies) & set(opened)
    assert np.median([len(p.split()) for p in replies]) <= 4


@pytest.mark.parametrize("slug", sorted(bundled_communities()))
def test_violations_stay_few_and_uncivil_posts_within_the_published_share(slug: str) -> None:
    """S35: 1 to 10 % of posts are toxic. Every kind that a subject invites occurs; none takes over."""
    told = load_community(slug)
    world = past(400).platform
    people = grow(told, 400, Streams(1), 3, 0.0)
    author, topics = np.arange(len(people), dtype=np.int32), len(told.topics)
    mind_invites = relevance(told)[author % topics]
    none = np.zeros(len(author))
    tempted = Temptation(
        none + 0.1, none + 0.05, none > 0, none > 0, np.zeros((len(author), len(KINDS))), none == 0, mind_invites
    )
    seen = type("Seen", (), {"population": people})()
    kinds = np.concatenate([model.violations(Behaviour(), author, tempted, seen, step, Streams(2)) for step in range(80)])
    share = dict(zip(KINDS, np.bincount(kinds, minlength=len(KINDS)) / len(kinds), strict=True))
    assert 0.01 < share["insult"] + share["harassment"] < 0.06
    assert max(share[kind] for kind in NEW) < 0.04 and 1 - share["none"] < 0.16
    assert world is not None and share["low_effort"] > 0


def test_a_rude_violation_has_a_stratum_and_a_civil_one_has_none() -> None:
    assert (written("insult", truth="harassment").stratum > 0).all()
    assert not written("share", truth="preaching").stratum.any()
    assert LexicalScorer().score(written("share", truth="misinformation").text).toxicity.mean() < 0.2


def test_every_kind_occurs_in_a_run_where_it_is_tempting() -> None:
    likely = dict.fromkeys(NEW, -1.5)
    design = arm(behaviour={"write": 0.4, **likely})
    design = design._replace(community=replace(design.community, goal="Elections, health and films."))
    posts = played(design, days=1, personas=120).recorder.frames().table("posts")
    assert set(NEW) <= set(posts["truth"].astype(str))
    assert set(posts["act"].astype(str)[posts["truth"].astype(str) == "harassment"]) == {"insult"}
    assert ACTS
