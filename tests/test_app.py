"""Every page opens, in an empty folder and over real runs; what pages compute is checked on runs played here."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("streamlit", reason="the app's extra is not installed: pip install -e '.[app]'")

from fault_server import FaultServer
from streamlit.testing.v1 import AppTest

from simulacra.analysis.comparison import Row
from simulacra.analysis.limits import MECHANISMS
from simulacra.analysis.verdict import Plan
from simulacra.branches.whatif import Change
from simulacra.community import load_community
from simulacra.designs import make_arm
from simulacra.errors import Capped, CommunityError, RecordError
from simulacra.experiment import Run, RunSpec, play, run
from simulacra.feeds import FEEDS, make_feed
from simulacra.minds.settings import Language, make_language
from simulacra.record.review import add_note
from simulacra.record.runfiles import plain, to_json
from simulacra.replicates import Comparison, compare
from simulacra.seams import Answer, Prompt
from simulacra.sessions import Session
from simulacra.studies.contagion import CAUSAL, Probe, ProbeRow, probe
from simulacra.studies.robustness import ROBUST_FILE, Held, Robustness
from simulacra.text.budget import Budget
from simulacra.text.models import ModelSpec
from simulacra.views import (
    ask,
    branch,
    charts,
    contagion,
    design,
    drafts,
    example,
    forum,
    jobs,
    mind,
    pages,
    pair,
    parts,
    preview,
    questions,
    readout,
    say,
    store,
    whatif,
)
from simulacra.worker import is_at_work, last_words, start, stop, writer_of
from tests.support import ScriptedGenerator, json_post

PAGES = ("home", "design", "run", "threads", "compare", "measures", "library")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run, one comparison of six pairs and a note."""
    place = tmp_path_factory.mktemp("app")
    played = run("pittsburgh", 40, 2, run_id="trip", runs_dir=place / "runs")
    add_note(played.folder, int(played.posts["id"].iloc[0]), "Look at this", ["rude"], "Ada")
    compare(
        "local-politics", "moderation=none", "feed=random moderation=automod", 40, 1, 6, runs_dir=place / "runs", experiment_id="trial",
        plan=Plan("violations_seen_per_100", None, ("posts_per_persona",)), keep="all",
    )  # fmt: skip
    return place


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(workspace / "runs"))
    return workspace


@pytest.fixture
def trip(here: Path) -> Run:
    return store.run("trip")


@pytest.fixture
def trial(here: Path) -> Comparison:
    return store.experiment("trial")


def opened(page: str, kept: Mapping[str, object] | None = None, /, **query: str) -> AppTest:
    """The page as a browser would get it first. kept: what its session knows already."""

    def script(name: str) -> None:
        from simulacra.views import look, pages

        look.apply()
        pages._PAGES[name][0]()

    test = AppTest.from_function(script, args=(page,), default_timeout=60)
    for key, value in query.items():
        test.query_params[key] = value
    for name, what in (kept or {}).items():
        test.session_state[name] = what
    return test.run()


def words(test: AppTest) -> str:
    """All text on the page."""
    return " ".join(str(getattr(element, "value", "")) for element in [*test.main]) + " ".join(
        h.proto.body for h in test.get("html")
    )


# -- pages -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_an_empty_folder_and_says_what_to_do(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    test = opened(page)
    assert not test.exception
    assert test.title[0].value


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_over_real_runs(page: str, here: Path) -> None:
    test = opened(page, run="trip")
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize(
    "page, query",
    [
        ("compare", {"experiment": "trial"}),
        ("compare", {"new": "1"}),
        ("compare", {"new": "1", "like": "trial"}),
        ("design", {"like": "trip"}),
        ("design", {"community": "pittsburgh"}),
        ("design", {"start": "blank"}),
        ("library", {"experiment": "trial"}),
        ("measures", {"run": "trial-variant-1"}),
        ("threads", {"run": "trial-variant-1", "side": "1"}),
        ("threads", {"run": "trip", "member": "3"}),
    ],
)
def test_what_the_address_names_is_shown(page: str, query: dict[str, str], here: Path) -> None:
    test = opened(page, **query)
    assert not test.exception
    assert not test.error


TABS = {
    "measures": ("Toxicity", "Emotion", "Contagion", "Taking part", "Moderation", "Network", "All measures"),
    "design": design.TABS,
}  # fmt: skip


@pytest.mark.parametrize("page, tab", [(page, tab) for page, tabs in TABS.items() for tab in tabs])
def test_every_tab_opens(page: str, tab: str, here: Path) -> None:
    query = {"run": "trial-variant-1"} if page == "measures" else {"community": "pittsburgh"}
    test = opened(page, {f"{page}-tabs": tab}, **query)
    assert not test.exception
    assert not test.error


def test_all_tabs_of_the_measures_are_tested_here(here: Path) -> None:
    assert [tab.label for tab in opened("measures", run="trip").tabs] == list(TABS["measures"])


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "<b>x</b>", "a" * 300])
@pytest.mark.parametrize("page", ["run", "threads", "measures", "library"])
def test_an_address_that_names_no_run_gives_a_message_and_no_traceback(page: str, name: str, here: Path) -> None:
    assert not opened(page, run=name).exception


def test_an_address_that_names_no_comparison_or_community_gives_a_message(here: Path) -> None:
    assert opened("compare", experiment="../x").error
    assert opened("design", community="no-such-one").error


