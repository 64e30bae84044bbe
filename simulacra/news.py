"""News: what a designer lets one member know, to see whom it reaches. A rumour, an invitation to a meet-up, or a fact.

A file says it in `[[news]]` tables, an arm in the setting `news`. Here are the words of an item and how it is read, checked and
spoken of; who learns it when is in `hearsay`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from simulacra import checks

Kind = Literal["rumour", "invitation", "fact"]

MAX_NEWS, MAX_WORDS = 16, 200
KEYS = ("kind", "words", "topic", "from", "knows", "starts", "when")
STARTS = 9
"""Hour of day 1 in which an item is known first, where nothing is said."""
_TIME = re.compile(r"day (\d{1,3})(?:,? (?:at )?(\d{1,2})(?::00)?)?", re.I)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST = (
    "the a an they there this that these those our your my all some every each many nobody somebody everybody everyone it its "
    "he she we you from starting next last no one two three people members parking free new"
)
_LOWER = frozenset(_FIRST.split())
"""First words that lose their capital inside a sentence; others may be names."""


@dataclass(frozen=True)
class News:
    """One item. Equal items spread alike."""

    kind: Kind
    words: (
        str  # a rumour or fact as a clause ("the museum will close"), an invitation as what it is to ("a picnic in the park")
    )
    topic: str = ""  # one of the community's topics, "" where it is near none
    origin: str = ""  # the sketch among whose descendants the first who know are drawn; "" anybody
    knows: float = 1.0  # how many know it first, or below 1 which share of members
    starts: int = STARTS  # step at which they know it
    when: int = -1  # step of the meet-up; -1 for rumours and facts
    _inside: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        first, _, rest = self.words.rstrip(".!?… ").partition(" ")
        inside = f"{first.lower() if first.lower() in _LOWER else first} {rest}".strip()
        # What slots and alternatives of the grammar are written with is no part of what people say.
        object.__setattr__(self, "_inside", re.sub(r"[\[\]{}|]", "", inside))

    @property
    def inside(self) -> str:
        """The words as they stand inside a sentence."""
        return self._inside

    @property
    def title(self) -> str:
        """What the item is, in one line for a table."""
        return f"{self.kind}: {self.inside}" + (
            f", day {self.when // 24 + 1} at {clock(self.when % 24)}" if self.when >= 0 else ""
        )

    def date(self, step: int) -> str:
        """When the meet-up is, as somebody says it at that step: "tonight at 7 pm", "on Wednesday at noon"."""
        return date(self.when, step)

    def told(self, step: int) -> str:
        """The item as somebody passes it on at that step, a meet-up with its day and hour."""
        return f"{self.inside}, {self.date(step)}" if self.when >= 0 else self.inside

    def over(self, step: int) -> bool:
        """Whether nobody speaks of it any more: the meet-up has begun."""
        return 0 <= self.when <= step

    def says(self, text: str, share: float = 0.5) -> bool:
        """Whether a text speaks of this item: it holds that share of the item's content words."""
        own = _stems(self.words)
        return bool(own) and len(own & _stems(text)) >= max(1, share * len(own))

    def to_dict(self) -> dict[str, Any]:
        """As a file holds it; `read_news` is the inverse."""
        plain: dict[str, Any] = {"kind": self.kind, "words": self.words, "knows": self.knows, "starts": _when(self.starts)}
        plain |= {"topic": self.topic} if self.topic else {}
        plain |= {"from": self.origin} if self.origin else {}
        return plain | ({"when": _when(self.when)} if self.when >= 0 else {})


def date(when: int, step: int) -> str:
    """A later hour, as somebody says it at that step: "tonight at 7 pm", "on Wednesday at noon"."""
    days, hour = when // 24 - step // 24, when % 24
    if days == 0:
        return f"{'tonight' if hour >= 18 else 'today'} at {clock(hour)}"
    if days == 1:
        return f"tomorrow at {clock(hour)}"
    return f"on {_DAYS[(when // 24) % 7]} at {clock(hour)}"


def clock(hour: int) -> str:
    """An hour of the day as people say it: "7 pm", "noon"."""
    return {0: "midnight", 12: "noon"}.get(hour, f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}")


