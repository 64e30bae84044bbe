"""The shape of a community: who writes how much, how threads grow, who answers whom, when, and who comes back.

Pure functions of a run's `Facts`, taken on demand (`simulacra show --all`, the fidelity report, the app), since some of them build
graphs. Published figures stand beside them as rows S1 to S35 of the table of targets (docs/measures.md); figures of "four forums"
are the aggregates in `simulacra/data/reference/forums.json`.

    structure(frames)                         -> {"top10_share": .52, ...}: every function of STRUCTURE
    size_distance(Facts(frames), "slicer")    -> Distance(tvd=.11, floor=.09, threads=310)
    tail(Facts(frames))                       -> Tail(alpha=2.2, ratio=-1.3, p=.2, ...)

Everything counts the measured days alone: threads opened in them, posts written in them. Threads opened late have had less time to
grow and newcomers who came late less time to return, so short runs differ from long ones: compare equal lengths.
"""

from __future__ import annotations

import json
import warnings
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulacra.analysis.catalogue import LEXICAL, Measure, catalogue
from simulacra.analysis.facts import (
    HOURS_PER_DAY,
    Array,
    EventTables,
    Facts,
    correlation,
    gini,
    mean,
    median,
    ratio,
    top_share,
)
from simulacra.analysis.participation import attention_gini
from simulacra.analysis.tone import (
    thread_arousal,
    toxic_author_share,
    toxic_reading_concentration,
    toxicity_by_thread_length,
    toxicity_concentration,
)
from simulacra.errors import SpecError
from simulacra.streams import Streams

if TYPE_CHECKING:
    import networkx as nx

NAN = float("nan")

SIZE_BINS = (0, 1, 2, 3, 4, 6, 9, 14)
"""Lowest number of replies of each bin of the thread-size histogram: 0, 1, 2, 3, 4-5, 6-8, 9-13, 14 and more."""
DEEPEST = 11
"""Depths of replies are counted 1, 2, ... 10, and 11 or more."""
LEAST_WRITERS = 20
"""Below so many writers no tail is fitted."""
LEAST_POSTS = 20
"""Posts a member must have written for its rhythm to be measured, as in the published figures."""
LEAST_READ = 5
"""Impressions a reader must have had for the mix of what it read to be measured."""
TAIL_LEVEL = 0.05
_FLOOR_DRAWS = 400


# -- who writes how much ---------------------------------------------------------------------------------------------------


def top10_share(facts: Facts) -> float:
    """Posts written by the tenth of posters who write most, as a share of all, [0, 1] (four forums, whole life: .61 to .78);
    NaN without posts. S1-S3."""
    return top_share(_posts_of_posters(facts), 0.1)


def top1_share(facts: Facts) -> float:
    """Posts written by the hundredth of posters who write most (at least one), as a share of all, [0, 1] (four forums: .18 to
    .59); NaN without posts. S3."""
    return top_share(_posts_of_posters(facts), 0.01)


def one_post_share(facts: Facts) -> float:
    """Posters who wrote exactly once, [0, 1] (forums in a week: .47); NaN without posts. S1."""
    return mean(_posts_of_posters(facts) == 1)


def lurker_share(facts: Facts) -> float:
    """Members who came and never posted, among those who came, [0, 1] (the 90-9-1 rule says .9, small communities down to .6);
    NaN without visits. S4."""
    came = np.zeros(facts.personas, bool)
    came[facts.visits[1]] = True
    return mean(facts.posts_by_author[came] == 0)


