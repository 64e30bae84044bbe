"""Between a prompt and an answer: what servers do wrong, what is kept, what may be spent, and where the key never goes."""

import json
import socket
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from conftest import NetworkBlocked
from fault_server import CONTENTS, FAULTS, FaultServer, Request

from simulacra.errors import Capped, SpecError
from simulacra.seams import Prompt
from simulacra.text import Abilities, Answers, Budget, ModelSpec, Spent, make_generator, price_of, price_table
from simulacra.text.budget import Price
from simulacra.text.faults import post_fault
from simulacra.text.openai_chat import OpenAIChat

SYSTEM = (
    "You write one post of a member of a gardening community, in the first person, in plain words, in one or two sentences."
)
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
KEY = "sk-test-7b1d93e0c2a84f55"


def prompts(count: int, schema: bool = False, **more) -> list[Prompt]:
    return [Prompt(SYSTEM, f"Write post {i}.", seed=i, schema=SCHEMA if schema else None, **more) for i in range(count)]


def spec(server: FaultServer, **more) -> ModelSpec:
    return ModelSpec(
        "openai", server.model, server.url, chats=True, **{"timeout": 10.0, "deadline": 20.0, "concurrency": 16, **more}
    )


def patience(fault: str) -> dict[str, float]:
    """Seconds for one call: few where the server keeps silent, so that the test is quick; else more than a busy machine needs."""
    return {"timeout": 0.4 if fault == "timeout" else 10.0}


def every_fifth(fault: str):
    """A fault that passes: whoever asks again is served."""
    times = 2 if fault == "dies" else 1000
    return lambda request: fault if request.number % 5 == 0 and 5 <= request.number <= 5 * times else ""


def fifth_prompt(fault: str):
    """A fault that stays: the same fifth of the prompts always meets it."""
    return lambda request: fault if _number(request) % 5 == 0 else ""


def _number(request: Request) -> int:
    digits = "".join(c for c in request.text if c.isdigit())
    return int(digits) if digits else 1


# -- the network block -----------------------------------------------------------------------------------------------------


def test_no_test_can_reach_a_real_network():
    with pytest.raises(NetworkBlocked):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


# -- faults ----------------------------------------------------------------------------------------------------------------


def counts_agree(server: FaultServer, budget: Budget, answers) -> None:
    spent = budget.spent
    if server.calls["dies"] or server.calls["timeout"]:
        # A call to a server that is away is ours alone, as is one given up before it was read; and the server may have answered one
        # that it cut off, or that was given up by then.
        assert spent.calls >= server.total
        assert spent.input_tokens <= server.tokens[0] and spent.output_tokens <= server.tokens[1]
    else:
        assert spent.calls == server.total
        assert [spent.input_tokens, spent.output_tokens] == server.tokens
    assert spent.in_flight == 0
    assert spent.failed == sum(bool(a.failure) for a in answers)
    assert spent.answers == len(answers)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_calls_and_no_answer(fault):
    with FaultServer(every_fifth(fault)) as server:
        generator = make_generator(spec(server, retries=6, **patience(fault)), budget=(budget := Budget()))
        probed = budget.spent.calls
        answers = generator.answer(prompts(40, schema="json" in fault), post_fault)
        assert [a.failure for a in answers] == [""] * 40 and all(a.text for a in answers)
        assert sum(a.calls for a in answers) == budget.spent.calls - probed
        assert server.calls[fault] > 0
        counts_agree(server, budget, answers)


REASON = {
    "429": "rate limited", "429 retry-after": "rate limited", "500": "server error", "timeout": "deadline", "reset": "deadline",
    "empty": "empty", "null": "empty", "truncated json": "invalid JSON", "invalid json": "invalid JSON", "markup": "markup",
    "refusal": "refused", "repetition": "repetition", "wrong language": "wrong language", "machine": "speaks as a machine",
    "echo": "echoed prompt",
}  # fmt: skip


@pytest.mark.parametrize("fault", REASON)
def test_a_fault_that_stays_is_a_failure_with_its_reason_and_never_a_text(fault):
    with FaultServer(fifth_prompt(fault)) as server:
        generator = make_generator(spec(server, deadline=3, **patience(fault)), budget=(budget := Budget()))
        answers = generator.answer(prompts(20, schema="json" in fault), post_fault)
        assert [a.failure for a in answers] == [REASON[fault] if i % 5 == 0 else "" for i in range(20)]
        assert [a.text == "" for a in answers] == [bool(a.failure) for a in answers]
        assert budget.spent.failures == {REASON[fault]: 4}
        counts_agree(server, budget, answers)


