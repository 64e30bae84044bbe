"""Every lever acts, is recorded with its reason, and knows nothing of the truth."""

from functools import cache

import numpy as np
import pytest
from support import arm, community, past, played, simulation

from simulacra.analysis.measures import MECHANICAL
from simulacra.errors import SpecError
from simulacra.events import ACTIONS, KINDS
from simulacra.moderation import DEFAULT_WORDS, POLICIES, HumanReview, make_policies
from simulacra.parameters import settable
from simulacra.persona import OLD_HAND
from simulacra.reach import arranged, reaches
from simulacra.streams import Streams

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
    sim = played(arm(moderation=["automod"], behaviour={"write": 0.2}, parameters=words))
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
        sim = played(
            arm(moderation=["human_review"], behaviour=RUDE, parameters={"human_review": {"moderators": moderators}}), days=2
        )
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
    strict = {
        "human_review": {"moderators": 99, "hours_per_day": 24, "delay": 0, "mute_after": 1, "ban_after": 2, "mute_hours": 48}
    }
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
        posts = (
            played(arm(moderation=pinned, behaviour={"insult": -1, "norm_strength": 2}), days=3, personas=200)
            .recorder.frames()
            .table("posts")
        )
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


HEATED = {"write": 0.5, "insult": -0.7, "report": 0.3, "downvote": -2, "norm_strength": 3}
"""A community in which there is something to moderate, and in which rules count."""
PATIENT = {"moderators": 50, "hours_per_day": 8}
"""Enough people for every case."""


@cache
def heated(*moderation):
    return played(arm(moderation=moderation, behaviour=HEATED), 2, 120)


def with_parameters(*moderation, days=2, personas=120, behaviour=None, **parameters):
    settings = {"visit_rate": 2, **HEATED, **(behaviour or {})}
    return played(arm(moderation=moderation, behaviour=settings, parameters=parameters), days, personas)


def table(sim, name, **kwargs):
    return sim.recorder.frames().table(name, **kwargs)


def posts_of(sim):
    return table(sim, "posts", burn_in=True).set_index("id")


def impressions_each(sim, posts):
    """Mean readers in the feed of some posts."""
    seen = table(sim, "impressions")
    return (seen.source == "feed").to_numpy()[seen.post.isin(posts)].sum() / max(len(posts), 1)


@pytest.mark.parametrize("policy", ["remove", "remove_explained"])
def test_removal_by_score_takes_down_what_scores_above_and_nothing_else(policy):
    sim = heated(policy)
    removed, posts = rulings(sim, "remove"), table(sim, "posts")
    assert len(removed) > 10 and (removed.minutes == 0).all()
    assert set(removed.post) == set(posts.id[posts.toxicity > 0.8])
    assert not table(sim, "impressions").post.isin(removed.post).any()


def test_explained_removals_lower_their_authors_next_violations_and_the_memory_fades():
    """Authors told why they were removed break rules less in the next days than authors who were not (S33)."""
    after = {}
    for policy in ("remove", "remove_explained"):
        parameters = {policy: {"threshold": 0.3, "lesson": 0 if policy == "remove" else 2}}
        sim = with_parameters(policy, days=3, personas=300, **parameters)
        removed = rulings(sim, "remove").groupby("author").step.min()
        posts = table(sim, "posts")
        later = posts[posts.author.isin(removed.index)]
        later = later[later.step > removed[later.author].to_numpy()]
        after[policy] = (later.truth == "insult").mean()
    assert after["remove_explained"] < 0.75 * after["remove"]
    members = sim.platform.members
    told = np.flatnonzero(members.reminder > 0).astype(np.int32)
    now, tomorrow = (sim.platform.reminded(told, step) for step in (sim.step, sim.step + 24))
    assert (now > tomorrow).all() and (tomorrow > 0).all()
    assert (sim.platform.reminded(told, sim.step + 24 * 14) == 0).all()


def test_hidden_posts_keep_their_place_and_few_open_them():
    plain, hidden = heated(), with_parameters("hide", hide={"threshold": 0.5, "opened": 0.1})
    folded = rulings(hidden, "collapse").post
    rude = table(plain, "posts").pipe(lambda t: t.id[t.toxicity > 0.5])
    assert len(folded) > 10
    assert 0 < impressions_each(hidden, folded) < 0.35 * impressions_each(plain, rude)
    closed = with_parameters("hide", hide={"opened": 0})
    assert impressions_each(closed, rulings(closed, "collapse").post) == 0


