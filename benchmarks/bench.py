"""How fast is it? `python -m benchmarks.bench` prints a table and writes benchmarks/results/bench.json.

Every figure is the median of several runs in CPU seconds (wall beside it): machines are noisy, ratios travel better than seconds.

    pipeline   visits per CPU-second of the whole loop at 10,000 personas: arrive, rank the top 20 of up to 2,000 candidates, look at
               about eight, react, one visit in eight writes, score, moderate, record. Imports apart.
    growth     CPU per visit with 50,000 posts of history against 1,000, and at 100,000 personas against 1,000
    runs       `simulacra run` as a whole process, imports and record included (--large: 100,000 x 7 days and 1,000,000 x 1 day)
    oasis      the workload of OASIS's platform without a model: everybody refreshes, one in five writes, one in five likes; beside
               camel-oasis itself where --oasis names a Python that has it installed
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from simulacra.behaviour import Behaviour
from simulacra.community import load_community
from simulacra.events import ACTS
from simulacra.experiment import topic_vectors
from simulacra.feeds import make_feed
from simulacra.minds.sketch import SketchWriter
from simulacra.moderation import POLICIES, make_policies
from simulacra.people.population import grow
from simulacra.persona import OLD_HAND, Population
from simulacra.record.recording import MemoryRecorder
from simulacra.scoring.lexical import LexicalScorer
from simulacra.scoring.semantic import topic_affinity
from simulacra.seams import Briefs, Drafts, Scores, Writing
from simulacra.simulation import Arm, Simulation
from simulacra.streams import Streams

RESULTS = Path(__file__).parent / "results"
COMMUNITY = "pittsburgh"


class NoWords:
    """Writer and scorer of runs without text: what the platform alone costs."""

    name = "none"

    def write(self, briefs: Briefs, world: Any, streams: Streams) -> Writing:
        m = len(briefs.author)
        return Writing(["-"] * m, np.zeros(m, np.int64), np.zeros(m, np.int8))

    def score(self, texts: Sequence[str]) -> Scores:
        zero = np.zeros(len(texts), np.float32)
        return Scores(zero, zero, zero, zero, np.ones(len(texts), np.int16))


def people(personas: int) -> Population:
    community = load_community(COMMUNITY)
    return grow(community, personas, Streams(1), 7, 0.0, topic_affinity(community, use_model=False))


def simulation(
    population: Population, feed: str = "hot", behaviour: Behaviour | None = None, text: bool = True, moderation: Sequence[str] = (),
    **sizes: int,
) -> Simulation:  # fmt: skip
    community = load_community(COMMUNITY)
    near = topic_affinity(community, use_model=False)
    words = NoWords()
    arm = Arm(community, make_feed(feed), make_policies(list(moderation)), behaviour or Behaviour())
    return Simulation(
        population, arm, writer=SketchWriter(community) if text else words, scorer=LexicalScorer() if text else words, streams=Streams(1),
        recorder=MemoryRecorder(population, {"topics": community.topics, "policies": tuple(POLICIES)}),
        topic_vectors=topic_vectors(near.topics), policy_names=tuple(POLICIES), **sizes,
    )  # fmt: skip


def timed(work: Callable[[], int], repeats: int) -> dict[str, float]:
    """Median CPU and wall seconds per unit of work over several calls; work returns how many units it did."""
    cpu, wall = [], []
    for _ in range(repeats):
        c, w = process_time(), perf_counter()
        units = work()
        cpu.append((process_time() - c) / units)
        wall.append((perf_counter() - w) / units)
    return {"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall)}


def play_hours(sim: Simulation, hours: int) -> Callable[[], int]:
    """Work that plays some hours and returns the visits in them."""

    def work() -> int:
        before = sim.visits
        for _ in range(hours):
            sim._hour(sim.step)
            sim.step += 1
        return max(1, sim.visits - before)

    return work


# -- pipeline and growth -------------------------------------------------------------------------------------------------------

TALKATIVE = Behaviour().with_settings({"write": 0.16})
"""About one visit in eight writes, so that the figure stays comparable whatever members do by default."""


def pipeline(repeats: int) -> dict[str, Any]:
    result = {}
    for feed in ("hot", "engagement"):
        sim = simulation(people(10_000), feed, TALKATIVE, moderation=("sticky_rules", "automod", "human_review"))
        sim.burn_in()
        first, posts = sim.visits, len(sim.platform.posts)
        cost = timed(play_hours(sim, 24), repeats)
        visits = sim.visits - first
        looked = (
            sum(len(t["persona"]) for t in sim.recorder._chunks["impressions"]) if hasattr(sim.recorder, "_chunks") else None
        )
        result[feed] = {
            **cost, "visits_per_cpu_s": 1 / cost["cpu_s"], "writing_share": (len(sim.platform.posts) - posts) / visits,
            "impressions_per_visit": looked / visits if looked else float(sim.platform.posts.impressions.sum() / sim.visits),
        }  # fmt: skip
    return result


def with_history(posts: int) -> Simulation:
    """A thousand personas with that many posts behind them, a hundred an hour."""
    sim = simulation(people(1_000))
    hours = posts // 100
    sim.step = -hours
    sim.expected[:] = 0
    for hour in range(hours):
        step = sim.step + hour
        author = np.sort(sim.streams.integers(1_000, "history", hour, np.arange(100))).astype(np.int32)
        known = len(sim.platform.posts)
        parent = np.where(np.arange(100) % 5 == 0, -1, sim.streams.integers(max(known, 1), "parent", hour, np.arange(100)))
        zero = np.zeros(100, np.int8)
        act = np.where(parent < 0, ACTS.index("share"), ACTS.index("agree")).astype(np.int8)
        brief = Briefs(
            author, step, act, zero, np.zeros(100, np.float32), (parent if known else zero - 1).astype(np.int32), zero
        )
        writing = sim.writer.write(brief, sim.platform, sim.streams)
        drafts = Drafts(brief, writing, sim.scorer.score(writing.text), zero)
        ids = sim.platform.publish(drafts, np.zeros(100, np.float32))
        sim.platform.turn_pool(ids, step, sim.streams)
    sim.step = 0
    return sim


def growth(repeats: int) -> dict[str, Any]:
    def burnt_in(personas: int) -> Simulation:
        sim = simulation(people(personas))
        sim.burn_in()
        return sim

    return {
        "history": _in_turn({n: play_hours(with_history(n), 24) for n in (1_000, 50_000)}, max(5, repeats)),
        "personas": _in_turn({n: play_hours(burnt_in(n), 24 if n == 1_000 else 4) for n in (1_000, 100_000)}, max(5, repeats)),
    }


def _in_turn(work: dict[int, Callable[[], int]], repeats: int) -> dict[str, float]:
    """Median CPU seconds a unit of each, taken in turn so that a machine's moods reach both, and the larger over the smaller."""
    found: dict[int, list[float]] = {n: [] for n in work}
    for _ in range(repeats):
        for n, play in work.items():
            found[n].append(timed(play, 1)["cpu_s"])
    small, large = found
    cost = {n: statistics.median(seconds) for n, seconds in found.items()}
    ratio = statistics.median(b / a for a, b in zip(found[small], found[large], strict=True))
    return {f"{small:,}": cost[small], f"{large:,}": cost[large], "ratio": ratio}


