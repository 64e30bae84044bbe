"""What a rule sentence means to the simulation: up to three kinds of violation, and whether it forbids, limits or allows them.

Two ways of reading only *propose*: cue words, which every run uses for rules that nobody has confirmed, and similarity of
sentence embeddings, which only `simulacra check` asks, so that no run depends on whether a model is installed. The designer
confirms (`community.Meaning` in the TOML), and what is confirmed counts alone. Accuracy on 84 sentences: docs/rules.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.community import MOST_KINDS, Meaning, Stance, rule_to_toml
from simulacra.events import KINDS

# -- reading a sentence by cue words ---------------------------------------------------------------------------------------


class Cues(NamedTuple):
    """What gives one kind away. asked: what such a rule asks for ("be kind"); spoken_of: what it speaks of ("insults"), which
    it may forbid, limit or allow."""

    asked: re.Pattern[str]
    spoken_of: re.Pattern[str]


@cache
def cues() -> dict[str, Cues]:
    """Kind -> its cues, as data/cues.toml holds them."""
    told = tomllib.loads(files("simulacra").joinpath("data/cues.toml").read_text(encoding="utf-8"))
    return {kind: Cues(*(_any_of(lists[key], told["words"]) for key in Cues._fields)) for kind, lists in told["kinds"].items()}


def _any_of(expressions: Sequence[str], words: Mapping[str, str]) -> re.Pattern[str]:
    """One pattern for a list of expressions from the beginning of a word on; of an empty list, one that finds nothing."""
    either = "|".join(expressions)
    for name, alternatives in words.items():
        either = either.replace(f"{{{name}}}", alternatives)
    return re.compile(rf"\b(?:{either})" if expressions else r"(?!)", re.IGNORECASE)


_PERMITS = (
    r"(?:welcome|allowed|permitted|fine|okay|ok|all right|alright|encouraged|acceptable|tolerated|feel free|please do(?! n)"
    r"|go ahead|no problem|we (?:like|love|enjoy)|you (?:may|can)\b(?! (?:not|be|get|lose))"
    r"|may (?:post|share|advertise|promote|link|sell))\b"
)
_NEGATION = r"\b(?:no(?! matter| problem)|not|never|nor|neither|nobody|none|cannot|hardly|zero|\w+n['’]t)\b"
_ALLOWS = re.compile(rf"\b{_PERMITS}", re.IGNORECASE)
_DENIED = re.compile(
    rf"{_NEGATION}[^,]*?\b{_PERMITS}|{_NEGATION}.*\b(?:tolerated|permitted|allowed)\b|\bun(?:welcome|acceptable)", re.IGNORECASE
)
_EXCUSED = re.compile(
    r"\b(?:not|never|\w+n['’]t) (?:\w+ )?(?:forbidden|banned|prohibited|a problem|against the rules|mind)\b|\bnobody minds"
    r"|\bnothing wrong with|\bno need to|\bneed ?n['’]t|\b(?:do not|don['’]t) have to\b",
    re.IGNORECASE,
)
_WHEN = r"(?:in|on|with|when|after|if|during|at|for|once|where|by|under|inside|the|allowed|\d)"
_CONDITIONS = (
    rf"except|unless\b|only {_WHEN}\b|allowed only\b|exclusively\b|beyond\b|provided\b|(?:as|so) long as\b",
    r"limited to\b|at most\b|no more than\b|minimum\b|maximum\b|excessive|too (?:much|many|often)\b|in moderation\b|sparing",
    r"(?:once|twice|one \w+) (?:a|per)\b|(?:a|per) (?:day|week|month)\b|one in \w+|weekends?\b",
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b",
    r"(?:mega.?|(?:weekly|monthly|daily|pinned|dedicated) )(?:thread|post|showcase|topic)",
    r"permission\b|approv|ask (?:the )?(?:mod\w*|admin\w*|us|staff)\b|ask before\b",
    r"without (?:\w+ ){0,3}(?:asking|consent|member\w*|tag)\b",
    r"with (?:a|the) (?:link|warning|tag|label)|(?:tag|tags|tagged|flag|mark|marked|label|labell?ed|hide|hidden)\b",
    r"out of context\b|(?:but|though) (?:not|never|no|only|don['’]t|keep|please)\b",
)
_LIMITS = re.compile(rf"\b(?:{'|'.join(_CONDITIONS)})", re.IGNORECASE)
_CLAUSE = re.compile(r"(?:[.;:!?]+|--|\s[-–—])(?=\s|$)")


def propose(rule: str) -> Meaning | None:
    """What cue words make of a sentence; None where they find no kind in it.

    Only clauses that name a kind say whether it is forbidden, so "No insults. Venting is welcome." forbids. A condition ("on
    Saturdays", "unless") makes a limit of a prohibition and of a permission alike; what one clause forbids and another
    allows is limited too.
    """
    found: list[tuple[int, str]] = []
    stances: set[Stance] = set()
    start = 0
    for clause in _CLAUSE.split(rule):
        kinds = _kinds_in(clause)
        found += [(start + at, kind) for kind, at, _ in kinds]
        stances |= {_stance(clause, asked) for _, _, asked in kinds}
        start += len(clause) + 1
    if not found:
        return None
    kinds_in_order = tuple(dict.fromkeys(kind for _, kind in sorted(found)))
    stance = stances.pop() if len(stances) == 1 else "limits"
    return Meaning(kinds_in_order[:MOST_KINDS], stance)


def _kinds_in(clause: str) -> list[tuple[str, int, bool]]:
    """(kind, where its first cue stands, whether the clause asks for the opposite of the kind)."""
    found = []
    for kind, (asked, spoken_of) in cues().items():
        request = asked.search(clause)
        if match := request or spoken_of.search(clause):
            found.append((kind, match.start(), request is not None))
    return found


def _stance(clause: str, asked: bool) -> Stance:
    if _LIMITS.search(clause):
        return "limits"
    if _EXCUSED.search(clause):
        return "allows"
    return "allows" if not asked and _ALLOWS.search(clause) and not _DENIED.search(clause) else "forbids"


# -- what a run takes them to mean -----------------------------------------------------------------------------------------


def meanings(rules: Sequence[str], confirmed: Mapping[str, Meaning] | None = None) -> list[Meaning | None]:
    """What each rule counts as in a run: what was confirmed, else the proposal; None for a rule without kinds."""
    found = [(confirmed or {}).get(rule) or propose(rule) for rule in rules]
    return [meaning if meaning and meaning.kinds else None for meaning in found]


def rule_of_kind(rules: Sequence[str], confirmed: Mapping[str, Meaning] | None = None) -> dict[int, int]:
    """Violation kind (index into events.KINDS) -> number, from 1, of the first rule that forbids or limits it."""
    found: dict[int, int] = {}
    for number, meaning in enumerate(meanings(rules, confirmed), 1):
        if meaning and meaning.stance != "allows":
            for kind in meaning.kinds:
                found.setdefault(KINDS.index(kind), number)
    return found


def weights(rules: Sequence[str], confirmed: Mapping[str, Meaning] | None = None, limit: float = 0.5) -> NDArray[np.float64]:
    """How much the rules stand against each kind [KINDS]: 1 forbidden, `limit` limited, 0 allowed or without a rule.

    What one rule forbids and another allows is limited: the second says where the first does not hold.
    """
    weight = np.zeros(len(KINDS))
    allowed = np.zeros(len(KINDS), bool)
    for meaning in meanings(rules, confirmed):
        codes = [KINDS.index(kind) for kind in meaning.kinds] if meaning else []
        if meaning and meaning.stance == "allows":
            allowed[codes] = True
        elif meaning:
            weight[codes] = np.maximum(weight[codes], 1.0 if meaning.stance == "forbids" else limit)
    return np.where(allowed, np.minimum(weight, limit), weight)


def unmatched(rules: Sequence[str], confirmed: Mapping[str, Meaning] | None = None) -> list[int]:
    """Numbers of the rules, from 1, on which no run of the sketch mind depends, since they are about no kind."""
    return [n for n, meaning in enumerate(meanings(rules, confirmed), 1) if meaning is None]


class Ruled(Protocol):
    """What has rules: a community, or an arm."""

    @property
    def rules(self) -> tuple[str, ...]: ...
    @property
    def confirmed(self) -> Mapping[str, Meaning]: ...


def same_to_the_sketch_mind(a: Ruled, b: Ruled) -> bool:
    """Whether two sets of rules give equal runs: whatever their words, rules of the same numbers forbid, limit and allow the
    same kinds."""
    return _seen_by_sketch(a) == _seen_by_sketch(b)


def _seen_by_sketch(of: Ruled) -> list[tuple[float, int]]:
    weight, number = weights(of.rules, of.confirmed), rule_of_kind(of.rules, of.confirmed)
    return [(float(weight[code]), number.get(code, 0)) for code in range(1, len(KINDS))]


# -- in words --------------------------------------------------------------------------------------------------------------


def described(meaning: Meaning | None) -> str:
    """In words, such as "forbids insult (confirmed by Mel)" or "limits spoiler (a guess by cue words)"."""
    if meaning is None or not meaning.kinds:
        return "not modelled: about nothing that the program knows" + _by(meaning)
    kinds = " and ".join(kind.replace("_", " ") for kind in meaning.kinds)
    return f"{meaning.stance} {kinds}{_by(meaning) or ' (a guess by cue words)'}"


def _by(meaning: Meaning | None) -> str:
    return f" (confirmed by {meaning.confirmed_by})" if meaning and meaning.confirmed_by else ""


def warnings(rules: Sequence[str], confirmed: Mapping[str, Meaning] | None = None, *, told: bool = False) -> list[str]:
    """What a result made under these rules must say of them, one line each; [] where all is confirmed and modelled.

    told: a language model writes and is told the rules, so that one without a kind still acts on its words.
    """
    found, idle = meanings(rules, confirmed), set(unmatched(rules, confirmed))
    guessed = [n for n, rule in enumerate(rules, 1) if n not in idle and rule not in (confirmed or {})]
    lines = []
    if guessed:
        taken = "; ".join(f"{n} {_short_meaning(found[n - 1])}" for n in guessed)
        lines.append(f"What these rules mean is guessed by cue words and confirmed by nobody ({taken}): see `simulacra check`.")
    how = "acts only through the language model, which is told it" if told else "is not modelled by the sketch mind"
    return lines + [f"Rule {n} {how}: {rules[n - 1]}" for n in sorted(idle)]


def _short_meaning(meaning: Meaning | None) -> str:
    return f"{meaning.stance} {', '.join(meaning.kinds)}" if meaning else ""


# -- confirming ------------------------------------------------------------------------------------------------------------


def to_confirm(rules: Sequence[str], confirmed: Mapping[str, Meaning], suggested: Sequence[str], by: str = "") -> str:
    """The `rules = [...]` that a designer corrects and puts into the TOML: what is confirmed as it is, the rest as proposed.

    suggested: for each rule a kind to propose where cue words found none, "" for none. by: who confirms; while it is
    empty the program refuses the entries, so that nobody confirms by accident.
    """
    entries = []
    for rule, suggestion in zip(rules, suggested, strict=True):
        proposal = propose(rule) or Meaning((suggestion,) if suggestion else ())
        entries.append(rule_to_toml(rule, confirmed.get(rule) or replace(proposal, confirmed_by=by)))
    return "\n".join(["rules = [", *(f"  {entry}," for entry in entries), "]"])
