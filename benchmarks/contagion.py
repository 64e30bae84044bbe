"""Does the plain probe of contagion cry wolf? `python -m benchmarks.contagion [PROBES [JOBS]]` -> results/contagion.json

Mood contagion, hurt and flattery are off, so there is nothing to find; tone matching in replies stays on, as it fools naive probes.
Each probe is the plain estimate (treatment minus placebo within one run, adjusted for baseline valence) over six seeds of its own in
a small community. Of 95 % intervals about one in twenty should miss 0; the band is 5 +- 3 %. The treated runs alone are played:
the twins of such runs are equal to them, which the tests check.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.experiment import RunSpec, one_blas_thread, past_of, set_stage
from simulacra.scoring.semantic import topic_affinity
from simulacra.studies.contagion import OUTCOMES, Omission, openings, plain_effect, t_interval

COMMUNITY, PERSONAS, DAYS, SEEDS, OMIT = "pittsburgh", 120, 3, 6, "positive"
OFF = {"contagion": "off", "hurt": "off", "flattery": "off", "write": 0.3}
RESULT = Path(__file__).parent / "results" / "contagion.json"


def plain(seed: int) -> dict[str, float]:
    """The plain estimate of one seed, by outcome; NaN where too few opened threads of their own."""
    community = load_community(COMMUNITY)
    arm = make_arm(community, "feed=hot moderation=none", "probe", behaviour=OFF)
    spec = RunSpec(community, arm, PERSONAS, DAYS, seed)
    with one_blas_thread():
        stage = set_stage(spec, topic_affinity(community))
        past, memory = past_of(spec, stage)
        exposure = Omission.drawn(OMIT, len(stage.population), stage.streams)
        recorder = memory.fork()
        sim = past.fork(spec.wired()._replace(exposure=exposure), recorder)
        sim.play(DAYS)
    return plain_effect(openings(sim, recorder.frames()), exposure.group, stage.population.baseline)


def rejections(found: list[dict[str, float]], outcome: str) -> dict[str, float]:
    """Over probes of SEEDS replicates each: how many there are, and which share has an interval that misses 0."""
    probes = [t_interval([f[outcome] for f in found[at : at + SEEDS]]) for at in range(0, len(found), SEEDS)]
    ends = np.array([(low, high) for _, low, high in probes])
    told = np.isfinite(ends).all(axis=1)
    share = float(((ends[told] > 0).all(axis=1) | (ends[told] < 0).all(axis=1)).mean())
    return {"probes": int(told.sum()), "rejected": share}


def main() -> None:
    count, jobs = (int(word) for word in (sys.argv[1:] + ["200", "2"][len(sys.argv) - 1 :])[:2])
    found = Parallel(n_jobs=jobs)(delayed(plain)(seed) for seed in range(1, count * SEEDS + 1))
    result = {
        "community": COMMUNITY, "personas": PERSONAS, "days": DAYS, "seeds_a_probe": SEEDS, "omit": OMIT, "behaviour": OFF,
        "band": [0.02, 0.08], "outcomes": {outcome: rejections(found, outcome) for outcome in OUTCOMES},
    }  # fmt: skip
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for outcome, row in result["outcomes"].items():
        print(f"{outcome:10} {row['rejected']:.3f} of {row['probes']} probes find what is not there (wanted: .02 to .08)")


if __name__ == "__main__":
    main()
