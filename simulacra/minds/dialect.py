"""The English of a community: American unless its own texts are British, so that lines meant for anybody do not give themselves away
by a "mum" in Pittsburgh or two currencies in one thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulacra.community import Community
from simulacra.minds.things import told_by

_BRITISH = re.compile(
    r"\b(?:(?:neighbour|colour|favour|honour|flavour)\w*|mum|organis\w+|programmes?|allotments?|lorr(?:y|ies)|parish|pub|fortnight\w*|"
    r"flats|village hall|council estate|quid|pence|litres?|metres?|grey|cosy|plough\w*|theatre|jewellery|tyres?|kerb)\b|£",
    re.IGNORECASE,
)
_EURO = re.compile(r"\beuros?\b|€", re.IGNORECASE)

_SPELLINGS = {
    "neighbour": "neighbor", "colour": "color", "favourite": "favorite", "humour": "humor", "flavour": "flavor", "honour": "honor",
    "mum": "mom", "grey": "gray", "recognis": "recogniz", "organis": "organiz", "apologis": "apologiz", "realis": "realiz",
    "offence": "offense", "moult": "molt", "mould": "mold", "sceptic": "skeptic", "cosy": "cozy", "litre": "liter",
    "kilometre": "kilometer", "plough": "plow",
}  # fmt: skip
"""British spellings and the American ones: beginnings of words."""
_WORDS = {
    "practis": "practic", "programme": "program", "metre": "meter", "jumper": "sweater", "telly": "TV", "laundrette": "laundromat",
    "biscuit": "cookie", "crisps": "chips", "postman": "mailman", "postbox": "mailbox", "rubbish": "garbage", "motorway": "freeway",
    "hoovering": "vacuuming", "hoover": "vacuum", "a fortnight": "two weeks", "once a fortnight": "every two weeks",
    "flatmate": "roommate", "bloke": "guy", "petrol": "gas", "pyjamas": "pajamas", "trousers": "pants", "pavement": "sidewalk",
    "gran": "grandma", "a mate from five-a-side": "a friend from softball",
}  # fmt: skip
"""British words that an American would not use, and what it says; the other way round they would be read wrongly."""
_ENDINGS = r"(?=(?:s|'s|ed|ing|ise|ises|es|e|ly|y|al|ally|hood|hoods|ation|ations|ful|less)?\b)"
_MONEY = re.compile(r"\b(?:bucks|quid|euros)\b")


def spoken(bank: Any, speak: Callable[[str], str]) -> Any:
    """Lists and tables of lines, with every line said in that English."""
    if isinstance(bank, str):
        return speak(bank)
    if isinstance(bank, Mapping):
        return {key: spoken(value, speak) for key, value in bank.items()}
    return [spoken(value, speak) for value in bank] if isinstance(bank, list | tuple) else bank


def dialect_of(community: Community) -> Callable[[str], str]:
    """What turns a line of the package into the community's English: its spelling, and one currency."""
    told = f"{community.name} {told_by(community)}"
    is_british = bool(_BRITISH.search(told))
    unit = "euros" if _EURO.search(told) else "quid" if is_british else "bucks"
    spelling = _reader({new: old for old, new in _SPELLINGS.items()} if is_british else {**_SPELLINGS, **_WORDS})
    return lambda line: _MONEY.sub(unit, spelling(line))


def _reader(spellings: Mapping[str, str]) -> Callable[[str], str]:
    pattern = re.compile(
        rf"\b(?:{'|'.join(map(re.escape, sorted(spellings, key=len, reverse=True)))}){_ENDINGS}", re.IGNORECASE
    )

    def other(match: re.Match[str]) -> str:
        word = spellings[match[0].lower()]
        return word[0].upper() + word[1:] if match[0][0].isupper() else word

    return lambda line: pattern.sub(other, line)
