"""Persona drift: what members say of themselves, held against who they are, on posts made by hand."""

from __future__ import annotations

import math

import pytest

from simulacra.analysis.drift import KINDS, Self, drift, run_drift, statements
from simulacra.experiment import run
from tests.support import community

NURSE = Self(34, "travel nurse", "Democrat", "travel nurse, 34, wants change")
COOK = Self(27, "line cook", "Republican", "line cook, sarcastic")


def found(text: str, own: Self = NURSE) -> list[tuple[str, str, bool]]:
    return [(s.kind, s.said, s.agrees) for s in statements(text, own)]


@pytest.mark.parametrize(
    "text, said",
    [
        ("I'm 34, and the hills still kill me", [("age", "34", True)]),
        ("im 35 now and tired", [("age", "35", True)]),
        ("I’m 41. too old for this", [("age", "41", False)]),
        ("As a 52-year-old I feel seen", [("age", "52", False)]),
        ("just saying, I turned 34 last week", [("age", "34", True)]),
        ("I'm 20 minutes away", []),
        ("I'm 15% sure, and at 40 bucks it is a steal", []),
        ("I'm 12 weeks in", []),
    ],
)
def test_ages_are_told_from_other_numbers(text, said):
    assert found(text) == said


@pytest.mark.parametrize(
    "text, said",
    [
        ("as a nurse, I see this every night", [("work", "nurse", True)]),
        ("I'm a retired bus driver and I know these roads", [("work", "retired bus driver", False)]),
        ("I work as a welder.", [("work", "welder", False)]),
        ("I'm a nurse's husband", []),
        ("as a nurse would tell you", []),
        ("She said “I'm a welder” and left", []),
        ("I'm a fan of the place, and as a parent, I love it", []),
        ("nurses are great", []),
    ],
)
def test_occupations_are_what_the_author_calls_itself(text, said):
    assert found(text) == said


def test_a_work_of_the_same_line_agrees_and_one_that_nobody_knows_is_not_counted():
    assert found("I'm a chef, trust me", COOK) == [("work", "chef", True)]
    assert found("I'm a welder, trust me", COOK._replace(work="tour guru")) == []


def test_stances_are_held_against_the_sketch_and_else_the_party():
    assert found("I'm a conservative, so no") == [("stance", "conservative", False)]
    assert found("as a renter, I want this") == [("stance", "renter", True)]
    assert found("I am a proud Republican", COOK) == [("stance", "proud republican", True)]
    assert found("I'm a liberal.", COOK._replace(party="Independent")) == [], "there is nothing to hold it against"


def test_a_rate_has_its_counts_and_an_interval():
    posts = [(1, 0, "I'm 34, hi"), (2, 0, "I'm 50, hi"), (3, 1, "as a cook, I agree"), (4, 1, "nothing of me")]
    counted = drift(posts, [NURSE, COOK])
    assert counted.checked == {"age": 2, "work": 1, "stance": 0} and counted.wrong == {"age": 1, "work": 0, "stance": 0}
    assert counted.rate == pytest.approx(1 / 3) and counted.interval == pytest.approx((0.0615, 0.7923), abs=1e-3)
    assert [post for post, _ in counted.examples] == [2]
    assert "33% contradicted by who they are (6% to 79%; age 1 of 2, work 0 of 1)" in counted.sentence
    assert set(counted.to_dict()["wrong"]) == set(KINDS)


def test_posts_that_say_nothing_have_no_rate():
    silent = drift([(1, 0, "the bus was late")], [NURSE])
    assert math.isnan(silent.rate) and silent.sentence.startswith("Persona drift: none of 1 posts")
    assert drift([], []).statements == 0


def test_a_run_of_the_sketch_mind_has_one_too(tmp_path):
    counted = run_drift(run(community(), 60, 1, runs_dir=tmp_path, run_id="one"))
    assert counted.posts > 0 and counted.contradicted <= counted.statements
