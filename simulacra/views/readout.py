"""From a designer's question and a comparison's rows to a read-out that is understood in ten seconds.

What is asked (one measure, its margin, at most four guardrails) is the comparison's plan, named before anything is played;
judging is `simulacra.analysis.verdict`'s. Here are templates of questions, the words of a question, and what stands on top of the page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.comparison import Row, contrast_of
from simulacra.analysis.contrast import MIN_SEEDS, Contrast
from simulacra.analysis.judge import NOBODY
from simulacra.analysis.margins import amount, margin_of
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.segments import SEGMENTS, measure_named
from simulacra.analysis.verdict import Plan
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import to_json
from simulacra.replicates import BASELINE, VARIANT, Comparison, ExperimentFolder
from simulacra.views import say

QUESTION_FILE = "question.json"
LONGEST_QUESTION = 300


# -- the question ----------------------------------------------------------------------------------------------------------


def keep_question(folder: ExperimentFolder, asked: str) -> None:
    """Write down what is asked, in words, beside an experiment that is about to be played."""
    with disk_errors(folder.path):
        folder.path.mkdir(parents=True, exist_ok=True)
        replace_file(folder.path / QUESTION_FILE, to_json({"asked": asked[:LONGEST_QUESTION]}))


def question_of(folder: ExperimentFolder) -> str:
    """What was asked, in words; "" where nobody wrote it down, or the note is damaged: the plan is what counts."""
    file = folder.path / QUESTION_FILE
    if not file.is_file():
        return ""
    with disk_errors(file):
        content = file.read_bytes()
    try:
        return str(json.loads(content)["asked"])[:LONGEST_QUESTION]
    except (ValueError, KeyError, TypeError):
        return ""


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
    is_again: bool = False  # the question of a comparison that is duplicated


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


# -- the answer ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """The primary measure among one kind of members, in both arms over seeds."""

    name: str
    contrast: Contrast

    @property
    def title(self) -> str:
        found = SEGMENTS[self.name].title if self.name in SEGMENTS else self.name.replace("_", " ")
        return found[:1].upper() + found[1:]


@dataclass(frozen=True)
class Answer:
    """A comparison's rows by measure, and what was asked of them."""

    found: Comparison
    plan: Plan
    rows: Mapping[str, Row]

    @property
    def primary(self) -> str:
        return self.plan.primary

    @property
    def asked(self) -> str:
        return question_of(self.found.folder)

    @property
    def named(self) -> bool:
        """Whether the plan was named before the comparison was played."""
        return "plan" in self.found.folder.info["cause"]

    @property
    def tested(self) -> list[Row]:
        """Primary and guardrails, as far as there is anything to compare."""
        return [self.rows[name] for name in self.plan.family if name in self.rows and self.rows[name].seeds]

    @property
    def explored(self) -> list[Row]:
        """All others with something to compare, the clearest first."""
        rest = [row for row in self.rows.values() if row.role == "exploration" and row.seeds]
        return sorted(rest, key=lambda row: -abs(clarity(row)))

    @property
    def is_equal(self) -> bool:
        """Whether both arms measured alike in every respect with every seed: there is nothing to draw."""
        a, b = self.found.results[BASELINE], self.found.results[VARIANT]
        return bool(a) and self.found.spec.paired and all(_alike(a[seed], b.get(seed, {})) for seed in a)

    def segments(self) -> list[Segment]:
        """The primary measure for each kind of member that was told apart, in the order of the record; [] where none were.

        Values stand in results as "toxicity_seen@newcomers". Exploration: none of them decides anything.
        """
        a, b = self.found.results[BASELINE], self.found.results[VARIANT]
        names = dict.fromkeys(name for values in (*a.values(), *b.values()) for name in values)
        mine = [name for name in names if name.partition("@")[0] == self.primary and "@" in name]
        return [Segment(name.partition("@")[2], contrast_of(name, a, b, self.found.spec.paired)) for name in mine]

    def differences(self, measure: str) -> NDArray[np.float64]:
        """Variant minus baseline by seed, NaN left out; empty where arms have seeds of their own."""
        a, b = self.found.results[BASELINE], self.found.results[VARIANT]
        seeds = sorted(a.keys() & b.keys())
        values = np.array([b[seed].get(measure, math.nan) - a[seed].get(measure, math.nan) for seed in seeds], float)
        return values[np.isfinite(values)]