def test_every_page_of_the_navigation_is_tested_here() -> None:
    assert set(PAGES) == set(pages._PAGES) == {name for names in pages._SECTIONS.values() for name in names}


# -- the example and the read-out ------------------------------------------------------------------------------------------


def test_the_example_that_ships_opens_with_a_clear_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    example.unpack(tmp_path / "runs", tmp_path / "experiments")
    found = store.experiment(example.NAME)
    assert readout.read_out(readout.answer_of(found)).word == "Clear change"
    assert pair.kept_pairs(found).keys() == {pair.median_seed(found, found.spec.plan.primary)}
    assert example.PACKED.stat().st_size <= 400_000


def test_the_example_does_not_come_back_once_it_was_deleted(tmp_path: Path) -> None:
    example.unpack(tmp_path / "runs", tmp_path / "experiments")
    store.trash(tmp_path / "experiments" / example.NAME)
    example.unpack(tmp_path / "runs", tmp_path / "experiments")
    assert not (tmp_path / "experiments" / example.NAME).exists()


def row(**changes: object) -> Row:
    known = dict(
        measure="violations_seen_per_100",
        unit="",
        baseline=5.0,
        variant=3.0,
        difference=-2.0,
        low=-3.0,
        high=-1.0,
        correlation=0.8,
        seeds=8,
        kind="response",
        claim=True,
        sentence="Clear change: members read about 2 fewer posts.",
        effect="lower",
        stability="convergent",
        role="primary",
        margin=1.0,
        p=0.01,
        adjusted_p=0.01,
        more_seeds=None,
    )
    return Row(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes, word",
    [
        ({}, "Clear change"), ({"effect": "no difference that matters"}, "No difference that matters"),
        ({"effect": "undecided", "more_seeds": 8}, "Too early"), ({"stability": "divergent"}, "It depends"),
        ({"effect": "no verdict", "seeds": 3}, "Too early"), ({"seeds": 0}, "Nothing yet"),
    ],
)  # fmt: skip
def test_the_read_out_says_in_a_word_what_the_verdict_is(trial: Comparison, changes: dict[str, object], word: str) -> None:
    made = row(**changes)
    answer = readout.Answer(trial, Plan(made.measure), {made.measure: made})
    assert readout.read_out(answer).word == word


def test_too_early_says_how_many_more_runs_and_how_long(trial: Comparison) -> None:
    made = row(effect="undecided", more_seeds=10)
    told = readout.read_out(readout.Answer(trial, Plan(made.measure), {made.measure: made}))
    assert told.more_seeds == 10
    assert told.seconds and told.seconds > 0


@pytest.mark.parametrize(
    "measure, effect, word",
    [
        ("persona_churn", "higher", "worse"), ("persona_churn", "lower", "better"), ("newcomer_return", "lower", "worse"),
        ("participation_gini", "higher", "changed"), ("persona_churn", "undecided", "unclear"),
        ("persona_churn", "no difference that matters", "fine"),
    ],
)  # fmt: skip
def test_a_guardrail_is_judged_by_which_way_is_better(measure: str, effect: str, word: str) -> None:
    assert readout.guard(row(measure=measure, effect=effect)) == word


def test_the_pair_to_read_is_the_median_one(trial: Comparison) -> None:
    primary = trial.spec.plan.primary
    seed = pair.median_seed(trial, primary)
    values = trial.results
    differences = sorted(values["variant"][s][primary] - values["baseline"][s][primary] for s in values["baseline"])
    assert values["variant"][seed][primary] - values["baseline"][seed][primary] == differences[2]


def test_more_runs_are_added_to_those_that_are_finished(here: Path) -> None:
    before = store.experiment("trial")
    name = ask.grown(before, 2)
    larger = store.experiment(name)
    assert larger.spec.seeds == before.spec.seeds + 2
    assert larger.folder.results() == before.folder.results()
    assert larger.spec.plan == before.spec.plan
    shutil.rmtree(larger.path)


@pytest.mark.parametrize("asked, moderation", [("", ("automod",)), ("Does slow mode hurt newcomers?", ("slow_mode",))])
def test_a_duplicate_keeps_its_designs_and_another_question_proposes_its_own(
    asked: str, moderation: tuple[str, ...], here: Path
) -> None:
    page = opened("compare", {"template": asked} if asked else {}, new="1", like="trial")
    assert not page.exception
    assert page.session_state["arms"][0]["design"]["moderation"] == []
    assert tuple(page.session_state["arms"][1]["design"]["moderation"]) == moderation
    primary = page.selectbox(key=f"primary-{asked or 'The same question'}")
    assert primary.value == ("newcomer_return" if asked else "violations_seen_per_100")


def test_kinds_of_members_are_told_apart_where_the_record_does(here: Path) -> None:
    name = ask.grown(store.experiment("trial"), 1)
    folder = store.experiment(name).folder
    for seed in folder.results():
        result = json.loads(folder.file_of(seed).read_bytes())
        for arm, more in (("baseline", 0), ("variant", -2)):
            result["arms"][arm]["measures"]["violations_seen_per_100@newcomers"] = 5 + seed + more
        folder.file_of(seed).write_bytes(to_json(result))
    answer = readout.answer_of(store.experiment(name))
    segment = next(segment for segment in answer.segments() if segment.name == "newcomers")
    assert (segment.title, segment.contrast.mean, segment.contrast.seeds) == ("Newcomers", -2, 6)
    page = opened("compare", experiment=name)
    shutil.rmtree(folder.path)
    assert not page.exception
    assert "For whom" in [heading.value for heading in page.subheader]


