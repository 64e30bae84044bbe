"""Arms: one feed design, a list of moderation designs, rules and behaviour, as settings on top of what a community says.

A designer writes an arm as `key=value` pairs ("feed=engagement moderation=automod+reconsider contagion=off") or as a TOML
overlay of the same tables. Both end in one `Arm`. Feeds, policies and behaviour parameters are checked by the modules that
own them; this module only knows where a setting belongs, and names the nearest key when there is none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.errors import SpecError
from simulacra.news import News, parse_news

if TYPE_CHECKING:
    from simulacra.behaviour import Behaviour
    from simulacra.community import Community, Meaning
    from simulacra.seams import FeedDesign, ModerationDesign

Settings = str | Path | Mapping[str, Any] | Sequence[str] | None
"""How an arm may be written: one string of pairs, the path of a TOML overlay, a parsed overlay, a list of pairs, or nothing."""

BehaviourSettings = str | Sequence[str] | Mapping[str, Any] | None
"""Behaviour parameters as pairs ("contagion=off") or as a mapping."""

Tables = Mapping[str, Mapping[str, Any]]

NONE = "none"
_KEYS = ("feed", "moderation", "rules", "rules.add", "rules.remove", "news", "news.add", "behaviour")
_WHERE_GIVEN = ("confirmed", "news")
"""Fields of an arm that its plain form holds only where there is something in them."""
_PAIR = re.compile(r"[\w.-]+=")


@dataclass(frozen=True)
class Arm:
    """One design of a community, complete: what is ranked how, moderated how, under which rules, by which behaviour."""

    name: str
    feed: str  # a feed's name, or a name with parameters: "weighted:recency=1,toxicity=-2"
    feed_parameters: Tables = field(default_factory=dict)  # feed name -> its parameters
    moderation: tuple[str, ...] = ()
    moderation_parameters: Tables = field(default_factory=dict)  # policy name -> its parameters
    rules: tuple[str, ...] = ()
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    confirmed: Mapping[str, Meaning] = field(default_factory=dict)  # a rule's words -> what a person confirmed that it means
    news: tuple[News, ...] = ()  # what somebody knows first

    @property
    def feed_name(self) -> str:
        return self.feed.partition(":")[0]

    def build_feed(self) -> FeedDesign:
        """The feed design that this arm names. Raises SpecError for an unknown name or parameter."""
        from simulacra.feeds import make_feed

        return make_feed(self.feed, self.feed_parameters.get(self.feed_name, {}))

    def build_policies(self) -> list[ModerationDesign]:
        """The moderation designs in their order; [] under `none`. Raises SpecError for an unknown name or parameter."""
        from simulacra.moderation import make_policies

        return make_policies(self.moderation, self.moderation_parameters)

    def build_behaviour(self) -> Behaviour:
        """The behaviour parameters with this arm's settings. Raises SpecError for an unknown name or value."""
        from simulacra.behaviour import Behaviour

        return Behaviour().with_settings(self.behaviour)

    def applied_to(self, community: Community) -> Community:
        """The community as its members of this arm know it: this arm's rules and defaults in place of the file's."""
        return replace(
            community,
            rules=self.rules,
            feed=self.feed,
            moderation=self.moderation,
            feed_parameters=self.feed_parameters,
            moderation_parameters=self.moderation_parameters,
            behaviour=self.behaviour,
            confirmed=self.confirmed,
            news=self.news,
        )

    def check(self) -> Arm:
        """This arm, once each of its parts has been built. Raises SpecError for the first that cannot be."""
        self.build_feed()
        self.build_policies()
        self.build_behaviour()
        return self

    def design(self) -> dict[str, Any]:
        """Everything but the name, as plain values; equal designs behave equally."""
        return {
            "feed": self.feed,
            "feed_parameters": _plain(self.feed_parameters.get(self.feed_name, {})),
            "moderation": list(self.moderation),
            "moderation_parameters": {p: _plain(self.moderation_parameters.get(p, {})) for p in self.moderation},
            "rules": list(self.rules),
            "confirmed": self._confirmed_plain(),
            "behaviour": _plain(self.behaviour),
            **({"news": [item.to_dict() for item in self.news]} if self.news else {}),
        }

    def _confirmed_plain(self) -> dict[str, Any]:
        return {rule: _plain(vars(meaning)) for rule, meaning in self.confirmed.items() if rule in self.rules}

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; `from_dict` is the inverse."""
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in _WHERE_GIVEN}
        plain |= {"confirmed": self._confirmed_plain()} if self.confirmed else {}
        return plain | ({"news": [item.to_dict() for item in self.news]} if self.news else {})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Arm:
        """The arm that `to_dict` described."""
        from simulacra.community import Meaning
        from simulacra.news import news_from

        known = {f.name: values[f.name] for f in fields(cls) if f.name not in _WHERE_GIVEN}
        told = values.get("confirmed", {})
        confirmed = {rule: Meaning(tuple(m["kinds"]), m["stance"], m["confirmed_by"]) for rule, m in told.items()}
        known |= {"moderation": tuple(known["moderation"]), "rules": tuple(known["rules"]), "confirmed": confirmed}
        known |= {"news": news_from(values.get("news", []))}
        return cls(**known)

    def describe(self) -> str:
        """In words, for a table's head: "engagement feed, automod + reconsider"."""
        parameters = self.feed_parameters.get(self.feed_name, {})
        extra = " (" + ", ".join(f"{k}={v}" for k, v in parameters.items()) + ")" if parameters else ""
        return f"{self.feed} feed{extra}, {' + '.join(self.moderation) or 'no'} moderation"


