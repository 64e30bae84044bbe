import numpy as np
import pandas as pd
import pytest
from sample_runs import LABEL_SETS, events, finished_run, people, play

from simulacra.errors import RecordError, SpecError
from simulacra.events import ACTS, TABLES
from simulacra.record.recording import MemoryRecorder
from simulacra.record.runs import RunFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    hostile = tmp_path_factory.mktemp("it's [a] day=1 *?")
    return finished_run(hostile)


@pytest.fixture(scope="module")
def memory():
    recorder = MemoryRecorder(people(), LABEL_SETS)
    play(recorder)
    return recorder


@pytest.mark.parametrize("table", [*TABLES, "personas"])
def test_folder_and_memory_give_the_same_frames(folder, memory, table):
    here, there = folder.frames(), memory.frames()
    pd.testing.assert_frame_equal(here.table(table), there.table(table))
    pd.testing.assert_frame_equal(here.table(table, burn_in=True), there.table(table, burn_in=True))
    query = f"SELECT * FROM {table} ORDER BY ALL"
    pd.testing.assert_frame_equal(here.sql(query), there.sql(query))


def test_a_frame_holds_what_was_recorded(folder):
    posts = folder.frames().table("posts")
    recorded = pd.concat([pd.DataFrame(events("posts", day, 12)) for day in (1, 2)], ignore_index=True)
    assert posts["text"].tolist() == recorded["text"].tolist()
    assert posts["act"].astype(str).tolist() == [ACTS[code] for code in recorded["act"]]
    assert np.abs(posts["toxicity"] - recorded["toxicity"]).max() <= 0.00005 + 1e-7
    assert posts["day"].tolist() == [1] * 12 + [2] * 12


def test_labels_are_categoricals_over_the_whole_set_in_its_order(folder):
    posts = folder.frames().table("posts")
    assert tuple(posts["act"].cat.categories) == ACTS
    assert tuple(posts["topic"].cat.categories) == LABEL_SETS["topics"]


def test_burn_in_is_left_out_unless_asked_for(folder):
    frames = folder.frames()
    assert sorted(frames.table("posts")["day"].unique()) == [1, 2]
    assert frames.table("posts", burn_in=True)["day"].tolist() == [-1] * 12 + [0] * 12 + [1] * 12 + [2] * 12
    days = frames.sql("SELECT day, burn_in, count(*) AS posts FROM posts GROUP BY ALL ORDER BY day")
    assert days["day"].tolist() == [-1, 0, 1, 2] and days["burn_in"].tolist() == [True, True, False, False]
    assert days["posts"].tolist() == [12] * 4


def test_columns_can_be_chosen_in_any_order(folder):
    frames = folder.frames()
    assert list(frames.table("impressions", columns=["day", "post"])) == ["day", "post"]
    assert list(frames.table("personas", columns=["handle"])) == ["handle"]


def test_tables_without_rows_are_empty_with_all_their_columns():
    frames = MemoryRecorder(people(), LABEL_SETS).frames()
    for table, columns in TABLES.items():
        assert list(frames.table(table)) == [*(column.name for column in columns), "day"]
    assert frames.sql("SELECT count(*) AS n FROM posts")["n"][0] == 0
    assert isinstance(frames.table("posts")["act"].dtype, pd.CategoricalDtype)


def test_daily_tables_add_up_to_the_whole(folder):
    frames = folder.frames()
    assert sum(part.num_rows for part in frames.daily("posts", burn_in=True)) == frames.arrow("posts", burn_in=True).num_rows
    assert all(part.schema.equals(frames.schema("posts")) for part in frames.daily("posts"))


@pytest.mark.parametrize("query", [
    "SELECT nothing FROM posts", "SELEC", "", "SELECT * FROM read_csv('/etc/passwd')", "COPY posts TO 'stolen.csv'",
    "SET enable_external_access = true", "ATTACH 'other.db'", "INSTALL httpfs",
])  # fmt: skip
def test_a_wrong_or_prying_query_is_one_line(folder, query):
    with pytest.raises(SpecError, match=r"^Query: ") as error:
        folder.frames().sql(query)
    assert "\n" not in str(error.value)


def test_unknown_tables_and_columns_name_the_known_ones(folder):
    with pytest.raises(SpecError, match=r"No table 'post'\. Known: visits, .*personas"):
        folder.frames().table("post")
    with pytest.raises(SpecError, match=r"Table posts: no column 'words_'\. Known: id, step"):
        folder.frames().table("posts", columns=["words_"])


def test_a_damaged_day_is_one_line_and_other_tables_can_still_be_read(tmp_path):
    run = finished_run(tmp_path)
    file = run.path / "day-0001/posts.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(RecordError, match=r"day-0001/posts\.parquet: damaged or truncated") as error:
        run.frames().table("posts")
    assert "\n" not in str(error.value)
    with pytest.raises(SpecError, match=r"^Query: .*day-0001/posts\.parquet"):
        run.frames().sql("SELECT count(text) FROM posts")
    assert len(RunFolder(run.path).frames().table("visits")) == 24
