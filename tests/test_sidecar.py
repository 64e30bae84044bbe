"""Second opinions beside a run: whole or not at all, resumable, outside the digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sample_runs import finished_run

from simulacra.analysis.facts import Facts
from simulacra.analysis.measures import judged_by, measure_table
from simulacra.cli import main
from simulacra.cli.second import agreement_lines
from simulacra.errors import RecordError, SpecError, Stopped
from simulacra.record.bundle import import_bundle, write_bundle
from simulacra.record.runs import RunFolder
from simulacra.record.verify import verify
from simulacra.scoring.classifier import HuggingFaceScorer
from simulacra.scoring.heads import Columns
from simulacra.scoring.semantic import WeightsError
from simulacra.scoring.sidecar import make_scorer, read_scores, score_run, scorers_of


class Length:
    """Toxicity by the number of letters: a scorer whose every value is known."""

    name = "length"

    def __init__(self, version: int = 1) -> None:
        self.identity = {"scorer": "length", "version": version}
        self.read: list[str] = []

    def score(self, texts: Sequence[str]) -> Columns:
        self.read += texts
        long = np.array([len(text) / 100 for text in texts], np.float32)
        return {"toxicity": long, "length": long * 100}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path / "runs")


def texts(run: RunFolder) -> list[str]:
    posts = run.frames().table("posts", burn_in=True)
    return posts.sort_values("id")["text"].tolist()


def test_every_post_gets_a_score_and_the_record_stays_as_it_was(run: RunFolder) -> None:
    digest, scorer = run.digest, Length()
    path = score_run(run, scorer)
    assert path == run.path / "scores/length.parquet" and scorers_of(run) == ["length"]
    scores = read_scores(run, "length")
    assert scores["post"].tolist() == sorted(run.frames().table("posts", burn_in=True)["id"])
    assert scores["length"] == pytest.approx([len(text) for text in texts(run)], abs=1e-3)
    assert run.digest == digest and not verify(run)


def test_what_is_scored_is_not_scored_again(run: RunFolder) -> None:
    score_run(run, Length())
    before, again = (run.path / "scores/length.parquet").read_bytes(), Length()
    score_run(run, again)
    assert again.read == [] and (run.path / "scores/length.parquet").read_bytes() == before


def test_a_stopped_scoring_goes_on_with_the_days_that_lack(run: RunFolder) -> None:
    whole = Length()
    score_run(run, whole)
    expected = read_scores(run, "length")
    (run.path / "scores/length.parquet").unlink()
    asked = iter([False, False, True])
    with pytest.raises(Stopped, match="goes on"):
        score_run(run, Length(), should_stop=lambda: next(asked))
    second, told = Length(), []
    score_run(run, second, told.append)
    assert len(second.read) == len(whole.read) // 2  # two of four days
    assert told[-1].done == told[-1].total == len(whole.read)
    found = read_scores(run, "length")
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_another_version_of_a_scorer_is_refused_and_nothing_lost(run: RunFolder) -> None:
    path = score_run(run, Length())
    before = path.read_bytes()
    with pytest.raises(RecordError, match="another version"):
        score_run(run, Length(version=2))
    assert path.read_bytes() == before


def test_a_damaged_sidecar_is_one_line(run: RunFolder) -> None:
    path = score_run(run, Length())
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(RecordError, match=r"length\.parquet"):
        read_scores(run, "length")
    with pytest.raises(RecordError, match="simulacra score one --with other"):
        read_scores(run, "other")


def test_sidecars_travel_with_a_bundle(run: RunFolder, tmp_path: Path) -> None:
    score_run(run, Length())
    write_bundle(run, tmp_path / "one.zip")
    other = import_bundle(tmp_path / "one.zip", tmp_path / "elsewhere")
    assert scorers_of(other) == ["length"]


def test_measures_are_taken_again_by_the_second_scorer(run: RunFolder) -> None:
    score_run(run, Length())
    scores = {name: values for name, values in read_scores(run, "length").items() if name != "post"}
    rows = {row.measure: row for row in judged_by(run.frames(), "length", scores)}
    facts = Facts(run.frames())
    assert rows["toxicity_written"].value == pytest.approx(scores["toxicity"][facts.written].mean())
    assert rows["length_seen"].value == pytest.approx(scores["length"][facts.seen].mean())
    assert {row.scorer for row in rows.values()} == {"length"}
    assert "uncivil_per_100" not in rows and "valence_seen" not in rows
    with pytest.raises(ValueError, match="one score a post"):
        judged_by(run.frames(), "length", {"toxicity": scores["toxicity"][1:]})


def test_a_measure_stands_in_the_table_once_by_each_scorer(run: RunFolder) -> None:
    class Opened:
        id, frames = run.id, run.frames()

    score_run(run, Length())
    scores = {name: values for name, values in read_scores(run, "length").items() if name != "post"}
    table = measure_table(Opened(), {"length": scores}).to_pandas()
    assert not table.duplicated(["measure", "scorer"]).any()
    assert set(table.loc[table["measure"] == "toxicity_seen", "scorer"]) == {"lexical", "length"}


def test_agreement_is_told(run: RunFolder) -> None:
    score_run(run, Length())
    lines = agreement_lines(run)
    assert "lexical and length on toxicity: correlation" in lines[0] and "kappa at .5" in lines[0]
    assert sum("against what authors meant: AUC" in line for line in lines) == 2


@pytest.mark.parametrize(
    "name, label, told",
    [
        ("sentiment", None, "Known: semantic, blend"),
        ("hf:", None, "hf:PATH_OR_NAME"),
        ("semantic", "rude", "knows what is toxic"),
    ],
)
def test_unknown_scorers_are_one_line(name: str, label: str | None, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        make_scorer(name, label)


# -- any classifier ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of a few thousand weights that calls a text rude where it holds the word idiot, made here."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-rude"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "you", "idiot", "the", "bus", "is", "late", "words"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        id2label={0: "fine", 1: "Toxic"}, label2id={"fine": 0, "Toxic": 1},
    )  # fmt: skip
    torch.manual_seed(0)
    model = BertForSequenceClassification(config)
    model.save_pretrained(folder)
    return folder


def test_any_local_classifier_scores_by_its_labels(tiny: Path) -> None:
    scorer = make_scorer(f"hf:{tiny}")
    assert isinstance(scorer, HuggingFaceScorer) and scorer.name == "hf-tiny-rude"
    scores = scorer.score(["you idiot", "the bus is late", ""])
    assert list(scores) == ["fine", "toxic", "toxicity"]
    assert scores["fine"] + scores["toxic"] == pytest.approx(np.ones(3), abs=1e-3)
    assert np.array_equal(scores["toxic"], scores["toxicity"])
    again = HuggingFaceScorer(str(tiny)).score(["you idiot", "the bus is late", ""])
    assert np.array_equal(scores["toxic"], again["toxic"])
    assert HuggingFaceScorer(str(tiny), "FINE").score(["the bus"])["toxicity"] == pytest.approx(
        scorer.score(["the bus"])["fine"]
    )
    assert len(scorer.score([])["toxicity"]) == 0


def test_a_classifier_that_is_not_there_or_lacks_the_label_is_one_line(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be loaded"):
        HuggingFaceScorer(str(tmp_path / "nothing")).score(["x"])
    with pytest.raises(SpecError, match="It has: fine, toxic"):
        HuggingFaceScorer(str(tiny), "angry").score(["x"])


def test_the_command_line_scores_a_run(run: RunFolder, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--runs", str(run.path.parent), "--quiet"]
    assert main(["score", run.id, "--with", f"hf:{tiny}", "--json", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scorer"] == "hf-tiny-rude" and told["runs"][0]["run_id"] == run.id
    assert {row["measure"] for row in told["runs"][0]["rows"]} > {"toxicity_seen", "fine_written"}
    assert {found["second"] for found in told["runs"][0]["agreement"]} == {"hf-tiny-rude", "truth"}
    assert main(["score", run.id, "--with", f"hf:{tiny}", *where]) == 0
    assert "read by hf-tiny-rude" in capsys.readouterr().out
    assert main(["score", run.id, "--with", "sentiment", *where]) == 2
    assert "No scorer called" in capsys.readouterr().err
