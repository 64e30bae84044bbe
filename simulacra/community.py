"""A community as its designer writes it (TOML) and as the program holds it: name, goal, rules, topics, sketches, defaults.

`load_community` reads and checks a file, `overlay` changes what an arm of a comparison changes, `community_to_dict` and
`community_from_dict` carry it through a record, `starter` writes a first file, `check_community` says what could be better.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from simulacra import checks
from simulacra.errors import CommunityError
from simulacra.events import KINDS
from simulacra.news import News, read_news
from simulacra.people.phrases import find_topics
from simulacra.people.sketches import read_sketch
from simulacra.voices import ACT_LISTS, read_voices, voices_digest

__all__ = [
    "Community", "Meaning", "Sketch", "bundled_communities", "check_community", "community_from_dict", "community_to_dict",
    "community_to_toml", "find_topics", "load_community", "overlay", "read_overlay", "rule_entries", "rule_to_toml", "starter",
]  # fmt: skip

MAX_RULES, MAX_TOPICS, MAX_SKETCHES, MAX_POLICIES = 50, 32, 500, 20
MAX_NAME, MAX_GOAL, MAX_RULE, MAX_TOPIC, MAX_SKETCH = 120, 2_000, 500, 80, 1_000
MAX_WEIGHT = 1_000.0
MOST_KINDS = 3
KEYS = ("name", "goal", "rules", "topics", "personas", "design", "feed", "moderation", "behaviour", "news")
OVERLAY_KEYS = ("design", "feed", "moderation", "behaviour", "rules", "news")
VOICES_SUFFIX = ".voices.toml"


Stance = Literal["forbids", "limits", "allows"]
"""What a rule does about its kinds of post: never, only under a condition, or gladly."""


@dataclass(frozen=True)
class Meaning:
    """What a rule sentence is about: kinds of violation (events.KINDS without "none"), at most three, and its stance on them.

    No kinds: confirmed to be about nothing that the model knows.
    """

    kinds: tuple[str, ...]
    stance: Stance = "forbids"
    confirmed_by: str = ""  # who said so; "" for a proposal


@dataclass(frozen=True)
class Sketch:
    """A designer's one-line description of a kind of member."""

    sketch: str
    name: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Community:
    """Everything that a community file says, checked. Equal communities give equal runs: no paths, no clocks in here."""

    slug: str
    name: str
    goal: str
    rules: tuple[str, ...]
    topics: tuple[str, ...]
    personas: tuple[Sketch, ...]
    feed: str = "hot"
    moderation: tuple[str, ...] = ()
    feed_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    moderation_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    voices: Mapping[str, Any] = field(default_factory=dict)  # parsed phrase bank, {} where the community has none
    confirmed: Mapping[str, Meaning] = field(default_factory=dict)  # a rule's words -> what a person confirmed that it means
    news: tuple[News, ...] = ()  # what somebody knows first, to see whom it reaches

    @property
    def meanings(self) -> tuple[Meaning | None, ...]:
        """What was confirmed of each rule, in their order; None where nobody confirmed anything."""
        return tuple(self.confirmed.get(rule) for rule in self.rules)


# -- finding and loading ---------------------------------------------------------------------------------------------------


def bundled_communities() -> dict[str, Path]:
    """Slug -> file of the communities that come with the program, in alphabetical order; {} where none are installed."""
    package = Path(__file__).parent
    # A wheel carries them inside the package; a checkout keeps them at its top, where designers look.
    for folder in (package / "communities", package.parent / "communities"):
        found = sorted(p for p in folder.glob("*.toml") if not p.name.endswith(VOICES_SUFFIX))
        if found:
            return {path.stem: path for path in found}
    return {}


