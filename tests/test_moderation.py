"""Every lever acts, is recorded with its reason, and knows nothing of the truth."""

import numpy as np
import pytest

from simulacra.errors import SpecError
from simulacra.events import ACTIONS, KINDS
from simulacra.moderation import DEFAULT_WORDS, HumanReview, make_policies
from support import arm, community, played

RUDE = {"write": 0.5, "insult": -1, "off_topic": -2, "report": 0.5}
"""A community in which there is something to moderate."""


def rulings(sim, action=None):
    table = sim.recorder.frames().table("rulings")
    return table if action is None else table[table.action == action]


def test_removed_posts_leave_the_feed_but_stay_in_the_record():
    sim = played(arm(moderation=["automod"], behaviour=RUDE), days=2)
    removed = rulings(sim, "remove")
    posts, seen = sim.recorder.frames().table("posts"), sim.recorder.frames().table("impressions")
    assert len(removed) > 3
    assert removed.post.isin(posts.id).all()
    assert not seen.post.isin(removed.post).any()  # a filter acts before anyone looks


def test_automod_takes_down_what_holds_a_listed_word_and_says_which():
    plain, filtered = (played(arm(moderation=m, behaviour=RUDE)) for m in ([], ["automod"]))
    posts = filtered.recorder.frames().table("posts").set_index("id")
    for _, ruling in rulings(filtered, "remove").iterrows():
        word = ruling.reason.removeprefix("holds ").strip("'\"")
        assert word in posts.text[ruling.post]
    assert len(rulings(plain)) == 0


def test_a_designers_own_words_and_patterns_count():
    words = {"automod": {"words": ["museum*"], "patterns": [r"\bthe\b"], "default": False}}
    sim = played(arm(moderation=["automod"], parameters=words))
    posts = sim.recorder.frames().table("posts")
    removed = posts.id.isin(rulings(sim, "remove").post)
    assert removed.any()
    assert (posts.text.str.contains(r"(?i)\bmuseum|\bthe\b") == removed).all()


def test_default_words_do_not_need_any_phrase_bank():
    assert len(DEFAULT_WORDS) == len(set(DEFAULT_WORDS)) > 30


def test_human_review_waits_errs_and_costs_time():
    slow = {"human_review": {"delay": 6, "moderators": 50, "hours_per_day": 8}}
    sim = played(arm(moderation=["human_review"], behaviour={**RUDE, "false_report": 0.05}, parameters=slow), days=2)
    cases = rulings(sim)[lambda t: t.post >= 0]
    posts = sim.recorder.frames().table("posts", burn_in=True).set_index("id")
    assert {"remove", "keep"} >= set(cases.action) and len(cases) > 10
    assert (cases.step.to_numpy() - posts.step[cases.post].to_numpy() >= 6).all()
    assert (cases.minutes == 3).all()
    broke = posts.rule[cases.post].to_numpy() > 0
    removed = (cases.action == "remove").to_numpy()
    assert removed[broke].mean() > 0.7 > 0.3 > removed[~broke].mean()


def test_moderators_can_only_decide_what_they_have_time_for():
    counts = {}
    for moderators in (0.5, 50):
        sim = played(arm(moderation=["human_review"], behaviour=RUDE, parameters={"human_review": {"moderators": moderators}}), days=2)
        counts[moderators] = rulings(sim).minutes.sum()
    assert counts[0.5] <= 0.5 * 60 * 2 < counts[50]


def test_three_removals_mute_and_five_ban():
    policy = HumanReview(mute_after=3, ban_after=5, mute_hours=24)
    world = played(arm()).platform
    world.members.strikes[:4] = [1, 2, 4, 0]
    punished = policy._punish(np.array([0, 1, 2, 3], np.int32), world, 100)
    assert punished.author.tolist() == [1, 2]
    assert [ACTIONS[a] for a in punished.action] == ["mute", "ban"]
    assert punished.until.tolist() == [124, -1]
    world.members.strikes[:4] = 0  # the past is shared with other tests' forks only by copy; leave no trace all the same