@pytest.mark.parametrize("held, word", [(11, "It holds"), (7, "Driven by assumptions")])
def test_what_the_check_of_assumptions_found_is_told(here: Path, held: int, word: str) -> None:
    made = [Held(f"draw-{i:02d}", {}, -1.0 if i <= held else 0.4, i <= held, 0.9) for i in range(1, 13)]
    found = Robustness("violations_seen_per_100", tuple(made), (Held("without-contagion", {}, -0.1, True, 0.1),))
    file = store.experiment("trial").path / ROBUST_FILE
    file.write_bytes(to_json(plain(found.to_dict())))
    test = opened("compare", experiment="trial")
    file.unlink()
    assert not test.exception
    assert word in words(test) and f"{held} of 12" in words(test) and "moods follow what is read" in words(test)


# -- contagion -------------------------------------------------------------------------------------------------------------


def test_the_probe_is_asked_of_the_design_of_a_run_and_its_answer_is_read(trip: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contagion, "SEEDS", 1)
    assert contagion.answer_of(trip, "positive") is None
    assert contagion.begin(trip, "positive", 20, 1).wait(60) == 0
    told = contagion.answer_of(trip, "positive")
    assert told is not None and (told.personas, told.days, told.seeds) == (20, 1, 1)
    assert load_community(store.answers_dir() / "trip-probe-positive.toml").voices == trip.spec.community.voices
    page = opened("measures", {"measures-tabs": "Contagion"}, run="trip")
    assert "No answer" in words(page) and "if no mood spread" in words(page)


def probe_row(estimate: str, low: float, high: float) -> ProbeRow:
    return ProbeRow("valence", estimate, "", (low + high) / 2, low, high, 0.01, 8, estimate in CAUSAL)


@pytest.mark.parametrize(
    "low, high, word",
    [
        (-0.02, -0.01, "Mood spreads"), (-0.02, 0.01, "Not detectable at this size"), (0.0, 0.0, "No contagion"),
        (math.nan, math.nan, "No answer"),
    ],
)  # fmt: skip
def test_the_word_over_a_probe_follows_the_interval_of_the_twins(low: float, high: float, word: str) -> None:
    told = Probe("positive", 100, 3, 8, (probe_row("twin", low, high), probe_row("whole community", low, high)))
    assert contagion.verdict(told)[0] == word
    assert told.sentence.startswith((word, "No answer"))


def test_every_estimate_of_the_probe_has_its_words(here: Path) -> None:
    found = probe("pittsburgh", personas=20, days=1, seeds=1)
    assert {row.estimate for row in found.rows} == set(contagion.FIGURES)


# -- forum -----------------------------------------------------------------------------------------------------------------


def test_a_moving_mean_begins_where_its_window_is_full() -> None:
    hours = pd.DataFrame({"step": [0, 1, 2, 3], "n": [1, 1, 2, 2], "toxicity": [0.9, 0.1, 0.1, 0.1]})
    means = charts.smoothed(hours, "toxicity", 3)
    assert means["step"].tolist() == [2, 3]
    assert means["toxicity"].tolist() == pytest.approx([0.3, 0.1])
    assert charts.smoothed(hours.head(2), "toxicity", 3)["toxicity"].tolist() == pytest.approx([0.5])


def test_a_thread_reads_in_parts_that_keep_what_their_first_post_stands_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forum, "PART", 3)
    tree = forum.reading_order({1: -1, 2: 1, 3: 1, 4: 2, 5: 4, 6: 2, 9: 3})
    assert tree.order == (1, 2, 4, 5, 6, 3, 9)
    assert [tree.part(number) for number in (1, 2, 3)] == [
        ((1, 2, 4), frozenset()), ((5, 6, 3), frozenset({1, 2, 4})), ((9,), frozenset({1, 3})),
    ]  # fmt: skip
    assert [tree.part_of(post) for post in (1, 6, 9, None, 77)] == [1, 2, 3, 1, 1]


def test_a_thread_as_deep_as_it_is_long_reads_in_parts_too() -> None:
    deep = forum.reading_order({post: post - 1 for post in range(5000)})
    assert deep.order == tuple(range(5000))
    assert deep.part(10)[1] == frozenset(range(9 * forum.PART - forum.MOST_ABOVE, 9 * forum.PART))


def test_a_long_thread_opens_at_the_part_of_the_post_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setattr(forum, "PART", 3)
    long = run("pittsburgh", 200, 2, feed="engagement", behaviour={"write": 0.3}, runs_dir=tmp_path / "runs", run_id="long")
    root = int(forum.sorted_threads(long, "replies", forum.Filters((1, 2))).iloc[0]["root"])
    tree = forum.tree(long, root)
    assert tree.parts >= 3, "the case needs a thread of seven posts or more"

    def reads(page: AppTest, first: int, last: int) -> bool:
        return any(f"Posts {first} to {last} of {len(tree.order)}, as" in caption.value for caption in page.caption)

    page = opened("threads", run="long", thread=str(root))
    assert not page.exception and reads(page, 1, 3)
    page.button(key=f"more-long-{root}").click().run()
    assert not page.exception and reads(page, 4, 6)
    page = opened("threads", run="long", post=str(tree.order[-1]))
    assert reads(page, 3 * tree.parts - 2, len(tree.order))
    assert f"more-long-{root}" not in [button.key for button in page.button]


