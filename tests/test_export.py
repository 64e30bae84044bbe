import csv
import json
import re
import shutil
import stat
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_runs import CAUSE, LABEL_SETS, finished_run, people, play

from simulacra.errors import RecordError, SpecError
from simulacra.events import TABLES
from simulacra.record.bundle import import_bundle
from simulacra.record.export import _FORMULA, export_run, safe_for_spreadsheets
from simulacra.record.runs import RunFolder
from simulacra.record.tables import DayBuffer
from simulacra.record.verify import verify


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("runs"))


# -- csv and parquet


def test_csv_holds_the_measured_rows_of_every_table(run, tmp_path):
    folder = export_run(run, "csv", tmp_path / "out")
    assert sorted(file.stem for file in folder.iterdir()) == sorted([*TABLES, "personas"])
    posts, expected = pd.read_csv(folder / "posts.csv"), run.frames().table("posts")
    assert list(posts) == list(expected)
    assert posts["text"].tolist() == expected["text"].tolist() and posts["act"].tolist() == expected["act"].tolist()
    assert np.array_equal(posts["toxicity"].astype(np.float32), expected["toxicity"])
    personas = pd.read_csv(folder / "personas.csv")
    assert [name for name in personas if name.startswith("interests")] == [
        f"interests.{topic}" for topic in LABEL_SETS["topics"]
    ]
    assert np.array_equal(personas["interests.food"].astype(np.float32), run.population.interests[:, 1])


def test_parquet_holds_the_frames_and_burn_in_on_request(run, tmp_path):
    measured, everything = export_run(run, "parquet", tmp_path / "a"), export_run(run, "parquet", tmp_path / "b", burn_in=True)
    for table in TABLES:
        pd.testing.assert_frame_equal(pd.read_parquet(measured / f"{table}.parquet"), run.frames().table(table))
        assert pd.read_parquet(everything / f"{table}.parquet")["day"].min() == -1


def test_a_run_in_which_nothing_happened_exports_empty_tables(tmp_path):
    empty = RunFolder.create(tmp_path, "empty", CAUSE, people(), LABEL_SETS)
    folder = export_run(empty, "csv", tmp_path / "out")
    assert next(csv.reader(open(folder / "posts.csv")))[0] == "id"  # noqa: SIM115
    corpus = export_run(empty, "convokit", tmp_path / "corpus")
    assert (corpus / "utterances.jsonl").read_bytes() == b""


def spreadsheet_cells(texts):
    buffer = DayBuffer(LABEL_SETS)
    buffer.add("failures", step=np.zeros(len(texts), np.int32), persona=0, reason=texts)
    return safe_for_spreadsheets(buffer.seal()["failures"])["reason"].to_pylist()


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u00a0=", "\u202e=", "\ufeff=", "\x1b=", "＝", "\r\n@"]
)
def test_no_cell_can_be_taken_for_a_formula(start):
    (cell,) = spreadsheet_cells([start + "HYPERLINK(1)"])
    assert cell.startswith("'") and "\x1b" not in cell


def test_harmless_cells_stay_as_they_are():
    texts = ["", "a = b", "3 - 2", "it's", "'quoted'", "two\nlines", "größer 🙂", ":-)"]
    assert spreadsheet_cells(texts) == texts


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="'=+-@ \tab\u202e", max_size=5))
def test_neutralising_can_be_undone(text):
    (cell,) = spreadsheet_cells([text])
    undo = re.match(_FORMULA.replace(r"[\pZ\pC]", r"[\s\u202e]"), cell)
    assert (cell[1:] if undo and cell.startswith("'") else cell) == text


