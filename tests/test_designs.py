"""How a designer writes an arm, and what is said when it cannot be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulacra.analysis.measures import MECHANICAL
from simulacra.community import Community, Sketch
from simulacra.designs import Arm, community_arm, differences, levers, make_arm, parse_settings, split_policies
from simulacra.errors import SimulacraError
from simulacra.moderation import POLICIES


@pytest.fixture
def garden() -> Community:
    return Community(
        slug="garden", name="Garden", goal="Gardeners trade tips.", rules=("Be kind.", "No selling."), topics=("roses", "soil"),
        personas=(Sketch("grower, 50"),), feed="hot", moderation=("automod",),
        moderation_parameters={"automod": {"words": ["buy now"]}}, behaviour={"contagion": 0.1},
    )  # fmt: skip


@pytest.mark.parametrize(
    "text, pairs",
    [
        ("feed=engagement", [("feed", "engagement")]),
        ("feed=hot moderation=none; contagion=off", [("feed", "hot"), ("moderation", "none"), ("contagion", "off")]),
        ("feed=weighted:recency=1,toxicity=-2 churn=.5", [("feed", "weighted:recency=1,toxicity=-2"), ("churn", 0.5)]),
        ("moderation.automod.words=['buy now', 'dm me']", [("moderation.automod.words", ["buy now", "dm me"])]),
        ("rules.add=Don't be rude, please.", [("rules.add", "Don't be rude, please.")]),
        ('feed=hot rules.add="Be kind to all."', [("feed", "hot"), ("rules.add", "Be kind to all.")]),
        ("", []),
    ],
)
def test_settings_are_read_as_designers_write_them(text: str, pairs: list[tuple[str, Any]]) -> None:
    assert parse_settings(text) == pairs


def test_an_arm_is_the_community_with_settings_on_top(garden: Community) -> None:
    arm = make_arm(garden, "feed=chronological moderation=automod+reconsider contagion=off rules.add='Stay calm.'", "variant")
    assert (arm.name, arm.feed, arm.moderation) == ("variant", "chronological", ("automod", "reconsider"))
    assert arm.rules == ("Be kind.", "No selling.", "Stay calm.")
    assert arm.behaviour == {"contagion": "off"}
    assert arm.moderation_parameters["automod"] == {"words": ["buy now"]}
    assert arm.build_behaviour().contagion == 0


def test_no_settings_are_the_communitys_own_design(garden: Community) -> None:
    assert make_arm(garden) == make_arm(garden, "") == make_arm(garden, []) == community_arm(garden)


def test_an_overlay_file_and_pairs_that_say_the_same_are_the_same_arm(garden: Community, tmp_path: Path) -> None:
    overlay = tmp_path / "strict.toml"
    overlay.write_text(
        'rules = ["Be kind."]\n[design]\nfeed = "weighted"\nmoderation = ["human_review"]\n'
        "[feed.weighted]\ntoxicity = -2\n[moderation.human_review]\nmoderators = 5\n[behaviour]\nscroll = 4\n"
    )
    pairs = [
        "feed=weighted", "feed.weighted.toxicity=-2", "moderation=human_review", "moderation.human_review.moderators=5",
        "rules.remove=2", "behaviour.scroll=4",
    ]  # fmt: skip
    assert make_arm(garden, str(overlay)) == make_arm(garden, pairs) == make_arm(garden, overlay)


def test_the_short_form_of_a_feed_parameter_belongs_to_the_arms_feed(garden: Community) -> None:
    arm = make_arm(garden, "feed=weighted feed.toxicity=-2")
    assert arm.feed_parameters["weighted"] == {"toxicity": -2}


@pytest.mark.parametrize("text", ["none", "", []])
def test_none_is_the_empty_list_of_moderation(text: str | list[str]) -> None:
    assert split_policies(text) == ()


@pytest.mark.parametrize(
    "settings, said",
    [
        ("fed=hot", "Did you mean feed?"),
        ("contagin=off", "Did you mean contagion?"),
        ("behaviour.contagin=off", "contagion"),
        ("feed=engagment", "engagement"),
        ("moderation=automood", "automod"),
        ("moderation=automod,none", "none"),
        ("feed=hot engagement", "hot engagement"),
        ("feed=hot engagement moderation=none", "is not key=value"),
        ("justwords", "is not key=value"),
        ("moderation.automod.words=['open", "open"),
        ("feed=weighted:toxicity=lots", "toxicity"),
        ("feed.weighted.toxicity=-2", "Add feed=weighted"),
        ("moderation=none moderation.automod.default=false", "Add automod"),
        ("moderation.human_reviw.moderators=2", "human_review"),
        ("moderation.automod.wordz=['x']", "words"),
        ("rules.add=''", "is no sentence"),
        ("rules.remove=7", "1 to 2"),
        ("rules=Be kind", "expected a list"),
        ("rules.drop=1", "is not a setting"),
        ("feed=3", "expected a name"),
        ("contagion=plenty", "contagion"),
        ("nothere.toml", "nothere.toml"),
    ],
)
def test_a_mistake_is_told_in_one_line_that_names_it(garden: Community, settings: str, said: str) -> None:
    with pytest.raises(SimulacraError) as error:
        make_arm(garden, settings)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_parameters_of_a_lever_that_is_off_are_refused_in_an_overlay_too(garden: Community) -> None:
    with pytest.raises(SimulacraError, match="it would do nothing"):
        make_arm(garden, {"design": {"moderation": []}, "moderation": {"automod": {"default": False}}})


def test_arms_survive_json(garden: Community) -> None:
    arm = make_arm(garden, "feed=engagement moderation=automod+human_review moderation.human_review.moderators=3")
    again = Arm.from_dict(json.loads(json.dumps(arm.to_dict())))
    assert again.design() == arm.design()


def test_differences_name_what_differs_and_nothing_else(garden: Community) -> None:
    baseline = make_arm(garden, "")
    variant = make_arm(garden, "feed=engagement contagion=0.2 moderation.automod.default=false rules.remove=1")
    assert differences(baseline, variant) == [
        "feed: hot -> engagement",
        "moderation.automod.default: default -> False",
        "rule removed: Be kind.",
        "behaviour.contagion: 0.1 -> 0.2",
    ]
    assert differences(baseline, community_arm(garden, "another name")) == []


@pytest.mark.parametrize(
    "settings, classes",
    [
        ("feed=engagement", {"feed"}),
        ("feed=weighted:toxicity=-2", {"feed", "feed.toxicity"}),
        ("feed=weighted:recency=2", {"feed"}),
        ("moderation=automod+reconsider", {"friction"}),
        ("moderation=automod+sticky_rules", {"reminder"}),
        ("moderation=none", {"removal"}),
        ("moderation.automod.default=false", {"removal"}),
        ("contagion=off rules.remove=1", {"behaviour.contagion", "rules"}),
    ],
)
def test_levers_say_which_classes_differ(garden: Community, settings: str, classes: set[str]) -> None:
    assert levers(make_arm(garden), make_arm(garden, settings)) == classes


def test_settings_of_levers_that_neither_arm_uses_make_no_difference(garden: Community) -> None:
    arms = [community_arm(garden), community_arm(garden)]
    object.__setattr__(arms[1], "moderation_parameters", {**garden.moderation_parameters, "human_review": {"moderators": 9}})
    assert levers(*arms) == frozenset()


def test_every_policy_has_a_lever_class(garden: Community) -> None:
    bare = make_arm(garden, "moderation=none")
    for policy in POLICIES:
        assert levers(bare, make_arm(garden, f"moderation={policy}")) <= MECHANICAL.keys()
