"""What pages read: runs, experiments, designs and notes on disk, with finished things cached by id and digest.

A run that is being written has a new digest after every simulated day, so a cache that is keyed by it never shows an old day.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from simulacra.analysis.facts import Facts
from simulacra.analysis.structure import structure
from simulacra.analysis.workload import decision_hours, queue_by_hour
from simulacra.checks import slugify
from simulacra.community import Community, bundled_communities, load_community
from simulacra.errors import RecordError, SimulacraError
from simulacra.experiment import RUNS_DIR, Run, open_run
from simulacra.record.durable import disk_errors, replace_file
from simulacra.record.runfiles import checked_run_id
from simulacra.record.runs import RunSummary, list_runs
from simulacra.replicates import EXPERIMENT_FILE, Comparison, ExperimentFolder, experiments_beside, open_comparison
from simulacra.scoring.opinions import judged_values
from simulacra.scoring.sidecar import scorers_of
from simulacra.worker import log_file, writer_of

RUNS_VARIABLE = "SIMULACRA_RUNS"
TRASH = ".trash"


def runs_dir() -> Path:
    """Where runs are kept: what `simulacra app --runs` said, else runs/ here."""
    return Path(os.environ.get(RUNS_VARIABLE, RUNS_DIR))


def experiments_dir() -> Path:
    return experiments_beside(runs_dir())


def designs_dir() -> Path:
    """Communities and arms that were designed here: a folder `designs` beside the runs' folder."""
    return runs_dir().parent / "designs"


def answers_dir() -> Path:
    """What was asked of the model beside runs and comparisons: a folder `answers` beside the runs' folder."""
    return runs_dir().parent / "answers"


# -- runs ------------------------------------------------------------------------------------------------------------------


def runs() -> list[RunSummary]:
    """All runs, the newest first."""
    return list_runs(runs_dir())


def run(name: str) -> Run:
    """The run of that id. Raises RecordError where there is none."""
    return open_run(checked_run_id(name), runs_dir())


def is_beginning(name: str) -> bool:
    """Whether a process was started under this name and has written no run folder yet."""
    try:
        checked_run_id(name)
    except RecordError:
        return False
    return not (runs_dir() / name).exists() and log_file(runs_dir(), name).exists()


def query(of: Run, sql: str) -> pd.DataFrame:
    """The answer of one DuckDB query over the run's views, kept until another day is finished."""
    return _query(str(of.path), of.digest, sql).copy()


@st.cache_data(max_entries=256, show_spinner=False)
def _query(path: str, digest: str, sql: str) -> pd.DataFrame:
    return open_run(path).frames.sql(sql)


@st.cache_data(max_entries=32, show_spinner=False)
def _measures(path: str, digest: str, read_by: tuple[str, ...]) -> tuple[dict[str, float], str]:
    found = open_run(path)
    return judged_values(found, found.measures)


def measures(of: Run) -> dict[str, float]:
    """Every measure of the run's finished days; {} before the first is finished. What its design acts by is judged by a second scorer,
    and undefined where none has read the run."""
    return _measures(str(of.path), of.digest, tuple(scorers_of(of.folder)))[0] if of.days else {}


def judge(of: Run) -> str:
    """Who judged what the run's design acts by: "" where it acts by no score."""
    return _measures(str(of.path), of.digest, tuple(scorers_of(of.folder)))[1] if of.days else ""


@st.cache_data(max_entries=16, show_spinner="Measuring the shape of the community ...")
def _shape(path: str, digest: str, read_by: tuple[str, ...], names: tuple[str, ...]) -> dict[str, float]:
    found = open_run(path)
    return judged_values(found, structure(found.frames, names))[0]


def shape(of: Run, names: tuple[str, ...] = ()) -> dict[str, float]:
    """Measures of shape of the run's finished days: those named, () for all."""
    return _shape(str(of.path), of.digest, tuple(scorers_of(of.folder)), names)


@st.cache_data(max_entries=16, show_spinner=False)
def _queue(path: str, digest: str) -> tuple[list[int], list[float]]:
    facts = Facts(open_run(path).frames)
    return queue_by_hour(facts).tolist(), decision_hours(facts).tolist()


def queue(of: Run) -> tuple[list[int], list[float]]:
    """Posts that wait for a moderator by hour, and hours to each decision; empty where no moderator decided anything."""
    return _queue(str(of.path), of.digest)


def personas(of: Run) -> pd.DataFrame:
    """One row a persona, in order of ids, without interests."""
    return query(of, "SELECT * EXCLUDE (interests) FROM personas ORDER BY id")


def interests(of: Run, persona: int) -> list[tuple[str, float]]:
    """(topic, share) of one persona, the strongest first."""
    table = of.frames.arrow("personas", columns=("interests",))
    shares = table["interests"][persona].as_py()
    return sorted(zip(of.frames.topics, shares, strict=True), key=lambda pair: -pair[1])


def handles(of: Run) -> list[str]:
    return [str(handle) for handle in query(of, "SELECT handle FROM personas ORDER BY id")["handle"]]


