"""Who may judge: a design that acts by a scorer is judged by another one, or not at all.

A policy that removes what a scorer finds toxic lowers what that scorer finds toxic, whatever else it does: it grades its own
homework. So the measures that rest on such a score are taken by a second scorer in every replicate of the comparison; where none
has read a replicate its values are left out, and the row says so.

    acting_columns([baseline, variant])       -> {"toxicity"}: an arm holds, removes, hides, prompts or ranks by that score
    acting_levers(variant)                    -> {"toxicity": ["remove"]}
    judged_measures({"toxicity"})             -> {"toxicity_written", "toxicity_seen", "toxic_share", ...}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from simulacra.analysis.catalogue import LEXICAL
from simulacra.analysis.measures import MEASURES, score_of

if TYPE_CHECKING:
    from simulacra.designs import Arm

SCORES = ("toxicity", "valence")
"""What the run's own scorer reads and a second scorer can read instead."""
NOBODY = "nobody"
"""Who judged a row whose scorer the design acts by, where no other has read the runs."""


class Judged(NamedTuple):
    """How the measures of a comparison are judged that rest on a score by which one of its arms acts."""

    measures: frozenset[str] = frozenset()
    scorer: str = NOBODY

    def of(self, measure: str) -> str:
        """Who judged a measure: a scorer, `truth`, "" for what is counted, `nobody`."""
        name = measure.partition("@")[0]
        return self.scorer if name in self.measures else MEASURES[name].scorer


def acting_levers(arm: Arm) -> dict[str, list[str]]:
    """Score -> the arm's levers that act by it, as the run's own scorer gives it; empty where none does."""
    found: dict[str, list[str]] = {}
    for lever in [arm.build_feed(), *arm.build_policies()]:
        for score in _scores_of(lever):
            found.setdefault(score, []).append(str(getattr(lever, "name", type(lever).__name__)))
    return found


def acting_columns(arms: Iterable[Arm]) -> frozenset[str]:
    """Scores by which any of the arms acts."""
    return frozenset(score for arm in arms for score in acting_levers(arm))


def judged_measures(scores: Iterable[str]) -> frozenset[str]:
    """The measures that rest on one of these scores, so that another scorer must take them."""
    wanted = frozenset(scores)
    return frozenset(name for name in MEASURES if score_of(name) in wanted)


def _scores_of(lever: Any) -> tuple[str, ...]:
    """A feed says what it watches; a policy, and a feed that says no more, by whose score it acts: the run's own is of toxicity."""
    watched = tuple(score for score in SCORES if score in getattr(lever, "watches", ()))
    return watched or (("toxicity",) if getattr(lever, "scorer", None) == LEXICAL else ())
