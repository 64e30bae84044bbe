"""How rude and how cheerful posts are: as written (`*_written`, each post once) and as seen (`*_seen`, weighted by impressions).

Scores are those that the run itself recorded: toxicity by alt-profanity-check, valence and words by VADER. Violations are counted
against each draft's truth, never against a scorer.
"""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import Array, Facts, mean, slope, top_share

TOXIC = 0.5
"""A post whose toxicity is above this counts as toxic. On the lexical scorer's own scale: for comparing, not as a rate."""
_EMOTIONAL = 0.05
"""VADER's own convention: compound above .05 is positive, below -.05 negative (Hutto and Gilbert 2014)."""


def toxicity_written(facts: Facts) -> float:
    """Mean toxicity of posts, [0, 1]; lower is calmer; NaN without posts."""
    return mean(facts.posts.toxicity[facts.written])


def valence_written(facts: Facts) -> float:
    """Mean valence (VADER compound) of posts, [-1, 1]; higher is more cheerful; NaN without posts."""
    return mean(facts.posts.valence[facts.written])


def positive_words(facts: Facts) -> float:
    """Positive words among the words of a post, mean over posts, [0, 1] (Kramer et al. 2014 with LIWC); NaN without posts."""
    return mean(facts.posts.positive[facts.written])


def negative_words(facts: Facts) -> float:
    """Negative words among the words of a post, mean over posts, [0, 1] (Kramer et al. 2014 with LIWC); NaN without posts."""
    return mean(facts.posts.negative[facts.written])


def positive_share(facts: Facts) -> float:
    """Share of posts with valence above .05, [0, 1]; NaN without posts."""
    return mean(facts.posts.valence[facts.written] > _EMOTIONAL)


def negative_share(facts: Facts) -> float:
    """Share of posts with valence below -.05, [0, 1]; NaN without posts."""
    return mean(facts.posts.valence[facts.written] < -_EMOTIONAL)


def toxic_share(facts: Facts) -> float:
    """Share of posts with toxicity above .5, [0, 1]; lower is calmer; NaN without posts."""
    return mean(facts.posts.toxicity[facts.written] > TOXIC)


def violations_per_100(facts: Facts) -> float:
    """Posts whose truth is some kind of violation, per 100 posts, [0, 100]; NaN without posts."""
    return 100 * mean(facts.posts.violation[facts.written])


def toxicity_seen(facts: Facts) -> float:
    """Mean toxicity over impressions, [0, 1]: a post read ten times counts ten times; NaN without impressions."""
    return mean(facts.posts.toxicity[facts.seen])


def valence_seen(facts: Facts) -> float:
    """Mean valence over impressions, [-1, 1]; NaN without impressions."""
    return mean(facts.posts.valence[facts.seen])


def toxic_seen_share(facts: Facts) -> float:
    """Share of impressions that are of posts with toxicity above .5, [0, 1]; NaN without impressions."""
    return mean(facts.posts.toxicity[facts.seen] > TOXIC)


def violations_seen_per_100(facts: Facts) -> float:
    """Impressions of posts whose truth is some kind of violation, per 100 impressions, [0, 100]; NaN without impressions."""
    return 100 * mean(facts.posts.violation[facts.seen])


# -- who is rude, where, to whom -------------------------------------------------------------------------------------------


def toxicity_severity(facts: Facts) -> float:
    """Mean toxicity of the posts that are toxic (over .5), [.5, 1]; lower is milder; NaN without toxic posts."""
    toxicity = facts.posts.toxicity[facts.written]
    return mean(toxicity[toxicity > TOXIC])


def toxic_author_share(facts: Facts) -> float:
    """Writers with at least one toxic post (over .5), [0, 1] (Reddit, over years: .13 to .16, S35); NaN without writers."""
    return mean(_toxic_posts(facts)[facts.posts_by_author > 0] > 0)


def toxicity_concentration(facts: Facts) -> float:
    """Toxic posts (over .5) written by the tenth of all writers who write most of them, as a share of all toxic posts, [0, 1]: .1 is
    the least, all alike; 1 all by a few. NaN without toxic posts. S35."""
    return top_share(_toxic_posts(facts)[facts.posts_by_author > 0], 0.1)