def load_community(source: str | Path) -> Community:
    """The checked community of a bundled slug or of a TOML file, with the voices beside it where there are any.

    Raises CommunityError in one line: file, key, what came, what was expected, what to do. Entries count from 1.
    """
    path = _find(source)
    where = checks.shown(path)
    community = _from_table(checks.read_toml(path, where), where, checks.slugify(path.stem))
    voices = path.with_name(path.stem + VOICES_SUFFIX)
    return replace(community, voices=read_voices(voices, community.topics)) if voices.is_file() else community


def _find(source: str | Path) -> Path:
    bundled = bundled_communities()
    if isinstance(source, str) and source in bundled:
        return bundled[source]
    try:
        path = Path(source)
        if path.is_file():
            return path
        is_path = bool(str(source).strip()) and (path.suffix == ".toml" or len(path.parts) > 1 or path.exists())
    except (OSError, ValueError) as error:  # a name too long for the file system, or one with a zero byte
        raise CommunityError(f"{checks.came(str(source))} is no usable path. Give a slug or a TOML file's path.") from error
    if is_path:
        problem = "is a folder" if path.is_dir() else "there is no such file"
        checks.fail(checks.shown(path), f"{problem}. Give a community's TOML file, or write one with `simulacra new NAME`.")
    known = checks.nearest(str(source), bundled) if bundled else ""
    raise CommunityError(f"No community called {checks.came(str(source))}. {known} Or give the path of a TOML file.")


# -- checking --------------------------------------------------------------------------------------------------------------


def _from_table(raw: Mapping[str, Any], where: str, slug: str) -> Community:
    checks.check_keys(where, raw, KEYS)
    if "goal" not in raw:
        checks.fail(where, 'goal is missing. Say in a sentence what the community is for: goal = "...".')
    goal = checks.text(where, "goal", raw["goal"], MAX_GOAL)
    rules, confirmed = _rules(where, raw.get("rules", []))
    sketches = _sketches(where, raw.get("personas", []))
    design = _design(where, raw.get("design", {}))
    topics = _topics(where, raw.get("topics", [])) or find_topics(goal, rules, [s.sketch for s in sketches])
    return Community(
        slug=slug,
        name=checks.text(where, "name", raw["name"], MAX_NAME) if "name" in raw else slug.replace("-", " ").title(),
        goal=goal,
        rules=rules,
        topics=topics,
        personas=sketches,
        feed=design.get("feed", "hot"),
        moderation=design.get("moderation", ()),
        feed_parameters=_parameters(where, "feed", raw.get("feed", {})),
        moderation_parameters=_parameters(where, "moderation", raw.get("moderation", {})),
        behaviour=checks.plain(where, "behaviour", checks.table(where, "behaviour", raw.get("behaviour", {}))),
        confirmed=confirmed,
        news=read_news(where, raw.get("news", []), topics, [s.name for s in sketches]),
    )


def _rules(where: str, raw: object) -> tuple[tuple[str, ...], dict[str, Meaning]]:
    """The sentences, and what was confirmed of those that are tables with text, kinds, stance and confirmed_by."""
    entries = raw if isinstance(raw, list | tuple) else []
    words = [_rule_text(where, f"rules[{i}]", e) if isinstance(e, Mapping) else e for i, e in enumerate(entries, 1)]
    rules = checks.texts(where, "rules", words if entries else raw, MAX_RULES, MAX_RULE)
    confirmed: dict[str, Meaning] = {}
    for i, (rule, entry) in enumerate(zip(rules, entries, strict=True), 1):
        meaning = _meaning(where, f"rules[{i}]", entry) if isinstance(entry, Mapping) else None
        if meaning is not None and confirmed.setdefault(rule, meaning) != meaning:
            checks.fail(where, f"rules[{i}] is confirmed in two ways. Delete one of the two entries with these words.")
    return rules, confirmed


def _rule_text(where: str, at: str, entry: Mapping[str, Any]) -> object:
    checks.check_keys(where, entry, ("text", "kinds", "stance", "confirmed_by"), f"{at}.")
    if "text" not in entry:
        checks.fail(where, f'{at} has no text. Write {{text = "No advertising.", kinds = [...], stance = "forbids"}}.')
    return entry["text"]


