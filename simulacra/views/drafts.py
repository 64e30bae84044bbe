"""A community as it is being designed: plain tables in session state, read from files and runs, checked, written as TOML."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulacra.checks import slugify
from simulacra.community import (
    VOICES_SUFFIX,
    Community,
    bundled_communities,
    community_from_dict,
    community_to_dict,
    community_to_toml,
)
from simulacra.community import (
    rule_entries as confirmed_entries,
)
from simulacra.designs import Arm, make_arm
from simulacra.errors import CommunityError, SpecError
from simulacra.experiment import Run
from simulacra.record.durable import disk_errors
from simulacra.views import store

Draft = dict[str, Any]
"""The tables of a community file, all keys present, rules always as tables (`rule_tables`), and `slug`. `voices_of` names the
community whose phrase bank it uses, "" for none."""

BLANK: Mapping[str, Any] = {
    "slug": "", "name": "", "goal": "", "rules": [{"text": "Be kind to newcomers and to each other."}], "topics": [],
    "personas": [{"name": "", "sketch": "", "weight": 1.0}], "design": {"feed": "hot", "moderation": ["sticky_rules"]},
    "feed": {}, "moderation": {}, "behaviour": {}, "voices_of": "",
}  # fmt: skip


def blank() -> Draft:
    return _copy(BLANK)


def of_community(community: Community) -> Draft:
    """A draft that says what the community says."""
    told = community_to_dict(community)
    draft = {key: told.get(key, default) for key, default in BLANK.items()}
    return _copy(
        {
            **draft,
            "rules": rule_tables(confirmed_entries(community.rules, community.confirmed)),
            "voices_of": _bank_of(community),
        }
    )


def of_run(run: Run) -> Draft:
    """A draft of the community and design of a run."""
    return of_community(run.spec.arm.applied_to(run.spec.community))


def of_toml(content: bytes, name: str) -> Draft:
    """A draft of a file that was handed in. Raises CommunityError in one line."""
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CommunityError(f"{name}: is no valid TOML ({str(error)[:120]}). Mend it and load it again.") from error
    return of_community(community_from_dict({**raw, "slug": slugify(Path(name).stem)}, None, name))


def checked(draft: Mapping[str, Any]) -> tuple[Community, Arm]:
    """The community that the draft describes and its own design. Raises CommunityError or SpecError naming key and remedy."""
    told = {key: draft[key] for key in BLANK if key not in ("slug", "voices_of")}
    told["personas"] = [sketch for sketch in told["personas"] if sketch["sketch"].strip() or sketch["name"].strip()]
    told["rules"] = rule_entries(told["rules"])
    if not draft["name"].strip():
        raise CommunityError("design: name is empty. Give the community a name.")
    if not draft["goal"].strip():
        raise CommunityError("design: goal is empty. Say who comes here and what for.")
    if not told["personas"]:
        raise CommunityError("design: personas is empty. Describe at least one kind of member in a sketch.")
    community = community_from_dict({**told, "slug": slugify(draft["slug"] or draft["name"])}, None, "design")
    return community, make_arm(community)


def rule_tables(entries: Sequence[Any]) -> list[dict[str, Any]]:
    """Rules as a file may hold them (text, or a table where the meaning is confirmed), all as tables."""
    return [dict(entry) if isinstance(entry, Mapping) else {"text": str(entry)} for entry in entries]


def rule_entries(tables: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The inverse of `rule_tables`, without empty rules."""
    kept = [table for table in tables if table["text"].strip()]
    return [dict(table) if len(table) > 1 else table["text"] for table in kept]


def problem(draft: Mapping[str, Any]) -> tuple[str, str]:
    """(field, message) of the first thing that is wrong: the field is a key of the draft; ("", "") where all is well."""
    try:
        checked(draft)
    except (CommunityError, SpecError) as error:
        told = str(error).removeprefix("design: ").removeprefix("settings: ")
        words = told.replace("[", " ").replace(".", " ").split()
        heads = {
            "goal": "goal",
            "name": "name",
            "rules": "rules",
            "topics": "topics",
            "personas": "personas",
            "has": "personas",
            "every": "personas",
            "behaviour": "behaviour",
            "feed": "feed",
            "moderation": "moderation",
        }
        return heads.get(words[0] if words else "", "start"), _in_words(told, draft)
    return "", ""


