"""The experiment's folder: what is compared, the results of finished replicates, a lock and a status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from simulacra.analysis.comparison import Row, rows_table
from simulacra.errors import Capped, RecordError, Stopped
from simulacra.experiment import affinity_to_dict
from simulacra.record.durable import WriterLock, disk_errors, is_held, replace_file
from simulacra.record.runfiles import now, plain, to_json, versions
from simulacra.replicates.auto import grown
from simulacra.replicates.spec import ComparisonSpec
from simulacra.scoring.semantic import TopicAffinity

FORMAT = 1
"""Version of the experiment folder's format. Another one is refused."""
EXPERIMENT_FILE, ROWS_FILE, LOCK_FILE = "experiment.json", "rows.parquet", "lock"

Keep = Literal["first", "all", "none"]
"""Whose full records stay in the runs folder: the first replicate's, all, or nobody's."""


@dataclass(frozen=True)
class ExperimentFolder:
    """experiments/<id>: reading needs no lock; `comparing` holds it while replicates are played."""

    path: Path

    @property
    def info(self) -> dict[str, Any]:
        """experiment.json. Raises RecordError where it is missing, damaged or of another format version."""
        file = self.path / EXPERIMENT_FILE
        info = read_json(file)
        if info.get("format") != FORMAT:
            raise RecordError(f"{file}: format version {info.get('format')!r}, this program reads {FORMAT}.")
        return info

    @property
    def status(self) -> str:
        """running, finished, stopped, capped, or interrupted: it says running and nobody is."""
        status = str(self.info.get("status", ""))
        if status == "running" and not is_held(self.path / LOCK_FILE):
            return "interrupted"
        return status

    @property
    def spec(self) -> ComparisonSpec:
        """What is compared; with automatic seeds, over as many as the results so far ask for."""
        info = self.info
        spec = ComparisonSpec.from_cause(info["cause"], info["voices"], str(self.path / EXPERIMENT_FILE))
        return grown(spec, self.results()) if spec.auto else spec

    def results(self) -> dict[int, dict[str, Any]]:
        """seed -> arm -> run, digest and measures of the finished replicates."""
        found = (read_json(file) for file in sorted(self.path.glob("seed-*.json")))
        return {int(result["seed"]): result["arms"] for result in found}

    def file_of(self, seed: int) -> Path:
        return self.path / f"seed-{seed:04d}.json"

    def begin(self, spec: ComparisonSpec, near: TopicAffinity, keep: Keep, runs_dir: Path) -> None:
        """Write experiment.json where there is none; refuse one of another cause."""
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / EXPERIMENT_FILE).exists():
            if self.info["cause"] != plain(spec.cause()):
                raise RecordError(f"{self.path}: another comparison has this name. Give another --id.")
            return
        self._write({
            "format": FORMAT, "experiment": self.path.name, "status": "running", "started": now(), "updated": now(),
            "cause": spec.cause(), "keep": keep, "runs_dir": str(runs_dir), "versions": versions(), "seconds": 0.0,
            "similarity": affinity_to_dict(near), "voices": spec.community.voices,
        })  # fmt: skip

    @contextmanager
    def comparing(self, spent: Callable[[], Mapping[str, Any]] | None = None) -> Iterator[None]:
        """The lock, and a status that says how it ended. Raises RecordError where another process compares.

        spent: what a language model has cost so far, which is kept.
        """
        with disk_errors(self.path):
            lock = WriterLock.acquire(self.path / LOCK_FILE)
        started = perf_counter()
        try:
            self._set("running")
            yield
            self._set("finished", perf_counter() - started, spent)
        except Capped:
            self._set("capped", perf_counter() - started, spent)
            raise
        except (Stopped, KeyboardInterrupt):
            self._set("stopped", perf_counter() - started, spent)
            raise
        except RecordError:
            with suppress(RecordError):  # the disk that refused may refuse this too
                self._set("failed", perf_counter() - started, spent)
            raise
        finally:
            lock.release()

    def _set(self, status: str, seconds: float = 0.0, spent: Callable[[], Mapping[str, Any]] | None = None) -> None:
        info = self.info
        cost = {"spent": spent()} if spent is not None else {}
        self._write({**info, **cost, "status": status, "updated": now(), "seconds": round(info["seconds"] + seconds, 1)})

    def _write(self, info: Mapping[str, Any]) -> None:
        with disk_errors(self.path):
            replace_file(self.path / EXPERIMENT_FILE, to_json(plain(info)))

    def write_rows(self, rows: Sequence[Row]) -> None:
        """The answer as Parquet."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(rows_table(rows), sink)
        with disk_errors(self.path):
            replace_file(self.path / ROWS_FILE, sink.getvalue().to_pybytes())


def experiments_beside(runs_dir: str | Path) -> Path:
    """Where experiments are kept by default: a folder `experiments` beside the runs' folder."""
    return Path(runs_dir).parent / "experiments"


def read_json(file: Path) -> dict[str, Any]:
    try:
        with disk_errors(file):
            content = json.loads(file.read_bytes())
    except ValueError as error:
        raise RecordError(f"{file}: no JSON ({error}). Restore the file from a copy, or remove it to play it again.") from error
    if not isinstance(content, dict):
        raise RecordError(f"{file}: not a JSON object. Restore the file from a copy.")
    return content
