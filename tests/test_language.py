"""A language mind end to end, on a scripted model: records, failures, resuming, arms as threads, autonomy."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulacra import replicates
from simulacra.analysis.turns import shares
from simulacra.designs import make_arm
from simulacra.errors import Capped, RecordError, SpecError, Stopped
from simulacra.events import ACTS, KINDS
from simulacra.experiment import Run, RunSpec, open_run, play, resume
from simulacra.minds.autonomous import AutonomousMind
from simulacra.minds.language import LanguageWriter, thread_of
from simulacra.minds.prompts import PROMPT_VERSION
from simulacra.minds.roles import Roles, manner, sketch_nature
from simulacra.minds.settings import Language, make_language
from simulacra.seams import Answer, Briefs, Prompt
from simulacra.sessions import Session
from simulacra.simulation import recalibrated
from simulacra.streams import Streams
from simulacra.text.budget import Budget
from simulacra.text.models import ModelSpec
from tests.support import ScriptedGenerator, arm, community, json_post, past, population, writer

MODEL = ModelSpec("openai", "scripted", "http://127.0.0.1:1/v1", chats=True)
GUIDED = Language(MODEL)
FULL = Language(MODEL, "full")


def spec(language: Language = GUIDED, days: int = 1, personas: int = 40, seed: int = 1, **behaviour: Any) -> RunSpec:
    made = make_arm(community(), "feed=chronological moderation=none", "run", behaviour=behaviour or {"write": 0.3})
    return RunSpec(community(), made, personas, days, seed, language=language)


def session(say: Callable[[Prompt], str | Answer] = json_post, chats: bool = True) -> Session:
    return Session(ScriptedGenerator(say, chats), Budget())


def played(tmp_path: Path, said: Session, what: RunSpec | None = None, name: str = "one") -> Run:
    return play(what or spec(), tmp_path / "runs", name, session=said)


def sketch_posts(run: Run) -> list[str]:
    return [t for t in run.frames.table("posts", burn_in=True).text if "bus number" not in t]


# -- writing ---------------------------------------------------------------------------------------------------------------


def test_every_post_is_the_models_and_costs_one_call(tmp_path):
    said = session()
    run = played(tmp_path, said)
    everything = run.frames.table("posts", burn_in=True)
    assert len(run.posts) and not sketch_posts(run)
    assert len(said.generator.asked) == len(everything)


def test_the_sketch_mind_can_write_the_past(tmp_path):
    said = session()
    run = played(tmp_path, said, spec(replace(GUIDED, past="sketch")))
    burnt = run.frames.table("posts", burn_in=True).query("step < 0")
    assert len(burnt) and not burnt.text.str.contains("bus number").any()
    assert run.posts.text.str.contains("bus number").all() and len(said.generator.asked) == len(run.posts)


def test_failures_are_recorded_and_no_text_comes_of_them(tmp_path):
    def say(prompt: Prompt) -> str | Answer:
        if prompt.seed % 4 == 0:
            return Answer("", "refused", 300, 0, 3)
        return "As an AI language model I cannot do that." if prompt.seed % 4 == 1 else json_post(prompt)

    run = played(tmp_path, session(say))
    failed = run.frames.table("failures")
    facts = run.language
    assert set(failed.reason) == {"refused", "speaks as a machine"}
    assert run.posts.text.str.contains("bus number").all()
    assert facts["failed"] == len(failed) / (len(failed) + len(run.posts))
    assert facts["refused"] == (failed.reason == "refused").sum() / (len(failed) + len(run.posts))
    assert run.to_dict()["language"]["failures"] == failed.reason.value_counts().sort_index().to_dict()


def test_equal_specifications_give_equal_records_and_the_seed_is_the_authors(tmp_path):
    one, two = session(), session()
    assert played(tmp_path, one, name="one").digest == played(tmp_path, two, name="two").digest
    asked = one.generator.asked
    assert len({p.seed for p in asked}) == len(asked)
    assert asked == two.generator.asked


def test_a_batch_saves_calls_and_what_it_leaves_out_is_asked_for_alone(tmp_path):
    def say(prompt: Prompt) -> str:
        if "posts" not in prompt.schema["properties"]:
            return json_post(prompt)
        count = prompt.user.count("<request ")
        posts = [{"n": n, "text": f"I took the bus number {prompt.seed % 997} at {n} and it was fine"} for n in range(1, count)]
        return json.dumps({"posts": posts})

    said = session(say)
    run = played(tmp_path, said, spec(replace(GUIDED, batch=4)))
    assert not len(run.frames.table("failures")) and not sketch_posts(run)
    batches = [p for p in said.generator.asked if "posts" in p.schema["properties"]]
    assert said.spent()["fallen_back"] == len(batches) > 0
    assert 0 < run.language["fallen_back"] <= 1


def test_a_breach_is_asked_for_and_a_second_thought_is_not():
    world, streams = past(80, 1).platform, Streams(1)
    w = LanguageWriter(ScriptedGenerator(json_post), writer(), Roles(community()))
    parent = np.array([int(world.posts.parent.max())], np.int32)
    insult = Briefs(
        np.array([3], np.int32), 5, np.array([ACTS.index("insult")], np.int8), np.zeros(1, np.int8), np.zeros(1, np.float32), parent,
        np.array([KINDS.index("insult")], np.int8),
    )  # fmt: skip
    (first,) = w.prompts(insult, world, streams)
    calm = insult._replace(act=np.array([ACTS.index("disagree")], np.int8), truth=np.zeros(1, np.int8), revision=1)
    (second,) = w.prompts(calm, world, streams)
    assert "insulting" in first.user and "insulting" not in second.user and "say it mildly" in second.user
    assert first.seed != second.seed


def test_base_models_get_a_page_with_examples_of_the_same_act(tmp_path):
    said = session(lambda prompt: f"took the bus number {prompt.seed % 997}, it was fine by me", chats=False)
    run = played(tmp_path, said)
    assert not sketch_posts(run)
    for prompt in said.generator.asked:
        assert not prompt.system and prompt.schema is None and prompt.stop
        page = prompt.user
        assert page.endswith('"') and not page.endswith(" ")
        assert page.count("title=") == 3


def test_a_thread_is_told_from_its_opening_post_to_the_one_answered():
    world = past(80, 1).platform
    deep = int(np.argmax(world.posts.depth[: len(world.posts)]))
    thread = thread_of(deep, world)
    assert thread[-1].text == world.posts.text[deep] and thread[0].text == world.posts.text[world.posts.root[deep]]
    assert len(thread) <= 8
    world.posts.removed[deep], before = 1, world.posts.removed[deep]
    try:
        assert thread_of(deep, world)[-1].text == "(removed)"
    finally:
        world.posts.removed[deep] = before


def test_who_a_persona_is_leaves_out_what_is_another_persons():
    assert sketch_nature("art teacher, 41, loves museums, cheerful, writes in full sentences") == "loves museums, cheerful"
    people = population(80, 1)
    persona = Roles(community()).persona(people, 5, Streams(1))
    assert persona.age == people.age[5] and persona.work == people.work[5] and persona.nature
    assert "lower case" in manner(people, int(np.argmin(people.capitals)))


def test_the_calibration_follows_what_the_past_was_written_like():
    world = past(80, 1).platform
    expected = np.zeros((len(community().topics), len(ACTS)), np.float32)
    mean = float(world.posts.valence[: len(world.posts)].mean())
    moved = recalibrated(expected, world)
    assert np.sign(moved.mean()) == np.sign(mean) and abs(moved.mean()) < 1
    assert np.ptp(moved, axis=0).max() < 1e-6, "topics keep their distances"


# -- resuming, caps --------------------------------------------------------------------------------------------------------


class Dying(ScriptedGenerator):
    """Raises once it has answered so many prompts; answers what it has answered before from a store, as `replay` does."""

    def __init__(self, store: dict[Prompt, Answer], most: int, error: type[BaseException]) -> None:
        super().__init__(json_post)
        self.store, self.most, self.error = store, most, error
        self.paid = 0

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        return [self._stored(prompt, fault) for prompt in prompts]

    def _stored(self, prompt: Prompt, fault: Callable[[str], str] | None) -> Answer:
        key = prompt._replace(schema=None)
        if key not in self.store:
            if self.paid >= self.most:
                raise self.error("The cap of calls is reached.")
            self.paid += 1
            self.store[key] = self._one(self.say(prompt), fault)
        return self.store[key]


@pytest.mark.parametrize("error, status", [(Capped, "capped"), (KeyboardInterrupt, "interrupted"), (Stopped, "stopped")])
def test_a_run_that_ended_early_goes_on_without_asking_twice_and_ends_with_the_same_digest(tmp_path, error, status):
    whole = session()
    wanted = played(tmp_path, whole, spec(days=2), "whole")
    store: dict[Prompt, Answer] = {}
    calls = len(whole.generator.asked)
    with pytest.raises(error):
        played(tmp_path, Session(Dying(store, calls // 2, error), Budget()), spec(days=2), "cut")
    assert open_run("cut", tmp_path / "runs").status == status
    rest = Dying(store, 10**9, error)
    again = resume("cut", tmp_path / "runs", session=Session(rest, Budget()))
    assert again.status == "finished" and again.digest == wanted.digest
    assert rest.paid == calls - calls // 2


def test_a_cap_says_how_to_go_on(tmp_path):
    with pytest.raises(Capped, match=r"cap of calls is reached.*simulacra resume cut --runs .*--max-calls"):
        played(tmp_path, Session(Dying({}, 3, Capped), Budget()), spec(), "cut")


def test_a_run_of_other_prompts_is_not_gone_on_with(tmp_path):
    with pytest.raises(Capped):
        played(tmp_path, Session(Dying({}, 3, Capped), Budget()), spec(replace(GUIDED, prompts=PROMPT_VERSION - 1)), "cut")
    with pytest.raises(RecordError, match="prompts of version"):
        resume("cut", tmp_path / "runs", session=session())


def test_a_cause_holds_the_language_mind_and_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    run = played(tmp_path, session())
    assert open_run("one", tmp_path / "runs").spec == run.spec and run.spec.mind == "openai"
    assert all(b"sk-secret" not in file.read_bytes() for file in (tmp_path / "runs").rglob("*") if file.is_file())


def test_sketch_runs_are_what_they_were():
    made = make_arm(community(), None, "run")
    cause = RunSpec(community(), made)._core()
    assert "language" not in cause and cause["mind"] == "sketch"


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"mind": "oracle"}, "No mind called 'oracle'"),
        ({"mind": "openai"}, "No model was named"),
        ({"mind": "sketch", "model": "gpt-4o-mini"}, "is for language minds"),
        ({"mind": "openai", "model": "m", "autonomy": "some"}, "expected guided or full"),
        ({"mind": "openai", "model": "m", "batch": 99}, "from 1 to 8"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_line(settings, said):
    with pytest.raises(SpecError, match=said):
        make_language(**settings)


# -- comparing -------------------------------------------------------------------------------------------------------------


class Concurrent(ScriptedGenerator):
    """Waits until two threads ask at once, so that it shows whether arms and replicates do."""

    def __init__(self, parties: int) -> None:
        super().__init__(json_post)
        self.barrier = threading.Barrier(parties)
        self.together = False

    def answer(self, prompts: Sequence[Prompt], fault: Callable[[str], str] | None = None) -> list[Answer]:
        if not self.together and prompts:
            self.barrier.wait(timeout=60)
            self.together = True
        return super().answer(prompts, fault)


def compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Session, name: str = "c", seeds: int = 2
) -> replicates.Comparison:
    monkeypatch.setattr(replicates.comparing, "open_session", lambda *_: said)
    return replicates.compare(
        community(), "feed=chronological", "feed=engagement", 30, 1, seeds, behaviour={"write": 0.3}, runs_dir=tmp_path / "runs",
        experiment_id=name, language=GUIDED,
    )  # fmt: skip


def test_replicates_ask_at_the_same_time(tmp_path, monkeypatch):
    said = Session(Concurrent(2), Budget())
    answer = compared(tmp_path, monkeypatch, said)
    assert said.generator.together and answer.status == "finished"


def test_threads_give_the_digests_of_single_runs(tmp_path, monkeypatch):
    answer = compared(tmp_path, monkeypatch, session())
    alone = play(answer.spec.run_spec("variant", 2), tmp_path / "runs", "alone", session=session())
    assert answer.digests["variant"][2] == alone.digest


def test_an_answer_tells_what_the_model_did(tmp_path, monkeypatch):
    answer = compared(tmp_path, monkeypatch, session(lambda p: "" if p.seed % 5 == 0 else json_post(p)))
    told = " ".join(answer.limits)
    assert "Written by scripted" in told and "Turns that failed:" in told and "empty" in told and "sketch mind" not in told
    assert 0 < answer.to_dict()["language"]["failed"] < 0.6


def test_a_capped_comparison_keeps_whole_replicates(tmp_path, monkeypatch):
    store: dict[Prompt, Answer] = {}
    whole = compared(tmp_path, monkeypatch, session(), "whole")
    with pytest.raises(Capped, match=r"compare --resume c"):
        compared(tmp_path, monkeypatch, Session(Dying(store, 20, Capped), Budget()))
    assert replicates.open_comparison("c", tmp_path / "runs").status == "capped"
    assert compared(tmp_path, monkeypatch, Session(Dying(store, 10**9, Capped), Budget())).digests == whole.digests


# -- full autonomy ---------------------------------------------------------------------------------------------------------


def deciding(prompt: Prompt) -> str:
    """Some vote, some write: to the first post where there is one."""
    if prompt.schema == {} or "votes" not in prompt.schema["properties"]:
        return json_post(prompt)
    n = prompt.user.count("<post ")
    votes = [{"n": 1, "vote": ("up", "down", "report")[prompt.seed % 3]}] if n else []
    text = f"I took the bus number {prompt.seed % 997} and it was fine by me"
    return json.dumps({
        "votes": votes, "write": prompt.seed % 2 == 0, "to": min(n, prompt.seed % 3), "act": "agree", "topic": 2,
        "breaks": "insult" if prompt.seed % 7 == 0 else "none", "text": text,
    })  # fmt: skip


def test_with_full_autonomy_every_visit_is_one_call_and_the_model_decides(tmp_path):
    said = session(deciding)
    run = played(tmp_path, said, spec(FULL, write=0.05))
    visits = [p for p in said.generator.asked if "votes" in p.schema["properties"]]
    assert len(visits) == run.counts["visits"]
    assert len(run.posts) == sum(p.seed % 2 == 0 for p in visits)
    votes = run.frames.table("reactions")
    assert set(votes.reaction) == {1, -1, 2}
    assert (run.posts.truth == "insult").any() and run.language["emergent"]


def test_the_model_is_not_told_a_mood_and_nothing_read_moves_one(tmp_path):
    said = session(deciding)
    run = played(tmp_path, said, spec(FULL))
    visits = [p for p in said.generator.asked if "votes" in p.schema["properties"]]
    assert not any("Mood:" in p.user for p in visits)
    state = run.folder.state()
    seen = state["members.last_visit"] >= 0
    assert not state["members.swayed"][seen].any()


def test_a_visit_without_a_usable_answer_reads_and_is_counted(tmp_path):
    run = played(tmp_path, session(lambda p: "well..." if "votes" in p.schema["properties"] else json_post(p)), spec(FULL))
    assert len(run.frames.table("failures")) == run.counts["visits"] and not len(run.posts)
    assert run.counts["impressions"] > 0


def test_nobody_answers_itself_or_a_locked_thread():
    root = past(80, 1)
    sim = root.fork(arm(), root.recorder.fork())
    sim.make_mind, sim.writer = AutonomousMind, LanguageWriter(ScriptedGenerator(deciding), writer(), Roles(community()))
    sim.mind = sim._make_mind()
    sim.platform.posts.locked[: len(sim.platform.posts)] = True
    before = len(sim.platform.posts)
    sim.play(1)
    new = np.arange(before, len(sim.platform.posts))
    parents = sim.platform.posts.parent[new]
    assert len(new) and (parents[parents >= 0] >= before).all()


def test_models_that_only_continue_pages_cannot_decide():
    with pytest.raises(SpecError, match="cannot decide"):
        Language(replace(MODEL, chats=False), "full")


def test_shares_are_of_turns():
    assert shares({"refused": 1, "timeout": 1}, 6, 2) == {"failed": 0.25, "refused": 0.125, "fallen_back": 0.25}
    assert shares({}, 0) == {"failed": 0.0, "refused": 0.0, "fallen_back": 0.0}