def _in_words(told: str, draft: Mapping[str, Any]) -> str:
    """A message of the file's reader for somebody who sees fields: keys become their names, places those on the page."""
    rows = {
        "personas": [n for n, row in enumerate(draft["personas"], 1) if row["sketch"].strip() or row["name"].strip()],
        "rules": [n for n, row in enumerate(draft["rules"], 1) if row["text"].strip()],
    }

    def named(found: re.Match[str]) -> str:
        key, place, part = found["key"], int(found["place"]), found["part"] or ""
        number = rows[key][place - 1] if 0 < place <= len(rows[key]) else place
        name = f"{'Sketch' if key == 'personas' else 'Rule'} {number}"
        return name if part in ("", "sketch", "text") else f"{name}, its {part},"

    told = (
        _PLACE.sub(named, told)
        .replace("personas is empty", "there is no sketch")
        .replace("personas", "the sketches")
        .replace("delete the entry", "delete it")
    )
    return told[:1].upper() + told[1:]


_PLACE = re.compile(r"(?P<key>personas|rules)\[(?P<place>\d+)\](?:\.(?P<part>\w+))?")


def save(draft: Mapping[str, Any]) -> Path:
    """Write the draft to the designs folder, its phrase bank beside it; returns the file. Raises as `checked` does."""
    community, _ = checked(draft)
    path = store.save_text(community.slug, community_to_toml(community))
    bank = path.with_name(f"{path.stem}{VOICES_SUFFIX}")
    source = _bank_file(draft["voices_of"], community)
    with disk_errors(bank):
        if source is None:
            bank.unlink(missing_ok=True)
        elif source != bank:
            shutil.copyfile(source, bank)
    return path


def stored(draft: Mapping[str, Any]) -> Path:
    """The file of this draft: the one it was read from where nothing was changed, else a saved one. Raises as `checked` does.

    A changed copy of a community that comes with the program gets a slug of its own: theirs stays what it was.
    """
    slug = checked(draft)[0].slug
    files = {**bundled_communities(), **store.own_designs()}
    if slug in files and checked(draft)[0] == checked(of_community(store.community(slug)))[0]:
        return files[slug]
    return save({**draft, "slug": f"my-{slug}" if slug in bundled_communities() else slug})


def toml(draft: Mapping[str, Any]) -> str:
    """The draft as a community file. Raises as `checked` does."""
    return community_to_toml(checked(draft)[0])


def overlay(arm: Mapping[str, Any]) -> str:
    """What an arm changes, as a TOML overlay: its rules, its design, and the tables of the levers it uses."""
    feed, moderation = arm["design"]["feed"], list(arm["design"]["moderation"])
    lines = [f"rules = {_value(rule_entries(arm['rules']))}", ""]
    lines += ["[design]", f"feed = {_value(feed)}", f"moderation = {_value(moderation or ['none'])}"]
    used = [("feed", feed.partition(":")[0]), *(("moderation", name) for name in moderation)]
    for family, name in used:
        if table := arm[family].get(name):
            lines += ["", f"[{family}.{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """As TOML: JSON's text, numbers, true and false are TOML's too."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _bank_of(community: Community) -> str:
    """The bundled or own community whose phrase bank this one has, "" where it has none or it is not at hand."""
    if not community.voices:
        return ""
    for slug in (community.slug, *bundled_communities()):
        if slug in {**bundled_communities(), **store.own_designs()} and store.community(slug).voices == community.voices:
            return slug
    return ""


def _bank_file(slug: str, community: Community) -> Path | None:
    """The phrase bank to use: that of `slug`, as long as the community still has all topics that the bank speaks of."""
    files = {**bundled_communities(), **store.own_designs()}
    if slug not in files:
        return None
    spoken = {topic["name"] for topic in store.community(slug).voices.get("topics", [])}
    bank = files[slug].with_name(f"{files[slug].stem}{VOICES_SUFFIX}")
    return bank if bank.is_file() and spoken <= set(community.topics) else None


def bank_of(community: Community) -> Path | None:
    """The file of the community's phrase bank; None where it has none or it is not at hand."""
    return _bank_file(_bank_of(community), community)


def with_bank(draft: Mapping[str, Any]) -> bool:
    """Whether the draft will be saved with a phrase bank of its own."""
    try:
        return _bank_file(draft["voices_of"], checked(draft)[0]) is not None
    except (CommunityError, SpecError):
        return bool(draft["voices_of"])


def as_arm(draft: Mapping[str, Any], name: str = "baseline") -> Arm:
    """The draft's design as an arm."""
    return replace(checked(draft)[1], name=name)


def _copy(draft: Mapping[str, Any]) -> Draft:
    return json.loads(json.dumps(draft))
