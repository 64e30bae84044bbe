"""The shape of a community: who writes how much, how threads grow, who answers whom, when, and who comes back.

Pure functions of a run's `Facts`, taken on demand (`simulacra show --all`, the fidelity report, the app), since some of them build
graphs. Published figures stand beside them as rows S1 to S35 of the table of targets (docs/measures.md); figures of "four forums"
are the aggregates in `simulacra/data/reference/forums.json`.

    structure(frames)                                 -> {"top10_share": .52, ...}: every function of STRUCTURE
    threads.size_distance(Facts(frames), "slicer")    -> Distance(tvd=.11, floor=.09, threads=310)
    writers.posting_tail(Facts(frames))               -> Tail(alpha=2.2, ratio=-1.3, p=.2, ...)

Everything counts the measured days alone: threads opened in them, posts written in them. Threads opened late have had less time to
grow and newcomers who came late less time to return, so short runs differ from long ones: compare equal lengths.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulacra.analysis import groups, participation, replygraph, rhythm, threads, tone, writers
from simulacra.analysis.catalogue import LEXICAL, Measure, catalogue
from simulacra.analysis.facts import EventTables, Facts

STRUCTURE: dict[str, Measure] = catalogue(
    (writers.top10_share, "posts by the busiest tenth", "share", "neither"),
    (writers.top1_share, "posts by the busiest hundredth", "share", "neither"),
    (writers.one_post_share, "posters who post once", "share", "neither"),
    (writers.lurker_share, "visitors who never post", "share", "neither"),
    (writers.tail_alpha, "tail exponent of posting", "exponent", "neither"),
    (writers.tail_ratio, "power law against lognormal", "log-likelihood ratio", "neither"),
    (threads.zero_reply_share, "threads without a reply", "share", "lower"),
    (threads.thread_size_mean, "replies per thread, mean", "posts", "neither"),
    (threads.thread_size_median, "replies per thread, median", "posts", "neither"),
    (threads.thread_size_p90, "replies that a tenth of threads exceed", "posts", "neither"),
    (threads.thread_size_gini, "inequality of threads", "Gini 0 to 1", "neither"),
    (threads.thread_top10_share, "replies in the largest tenth of threads", "share", "neither"),
    (threads.size_tvd, "distance of thread sizes to a forum's", "TVD 0 to 1", "lower"),
    (threads.depth_mean, "depth of replies", "levels", "neither"),
    (threads.depth1_share, "replies to the opening post", "share", "neither"),
    (threads.depth_max_mean, "deepest reply of a thread", "levels", "neither"),
    (threads.depth_tvd, "distance of depths to a forum's", "TVD 0 to 1", "lower"),
    (threads.leaf_share, "replies that nobody answers", "share", "neither"),
    (threads.children_per_reply, "replies to a reply", "posts", "neither"),
    (threads.ping_pong_share, "replies that go back and forth", "share", "neither"),
    (threads.starter_reply_share, "replies by the thread's opener", "share", "neither"),
    (replygraph.edge_reciprocity, "pairs who answer each other", "share", "neither"),
    (replygraph.clustering, "clustering of the reply network", "coefficient 0 to 1", "neither"),
    (replygraph.degree_assortativity, "assortativity of the reply network", "correlation -1 to 1", "neither"),
    (replygraph.in_degree_gini, "inequality of being answered", "Gini 0 to 1", "neither"),
    (rhythm.burstiness, "burstiness of posting", "index -1 to 1", "neither"),
    (rhythm.gap_memory, "memory of gaps between posts", "correlation -1 to 1", "neither"),
    (rhythm.peak_to_trough, "busiest over quietest hour of the day", "ratio", "neither"),
    (rhythm.hour_entropy, "evenness of the day", "share", "neither"),
    (rhythm.first_reply_hours, "wait for the first answer", "hours", "lower"),
    (rhythm.answered_within_day, "first answers within a day", "share", "higher"),
    (rhythm.newcomer_one_post, "newcomers who post once", "share", "lower"),
    (rhythm.newcomer_one_day, "newcomers who post on one day only", "share", "lower"),
    (rhythm.newcomer_post_return, "newcomers who post again within a week", "share", "higher"),
    (participation.zero_like_share, "posts without an upvote", "share", "neither"),
    (participation.like_gini, "inequality of upvotes", "Gini 0 to 1", "neither"),
    (participation.likes_per_100_reads, "upvotes per 100 readings", "per 100 impressions", "neither"),
    (groups.ei_replies, "E-I index of replies", "index -1 to 1", "neither"),
    (groups.ei_follows, "E-I index of new follow ties", "index -1 to 1", "neither"),
    (groups.cross_group_seen, "reading across home groups", "share", "neither"),
    (groups.exposure_diversity, "mix of home groups in what one reads", "bits 0 to 1", "higher"),
    (groups.partisan_amplification, "one-sidedness and upvotes", "correlation -1 to 1", "lower"),
    (groups.partisan_following, "one-sidedness and new followers", "correlation -1 to 1", "lower"),
    (tone.toxic_author_share, "writers with a toxic post", "share", "lower", LEXICAL),
    (participation.attention_gini, "inequality of attention to writers", "Gini 0 to 1", "neither"),
    (tone.toxic_reading_concentration, "toxic readings by the tenth who meet most", "share", "neither", LEXICAL),
    (tone.toxicity_concentration, "toxic posts by the tenth with most of them", "share", "neither", LEXICAL),
    (tone.toxicity_by_thread_length, "toxicity per doubling of a thread", "score per doubling", "neither", LEXICAL),
    (tone.thread_arousal, "how strongly felt threads are", "score 0 to 1", "neither", LEXICAL),
)  # fmt: skip
"""Every measure of shape by name, in the order of a report."""


def structure(tables: EventTables, names: Iterable[str] = ()) -> dict[str, float]:
    """Measures of shape of one run, in the order of STRUCTURE; about a second for all, most of it imports.

    tables: `frames.Frames`, or anything that hands out the same Arrow tables. names: which, () for all.
    """
    facts, wanted = Facts(tables), set(names) or STRUCTURE.keys()
    return {name: float(m.function(facts)) for name, m in STRUCTURE.items() if name in wanted}