def _meaning(where: str, at: str, entry: Mapping[str, Any]) -> Meaning | None:
    """What a rule's table confirms; None for a table with nothing but text."""
    if set(entry) == {"text"}:
        return None
    for key, example in (("kinds", '["insult"], or [] for none'), ("confirmed_by", '"your name"')):
        if key not in entry:
            checks.fail(where, f"{at} has no {key}. Add {key} = {example}, or write the rule as plain text.")
    if entry["confirmed_by"] == "":
        checks.fail(where, f"{at}.confirmed_by is empty. Write the name of whoever confirms what the rule means.")
    kinds = checks.texts(where, f"{at}.kinds", entry["kinds"], MOST_KINDS, 40)
    for kind in kinds:
        checks.choice(where, f"{at}.kinds", kind, KINDS[1:])
    if len(set(kinds)) < len(kinds):
        checks.fail(where, f"{at}.kinds names a kind twice. Delete one.")
    stance = checks.choice(where, f"{at}.stance", entry.get("stance", "forbids"), get_args(Stance))
    return Meaning(kinds, stance, checks.text(where, f"{at}.confirmed_by", entry["confirmed_by"], MAX_NAME))  # type: ignore[arg-type]


def rule_entries(rules: Iterable[str], confirmed: Mapping[str, Meaning]) -> list[Any]:
    """Rules as a file may hold them: text, or a table where the meaning is confirmed. Files and `overlay` read them."""
    return [_rule_table(rule, confirmed[rule]) if rule in confirmed else rule for rule in rules]


def _rule_table(rule: str, meaning: Meaning) -> dict[str, Any]:
    return {"text": rule, "kinds": list(meaning.kinds), "stance": meaning.stance, "confirmed_by": meaning.confirmed_by}


def rule_to_toml(rule: str, meaning: Meaning) -> str:
    """The rule as an entry of `rules = [...]` in TOML, in one line."""
    return _toml(_rule_table(rule, meaning))


def _sketches(where: str, raw: object) -> tuple[Sketch, ...]:
    if not isinstance(raw, list):
        checks.fail(where, f"personas is {checks.kind(raw)}, expected tables. Write [[personas]] before each sketch.")
    if not raw:
        checks.fail(where, 'has no personas. Add at least one: [[personas]] and below it sketch = "art teacher, 41, cheerful".')
    if len(raw) > MAX_SKETCHES:
        checks.fail(where, f"personas has {len(raw):,} entries, at most {MAX_SKETCHES} are allowed. Thousands grow from a few.")
    sketches = tuple(_sketch(where, f"personas[{i}]", entry) for i, entry in enumerate(raw, 1))
    if not any(s.weight for s in sketches):
        checks.fail(where, "every weight of personas is 0, so nobody can join. Give one sketch a weight above 0.")
    return sketches


def _sketch(where: str, at: str, raw: object) -> Sketch:
    if isinstance(raw, str):
        checks.fail(where, f"{at} is text ({checks.came(raw)}), expected a table. Write [[personas]], then sketch = ...")
    table = checks.table(where, at, raw)
    checks.check_keys(where, table, ("name", "sketch", "weight"), f"{at}.")
    if "sketch" not in table:
        checks.fail(where, f'{at} has no sketch. Add a line like sketch = "art teacher, 41, loves museums, cheerful".')
    return Sketch(
        sketch=checks.text(where, f"{at}.sketch", table["sketch"], MAX_SKETCH),
        name=checks.text(where, f"{at}.name", table["name"], MAX_NAME) if table.get("name") else "",
        weight=checks.number(where, f"{at}.weight", table.get("weight", 1.0), 0, MAX_WEIGHT),
    )