def test_a_thread_is_shown_whole_with_parents_before_replies(trip: Run) -> None:
    longest = forum.sorted_threads(trip, "replies", forum.Filters((1, 2))).iloc[0]
    posts = forum.thread(trip, int(longest["root"]))
    assert len(posts) == longest["posts"]
    seen: set[int] = set()
    for post in posts:
        assert post["parent"] < 0 or post["parent"] in seen
        seen.add(post["id"])


@pytest.mark.parametrize("key", forum.SORTS.values())
def test_every_sort_gives_threads_of_the_run_each_once(trip: Run, key: str) -> None:
    roots = list(forum.sorted_threads(trip, key, forum.Filters((1, 2)))["root"])
    assert len(set(roots)) == len(roots)
    assert set(roots) <= set(forum.threads(trip)["root"])


def test_newest_comes_first_and_filters_keep_only_what_they_say(trip: Run) -> None:
    newest = forum.sorted_threads(trip, "newest", forum.Filters((1, 2)))
    assert list(newest["root"]) == sorted(newest["root"], reverse=True)
    author = int(newest["author"].iloc[0])
    kept = forum.sorted_threads(trip, "newest", forum.Filters((1, 2), author=author))
    posts = store.query(trip, "SELECT root, author FROM posts")
    assert set(kept["root"]) <= set(posts.loc[posts["author"] == author, "root"])


@pytest.mark.parametrize("search", ["'", "' OR 1=1 --", "%", "\x00", '"; DROP VIEW posts'])
def test_words_searched_for_are_data_in_the_query(trip: Run, search: str) -> None:
    found = forum.sorted_threads(trip, "newest", forum.Filters((1, 2), words=search))
    posts = store.query(trip, "SELECT root, text FROM posts")
    holding = {r for r, t in zip(posts["root"], posts["text"], strict=True) if search.replace("\x00", "").lower() in t.lower()}
    assert set(found["root"]) <= holding


def test_a_member_is_shown_what_the_record_says_it_looked_at(trip: Run) -> None:
    persona = forum.most_active(trip)[0]
    step = forum.visits(trip, persona)[0]
    impressions = store.query(trip, f"SELECT post FROM impressions WHERE persona = {persona} AND step = {step}")
    assert sorted(forum.slate(trip, persona, step)["id"]) == sorted(impressions["post"])


def test_the_same_thread_is_found_in_the_other_design(trial: Comparison) -> None:
    runs = pair.runs_of(trial, 1)
    assert runs is not None
    for root in forum.shared_threads(runs["baseline"], runs["variant"])[:5]:
        twin = forum.same_thread(runs["baseline"], root, runs["variant"])
        assert twin is not None
        assert forum.same_thread(runs["variant"], twin, runs["baseline"]) == root


# -- designs ---------------------------------------------------------------------------------------------------------------


def test_a_saved_draft_is_read_back_as_it_was(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    draft = drafts.of_community(store.community("pittsburgh"))
    draft |= {"name": 'A "quoted" name', "slug": "quoted", "goal": "Böses = {x}\\ ## people who talk."}
    draft["rules"][0] = {"text": "Be kind.", "kinds": ["insult"], "stance": "forbids", "confirmed_by": "Ada"}
    drafts.save(draft)
    assert drafts.of_community(store.community("quoted")) == {**draft, "voices_of": "quoted"}


def test_an_unchanged_community_of_ours_is_not_copied_and_a_changed_one_gets_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    draft = drafts.of_community(store.community("pittsburgh"))
    assert drafts.stored(draft).parent.name == "communities"
    draft["goal"] = "Another goal for people who travel."
    assert drafts.stored(draft) == tmp_path / "designs" / "my-pittsburgh.toml"
    assert store.community("my-pittsburgh").voices == store.community("pittsburgh").voices


@pytest.mark.parametrize(
    "change, field",
    [
        ({"goal": " "}, "goal"), ({"name": ""}, "name"), ({"personas": []}, "personas"), ({"topics": ["a", "A"]}, "topics"),
        ({"rules": [{"text": "x" * 600}]}, "rules"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_field(change: dict[str, object], field: str, here: Path) -> None:
    draft = {**drafts.of_community(store.community("pittsburgh")), **change}
    assert drafts.problem(draft)[0] == field
    with pytest.raises(CommunityError):
        drafts.save(draft)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"personas": [{"name": "", "sketch": "", "weight": 1.0}, {"name": "Bo", "sketch": "", "weight": 1.0}]}, "Sketch 2 is empty."),
        ({"rules": [{"text": ""}, {"text": "x" * 600}]}, "Rule 2 has 600 characters"), ({"name": ""}, "Name is empty."),
    ],
)  # fmt: skip
def test_a_mistake_names_the_field_as_the_page_does(change: dict[str, object], told: str, here: Path) -> None:
    draft = {**drafts.of_community(store.community("pittsburgh")), **change}
    assert drafts.problem(draft)[1].startswith(told)


def test_what_is_wrong_is_gone_once_it_is_mended(here: Path) -> None:
    page = opened("design", start="blank")
    page.text_input(key=f"name-{page.session_state['draft_version']}").set_value("Plots").run()
    assert "goal is empty" in words(page).lower()
    page.text_area(key=f"goal-{page.session_state['draft_version']}").set_value("People who garden swap seeds here.").run()
    assert "goal is empty" not in words(page).lower() and "Describe at least one kind of member" in words(page)


