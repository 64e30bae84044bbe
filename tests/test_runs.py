import errno
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_runs import CAUSE, DAYS, LABEL_SETS, finished_run, people, play, state_after

from simulacra.errors import RecordError
from simulacra.events import ACTIONS
from simulacra.record import durable
from simulacra.record.checkpoints import load_state, save_state
from simulacra.record.recording import MemoryRecorder, day_name, day_number
from simulacra.record.runfiles import checked_run_id, run_id
from simulacra.record.runs import RunFolder, list_runs
from simulacra.record.verify import verify

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def undisturbed() -> str:
    return digest_of(DAYS)


def digest_of(days: Iterable[int], **options) -> str:
    recorder = MemoryRecorder(people(), LABEL_SETS)
    play(recorder, days, **options)
    return recorder.digest


def create(runs_dir: Path, name: str | None = "one", **options) -> RunFolder:
    return RunFolder.create(runs_dir, name, CAUSE, people(), LABEL_SETS, **options)


def go_on(runs_dir: Path, days: Iterable[int] = DAYS, **options) -> RunFolder:
    """What the program does after a crash: resume and play the days that are missing."""
    folder, last, _ = RunFolder.open("one", runs_dir).resume()
    play(folder.recorder(), [day for day in days if last is None or day > last], **options)
    folder.finish("finished")
    return folder


# -- what a run is


def test_folder_and_memory_hold_the_same_record(tmp_path, undisturbed):
    folder = finished_run(tmp_path)
    assert folder.digest == undisturbed
    assert folder.counts["posts"] == 24  # two measured days of twelve
    assert verify(folder) == []
    assert sorted(p.name for p in folder.path.iterdir()) == [
        "burn-0001", "burn-0002", "day-0001", "day-0002", "lock", "personas.parquet", "run.json",
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 23), st.sampled_from(ACTIONS), st.text(max_size=20), st.floats(0, 500, width=32)), max_size=8
    ),
    st.integers(0, 8),
)
def test_whatever_is_recorded_is_read_back(rows, cut):
    step, action, reason, minutes = zip(*rows, strict=True) if rows else ((), (), (), ())
    rest = {"post": -1, "author": 0, "policy": 1, "rule": 0, "toxicity": 0.0, "truth": 0, "until": -1}
    memory = MemoryRecorder(people(), LABEL_SETS)
    with tempfile.TemporaryDirectory() as runs_dir, create(Path(runs_dir)) as folder:
        recorder = folder.recorder()
        for part in (slice(None, cut), slice(cut, None)):
            codes = [ACTIONS.index(label) for label in action[part]]
            chunk = {"step": step[part], "action": codes, "reason": reason[part], "minutes": minutes[part]}
            recorder.add("rulings", **chunk, **rest)
            memory.add("rulings", **chunk, **rest)
        recorder.close_day(1, {})
        memory.close_day(1, {})
        read = folder.frames().table("rulings")
        assert read["reason"].tolist() == list(reason) and read["action"].tolist() == list(action)
        assert read["step"].tolist() == list(step) and np.allclose(read["minutes"], minutes, atol=0.00005)
        assert folder.digest == memory.digest and verify(folder) == []


def test_run_json_tells_the_whole_cause(tmp_path):
    info = finished_run(tmp_path).info
    assert info["cause"] == CAUSE and info["versions"]["numpy"] == np.__version__
    assert info["labels"]["topics"] == list(LABEL_SETS["topics"])
    assert (info["status"], info["measures"], info["personas"]["rows"]) == ("finished", {"toxicity_written": 0.1}, 30)


def test_equal_causes_share_an_id_and_hostile_names_stay_out_of_it(tmp_path):
    hostile = "../../etc\x00/\u202e<b>" + "x" * 10**6
    name = run_id(hostile, 3, {"a": 1})
    assert checked_run_id(name) == name and len(name) < 60
    assert create(tmp_path, None).id == run_id("trips", 3, CAUSE)
    assert run_id("trips", 3, {"b": 1, "a": 2}) == run_id("trips", 3, {"a": 2, "b": 1}) != run_id("trips", 3, {"a": 2})


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "con", "NUL.txt", "a b", "x.", "é", "a\n", "-x", "x" * 200]
)
def test_names_that_cannot_be_folders_are_refused_in_one_line(tmp_path, name):
    with pytest.raises(RecordError, match="cannot be a folder's name") as error:
        create(tmp_path, name)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250
    assert list(tmp_path.iterdir()) == []


