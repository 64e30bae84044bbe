"""The collaborative feed: what people who vote alike like, learnt from votes by matrix factorisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulacra.feeds.ranking import ScoredFeed, Scores, Ties, age
from simulacra.parameters import number
from simulacra.seams import Floats, Ints, Readers, State
from simulacra.streams import Streams

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from simulacra.platform import PlatformView


@dataclass
class Collaborative(ScoredFeed):
    """Truncated singular value decomposition of the latest votes, personas x (authors and topics).

    Posts live for three days and the model is fitted once a day, so a factor for each post would know little of most of them:
    what is factorised is whom and which topics a persona votes up and down, and a post is its author's factor plus its topic's.
    Who has not voted yet is taken for an average voter.
    """

    name = "collaborative"
    about = "What people who vote like the reader have voted up, by author and topic, newer before older."
    known = (
        "Collaborative filtering by matrix factorisation has been the work-horse of recommenders since 2006 (Koren et al. "
        "2009). It favours what is popular already and knows nothing of newcomers until they have voted."
    )
    factors: int = number(8, "factors", "dimensions of taste that are learnt", low=1, high=64, whole=True)
    half_life: float = number(24.0, "hours", "age at which a post's lead has halved", above=0)
    every: float = number(24.0, "hours", "time between two fits", low=24)
    _readers: Floats = field(init=False, repr=False, compare=False, default_factory=lambda: np.zeros((0, 0), np.float32))
    _items: Floats = field(init=False, repr=False, compare=False, default_factory=lambda: np.zeros((0, 0), np.float32))
    _fitted: int = field(init=False, repr=False, compare=False, default=-(10**6))

    def prepare(self, world: PlatformView, step: int) -> None:
        if step - self._fitted < self.every and len(self._readers):
            return
        self._fitted = step
        self._readers, self._items = factorised(_votes(world), self.factors)

    def score(self, posts: Ints, readers: Readers, tie: Ties, world: PlatformView, streams: Streams) -> Scores:
        recency = np.exp2(-age(posts, readers, world) / self.half_life)
        if not len(self._readers):
            return recency
        p, people = world.posts, len(world.population)
        item = _unit(self._items[p.author[posts]] + self._items[people + p.topic[posts].astype(np.int32)])
        reader = self._readers[readers.persona]
        liking = reader @ item.T if posts.ndim == 1 else np.einsum("nf,nmf->nm", reader, item)
        return (1 + liking) * recency

    def state(self) -> State:
        return {"readers": self._readers, "items": self._items, "fitted": np.array([self._fitted])}

    def restore(self, state: State) -> None:
        self._readers, self._items, self._fitted = state["readers"], state["items"], int(state["fitted"][0])


def _votes(world: PlatformView) -> csr_array:
    """The latest votes as a sparse matrix [personas, personas + topics]: sums of votes on each author and on each topic."""
    from scipy.sparse import coo_array

    people, topics = len(world.population), len(world.topic_vectors)
    reader, post, vote = world.recent_votes()
    author, topic = world.posts.author[post], people + world.posts.topic[post].astype(np.int32)
    rows, columns = np.tile(reader, 2), np.concatenate([author, topic])
    return coo_array((np.tile(vote, 2).astype(np.float64), (rows, columns)), shape=(people, people + topics)).tocsr()


def factorised(votes: csr_array, factors: int) -> tuple[Floats, Floats]:
    """Factors of rows (unit length; the mean for rows without votes) and of columns: their products tell votes apart.

    votes: sparse [rows, columns]. Without votes both have no columns at all. Same input, same output: the library's random
    projection has a fixed seed of its own, and only products are used, which do not depend on the factors' signs.
    """
    from sklearn.utils.extmath import randomized_svd  # type: ignore[import-untyped]

    rows, columns = votes.shape
    rank = min(factors, rows, columns)
    if votes.nnz == 0:
        return np.zeros((rows, 0), np.float32), np.zeros((columns, 0), np.float32)
    u, s, vt = randomized_svd(votes, rank, random_state=0)
    readers, items = _unit(u * np.sqrt(s)), (vt.T * np.sqrt(s))
    voted = np.linalg.norm(readers, axis=1) > 0.5
    readers[~voted] = readers[voted].mean(axis=0)
    # The last digits depend on the machine's linear algebra; five decimals do not.
    return np.round(readers, 5), np.round(items, 5).astype(np.float32)


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-6, length, 1), np.float32)