def test_the_muted_write_nothing_and_the_banned_do_not_come_back():
    strict = {"human_review": {"moderators": 99, "hours_per_day": 24, "delay": 0, "mute_after": 1, "ban_after": 2, "mute_hours": 48}}
    sim = played(arm(moderation=["human_review"], behaviour={**RUDE, "insult": 0.5}, parameters=strict), days=3)
    posts, visits = sim.recorder.frames().table("posts"), sim.recorder.frames().table("visits")
    muted, banned = rulings(sim, "mute"), rulings(sim, "ban")
    assert len(muted) and len(banned)
    for _, m in muted.iterrows():
        assert not ((posts.author == m.author) & (posts.step > m.step) & (posts.step < m.until)).any()
    for _, b in banned.iterrows():
        assert not ((visits.persona == b.author) & (visits.step > b.step)).any()


def test_reconsider_prompts_make_some_cancel_and_some_write_milder():
    sim = played(arm(moderation=["reconsider"], behaviour={**RUDE, "insult": 1}), days=2, personas=150)
    asked = rulings(sim)
    share = asked.action.value_counts(normalize=True)
    assert len(asked) > 60
    assert 0.02 < share["cancel"] < 0.25 and 0.01 < share["revise"] < 0.25 and share["send"] > 0.5
    assert (asked.toxicity > 0.5).all()


def test_sticky_rules_lower_violations_and_newcomers_mind_them_most():
    rates = {}
    for pinned in ([], ["sticky_rules"]):
        posts = played(arm(moderation=pinned, behaviour={"insult": -1, "norm_strength": 2}), days=3, personas=200).recorder.frames().table("posts")
        rates[bool(pinned)] = (posts.truth != "none").mean()
    assert rates[True] < 0.8 * rates[False]


def test_several_levers_act_in_their_order_on_the_same_drafts():
    sim = played(arm(moderation=["reconsider", "automod"], behaviour={**RUDE, "insult": 1}), days=2)
    posts = sim.recorder.frames().table("posts")
    removed = rulings(sim, "remove")
    assert len(rulings(sim, "cancel")) and len(removed)
    by_id = posts.set_index("id")
    assert all(r.reason.removeprefix("holds ").strip("'\"") in by_id.text[r.post] for _, r in removed.iterrows())


def test_truth_is_recorded_with_the_number_of_the_rule_it_breaks():
    posts = played(arm(behaviour=RUDE), days=2).recorder.frames().table("posts")
    civility = next(n for n, rule in enumerate(community().rules, 1) if "kind" in rule.lower())
    assert (posts.rule[posts.truth == "insult"] == civility).all()
    assert (posts.rule[posts.truth == "none"] == 0).all()
    assert set(posts.truth) <= set(KINDS)


@pytest.mark.parametrize(
    "names,parameters,says",
    [
        (["bans"], {}, "No moderation design called 'bans'"),
        (["automd"], {}, "Did you mean 'automod'?"),
        (["none", "automod"], {}, "Take one or the other"),
        (["automod", "automod"], {}, "listed twice"),
        (["human_review"], {"human_review": {"moderatrs": 1}}, "Did you mean 'moderators'?"),
        (["human_review"], {"human_review": {"delay": -1}}, "not a number of 0 or more"),
        (["human_review"], {"human_review": {"delay": "soon"}}, "not a number of 0 or more"),
        (["automod"], {"automod": {"patterns": ["("]}}, "is no regular expression"),
        (["automod"], {"automod": {"words": [3]}}, "is not a list of strings"),
    ],
)
def test_moderation_that_cannot_be_made_is_named_in_one_line(names, parameters, says):
    with pytest.raises(SpecError) as error:
        make_policies(names, parameters)
    assert says in str(error.value) and "\n" not in str(error.value)
