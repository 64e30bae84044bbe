"""Ranking is pure and total, and every design shows something else than its neighbour."""

import sys
from functools import cache
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from support import arm, past, played, simulation

from simulacra.errors import SpecError
from simulacra.feeds import FEEDS, best_first, make_feed, plugin
from simulacra.feeds.civic import bridging_score
from simulacra.feeds.collaborative import factorised
from simulacra.feeds.ranking import _BLOCKS, _largest
from simulacra.seams import Candidates, Readers
from simulacra.streams import Streams


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
        offered = {
            int(p): (1 - int(s), round(float(x), 3), int(p))
            for p, s, x in zip(c.pool, c.status[row], score, strict=True)
            if s < 2
        }
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


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_starts_from_nothing_and_serves_a_larger_community(name):
    """The first posts of a community that has none, and more members than a small integer holds."""
    sim = simulation(arm(name, behaviour=LIVELY), personas=200)
    sim.play(-1)
    assert len(sim.platform.posts) > 20


LIVELY = {"write": 0.4, "upvote": -1.5, "downvote": -2.5, "insult": -2}
"""A community with enough posts and votes to rank by."""


@cache
def lively():
    """To look at, never to play on."""
    return played(arm("chronological", behaviour=LIVELY), days=1)


def readers_of(sim, personas):
    return Readers(personas, sim.taste[personas], sim.population.group[personas], sim.step)


def slate(feed, personas=None, k=20):
    sim = lively()
    who = np.arange(40, dtype=np.int32) if personas is None else personas
    feed.prepare(sim.platform, sim.step)
    given_ = sim.platform.candidates(who, sim.platform.minute(who, sim.step, sim.streams), sim.step)
    return feed.rank(readers_of(sim, who), given_, k, sim.platform, sim.streams).post


@pytest.mark.parametrize("name", FEEDS)
def test_ranking_is_pure_and_each_reader_ranked_by_itself(name):
    feed = make_feed("weighted:recency=1,similarity=1,toxicity=-2" if name == "weighted" else name)
    all_at_once = slate(feed)
    assert np.array_equal(all_at_once, slate(feed))
    assert np.array_equal(all_at_once[7:9], slate(feed, personas=np.array([7, 8], np.int32)))


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_shows_something_else_than_the_others(name):
    mine = slate(make_feed(name))
    # As they stand, "weighted" is recency alone and "hide_counts" ranks as "hot" does: by design, and told apart below.
    alike = ({"weighted", "chronological"}, {"hide_counts", "hot"})
    for other in FEEDS:
        if other != name and {name, other} not in alike:
            assert not np.array_equal(mine, slate(make_feed(other))), other


@pytest.mark.parametrize("weight", ["popularity", "similarity", "tie", "toxicity", "novelty"])
def test_every_weight_of_a_weighted_feed_is_alive(weight):
    assert not np.array_equal(slate(make_feed("weighted")), slate(make_feed(f"weighted:{weight}=3")))


def posts_shown(feed, **kwargs):
    """Rows of unread posts shown, for each of forty readers."""
    world, shown = lively().platform, slate(make_feed(feed), **kwargs)
    rows = [row[row >= 0] for row in shown]
    return [row[world.unread(np.full(len(row), reader), row)] for reader, row in enumerate(rows)]


def test_chronological_is_newest_first_and_hot_follows_the_published_formula():
    world = lively().platform
    unread = posts_shown("chronological")
    assert any(len(row) > 5 for row in unread)
    assert all(np.all(np.diff(world.posts.time[row]) <= 0) for row in unread)
    posts = np.arange(len(world.posts), dtype=np.int32)
    votes = (world.posts.up[posts] - world.posts.down[posts]).astype(float)
    seconds = 3600 * world.posts.time[posts].astype(float)
    published = np.sign(votes) * np.log10(np.maximum(abs(votes), 1)) + seconds / 45000
    readers = readers_of(lively(), np.zeros(1, np.int32))._replace(step=0)
    assert np.allclose(make_feed("hot").score(posts, readers, False, world, Streams(1)), published, atol=1e-4)


def test_following_puts_followed_authors_first():
    world = lively().platform
    for reader, row in enumerate(posts_shown("following")):
        tied = np.isin(world.posts.author[row], world.members.followees[reader])
        assert np.all(np.diff(tied.astype(int)) <= 0)


def test_top_shows_the_most_voted_posts_of_its_window_and_older_ones_last():
    world = lively().platform
    for row in posts_shown("top:hours=30"):
        votes = world.posts.up[row] - world.posts.down[row]
        old = 24 - world.posts.time[row] > 30
        assert np.all(np.diff(old.astype(int)) >= 0)
        assert np.all(np.diff(votes[~old]) <= 0) and np.all(np.diff(votes[old]) <= 0)


