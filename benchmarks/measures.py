"""What measures and second opinions cost: CPU seconds of each on one large run.

`python -m benchmarks.measures [PERSONAS DAYS]` (by default 20,000 members over 14 days, about 80,000 posts) plays a run into a temporary
folder, times every group of measures on it, and a second scorer on 512 of its posts; writes benchmarks/results/measures.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

from simulacra.analysis.measures import measure
from simulacra.analysis.segments import segment_values
from simulacra.analysis.structure import structure
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.experiment import RunSpec, play
from simulacra.scoring.heads import SemanticScorer

RESULTS = Path(__file__).parent / "results" / "measures.json"
_POSTS, _CHUNK = 512, 128


def main(personas: int = 20_000, days: int = 14) -> None:
    """Play, time and write."""
    town = load_community("pittsburgh")
    with tempfile.TemporaryDirectory() as place:
        began = process_time()
        run = play(RunSpec(town, make_arm(town, ""), personas, days, 1), place, "large")
        found: dict[str, object] = {"personas": personas, "days": days, "counts": run.counts, "play": _since(began)}
        groups: dict[str, Callable[[], object]] = {
            "measures": lambda: measure(run.frames), "segments": lambda: segment_values(run.frames),
            "structure": lambda: structure(run.frames),
        }  # fmt: skip
        for name, take in groups.items():
            began = process_time()
            take()
            found[name] = _since(began)
        found["torch loaded"] = "torch" in sys.modules
        texts = run.frames.arrow("posts", columns=("text",)).column("text").to_pylist()[:_POSTS]
        scorers = {
            "semantic": SemanticScorer(),
            "toxicity alone": SemanticScorer(False),
            "judge": SemanticScorer(False, coarse=True),
        }
        for name, scorer in scorers.items():
            scorer.score(texts[:1])
            began = process_time()
            for start in range(0, len(texts), _CHUNK):
                scorer.score(texts[start : start + _CHUNK])
            found[f"{name}, per 1,000 posts"] = round(_since(began) * 1000 / len(texts), 1)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))


def _since(began: float) -> float:
    return round(process_time() - began, 2)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
