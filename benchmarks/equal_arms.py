"""How often does a comparison of equal arms claim something? `python -m benchmarks.equal_arms [RUNS] [PERSONAS] [DAYS] [POOL]`

Plays RUNS replicates (default 300) of one arm of a bundled community, in memory, draws 1,000 comparisons of 8 and of 16
seeds an arm from them without replacement, and counts verdicts: "higher" or "lower" is a false change, "divergent" a false
divergence. Every measure is judged as if it were the primary one, with its default margin. Prints one JSON object with a row a
measure. POOL: a file that keeps the runs' measures; the one in tests/data is what the test suite draws its comparisons from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.analysis.contrast import contrast
from simulacra.analysis.measures import MEASURES, measure
from simulacra.analysis.verdict import Plan, judge
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.experiment import RunSpec, one_blas_thread, past_of, set_stage
from simulacra.scoring.semantic import topic_affinity

COMMUNITY, COMPARISONS, SEEDS = "local-politics", 1000, (8, 16)


def replicates(runs: int, personas: int, days: int) -> Iterator[dict[str, float]]:
    """Measures of one arm, one dictionary a seed."""
    community = load_community(COMMUNITY)
    near = topic_affinity(community)
    for seed in range(1, runs + 1):
        spec = RunSpec(community, make_arm(community), personas, days, seed)
        past, memory = past_of(spec, set_stage(spec, near))
        recorder = memory.fork()
        past.fork(spec.wired(), recorder).play(days)
        yield measure(recorder.frames())


def false_verdicts(name: str, values: NDArray[np.float64], seeds: int) -> tuple[float, float]:
    """Shares of comparisons that claim a change and that claim a divergence. values: one a replicate, NaN where undefined."""
    random, plan, found = np.random.default_rng(seeds), Plan(name), []
    for _ in range(COMPARISONS):
        drawn = random.choice(values, 2 * seeds, replace=False)
        found.append(judge({name: contrast(drawn[:seeds], drawn[seeds:])}, plan)[name])
    changed = np.mean([verdict.effect in ("higher", "lower") for verdict in found])
    return float(changed), float(np.mean([verdict.stability.word == "divergent" for verdict in found]))


def kept(pool: list[dict[str, float]], size: dict[str, int]) -> dict[str, Any]:
    """Measures that vary, to six digits."""
    values = {name: np.array([found[name] for found in pool]) for name in MEASURES}
    varied = {name: v for name, v in values.items() if np.isfinite(v).all() and v.std() > 0}
    measures = {name: [float(f"{value:.6g}") for value in v] for name, v in varied.items()}
    return {"community": COMMUNITY, **size, "measures": measures}


def main(runs: int = 300, personas: int = 150, days: int = 1, keep: str = "") -> None:
    with one_blas_thread():
        pool = list(replicates(runs, personas, days))
    if keep:
        Path(keep).write_text(json.dumps(kept(pool, {"runs": runs, "personas": personas, "days": days})))
    rows = []
    for name in MEASURES:
        values = np.array([found[name] for found in pool])
        if np.isfinite(values).sum() < runs / 2 or np.nanstd(values) == 0:
            continue
        rates = {
            f"{what}_{n}": rate
            for n in SEEDS
            for what, rate in zip(("change", "divergent"), false_verdicts(name, values, n), strict=True)
        }
        rows.append({"measure": name, **rates})
    print(json.dumps({"community": COMMUNITY, "runs": runs, "personas": personas, "days": days, "rows": rows}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *sys.argv[4:5])
