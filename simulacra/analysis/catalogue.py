"""What a measure is: a function from a run's facts to a number, with its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulacra.analysis.facts import Facts

Direction = Literal["lower", "higher", "neither"]

LEXICAL = "lexical"
"""The scorer that every run carries: toxicity by alt-profanity-check, valence and word shares by VADER."""
TRUTH = "truth"
"""No scorer: what the author meant, which policies and scorers never see."""

Row = tuple[Callable[[Facts], float], str, str, Direction] | tuple[Callable[[Facts], float], str, str, Direction, str]


@dataclass(frozen=True)
class Measure:
    """One measure: its name, what to call it in a sentence, its unit, which way is better, the function, and who judged.

    scorer: `lexical` where it rests on scores of words, `truth` where it rests on what authors meant, "" where it counts acts.
    """

    name: str
    title: str
    unit: str
    direction: Direction
    function: Callable[[Facts], float]
    scorer: str = ""

    @property
    def about(self) -> str:
        """What it counts: its docstring on one line."""
        return " ".join((self.function.__doc__ or "").split())


def catalogue(*rows: Row) -> dict[str, Measure]:
    """Measures by name from (function, title, unit, direction[, scorer]); the name is the function's."""
    return {row[0].__name__: Measure(row[0].__name__, row[1], row[2], row[3], row[0], *row[4:]) for row in rows}
