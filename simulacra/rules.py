"""Which kind of violation a rule sentence speaks of, by cue words. Deliberately small: a rule without a kind is reported as not modelled."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simulacra.events import KINDS

_CUES = {
    "insult": r"kind|respect|civil|polite|courte|rude|insult|attack|harass|bully|shame|shaming|name.calling|person(?:al)? attack|decen",
    "self_promotion": r"advert|promot|\bsell|spam|business|commerc|affiliate|\bshops?\b|marketing|cures? sold",
    "off_topic": r"on.topic|off.topic|stay (?:on|with)|only about|\bunrelated|keep it about|national politics",
}
_ALLOWS = re.compile(r"\b(?:welcome|allowed|fine|okay|ok|encouraged|please do|feel free)\b", re.IGNORECASE)
_FORBIDS = re.compile(r"\b(?:no|not|never|don't|do not|without|only|keep|stay|be)\b", re.IGNORECASE)


def rule_of_kind(rules: Sequence[str]) -> dict[int, int]:
    """Violation kind (index into events.KINDS) -> number, from 1, of the first rule that forbids it.

    A sentence that only permits ("venting is welcome") forbids nothing. Empty where no rule is understood.
    """
    found: dict[int, int] = {}
    for number, rule in enumerate(rules, 1):
        if _ALLOWS.search(rule) and not _FORBIDS.search(rule):
            continue
        for kind, cue in _CUES.items():
            if re.search(cue, rule, re.IGNORECASE):
                found.setdefault(KINDS.index(kind), number)
    return found


def unmatched(rules: Sequence[str]) -> list[int]:
    """Numbers of the rules that no kind was found for: the sketch mind does not model them."""
    known = set(rule_of_kind(rules).values())
    return [n for n, rule in enumerate(rules, 1) if n not in known and not any(re.search(c, rule, re.I) for c in _CUES.values())]