def test_downranking_shows_rude_posts_lower_and_less():
    plain, lower = heated(), with_parameters("downrank", downrank={"places": 40})
    rude = table(plain, "posts").pipe(lambda t: t.id[t.toxicity > 0.5])
    demoted = rulings(lower, "demote").post
    assert len(demoted) > 10
    assert impressions_each(lower, demoted) < 0.9 * impressions_each(plain, rude)
    assert (lower.platform.posts.demoted[demoted] == 40).all()


def test_places_are_lost_to_the_posts_that_follow():
    world = heated("downrank").platform
    ranked = np.array([[3, 7, 5, 9, 4, 8]], np.int32)
    kept = world.posts.demoted[:10].copy()
    world.posts.demoted[:10] = 0
    world.posts.demoted[7] = 2
    shown = arranged(np.zeros(1, np.int32), ranked, 5, world, Streams(1))
    newest = arranged(np.zeros(1, np.int32), ranked, 5, world, Streams(1), demotes=False)
    world.posts.demoted[:10] = kept
    assert shown.tolist() == [[3, 5, 9, 7, 4]] and newest.tolist() == [[3, 7, 5, 9, 4]]


def test_held_posts_are_seen_by_nobody_until_a_moderator_has_looked():
    sim = with_parameters(
        "pre_screen", days=4, pre_screen={**PATIENT, "threshold": 0.3, "delay": 5, "false_alarm": 0, "miss": 0}
    )
    held, released, removed = (rulings(sim, what) for what in ("hold", "release", "remove"))
    assert len(held) > 20 and len(released) > 0 and len(removed) > 3
    posts, seen = posts_of(sim), table(sim, "impressions")
    decided = released.set_index("post").step
    assert (decided - posts.step[decided.index] >= 5).all()
    undecided = set(held.post) - set(released.post)
    assert not seen.post.isin(undecided).any()
    early = seen[seen.post.isin(released.post)]
    assert len(early) and (early.step.to_numpy() > decided[early.post].to_numpy()).all()
    assert (posts.rule[removed.post] > 0).all() and (posts.rule[released.post] == 0).all()
    assert (released.minutes == 3).all()


def test_too_few_moderators_leave_held_posts_waiting():
    waiting = {}
    for moderators in (0.1, 50):
        sim = with_parameters("pre_screen", pre_screen={"moderators": moderators})
        waiting[moderators] = len(rulings(sim, "hold")) - len(rulings(sim, "release")) - len(rulings(sim, "remove"))
    assert waiting[0.1] > 3 * max(waiting[50], 1)


def test_notes_come_after_their_delay_and_slow_what_they_stand_under():
    known = {"reports": 1, "across": 0}
    shares, labelled = {}, {}
    for delay in (1, 12):
        sim = with_parameters("label", label={**known, "delay": delay})
        noted = rulings(sim, "label")
        assert len(noted) > 10
        assert (noted.step.to_numpy() - posts_of(sim).step[noted.post].to_numpy() >= delay).all()
        when = noted.set_index("post").step
        seen = table(sim, "impressions").pipe(lambda t, when=when: t[t.post.isin(when.index)])
        shares[delay] = (seen.step.to_numpy() > when[seen.post].to_numpy()).mean()
        labelled[delay] = sim
    assert shares[1] > shares[12]  # the later the note, the fewer read it
    up = {}
    for vote in (-3, 0):
        sim = with_parameters("label", label={**known, "delay": 1}, behaviour={"label_vote": vote, "upvote": -1})
        when = rulings(sim, "label").set_index("post").step
        votes = table(sim, "reactions").pipe(lambda t, when=when: t[(t.reaction == 1) & t.post.isin(when.index)])
        up[vote] = (votes.step.to_numpy() > when[votes.post].to_numpy()).sum()
    assert up[-3] < 0.6 * up[0]


def test_a_note_needs_readers_of_the_other_side():
    notes = ({"reports": 2, "across": across, "delay": 1} for across in (0, 2))
    noted = {note["across"]: len(rulings(with_parameters("label", label=note))) for note in notes}
    assert 0 < noted[2] < noted[0]


def test_slow_mode_keeps_time_between_posts():
    sim = with_parameters("slow_mode", slow_mode={"minutes": 180})
    world, refused = sim.platform, rulings(sim, "refuse")
    assert len(refused) > 5 and (refused.post == -1).all()
    posts = table(sim, "posts", burn_in=True)
    for _, own in posts.groupby("author"):
        times, measured = world.posts.time[own.id], own.step.to_numpy() >= 0
        assert (np.diff(times)[measured[1:]] >= 2.999).all()