def test_an_existing_run_is_not_overwritten(tmp_path):
    before = finished_run(tmp_path).digest
    with pytest.raises(RecordError, match="exists already"):
        create(tmp_path)
    assert RunFolder.open("one", tmp_path).digest == before and [p.name for p in tmp_path.iterdir()] == ["one"]


def test_day_names_and_numbers_are_inverse():
    assert [day_name(day) for day in (-1, 0, 1, 12345)] == ["burn-0001", "burn-0002", "day-0001", "day-12345"]
    assert [day_number(day_name(day)) for day in (-1, 0, 1, 12345)] == [-1, 0, 1, 12345]
    assert [day_number(name) for name in ("day-0000", "day-1", "day-00001", "burn-0009", ".tmp-day-0001", "scores")] == [
        None
    ] * 6


def test_a_run_is_found_by_id_and_by_path(tmp_path):
    path = finished_run(tmp_path).path
    assert RunFolder.open("one", tmp_path).path == RunFolder.open(path).path == path
    with pytest.raises(RecordError, match=r"No run 'two'.*Known there: one"):
        RunFolder.open("two", tmp_path)


def test_another_format_version_is_refused_in_one_line(tmp_path):
    file = finished_run(tmp_path).path / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(RecordError, match="format version '99'; this program reads 1"):
        RunFolder.open("one", tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "status": 3}', "[" * 100_000])
def test_a_damaged_run_json_is_one_clear_line_and_does_not_spoil_the_list(tmp_path, content):
    finished_run(tmp_path, "good")
    (finished_run(tmp_path, "bad").path / "run.json").write_text(content)
    with pytest.raises(RecordError, match=r"run\.json: ") as error:
        RunFolder.open("bad", tmp_path)
    assert "\n" not in str(error.value)
    assert {run.id: run.status for run in list_runs(tmp_path)} == {"good": "finished", "bad": "damaged"}


def test_runs_are_listed_with_what_a_reader_looks_for(tmp_path):
    finished_run(tmp_path)
    (tmp_path / "notes.txt").write_text("not a run")
    (line,) = list_runs(tmp_path)
    assert (line.id, line.status, line.community, line.seed, line.personas, line.days, line.posts) == (
        "one", "finished", "trips", 3, 30, 2, 24,
    )  # fmt: skip
    assert list_runs(tmp_path / "nowhere") == []


# -- checkpoints


def test_a_state_comes_back_as_it_was_saved():
    state = state_after(3) | {"none": np.array([], object), "grid": np.zeros((0, 3), np.int8), "file": np.array(["é"])}
    file = io.BytesIO()
    save_state(file, state)
    again = load_state(file)
    assert again.keys() == state.keys()
    for name, array in state.items():
        assert again[name].dtype == array.dtype and np.array_equal(again[name], array)


def test_a_checkpoint_never_unpickles(tmp_path):
    np.savez(tmp_path / "bad.npz", thing=np.array([{}], object), allow_pickle=True)
    with open(tmp_path / "bad.npz", "rb") as file, pytest.raises(ValueError, match="allow_pickle"):
        load_state(file)
    with pytest.raises(TypeError, match="'thing'"):
        save_state(io.BytesIO(), {"thing": np.array([{}], object)})


@pytest.mark.parametrize(("keep", "kept"), [("all", [-1, 0, 1, 2]), ("auto", [-1, 0, 1, 2]), ("last", [0, 2])])
def test_checkpoints_are_kept_as_told(tmp_path, keep, kept):
    folder = create(tmp_path, keep=keep)
    play(folder.recorder())
    assert [day for day in DAYS if (folder.path / day_name(day) / "checkpoint/state.npz").exists()] == kept
    assert folder.state()["step"] == 2 and folder.state(0)["step"] == 0 and verify(folder) == []
    if -1 not in kept:
        with pytest.raises(RecordError, match=r"no checkpoint of day -1 is kept\. Kept: 0, 2"):
            folder.state(-1)