def tallied(near_up, near_down, far_up, far_down):
    world = lively().platform
    kept = {name: getattr(world.posts, name)[0] for name in ("up", "down", "up_far", "down_far")}
    world.posts.up[0], world.posts.down[0], world.posts.up_far[0], world.posts.down_far[0] = (
        near_up + far_up, near_down + far_down, far_up, far_down,
    )  # fmt: skip
    score = float(bridging_score(np.zeros(1, np.int32), world, 2)[0])
    for name, value in kept.items():
        getattr(world.posts, name)[0] = value
    return score


def test_bridging_wants_approval_from_both_sides():
    assert tallied(0, 0, 0, 0) == pytest.approx(0.25)
    assert tallied(3, 0, 3, 0) > tallied(6, 0, 0, 0) > tallied(0, 0, 0, 0)
    assert tallied(60, 0, 0, 0) < 0.5 < tallied(5, 0, 5, 0)
    assert tallied(9, 0, 0, 9) < tallied(0, 0, 0, 0)


def test_cross_group_shows_more_of_the_other_side():
    group, author = lively().population.group, lively().platform.posts.author
    share = {}
    for feed in ("chronological", "cross_group"):
        share[feed] = np.mean(np.concatenate([group[author[row[:8]]] != group[i] for i, row in enumerate(posts_shown(feed))]))
    assert share["cross_group"] > share["chronological"] + 0.1


@pytest.mark.parametrize("feed,column,sign", [("downrank_toxic", "toxicity", -1), ("boost_positive", "valence", 1)])
def test_feeds_that_look_at_words_show_what_they_promise(feed, column, sign):
    value = getattr(lively().platform.posts, column)
    mean = {f: np.mean(np.concatenate([value[row[:8]] for row in posts_shown(f)])) for f in ("chronological", feed)}
    assert sign * (mean[feed] - mean["chronological"]) > 0.02


def test_diversified_varies_the_topics_and_keeps_the_base_at_full_relevance():
    world = lively().platform
    alike = world.topic_vectors @ world.topic_vectors.T

    def likeness(feed):
        topics = [world.posts.topic[row[:8]] for row in posts_shown(feed)]
        return np.mean([alike[np.ix_(t, t)].mean() for t in topics if len(t) == 8])

    assert likeness("diversified:base=personalised,relevance=0.3") < likeness("personalised") - 0.05
    assert np.array_equal(slate(make_feed("diversified:relevance=1")), slate(make_feed("hot")))


def test_downplay_dominant_caps_each_authors_share():
    author = lively().platform.posts.author
    most = {}
    for feed in ("hot", "downplay_dominant:share=0.05", "downplay_dominant:share=0.1"):
        shown = slate(make_feed(feed))
        most[feed] = max(np.bincount(author[row[row >= 0]]).max() for row in shown)
    assert most["downplay_dominant:share=0.05"] == 1 < most["downplay_dominant:share=0.1"] == 2 < most["hot"]


def test_a_re_ranking_takes_any_base_with_its_parameters():
    hidden = make_feed("hide_counts", {"base": "weighted:toxicity=-2"})
    assert np.array_equal(slate(hidden), slate(make_feed("weighted:toxicity=-2")))
    assert hidden.watches == ("toxicity",) and hidden.scorer == "lexical"


def test_hidden_counts_stop_the_herd():
    """Nobody follows a crowd that it cannot see: with counts hidden, herding has nothing to act on."""
    herd = {"herding": 2, "correction": "off", "upvote": -1, "downvote": -1.5}
    hidden = [played(arm("hide_counts", behaviour={**herd, "herding": h})).recorder.digest for h in (2, "off")]
    shown = [played(arm("hot", behaviour={**herd, "herding": h})).recorder.digest for h in (2, "off")]
    assert hidden[0] == hidden[1] == shown[1] != shown[0]


def test_a_mixture_fills_each_place_from_its_feeds_in_their_shares():
    hot, newest = (slate(make_feed(f), k=8) for f in ("hot", "chronological"))
    mixed = slate(make_feed("mix:hot=0.75,chronological=0.25"), k=8)
    assert np.array_equal(slate(make_feed("mix:hot=1")), slate(make_feed("hot")))
    tops = mixed[:, 0]
    told_apart = hot[:, 0] != newest[:, 0]
    assert told_apart.sum() > 20
    assert 0.55 < np.mean(tops[told_apart] == hot[told_apart, 0]) < 0.95
    assert np.all((tops == hot[:, 0]) | (tops == newest[:, 0]))