class Tail(NamedTuple):
    """A power law fitted to the tail of counts, against a lognormal (Clauset, Shalizi and Newman 2009)."""

    alpha: float  # exponent of the power law
    start: float  # the tail begins here
    ratio: float  # log-likelihood ratio: above 0 the power law fits better, below 0 the lognormal
    p: float  # chance of so large a ratio, of either sign, where both fit equally
    counted: int  # counts above 0

    @property
    def scale_free(self) -> bool:
        """Whether that may be claimed: the ratio prefers the power law, and clearly."""
        return self.ratio > 0 and self.p < TAIL_LEVEL

    @property
    def sentence(self) -> str:
        """What may be said."""
        if not np.isfinite(self.alpha):
            return f"Too few to fit a tail ({self.counted}; at least {LEAST_WRITERS} are needed)."
        figures = f"alpha {self.alpha:.2f}, log-likelihood ratio {self.ratio:+.2f}, p {self.p:.2f}"
        if self.p >= TAIL_LEVEL:
            return f"Power law and lognormal cannot be told apart here ({figures}): not to be called scale-free."
        better = "A power law" if self.ratio > 0 else "A lognormal"
        return f"{better} fits the tail better ({figures}): {'scale-free' if self.ratio > 0 else 'not scale-free'}."


def tail(counts: Array) -> Tail:
    """The tail of whole-number counts; zeros are left out. NaN where fewer than 20 are left or all are equal.

    By the `powerlaw` package: the start is where the fitted law lies nearest to the data (Kolmogorov-Smirnov).
    """
    counts = np.asarray(counts)
    counts = counts[counts > 0]
    if len(counts) < LEAST_WRITERS or not np.ptp(counts):
        return Tail(NAN, NAN, NAN, NAN, len(counts))
    import powerlaw  # late: it imports matplotlib, a second

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # its optimiser talks of starting values outside its own bounds
        fit = powerlaw.Fit(counts, discrete=True, verbose=False)
        against, p = fit.distribution_compare("power_law", "lognormal")
        return Tail(float(fit.power_law.alpha), float(fit.power_law.xmin), float(against), float(p), len(counts))


def posting_tail(facts: Facts) -> Tail:
    """The tail of posts per poster (four forums: alpha 1.9 to 2.7, none clearly a power law). S5."""
    return tail(facts.posts_by_author)


def hub_tail(facts: Facts) -> Tail:
    """The tail of how many different members answered each member: whether the reply network has hubs without scale. S5, S13."""
    return tail(_in_degree(facts))


def tail_alpha(facts: Facts) -> float:
    """Exponent of a power law fitted to posts per poster, above 1 (forums: 1.9 to 2.7); NaN under 20 posters. S5."""
    return posting_tail(facts).alpha


def tail_ratio(facts: Facts) -> float:
    """Log-likelihood ratio of power law over lognormal for posts per poster: below 0 the lognormal fits better (forums: +.08 to
    -5.5). "Scale-free" only where it is clearly above 0 (`Tail.scale_free`). NaN under 20 posters. S5."""
    return posting_tail(facts).ratio


# -- threads ---------------------------------------------------------------------------------------------------------------


def zero_reply_share(facts: Facts) -> float:
    """Threads without a single reply, [0, 1] (forums: .13 and .28); NaN without threads. S6."""
    return mean(facts.thread_sizes == 0)


def thread_size_mean(facts: Facts) -> float:
    """Replies per thread, mean, >= 0 (forums: 4.1 and 6.3); NaN without threads. S7."""
    return mean(facts.thread_sizes)


def thread_size_median(facts: Facts) -> float:
    """Replies per thread, median, >= 0 (forums: 2 and 3); NaN without threads. S7."""
    return median(facts.thread_sizes)


def thread_size_p90(facts: Facts) -> float:
    """Replies that a tenth of threads exceed, >= 0 (forums: 9 and 16); NaN without threads. S7."""
    return float(np.percentile(facts.thread_sizes, 90)) if len(facts.thread_sizes) else NAN


def thread_size_gini(facts: Facts) -> float:
    """Gini of replies per thread, those without any included, [0, 1] (forums: .57 and .68); NaN without replies. S7."""
    return gini(facts.thread_sizes)


def thread_top10_share(facts: Facts) -> float:
    """Replies that the largest tenth of threads hold, as a share of all, [0, 1] (forums: .41 and .48); NaN without replies. S7."""
    return top_share(facts.thread_sizes, 0.1)


