"""Small models whose answer is known: does the verdict get it right?

Each is played over seeds like any replicate, with chances from `Streams`, and judged by `stability.stability_of`. Designers meet
them as `simulacra classic NAME`, the test suite as known answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.stability import Stability, stability_of
from simulacra.classics import bank_run, music_lab, schelling
from simulacra.errors import SpecError
from simulacra.streams import Streams

F64 = NDArray[np.float64]


class Setting(NamedTuple):
    """One setting of a model, and what is known of its outcome."""

    name: str
    play: Callable[[Sequence[int]], F64]  # seeds -> outcome by seed
    level: float | None = None  # published mean outcome
    word: str | None = None  # what stability must say; None where the source does not tell


@dataclass(frozen=True)
class Classic:
    """A model with its settings. `margin` is the difference between seeds that would matter, in the outcome's unit."""

    name: str
    about: str
    source: str
    outcome: str  # what is measured
    margin: float
    settings: tuple[Setting, ...]


class Case(NamedTuple):
    """A setting as it turned out."""

    setting: Setting
    outcomes: F64  # [seeds]
    stability: Stability

    @property
    def right(self) -> bool:
        """Whether word and level are the known ones (levels within .03); True where nothing is known."""
        level, word = self.setting.level, self.setting.word
        near = level is None or abs(float(self.outcomes.mean()) - level) <= LEVEL_BAND
        return near and word in (None, self.stability.word)


LEVEL_BAND = 0.03


def play(classic: Classic, seeds: Sequence[int]) -> Iterator[Case]:
    """Every setting over these seeds, judged."""
    for setting in classic.settings:
        outcomes = setting.play(seeds)
        yield Case(setting, outcomes, stability_of({"outcome": outcomes}, classic.margin))


def find(name: str) -> Classic:
    """The classic of that name; hyphens and underscores are alike. Raises SpecError where there is none."""
    key = name.lower().replace("_", "-")
    if key not in CLASSICS:
        raise SpecError(f"No classic called {name[:40]!r}. Known: {', '.join(CLASSICS)}.")
    return CLASSICS[key]


# -- the three -------------------------------------------------------------------------------------------------------------

SCHELLING_SHARES = {0.1: 0.504, 0.2: 0.564, 0.3: 0.755, 0.4: 0.837, 0.5: 0.868, 0.6: 0.983, 0.7: 0.981, 0.8: 0.508}
"""Threshold -> final share, computed apart on the same torus with another program (science.md S43)."""


def _segregation(threshold: float, seeds: Sequence[int]) -> F64:
    return np.array([schelling.final_share(threshold, Streams(seed)) for seed in seeds])


def _best_song(influence: float, seeds: Sequence[int]) -> F64:
    return music_lab.best_song_share(music_lab.downloads(influence, seeds))


def _withdrawn(eta: float, insured: bool, seeds: Sequence[int]) -> F64:
    return bank_run.withdrawn(eta, seeds, insured=insured)


_SCHELLING = Classic(
    "schelling",
    "Members who want a few neighbours of their own group end in strong segregation, alike in every seed.",
    "Schelling 1971; S43",
    "share of same-group neighbours",
    0.03,
    tuple(Setting(f"wants {t:.0%}", partial(_segregation, t), share, "convergent") for t, share in SCHELLING_SHARES.items()),
)
_BANK_REGIONS = {0.4: "convergent", 0.5: "convergent", 0.65: "divergent", 0.8: "convergent", 0.9: "convergent"}
_BANK_RUN = Classic(
    "bank-run",
    "Depositors withdraw if they believe that too few others wait: nobody, everybody, or in the middle it depends on the seed.",
    "Diamond and Dybvig 1983; Arifovic, Jiang and Xu 2013; S44",
    "share of depositors who withdraw",
    0.1,
    (
        *(Setting(f"needs {eta:.0%}", partial(_withdrawn, eta, False), None, word) for eta, word in _BANK_REGIONS.items()),
        Setting("needs 65%, insured", partial(_withdrawn, 0.65, True), 0.0, "convergent"),
    ),
)
_MUSIC_LAB = Classic(
    "music-lab",
    "The more listeners follow others, the less the best song's success can be foretold: it wins some worlds only.",
    "Salganik, Dodds and Watts 2006; S49",
    "the best song's share of downloads",
    0.05,
    tuple(
        Setting(f"influence {influence}", partial(_best_song, influence), None, word)
        for influence, word in {0: "convergent", 1: None, 2: "divergent"}.items()
    ),
)

CLASSICS: Mapping[str, Classic] = {classic.name: classic for classic in (_SCHELLING, _BANK_RUN, _MUSIC_LAB)}
