"""The command line as its users meet it: what is printed where, what bad input says, what a signal leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simulacra import __version__
from simulacra.cli import main, parser

GARDEN = """
name = "Allotment"
goal = "Allotment holders trade seeds, tips and stories about their plots."
rules = ["Be kind to newcomers.", "No selling."]
topics = ["tomatoes", "compost", "slugs"]
[[personas]]
sketch = "retired postman, 68, patient, loves tomatoes, writes in full sentences"
[[personas]]
sketch = "nurse, 34, blunt, short lower-case bursts, hates slugs"
"""
SMALL = ("--personas", "30", "--days", "1")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with garden.toml and one finished run `kept` in runs/."""
    place = tmp_path_factory.mktemp("played")
    (place / "garden.toml").write_text(GARDEN)
    size = ["--days", "1", "--personas", "160"]
    assert main(["run", str(place / "garden.toml"), *size, "--runs", str(place / "runs"), "--id", "kept", "--quiet"]) == 0
    return place


@pytest.fixture
def here(played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own, with the same content."""
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    """The one JSON object that the command prints."""
    assert main([*command, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    value: dict[str, Any] = json.loads(out)
    return value


# -- verbs -----------------------------------------------------------------------------------------------------------------


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, simulacra, simulacra.cli as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'pandas', 'pyarrow', 'sklearn', 'duckdb', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


def test_run_prints_its_record_as_json_and_progress_elsewhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "garden.toml", *SMALL, "--seed", "5", "--feed", "weighted:recency=1,toxicity=-2", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    fields = "run_id path status personas days posts impressions reactions failures digest seconds measures"
    assert set(fields.split()) <= set(found)
    assert (found["status"], found["personas"], found["days"], found["failures"]) == ("finished", 30, 1, 0)
    assert (here / found["path"] / "run.json").exists()
    assert "day 1 of 1" in err and "visits/s" in err and "left" in err


def test_equal_commands_give_equal_digests(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "garden.toml", *SMALL, "--behaviour", "contagion=off", "--moderation", "automod,reconsider"]
    assert told(capsys, *command, "--id", "a")["digest"] == told(capsys, *command, "--id", "b")["digest"]


def test_compare_prints_rows_and_does_not_play_twice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arms = ["--baseline", "feed=chronological", "--variant", "feed=random churn=off"]
    command = ["compare", "garden.toml", *arms, *SMALL, "--seeds", "2"]
    found = told(capsys, *command)
    row = found["rows"][0]
    assert {"measure", "baseline", "variant", "difference", "low", "high", "correlation", "seeds"} <= set(row)
    assert row["seeds"] == 2 and not row["claim"]
    assert found["differences"] == ["feed: chronological -> random", "behaviour.churn: default -> off"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "none was played again" in err
    assert "cannot carry a claim" in " ".join(out.split()) and "Kept: experiments/" in out
    shown = told(capsys, "show", found["experiment_id"])
    assert shown["rows"] == found["rows"]
    assert main(["show", found["experiment_id"], "--news"]) == 2
    assert "--news reads one run" in capsys.readouterr().err


def test_demo_compares_two_feeds_and_shows_one_thread_of_both(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--personas", "120", "--days", "2", "--seeds", "1", "--jobs", "1"]) == 0
    out, _ = capsys.readouterr()
    for part in ("Answer:", "95 % interval", "in both designs", "What to type next", "demo-baseline-1"):
        assert part in out


def test_show_prints_measures_and_threads_as_trees(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "kept"]) == 0
    out = capsys.readouterr().out
    assert "toxicity of what members read" in out
    assert out.count("\nThread ") == 3
    found = told(capsys, "show", "runs/kept", "--threads", "1")
    thread = found["threads"][0]
    assert len(found["threads"]) == 1
    assert {"author", "act", "text", "toxicity", "up", "down", "replies"} <= set(thread)
    again = told(capsys, "show", "kept", "--post", str(thread["replies"][0]["id"]))
    assert again["threads"][0]["id"] == thread["id"]


def test_show_tells_how_far_news_got(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    news = ["--news", "rumour: the museum will close", "--news", "invitation day 1 21:00: a picnic"]
    told(capsys, "run", "garden.toml", *SMALL, "--id", "told", *news)
    assert main(["show", "told", "--news", "2"]) == 0
    out = capsys.readouterr().out
    assert "2. invitation: a picnic" in out and "knew it first" in out and "museum" not in out
    rows = told(capsys, "show", "told", "--news", "MUSEUM")["rows"]
    assert {row["item"] for row in rows} == {"rumour: the museum will close"}
    assert {"aware", "awareness@1", "reach", "size", "depth", "believed", "doubted"} <= {row["measure"] for row in rows}
    assert main(["show", "told", "--news", "opera"]) == 2
    assert "Known: 1. rumour" in capsys.readouterr().err


def test_runs_are_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = told(capsys, "runs")["runs"]
    assert (run["id"], run["status"], run["community"]) == ("kept", "finished", "garden")
    assert main(["runs", "--runs", "nowhere"]) == 0
    assert "No runs in nowhere" in capsys.readouterr().out


def test_a_run_survives_export_and_import(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "export", "kept", "--to", "zip", "--out", "kept.zip")
    taken = told(capsys, "import", "kept.zip", "--runs", "elsewhere", "--id", "again")
    assert taken["digest"] == told(capsys, "verify", "kept")["digest"]
    told(capsys, "export", "kept", "--to", "csv", "--out", "csv")
    assert (here / "csv" / "posts.csv").exists()


def test_verify_names_what_was_tampered_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "verify", "kept")["ok"]
    file = here / "runs" / "kept" / "day-0001" / "posts.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    assert main(["verify", "kept"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "day-0001/posts.parquet" in err and "Traceback" not in err
    assert main(["verify", "kept", "--json"]) == 2
    assert not json.loads(capsys.readouterr().out)["ok"]


def test_notes_are_kept_and_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "note", "kept", "a dull day", "--tag", "pace")
    found = told(capsys, "note", "kept")
    assert [(note["text"], note["tags"]) for note in found["notes"]] == [("a dull day", ["pace"])]


def test_a_new_community_file_passes_its_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = told(capsys, "new", "Sourdough & friends")["path"]
    assert path == "sourdough-friends.toml"
    assert told(capsys, "check", path)["ok"]


def test_parameters_lists_every_lever(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "parameters")
    assert found["feeds"]["weighted"]["parameters"]["recency"] == 1.0
    assert "automod" in found["moderation"]
    assert {"default", "unit", "source", "off"} <= set(found["behaviour"]["contagion"])
    assert main(["parameters"]) == 0
    assert "contagion = " in capsys.readouterr().out


VERBS = ("run", "resume", "compare", "demo", "runs", "show", "verify", "export", "import", "note", "new", "check", "parameters")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parser().parse_args([verb, "--help"])
    assert end.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"simulacra {__version__}"


# -- bad input -------------------------------------------------------------------------------------------------------------

BROKEN = {
    "malformed.toml": 'goal = "x\n',
    "no-goal.toml": GARDEN.replace("Allotment holders trade seeds, tips and stories about their plots.", ""),
    "empty-rule.toml": GARDEN.replace("No selling.", ""),
    "nobody.toml": GARDEN.split("[[personas]]")[0],
    "unknown-key.toml": GARDEN.replace("topics =", "topic ="),
    "unknown-feed.toml": GARDEN + '[design]\nfeed = "trending"\n',
    "unknown-policy.toml": GARDEN + '[design]\nmoderation = ["automd"]\n',
    "bad-weight.toml": GARDEN + "weight = -1\n",
    "bad-parameter.toml": GARDEN + '[design]\nfeed = "weighted"\n[feed.weighted]\nrecensy = 1\n',
}

MISTAKES = [
    (["run", "nothere.toml"], "nothere.toml"),
    (["run", "pitsburgh"], "pittsburgh"),
    (["run", "malformed.toml"], "malformed.toml"),
    (["check", "malformed.toml"], "malformed.toml"),
    (["run", "no-goal.toml"], "goal"),
    (["run", "empty-rule.toml"], "rules[2]"),
    (["run", "nobody.toml"], "personas"),
    (["run", "unknown-key.toml"], "topics"),
    (["run", "unknown-feed.toml"], "trending"),
    (["check", "unknown-feed.toml"], "trending"),
    (["run", "unknown-policy.toml"], "automod"),
    (["check", "bad-weight.toml"], "weight"),
    (["check", "bad-parameter.toml"], "recency"),
    (["run", "garden.toml", "--days", "0"], "days = 0"),
    (["run", "garden.toml", "--days", "many"], "--days"),
    (["run", "garden.toml", "--days", "100000"], "days"),
    (["run", "garden.toml", "--personas", "-5"], "personas = -5"),
    (["run", "garden.toml", "--personas", "0"], "personas = 0"),
    (["run", "garden.toml", "--personas", "99999999999"], "personas"),
    (["run", "garden.toml", "--seed", "-1"], "seed"),
    (["run", "garden.toml", "--feed", "engagment"], "engagement"),
    (["run", "garden.toml", "--feed", "weighted:toxicity=lots"], "toxicity"),
    (["run", "garden.toml", "--moderation", "automd"], "automod"),
    (["run", "garden.toml", "--moderation", "automod,none"], "none"),
    (["run", "garden.toml", "--behaviour", "contagin=off"], "contagion"),
    (["run", "garden.toml", "--behaviour", "contagion"], "key=value"),
    (["run", "garden.toml", "--set", "fed=hot"], "feed"),
    (["run", "garden.toml", "--overlay", "garden.toml"], "garden.toml"),
    (["run", "garden.toml", "--id", "../escape"], "../escape"),
    (["run", "garden.toml", "--id", "kept"], "exists already"),
    (["run", "garden.toml", "--runs", "garden.toml"], "garden.toml"),
    (["resume", "kept"], "finished"),
    (["resume", "nothere"], "nothere"),
    (["show", "nothere"], "nothere"),
    (["show", "kept", "--post", "999999"], "999999"),
    (["show", "kept", "--news"], "was given no news"),
    (["run", "garden.toml", "--news", "gossip: x"], "gossip"),
    (["verify", "nothere"], "nothere"),
    (["note", "kept", "x", "--post", "999999"], "999999"),
    (["export", "kept", "--to", "csv", "--out", "runs"], "exists"),
    (["export", "kept", "--to", "xls", "--out", "x"], "xls"),
    (["import", "garden.toml"], "garden.toml"),
    (["new", "garden"], "exists already"),
    (["compare"], "--resume"),
    (["compare", "garden.toml", "--resume", "x"], "--resume"),
    (["compare", "--resume", "nothere"], "nothere"),
    (["compare", "garden.toml", "--seeds", "0"], "seeds = 0"),
    (["compare", "garden.toml", "--jobs", "0"], "jobs = 0"),
    (["compare", "garden.toml", "--days", "0"], "days = 0"),
    (["compare", "garden.toml", "--variant", "feed=trending"], "trending"),
    (["compare", "garden.toml", "--variant", "strict.toml"], "strict.toml"),
    (["compare", "garden.toml", "--variant", "moderation.automod.words=['x']"], "Add automod"),
    (["compare", "garden.toml", "--keep", "none"], "--keep"),
    (["dance"], "dance"),
    ([], "VERB"),
]


@pytest.mark.parametrize("command, said", MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_a_mistake_is_one_line_and_changes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    for name, content in BROKEN.items():
        (here / name).write_text(content)
    before = files(here)
    try:
        code = main(command)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert said in err
    assert err.count("\n") == 1, err
    assert files(here) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "locked").mkdir(mode=0o500)
    assert main(["run", "garden.toml", *SMALL, "--runs", "locked"]) == 2
    assert "not permitted" in capsys.readouterr().err


def test_hostile_text_never_reaches_the_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = "\\u001b[31mred\\u0007 \\u202egnirts <script>=cmd|' /C calc'!A0"
    (here / "hostile.toml").write_text(GARDEN.replace("Allotment", bad).replace("retired postman", bad))
    assert main(["run", "hostile.toml", *SMALL, "--id", "hostile"]) == 0
    assert main(["show", "hostile"]) == 0
    assert main(["check", "hostile.toml"]) == 0
    assert main(["run", "\x1b[31m.toml"]) == 2
    out, err = capsys.readouterr()
    assert not set(out + err) & {"\x1b", "\x07", "\u202e"}


def test_an_unreadable_run_is_named_in_the_list(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "runs" / "kept" / "run.json").write_text("{")
    assert main(["runs"]) == 0
    assert "damaged" in capsys.readouterr().out


def test_a_run_of_another_format_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = here / "runs" / "kept" / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    assert main(["show", "kept"]) == 2
    assert "format version" in capsys.readouterr().err


# -- signals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_that_resumes_to_the_same_digest(
    here: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    size = ["--personas", "40", "--days", "2"]
    whole = told(capsys, "run", "garden.toml", *size, "--id", "whole")
    command = [sys.executable, "-m", "simulacra", "run", "garden.toml", *size, "--id", "part"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(here / "runs" / "part" / "burn-0001")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    if process.returncode:  # it may have been quicker than we
        assert process.returncode == 130
        assert "simulacra resume part" in err and "Traceback" not in err
        assert told(capsys, "resume", "part")["digest"] == whole["digest"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_stops_a_parallel_comparison_and_says_how_to_go_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "garden.toml", "--variant", "feed=random", *SMALL, "--seeds", "4", "--jobs", "2", "--id", "mine"]
    process = subprocess.Popen([sys.executable, "-m", "simulacra", *command], stderr=subprocess.PIPE, text=True)
    wait_for(here / "experiments" / "mine" / "seed-0001.json")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    if process.returncode:
        assert process.returncode == 130
        assert "simulacra compare --resume mine" in err and "Traceback" not in err
    found = told(capsys, "compare", "--resume", "mine")
    assert found["status"] == "finished"
    assert len(list((here / "experiments" / "mine").glob("seed-*.json"))) == 4


def files(place: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file() and path.name != "lock"}


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.01)
