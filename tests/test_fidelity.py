"""The fidelity report keeps every figure, passing or failing, and judges by the worst case."""

import json
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

from simulacra.cli import main
from simulacra.errors import SpecError
from simulacra.studies.fidelity import fidelity
from simulacra.studies.fidelity.page import page
from simulacra.studies.fidelity.rows import NOT_TESTED, ROWS, Row
from simulacra.studies.fidelity.study import Case, judged
from simulacra.studies.fidelity.world import Size

PAGE = Path(__file__).parent.parent / "docs" / "fidelity.md"
TINY = Size(personas=60, days=2, arm_personas=60, arm_days=2)


@pytest.fixture(scope="module")
def small():
    return fidelity(["pittsburgh"], seeds=2, size=TINY)


def test_every_figure_is_in_the_report_whether_it_passes_or_not(small):
    assert [result.row for result in small.results] == list(ROWS)
    failed = [result for result in small.results if not result.passed]
    assert 0 < len(failed) < len(ROWS)
    told = page(small)
    assert all(f"| S{r.row.s} | {r.row.figure}" in told for r in small.results)
    assert all(r.reason and f"- **{r.row.name}**" in told for r in failed)
    assert told.count("**FAIL**") == len(failed)


def test_at_least_thirty_rows_of_the_table_of_targets_are_tested_and_the_rest_is_named():
    tested = {row.s for row in ROWS}
    assert len(tested) >= 30
    left = {n for key in NOT_TESTED for n in _numbers(key)}
    assert sorted([*tested, *left]) == list(range(1, 50))


def _numbers(key):
    ends = [int(part.lstrip("S")) for part in key.split(" to ")]
    return range(ends[0], ends[-1] + 1)


# -- judging ---------------------------------------------------------------------------------------------------------------


def row(low, high, how):
    return Row(1, "figure", "published", "source", low, high, lambda w: 0.0, how, lacks="the model lacks it")


def verdict(low, high, how, *cases):
    found = judged(row(low, high, how), [Case(name, *values) for name, *values in cases], np.array([v for _, v, *_ in cases]))
    return found.where, found.passed, found.reason


def test_the_run_that_lies_worst_counts():
    assert verdict(0, 1, "level", ("a", 0.5, 0, 1), ("b", 0.95, 0, 1)) == ("b", True, "")
    where, passed, reason = verdict(0, 1, "level", ("a", 0.5, 0, 1), ("b", 1.2, 0, 1), ("c", -0.1, 0, 1))
    assert (where, passed) == ("b", False) and "outside the band" in reason and "the model lacks it" in reason


def test_a_sign_needs_an_interval_that_excludes_0():
    assert verdict(0, inf, "sign", ("a", 2.0, 1.0, 3.0), ("b", 2.0, 0.5, 3.5))[:2] == ("b", True)
    _, passed, reason = verdict(-inf, 0, "sign", ("a", -2.0, -3.0, -1.0), ("b", -2.0, -5.0, 1.0))
    assert not passed and "not detectable at this size" in reason


def test_no_effect_needs_an_interval_that_includes_0():
    assert verdict(-1, 1, "none", ("a", 0.1, -0.2, 0.4))[1]
    assert "there is an effect" in verdict(-1, 1, "none", ("a", 0.3, 0.2, 0.4))[2]


def test_what_is_undefined_fails():
    assert verdict(0, 1, "level", ("a", 0.5, 0, 1), ("b", nan, 0, 1)) == (
        "b",
        False,
        "undefined in some run: the model lacks it",
    )


# -- command and page ------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_page_and_one_json_object_and_equal_seeds_give_equal_figures(small, tmp_path, capsys):
    out = tmp_path / "report.md"
    size = "--personas 60 --arm-personas 60 --days 2 --seeds 2"
    options = [*size.split(), "--quiet", "--json", "--out", str(out)]
    assert main(["fidelity", "pittsburgh", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["rows"]) == len(ROWS) and {"row", "figure", "band", "worst", "median", "pass", "reason"} <= set(
        told["rows"][0]
    )
    assert told == json.loads(json.dumps(small.to_dict()))
    assert out.read_text("utf-8") == page(small)


@pytest.mark.parametrize("arguments,says", [({"seeds": 1}, "an interval needs two"), ({"communities": []}, "at least one")])
def test_a_report_that_makes_no_sense_is_refused_in_one_line(arguments, says):
    with pytest.raises(SpecError, match=says):
        fidelity(**arguments)


def test_the_published_page_has_every_figure_and_a_reason_for_every_failure():
    told = PAGE.read_text("utf-8")
    lines = [line for line in told.splitlines() if line.startswith("| S")]
    assert [line.split(" | ")[1].removesuffix(" †") for line in lines] == [r.figure for r in ROWS]
    failed = [r for r, line in zip(ROWS, lines, strict=True) if "**FAIL**" in line]
    assert all(r.lacks and f"- **{r.name}**" in told for r in failed)
