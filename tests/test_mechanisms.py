"""The signs of the mechanisms that rest on published findings, each at the place where it acts."""

from dataclasses import replace

import numpy as np
import pytest
from support import past

from simulacra import behaviour as model
from simulacra.analysis.facts import gini
from simulacra.analysis.threads import reference
from simulacra.behaviour import Behaviour, Temptation
from simulacra.events import KINDS
from simulacra.feeds.classic import Unanswered
from simulacra.seams import Readers, Reading


def reading(post, readers, source=0):
    """Every reader looks at this one post for the first time."""
    n = len(readers)
    zero, none = np.zeros(n, np.int8), np.zeros(n, bool)
    return Reading(
        np.arange(n, dtype=np.int32), readers, np.full(n, post, np.int32), zero, zero + np.int8(source), ~none,
        np.zeros(n, np.float32), none, none,
    )  # fmt: skip


@pytest.fixture
def world():
    """A past of its own, to change at will."""
    root = past(300)
    return root.fork(root.arm, root.recorder.fork()).platform


READERS = np.arange(300, dtype=np.int32)


@pytest.mark.parametrize("votes,mechanism", [(8, "herding"), (-8, "correction")])
def test_upvotes_shown_are_followed_downvotes_set_right_and_hidden_ones_left_alone(world, votes, mechanism):
    """S19: in both cases the post gains."""
    off = {"herding": "off", "correction": "off"}
    b, streams = Behaviour().with_settings({**off, mechanism: 1, "upvote": -1, "downvote": -1}), past(300).streams

    def balance(shown):
        return int(model.reactions(b, reading(0, READERS), world, shown, streams)[0].sum())

    world.posts.up[0], world.posts.down[0] = max(votes, 0), max(-votes, 0)
    assert balance(True) > balance(False)
    b = b.with_settings(off)
    assert balance(True) == balance(False)


def test_a_post_of_more_appeal_gets_more_upvotes_and_the_mean_post_as_many_as_without(world):
    """S18: likes are unequal beyond topic and tone."""
    streams, up = past(300).streams, {}
    for appeal in (-2, 0.55, 2):  # 0.55 deviations: where a log-normal of SD 1.1 has its mean
        world.posts.appeal[0] = appeal
        for spread in (1.1, "off"):
            b = Behaviour().with_settings({"upvote": -1, "appeal": spread})
            up[appeal, spread] = int((model.reactions(b, reading(0, READERS), world, True, streams)[0] == 1).sum())
    assert up[-2, 1.1] < up[0.55, 1.1] < up[2, 1.1]
    assert up[0.55, 1.1] == up[2, "off"] == up[-2, "off"]


def test_the_spread_of_appeal_is_that_of_a_forum():
    """S18: of .53 likes a post, 68 % without any, Gini .78 (Delving)."""
    spread, rng = Behaviour().appeal, np.random.default_rng(1)
    likes = rng.poisson(0.53 * np.exp(spread * rng.normal(size=200_000) - spread**2 / 2))
    assert abs((likes == 0).mean() - reference("delving")["likes"]["zero"]) < 0.01
    assert abs(gini(likes) - reference("delving")["likes"]["gini"]) < 0.01


def test_openers_are_told_of_every_reply_in_their_thread_unless_that_is_off(world):
    """S12: a third of replies are by the thread's starter."""
    posts, streams = world.posts, past(300).streams
    replies = np.flatnonzero(posts.depth[: len(posts)] > 1).astype(np.int32)
    told = replies[model.watched(Behaviour(), replies, world, streams)]
    assert len(told) and not len(
        replies[model.watched(Behaviour().with_settings({"opener_notice": "off"}), replies, world, streams)]
    )
    opener, author = posts.author[posts.root[told]], posts.author[told]
    assert (opener != author).all() and (opener != posts.author[posts.parent[told]]).all()
    world.members.notices[:] = -1
    world.tell_openers(told[:1])
    assert told[0] in world.members.notices[opener[0]] and (world.members.notices >= 0).sum() == 1


def test_who_looks_for_threads_without_an_answer_is_shown_those_first(world):
    """S6."""
    newest, waiting = model.browses(
        Behaviour().with_settings({"browse_new": 0.3, "browse_unanswered": 0.3}), READERS, 5, past(300).streams
    )
    assert newest.any() and waiting.any() and not (newest & waiting).any()
    assert not model.browses(Behaviour().with_settings({"browse_unanswered": "off"}), READERS, 5, past(300).streams)[1].any()
    posts = world.standing().posts
    readers = Readers(READERS[:1], np.zeros((1, 1), np.float32), np.zeros(1, np.int8), 1)
    score = np.asarray(Unanswered().score(posts, readers, np.float32(0), world, past(300).streams))
    waits = (world.posts.depth[posts] == 0) & (world.posts.replies[posts] == 0)
    assert waits.any() and score[waits].min() > score[~waits].max()


