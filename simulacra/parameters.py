"""Parameters of levers: what a feed or a moderation design can be set to, with unit, meaning and range.

A design is a dataclass; each of its fields that a designer may set is made by `number`, `switch`, `texts` or `base_feed`. The
same declaration checks what a designer wrote, fills docs/levers.md and tells the app what to offer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields
from difflib import get_close_matches
from typing import Any

from simulacra.errors import SpecError

ANY = -math.inf
"""The lower end of a number that may be negative."""


def number(
    default: float, unit: str, about: str, *, low: float = 0.0, high: float = math.inf, above: float | None = None,
    whole: bool = False,
) -> Any:  # fmt: skip
    """A field that holds a number from low to high; above: the number must exceed it; whole: it is counted, not measured."""
    meta = {"kind": "number", "unit": unit, "about": about, "low": low, "high": high, "above": above, "whole": whole}
    return field(default=default, metadata=meta)


def switch(default: bool, about: str) -> Any:
    """A field that is true or false."""
    return field(default=default, metadata={"kind": "switch", "unit": "true or false", "about": about})


def texts(about: str) -> Any:
    """A field that is a list of texts; the design checks what they say."""
    return field(default=(), metadata={"kind": "words", "unit": "list of texts", "about": about})


def base_feed(default: str) -> Any:
    """A field that names the feed design whose order is taken and changed."""
    about = "the feed whose order is taken, by name or with parameters"
    return field(default=default, metadata={"kind": "feed", "unit": "name of a feed", "about": about})


def settable(design: type[Any]) -> dict[str, Field[Any]]:
    """The fields of a design that a designer may set, by name."""
    return {f.name: f for f in fields(design) if f.init}


def allowed(parameter: Field[Any]) -> str:
    """The range of a parameter in words: "0 or more", "above 0", "from 0 to 1", or the unit of what is no number."""
    meta = parameter.metadata
    if meta.get("kind", "number") != "number":
        return str(meta["unit"])
    low, high, above = meta.get("low", -math.inf), meta.get("high", math.inf), meta.get("above")
    if above is not None:
        return f"above {above:g}" + (f", at most {high:g}" if high < math.inf else "")
    if high < math.inf:
        return f"from {low:g} to {high:g}"
    return "any" if low == -math.inf else f"{low:g} or more"


def checked(where: str, design: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the design takes them. Raises SpecError for an unknown parameter or a value out of its range."""
    known = settable(design)
    for key in values:
        if key not in known:
            raise SpecError(f"{where}: no parameter {key!r}.{nearest(key, known)} Known: {', '.join(sorted(known)) or 'none'}.")
    return {key: _value(where, known[key], value) for key, value in values.items()}


def _value(where: str, parameter: Field[Any], value: Any) -> Any:
    kind = parameter.metadata.get("kind", "number")
    if kind == "number":
        return _number(where, parameter, value)
    if kind == "switch" and not isinstance(value, bool):
        raise SpecError(f"{where}: {parameter.name} = {value!r} is neither true nor false.")
    if kind == "words":
        return _texts(where, parameter.name, value)
    if kind == "feed" and not isinstance(value, str):
        raise SpecError(f"{where}: {parameter.name} = {value!r} is no name of a feed, such as hot.")
    return value


def _number(where: str, parameter: Field[Any], value: Any) -> float | int:
    meta = parameter.metadata
    try:
        got = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        got = float("nan")
    above, whole = meta.get("above"), meta.get("whole", False)
    if above is not None and got <= above:
        raise SpecError(f"{where}: {parameter.name} = {value} must be {allowed(parameter)}.")
    inside = math.isfinite(got) and meta.get("low", -math.inf) <= got <= meta.get("high", math.inf)
    if not inside or (whole and got != int(got)):
        kind, range_ = "a whole number" if whole else "a number", allowed(parameter)
        wanted = {"any": "", "0 or more": " of 0 or more"}.get(range_, f" {range_}")
        raise SpecError(f"{where}: {parameter.name} = {value!r} is not {kind}{wanted}. The default is {parameter.default:g}.")
    return int(got) if whole else got


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else (value,)
    if any(not isinstance(item, str) for item in items):
        raise SpecError(f"{where}: {key} = {value!r} is not a list of strings.")
    return items


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name, or nothing."""
    match = get_close_matches(name, list(known), 1)
    return f" Did you mean {match[0]!r}?" if match else ""
