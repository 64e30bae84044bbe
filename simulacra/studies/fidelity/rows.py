"""The published figures that the sketch mind can be held to, each with its band: the fidelity report is this table, judged.

S-numbers are rows of the table of targets that the project started from; docs/fidelity.md says which of its 49 are not here and why. A
band is where a figure must lie to pass: that of the table of targets, or where it has none, ours around the published figure. Where a
parameter of the model was set so that runs fall near a figure, `set_by` names it, and passing is then no evidence for the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal

from simulacra.analysis.facts import Facts
from simulacra.analysis.measures import ALL
from simulacra.analysis.threads import depth_distance, size_distance
from simulacra.studies.fidelity import classic, effects, levels
from simulacra.studies.fidelity.effects import CHRONOLOGICAL, ENGAGEMENT
from simulacra.studies.fidelity.world import World

Value = Callable[[World], float]

Judged = Literal["level", "effect", "sign", "none", "once"]
"""How runs are held to the band. level: the run that lies worst must lie in it. effect: the mean over seeds must, in every community.
sign: so must it, and its 95 % t interval must exclude 0. none: the interval must include 0, as the published one does, and the mean lie
in the band. once: a small model of its own, without communities."""


@dataclass(frozen=True)
class Row:
    """One published figure."""

    s: int  # row of the table of targets
    figure: str
    published: str
    source: str
    low: float
    high: float
    value: Value
    judged: Judged = "level"
    lacks: str = ""  # why it fails, where it does
    set_by: str = ""  # parameters that were set after this figure
    floor: Value | None = None  # how far two samples of one community lie apart

    @property
    def name(self) -> str:
        return f"S{self.s} {self.figure}"

    @property
    def band(self) -> str:
        """In words: ".50 to .75", "above 0"."""
        if self.judged == "none":
            return f"no effect, within {_number(self.high)}"
        if self.high == inf:
            return f"above {_number(self.low)}"
        return f"below {_number(self.high)}" if self.low == -inf else f"{_number(self.low)} to {_number(self.high)}"


def _number(value: float) -> str:
    return f"{value:+g}" if value < 0 else f"{value:g}"


def _month(name: str) -> Value:
    """A measure over the whole run."""
    return lambda w: float(ALL[name].function(w.month))


def _first(days: int, name: str) -> Value:
    """The same over its first days."""
    return lambda w: float(ALL[name].function(w.first(days)))


def _of(function: Callable[[Facts], float]) -> Value:
    return lambda w: float(function(w.month))


def _size(forum: str, part: Literal["tvd", "floor"]) -> Value:
    return lambda w: float(getattr(size_distance(w.month, forum), part))


def _depth(forum: str, part: Literal["tvd", "floor"]) -> Value:
    return lambda w: float(getattr(depth_distance(w.month, forum), part))


_SLICER, _DELVING = "Slicer (support forum)", "Delving (technical forum)"
_TWO = "Slicer and Delving"
_TREES = "Delving, Barrapunto, Meneame"
_NEWS = "Meneame, Barrapunto"
_WRITING = "write, write_spread, lurkers, the spread of activity"

_WHO = (
    Row(1, "Gini of posts per poster, 30 days", ".65 (.57 to .70)", _SLICER, 0.50, 0.75, _month("participation_gini"),
        set_by=_WRITING),
    Row(1, "posts by the busiest tenth, 30 days", ".58", _SLICER, 0.45, 0.70, _month("top10_share"), set_by=_WRITING),
    Row(1, "posters who post once, 30 days", ".38", _SLICER, 0.30, 0.50, _month("one_post_share"), set_by=_WRITING,
        lacks="a poster who is answered writes back, and so writes twice"),
    Row(2, "Gini of posts per poster, 14 days", ".59", _SLICER, 0.45, 0.70, _first(14, "participation_gini"), set_by=_WRITING),
    Row(2, "posts by the busiest tenth, 14 days", ".53", _SLICER, 0.40, 0.65, _first(14, "top10_share"), set_by=_WRITING),
    Row(2, "posters who post once, 14 days", ".41", _SLICER, 0.30, 0.55, _first(14, "one_post_share"), set_by=_WRITING,
        lacks="as over 30 days"),
    Row(4, "visitors who never post, 30 days", ".90 as a rule of thumb, down to .67", "Nielsen 2006; Whittaker et al. 1998", 0.60, 0.95,
        _month("lurker_share"), set_by=_WRITING,
        lacks="how many read without writing was set to the figures of forums, and they differ"),
    Row(4, "lurkers, against a community a fifth as large", "more in larger ones", "Nielsen 2006", 0, inf, effects.lurkers_by_size, "sign",
        set_by="crowd",
        lacks="a few hundred members more or less move it by little"),
    Row(5, "tail exponent of posts per poster", "2.2, 1.9, 2.6, 2.7", "four forums", 1.7, 3.0, _month("tail_alpha"),
        lacks="the fit is to a few dozen members and wanders from seed to seed"),
    Row(5, "log-likelihood ratio, power law over lognormal", "+.1, -4.5, -.6, -5.5: none clearly a power law", "four forums", -inf, 2.0,
        _month("tail_ratio")),
)  # fmt: skip

_THREADS = (
    Row(6, "threads without a reply", ".13, .28; Reddit .24", f"{_TWO}; Delcour", 0.10, 0.40, _month("zero_reply_share"),
        set_by="browse_new, browse_unanswered, parent_unanswered",
        lacks="a feed by votes shows fresh threads to few, more so than the forums' order by latest reply"),
    Row(6, "threads that nobody else answers", ".15, .33", _TWO, 0.10, 0.40, _month("unanswered_share"),
        set_by="browse_new, browse_unanswered, parent_unanswered",
        lacks="a feed by votes shows fresh threads to few, more so than the forums' order by latest reply"),
    Row(7, "replies per thread, median", "2, 3", _TWO, 1, 4, _month("thread_size_median")),
    Row(7, "replies per thread, mean over median", "2.0, 2.1", _TWO, 1.5, 3, _of(levels.mean_over_median),
        set_by="browse_unanswered",
        lacks="the forums order threads by latest reply; a feed by votes makes few threads large and most small, and a median of 2 or 3 "
        "replies leaves the ratio no small steps"),
    Row(7, "Gini of replies per thread", ".57, .68", _TWO, 0.50, 0.75, _month("thread_size_gini"),
        set_by="browse_unanswered",
        lacks="the forums order threads by latest reply; a feed by votes makes few threads large and many empty"),
    Row(7, "replies in the largest tenth of threads", ".41, .48", _TWO, 0.30, 0.60, _month("thread_top10_share"),
        set_by="browse_unanswered",
        lacks="the forums order threads by latest reply; a feed by votes makes few threads large and many empty"),
    Row(8, "thread sizes against Slicer's, TVD", ".075 from quarter to quarter of itself", _SLICER, -inf, 0.15, _size("slicer", "tvd"),
        floor=_size("slicer", "floor"),
        lacks="Slicer is a support forum whose threads end with the answer; the two forums lie .26 apart themselves"),
    Row(8, "thread sizes against Delving's, TVD", ".38 from quarter to quarter of itself", _DELVING, -inf, 0.15, _size("delving", "tvd"),
        floor=_size("delving", "floor"),
        lacks="the forum orders threads by latest reply; a feed by votes makes few threads large and many empty"),
    Row(9, "depth of replies, mean", "2.4, 2.7, 3.1", _TREES, 2.0, 3.3, _month("depth_mean"), set_by="to_root"),
    Row(9, "replies to the opening post", ".43, .26, .36", _TREES, 0.25, 0.50, _month("depth1_share"), set_by="to_root"),
    Row(10, "depths against Delving's, TVD", ".09 to .17 between platforms", _DELVING, -inf, 0.15, _depth("delving", "tvd"),
        set_by="to_root", floor=_depth("delving", "floor")),
    Row(10, "depths against Barrapunto's, TVD", ".09 to .17 between platforms", "Barrapunto", -inf, 0.15, _depth("barrapunto", "tvd"),
        set_by="to_root", floor=_depth("barrapunto", "floor"),
        lacks="the site's comments hang deeper, and answer the article a quarter of the time (.26); more do here"),
    Row(10, "depths against Meneame's, TVD", ".09 to .17 between platforms", "Meneame", -inf, 0.15, _depth("meneame_2015_03", "tvd"),
        set_by="to_root", floor=_depth("meneame_2015_03", "floor")),
    Row(11, "replies that nobody answers", ".50 to .57", _TREES, 0.45, 0.65, _month("leaf_share")),
    Row(11, "replies to a reply", ".58 to .74", _TREES, 0.3, 1.0, _month("children_per_reply")),
    Row(11, "replies with three replies or more", ".008 to .057", _TREES, 0.005, 0.08, _of(levels.three_answers_share)),
    Row(11, "widest level over deepest", "1.2, 2.8, 3.8", _TREES, 1, inf, _of(levels.width_over_depth), set_by="to_root",
        lacks="threads here are narrow: members answer the reply that they read more often than the opening post"),
)  # fmt: skip

_NETWORK = (
    Row(12, "replies that go back and forth", ".53, .36", _NEWS, 0.30, 0.60, _month("ping_pong_share"),
        set_by="answered, answer_notice",
        lacks="who is answered here nearly always answers back to the same person"),
    Row(12, "pairs who answer each other", ".63, .26", "Delving, Meneame", 0.20, 0.65, _month("edge_reciprocity"), set_by="answer_notice"),
    Row(12, "replies by the thread's opener", ".34", _TWO, 0.20, 0.45, _month("starter_reply_share"),
        set_by="opener_notice",
        lacks="openers answer when they are told, and write no updates of their own"),
    Row(13, "degree assortativity", "-.15, -.09", "Delving, Meneame", -inf, 0, _month("degree_assortativity")),
    Row(13, "Gini of being answered", ".68, .81", "Delving, Meneame", 0.60, 0.85, _month("in_degree_gini")),
    Row(14, "burstiness of posting", ".43, .36", _TWO, 0.25, 0.55, _month("burstiness"),
        set_by="away, around_hours",
        lacks="few members write 20 posts in a month, so that their median wanders"),
    Row(14, "memory of gaps", ".10, .15", _TWO, 0, inf, _month("gap_memory"), set_by="zeal",
        lacks="few members write 20 posts in a month, so that their median wanders"),
    Row(15, "busiest over quietest hour", "4.0, 4.3", _TWO, 2.5, 8, _month("peak_to_trough"), set_by="day_rhythm"),
    Row(15, "evenness of the day", ".967, .974", _TWO, 0.93, 0.99, _month("hour_entropy"), set_by="day_rhythm"),
    Row(16, "hours to the first answer, median", "2.4, 19", _TWO, 0.2, 20, _month("first_reply_hours")),
    Row(17, "newcomers with one post", ".34, .27", _TWO, 0.25, 0.60, _month("newcomer_one_post"),
        set_by="churn_newcomer, churn_answered",
        lacks="few newcomers write at all in a month, so that their share wanders from seed to seed"),
    Row(17, "newcomers who post again in days 1 to 7", ".28, .29", _TWO, -inf, 0.45, _month("newcomer_post_return"),
        set_by="churn_newcomer, churn_answered",
        lacks="few newcomers write at all in a month, so that their share wanders from seed to seed"),
    Row(18, "Gini of likes", ".78", _DELVING, 0.65, 0.95, _month("like_gini"), set_by="appeal",
        lacks="posts here are read more often than there (60 times against 16), which evens out luck"),
    Row(18, "likes per 100 readings", "3.4", _DELVING, 1, 10, _month("likes_per_100_reads"), set_by="upvote",
        lacks="a feed by votes shows what is liked, so that readings there are of better posts than a forum's"),
)  # fmt: skip

_MINDS = (
    Row(19, "a fake upvote, change of the final score", "+.25", "Muchnik et al. 2013", 0.05, 0.40, effects.upvote_herding, "sign",
        set_by="herding"),
    Row(19, "fake upvote and downvote, changes added", "above 0: downvotes are corrected", "Muchnik et al. 2013", 0, inf,
        effects.herding_asymmetry, "sign",
        set_by="correction",
        lacks="few votes are cast on a post, so that the interval is wide"),
    Row(20, "fewer positive posts: positive words", "-.10 points of share", "Kramer et al. 2014", -inf, 0,
        effects.omission("positive", "positive"), "sign",
        lacks="d of .02 is looked for, too small for this many members and seeds (docs/contagion.md says what more of both find)"),
    Row(20, "fewer positive posts: negative words", "+.04 points", "Kramer et al. 2014", 0, inf,
        effects.omission("positive", "negative"), "sign",
        lacks="d of .001 is looked for, too small for this many members and seeds (docs/contagion.md says what more of both find)"),
    Row(20, "fewer negative posts: negative words", "-.07 points", "Kramer et al. 2014", -inf, 0,
        effects.omission("negative", "negative"), "sign",
        lacks="d of .02 is looked for, too small for this many members and seeds (docs/contagion.md says what more of both find)"),
    Row(20, "fewer negative posts: positive words", "+.06 points", "Kramer et al. 2014", 0, inf,
        effects.omission("negative", "positive"), "sign",
        lacks="d of .008 is looked for, too small for this many members and seeds (docs/contagion.md says what more of both find)"),
    Row(20, "fewer positive posts: words written", "-.033", "Kramer et al. 2014", -inf, 0, effects.withdrawal("positive"), "sign",
        set_by="withdrawal",
        lacks="members differ by dozens of words, too much for this many members and seeds (docs/contagion.md says what more find)"),
    Row(20, "size, in deviations (d)", ".02", "Kramer et al. 2014", 0.005, 0.15, effects.omission_d, "effect", set_by="contagion"),
    Row(21, "over-exposure before a negative post", "+.043", "Ferrara and Yang 2015", 0.01, 0.10, effects.exposure_before("negative"),
        "effect",
        lacks="contagion with a d of .02 moves what is written after a visit by a fraction of a point; the field's figure holds "
        "likeness of friends too, which shuffling within persona takes out"),
    Row(21, "over-exposure before a positive post", "+.045", "Ferrara and Yang 2015", 0.01, 0.10, effects.exposure_before("positive"),
        "effect",
        lacks="contagion with a d of .02 moves what is written after a visit by a fraction of a point; the field's figure holds "
        "likeness of friends too, which shuffling within persona takes out"),
    Row(21, "over-exposure with contagion off", "0 by construction", "a placebo", -0.02, 0.02,
        effects.exposure_before("negative", "contagion=off"), "none",
        lacks="what stands in the feed at an hour and what is written in that hour share their causes"),
    Row(22, "trolls: bad mood and context, over neither", "1.9 (.68 against .35)", "Cheng et al. 2017", 1.5, 2.5, effects.trolls_both,
        "effect", set_by="insult_mood, insult_context"),
    Row(22, "trolls: one of the two, over neither", "1.4 (about .50)", "Cheng et al. 2017", 1.1, 1.9, effects.trolls_one, "effect",
        set_by="insult_mood, insult_context"),
)  # fmt: skip

_FEEDS = (
    Row(24, "engagement ranking: anger met, in deviations", "+.47", "Milli et al. 2025", 0.05, 0.8, effects.anger_amplified, "sign",
        set_by="parent_rude, provoked",
        lacks="rude posts are voted down as well as answered, and in a kind community the two cancel"),
    Row(24, "engagement ranking: hostility across groups", "+.24", "Milli et al. 2025", 0.05, 0.6, effects.animosity_amplified, "sign",
        set_by="vote_side, provoked",
        lacks="home groups hardly differ in what they write, and few posts are rude to the other side in a week"),
    Row(24, "engagement ranking: gloom met, in deviations", "+.22 (sadness)", "Milli et al. 2025", 0, inf, effects.gloom_amplified, "sign",
        set_by="parent_gloom",
        lacks="friendly words are liked here about as much as sad ones are answered"),
    Row(25, "chronological feed: time spent", "falls substantially", "Guess et al. 2023", -inf, 0,
        effects.time_spent, "sign", set_by="scroll_taste",
        lacks="members read on where they are offered what interests them, but do not come more often for it"),
    Row(25, "chronological feed: uncivil readings", "about halved", "Guess et al. 2023", -0.8, -0.1,
        effects.change("toxic_seen_share", CHRONOLOGICAL, ENGAGEMENT), "sign",
        lacks="rude posts are voted down as well as answered, and in a kind community the two cancel"),
    Row(26, "hostile posts ranked down: votes per reading", "about unchanged", "Piccardi et al. 2025", -0.1, 0.1,
        effects.change("votes_per_100_impressions", "feed=downrank_toxic", CHRONOLOGICAL), "effect", set_by="vote_side",
        lacks="rude posts are liked less here, so that showing fewer of them raises likes"),
    Row(27, "prosocial ranking: well-being, in deviations", "no effect", "Stray et al. 2026", -0.1, 0.1,
        effects.well_being("feed=bridging"), "none",
        lacks="friendlier reading moves moods a little by design"),
    Row(28, "likes more equal under a chronological feed (Gini)", "-.10 followers, -.21 reposts", "Larooij, Tornberg 2025", -inf, 0,
        effects.gini_gap(CHRONOLOGICAL), "sign"),
    Row(28, "likes more equal, dominant voices played down (Gini)", "-.16 followers, -.11 reposts", "Larooij, Tornberg 2025", -inf, 0,
        effects.gini_gap("feed=downplay_dominant feed.downplay_dominant.base=engagement"), "sign",
        lacks="no author holds much of a slate here, so that a cap has little to cut"),
    Row(28, "likes no more equal under bridging (Gini)", "+.05 followers, +.03 reposts", "Larooij, Tornberg 2025", 0, inf,
        effects.gini_gap("feed=bridging"), "sign",
        lacks="both rankings find the posts of most appeal, so that bridging adds little to their lead"),
    Row(28, "E-I index of new ties, most mixed of six designs", "-.74", "Larooij, Tornberg 2025", -inf, -0.6, effects.ei_highest, "effect",
        lacks="home groups here are a coarse trait, not parties: members read and follow across them nearly as much as within"),
    Row(28, "chronological feed: one-sidedness and followers", "r +.14", "Larooij, Tornberg 2025", 0, inf, effects.partisan_gap, "sign",
        lacks="members carry a home group and no strength of conviction"),
    Row(29, "E-I index of replies, following less global", "-.19", "Tornberg 2023", -inf, 0, effects.ei_gap("feed=following", ENGAGEMENT),
        "sign",
        lacks="ties are few (about 4 a member) and only mostly within the home group"),
    Row(29, "E-I index of replies, bridging less global", "+1.03", "Tornberg 2023", 0, inf, effects.ei_gap("feed=bridging", ENGAGEMENT),
        "sign",
        lacks="votes are few, so that most posts have no bridging score yet"),
    Row(29, "E-I index of replies under bridging", "+.33", "Tornberg 2023", 0, 1, effects.ei_level("feed=bridging"), "sign",
        lacks="two groups of equal size that answer blindly give 0, and little here moves them from it"),
)  # fmt: skip

_RULES = (
    Row(30, "rules pinned: newcomers who comply, points", "+8.4 (52 to 60 %); 0 elsewhere", "Matias 2019", 2, 15, effects.newcomers_comply,
        "effect", set_by="norm_strength"),
    Row(31, "asked to reconsider: cancelled or reworded", ".31", "Katsaros et al. 2022", 0.20, 0.45, effects.prompted_yield, "effect",
        set_by="the lever's own shares"),
    Row(31, "asked to reconsider: toxic posts", "-.06", "Katsaros et al. 2022", -0.20, -0.02, effects.prompted_change, "effect",
        lacks="rudeness breeds rudeness here, so that every insult not sent saves others"),
    Row(33, "removal: rude posts per 100, against hiding", "fewer", "Horta Ribeiro et al. 2023", -inf, 0,
        effects.rudeness_gap("remove", "hide"), "sign",
        lacks="both take rude posts out of sight, and teaching by removal is small"),
    Row(33, "hiding: rude posts per 100, against nothing", "no effect", "Horta Ribeiro et al. 2023", -0.5, 0.5,
        effects.rudeness_gap("hide", "none"), "none",
        lacks="what is folded away is read by few, and rudeness breeds rudeness here"),
    Row(33, "removal explained: rude posts per 100, against removal", "fewer", "Jhaver et al. 2019", -inf, 0,
        effects.rudeness_gap("remove_explained", "remove"), "sign",
        lacks="what an explanation adds is a few posts a week"),
    Row(34, "after a note: likes", "-.44", "Slaughter et al. 2025", -0.60, -0.25, effects.noted("likes", 1), "effect", set_by="label_vote"),
    Row(34, "after a note: replies", "-.22", "Slaughter et al. 2025", -0.40, -0.08, effects.noted("replies", 1), "effect",
        set_by="label_reply",
        lacks="posts with a note are few and so are replies to them"),
    Row(34, "after a note: views", "-.14", "Slaughter et al. 2025", -0.25, -0.05, effects.noted("views", 1), "effect", set_by="label_view",
        lacks="the note also costs likes, by which this feed ranks"),
    Row(34, "a late note: likes over the whole life", "-.13", "Slaughter et al. 2025", -0.25, -0.02,
        effects.noted("likes", 12, life=True), "effect",
        lacks="posts here are read within hours of being written, before the note"),
    Row(34, "an early note takes more than a late one", "none after 48 hours", "Slaughter et al. 2025", 0, inf, effects.later_is_weaker,
        "sign",
        lacks="few posts with a note are still read half a day later, so the interval is wide"),
    Row(35, "toxic posts", "under .10", "Avalle et al. 2024 (from memory)", 0.01, 0.10, _month("toxic_share"), set_by="insult"),
    Row(35, "toxicity per doubling of a thread", "above 0", "Avalle et al. 2024", 0, inf, _month("toxicity_by_thread_length"), "sign",
        set_by="insult_dispute, provoked",
        lacks="rude posts sink under a feed by votes, and openings, which are all that short threads have, are blunter than "
        "replies"),
    Row(35, "toxic posts by the tenth with most of them", "a few users write most", "Almerekhi et al. 2022", 0.5, 1,
        _month("toxicity_concentration"), set_by="insult_irritable"),
)  # fmt: skip

_NEWS_AND_CLASSICS = (
    Row(41, "a party: who knows of it", ".52 of 25 in two days", "Park et al. 2023 (from memory)", 0.30, 0.90, effects.party_aware,
        "effect"),
    Row(41, "a party: of those told, who mean to come", ".42", "Park et al. 2023 (from memory)", 0.25, 0.70, effects.party_coming,
        "effect", set_by="news_attend"),
    Row(41, "a party that nobody speaks of: who knows", "0", "by construction", 0, 0, effects.party_silent),
    Row(43, "segregation: largest distance from the known shares", ".50 to .98 by threshold", "Schelling 1971, computed apart", 0, 0.03,
        classic.schelling_distance, "once"),
    Row(44, "bank run: settings with the known stability", "5 of 5", "Arifovic et al. 2013", 1, 1, classic.right("bank-run"), "once"),
    Row(49, "music lab: settings with the known stability", "2 of 2", "Salganik et al. 2006", 1, 1, classic.right("music-lab"), "once"),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_WHO, *_THREADS, *_NETWORK, *_MINDS, *_FEEDS, *_RULES, *_NEWS_AND_CLASSICS)

NOT_TESTED: dict[str, str] = {
    "S3": "whole lives of forums take years; runs here take weeks",
    "S23": "there is no sharing on and no clicking, and no list of moral words; negative and out-group words act on replies and votes "
    "(`parent_gloom`, `vote_side`), after its signs",
    "S32": "one community a run: nobody to move to, none to ban",
    "S36": "about texts of language models; those of the sketch mind are judged in docs/voices.md and by `make quality`",
    "S37 to S40": "about panels that answer surveys; members here do not",
    "S42": "no sharing on; published cascades are of reposts",
    "S45 to S48": "games and institutions that are not built",
}
"""Rows of the table of targets that no figure here stands for."""