def community_arm(community: Community, name: str = "baseline") -> Arm:
    """The arm that the community's own file describes."""
    return Arm(
        name=name,
        feed=community.feed,
        feed_parameters=community.feed_parameters,
        moderation=_policies(community.moderation),
        moderation_parameters=community.moderation_parameters,
        rules=community.rules,
        behaviour=community.behaviour,
        confirmed=community.confirmed,
        news=community.news,
    )


def make_arm(
    community: Community,
    settings: Settings = None,
    name: str = "baseline",
    *,
    feed: str | None = None,
    moderation: str | Sequence[str] | None = None,
    behaviour: BehaviourSettings = None,
) -> Arm:
    """The community's own design with settings on top, checked.

    settings: see `Settings`; None or "" is the community's own design. feed, moderation, behaviour: the same things said apart;
    they come last. Raises SpecError (a setting) or CommunityError (a TOML overlay) in one line.
    """
    arm, keys = _settled(community, settings, name)
    pairs = [(key, value) for key, value in (("feed", feed), ("moderation", moderation)) if value is not None]
    for key, value in [*pairs, *_behaviour_pairs(behaviour)]:
        arm = _with_setting(arm, key, value)
    _refuse_idle_levers(arm, keys)
    return _cleaned(community, arm).check()


def _settled(community: Community, settings: Settings, name: str) -> tuple[Arm, list[str]]:
    """The community's arm with settings on top, not yet checked, and the keys that were set."""
    path = _overlay_path(settings)
    if path is not None:
        from simulacra.community import read_overlay

        return _overlaid(community, read_overlay(path), name)
    if isinstance(settings, Mapping):
        return _overlaid(community, settings, name)
    arm = community_arm(community, name)
    pairs = parse_settings([str(settings)] if isinstance(settings, str | Path) else list(settings or ()))
    for key, value in pairs:
        arm = _with_setting(arm, key, value)
    return arm, [key for key, _ in pairs]


def _behaviour_pairs(behaviour: BehaviourSettings) -> list[tuple[str, Any]]:
    if behaviour is None:
        return []
    pairs = behaviour.items() if isinstance(behaviour, Mapping) else parse_settings(behaviour)
    return [(f"behaviour.{key.removeprefix('behaviour.')}", value) for key, value in pairs]


def parse_settings(settings: str | Sequence[str]) -> list[tuple[str, Any]]:
    """`key=value` pairs, in order, values as numbers, truth values, lists or text.

    settings: one string ("feed=hot moderation=none", separated by spaces or `;`) or a list of such strings. Values are read as
    TOML where they are TOML and as plain text elsewhere, so text with spaces needs quotes only beside other settings.
    """
    strings = [settings] if isinstance(settings, str) else settings
    return [_pair(piece) for text in strings for piece in _split(text)]


