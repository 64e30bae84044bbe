"""How far news got, counted on fingers; and the party, played."""

from __future__ import annotations

import math

import pytest
from handmade import OLD_HAND, HandMade
from test_news import PARTY, RUMOUR, told

from simulacra.analysis.diffusion import DIFFUSION, awareness_curve, cascade, spread, spread_table
from simulacra.analysis.facts import Facts


def happened(step, persona, what, post=-1, item=0):
    return {"step": step, "persona": persona, "item": item, "what": what, "post": post}


def mention(step, post, author, saying="tells", item=0):
    return {"step": step, "post": post, "author": author, "item": item, "saying": saying}


def learns(step, persona, post, *more, item=0):
    return [happened(step, persona, what, post, item) for what in ("learnt", *more)]


AWARE = [
    happened(9, 0, "knew"),
    *learns(11, 1, 10, "accepts"),
    *learns(12, 2, 10, "rejects"),
    *learns(20, 3, 11, "accepts"),
    *learns(30, 4, 12, "accepts"),
    happened(31, 3, "warned", 12),
    happened(31, 3, "rejects", 12),
    happened(9, 5, "knew", item=1),
    *learns(40, 0, 13, "comes", item=1),
    *learns(41, 1, 13, "declines", item=1),
    *learns(42, 2, 13, "declines", item=1),
    happened(45, 0, "came", item=1),
    happened(45, 5, "came", item=1),
]
SAID = [mention(10, 10, 0), mention(13, 11, 1), mention(25, 12, 3), mention(28, 13, 5, "invites", 1)]
READ = [{"step": 11, "persona": p, "post": post, "source": "feed"} for p, post in ((1, 10), (2, 10), (3, 11), (4, 12), (3, 12))]
VISITS = [{"step": step, "persona": 0} for step in (1, 30)]
TOLD = Facts(HandMade([OLD_HAND] * 8, awareness=AWARE, mentions=SAID, impressions=READ, visits=VISITS))
NOTHING = Facts(HandMade([OLD_HAND] * 3, visits=VISITS))


def test_who_told_whom_is_a_tree_with_depths():
    tree = cascade(TOLD, 0)
    assert tree.teller.tolist() == [-1, 0, 0, 1, 3, -1, -1, -1]
    assert tree.depth.tolist() == [0, 1, 1, 2, 3, -1, -1, -1]
    assert tree.root.tolist() == [0, 0, 0, 0, 0, -1, -1, -1]
    assert tree.learnt[:5].tolist() == [9, 11, 12, 20, 30]


def test_a_rumour_is_counted():
    s = spread(TOLD, 0)
    assert (s.first, s.knowers, s.aware, s.reach) == (1, 5, 5 / 8, 4 / 8)
    assert (s.mentions, s.speakers, s.size, s.depth) == (3, 3, 4, 3)
    assert s.half_hours == 7  # the middle of 2, 3, 11 and 21 hours
    assert (s.believed, s.doubted) == (3 / 5, 2)
    assert (s.warned, s.turned) == (1, 1)
    assert s.told_per_believer == 3 / 4


def test_a_meet_up_is_counted():
    s = spread(TOLD, 1)
    assert (s.first, s.knowers, s.coming, s.came, s.depth) == (1, 4, 1 / 3, 2, 1)


def test_the_curve_of_awareness_ends_where_awareness_ends():
    assert awareness_curve(TOLD, 0).tolist() == [4 / 8, 5 / 8]
    rows = {(row.item, row.measure): row.value for row in spread_table(TOLD, ("r", "m"))}
    assert rows["r", "awareness@2"] == rows["r", "aware"] == 5 / 8 and rows["m", "awareness@1"] == 1 / 8


def test_who_speaks_of_what_it_was_never_told_begins_a_chain_and_no_ring():
    rows = [*learns(12, 1, 10), *learns(20, 0, 11)]
    said = [mention(10, 10, 0), mention(13, 11, 1)]
    tree = cascade(Facts(HandMade([OLD_HAND] * 2, awareness=rows, mentions=said, visits=VISITS)), 0)
    assert tree.teller.tolist() == [1, -1] and tree.depth.tolist() == [1, 0]


def test_measures_are_means_over_items_and_nan_without_news():
    assert DIFFUSION["news_awareness"].function(TOLD) == pytest.approx((5 / 8 + 4 / 8) / 2)
    assert DIFFUSION["news_cascade_depth"].function(TOLD) == 2
    assert DIFFUSION["rumour_believed"].function(TOLD) == 3 / 5
    assert DIFFUSION["meetup_coming"].function(TOLD) == 1 / 3
    assert all(math.isnan(m.function(NOTHING)) for m in DIFFUSION.values())
    assert spread(NOTHING, 0).knowers == 0 and spread(NOTHING, 0).depth == 0


# -- played ----------------------------------------------------------------------------------------------------------------


def test_a_party_spreads_from_its_host_alone():
    facts = Facts(told(PARTY, days=4).recorder.frames())
    tree, s = cascade(facts, 0), spread(facts, 0)
    assert s.first == 1 and (tree.depth == 0).sum() == 1
    assert s.knowers > 20 and s.depth >= 1 and 0 < s.coming < 1 and 1 < s.came <= s.knowers
    assert s.size == s.knowers - 1
    assert list(awareness_curve(facts, 0)) == sorted(awareness_curve(facts, 0))


def test_with_talk_switched_off_nobody_but_the_host_is_aware():
    s = spread(Facts(told(PARTY, behaviour=(("news_mention", "off"),)).recorder.frames()), 0)
    assert (s.knowers, s.mentions, s.size, s.depth) == (1, 0, 0, 0) and s.reach == 0


def test_a_rumour_is_believed_by_some_and_doubted_by_others():
    s = spread(Facts(told(RUMOUR).recorder.frames()), 0)
    assert 0.1 < s.believed < 0.95 and s.doubted > 0
    assert s.knowers == s.doubted + round(s.believed * s.knowers)