def test_all_faults_at_once_leave_exact_counts_and_bounded_memory():
    def any_fault(request: Request) -> str:
        return FAULTS[request.number // 5 % len(FAULTS)] if request.number > 4 and request.number % 5 == 0 else ""

    with FaultServer(any_fault, keeps=False) as server:
        generator = make_generator(spec(server, retries=6, **patience("timeout")), budget=(budget := Budget()))
        tracemalloc.start()
        answers = generator.answer(prompts(300), post_fault)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(bool(a.failure) for a in answers) <= 3
        assert len(server.calls) == len(FAULTS) + 1
        counts_agree(server, budget, answers)
        assert peak < 30e6


def test_nothing_outlasts_its_deadline():
    with FaultServer(lambda request: "timeout" if "post" in request.text else "") as server:
        generator = make_generator(spec(server, deadline=0.6, timeout=5))
        answers = generator.answer(prompts(8))
        assert {a.failure for a in answers} == {"deadline"}


def test_a_server_that_stays_away_stops_the_run_instead_of_filling_it_with_failures(monkeypatch):
    monkeypatch.setattr("simulacra.text.openai_chat.PATIENCE", 0.0)
    monkeypatch.setattr("simulacra.text.openai_chat.CLIENT_RETRIES", 0)
    with FaultServer() as server:
        generator = make_generator(spec(server))
        generator.answer(prompts(2))
    with pytest.raises(Capped, match=r"has not answered.*Resume the run"):
        generator.answer(prompts(3))


def test_what_no_later_call_would_mend_stops_the_run():
    with FaultServer(lambda request: "quota" if "post 3" in request.text else "") as server:
        generator = make_generator(spec(server))
        with pytest.raises(Capped, match="exceeded your quota"):
            generator.answer(prompts(6))


# -- what a server can do is found out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("refuses", ["max_tokens", "temperature", "seed", "stop", "response_format"])
def test_parts_of_a_request_that_a_server_refuses_are_left_out(refuses):
    with FaultServer(refuses=(refuses,)) as server:
        generator = make_generator(spec(server))
        server.calls.clear()
        assert all(
            a.text
            for a in generator.answer(prompts(3, schema=True, stop=("\n",)) if refuses != "response_format" else prompts(3))
        )
        assert server.calls.keys() == {""}


def test_a_server_that_only_completes_gets_pages():
    with FaultServer(lambda request: "no chat" if "messages" in request.body else "") as server:
        generator = make_generator(replace(spec(server), chats=None))
        assert not generator.chats
        (answer,) = generator.answer([Prompt("Once. ", "Twice.")])
        assert answer.text and server.bodies[-1]["prompt"] == "Once. Twice."


def test_the_server_is_asked_what_it_can_do_only_once(tmp_path):
    with FaultServer() as server:
        make_generator(spec(server), tmp_path / "answers.sqlite")
        asked = server.total
        make_generator(spec(server), tmp_path / "answers.sqlite")
        assert server.total == asked > 0


@pytest.mark.parametrize(
    "change, said",
    [
        ({"name": "n"}, r"No model called 'n'.*It has: m\."),
        ({"base_url": "http://127.0.0.1:9/v1"}, r"127.0.0.1:9/v1 cannot be reached.*Is the server running\?"),
        ({"base_url": "https://api.openai.com/v1"}, r"No key: set OPENAI_API_KEY"),
    ],
)
def test_fatal_mistakes_are_one_line_before_anything_is_played(change, said):
    with FaultServer() as server, pytest.raises(SpecError, match=said) as caught:
        make_generator(replace(spec(server), **change))
    assert "\n" not in str(caught.value)


def test_slots_are_shared_by_all_who_call_one_address():
    with FaultServer(lambda request: "wait") as server:
        model = spec(server, concurrency=6)
        generators = [make_generator(model) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda g: g.answer(prompts(12)), generators))
        assert server.most_in_flight == 6
        assert generators[0].busy_share > 0.8


# -- the key ---------------------------------------------------------------------------------------------------------------


