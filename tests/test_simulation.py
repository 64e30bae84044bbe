"""The loop: one past, many arms, and every draw the same unless the design touches it."""

from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support import arm, community, past, played, population, simulation, writer

from simulacra.behaviour import Behaviour
from simulacra.errors import SpecError, Stopped
from simulacra.events import ACTS
from simulacra.feeds import FEEDS
from simulacra.moderation import POLICIES
from simulacra.news import News
from simulacra.persona import OLD_HAND
from simulacra.scoring.lexical import LexicalScorer
from simulacra.seams import Briefs

GOLDEN = Path(__file__).parent / "golden" / "day.txt"


def digest(sim):
    return sim.recorder.digest


def table(sim, name, **kwargs):
    return sim.recorder.frames().table(name, **kwargs)


def test_equal_specs_give_equal_digests_and_another_seed_another():
    again = simulation(arm(), seed=1)
    again.burn_in()
    assert digest(again) == digest(simulation_after_burn_in(1))
    assert digest(again) != digest(simulation_after_burn_in(2))


def simulation_after_burn_in(seed):
    sim = simulation(arm(), seed=seed)
    sim.burn_in()
    return sim


def test_two_arms_that_differ_in_nothing_differ_in_nothing():
    assert digest(played(arm("hot", ["human_review"]))) == digest(played(arm("hot", ["human_review"])))


def test_simulations_played_side_by_side_do_not_disturb_each_other():
    a, b = (past().fork(arm(feed), past().recorder.fork()) for feed in ("hot", "random"))
    for hour in range(24):
        a._hour(hour)
        b._hour(hour)
        a.step = b.step = hour + 1
    for sim in (a, b):
        sim._close_day()
    assert digest(a) == digest(played(arm("hot"))) and digest(b) == digest(played(arm("random")))


def test_a_state_taken_up_again_ends_in_the_same_digest():
    whole = played(arm("engagement", ["human_review", "automod"]), days=2)
    first = played(arm("engagement", ["human_review", "automod"]), days=1)
    resumed = past().fork(arm("engagement", ["human_review", "automod"]), first.recorder)
    resumed.restore(first.state())
    resumed.play(2)
    assert digest(resumed) == digest(whole)


def test_play_stops_between_hours_and_keeps_finished_days():
    sim = past().fork(arm(), past().recorder.fork())
    with pytest.raises(Stopped):
        sim.play(3, should_stop=lambda: sim.step >= 30)
    assert max(sim.recorder.days) == 1


@pytest.mark.parametrize("feed", sorted(set(FEEDS) - {"hot"}))
def test_another_feed_changes_what_is_seen_and_not_who_comes_first(feed):
    herd = {"herding": 1, "upvote": -1.5, "visit_rate": 3}  # votes that matter, so that hiding them does
    mine, other = (
        played(arm(f, behaviour=herd)) for f in ("weighted:recency=1,similarity=2" if feed == "weighted" else feed, "hot")
    )
    assert len(table(mine, "impressions").merge(table(other, "impressions"))) < len(table(other, "impressions"))
    first = [t[t.step == 0].persona.tolist() for t in (table(mine, "visits"), table(other, "visits"))]
    assert first[0] == first[1]


@cache
def heated(*moderation):
    """Two days of a community that gives every moderation design something to do."""
    rude = {"insult": -1.5, "report": 0.3, "norm_strength": 3, "write": 0.4, "downvote": -2}
    return digest(played(arm(moderation=moderation, behaviour=rude), days=2, personas=120))


@pytest.mark.parametrize("policy", sorted(POLICIES.keys() - {"llm_moderator"}))  # that one: tests/test_llm_moderator.py
def test_every_policy_changes_the_run(policy):
    assert heated(policy) != heated()


SETUP = {"first_ties", "homophily", "newcomers"}
"""Parameters that act before the fork, on the population or its first ties."""
EVENTFUL = {
    "visit_rate": 2,
    "write": 0.4,
    "insult": -1.5,
    "promote": -2.5,
    "off_topic": -2.5,
    **dict.fromkeys(("harassment", "politics", "misinformation", "low_effort", "personal_data", "preaching"), -3),
    "churn": 0.15,
    "false_report": 0.2,
    "report": 0.3,
    "drift": 0.2,
}
"""A community in which everything happens within two days."""


GOSSIP = (
    News("invitation", "a picnic in Schenley Park", "inclines and views", starts=1, when=43),
    News("rumour", "the science museum will charge for parking", "museums", starts=1, knows=0.3),
)
"""What this community talks about besides."""
PICNICS = tuple(
    replace(GOSSIP[0], words=f"a picnic in {park} Park") for park in ("Frick", "Highland", "Mellon", "Riverview", "West End")
)


