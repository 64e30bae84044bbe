"""Feed designs: how candidates become a slate."""

from simulacra.feeds.making import FEEDS, make_feed
from simulacra.feeds.ranking import ScoredFeed, Scores, Ties, affinity, age, best_first, net_votes
from simulacra.parameters import nearest

__all__ = ["FEEDS", "ScoredFeed", "Scores", "Ties", "affinity", "age", "best_first", "make_feed", "nearest", "net_votes"]
