"""What asking a model costs, and what becomes of its faults: `python -m benchmarks.language` writes results/language.json.

A server that answers at once, in a process of its own, is asked 64 prompts at a time through everything that stands between a prompt
and an answer: store, budget, checks, client. CPU time is that of the asking process alone. Then a server that takes 50 or 500 ms is
asked by four threads, as four replicates would: how many of the slots were busy while somebody waited for one. At 50 ms, 32 slots would
take 640 answers a second, four fifths of a core; 500 ms is fast for a real model. For scale: OASIS, 24 to 28 ms
of CPU a call (measured on another day, see the design record).

Then whole runs are asked for, of 200 members over two burn-in days and one measured day: calls and input tokens for each written post,
in guided mode and in full autonomy (of a model that writes at one visit in ten); and the same with members who remember, with the CPU
time that this takes. Tokens are counted by `prompts.tokens`. Last, each fault of tests/fault_server.py meets a fifth of the calls, and
then all of them together: whether every prompt has an answer or its reason, and whether what we counted is what the server counted.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.experiment import RunSpec, play
from simulacra.minds.prompts import tokens
from simulacra.minds.settings import RECALLED, Autonomy, Language
from simulacra.scoring.semantic import embed
from simulacra.seams import Prompt
from simulacra.sessions import ANSWERS, open_session
from simulacra.text import Budget, ModelSpec, make_generator
from simulacra.text.faults import post_fault
from tests.fault_server import FAULTS, FaultServer, Request

OUT = Path(__file__).parent / "results" / "language.json"
IN_FLIGHT, CALLS, ROUNDS = 64, 1500, 5
SYSTEM = "You write one post of a member of an online community about gardening. " * 24  # some 450 tokens
GOAL_CPU_MS, GOAL_BUSY = 1.5, 0.95
GOAL_CALLS, GOAL_TOKENS = 1.0, 1000
PERSONAS, FAULTY = 200, 250


@contextmanager
def served(*flags: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    script = Path(__file__).parents[1] / "tests" / "fault_server.py"
    with subprocess.Popen(
        [sys.executable, script, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def prompts(count: int, start: int) -> list[Prompt]:
    return [
        Prompt(SYSTEM, f"Write post {start + i}. " + "The thread so far is about beans. " * 12, seed=i) for i in range(count)
    ]


def cpu_per_call(url: str, stored: bool) -> dict[str, Any]:
    """Milliseconds of CPU and of time a call, each round with prompts never asked before."""
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.sqlite" if stored else None
        generator = make_generator(ModelSpec("openai", "m", url, concurrency=IN_FLIGHT), answers, budget := Budget())
        generator.answer(prompts(200, -200), post_fault)
        cpu, wall = [], []
        for round_ in range(ROUNDS):
            asked = prompts(CALLS, CALLS * round_)
            before, started = process_time(), perf_counter()
            answers_got = generator.answer(asked, post_fault)
            cpu.append((process_time() - before) / CALLS * 1e3)
            wall.append((perf_counter() - started) / CALLS * 1e3)
            assert all(a.text for a in answers_got)
        assert budget.spent.failed == 0
        return {"cpu_ms": round(median(cpu), 3), "cpu_ms_rounds": [round(c, 3) for c in cpu], "wall_ms": round(median(wall), 3)}


def again_per_answer(url: str) -> float:
    """Milliseconds of CPU for an answer that is stored."""
    with tempfile.TemporaryDirectory() as folder:
        generator = make_generator(ModelSpec("openai", "m", url, concurrency=IN_FLIGHT), Path(folder) / "answers.sqlite")
        asked = prompts(CALLS, 10**6)
        generator.answer(asked)
        before = process_time()
        generator.answer(asked)
        return round((process_time() - before) / CALLS * 1e3, 3)


def busy_share(url: str) -> float:
    """Share of 32 slots that are busy while prompts of four threads wait."""
    model = ModelSpec("openai", "m", url, concurrency=32)
    generators = [make_generator(model) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda g, start: g.answer(prompts(200, start), post_fault), generators, range(0, 4000, 1000)))
    return round(generators[0].busy_share, 4)  # type: ignore[attr-defined]


def asked_for(autonomy: Autonomy, memory: int = 0) -> dict[str, Any]:
    """Calls, input tokens and CPU time for each written post of a whole run, burn-in included, against a server that always answers.

    memory: memories told in a prompt, 0 for members who remember nothing.
    """
    with served() as url, tempfile.TemporaryDirectory() as folder:
        language = Language(ModelSpec("openai", "m", url, chats=True), autonomy, memory=memory)
        community = load_community("pittsburgh")
        session = open_session(language, folder)
        assert session is not None
        probed, before = session.budget.spent.calls, process_time()
        run = play(
            RunSpec(community, make_arm(community, None, "run"), PERSONAS, 1, language=language), folder, "run", session=session
        )
        cpu = process_time() - before
        posts, spent = len(run.frames.table("posts", burn_in=True)), session.budget.spent
        sizes = _sizes(Path(folder) / ANSWERS)
    calls = spent.calls - probed
    return {
        "posts": posts, "calls": calls, "retries": spent.retries, "failed": spent.failed,
        "calls_per_post": round(calls / posts, 3), "input_tokens_per_call": {"mean": round(sum(sizes) / len(sizes)), "most": max(sizes)},
        "input_tokens_per_post": round(sum(sizes) / posts), "cpu_ms_per_post": round(cpu / posts * 1e3, 1),
    }  # fmt: skip


def _sizes(answers: Path) -> list[int]:
    """Input tokens of every stored prompt."""
    with sqlite3.connect(answers) as db:
        rows = db.execute("SELECT s.text, a.prompt FROM answers a JOIN systems s ON s.hash = a.system").fetchall()
    return [tokens(system + json.loads(prompt)["user"]) for system, prompt in rows]


def with_faults(name: str) -> dict[str, Any]:
    """What comes of prompts a fifth of whose calls meet a fault ("all": each in turn)."""

    def respond(request: Request) -> str:
        if request.number % 5 or request.number < 5 or (name == "dies" and request.number > 50):
            return ""
        return FAULTS[request.number // 5 % len(FAULTS)] if name == "all" else name

    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]} if "json" in name else None
    asked = [p._replace(schema=schema) for p in prompts(FAULTY, 0)]
    with FaultServer(respond, keeps=False) as server:
        model = ModelSpec("openai", server.model, server.url, chats=True, timeout=0.5, deadline=20.0, concurrency=32, retries=4)
        generator = make_generator(model, budget=(budget := Budget()))
        started = perf_counter()
        answers = generator.answer(asked, post_fault)
        seconds = perf_counter() - started
        spent, total, charged = budget.spent, server.total, list(server.tokens)
    return {
        "prompts": FAULTY, "answered": sum(bool(a.text) for a in answers), "failures": dict(spent.failures),
        "faults": sum(n for fault, n in server.calls.items() if fault), "calls": spent.calls, "calls_of_server": total,
        "tokens_agree": [spent.input_tokens, spent.output_tokens] == charged,
        "neither_text_nor_reason": sum(bool(a.text) == bool(a.failure) for a in answers), "seconds": round(seconds, 2),
        "longest_allowed_s": 20.0,
    }  # fmt: skip


def main() -> None:
    result = json.loads(OUT.read_text()) if OUT.exists() else {}
    parts = {"overhead": overhead, "asked": asked, "memory": memory, "faults": faults}
    for name in sys.argv[1:] or parts:
        result[name] = parts[name]()
        print(json.dumps({name: result[name]}, indent=1))
    OUT.write_text(json.dumps(result, indent=1) + "\n")


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, other work running: "
        f"load {os.getloadavg()[0]:.1f}"
    )


def asked() -> dict[str, Any]:
    guided, full = asked_for("guided"), asked_for("full")
    first = guided["calls"] - guided["retries"]
    return {
        "command": "python -m benchmarks.language asked",
        "community": "pittsburgh", "personas": PERSONAS, "guided": guided, "full": full,
        "goal_calls_per_post": GOAL_CALLS, "goal_input_tokens_per_post": GOAL_TOKENS,
        "guided_within_goal": first <= GOAL_CALLS * (guided["posts"] + guided["failed"]) and guided["input_tokens_per_post"] <= GOAL_TOKENS,
    }  # fmt: skip


def memory() -> dict[str, Any]:
    """What remembering adds to a guided run, its prompts and its CPU time; MiniLM, which tells what is near, is loaded beforehand."""
    embed(["the model is loaded once for all runs"])
    without, with_ = asked_for("guided"), asked_for("guided", RECALLED)
    return {
        "command": "python -m benchmarks.language memory", "machine": _machine(), "community": "pittsburgh", "personas": PERSONAS,
        "memories_told": RECALLED, "without": without, "with": with_,
        "cpu_ms_per_post_added": round(with_["cpu_ms_per_post"] - without["cpu_ms_per_post"], 1),
    }  # fmt: skip


def faults() -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {name: with_faults(name) for name in (*FAULTS, "all")}
    return {
        "command": "python -m benchmarks.language faults", "share_of_calls_with_fault": 0.2, "runs": found,
        "peak_memory_grew_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1),
    }  # fmt: skip


def overhead() -> dict[str, Any]:
    with served() as url:
        plain, stored, again = cpu_per_call(url, False), cpu_per_call(url, True), again_per_answer(url)
    busy = {}
    for seconds in (0.05, 0.5):
        with served(str(seconds)) as url:
            busy[f"server takes {1000 * seconds:.0f} ms"] = busy_share(url)
    return {
        "command": "python -m benchmarks.language overhead",
        "machine": _machine(),
        "in_flight": IN_FLIGHT, "calls": CALLS * ROUNDS, "without_store": plain, "with_store": stored,
        "stored_answer_cpu_ms": again, "goal_cpu_ms": GOAL_CPU_MS, "cpu_within_goal": stored["cpu_ms"] <= GOAL_CPU_MS,
        "busy_share_of_slots": busy, "goal_busy_share": GOAL_BUSY, "busy_within_goal": busy["server takes 500 ms"] >= GOAL_BUSY,
    }  # fmt: skip


if __name__ == "__main__":
    main()