def _topics(where: str, raw: object) -> tuple[str, ...]:
    topics = checks.texts(where, "topics", raw, MAX_TOPICS, MAX_TOPIC)
    twice = [t for t, n in Counter(t.lower() for t in topics).items() if n > 1]
    if twice:
        checks.fail(where, f"topics names {twice[0]!r} twice. Delete one.")
    return topics


def _design(where: str, raw: object) -> dict[str, Any]:
    """The keys of [design] that are there: feed (text), moderation (tuple of texts)."""
    table = checks.table(where, "design", raw)
    checks.check_keys(where, table, ("feed", "moderation"), "design.")
    design: dict[str, Any] = {}
    if "feed" in table:
        design["feed"] = checks.text(where, "design.feed", table["feed"], 300)
    if "moderation" in table:
        design["moderation"] = checks.texts(where, "design.moderation", table["moderation"], MAX_POLICIES, 300)
    return design


def _parameters(where: str, key: str, raw: object) -> dict[str, dict[str, Any]]:
    """[feed.x] or [moderation.x]: design name -> parameters. Whether the names exist is checked where designs are made."""
    if isinstance(raw, str | list):
        checks.fail(where, f"{key} is {checks.kind(raw)} ({checks.came(raw)}), expected tables. Set it under [design].")
    names = checks.table(where, key, raw)
    clean_names = {checks.clean(name)[:80]: parameters for name, parameters in names.items()}
    return {
        name: checks.plain(where, f"{key}.{name}", checks.table(where, f"{key}.{name}", parameters))
        for name, parameters in clean_names.items()
    }


# -- arms ------------------------------------------------------------------------------------------------------------------


def overlay(community: Community, changes: Mapping[str, Any], where: str = "overlay") -> Community:
    """The community with an arm's changes: tables design, feed, moderation, behaviour are merged key by key, rules and news
    replaced.

    changes: as TOML gives them, e.g. {"design": {"feed": "hot"}, "feed": {"weighted": {"recency": 1}}, "rules": ["Be kind."]}.
    {} changes nothing. A rule in words that the community has keeps what was confirmed of it. Raises CommunityError naming
    `where`.
    """
    checks.check_keys(where, changes, OVERLAY_KEYS)
    rules, confirmed = _rules(where, changes["rules"]) if "rules" in changes else (community.rules, {})
    known = {**community.confirmed, **confirmed}
    design = _design(where, changes.get("design", {}))
    behaviour = checks.plain(where, "behaviour", checks.table(where, "behaviour", changes.get("behaviour", {})))
    return replace(
        community,
        rules=rules,
        confirmed={rule: known[rule] for rule in rules if rule in known},
        feed=design.get("feed", community.feed),
        moderation=design.get("moderation", community.moderation),
        feed_parameters=_merged(community.feed_parameters, _parameters(where, "feed", changes.get("feed", {}))),
        moderation_parameters=_merged(
            community.moderation_parameters, _parameters(where, "moderation", changes.get("moderation", {}))
        ),
        behaviour={**community.behaviour, **behaviour},
        news=_overlaid_news(where, community, changes["news"]) if "news" in changes else community.news,
    )


def _overlaid_news(where: str, community: Community, raw: object) -> tuple[News, ...]:
    return read_news(where, raw, community.topics, [s.name for s in community.personas])


def read_overlay(path: str | Path) -> dict[str, Any]:
    """The changes of an overlay file, for `overlay`; its keys are checked here, its values there."""
    where = checks.shown(Path(path))
    changes = checks.read_toml(Path(path), where)
    checks.check_keys(where, changes, OVERLAY_KEYS)
    return changes


def _merged(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**old.get(name, {}), **new.get(name, {})} for name in (*old, *(n for n in new if n not in old))}


# -- records ---------------------------------------------------------------------------------------------------------------


