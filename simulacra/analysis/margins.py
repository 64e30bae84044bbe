"""What difference matters: a default margin for every measure, and the plain units in which people are told of it.

A margin is the smallest difference that a designer would act on. It is named before a comparison is played, because "no
difference that matters" means nothing else. Defaults are ours, conventions and not findings: one rude post in a hundred, five
per cent of the posting. Counts and rates have margins relative to the baseline, since they grow with size and activity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from simulacra.analysis.measures import MEASURES


class Margin(NamedTuple):
    """The default margin of a measure and how a change of it is told.

    `size` is in the measure's own unit, or a share of the baseline's mean where `relative`; a relative margin never falls below
    `floor`. `clause` tells a change: {n} is the amount times `scale`, {more} is `up` or `down`. `unit` follows an amount that
    stands alone ("less than 1 per 100").
    """

    size: float
    clause: str
    unit: str
    scale: float = 1.0
    up: str = "more"
    down: str = "fewer"
    relative: bool = False
    floor: float = 0.0

    def of(self, baseline: float) -> float:
        """The margin in the measure's own unit. baseline: its mean in the baseline arm; NaN gives the floor."""
        if not self.relative:
            return self.size
        return max(self.size * abs(baseline), self.floor) if not math.isnan(baseline) else self.floor


def _per_100(size: float, clause: str, up: str = "more", down: str = "fewer", unit: str = "per 100") -> Margin:
    return Margin(size, clause, unit, 100.0, up, down)


def _points(size: float, clause: str, up: str = "more", down: str = "less") -> Margin:
    return Margin(size, clause, "points of 100", 100.0, up, down)


def _count(clause: str, unit: str, up: str = "more", down: str = "fewer", floor: float = 1.0) -> Margin:
    return Margin(0.1, clause, unit, 1.0, up, down, relative=True, floor=floor)


def _rate(size: float, clause: str, unit: str) -> Margin:
    return Margin(size, clause, unit, relative=True)


MARGINS: dict[str, Margin] = {
    "toxicity_written": _per_100(0.01, "members write about {n} {more} rude posts per 100"),
    "toxicity_seen": _per_100(0.01, "members read about {n} {more} rude posts per 100"),
    "toxic_share": _per_100(0.01, "members write about {n} {more} plainly rude posts per 100"),
    "toxic_seen_share": _per_100(0.01, "members read about {n} {more} plainly rude posts per 100"),
    "violations_per_100": Margin(1.0, "members write about {n} {more} posts per 100 that break a rule", "per 100"),
    "violations_seen_per_100": Margin(1.0, "members read about {n} {more} posts per 100 that break a rule", "per 100"),
    "valence_written": _points(0.02, "what members write is {n} points {more} cheerful on a scale of 100"),
    "valence_seen": _points(0.02, "what members read is {n} points {more} cheerful on a scale of 100"),
    "positive_words": Margin(0.002, "members write about {n} {more} positive words per 1,000", "per 1,000", 1000.0),
    "negative_words": Margin(0.002, "members write about {n} {more} negative words per 1,000", "per 1,000", 1000.0),
    "positive_share": _per_100(0.02, "about {n} {more} posts per 100 are cheerful"),
    "negative_share": _per_100(0.02, "about {n} {more} posts per 100 are gloomy"),
    "posts_per_persona": _rate(0.05, "each member writes about {n} {more} posts", "posts a member"),
    "writers_share": _per_100(0.02, "about {n} {more} members per 100 write at all"),
    "replies_per_thread": _rate(0.1, "a thread draws about {n} {more} replies", "replies a thread"),
    "unanswered_share": _per_100(0.03, "about {n} {more} threads per 100 stay unanswered"),
    "participation_gini": _points(0.02, "posting is {n} points {more} unequal on a scale of 100"),
    "exposure_gini": _points(0.02, "being read is {n} points {more} unequal on a scale of 100"),
    "visits_per_persona_day": _rate(0.05, "each member comes about {n} {more} times a day", "visits a day"),
    "impressions_per_visit": _rate(0.05, "a visit takes in about {n} {more} posts", "posts a visit"),
    "votes_per_100_impressions": _rate(0.1, "about {n} {more} votes per 100 posts read", "votes per 100"),
    "upvote_share": _per_100(0.02, "about {n} {more} votes per 100 are upvotes"),
    "reports": _count("members make about {n} {more} reports", "reports"),
    "removals": _count("about {n} {more} posts are removed", "posts"),
    "removal_recall": _per_100(0.05, "about {n} {more} violations per 100 are removed"),
    "false_removal_share": _per_100(0.05, "about {n} {more} removals per 100 hit harmless posts"),
    "missed_violations": _count("about {n} {more} violations stay up", "violations"),
    "moderator_minutes": _count("moderators work about {n} minutes a day {more}", "minutes a day", "more", "less"),
    "bans": _count("about {n} {more} members are banned", "members"),
    "persona_churn": _per_100(0.01, "about {n} {more} members per 100 leave"),
    "newcomer_return": _per_100(0.03, "about {n} {more} newcomers per 100 come back"),
    "failures": _count("about {n} {more} drafts fail", "drafts"),
}  # fmt: skip
"""By measure. One that is not here falls back on its unit (`margin_of`)."""


