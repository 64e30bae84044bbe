"""Hits that nobody can foretell: the Music Lab of Salganik, Dodds and Watts 2006 (Science 311:854-856).

Listeners come one after another to a shop of songs, try some and download what they like. Shown what earlier listeners of
their own world downloaded, they try popular songs more often. The more they follow others, the less equal the songs' success,
and the more it differs between worlds that began alike: with strong influence the best song wins some worlds and goes under in
others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.streams import Streams

F64 = NDArray[np.float64]

SONGS, LISTENERS = 48, 700
"""As in the experiment: 48 songs, about 700 listeners in each of its eight worlds."""
TRIES = 4
"""Songs that a listener tries (the experiment's subjects listened to 3 to 8, our choice)."""
APPEAL = 0.05, 0.9
"""Chance that a song which was tried is downloaded, from the least to the most appealing song (ours: a few good songs, many
poor ones)."""


def appeal() -> F64:
    """[songs] chance of a download once tried, ascending by equal factors: the last song is best. Alike in all worlds."""
    return np.geomspace(*APPEAL, SONGS)


def downloads(influence: float, seeds: Sequence[int], listeners: int = LISTENERS) -> F64:
    """Downloads by song in one world a seed [seeds, songs].

    influence: 0 listeners try songs blindly; 1 in proportion to one more than what others downloaded; 2 to its square, as an
    eye that begins at the top of a chart does.
    """
    each, who, songs = [Streams(seed) for seed in seeds], np.arange(listeners)[:, None], np.arange(SONGS)
    noise = np.array([s.gumbel("try", who, songs) for s in each])
    likes = np.array([s.uniform("like", who, songs) for s in each]) < appeal()
    count, rows = np.zeros((len(seeds), SONGS)), np.arange(len(seeds))[:, None]
    for listener in range(listeners):
        attraction = influence * np.log1p(count) + noise[:, listener]
        tried = np.argpartition(attraction, -TRIES, axis=1)[:, -TRIES:]
        count[rows, tried] += likes[rows, listener, tried]
    return count


def first_impressions(seeds: Sequence[int], listeners: int = LISTENERS) -> F64:
    """Share of songs that listeners would like on hearing them, [seeds] in [0, 1]: settled before anybody is shown a chart, so
    no influence can move it (a negative control)."""
    who, songs = np.arange(listeners)[:, None], np.arange(SONGS)
    return np.array([(Streams(seed).uniform("like", who, songs) < appeal()).mean() for seed in seeds])


def best_song_share(count: F64) -> F64:
    """Market share of the most appealing song, [seeds] in [0, 1]; 0 where nothing was downloaded. count: [seeds, songs]."""
    return np.asarray(count[:, -1] / np.maximum(count.sum(axis=1), 1))


def inequality(count: F64) -> F64:
    """Gini of the songs' market shares, [seeds] in [0, 1)."""
    ordered = np.sort(count, axis=1)
    rank = 2 * np.arange(1, SONGS + 1) - SONGS - 1
    return np.asarray(ordered @ rank / (SONGS * np.maximum(count.sum(axis=1), 1)))


def unpredictability(count: F64) -> float:
    """Mean difference of a song's market share between two worlds, over songs and pairs of worlds, [0, 1]; 0 for one world."""
    share = count / np.maximum(count.sum(axis=1, keepdims=True), 1)
    worlds = len(share)
    if worlds < 2:
        return 0.0
    apart = np.abs(share[:, None] - share[None])
    return float(apart.sum() / (worlds * (worlds - 1) * SONGS))
