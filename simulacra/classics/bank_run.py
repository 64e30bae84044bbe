"""Bank runs without a reason: Diamond and Dybvig 1983 (Journal of Political Economy 91:401-419), played repeatedly as in the
laboratory of Arifovic, Jiang and Xu 2013 (Journal of Economic Dynamics and Control 37:2446-2461).

Waiting pays more than withdrawing once at least a share `eta` of depositors waits (the coordination share). Each depositor
waits if it believes that enough others will, and corrects the belief by what it sees. Both "all wait" and "all withdraw"
sustain themselves. Where few are needed nobody runs, where nearly all are needed everybody does; in the middle region the first
rounds decide, so equal banks end differently: the known answer of a *divergent* outcome.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.streams import Streams

DEPOSITORS = 10
"""As in a session of the laboratory."""
TRUST, TRUST_SPREAD = 0.71, 0.15
"""Mean and SD of the share that depositors expect to wait before they have seen anything (ours: they place the middle region
where the laboratory found it)."""
LEARNING = 0.5
"""Share of the gap between belief and observation that a round closes (ours)."""
EXPERIMENTS = 0.02
"""Chance a round that a depositor does the opposite (ours; the laboratory's subjects did now and then)."""


def withdrawn(eta: float, seeds: Sequence[int], rounds: int = 40, insured: bool = False) -> NDArray[np.float64]:
    """Share of depositors who withdraw over the last ten rounds, one bank a seed, [seeds] in [0, 1].

    eta: the share that must wait for waiting to pay, [0, 1]. insured: deposits are insured, so waiting always pays.
    """
    each, people = [Streams(seed) for seed in seeds], np.arange(DEPOSITORS)
    belief = TRUST + TRUST_SPREAD * np.array([s.normal("trust", people) for s in each])
    tries = np.array([s.uniform("experiment", np.arange(rounds)[:, None], people) for s in each]) < EXPERIMENTS
    waiting = np.empty((len(seeds), rounds))
    for now in range(rounds):
        waits = (belief >= eta) ^ tries[:, now] | insured
        waiting[:, now] = waits.mean(axis=1)
        belief += LEARNING * (waiting[:, now, None] - belief)
    return np.asarray(1 - waiting[:, -10:].mean(axis=1))
