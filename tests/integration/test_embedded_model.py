"""A real model over the real protocol, end to end: the packaged Gemma 3 270M behind llama.cpp's OpenAI-compatible server on loopback.

Skipped where the extra `simulacra[local]` is not installed. Under three minutes on two cores. What a small model writes is not judged
here: that it is asked, answered, recorded, stored and capped is. That it survives a kill is in test_killed.py.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from simulacra.branches.interview import interview
from simulacra.branches.multiverse import multiverse
from simulacra.branches.whatif import whatif
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.errors import Capped
from simulacra.experiment import Run, RunSpec, open_run, play, resume
from simulacra.minds.settings import Language
from simulacra.reading import PostView
from simulacra.sessions import ANSWERS, Session, open_session
from simulacra.text import Budget, ModelSpec
from simulacra.text.faults import post_fault

PERSONAS = 30


def spec(url: str, moderation: str = "none", **more: object) -> RunSpec:
    language = Language(ModelSpec("openai", "gemma", url, concurrency=8), past="sketch", **more)  # type: ignore[arg-type]
    community = load_community("pittsburgh")
    arm = make_arm(community, f"feed=hot moderation={moderation}", "run", behaviour={"write": 0.06})
    return RunSpec(community, arm, PERSONAS, 1, 1, language=language)


@pytest.fixture(scope="module")
def session(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Session]:
    place = tmp_path_factory.mktemp("runs")
    opened = open_session(spec(url).language, place)
    assert opened is not None
    return place, opened


@pytest.fixture(scope="module")
def run(url: str, session: tuple[Path, Session]) -> Run:
    return play(spec(url), session[0], "one", session=session[1])


def first_post(run: Run) -> int:
    """The first post of the measured days."""
    return int(run.frames.table("posts").id.min())


def posts_of(thread: PostView) -> list[PostView]:
    return [thread, *(post for reply in thread.replies for post in posts_of(reply))]


def stored(place: Path) -> int:
    with sqlite3.connect(place / ANSWERS) as db:
        return int(db.execute("SELECT COUNT(*) FROM answers").fetchone()[0])


def test_a_server_with_a_base_model_is_known_for_one(session: tuple[Path, Session]):
    assert not session[1].generator.chats


def test_thirty_people_live_a_day_and_the_model_writes_all_of_it(run: Run):
    facts = run.language
    assert run.status == "finished" and len(run.posts) >= 2
    assert facts["calls"] >= len(run.posts) and facts["input_tokens"] > 100 * len(run.posts)
    assert facts["failed"] < 0.3, facts["failures"]
    assert not any(post_fault(text) for text in run.posts.text)
    assert run.posts.text.nunique() > 0.8 * len(run.posts)


def test_the_same_run_again_asks_nothing(run: Run, url: str, session: tuple[Path, Session]):
    place = session[0]
    kept = stored(place)
    again = open_session(spec(url).language, place)
    assert again is not None
    same = play(spec(url), place, "again", session=again)
    assert same.digest == run.digest
    assert again.budget.spent.calls == 0 and stored(place) == kept


def test_a_cap_ends_it_cleanly_and_a_higher_one_goes_on(url: str, tmp_path: Path):
    short = open_session(spec(url).language, tmp_path, Budget(max_calls=3))
    with pytest.raises(Capped, match="cap of 3 calls"):
        play(spec(url), tmp_path, "capped", session=short)
    assert open_run("capped", tmp_path).status == "capped" and stored(tmp_path) <= 3
    assert resume("capped", tmp_path, budget=Budget(max_calls=500)).status == "finished"


def test_what_if_somebody_else_had_answered(run: Run):
    answer = whatif(run, first_post(run), as_="a sarcastic expert on bus lines", hours=2, n=1, jobs=1)
    (with_,) = answer.with_
    (words,) = [post.text for post in posts_of(with_.thread) if post.id == with_.put_in]
    assert not post_fault(words)
    assert len(answer.without) == 1 and answer.sentence


def test_a_thread_rolled_again(run: Run):
    spread = multiverse(run, first_post(run), 2, hours=8, jobs=1)
    assert [roll.lane for roll in spread.rolls] == [0, 1] and spread.sentence


def test_a_member_is_interviewed(run: Run):
    author = int(run.frames.table("posts").author.mode()[0])
    told = interview(run, author, "What do you think of the others here?")
    assert told.answer and (told.failure or not post_fault(told.answer))
    assert told.facts and interview(run, author, "What do you think of the others here?").answer == told.answer


def test_the_model_moderates_and_what_it_cannot_judge_passes(url: str, session: tuple[Path, Session]):
    moderated = spec(url, "llm_moderator")
    made = play(moderated, session[0], "moderated", session=open_session(moderated.language, session[0]))
    ruled = made.frames.table("rulings")
    assert made.status == "finished" and made.language["calls"] > 0
    assert set(ruled.action) <= {"remove", "keep"}
    assert all(reason.startswith(("rule ", "not judged: ")) for reason in ruled.reason)


def test_in_this_process_it_is_the_same_code(tmp_path: Path):
    local = Language(ModelSpec("local"), past="sketch")
    made = play(replace(spec("http://127.0.0.1:1/v1"), language=local, personas=12), tmp_path, "local")
    assert made.status == "finished" and made.language["kind"] == "local" and made.language["calls"] >= len(made.posts) > 0
