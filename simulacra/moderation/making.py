"""Moderation designs by name: the registry, and how a designer's list becomes policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.errors import SpecError
from simulacra.moderation.filters import Automod, Downrank, Hide, Remove, RemoveExplained, Scored, ShadowLimit
from simulacra.moderation.friction import NewcomerWait, RateLimit, Reconsider, SlowMode, StickyRules, Welcome
from simulacra.moderation.members import CommunityVotes, Label, LockThread
from simulacra.moderation.model import NEEDS_MODEL, LlmModerator
from simulacra.moderation.people import HumanReview, PreScreen, Strikes
from simulacra.parameters import checked, nearest
from simulacra.seams import ModerationDesign

POLICIES: dict[str, type[Any]] = {
    policy.name: policy
    for policy in (
        StickyRules, Automod, HumanReview, Reconsider, PreScreen, Remove, RemoveExplained, Hide, Label, Downrank, SlowMode,
        RateLimit, NewcomerWait, Strikes, CommunityVotes, ShadowLimit, LockThread, Welcome, LlmModerator,
    )
}  # fmt: skip
"""Every moderation design by name. The order is part of a record's labels: new ones come last."""

Parameters = Mapping[str, Mapping[str, Any]]


def make_policies(names: Sequence[str], parameters: Parameters | None = None) -> list[ModerationDesign]:
    """The levers of those names, in order. "none" and an empty list mean no moderation.

    parameters: one table a policy, as in a community file's [moderation.<name>].
    Raises SpecError for unknown names or parameters, doubles, "none" beside others, values out of range, and lists that
    contradict themselves (a lever that another one leaves nothing to do).
    """
    names = [n for n in names if n != "none"] if list(names) in ([], ["none"]) else list(names)
    for name in names:
        _check_name(name, names)
    given = parameters or {}
    _refuse_two_ladders(names, given)
    policies = [POLICIES[name](**checked(f"moderation.{name}", POLICIES[name], given.get(name, {}))) for name in names]
    _refuse_idle(policies)
    if "strikes" in names:
        for policy in policies:
            if isinstance(policy, HumanReview):
                policy.punishes = False
    return policies


def check_askable(names: Sequence[str], rules: Sequence[str], model: bool) -> None:
    """Raise SpecError where a lever would ask a language model and there is none, or nothing to judge by."""
    for name in names:
        if name in POLICIES and POLICIES[name].asks:
            if not model:
                raise SpecError(NEEDS_MODEL)
            if not rules:
                raise SpecError(
                    f"moderation: {name} judges by the community's rules, and it has none. Write some, or leave it out."
                )


def _check_name(name: str, names: Sequence[str]) -> None:
    if name == "none":
        others = ", ".join(n for n in names if n != "none")
        raise SpecError(f"moderation: 'none' stands beside {others}. Take one or the other.")
    if name not in POLICIES:
        known = ", ".join(sorted(POLICIES))
        raise SpecError(f"No moderation design called {name!r}.{nearest(name, POLICIES)} Known: none, {known}.")
    if names.count(name) > 1:
        raise SpecError(f"moderation: {name!r} is listed twice. Delete one.")


def _refuse_two_ladders(names: Sequence[str], parameters: Parameters) -> None:
    """Where `strikes` is listed it alone mutes and bans: settings of human_review's own ladder would do nothing."""
    set_too = [key for key in HumanReview.LADDER if key in parameters.get("human_review", {})]
    if "strikes" in names and "human_review" in names and set_too:
        raise SpecError(
            f"moderation: human_review.{set_too[0]} would do nothing, since strikes mutes and bans. "
            f"Set strikes.{set_too[0]} instead."
        )


def _refuse_idle(policies: Sequence[Any]) -> None:
    """Refuse a lever on toxic drafts that another one removes before it can act on them."""
    removers = [policy for policy in policies if isinstance(policy, Remove)]
    if len(removers) > 1:
        raise SpecError("moderation: remove and remove_explained remove the same posts. Take one of them.")
    for policy in policies:
        for remover in removers:
            acts_on_posts = isinstance(policy, Scored) and not isinstance(policy, Remove | Reconsider | ShadowLimit)
            if acts_on_posts and remover.threshold <= policy.threshold:
                raise SpecError(
                    f"moderation: {remover.name} takes down all above {remover.threshold:g}, so {policy.name} above "
                    f"{policy.threshold:g} would never act. Lower {policy.name}.threshold or raise {remover.name}.threshold."
                )
