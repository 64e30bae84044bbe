"""Every knob is live: each moves the quantity that it promises to move, in the direction that it promises."""

from __future__ import annotations

import pytest

from simulacra.analysis.measures import MEASURES
from simulacra.cli import main
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.errors import SpecError
from simulacra.studies import audit as auditing
from simulacra.studies.audit import arms_of, audit
from simulacra.studies.knobs import KNOBS, Knob, undeclared
from simulacra.studies.quantities import QUANTITIES

COMMUNITY = "game-makers"
"""It has members who sell and a rule that limits, so that nearly every knob can act."""
ELSEWHERE = "new-parents"
"""Here people talk of health and public affairs."""


def test_every_knob_promises_something() -> None:
    assert undeclared() == [], "declare what it moves in simulacra/studies/knobs.py"


def test_every_promise_can_be_kept() -> None:
    community = load_community(COMMUNITY)
    for knob in KNOBS:
        assert knob.moves in QUANTITIES or knob.moves in MEASURES, knob.name
        before, after = arms_of(knob, community)
        assert before.design() != after.design(), f"{knob.name} is not turned"


def test_knobs_are_live() -> None:
    """Quick: a knob that shows no promised sign in the first seed is judged by its interval over all."""
    answer = audit(COMMUNITY, quick=True, jobs=2)
    elsewhere = [row.knob for row in answer.rows if row.ok is None]
    assert len(elsewhere) < 6
    answers = (answer, audit(ELSEWHERE, elsewhere, quick=True, jobs=2))
    dead = [
        f"{r.knob} ({r.turned}): {r.measure} {r.difference:+.4f} ({r.low:+.4f} to {r.high:+.4f})"
        for a in answers
        for r in a.failed
    ]
    assert not dead, "\n".join(dead)
    assert len(answer.rows) == len(KNOBS)
    assert all(row.ok for row in answers[1].rows), "every knob acts in one of the two communities"


def test_a_dead_knob_fails_with_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    dead = Knob("behaviour.peak_hour", "20.0", "evening_visits", 1)  # its default: turned to where it stands
    monkeypatch.setattr(auditing, "KNOBS", (dead,))
    assert main(["audit", "pittsburgh", "--personas", "40", "--seeds", "3", "--quiet"]) == 1
    assert "dead or wrong: behaviour.peak_hour" in capsys.readouterr().out


def test_a_quick_audit_turns_a_doubtful_knob_over_all_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Knob("behaviour.peak_hour", "20.0", "evening_visits", 1)
    wrong = Knob("behaviour.visit_rate", "3", "visits_per_persona_day", -1)
    right = wrong._replace(sign=1)
    monkeypatch.setattr(auditing, "KNOBS", (dead, wrong, right))
    answer = audit("pittsburgh", personas=60, seeds=3, quick=True)
    assert [(row.seeds, row.ok) for row in answer.rows] == [(3, False), (3, False), (1, True)]
    assert "1 seen in one seed alone" in answer.sentence and answer.rows[2].to_dict()["low"] is None


def test_a_quick_audit_asks_more_seeds_where_the_interval_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known differences in place of runs: of a knob that three seeds leave open (-1, 1, 1), and of one that moves nothing."""
    open_at_three, dead = Knob("behaviour.peak_hour", "8", "toxicity_shown", 1), Knob("behaviour.weekend", "0.3", "visitors", 1)

    def turn(knobs, community, near, personas, seed):  # type: ignore[no-untyped-def]
        return seed, [(0.0, 0.0 if knob is dead else -1.0 if seed == 1 else 1.0) for knob in knobs]

    monkeypatch.setattr(auditing, "KNOBS", (open_at_three, dead))
    monkeypatch.setattr(auditing, "turn", turn)
    assert [row.ok for row in audit("pittsburgh", seeds=3).rows] == [False, False]
    assert [(row.seeds, row.ok) for row in audit("pittsburgh", seeds=3, quick=True).rows] == [(9, True), (3, False)]


def test_a_promise_in_the_wrong_direction_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Knob("behaviour.visit_rate", "3", "visits_per_persona_day", -1)
    monkeypatch.setattr(auditing, "KNOBS", (wrong,))
    (row,) = audit("pittsburgh", personas=60, seeds=3).rows
    assert row.low > 0
    assert row.ok is False


def test_a_knob_that_cannot_act_here_is_not_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    knob = next(k for k in KNOBS if k.needs == "a rule that limits")
    monkeypatch.setattr(auditing, "KNOBS", (knob,))
    (row,) = audit("pittsburgh", personas=40, seeds=3).rows
    assert row.ok is None
    assert row.note == "not turned: this community has no rule that limits"


def test_arms_of_a_knob_share_their_past() -> None:
    """A knob that acts in no arm leaves every quantity equal, digit for digit: nothing else differs."""
    idle = Knob("behaviour.label_view", "0.1", "age_shown", 1)  # nothing is labelled without the label lever
    _, [(before, after)] = auditing.turn([idle], load_community("pittsburgh"), _near(), 40, 1)
    assert before == after


def _near():  # type: ignore[no-untyped-def]
    from simulacra.scoring.semantic import topic_affinity

    return topic_affinity(load_community("pittsburgh"), use_model=False)


@pytest.mark.parametrize(
    ("names", "seeds", "told"),
    [(["behaviour.contagon"], 6, "No knob called 'behaviour.contagon'"), ([], 2, "expected a whole number from 3")],
)
def test_bad_input_is_one_line(names: list[str], seeds: int, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        audit("pittsburgh", names, seeds=seeds)


def test_contexts_are_settings_that_exist() -> None:
    community = load_community(COMMUNITY)
    for context in {knob.context for knob in KNOBS}:
        make_arm(community, ["feed=chronological", "moderation=none", *context.split()])
