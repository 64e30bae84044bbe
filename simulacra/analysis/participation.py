"""Who takes part and how attention is shared out: posts, replies, visits, readings, votes."""

from __future__ import annotations

import numpy as np

from simulacra.analysis.facts import Facts, gini, mean, ratio


def posts_per_persona(facts: Facts) -> float:
    """Posts per member over all measured days, lurkers counted, >= 0; NaN without members."""
    return ratio(facts.written.sum(), facts.members)


def writers_share(facts: Facts) -> float:
    """Members who posted at least once, [0, 1]; NaN without members."""
    return ratio((facts.posts_by_author > 0).sum(), facts.members)


def replies_per_thread(facts: Facts) -> float:
    """Replies, at any depth, per thread opened in the measured days, >= 0. Threads opened late have had less time: the same in
    all arms of a comparison. NaN without threads."""
    return mean(facts.thread_sizes)


def unanswered_share(facts: Facts) -> float:
    """Threads opened in the measured days to which nobody but their author has replied, [0, 1]; NaN without threads."""
    author, root = facts.posts.author, facts.root_row
    by_others = author != author[root]
    return mean(np.bincount(root[by_others], minlength=len(root))[facts.opened] == 0)


def participation_gini(facts: Facts) -> float:
    """Gini of posts per persona over those who posted, [0, 1]: 0 all alike, 1 one writes all (forums in a week: about .54).

    Lurkers are left out, as the published figures do. NaN without posts.
    """
    counts = facts.posts_by_author
    return gini(counts[counts > 0])


def exposure_gini(facts: Facts) -> float:
    """Gini of impressions per post written in the measured days, posts that nobody saw included, [0, 1]: 0 all equally read.
    NaN without posts."""
    return gini(np.bincount(facts.seen, minlength=len(facts.posts.id))[facts.written])


def attention_gini(facts: Facts) -> float:
    """Gini of impressions per writer, over those who posted in the measured days, of what they wrote then, [0, 1]: 0 all equally read,
    1 one has all the attention. NaN without impressions of such posts."""
    read = facts.seen[facts.written[facts.seen]]
    of_author = np.bincount(facts.posts.author[read], minlength=facts.personas)
    return gini(of_author[facts.posts_by_author > 0])


def impressions_per_visit(facts: Facts) -> float:
    """Posts of the feed looked at per visit (notices of replies not counted), >= 0; NaN without visits."""
    return ratio(facts.feed_impressions, len(facts.visits[0]))


def visits_per_persona_day(facts: Facts) -> float:
    """Visits per member and day, >= 0; NaN without members."""
    return ratio(len(facts.visits[0]), facts.members * facts.days)


def upvote_share(facts: Facts) -> float:
    """Upvotes among votes, [0, 1]; NaN without votes."""
    votes = facts.reactions
    return ratio(votes["up"], votes["up"] + votes["down"])


def votes_per_100_impressions(facts: Facts) -> float:
    """Votes of either sign per 100 impressions, >= 0; NaN without impressions."""
    votes = facts.reactions
    return 100 * ratio(votes["up"] + votes["down"], len(facts.seen))


def zero_like_share(facts: Facts) -> float:
    """Posts without an upvote, [0, 1] (one forum: .68); NaN without posts. S18."""
    return mean(facts.upvotes[facts.written] == 0)


def like_gini(facts: Facts) -> float:
    """Gini of upvotes per post, those without any included, [0, 1] (one forum: .78); NaN without upvotes. S18."""
    return gini(facts.upvotes[facts.written])


def likes_per_100_reads(facts: Facts) -> float:
    """Upvotes per 100 impressions, >= 0 (one forum: 3.4); NaN without impressions. S18."""
    return 100 * ratio(facts.reactions["up"], len(facts.seen))