def test_emotional_reading_makes_people_write(world):
    """S20: with fewer emotional posts fewer words were written."""
    b, count = Behaviour().with_settings({"withdrawal": 3, "write": 0.3}), {}
    for valence in (0, -0.9):
        world.posts.valence[0] = valence
        count[valence] = int(model.writers(b, reading(0, READERS), world, READERS, 5, past(300).streams).sum())
    assert count[-0.9] > count[0] > 0


def test_rude_reading_makes_people_write(world):
    """S24, S35: anger is answered."""
    count = {}
    for toxicity in (0, 0.9):
        world.posts.toxicity[0] = toxicity
        for provoked in (3, "off"):
            b = Behaviour().with_settings({"provoked": provoked, "write": 0.3})
            count[toxicity, provoked] = int(model.writers(b, reading(0, READERS), world, READERS, 5, past(300).streams).sum())
    assert count[0.9, 3] > count[0, 3] and count[0.9, "off"] == count[0, "off"]


def test_rudeness_to_the_other_side_is_liked_by_ones_own_and_by_nobody_else(world):
    """S23: out-group words spread."""
    world.posts.toxicity[0], world.posts.across[0] = 0.9, True

    def up(side, camp):
        b = Behaviour().with_settings({"vote_side": side, "upvote": -1})
        read = reading(0, READERS)._replace(camp=np.full(len(READERS), camp))
        return int((model.reactions(b, read, world, False, past(300).streams)[0] == 1).sum())

    assert up(3, False) > up("off", False) and up(3, True) == up("off", True)
    world.posts.across[0] = False
    assert up(3, False) == up("off", False)


def test_gloomy_posts_draw_replies_and_glad_ones_do_not(world):
    """S23, S24: sadness and negative words are amplified."""
    weight = {}
    for valence in (-0.8, 0, 0.8):
        world.posts.valence[0] = valence
        read, rows = reading(0, READERS[:1]), np.zeros(1, np.intp)
        for gloom in (1, "off"):
            b = Behaviour().with_settings({"parent_gloom": gloom})
            weight[valence, gloom] = float(model._parent_weight(b, read, rows, world, 5)[0])
    assert weight[-0.8, 1] > weight[0, 1] == weight[0.8, 1] and weight[-0.8, "off"] == weight[0.8, "off"]


def test_contradicting_a_contradiction_turns_rude_sooner(world):
    """S35: longer threads are more toxic."""
    n, none, kinds = len(READERS), np.zeros(len(READERS), bool), np.zeros((len(READERS), len(KINDS)))
    t = Temptation(np.zeros(n), np.zeros(n), none, none, kinds, ~none, kinds > 0)
    calm, dispute = (model.temptations(Behaviour(), READERS, t._replace(disputes=d), world)["insult"] for d in (none, ~none))
    assert (dispute > calm).all()
    off = Behaviour().with_settings({"insult_dispute": "off"})
    assert (model.temptations(off, READERS, t._replace(disputes=~none), world)["insult"] == calm).all()


def test_rude_reading_lowers_satisfaction_and_an_answer_raises_it(world):
    """Churn by toxicity seen; S17: newcomers stay where somebody answers."""
    b = Behaviour()
    world.posts.toxicity[0] = 0
    civil, answered = (model.satisfaction(b, reading(0, READERS, s), world, READERS).mean() for s in (0, 1))
    world.posts.toxicity[0] = 0.9
    rude = model.satisfaction(b, reading(0, READERS), world, READERS).mean()
    assert rude < civil < answered
    off = b.with_settings({"suffer_rude": "off"})
    assert np.isclose(model.satisfaction(off, reading(0, READERS), world, READERS).mean(), civil)


def test_the_dissatisfied_leave_and_newcomers_sooner(world):
    """S17."""
    b, streams = Behaviour().with_settings({"churn": 0.1}), past(300).streams

    def gone(satisfaction, behaviour=b):
        world.members.satisfaction[:] = satisfaction
        return len(model.leavers(behaviour, world, READERS, 5, streams))

    assert gone(-0.5) > gone(0) > gone(0.5)
    world.population = replace(world.population, arrival=np.zeros_like(world.population.arrival))
    assert gone(0) > gone(0, b.with_settings({"churn_newcomer": "off"}))


def test_a_newcomer_who_was_answered_stays_the_more(world):
    """S17."""
    b, streams = Behaviour().with_settings({"churn": 0.05}), past(300).streams
    world.population = replace(world.population, arrival=np.zeros_like(world.population.arrival))

    def gone(told, behaviour=b):
        world.members.told[:] = told
        return len(model.leavers(behaviour, world, READERS, 5, streams))

    assert gone(1) < gone(0)
    off = b.with_settings({"churn_answered": "off"})
    assert gone(1, off) == gone(0, off)


def hours_around(world, b, days=400):
    """[hours, personas] zeal of everybody, hour by hour."""
    streams, zeal = past(300).streams, []
    members = world.members
    members.spells[:], members.spell_ends[:], members.zeal[:] = 0, model.OLD_HAND, 1
    for step in range(24 * days):
        world.turn_spells(model.spells(b, world, step, streams))
        zeal.append(members.zeal.copy())
    return np.array(zeal)


