"""Replicates on a Ray cluster: the same digests as here, lost workers made good, and what a cluster is not for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import simulacra
from simulacra import cluster
from simulacra.community import Community, load_community
from simulacra.errors import SpecError, Stopped
from simulacra.minds.settings import Language
from simulacra.replicates import Task, backends, replicate_of
from simulacra.studies.sweep import sweep
from simulacra.text.models import ModelSpec

GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers."]
topics = ["tomatoes", "compost", "slugs"]
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
"""
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason='RAY IS NOT TESTED HERE: not installed; pip install "simulacra[ray]" and run again'
)


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Community:
    path = tmp_path_factory.mktemp("garden") / "garden.toml"
    path.write_text(GARDEN)
    return load_community(path)


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Any]:
    """A Ray of our own with two workers, which see the modules that this process sees."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    before = signal.getsignal(signal.SIGTERM)
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a worker cannot import a test module
    yield ray
    ray.shutdown()
    signal.signal(signal.SIGTERM, before)


def compare(community: Community, place: Path, **options: Any) -> simulacra.Comparison:
    known = {"personas": 20, "days": 1, "seeds": 4, "runs_dir": place / "runs", **options}
    return simulacra.compare(community, "feed=chronological", "feed=random", **known)


@pytest.fixture(scope="module")
def here(community: Community, tmp_path_factory: pytest.TempPathFactory) -> simulacra.Comparison:
    return compare(community, tmp_path_factory.mktemp("here"))


@needs_ray
def test_a_cluster_gives_the_digests_that_this_machine_gives(
    two_workers: Any, here: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    answer = compare(community, tmp_path, backend="ray")
    assert answer.digests == here.digests and answer.rows.equals(here.rows)
    assert answer.runs == here.runs and answer.fresh == 4  # the first replicate's records are kept here
    assert [simulacra.open_run(run, tmp_path / "runs").digest for run in answer.runs["variant"]] == [here.digests["variant"][1]]


def die_once(task: Task) -> dict[str, Any]:
    """The replicate, in a worker that is killed the first time that it tries."""
    grave = task.file.with_suffix(".died")
    if not grave.exists():
        grave.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return replicate_of(task)


def die_always(task: Task) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def wrong(task: Task) -> dict[str, Any]:
    raise SpecError("that was no task")


@needs_ray
def test_replicates_of_a_lost_worker_are_played_again(
    two_workers: Any, here: simulacra.Comparison, community: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "replicate_of", die_once)
    answer = compare(community, tmp_path, backend="ray", keep="none")
    assert len(list(answer.path.glob("*.died"))) == 4
    assert answer.digests == here.digests


@needs_ray
def test_a_replicate_that_kills_every_worker_is_given_up_and_the_others_stay(
    two_workers: Any, here: simulacra.Comparison, community: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "RETRIES", 1)
    with monkeypatch.context() as patch:
        patch.setattr(backends, "replicate_of", die_always)
        with pytest.raises(SpecError, match="gave up") as gone:
            compare(community, tmp_path, backend="ray", keep="none")
    assert "\n" not in str(gone.value)
    answer = compare(community, tmp_path, keep="none")
    assert answer.digests == here.digests


@needs_ray
def test_what_a_replicate_says_on_a_worker_is_said_here(
    two_workers: Any, community: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "replicate_of", wrong)
    with pytest.raises(SpecError, match="that was no task"):
        compare(community, tmp_path, backend="ray", keep="none")


@needs_ray
def test_stopping_leaves_whole_replicates(
    two_workers: Any, here: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    done: list[object] = []
    with pytest.raises(Stopped, match="of 4 replicates done"):
        compare(community, tmp_path, backend="ray", keep="none", progress=done.append, should_stop=lambda: len(done) > 0)
    assert compare(community, tmp_path, keep="none").digests == here.digests


@needs_ray
def test_a_sweep_is_the_same_on_a_cluster(two_workers: Any, community: Community, tmp_path: Path) -> None:
    found = [
        sweep(community, "visit_rate=1..2", 2, 20, 1, 3, backend=backend, runs_dir=tmp_path / backend / "runs").rows
        for backend in ("local", "ray")
    ]
    assert found[0] == found[1]


@needs_ray
@pytest.mark.parametrize(
    "options, part",
    [
        (
            {"language": Language(ModelSpec("openai", "scripted", "http://127.0.0.1:1/v1", chats=True))},
            "a language mind's calls come from one process",
        ),
        ({"keep": "all"}, "Use first"),
    ],
)
def test_what_a_cluster_is_not_for_is_refused_in_one_line(
    community: Community, tmp_path: Path, options: dict[str, Any], part: str
) -> None:
    with pytest.raises(SpecError, match=part):
        compare(community, tmp_path, backend="ray", **options)
    assert not (tmp_path / "experiments").exists()


def test_an_unknown_backend_and_a_missing_ray_are_one_line(
    community: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SpecError, match="expected local or ray"):
        compare(community, tmp_path, backend="slurm")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SpecError, match=r'pip install "simulacra\[ray\]"'):
        compare(community, tmp_path, backend="ray")
