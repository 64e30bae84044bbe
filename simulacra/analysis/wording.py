"""Verdicts in plain words."""

from __future__ import annotations

from simulacra.analysis.contrast import HELPFUL, MIN_SEEDS, MOST_SEEDS, Contrast, mean_of
from simulacra.analysis.margins import amount, change
from simulacra.analysis.segments import is_measure, measure_named
from simulacra.analysis.verdict import Verdict


def sentence(verdict: Verdict, c: Contrast, by_design: bool = False) -> str:
    """The verdict for people, one to three short sentences. by_design: the lever acts on this very measure."""
    title = _capital(_title(verdict.measure))
    if c.seeds == 0:
        return f"{title}: {_undefined(c)}."
    if c.seeds < MIN_SEEDS:
        return f"{title}: {_hint(verdict, c)}."
    told = _effect_words(verdict, c, by_design)
    split = _split_words(verdict, c)
    if verdict.stability.where == "difference":
        return f"{split} On average: {_lower_first(told)}"
    return f"{told} {split}".rstrip()


def _effect_words(verdict: Verdict, c: Contrast, by_design: bool) -> str:
    name, (low, high) = verdict.measure, c.interval()
    if c.mean == 0 and c.error == 0:
        return f"No difference: {_title(name)}, identical in all {c.seeds} runs."
    if verdict.effect == "no difference that matters":
        about = "" if verdict.role == "primary" else f" in {_title(name)}"
        return f"No difference that matters to you{about} (less than {amount(name, verdict.margin)})."
    told = change(name, c.mean, low, high)
    if verdict.effect == "undecided":
        return f"Too early{_multiplicity(verdict, low, high)}: {told}{_agreement(c)}; {_more(verdict)}.{_pairing(c)}"
    cause = ", by the design itself" if by_design else ""
    lead = "Seems changed" if verdict.role == "exploration" else "Clear change"  # one row in twenty does by chance
    return f"{lead}{cause}: {told}{_agreement(c)}."


def _multiplicity(verdict: Verdict, low: float, high: float) -> str:
    """An interval without 0 that does not survive Holm needs an explanation."""
    return ", allowing for the measures tested together" if low > 0 or high < 0 else ""


def _agreement(c: Contrast) -> str:
    return f"; {c.agree} of {c.seeds} runs agree" if c.paired else f"; {c.seeds} runs an arm"


def _pairing(c: Contrast) -> str:
    return " Pairing did not help here." if c.correlation < HELPFUL else ""


def _more(verdict: Verdict) -> str:
    if verdict.more_seeds is None:
        return f"not detectable at this size, {MOST_SEEDS:,} runs would not do"
    time = f", {in_minutes(verdict.seconds)}," if verdict.seconds is not None else ""
    return f"about {verdict.more_seeds} more runs{time} would tell"


def _split_words(verdict: Verdict, c: Contrast) -> str:
    where, split = verdict.stability.where, verdict.stability.split
    if split is None:
        return ""
    groups = ((split.below, split.low), (split.above, split.high))
    if where != "difference":
        ends = " and ".join(f"{count} near {_level(verdict.measure, mean)}" for count, mean in groups)
        return f"It depends: the {where}'s runs split, {ends}."
    if split.low < 0 < split.high:
        down, up = ("calmed down", "flared up") if "toxic" in verdict.measure else ("went down", "went up")
        return f"It depends ({_title(verdict.measure)}): {split.below} runs {down}, {split.above} {up}."
    ends = " and ".join(f"{count} runs by about {_level(verdict.measure, abs(mean))}" for count, mean in groups)
    return f"It depends how far: {_title(verdict.measure)} went {'up' if split.low > 0 else 'down'} in {ends}."


def _hint(verdict: Verdict, c: Contrast) -> str:
    if c.mean == 0 and not c.error:
        return f"identical in {'the one run' if c.seeds == 1 else f'all {c.seeds} runs'}; fewer than {MIN_SEEDS} runs, no claim"
    direction = "higher" if c.mean > 0 else "lower"
    return f"{direction} by about {amount(verdict.measure, abs(c.mean))}{_agreement(c)}; fewer than {MIN_SEEDS} runs, no claim"


def _undefined(c: Contrast) -> str:
    for arm, values in (("baseline", c.baseline), ("variant", c.variant)):
        if len(values):
            return f"{mean_of(values):.3g} in the {arm}, nothing to count in the other arm"
    return "nothing to count in either arm"


def in_minutes(seconds: float) -> str:
    """Time in words: "20 seconds", "2 minutes", "3 hours"."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 0.9 * size:
            count = max(1, round(seconds / size))
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{max(1, round(seconds))} seconds"


def _level(measure: str, value: float) -> str:
    return amount(measure, value)


def _title(measure: str) -> str:
    return measure_named(measure).title if is_measure(measure) else measure


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