def test_collaborative_learns_from_votes_what_interests_do_not_say():
    """Two camps of voters, each of which votes one author up and the other down, are shown different authors first."""
    sim = past().fork(arm("collaborative", behaviour=LIVELY), past().recorder.fork())
    world, feed = sim.platform, sim.arm.feed
    authors, count = np.unique(world.posts.author[: len(world.posts)], return_counts=True)
    a, b = authors[np.argsort(-count)[:2]]
    post_of = {x: np.flatnonzero(world.posts.author[: len(world.posts)] == x)[0] for x in (a, b)}
    voters = np.setdiff1d(np.arange(60), [a, b])
    rows = [(v, post_of[x], 1 if (v % 2) == (x == a) else -1) for v in voters for x in (a, b)]
    world._votes[: len(rows)], world._voted = rows, len(rows)
    feed.prepare(world, 0)
    who = voters[:2].astype(np.int32)
    posts = np.array([post_of[a], post_of[b]], np.int32)
    world.posts.time[posts] = -2.0
    world.posts.topic[posts] = 0
    likes_a = feed.score(posts, readers_of(sim, who), False, world, sim.streams)
    for reader, (for_a, for_b) in zip(who, likes_a, strict=True):
        assert (for_a > for_b) == bool(reader % 2)


def test_collaborative_fits_at_most_daily_and_takes_up_its_state():
    sim, feed = lively(), make_feed("collaborative")
    feed.prepare(sim.platform, 24)
    first = feed.state()
    feed.prepare(sim.platform, 47)
    assert feed.state()["fitted"] == 24
    again = make_feed("collaborative")
    again.restore(first)
    again.prepare(sim.platform, 30)
    who = np.arange(5, dtype=np.int32)
    posts = np.arange(20, dtype=np.int32)
    scores = [f.score(posts, readers_of(sim, who), False, sim.platform, sim.streams) for f in (feed, again)]
    assert np.array_equal(*scores) and np.std(scores[0]) > 0
    feed.prepare(sim.platform, 48)
    assert feed.state()["fitted"] == 48


def test_collaborative_does_without_votes_and_without_company():
    votes = csr_array((3, 5))
    assert all(f.shape[1] == 0 for f in factorised(votes, 8))
    assert [f.shape for f in factorised(csr_array(np.ones((1, 3))), 8)] == [(1, 1), (3, 1)]


@pytest.mark.parametrize("feed", ["collaborative", "mix:collaborative=0.5,hot=0.5", "diversified:base=collaborative"])
def test_a_feed_that_learns_ends_in_the_same_digest_when_taken_up_again(feed):
    design = {"feed": feed, "behaviour": LIVELY}
    whole, first = played(arm(**design), days=2), played(arm(**design), days=1)
    resumed = past().fork(arm(**design), first.recorder)
    resumed.restore(first.state())
    resumed.play(2)
    assert resumed.recorder.digest == whole.recorder.digest


def mean_seen(feed, column):
    """Mean of a property of posts over what the feed showed in two days of a community that writes more than it reads."""
    sim = played(arm(feed, behaviour={"insult": -2, "write": 0.6, "browse_new": 0}), days=2, personas=120)
    seen = sim.recorder.frames().table("impressions")
    return getattr(sim.platform.posts, column)[seen.post[seen.source == "feed"]].mean()


def test_a_penalty_on_toxicity_lowers_what_is_seen_of_it():
    for feed, penalised in (("weighted:recency=1", "weighted:recency=1,toxicity=-3"), ("chronological", "downrank_toxic")):
        assert mean_seen(penalised, "toxicity") < 0.7 * mean_seen(feed, "toxicity")


def test_a_feed_that_boosts_the_positive_makes_reading_more_cheerful():
    assert mean_seen("boost_positive", "valence") > mean_seen("chronological", "valence") + 0.03