def test_who_judges_a_design_that_acts_by_the_scorer_is_chosen(here: Path) -> None:
    def start() -> Any:
        return next(button for button in page.button if button.label == "Start the comparison")

    page = opened("compare", {"template": "Which of two feeds?"}, new="1", community="pittsburgh")
    assert not page.exception and not [box for box in page.selectbox if box.key == "judge"], "nothing acts by a score"
    moderation = next(box for box in page.multiselect if box.key.startswith("variant-") and box.key.endswith("-moderation"))
    moderation.set_value(["remove"]).run()
    assert not page.error and not start().disabled
    page.selectbox(key="judge").set_value("none").run()
    assert "the very scorer that would judge it" in page.error[0].value and start().disabled
    page.selectbox(key="judge").set_value("own").run()
    assert "Name the text classifier" in page.error[0].value and start().disabled
    page.text_input(key="judge-name").set_value("my/classifier").run()
    assert not page.error and not start().disabled


def test_what_decides_becomes_options() -> None:
    told = ask.decided_by(Plan("toxicity_seen", 0.1, ("persona_churn",)), "hf:my/classifier")
    assert told == [
        "--primary",
        "toxicity_seen",
        "--margin",
        "0.1",
        "--guardrail",
        "persona_churn",
        "--judge",
        "hf:my/classifier",
    ]
    assert ask.decided_by(Plan("toxicity_seen"), "") == ["--primary", "toxicity_seen"]


def test_rules_that_mean_the_same_are_told_before_anything_is_played(here: Path) -> None:
    page = opened("compare", {"template": "Which of two sets of rules?"}, new="1", community="pittsburgh")
    rules = next(area for area in page.text_area if area.key.startswith("variant-") and area.key.endswith("-rules"))
    rules.set_value(f"{rules.value}\nNo insults.").run()
    assert [warning.value for warning in page.warning] == [readout.WORDING]
    rules = next(area for area in page.text_area if area.key.startswith("variant-") and area.key.endswith("-rules"))
    rules.set_value("").run()
    assert not page.warning


def test_designs_that_play_out_alike_get_a_reason_instead_of_empty_pictures(here: Path) -> None:
    found = compare(
        "pittsburgh", "", 'rules.add="No insults."', 30, 1, 6, runs_dir=here / "runs", experiment_id="alike", keep="none",
        plan=Plan("violations_per_100"),
    )  # fmt: skip
    page = opened("compare", experiment="alike")
    shutil.rmtree(found.path)
    assert not page.exception and "word for word the same" in words(page) and not page.get("plotly_chart")


def test_while_it_is_played_no_direction_is_told_before_six_pairs(trial: Comparison) -> None:
    answer = readout.answer_of(trial)
    row = answer.rows[answer.primary]
    few = replace(answer, rows={**answer.rows, answer.primary: replace(row, seeds=3, effect="no verdict")})
    assert readout.so_far(few).word == "Playing" and "3" not in readout.so_far(few).sentence
    assert readout.so_far(answer).word.startswith("So far: ")


def test_every_mechanism_is_told_in_words() -> None:
    assert set(MECHANISMS) == set(readout.ASSUMED)
    told = readout.limit("Mechanisms that may carry a response: contagion, follow. --robust asks which.")
    assert "moods follow what is read" in told and "--" not in told


def test_the_sample_slate_is_ranked_by_the_feed_itself() -> None:
    newest = [post.hours for post, _ in preview.ranked(make_feed("chronological"))]
    assert newest == sorted(newest)
    order = [post.title for post, _ in preview.ranked(make_feed("weighted:recency=0,toxicity=-1"))]
    assert order[-1] == "A heated quarrel"


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_ranks_the_whole_sample(name: str) -> None:
    ranked = preview.ranked(make_feed(name))
    assert len({post.title for post, _ in ranked}) == len(ranked)
    assert len(ranked) >= (1 if name == "downplay_dominant" else len(preview.SAMPLES))


@pytest.mark.parametrize(
    "personas, days, runs, measured",
    [(1000, 7, 1, 2.2), (10_000, 7, 1, 6.8), (90, 5, 32, 19.9), (200, 3, 16, 9.1), (1000, 7, 16, 20.3), (2000, 3, 8, 8.3)],
)
def test_the_time_of_a_run_is_near_what_runs_took(
    personas: int, days: int, runs: int, measured: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    assert design.seconds_for(personas, days, runs) == pytest.approx(measured, rel=0.25)


# -- minds -----------------------------------------------------------------------------------------------------------------

SCRIPTED = ModelSpec("openai", "scripted", "http://127.0.0.1:1/v1", chats=True)


def asked_of_a_model(runs: Path, generator: object, name: str) -> None:
    made = make_arm(load_community("pittsburgh"), "feed=chronological moderation=none", behaviour={"write": 0.3})
    spec = RunSpec(load_community("pittsburgh"), made, 40, 1, 1, language=Language(SCRIPTED))
    play(spec, runs, name, session=Session(generator, Budget()))  # type: ignore[arg-type]


def test_a_language_run_shows_what_it_took_and_how_many_turns_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))

    def say_or_refuse(prompt: Prompt) -> str | Answer:
        return Answer("", "refused", 300, 0, 3) if prompt.seed % 4 == 0 else json_post(prompt)

    asked_of_a_model(tmp_path / "runs", ScriptedGenerator(say_or_refuse), "told")
    page = opened("run", run="told")
    assert not page.exception
    assert "Calls of the model" in words(page) and "Tokens in" in words(page)
    assert any("refused" in caption.value and "scripted" in caption.value for caption in page.caption)


