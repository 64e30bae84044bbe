"""A population as a struct of arrays: row i of every array is persona i."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
OLD_HAND = -(2**15)
"""Arrival step of a persona that was there before the simulation begins."""


@dataclass(frozen=True)
class Population:
    """N personas grown from a community's sketches. Traits never change during a run; moods and ties live in the simulation.

    All arrays have N rows. Traits on [0, 1] have .5 as the average person unless stated.
    """

    handle: NDArray[np.object_]  # unique screen name
    bio: NDArray[np.object_]  # one short line in the persona's own words
    sketch: NDArray[np.int16]  # index of the designer's sketch it descends from
    age: NDArray[np.int8]  # years, 18 to 90
    sex: NDArray[np.object_]  # as in the joint counts: Female, Male
    degree: NDArray[np.object_]
    party: NDArray[np.object_]
    work: NDArray[np.object_]  # occupation in one or two words, from the sketch or grown
    interests: Floats  # [N, topics], rows sum to 1
    openness: Floats  # Big Five as z scores
    conscientiousness: Floats
    extraversion: Floats
    agreeableness: Floats
    neuroticism: Floats
    baseline: Floats  # valence to which the mood returns, [-1, 1]
    irritability: Floats  # [0, 1]
    susceptibility: Floats  # to others' mood, [0, 1], mean .5
    compliance: Floats  # agreeableness towards rules, [0, 1]
    activity: Floats  # expected visits per day, heavy tail
    verbosity: Floats  # [0, 1]: 0 one short sentence, 1 several long ones
    punctuation: Floats  # [0, 1]: 0 none, .5 plain, 1 exclamation marks and ellipses
    emoji: Floats  # [0, 1] share of posts with one
    capitals: Floats  # [0, 1]: 0 never, .5 as in school, 1 shouts single words
    group: NDArray[np.int8]  # home group, 0 or 1: who one mostly agrees with
    arrival: NDArray[np.int32]  # step of first possible visit; OLD_HAND for those already there

    def __len__(self) -> int:
        return len(self.sketch)

    def take(self, rows: slice | NDArray[np.integer]) -> Population:
        """The personas in those rows, in that order (ids change)."""
        return Population(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
