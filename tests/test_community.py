"""Community files: what is read, what is refused and how that is said, what an arm changes, what a record carries."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra import checks
from simulacra.community import (
    Community,
    Sketch,
    bundled_communities,
    check_community,
    community_from_dict,
    community_to_dict,
    community_to_toml,
    find_topics,
    load_community,
    overlay,
    read_overlay,
    starter,
)
from simulacra.errors import CommunityError
from simulacra.people.sketches import read_sketch

GARDEN = """
name = "Garden"
goal = "Allotment neighbours trade seeds, compare compost and help each other with slugs."
rules = ["Be kind.", "No advertising."]
topics = ["seeds", "compost", "slugs"]
[[personas]]
sketch = "baker, 41, loves compost, cheerful"
"""


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    path = tmp_path / "garden.toml"
    path.write_text(GARDEN)
    return path


def write(path: Path, old: str, new: str) -> Path:
    assert old in GARDEN
    path.write_text(GARDEN.replace(old, new))
    return path


def complaint(path: Path) -> str:
    with pytest.raises(CommunityError) as caught:
        load_community(path)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable() and len(message) < 800
    assert path.name in message
    return message


def test_a_file_becomes_a_community_with_defaults(garden: Path) -> None:
    community = load_community(garden)
    assert community.slug == "garden" and community.topics == ("seeds", "compost", "slugs")
    assert community.feed == "hot" and community.moderation == () and community.voices == {}
    assert community.personas == (Sketch("baker, 41, loves compost, cheerful"),)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"No advertising."', '""', "rules[2] is empty. Write a sentence or delete the entry."),
        ('"No advertising."', '" \\u200e\\t"', "rules[2] is empty"),
        ('"No advertising."', "7", "rules[2] is a number (7), expected text"),
        ('["Be kind.", "No advertising."]', '"Be kind."', "rules is text ('Be kind.'), expected a list. Write rules = ["),
        ('goal = "A', 'goal = ""\n#', "goal is empty"),
        ('goal = "A', '#"', "goal is missing"),
        ("[[personas]]\nsketch", "[extra]\nsketch", "unknown key extra"),
        ('[[personas]]\nsketch = "baker, 41, loves compost, cheerful"', "", "has no personas. Add at least one"),
        ("[[personas]]\nsketch", "[personas]\nsketch", "personas is a table"),
        ("sketch =", "skech =", "unknown key personas[1].skech. Did you mean 'sketch'?"),
        ("sketch =", "name =", "personas[1] has no sketch"),
        ("[[personas]]", "[[personas]]\nweight = -1", "personas[1].weight is -1, expected a number from 0 to 1000"),
        ("[[personas]]", "[[personas]]\nweight = 1e9", "personas[1].weight is 1000000000.0"),
        ("[[personas]]", "[[personas]]\nweight = nan", "personas[1].weight is nan"),
        ("[[personas]]", "[[personas]]\nweight = true", "personas[1].weight is true/false"),
        ("[[personas]]", "[[personas]]\nweight = 0", "every weight of personas is 0"),
        ("topics = [", f"topics = [{', '.join(repr(str(i)) for i in range(40))}, ", "topics has 43 entries, at most 32"),
        ('"slugs"]', '"Seeds"]', "topics names 'seeds' twice"),
        ("rules =", "rulse =", "unknown key rulse. Did you mean 'rules'?"),
        ("[[personas]]", "[design]\nfeeds = 'hot'\n[[personas]]", "unknown key design.feeds. Did you mean 'feed'?"),
        ("[[personas]]", "[design]\nmoderation = 'none'\n[[personas]]", "design.moderation is text ('none'), expected a list"),
        ("topics =", "feed = 'hot'\ntopics =", "feed is text ('hot'), expected tables. Set it under [design]."),
        ("[[personas]]", "[feed]\nweighted = 3\n[[personas]]", "feed.weighted is a number (3), expected a table"),
        ("[[personas]]", "[behaviour]\nborn = 2020-01-01\n[[personas]]", "behaviour.born is date"),
        ("rules =", "rules", "is no valid TOML:"),
    ],
)  # fmt: skip
def test_each_mistake_gets_one_line_that_says_where_and_what_to_do(garden: Path, old: str, new: str, said: str) -> None:
    assert said in complaint(write(garden, old, new))


def test_malformed_toml_is_reported_with_its_line(garden: Path) -> None:
    assert "at line 4" in complaint(write(garden, "rules =", "rules"))


def test_hostile_text_is_made_harmless_or_refused(garden: Path, tmp_path: Path) -> None:
    hostile = write(garden, '"Garden"', '"\\u001b[31mRed \\u202egnp.exe \\u0007\\u0000<b>=1+1"')
    assert load_community(hostile).name == "[31mRed gnp.exe <b>=1+1"
    assert "at most 2,000" in complaint(write(garden, 'goal = "A', f'goal = "{"x" * 1_000_000}A'))
    assert "at most 120" in complaint(write(garden, '"Garden"', f'"{"x" * 121}"'))
    garden.write_bytes(b"goal = '\xff'")
    assert "is not UTF-8" in complaint(garden)
    garden.write_text("# " + "x" * checks.MAX_FILE_BYTES)
    assert "Shorten it" in complaint(garden)
    garden.write_text("a = " + "[" * 100_000)
    complaint(garden)
    evil = tmp_path / "..\x1b[2J \u202e evil.toml"
    evil.write_text(GARDEN)
    assert load_community(evil).slug == "2j-evil"


def test_a_wrong_name_or_path_is_explained(tmp_path: Path) -> None:
    for source, said in [
        ("pitsburgh", "Did you mean 'pittsburgh'?"), ("no/such.toml", "there is no such file"), (str(tmp_path), "is a folder"),
        ("x" * 5_000, "No community called"), ("a\0b", "No community called"), ("", "No community called"),
    ]:  # fmt: skip
        with pytest.raises(CommunityError) as caught:
            load_community(source)
        assert said in str(caught.value) or "no usable path" in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_cleaned_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    cleaned = checks.clean(text)
    assert "\n" not in cleaned and "\x1b" not in cleaned and "\u202e" not in cleaned
    assert checks.clean(cleaned) == cleaned
    slug = checks.slugify(text)
    assert slug and set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(slug) <= 60


# -- bundled -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", bundled_communities())
def test_every_bundled_community_is_rich_and_free_of_notes(slug: str) -> None:
    community = load_community(slug)
    assert community.slug == slug and len(community.personas) >= 8 and community.rules and 3 <= len(community.topics) <= 32
    assert {t["name"] for t in community.voices["topics"]} == set(community.topics)
    assert all("no voices" not in note and "no lines" not in note for note in check_community(slug))


def test_a_designers_own_file_wins_nothing_from_a_bundled_one(garden: Path) -> None:
    assert "garden" not in bundled_communities() and load_community(str(garden)).slug == "garden"


# -- voices ------------------------------------------------------------------------------------------------------------------

VOICES = """
[words]
when = ["last week"]
[[topics]]
name = "compost"
things = ["the heap"]
facts = ["{thing} [really|] steams {when}"]
asks.worth = ["is {thing} any good?"]
answers.worth = ["yes"]
[acts]
joke = ["slugs vote too"]
"""


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"compost"', '"compot"', "topics[1].name is 'compot', which is no topic of the community. Did you mean 'compost'?"),
        ("{when}", "{whn}", "topics[1].facts[1]"),
        ("[really|]", "[really]", "brackets without |"),
        ("[really|]", "[really|", "brackets do not match"),
        ("joke", "jokes", "unknown key acts.jokes. Did you mean 'joke'?"),
        ("answers.worth", "answers.wort", "asks.worth has no answers"),
        ('"last week"', '"last {thing}"', "words hold no slots"),
        ("facts", "fact", "unknown key topics[1].fact."),
    ],
)  # fmt: skip
def test_voices_beside_the_file_are_checked(garden: Path, old: str, new: str, said: str) -> None:
    voices = garden.with_name("garden.voices.toml")
    voices.write_text(VOICES)
    assert load_community(garden).voices["topics"][0]["facts"] == ["{thing} [really|] steams {when}"]
    voices.write_text(VOICES.replace(old, new))
    with pytest.raises(CommunityError) as caught:
        load_community(garden)
    assert said in str(caught.value) and "garden.voices.toml" in str(caught.value)


def test_notes_name_what_a_community_lacks(garden: Path) -> None:
    notes = " ".join(check_community(garden))
    assert "only 1 sketches" in notes and "no voices" in notes
    garden.with_name("garden.voices.toml").write_text(VOICES)
    assert "no lines for topic 'seeds'" in " ".join(check_community(garden))
    same = write(garden, '"No advertising."', '"be kind."')
    assert "2 times" in " ".join(check_community(same))


# -- records and arms --------------------------------------------------------------------------------------------------------


def full(garden: Path) -> Community:
    return replace(
        load_community(garden),
        feed="weighted",
        moderation=("automod", "sticky_rules"),
        feed_parameters={"weighted": {"recency": 1.0, "toxicity": -2}},
        moderation_parameters={"automod": {"words": ["buy now", 'quote " and \\ back'], "on": True}},
        behaviour={"contagion": False, "x y": 0.5},
        voices={"words": {}, "topics": [], "acts": {"joke": ["ha"]}},
    )


def test_a_record_brings_back_the_whole_community_without_its_file(garden: Path) -> None:
    community = full(garden)
    garden.unlink()
    record = json.loads(json.dumps(community_to_dict(community)))
    assert community_from_dict(record, community.voices) == community
    with pytest.raises(CommunityError, match="voices kept with the run are not those"):
        community_from_dict(record, {"acts": {"joke": ["hi"]}})
    with pytest.raises(CommunityError, match="rules\\[1\\] is empty"):
        community_from_dict({**record, "rules": [""]}, community.voices)


@pytest.mark.parametrize("slug", bundled_communities())
def test_bundled_communities_survive_record_and_toml(slug: str, tmp_path: Path) -> None:
    community = load_community(slug)
    assert community_from_dict(json.loads(json.dumps(community_to_dict(community))), community.voices) == community
    path = tmp_path / f"{slug}.toml"
    path.write_text(community_to_toml(community), "utf-8")
    assert load_community(path) == replace(community, voices={})


def test_toml_written_by_the_program_reads_back_equal(garden: Path) -> None:
    community = replace(full(garden), voices={})
    garden.write_text(community_to_toml(community), "utf-8")
    assert load_community(garden) == community


def test_an_overlay_changes_what_it_names_and_nothing_else(garden: Path, tmp_path: Path) -> None:
    community = full(garden)
    assert overlay(community, {}) == community
    strict = tmp_path / "strict.toml"
    strict.write_text(
        'rules = ["Be kind."]\n[design]\nfeed = "hot"\n[feed.weighted]\ntoxicity = -9\n[moderation.human_review]\nminutes = 3\n'
        "[behaviour]\ncontagion = true\n"
    )
    changed = overlay(community, read_overlay(strict))
    assert changed.rules == ("Be kind.",) and changed.feed == "hot" and changed.moderation == community.moderation
    assert changed.feed_parameters == {"weighted": {"recency": 1.0, "toxicity": -9}}
    assert changed.moderation_parameters == {**community.moderation_parameters, "human_review": {"minutes": 3}}
    assert changed.behaviour == {"contagion": True, "x y": 0.5}
    assert (changed.topics, changed.personas, changed.voices) == (community.topics, community.personas, community.voices)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"desing": {}}, "unknown key desing. Did you mean 'design'?"),
        ({"goal": "x"}, "unknown key goal"),
        ({"design": {"feed": 3}}, "design.feed is a number"),
        ({"rules": [""]}, "strict.toml: rules[1] is empty"),
    ],
)
def test_a_wrong_overlay_is_refused_in_one_line(garden: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(CommunityError) as caught:
        overlay(load_community(garden), changes, "strict.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["My bakers", 'A "quoted" \x1b[31m name\n[[x]]', "", "x" * 5_000])
def test_the_starter_file_passes_its_own_checks_whatever_the_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bakers.toml"
    path.write_text(starter(name), "utf-8")
    community = load_community(path)
    assert len(community.personas) >= 5 and community.name
    assert all("no voices" in note for note in check_community(path))


# -- topics and sketches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "goal, sketches, expected",
    [
        ("People who restore vintage bicycles swap frames and gears.", (), {"vintage bicycles", "frames", "gears"}),
        ("Home bakers trade sourdough starters and compare ovens.", ("nurse, 29, loves rye bread, cheerful",),
         {"sourdough starters", "ovens", "rye bread"}),
        ("A place for beekeepers to talk about swarms, mites and honey.", (), {"swarms", "mites", "honey"}),
    ],
)  # fmt: skip
def test_topics_are_found_in_goal_and_sketches(goal: str, sketches: tuple[str, ...], expected: set[str]) -> None:
    assert expected <= set(find_topics(goal, ("Be kind to each other.", "No advertising."), sketches))


@pytest.mark.parametrize("goal", ["x", "We talk.", "你好，世界", "{}[]<>", "🙂🙂🙂", "a " * 900])
def test_any_goal_gives_at_least_three_distinct_topics(goal: str) -> None:
    topics = find_topics(goal)
    assert 3 <= len(set(topics)) == len(topics) <= 8 and all(topics)


def test_verbs_are_no_topics():
    goal = "Members of a pottery studio book the kiln, show what came out, and settle who left clay in the sink."
    assert set(find_topics(goal)) == {"pottery studio", "kiln", "clay", "sink"}


@pytest.mark.parametrize(
    "goal, expected",
    [
        ("Volunteers share work reports, tool advice and stories from the trail.", {"work", "tools", "trail"}),
        ("Beekeepers post hive photos, swarm questions and honey advice.", {"hives", "swarms", "honey"}),
        ("Home cooks share knife tips, recipe ideas and bread questions.", {"knives", "recipes", "bread"}),
        ("Runners trade race stories, shoe tips and injury questions.", {"races", "shoes", "injuries"}),
        ("Nurses swap training advice and travel tips.", {"training", "travel"}),
    ],
)
def test_what_advice_is_about_is_named_as_people_name_it(goal: str, expected: set[str]) -> None:
    """What can be counted as many ("tool advice": tools), what cannot as it is."""
    assert expected <= set(find_topics(goal))


def test_a_file_without_topics_gets_some(garden: Path) -> None:
    community = load_community(write(garden, 'topics = ["seeds", "compost", "slugs"]', ""))
    assert {"seeds", "compost", "slugs"} <= set(community.topics)


@pytest.mark.parametrize(
    "sketch, expected",
    [
        ("art teacher, 41, loves museums, cheerful, writes in full sentences",
         {"work": "art teacher", "age": 41, "tempers": ("cheerful",)}),
        ("retired mill foreman, 66, grumpy, short-tempered", {"work": "retired mill foreman", "tempers": ("grumpy", "hot")}),
        ("grandmother, postal worker, in her early sixties", {"work": "postal worker", "age": 62, "sex": "Female"}),
        ("sells candles, 44", {"work": "", "age": 44}),
        ("new father and line cook, moved here four years ago", {"work": "line cook", "age": None, "sex": "Male"}),
        ("never angry, not cheerful", {"tempers": (), "work": ""}),
        ("renter, wants change", {"lean": 1.0}),
        ("farmer, wants the town left alone", {"lean": -1.0}),
        ("farmer", {"lean": None}),
        ("", {"work": "", "age": None, "tempers": ()}),
        # a name that it begins with, as designers like to write
        ("Marta, a retired forester who leads a crew", {"work": "retired forester", "age": 67, "sex": "Female"}),
        ("Ole, a grumpy mountain biker who complains", {"work": "mountain biker", "tempers": ("grumpy",)}),
        ("Lin, an enthusiastic chef", {"work": "chef", "tempers": ("cheerful",)}),
        ("Grandpa Joe, a retired miner, 78", {"work": "retired miner", "age": 78, "sex": "Male"}),
        ("Dr. Patel, a dentist", {"work": "dentist"}),
        ("Paul is a retired teacher who loves bees", {"work": "retired teacher", "sex": "Male"}),
        ("Anna Lee, 34, nurse, cheerful", {"work": "nurse", "age": 34, "tempers": ("cheerful",)}),
        ("Mia (27), barista", {"work": "barista", "age": 27, "sex": "Female"}),
        ("Mara, 61, keeps bees", {"work": "", "age": 61, "sex": "Female"}),
        ("Beekeeper, 51, gruff", {"work": "Beekeeper", "age": 51}),  # a capital alone makes no name
        ("Nurse, a night owl", {"work": "Nurse"}),
        ("an anxious social worker, 33", {"work": "social worker", "tempers": ("anxious", "outgoing")}),
    ],
)  # fmt: skip
def test_sketches_are_read_for_work_age_temper_and_stance(sketch: str, expected: dict[str, object]) -> None:
    reading = read_sketch(sketch)
    assert {key: getattr(reading, key) for key in expected} == expected


@pytest.mark.parametrize(
    "habit, style, low, high",
    [
        ("never uses capitals", "capitals", 0, 0.1),
        ("CAPITALS when angry", "capitals", 0.8, 1),
        ("short lower-case bursts", "verbosity", 0, 0.2),
        ("long paragraphs", "verbosity", 0.8, 1),
        ("lots of exclamation marks", "punctuation", 0.8, 1),
        ("emoji", "emoji", 0.4, 1),
        ("never uses emoji", "emoji", 0, 0),
        ("writes in full sentences", "capitals", 0.5, 0.5),
        ("no punctuation", "punctuation", 0, 0.2),
    ],
)  # fmt: skip
def test_writing_habits_set_the_style(habit: str, style: str, low: float, high: float) -> None:
    assert low <= read_sketch(f"nurse, 30, {habit}").style[style] <= high