# -- one past, many arms


@pytest.mark.parametrize("past_kind", ["folder", "memory"])
def test_arms_that_share_a_past_equal_runs_that_lived_it(tmp_path, undisturbed, past_kind):
    past = create(tmp_path, "past") if past_kind == "folder" else MemoryRecorder(people(), LABEL_SETS)
    play(past.recorder() if isinstance(past, RunFolder) else past, [-1, 0])
    arm = create(tmp_path, "arm", past=past)
    assert arm.days == [-1, 0] and arm.state()["step"] == 0
    play(arm.recorder(), [1, 2])
    assert arm.digest == undisturbed and verify(arm) == []
    assert MemoryRecorder(people(), LABEL_SETS, past=arm, through=2).digest == undisturbed


def test_a_past_that_has_not_got_so_far_cannot_be_shared(tmp_path):
    past = MemoryRecorder(people(), LABEL_SETS)
    play(past, [-1])
    with pytest.raises(RecordError, match="past through day 0 was asked for; the run to share has these days: -1 to -1"):
        create(tmp_path, past=past)
    assert list(tmp_path.iterdir()) == []


def test_labels_that_only_the_past_knows_keep_their_names(tmp_path):
    past = finished_run(tmp_path, "past")
    arm = RunFolder.create(
        tmp_path, "arm", CAUSE, people(), {"topics": LABEL_SETS["topics"], "policies": ("quiet",)}, past=past
    )
    assert arm.label_sets["policies"] == ("quiet", "automod", "human_review")
    assert set(arm.frames().table("rulings", burn_in=True)["policy"].dropna()) == {"automod", "human_review"}


# -- one writer, and what becomes of it


def test_two_writers_on_one_run_are_one_clear_line(tmp_path):
    folder = create(tmp_path)
    with pytest.raises(RecordError, match=f"process {os.getpid()} is writing this run"):
        RunFolder.open("one", tmp_path).resume()
    play(folder.recorder(), [-1])  # the first writer is not disturbed
    with pytest.raises(RecordError, match="opened for reading"):
        RunFolder.open("one", tmp_path).recorder()


def test_status_tells_running_interrupted_stopped_and_finished(tmp_path):
    folder, reader = create(tmp_path), RunFolder.open("one", tmp_path)
    assert reader.status == folder.status == "running"
    folder.release()
    assert reader.status == "interrupted"
    folder, _, _ = reader.resume()
    folder.finish("stopped")
    assert reader.status == "stopped"
    go_on(tmp_path)
    assert reader.status == "finished"
    with pytest.raises(RecordError, match="is finished; there is nothing to resume"):
        reader.resume()


def test_a_failed_run_says_why_and_can_be_resumed(tmp_path, undisturbed):
    folder = create(tmp_path)
    play(folder.recorder(), [-1, 0])
    folder.finish("failed", message="the disk is full")
    assert list_runs(tmp_path)[0].message == "the disk is full"
    assert go_on(tmp_path).digest == undisturbed


def test_resuming_hands_back_the_last_day_and_its_state_and_sweeps_up(tmp_path):
    folder = create(tmp_path)
    play(folder.recorder(), [-1, 0, 1])
    folder.release()
    (folder.path / ".tmp-day-0002").mkdir()
    (folder.path / ".tmp-day-0002" / "posts.parquet").write_bytes(b"half")
    (folder.path / ".tmp-run.json").write_bytes(b"half")
    assert verify(folder) == []
    _, last, state = folder.resume()
    assert last == 1 and np.array_equal(state["mood"], np.ones(5, np.float32))
    assert not list(folder.path.glob(".tmp*"))


def test_a_run_without_a_finished_day_resumes_from_the_beginning(tmp_path):
    create(tmp_path).release()
    _, last, state = RunFolder.open("one", tmp_path).resume()
    assert (last, state) == (None, {})


