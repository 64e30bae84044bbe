"""Persona drift: how often what members say of themselves contradicts who they are.

Read are plain first-person statements of age ("I'm 34 and ..."), work ("as a nurse, I ...", "I work as a cook") and stance ("I'm a
Republican", "as a renter, I ..."). Each is held against the persona's record: its age to a year, the line of work that its
occupation belongs to, the stance of its sketch, else its party. A statement that the record says nothing about is not counted, and
what is within quotation marks was said by somebody else. Patterns see the plain cases only: a rate among what they see, not of all that
is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from simulacra.analysis.agreement import wilson
from simulacra.people.lists import occupations
from simulacra.people.sketches import read_sketch

if TYPE_CHECKING:
    from simulacra.experiment import Run

KINDS = ("age", "work", "stance")
NEAR_AGE = 1
"""Years by which a stated age may be off: birthdays."""

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|(?<!\w)'[^']{3,}'(?!\w)")
_TELLS = re.compile(r"\b(?:i'?m|i am|as an?|i work|i worked|my (?:job|work)|i (?:just )?turned|at \d\d|\d\d[- ]year)\b", re.I)
_AGES = (
    re.compile(r"\bi(?:'m| am|m)(?: only| just| now| already)? (\d\d)(?= ?(?:[,.;!?)]|$)| (?:and|now|years? old|yo)\b)", re.I),
    re.compile(r"\bi(?: just)? turned (\d\d)\b", re.I),
    re.compile(r"(?:^|[,.;!?] ?)at (\d\d),? i\b", re.I),
    re.compile(r"\b(?:i(?:'m| am|m)|as) an? (\d\d)[- ]years?[- ]old\b", re.I),
)  # fmt: skip
_ENDS = r"(?=[,.;:!?)]|$| (?:and|but|so|who|in|at|by|from|with|for|of|on|here|myself|not|too|now|i|i'm|i've|since|because)\b)"
_SELVES = (
    re.compile(rf"\bi(?:'m| am|m) (?:also |just |actually |still )?an? ((?:[\w'-]+ ){{0,3}}?[\w'-]+?){_ENDS}", re.I),
    re.compile(r"\bas an? ((?:[\w'-]+ ){0,3}?[\w'-]+?)(?:,? (?:myself|i|i'm|i've|here)\b)", re.I),
    re.compile(rf"\b(?:i work(?:ed)?|my (?:job|work)(?: is)?) as an? ((?:[\w'-]+ ){{0,3}}?[\w'-]+?){_ENDS}", re.I),
)
_PARTIES = {"Democrat": 1, "Republican": -1}
_BESIDES = frozenset(
    (
        "parent",
        "mom",
        "mum",
        "mother",
        "dad",
        "father",
        "grandmother",
        "grandfather",
        "carer",
        "caregiver",
        "volunteer",
        "veteran",
        "owner",
        "landlord",
        "worker",
    )
)
"""Words of occupations that one may be besides another."""


class Statement(NamedTuple):
    """Something that a post says of its author, and whether the record agrees."""

    kind: str  # of KINDS
    said: str
    own: str  # what the record says
    agrees: bool


@dataclass(frozen=True)
class Drift:
    """What was counted over some posts."""

    posts: int
    checked: Mapping[str, int]  # kind -> statements held against the record
    wrong: Mapping[str, int]  # kind -> of those, contradicted by it
    examples: tuple[tuple[int, Statement], ...] = ()  # (post, what it says) of the first that are contradicted

    @property
    def statements(self) -> int:
        return sum(self.checked.values())

    @property
    def contradicted(self) -> int:
        return sum(self.wrong.values())

    @property
    def rate(self) -> float:
        """Share of the statements that the record contradicts, [0, 1]; NaN without any."""
        return self.contradicted / self.statements if self.statements else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927), as if statements were drawn by themselves; NaN without any."""
        return wilson(self.contradicted, self.statements)

    @property
    def sentence(self) -> str:
        """In plain words."""
        if not self.statements:
            return f"Persona drift: none of {self.posts:,} posts says plainly how old its author is, what it works or where it stands."
        low, high = self.interval
        kinds = ", ".join(f"{kind} {self.wrong[kind]} of {self.checked[kind]}" for kind in KINDS if self.checked[kind])
        return (
            f"Persona drift: {self.statements} plain statement{'s' * (self.statements > 1)} about oneself in {self.posts:,} posts, "
            f"{self.rate:.0%} contradicted by who they are ({low:.0%} to {high:.0%}; {kinds})."
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        low, high = self.interval
        said = [{"post": post, **statement._asdict()} for post, statement in self.examples]
        return {
            "posts": self.posts, "statements": self.statements, "contradicted": self.contradicted, "rate": self.rate, "low": low,
            "high": high, "checked": dict(self.checked), "wrong": dict(self.wrong), "examples": said,
        }  # fmt: skip


class Self(NamedTuple):
    """Who a persona is, as far as it can be contradicted."""

    age: int
    work: str
    party: str = ""
    sketch: str = ""


def statements(text: str, own: Self) -> Iterator[Statement]:
    """What a post says of its author that the record can be held against, one of a kind at most."""
    straight = text.replace("’", "'")
    if not _TELLS.search(straight):
        return
    plain = _QUOTED.sub(" ", straight)
    for found in (_age(plain, own), _work(plain, own), _stance(plain, own)):
        if found is not None:
            yield found


def drift(posts: Sequence[tuple[int, int, str]], people: Sequence[Self], examples: int = 5) -> Drift:
    """Counts over posts, each (id, author, text); people by persona id."""
    checked, wrong = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    shown: list[tuple[int, Statement]] = []
    for post, author, text in posts:
        for said in statements(text, people[author]):
            checked[said.kind] += 1
            wrong[said.kind] += not said.agrees
            if not said.agrees and len(shown) < examples:
                shown.append((post, said))
    return Drift(len(posts), checked, wrong, tuple(shown))


def run_drift(run: Run) -> Drift:
    """The drift of a run's measured days, whichever mind wrote them."""
    table = run.frames.arrow("posts", columns=("id", "author", "text"))
    posts = zip(*(table[name].to_pylist() for name in ("id", "author", "text")), strict=True)
    people, sketches = run.folder.population, run.spec.community.personas
    told = [sketches[at].sketch if at < len(sketches) else "" for at in people.sketch.tolist()]
    who = zip(people.age.tolist(), people.work.tolist(), people.party.tolist(), told, strict=True)
    return drift(list(posts), [Self(int(age), str(work), str(party), sketch) for age, work, party, sketch in who])


# -- what is said ----------------------------------------------------------------------------------------------------------


def _age(text: str, own: Self) -> Statement | None:
    said = next((int(found[1]) for pattern in _AGES if (found := pattern.search(text))), None)
    return None if said is None or said < 13 else Statement("age", str(said), str(own.age), abs(said - own.age) <= NEAR_AGE)


def _selves(text: str) -> Iterator[str]:
    """What the author calls itself: "nurse", "retired bus driver"."""
    for pattern in _SELVES:
        for found in pattern.finditer(text):
            yield found[1].lower().strip()


def _work(text: str, own: Self) -> Statement | None:
    """Occupations by the last word of what the author calls itself; "a nurse's husband" is none."""
    known = occupations()
    line, words = known.field_of(own.work), set(re.findall(r"[a-z-]+", own.work.lower()))
    for said in _selves(text):
        last = said.split()[-1]
        if last in known.heads and last not in _BESIDES and (line >= 0 or last in words):
            return Statement("work", said, own.work, last in words or known.heads[last] == line)
    return None


def _stance(text: str, own: Self) -> Statement | None:
    """A side by the words that sketches are read with, or a party's name; against the sketch, else the party."""
    lean = read_sketch(own.sketch).lean if own.sketch else None
    side = lean if lean else _PARTIES.get(own.party)
    if side is None:
        return None
    for said in _selves(text):
        stated = read_sketch(said).lean
        if stated:
            against = own.sketch if lean else own.party
            return Statement("stance", said, against, (stated > 0) == (side > 0))
    return None
