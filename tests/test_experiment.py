"""Runs and comparisons end to end, small: equal causes give equal records, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import simulacra
from simulacra.analysis.comparison import MIN_SEEDS
from simulacra.community import Community, load_community
from simulacra.designs import make_arm
from simulacra.errors import RecordError, SpecError, Stopped
from simulacra.experiment import RunSpec, topic_vectors
from simulacra.record.verify import verify
from simulacra.replicates import BASELINE, VARIANT, Replicated

GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers.", "No selling."]
topics = ["tomatoes", "compost", "slugs"]
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
[[personas]]
sketch = "nurse, 34, blunt, short lower-case bursts, hates slugs"
[[personas]]
sketch = "student, 22, anxious, lots of exclamation marks"
[design]
feed = "chronological"
"""


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("garden") / "garden.toml"
    path.write_text(GARDEN)
    return path


@pytest.fixture(scope="module")
def community(garden: Path) -> Community:
    return load_community(garden)


@pytest.fixture(scope="module")
def reference(community: Community, tmp_path_factory: pytest.TempPathFactory) -> simulacra.Run:
    """An undisturbed run of two days."""
    return simulacra.run(community, personas=40, days=2, seed=3, runs_dir=tmp_path_factory.mktemp("reference"))


def stop_after(hours: int) -> Callable[[], bool]:
    asked = iter(range(10**6))
    return lambda: next(asked) >= hours


# -- runs ------------------------------------------------------------------------------------------------------------------


def test_a_run_leaves_a_whole_record_with_measures(reference: simulacra.Run) -> None:
    assert reference.status == "finished"
    assert reference.days == 2
    assert set(reference.measures) == set(simulacra.MEASURES)
    assert verify(reference.path) == []
    posts = reference.posts
    assert {"id", "step", "author", "parent", "root", "act", "text"} <= set(posts.columns)
    assert len(posts) == reference.counts["posts"] > 0
    assert (posts["step"] >= 0).all()


def test_another_process_with_another_hash_seed_makes_the_same_digest(
    reference: simulacra.Run, garden: Path, tmp_path: Path
) -> None:
    script = f"import simulacra; print(simulacra.run({str(garden)!r}, 40, 2, 3, runs_dir={str(tmp_path)!r}).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == reference.digest


def test_another_seed_or_design_makes_another_digest(community: Community, reference: simulacra.Run, tmp_path: Path) -> None:
    others = [
        simulacra.run(community, 40, 2, 4, runs_dir=tmp_path),
        simulacra.run(community, 40, 2, 3, feed="random", runs_dir=tmp_path),
        simulacra.run(community, 40, 2, 3, moderation=["automod"], behaviour={"contagion": "off"}, runs_dir=tmp_path),
    ]
    assert len({reference.digest, *(run.digest for run in others)}) == 4


@pytest.mark.parametrize("hours", [5, 30, 60, 80])  # in either day of burn-in, in either measured day
def test_a_stopped_run_resumes_to_the_digest_of_an_undisturbed_one(
    community: Community, reference: simulacra.Run, tmp_path: Path, hours: int
) -> None:
    with pytest.raises(Stopped, match="simulacra resume part --runs"):
        simulacra.run(community, 40, 2, 3, runs_dir=tmp_path, run_id="part", should_stop=stop_after(hours))
    assert simulacra.open_run("part", tmp_path).status == "stopped"
    assert simulacra.resume("part", tmp_path).digest == reference.digest


def test_a_run_that_was_killed_resumes_to_the_digest_of_an_undisturbed_one(
    garden: Path, reference: simulacra.Run, tmp_path: Path
) -> None:
    script = f"import simulacra; simulacra.run({str(garden)!r}, 40, 2, 3, runs_dir={str(tmp_path)!r}, run_id='killed')"
    process = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: (tmp_path / "killed" / "day-0001").exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = simulacra.open_run("killed", tmp_path)
    if run.status != "finished":  # it may have been quicker than we
        assert run.status == "interrupted"
        run = simulacra.resume("killed", tmp_path)
    assert run.digest == reference.digest