@pytest.mark.parametrize(
    "status, told", [("", "No run called"), ("capped", "has no finished day yet"), ("damaged", "not JSON")]
)
def test_a_run_that_cannot_be_read_is_not_mistaken_for_another(
    status: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    run("pittsburgh", 5, 1, run_id="short", runs_dir=tmp_path / "runs")
    if status:
        shutil.copytree(tmp_path / "runs" / "short", tmp_path / "runs" / "odd")
        told_of = json.loads((tmp_path / "runs" / "odd" / "run.json").read_bytes())
        changed = json.dumps({**told_of, "status": status, "days": []}) if status == "capped" else "{"
        (tmp_path / "runs" / "odd" / "run.json").write_text(changed)
    page = opened("threads", run="odd")
    assert not page.exception and told in page.error[0].value.replace("\\", "")
    assert page.selectbox[0].value is None and len(page.selectbox) == 1


@pytest.mark.parametrize(
    "ends, told",
    [((-4.04, -5.93, -2.02), "−4.0 (−5.9 to −2.0)"), ((0.0172, -0.0012, 0.0351), "+0.017 (−0.001 to +0.035)"),
     ((12.3, 2.0, 22.6), "+12 (+2 to +23)"), ((0.0, 0.0, 0.0), "+0.00 (+0.00 to +0.00)")],
)  # fmt: skip
def test_an_interval_has_as_many_digits_as_its_width_supports(ends: tuple[float, float, float], told: str) -> None:
    assert say.interval(*ends) == told


def test_a_run_at_its_cap_says_so_and_goes_on_within_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))

    def dear(prompt: Prompt) -> str:
        raise Capped("the cap of calls is reached")

    with pytest.raises(Capped):
        asked_of_a_model(tmp_path / "runs", ScriptedGenerator(dear), "dear")
    page = opened("run", run="dear")
    assert not page.exception
    assert "at its cap" in words(page)
    assert [field.label for field in page.number_input] == ["Stop at dollars", "Stop at calls"]


@pytest.mark.parametrize(
    "choice, arguments",
    [
        (mind.Choice(), []),
        (mind.Choice("local"), ["--mind", "local", "--autonomy", "guided", "--past", "sketch", "--yes"]),
        (
            mind.Choice("openai", "tiny", "http://127.0.0.1:1/v1", "full", "model", 2.5, 100),
            ["--mind", "openai", "--model", "tiny", "--base-url", "http://127.0.0.1:1/v1", "--autonomy", "full", "--past", "model",
             "--max-cost", "2.5", "--max-calls", "100", "--yes"],
        ),
    ],
)  # fmt: skip
def test_a_mind_is_handed_to_the_process_as_it_was_chosen(choice: mind.Choice, arguments: list[str]) -> None:
    assert choice.arguments() == arguments
    assert choice.language() == (None if choice.is_sketch else make_language(
        choice.mind, choice.model or None, choice.base_url, choice.autonomy, choice.past
    ))  # fmt: skip


def test_whether_members_remember_is_chosen_handed_on_and_priced(here: Path) -> None:
    page = opened("design", {"design-tabs": "Size and start"}, community="pittsburgh")
    page.button_group(key="run-mind").set_value("openai").run()
    page.text_input(key="run-address").set_value("http://127.0.0.1:1/v1").run()
    page.text_input(key="run-model").set_value("tiny").run()
    page.select_slider[0].set_value(1000)
    page.slider[0].set_value(7).run()
    assert page.toggle(key="run-memory").value, "they remember unless it is switched off"

    def calls(page: AppTest) -> int:
        page = page.button(key="run-ask").click().run()
        assert not page.exception
        return int(page.session_state["run-estimate"][1]["calls"])

    remembering = calls(page)
    page.toggle(key="run-memory").set_value(False).run()
    assert "run-ask" in [button.key for button in page.button], "another price has to be told"
    assert calls(page) < remembering
    chosen = mind.Choice("openai", "tiny", "http://127.0.0.1:1/v1", memory=False)
    told = chosen.language()
    assert told is not None and told.memory == 0 and "--no-memory" in chosen.arguments()
    assert "--no-memory" not in replace(chosen, memory=True).arguments()


# -- safety and files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["![x](http://e.test)", "https://e.test", "**b**", ":red[x]", "$x$", "<b>x</b>", "a@b.c", "www.e.test"]
)
def test_markdown_is_taken_out_of_text(text: str) -> None:
    made = say.md(text)
    assert "http:" not in made and "https:" not in made and "www." not in made and "@b" not in made
    assert all(made[i - 1] == "\\" for i, c in enumerate(made) if c in "![]()*<>$:#_`")


def test_html_and_figures_hold_no_markup_of_members() -> None:
    assert "<" not in say.esc("<b>x</b>")
    assert "<" not in say.flat("<a href='http://e.test'>x</a>")


def test_no_cell_of_a_download_is_a_formula() -> None:
    made = parts.csv(pd.DataFrame({"text": ["=1+1", "+x", "-x", "@x", "fine"], "n": [-1, 2, 3, 4, 5]})).decode()
    assert '"=1' not in made and '"+x' not in made and '"-x' not in made and '"@x' not in made
    assert ",-1" in made


