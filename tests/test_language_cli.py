"""Language minds on the command line: the price first, caps and going on, a bank written by a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_server import WORDS, FaultServer

from simulacra.cli import main
from simulacra.designs import make_arm
from simulacra.estimates import estimate
from simulacra.experiment import RunSpec, open_run
from simulacra.minds.settings import make_language
from simulacra.voices import read_voices
from tests.support import community

Said = Callable[..., tuple[int, str, str]]
SMALL = ("--personas", "40", "--days", "1", "--behaviour", "write=0.3")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Said:
    """Exit code, standard output and standard error of a command, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def said(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        return code, *capsys.readouterr()

    return said


def mind(server: FaultServer) -> tuple[str, ...]:
    return ("--mind", "openai", "--model", server.model, "--base-url", server.url)


@pytest.mark.parametrize("past", ["model", "sketch"])
def test_an_estimate_is_near_what_the_run_takes(run: Said, past: str):
    with FaultServer() as server:
        code, out, _ = run("estimate", "pittsburgh", *SMALL, *mind(server), "--past", past, "--json")
        told = json.loads(out)
        assert code == 0 and server.total == 0, "an estimate asks nothing"
        assert run("run", "pittsburgh", *SMALL, *mind(server), "--past", past, "--id", "r", "--quiet", "--yes")[0] == 0
    spent = open_run("r", "runs").language
    assert told["calls"] == pytest.approx(spent["calls"], rel=0.25, abs=6)
    assert told["input_tokens"] == pytest.approx(spent["input_tokens"], rel=0.5)


def test_full_autonomy_is_told_as_a_call_a_visit():
    language = make_language("openai", "m", "http://127.0.0.1:1/v1", "full", "sketch")
    arm = make_arm(community(), "feed=hot", "run")
    told = estimate(RunSpec(community(), arm, 40, 1, 1, language=language))
    assert told.calls == told.posts > 40 and "one call each" in told.told()[0]


def test_what_a_moderating_model_takes_is_told_too():
    language = make_language("openai", "m", "http://127.0.0.1:1/v1", past="sketch")
    plain, judged = (
        estimate(RunSpec(community(), make_arm(community(), f"feed=hot moderation={name}", "run"), 40, 1, 1, language=language))
        for name in ("none", "llm_moderator")
    )
    assert plain.judging_calls == 0 < judged.judging_calls == judged.posts
    assert judged.calls == 2 * judged.posts and "to judge drafts" in judged.told()[0]


def test_arms_and_seeds_share_a_past():
    language = make_language("openai", "m", "http://127.0.0.1:1/v1")
    spec = RunSpec(community(), make_arm(community(), "feed=hot", "run"), 40, 1, 1, language=language)
    one, four = estimate(spec), estimate(spec, arms=2, seeds=2)
    assert four.past_calls == 2 * one.past_calls
    assert four.calls - four.past_calls == 4 * (one.calls - one.past_calls)


def test_a_large_run_is_not_begun_unasked(run: Said):
    words = ("--mind", "openai", "--model", "unheard-of", "--base-url", "https://example.org/v1", "--id", "r")
    code, _, err = run("run", "pittsburgh", "--personas", "1000", "--days", "2", *words)
    assert code == 2 and "Add --yes" in err.splitlines()[-1] and "--max-calls" in err
    assert "Price: unknown" in err
    assert not Path("runs/r").exists()


def test_a_capped_run_goes_on_within_another_cap(run: Said):
    with FaultServer() as server:
        code, _, err = run("run", "pittsburgh", *SMALL, *mind(server), "--id", "r", "--max-calls", "12", "--quiet")
        assert code == 130 and "resume" in err
        assert open_run("r", "runs").status == "capped"
        before = server.total
        assert before <= 12
        assert run("resume", "r", "--max-calls", "5000", "--quiet")[0] == 0
        whole = open_run("r", "runs")
        assert whole.status == "finished" and whole.language["calls"] == server.total > before
        assert run("run", "pittsburgh", *SMALL, *mind(server), "--id", "again", "--quiet")[0] == 0
        assert open_run("again", "runs").digest == whole.digest


def test_a_run_tells_what_the_model_did(run: Said):
    with FaultServer() as server:
        _, out, err = run("run", "pittsburgh", *SMALL, *mind(server), "--past", "sketch", "--yes")
    assert "Price: nothing" in err and "Turns that failed: 0.0%" in out


@pytest.mark.parametrize(
    "words,says",
    [
        (("run", "pittsburgh", "--max-calls", "9"), "--max-calls is for language minds"),
        (("run", "pittsburgh", "--mind", "openai"), "--model"),
        (("estimate", "pittsburgh"), "The sketch mind costs nothing"),
        (("voices", "pittsburgh", "--mind", "sketch"), "cannot write its own bank"),
    ],
)
def test_options_that_do_not_fit_are_one_line(run: Said, words: tuple[str, ...], says: str):
    code, _, err = run(*words)
    assert code == 2 and says in err and len(err.strip().splitlines()) == 1


# -- voices ----------------------------------------------------------------------------------------------------------------

LINES = ["the queue at {thing} was shorter than I feared", "1. Nobody told me about {aspect}.", "see https://example.org",
         "{thing} with a {hole}", "The rain found us at {thing} again, of course"]  # fmt: skip


def scripted(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    """The server answers every list with those lines, and questions where it is asked for some."""

    def words(self: FaultServer, request) -> str:  # type: ignore[no-untyped-def]
        if "questions that members ask" in request.text:
            return json.dumps({"lines": ["is {thing} worth it?"]})
        if "entries" in request.text:
            return json.dumps({"lines": ["the tram", "the market"]})
        return json.dumps({"lines": lines})

    monkeypatch.setattr(FaultServer, "_words", words)


def test_a_model_writes_a_bank_once(run: Said, monkeypatch: pytest.MonkeyPatch):
    scripted(monkeypatch, LINES)
    with FaultServer() as server:
        code, out, _ = run("voices", "pittsburgh", *mind(server), "--quiet", "--json")
        told = json.loads(out)
        bank = read_voices(Path(told["path"]))
        assert code == 0 and told["lines"] > 100
        assert "nobody told me about {aspect}" in bank["topics"][0]["gripes"]
        assert told["thrown_away"].keys() == {"with a link or hashtag", "with an unknown slot or brackets that do not match"}
        code, _, err = run("voices", "pittsburgh", *mind(server))
        assert code == 2 and "--force" in err


def test_a_model_without_a_usable_line_writes_nothing(run: Said, monkeypatch: pytest.MonkeyPatch):
    scripted(monkeypatch, [])
    monkeypatch.setattr(FaultServer, "_words", lambda self, request: WORDS)
    with FaultServer() as server:
        code, _, err = run("voices", "pittsburgh", *mind(server), "--quiet")
    assert code == 2 and "no line that can be used" in err and not list(Path().glob("*.toml"))


# -- questions -------------------------------------------------------------------------------------------------------------


def quarrelsome(run: Said, server: FaultServer) -> str:
    """A small run by the server's model, with a thread that was opened on day 1 and is still answered a day later; its opening post."""
    words = (
        "--personas",
        "120",
        "--days",
        "2",
        "--behaviour",
        "write=0.3",
        "--past",
        "sketch",
        "--id",
        "r",
        "--quiet",
        "--yes",
    )
    assert run("run", "pittsburgh", *words, *mind(server))[0] == 0
    posts = open_run("r", "runs").posts
    opened = posts[(posts["parent"] < 0) & posts["step"].between(0, 20)]["id"]
    return str(int(posts[posts["root"].isin(opened)]["root"].value_counts().index[0]))


@pytest.mark.parametrize("verb", ["whatif", "multiverse", "interview"])
def test_a_question_tells_its_price_first_and_takes_about_that(run: Said, verb: str):
    with FaultServer() as server:
        post = quarrelsome(run, server)
        words = {
            "whatif": ("--post", post, "--as", "a poet, 60", "--hours", "20", "-n", "3"),
            "multiverse": ("--thread", post, "-n", "4", "--hours", "20"),
            "interview": ("--persona", "3", "What do you think of the buses?"),
        }[verb]
        before = server.total
        code, out, _ = run(verb, "r", *words, "--price", "--json")
        assert code == 0 and server.total == before, "a price asks nothing"
        code, _, err = run(verb, "r", *words)
        assert code == 0 and "Price: nothing" in err
        taken = server.total - before
        assert taken and json.loads(out)["calls"] == pytest.approx(taken, rel=0.5, abs=4)


def test_a_question_ends_at_its_cap_and_loses_nothing(run: Said):
    with FaultServer() as server:
        post = quarrelsome(run, server)
        before = server.total
        words = ("whatif", "r", "--post", post, "--as", "a poet, 60", "--hours", "20", "-n", "3", "--quiet", "--yes")
        code, out, err = run(*words, "--max-calls", "0")
        assert code == 130 and not out and "cap of 0 calls" in err and "nothing is paid for twice" in err
        assert server.total == before
        taken = []
        for _ in range(20):
            code, out, err = run(*words, "--max-calls", "10", "--json")
            taken.append(server.total - before)
            before = server.total
            if code == 0:
                break
            assert code == 130 and taken[-1] == 10
            part = json.loads(out)["notes"][0] if out else err
            assert "cap of 10 calls is reached" in part and "nothing is paid for twice" in part
        assert code == 0 and len(taken) > 2, "the case needs a question that takes more than two caps"
        whole = json.loads(out)
        assert whole["capped"] == "" and len(whole["with"]) == 3
        assert json.loads(run(*words, "--json")[1]) == whole and server.total == before
