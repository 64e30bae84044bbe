"""A fork: the same past byte for byte, then the change; and how two runs of one past part."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from simulacra.branches.forks import fork, parting
from simulacra.cli import main
from simulacra.errors import SpecError, Stopped
from simulacra.experiment import Run, open_run, play, resume, run
from simulacra.record.export import export_run
from simulacra.record.runs import RunFolder
from simulacra.record.verify import verify


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three days of sixty people under human review, so that a queue of reports stands at midnight."""
    place = tmp_path_factory.mktemp("runs")
    busy = ["moderation=human_review", "moderation.human_review.moderators=0.1", "false_report=0.2", "visit_rate=3"]
    return run("pittsburgh", 60, 3, settings=busy, runs_dir=place, run_id="one")


def _forked(played: Run, day: int, *settings: str, name: str, **more: object) -> Run:
    return fork(played, day, list(settings), runs_dir=played.path.parent, run_id=name, **more)  # type: ignore[arg-type]


def _bytes(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("day", [0, 1, 2])
def test_a_fork_without_a_change_is_the_same_run_again(played: Run, day: int) -> None:
    again = _forked(played, day, name=f"same-{day}")
    assert again.digest == played.digest
    assert again.spec == played.spec
    assert parting(played, again).step is None


def test_a_fork_shares_every_byte_of_the_past_and_differs_after_it(played: Run) -> None:
    other = _forked(played, 2, "feed=engagement", name="engaged")
    for day in ("burn-0001", "burn-0002", "day-0001", "day-0002"):
        assert _bytes(other.path / day) == _bytes(played.path / day)
    assert _bytes(other.path / "day-0003") != _bytes(played.path / "day-0003")
    assert verify(other.folder) == []
    assert other.status == "finished" and other.days == 3


def test_a_forks_folder_is_complete(played: Run, tmp_path: Path) -> None:
    other = _forked(played, 1, "moderation=none", name="lone")
    bundle = export_run(other.folder, "zip", tmp_path / "lone.zip")
    assert main(["import", str(bundle), "--runs", str(tmp_path / "elsewhere")]) == 0
    assert RunFolder.open("lone", tmp_path / "elsewhere").digest == other.digest


def test_a_forks_cause_is_complete_and_can_be_played_from_nothing(played: Run, tmp_path: Path) -> None:
    other = _forked(played, 2, "feed=engagement", name="caused")
    assert other.spec.arm_on(2).feed == "hot" and other.spec.arm_on(3).feed == "engagement"
    assert play(other.spec, tmp_path).digest == other.digest


def test_a_fork_that_was_stopped_goes_on_under_its_own_design(played: Run) -> None:
    whole = _forked(played, 1, "feed=chronological", name="whole")
    hours = iter(range(100))
    with pytest.raises(Stopped):
        _forked(played, 1, "feed=chronological", name="cut", should_stop=lambda: next(hours) == 30)
    assert resume("cut", played.path.parent).digest == whole.digest


def test_a_fork_can_be_forked_again(played: Run) -> None:
    first = _forked(played, 1, "feed=chronological", name="first")
    second = _forked(first, 2, "feed=engagement", name="second")
    assert [day for day, _ in second.spec.earlier] == [1, 2]
    assert parting(first, second).through == 2 and parting(played, second).through == 1


def test_a_queue_outlives_a_change_of_the_feed(played: Run) -> None:
    at_midnight = played.folder.state(2)["policy.human_review.queue.posts"]
    assert len(at_midnight), "the case needs reports that wait"
    other = _forked(played, 2, "feed=engagement", name="queued")
    rulings, waiting = other.frames.table("rulings"), other.folder.state(3)["policy.human_review.queue.posts"]
    decided = set(rulings.loc[rulings["step"] >= 48, "post"].tolist())
    assert set(at_midnight.tolist()) <= decided | set(waiting.tolist())


def test_parting_tells_when_and_how_and_claims_nothing(played: Run) -> None:
    other = _forked(played, 2, "feed=engagement", name="parted")
    parted = parting(played, other)
    assert parted.through == 2 and parted.step is not None and 48 <= parted.step < 72
    assert parted.changes == ["feed: hot -> engagement"]
    posts = played.frames.table("posts")
    values = {name: (a, b) for name, a, b in parted.rows}
    assert values["toxicity_written"][0] == pytest.approx(posts.loc[posts["step"] >= 48, "toxicity"].mean())
    assert "make no claim" in parted.sentences[-1]


def test_runs_of_other_seeds_share_no_past(played: Run) -> None:
    other = run("pittsburgh", 60, 1, seed=2, runs_dir=played.path.parent, run_id="stranger")
    parted = parting(played, other)
    assert parted.through is None and parted.rows == []


@pytest.mark.parametrize(
    "day, settings, days, says",
    [
        (3, [], None, "from 0 (burn-in alone) to 2"),
        (-1, [], None, "burn-in alone"),
        (1, ["newcomers=0.1"], None, "before the first day"),
        (1, ["feed=nonsense"], None, "No feed design called 'nonsense'"),
        (1, [], 4, "days = 4: expected a whole number from 2 to 3"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    played: Run, day: int, settings: list[str], days: int | None, says: str
) -> None:
    with pytest.raises(SpecError) as error:
        _forked(played, day, *settings, name="never", days=days)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert not (played.path.parent / "never").exists()


def test_the_command_line_forks_and_tells_how_runs_part(played: Run, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(played.path.parent)
    assert (
        main(["fork", "one", "--at-day", "2", "--set", "feed=chronological", "--id", "told", "--runs", place, "--quiet"]) == 0
    )
    assert "share their past through day 2" in capsys.readouterr().out
    assert main(["diff", "one", "told", "--runs", place]) == 0
    assert "toxicity of what members read" in capsys.readouterr().out
    assert open_run("told", place).spec.arm.feed == "chronological"