def test_members_are_away_for_their_share_of_time_and_come_no_less_for_it(world):
    """S14: spells move visits and do not add any; who is met first is met at any moment of them."""
    b = Behaviour()
    zeal = hours_around(world, b)
    assert (zeal == 0).mean() == pytest.approx(b.away, abs=0.05)
    assert (zeal[0] == 0).mean() == pytest.approx(b.away, abs=0.1)
    assert zeal.mean() == pytest.approx(1, abs=0.1)
    starts = np.count_nonzero((zeal[1:] > 0) & (zeal[1:] != zeal[:-1]))
    assert (zeal > 0).sum() / starts == pytest.approx(b.around_hours, rel=0.1)


def test_times_away_have_a_heavy_tail(world):
    """Goh and Barabasi 2008: beside an exponential of the same mean, many are short and a few very long."""
    away = hours_around(world, Behaviour())[:, :100] == 0
    edges = np.diff(away.astype(np.int8), axis=0)
    lengths = np.concatenate([
        ends[ends > starts[0]][: len(starts)] - starts[: len(ends[ends > starts[0]])]
        for column in edges.T
        if len(starts := np.flatnonzero(column == 1)) and len(ends := np.flatnonzero(column == -1))
    ])  # fmt: skip
    assert lengths.std() > 1.2 * lengths.mean()
    assert (lengths > 5 * lengths.mean()).mean() > 1.5 * np.exp(-5)


def test_spells_are_the_same_whatever_happens_and_off_is_off(world):
    b, streams = Behaviour(), past(300).streams
    ends = world.members.spell_ends.copy()
    once = model.spells(b, world, 40, streams)
    world.members.last_visit[:] = 39
    world.members.notices[:] = 0
    again = model.spells(b, world, 40, streams)
    assert all(np.array_equal(x, y) for x, y in zip(once, again, strict=True))
    assert len(once.persona) == (ends <= 40).sum() > 0
    assert not len(model.spells(b.with_settings({"away": "off"}), world, 40, streams).persona)


def test_lurkers_hardly_write_and_the_more_members_the_less_each_writes(world):
    """S4."""
    streams, none = past(300).streams, Behaviour().with_settings({"lurkers": "off", "crowd": "off", "write": 0.3})

    def drafts(**settings):
        return int(model.writers(none.with_settings(settings), reading(0, READERS), world, READERS, 5, streams).sum())

    assert drafts(lurkers=1) < drafts(lurkers=0.5) < drafts()
    assert drafts(crowd=-2) > drafts()  # 300 members, fewer than 1,000


def test_readers_read_on_where_it_interests_them(world):
    """Sign of S25: a feed that finds what interests somebody is read longer."""
    slate = np.zeros((300, 20), np.int32)
    towards = np.tile(world.topic_vectors[world.posts.topic[0]], (300, 1))
    looks = {}
    for taste in (1, "off"):
        b = Behaviour().with_settings({"scroll_taste": taste})
        for sign in (1, -1):
            looks[taste, sign] = int(model.looked(b, READERS, slate, sign * towards, world, 5, past(300).streams).sum())
    assert looks[1, 1] > looks["off", 1] == looks["off", -1] > looks[1, -1]


def test_an_answer_in_a_thread_of_ones_own_is_answered_the_more(world):
    """S12: a third of replies are by the thread's starter."""
    posts, writes = world.posts, {}
    post = int(np.flatnonzero(posts.depth[: len(posts)] > 0)[0])
    opener = int(posts.author[posts.root[post]])
    many = np.arange(300)
    for own in (5, "off"):
        b = Behaviour().with_settings({"own_thread": own})
        for who in (opener, (opener + 1) % 300):
            readers = np.full(300, who, np.int32)
            here = reading(post, readers, source=1)
            wants = [model.writers(b, _row(here, i), world, readers[:1], int(i), past(300).streams)[0] for i in many]
            writes[own, who == opener] = sum(wants)
    assert writes[5, True] > writes["off", True]
    assert writes[5, False] == writes["off", False]


def _row(here, i):
    """One visit of a reading."""
    return here._replace(
        **{name: value[i : i + 1] for name, value in here._asdict().items()} | {"visit": np.zeros(1, np.int32)}
    )


def test_the_other_side_draws_replies_and_gets_few_ties(world):
    """S28, S29."""
    streams, weight, ties = past(300).streams, {}, {}
    for camp in (True, False):
        here = reading(0, READERS)._replace(camp=np.full(300, camp))
        for setting in ("on", "off"):
            b = Behaviour().with_settings({"parent_camp": setting, "follow_far": setting, "follow": 0.5})
            weight[camp, setting] = float(model._parent_weight(b, here, np.array([0]), world, 5)[0])
            ties[camp, setting] = len(model.new_ties(b, here, np.ones(300, np.int8), world, streams)[0])
    assert weight[True, "on"] > weight[True, "off"] == weight[False, "on"]
    assert ties[True, "on"] < ties[True, "off"] == ties[False, "on"]