def split_policies(text: str | Sequence[str]) -> tuple[str, ...]:
    """Policy names from "automod+reconsider", "automod,reconsider", a list, or `none` (nothing)."""
    names = re.split(r"[+,\s]+", text) if isinstance(text, str) else [str(name) for name in text]
    return _policies(name.strip() for name in names)


def levers(baseline: Arm, variant: Arm) -> frozenset[str]:
    """Which classes of lever differ between two arms, for `measures.mechanical`.

    "feed" for any change of ranking, "feed.PROPERTY" for each property of posts ("toxicity") that either feed's score looks at;
    the lever class of each policy that differs ("removal", "exposure", ...); "rules"; "behaviour.NAME" for each changed setting.
    """
    a, b = baseline.design(), variant.design()
    found = {f"behaviour.{key}" for key in _changed(a["behaviour"], b["behaviour"])}
    if (a["rules"], a["confirmed"]) != (b["rules"], b["confirmed"]):
        found.add("rules")
    if a.get("news") != b.get("news"):
        found.add("news")
    if (a["feed"], a["feed_parameters"]) != (b["feed"], b["feed_parameters"]):
        found |= {"feed"} | {f"feed.{seen}" for arm in (baseline, variant) for seen in _watched(arm)}
    return frozenset(found | {_lever_class(policy) for policy in _changed_policies(a, b)})


def differences(baseline: Arm, variant: Arm) -> list[str]:
    """What differs, one short line each ("feed: chronological -> engagement"); [] for equal designs."""
    a, b = baseline.design(), variant.design()
    lines = [f"{key}: {_show(a[key])} -> {_show(b[key])}" for key in ("feed", "moderation") if a[key] != b[key]]
    if a["feed"] == b["feed"]:
        lines += _table_lines(f"feed.{baseline.feed_name}", a["feed_parameters"], b["feed_parameters"])
    for policy in sorted(set(a["moderation"]) & set(b["moderation"])):
        tables = (side["moderation_parameters"][policy] for side in (a, b))
        lines += _table_lines(f"moderation.{policy}", *tables)
    lines += [f"rule added: {rule}" for rule in b["rules"] if rule not in a["rules"]]
    lines += [f"rule removed: {rule}" for rule in a["rules"] if rule not in b["rules"]]
    if a["rules"] != b["rules"] and sorted(a["rules"]) == sorted(b["rules"]):
        lines.append("rules: another order")
    both = set(a["rules"]) & set(b["rules"])
    lines += [f"meaning confirmed otherwise: {rule}" for rule in _changed(a["confirmed"], b["confirmed"]) if rule in both]
    titles = [{item.title for item in arm.news} for arm in (baseline, variant)]
    lines += [f"news added: {title}" for title in sorted(titles[1] - titles[0])]
    lines += [f"news removed: {title}" for title in sorted(titles[0] - titles[1])]
    return lines + _table_lines("behaviour", a["behaviour"], b["behaviour"])


# -- reading pairs ---------------------------------------------------------------------------------------------------------


def _split(text: str) -> list[str]:
    """Cut at spaces and `;` outside quotes and brackets; a string that holds one setting stays whole."""
    pieces = _cut(text)
    if sum(bool(_PAIR.match(piece)) for piece in pieces) == 1 and _PAIR.match(pieces[0]) and ";" not in text:
        return [text.strip()]
    stray = next((piece for piece in pieces if not _PAIR.match(piece)), None)
    if stray is not None:
        raise SpecError(
            f"settings: {_short(stray)} is not key=value. Write for example feed=engagement, or quote a value "
            'that holds spaces: rules.add="Be kind."'
        )
    return pieces


def _cut(text: str) -> list[str]:
    pieces, piece, quote, depth, before = [], "", "", 0, "="
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and before in "=[{,( ":  # an apostrophe inside a word opens nothing
            quote = char
        elif char in "[]{}":
            depth += 1 if char in "[{" else -1
        if not quote and depth <= 0 and (char.isspace() or char == ";"):
            pieces.append(piece)
            piece = ""
        else:
            piece += char
        before = char
    if quote or depth > 0:
        raise SpecError(f"settings: {_short(text)} has an open {'quote' if quote else 'bracket'}. Close it.")
    return [p for p in [*pieces, piece] if p]


