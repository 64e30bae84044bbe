"""Between ranking and slate: what moderation takes out of a reader's sight or moves down. No feed design knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulacra.seams import Bools, Ints
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView


def reaches(readers: Ints, posts: Ints, world: PlatformView, streams: Streams) -> Bools:
    """Whether each post is shown to its reader at all [n, k]: always, but for posts of limited reach, where the same readers
    see the same post for as long as it stands. readers: [n]; posts: [n, k], -1 empty (which reaches nobody)."""
    if not len(world.posts):
        return np.zeros(posts.shape, bool)
    at = np.maximum(posts, 0)
    reach, shown = world.posts.reach[at], posts >= 0
    row, column = np.nonzero(shown & (reach < 1))
    post = posts[row, column]
    drawn = streams.uniform("reach", readers[row], world.posts.author[post], world.posts.step[post])
    shown[row, column] = drawn < world.posts.reach[post]
    return shown


def delivered(readers: Ints, notices: Ints, world: PlatformView, streams: Streams) -> Ints:
    """Notices without those of replies that do not reach their reader [n, q], -1 empty."""
    return np.where(reaches(readers, notices, world, streams), notices, -1)


def arranged(readers: Ints, ranked: Ints, k: int, world: PlatformView, streams: Streams, *, demotes: bool = True) -> Ints:
    """Slates of k from a longer ranking: posts of limited reach are left out, and demoted ones stand some places lower.

    ranked: [n, more than k], -1 empty. demotes: False for lists that are not ranked (newest first), where nothing moves.
    """
    shown = reaches(readers, ranked, world, streams)
    place = np.broadcast_to(np.arange(ranked.shape[1]), ranked.shape)
    if demotes and len(world.posts):
        # Half a place more, so that a post that loses n places stands below the n that follow it.
        lost = world.posts.demoted[np.maximum(ranked, 0)]
        place = place + np.where(lost > 0, lost + 0.5, 0)
    order = np.argsort(np.where(shown, place, np.inf), axis=1, kind="stable")[:, :k]
    return np.where(np.take_along_axis(shown, order, axis=1), np.take_along_axis(ranked, order, axis=1), -1)