def _alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two runs measured the same; undefined in both is the same too."""
    return one.keys() == other.keys() and all(v == other[k] or (math.isnan(v) and math.isnan(other[k])) for k, v in one.items())


def answer_of(found: Comparison) -> Answer:
    """The answer of a comparison over the replicates that are finished."""
    return Answer(found, found.spec.plan, {row.measure: row for row in found.row_list})


def clarity(row: Row) -> float:
    """The difference in half widths of its interval: beyond 1 the interval excludes 0. 0 where nothing varies."""
    half = (row.high - row.low) / 2
    return row.difference / half if half and math.isfinite(half) else 0.0


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
_LEADS = ("Clear change, by the design itself: ", "Clear change: ", "Too early: ")


def read_out(answer: Answer) -> ReadOut:
    """The answer to the question that was asked."""
    row = answer.rows.get(answer.primary)
    if row is not None and row.scorer == NOBODY:
        return ReadOut("Not judged", "early", row.sentence)
    if row is None or not row.seeds:
        return ReadOut("Nothing yet", "early", f"Nothing to count yet: {title(answer.primary).lower()}.")
    word, tone = ("It depends", "depends") if row.stability == "divergent" else _WORDS[row.effect]
    told = row.sentence
    for lead in _LEADS:
        if told.startswith(lead):
            told = "In this simulated community " + told.removeprefix(lead)
    more = max(row.more_seeds or (MIN_SEEDS - row.seeds if row.effect == "no verdict" else 0), 0)
    pace = answer.found.seconds_per_seed
    return ReadOut(word, tone, told, more, more * pace if pace else None)


def so_far(answer: Answer) -> ReadOut:
    """What stands on top while the comparison is played: no direction before the number of replicates that may carry one."""
    row = answer.rows.get(answer.primary)
    done = row.seeds if row is not None else 0
    if done < MIN_SEEDS:
        return ReadOut(
            "Playing", "early", f"No answer before {MIN_SEEDS} pairs are finished: until then chance could have made it."
        )
    told = read_out(answer)
    return replace(told, word=f"So far: {told.word.lower()}", more_seeds=0)


def guard(row: Row) -> str:
    """What became of a measure that must not get worse: better, worse, changed, fine, or unclear."""
    if row.effect == "no difference that matters" or row.low == row.high == 0:
        return "fine"
    if row.effect not in ("higher", "lower"):
        return "unclear"
    wish = measure_named(row.measure).direction
    return "changed" if wish == "neither" else "better" if row.effect == wish else "worse"


WORDING = (
    "The two sets of rules forbid, limit and allow the same, and the sketch mind answers to that alone, so both designs play out word "
    "for word the same. Give a rule another meaning in the variant, or take one away; only a language model reads the words."
)
"""Of two designs that differ in the words of rules alone: what comes of it, and what to do."""

ASSUMED = {
    "contagion": "moods follow what is read", "herding": "votes attract votes", "correction": "downvotes are set right",
    "withdrawal": "emotional reading makes people write",
    "hurt": "rude answers hurt", "insult_mood": "bad moods make people rude", "insult_context": "rudeness breeds rudeness",
    "flattery": "votes please", "harass_quarrel": "quarrels turn on the person", "parent_rude": "rude posts are answered more",
    "parent_gloom": "gloomy posts are answered more", "provoked": "rude posts make people write", 
    "vote_side": "rudeness to the other side is liked",
    "vote_rude": "rude posts are voted down", "answered": "people write back to answers", "own_thread": "openers look after their threads",
    "scroll_taste": "readers read on where it interests them", "notice_pull": "answers call people back",
    "suffer_rude": "rude reading spoils the place", "norm_strength": "rules in sight are kept",
    "churn_slope": "the dissatisfied leave", "follow": "readers follow authors",
}  # fmt: skip
"""Mechanism -> what it assumes of people, in words."""

_IDS = re.compile(rf"\b(?:{'|'.join(ASSUMED)})\b")

_TITLES = {"violations_per_100": "Rule-breaking posts written", "violations_seen_per_100": "Rule-breaking posts read"}
"""Where a measure's own title says less than a heading must."""


def plain(about: str) -> str:
    """What a measure counts without its range and its empty case, which stand in the table of all measures."""
    about = about.replace(
        "whose truth is some kind of violation", "that insult, advertise or stray, by what their authors meant"
    )
    return re.sub(r"(, a count)?,? (\[-?\d+, \d+\]|>= 0)(?=[;.:, ])|; NaN [^.]*|(?<=\.) NaN [^.]*\.", "", about).strip()


def limit(line: str) -> str:
    """A limit without the program's spelling: only where it quotes a rule it is left as it is."""
    told = line.replace("see `simulacra check`", "confirm them on the Design page").replace(" (uncivil_*)", "")
    told = told.replace("--robust asks", "the check under other assumptions says")
    if told.startswith("Mechanisms"):
        told = _IDS.sub(lambda found: f"“{ASSUMED[found.group()]}”", told)
    return told if told.startswith("Rule ") else told.replace("_", " ")


def title(measure: str) -> str:
    """A measure's title as a heading. Some lean on the row above them in a report ("the same, as read"): said in full."""
    if measure in _TITLES:
        return _TITLES[measure]
    names = list(MEASURES)
    found = measure_named(measure).title
    if found.startswith("the same") and names.index(measure):
        found = MEASURES[names[names.index(measure) - 1]].title + found.removeprefix("the same")
    return found[:1].upper() + found[1:]


def margin_words(measure: str, margin: float) -> str:
    """A margin in plain units: "1 per 100"."""
    return amount(measure, margin) if margin > 0 else f"{100 * margin_of(measure).size:g} % of the baseline"


def in_its_unit(row: Row) -> str:
    """A difference with its interval in the measure's own unit: "−3.9 (−5.9 to −2.0) per 100"."""
    margin = margin_of(row.measure)
    is_share = margin.relative and row.baseline
    scale, unit = (100 / row.baseline, "%") if is_share else (margin.scale, margin.unit or row.unit)
    return f"{say.interval(row.difference * scale, row.low * scale, row.high * scale)} {unit}"
