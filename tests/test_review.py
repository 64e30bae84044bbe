import json

import pytest
from sample_runs import finished_run

from simulacra.errors import RecordError
from simulacra.record.review import LONGEST_NOTE, add_note, notes
from simulacra.record.verify import verify

HOSTILE = '=cmd()\r\n\x1b[31m\u202e{"post": 9}\n</script> 🙂 \ud800'


@pytest.fixture
def run(tmp_path):
    return finished_run(tmp_path)


def test_notes_come_back_in_order_and_leave_the_digest_alone(run):
    before = run.digest
    first = add_note(run, 3, "off topic?", ["rule 3", "unsure"], "Ana")
    second = add_note(run, 4, HOSTILE, [HOSTILE], HOSTILE)
    assert notes(run) == [first, second] and notes(run, post=4) == [second]
    assert verify(run) == [] and run.digest == before


def test_each_note_is_one_line_of_plain_json(run):
    add_note(run, 4, HOSTILE)
    content = (run.path / "review.jsonl").read_bytes()
    assert content.count(b"\n") == 1 and content.isascii() and b"\x1b" not in content
    assert json.loads(content)["text"] == HOSTILE


def test_a_line_cut_short_by_a_crash_costs_that_note_only(run):
    kept = add_note(run, 1, "kept")
    with open(run.path / "review.jsonl", "ab") as file:
        file.write(b'{"post": 2, "te')
    later = add_note(run, 3, "later")
    with pytest.warns(UserWarning, match="line 2 is no note"):
        assert notes(run) == [kept, later]


def test_a_run_without_notes_has_none(run):
    assert notes(run) == []


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_NOTE + 1)])
def test_notes_that_say_nothing_or_too_much_are_refused(run, text):
    with pytest.raises(RecordError):
        add_note(run, 1, text)
    assert not (run.path / "review.jsonl").exists()