def depth_mean(facts: Facts) -> float:
    """Depth of replies, mean, >= 1: 1 answers the opening post (forums: 2.4 to 3.1); NaN without replies. S9."""
    return mean(facts.posts.depth[facts.replies])


def depth1_share(facts: Facts) -> float:
    """Replies that answer the opening post itself, [0, 1] (forums: .26 to .43); NaN without replies. S9."""
    return mean(facts.posts.depth[facts.replies] == 1)


def depth_max_mean(facts: Facts) -> float:
    """Depth of a thread's deepest reply, mean over threads with replies, >= 1 (forums: 3.3 to 8.0); NaN without any. S9."""
    deepest = np.zeros(len(facts.posts.id), np.int64)
    np.maximum.at(deepest, facts.root_row[facts.replies], facts.posts.depth[facts.replies])
    return mean(deepest[facts.opened][facts.thread_sizes > 0])


def leaf_share(facts: Facts) -> float:
    """Replies that get no reply themselves, [0, 1] (forums: .50 to .57); NaN without replies. S11."""
    return mean(_children(facts)[facts.replies] == 0)


def children_per_reply(facts: Facts) -> float:
    """Replies to each reply, mean, >= 0; under 1 a conversation dies out by itself (forums: .58 to .74); NaN without replies. S11."""
    return mean(_children(facts)[facts.replies])


def ping_pong_share(facts: Facts) -> float:
    """Replies at depth 3 and more whose author wrote the post before the last, and not the last (A answers B answers A), [0, 1]
    (forums: .36 and .53); NaN without such depth. S12."""
    posts, parent = facts.posts, facts.parent_row
    row = facts.replies[posts.depth[facts.replies] >= 3]
    before = parent[row]
    back = posts.author[parent[before]] == posts.author[row]
    return mean(back & (posts.author[before] != posts.author[row]))


def starter_reply_share(facts: Facts) -> float:
    """Replies written by the member who opened the thread, [0, 1] (forums: .34); NaN without replies. S12."""
    author = facts.posts.author
    return mean(author[facts.replies] == author[facts.root_row[facts.replies]])


class Distance(NamedTuple):
    """How far a histogram lies from a forum's."""

    tvd: float  # total variation distance, [0, 1]: the share that would have to move to another bin
    floor: float  # how far a second sample of as many threads of the same community would lie, at most in 95 of 100
    threads: int


def size_histogram(facts: Facts) -> Array:
    """[8] share of threads with 0, 1, 2, 3, 4-5, 6-8, 9-13, 14 and more replies; NaN without threads."""
    return _shares(_size_rows(facts))


def depth_histogram(facts: Facts) -> Array:
    """[11] share of replies at depth 1, 2, ... 10, 11 and more; NaN without replies."""
    return _shares(_depth_rows(facts))


def size_distance(facts: Facts, forum: str = "slicer") -> Distance:
    """Thread sizes against a forum's (slicer, delving); a quarter of one forum against the next: .075. NaN without threads. S8."""
    return _distance(_size_rows(facts), reference(forum)["retest"]["hist_all"])


def depth_distance(facts: Facts, forum: str = "delving") -> Distance:
    """Depths of replies against a forum's (delving, barrapunto, meneame_2015_03); forums among each other: .09 to .17. NaN without
    replies. S10."""
    return _distance(_depth_rows(facts), reference(forum)["depth"]["hist_1_to_10plus"])


def size_tvd(facts: Facts) -> float:
    """Total variation distance of thread sizes to those of a support forum, [0, 1], 0 alike (`size_distance`); NaN without
    threads. S8."""
    return size_distance(facts).tvd


def depth_tvd(facts: Facts) -> float:
    """Total variation distance of reply depths to those of a technical forum, [0, 1], 0 alike (`depth_distance`); NaN without
    replies. S10."""
    return depth_distance(facts).tvd


