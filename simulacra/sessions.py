"""A language model at work: the generator and the budget of one run or comparison, opened where a specification asks for one.

Answers are kept in one file beside the runs (`runs/.answers/answers.sqlite`), so that runs, arms and replicates share them and a
resumed run pays for nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.minds.settings import Language
from simulacra.text import Budget, Spent, make_generator

if TYPE_CHECKING:
    from simulacra.community import Community
    from simulacra.minds.language import LanguageWriter
    from simulacra.seams import TextGenerator

ANSWERS = Path(".answers") / "answers.sqlite"
POOL_SEED = 1
"""Persona pools are asked for with this seed: they belong to a community and a model, not to a run's chances."""


@dataclass
class Session:
    """What a language mind needs at work. Threads may share one."""

    generator: TextGenerator
    budget: Budget
    writers: list[LanguageWriter] = field(default_factory=list)  # those made for it, for their counts

    def spent(self) -> dict[str, Any]:
        """What has been spent so far, as plain data for a record; posts that fell back from a batch are among it."""
        return {**self.budget.spent.to_dict(), "fallen_back": sum(writer.fallen_back for writer in self.writers)}


def open_session(
    language: Language | None, runs_dir: str | Path, budget: Budget | None = None, retry_failed: bool = False
) -> Session | None:
    """The session of a language mind; None for the sketch mind. What the server can do is found out before this returns.

    retry_failed: stored failures are asked again. Raises SpecError where there is no key, no server or no such model.
    """
    if language is None:
        return None
    budget = Budget() if budget is None else budget
    return Session(make_generator(language.model, Path(runs_dir) / ANSWERS, budget, retry_failed), budget)


def with_personas(language: Language, community: Community, session: Session, size: int) -> Language:
    """The language mind with a pool of `size` people made of the sketches by the model; 0 leaves the sketches alone."""
    from dataclasses import replace

    from simulacra.minds.personapool import grow_pool

    return replace(language, pool=grow_pool(community, session.generator, size, POOL_SEED)) if size else language


def budget_after(spent: Mapping[str, Any] | None, caps: Budget | None) -> Budget:
    """The budget, by default one without caps, made to count on from what a record says was spent."""
    caps = Budget() if caps is None else caps
    caps.count_on(Spent.from_dict(spent) if spent else Spent())
    return caps