def test_hostile_text_survives_csv_as_one_cell(tmp_path):
    texts = ['a,"b"\n=1+1', '"', "\\", "x\r\ny", "<script>", "\u2028"]
    folder = RunFolder.create(tmp_path, "one", CAUSE, people(), LABEL_SETS)
    recorder = folder.recorder()
    recorder.add("failures", step=1, persona=np.arange(len(texts)), reason=texts)
    recorder.close_day(1, {})
    out = export_run(folder, "csv", tmp_path / "out")
    with open(out / "failures.csv", newline="", encoding="utf-8") as file:
        assert [row["reason"] for row in csv.DictReader(file)] == texts


@pytest.mark.parametrize("to", ["csv", "parquet", "zip", "convokit"])
def test_nothing_is_overwritten_and_nothing_is_left_behind(run, tmp_path, to):
    out = tmp_path / "new" / "out"
    assert export_run(run, to, out) == out and list(out.parent.iterdir()) == [out]
    with pytest.raises(RecordError, match="exists already"):
        export_run(run, to, out)
    broken = RunFolder(shutil.copytree(run.path, tmp_path / "broken"))
    (broken.path / "personas.parquet").unlink()
    (broken.path / "day-0001/posts.parquet").write_bytes(b"PAR1")
    if to != "zip":  # a zip carries the folder as it is; importing it is refused
        with pytest.raises(RecordError):
            export_run(broken, to, tmp_path / "partly" / "out")
        assert not list((tmp_path / "partly").iterdir())
    assert verify(run) == []


def test_an_unknown_format_names_the_known_ones(run, tmp_path):
    with pytest.raises(SpecError, match=r"'xlsx'\. Known: csv, parquet, zip, convokit"):
        export_run(run, "xlsx", tmp_path / "out")


# -- zip


@pytest.fixture
def bundle(run, tmp_path):
    return export_run(run, "zip", tmp_path / "run.zip")


def test_a_bundle_comes_back_as_the_same_run_ready_to_read_and_resume(tmp_path):
    folder = RunFolder.create(tmp_path, "one", CAUSE, people(), LABEL_SETS)
    play(folder.recorder(), [-1, 0, 1])
    with pytest.raises(RecordError, match="is being written"):
        export_run(folder, "zip", tmp_path / "run.zip")
    folder.finish("stopped")
    again = import_bundle(export_run(folder, "zip", tmp_path / "run.zip"), tmp_path / "elsewhere")
    assert (again.id, again.digest, again.status, verify(again)) == ("one", folder.digest, "stopped", [])
    resumed, last, _ = again.resume()
    play(resumed.recorder(), [2])
    assert last == 1 and verify(resumed) == []


def test_equal_runs_give_equal_bundles(run, bundle, tmp_path):
    assert export_run(run, "zip", tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_a_bundle_packed_by_hand_without_its_folder_is_taken_too(run, tmp_path):
    shutil.make_archive(str(tmp_path / "plain"), "zip", run.path)
    with zipfile.ZipFile(tmp_path / "plain.zip") as there, zipfile.ZipFile(tmp_path / "nolock.zip", "w") as here:
        for name in there.namelist():
            if name != "lock" and not name.endswith("/"):
                here.writestr(name, there.read(name))
    assert import_bundle(tmp_path / "nolock.zip", tmp_path / "runs", "mine").digest == run.digest


def test_an_existing_run_is_not_replaced_but_another_name_helps(bundle, tmp_path):
    import_bundle(bundle, tmp_path / "runs")
    with pytest.raises(RecordError, match=r"exists already\. Import the bundle under another run name"):
        import_bundle(bundle, tmp_path / "runs")
    assert import_bundle(bundle, tmp_path / "runs", "two").info["run"] == "two"


def repacked(bundle, change=None, drop=(), add=()):
    """The bundle with members changed, dropped or added."""
    out = bundle.with_name("bad.zip")
    with zipfile.ZipFile(bundle) as there, zipfile.ZipFile(out, "w") as here:
        for entry in there.infolist():
            if entry.filename not in drop:
                content = there.read(entry)
                here.writestr(entry, change(entry.filename, content) if change else content)
        for name, content in add:
            here.writestr(name, content)
    return out


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


HOSTILE_MEMBERS = [
    "../evil", "/etc/evil", "one/../../evil", "one/day-0001/../../../evil", "C:\\evil", "one\\run.json", "one/evil.py", "lock",
    "one/scores/../x.parquet", "one/day-0001/posts.parquet.exe", "two/three/run.json", "../run.json", "one/.tmp-x",
]  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE_MEMBERS, link("one/scores/a.parquet")], ids=str)
def test_members_that_do_not_belong_in_a_run_are_refused_before_anything_is_written(bundle, tmp_path, name):
    with pytest.raises(RecordError, match="does not belong in a run") as error:
        import_bundle(repacked(bundle, add=[(name, "x")]), tmp_path / "runs")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists() and not (tmp_path / "evil").exists()


