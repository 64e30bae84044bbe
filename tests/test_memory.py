"""Memory: what is kept, what comes to mind, when it is time to reflect."""

import os

import numpy as np
import pytest

from simulacra.minds.memory import CAPACITY, PLANS, Memory, importance
from simulacra.scoring.semantic import DIMENSIONS, WeightsError

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def by_letters(texts):
    """An embedder anyone can follow: how often each letter occurs."""
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    for row, text in enumerate(texts):
        for letter in text.lower():
            vectors[row, ord(letter) % DIMENSIONS] += letter.isalpha()
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def no_weights(texts):
    raise WeightsError("No weights here.")


def memory(**kwargs):
    return Memory(**{"embedder": by_letters, **kwargs})


def test_what_is_recalled_is_relevant_first_when_all_else_is_equal():
    m = memory()
    m.observe([4, 4, 4], 10, ["zzz zzz", "the museum is shut", "aaa aaa"], 5)
    assert m.recall([4], ["museum"], 11, k=1) == [["the museum is shut"]]
    assert m.recall([4], ["zz"], 11, k=1) == [["zzz zzz"]]


def test_what_matters_and_what_is_recent_comes_to_mind_without_a_query():
    m = memory()
    m.observe([1], 0, ["an old wound"], 10)
    m.observe([1], 0, ["breakfast"], 1)
    m.observe([1], 300, ["just now"], 1)
    assert m.recall([1], [""], 301, k=3)[0][-1] == "breakfast"
    assert set(m.recall([1], [""], 301, k=2)[0]) == {"an old wound", "just now"}


def test_what_was_called_to_mind_stays_fresh():
    m = memory()
    m.observe([1, 1], 0, ["aaaa", "bbbb"], 5)
    m.recall([1], ["bbbb"], 500, k=1)
    assert m.recall([1], [""], 501, k=1) == [["bbbb"]]


def test_those_without_memories_recall_nothing():
    m = memory()
    m.observe([1], 0, ["something"], 5)
    assert m.recall([1, 2], ["x", "x"], 1, k=3) == [["something"], []]
    assert m.recall([], [], 1) == [] and m.recent(9, 3) == []


def test_a_stream_is_bounded_and_forgets_what_is_least_worth():
    m = memory(capacity=10)
    m.observe([1], 0, ["the day we met"], 10)
    for hour in range(200):
        m.observe([1, 2], hour, [f"small talk {hour}", f"talk {hour}"], 1)
    assert len(m) == 20
    assert "the day we met" in m.recall([1], [""], 200, k=10)[0]
    assert m.recent(1, 3) == ["small talk 199", "small talk 198", "small talk 197"]


def test_texts_that_nobody_remembers_are_dropped():
    m = memory(capacity=5)
    for hour in range(3000):
        m.observe([1], hour, [f"line {hour}"], 1)
        if hour % 500 == 0:
            m.recall([1], ["line"], hour, k=2)
    assert len(m.state()["text_ends"]) < 1100
    assert m.recent(1, 1) == ["line 2999"]
    assert m.recall([1], ["line"], 3000, k=5)[0][0].startswith("line 29")


def test_size_does_not_grow_with_the_length_of_a_run():
    def size(hours):
        m = memory(capacity=20)
        for hour in range(hours):
            m.observe(np.arange(30), hour, [f"{hour} {p}" for p in range(30)], 3)
        return sum(a.nbytes for a in m.state().values())

    assert size(400) < 1.5 * size(100)


def test_the_same_words_are_remembered_once():
    m = memory()
    m.observe([1, 1], 3, ["hello", "hello"], 2)
    m.observe([1], 9, ["hello"], 2)
    assert len(m) == 1 and m.recent(1, 5) == ["hello"]


def test_reflection_is_due_when_enough_has_happened_and_thoughts_do_not_count():
    m = memory()
    m.observe([3] * 14 + [2], 1, [f"event {i}" for i in range(15)], 10)
    assert m.due().tolist() == []
    m.observe([3], 2, ["the last straw"], 10)
    assert m.due().tolist() == [3]
    m.reflected(3, ["People here are kind.", "I should write less."], 2)
    assert m.due().tolist() == []
    assert m.recent(3, 2)[0] in ("People here are kind.", "I should write less.")
    m.observe([3] * 14, 3, [f"more {i}" for i in range(14)], 10)
    assert m.due().tolist() == []
    m.observe([3], 3, ["enough"], 10)
    assert m.due().tolist() == [3]
    m.reflected(3, [], 4)
    assert m.due().tolist() == []


