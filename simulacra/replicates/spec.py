"""What is compared: two designs of one community, how large, over which seeds, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from simulacra.analysis.contrast import CAP_SEEDS, FIRST_SEEDS
from simulacra.analysis.judge import acting_columns, judged_measures
from simulacra.analysis.verdict import Plan
from simulacra.community import Community, community_from_dict, community_to_dict
from simulacra.designs import Arm
from simulacra.errors import RecordError, SpecError
from simulacra.experiment import RunSpec
from simulacra.minds.settings import Language
from simulacra.record.runfiles import checked_run_id
from simulacra.record.tables import hash_json
from simulacra.scoring.judging import NO_JUDGE, check_judge

BASELINE, VARIANT = "baseline", "variant"
MOST_SEEDS = 1000
AUTO: Literal["auto"] = "auto"

Seeds = int | Literal["auto"]
"""How many replicates, or "auto": as many as the primary measure's interval needs."""


@dataclass(frozen=True)
class ComparisonSpec:
    """The complete cause of a comparison. Both arms have equally many seeds: the same ones when paired, disjoint ones else.

    plan: what is asked, named before anything is played. auto: `seeds` is how many it is worth so far (8 to begin with, never
    over 32); results decide by the width of the primary measure's interval how it goes on (`ExperimentFolder.spec`).
    """

    community: Community
    baseline: Arm
    variant: Arm
    personas: int = 1000
    days: int = 7
    seeds: int = 8
    first_seed: int = 1
    paired: bool = True
    plan: Plan = field(default_factory=Plan)
    auto: bool = False
    language: Language | None = None  # how a model takes part; None: the sketch mind writes
    judge: str = ""  # the second scorer where an arm acts by the first; "": nobody is needed, or nobody is there

    def __post_init__(self) -> None:
        if not isinstance(self.seeds, int) or isinstance(self.seeds, bool) or not 1 <= self.seeds <= MOST_SEEDS:
            raise SpecError(f"seeds = {self.seeds!r}: expected a whole number from 1 to {MOST_SEEDS:,}.")
        for arm in (BASELINE, VARIANT):
            self.run_spec(arm, self.first_seed)  # its checks are ours
        if self.judge:
            check_judge(self.judge)
            if self.judge == NO_JUDGE or not self.acting:
                raise SpecError(f"judge = {self.judge!r}: a second scorer is for arms that act by the first. Leave it out.")

    def run_spec(self, arm: str, seed: int) -> RunSpec:
        """The specification of one arm of one replicate: the run that `simulacra.run` would play."""
        return RunSpec(self.community, self.arms[arm], self.personas, self.days, seed, language=self.language)

    @property
    def arms(self) -> dict[str, Arm]:
        return {BASELINE: self.baseline, VARIANT: self.variant}

    @cached_property
    def acting(self) -> frozenset[str]:
        """Scores of the run's own scorer by which an arm acts."""
        return acting_columns(self.arms.values())

    @property
    def judged_measures(self) -> frozenset[str]:
        """The measures that rest on those scores, so that another scorer must take them."""
        return judged_measures(self.acting)

    def replicates(self) -> list[tuple[int, tuple[str, ...]]]:
        """(seed, its arms), in order of seeds."""
        first = range(self.first_seed, self.first_seed + self.seeds)
        if self.paired:
            return [(seed, (BASELINE, VARIANT)) for seed in first]
        apart = CAP_SEEDS if self.auto else self.seeds  # so that a seed keeps its arm when there are more
        return [*((seed, (BASELINE,)) for seed in first), *((seed + apart, (VARIANT,)) for seed in first)]

    def cause(self) -> dict[str, Any]:
        """As experiment.json holds it, voices and similarity apart."""
        return {
            "community": community_to_dict(self.community),
            "arms": {name: arm.to_dict() for name, arm in self.arms.items()},
            "personas": self.personas, "days": self.days, "seeds": AUTO if self.auto else self.seeds,
            "first_seed": self.first_seed, "paired": self.paired, "plan": self.plan.to_dict(),
            **({"language": self.language.to_dict()} if self.language is not None else {}),
            **({"judge": self.judge} if self.judge else {}),
        }  # fmt: skip

    @classmethod
    def from_cause(cls, cause: Mapping[str, Any], voices: Mapping[str, Any], where: str) -> ComparisonSpec:
        """The specification that `cause` described."""
        try:
            arms = {name: Arm.from_dict(values) for name, values in cause["arms"].items()}
            known = {name: cause[name] for name in ("personas", "days", "first_seed", "paired")}
            known["plan"] = Plan.from_dict(cause["plan"]) if "plan" in cause else Plan()  # none was named then
            known["language"] = Language.from_dict(cause["language"], where) if "language" in cause else None
            known |= {"judge": cause.get("judge", "")} | seeds_of(cause["seeds"])
            return cls(community_from_dict(cause["community"], voices, where), arms[BASELINE], arms[VARIANT], **known)
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"{where}: damaged, {error} is missing. Restore the file from a copy.") from error

    def default_id(self) -> str:
        """The experiment's name where none is given: community and a hash, so that the same command finds it again."""
        return checked_run_id(f"{self.community.slug}-{hash_json(self.cause())[:8]}")


def seeds_of(seeds: Seeds) -> dict[str, Any]:
    """`seeds` and `auto` of a ComparisonSpec."""
    return {"seeds": FIRST_SEEDS, "auto": True} if seeds == AUTO else {"seeds": seeds, "auto": False}
