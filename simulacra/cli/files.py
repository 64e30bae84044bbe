"""Verbs for designers' files: new, check; what can be set: parameters; and the app."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import runs_option, say, say_json, verb
from simulacra.errors import RecordError

if TYPE_CHECKING:
    from simulacra.community import Community


def do_new(a: argparse.Namespace) -> None:
    from simulacra.checks import slugify
    from simulacra.community import starter
    from simulacra.record.durable import disk_errors

    path = a.out or Path(f"{slugify(a.name)}.toml")
    with disk_errors(path):
        try:
            with open(path, "x", encoding="utf-8") as file:
                file.write(starter(a.name))
        except FileExistsError:
            raise RecordError(f"{path}: exists already. Give another name, or --out and another path.") from None
    told = [f"Wrote {path}. Edit it, then:", f"  simulacra check {path}", f"  simulacra run {path}"]
    say_json({"path": str(path)}) if a.json else say(told)


def do_check(a: argparse.Namespace) -> None:
    from simulacra import rules
    from simulacra.community import check_community, load_community
    from simulacra.designs import make_arm

    community = load_community(a.file)
    arm = make_arm(community)
    notes = check_community(a.file)
    suggested, trouble = _suggested_kinds(community, str(a.file))
    paste = rules.to_confirm(community.rules, community.confirmed, suggested, a.by)
    if a.json:
        say_json({
            "file": str(a.file), "ok": True, "name": community.name, "slug": community.slug,
            "sketches": len(community.personas), "rules": len(community.rules), "topics": list(community.topics),
            "design": arm.describe(), "notes": [*notes, *rules.warnings(community.rules, community.confirmed), *trouble],
            "meanings": _meanings(community, suggested), "toml": paste,
        })  # fmt: skip
        return
    counts = f"{len(community.personas)} sketches, {len(community.rules)} rules, topics: {', '.join(community.topics)}"
    say([f"{community.name}: fine. {counts}. Design: {arm.describe()}.", *(f"note: {note}" for note in [*notes, *trouble])])
    say(_told_meanings(community, suggested))
    if any(meaning is None for meaning in community.meanings):
        say(
            [
                "",
                "To confirm, correct what is wrong, say who you are, and put this into the file in place of its rules:",
                "",
                paste,
            ]
        )


def _suggested_kinds(community: Community, source: str) -> tuple[list[str], list[str]]:
    """For each rule a kind that embeddings suggest where cue words found none ("" else), and a note where they could not be asked."""
    from simulacra import rules
    from simulacra.community import bundled_communities
    from simulacra.scoring.kinds import suggest
    from simulacra.scoring.semantic import WeightsError

    open_rules = [r for r in community.rules if r not in community.confirmed and rules.propose(r) is None]
    try:
        found = dict(zip(open_rules, suggest(open_rules, bundled_communities().get(source)), strict=True))
    except WeightsError as error:
        return [""] * len(community.rules), [f"rules without a kind were compared with no other sentences. {error}"]
    return [found.get(rule, "") for rule in community.rules], []


def _meanings(community: Community, suggested: Sequence[str]) -> list[dict[str, Any]]:
    from simulacra import rules

    found = rules.meanings(community.rules, community.confirmed)
    return [
        {"text": rule, "kinds": list(m.kinds) if m else [], "stance": m.stance if m else None, "suggested": near,
         "confirmed_by": community.confirmed[rule].confirmed_by if rule in community.confirmed else ""}
        for rule, m, near in zip(community.rules, found, suggested, strict=True)
    ]  # fmt: skip


def _told_meanings(community: Community, suggested: Sequence[str]) -> list[str]:
    from simulacra import rules

    lines = []
    for n, (rule, near) in enumerate(zip(community.rules, suggested, strict=True), 1):
        perhaps = f"; perhaps {near.replace('_', ' ')}, by likeness" if near else ""
        told = rules.described(community.confirmed.get(rule) or rules.propose(rule))
        lines.append(f'rule {n}, "{rule}": {told}{perhaps}.')
    return lines


def do_parameters(a: argparse.Namespace) -> None:
    from dataclasses import fields

    from simulacra.behaviour import Behaviour
    from simulacra.feeds import FEEDS
    from simulacra.moderation import POLICIES
    from simulacra.terminal import paragraph

    listed = {"feeds": _catalogue(FEEDS), "moderation": _catalogue(POLICIES)}
    behaviour = {f.name: {"default": f.default, **f.metadata} for f in fields(Behaviour)}
    if a.json:
        say_json({**listed, "behaviour": behaviour})
        return
    for kind, known in listed.items():
        say(["", f"{kind}:"])
        for name, design in known.items():
            parameters = ", ".join(f"{key}={value}" for key, value in design["parameters"].items())
            say([paragraph(f"{name}: {design['about']}" + (f" ({parameters})" if parameters else ""), "  ", "      ")])
    say(["", "behaviour (default, unit; source):"])
    for name, p in behaviour.items():
        told = f"{name} = {p['default']:g} {p['unit']}: {p['about']} ({p['source']}; off = {p['off']:g})"
        say([paragraph(told, "  ", "      ")])


def _catalogue(known: Mapping[str, type[Any]]) -> dict[str, dict[str, Any]]:
    """Designs by name with what they do and the defaults of their parameters."""
    from dataclasses import fields

    return {
        name: {"about": design.about, "parameters": {f.name: _default(f) for f in fields(design) if f.init}}
        for name, design in known.items()
    }


def _default(parameter: Any) -> Any:
    return list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default


def do_app(a: argparse.Namespace) -> int:
    from simulacra.launch import serve

    return serve(a.runs, a.port, a.headless)


def add(verbs: Any) -> None:
    """Verbs for designers' own files, the list of all levers, and the app."""
    new = verb(verbs, "new", do_new, "write a commented community file to begin with")
    new.add_argument("name", help="the community's name")
    new.add_argument("--out", type=Path, metavar="FILE", help="default: the name as a file name, here")

    check = verb(
        verbs, "check", do_check, "check a community file, say what could be better and what its rules were taken to mean"
    )
    check.add_argument("file", help="a TOML file or a bundled community's name")
    check.add_argument("--by", default="", metavar="NAME", help="who confirms the rules' meanings, for the lines to paste")

    verb(verbs, "parameters", do_parameters, "list feeds, moderation designs and behaviour parameters")

    app = verb(verbs, "app", do_app, "open the app in the browser, on this machine alone")
    app.add_argument("--port", type=int, default=8501, metavar="N", help="default 8501")
    app.add_argument("--headless", action="store_true", help="open no browser window")
    runs_option(app)
