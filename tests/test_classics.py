"""Known answers: published segregation levels, bank runs in their three regions, hits that nobody can foretell."""

from __future__ import annotations

import numpy as np
import pytest

from simulacra.analysis.stability import stability_of
from simulacra.classics import CLASSICS, SCHELLING_SHARES, bank_run, find, music_lab, play, schelling
from simulacra.errors import SpecError
from simulacra.streams import Streams

SEEDS = range(1, 17)


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_schelling_ends_at_the_known_share_and_alike_in_every_seed(threshold: float) -> None:
    shares = [schelling.final_share(threshold, Streams(seed)) for seed in range(1, 9)]
    assert np.mean(shares) == pytest.approx(SCHELLING_SHARES[threshold], abs=0.03)
    assert stability_of({"share": shares}, 0.03).word == "convergent"


@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.8])
def test_schelling_with_strong_wishes_ends_at_the_known_share(threshold: float) -> None:
    assert schelling.final_share(threshold, Streams(1)) == pytest.approx(SCHELLING_SHARES[threshold], abs=0.03)


def test_schelling_moves_people_and_makes_none() -> None:
    grid = schelling.beginning(Streams(3), 20, 0.9)
    before = np.bincount(grid.ravel())
    alike, known = schelling.neighbours(grid)
    unhappy = np.flatnonzero((grid > 0) & (alike < 0.5 * known))
    schelling.move(grid, unhappy, 0, Streams(3))
    assert before.tolist() == np.bincount(grid.ravel()).tolist() == [40, 180, 180]


def test_schelling_counts_the_eight_places_around_on_a_torus() -> None:
    grid = np.zeros((5, 5), np.int8)
    grid[0, 0] = grid[4, 4] = grid[0, 1] = 1
    grid[1, 1] = 2
    alike, known = schelling.neighbours(grid)
    assert (alike[0, 0], known[0, 0]) == (2, 3) and (alike[1, 1], known[1, 1]) == (0, 2)


def test_nobody_can_move_in_a_full_town() -> None:
    assert 0.4 < schelling.final_share(0.5, Streams(1), side=10, filled=1.0, most_steps=3) < 0.6


@pytest.mark.parametrize("eta, level", [(0.4, 0), (0.5, 0), (0.8, 1), (0.9, 1)])
def test_banks_at_either_end_all_end_alike(eta: float, level: float) -> None:
    outcomes = bank_run.withdrawn(eta, range(200))
    assert np.abs(outcomes - level).max() < 0.1
    assert stability_of({"withdrawn": outcomes[:16]}, 0.1).word == "convergent"


def test_banks_in_the_middle_region_end_either_way() -> None:
    outcomes = bank_run.withdrawn(0.65, range(200))
    assert 0.3 < np.mean(outcomes > 0.5) < 0.7
    assert stability_of({"withdrawn": bank_run.withdrawn(0.65, SEEDS)}, 0.1).word == "divergent"


def test_insured_deposits_are_never_withdrawn() -> None:
    assert bank_run.withdrawn(0.9, range(50), insured=True).max() == 0


def test_influence_makes_success_less_equal_and_less_predictable() -> None:
    worlds = [music_lab.downloads(influence, range(1, 9)) for influence in (0, 1, 2)]
    inequality = [music_lab.inequality(w).mean() for w in worlds]
    surprise = [music_lab.unpredictability(w) for w in worlds]
    assert inequality[0] + 0.1 < inequality[1] < inequality[2] - 0.1
    assert 2 * surprise[0] < surprise[1] < surprise[2] / 1.5


def test_a_song_is_downloaded_by_a_listener_once_at_most() -> None:
    count = music_lab.downloads(1, range(3), 50)
    assert count.max() <= 50 and count.sum(axis=1).max() <= 50 * music_lab.TRIES
    assert music_lab.unpredictability(count[:1]) == 0


@pytest.mark.parametrize("name", ["bank-run", "music-lab"])
def test_the_verdict_gets_each_classic_right(name: str) -> None:
    for case in play(find(name), SEEDS):
        assert case.right, (case.setting.name, case.stability, case.outcomes)


def test_a_classic_is_found_by_name_and_an_unknown_one_refused() -> None:
    assert find("bank_run") is CLASSICS["bank-run"]
    with pytest.raises(SpecError, match="Known: schelling, bank-run, music-lab"):
        find("monopoly")


def test_equal_seeds_give_equal_worlds_whatever_the_company() -> None:
    assert np.array_equal(music_lab.downloads(2, [5], 50), music_lab.downloads(2, [4, 5], 50)[1:])
    assert np.array_equal(bank_run.withdrawn(0.65, [5]), bank_run.withdrawn(0.65, [4, 5])[1:])
