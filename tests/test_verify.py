import io
import json
import random
import shutil
from threading import get_ident

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_runs import CAUSE, LABEL_SETS, finished_run, people, play

from simulacra.record.runfiles import PERSONAS_FILE, open_parquet, read_parquet, read_rows
from simulacra.record.runs import RunFolder
from simulacra.record.verify import FolderFiles, differences, verify


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("runs")).path


@pytest.fixture
def run(intact, tmp_path):
    return RunFolder(shutil.copytree(intact, tmp_path / "one"))


def change(file, **columns):
    table = read_parquet(file)
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values).cast(table.schema.field(name).type))
    pq.write_table(table, file)


def edit(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


class Watched(io.BytesIO):
    """A file that notes which threads read it."""

    def __init__(self, content, readers):
        super().__init__(content)
        self.readers = readers

    def read(self, *size):
        self.readers.add(get_ident())
        return super().read(*size)


class WatchedFiles(FolderFiles):
    def __init__(self, path):
        super().__init__(path)
        self.readers = set()

    def open(self, name):
        return Watched((self.path / name).read_bytes(), self.readers)


def test_no_thread_but_the_callers_holds_a_python_file(run):
    """Arrow's threads let go of one late: in a program that is ending, that aborts it."""
    files = WatchedFiles(run.path)
    assert differences(files, limit=10**8) == []
    read_rows(open_parquet(Watched((run.path / PERSONAS_FILE).read_bytes(), files.readers)))
    assert files.readers == {get_ident()}


def test_an_intact_run_differs_in_nothing(run):
    assert verify(run) == verify(run.path) == verify(str(run.path)) == []


def test_rewriting_a_file_otherwise_is_no_difference(run):
    file = run.path / "day-0001/posts.parquet"
    table = read_parquet(file)
    plain = table.cast(pa.schema([(f.name, pa.string() if f.name == "act" else f.type) for f in table.schema]))
    pq.write_table(plain.cast(table.schema), file, compression="gzip", row_group_size=5)
    assert verify(run) == []


def test_a_changed_word_is_named_by_day_table_and_column(run):
    file = run.path / "day-0001/posts.parquet"
    change(file, text=["kinder words", *read_parquet(file)["text"].to_pylist()[1:]])
    assert verify(run) == ["day-0001/posts.parquet: column 'text' differs from its digest"]


def test_what_is_missing_added_or_out_of_place_is_named(run):
    shutil.rmtree(run.path / "burn-0002")
    (run.path / "day-0001/visits.parquet").unlink()
    (run.path / "day-0001/extra.csv").write_text("1")
    shutil.copytree(run.path / "day-0002", run.path / "day-0003")
    assert verify(run) == [
        "burn-0002: day 0 is missing",
        "day-0001/visits.parquet: is missing",
        "'day-0001/extra.csv': is not part of the record",
        "day-0003: day 3 is not part of the record",
    ]


def test_a_day_put_in_the_place_of_another_is_noticed(run):
    shutil.rmtree(run.path / "day-0001")
    shutil.copytree(run.path / "day-0002", run.path / "day-0001")
    assert "day-0001/day.json: day 1 differs from its digest" in verify(run)


def test_rows_and_columns_that_should_not_be_there_are_named(run):
    posts, visits = run.path / "day-0001/posts.parquet", run.path / "day-0001/visits.parquet"
    pq.write_table(read_parquet(posts).slice(1), posts)
    pq.write_table(read_parquet(visits).drop_columns("wrote"), visits)
    assert [line.split(" found")[0] for line in verify(run)] == [
        "day-0001/visits.parquet: columns 'step, persona, slate, looked'",
        "day-0001/posts.parquet: 11 rows",
    ]


def test_a_consistent_forgery_of_a_day_is_told_by_the_runs_digest(run, tmp_path):
    other = RunFolder.create(tmp_path, "other", CAUSE, people(), LABEL_SETS)
    play(other.recorder(), seed=1)
    shutil.rmtree(run.path / "day-0001")
    shutil.copytree(other.path / "day-0001", run.path / "day-0001")
    assert "day-0001/day.json: day 1 differs from its digest" in verify(run)
    edit(run.path / "run.json", days=[{"day": day, "digest": run.facts(day).digest} for day in run.days])
    assert verify(run) == ["run.json: the run's digest differs from that of its days"]


@pytest.mark.parametrize(("key", "value", "told"), [
    ("cause", {"community": "another"}, "the cause or the labels differ"),
    ("labels", {"topics": ["a"]}, "the cause or the labels differ"),
    ("digest", "0" * 32, "the run's digest differs"),
    ("counts", {"posts": 10**6}, "the counts differ"),
    ("personas", {"rows": 30, "digest": "0" * 32}, "personas.parquet: differs"),
    ("personas", {"rows": 31, "digest": "0" * 32}, "30 rows found, 31 expected"),
    ("days", [{"day": "one"}], "are damaged"),
    ("format", 2, "format version '2'"),
])  # fmt: skip
def test_a_changed_run_json_is_noticed(run, key, value, told):
    edit(run.path / "run.json", **{key: value})
    lines = verify(run)
    assert any(told in line for line in lines) and all("\n" not in line for line in lines)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize(
    "name", ["personas.parquet", "day-0001/posts.parquet", "day-0001/checkpoint/state.npz", "day-0001/day.json"]
)
def test_a_file_cut_short_is_one_clear_line(run, name, share):
    file = run.path / name
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    (line,) = verify(run)
    assert name in line and "\n" not in line and len(line) < 400


@pytest.mark.parametrize(
    "name", ["personas.parquet", "day-0001/posts.parquet", "day-0001/checkpoint/state.npz", "day-0001/day.json"]
)
def test_no_flipped_byte_makes_verify_fail_or_an_altered_value_pass(run, name):
    file, choose = run.path / name, random.Random(name)
    content = file.read_bytes()
    for place in sorted(choose.sample(range(len(content)), 25)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << choose.randrange(8)
        file.write_bytes(flipped)
        lines = verify(run)
        assert all("\n" not in line for line in lines)
        if not lines and "posts" in name:  # a byte that no value depends on: statistics, the writer's name
            file.write_bytes(content)
            before = read_parquet(file)
            file.write_bytes(flipped)
            assert read_parquet(file).equals(before)


def test_a_run_that_is_being_written_verifies(tmp_path):
    folder = RunFolder.create(tmp_path, "one", CAUSE, people(), LABEL_SETS)
    play(folder.recorder(), [-1, 0])
    (folder.path / ".tmp-day-0001").mkdir()
    assert verify(folder) == []


def test_a_folder_that_is_no_run_is_one_line(tmp_path):
    (line,) = verify(tmp_path)
    assert "run.json: No such file or directory" in line
