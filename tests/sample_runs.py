"""Small records for tests: made-up personas, made-up events, the same for equal seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.events import LABELS, TABLES
from simulacra.persona import Population
from simulacra.record.runs import RunFolder
from simulacra.seams import Recorder, State

LABEL_SETS = {"topics": ("museums", "food", "transit"), "policies": ("automod", "human_review")}
CAUSE = {"community": {"slug": "trips", "name": "Trips"}, "seed": 3, "design": {"feed": "hot"}}
DAYS = (-1, 0, 1, 2)
WORDS = ("bio", "sex", "degree", "party", "work")


def people(n: int = 30, seed: int = 0) -> Population:
    random = np.random.default_rng(seed)
    made: dict[str, Any] = {
        field.name: random.normal(size=n).astype(np.float32) for field in fields(Population) if field.type == "Floats"
    }
    words = {
        name: np.array([f"{name} {i % 3}" for i in range(n)], object) for name in ("bio", "sex", "degree", "party", "work")
    }
    return Population(
        **made | words
        | {
            "handle": np.array([f"someone_{i}" for i in range(n)], object),
            "interests": random.random((n, len(LABEL_SETS["topics"]))).astype(np.float32),
            "sketch": np.zeros(n, np.int16),
            "age": random.integers(18, 90, n).astype(np.int8),
            "group": (np.arange(n) % 2).astype(np.int8),
            "arrival": np.zeros(n, np.int32),
        }
    )  # fmt: skip


def events(table: str, day: int, rows: int, seed: int = 0) -> dict[str, Any]:
    """Rows of one table for that day. Posts form threads: every third opens one, the others answer the one before."""
    random = np.random.default_rng((seed, day + 10, list(TABLES).index(table)))
    sets = LABELS | LABEL_SETS
    columns: dict[str, Any] = {}
    for column in TABLES[table]:
        if column.name == "step":
            columns["step"] = np.sort(random.integers((day - 1) * 24, day * 24, rows))
        elif column.dtype == "str":
            columns[column.name] = [f"words {i} — größer 🙂" for i in random.integers(0, 10**6, rows)]
        elif column.dtype.startswith("label:"):
            columns[column.name] = random.integers(0, len(sets[column.dtype[6:]]), rows)
        elif column.dtype == "bool":
            columns[column.name] = random.random(rows) < 0.5
        elif column.dtype == "float32":
            columns[column.name] = random.uniform(-1, 1, rows)
        else:
            columns[column.name] = random.integers(0, 20, rows)
    if table == "posts":
        columns["id"] = (day + 1) * rows + np.arange(rows)
        columns["depth"] = np.arange(rows) % 3
        columns["root"] = columns["id"] - columns["depth"]
        columns["parent"] = np.where(columns["depth"] == 0, -1, columns["id"] - 1)
    return columns


def state_after(day: int) -> State:
    return {"mood": np.full(5, day, np.float32), "texts": np.array(["a", "", "é\ud800"], object), "step": np.array(day)}


def play(recorder: Recorder, days: Iterable[int] = DAYS, rows: int = 12, seed: int = 0, tables: Iterable[str] = TABLES) -> None:
    for day in days:
        for table in tables:
            recorder.add(table, **events(table, day, rows, seed))
        recorder.close_day(day, state_after(day))


def finished_run(runs_dir: Path, run_id: str = "one", rows: int = 12) -> RunFolder:
    folder = RunFolder.create(runs_dir, run_id, CAUSE, people(), LABEL_SETS)
    play(folder.recorder(), rows=rows)
    folder.finish("finished", {"toxicity_written": 0.1})
    return folder