OWN = """
from dataclasses import dataclass
import numpy as np
from simulacra.feeds import ScoredFeed, age
from simulacra.seams import Slates

@dataclass(frozen=True)
class Oldest(ScoredFeed):
    weight: float = 1.0
    def score(self, posts, readers, tie, world, streams):
        return self.weight * age(posts, readers, world)

class Bad(ScoredFeed):
    def rank(self, readers, candidates, k, world, streams):
        post = super().rank(readers, candidates, k, world, streams).post
        return Slates(self.spoil(post, candidates))
    def score(self, posts, readers, tie, world, streams):
        return -age(posts, readers, world)

class Stranger(Bad):
    def spoil(self, post, candidates):
        post[0, 0] = 10**6
        return post

class Twice(Bad):
    def spoil(self, post, candidates):
        post[0, 1] = post[0, 0]
        return post

class TooMany(Bad):
    def spoil(self, post, candidates):
        return np.hstack([post, post])

class Few(Bad):
    def spoil(self, post, candidates):
        return post[:, :3]

class Nothing(Bad):
    def spoil(self, post, candidates):
        return None

class Soon(Bad):
    def spoil(self, post, candidates):
        row, column = np.nonzero(candidates.status == 2)
        post[row[0], 0] = candidates.pool[column[0]]
        return post

@dataclass(frozen=True)
class Needs(ScoredFeed):
    weight: float

class NoFeed:
    pass

function = len
"""


@pytest.fixture
def own_feeds(tmp_path, monkeypatch):
    (tmp_path / "own_feeds.py").write_text(OWN)
    (tmp_path / "broken_feeds.py").write_text("raise RuntimeError('no network')")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_feeds", None)


@pytest.mark.usefixtures("own_feeds")
def test_a_ranker_of_ones_own_plugs_in_with_parameters():
    before = list(sys.path)
    oldest, newest = slate(make_feed("own_feeds:Oldest")), slate(make_feed("own_feeds:Oldest:weight=-1"))
    assert np.array_equal(newest, slate(make_feed("chronological"))) and not np.array_equal(oldest, newest)
    assert np.array_equal(newest, slate(make_feed("own_feeds:Oldest", {"weight": -1})))
    assert (slate(make_feed("own_feeds:Few")) >= 0).sum(axis=1).tolist() == [3] * 40
    assert sys.path == before


def test_a_ranker_of_another_package_is_known_by_its_name(monkeypatch):
    entry = EntryPoint("oldest", "simulacra.feeds.classic:Chronological", plugin.GROUP)
    monkeypatch.setattr(plugin, "entry_points", lambda group, name=None: [entry] if name in (None, "oldest") else [])
    assert np.array_equal(slate(make_feed("oldest")), slate(make_feed("chronological")))
    with pytest.raises(SpecError, match=r"Known: .*oldest"):
        make_feed("oldets")


@pytest.mark.usefixtures("own_feeds")
@pytest.mark.parametrize(
    "text,says",
    [
        ("nowhere:Class", "cannot be imported (ModuleNotFoundError"),
        ("own_feeds:Absent", "cannot be imported (AttributeError"),
        ("broken_feeds:Any", "cannot be imported (RuntimeError: no network)"),
        ("own_feeds:function", "Name a class"),
        ("own_feeds:NoFeed", "has no method 'prepare'"),
        ("own_feeds:Needs", "Every parameter needs a default"),
        ("own_feeds:Oldest:wieght=1", "Did you mean 'weight'?"),
        ("own_feeds:Bad:weight=1", "takes no parameters"),
    ],
)
def test_a_ranker_that_cannot_be_used_is_named_in_one_line(text, says):
    with pytest.raises(SpecError) as error:
        make_feed(text)
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.usefixtures("own_feeds")
@pytest.mark.parametrize(
    "name,says",
    [
        ("Stranger", "post 1000000, which it was not given"),
        ("Soon", "which it was not given"),
        ("Twice", "twice in one slate"),
        ("TooMany", "returned 40 posts for a slate of 20"),
        ("Nothing", "nothing that holds posts"),
    ],
)
def test_a_ranker_that_returns_what_it_may_not_is_stopped_in_one_line(name, says):
    with pytest.raises(SpecError) as error:
        slate(make_feed(f"own_feeds:{name}"))
    assert says in str(error.value) and "\n" not in str(error.value)


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
        ("top:hours=-1", "must be above 0"),
        ("diversified:relevance=2", "is not a number from 0 to 1"),
        ("diversified:base=hott", "Did you mean 'hot'?"),
        ("hide_counts:base=3", "No feed design called '3'"),
        ("downplay_dominant:share=0", "must be above 0, at most 1"),
        ("collaborative:factors=2.5", "is not a whole number"),
        ("collaborative:every=1", "is not a number 24 or more"),
        ("mix:hot=0,random=0", "sum to nothing"),
        ("mix:hot=-1", "is not a number of 0 or more"),
        ("mix:hot=much", "is not a number of 0 or more"),
        ("mix:hott=1", "Did you mean 'hot'?"),
    ],
)
def test_a_feed_that_cannot_be_made_is_named_in_one_line(text, says):
    with pytest.raises(SpecError) as error:
        make_feed(text)
    assert says in str(error.value) and "\n" not in str(error.value)
