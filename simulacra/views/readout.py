"""From a designer's question and a finished comparison to a read-out that is understood in ten seconds.

A question names one measure, a margin and up to four guardrails before anything is played; `simulacra.verdict` judges. Here are
the templates of questions, the question kept beside an experiment, and the words on top of the page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulacra.durable import disk_errors, replace_file
from simulacra.errors import SpecError
from simulacra.margins import amount, margin_of
from simulacra.measures import MEASURES, mechanical
from simulacra.replicates import BASELINE, VARIANT, Comparison, ExperimentFolder
from simulacra.runfiles import to_json
from simulacra.verdict import MOST_GUARDRAILS, Contrast, Plan, Verdict, contrast, judge, sentence

QUESTION_FILE = "question.json"


# -- the question ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """What a designer decides by a comparison. `named` says whether that was fixed before it was played."""

    asked: str
    plan: Plan
    named: bool = True

    def save(self, folder: ExperimentFolder) -> None:
        """Keep it beside the experiment."""
        with disk_errors(folder.path):
            folder.path.mkdir(parents=True, exist_ok=True)
            replace_file(folder.path / QUESTION_FILE, to_json({"asked": self.asked, **self.plan.to_dict()}))


def question_of(folder: ExperimentFolder) -> Question:
    """The question kept with an experiment; for one that was started elsewhere, the default plan, as not named before."""
    file = folder.path / QUESTION_FILE
    if file.is_file():
        with disk_errors(file):
            found = _question(file.read_bytes())
        if found:
            return found
    return Question("", Plan("violations_seen_per_100"), named=False)


def _question(content: bytes) -> Question | None:
    """None where the file is damaged: it is a note, the answer is in the rows."""
    try:
        raw = json.loads(content)
        return Question(str(raw["asked"]), Plan.from_dict(raw))
    except (ValueError, KeyError, TypeError, SpecError):
        return None


@dataclass(frozen=True)
class Template:
    """A decision that designers often face: what to change and what to look at."""

    title: str
    about: str
    primary: str
    guardrails: tuple[str, ...] = ()
    feed: str = ""  # of the variant, "" as in the baseline
    moderation: tuple[str, ...] = ()  # added in the variant; the template is offered where these exist
    days: int = 3


TEMPLATES: tuple[Template, ...] = (
    Template(
        "Do a word filter and moderators make it kinder?", "How many rule-breaking posts do members still read?",
        "violations_seen_per_100", ("posts_per_persona", "persona_churn", "moderator_minutes"),
        moderation=("automod", "human_review"),
    ),
    Template(
        "Does slow mode hurt newcomers?", "Everybody waits between two posts. Do newcomers still come back?",
        "newcomer_return", ("unanswered_share", "posts_per_persona"), moderation=("slow_mode",), days=5,
    ),
    Template(
        "Should badly voted replies collapse?", "What the community votes down is hidden. Is less rudeness read?",
        "toxic_seen_share", ("exposure_gini", "posts_per_persona"), moderation=("community_votes",),
    ),
    Template(
        "Does a think-twice prompt help?", "Authors of rude drafts are asked to think again. What is still written?",
        "violations_per_100", ("posts_per_persona", "writers_share"), moderation=("reconsider",),
    ),
    Template(
        "Which of two feeds?", "The same people under two rankings: what do they read, and who is answered?",
        "toxic_seen_share", ("unanswered_share", "exposure_gini", "posts_per_persona"), feed="engagement",
    ),
    Template(
        "Which of two sets of rules?", "The same people under other rules: how often are they broken?",
        "violations_per_100", ("posts_per_persona", "persona_churn"),
    ),
    Template("Something else", "Choose both designs and the measure yourself.", "toxicity_seen"),
)  # fmt: skip


# -- judged ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A comparison's measures with their verdicts."""

    question: Question
    contrasts: Mapping[str, Contrast]
    verdicts: Mapping[str, Verdict]
    direct: frozenset[str] = field(default_factory=frozenset)  # measures on which the changed levers act directly

    @property
    def primary(self) -> str:
        return self.question.plan.primary

    def sentence(self, measure: str) -> str:
        return sentence(self.verdicts[measure], self.contrasts[measure], measure in self.direct)

    def others(self) -> list[str]:
        """Measures outside the question that have something to compare, the clearest first."""
        rest = [name for name in self.contrasts if name not in self.question.plan.family and self.contrasts[name].seeds]
        return sorted(rest, key=lambda name: -abs(self.effect_size(name)))

    def effect_size(self, measure: str) -> float:
        """The difference in half widths of its interval: beyond 1 the interval excludes 0. 0 where nothing varies."""
        c = self.contrasts[measure]
        half = c.half_width()
        return c.mean / half if half and not math.isnan(half) else 0.0


