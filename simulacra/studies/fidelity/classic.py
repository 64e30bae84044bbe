"""Figures of the small models whose answer is known (`simulacra classic`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulacra.classics import Case, find, play

SEEDS = range(1, 17)
"""Fewer can miss that worlds are split."""


def schelling_distance(_: object = None) -> float:
    """Largest distance of a final share from the known one, over thresholds."""
    return max(abs(float(case.outcomes.mean()) - case.setting.level) for case in _cases("schelling") if case.setting.level)


def right(name: str) -> Callable[[object], float]:
    """Share of the settings of a classic whose stability and level come out as known, of those for which it is."""

    def value(_: object = None) -> float:
        known = [case for case in _cases(name) if case.setting.word]
        return float(np.mean([case.right for case in known]))

    return value


def _cases(name: str) -> list[Case]:
    return list(play(find(name), SEEDS))