def with_run_json(**changes):
    return lambda name, content: json.dumps(json.loads(content) | changes) if name.endswith("run.json") else content


def with_other_words(name, content):
    return content.replace(b"words", b"w0rds") if name.endswith("day-0001/failures.parquet") else content


@pytest.mark.parametrize(("changes", "told"), [
    ({"add": [("run.json", "{}")]}, "twice"),
    ({"drop": ["one/run.json"]}, r"run\.json is missing"),
    ({"drop": ["one/day-0001/posts.parquet"]}, "posts.parquet: is missing"),
    ({"drop": ["one/day-0001/day.json"]}, "day.json"),
    ({"change": with_run_json(format=9)}, "format version '9'"),
    ({"change": with_run_json(run="../../x")}, "cannot be a folder's name"),
    ({"change": with_run_json(digest="0" * 32)}, "digest differs"),
    ({"change": with_run_json(cause={"a": 1})}, "the cause or the labels differ"),
    ({"change": lambda name, content: b"PAR1" if name.endswith("posts.parquet") else content}, "damaged or truncated"),
    ({"change": lambda name, content: content[:-9] if name.endswith("npz") else content}, "damaged checkpoint"),
])  # fmt: skip
def test_a_bundle_that_is_no_intact_run_is_refused_before_anything_is_written(bundle, tmp_path, changes, told):
    with pytest.raises(RecordError, match=told) as error:
        import_bundle(repacked(bundle, **changes), tmp_path / "runs")
    assert "\n" not in str(error.value) and not (tmp_path / "runs").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip" * 100])
