"""The finished comparison that ships with the program, so that there is something to read at once.

`python -m simulacra.views.example` (`make example`) plays it afresh and packs it into simulacra/data/example.zip: the
experiment's files and its two kept runs as bundles without checkpoints. `unpack` takes it in where it is missing,
every digest checked.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from simulacra.analysis.verdict import Plan
from simulacra.record.bundle import import_bundle
from simulacra.record.durable import TEMPORARY, disk_errors, promote
from simulacra.record.export import export_run
from simulacra.record.runfiles import to_json
from simulacra.record.runs import RunFolder
from simulacra.replicates import EXPERIMENT_FILE, ROWS_FILE, Comparison, compare
from simulacra.views.pair import median_seed
from simulacra.views.readout import QUESTION_FILE, TEMPLATES, keep_question

NAME = "example"
PACKED = Path(__file__).resolve().parent.parent / "data" / "example.zip"

_COMMUNITY, _PERSONAS, _DAYS, _SEEDS = "local-politics", 90, 3, 16


def unpack(runs_dir: Path, experiments_dir: Path) -> None:
    """Take the example in where it is not there and was not deleted. Raises RecordError for a damaged file or a full disk."""
    target = experiments_dir / NAME
    if target.exists() or (experiments_dir / ".trash" / NAME).exists():
        return
    with disk_errors(PACKED), zipfile.ZipFile(PACKED) as packed, tempfile.TemporaryDirectory() as folder:
        for name in packed.namelist():
            if name.startswith("runs/"):
                _take_in_run(packed.read(name), Path(folder), runs_dir, Path(name).stem)
        _take_in_experiment(packed, target, runs_dir)


def _take_in_run(content: bytes, folder: Path, runs_dir: Path, name: str) -> None:
    if (runs_dir / name).exists():
        return
    bundle = folder / "run.zip"
    bundle.write_bytes(content)
    import_bundle(bundle, runs_dir, name)


def _take_in_experiment(packed: zipfile.ZipFile, target: Path, runs_dir: Path) -> None:
    temporary = target.with_name(f"{TEMPORARY}{NAME}")
    with disk_errors(target):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name in packed.namelist():
            if name.startswith("experiment/"):
                (temporary / Path(name).name).write_bytes(packed.read(name))
        file = temporary / EXPERIMENT_FILE
        file.write_bytes(to_json({**json.loads(file.read_bytes()), "runs_dir": str(runs_dir)}))
        try:
            promote(temporary, target)
        except OSError:
            if not target.exists():  # another tab was faster where it does
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


# -- making it -------------------------------------------------------------------------------------------------------------


def build(path: Path = PACKED) -> Path:
    """Play the example and pack it; about half a minute. Returns the file."""
    template = TEMPLATES[0]
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        found = compare(
            _COMMUNITY, "moderation=none", f"moderation={'+'.join(template.moderation)}", _PERSONAS, _DAYS, _SEEDS,
            plan=Plan(template.primary, None, template.guardrails), keep="all", runs_dir=runs, experiment_id=NAME,
        )  # fmt: skip
        keep_question(found.folder, template.title)
        path.write_bytes(_packed(found, runs))
    return path


def _packed(found: Comparison, runs: Path) -> bytes:
    """The experiment's files and the records of its median pair; the others are told as not kept."""
    shown = median_seed(found, found.spec.plan.primary)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(found.path.iterdir()):
            if file.name in (EXPERIMENT_FILE, ROWS_FILE, QUESTION_FILE):
                packed.writestr(_entry(f"experiment/{file.name}"), file.read_bytes())
        for seed in found.folder.results():
            file = found.folder.file_of(seed)
            packed.writestr(_entry(f"experiment/{file.name}"), _result(json.loads(file.read_bytes()), seed == shown))
        for name in (f"{NAME}-{arm}-{shown}" for arm in found.spec.arms):
            packed.writestr(_entry(f"runs/{name}.zip"), _bundle(runs / name))
    return sink.getvalue()


def _result(result: dict[str, Any], kept: bool) -> bytes:
    arms = {arm: {**values, "run": values["run"] if kept else None} for arm, values in result["arms"].items()}
    return to_json({**result, "arms": arms})


def _bundle(run: Path) -> bytes:
    """The run as a bundle without checkpoints: they are for going on, which nobody does with an example."""
    for checkpoint in run.glob("*/checkpoint"):
        shutil.rmtree(checkpoint)
    return export_run(RunFolder(run), "zip", run.with_suffix(".zip")).read_bytes()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # without a clock: the same runs pack to the same file
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


if __name__ == "__main__":
    made = build()
    print(f"{made.name}: {made.stat().st_size:,} bytes")
