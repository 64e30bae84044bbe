"""Verdicts in real comparisons, small: what is named before, seeds one after another, limits, classics on the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import simulacra
from simulacra.analysis.comparison import contrast_of
from simulacra.analysis.verdict import Plan
from simulacra.behaviour import Behaviour
from simulacra.cli import main
from simulacra.community import Community, load_community
from simulacra.errors import RecordError, SpecError, Stopped
from simulacra.replicates import BASELINE, VARIANT, Replicated
from simulacra.streams import Streams
from simulacra.studies.robustness import Held, Robustness, draws, robustness, under

GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers.", "No selling."]
topics = ["tomatoes", "compost", "slugs"]
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
[[personas]]
sketch = "nurse, 34, blunt, short lower-case bursts, hates slugs"
"""
MARGIN = 0.14
NARROW = Plan("visits_per_persona_day", MARGIN, ("posts_per_persona",))
"""A margin that 8 of these small replicates do not reach and a few more do."""


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Community:
    path = tmp_path_factory.mktemp("garden") / "garden.toml"
    path.write_text(GARDEN)
    return load_community(path)


def compare(community: Community, place: Path, plan: Plan = NARROW, **options: object) -> simulacra.Comparison:
    known = {"personas": 20, "days": 1, "seeds": "auto", "runs_dir": place / "runs", **options}
    return simulacra.compare(community, "feed=chronological", "feed=chronological burst=0", plan=plan, **known)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def auto(community: Community, tmp_path_factory: pytest.TempPathFactory) -> simulacra.Comparison:
    return compare(community, tmp_path_factory.mktemp("auto"))


def half_width(answer: simulacra.Comparison, seeds: int) -> float:
    """Of the primary measure's interval over the first seeds."""
    arms = ({seed: values for seed, values in answer.results[arm].items() if seed <= seeds} for arm in (BASELINE, VARIANT))
    return contrast_of(answer.spec.plan.primary, *arms, True).half_width()  # type: ignore[misc]


def test_automatic_seeds_stop_as_soon_as_the_interval_is_narrow_enough(auto: simulacra.Comparison) -> None:
    n = auto.spec.seeds
    assert n < 32 and len(auto.results[BASELINE]) == n
    looked_at = list(range(8, n + 1, 4))
    assert [half_width(auto, seeds) <= MARGIN for seeds in looked_at] == [False] * (len(looked_at) - 1) + [True]
    assert any("Seeds were added four at a time" in note and f"ended at {n}" in note for note in auto.notes)


@pytest.mark.parametrize("margin, seeds", [(10.0, 8), (1e-9, 4)])
def test_the_margin_decides_how_many_seeds_the_same_results_are_worth(
    auto: simulacra.Comparison, tmp_path: Path, margin: float, seeds: int
) -> None:
    copy = Path(shutil.copytree(auto.path, tmp_path / "copy"))
    info = json.loads((copy / "experiment.json").read_text())
    info["cause"]["plan"]["margin"] = margin
    (copy / "experiment.json").write_text(json.dumps(info))
    more = 0 if seeds == 8 else auto.spec.seeds
    assert simulacra.open_comparison(copy).spec.seeds == seeds + more