@cache
def _forums() -> dict[str, Any]:
    text = (files("simulacra") / "data" / "reference" / "forums.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def reference(forum: str) -> dict[str, Any]:
    """Aggregates of a public forum archive. Raises SpecError for an unknown one."""
    known = _forums()["forums"]
    if forum not in known:
        raise SpecError(f"No reference forum {forum[:40]!r}. Known: {', '.join(known)}.")
    found: dict[str, Any] = known[forum]
    return found


# -- who answers whom ------------------------------------------------------------------------------------------------------


def edge_reciprocity(facts: Facts) -> float:
    """Ordered pairs (A answered B) of which B has answered A too, [0, 1] (forums: .26 and .63); answers to oneself left out; NaN
    without pairs. S12."""
    pairs = _pairs(facts)
    n = facts.personas
    return mean(np.isin(pairs[:, 1] * n + pairs[:, 0], pairs[:, 0] * n + pairs[:, 1]))


def clustering(facts: Facts) -> float:
    """How often two partners of a member are partners themselves, mean over members of the reply network, [0, 1] (forums: .10 and
    .25; Watts and Strogatz 1998, ties taken without direction); NaN without pairs. S13."""
    import networkx as nx

    graph = reply_graph(facts)
    return float(nx.average_clustering(graph)) if len(graph) else NAN


def degree_assortativity(facts: Facts) -> float:
    """Correlation of the numbers of partners of two members who are partners, [-1, 1] (forums: -.09 and -.15: the busy answer the
    quiet; Newman 2002); NaN where undefined. S13."""
    import networkx as nx

    graph = reply_graph(facts)
    if len({degree for _, degree in graph.degree()}) < 2:
        return NAN
    return float(nx.degree_assortativity_coefficient(graph))


def in_degree_gini(facts: Facts) -> float:
    """Gini of how many different members answered each member of the reply network, [0, 1] (forums: .68 and .81); NaN without
    pairs. S13."""
    return gini(_in_degree(facts))


def reply_graph(facts: Facts) -> nx.Graph:
    """Members tied where one has answered the other in the measured days, without direction and without loops."""
    import networkx as nx

    graph: nx.Graph = nx.Graph()
    graph.add_edges_from(_pairs(facts).tolist())
    return graph


# -- when ------------------------------------------------------------------------------------------------------------------


def burstiness(facts: Facts) -> float:
    """(s - m) / (s + m) of the hours between a member's posts (m mean, s deviation), median over members with 20 posts or more,
    [-1, 1]: 0 a Poisson process, 1 all at once (forums: .36 and .43; Goh and Barabasi 2008). Posts carry whole hours. NaN without
    such members. S14."""
    return median(np.array([_burst(gaps) for gaps in _gaps(facts)]))


def gap_memory(facts: Facts) -> float:
    """Correlation of the logarithms of successive gaps (1 + hours) between a member's posts, median over members with 20 posts or
    more, [-1, 1]: 0 a Poisson process (forums: .10 and .15); NaN without such members. S14."""
    logs = (np.log1p(gaps) for gaps in _gaps(facts))
    found = np.array([correlation(log[:-1], log[1:]) for log in logs])
    return median(found[np.isfinite(found)])


def peak_to_trough(facts: Facts) -> float:
    """Posts in the busiest hour of the day over those in the quietest, >= 1 (forums: 4.0 and 4.3); NaN where an hour of the day
    has no post. S15."""
    hours = _hours(facts)
    return ratio(hours.max(), hours.min())


def hour_entropy(facts: Facts) -> float:
    """Entropy of posts over the hours of the day, as a share of the greatest possible, [0, 1]: 1 day and night alike (forums: .967
    and .974); NaN without posts. S15."""
    return _entropy(_hours(facts)) / np.log(HOURS_PER_DAY)


def first_reply_hours(facts: Facts) -> float:
    """Hours from the opening of a thread to the first answer of another member, median over answered threads, >= 0 (forums: 2.4
    and 18.8); whole hours; NaN without answers. S16."""
    return median(_waits(facts))


def answered_within_day(facts: Facts) -> float:
    """Answered threads whose first answer of another member came within 24 hours, [0, 1]; of threads opened a day or more before
    the end, since the rest had no chance to be late (forums: .85 and .57); NaN without any. S16."""
    return mean(_waits(facts, (facts.days - 1) * HOURS_PER_DAY) <= HOURS_PER_DAY)


# -- newcomers -------------------------------------------------------------------------------------------------------------


def newcomer_one_post(facts: Facts) -> float:
    """Newcomers with one post only, among those who first posted a day or more before the end, [0, 1] (forums, over their whole
    life: .27 and .34); NaN without any. S17."""
    return mean(_posts_of_newcomers(facts)[0] == 1)


def newcomer_one_day(facts: Facts) -> float:
    """Newcomers who posted within one calendar day only, among those who first posted a day or more before the end, [0, 1] (forums:
    .34 and .48); NaN without any. S17."""
    _, first, last, _ = _posts_of_newcomers(facts)
    return mean(first // HOURS_PER_DAY == last // HOURS_PER_DAY)


def newcomer_post_return(facts: Facts) -> float:
    """Newcomers who posted again 1 to 7 days after their first post, among those who first posted a day or more before the end,
    [0, 1] (forums: .28 and .29); NaN without any. S17."""
    return mean(_posts_of_newcomers(facts)[3])


# -- votes -----------------------------------------------------------------------------------------------------------------


def zero_like_share(facts: Facts) -> float:
    """Posts without an upvote, [0, 1] (one forum: .68); NaN without posts. S18."""
    return mean(facts.upvotes[facts.written] == 0)


def like_gini(facts: Facts) -> float:
    """Gini of upvotes per post, those without any included, [0, 1] (one forum: .78); NaN without upvotes. S18."""
    return gini(facts.upvotes[facts.written])


def likes_per_100_reads(facts: Facts) -> float:
    """Upvotes per 100 impressions, >= 0 (one forum: 3.4); NaN without impressions. S18."""
    return 100 * ratio(facts.reactions["up"], len(facts.seen))


# -- groups ----------------------------------------------------------------------------------------------------------------


def ei_replies(facts: Facts) -> float:
    """E-I index of replies to others: (across home groups - within) / all, [-1, 1]: -1 all stay within (Krackhardt and Stern 1988;
    with language models -.89 under a following feed, +.33 under bridging, S29). Two groups of equal size that answer blindly give 0.
    NaN without replies."""
    author, other = _replied(facts)
    return _ei(facts.group[author] != facts.group[other])


def ei_follows(facts: Facts) -> float:
    """E-I index of ties made in the measured days by following, [-1, 1] (base design of a language-model sandbox: -.84, S28); NaN
    without any."""
    group = facts.group
    return _ei(group[facts.column("follows", "follower")] != group[facts.column("follows", "followee")])


def cross_group_seen(facts: Facts) -> float:
    """Impressions of posts by members of the other home group, [0, 1]; NaN without impressions. S29."""
    group = facts.group
    return mean(group[facts.posts.author[facts.seen]] != group[facts.readers])


def exposure_diversity(facts: Facts) -> float:
    """Entropy of the home groups of the authors that a reader saw, in bits, mean over readers with 5 impressions or more, [0, 1]: 0
    one side only, 1 both alike; NaN without such readers. Shannon 1948."""
    ones = np.bincount(facts.readers, facts.group[facts.posts.author[facts.seen]] == 1, minlength=facts.personas)
    all_ = np.bincount(facts.readers, minlength=facts.personas)
    share = ones[all_ >= LEAST_READ] / all_[all_ >= LEAST_READ]
    return mean(_bits(share) + _bits(1 - share))


def partisan_amplification(facts: Facts) -> float:
    """Correlation, over posts written, of how one-sided a post's author is with the upvotes it got, [-1, 1] (language-model sandbox:
    .08 to .19, S28). One-sided: the author's replies across home groups are rare (`one_sidedness`). NaN where undefined."""
    side, written = one_sidedness(facts), facts.written
    of_post = side[facts.posts.author]
    known = written & np.isfinite(of_post)
    return correlation(of_post[known], facts.upvotes[known])


def partisan_following(facts: Facts) -> float:
    """Correlation, over writers, of how one-sided a member is with the followers it gained in the measured days, [-1, 1]
    (language-model sandbox: .04 to .25, S28); NaN where undefined."""
    side = one_sidedness(facts)
    gained = np.bincount(facts.column("follows", "followee"), minlength=facts.personas)
    return correlation(side[np.isfinite(side)], gained[np.isfinite(side)])


def one_sidedness(facts: Facts) -> Array:
    """[personas] |share of a member's upvotes that go to its own home group - .5| * 2, [0, 1]: 1 likes one side only, 0 both alike;
    NaN for members with fewer than 3 upvotes. Personas carry a home group and no strength of it, so behaviour stands in."""
    voter, post = facts.column("reactions", "persona"), facts.column("reactions", "post")
    liked = facts.column("reactions", "reaction") == 1
    voter, author = voter[liked], facts.posts.author[facts.rows_of(post[liked])]
    own = np.bincount(voter, facts.group[voter] == facts.group[author], minlength=facts.personas)
    cast = np.bincount(voter, minlength=facts.personas)
    share = np.divide(own, cast, out=np.full(facts.personas, np.nan), where=cast >= 3)
    return np.abs(share - 0.5) * 2


# -- the table -------------------------------------------------------------------------------------------------------------


STRUCTURE: dict[str, Measure] = catalogue(
    (top10_share, "posts by the busiest tenth", "share", "neither"),
    (top1_share, "posts by the busiest hundredth", "share", "neither"),
    (one_post_share, "posters who post once", "share", "neither"),
    (lurker_share, "visitors who never post", "share", "neither"),
    (tail_alpha, "tail exponent of posting", "exponent", "neither"),
    (tail_ratio, "power law against lognormal", "log-likelihood ratio", "neither"),
    (zero_reply_share, "threads without a reply", "share", "lower"),
    (thread_size_mean, "replies per thread, mean", "posts", "neither"),
    (thread_size_median, "replies per thread, median", "posts", "neither"),
    (thread_size_p90, "replies that a tenth of threads exceed", "posts", "neither"),
    (thread_size_gini, "inequality of threads", "Gini 0 to 1", "neither"),
    (thread_top10_share, "replies in the largest tenth of threads", "share", "neither"),
    (size_tvd, "distance of thread sizes to a forum's", "TVD 0 to 1", "lower"),
    (depth_mean, "depth of replies", "levels", "neither"),
    (depth1_share, "replies to the opening post", "share", "neither"),
    (depth_max_mean, "deepest reply of a thread", "levels", "neither"),
    (depth_tvd, "distance of depths to a forum's", "TVD 0 to 1", "lower"),
    (leaf_share, "replies that nobody answers", "share", "neither"),
    (children_per_reply, "replies to a reply", "posts", "neither"),
    (ping_pong_share, "replies that go back and forth", "share", "neither"),
    (starter_reply_share, "replies by the thread's opener", "share", "neither"),
    (edge_reciprocity, "pairs who answer each other", "share", "neither"),
    (clustering, "clustering of the reply network", "coefficient 0 to 1", "neither"),
    (degree_assortativity, "assortativity of the reply network", "correlation -1 to 1", "neither"),
    (in_degree_gini, "inequality of being answered", "Gini 0 to 1", "neither"),
    (burstiness, "burstiness of posting", "index -1 to 1", "neither"),
    (gap_memory, "memory of gaps between posts", "correlation -1 to 1", "neither"),
    (peak_to_trough, "busiest over quietest hour of the day", "ratio", "neither"),
    (hour_entropy, "evenness of the day", "share", "neither"),
    (first_reply_hours, "wait for the first answer", "hours", "lower"),
    (answered_within_day, "first answers within a day", "share", "higher"),
    (newcomer_one_post, "newcomers who post once", "share", "lower"),
    (newcomer_one_day, "newcomers who post on one day only", "share", "lower"),
    (newcomer_post_return, "newcomers who post again within a week", "share", "higher"),
    (zero_like_share, "posts without an upvote", "share", "neither"),
    (like_gini, "inequality of upvotes", "Gini 0 to 1", "neither"),
    (likes_per_100_reads, "upvotes per 100 readings", "per 100 impressions", "neither"),
    (ei_replies, "E-I index of replies", "index -1 to 1", "neither"),
    (ei_follows, "E-I index of new follow ties", "index -1 to 1", "neither"),
    (cross_group_seen, "reading across home groups", "share", "neither"),
    (exposure_diversity, "mix of home groups in what one reads", "bits 0 to 1", "higher"),
    (partisan_amplification, "one-sidedness and upvotes", "correlation -1 to 1", "lower"),
    (partisan_following, "one-sidedness and new followers", "correlation -1 to 1", "lower"),
    (toxic_author_share, "writers with a toxic post", "share", "lower", LEXICAL),
    (attention_gini, "inequality of attention to writers", "Gini 0 to 1", "neither"),
    (toxic_reading_concentration, "toxic readings by the tenth who meet most", "share", "neither", LEXICAL),
    (toxicity_concentration, "toxic posts by the tenth with most of them", "share", "neither", LEXICAL),
    (toxicity_by_thread_length, "toxicity per doubling of a thread", "score per doubling", "neither", LEXICAL),
    (thread_arousal, "how strongly felt threads are", "score 0 to 1", "neither", LEXICAL),
)  # fmt: skip
"""Every measure of shape by name, in the order of a report."""


def structure(tables: EventTables) -> dict[str, float]:
    """All measures of shape of one run, in the order of STRUCTURE; about a second, most of it imports.

    tables: `frames.Frames`, or anything that hands out the same Arrow tables.
    """
    facts = Facts(tables)
    return {name: float(m.function(facts)) for name, m in STRUCTURE.items()}


# -- parts -----------------------------------------------------------------------------------------------------------------


def _posts_of_posters(facts: Facts) -> Array:
    counts = facts.posts_by_author
    return counts[counts > 0]


def _children(facts: Facts) -> Array:
    """[posts] direct replies in the measured days."""
    return np.bincount(facts.parent_row[facts.replies], minlength=len(facts.posts.id))


def _size_rows(facts: Facts) -> Array:
    """[threads, 8] one-hot: the bin of each thread's size."""
    place = np.searchsorted(SIZE_BINS, facts.thread_sizes, side="right") - 1
    return np.eye(len(SIZE_BINS))[place]


def _depth_rows(facts: Facts) -> Array:
    """[threads, 11] replies at each depth of each thread opened in the measured days."""
    place = np.full(len(facts.posts.id), -1)
    place[facts.opened] = np.arange(len(facts.opened))
    thread = place[facts.root_row[facts.replies]]
    depth = np.minimum(facts.posts.depth[facts.replies], DEEPEST) - 1
    rows = np.zeros((len(facts.opened), DEEPEST))
    np.add.at(rows, (thread[thread >= 0], depth[thread >= 0]), 1)
    return rows


def _shares(rows: Array) -> Array:
    total = rows.sum()
    found: Array = rows.sum(axis=0) / total if total else np.full(rows.shape[1], NAN)
    return found


def _distance(rows: Array, other: Array) -> Distance:
    """rows: [threads, bins]. The floor resamples whole threads (Bayesian bootstrap, Rubin 1981): replies of one thread are alike."""
    shares = _shares(rows)
    if not len(rows) or not np.isfinite(shares).all():
        return Distance(NAN, NAN, len(rows))
    against = np.asarray(other) / np.sum(other)
    weights = Streams(0).exponential("floor", np.arange(_FLOOR_DRAWS)[:, None], np.arange(len(rows))[None])
    again = weights @ rows
    again /= again.sum(axis=1, keepdims=True)
    floor = np.percentile(np.abs(again - shares).sum(axis=1) / 2, 95)
    return Distance(float(np.abs(shares - against).sum() / 2), float(floor), len(rows))


def _replied(facts: Facts) -> tuple[Array, Array]:
    """[replies to others] author, author of the post replied to."""
    author = facts.posts.author[facts.replies]
    other = facts.posts.author[facts.parent_row[facts.replies]]
    return author[author != other], other[author != other]


def _pairs(facts: Facts) -> Array:
    """[pairs, 2] distinct (who answered, whom)."""
    return np.unique(np.stack(_replied(facts), axis=1).astype(np.int64), axis=0)


def _in_degree(facts: Facts) -> Array:
    """[members of the reply network] how many different members answered each."""
    pairs = _pairs(facts)
    counts = np.bincount(pairs[:, 1], minlength=facts.personas)
    return counts[np.unique(pairs)]


def _gaps(facts: Facts) -> list[Array]:
    """Hours between successive posts of each member with 20 posts or more."""
    rows = np.flatnonzero(facts.written)
    author, step = facts.posts.author[rows], facts.posts.step[rows]
    order = np.lexsort((step, author))
    ends = np.cumsum(np.bincount(author, minlength=facts.personas))[:-1]
    return [np.diff(steps) for steps in np.split(step[order], ends) if len(steps) >= LEAST_POSTS]


def _burst(gaps: Array) -> float:
    m, s = gaps.mean(), gaps.std()
    return float((s - m) / (s + m)) if s + m else NAN


def _hours(facts: Facts) -> Array:
    """[24] posts by hour of the day."""
    return np.bincount(facts.posts.step[facts.written] % HOURS_PER_DAY, minlength=HOURS_PER_DAY)


def _entropy(counts: Array) -> float:
    """In nats; NaN without any."""
    if not counts.sum():
        return NAN
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def _bits(share: Array) -> Array:
    """-p log2 p, 0 at 0."""
    return -share * np.log2(np.where(share > 0, share, 1))


def _waits(facts: Facts, opened_before: int | None = None) -> Array:
    """[answered threads] hours until another member answered."""
    posts, root = facts.posts, facts.root_row
    by_others = facts.replies[posts.author[facts.replies] != posts.author[root[facts.replies]]]
    first = np.full(len(posts.id), np.iinfo(np.int64).max)
    np.minimum.at(first, root[by_others], posts.step[by_others])
    rows = facts.opened[first[facts.opened] < np.iinfo(np.int64).max]
    if opened_before is not None:
        rows = rows[posts.step[rows] < opened_before]
    return first[rows] - posts.step[rows]


def _posts_of_newcomers(facts: Facts) -> tuple[Array, Array, Array, Array]:
    """[newcomers who first posted a day or more before the end] posts, first step, last step, whether posted 1 to 7 days later."""
    rows = np.flatnonzero(facts.written & (facts.arrival[facts.posts.author] >= 0)) if facts.personas else np.zeros(0, int)
    author, step = facts.posts.author[rows], facts.posts.step[rows]
    first = np.full(facts.personas, np.iinfo(np.int64).max)
    last = np.full(facts.personas, -1)
    np.minimum.at(first, author, step)
    np.maximum.at(last, author, step)
    later = (step - first[author] >= HOURS_PER_DAY) & (step - first[author] < 8 * HOURS_PER_DAY)
    returned = np.bincount(author, later, minlength=facts.personas) > 0
    early = first < (facts.days - 1) * HOURS_PER_DAY
    return facts.posts_by_author[early], first[early], last[early], returned[early]


def _ei(across: Array) -> float:
    return 2 * mean(across) - 1
