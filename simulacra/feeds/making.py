"""Feeds by name: the registry, and how a designer's words become a feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulacra.errors import SpecError
from simulacra.feeds import plugin
from simulacra.feeds.civic import BoostPositive, Bridging, CrossGroup, DownrankToxic
from simulacra.feeds.classic import Chronological, Engagement, Following, Hot, Personalised, Random, Top, Weighted
from simulacra.feeds.collaborative import Collaborative
from simulacra.feeds.reranked import Diversified, DownplayDominant, HideCounts, Mix
from simulacra.parameters import checked, nearest
from simulacra.seams import FeedDesign

FEEDS: dict[str, type[Any]] = {
    feed.name: feed
    for feed in (
        Chronological, Hot, Top, Engagement, Personalised, Following, Random, Weighted, Bridging, CrossGroup, DownrankToxic,
        BoostPositive, Diversified, DownplayDominant, HideCounts, Collaborative, Mix,
    )
}  # fmt: skip
"""Every feed design by name."""


def make_feed(text: str, parameters: Mapping[str, Any] | None = None) -> FeedDesign:
    """A feed from its name, or from "name:parameter=value,parameter=value".

    text: besides, "mix:hot=0.7,random=0.3" (shares of places), "module:Class" or "module:Class:parameter=value" (a designer's
    own), or the name of a feed that another package offers. parameters: those of the community file's [feed.<name>] table; the
    text's own come on top. Raises SpecError for an unknown feed or parameter, or a value out of its range.
    """
    name, _, settings = text.partition(":")
    name = name.strip()
    if name not in FEEDS:
        return _made_by_others(text, parameters or {})
    values = {**(parameters or {}), **_settings(name, settings)}
    if name == Mix.name:
        return Mix.of(values)
    return FEEDS[name](**checked(f"feed {name}", FEEDS[name], values))


def _made_by_others(text: str, parameters: Mapping[str, Any]) -> FeedDesign:
    found = plugin.named(text)
    if found is None:
        name = text.partition(":")[0].strip()
        known = ", ".join(sorted([*FEEDS, *plugin.installed()]))
        raise SpecError(f"No feed design called {name!r}.{nearest(name, FEEDS)} Known: {known}; your own as module:Class.")
    return plugin.make(found, {**parameters, **_settings(found.name, found.settings)})


def _settings(name: str, text: str) -> dict[str, str]:
    """The pairs of "parameter=value,parameter=value"."""
    pairs = [setting.partition("=") for setting in (s.strip() for s in text.split(",")) if setting]
    for key, equals, _ in pairs:
        if not equals:
            raise SpecError(f"feed {name}: {key!r} is not parameter=value, as in {name}:half_life=12.")
    return {key.strip(): value.strip() for key, _, value in pairs}