def test_stopped_automatic_seeds_go_on_to_the_same_answer(
    auto: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    seen: list[Replicated] = []
    with pytest.raises(Stopped, match="9 of 12 replicates done"):
        compare(community, tmp_path, progress=seen.append, should_stop=lambda: len(seen) == 9)
    assert simulacra.open_comparison(auto.id, tmp_path / "runs").spec.seeds == 12
    again = simulacra.resume_comparison(auto.id, runs_dir=tmp_path / "runs")
    assert again.rows.equals(auto.rows) and again.fresh == auto.spec.seeds - 9


def test_unpaired_automatic_seeds_keep_their_arms_when_there_are_more(auto: simulacra.Comparison) -> None:
    few = replace(auto.spec, paired=False, seeds=8)
    known, grown = (dict(spec.replicates()) for spec in (few, replace(few, seeds=32)))
    assert all(grown[seed] == arms for seed, arms in known.items())
    assert len(grown) == 64


def test_every_row_carries_two_words_and_only_what_was_named_is_tested(auto: simulacra.Comparison) -> None:
    roles = {row.measure: row.role for row in auto.row_list}
    assert [name for name, role in roles.items() if role != "exploration"] == ["posts_per_persona", "visits_per_persona_day"]
    for row in auto.to_dict()["rows"]:
        assert row["effect"] in ("higher", "lower", "no difference that matters", "undecided", "no verdict")
        assert row["stability"] in ("convergent", "divergent", "uncertain", "no verdict")
        assert (row["adjusted_p"] is None) == (row["role"] == "exploration" or row["p"] is None)
        assert (row["more_minutes"] is None) == (row["more_seeds"] is None)


def test_what_decides_is_named_before_and_not_changed_after(
    auto: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    assert json.loads((auto.path / "experiment.json").read_text())["cause"]["plan"] == NARROW.to_dict()
    compare(community, tmp_path, seeds=1, experiment_id="mine")
    with pytest.raises(RecordError, match="another comparison has this name"):
        compare(community, tmp_path, Plan("toxicity_seen"), seeds=1, experiment_id="mine")


def test_limits_end_every_answer(auto: simulacra.Comparison) -> None:
    said = " ".join(auto.limits)
    for part in (
        "Simulated members, not users",
        "sketch mind",
        "relative",
        "Mechanisms",
        "Not varied",
        "Failed turns: none",
        "retention",
    ):
        assert part in said


def test_a_mechanism_that_is_off_in_both_arms_is_not_said_to_carry_anything(community: Community, tmp_path: Path) -> None:
    answer = compare(community, tmp_path, seeds=1, behaviour=["contagion=off"])
    said = next(line for line in answer.limits if line.startswith("Mechanisms"))
    assert "Switched off: contagion" in said and "response: herding" in said


def test_one_seed_carries_no_verdict(community: Community, tmp_path: Path) -> None:
    answer = compare(community, tmp_path, seeds=1)
    assert {row.effect for row in answer.row_list} == {row.stability for row in answer.row_list} == {"no verdict"}


@pytest.mark.parametrize("seeds", [0, "some", 2.5, True])
def test_seeds_that_are_neither_a_number_nor_auto_are_refused(community: Community, tmp_path: Path, seeds: object) -> None:
    with pytest.raises(SpecError, match="expected a whole number"):
        compare(community, tmp_path, seeds=seeds)
    assert not (tmp_path / "experiments").exists()


# -- on the command line ---------------------------------------------------------------------------------------------------


def test_the_command_line_names_primary_margin_and_guardrails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("garden.toml").write_text(GARDEN)
    command = [
        "compare",
        "garden.toml",
        "--variant",
        "feed=random",
        "--personas",
        "20",
        "--days",
        "1",
        "--seeds",
        "6",
        "--quiet",
    ]
    command += ["--primary", "posts_per_persona", "--margin", "0.2", "--guardrail", "persona_churn,toxicity_seen"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"] == {"primary": "posts_per_persona", "margin": 0.2, "guardrails": ["persona_churn", "toxicity_seen"]}
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "> posts per member" in out and "+ share of members who leave" in out and "Limits:" in out


@pytest.mark.parametrize(
    "options, part",
    [
        (["--primary", "toxicty_seen"], "Did you mean toxicity_seen?"),
        (["--margin", "-1"], "margin = -1"),
        (["--seeds", "some"], "expected a whole number or auto"),
        (["--guardrail", "bans", "--guardrail", "bans"], "each once"),
    ],
)
def test_a_question_that_makes_no_sense_is_one_line_and_plays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["compare", "pittsburgh", "--variant", "feed=random", *options])
    except SystemExit as end:
        code = int(end.code or 0)
    err = capsys.readouterr().err
    assert code == 2 and part in err and "Traceback" not in err
    assert not Path("experiments").exists()


def test_a_classic_is_played_and_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classic", "bank-run"]) == 0
    out = capsys.readouterr().out
    assert "divergent" in out and "All as known." in out
    assert main(["classic", "bank_run", "--json", "--seeds", "20"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert all(row["right"] for row in rows)
    assert main(["classic", "monopoly"]) == 2
    assert "Known: schelling, bank-run, music-lab" in capsys.readouterr().err


# -- under other assumptions -----------------------------------------------------------------------------------------------


def test_draws_cover_every_parameters_range_evenly_and_stay_inside_its_limits() -> None:
    found = draws(Behaviour(), Streams(0))
    assert len(found) == 12
    for f in fields(Behaviour):
        if f.metadata["unit"] == "hour of day":
            assert f.name not in found[0]
            continue
        values = sorted(values[f.name] for values in found)
        assert f.metadata["low"] <= values[0] and values[-1] <= f.metadata["high"]
        if f.metadata["unit"] == "log-odds" and f.metadata["low"] < 0:
            assert values[0] < f.default - 0.4 < f.default + 0.4 < values[-1]
        else:
            assert min(values, key=abs) != 0 or f.default == 0
    contagion = np.log2([values["contagion"] / Behaviour().contagion for values in found])
    assert sorted(np.floor((contagion + 1) * 6).astype(int)) == list(range(12))


def test_what_is_switched_off_stays_off_in_every_draw() -> None:
    assert {values["contagion"] for values in draws(Behaviour().with_settings({"contagion": "off"}), Streams(0))} == {0.0}


def test_an_arm_keeps_what_it_changes_itself_under_other_assumptions(auto: simulacra.Comparison) -> None:
    moved = under(auto.spec, {"burst": 1.0, "contagion": 0.03}, 2)
    assert moved.variant.build_behaviour().burst == 0 and moved.baseline.build_behaviour().burst == 1
    assert moved.variant.build_behaviour().contagion == moved.baseline.build_behaviour().contagion == 0.03
    assert (moved.seeds, moved.auto) == (2, False)


def test_a_direction_that_holds_in_nine_of_twelve_draws_is_assumption_driven() -> None:
    def held(name: str, same: bool, remains: float = 1.0) -> Held:
        return Held(name, {}, 0.1 if same else -0.1, same, remains)

    nine = Robustness(
        "toxicity_seen", tuple(held(f"draw-{i}", i < 9) for i in range(12)), (held("without-contagion", True, 0.1),)
    )
    assert nine.assumption_driven and nine.carried_by == ["contagion"]
    assert (
        "held in 9 of 12" in nine.sentence
        and "assumption-driven" in nine.sentence
        and "vanishes without contagion" in nine.sentence
    )
    ten = replace(nine, draws=tuple(held(f"draw-{i}", i < 10) for i in range(12)), without=(held("without-hurt", True, 0.9),))
    assert not ten.assumption_driven and ten.carried_by == [] and "outlives switching off hurt" in ten.sentence


def test_every_mechanism_can_be_switched_off_and_is_said_in_words() -> None:
    from simulacra.analysis.limits import MECHANISMS
    from simulacra.views.readout import ASSUMED

    on = Behaviour()
    off = {f.name: f.metadata["off"] for f in fields(Behaviour)}
    assert len(set(MECHANISMS)) == len(MECHANISMS)
    assert all(getattr(on, name) != off[name] for name in MECHANISMS)
    assert set(ASSUMED) == set(MECHANISMS)


def test_an_answer_is_played_again_under_other_assumptions_once(auto: simulacra.Comparison) -> None:
    seen: list[Replicated] = []
    found = robustness(auto, progress=seen.append, count=1, mechanisms=("contagion",), seeds=1)
    assert found is not None and [h.name for h in (*found.draws, *found.without)] == ["draw-01", "without-contagion"]
    assert [(p.done, p.total) for p in seen] == [(1, 2), (2, 2)]
    assert auto.robustness is not None and auto.robustness["sentence"] == found.sentence
    assert f"It held in {found.held} of 1 draws." in " ".join(auto.limits)
    assert ("Assumption-driven" in auto.sentence) == found.assumption_driven
    assert robustness(auto, progress=seen.append, count=1, mechanisms=("contagion",), seeds=1) == found
    assert len(seen) == 2
    assert len(list(auto.runs_dir.iterdir())) == 2  # records of the comparison itself, none of these


def test_no_direction_no_robustness(community: Community, tmp_path: Path) -> None:
    assert robustness(compare(community, tmp_path, seeds=1)) is None