def test_a_deleted_run_leaves_the_lists_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    run("pittsburgh", 5, 1, run_id="short", runs_dir=tmp_path / "runs")
    store.trash(tmp_path / "runs" / "short")
    assert store.runs() == []
    store.restore(tmp_path / "runs", store.trashed(tmp_path / "runs")[0])
    assert [found.id for found in store.runs()] == ["short"]


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    start("run", "broken", tmp_path, ["no-such-community"]).wait(60)
    assert "No community called" in last_words(tmp_path, "broken")


def test_a_process_is_at_work_until_it_ends_and_leaves_its_answer(tmp_path: Path) -> None:
    answer = tmp_path / "answers" / "probe.json"
    process = start(
        "probe", "asked", tmp_path, ["contagion", "pittsburgh", "--personas", "20", "--days", "1", "--seeds", "1"], answer
    )
    assert is_at_work(tmp_path, "asked")
    with pytest.raises(RecordError, match="is writing"):
        start("probe", "asked", tmp_path, [], answer)
    assert process.wait(60) == 0
    assert not is_at_work(tmp_path, "asked")
    assert json.loads(answer.read_text())["seeds"] == 1


@pytest.mark.parametrize(
    "said, share", [("replicate 3 of 12, 1 min left", 0.25), ("", 0.0), ("no number", 0.0), ("0 of 0", 0.0)]
)
def test_progress_is_read_from_what_a_process_says(said: str, share: float) -> None:
    assert jobs.progress_in(said) == share


def test_nobody_writes_a_finished_run_so_there_is_nothing_to_stop(trip: Run) -> None:
    assert writer_of(trip.path) is None
    assert stop(trip.path) is False


def test_names_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        start("run", "../evil", tmp_path, [])
    with pytest.raises(RecordError):
        store.run("../evil")


# -- questions put to a run --------------------------------------------------------------------------------------------------


@pytest.fixture
def quiet_post(trip: Run) -> int:
    """A post of the first measured day, whichever was written."""
    posts = trip.posts
    found = posts.loc[posts["step"].between(0, 23) & (posts["parent"] < 0), "id"]
    assert len(found), "the case needs a thread that was opened on day 1"
    return int(found.iloc[0])


def ended(question: questions.Question, seconds: float = 240) -> None:
    """Wait until its process has ended."""
    until = time.monotonic() + seconds
    while question.is_open and time.monotonic() < until:
        time.sleep(0.05)


def waited(question: questions.Question) -> dict[str, Any]:
    """The question's answer, once its process has ended."""
    ended(question)
    assert question.answer is not None, question.failure
    return question.answer


def test_what_if_asks_plays_and_shows_both_futures(trip: Run, quiet_post: int) -> None:
    asked = {"run": "trip", "ask": "whatif", "post": str(quiet_post)}
    test = opened("threads", **asked)
    assert not test.exception and "Nothing asked yet" in words(test)
    test.button(key=f"whatif-{quiet_post}").click().run()
    assert "Say who replies" in test.error[0].value
    arguments = ["--post", str(quiet_post), "--as=a poet, 40", "--hours", "4", "-n", "2", "--ripple"]
    question = questions.put(trip, "whatif", quiet_post, arguments, "A poet replies")
    assert question.is_open and not questions.put_before(trip, "multiverse", quiet_post)
    waited(question)
    assert questions.put(trip, "whatif", quiet_post, arguments, "A poet replies").answer == question.answer
    test = opened("threads", **asked)
    assert not test.exception
    assert "A poet replies" in test.subheader[0].value and "no more" in words(test)
    assert {"As it was", "With the change"} <= set(re.findall(r"As it was|With the change", words(test)))


def test_the_multiverse_shows_the_spread_and_both_ends(trip: Run, quiet_post: int) -> None:
    arguments = ["--thread", str(quiet_post), "-n", "3", "--hours", "4", "--by", "replies"]
    waited(questions.put(trip, "multiverse", quiet_post, arguments, "Three rolls"))
    test = opened("threads", run="trip", ask="multiverse", post=str(quiet_post))
    assert not test.exception and "Best and worst" in " ".join(caption.value for caption in test.caption)


def test_an_interview_shows_what_was_asked_and_what_it_rests_on(trip: Run) -> None:
    persona = int(trip.posts["author"].iloc[0])
    test = opened("threads", run="trip", ask="interview", member=str(persona))
    assert not test.exception and "Nothing asked yet" in words(test)
    waited(questions.put(trip, "interview", persona, ["--persona", str(persona), "Who are you?"], "Who are you?"))
    test = opened("threads", run="trip", ask="interview", member=str(persona))
    assert not test.exception and "No model is asked" in words(test)


def test_a_question_that_fails_says_why_and_can_be_cleared(trip: Run, quiet_post: int) -> None:
    question = questions.put(trip, "whatif", quiet_post, ["--post", str(quiet_post), "--act=sing"], "Somebody sings")
    ended(question)
    assert question.answer is None and "somebody who replies" in question.failure
    test = opened("threads", run="trip", ask="whatif", post=str(quiet_post), answer=question.name)
    assert "somebody who replies" in test.error[0].value
    test.button(key=f"clear-{question.name}").click().run()
    assert question.name not in [known.name for known in questions.put_before(trip, "whatif", quiet_post)]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Run, FaultServer]]:
    """A run that a model wrote, and the model."""
    monkeypatch.setenv(store.RUNS_VARIABLE, str(tmp_path / "runs"))
    with FaultServer() as server:
        language = make_language("openai", server.model, server.url, past="sketch", memory=0)
        behaviour = {"write": 0.3}
        run("pittsburgh", 120, 1, behaviour=behaviour, runs_dir=tmp_path / "runs", run_id="model", language=language)
        yield store.run("model"), server