def _when(step: int) -> str:
    return f"day {step // 24 + 1} {step % 24:02d}:00"


_LITTLE = (
    "will with from that this they there have been being their about into over than then some more most next last only just "
    "also every because would could should where when what which while after before under these those until"
)
_COMMON = frozenset(_LITTLE.split())


def _stems(text: str) -> frozenset[str]:
    """Content words, cut to their first six letters."""
    words = re.findall(r"[^\W_]{4,}", text.lower())
    return frozenset(word[:6].rstrip("s") for word in words if word not in _COMMON)


# -- reading ---------------------------------------------------------------------------------------------------------------


def read_news(where: str, raw: object, topics: Sequence[str], sketches: Sequence[str]) -> tuple[News, ...]:
    """The items of `[[news]]` tables, checked; () for none. topics, sketches: what an item may name.

    Raises CommunityError in one line.
    """
    entries = checks.tables(where, "news", raw)
    if len(entries) > MAX_NEWS:
        checks.fail(where, f"news has {len(entries)} entries, at most {MAX_NEWS} are allowed. Delete some.")
    return tuple(_item(where, f"news[{i}]", entry, topics, sketches) for i, entry in enumerate(entries, 1))


def news_from(plain: Sequence[Mapping[str, Any]]) -> tuple[News, ...]:
    """The items of `News.to_dict`, of a record that was checked when it was made."""
    topics, sketches = ([str(item[key]) for item in plain if item.get(key)] for key in ("topic", "from"))
    return read_news("news", plain, topics, sketches)


def _item(where: str, at: str, raw: Mapping[str, Any], topics: Sequence[str], sketches: Sequence[str]) -> News:
    table = {("from" if key == "host" else key): value for key, value in raw.items()}
    checks.check_keys(where, table, KEYS, f"{at}.")
    for key, example in (("kind", '"rumour", "invitation" or "fact"'), ("words", '"the museum will close in June"')):
        if key not in table:
            checks.fail(where, f"{at} has no {key}. Add {key} = {example}.")
    kind: Any = checks.choice(where, f"{at}.kind", table["kind"], get_args(Kind))
    meets = kind == "invitation"
    if meets != ("when" in table):
        said = 'has no when. Add when = "day 3 19:00".' if meets else f"has a when, but a {kind} has no hour. Delete it."
        checks.fail(where, f"{at} {said}")
    starts = _step(where, f"{at}.starts", table.get("starts", _when(STARTS)))
    when = _step(where, f"{at}.when", table["when"]) if meets else -1
    if meets and when <= starts:
        checks.fail(where, f"{at}.when is {table['when']}, but nobody knows of it before {_when(starts)}. Choose a later hour.")
    knows = checks.number(where, f"{at}.knows", table.get("knows", 1), 1e-6, 1e6)
    if meets and knows != 1:
        checks.fail(where, f"{at}.knows is {knows:g}, but one member invites. Delete it.")
    return News(
        kind,
        checks.text(where, f"{at}.words", table["words"], MAX_WORDS),
        checks.choice(where, f"{at}.topic", table["topic"], topics) if table.get("topic") else "",
        checks.choice(where, f"{at}.from", table["from"], [s for s in sketches if s]) if table.get("from") else "",
        knows,
        starts,
        when,
    )


def _step(where: str, key: str, value: object) -> int:
    """Hours from the beginning of day 1 of "day 3 19:00" (or "day 3": nine in the morning)."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) < 1 or int(match[2] or 0) > 23:
        checks.fail(where, f'{key} is {checks.came(value)}, expected a day and an hour such as "day 3 19:00".')
    return (int(match[1]) - 1) * 24 + int(match[2] or STARTS)


def parse_news(text: str) -> dict[str, Any]:
    """An item as the command line takes it: "rumour: the museum will close" or "invitation day 3 19:00: a picnic in the park".
    The table for `read_news`, which checks it; what has no such form becomes a table without a kind."""
    head, colon, words = text.partition(": ")
    kind, _, when = head.strip().partition(" ")
    if not colon:
        return {"words": text}
    return {"kind": kind, "words": words.strip(), **({"when": when.strip()} if when.strip() else {})}