def test_the_key_reaches_its_server_and_nothing_else(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level("DEBUG")
    with FaultServer(every_fifth("500"), key=KEY) as server:
        generator = make_generator(model := spec(server), tmp_path / "answers.sqlite", budget := Budget())
        generator.answer(prompts(8))
        assert all(KEY in head for head in server.headers)
        kept = [repr(generator), repr(generator.inner), repr(model), repr(budget), json.dumps(model.to_dict()), caplog.text]
        kept += [path.read_bytes().decode("latin1") for path in tmp_path.iterdir()]
        assert not any(KEY in text for text in kept)


def test_a_refused_key_is_not_repeated_in_the_message(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with FaultServer(key="another") as server, pytest.raises(SpecError, match="refuses the key") as caught:
        make_generator(spec(server))
    assert KEY not in str(caught.value) and caught.value.__suppress_context__


def test_the_key_goes_to_no_address_that_the_environment_does_not_name(monkeypatch):
    from simulacra.text.openai_chat import KEYLESS, key_for

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
    assert (
        key_for("https://api.openai.com/v1") == key_for("https://models.example/v1") == key_for("http://localhost:1/v1") == KEY
    )
    assert key_for("https://elsewhere.example/v1") == KEYLESS == key_for("https://api.openai.com.evil.example/v1")


# -- a model named completely ----------------------------------------------------------------------------------------------


def test_a_model_survives_run_json():
    model = ModelSpec("openai", "m", "http://localhost:1/v1/", sampling={"top_p": 0.9}, chats=False)
    assert ModelSpec.from_dict(json.loads(json.dumps(model.to_dict()))) == model
    assert model.base_url == "http://localhost:1/v1"


@pytest.mark.parametrize(
    "data, said",
    [
        ({"kind": "cloud"}, "No kind of model called 'cloud'"),
        ({"kind": "openai"}, "No model was named"),
        ({"kind": "openai", "name": "m", "base_url": "localhost:1"}, "expected an address"),
        ({"kind": "openai", "name": "m", "base_url": "http://me:secret@host/v1"}, "a key belongs in OPENAI_API_KEY"),
        ({"kind": "openai", "name": "m", "concurrency": 0.5}, "not a value of the right kind"),
        ({"kind": "openai", "name": "m", "sampling": {"seed": 3}}, "set by the program"),
        ({"kind": "openai", "name": "m", "api_key": "x"}, "api_key: unknown"),
        ({"name": "m"}, "kind is missing"),
        ({"kind": "openai", "name": "m", "deadline": float("nan")}, "expected 0.01 to"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused_in_a_line(data, said):
    with pytest.raises(SpecError, match=said) as caught:
        ModelSpec.from_dict(data)
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


# -- what may be spent -----------------------------------------------------------------------------------------------------


def test_calls_are_capped_to_the_number_and_answers_that_came_are_kept(tmp_path):
    with FaultServer() as server:
        make_generator(spec(server), tmp_path / "a.sqlite")
        server.calls.clear()
        with pytest.raises(Capped, match="cap of 7 calls"):
            make_generator(spec(server), tmp_path / "a.sqlite", Budget(max_calls=7)).answer(prompts(20))
        assert server.total == 7 == len(Answers(tmp_path / "a.sqlite"))
        answers = make_generator(spec(server), tmp_path / "a.sqlite", budget := Budget()).answer(prompts(20))
        assert server.total == 20 and budget.spent.stored == 7 and all(a.text for a in answers)


def test_the_clients_own_retries_count_against_the_cap():
    with FaultServer(lambda request: "429 retry-after") as server:
        generator = OpenAIChat(spec(server), Budget(max_calls=5), Abilities())
        with pytest.raises(Capped):
            generator.answer(prompts(3))
        assert server.total == 5


def test_money_is_capped_before_it_is_spent(monkeypatch, tmp_path):
    (table := tmp_path / "prices.toml").write_text('[models]\n"m" = { input = 100.0, output = 1000.0 }\n')
    monkeypatch.setenv("SIMULACRA_PRICES", str(table))
    monkeypatch.setattr(ModelSpec, "on_this_machine", False)
    with FaultServer() as server:
        generator = make_generator(spec(server), budget=(budget := Budget(max_cost=1.0)))
        with pytest.raises(Capped, match=r"cap of \$1 is reached"):
            generator.answer(prompts(500))
        spent = budget.spent
        assert 0.7 < spent.cost <= 1.0 and spent.unpriced == 0
        assert spent.cost == pytest.approx(Price(100, 1000).of(*server.tokens))


def test_minutes_are_capped_and_go_on_counting_in_a_resumed_run():
    now = [0.0]
    budget = Budget(max_minutes=2, clock=lambda: now[0])
    budget.reserve(0)
    now[0] = 90.0
    later = Budget(
        max_minutes=2, spent_before=Spent.from_dict(json.loads(json.dumps(budget.spent.to_dict()))), clock=lambda: now[0]
    )
    later.reserve(0)
    now[0] = 119.0
    later.check()
    now[0] = 121.0
    with pytest.raises(Capped, match="2 minutes"):
        later.check()


def test_prices_come_from_a_table_that_users_edit_and_unknown_is_not_zero(monkeypatch, tmp_path):
    assert price_of(ModelSpec("openai", "gpt-4o-mini-2024-07-18", "https://api.openai.com/v1")) == price_table()["gpt-4o-mini"]
    assert price_of(ModelSpec("openai", "never-heard-of", "https://api.openai.com/v1")) is None
    assert price_of(ModelSpec("openai", "m", "http://localhost:1/v1")) == (0, 0)
    (own := tmp_path / "mine.toml").write_text('[models]\n"never-heard-of" = { input = 1, output = 2.5 }\n')
    monkeypatch.setenv("SIMULACRA_PRICES", str(own))
    assert price_of(ModelSpec("openai", "never-heard-of", "https://api.openai.com/v1")) == (1.0, 2.5)
    own.write_text('[models]\n"m" = { input = "cheap" }\n')
    with pytest.raises(SpecError, match=r"mine.toml: models.\"m\": expected input and output"):
        price_table()


def test_a_cost_cap_without_a_price_is_refused_before_the_run(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(SpecError, match="No price is known for 'never-heard-of'"):
        make_generator(ModelSpec("openai", "never-heard-of", "https://api.openai.com/v1"), budget=Budget(max_cost=1))


# -- what is kept ----------------------------------------------------------------------------------------------------------


def test_no_stored_answer_is_asked_for_again_failures_included(tmp_path):
    with FaultServer(fifth_prompt("refusal")) as server:
        first = make_generator(spec(server), tmp_path / "a.sqlite").answer(prompts(20), post_fault)
        asked = server.total
        again = make_generator(spec(server), tmp_path / "a.sqlite").answer(prompts(20), post_fault)
        assert server.total == asked
        assert [(a.text, a.failure) for a in again] == [(a.text, a.failure) for a in first]
        assert {a.calls for a in again} == {0} and sum(a.failure == "refused" for a in again) == 4


def test_stored_answers_need_no_server(tmp_path):
    with FaultServer() as server:
        model = spec(server)
        first = make_generator(model, tmp_path / "a.sqlite").answer(prompts(5))
    again = make_generator(model, tmp_path / "a.sqlite")
    assert again.chats and [a.text for a in again.answer(prompts(5))] == [a.text for a in first]


def test_failures_are_asked_again_only_where_the_user_says_so(tmp_path):
    fault = ["refusal"]
    with FaultServer(lambda request: fifth_prompt(fault[0])(request)) as server:
        make_generator(spec(server), tmp_path / "a.sqlite").answer(prompts(10), post_fault)
        fault[0], asked = "", server.total
        answers = make_generator(spec(server), tmp_path / "a.sqlite", retry_failed=True).answer(prompts(10), post_fault)
        assert server.total == asked + 2 and not any(a.failure for a in answers)
        assert not any(a.failure for a in make_generator(spec(server), tmp_path / "a.sqlite").answer(prompts(10)))


@pytest.mark.parametrize(
    "change", [{"temperature": 0.1}, {"seed": 9}, {"repeat": 1}, {"max_tokens": 9}, {"user": "?"}, {"system": ""}]
)
def test_an_answer_belongs_to_all_that_it_depends_on(tmp_path, change):
    with FaultServer() as server:
        generator = make_generator(spec(server), tmp_path / "a.sqlite")
        (prompt,) = prompts(1)
        generator.answer([prompt, prompt])
        asked = server.total
        generator.answer([prompt._replace(**change)])
        assert server.total == asked + 1


def test_two_runs_that_ask_the_same_at_once_make_one_call(tmp_path):
    with FaultServer(lambda request: "wait") as server:
        generators = [make_generator(spec(server), tmp_path / "a.sqlite") for _ in range(4)]
        server.calls.clear()
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda g: [a.text for a in g.answer(prompts(12))], generators))
        assert server.total == 12 and answers.count(answers[0]) == 4


def test_every_content_fault_is_known_to_the_reasons():
    assert set(CONTENTS) - {"null"} <= set(REASON)


def test_a_program_ends_without_a_thread_of_calls_and_lets_go_of_what_is_under_way() -> None:
    script = (
        "import asyncio, atexit, threading\n"
        "atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))\n"
        "from simulacra.text import pool\n"
        "pool.run(asyncio.sleep(0))\n"
        "asyncio.run_coroutine_threadsafe(asyncio.sleep(1000), pool.loop())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['MainThread']\n", "")
