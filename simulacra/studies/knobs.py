"""Every knob a designer can turn, with the quantity that it moves and in which direction: what `simulacra audit` holds it to.

A row is a promise. It names one notch (the value that the knob is turned to), the quantity near to where the knob acts (a measure
of `analysis.measures`, or one of `quantities`), the sign, and where needed the context in which it can act at all: a label does
nothing where nobody reports. A knob without a row fails the test suite, a row that does not hold fails the audit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Sign = Literal[1, -1]
Needs = Literal[
    "",
    "sellers",
    "a rule that limits",
    "talk of politics",
    "talk of medical_advice",
    "talk of misinformation",
    "talk of spoiler",
    "less than 1,000 members",
]


class Knob(NamedTuple):
    """One promise. The baseline has `context` as its settings, the other arm besides `key`=`to`."""

    key: str  # a setting: behaviour.contagion, feed (a whole design), moderation.automod.words
    to: str  # the value that it is turned to
    moves: str  # measure or quantity
    sign: Sign
    context: str = ""  # settings of both arms
    days: int = 2
    needs: Needs = ""  # what a community must have for it to act
    news: str = ""  # of NEWS, what members of both arms have heard

    @property
    def name(self) -> str:
        """What a reader calls it: the key, with the design where the key alone does not say which."""
        return f"{self.key}={self.to}" if self.key in ("feed", "moderation") else self.key


NEWS = {
    "rumour": 'news.add={{kind="rumour", words="the water will be shut off on Friday", knows=0.1, starts="day 1 01:00", topic="{topic}"}}',
    "meet-up": 'news.add={{kind="invitation", words="a picnic by the river", starts="day 1 01:00", when="day 2 20:00", topic="{topic}"}}',
}
"""Settings that give members something to talk about, near a topic of theirs."""

QUIET = "feed=chronological moderation=none"
"""The neutral design: a knob of the behaviour model is turned under it, unless it acts only under another."""
_RUDE = "insult=-1.5"
_BAD = "insult=-0.5 promote=-1 off_topic=-1.5 write=0.2"
_WATCHFUL = "insult=-0.5 report=0.3"
_VOTING = "upvote=-2"
_FIXED_TIES = "follow=off first_ties=8"
_TALKING = "write=0.3 news_mention=-0.5"
_FIRM = "news_repeat=off news_doubt=off"
_NOTED = "moderation=label moderation.label.reports=1 moderation.label.across=0 moderation.label.delay=0 insult=-1.5 report=0.5"


def _behaviour(name: str, to: float | str, moves: str, sign: Sign, context: str = "", days: int = 2, needs: Needs = "") -> Knob:
    return Knob(f"behaviour.{name}", str(to), moves, sign, context, days, needs)


def _news(name: str, to: float | str, moves: str, sign: Sign, context: str = _TALKING, news: str = "rumour") -> Knob:
    return Knob(f"behaviour.{name}", str(to), moves, sign, context, news=news)


BEHAVIOUR = (
    # arrivals
    _behaviour("visit_rate", 2, "visits_per_persona_day", 1),
    _behaviour("day_rhythm", "off", "evening_visits", -1),
    _behaviour("peak_hour", 8, "evening_visits", -1),
    _behaviour("weekend", 0.3, "weekend_visits", -1, days=7),
    _behaviour("burst", "off", "quick_returns", -1),
    _behaviour("burst_hours", 24, "visits_per_persona_day", 1),
    _behaviour("notice_pull", 10, "visits_per_persona_day", 1),
    _behaviour("away", "off", "quick_returns", -1),
    _behaviour("around_hours", 3, "visitors", 1, days=7),
    _behaviour("zeal", "off", "visitors", 1, days=4),
    # attention
    _behaviour("scroll", 3, "impressions_per_visit", -1),
    _behaviour("scroll_taste", 3, "impressions_per_visit", 1, "feed=personalised"),
    _behaviour("browse_new", "off", "age_shown", 1, "feed=top"),
    _behaviour("browse_unanswered", 0.5, "unanswered_share", -1, "feed=top write=0.3 parent_unanswered=off"),
    _behaviour("label_view", 0.1, "labelled_read", -1, _NOTED),
    # reactions
    _behaviour("upvote", -2, "votes_per_100_impressions", 1),
    _behaviour("downvote", -3, "upvote_share", -1),
    _behaviour("vote_taste", "off", "voted_taste", -1, _VOTING),
    _behaviour("appeal", "off", "like_gini", -1, _VOTING),
    _behaviour("vote_valence", 2, "voted_valence", 1, _VOTING),
    _behaviour("vote_rude", "off", "voted_toxicity", 1, "upvote=-1 insult=-1"),
    _behaviour("vote_tie", 4, "voted_followed", 1, f"{_VOTING} {_FIXED_TIES} feed=following"),
    _behaviour("vote_camp", 3, "voted_across", -1, _VOTING),
    _behaviour("vote_side", 6, "voted_toxicity", 1, "upvote=-1 insult=-1"),
    _behaviour("herding", 1, "votes_per_100_impressions", 1, _VOTING),
    _behaviour("correction", 2, "upvote_share", 1, "downvote=-2"),
    _behaviour("label_vote", -4, "labelled_votes", -1, f"{_NOTED} upvote=-0.5"),
    _behaviour("report", 0.5, "reports", 1, _RUDE),
    _behaviour("false_report", 0.05, "reports", 1),
    # writing
    _behaviour("write", 0.2, "posts_per_persona", 1),
    _behaviour("write_spread", "off", "writers_share", 1),
    _behaviour("lurkers", 0.9, "writers_share", -1),
    _behaviour("crowd", -3, "posts_per_persona", 1, needs="less than 1,000 members"),
    _behaviour("withdrawal", 5, "writers_arousal", 1, "write=0.2 write_spread=0.5"),
    _behaviour("provoked", 5, "writers_provocation", 1, f"{_RUDE} write=0.2 write_spread=0.5"),
    _behaviour("opening", 0.5, "openings", 1),
    _behaviour("answered", "off", "write_after_answer", -1),
    _behaviour("answer_notice", "off", "answers_answered", -1),
    _behaviour("own_thread", 5, "starter_reply_share", 1),
    _behaviour("opener_notice", "off", "starter_reply_share", -1, "write=0.3 lurkers=0.1"),
    # which parent
    _behaviour("parent_taste", 5, "answered_taste", 1, "feed=random write=0.3"),
    _behaviour("parent_unanswered", "off", "unanswered_share", 1),
    _behaviour("parent_question", 5, "questions_answered", 1, "parent_unanswered=off opening=0.5 write=0.3"),
    _behaviour("parent_rude", "off", "answered_toxicity", -1, f"{_RUDE} write=0.3"),
    _behaviour("parent_gloom", 5, "answered_valence", -1, "write=0.3"),
    _behaviour("parent_crowd", 3, "replies_gini", 1, "write=0.3"),
    _behaviour("parent_depth", -2, "reply_depth", -1, "answer_notice=off write=0.3"),
    _behaviour("to_root", 0.8, "reply_depth", -1),
    _behaviour("parent_tie", 4, "answered_followed", 1, f"{_FIXED_TIES} feed=following"),
    _behaviour("parent_camp", 3, "ei_replies", 1, "answer_notice=off to_root=off write=0.3"),
    _behaviour("parent_age", 1, "answered_age", -1, "feed=random write=0.3"),
    _behaviour("label_reply", -4, "labelled_replies", -1, f"{_NOTED} write=0.3"),
    # which act
    _behaviour("act_mood", 5, "glad_acts", 1),
    _behaviour("act_camp", 3, "contradiction", 1),
    _behaviour("drift", 0.3, "topic_drift", 1),
    # breaking rules
    _behaviour("insult", -1.5, "insult_posts", 1),
    _behaviour("insult_mood", 5, "insulters_mood", -1, _RUDE),
    _behaviour("insult_context", 6, "insulted_after", 1, _RUDE),
    _behaviour("insult_irritable", 8, "insulters_temper", 1, _RUDE),
    _behaviour("insult_camp", 3, "insults_across", 1, _RUDE),
    _behaviour("insult_dispute", 3, "insults_in_disputes", 1, "insult=-3 lurkers=0.1 write=0.4", days=3),
    _behaviour("promote", -2, "self_promotion_posts", 1),
    _behaviour(
        "promote_seller", "off", "self_promotion_posts", -1, "promote=-2 write=0.3 lurkers=0.1", days=4, needs="sellers"
    ),
    _behaviour("off_topic", -2, "off_topic_posts", 1),
    _behaviour("harassment", -2, "harassment_posts", 1),
    _behaviour("harass_quarrel", 9, "harassed_after", 1, "insult=-2.5 harassment=-3.5 write=0.4"),
    _behaviour("harass_mood", 6, "harassers_mood", -1, "harassment=-1.5 write=0.3"),
    _behaviour("harass_irritable", 8, "harassers_temper", 1, "harassment=-1.5 write=0.3"),
    _behaviour("politics", -2, "politics_posts", 1),
    _behaviour("politics_topic", "off", "politics_posts", -1, "politics=-2 write=0.3", needs="talk of politics"),
    _behaviour("politics_mood", 6, "politicians_mood", -1, "politics=-1.5 write=0.3"),
    _behaviour("medical_advice", -1, "medical_advice_posts", 1, "write=0.2", needs="talk of medical_advice"),
    _behaviour("medical_old", 2, "medical_age", 1, "medical_advice=-1 write=0.3", needs="talk of medical_advice"),
    _behaviour("misinformation", -2, "misinformation_posts", 1),
    _behaviour("misinformation_topic", 4, "misinformation_posts", 1, "misinformation=-2.5", needs="talk of misinformation"),
    _behaviour("misinformation_careless", 2, "misinformers_care", -1, "misinformation=-2 write=0.3"),
    _behaviour("low_effort", -2, "low_effort_posts", 1),
    _behaviour("low_effort_terse", "off", "low_effort_length", 1, "low_effort=-2 write=0.3"),
    _behaviour("spoiler", -1, "spoiler_posts", 1, needs="talk of spoiler"),
    _behaviour("personal_data", -2, "personal_data_posts", 1),
    _behaviour("personal_quarrel", 9, "exposed_after", 1, "insult=-2.5 personal_data=-4.5 write=0.5 lurkers=0.1", days=3),
    _behaviour("preaching", -2, "preaching_posts", 1),
    _behaviour("preach_disagreeable", 3, "preachers_kindness", -1, "preaching=-2"),
    _behaviour("norm_strength", 4, "rules_broken", -1, _BAD),
    _behaviour("rule_memory", 1, "rules_broken", -1, f"{_BAD} norm_strength=3"),
    _behaviour(
        "limit_share", "off", "self_promotion_posts", -1, "promote=-1 norm_strength=5 rule_memory=1", needs="a rule that limits"
    ),
    # mood
    _behaviour("contagion", 0.3, "sway", 1, "hurt=off flattery=off"),
    _behaviour("mood_hours", 100, "sway", 1, "contagion=0.3", days=4),
    _behaviour("mood_noise", 0.6, "mood_spread", 1),
    _behaviour("hurt", 1, "swayed", -1, _RUDE),
    _behaviour("flattery", 0.3, "swayed", 1, _VOTING),
    # satisfaction, churn, ties, newcomers
    _behaviour("satisfaction_rate", 0.5, "satisfaction_spread", 1),
    _behaviour("enjoy_taste", 2, "satisfaction", 1),
    _behaviour("enjoy_reply", 3, "satisfaction", 1),
    _behaviour("suffer_rude", 6, "satisfaction", -1, _RUDE),
    _behaviour("churn", 0.03, "persona_churn", 1),
    _behaviour("churn_slope", "off", "persona_churn", 1, "churn=0.1"),
    _behaviour("churn_newcomer", 4, "newcomers_gone", 1, "newcomers=0.3"),
    _behaviour("churn_answered", 5, "newcomers_gone", -1, "newcomers=0.3 write=0.4 churn_newcomer=5"),
    _behaviour("follow", 0.5, "new_ties", 1, _VOTING),
    _behaviour("follow_far", "off", "new_ties", 1, _VOTING),
    _behaviour("first_ties", 10, "ties", 1),
    _behaviour("homophily", "off", "ties_within", -1),
    _behaviour("newcomers", 0.1, "newcomers_here", 1),
    # news
    _news("news_mention", 1, "news_mentions", 1),
    _news("news_taste", 5, "tellers_interest", 1),
    _news("news_tie", 5, "rumour_believed", 1, f"{_TALKING} {_FIRM} {_FIXED_TIES} feed=following"),
    _news("news_talk", 3, "tellers_extraversion", 1),
    _news("news_fade", 2, "news_mentions", -1),
    _news("news_again", "off", "news_mentions", 1),
    _news("news_answer", "off", "news_mentions", -1),
    _news("news_aside", "off", "news_mentions", 1, f"{_TALKING} visit_rate=2"),
    _news("news_urge", 5, "news_mentions", 1, "news_mention=1"),
    _news("news_first", "off", "news_mentions", -1),
    _news("news_believe", 2, "rumour_believed", 1),
    _news("news_repeat", 3, "rumour_believed", 1),
    _news("news_doubt", 5, "rumour_believed", -1, f"{_TALKING} news_believe=1"),
    _news("news_label", -9, "rumour_believed", -1, f"{_NOTED} {_TALKING} {_FIRM}"),
    _news("news_label_tell", -9, "news_mentions", -1, f"{_NOTED} {_TALKING} {_FIRM} news_label=off"),
    _news("news_attend", 3, "meetup_coming", 1, news="meet-up"),
    _news("news_show", 0.2, "meetup_came", -1, news="meet-up"),
)


def _feed(name: str, moves: str, sign: Sign, context: str = "", against: str = "chronological", days: int = 2) -> Knob:
    return Knob("feed", name, moves, sign, f"feed={against} {context}".strip(), days)


def _ranks(feed: str, parameter: str, to: float | str, moves: str, sign: Sign, context: str = "", days: int = 2) -> Knob:
    return Knob(f"feed.{feed}.{parameter}", str(to), moves, sign, f"feed={feed} {context}".strip(), days)


_RANKED = "browse_new=off scroll=5"
"""Everybody reads the feed, and the top of it: what a feed does shows in a small community too."""
_LIKING = f"{_RANKED} upvote=-3 downvote=-3 vote_taste=5 write=0.2 lurkers=0.1 visit_rate=2"

FEEDS = (
    _feed("chronological", "age_shown", -1, _RANKED, "random"),
    _feed("hot", "votes_shown", 1, f"{_RANKED} {_VOTING}"),
    _feed("top", "votes_shown", 1, f"{_RANKED} {_VOTING}"),
    _feed("engagement", "replies_shown", 1, _RANKED),
    _feed("personalised", "taste_shown", 1, _RANKED),
    _feed("following", "followed_shown", 1, f"{_RANKED} {_FIXED_TIES}"),
    _feed("random", "age_shown", 1, _RANKED),
    _feed("weighted", "age_shown", -1, _RANKED, "random"),
    _feed("bridging", "agreed_shown", 1, f"{_RANKED} {_VOTING}"),
    _feed("cross_group", "other_side_shown", 1, _RANKED),
    _feed("downrank_toxic", "toxicity_shown", -1, f"{_RANKED} {_RUDE}"),
    _feed("boost_positive", "valence_shown", 1, _RANKED),
    _feed("diversified", "new_topics_shown", 1, _RANKED, "hot"),
    _feed("downplay_dominant", "one_author_shown", -1, f"{_RANKED} {_FIXED_TIES} write=0.3 scroll=15", "following"),
    _feed("hide_counts", "votes_per_100_impressions", -1, f"{_RANKED} {_VOTING} herding=1.5", "hot"),
    _feed("collaborative", "taste_shown", 1, _LIKING, days=4),
    _feed("mix", "age_shown", 1, _RANKED, "hot"),
    _ranks("hot", "hours", 100, "votes_shown", 1, f"{_RANKED} {_VOTING}"),
    _ranks("top", "hours", 3, "age_shown", -1, f"{_RANKED} {_VOTING} write=0.3"),
    _ranks("engagement", "reply", 0, "replies_shown", -1, _RANKED),
    _ranks("engagement", "taste", 5, "taste_shown", 1, _RANKED),
    _ranks("engagement", "tie", 6, "followed_shown", 1, f"{_RANKED} {_FIXED_TIES}"),
    _ranks("engagement", "half_life", 2, "age_shown", -1, f"{_RANKED} write=0.3"),
    _ranks("engagement", "prior", 500, "replies_shown", -1, _RANKED),
    _ranks("personalised", "half_life", 2, "age_shown", -1, f"{_RANKED} write=0.3"),
    _ranks("weighted", "recency", 0, "age_shown", 1, f"{_RANKED} feed.weighted.similarity=1"),
    _ranks("weighted", "popularity", 3, "votes_shown", 1, f"{_RANKED} {_VOTING}"),
    _ranks("weighted", "similarity", 3, "taste_shown", 1, _RANKED),
    _ranks("weighted", "tie", 3, "followed_shown", 1, f"{_RANKED} {_FIXED_TIES}"),
    _ranks("weighted", "toxicity", -3, "toxicity_shown", -1, f"{_RANKED} {_RUDE}"),
    _ranks("weighted", "novelty", 3, "exposure_gini", -1, f"{_RANKED} feed.weighted.popularity=1 {_VOTING}"),
    _ranks("weighted", "half_life", 400, "taste_shown", 1, f"{_RANKED} feed.weighted.similarity=1"),
    _ranks("bridging", "prior", 100, "agreed_shown", -1, f"{_RANKED} {_VOTING}"),
    _ranks("bridging", "half_life", 2, "age_shown", -1, f"{_RANKED} {_VOTING} write=0.3"),
    _ranks("cross_group", "hours", 0, "other_side_shown", -1, _RANKED),
    _ranks("downrank_toxic", "hours", 0, "toxicity_shown", 1, f"{_RANKED} {_RUDE}"),
    _ranks("boost_positive", "hours", 0, "valence_shown", -1, _RANKED),
    _ranks("diversified", "base", "random", "age_shown", 1, _RANKED),
    _ranks("diversified", "relevance", 1, "new_topics_shown", -1, _RANKED),
    _ranks("downplay_dominant", "base", "random", "age_shown", 1, _RANKED),
    _ranks(
        "downplay_dominant", "share", 1, "one_author_shown", 1,
        f"feed.downplay_dominant.base=following {_FIXED_TIES} write=0.3 scroll=15 browse_new=off",
    ),
    _ranks("hide_counts", "base", "random", "age_shown", 1, _RANKED),
    _ranks("collaborative", "factors", 1, "taste_shown", -1, _LIKING, days=4),
    _ranks("collaborative", "half_life", 2, "age_shown", -1, f"{_RANKED} {_VOTING} write=0.3"),
    _ranks("collaborative", "every", 240, "taste_shown", -1, _LIKING, days=4),
    Knob("feed.mix.shares", "mix:hot=0.2,random=0.8", "age_shown", 1, f"feed=mix {_RANKED}"),
)  # fmt: skip


def _lever(policy: str, moves: str, sign: Sign, context: str = _BAD, days: int = 2) -> Knob:
    return Knob("moderation", policy, moves, sign, f"moderation=none {context}".strip(), days)


def _sets(policy: str, parameter: str, to: float | str, moves: str, sign: Sign, context: str = _BAD, days: int = 2) -> Knob:
    own = context if "moderation=" in context.split("moderation.")[0] else f"moderation={policy} {context}"
    return Knob(f"moderation.{policy}.{parameter}", str(to), moves, sign, own, days)


def _desk(policy: str, context: str, backlog: str, sign: Sign) -> tuple[Knob, ...]:
    """What policies with moderators share. backlog: the quantity that falls (sign) when they get through less."""
    return (
        _sets(policy, "moderators", 0.2, backlog, sign, context),
        _sets(policy, "hours_per_day", 0.1, backlog, sign, context),
        _sets(policy, "minutes_per_case", 60, backlog, sign, context),
    )


_REVIEW = "insult=-1.5 promote=-2 report=0.3 false_report=0.03"
_HARSH = "insult=1.5 norm_strength=2 write=0.2"
_STRUCK = "moderation=automod+strikes insult=0.5 norm_strength=2 write=0.3"
_APPEALED = "moderation=remove+strikes moderation.remove.threshold=0.2 moderation.strikes.appeal=1 insult=-0.5 write=0.2"
_JUDGED = "moderation.strikes.delay=0 moderation.strikes.minutes_per_case=0"

MODERATION = (
    _lever("sticky_rules", "rules_broken", -1, f"{_BAD} norm_strength=2"),
    _lever("automod", "taken_down", 1),
    _lever("human_review", "taken_down", 1, _REVIEW),
    _lever("reconsider", "cancelled", 1, "insult=1 write=0.2"),
    _lever("pre_screen", "held", 1),
    _lever("remove", "taken_down", 1),
    _lever("remove_explained", "taken_down", 1),
    _lever("hide", "toxic_seen_share", -1),
    _lever("label", "labels", 1, _WATCHFUL),
    _lever("downrank", "toxicity_shown", -1, f"{_RUDE} {_RANKED} write=0.2"),
    _lever("slow_mode", "posts_per_persona", -1, "write=0.3"),
    _lever("rate_limit", "posts_per_persona", -1, "write=0.3"),
    _lever("newcomer_wait", "refusals", 1, "newcomers=0.3 write=0.3"),
    _lever("strikes", "warnings", 1, "insult=-1 report=0.5"),
    _lever("community_votes", "collapses", 1, "downvote=-3"),
    _lever("shadow_limit", "limits", 1, "insult=0.5 write=0.2"),
    _lever("lock_thread", "locks", 1, _WATCHFUL),
    _lever("welcome", "newcomers_violations", -1, f"{_BAD} newcomers=0.3 norm_strength=2 write=0.3"),
    # word lists and scores
    _sets("sticky_rules", "visibility", 3, "rules_broken", -1, f"{_BAD} norm_strength=2"),
    _sets("automod", "words", '["you","the"]', "taken_down", 1),
    _sets("automod", "patterns", '["[0-9]","a"]', "taken_down", 1),
    _sets("automod", "default", "false", "taken_down", -1),
    _sets("reconsider", "threshold", 0.1, "sent_unchanged", 1),
    _sets("reconsider", "cancel", 0.5, "cancelled", 1),
    _sets("reconsider", "milder", 0.5, "revised", 1),
    _sets("reconsider", "reword", 0.5, "reworded", 1),
    _sets("remove", "threshold", 0.3, "taken_down", 1, _BAD),
    _sets("remove", "lesson", 3, "again_after_removal", -1, f"{_HARSH} moderation.remove.threshold=0.3"),
    _sets("remove", "fade", 300, "again_after_removal", -1, f"{_HARSH} moderation.remove.threshold=0.3 moderation.remove.lesson=4"),
    _sets("remove_explained", "threshold", 0.3, "taken_down", 1),
    _sets("remove_explained", "lesson", 4, "again_after_removal", -1, f"{_HARSH} moderation.remove_explained.threshold=0.3"),
    _sets(
        "remove_explained", "fade", 2, "again_after_removal", 1,
        f"{_HARSH} moderation.remove_explained.threshold=0.3 moderation.remove_explained.lesson=3",
    ),
    _sets("hide", "threshold", 0.1, "collapses", 1),
    _sets("hide", "opened", 0.9, "collapsed_read", 1),
    _sets("downrank", "threshold", 0.1, "demotions", 1),
    _sets("downrank", "places", 2, "toxicity_shown", 1, f"{_RUDE} {_RANKED} write=0.2"),
    _sets("shadow_limit", "threshold", 0.1, "limits", 1, "insult=0.5 write=0.2"),
    _sets("shadow_limit", "posts", 1, "limits", 1, "insult=0.5 write=0.2"),
    _sets("shadow_limit", "memory_hours", 4, "limits", -1, "insult=0.5 write=0.2"),
    _sets("shadow_limit", "hours", 4, "limits", -1, "insult=0.5 write=0.2"),
    _sets("shadow_limit", "reach", 0.9, "limited_read", 1, "insult=0 write=0.2 moderation.shadow_limit.posts=1"),
    # waiting
    _sets("slow_mode", "minutes", 1440, "posts_per_persona", -1, "write=0.3"),
    _sets("rate_limit", "posts", 1, "posts_per_persona", -1, "write=0.3"),
    _sets("newcomer_wait", "hours", 3, "refusals", -1, "newcomers=0.3 write=0.3"),
    _sets("welcome", "visibility", 4, "newcomers_violations", -1, f"{_BAD} newcomers=0.3 norm_strength=2 write=0.3"),
    _sets("welcome", "fade", 3, "newcomers_violations", 1, f"{_BAD} newcomers=0.3 norm_strength=2 write=0.3"),
    # members
    _sets("label", "reports", 1, "labels", 1, "insult=-1.5 report=0.03 write=0.2"),
    _sets("label", "across", 0, "labels", 1, "insult=-1.5 report=0.02 write=0.2 moderation.label.reports=1"),
    Knob("moderation.label.follows", "false", "warned_of_rumour", -1, f"{_NOTED} {_TALKING} report=0.05", news="rumour"),
    _sets("label", "delay", 36, "hours_to_ruling", 1, _WATCHFUL, days=3),
    _sets("community_votes", "score", 1, "collapses", 1, "downvote=-3"),
    _sets("community_votes", "opened", 0.9, "collapsed_read", 1, "downvote=-3 moderation.community_votes.score=1"),
    _sets("lock_thread", "reports", 1, "locks", 1, "insult=-1.5 report=0.03 write=0.2"),
    # people at work
    *_desk("human_review", _REVIEW, "taken_down", -1),
    _sets("human_review", "delay", 24, "hours_to_ruling", 1, _REVIEW),
    _sets("human_review", "miss", 0.9, "taken_down", -1, f"{_REVIEW} moderation.human_review.minutes_per_case=0"),
    _sets("human_review", "false_alarm", 0.9, "false_removal_share", 1, f"{_REVIEW} moderation.human_review.minutes_per_case=0"),
    _sets("human_review", "reports", 3, "decisions", -1, f"{_REVIEW} moderation.human_review.minutes_per_case=0"),
    _sets("human_review", "mute_after", 1, "mutes", 1, f"{_REVIEW} moderation.human_review.minutes_per_case=0"),
    _sets("human_review", "ban_after", 1, "bans_made", 1, f"{_REVIEW} moderation.human_review.minutes_per_case=0"),
    _sets(
        "human_review", "mute_hours", 2, "hours_muted", -1,
        f"{_REVIEW} moderation.human_review.minutes_per_case=0 moderation.human_review.mute_after=1",
    ),
    *_desk("pre_screen", "insult=1 write=0.2", "decisions", -1),
    _sets("pre_screen", "threshold", 0.1, "held", 1),
    _sets("pre_screen", "delay", 24, "hours_to_ruling", 1),
    _sets("pre_screen", "miss", 0.9, "taken_down", -1, "insult=-1 moderation.pre_screen.minutes_per_case=0"),
    _sets(
        "pre_screen", "false_alarm", 0.9, "taken_down", 1,
        "insult=-2 moderation.pre_screen.threshold=0.1 moderation.pre_screen.minutes_per_case=0",
    ),
    _sets("strikes", "moderators", 0.05, "appeals", -1, _APPEALED),
    _sets("strikes", "hours_per_day", 0.02, "appeals", -1, _APPEALED),
    _sets("strikes", "minutes_per_case", 60, "appeals", -1, _APPEALED),
    _sets("strikes", "delay", 40, "appeals", -1, _APPEALED),
    _sets("strikes", "miss", 0.9, "restored", 1, f"{_APPEALED} {_JUDGED}"),
    _sets("strikes", "false_alarm", 0.9, "restored", -1, f"{_APPEALED} {_JUDGED}"),
    _sets("strikes", "warn_after", 3, "warnings", -1, _STRUCK),
    _sets("strikes", "mute_after", 2, "mutes", 1, _STRUCK),
    _sets("strikes", "ban_after", 2, "bans_made", 1, _STRUCK),
    _sets("strikes", "mute_hours", 2, "hours_muted", -1, f"{_STRUCK} moderation.strikes.mute_after=2"),
    _sets("strikes", "fade_days", 0.1, "mutes", -1, f"{_STRUCK} moderation.strikes.mute_after=2"),
    _sets("strikes", "reports", 1, "warnings", 1, "insult=-1 report=0.03"),
    _sets("strikes", "appeal", 0.9, "appeals", 1, "moderation=remove+strikes moderation.remove.threshold=0.2 insult=-1.5 " + _JUDGED),
    _sets("strikes", "lesson", 5, "again_after_warning", -1, f"{_STRUCK} moderation.strikes.mute_after=0 moderation.strikes.ban_after=0"),
    _sets(
        "strikes", "fade", 2, "again_after_warning", 1,
        f"{_STRUCK} moderation.strikes.mute_after=0 moderation.strikes.ban_after=0 moderation.strikes.lesson=4",
    ),
)  # fmt: skip

KNOBS: tuple[Knob, ...] = (*BEHAVIOUR, *FEEDS, *MODERATION)
"""Every promise."""


def undeclared() -> list[str]:
    """Knobs that promise nothing: behaviour parameters, feeds and policies and what they can be set to. Levers that ask a language
    model are left out: the audit turns knobs under the sketch mind, at which they are refused."""
    from dataclasses import fields

    from simulacra.behaviour import Behaviour
    from simulacra.feeds import FEEDS as feeds
    from simulacra.moderation import POLICIES
    from simulacra.parameters import settable

    wanted = [f"behaviour.{f.name}" for f in fields(Behaviour)]
    for table, designs in (("feed", feeds), ("moderation", POLICIES)):
        for name, design in designs.items():
            if getattr(design, "asks", False):
                continue
            wanted += [f"{table}={name}", *(f"{table}.{name}.{parameter}" for parameter in settable(design))]
    return sorted(set(wanted) - {knob.name for knob in KNOBS})