def _pair(piece: str) -> tuple[str, Any]:
    key, _, value = piece.partition("=")
    return key.strip(), parse_value(value.strip())


def parse_value(text: str) -> Any:
    """A number, truth value, quoted string or list where `text` is one in TOML (or a number like .5); else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


# -- applying them ---------------------------------------------------------------------------------------------------------


def _with_setting(arm: Arm, key: str, value: Any) -> Arm:
    head, _, rest = key.partition(".")
    if key == "feed":
        return replace(arm, feed=_text(key, value))
    if key == "moderation":
        return replace(arm, moderation=split_policies(value if isinstance(value, str | list | tuple) else _text(key, value)))
    if head == "rules":
        return replace(arm, rules=_with_rules(arm.rules, rest, value))
    if head == "news":
        return _with_news(arm, rest, value)
    if head == "feed" and rest:
        name, _, parameter = rest.rpartition(".")
        return replace(arm, feed_parameters=_merged(arm.feed_parameters, name or arm.feed_name, parameter, value))
    if head == "moderation" and "." in rest:
        name, _, parameter = rest.partition(".")
        return replace(arm, moderation_parameters=_merged(arm.moderation_parameters, name, parameter, value))
    parameter = rest if head == "behaviour" else key
    if head != "behaviour" and parameter not in _behaviour_names():
        raise SpecError(_unknown_key(key))
    return replace(arm, behaviour={**arm.behaviour, parameter: value})


def _with_news(arm: Arm, verb: str, value: Any) -> Arm:
    """news=none: nobody knows anything. news.add="rumour: the museum will close" (or a table): one item more."""
    if verb == "add":
        from simulacra.news import read_news

        table = parse_news(value) if isinstance(value, str) else value
        if not isinstance(table, Mapping):
            raise SpecError(f'news.add={_short(value)}: expected "rumour: the museum will close in June", or a table.')
        # Whether the community has that topic and that sketch is checked with the whole arm.
        named = [str(table.get(key, "")) for key in ("topic", "from", "host")]
        return replace(arm, news=(*arm.news, *read_news("news.add", [table], named[:1], named[1:])))
    if verb or value not in (NONE, False, []):
        raise SpecError(f'news={_short(value)}: write news=none, or news.add="rumour: the museum will close in June".')
    return replace(arm, news=())


def _with_rules(rules: tuple[str, ...], verb: str, value: Any) -> tuple[str, ...]:
    if verb == "add":
        return (*rules, _rule(value))
    if verb == "remove":
        return _without_rule(rules, value)
    if verb:
        raise SpecError(_unknown_key(f"rules.{verb}"))
    if not isinstance(value, list):
        raise SpecError(f'rules={_short(value)}: expected a list of sentences such as ["Be kind."], or use rules.add.')
    return tuple(_rule(item) for item in value)


def _without_rule(rules: tuple[str, ...], value: Any) -> tuple[str, ...]:
    """Without the rule of that number (from 1) or those words."""
    if isinstance(value, int) and 1 <= value <= len(rules):
        return rules[: value - 1] + rules[value:]
    if value in rules:
        return tuple(rule for rule in rules if rule != value)
    raise SpecError(f"rules.remove={_short(value)}: no such rule. Give its words or its number, 1 to {len(rules)}.")


def _rule(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SpecError(f'rules: {_short(value)} is no sentence. Write one such as "Be kind to newcomers."')
    return value.strip()


def _cleaned(community: Community, arm: Arm) -> Arm:
    """The arm after the checks that a file's values pass (control characters, lengths, types)."""
    from simulacra.community import overlay, rule_entries

    changes = {
        "design": {"feed": arm.feed, "moderation": list(arm.moderation)}, "feed": arm.feed_parameters,
        "moderation": arm.moderation_parameters, "behaviour": arm.behaviour, "rules": rule_entries(arm.rules, arm.confirmed),
        "news": [item.to_dict() for item in arm.news],
    }  # fmt: skip
    return community_arm(overlay(community, changes, "settings"), arm.name)


