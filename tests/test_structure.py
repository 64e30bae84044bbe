"""The shape of communities whose every thread can be drawn on a napkin."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from handmade import OLD_HAND, HandMade, look, post

from simulacra.analysis.facts import Facts, correlation, gini, slope, top_share
from simulacra.analysis.rhythm import burstiness, gap_memory, hour_entropy, peak_to_trough
from simulacra.analysis.structure import STRUCTURE, structure
from simulacra.analysis.threads import depth_distance, depth_histogram, reference, size_distance, size_histogram
from simulacra.analysis.writers import tail
from simulacra.errors import SpecError


def posted(*rows: tuple[int, int, int, int], **more: dict[int, object]):
    """Posts from (author, parent, step, root), ids in order; depth is counted, more: column -> post -> value."""
    depth: list[int] = []
    made = []
    for i, (author, parent, step, root) in enumerate(rows):
        depth.append(0 if parent < 0 else depth[parent] + 1)
        columns = {name: values[i] for name, values in more.items() if i in values}
        made.append(post(i, author, parent, root, step=step, depth=depth[i], **columns))
    return made


@pytest.fixture
def village() -> HandMade:
    """Six personas over two days; 5 is a newcomer. Thread 0 goes back and forth, 6 gets one answer, 8 none."""
    return HandMade(
        arrival=[OLD_HAND] * 5 + [2],
        group=[0, 0, 0, 1, 1, 1],
        posts=posted(
            (0, -1, 1, 0),
            (1, 0, 2, 0),
            (0, 1, 3, 0),
            (1, 2, 4, 0),
            (0, 3, 5, 0),
            (3, 0, 6, 0),
            (5, -1, 8, 6),
            (2, 6, 12, 6),
            (5, -1, 40, 8),
            toxicity={0: 0.9, 3: 0.6, 4: 0.7, 6: 0.1},
            valence={0: -0.5, 1: 0.7, 2: 0.0, 3: 0.0, 4: 0.0, 5: 0.0, 6: 0.2, 7: 0.2},
        ),
        impressions=[*look(6, 0), *look(5, 6), *look(1, 8)],
        visits=[{"step": s, "persona": p} for s, p in ((1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (8, 5), (40, 5))],
        reactions=[
            {"persona": p, "post": i, "reaction": r}
            for p, i, r in (
                (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 6, 1), (0, 6, -1), (0, 1, 1), (0, 3, 1), (0, 1, 1), (4, 0, 1), (4, 5, 1),
            )
        ],
        follows=[{"step": 3, "follower": 1, "followee": 0}, {"step": 4, "follower": 3, "followee": 0}],
    )  # fmt: skip


COUNTED = {
    "top10_share": 3 / 9,  # of 3, 2, 1, 1, 2 posts
    "top1_share": 3 / 9,
    "one_post_share": 2 / 5,
    "lurker_share": 1 / 6,
    "zero_reply_share": 1 / 3,
    "thread_size_mean": 6 / 3,  # 5, 1, 0 replies
    "thread_size_median": 1,
    "thread_size_p90": 4.2,
    "thread_size_gini": 5 / 9,
    "thread_top10_share": 5 / 6,
    "depth_mean": (1 + 2 + 3 + 4 + 1 + 1) / 6,
    "depth1_share": 3 / 6,
    "depth_max_mean": (4 + 1) / 2,
    "leaf_share": 3 / 6,  # 4, 5 and 7 get no reply
    "children_per_reply": 3 / 6,
    "ping_pong_share": 2 / 2,  # replies 3 and 4
    "starter_reply_share": 2 / 6,
    "edge_reciprocity": 2 / 4,  # 1>0 and 0>1 of 1>0, 0>1, 3>0, 2>5
    "clustering": 0,
    "in_degree_gini": 1 / 2,  # of 2, 1, 0, 0, 1
    "first_reply_hours": 2.5,  # 1 and 4 hours
    "answered_within_day": 1,
    "newcomer_one_post": 0,
    "newcomer_one_day": 0,
    "newcomer_post_return": 1,
    "zero_like_share": 4 / 9,  # of 4, 2, 0, 1, 0, 1, 1, 0, 0
    "likes_per_100_reads": 100 * 9 / 12,
    "ei_replies": 2 * (2 / 6) - 1,  # 3 to 0 and 2 to 5 cross
    "ei_follows": 0,
    "cross_group_seen": (3 + 3 + 1) / 12,
    "toxic_author_share": 2 / 5,
    "toxicity_concentration": 2 / 3,  # the tenth of five writers is one of them
    "thread_arousal": (0.5 + 0.7) / 6,
}


@pytest.mark.parametrize("name", COUNTED)
def test_shapes_equal_what_one_counts_by_hand(village: HandMade, name: str) -> None:
    assert STRUCTURE[name].function(Facts(village)) == pytest.approx(COUNTED[name], abs=1e-6)


def test_toxicity_rises_with_the_length_of_threads(village: HandMade) -> None:
    size, toxicity = np.array([6] * 6 + [2] * 2 + [1]), np.array([0.9, 0, 0, 0.6, 0.7, 0, 0.1, 0, 0])
    expected = np.polyfit(np.log2(size), toxicity, 1)[0]
    assert STRUCTURE["toxicity_by_thread_length"].function(Facts(village)) == pytest.approx(expected, abs=1e-6)
    assert expected > 0


def test_nothing_written_gives_no_number_and_no_error() -> None:
    values = structure(HandMade(arrival=[-5, -5]))
    assert set(values) == set(STRUCTURE)
    assert all(math.isnan(value) for value in values.values())


def test_histograms_have_the_reference_bins(village: HandMade) -> None:
    assert size_histogram(Facts(village)) == pytest.approx(np.array([1, 1, 0, 0, 1, 0, 0, 0]) / 3)
    assert depth_histogram(Facts(village))[:5] == pytest.approx(np.array([3, 1, 1, 1, 0]) / 6)


def many_threads(sizes: list[int]) -> Facts:
    rows = []
    for size in sizes:
        root = len(rows)
        rows += [(0, -1, 0, root), *((1, root, 1, root) for _ in range(size))]
    return Facts(HandMade(arrival=[OLD_HAND] * 2, posts=posted(*rows)))


def test_a_community_with_a_forums_thread_sizes_lies_within_the_floor_of_it() -> None:
    counts = [round(400 * share) for share in reference("slicer")["retest"]["hist_all"]]
    sizes = [s for s, n in zip((0, 1, 2, 3, 4, 6, 9, 14), counts, strict=True) for _ in range(n)]
    found = size_distance(many_threads(sizes))
    assert found.tvd < 0.01
    assert 0.05 < found.floor < 0.11  # n = 300: .086 measured on the forum itself
    assert size_distance(many_threads([0] * 50)).tvd == pytest.approx(1 - 0.132, abs=0.002)
    assert size_distance(many_threads(sizes[::4])).floor > found.floor


def test_depths_are_told_apart() -> None:
    flat = many_threads([4] * 30)
    assert depth_distance(flat, "delving").tvd == pytest.approx(1 - 0.426, abs=0.005)
    with pytest.raises(SpecError, match="slicer, delving"):
        reference("usenet")


def test_a_power_law_is_only_claimed_where_the_ratio_says_so() -> None:
    random = np.random.default_rng(4)
    law = tail(np.floor((1 - random.random(20_000)) ** (-1 / 1.3)).astype(int))
    assert 2.1 < law.alpha < 2.5
    bell = tail(np.ceil(np.exp(random.normal(2.0, 0.6, 3000))).astype(int))
    assert not bell.scale_free
    assert "scale-free" in bell.sentence and "not" in bell.sentence
    few = tail(np.array([1, 2, 0, 3]))
    assert math.isnan(few.alpha) and not few.scale_free and "Too few" in few.sentence


def writing_at(steps: list[int]) -> Facts:
    return Facts(HandMade(arrival=[OLD_HAND], group=[0], posts=posted(*((0, -1, step, i) for i, step in enumerate(steps)))))


def test_regular_writing_is_not_bursty_and_bursts_are() -> None:
    assert burstiness(writing_at(list(range(0, 60, 3)))) == pytest.approx(-1)
    bursts = [day * 50 + hour for day in range(5) for hour in range(6)]
    assert burstiness(writing_at(bursts)) > 0.3
    assert math.isnan(burstiness(writing_at([1, 2, 3])))
    slow_then_fast = [*range(0, 200, 20), *range(200, 215)]
    assert gap_memory(writing_at(slow_then_fast)) > 0.5


def test_the_day_has_a_rhythm() -> None:
    steps = [hour for hour in range(24) for _ in range(4 if hour == 20 else 1)]
    assert peak_to_trough(writing_at(steps)) == 4
    assert hour_entropy(writing_at(list(range(24)))) == pytest.approx(1)
    assert math.isnan(peak_to_trough(writing_at([1, 2])))


def test_graph_measures_are_those_of_networkx(village: HandMade) -> None:
    triangle = HandMade(
        arrival=[OLD_HAND] * 4,
        posts=posted((0, -1, 0, 0), (1, 0, 1, 0), (2, 1, 1, 0), (0, 2, 2, 0), (3, 0, 2, 0)),
    )
    facts = Facts(triangle)
    graph = nx.Graph([(1, 0), (2, 1), (0, 2), (3, 0)])
    assert STRUCTURE["clustering"].function(facts) == pytest.approx(nx.average_clustering(graph))
    assert STRUCTURE["degree_assortativity"].function(facts) == pytest.approx(nx.degree_assortativity_coefficient(graph))


def test_one_sided_members_who_get_the_likes_are_found() -> None:
    """Personas 0 and 1 like their own side only, 2 and 3 both sides; the upvotes and followers go to 0 and 1."""
    likes = [(0, 1)] * 4 + [(1, 0)] * 4 + [(2, 0), (2, 1), (3, 0), (3, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    run = HandMade(
        arrival=[OLD_HAND] * 4,
        group=[0, 0, 0, 1],
        posts=posted(*((i, -1, 0, i) for i in range(4))),
        reactions=[{"step": 1, "persona": who, "post": what, "reaction": 1} for who, what in likes],
        follows=[{"step": 1, "follower": 3, "followee": i} for i in (0, 1)],
    )
    assert STRUCTURE["partisan_amplification"].function(Facts(run)) > 0.5
    assert STRUCTURE["partisan_following"].function(Facts(run)) > 0.5


def test_reading_one_side_only_is_no_diversity() -> None:
    def diversity(seen: list[int]) -> float:
        rows = [{"step": 1, "persona": 0, "post": i} for i in seen]
        run = HandMade(arrival=[OLD_HAND] * 2, group=[0, 1], posts=posted((0, -1, 0, 0), (1, -1, 0, 1)), impressions=rows)
        return STRUCTURE["exposure_diversity"].function(Facts(run))

    assert diversity([0] * 6) == pytest.approx(0)
    assert diversity([0, 1] * 3) == pytest.approx(1)
    assert math.isnan(diversity([0, 1]))


def test_arithmetic_of_known_arrays() -> None:
    assert top_share(np.array([1, 1, 1, 7]), 0.25) == pytest.approx(0.7)
    assert correlation(np.array([1, 2, 3]), np.array([2, 4, 6])) == pytest.approx(1)
    assert slope(np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 9.0])) == pytest.approx(2)
    assert math.isnan(correlation(np.array([1, 1, 1]), np.array([1, 2, 3])))


def test_every_shape_says_what_it_counts_and_where_its_figure_comes_from() -> None:
    assert all(len(m.about) > 60 for m in STRUCTURE.values())
    assert all(m.direction in ("lower", "higher", "neither") for m in STRUCTURE.values())


def test_attention_and_the_burden_of_rudeness_are_shared_out_as_one_counts() -> None:
    """Writers 0 and 1 are read three times and once; reader 2 meets both toxic readings of ten readers' eleven."""
    reads = [(2, 0), (2, 0), (3, 1), *((who, 2) for who in range(4, 12))]
    tables = HandMade(
        arrival=[OLD_HAND] * 12,
        posts=[
            post(0, 0, step=1, toxicity=0.9), post(1, 0, step=2, toxicity=0.1), post(2, 1, step=-3, toxicity=0.1),
            post(3, 1, step=4, toxicity=0.2),
        ],
        impressions=[{"step": 5, "persona": who, "post": what} for who, what in [*reads, (4, 3)]],
    )  # fmt: skip
    facts = Facts(tables)
    assert STRUCTURE["attention_gini"].function(facts) == pytest.approx(gini(np.array([3, 1]))) == pytest.approx(0.25)
    assert STRUCTURE["toxic_reading_concentration"].function(facts) == 1.0
    liked = HandMade([0], posts=[post(i, 0) for i in range(4)], reactions=[{"post": 2, "reaction": 1}] * 3)
    assert STRUCTURE["like_gini"].function(Facts(liked)) == pytest.approx(0.75)  # one of four posts has all upvotes
    assert math.isnan(STRUCTURE["toxic_reading_concentration"].function(Facts(HandMade(arrival=[0]))))
