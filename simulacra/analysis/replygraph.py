"""Who answers whom: the network of replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulacra.analysis.facts import NAN, Array, Facts, gini, mean
from simulacra.analysis.writers import Tail, tail

if TYPE_CHECKING:
    import networkx as nx


def hub_tail(facts: Facts) -> Tail:
    """The tail of how many different members answered each member: whether the reply network has hubs without scale. S5, S13."""
    return tail(_in_degree(facts))


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


def replied(facts: Facts) -> tuple[Array, Array]:
    """[replies to others] author, author of the post replied to."""
    author = facts.posts.author[facts.replies]
    other = facts.posts.author[facts.parent_row[facts.replies]]
    return author[author != other], other[author != other]


def _pairs(facts: Facts) -> Array:
    """[pairs, 2] distinct (who answered, whom)."""
    return np.unique(np.stack(replied(facts), axis=1).astype(np.int64), axis=0)


def _in_degree(facts: Facts) -> Array:
    """[members of the reply network] how many different members answered each."""
    pairs = _pairs(facts)
    counts = np.bincount(pairs[:, 1], minlength=facts.personas)
    return counts[np.unique(pairs)]