def test_a_run_resumes_when_its_community_file_is_gone(garden: Path, reference: simulacra.Run, tmp_path: Path) -> None:
    copy = tmp_path / "garden.toml"
    copy.write_text(garden.read_text())
    with pytest.raises(Stopped):
        simulacra.run(copy, 40, 2, 3, runs_dir=tmp_path, run_id="part", should_stop=stop_after(60))
    copy.unlink()
    assert simulacra.resume("part", tmp_path).digest == reference.digest


def test_a_run_that_exists_is_not_written_over(community: Community, reference: simulacra.Run) -> None:
    before = reference.digest
    with pytest.raises(RecordError, match="exists already"):
        simulacra.run(community, 40, 2, 3, runs_dir=reference.path.parent)
    assert simulacra.open_run(reference.path).digest == before


def test_the_specification_survives_the_record(reference: simulacra.Run, community: Community) -> None:
    spec = simulacra.open_run(reference.path).spec
    assert spec.community == community
    assert spec.arm.design() == make_arm(community).design()
    assert spec.default_id() == reference.id


@pytest.mark.parametrize(
    "wrong, said",
    [({"personas": 1}, "personas"), ({"personas": 10**7}, "personas"), ({"days": 0}, "days"), ({"days": 1.5}, "days"),
     ({"days": True}, "days"), ({"seed": -1}, "seed"), ({"mind": "oracle"}, "No mind"), ({"scorer": "none"}, "No scorer")],
)  # fmt: skip
def test_counts_that_make_no_sense_are_refused(community: Community, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        RunSpec(community, make_arm(community), **wrong)  # type: ignore[arg-type]


def test_topic_vectors_have_the_given_cosines() -> None:
    cosines = np.array([[1, 0.4, 0.1], [0.4, 1, 0.3], [0.1, 0.3, 1]], np.float32)
    vectors = topic_vectors(cosines)
    np.testing.assert_allclose(vectors @ vectors.T, cosines, atol=1e-4)


# -- comparisons -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(community: Community, tmp_path_factory: pytest.TempPathFactory) -> simulacra.Comparison:
    """Three replicates of two feeds, undisturbed."""
    return compare(community, tmp_path_factory.mktemp("small"))


def compare(community: Community, place: Path, **options: object) -> simulacra.Comparison:
    known = {"personas": 30, "days": 1, "seeds": 3, "runs_dir": place / "runs", **options}
    return simulacra.compare(community, "feed=chronological", "feed=engagement", **known)  # type: ignore[arg-type]


def test_a_comparison_has_a_row_a_measure_and_claims_nothing_at_three_seeds(small: simulacra.Comparison) -> None:
    assert list(small.rows["measure"]) == list(simulacra.MEASURES)
    assert not small.rows["claim"].any()
    assert f"at least {MIN_SEEDS} are needed" in small.sentence
    assert (small.path / "rows.parquet").exists()
    assert small.status == "finished"


def test_the_first_replicate_is_kept_and_is_the_run_one_would_play_alone(
    small: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    assert small.runs == {BASELINE: [f"{small.id}-baseline-1"], VARIANT: [f"{small.id}-variant-1"]}
    for arm, feed in ((BASELINE, "chronological"), (VARIANT, "engagement")):
        kept = simulacra.open_run(small.runs[arm][0], small.runs_dir)
        alone = simulacra.run(community, 30, 1, 1, feed=feed, runs_dir=tmp_path)
        assert kept.digest == alone.digest == small.digests[arm][1]
        assert verify(kept.path) == []


def test_arms_share_their_burn_in(small: simulacra.Comparison) -> None:
    a, b = (simulacra.open_run(small.runs[arm][0], small.runs_dir) for arm in (BASELINE, VARIANT))
    for day in (-1, 0):
        assert a.folder.facts(day).digest == b.folder.facts(day).digest
    assert a.folder.facts(1).digest != b.folder.facts(1).digest


def test_arms_that_differ_in_nothing_differ_in_nothing(community: Community, tmp_path: Path) -> None:
    answer = simulacra.compare(community, "", "", 30, 1, 2, runs_dir=tmp_path / "runs")
    assert answer.digests[BASELINE] == answer.digests[VARIANT]
    assert (answer.rows["difference"].dropna() == 0).all()
    assert "identical" in answer.sentence


def test_two_processes_give_the_answer_of_one(small: simulacra.Comparison, community: Community, tmp_path: Path) -> None:
    parallel = compare(community, tmp_path, jobs=2)
    assert parallel.digests == small.digests
    assert parallel.rows.equals(small.rows)


def test_a_stopped_comparison_plays_only_what_is_missing(
    small: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    seen: list[Replicated] = []
    with pytest.raises(Stopped, match="1 of 3 replicates done"):
        compare(community, tmp_path, progress=seen.append, should_stop=lambda: len(seen) == 1)
    assert simulacra.open_comparison(small.id, tmp_path / "runs").status == "stopped"
    again = compare(community, tmp_path)
    assert again.fresh == 2
    assert again.rows.equals(small.rows)
    assert compare(community, tmp_path).fresh == 0


def test_a_comparison_stopped_inside_a_kept_run_goes_on_with_it(
    small: simulacra.Comparison, community: Community, tmp_path: Path
) -> None:
    with pytest.raises(Stopped):
        compare(community, tmp_path, should_stop=stop_after(50))  # 48 hours of burn-in, 2 of the first arm
    again = simulacra.resume_comparison(small.id, runs_dir=tmp_path / "runs")
    assert again.digests == small.digests


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_a_killed_comparison_goes_on_to_the_same_answer(
    small: simulacra.Comparison, community: Community, garden: Path, tmp_path: Path
) -> None:
    script = (
        f"import simulacra\nif __name__ == '__main__':\n    simulacra.compare({str(garden)!r}, 'feed=chronological', "
        f"'feed=engagement', 30, 1, 3, 2, runs_dir={str(tmp_path / 'runs')!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: list((tmp_path / "experiments").rglob("seed-*.json")) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: is_gone(process.pid))  # its workers notice that they are orphans
    assert compare(community, tmp_path).rows.equals(small.rows)


def test_unpaired_arms_have_seeds_of_their_own(community: Community, tmp_path: Path) -> None:
    answer = compare(community, tmp_path, paired=False, seeds=2)
    assert sorted(answer.results[BASELINE]) == [1, 2]
    assert sorted(answer.results[VARIANT]) == [3, 4]
    assert answer.rows["correlation"].isna().all()


def test_all_records_are_kept_when_asked(community: Community, tmp_path: Path) -> None:
    answer = compare(community, tmp_path, seeds=2, keep="all")
    assert len(answer.runs[BASELINE]) == len(answer.runs[VARIANT]) == 2


@pytest.mark.parametrize("setting", ["first_ties=0", "newcomers=0.3"])
def test_what_acts_before_the_first_day_gives_an_arm_a_past_of_its_own(
    community: Community, tmp_path: Path, setting: str
) -> None:
    answer = simulacra.compare(community, "feed=following", f"feed=following {setting}", 30, 1, 1, runs_dir=tmp_path / "runs")
    assert answer.digests[BASELINE] != answer.digests[VARIANT]
    assert any("a past of its own" in note for note in answer.notes)


def test_changes_that_both_arms_share_are_no_difference(community: Community, tmp_path: Path) -> None:
    answer = compare(community, tmp_path, seeds=1, moderation="automod", behaviour=["contagion=off"])
    assert answer.differences == ["feed: chronological -> engagement"]
    assert answer.spec.baseline.moderation == answer.spec.variant.moderation == ("automod",)


def test_a_name_is_not_reused_for_another_comparison(community: Community, tmp_path: Path) -> None:
    compare(community, tmp_path, seeds=1, experiment_id="mine")
    with pytest.raises(RecordError, match="another comparison has this name"):
        compare(community, tmp_path, seeds=2, experiment_id="mine")


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"jobs": 0}, {"jobs": -2}, {"keep": "some"}, {"days": 0}])
def test_nothing_is_written_for_a_comparison_that_makes_no_sense(
    community: Community, tmp_path: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(SpecError):
        compare(community, tmp_path, **wrong)
    assert not (tmp_path / "experiments").exists()


# -- helpers ---------------------------------------------------------------------------------------------------------------


def is_gone(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
