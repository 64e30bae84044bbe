"""Words on the page: text of communities and models made harmless, and plain words beside numbers.

Whatever a person, a file or a model wrote is data. In HTML it is escaped to plain characters; where Streamlit reads Markdown
(labels, messages) `md` takes away all that Markdown could make of it, addresses that would become links included; plotly reads
some HTML in labels, so `flat` is for figures.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

import streamlit as st

from simulacra.checks import clean
from simulacra.designs import Arm
from simulacra.errors import SimulacraError

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_GAP = "​"  # an invisible break: an address with it inside is no address any more
_LINKS = re.compile(r"(?i)(https?|ftp|mailto|www)(?=[:.])|(?<=\S)@(?=\S)")


def esc(text: object, most: int = 4000) -> str:
    """The text as HTML that is nothing but characters, cut after `most`."""
    words = clean(str(text))
    return html.escape(words if len(words) <= most else words[: most - 1] + "…")


def md(text: object, most: int = 600) -> str:
    """The text for a place that reads Markdown: no emphasis, image, link, directive, formula or bare address comes of it."""
    words = clean(str(text))
    words = words if len(words) <= most else words[: most - 1] + "…"
    words = _LINKS.sub(lambda found: found.group() + _GAP, words)
    return _PUNCTUATION.sub(r"\\\1", words)


def flat(text: object, most: int = 60) -> str:
    """The text for a plotly label, which reads <a>, <b> and entities."""
    words = clean(str(text)).replace("<", "‹").replace(">", "›").replace("&", "＆").replace("$", "＄")
    return words if len(words) <= most else words[: most - 1] + "…"


# -- parts of a page -------------------------------------------------------------------------------------------------------


def head(title: str, sentence: str) -> None:
    """The page's title and its one sentence; both our own words."""
    st.title(title, anchor=False)
    st.html(f'<div class="sim-lead">{html.escape(sentence)}</div>')


def empty(title: str, what_to_do: str) -> None:
    """An empty state that says what to do."""
    st.html(f'<div class="sim-empty"><b>{html.escape(title)}</b>{html.escape(what_to_do)}</div>')


def mistake(error: SimulacraError | str) -> None:
    """A message for the designer, whatever text it quotes."""
    st.error(md(error), icon=":material/error:")


def chip(text: object, tone: str = "") -> str:
    """HTML of a small label."""
    style = f' style="--tone:{tone}"' if tone else ""
    return f'<span class="sim-chip"{style}>{esc(text, 120)}</span>'


def arm(name: str, described: object, tone: str) -> str:
    """HTML of an arm's name with its fixed colour, and what its design is."""
    dot = f'<span class="sim-dot" style="--tone:{tone}"></span>'
    return f'<div class="sim-arm">{dot}{esc(name)}</div><div class="sim-quiet">{esc(described, 300)}</div>'


def design(made: Arm) -> str:
    """An arm's design as people say it: "Hot feed; automod, human review"."""
    told = made.feed_parameters.get(made.feed_name, {})
    extra = f" ({', '.join(f'{spaced(key)} {value}' for key, value in told.items())})" if told else ""
    policies = ", ".join(map(spaced, made.moderation)) or "no moderation"
    return f"{spaced(made.feed).capitalize()} feed{extra}; {policies}"


def spaced(name: object) -> str:
    """A name of the program as words."""
    return str(name).replace("_", " ")


def differences(lines: Sequence[str]) -> str:
    """What differs between two designs, in words: a rule keeps its own, all else loses the program's signs."""
    told = [line if line.startswith(("rule", "meaning")) else spaced(line) for line in lines]
    return "; ".join(line.replace(" -> ", " → ").replace(" + ", ", ") for line in told)


def answer(word: str, sentence: str, more: str, tone: str) -> None:
    """The read-out: a word, a sentence, and what stands below it."""
    below = f'<div class="sim-more">{esc(more)}</div>' if more else ""
    st.html(
        f'<div class="sim-answer" style="--tone:{tone}"><div class="sim-word">{esc(word)}</div>'
        f'<div class="sim-sentence">{esc(sentence)}</div>{below}</div>'
    )


# -- numbers in words ------------------------------------------------------------------------------------------------------


def moment(step: int) -> str:
    """A simulated hour: "day 2, 14:00"; days before the first are burn-in."""
    day = step // 24 + 1
    return f"day {day}, {step % 24:02d}:00" if day > 0 else f"before day 1, {step % 24:02d}:00"


def count(number: float, one: str, many: str = "") -> str:
    """ "1 post", "2,310 posts"."""
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def amount(value: float, unit: str) -> str:
    """A measure's value with its unit as people say it; a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} in 100"
    if unit == "share of words":
        return f"{100 * value:.1f} in 100 words"
    if unit in ("count", "posts") and value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def number(value: float) -> str:
    """Two digits after the point for what is small, one else; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:.2f}" if abs(value) < 1 else f"{value:,.1f}"


def interval(mean: float, low: float, high: float) -> str:
    """ "−4.0 (−5.9 to −2.0)": with as many digits as the width of the interval supports."""
    width = high - low
    digits = min(max(1 - math.floor(math.log10(width)), 0), 4) if width > 0 else 2
    told = [f"{value + 0.0:+.{digits}f}".replace("-", "−") for value in (mean, low, high)]
    return f"{told[0]} ({told[1]} to {told[2]})"


def duration(seconds: float) -> str:
    """ "8 s", "3 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


STATUS = {
    "running": "running", "finished": "finished", "stopped": "paused", "interrupted": "interrupted", "failed": "failed",
    "damaged": "damaged", "capped": "at its cap",
}  # fmt: skip
"""What to call a run's status: stopping a run in the app is a pause."""