# -- experiments -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A line in a list of experiments."""

    id: str
    status: str
    done: int  # replicates finished
    total: int
    started: str
    message: str = ""


def trials() -> list[Trial]:
    """All experiments, the newest first. One that cannot be read has status "damaged"."""
    place = experiments_dir()
    with disk_errors(place):
        folders = [path.parent for path in place.glob(f"*/{EXPERIMENT_FILE}") if not path.parent.name.startswith(".")]
    return sorted((_trial(folder) for folder in folders), key=lambda trial: (trial.started, trial.id), reverse=True)


def _trial(folder: Path) -> Trial:
    try:
        found = open_comparison(folder)
        info, total = found.folder.info, len(found.spec.replicates())
        return Trial(folder.name, found.status, len(found.folder.results()), total, str(info.get("started", "")))
    except SimulacraError as error:
        return Trial(folder.name, "damaged", 0, 0, "", str(error))


def is_of_comparison(run_id: str, kept_by: Sequence[Trial]) -> bool:
    """Whether a run is a record that one of these comparisons kept."""
    return any(run_id.startswith((f"{trial.id}-baseline-", f"{trial.id}-variant-")) for trial in kept_by)


def experiment(name: str) -> Comparison:
    """The experiment of that id. Raises RecordError where there is none."""
    return open_comparison(checked_run_id(name), runs_dir(), experiments_dir())


def experiments_folder(name: str) -> ExperimentFolder:
    """Where the experiment of that name is or will be."""
    return ExperimentFolder(experiments_dir() / checked_run_id(name))


def twin_of(run_id: str) -> tuple[Comparison, str, str] | None:
    """The experiment that a kept run belongs to, the run's arm, and the id of the same seed's run in the other arm."""
    for trial in trials():
        if trial.status == "damaged" or not run_id.startswith(f"{trial.id}-"):
            continue
        found = experiment(trial.id)
        for arm, other in (("baseline", "variant"), ("variant", "baseline")):
            if run_id in found.runs[arm]:
                place = found.runs[arm].index(run_id)
                return (found, arm, found.runs[other][place]) if place < len(found.runs[other]) else None
    return None


# -- designs ---------------------------------------------------------------------------------------------------------------


def own_designs() -> dict[str, Path]:
    """Slug -> file of the communities that were designed here."""
    found = sorted(path for path in designs_dir().glob("*.toml") if not path.name.endswith(".voices.toml"))
    return {path.stem: path for path in found if not path.stem.startswith("arm-")}


def community(slug: str) -> Community:
    """A community that was designed here, or a bundled one. Raises CommunityError."""
    own = own_designs()
    return load_community(own[slug] if slug in own else bundled_communities().get(slug, Path(f"{slugify(slug)}.toml")))


def name_of(slug: str) -> str:
    """A community's name with its slug; the slug alone where its file cannot be read."""
    own = own_designs()
    path = own[slug] if slug in own else bundled_communities().get(slug)
    return _name_of(str(path), slug, path.stat().st_mtime) if path is not None and path.is_file() else slug


@st.cache_data(max_entries=128, show_spinner=False)
def _name_of(path: str, slug: str, changed: float) -> str:
    try:
        return f"{load_community(Path(path)).name} ({slug})"
    except SimulacraError:
        return slug


def save_text(name: str, text: str) -> Path:
    """Write a design file, whole or not at all; returns its path. name: without the ending."""
    path = designs_dir() / f"{slugify(name)}.toml"
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    return path


# -- names and the trash ---------------------------------------------------------------------------------------------------


def free_name(wish: str) -> str:
    """The wish as a folder's name, with a number where runs or experiments of that name exist."""
    base = slugify(wish)[:60]
    taken = {path.name for place in (runs_dir(), experiments_dir()) if place.is_dir() for path in place.iterdir()}
    logs = runs_dir() / ".log"
    taken |= {path.stem for path in logs.glob("*.txt")} if logs.is_dir() else set()
    name, number = base, 1
    while name in taken or any(other.startswith(f"{name}-baseline-") for other in taken):
        number += 1
        name = f"{base}-{number}"
    return name


def trash(folder: Path) -> None:
    """Put a run's or experiment's folder where no list finds it and `restore` does. Raises RecordError while it is written."""
    if writer_of(folder) is not None:
        raise RecordError(f"{folder.name}: is being written. Pause it first.")
    target = folder.parent / TRASH / folder.name
    with disk_errors(folder):
        target.parent.mkdir(exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def trashed(place: Path) -> list[str]:
    """Names in the trash of a folder, the newest first."""
    bin_ = place / TRASH
    found = sorted(bin_.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True) if bin_.is_dir() else []
    return [path.name for path in found]


def restore(place: Path, name: str) -> None:
    """Take a folder out of the trash. Raises RecordError where its name is in use again."""
    source, target = place / TRASH / checked_run_id(name), place / name
    with disk_errors(target):
        if target.exists():
            raise RecordError(f"{target}: another one has this name by now. Delete or rename that one first.")
        source.rename(target)