def margin_of(measure: str) -> Margin:
    """The measure's default margin: from the table, else by its unit (a share .02, a score or Gini .02, a count 10 %)."""
    measure = measure.partition("@")[0]
    if measure in MARGINS:
        return MARGINS[measure]
    known = MEASURES.get(measure)
    title, unit = (known.title, known.unit) if known else (measure, "")
    clause = f"{title}: about {{n}} {{more}}"
    if unit.startswith("share"):
        return Margin(0.02, clause + " per 100", "per 100", 100.0, "higher", "lower")
    if unit.startswith(("score", "Gini", "index", "correlation")):
        return Margin(0.02, clause + " on a scale of 100", "points of 100", 100.0, "higher", "lower")
    if "per 100" in unit:
        return Margin(1.0, clause + " per 100", "per 100", 1.0, "higher", "lower")
    return Margin(0.1, clause, unit, 1.0, "higher", "lower", relative=True, floor=1.0 if unit == "count" else 0.0)


# -- amounts ---------------------------------------------------------------------------------------------------------------


def change(measure: str, difference: float, low: float, high: float) -> str:
    """A difference in plain words with its interval: "members read about 3 fewer rude posts per 100 (2 to 4)".

    All three in the measure's own unit. The amount has the digits that the interval allows; ends of the interval that lie on
    the other side of 0 keep a minus.
    """
    margin, kind = margin_of(measure), measure.partition("@")[2]
    sign = -1.0 if difference < 0 else 1.0
    ends = sorted(sign * end * margin.scale for end in (low, high))
    digits = _digits((ends[1] - ends[0]) / 2, abs(difference) * margin.scale)
    clause = margin.clause.format(n=_shown(abs(difference) * margin.scale, digits), more=margin.down if sign < 0 else margin.up)
    clause = f"among {kind.replace('_', ' ').replace(':', ' ')}, {clause}" if kind else clause
    if ends[0] == ends[1]:
        return f"{clause} (always the same)"
    return f"{clause} ({_shown(ends[0], digits)} to {_shown(ends[1], digits)})"


def amount(measure: str, size: float) -> str:
    """A size in plain units: "1 per 100"."""
    margin = margin_of(measure)
    size *= margin.scale
    return f"{_shown(size, _digits(size, size))} {margin.unit}".strip()


def _digits(uncertainty: float, size: float) -> int:
    """Decimals so that the uncertainty keeps one digit, or the size two where nothing is uncertain; 0 to 6."""
    if uncertainty > 0 and math.isfinite(uncertainty):
        return min(6, max(0, -math.floor(math.log10(uncertainty))))
    return min(6, max(0, 1 - math.floor(math.log10(size)))) if size > 0 else 0


def _shown(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    if digits and not value % 1 * 10**digits:
        text = text.split(".")[0]
    return "0" if text.strip("-0.,") == "" else text