def test_a_rate_limit_counts_posts_from_midnight():
    sim = with_parameters("rate_limit", days=3, rate_limit={"posts": 1})
    posts = table(sim, "posts")
    assert posts.groupby(["author", posts.step // 24]).size().max() == 1
    assert len(rulings(sim, "refuse")) > 20
    assert posts.groupby("author").size().max() > 1  # the next day is another day


def test_newcomers_wait_and_old_hands_do_not():
    sim = with_parameters("newcomer_wait", newcomer_wait={"hours": 20}, days=3, personas=200)
    refused, posts, arrival = rulings(sim, "refuse"), table(sim, "posts"), sim.population.arrival
    assert len(refused) > 3
    assert (arrival[refused.author] > OLD_HAND).all()
    assert (posts.step - arrival[posts.author] >= 20).all()


def test_strikes_warn_then_mute_then_ban_and_fade():
    ladder = {"warn_after": 1, "mute_after": 2, "ban_after": 4, "appeal": 0, "reports": 0, "mute_hours": 6}
    rude = {"insult": 0.5}  # enough offences for a fourth strike, whatever words they are made in
    sim = with_parameters("automod", "strikes", strikes=ladder, days=3, behaviour=rude)
    removed = rulings(sim, "remove")
    for what, needed in (("warn", 1), ("mute", 2), ("ban", 4)):
        told = rulings(sim, what)
        assert len(told), what
        for _, row in told.iterrows():
            assert ((removed.author == row.author) & (removed.step <= row.step)).sum() >= needed
    faded = with_parameters("automod", "strikes", strikes={**ladder, "fade_days": 0.1}, days=3, behaviour=rude)
    assert len(rulings(faded, "ban")) < len(rulings(sim, "ban"))


def test_strikes_come_from_reports_where_nothing_is_removed():
    sim = with_parameters("strikes", strikes={"reports": 2})
    assert len(rulings(sim, "warn")) > 3 and len(rulings(sim, "remove")) == 0
    assert len(rulings(with_parameters("strikes", strikes={"reports": 0}))) == 0


def test_an_appeal_puts_right_what_was_removed_by_mistake():
    harmless = {"automod": {"words": ["the"], "default": False}}
    appeal = {**PATIENT, "appeal": 1, "delay": 3, "miss": 0, "false_alarm": 0, "reports": 0, "mute_after": 2, "mute_hours": 200}
    sim = with_parameters("automod", "strikes", strikes=appeal, **harmless)
    restored, refused = rulings(sim, "restore"), rulings(sim, "keep")
    posts, seen = posts_of(sim), table(sim, "impressions")
    assert len(restored) > 5 and (restored.minutes == 3).all()
    assert (posts.rule[restored.post] == 0).all() and (posts.rule[refused.post] > 0).all()
    assert (sim.platform.posts.removed[restored.post] == -1).all()
    assert seen.post.isin(restored.post).any()
    assert len(rulings(sim, "unmute"))
    assert (sim.platform.members.strikes >= 0).all()


def test_where_strikes_are_listed_review_leaves_punishing_to_them():
    busy = {**PATIENT, "delay": 0, "mute_after": 1, "ban_after": 2}
    alone = with_parameters("human_review", human_review=busy)
    both = with_parameters("human_review", "strikes", human_review=PATIENT, strikes={"mute_after": 0, "ban_after": 0})
    assert len(rulings(alone, "mute")) and not len(rulings(both, "mute")) and not len(rulings(both, "ban"))


def test_votes_collapse_a_post_and_votes_open_it_again():
    sim = with_parameters("community_votes", community_votes={"score": 1, "opened": 0.9}, behaviour={"upvote": -2.5})
    world, down, back = sim.platform, rulings(sim, "collapse"), rulings(sim, "expand")
    assert len(down) > 5 and len(back)
    folded = np.flatnonzero(world.posts.attention[: len(world.posts)] < 1)
    assert set(folded) <= set(down.post)
    last = table(sim, "rulings").groupby("post").action.last()
    assert (world.posts.attention[last.index[last == "expand"]] == 1).all()


def test_limited_authors_reach_few_and_always_the_same_readers():
    limit = {"posts": 1, "reach": 0.1, "threshold": 0.4}
    plain, limited = heated(), with_parameters("shadow_limit", shadow_limit=limit)
    held = rulings(limited, "limit")
    assert len(held) > 10
    assert impressions_each(limited, held.post) < 0.4 * impressions_each(plain, table(plain, "posts").id)
    who = np.arange(120, dtype=np.int32)
    one = np.broadcast_to(held.post.to_numpy(np.int32)[:5], (120, 5))
    shown = [reaches(who, one, limited.platform, limited.streams) for _ in range(2)]
    assert np.array_equal(*shown) and 0.02 < shown[0].mean() < 0.25


def test_locked_threads_take_no_more_replies():
    sim = with_parameters("lock_thread", lock_thread={"reports": 2})
    locked, posts = rulings(sim, "lock").set_index("post").step, table(sim, "posts")
    assert len(locked) > 2
    later = posts[posts.root.isin(locked.index) & (posts.parent >= 0)]
    assert (later.step.to_numpy() <= locked[later.root].to_numpy()).all()
    assert posts.root[posts.parent >= 0].isin(locked.index).any()


def test_newcomers_are_told_the_rules_before_they_write():
    sim = with_parameters("welcome", days=3, personas=300)
    told, arrival = rulings(sim, "welcome"), sim.population.arrival
    assert len(told) > 10 and told.author.is_unique
    assert (arrival[told.author] > OLD_HAND).all()
    # In the hour before they can come, but for those who may come in the arm's very first hour.
    assert (told.step == np.maximum(arrival[told.author] - 1, 0)).all()


def test_welcomed_newcomers_break_fewer_rules():
    rates = {}
    for moderation in ([], ["welcome"]):
        settings = {m: {"visibility": 3} for m in moderation}
        sim = with_parameters(*moderation, days=4, personas=400, behaviour={"insult": -0.5}, **settings)
        posts = table(sim, "posts")
        new = posts[sim.population.arrival[posts.author] > OLD_HAND]
        rates[bool(moderation)] = (new.truth == "insult").mean()
    assert rates[True] < 0.75 * rates[False]


ALL = sorted(name for name, policy in POLICIES.items() if not policy.asks)  # tests/test_llm_moderator.py has the other


@pytest.mark.parametrize("policy", ALL)
def test_a_policy_taken_up_again_ends_in_the_same_digest(policy):
    design = arm(moderation=[policy], behaviour=HEATED)
    whole, first = played(design, days=2), played(arm(moderation=[policy], behaviour=HEATED), days=1)
    resumed = past().fork(arm(moderation=[policy], behaviour=HEATED), first.recorder)
    resumed.restore(first.state())
    resumed.play(2)
    assert resumed.recorder.digest == whole.recorder.digest


@pytest.mark.parametrize("policy", ALL)
def test_every_policy_bears_a_community_in_which_nothing_happens(policy):
    sim = simulation(arm(moderation=[policy], behaviour={"write": "off"}), personas=2)
    sim.play(-1)
    assert len(sim.platform.posts) == 0


@pytest.mark.parametrize("policy", ALL)
def test_every_policy_says_what_it_costs_how_it_fails_and_what_is_known(policy):
    design = POLICIES[policy]
    assert all(len(getattr(design, told)) > 20 for told in ("about", "known", "cost", "fails"))
    assert design.lever in MECHANICAL
    assert all({"unit", "about"} <= f.metadata.keys() for f in settable(design).values())


def test_policies_that_act_by_a_scorer_name_it():
    by_score = {name for name in ALL if POLICIES[name].scorer}
    assert by_score == {"remove", "remove_explained", "hide", "downrank", "pre_screen", "shadow_limit", "reconsider"}


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
        (["automod"], {"automod": {"words": 3}}, "is not a list of strings"),
        (["automod"], {"automod": {"default": "no"}}, "neither true nor false"),
        (["remove"], {"remove": {"threshold": 2}}, "is not a number from 0 to 1"),
        (["remove"], {"remove": {"fade": 0}}, "must be above 0"),
        (["downrank"], {"downrank": {"places": 2.5}}, "is not a whole number"),
        (["label"], {"label": {"dealy": 2}}, "Did you mean 'delay'?"),
        (["slow_mode"], {"slow_mode": {"minutes": True}}, "is not a number"),
        (["pre_screen"], {"pre_screen": {"miss": 1.5}}, "is not a number from 0 to 1"),
        (["remove", "remove_explained"], {}, "remove the same posts"),
        (["pre_screen", "remove"], {"remove": {"threshold": 0.5}}, "pre_screen above 0.5 would never act"),
        (["remove_explained", "hide"], {"hide": {"threshold": 0.9}}, "hide above 0.9 would never act"),
        (["downrank", "remove"], {"remove": {"threshold": 0.1}}, "downrank above 0.5 would never act"),
        (["human_review", "strikes"], {"human_review": {"mute_after": 1}}, "Set strikes.mute_after instead"),
    ],
)
def test_moderation_that_cannot_be_made_is_named_in_one_line(names, parameters, says):
    with pytest.raises(SpecError) as error:
        make_policies(names, parameters)
    assert says in str(error.value) and "\n" not in str(error.value)
