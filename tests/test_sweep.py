"""Response curves: what is varied, with paired seeds, judged by whom, resumed, drawn."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from simulacra.cli import main
from simulacra.community import Community, load_community
from simulacra.errors import SpecError, Stopped
from simulacra.studies.sweep import Sweep, Vary, sweep

GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers.", "No selling."]
topics = ["tomatoes", "compost", "slugs"]
[design]
feed = "hot"
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
[[personas]]
sketch = "nurse, 34, blunt, short lower-case bursts, hates slugs"
"""
BUSY = "behaviour.visit_rate=0.5..2"


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory) -> Community:
    path = tmp_path_factory.mktemp("garden") / "garden.toml"
    path.write_text(GARDEN)
    return load_community(path)


def swept(community: Community, place: Path, vary: str = BUSY, **options: object) -> Sweep:
    known = {"steps": 3, "personas": 30, "days": 1, "seeds": 6, "measures": ["visits_per_persona_day"], **options}
    return sweep(community, vary, runs_dir=place / "runs", **known)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def busy(community: Community, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return swept(community, tmp_path_factory.mktemp("busy"))


def test_a_curve_rises_where_the_parameter_drives_the_measure(busy: Sweep) -> None:
    rows = busy.of("visits_per_persona_day")
    assert [row.value for row in rows] == [0.5, 1.25, 2] and busy.now == 1
    assert [row.effect for row in rows] == ["lower", "higher", "higher"]
    assert rows[0].level < rows[1].level < rows[2].level
    assert all(row.level_low < row.level < row.level_high and row.low < row.difference < row.high for row in rows)
    assert busy.sentences[0].startswith("From 0.5 to 2: Clear change, by the design itself: each member comes about")


def test_the_value_in_force_differs_from_itself_by_nothing(community: Community, tmp_path: Path) -> None:
    (first, last) = swept(community, tmp_path, "behaviour.contagion=0.03..0.3", steps=2, measures=["valence_written"]).rows
    assert (first.difference, first.low, first.high) == (0, 0, 0)
    assert last.difference != 0


def test_a_stopped_sweep_goes_on_and_more_seeds_play_only_what_is_new(
    busy: Sweep, community: Community, tmp_path: Path
) -> None:
    done: list[int] = []
    with pytest.raises(Stopped, match="2 of 6 replicates done"):
        swept(community, tmp_path, progress=lambda n, of: done.append(n), should_stop=lambda: len(done) == 2)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "sweeps").glob("*/seed-*.json")}
    again = swept(community, tmp_path)
    assert again.rows == busy.rows and len(files) == 2
    assert all(file.stat().st_mtime_ns == before for file, before in files.items())


@pytest.mark.parametrize(
    "vary, now, design",
    [
        ("feed.weighted.toxicity=-3..0", 0.0, "weighted feed"),  # not in force here: put in force
        ("feed.hot.hours=2..20", 6.0, "hot feed"),
        ("moderation.human_review.moderators=1..3", 2.0, "human_review"),
    ],
)
def test_a_lever_that_is_not_in_force_is_put_in_force(
    community: Community, tmp_path: Path, vary: str, now: float, design: str
) -> None:
    found = swept(community, tmp_path, vary, steps=2, seeds=1, measures=["posts_per_persona"])
    assert design in found.design
    assert isinstance(found.now, float) and math.isfinite(found.now)


def test_a_parameter_that_is_counted_takes_whole_values_each_once() -> None:
    assert Vary("x", 1, 3).values(7, whole=True) == [1, 2, 3]
    assert Vary("x", 0, -1).values(3, whole=False) == [0, -0.5, -1]
    assert Vary.parse("contagion=0..0.3").key == "behaviour.contagion"


def test_a_feed_that_ranks_by_a_score_is_judged_by_another_scorer(community: Community, tmp_path: Path) -> None:
    options = {"steps": 2, "seeds": 1, "measures": ["toxicity_seen"]}
    found = swept(community, tmp_path, "feed.weighted.toxicity=-3..0", **options)
    assert {row.scorer for row in found.rows} == {"semantic"}
    with pytest.raises(SpecError, match="Give a --judge"):
        swept(community, tmp_path, "feed.weighted.toxicity=-3..0", judge_by="none", **options)


@pytest.mark.parametrize(
    "vary, part",
    [
        ("feed.weighted.toxicity=-3", "expected KEY=FROM..TO"),
        ("feed.weighted.toxicity=a..b", "expected KEY=FROM..TO"),
        ("feed.weighted.toxicity=1..1", "two different numbers"),
        ("feed.weighted.loudness=0..1", "is not a parameter"),
        ("moderation.automod.words=0..1", "is no number"),
        ("behaviour.contagon=0..1", "is not a parameter"),
        ("behaviour.browse_new=0..7", "browse_new"),
        ("moderation.autmod.delay=0..1", "No moderation design called"),
    ],
)
def test_what_cannot_be_varied_is_one_line_and_plays_nothing(
    community: Community, tmp_path: Path, vary: str, part: str
) -> None:
    with pytest.raises(SpecError) as refused:
        swept(community, tmp_path, vary)
    assert part in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "sweeps").exists()


def test_the_command_prints_a_curve_and_draws_it(
    community: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("garden.toml").write_text(GARDEN)
    command = ["sweep", "garden.toml", "--vary", BUSY, "--steps", "2", "--personas", "20", "--days", "1", "--seeds", "2"]
    assert main([*command, "--measure", "posts_per_persona,visits_per_persona_day", "--quiet", "--out", "curve.html"]) == 0
    out = capsys.readouterr().out
    assert "behaviour.visit_rate on garden" in out and "Fewer than 6 seeds make no claim." in out
    page = Path("curve.html").read_text()
    assert "behaviour.visit_rate" in page and "Plotly.newPlot" in page and 'src="http' not in page
    assert main([*command, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["value"] for row in found["rows"]] == [0.5, 2] and found["rows"][0]["measure"] == "toxicity_seen"
    assert main([*command, "--days", "2", "--out", "curve.png"]) == 2
    assert len(list(Path("sweeps").iterdir())) == 1