def test_plans_are_of_an_hour_and_bounded():
    m = memory()
    m.intend(5, 67, "meet-up at Lin's")
    m.intend(5, 67, "meet-up at Lin's")
    assert m.planned_ahead(5, 66) == [(67, "meet-up at Lin's")] and m.planned_ahead(5, 67) == m.planned_ahead(6, 0) == []
    for hour in range(70, 70 + PLANS + 3):
        m.intend(5, hour, f"plan {hour}")
    assert len(m.planned_ahead(5, 0)) == PLANS
    assert (67, "meet-up at Lin's") not in m.planned_ahead(5, 0)


def test_what_one_has_before_one_is_not_recalled():
    m = memory()
    m.observe([1, 1, 1], 0, ["the bus is late", "the bus is here", "bread"], 5)
    assert m.recall([1], ["the bus is late"], 1, k=1, without=[{"the bus is late"}]) == [["the bus is here"]]
    assert m.holds(1, "bread") and not m.holds(2, "bread") and not m.holds(1, "cake")
    assert m.has_any(np.array([0, 1, 2])).tolist() == [False, True, False]


def busy(embedder=by_letters, upto=60, into=None):
    m = into or Memory(12, embedder=embedder)
    said = []
    for hour in range(0 if into is None else 30, upto):
        people = (np.arange(5) * 7 + hour) % 11
        m.observe(people, hour, [f"{p} saw {hour * p % 13} birds" for p in people], 1 + people % 9)
        said.append(m.recall(people[:2], ["birds 4", "saw"], hour, k=3))
        for person in m.due():
            m.reflected(person, [f"thought {hour}"], hour)
        m.intend(int(people[0]), hour + 48, f"go {hour}")
    return m, said


@pytest.mark.parametrize("embedder", [by_letters, no_weights])
def test_a_state_taken_up_again_goes_on_alike(embedder):
    whole, said = busy(embedder)
    half, _ = busy(embedder, 30)
    again = Memory(12, embedder=embedder)
    again.restore(half.state())
    rest, later = busy(embedder, 60, into=again)
    assert later == said[30:]
    assert all(np.array_equal(a, b) for a, b in zip(whole.state().values(), rest.state().values(), strict=True))
    assert busy(embedder)[1] == said


def test_without_weights_words_decide_and_the_memory_says_so():
    m = memory(embedder=no_weights)
    m.observe([1, 1], 0, ["the museum is closed", "buses are late"], 5)
    assert m.recall([1], ["late buses again"], 1, k=1) == [["buses are late"]]
    assert m.warning == "What personas recall was matched by shared words only. No weights here."


def test_the_model_knows_what_words_do_not():
    m = Memory()
    m.observe([1, 1, 1], 0, ["the cat slept on the sofa", "my train was cancelled", "we baked bread"], 5)
    found = m.recall([1], ["public transport delays"], 1, k=1)
    if m.warning:
        pytest.skip(m.warning)
    assert found == [["my train was cancelled"]]


def test_importance_is_on_parks_scale_and_rises_with_what_hurts():
    plain, rude, mine = importance(np.zeros(3), np.array([0, 0.9, 0]), [False, False, True], [False] * 3)
    assert plain == 1 < mine < rude + 1 <= 10
    assert importance(np.ones(1), np.ones(1), [True], [True], np.ones(1), [1000]).max() <= 10
    dear, voted = importance(np.zeros(2), np.zeros(2), [False] * 2, [False] * 2, np.array([0.5, -0.5]), [0, 3])
    assert dear == 1.5 and voted == np.float32(1.6)


def test_an_unknown_source_is_a_bug_that_is_named():
    with pytest.raises(ValueError):
        memory().observe([1], 0, ["x"], 1, "dream")
    assert CAPACITY >= 20
