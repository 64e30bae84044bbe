"""Comparisons whose answer is known beforehand, in the simulation itself: equal arms, a placebo, a measure that must not move.

`tests/test_verdict.py` asks the same of verdicts on models that play in microseconds.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulacra
from simulacra.analysis.contrast import contrast
from simulacra.analysis.margins import MARGINS
from simulacra.analysis.verdict import Plan, judge
from simulacra.community import Community, load_community

POOL = Path(__file__).parent / "data/equal_arms.json"
"""Measures of 300 tiny runs of one arm: `python -m benchmarks.equal_arms 300 60 1 tests/data/equal_arms.json`."""
PRIMARIES = (
    "toxicity_seen", "toxicity_written", "valence_seen", "valence_written", "posts_per_persona", "visits_per_persona_day", "exposure_gini",
)  # fmt: skip
GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers."]
topics = ["tomatoes", "compost", "slugs"]
[design]
feed = "hot"
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
[[personas]]
sketch = "nurse, 34, blunt, short lower-case bursts, hates slugs"
"""


@cache
def pool() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(POOL.read_text())
    return found


@pytest.mark.parametrize("seeds", [8, 16])
@pytest.mark.parametrize("measure", PRIMARIES)
def test_a_thousand_comparisons_of_equal_runs_seldom_claim_anything(measure: str, seeds: int) -> None:
    values = np.array(pool()["measures"][measure])
    assert len(values) == 300 and measure in MARGINS
    random, plan, found = np.random.default_rng(seeds), Plan(measure), []
    for _ in range(1000):
        drawn = random.choice(values, 2 * seeds, replace=False)
        found.append(judge({measure: contrast(drawn[:seeds], drawn[seeds:])}, plan)[measure])
    assert np.mean([verdict.effect in ("higher", "lower") for verdict in found]) <= 0.07
    assert np.mean([verdict.stability.word == "divergent" for verdict in found]) <= 0.03


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Community:
    path = tmp_path_factory.mktemp("garden") / "garden.toml"
    path.write_text(GARDEN)
    return load_community(path)


def compare(community: Community, place: Path, variant: str, **options: Any) -> simulacra.Comparison:
    known = {"personas": 40, "days": 1, "seeds": 6, "keep": "none", "runs_dir": place / "runs", **options}
    return simulacra.compare(community, "", variant, **known)


def test_a_placebo_moves_nothing_at_all(community: Community, tmp_path: Path) -> None:
    """A setting that cannot act here: how readers treat labels, where nothing is labelled."""
    answer = compare(community, tmp_path, "behaviour.label_view=0.1")
    assert answer.differences
    assert {row.effect for row in answer.row_list if row.seeds >= 6} == {"no difference that matters"}
    assert all(row.difference == 0 for row in answer.row_list if row.seeds)
    assert answer.digests["baseline"] == answer.digests["variant"]


def test_a_negative_control_stands_still_while_the_design_moves_the_rest(community: Community, tmp_path: Path) -> None:
    """Nothing read calls people back or drives them away here, so that a feed cannot change how often they come."""
    deaf = ["notice_pull=off", "churn=off", "follow=off"]
    answer = compare(community, tmp_path, "feed=random", behaviour=deaf)
    rows = {row.measure: row for row in answer.row_list}
    control = rows["visits_per_persona_day"]
    assert (control.difference, control.effect) == (0, "no difference that matters")
    assert rows["exposure_gini"].difference != 0
    assert sum(row.difference != 0 for row in answer.row_list) > len(answer.row_list) / 3
