"""How the sketch writer speaks of news: passing it on, asking, doubting, correcting, inviting, coming, declining, welcoming.

A grammar over the designer's sentence, like the other acts' but with lines of its own (data/news.toml). Whether a draft speaks of
an item, and what it says, has been decided before (hearsay.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from simulacra.events import SAYINGS
from simulacra.minds.data import news_bank
from simulacra.minds.lines import Dice, Line
from simulacra.minds.manner import ALONE, BAD, GOOD, PLAIN, Manner, Sentence
from simulacra.news import News

_DATE = "\x1a"
"""Stands for the date in compiled lines: it depends on the hour at which they are said."""
_TONES = {"doubts": BAD, "corrects": BAD, "comes": GOOD, "invites": GOOD, "welcomes": GOOD}
_REMARKS = {
    "tells": "tells", "asks": "asks", "doubts": "doubts", "corrects": "doubts", "invites": "invites", "comes": "comes",
}  # fmt: skip
OPEN, ASIDE, ANSWER = "open", "aside", "answer"


def sentences(
    item: News, saying: int, place: str, step: int, fill: Sequence[str], dice: Dice, writer: Manner, room: int
) -> Iterator[Sentence]:
    """What somebody says of an item, one or two sentences. place: OPEN, ASIDE or ANSWER; room: sentences that the author feels
    like writing."""
    lines, name = _lines(item), SAYINGS[saying]
    tone = _TONES.get(name, PLAIN)
    said = _pick(lines[f"{name}_{place}"], dice).render(fill, dice, writer)
    yield Sentence(said.replace(_DATE, item.date(step)), ALONE if place == ASIDE else tone)
    remarks = lines.get(f"remark_{_REMARKS.get(name, '')}", ())
    if remarks and place != ASIDE and next(dice) < 16777216 * (0.75 if room > 1 else 0.3):
        yield Sentence(_pick(remarks, dice).render(fill, dice, writer).replace(_DATE, item.date(step)), PLAIN)


def _pick(lines: Sequence[Line], dice: Dice) -> Line:
    return lines[next(dice) % len(lines)]


@cache
def _lines(item: News) -> Mapping[str, Sequence[Line]]:
    """The lines for an item, compiled with its words; 4 ms an item."""
    bank: Mapping[str, Any] = news_bank()[item.kind]
    words = {"item": [item.inside], "date": [_DATE]}
    return {name: [Line(raw, 0, words) for raw in raws] for name, raws in bank.items()}