def test_what_is_no_zip_is_one_line(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(RecordError, match="no zip file, or a damaged one"):
        import_bundle(tmp_path / "x.zip", tmp_path / "runs")
    with pytest.raises(RecordError, match="No such file"):
        import_bundle(tmp_path / "nowhere.zip", tmp_path / "runs")


def test_a_bomb_is_refused_by_what_it_claims_to_unpack_to(bundle, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("one/run.json", b" " * 10**7)
    with pytest.raises(RecordError, match="unpacks to 10000000 bytes"):
        import_bundle(tmp_path / "bomb.zip", tmp_path / "runs", limit=10**6)


def test_a_parquet_file_that_repeats_one_long_text_is_refused_before_it_is_unpacked(tmp_path):
    folder = RunFolder.create(tmp_path, "one", CAUSE, people(), LABEL_SETS)
    recorder = folder.recorder()
    recorder.add("failures", step=1, persona=np.zeros(1000, np.int32), reason=["x" * 100_000] * 1000)
    recorder.close_day(1, {})
    folder.finish("finished")
    bundle = export_run(folder, "zip", tmp_path / "run.zip")
    assert bundle.stat().st_size < 500_000
    with pytest.raises(RecordError, match=r"failures\.parquet: unpacks to 1000\d+ bytes, 10000000 are allowed"):
        import_bundle(bundle, tmp_path / "runs", limit=10**7)


# -- ConvoKit


@pytest.fixture(scope="module")
def corpus(run, tmp_path_factory):
    return export_run(run, "convokit", tmp_path_factory.mktemp("corpora") / "corpus")


def test_a_corpus_has_the_documented_files_and_fields(run, corpus):
    assert sorted(file.name for file in corpus.iterdir()) == [
        "conversations.json", "corpus.json", "index.json", "speakers.json", "utterances.jsonl",
    ]  # fmt: skip
    utterances = [json.loads(line) for line in open(corpus / "utterances.jsonl")]  # noqa: SIM115
    posts = run.frames().table("posts", burn_in=True)
    assert len(utterances) == len(posts)
    for utterance, post in zip(utterances, posts.itertuples(), strict=True):
        parent = None if post.parent < 0 else str(post.parent)
        assert utterance["reply_to"] == utterance["reply-to"] == parent
        assert (utterance["id"], utterance["conversation_id"], utterance["text"]) == (str(post.id), str(post.root), post.text)
        assert utterance["speaker"] == f"someone_{post.author}" and utterance["timestamp"] == post.step * 3600
        assert utterance["meta"]["act"] == post.act and utterance["meta"]["toxicity"] == round(float(post.toxicity), 4)
        assert utterance["meta"]["burn_in"] == (post.step < 0)
    index = json.loads((corpus / "index.json").read_text())
    assert index.keys() == {"utterances-index", "speakers-index", "conversations-index", "overall-index", "version", "vectors"}
    assert index["utterances-index"].keys() == utterances[0]["meta"].keys()
    assert json.loads((corpus / "speakers.json").read_text()).keys() == {utterance["speaker"] for utterance in utterances}
    conversations = json.loads((corpus / "conversations.json").read_text())
    assert conversations.keys() == {utterance["conversation_id"] for utterance in utterances}


def test_a_corpus_tells_votes_and_removals(run, corpus):
    frames = run.frames()
    votes = frames.sql("SELECT post, count(*) AS n FROM reactions WHERE reaction = 1 GROUP BY post").set_index("post")["n"]
    removed = set(frames.sql("SELECT post FROM rulings WHERE action = 'remove'")["post"])
    for line in open(corpus / "utterances.jsonl"):  # noqa: SIM115
        utterance = json.loads(line)
        assert utterance["meta"]["upvotes"] == votes.get(int(utterance["id"]), 0)
        assert utterance["meta"]["removed"] == (int(utterance["id"]) in removed)


def test_convokit_itself_loads_the_corpus(run, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # ConvoKit writes a settings file into the home folder
    convokit = pytest.importorskip("convokit")
    loaded = convokit.Corpus(filename=str(corpus))
    posts = run.frames().table("posts", burn_in=True)
    assert len(loaded.utterances) == len(posts)
    assert len(loaded.conversations) == posts["root"].nunique() and len(loaded.speakers) == posts["author"].nunique()
    for conversation in loaded.iter_conversations():
        assert conversation.check_integrity(verbose=False)
    post = posts.iloc[1]
    utterance = loaded.get_utterance(str(post["id"]))
    assert (utterance.reply_to, utterance.conversation_id) == (str(post["parent"]), str(post["root"]))
    assert utterance.meta["valence"] == round(float(post["valence"]), 4)
    assert utterance.speaker.meta["persona"] == post["author"]
    loaded.dump("again", base_path=str(tmp_path))
    again = convokit.Corpus(filename=str(tmp_path / "again"))
    assert {u.id: (u.text, u.reply_to, u.timestamp) for u in again.iter_utterances()} == {
        u.id: (u.text, u.reply_to, u.timestamp) for u in loaded.iter_utterances()
    }


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_formula_cells_are_disarmed_whatever_kind_of_string_holds_them(kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["=cmd()", "+1", "fine"], kind)})
    cells = safe_for_spreadsheets(table)["text"].to_pylist()
    assert not any(cell[0] in "=+-@" for cell in cells) and cells[2] == "fine"