@cache
def eventful(seed=1, **changes):
    days = 6 if "weekend" in changes else 2
    if "medical_old" in changes:
        changes["medical_advice"] = -1  # else hardly anybody gives any, old or young
    if "churn_answered" in changes:
        changes |= {"churn": 0.02, "visit_rate": 6}  # else newcomers have left before anybody answers them
    notes = {"label": {"delay": 2, "reports": 1, "across": 0}}
    design = arm(moderation=["human_review", "sticky_rules", "label"], behaviour={**EVENTFUL, **changes}, parameters=notes)
    if "limit_share" in changes:  # none of the community's own rules only limits
        design = design._replace(community=replace(design.community, rules=("No insults except on Saturdays.",)))
    if changes.keys() & {"spoiler", "medical_advice", "medical_old", "misinformation_topic", "politics_topic"}:
        design = design._replace(community=replace(design.community, goal="Elections, health and films."))
    # few ask, sell, speak of health or are new, and few posts stand below zero, make a tie across or touch a limit
    rare = changes.keys() & {
        "parent_question", "promote_seller", "medical_old", "churn_answered", "correction", "own_thread", "follow_far", "limit_share",
    }  # fmt: skip
    if any(name.startswith("news_") for name in changes):
        news = PICNICS if changes.keys() & {"news_attend", "news_show"} else GOSSIP  # a single host may keep silent
        talkative = design.behaviour.with_settings({"news_mention": 0, **changes})
        design = design._replace(community=replace(design.community, news=news), behaviour=talkative)
        rare |= {"doubts", "notes"}  # few doubt in writing, few see a note
    people = 40 if "weekend" in changes else 250 if rare else 90
    return digest(played(design, days, people, seed))


@pytest.mark.parametrize("name", [f.name for f in fields(Behaviour) if f.name not in SETUP])
def test_every_behaviour_parameter_is_alive(name):
    meta = Behaviour.__dataclass_fields__[name].metadata
    on = meta["low"] if meta["off"] == meta["high"] else meta["high"]
    assert eventful(**{name: on}) != eventful(**{name: "off"})


def test_flipping_one_knob_leaves_draws_of_other_purposes_alone():
    on, off = played(arm(behaviour={"herding": 0.5})), played(arm(behaviour={"herding": "off"}))
    a, b = table(on, "visits"), table(off, "visits")
    same = a.merge(b, on=["step", "persona"])
    assert len(same) > 0.9 * len(a)  # visits follow votes only through mood and answers
    assert (same.looked_x == same.looked_y).mean() > 0.95


def test_replies_hang_together():
    posts = table(played(days=2), "posts", burn_in=True).set_index("id")
    replies = posts[posts.parent >= 0]
    parents = posts.loc[replies.parent]
    assert (parents.step.to_numpy() < replies.step.to_numpy()).all()
    assert (parents.root.to_numpy() == replies.root.to_numpy()).all()
    assert (parents.depth.to_numpy() + 1 == replies.depth.to_numpy()).all()
    assert (posts.root[posts.parent < 0] == posts.index[posts.parent < 0]).all()
    assert (parents.author.to_numpy() != replies.author.to_numpy()).all()


def test_nobody_replies_to_or_votes_on_what_it_has_not_seen():
    sim = played(days=2)
    seen = table(sim, "impressions", burn_in=True)
    pairs = set(zip(seen.persona, seen.post, strict=True))
    reactions = table(sim, "reactions")
    assert all(pair in pairs for pair in zip(reactions.persona, reactions.post, strict=True))
    assert not reactions[reactions.reaction != 2].duplicated(["persona", "post"]).any()
    roots = table(sim, "posts", burn_in=True).set_index("id").root
    threads = {(p, roots[q]) for p, q in pairs}
    posts = table(sim, "posts")
    assert all((a, r) in threads for a, r, p in zip(posts.author, posts.root, posts.parent, strict=True) if p >= 0)


def test_visitors_see_only_posts_that_are_an_hour_old():
    sim = played(days=2)
    time = sim.platform.posts.time
    seen = table(sim, "impressions")
    seen = seen[seen.source == "feed"]
    minute = np.array(
        [
            sim.platform.minute(np.array([p]), s, sim.streams)[0]
            for p, s in zip(seen.persona[:500], seen.step[:500], strict=True)
        ]
    )
    assert (time[seen.post[:500]] + 1 <= seen.step[:500] + minute + 1e-3).all()


def test_newcomers_come_on_their_day_and_not_before():
    sim = played(days=3)
    arrival = sim.population.arrival
    visits = table(sim, "visits", burn_in=True)
    assert (arrival[visits.persona] <= visits.step).all()
    assert (arrival[visits.persona] > OLD_HAND).any()


def test_those_who_left_do_not_come_back():
    sim = played(arm(behaviour={"churn": 0.2}), days=2)
    left, visits = table(sim, "departures"), table(sim, "visits")
    assert len(left) > 5
    last = visits.groupby("persona").step.max()
    assert (last[left.persona].to_numpy() <= left.step.to_numpy()).all()