def community_to_dict(community: Community) -> dict[str, Any]:
    """The complete community in JSON types. Of the voices only the hash: keep `community.voices` (plain JSON) beside it.

    rules are texts; where meanings are confirmed, `confirmed` holds those rules' tables as a file would.
    """
    confirmed = [entry for entry in rule_entries(community.rules, community.confirmed) if not isinstance(entry, str)]
    return {
        "slug": community.slug,
        "name": community.name,
        "goal": community.goal,
        "rules": list(community.rules),
        "topics": list(community.topics),
        "personas": [{"name": s.name, "sketch": s.sketch, "weight": s.weight} for s in community.personas],
        "design": {"feed": community.feed, "moderation": list(community.moderation)},
        "feed": {name: dict(p) for name, p in community.feed_parameters.items()},
        "moderation": {name: dict(p) for name, p in community.moderation_parameters.items()},
        "behaviour": dict(community.behaviour),
        "voices": voices_digest(community.voices),
        **({"confirmed": confirmed} if confirmed else {}),
        **({"news": [item.to_dict() for item in community.news]} if community.news else {}),
    }


def community_from_dict(
    record: Mapping[str, Any], voices: Mapping[str, Any] | None = None, where: str = "run.json"
) -> Community:
    """The community of `community_to_dict`, checked again. voices: the bank kept beside it, whose hash must be the recorded."""
    raw = {key: value for key, value in record.items() if key not in ("slug", "voices", "confirmed")}
    if "confirmed" in record and isinstance(raw.get("rules"), list):
        tables = {str(entry.get("text")): entry for entry in checks.tables(where, "confirmed", record["confirmed"])}
        raw["rules"] = [tables.get(str(rule), rule) for rule in raw["rules"]]
    community = _from_table(raw, where, checks.slugify(str(record.get("slug", ""))))
    if voices_digest(voices or {}) != record.get("voices", ""):
        checks.fail(where, "the voices kept with the run are not those it was made with. Restore the file or run it again.")
    return replace(community, voices=dict(voices or {}))


def community_to_toml(community: Community) -> str:
    """The community as a file that `load_community` reads back as an equal one (voices apart, which have their own file)."""
    record = community_to_dict(community)
    lines = [f"{key} = {_toml(record[key])}" for key in ("name", "goal")]
    lists = {"rules": rule_entries(community.rules, community.confirmed), "topics": record["topics"]}
    lines += [f"{key} = [\n{''.join(f'  {_toml(entry)},{chr(10)}' for entry in entries)}]" for key, entries in lists.items()]
    for sketch in record["personas"]:
        lines += ["", "[[personas]]", *(f"{key} = {_toml(value)}" for key, value in sketch.items() if value != "")]
    for item in record.get("news", []):
        lines += ["", "[[news]]", *(f"{key} = {_toml(value)}" for key, value in item.items())]
    lines += _toml_table("design", record["design"])
    for family in ("feed", "moderation"):
        for name, parameters in record[family].items():
            lines += _toml_table(f"{family}.{_key(name)}", parameters)
    if record["behaviour"]:
        lines += _toml_table("behaviour", record["behaviour"])
    return "\n".join(lines) + "\n"


def _toml_table(name: str, values: Mapping[str, Any]) -> list[str]:
    return ["", f"[{name}]", *(f"{_key(key)} = {_toml(value)}" for key, value in values.items())]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # JSON's text, numbers and true/false are TOML's too


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


# -- writing one's own -----------------------------------------------------------------------------------------------------