def judged(found: Comparison) -> Judged:
    """Every measure of a comparison with its verdict, over the replicates that are finished."""
    from simulacra.designs import levers

    question, spec = question_of(found.folder), found.spec
    contrasts = {name: _contrast(found, name) for name in MEASURES if _is_known(found, name)}
    seconds = float(found.folder.info["seconds"]) / max(len(found.folder.results()), 1) or None
    direct = mechanical(levers(spec.baseline, spec.variant))
    return Judged(question, contrasts, judge(contrasts, question.plan, seconds), direct)


def _is_known(found: Comparison, name: str) -> bool:
    return any(name in values for arm in found.results.values() for values in arm.values())


def _contrast(found: Comparison, name: str) -> Contrast:
    a, b = found.results[BASELINE], found.results[VARIANT]
    seeds = (sorted(a.keys() & b.keys()),) * 2 if found.spec.paired else (sorted(a), sorted(b))
    values = ([arm[seed].get(name, math.nan) for seed in own] for arm, own in zip((a, b), seeds, strict=True))
    return contrast(*values, found.spec.paired)


# -- words -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadOut:
    """What stands on top: a word, its colour's name, one sentence, and how many more replicates would decide it."""

    word: str
    tone: str
    sentence: str
    more_seeds: int = 0
    seconds: float | None = None


_WORDS = {
    "higher": ("Clear change", "clear"), "lower": ("Clear change", "clear"), "undecided": ("Too early", "early"),
    "no difference that matters": ("No difference that matters", "same"), "no verdict": ("Too early", "early"),
}  # fmt: skip


def read_out(found: Judged) -> ReadOut:
    """The answer to the question."""
    name = found.primary
    if name not in found.verdicts:
        return ReadOut("Nothing yet", "early", "No replicate is finished yet.")
    verdict, c = found.verdicts[name], found.contrasts[name]
    word, tone = _WORDS[verdict.effect]
    if verdict.stability.word == "divergent":
        word, tone = "It depends", "depends"
    told = found.sentence(name)
    for lead in ("Clear change, by the design itself: ", "Clear change: ", "Too early: "):
        if told.startswith(lead):
            told = "In this simulated community " + told.removeprefix(lead)
    more = verdict.more_seeds or (6 - c.seeds if verdict.effect == "no verdict" and c.seeds else 0)
    return ReadOut(word, tone, told, max(more, 0), verdict.seconds)


def guard(found: Judged, measure: str) -> tuple[str, str]:
    """(word, sentence) of a guardrail: better, worse, changed, fine, or unclear."""
    verdict, c = found.verdicts[measure], found.contrasts[measure]
    told = found.sentence(measure)
    if verdict.effect == "no difference that matters" or (c.seeds and c.mean == 0 and c.error == 0):
        return "fine", told
    if verdict.effect not in ("higher", "lower"):
        return "unclear", told
    wish = MEASURES[measure].direction
    return ("changed" if wish == "neither" else "better" if verdict.effect == wish else "worse"), told


def margin_words(measure: str, margin: float | None, baseline: float = math.nan) -> str:
    """A margin in plain units: "1 per 100"; relative ones as a share of the baseline where that is not known."""
    known = margin_of(measure)
    if margin is None and known.relative and math.isnan(baseline):
        return f"{100 * known.size:g} % of the baseline"
    return amount(measure, known.of(baseline) if margin is None else margin)


def limits(found: Comparison) -> list[str]:
    """What a reader must know before acting on an answer."""
    spec = found.spec
    return [
        "These are simulated members, not users: the answer says what this model does, not what your community will do.",
        "The sketch mind writes by a grammar over phrase banks; who acts how is a documented behaviour model with stated sources.",
        "Toxicity and cheerfulness are levels on a scorer's own scale: compare designs, never read a level as a rate.",
        f"{spec.days} simulated days cannot show what happens over months: retention and norms move slowly.",
        f"{len(found.folder.results())} seeds measure chance, not wrong assumptions. {spec.personas:,} members are a small platform.",
        *(f"{warning}" for warning in found.warnings),
    ]


__all__ = [
    "MOST_GUARDRAILS", "TEMPLATES", "Judged", "Question", "ReadOut", "Template", "guard", "judged", "limits", "margin_words",
    "question_of", "read_out",
]  # fmt: skip
