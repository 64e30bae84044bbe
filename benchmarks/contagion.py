"""Does the probe of contagion cry wolf, and does it find what is there?

    python -m benchmarks.contagion [PROBES [JOBS]]      -> results/contagion.json
    python -m benchmarks.contagion known [SEEDS [JOBS]] -> results/contagion-known.json

Mood contagion, hurt and flattery are off, so there is nothing to find; tone matching in replies stays on, as it fools naive probes.
Each probe is the plain estimate (treatment minus placebo within one run, adjusted for baseline valence) over six seeds of its own in
a small community. Of 95 % intervals about one in twenty should miss 0; the band is 5 +- 3 %. The treated runs alone are played:
the twins of such runs are equal to them, which the tests check.

The known answer: Kramer et al. 2014 withheld positive, then negative posts from 689,003 people; words of the same sign became fewer,
those of the other more, and people wrote less. The model holds such a mechanism by construction, so finding the signs at 10,000
members says that the probe works, not that people are so.
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
from simulacra.studies.contagion import OUTCOMES, WITHDRAWAL, Omission, Omit, openings, plain_effect, probe, t_interval

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


SIGNS: list[tuple[Omit, str, int]] = [
    ("positive", "positive", -1), ("positive", "negative", 1), ("positive", WITHDRAWAL, -1),
    ("negative", "negative", -1), ("negative", "positive", 1), ("negative", WITHDRAWAL, -1),
]  # fmt: skip
"""What is withheld, the outcome, and the sign that Kramer et al. found."""


def known(seeds: int, jobs: int) -> None:
    """The probe under default behaviour at 10,000 members over 7 days: is the interval on the known side of 0?"""
    told = {omit: probe(COMMUNITY, omit, 10_000, 7, seeds, jobs=jobs) for omit in ("positive", "negative")}
    rows = [
        {"omitted": omit, "outcome": outcome, "estimate": estimate, "sign": sign, "difference": row.difference, "low": row.low,
         "high": row.high, "d": row.d, "found": bool(sign * row.low > 0 and sign * row.high > 0)}
        for omit, outcome, sign in SIGNS
        for estimate in ("twin", "whole community")
        for row in [told[omit].row(estimate, outcome)]
    ]  # fmt: skip
    result = {"community": COMMUNITY, "personas": 10_000, "days": 7, "seeds": seeds, "rows": rows}
    RESULT.with_name("contagion-known.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for r in rows:
        print(
            f"{r['omitted']:8} {r['outcome']:12} {r['estimate']:15} {r['difference']:+.5f} ({r['low']:+.5f} to {r['high']:+.5f})"
            f"  d {r['d']:+.3f}  {'found' if r['found'] else 'not found'}"
        )


def main() -> None:
    if sys.argv[1:2] == ["known"]:
        known(*(int(word) for word in (sys.argv[2:] + ["32", "2"][len(sys.argv) - 2 :])[:2]))
        return
    count, jobs = (int(word) for word in (sys.argv[1:] + ["200", "2"][len(sys.argv) - 1 :])[:2])
    found = Parallel(n_jobs=jobs)(delayed(plain)(seed) for seed in range(1, count * SEEDS + 1))
    result = {
        "community": COMMUNITY, "personas": PERSONAS, "days": DAYS, "seeds_a_probe": SEEDS, "omit": OMIT, "behaviour": OFF,
        "band": [0.02, 0.08], "outcomes": {outcome: rejections(found, outcome) for outcome in OUTCOMES},
    }  # fmt: skip
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for outcome, row in result["outcomes"].items():
        print(f"{outcome:10} {row['rejected']:.3f} of {row['probes']} probes find what is not there (wanted: .02 to .08)")


if __name__ == "__main__":
    main()