def _overlaid(community: Community, mapping: Mapping[str, Any], name: str) -> tuple[Arm, list[str]]:
    from simulacra.community import overlay

    arm = community_arm(overlay(community, mapping), name)
    return arm, [f"{table}.{lever}.x" for table in ("feed", "moderation") for lever in mapping.get(table, {})]


def _refuse_idle_levers(arm: Arm, keys: Iterable[str]) -> None:
    """Refuse parameters of a lever that this arm does not use: they would change nothing, silently."""
    for key in keys:
        head, _, rest = key.partition(".")
        lever = rest.rpartition(".")[0] if head == "feed" else rest.partition(".")[0]
        if head == "feed" and lever and lever != arm.feed_name:
            raise SpecError(f"{_strip(key)}: this arm's feed is {arm.feed_name}, so it would do nothing. Add feed={lever}.")
        if head == "moderation" and lever and lever not in arm.moderation:
            _check_policy_name(lever)
            in_use = "+".join(arm.moderation) or NONE
            raise SpecError(f"{_strip(key)}: this arm's moderation is {in_use}, so it would do nothing. Add {lever} to it.")


def _check_policy_name(name: str) -> None:
    from simulacra.moderation import POLICIES

    if name not in POLICIES:
        known = ", ".join(sorted(POLICIES))
        raise SpecError(f"No moderation design called {_short(name)}.{_nearest(name, POLICIES)} Known: {known}.")


def _overlay_path(settings: Settings) -> Path | None:
    """The overlay file that the settings are, if they are one."""
    if isinstance(settings, Path):
        return settings
    if isinstance(settings, str) and settings.strip().endswith(".toml") and not _PAIR.match(settings.strip()):
        return Path(settings.strip())
    if isinstance(settings, Sequence) and not isinstance(settings, str) and len(settings) == 1:
        return _overlay_path(settings[0])
    return None


def _behaviour_names() -> list[str]:
    from simulacra.behaviour import Behaviour

    return [parameter.name for parameter in fields(Behaviour)]


def _unknown_key(key: str) -> str:
    known = [*_KEYS, *_behaviour_names()]
    return (
        f"{_short(key)} is not a setting.{_nearest(key, known)} Known: feed, feed.PARAMETER, moderation, "
        "moderation.POLICY.PARAMETER, rules, rules.add, rules.remove, news, news.add, behaviour.PARAMETER."
    )


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


# -- small things ----------------------------------------------------------------------------------------------------------


def _policies(names: Iterable[str]) -> tuple[str, ...]:
    kept = tuple(name for name in names if name)
    return () if kept == (NONE,) else kept


def _merged(tables: Tables, name: str, parameter: str, value: Any) -> Tables:
    return {**tables, name: {**tables.get(name, {}), parameter: value}}


def _changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*a, *b} if a.get(key) != b.get(key))


def _changed_policies(a: Mapping[str, Any], b: Mapping[str, Any]) -> set[str]:
    changed = set(a["moderation"]) ^ set(b["moderation"])
    both = set(a["moderation"]) & set(b["moderation"])
    return changed | {p for p in both if a["moderation_parameters"][p] != b["moderation_parameters"][p]}


def _lever_class(policy: str) -> str:
    """What a policy does by itself: removal, friction, exposure, volume, sanction, or nothing but a reminder."""
    from simulacra.moderation import POLICIES

    return str(POLICIES[policy].lever)


def _watched(arm: Arm) -> tuple[str, ...]:
    """Properties of posts that the arm's feed looks at when it ranks."""
    return tuple(getattr(arm.build_feed(), "watches", ()))


def _table_lines(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [f"{name}.{k}: {_show(a.get(k, 'default'))} -> {_show(b.get(k, 'default'))}" for k in _changed(a, b)]


def _show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value)) or NONE
    return str(value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SpecError(f"{key}={_short(value)}: expected a name, such as {'engagement' if key == 'feed' else 'automod'}.")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _strip(key: str) -> str:
    return key.removesuffix(".x")


def _short(value: Any) -> str:
    """A value for a message: quoted, on one line, no longer than 60 characters, nothing a terminal would obey."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
