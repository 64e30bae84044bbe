"""The second scorer at work inside a comparison: it reads the posts of every replicate whose design acts by the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulacra.errors import SpecError, Stopped
from simulacra.scoring.classifier import PREFIX
from simulacra.scoring.heads import SecondScorer, SemanticScorer
from simulacra.scoring.semantic import weights_folder
from simulacra.scoring.sidecar import make_scorer

if TYPE_CHECKING:
    from simulacra.analysis.facts import Array, EventTables

DEFAULT_JUDGE, NO_JUDGE = "semantic", "none"
_CHUNK = 128
"""Texts between two looks at whether to stop."""


def check_judge(name: str) -> None:
    """Raises SpecError for what is no judge: a blend holds the very scorer that is to be judged."""
    if name in (DEFAULT_JUDGE, NO_JUDGE) or (name.startswith(PREFIX) and name != PREFIX):
        return
    raise SpecError(
        f"judge = {name[:60]!r}: expected {DEFAULT_JUDGE}, {PREFIX}PATH_OR_NAME of a text classifier, or {NO_JUDGE}. The scorer that "
        "every run carries cannot judge a design that acts by it, nor can a blend with it."
    )


def check_weights(name: str) -> None:
    """Raises WeightsError where the judge that a comparison takes by itself cannot work here."""
    if name == DEFAULT_JUDGE:
        weights_folder()


class Judge:
    """Scores by a second scorer of all posts of a replicate's runs, equal texts read once.

    name: as `check_judge` has it. scores: which of toxicity and valence are wanted. Arms of a replicate share most of their posts, so
    what the first was asked helps the second; nothing is kept between replicates, so that a resumed comparison finds the same.
    """

    def __init__(self, name: str, scores: frozenset[str], should_stop: Callable[[], bool] | None = None) -> None:
        self.name, self._wanted, self._should_stop = name, tuple(sorted(scores)), should_stop
        self._scorer: SecondScorer = (
            SemanticScorer(emotions=scores != {"toxicity"}, coarse=True) if name == DEFAULT_JUDGE else make_scorer(name)
        )
        self._known: dict[str, tuple[float, ...]] = {}

    def read(self, tables: EventTables) -> Mapping[str, Array]:
        """Score -> [posts] in order of id, burn-in included. Raises SpecError where the scorer has no such column."""
        posts = tables.arrow("posts", True, ("id", "text"))
        order = np.argsort(posts.column("id").to_numpy(), kind="stable")
        texts = posts.column("text").to_pylist()
        self._learn(sorted(set(texts) - self._known.keys()))
        rows = np.array([self._known[texts[i]] for i in order], np.float64).reshape(len(texts), len(self._wanted))
        return {score: rows[:, place] for place, score in enumerate(self._wanted)}

    def _learn(self, texts: list[str]) -> None:
        for start in range(0, len(texts), _CHUNK):
            if self._should_stop is not None and self._should_stop():
                raise Stopped(f"Stopped while {self.name} was reading posts")
            part = texts[start : start + _CHUNK]
            found = self._scorer.score(part)
            missing = [score for score in self._wanted if score not in found]
            if missing:
                raise SpecError(
                    f"judge = {self.name}: it says nothing of {missing[0]}, only of {', '.join(found)}. Take another."
                )
            self._known |= zip(part, zip(*(found[score].tolist() for score in self._wanted), strict=True), strict=True)
