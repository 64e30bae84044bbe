"""How much faster is a comparison on a Ray with more workers? `python -m benchmarks.scale [SEEDS] [PERSONAS] [DAYS] [TIMES] [MOST]`

Plays one comparison of a bundled community on a local Ray of 1, 2, 4 ... up to MOST workers (default 2), TIMES over in turn
(default 3), and here without Ray. Workers are warmed by a small comparison first, so that imports do not count. Prints one JSON
object: wall seconds of each turn and the best, speed-ups (the median over turns of one worker's time by that of so many),
whether digests are equal, bytes of a task and of its result, load of the machine before. Run it on an idle machine.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
from operator import truediv
from pathlib import Path
from statistics import median
from time import perf_counter

import simulacra
from simulacra.community import load_community
from simulacra.designs import Arm, make_arm
from simulacra.replicates import ComparisonSpec, Task, replicate_of
from simulacra.scoring.semantic import topic_affinity

COMMUNITY = "pittsburgh"


Digests = dict[str, dict[int, str]]


def play(place: Path, seeds: int, personas: int, days: int, backend: str) -> tuple[float, Digests]:
    """Wall seconds and digests by arm and seed."""
    started = perf_counter()
    answer = simulacra.compare(
        COMMUNITY, personas=personas, days=days, seeds=seeds, keep="none", backend=backend, runs_dir=place / "runs"
    )
    return perf_counter() - started, answer.digests


def on_ray(workers: int, *size: int) -> tuple[float, Digests]:
    """The same on a fresh local Ray."""
    import ray

    ray.init(address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        with tempfile.TemporaryDirectory() as place:
            play(Path(place), 2 * workers, 20, 1, "ray")
            return play(Path(place), *size, "ray")
    finally:
        ray.shutdown()


def main(seeds: int = 8, personas: int = 1000, days: int = 7, times: int = 3, most: int = 2) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    load, found, digests = os.getloadavg()[0], dict[str, list[float]](), []
    counts = [2**i for i in range(most.bit_length())]
    for _ in range(times):
        for name, workers in (("here", 0), *((f"workers: {count}", count) for count in counts)):
            with tempfile.TemporaryDirectory() as place:
                size = (seeds, personas, days)
                seconds, told = on_ray(workers, *size) if workers else play(Path(place), *size, "local")
                digests.append(told)
            found.setdefault(name, []).append(round(seconds, 2))
    best = {name: min(values) for name, values in found.items()}
    print(json.dumps({
        "community": COMMUNITY, "seeds": seeds, "personas": personas, "days": days, "seconds": found, "best": best,
        "speed_up": {count: round(median(map(truediv, found["workers: 1"], found[f"workers: {count}"])), 2) for count in counts},
        "equal_digests": all(told == digests[0] for told in digests), **sizes(personas, days),
        "load_before": round(load, 2), "cores": os.cpu_count(),
    }))  # fmt: skip


def sizes(personas: int, days: int) -> dict[str, int]:
    """Bytes that travel for a replicate: the task there, its result back."""
    spec = ComparisonSpec(load_community(COMMUNITY), *arms(), personas, days)
    task = Task(
        {name: spec.run_spec(name, 1) for name in spec.arms}, topic_affinity(spec.community), Path("x"), Path("x"), {}, 0
    )
    return {"task_bytes": len(pickle.dumps(task)), "result_bytes": len(json.dumps(replicate_of(task)))}


def arms() -> tuple[Arm, Arm]:
    """The arms that `play` compares."""
    community = load_community(COMMUNITY)
    return make_arm(community, "feed=chronological"), make_arm(community, "feed=engagement", "variant")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
