"""WhatIf and Multiverse: what follows a moment equals the record where nothing is changed, and shares all other chances."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from operator import eq, lt
from pathlib import Path

import numpy as np
import pytest

from simulacra.branches import moments
from simulacra.branches.continuations import Task, continued
from simulacra.branches.forks import fork
from simulacra.branches.guests import act_of, joined, widened
from simulacra.branches.interview import interview
from simulacra.branches.moments import Buffered, labels_of, moment_after, moment_at
from simulacra.branches.multiverse import multiverse
from simulacra.branches.whatif import Change, whatif
from simulacra.cli import main
from simulacra.errors import RecordError, SpecError
from simulacra.experiment import Run, run
from simulacra.platform import Members
from simulacra.reading import PostView, threads
from simulacra.record.runs import RunFolder
from simulacra.seams import Briefs, Writing
from simulacra.streams import Rerolled, Streams

POLICIES = ["strikes", "rate_limit", "shadow_limit", "human_review"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two days of two hundred people, with a feed and policies that keep something of every persona."""
    place = tmp_path_factory.mktemp("runs")
    return run("pittsburgh", 200, 2, feed="collaborative", moderation=POLICIES, runs_dir=place, run_id="one")


@pytest.fixture(scope="module")
def unruled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same people where nobody moderates: nothing is refused, and no removal is appealed."""
    return run("pittsburgh", 200, 2, moderation="none", runs_dir=tmp_path_factory.mktemp("runs"), run_id="free")


@pytest.fixture(scope="module")
def busy(played: Run) -> int:
    return busiest(played)


def busiest(run: Run) -> int:
    """The opening post of the thread that was opened on day 1 and has most replies within a day.

    Posts differ a little between machines, so none is named: this is asked of the record. Threads of the burn-in go on in the
    measured days, so a reply's root may lie before them.
    """
    posts = run.posts
    opened = posts.loc[(posts["parent"] < 0) & posts["step"].between(0, 23), ["id", "step"]].rename(columns={"step": "opened"})
    replies = posts.merge(opened, left_on="root", right_on="id", suffixes=("", "_root"))
    replies = replies[(replies["parent"] >= 0) & (replies["step"] <= replies["opened"] + 24)]
    assert len(replies), "the case needs a thread of day 1 that was answered within a day"
    return int(replies["root"].value_counts().index[0])


def _posts(thread: PostView) -> Iterator[tuple[int, int, str, str, str, int, int]]:
    waiting = [thread]
    while waiting:
        post = waiting.pop()
        yield post.id, post.step, post.author, post.act, post.text, post.up, post.down
        waiting += post.replies


# -- the past, and nothing changed ---------------------------------------------------------------------------------------


def test_where_nothing_is_changed_the_continuation_is_what_was_recorded(played: Run, busy: int) -> None:
    moment = moment_after(played, busy)
    hours = 48 - moment.step  # to the end of the record
    task = Task(moment, busy, hours, 0, first=len(moment.state["posts.author"]))
    (recorded,) = threads(played.frames, [busy])
    for words_from_the_record in (False, True):
        again = continued(Task(**{**vars(task), "recorded": words_from_the_record}))
        assert sorted(_posts(again.thread)) == sorted(_posts(recorded))


def test_a_moment_is_the_checkpoint_that_the_run_would_have_left(played: Run) -> None:
    start = moment_at(played, 24)
    simulation = start.simulation(Buffered(labels_of(played.spec)))
    simulation.play_until(48)
    kept, state = played.folder.state(2), simulation.state()
    assert kept.keys() == state.keys()
    assert [name for name in kept if not np.array_equal(kept[name], state[name])] == []


def test_replaying_asks_no_writer_for_what_is_recorded(unruled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def write(self, briefs: Briefs, world: object, streams: Streams) -> Writing:
            assert not len(briefs.author), "a recorded post was written again"
            return Writing([], np.zeros(0, np.int64), np.zeros(0, np.int8))

    set_stage = moments.set_stage

    def without_writer(*given: object) -> object:
        return moments.replace(set_stage(*given), writer=Silent())  # type: ignore[arg-type]

    monkeypatch.setattr(moments, "set_stage", without_writer)
    reached = moment_at(unruled, 40)
    assert reached.step == 40 and reached.state["step"][0] == 40


def test_a_run_without_checkpoints_is_played_again_from_its_past(unruled: Run, tmp_path: Path) -> None:
    copied = tmp_path / "free"
    shutil.copytree(unruled.path, copied)
    for checkpoint in copied.glob("*/checkpoint"):
        shutil.rmtree(checkpoint)
    bare = Run(RunFolder.open("free", tmp_path))
    for step in (0, 30):
        again, kept = moment_at(bare, step).state, moment_at(unruled, step).state
        assert again.keys() == kept.keys()
        assert [name for name in kept if not np.array_equal(kept[name], again[name])] == []
    assert interview(bare, 0, "Who do you talk to?", embedder=lambda texts: np.eye(len(texts), dtype=np.float32)).answer


def test_a_record_that_does_not_replay_is_refused(played: Run, tmp_path: Path) -> None:
    changed = run("pittsburgh", 200, 1, runs_dir=tmp_path, run_id="other", behaviour="write=0.3")
    info = json.loads((changed.path / "run.json").read_text())
    info["cause"]["arm"]["behaviour"]["write"] = 0.05
    (changed.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(RecordError, match="another version of the program"):
        moment_at(Run(changed.folder), 12)


def test_a_moment_in_a_fork_goes_on_under_the_forks_design(played: Run, busy: int) -> None:
    other = fork(played, 1, ["feed=chronological"], runs_dir=played.path.parent, run_id="forked")
    start = moment_after(other, busy)
    task = Task(start, busy, 48 - start.step, 0, first=len(start.state["posts.author"]))
    (recorded,) = threads(other.frames, [busy])
    assert sorted(_posts(continued(task).thread)) == sorted(_posts(recorded))


# -- rolls of chance -----------------------------------------------------------------------------------------------------


def test_rolls_differ_after_the_moment_and_not_before(played: Run, busy: int) -> None:
    answer = multiverse(played, busy, 6, hours=24, jobs=1)
    before = {tuple(sorted(p[:5] for p in _posts(roll.thread) if p[0] < roll.since)) for roll in answer.rolls}
    after = {tuple(sorted(p[:5] for p in _posts(roll.thread) if p[0] >= roll.since)) for roll in answer.rolls}
    assert len(before) == 1 and len(after) > 1


def test_a_roll_keeps_who_people_are() -> None:
    who = np.arange(50)
    again, other = Rerolled(7, 0), Rerolled(7, 3)
    assert np.array_equal(again.uniform("visit", 5, who), Streams(7).uniform("visit", 5, who))
    assert not np.array_equal(other.uniform("visit", 5, who), Streams(7).uniform("visit", 5, who))
    assert np.array_equal(other.normal("writer", who), Streams(7).normal("writer", who))


def test_equal_questions_have_equal_answers_whatever_the_jobs(played: Run, busy: int) -> None:
    asked = {"as_": "a sarcastic sports coach", "hours": 6, "n": 2}
    first = whatif(played, busy, jobs=1, **asked)  # type: ignore[arg-type]
    assert whatif(played, busy, jobs=2, **asked).to_dict() == first.to_dict()  # type: ignore[arg-type]


def test_the_spread_comes_with_both_ends_and_the_run_among_them(played: Run, busy: int) -> None:
    answer = multiverse(played, busy, 6, hours=24, by="replies", jobs=1)
    replies = {spread.measure: spread for spread in answer.spreads}["replies"]
    counts = [roll.values["replies"] for roll in answer.rolls]
    assert (replies.low, replies.high, replies.recorded) == (min(counts), max(counts), counts[0])
    assert answer.best and answer.worst
    assert (answer.best.values["replies"], answer.worst.values["replies"]) == (min(counts), max(counts))
    assert "replies" in answer.criterion
    below, equal = (sum(compare(count, counts[0]) for count in counts[1:]) for compare in (lt, eq))
    place = f"The run had {counts[0]:.0f}: more than {below} of the 5 other rolls" + (f", as many as {equal}" if equal else "")
    assert place in answer.sentence and "100" not in answer.sentence and "half" not in answer.sentence


# -- the change ----------------------------------------------------------------------------------------------------------


def test_a_described_person_replies_in_the_words_given(played: Run, busy: int) -> None:
    answer = whatif(played, busy, as_="a retired nurse, 70, warm", say="You are all idiots.", hours=3, n=1)
    put_in = next(p for p in _posts(answer.with_[0].thread) if p[0] == answer.with_[0].put_in)
    assert put_in[3:5] == ("insult", "You are all idiots.")
    assert put_in[1] == answer.step - 1
    handles = set(played.folder.population.handle.tolist())
    assert put_in[2] not in handles
    assert answer.with_[0].since == answer.without[0].since + 1


def test_a_member_can_be_told_to_speak(unruled: Run) -> None:
    posts, busy = unruled.posts, busiest(unruled)
    opening = posts.loc[posts["id"] == busy].iloc[0]
    after = posts.loc[(posts["author"] != opening["author"]) & (posts["step"] > opening["step"]), "author"]
    known = unruled.folder.population
    there = [author for author in after if known.arrival[author] < 0]
    assert there, "the case needs somebody who is a member from the beginning and writes later"
    handle = str(known.handle[there[0]])
    answer = whatif(unruled, busy, as_=f"@{handle}", act="thank", hours=2, n=1)
    put_in = next(p for p in _posts(answer.with_[0].thread) if p[0] == answer.with_[0].put_in)
    assert put_in[2:4] == (handle, "thank") and put_in[4]


def test_a_removed_post_is_read_no_more_and_a_locked_thread_grows_no_more(unruled: Run) -> None:
    answered = busiest(unruled)
    gone = whatif(unruled, answered, remove=True, hours=24, n=2)
    assert all(c.values["readings"] == 0 and c.values["replies"] == 0 for c in gone.with_)
    assert gone.with_[0].thread.removed_by == "what_if"
    locked = whatif(unruled, answered, moderate="lock", hours=24, n=2)
    assert all(c.values["replies"] == 0 for c in locked.with_) and any(c.values["readings"] > 0 for c in locked.with_)
    assert locked.without[0].values["replies"] > 0


def test_a_moderators_words_stand_in_the_thread_and_remind_those_who_wrote(played: Run, busy: int) -> None:
    answer = whatif(played, busy, moderator="Please keep it kind.", hours=2, n=1)
    put_in = next(p for p in _posts(answer.with_[0].thread) if p[0] == answer.with_[0].put_in)
    assert put_in[4] == "Please keep it kind."


def test_the_ripple_measures_the_whole_community_over_those_hours(played: Run, busy: int) -> None:
    answer = whatif(played, busy, remove=True, ripple=True, hours=48 - moment_after(played, busy).step, n=1)
    recorded = played.posts
    recorded = recorded[recorded["step"] >= answer.step]
    row = next(row for row in answer.ripple if row.measure == "toxicity_written")
    assert row.baseline == pytest.approx(float(recorded["toxicity"].mean()), abs=1e-4)


def test_moderation_judges_what_is_put_in_as_anybodys_post(tmp_path: Path) -> None:
    strict = run("pittsburgh", 60, 1, settings=["moderation=remove", "moderation.remove.threshold=0.1"], runs_dir=tmp_path)
    posts = strict.posts
    calm = int(posts.loc[posts["toxicity"].idxmin(), "id"])
    assert posts["toxicity"].min() < 0.1, "the case needs a post that the policy lets stand"
    answer = whatif(strict, calm, as_="a troll", say="You stupid worthless idiot.", hours=2, n=1)
    put_in = next(p for p in _posts(answer.with_[0].thread) if p[0] == answer.with_[0].put_in)
    assert put_in[4] == "You stupid worthless idiot."
    assert strict.frames.table("rulings").empty or answer.with_[0].values["replies"] == answer.without[0].values["replies"]


def test_few_rolls_make_no_claim(played: Run, busy: int) -> None:
    answer = whatif(played, busy, remove=True, hours=4, n=2)
    assert {row.effect for row in answer.rows} == {"no verdict"}
    assert "no more" in answer.sentence


def test_a_guest_changes_no_one_elses_chances(played: Run, busy: int) -> None:
    """A guest whom nobody can read changes nothing but its own rows."""
    moment = moment_after(played, busy)
    guest = moment.with_guest("a shy gardener", 0)
    sides = []
    for one in (moment, guest):
        simulation = one.simulation(Buffered(labels_of(one.spec)))
        simulation.platform.members.present[200 + 4 :] = False
        if one is guest:
            simulation.platform.members.departed[-1] = True
        simulation.play_until(moment.step + 8)
        posts, n = simulation.platform.posts, len(simulation.platform.posts)
        sides.append((posts.text, posts.author[:n].tolist(), simulation.platform.members.mood[:200].tolist()))
    assert sides[0] == sides[1]


def test_a_widened_state_fits_one_more_persona(played: Run) -> None:
    state, people = played.folder.state(1), played.folder.population
    wider = widened(state, len(people))
    fresh = Members(joined(people, played.spec.community, "a poet", 0, moment_at(played, 24).near, 1))
    assert all(len(wider[name]) == len(people) + 1 for name in wider if name.startswith("members."))
    assert wider["members.followees"][-1].tolist() == fresh.followees[-1].tolist()
    assert len(wider["feed.readers"]) == len(people) + 1
    assert wider["feed.items"][len(people)].tolist() == [0] * wider["feed.items"].shape[1]


@pytest.mark.parametrize(
    "sketch, parent, act",
    [
        ("a troll", "share", "insult"),
        ("a sarcastic expert", "share", "joke"),
        ("a warm expert", "ask", "answer"),
        ("a contrarian", "ask", "disagree"),
        ("sells crystals", "share", "promote"),
        ("a plumber", "share", "answer"),
    ],
)
def test_what_a_described_person_does_follows_from_the_description(sketch: str, parent: str, act: str) -> None:
    assert act_of(sketch, parent) == act


# -- mistakes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, told",
    [
        (Change("a sarcastic expert, 60"), '"a sarcastic expert, 60" replies to post 7'),
        (Change("@river_jo", "No."), '@river_jo replies to post 7, saying "No."'),
        (Change(moderate=("remove",), moderator="Be kind."), 'post 7 is removed; a moderator writes "Be kind."'),
    ],
)
def test_a_change_is_told_so_that_its_sentence_reads(change: Change, told: str) -> None:
    assert change.describe(7) == told


@pytest.mark.parametrize(
    "asked, says",
    [
        ({"post": 10**6, "remove": True}, "has no post 1000000"),
        ({"post": 0, "remove": True}, "in the burn-in"),
        ({"remove": False}, "Nothing is different"),
        ({"as_": "@nobody_at_all"}, "No member called"),
        ({"say": "hello"}, "need somebody who replies"),
        ({"as_": "a poet", "act": "sing"}, "expected one of share"),
        ({"moderate": "explode"}, "expected remove, lock, label, warn"),
        ({"remove": True, "hours": 0}, "hours = 0"),
        ({"remove": True, "jobs": 0}, "jobs = 0"),
        ({"as_": "x" * 400}, "expected 1 to 300"),
    ],
)
def test_mistakes_are_one_line(played: Run, busy: int, asked: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError) as error:
        whatif(played, **{"post": busy, **asked})  # type: ignore[arg-type]
    assert says in str(error.value) and "\n" not in str(error.value)


def test_the_command_line_answers_in_words_and_as_json(played: Run, busy: int, capsys: pytest.CaptureFixture[str]) -> None:
    place, few = ["--runs", str(played.path.parent)], ["--hours", "3", "-n", "2", "--quiet"]
    assert main(["whatif", "one", "--post", str(busy), "--as", "a poet", *few, *place]) == 0
    assert "Without the change" in capsys.readouterr().out
    out = played.path.parent / "kept" / "answer.json"
    assert main(["multiverse", "one", "--thread", str(busy), *few, "--json", "--out", str(out), *place]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(out.read_text()) and len(told["rolls"]) == 2
