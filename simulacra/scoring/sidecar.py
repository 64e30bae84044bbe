"""Scores of a second scorer beside a run: `scores/<scorer>.parquet`, outside the digest, one row a post.

Columns: `post`, then those of the scorer, float32. The file is written anew, whole or not at all, after every day of posts, so that a
scoring that was stopped goes on where it ended and one that is finished is skipped. Batches are of one day: the last digits of an
embedding depend on its neighbours, and days never change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulacra.errors import RecordError, SpecError, Stopped
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import SCORES_FOLDER, read_parquet
from simulacra.record.runs import RunFolder
from simulacra.scoring.classifier import PREFIX, HuggingFaceScorer
from simulacra.scoring.heads import BlendScorer, Columns, SecondScorer, SemanticScorer

KNOWN = ("semantic", "blend", "blend-fitted")
CHUNK = 128
"""Texts between two looks at whether to stop: a few seconds."""
_IDENTITY = b"simulacra.scorer"


class Scored(NamedTuple):
    """How far a scoring has come."""

    done: int  # posts scored, those of earlier calls included
    total: int
    fresh: int  # scored by this call


def make_scorer(name: str, label: str | None = None) -> SecondScorer:
    """The scorer of that name: semantic, blend, blend-fitted, or hf:PATH_OR_NAME. Raises SpecError for another."""
    if name.startswith(PREFIX) and name != PREFIX:
        return HuggingFaceScorer(name.removeprefix(PREFIX), label)
    if label is not None:
        raise SpecError(f"--label {label!r} is for {PREFIX}MODEL alone: {name} knows what is toxic.")
    made: dict[str, Callable[[], SecondScorer]] = {
        "semantic": SemanticScorer, "blend": BlendScorer, "blend-fitted": lambda: BlendScorer(fitted=True),
    }  # fmt: skip
    if name not in made:
        raise SpecError(
            f"No scorer called {name[:60]!r}. Known: {', '.join(KNOWN)}, {PREFIX}PATH_OR_NAME of a text classifier."
        )
    return made[name]()


def score_run(
    run: RunFolder,
    scorer: SecondScorer,
    progress: Callable[[Scored], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Path:
    """Score every post of a run's finished days, burn-in included, that has no score yet; returns the sidecar.

    progress: called after every chunk of posts. should_stop: asked before every chunk; once true, Stopped is raised, finished days
    stay scored. Raises RecordError where the sidecar was made by another version of the scorer, or a running run's disk refuses.
    """
    path = _path(run, scorer.name)
    kept = _kept(path, scorer)
    waiting = _unscored_days(run, set(kept.column("post").to_pylist()) if kept is not None else set())
    done, fresh = len(kept) if kept is not None else 0, 0
    total = done + sum(len(ids) for ids, _ in waiting)
    for ids, texts in waiting:
        parts: list[Columns] = []
        for start in range(0, len(texts), CHUNK):
            if should_stop is not None and should_stop():
                raise Stopped(f"Stopped with {done + fresh:,} of {total:,} posts of {run.id} seen; the same command goes on")
            parts.append(scorer.score(texts[start : start + CHUNK]))
            fresh += min(CHUNK, len(texts) - start)
            if progress is not None:
                progress(Scored(done + fresh, total, fresh))
        kept = _joined(kept, _table(ids, parts))
        _write(path, kept, scorer)
    if kept is None:
        raise RecordError(f"{run.path}: no post to score. Play a day first.")
    return path


def scorers_of(run: RunFolder) -> list[str]:
    """Names of the second scorers that have read this run."""
    with disk_errors(run.path):
        return sorted(path.stem for path in (run.path / SCORES_FOLDER).glob("*.parquet") if not path.name.startswith("."))


def read_scores(run: RunFolder, scorer: str) -> Mapping[str, Any]:
    """A sidecar's columns as arrays, `post` among them, in order of post. Raises RecordError where it is missing or damaged."""
    path = _path(run, scorer)
    if not path.exists():
        raise RecordError(f"{path}: no such scores. Make them: simulacra score {run.id} --with {scorer}")
    table = read_parquet(path)
    if "post" not in table.column_names:
        raise RecordError(f"{path}: no column 'post'. Remove the file and score the run again.")
    order = np.argsort(table.column("post").to_numpy(), kind="stable")
    return {name: table.column(name).to_numpy()[order] for name in table.column_names}


def _path(run: RunFolder, scorer: str) -> Path:
    return run.path / SCORES_FOLDER / f"{scorer}.parquet"


def _kept(path: Path, scorer: SecondScorer) -> pa.Table | None:
    if not path.exists():
        return None
    table = read_parquet(path)
    told = json.loads((table.schema.metadata or {}).get(_IDENTITY, b"{}"))
    if told != json.loads(json.dumps(scorer.identity)):
        raise RecordError(f"{path}: was made by another version of this scorer. Move the file away to score the run again.")
    return table


def _unscored_days(run: RunFolder, known: set[int]) -> list[tuple[list[int], list[str]]]:
    """Ids and texts of each day's posts, for days that are not scored; a day is scored whole or not at all."""
    posts = run.frames().arrow("posts", burn_in=True, columns=("id", "text", "day")).to_pandas()
    days = [(day["id"].tolist(), day["text"].tolist()) for _, day in posts.groupby("day", sort=True)]
    return [(ids, texts) for ids, texts in days if not known.issuperset(ids)]


def _table(ids: Sequence[int], parts: Sequence[Columns]) -> pa.Table:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pa.table({"post": pa.array(ids, pa.int32()), **{name: pa.array(c, pa.float32()) for name, c in columns.items()}})


def _joined(kept: pa.Table | None, new: pa.Table) -> pa.Table:
    return new if kept is None else pa.concat_tables([kept.replace_schema_metadata(None), new])


def _write(path: Path, table: pa.Table, scorer: SecondScorer) -> None:
    told = table.replace_schema_metadata({_IDENTITY: json.dumps(scorer.identity).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(told, sink)
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True)
        replace_file(path, sink.getvalue().to_pybytes())
