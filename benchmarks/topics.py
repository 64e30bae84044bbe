"""Does a community that nobody wrote voices for talk of the right things? Topics, things and common subject of those in
tests/data/topics.toml, against what is there to be talked about, judged by hand: `python -m benchmarks.topics`.

    --show   what is at fault in the communities that may be looked at (the others are only counted)

Results go to benchmarks/results/topics.json. No model.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulacra.community import Community, Sketch
from simulacra.minds.subjects import subject_of
from simulacra.minds.things import found_things
from simulacra.people.phrases import find_topics

DESCRIBED = Path(__file__).parent.parent / "tests" / "data" / "topics.toml"
RESULTS = Path(__file__).parent / "results" / "topics.json"
LOTS = {"tune": "looked at", "held": "held out", "fresh": "held out, written later"}
Described = Mapping[str, Any]


def community_of(described: Described) -> Community:
    """The community as loading its file would make it."""
    goal, rules, sketches = described["goal"], tuple(described["rules"]), tuple(described["personas"])
    topics = find_topics(goal, rules, sketches)
    return Community("described", described["name"], goal, rules, topics, tuple(map(Sketch, sketches)))


def key(phrase: str) -> str:
    """One key for a phrase with and without article, of one and of many."""
    words = phrase.lower().removeprefix("the ").removeprefix("a ").split()
    return " ".join(word.removesuffix("s") if len(word) > 3 else word for word in words)


def named(phrases: Iterable[str]) -> set[str]:
    """Keys of the phrases, with and without the words that stand in brackets."""
    found = set()
    for phrase in phrases:
        found |= {key(re.sub(r"[()]", "", phrase)), key(" ".join(re.sub(r"\([^)]*\)", "", phrase).split()))}
    return found


def fault(phrase: str, described: Described) -> str:
    """Why a phrase is nothing to talk about: "member", "rule" (no other text has its words), "fragment"; "" where it is."""
    if key(phrase) in named(described["fine"]):
        return ""
    if key(phrase) in named(described["members"]):
        return "member"
    told, rules = (" ".join(texts).lower() for texts in ((described["goal"], *described["personas"]), described["rules"]))
    words = phrase.lower().removeprefix("the ").split()
    return "rule" if all(w in rules for w in words) and not all(w in told for w in words) else "fragment"


def judged(described: Described) -> dict[str, Any]:
    """Everything found in one community, and what is at fault with it."""
    community = community_of(described)
    things = {thing.long: None for topic in community.topics for thing in found_things(topic, community)}
    found = {*named(community.topics)}
    return {
        "topics": {topic: fault(topic, described) for topic in community.topics},
        "things": {thing: fault(thing, described) for thing in things},
        "missed": [
            core for core in described["core"] if not any(f" {one}".endswith(f" {c}") for one in found for c in named([core]))
        ],
        "core": len(described["core"]),
        "subject": (subject := subject_of(community).get("name", "")),
        "is_right": subject in (described["subjects"] or [""]),
    }


def counted(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares of a lot: of topics and things at fault, of core topics missed; communities led to a subject not theirs, or to
    none where one would suit."""
    counts: dict[str, Any] = {"communities": len(found)}
    for kind in ("topics", "things"):
        faults = [fault for one in found for fault in one[kind].values()]
        counts[kind] = len(faults)
        counts[f"{kind}_at_fault"] = {k: n for k, n in sorted(Counter(faults).items()) if k}
        counts[f"{kind}_at_fault_share"] = round(sum(map(bool, faults)) / len(faults), 3)
    counts["core_missed_share"] = round(sum(len(one["missed"]) for one in found) / sum(one["core"] for one in found), 3)
    counts["subjects_wrong"] = sum(not one["is_right"] and one["subject"] != "" for one in found)
    counts["subjects_missed"] = sum(not one["is_right"] and one["subject"] == "" for one in found)
    return counts


def show(described: Described, found: Mapping[str, Any]) -> None:
    print(f"\n{described['name']}: subject {found['subject'] or 'none'}{'' if found['is_right'] else ' !'}")
    for kind in ("topics", "things"):
        print(f"  {kind}: " + ", ".join(f"{name} [{why}]" if why else name for name, why in found[kind].items()))
    print(f"  missed: {', '.join(found['missed'])}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.topics", description=__doc__.split("\n")[0])
    parser.add_argument("--show", action="store_true", help="print what is found in the communities that may be looked at")
    options = parser.parse_args(arguments)
    communities = tomllib.loads(DESCRIBED.read_text(encoding="utf-8"))["community"]
    result = {}
    for lot, name in LOTS.items():
        members = [c for c in communities if c["set"] == lot]
        if not members:
            continue
        found = [judged(c) for c in members]
        for described, one in zip(members, found, strict=True):
            if options.show and lot == "tune":
                show(described, one)
        result[name] = counted(found)
        print(f"{name}: {json.dumps(result[name])}")
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
