"""Segregation without segregationists: Schelling 1971 (Journal of Mathematical Sociology 1:143-186).

Two groups of equal size live on a torus. Who has too few neighbours of its own group moves to a vacant place. Mild wishes end
in strong segregation, and every seed ends alike: the known answer of a *convergent* outcome.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.streams import Streams

Grid = NDArray[np.int8]  # [side, side] 0 vacant, 1 and 2 the groups


def final_share(threshold: float, streams: Streams, side: int = 51, filled: float = 0.95, most_steps: int = 200) -> float:
    """Mean share of same-group neighbours among occupied ones when everybody has settled, or after most_steps, [0, 1].

    threshold: share of same-group neighbours that a member wants, [0, 1]. side: of the square torus. filled: share of places.
    """
    grid = beginning(streams, side, filled)
    for step in range(most_steps):
        alike, known = neighbours(grid)
        unhappy = np.flatnonzero((grid > 0) & (alike < threshold * known - 1e-9))
        if not len(unhappy):
            break
        move(grid, unhappy, step, streams)
    alike, known = neighbours(grid)
    counted = (grid > 0) & (known > 0)
    return float((alike[counted] / known[counted]).mean())


def beginning(streams: Streams, side: int, filled: float) -> Grid:
    """Two groups, equal up to one member, on places drawn at random."""
    places = np.argsort(streams.uniform("place", np.arange(side * side)))
    members = round(filled * side * side)
    grid = np.zeros(side * side, np.int8)
    grid[places[:members]] = 1 + np.arange(members) % 2
    return grid.reshape(side, side)


def neighbours(grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the eight places around each place: how many are of its group, and how many are occupied [side, side]."""
    around = _ring((grid == 1).astype(np.int64)), _ring((grid == 2).astype(np.int64))
    return np.where(grid == 1, around[0], around[1]), around[0] + around[1]


def move(grid: Grid, unhappy: NDArray[np.int64], step: int, streams: Streams) -> None:
    """Everyone who was unhappy moves to a vacant place, both at random, in waves of as many as there are vacant places.

    `grid` is changed in place. No vacant place: nobody moves.
    """
    flat = grid.reshape(-1)
    vacant = np.flatnonzero(flat == 0)
    leaving = unhappy[np.argsort(streams.uniform("who moves", step, unhappy))]
    for start in range(0, len(leaving), len(vacant)) if len(vacant) else ():
        wave = leaving[start : start + len(vacant)]
        order = np.argsort(streams.uniform("where to", step, start, vacant))
        taken, spared = vacant[order[: len(wave)]], vacant[order[len(wave) :]]
        flat[taken], flat[wave] = flat[wave], 0
        vacant = np.sort(np.concatenate([wave, spared]))


def _ring(ones: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = ones + np.roll(ones, 1, 0) + np.roll(ones, -1, 0)
    return rows + np.roll(rows, 1, 1) + np.roll(rows, -1, 1) - ones
