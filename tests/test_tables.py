import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_runs import LABEL_SETS, events, people, play

from simulacra.events import TABLES
from simulacra.record.recording import MemoryRecorder
from simulacra.record.tables import DayBuffer, column_digest, population_from, population_table


def buffer_with(table: str, *chunks: dict) -> DayBuffer:
    buffer = DayBuffer(LABEL_SETS)
    for chunk in chunks:
        buffer.add(table, **chunk)
    return buffer


def failure(**changes: object) -> dict:
    return {"step": np.array([1, 2]), "persona": np.array([0, 1]), "reason": ["late", "empty"]} | changes


def test_a_missing_unknown_short_or_unfitting_column_is_a_bug_that_names_itself():
    with pytest.raises(ValueError, match="reason"):
        buffer_with("failures", {"step": [1], "persona": [1]})
    with pytest.raises(ValueError, match="unequal length"):
        buffer_with("failures", failure(step=np.array([1])))
    with pytest.raises(ValueError, match=r"failures\.step.*3000000000"):
        buffer_with("failures", failure(step=np.array([1, 3_000_000_000])))
    with pytest.raises(TypeError, match=r"failures\.step: float64"):
        buffer_with("failures", failure(step=np.array([1.5, 2.5])))
    with pytest.raises(ValueError, match=r"rulings\.policy"):
        buffer_with("rulings", events("rulings", 1, 4) | {"policy": 7}).seal()
    with pytest.raises(ValueError, match="policies"):
        DayBuffer({"topics": ("a",)})


def test_a_scalar_stands_for_a_column_of_equal_values():
    spread = buffer_with("failures", failure(step=np.array([5, 5]), reason=["late", "late"])).seal()
    assert buffer_with("failures", failure(step=5, reason="late")).seal() == spread


def test_rows_are_copied_when_they_are_added():
    step = np.array([1, 2], np.int32)
    buffer = buffer_with("failures", failure(step=step))
    step[:] = 9
    assert buffer.seal()["failures"]["step"].to_pylist() == [1, 2]


def test_text_without_utf8_is_kept_readable():
    sealed = buffer_with("failures", failure(reason=["half \ud83d emoji", "\0 and \x1b[31m"])).seal()
    assert sealed["failures"]["reason"].to_pylist() == ["half ? emoji", "\0 and \x1b[31m"]


def test_tables_without_rows_are_left_out():
    empty = {column.name: [] for column in TABLES["visits"]}
    assert buffer_with("visits", empty).seal() == {}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["", "a", "b", "ab", "é", "\0"]), max_size=12), st.integers(0, 12))
def test_a_digest_does_not_depend_on_chunks_or_on_the_code_table(words, cut):
    whole = pa.chunked_array([pa.array(words, pa.string())])
    halves = pa.chunked_array([whole.chunk(0)[:cut], whole.chunk(0)[cut:]])
    assert column_digest(whole) == column_digest(halves)
    coded = pa.chunked_array([pa.array(words, pa.string()).dictionary_encode()])
    labels = pa.array(sorted({*words, "unused"}, reverse=True))
    other = pa.DictionaryArray.from_arrays(pa.array([labels.to_pylist().index(word) for word in words], pa.int16()), labels)
    assert column_digest(coded) == column_digest(pa.chunked_array([other[:cut], other[cut:]]))


def test_a_digest_is_of_the_words_of_labels_and_not_of_their_codes():
    codes = pa.array([0, 1, 0], pa.int16())
    columns = [pa.DictionaryArray.from_arrays(codes, pa.array(words)) for words in (["keep", "mute"], ["keep", "revise"])]
    assert len({column_digest(pa.chunked_array([column])) for column in columns}) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=4), min_size=1, max_size=6), st.data())
def test_a_digest_tells_any_two_different_columns_apart(texts, data):
    other = data.draw(st.lists(st.text(max_size=4), min_size=1, max_size=6))
    same = column_digest(pa.chunked_array([texts])) == column_digest(pa.chunked_array([other]))
    assert same == (texts == other)


def test_digests_ignore_the_last_bits_of_floats_and_the_sign_of_zero():
    def digest(values: list[float]) -> str:
        recorder = MemoryRecorder(people(), LABEL_SETS)
        recorder.add("moods", step=0, persona=0, mood=np.array(values), satisfaction=0.5)
        recorder.close_day(1, {})
        return recorder.digest

    assert digest([0.12341, -0.0]) == digest([0.12342, 0.0])
    assert digest([0.1234, 0.0]) != digest([0.1235, 0.0])
    assert digest([np.nan, 0.0]) == digest([-np.nan, 0.0])


def test_a_digest_covers_personas_days_tables_and_every_column():
    def digest(seed: int = 0, **changes: object) -> str:
        recorder = MemoryRecorder(people(seed=seed), LABEL_SETS)
        recorder.add("failures", **failure(**changes))
        recorder.close_day(1, {})
        return recorder.digest

    variants = [digest(), digest(seed=1), digest(step=np.array([1, 3])), digest(persona=0), digest(reason="late")]
    assert len(set(variants)) == len(variants)


def test_the_digest_is_the_same_in_every_process_and_release():
    recorder = MemoryRecorder(people(), LABEL_SETS)
    recorder.add("failures", **failure())
    recorder.close_day(1, {})
    assert recorder.day(1).facts.digest == "b9505fc9ed0fe4bfee171b7b218d287c"


def test_personas_come_back_bit_for_bit():
    population = people(50)
    again = population_from(population_table(population))
    for name, values in vars(population).items():
        back = getattr(again, name)
        assert back.dtype == values.dtype and np.array_equal(back, values) and back.flags.writeable


def test_a_fork_shares_the_past_and_nothing_else():
    past = MemoryRecorder(people(), LABEL_SETS)
    play(past, [-1, 0])
    one, other = past.fork(), past.fork({"topics": LABEL_SETS["topics"], "policies": ()})
    play(one, [1])
    assert (past.days, one.days, other.days) == ([-1, 0], [-1, 0, 1], [-1, 0])
    play(other, [1])
    assert one.digest == other.digest != past.digest
    one.state()["mood"][:] = 7
    assert one.state()["mood"][0] == 1 and past.state(0)["mood"][0] == 0


def test_a_state_is_kept_as_it_was_when_the_day_was_closed():
    recorder, mood = MemoryRecorder(people(), LABEL_SETS), np.zeros(3)
    recorder.close_day(1, {"mood": mood})
    mood[:] = 1
    assert recorder.state()["mood"].tolist() == [0, 0, 0]


def test_days_are_closed_in_order():
    recorder = MemoryRecorder(people(), LABEL_SETS)
    with pytest.raises(ValueError, match="-1 or 0 or 1 expected"):
        recorder.close_day(2, {})
    recorder.close_day(1, {})
    with pytest.raises(ValueError, match="2 expected"):
        recorder.close_day(1, {})