def pressed(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run()


@pytest.mark.parametrize("ask, form, button", [("whatif", "whatif", "whatif"), ("multiverse", "rolls", "roll")])
def test_a_question_to_a_language_run_tells_its_price_and_stops_at_its_cap(
    written: tuple[Run, FaultServer], ask: str, form: str, button: str
) -> None:
    played, server = written
    posts, before = played.posts, server.total
    busy = int(posts[posts["root"].isin(posts.loc[posts["parent"] < 0, "id"])]["root"].value_counts().index[0])
    page = opened("threads", run="model", ask=ask, post=str(busy))
    if ask == "whatif":
        page.text_input(key=f"whatif-as-{busy}").set_value("a poet, 60").run()
    page.number_input(key=f"{form}-{busy}-calls").set_value(1).run()
    assert page.button(key=f"{button}-{busy}").disabled, "the price comes first"
    page = pressed(page, f"{form}-{busy}-ask")
    assert not page.exception and server.total == before, "a price asks nothing"
    assert all(name in words(page) for name in ("Calls", "Tokens", "Cost"))
    assert not page.button(key=f"{button}-{busy}").disabled
    page = pressed(page, f"{button}-{busy}")
    assert not page.exception
    (question,) = questions.put_before(played, ask, busy)
    ended(question)
    assert server.total == before + 1
    page = opened("threads", run="model", ask=ask, post=str(busy))
    said = " ".join(element.value for element in [*page.error, *page.warning]).replace("\\", "")
    assert "cap of 1 calls is reached" in said and "nothing is paid for twice" in said


def test_an_answer_that_a_cap_cut_short_says_so_and_is_asked_for_again(written: tuple[Run, FaultServer]) -> None:
    played, server = written
    opening = int(played.posts.loc[played.posts["parent"] < 0, "id"].iloc[0])
    arguments = ["--post", str(opening), "--as=a poet, 60", "--hours", "24", "-n", "8"]

    def cut(calls: int) -> questions.Question:
        question = questions.put(played, "whatif", opening, arguments, "A poet", [*mind.caps(0, calls), "--yes"])
        ended(question)
        return question

    question = cut(6)
    while question.answer is None:
        assert "cap of 6 calls" in question.failure
        question = cut(6)
    assert question.answer["capped"], "the case needs a question that takes more than the first roll and six calls"
    page = opened("threads", run="model", ask="whatif", post=str(opening))
    assert "Cut short" in page.warning[0].value and "8 rolls were played" in page.warning[0].value
    question, asked = cut(10_000), server.total
    assert question.answer is not None and not question.answer["capped"] and len(question.answer["with"]) == 8
    assert cut(10_000).answer == question.answer and server.total == asked
    assert not opened("threads", run="model", ask="whatif", post=str(opening)).warning


def test_an_interview_by_a_model_tells_what_an_answer_takes(written: tuple[Run, FaultServer]) -> None:
    _, server = written
    before = server.total
    page = opened("threads", run="model", ask="interview", member="3")
    assert not page.exception and server.total == before
    assert any("1 call for nothing" in caption.value.replace("\\", "") for caption in page.caption)
    assert [field.label for field in page.number_input] == ["Stop at dollars", "Stop at calls"]


@pytest.mark.parametrize(
    "query", [{"ask": "whatif"}, {"ask": "whatif", "post": "999999"}, {"ask": "interview", "member": "-4"}]
)
def test_a_question_about_nothing_says_what_to_do(here: Path, query: dict[str, str]) -> None:
    test = opened("threads", run="trip", **query)
    assert not test.exception and test.title and re.search(r"Choose|choose", words(test))


def test_a_difference_has_no_more_digits_than_its_interval_supports() -> None:
    assert whatif._interval({"difference": 39.12, "low": -419.14, "high": 497.39}) == "+39 (−419 to +497)"
    assert whatif._interval({"difference": -0.018, "low": -0.012, "high": 0.05}).startswith("−0.018 (")
    assert whatif._interval({"difference": -1.25, "low": None, "high": None}) == "−1.25"
    assert whatif._interval({"difference": None, "low": None, "high": None}) == "–"


def test_a_change_becomes_options_whatever_its_words_are() -> None:
    made = Change("a troll", "--remove everything", "insult")
    assert whatif.options(7, made) == ["--post", "7", "--as=a troll", "--say=--remove everything", "--act=insult"]
    assert whatif.options(7, Change(moderate=("lock", "warn"))) == ["--post", "7", "--moderate=lock,warn"]


def test_a_continuation_keeps_what_followed_and_what_it_stands_below() -> None:
    def post(number: int, *replies: dict[str, Any]) -> dict[str, Any]:
        plain = {
            "step": 3,
            "author": "<b>x</b>",
            "act": "share",
            "text": "words",
            "toxicity": 0.1,
            "valence": 0.0,
            "up": 0,
            "down": 0,
        }
        return {**plain, "id": number, "readers": 1, "removed_by": "", "replies": list(replies)}

    rows = branch._flat(post(1, post(2, post(9)), post(3), post(4)))
    kept, hidden = branch._kept(rows, since=9, put_in=-1, asked=4)
    assert [(row["id"], row["depth"], row["is_new"]) for row in kept] == [
        (1, 0, False),
        (2, 1, False),
        (4, 1, False),
        (9, 2, True),
    ]
    assert hidden == 1