def test_a_damaged_checkpoint_stops_the_resume_and_leaves_the_run_unlocked(tmp_path):
    folder = create(tmp_path)
    play(folder.recorder(), [-1])
    folder.release()
    file = folder.path / "burn-0001/checkpoint/state.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    for broken in (bytes(content), content[: len(content) // 2], b""):
        file.write_bytes(broken)
        with pytest.raises(RecordError, match=r"state\.npz: .*(damaged|differs)"):
            folder.resume()
        assert folder.status == "interrupted"


def test_the_checkpoint_of_another_day_is_noticed(tmp_path):
    folder = create(tmp_path)
    play(folder.recorder(), [-1, 0])
    folder.release()
    files = [folder.path / name / "checkpoint/state.npz" for name in ("burn-0001", "burn-0002")]
    files[1].write_bytes(files[0].read_bytes())
    assert verify(folder) == ["burn-0002/checkpoint/state.npz: differs from its digest"]
    with pytest.raises(RecordError, match=r"burn-0002/checkpoint/state\.npz: differs from its digest"):
        folder.resume()


# -- kills: SIGKILL before every call that reaches the disk, and at moments of the kill's own choosing

LITTLE = {"days": (0, 1), "tables": ("posts", "failures")}

WRITER = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from sample_runs import CAUSE, LABEL_SETS, people, play
from simulacra.record.runs import RunFolder

def write(runs_dir, **options):
    folder = RunFolder.create(runs_dir, "one", CAUSE, people(), LABEL_SETS)
    print("ready", flush=True)
    play(folder.recorder(), **options)
    folder.finish("finished")
"""

EVERY_CALL = """
def die_at(number):
    calls = iter(range(10_000))
    def deadly(call):
        def wrapped(*a, **k):
            if next(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*a, **k)
        return wrapped
    for name, call in {"fsync": int, "rename": os.rename, "replace": os.replace}.items():
        setattr(os, name, deadly(call))

sys.stdout = open(os.devnull, "w")
write(Path(sys.argv[1]) / "undisturbed", days=(0,), tables=("failures",))
for number in range(10_000):
    if not (child := os.fork()):
        die_at(number)
        write(Path(sys.argv[1]) / str(number), days=(0, 1), tables=("posts", "failures"))
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
"""


@pytest.fixture
def no_fsync(monkeypatch):
    """Syncing matters when the power fails, not when a process dies; tests of the latter spare the disk."""
    monkeypatch.setattr(os, "fsync", int)


def script(ending: str) -> list[str]:
    return [sys.executable, "-c", WRITER.format(tests=str(TESTS), root=str(TESTS.parent)) + ending]


def test_killed_before_any_call_a_run_resumes_to_the_digest_of_an_undisturbed_one(tmp_path, no_fsync):
    subprocess.run([*script(EVERY_CALL), str(tmp_path)], check=True, timeout=60)
    digest, resumed = digest_of(**LITTLE), set()
    for runs_dir in tmp_path.glob("[0-9]*"):
        if not (runs_dir / "one").exists():
            continue  # killed before there was a run: nothing but a temporary name
        folder = RunFolder.open("one", runs_dir)
        assert verify(folder) == [], runs_dir.name
        if folder.status != "finished":
            resumed.add((folder.status, len(folder.days), len(folder.info["days"])))
            go_on(runs_dir, **LITTLE)
        assert folder.digest == digest and verify(folder) == [], runs_dir.name
    # Among them: the day renamed and run.json not yet written.
    assert resumed == {("interrupted", days, told) for days, told in [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]}


def test_killed_at_a_random_moment_a_run_resumes_to_the_same_digest(tmp_path, no_fsync):
    endless = script("write(Path(sys.argv[1]), days=range(10**6), tables=('posts', 'failures'))")
    for attempt in range(3):
        runs_dir = tmp_path / str(attempt)
        with subprocess.Popen([*endless, str(runs_dir)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(timeout=random.Random(attempt).uniform(0.01, 0.2))
            assert RunFolder.open("one", runs_dir).status == "running"
            writer.send_signal(signal.SIGKILL)
        folder = RunFolder.open("one", runs_dir)
        assert folder.status == "interrupted" and verify(folder) == []
        days = range(max(folder.days, default=0) + 2)
        assert go_on(runs_dir, days, tables=LITTLE["tables"]).digest == digest_of(days, tables=LITTLE["tables"])


# -- full disks and forbidden folders


class FullDisk:
    """Lets so many calls through, then the disk is full: every write, sync and rename counts as one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: int, code: int = errno.ENOSPC) -> None:
        self.left = allowed
        self.code = code
        disk = self

        class File(io.FileIO):
            def write(self, data):
                disk.spend()
                return super().write(data)

        for name, call in {"fsync": int, "rename": os.rename, "replace": os.replace}.items():
            monkeypatch.setattr(os, name, self.guarded(call))
        monkeypatch.setattr(durable, "open", lambda path, mode: File(path, mode), raising=False)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(self.code, os.strerror(self.code))

    def guarded(self, call):
        def wrapped(*args, **kwargs):
            self.spend()
            return call(*args, **kwargs)

        return wrapped


