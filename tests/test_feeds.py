"""Ranking is pure and total, and every design shows something else than its neighbour."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.errors import SpecError
from simulacra.feeds import FEEDS, best_first, make_feed
from simulacra.feeds.ranking import _BLOCKS, _largest
from simulacra.seams import Candidates, Readers
from simulacra.streams import Streams
from support import arm, past, played


@st.composite
def candidates(draw):
    n, c, m = draw(st.integers(1, 6)), draw(st.integers(0, 700)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ids = rng.permutation(c + m * n).astype(np.int32)
    own = np.where(rng.random((n, m)) < 0.3, -1, ids[c:].reshape(n, m)).astype(np.int32)
    status = rng.choice([0, 0, 0, 1, 2], (n, c)).astype(np.int8)
    shared = draw(st.booleans())
    pool_score = rng.normal(size=c if shared else (n, c)).astype(np.float32)
    if draw(st.booleans()):
        pool_score = np.round(pool_score)  # many ties
    return pool_score, rng.normal(size=(n, m)).astype(np.float32), Candidates(ids[:c], own, status, np.zeros((n, c), bool))


@settings(max_examples=150, deadline=None)
@given(candidates(), st.integers(1, 30))
def test_a_slate_holds_the_best_posts_it_may_show_each_once(given_, k):
    pool_score, own_score, c = given_
    slate = best_first(pool_score, own_score, c, k).post
    assert slate.shape == (len(c.own), k)
    for row in range(len(slate)):
        score = pool_score if pool_score.ndim == 1 else pool_score[row]
        offered = {int(p): (1 - int(s), round(float(x), 3), int(p)) for p, s, x in zip(c.pool, c.status[row], score, strict=True) if s < 2}
        offered |= {int(p): (1, round(float(x), 3), int(p)) for p, x in zip(c.own[row], own_score[row], strict=True) if p >= 0}
        shown = [int(p) for p in slate[row] if p >= 0]
        assert len(shown) == len(set(shown)) == min(k, len(offered))
        best = sorted(offered.values(), reverse=True)[: len(shown)]
        got = [offered[p] for p in shown]
        assert [g[0] for g in got] == [b[0] for b in best]  # unread before read
        assert np.allclose([g[1] for g in got], [b[1] for b in best], atol=0.0021)  # scores are compared rounded


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 2500), st.integers(1, _BLOCKS + 5))
@settings(max_examples=60, deadline=None)
def test_the_largest_keys_are_found_without_sorting(seed, n, c, k):
    key = np.argsort(np.random.default_rng(seed).random((n, c)), axis=1).astype(np.int32)
    assert np.array_equal(_largest(key, k), np.sort(key, axis=1)[:, ::-1][:, :k])


def slate(feed, step=0, personas=None, streams=None):
    root = past()
    world = root.platform
    who = np.arange(40, dtype=np.int32) if personas is None else personas
    readers = Readers(who, root.taste[who], root.population.group[who], step)
    world_streams = streams or root.streams
    return feed.rank(readers, world.candidates(who, world.minute(who, step, root.streams), step), 20, world, world_streams).post


@pytest.mark.parametrize("name", FEEDS)
def test_ranking_is_pure_and_each_reader_ranked_by_itself(name):
    feed = make_feed("weighted:recency=1,similarity=1,toxicity=-2" if name == "weighted" else name)
    all_at_once = slate(feed)
    assert np.array_equal(all_at_once, slate(feed))
    assert np.array_equal(all_at_once[7:9], slate(feed, personas=np.array([7, 8], np.int32)))


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_shows_something_else_than_the_others(name):
    mine = slate(make_feed(name))
    # "weighted" as it stands is recency alone, so its neighbour chronological agrees by design; with any weight it does not.
    for other in set(FEEDS) - {name, "weighted", "chronological" if name == "weighted" else ""}:
        assert not np.array_equal(mine, slate(make_feed(other))), other


@pytest.mark.parametrize("weight", ["popularity", "similarity", "tie", "toxicity", "novelty"])
def test_every_weight_of_a_weighted_feed_is_alive(weight):
    assert not np.array_equal(slate(make_feed("weighted")), slate(make_feed(f"weighted:{weight}=3")))


def test_chronological_is_newest_first_and_hot_follows_the_published_formula():
    world = past().platform
    newest = slate(make_feed("chronological"))
    unread = [[p for p in row if p >= 0 and world.unread(np.array([i]), np.array([p]))[0]] for i, row in enumerate(newest)]
    assert any(len(row) > 5 for row in unread)
    assert all(np.all(np.diff(world.posts.time[row]) <= 0) for row in unread)
    posts = np.arange(len(world.posts), dtype=np.int32)
    votes = (world.posts.up[posts] - world.posts.down[posts]).astype(float)
    seconds = 3600 * world.posts.time[posts].astype(float)
    published = np.sign(votes) * np.log10(np.maximum(abs(votes), 1)) + seconds / 45000
    readers = Readers(np.zeros(1, np.int32), past().taste[:1], past().population.group[:1], 0)
    assert np.allclose(make_feed("hot").score(posts, readers, False, world, Streams(1)), published, atol=1e-4)


def test_following_puts_followed_authors_first():
    root = past()
    world = root.platform
    shown = slate(make_feed("following"))
    for reader, row in enumerate(shown):
        row = row[(row >= 0)]
        row = row[world.unread(np.full(len(row), reader), row)]
        tied = np.isin(world.posts.author[row], world.members.followees[reader])
        assert np.all(np.diff(tied.astype(int)) <= 0)


def test_a_penalty_on_toxicity_lowers_what_is_seen_of_it():
    toxicity = {}
    for feed in ("weighted:recency=1", "weighted:recency=1,toxicity=-3"):
        posts = played(arm(feed), days=2).platform.posts
        n = len(posts)
        toxicity[feed] = np.average(posts.toxicity[:n], weights=posts.impressions[:n])
    assert toxicity["weighted:recency=1,toxicity=-3"] < 0.9 * toxicity["weighted:recency=1"]


@pytest.mark.parametrize(
    "text,says",
    [
        ("trending", "No feed design called 'trending'"),
        ("chronologcal", "Did you mean 'chronological'?"),
        ("weighted:recencyy=1", "Did you mean 'recency'?"),
        ("weighted:recency=much", "is not a number"),
        ("weighted:recency", "is not parameter=value"),
        ("hot:hours=0", "must be above 0"),
        ("weighted:toxicity=nan", "is not a number"),
    ],
)
def test_a_feed_that_cannot_be_made_is_named_in_one_line(text, says):
    with pytest.raises(SpecError) as error:
        make_feed(text)
    assert says in str(error.value) and "\n" not in str(error.value)
