"""Reading what people wrote: TOML with line numbers in the messages, text made harmless, the nearest known name.

Everything raises CommunityError with one line: where, what came, what was expected, what to do.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn

from simulacra.errors import CommunityError

MAX_FILE_BYTES = 8_000_000
_JOINERS = "‌‍"  # they hold emoji and some scripts' letters together; every other format character goes
_SPACE = re.compile(r"\s+")


def fail(where: str, problem: str) -> NoReturn:
    """Raise CommunityError with the one line `where: problem`."""
    raise CommunityError(f"{where}: {problem}")


def clean(text: str) -> str:
    """The text in one line: NFC, no control, bidirectional or other format characters, runs of white space made one space."""
    if text.isascii() and text.isprintable():
        return _SPACE.sub(" ", text).strip()
    kept = (c for c in unicodedata.normalize("NFC", text) if c in _JOINERS or not _is_control(c))
    return _SPACE.sub(" ", "".join(kept)).strip()


def _is_control(c: str) -> bool:
    return not c.isspace() and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn")


def came(value: object) -> str:
    """What came, short and printable, for a message."""
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def kind(value: object) -> str:
    """A TOML word for the type of a value."""
    names = {bool: "true/false", str: "text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'? ` or nothing, then all known names: the end of a message about an unknown name."""
    known = sorted(known)
    close = get_close_matches(name, known, 1, 0.5)
    return (f"Did you mean {close[0]!r}? " if close else "") + f"Known: {', '.join(known)}."


def check_keys(where: str, table: Mapping[str, Any], known: Iterable[str], at: str = "") -> None:
    """Refuse keys that are not among the known ones; `at` names the table, e.g. `personas[2].`."""
    known = tuple(known)
    for key in table:
        if key not in known:
            fail(where, f"unknown key {at}{clean(key)[:60]}. {nearest(key, known)}")


def text(where: str, key: str, value: object, most: int) -> str:
    """A clean, non-empty text of at most `most` characters."""
    if not isinstance(value, str):
        fail(where, f"{key} is {kind(value)} ({came(value)}), expected text. Put it in quotation marks.")
    if len(value) > 4 * most:  # before any work on a hostile megabyte
        fail(where, f"{key} has {len(value):,} characters, at most {most:,} are allowed. Shorten it.")
    cleaned = clean(value)
    if not cleaned:
        fail(where, f"{key} is empty. Write a sentence or delete the entry.")
    if len(cleaned) > most:
        fail(where, f"{key} has {len(cleaned):,} characters, at most {most:,} are allowed. Shorten it.")
    return cleaned


def texts(where: str, key: str, value: object, most: int, each: int) -> tuple[str, ...]:
    """A list of at most `most` clean texts of at most `each` characters. Entries are counted from 1 in messages."""
    if not isinstance(value, list | tuple):
        fail(where, f'{key} is {kind(value)} ({came(value)}), expected a list. Write {key} = ["...", "..."].')
    if len(value) > most:
        fail(where, f"{key} has {len(value):,} entries, at most {most:,} are allowed. Merge or delete some.")
    return tuple(text(where, f"{key}[{i}]", entry, each) for i, entry in enumerate(value, 1))


def number(where: str, key: str, value: object, low: float, high: float) -> float:
    """A finite number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        fail(where, f"{key} is {kind(value)} ({came(value)}), expected a number from {low:g} to {high:g}.")
    if not (math.isfinite(value) and low <= value <= high):
        fail(where, f"{key} is {came(value)}, expected a number from {low:g} to {high:g}. Change it or delete the line.")
    return float(value)


def table(where: str, key: str, value: object) -> Mapping[str, Any]:
    """A TOML table."""
    if not isinstance(value, Mapping):
        fail(where, f"{key} is {kind(value)} ({came(value)}), expected a table. Write [{key}] and its keys below.")
    return value


def tables(where: str, key: str, value: object) -> list[Mapping[str, Any]]:
    """A list of TOML tables. Entries are counted from 1 in messages."""
    if not isinstance(value, list | tuple):
        fail(where, f"{key} is {kind(value)} ({came(value)}), expected a list of tables.")
    return [table(where, f"{key}[{i}]", entry) for i, entry in enumerate(value, 1)]


def choice(where: str, key: str, value: object, known: Iterable[str]) -> str:
    """One of the known words."""
    known = tuple(known)
    if value not in known:
        fail(where, f"{key}: {came(value)} is not known. {nearest(str(value), known)}")
    return str(value)


def plain(where: str, key: str, value: object, depth: int = 3) -> Any:
    """A parameter that a record can hold: text, number, true/false, or lists and tables of them up to `depth` deep."""
    if isinstance(value, str):
        return text(where, key, value, 500) if value else ""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return number(where, key, value, -1e12, 1e12)
    if isinstance(value, list | tuple) and depth and len(value) <= 1000:
        return [plain(where, f"{key}[{i}]", v, depth - 1) for i, v in enumerate(value, 1)]
    if isinstance(value, Mapping) and depth and len(value) <= 200:
        return {clean(k)[:80]: plain(where, f"{key}.{clean(k)[:80]}", v, depth - 1) for k, v in value.items()}
    fail(where, f"{key} is {kind(value)} ({came(value)}), expected text, a number, true/false or a short list of these.")


def read_toml(path: Path, where: str) -> dict[str, Any]:
    """The tables of a TOML file (UTF-8, a byte-order mark is fine)."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            fail(where, f"the file has {path.stat().st_size:,} bytes, at most {MAX_FILE_BYTES:,} are read. Shorten it.")
        content = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        fail(where, "there is no such file. Check the path, or write one with `simulacra new NAME`.")
    except UnicodeDecodeError as error:
        fail(where, f"byte {error.start:,} is not UTF-8. Save the file as UTF-8.")
    except OSError as error:
        fail(where, f"cannot be read ({error.strerror}). Check that it is a file and its permissions.")
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        fail(where, f"is no valid TOML: {clean(str(error))}. Mend that line.")
    except RecursionError:
        fail(where, "is nested too deeply. A community needs tables at most three deep.")


def shown(path: Path) -> str:
    """The path as a message names it: relative to the working folder where it lies in it, and printable."""
    full = path.resolve()
    return clean(str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else path))


def slugify(name: str) -> str:
    """A name that is safe in paths, shells and addresses: a-z, 0-9 and single hyphens, 1 to 60 characters."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:60].strip("-") or "community"


def content_hash(content: str, size: int = 16) -> str:
    """blake2b of a text in hexadecimal."""
    return blake2b(content.encode(), digest_size=size).hexdigest()