def test_moods_follow_what_is_read_only_while_contagion_is_on():
    gloomy = {}
    for contagion in ("off", 0.9):
        sim = past().fork(
            arm(behaviour={"contagion": contagion, "hurt": "off", "flattery": "off", "visit_rate": 9}), past().recorder.fork()
        )
        sim.platform.posts.valence[:] = -0.95  # everything there is to read has turned black
        sim._hour(0)
        came = table_of_hour(sim)
        gloomy[contagion] = sim.platform.members.mood[came].mean()
    assert gloomy[0.9] < gloomy["off"] - 0.1


def table_of_hour(sim):
    return np.flatnonzero(sim.platform.members.last_visit == 0)


def test_a_communitys_vocabulary_alone_moves_no_mood():
    """Neutral posts surprise nobody on average, whatever the topic: their expected valence is what the scorer gives them anyway."""
    root = past()
    topics, acts = len(community().topics), [ACTS.index(a) for a in ("share", "ask", "answer")]
    for topic in range(topics):
        surprise = []
        for act in acts:
            author = np.arange(60, dtype=np.int32)
            zero = np.zeros(60, np.int8)
            brief = Briefs(author, 77, zero + act, zero + topic, np.zeros(60, np.float32), np.full(60, -1, np.int32), zero)
            texts = writer().write(brief, root.platform, root.streams).text
            surprise.append(LexicalScorer().score(texts).valence - root.expected[topic, act])
        error = np.std(surprise) * np.sqrt(1 / 180 + 1 / 72)
        assert abs(np.mean(surprise)) < 4 * error + 0.02, community().topics[topic]


def test_ties_come_from_liking():
    sim = played(arm(behaviour={"follow": 1.0, "visit_rate": 3, "upvote": -2}), days=1)
    ties, reactions = table(sim, "follows"), table(sim, "reactions")
    posts = table(sim, "posts", burn_in=True).set_index("id")
    liked = {
        (p, posts.author[q])
        for p, q in zip(reactions.persona[reactions.reaction == 1], reactions.post[reactions.reaction == 1], strict=True)
    }
    assert len(ties) > 5
    assert all(tie in liked for tie in zip(ties.follower, ties.followee, strict=True))


def test_activity_is_unequal_and_evenings_are_busy():
    sim = played(days=3, personas=300)
    visits = table(sim, "visits")
    by_hour = visits.groupby(visits.step % 24).size()
    assert by_hour.idxmax() in range(17, 24) and by_hour.max() > 2 * by_hour.min()
    per_person = np.sort(visits.groupby("persona").size().to_numpy())[::-1]
    assert per_person[: len(per_person) // 10].sum() > 0.2 * per_person.sum()


def test_work_per_visit_does_not_grow_with_history():
    """The pool, each inbox and each follow list are bounded: arrays that a step touches have the same size after a long past."""
    short, long = played(days=1), played(days=3)
    for name, value in short.state().items():
        if not name.startswith("posts."):
            assert long.state()[name].shape == value.shape, name


def test_a_population_of_two_and_a_silent_community_are_no_trouble():
    sim = simulation(arm(behaviour={"write": "off"}), personas=2)
    sim.burn_in()
    sim.play(1)
    assert len(sim.platform.posts) == 0


@pytest.mark.parametrize(
    "settings,says",
    [
        ({"contagon": 1}, "Did you mean 'contagion'?"),
        ({"contagion": "much"}, "expected a number"),
        ({"contagion": -1}, "expected 0 to 1, or off"),
        ({"contagion": float("inf")}, "expected a finite number"),
    ],
)
def test_behaviour_that_cannot_be_is_named_in_one_line(settings, says):
    with pytest.raises(SpecError) as error:
        Behaviour().with_settings(settings)
    assert says in str(error.value)


def test_every_parameter_says_what_it_is():
    for f in fields(Behaviour):
        assert {"unit", "source", "about", "off", "low", "high"} == set(f.metadata)
        assert f.metadata["low"] <= f.default <= f.metadata["high"]
        assert replace(Behaviour(), **{f.name: float(f.metadata["off"])})


def test_a_golden_day_of_thirty_personas():
    """What thirty people write and do in a day, line by line. If a change means to alter it: delete tests/golden/day.txt, run again,
    read the new day, and commit it with the change."""
    sim = played(arm("hot", ["sticky_rules", "human_review"]), days=1, personas=30, seed=1)
    handle = population(30, 1).handle
    posts = table(sim, "posts")
    lines = [
        f"{p.step:02d} {handle[p.author]} {p.act} -> {p.parent} [{p.topic}] {p.valence:+.2f}: {' / '.join(p.text.splitlines())}"
        for p in posts.itertuples()
    ]
    lines += [
        f"visits {len(table(sim, 'visits'))}, impressions {len(table(sim, 'impressions'))}, reactions {len(table(sim, 'reactions'))}"
    ]
    if not GOLDEN.exists():
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()
