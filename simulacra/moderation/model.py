"""A lever that asks whoever knows the community's own rules, a language model, and removes what breaks one, telling authors why.

What is asked and how an answer is read is the `Assessor`'s affair (`minds/assessor.py`); what becomes of a draft is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulacra.errors import SpecError
from simulacra.moderation.policy import Policy, action, rulings
from simulacra.parameters import number
from simulacra.seams import Assessor, Drafts, Rulings
from simulacra.streams import Streams

if TYPE_CHECKING:
    from simulacra.platform import PlatformView

UNJUDGED = "not judged: "
"""Begins the reason of a draft that passed because the model gave no judgement on it."""

NEEDS_MODEL = (
    "moderation: llm_moderator asks the run's language model, and the sketch mind has none. Add --mind openai or --mind local, or take "
    "remove_explained."
)


@dataclass
class LlmModerator(Policy):
    """What an earlier lever has removed is not asked about: it is gone already."""

    name = "llm_moderator"
    about = (
        "A language model judges each draft by the community's own rules; what breaks one is taken down, and its author is told which "
        "rule and why."
    )
    known = (
        "Explanations lower the odds that an author's next post is removed, whether a bot or a person gives them (S33, Jhaver et al. "
        "2019). How well models judge by a community's own rules differs by rule and model; measure yours before you trust it."
    )
    cost = "No moderator time; a call of the model for every draft, or for every `batch` drafts, counted with the run's own."
    fails = (
        "The model that writes also judges, so it may share its blind spots with the writers; what it cannot judge passes; a small model "
        "removes at random."
    )
    lever = "removal"
    asks = True
    batch: int = number(
        1, "drafts", "judged in one call; more are cheaper, and may colour each other", low=1, high=4, whole=True
    )
    lesson: float = number(1.0, "visibility of rules", "how much the author has them in mind; 1: has just read them")
    fade: float = number(168.0, "hours", "until the author has forgotten", above=0)
    _assessor: Assessor | None = field(init=False, repr=False, compare=False, default=None)

    def wire(self, assessor: Assessor | None) -> None:
        if assessor is None:
            raise SpecError(NEEDS_MODEL)
        self._assessor = assessor

    def before(self, drafts: Drafts, world: PlatformView, streams: Streams) -> Rulings | None:
        assert self._assessor is not None, "wire() comes first"
        standing = np.arange(len(drafts.rule)) if drafts.removed is None else np.flatnonzero(~drafts.removed)
        if not world.community.rules or not len(standing):
            return None
        given = self._assessor.assess(drafts.take(standing), world, streams, self.batch)
        found = [(row, told) for row, told in zip(standing.tolist(), given, strict=True) if told.rule or told.failure]
        if not found:
            return None
        rows, told = (list(column) for column in zip(*found, strict=True))
        rule = np.array([t.rule for t in told], np.int8)
        reasons = [f"rule {t.rule}: {t.why}" if t.rule else UNJUDGED + t.failure for t in told]
        return rulings(
            drafts.brief.author[rows], np.where(rule > 0, action("remove"), action("keep")), reasons, draft=rows, rule=rule,
            strength=np.where(rule > 0, self.lesson, 0), until=np.where(rule > 0, drafts.brief.step + max(1, round(self.fade)), -1),
        )  # fmt: skip