_STARTER = """\
# A community for Simulacra. Lines that begin with # are comments. Check this file with:  simulacra check FILE
name = {name}

# What is it for? One or two sentences. Topics are found in here unless you list them below.
goal = "Home bakers trade sourdough starters, compare flours and ovens, and help each other rescue flat loaves."

# What members may and may not do. Rules are shown by designs such as sticky_rules and named by moderators. `simulacra check`
# says what each was taken to mean, and prints lines with which you confirm or correct it (docs/rules.md).
rules = [
  "Be kind to beginners and to each other.",
  "No advertising of shops, courses or channels.",
  "Stay on topic: baking bread.",
]

# Optional, up to 32: what people talk about.
topics = ["sourdough starters", "flours and grains", "ovens and baking stones", "shaping and scoring", "rescuing flat loaves"]

# Sketches of members, normally 5 to 15; thousands of different people grow from them. Say what matters, separated by commas:
# work, age, what they love or hate, temper (cheerful, grumpy, anxious, blunt ...), how they write (full sentences, short
# lower-case bursts, emoji ...). weight says how many resemble this sketch.
[[personas]]
name   = "Ines"
sketch = "pastry cook, 34, loves shaping and scoring, cheerful, lots of exclamation marks"
weight = 1.0

[[personas]]
sketch = "retired chemistry teacher, 68, knows everything about flours and grains, know-all, long paragraphs"

[[personas]]
sketch = "nurse, 29, new to sourdough starters, anxious, asks a lot, short lower-case bursts"
weight = 1.5

[[personas]]
sketch = "electrician, 45, obsessed with ovens and baking stones, blunt, writes in full sentences"

[[personas]]
sketch = "mill shop owner, 52, sells flour in every other post, friendly, emoji"
weight = 0.4

# Optional: the designs to start with. The command line overrides them: --feed chronological, --moderation sticky_rules
[design]
feed = "hot"
moderation = ["sticky_rules"]

# Optional: parameters of a design, one table each, and of behaviour.
# [moderation.automod]
# words = ["buy now", "dm me"]
# [feed.weighted]
# recency = 1.0
# toxicity = -2.0
"""


def starter(name: str) -> str:
    """A commented community file to begin with; it passes every check. name: as people write it, made harmless here."""
    return _STARTER.format(name=_toml(checks.clean(name)[:MAX_NAME] or "My community"))


def check_community(path: str | Path) -> list[str]:
    """Notes on a community that can be used but could be better, one line each; [] if there is nothing to say.

    Raises CommunityError, as load_community does, where it cannot be used.
    """
    where = checks.shown(_find(path))
    return [f"{where}: {note}" for note in _notes(load_community(path))]


def _notes(community: Community) -> Iterator[str]:
    if len(community.personas) < 5:
        yield f"only {len(community.personas)} sketches. Five to fifteen give a livelier community."
    for kind, entries in (("rules", community.rules), ("sketches", tuple(s.sketch for s in community.personas))):
        for entry, times in Counter(e.lower() for e in entries).items():
            if times > 1:
                yield f"{kind} say {entry[:60]!r} {times} times. Delete the copies."
    for i, sketch in enumerate(community.personas, 1):
        yield from (f"personas[{i}] {note}" for note in _sketch_notes(sketch))
    if not community.rules:
        yield "no rules: no moderation design can refer to one."
    yield from _voice_notes(community)


def _sketch_notes(sketch: Sketch) -> Iterator[str]:
    reading = read_sketch(sketch.sketch)
    if not reading.work:
        yield "names no occupation first, so occupations are drawn at random."
    if reading.age is None:
        yield "names no age, so ages are drawn from census-like counts."
    if not reading.tempers:
        yield "names no temper that is known (cheerful, grumpy, anxious, blunt ...), so tempers are drawn at random."
    if sketch.weight == 0:
        yield "has weight 0: nobody will resemble it."


def _voice_notes(community: Community) -> Iterator[str]:
    if not community.voices:
        yield "no voices beside it: the sketch mind writes from the general bank. docs/voices.md says how to add some."
        return
    covered = {topic["name"] for topic in community.voices["topics"]}
    for topic in community.topics:
        if topic not in covered:
            yield f"the voices have no lines for topic {topic!r}: posts on it come from the general bank."
    missing = [key for key in ACT_LISTS[:15] if not community.voices["acts"].get(key)]
    if missing:
        yield f"the voices have no lines for acts {', '.join(missing)}: these come from the general bank."