def toxic_reading_concentration(facts: Facts) -> float:
    """Readings of toxic posts (over .5) by the tenth of all readers who meet most of them, as a share of all such readings, [0, 1]: .1
    is the least, all alike; 1 a few bear it all. NaN without such readings."""
    toxic = facts.posts.toxicity[facts.seen] > TOXIC
    came = np.bincount(facts.readers, minlength=facts.personas) > 0
    return top_share(np.bincount(facts.readers[toxic], minlength=facts.personas)[came], 0.1)


def toxicity_of_openings(facts: Facts) -> float:
    """Mean toxicity of posts that open a thread, [0, 1]; NaN without any."""
    return mean(facts.posts.toxicity[facts.opened])


def toxicity_of_replies(facts: Facts) -> float:
    """Mean toxicity of replies, [0, 1]; NaN without any."""
    return mean(facts.posts.toxicity[facts.replies])


def toxicity_by_depth(facts: Facts) -> float:
    """Change in the toxicity of a reply per level of depth, over replies; above 0: deeper is ruder; NaN where all are equally deep."""
    rows = facts.replies
    return slope(facts.posts.depth[rows].astype(np.float64), facts.posts.toxicity[rows].astype(np.float64))


def toxicity_by_thread_length(facts: Facts) -> float:
    """Change in the toxicity of a post per doubling of its thread's posts, over all posts of threads opened in the measured days
    (above 0: longer threads are more toxic, as on eight platforms, S35); NaN where all threads are equally long."""
    size = np.zeros(len(facts.posts.id))
    size[facts.opened] = facts.thread_sizes + 1
    of_post = size[facts.root_row]
    inside = of_post > 0
    return slope(np.log2(of_post[inside]), facts.posts.toxicity[inside].astype(np.float64))


def toxicity_across_groups(facts: Facts) -> float:
    """Mean toxicity of replies to the other home group minus that of replies within one's own, [-1, 1]; above 0: ruder across; NaN
    where one of them is missing. Replies to oneself are left out."""
    posts, rows = facts.posts, facts.replies
    author, other = posts.author[rows], posts.author[facts.parent_row[rows]]
    across = facts.group[author] != facts.group[other]
    return mean(posts.toxicity[rows[across]]) - mean(posts.toxicity[rows[~across & (author != other)]])


def toxicity_group_gap(facts: Facts) -> float:
    """Difference between the home groups in the mean toxicity of what they write, [0, 1], without sign; NaN where one is silent."""
    rows = np.flatnonzero(facts.written)
    group = facts.group[facts.posts.author[rows]]
    return abs(mean(facts.posts.toxicity[rows[group == 0]]) - mean(facts.posts.toxicity[rows[group == 1]]))


def thread_arousal(facts: Facts) -> float:
    """How strongly felt threads are: the mean of |valence| within a thread, mean over threads with 2 replies or more, [0, 1]. A
    stand-in: VADER has no axis of arousal, so calm sadness counts like anger; NaN without such threads."""
    n = len(facts.posts.id)
    inside = np.flatnonzero(facts.written)
    strength = np.bincount(facts.root_row[inside], np.abs(facts.posts.valence[inside]), minlength=n)
    return mean((strength[facts.opened] / (facts.thread_sizes + 1))[facts.thread_sizes >= 2])


# -- by truth --------------------------------------------------------------------------------------------------------------


def uncivil_per_100(facts: Facts) -> float:
    """Posts meant to insult or harass, per 100 posts, [0, 100]; by the author's intent, which no scorer sees; NaN without posts."""
    return 100 * mean(facts.posts.uncivil[facts.written])


def uncivil_seen_per_100(facts: Facts) -> float:
    """Impressions of posts meant to insult or harass, per 100 impressions, [0, 100]; by the author's intent, which no scorer sees:
    the judge of designs that act by a scorer. NaN without impressions."""
    return 100 * mean(facts.posts.uncivil[facts.seen])


def _toxic_posts(facts: Facts) -> Array:
    """[personas] toxic posts written."""
    toxic = facts.written & (facts.posts.toxicity > TOXIC)
    return np.bincount(facts.posts.author[toxic], minlength=facts.personas)
