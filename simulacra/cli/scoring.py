"""The verb that asks a second opinion: score."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from simulacra.cli.common import is_experiment, runs_option, say, say_json, stopping, verb
from simulacra.cli.second import agreement_dict, agreement_lines, example_lines

if TYPE_CHECKING:
    from simulacra.analysis.measures import Judgement
    from simulacra.record.runs import RunFolder
    from simulacra.scoring.heads import SecondScorer
    from simulacra.scoring.sidecar import Scored
    from simulacra.terminal import Live

_SHOWN = ("toxicity_written", "toxicity_seen", "toxic_share", "toxic_seen_share", "valence_written", "valence_seen")


def do_score(a: argparse.Namespace) -> None:
    from simulacra.scoring.sidecar import make_scorer
    from simulacra.terminal import Live

    scorer = make_scorer(a.scorer, a.label)
    runs = _runs(a)
    live = Live(quiet=a.quiet)
    with stopping() as should_stop:
        for run in runs:
            _score(run, scorer, live, should_stop)
    told = [(run, _rows(run, scorer.name)) for run in runs]
    if a.json:
        say_json({"scorer": scorer.name, "runs": [_plain(run, rows, scorer.name) for run, rows in told]})
        return
    for run, rows in told:
        say(_lines(run, rows, scorer.name))


def _runs(a: argparse.Namespace) -> list[RunFolder]:
    """The run, or the kept runs of an experiment."""
    from simulacra.errors import RecordError
    from simulacra.record.runs import RunFolder
    from simulacra.replicates import open_comparison

    try:
        return [RunFolder.open(a.run, a.runs)]
    except RecordError:
        if not is_experiment(a):
            raise
    answer = open_comparison(a.run, a.runs)
    return [RunFolder.open(run, answer.runs_dir) for runs in answer.runs.values() for run in runs]


def _score(run: RunFolder, scorer: SecondScorer, live: Live, should_stop: Any) -> None:
    from simulacra.scoring.sidecar import CHUNK, score_run

    def told(progress: Scored) -> None:
        share, before = progress.done * 20 // progress.total, (progress.done - CHUNK) * 20 // progress.total
        text = f"{run.id}: {progress.done:,} of {progress.total:,} posts read"
        live.part(text, share > before, progress.done == progress.total)

    score_run(run, scorer, told, should_stop)


def _rows(run: RunFolder, scorer: str) -> list[tuple[Judgement, float]]:
    """What the second scorer finds, and beside it the recorded value of the same measure, NaN where it has none."""
    from simulacra.analysis.measures import ALL, Facts, judged_by
    from simulacra.scoring.sidecar import read_scores

    facts = Facts(run.frames())
    scores = {name: values for name, values in read_scores(run, scorer).items() if name != "post"}
    rows = judged_by(run.frames(), scorer, scores)
    return [(row, ALL[row.measure].function(facts) if row.measure in ALL else math.nan) for row in rows]


def _plain(run: RunFolder, rows: list[tuple[Judgement, float]], scorer: str) -> dict[str, Any]:
    from simulacra.scoring.opinions import agreements, disagreements

    return {
        "run_id": run.id, "path": str(run.path / "scores" / f"{scorer}.parquet"),
        "rows": [{**row._asdict(), "lexical": value} for row, value in rows],
        "agreement": [agreement_dict(found) for found in agreements(run) if scorer in (found.first, found.second)],
        "examples": disagreements(run, scorer).to_dict("records"),
    }  # fmt: skip


def _lines(run: RunFolder, rows: list[tuple[Judgement, float]], scorer: str) -> list[str]:
    from simulacra.analysis.comparison import figure
    from simulacra.analysis.measures import ALL
    from simulacra.terminal import paragraph, table

    shown = [(row, value) for row, value in rows if row.measure in _SHOWN or row.measure not in ALL]
    cells = [
        (ALL[row.measure].title if row.measure in ALL else row.measure.replace("_", ", "), figure(row.value), figure(value))
        for row, value in shown
    ]
    return [
        "", f"{run.id}, read by {scorer}:", "", *table(("measure", scorer, "lexical"), cells), "",
        *map(paragraph, agreement_lines(run, scorer)), *example_lines(run, scorer),
        f"Kept: {run.path / 'scores' / f'{scorer}.parquet'}. Every measure by every scorer: simulacra show {run.id} --all",
    ]  # fmt: skip


def add(verbs: Any) -> None:
    """score."""
    score = verb(verbs, "score", do_score, "read a run's posts with a second scorer, and say how far the scorers agree")
    score.add_argument("run", metavar="RUN", help="a run's id or path, or an experiment's: all runs that it kept")
    such = "semantic, blend, blend-fitted, or hf:PATH_OR_NAME of a text classifier (default semantic)"
    score.add_argument("--with", dest="scorer", default="semantic", metavar="SCORER", help=such)
    score.add_argument(
        "--label", metavar="NAME", help="which label of an hf: classifier means toxic, where its name does not say"
    )
    runs_option(score)