# -- whole runs ----------------------------------------------------------------------------------------------------------------


def whole_run(personas: int, days: int, repeats: int) -> dict[str, Any]:
    cpu, wall, peak, posts = [], [], [], 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "simulacra", "run", COMMUNITY, "--personas", str(personas), "--days", str(days)]
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
            done = subprocess.run([*command, "--runs", folder, "--json"], capture_output=True, check=True, text=True)
            wall.append(perf_counter() - started)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            peak.append(after.ru_maxrss / 2**20)
            posts = json.loads(done.stdout)["posts"]
    return {"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall), "peak_gb": max(peak), "posts": posts}


# -- the workload of OASIS's platform --------------------------------------------------------------------------------------------


def everybody(population: Population) -> Population:
    """People who all come every hour."""
    n = len(population)
    return replace(population, activity=np.full(n, 1e6, np.float32), arrival=np.full(n, OLD_HAND, np.int32))


OASIS_LIKE = Behaviour().with_settings(
    {"write": 0.2, "write_spread": "off", "withdrawal": "off", "answered": "off", "own_thread": "off", "opening": 0.5,
     "scroll": "off", "scroll_taste": "off", "upvote": -3.2, "downvote": "off", "vote_taste": "off", "vote_valence": "off",
     "vote_rude": "off", "vote_tie": "off", "vote_camp": "off", "herding": "off", "report": "off", "false_report": "off",
     "browse_new": "off", "browse_unanswered": "off", "appeal": "off", "correction": "off", "vote_side": "off",
     "provoked": "off", "opener_notice": "off", "churn": "off", "parent_camp": "off", "follow_far": "off",
     "day_rhythm": "off", "weekend": "off", "away": "off"}
)  # fmt: skip
"""Everybody refreshes once a step, one in five writes (half of them comments), one in five likes one of five posts."""


def oasis_like(personas: int, text: bool, repeats: int, history: int = 0) -> dict[str, float]:
    sim = simulation(everybody(people(personas)), "hot", OASIS_LIKE, text, slate=5, pool=100)
    if history:
        _preload(sim, history)
    sim.step = 0
    first, fresh, wrote = [], play_hours(sim, 1), len(sim.platform.posts)
    for _ in range(repeats):
        c = process_time()
        visits = fresh()
        first.append(process_time() - c)
    posts = (len(sim.platform.posts) - wrote) / repeats
    likes = float(sim.platform.posts.up.sum()) / repeats
    return {"step_cpu_s": statistics.median(first), "first_step_cpu_s": first[0], "actions": visits + posts + likes}


def _preload(sim: Simulation, posts: int) -> None:
    people_, step = len(sim.population), -(posts // 1000) - 1
    for batch in range(posts // 1000):
        author = sim.streams.integers(people_, "history", batch, np.arange(1000)).astype(np.int32)
        zero = np.zeros(1000, np.int8)
        brief = Briefs(np.sort(author), step + batch, zero, zero, zero.astype(np.float32), zero.astype(np.int32) - 1, zero)
        words = NoWords()
        drafts = Drafts(brief, words.write(brief, None, sim.streams), words.score(["-"] * 1000), zero)
        sim.platform.turn_pool(sim.platform.publish(drafts, zero.astype(np.float32)), step + batch, sim.streams)


def oasis(python: str | None, repeats: int) -> dict[str, Any]:
    result: dict[str, Any] = {"ours": {}, "camel_oasis": {}, "ratio": {}}
    cases = {"1000": (1_000, 0), "10000": (10_000, 0), "1000 with 50,000 posts": (1_000, 50_000)}
    for name, (personas, history) in cases.items():
        for text in (True, False):
            key = f"{name}, {'text and scores' if text else 'neither'}"
            result["ours"][key] = oasis_like(personas, text, repeats, history)
        if python:
            result["camel_oasis"][name] = camel_oasis(python, personas, history)
            for text in ("text and scores", "neither"):
                ours = result["ours"][f"{name}, {text}"]["step_cpu_s"]
                result["ratio"][f"{name}, {text}"] = result["camel_oasis"][name]["first_step_cpu_s"] / ours
    return result


def camel_oasis(python: str, personas: int, history: int) -> dict[str, float]:
    """One step of OASIS's own platform, in its own Python (benchmarks/oasis_platform.py)."""
    script = Path(__file__).with_name("oasis_platform.py")
    command = [python, str(script.resolve()), str(personas), str(history)]
    with tempfile.TemporaryDirectory() as folder:  # importing it writes logs where it stands
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


# -- report --------------------------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    cpu = next(
        (line.split(":")[1].strip() for line in _read("/proc/cpuinfo") if line.startswith("model name")), platform.processor()
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _read(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def table(result: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in result.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *table(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name!s:36s} {value:,.6g}" if isinstance(value, float) else f"{indent}{name!s:36s} {value}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["pipeline", "growth", "runs", "oasis"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="100,000 personas x 7 days and 1,000,000 x 1 day as well")
    parser.add_argument("--oasis", metavar="PYTHON", help="a Python with camel-oasis installed, to run beside us")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "bench.json"
    result: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    result["machine"] = machine()
    if "pipeline" in options.parts:
        result["pipeline"] = pipeline(options.repeats)
    if "growth" in options.parts:
        result["growth"] = growth(options.repeats)
    if "runs" in options.parts:
        runs = result.setdefault("runs", {})
        sizes = [(1_000, 7, options.repeats), (10_000, 7, 1)] + ([(100_000, 7, 1), (1_000_000, 1, 1)] if options.large else [])
        for personas, days, repeats in sizes:
            runs[f"{personas:,} personas x {days} days"] = whole_run(personas, days, repeats)
    if "oasis" in options.parts:
        result["oasis"] = oasis(options.oasis, options.repeats)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(table(result)))


if __name__ == "__main__":
    main()