def play_until_full(runs_dir: Path) -> str:
    """What the user is told; "" where it all fitted."""
    try:
        with create(runs_dir) as folder:
            play(folder.recorder(), **LITTLE)
            folder.finish("finished")
    except RecordError as error:
        return str(error)
    return ""


def test_whenever_the_disk_fills_up_finished_days_are_intact_and_the_run_can_go_on(tmp_path, no_fsync, monkeypatch):
    digest, days_left = digest_of(**LITTLE), set()
    for allowed in range(0, 10_000, 3):
        runs_dir = tmp_path / str(allowed)
        with monkeypatch.context() as patch:
            FullDisk(patch, allowed, errno.EDQUOT if allowed % 2 else errno.ENOSPC)
            told = play_until_full(runs_dir)
        if not told:
            break
        assert "the disk is full" in told and "\n" not in told
        if not (runs_dir / "one").exists():
            assert not list(runs_dir.iterdir())
            continue
        folder = RunFolder.open("one", runs_dir)
        days_left.add(len(folder.days))
        assert verify(folder) == [] and not list(folder.path.glob(".tmp*")), allowed
        if folder.status != "finished":
            assert go_on(runs_dir, **LITTLE).digest == digest and verify(folder) == []
    assert allowed > 100 and days_left == {0, 1, 2}


def test_a_day_that_did_not_fit_can_be_closed_again_when_there_is_space(tmp_path, undisturbed, monkeypatch):
    folder = create(tmp_path)
    recorder = folder.recorder()
    play(recorder, [-1, 0, 1])
    with monkeypatch.context() as patch:
        FullDisk(patch, 5)
        with pytest.raises(RecordError, match="disk is full"):
            play(recorder, [2])
    assert folder.days == [-1, 0, 1] and not list(folder.path.glob(".tmp*"))
    recorder.close_day(2, state_after(2))
    assert folder.digest == undisturbed


def test_a_real_file_size_limit_is_a_full_disk_too(tmp_path):
    folder = create(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(RecordError, match="disk is full or a quota is reached"):
            play(folder.recorder(), [-1], rows=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert folder.days == [] and verify(folder) == []


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RecordError, match="file/one: Not a directory"):
        create(tmp_path / "file")
    FullDisk(monkeypatch, 0, errno.EACCES)  # real permissions would not stop root, who runs tests in containers
    with pytest.raises(RecordError, match=r"not permitted\. Choose a folder"):
        create(tmp_path / "locked")
    assert not list((tmp_path / "locked").iterdir())


def test_a_reader_sees_finished_days_only(tmp_path):
    folder = create(tmp_path)
    reader = RunFolder.open("one", tmp_path).frames()
    assert len(reader.table("posts", burn_in=True)) == 0
    play(folder.recorder(), [-1, 0])
    assert len(reader.table("posts", burn_in=True)) == 24 and len(reader.table("posts")) == 0
