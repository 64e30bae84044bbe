"""How rude and how cheerful posts are: as written (`*_written`, each post once) and as seen (`*_seen`, weighted by impressions).

Scores are those that the run itself recorded: toxicity by alt-profanity-check, valence and words by VADER. Violations are counted
against each draft's truth, never against a scorer.
"""

from __future__ import annotations

from simulacra.analysis.facts import Facts, mean

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
