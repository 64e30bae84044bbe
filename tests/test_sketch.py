"""The sketch writer: same draws, same words; replies answer; moods, styles and truths show in the text."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support import community, past, played, writer

from simulacra.community import Community, Sketch
from simulacra.events import ACTS, KINDS, STRATA
from simulacra.minds.sketch import SketchWriter
from simulacra.people.population import grow
from simulacra.scoring.lexical import LexicalScorer
from simulacra.seams import Briefs, Writing
from simulacra.simulation import Simulation
from simulacra.streams import Streams

HOSTILE = "\u202e[a|b]{thing}{{}}]][[ <script>alert(1)</script> \x1b[31m % \\ \x00 ' \" =cmd()"


def briefs(world: Simulation, act: str, n: int = 80, mood: float = 0.0, truth: str = "none", step: int = 500) -> Briefs:
    people = len(world.population)
    author = (np.arange(n) % people).astype(np.int32)
    topic = (np.arange(n) % len(world.platform.community.topics)).astype(np.int8)
    zero = np.zeros(n, np.int8)
    return Briefs(
        author,
        step,
        zero + ACTS.index(act),
        topic,
        np.full(n, mood, np.float32),
        np.full(n, -1, np.int32),
        zero + KINDS.index(truth),
    )


def written(act: str, hours: int = 1, **kwargs: object) -> Writing:
    """Eighty posts an hour, one a persona."""
    sim = past()
    parts = [writer().write(briefs(sim, act, step=500 + h, **kwargs), sim.platform, sim.streams) for h in range(hours)]  # type: ignore[arg-type]
    return Writing(
        [t for p in parts for t in p.text], np.concatenate([p.memo for p in parts]), np.concatenate([p.stratum for p in parts])
    )


@cache
def of_a_run() -> Simulation:
    return played(days=3, personas=300)


def test_equal_briefs_give_equal_words_whatever_was_written_before() -> None:
    first = written("share")
    fresh = SketchWriter(community())
    fresh.write(briefs(past(), "vent", mood=-0.9), past().platform, past().streams)
    again = fresh.write(briefs(past(), "share"), past().platform, past().streams)
    assert first.text == again.text and first.memo.tolist() == again.memo.tolist()


def test_a_post_does_not_depend_on_who_else_writes_in_the_hour() -> None:
    sim, whole = past(), briefs(past(), "ask")
    one = Briefs(*(column[7:8] if isinstance(column, np.ndarray) else column for column in whole))
    assert writer().write(one, sim.platform, sim.streams).text == [written("ask").text[7]]


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_words_in_threads_and_replies(act: str) -> None:
    truth = {"insult": "insult", "promote": "self_promotion", "off_topic": "off_topic"}.get(act, "none")
    opened = written(act, truth=truth)
    sim = of_a_run()
    count = len(sim.platform.posts)
    brief = briefs(sim, act, n=count, truth=truth)._replace(parent=np.arange(count, dtype=np.int32))
    replied = writer().write(brief, sim.platform, sim.streams)
    for text in (*opened.text, *replied.text):
        assert text.strip() and "{" not in text and "[" not in text and "|" not in text
    assert len(set(opened.text)) > 0.9 * len(opened.text)  # "promote" has the smallest bank


def test_valence_follows_mood() -> None:
    valence = [LexicalScorer().score(written("share", mood=mood).text).valence.mean() for mood in (-0.8, 0.0, 0.8)]
    assert valence[0] < valence[1] < valence[2] and valence[2] - valence[0] > 0.3


def test_insults_come_in_four_strata_that_scorers_see_unequally() -> None:
    posts = written("insult", hours=8, truth="insult")
    share = np.bincount(posts.stratum, minlength=len(STRATA)) / len(posts.text)
    assert share[0] == 0 and (share[1:] > 0.1).all() and share[STRATA.index("neither")] >= 0.25
    toxic = LexicalScorer().score(posts.text).toxicity > 0.5
    seen = {name: toxic[posts.stratum == code].mean() for code, name in enumerate(STRATA) if code}
    assert seen["both"] > 0.7 and seen["lexical"] > 0.6 and seen["neither"] < 0.2


def test_a_second_thought_is_milder() -> None:
    sim = past()
    harsh = briefs(sim, "insult", truth="insult")
    mild = briefs(sim, "vent")._replace(revision=1)
    toxicity = [LexicalScorer().score(writer().write(b, sim.platform, sim.streams).text).toxicity.mean() for b in (harsh, mild)]
    assert toxicity[1] < 0.5 * toxicity[0]


def test_civil_posts_are_mostly_read_as_civil() -> None:
    for act in ("share", "ask", "thank", "agree"):
        assert (LexicalScorer().score(written(act).text).toxicity > 0.5).mean() < 0.1


def test_styles_show_and_stay() -> None:
    sim = past()
    people = len(sim.population)
    quiet = replace(sim.population, capitals=np.zeros(people, np.float32), emoji=np.zeros(people, np.float32))
    loud = replace(quiet, punctuation=np.ones(people, np.float32), emoji=np.ones(people, np.float32))
    texts = {}
    for name, population in (("quiet", quiet), ("loud", loud)):
        root = past().fork(past().arm, past().recorder.fork())
        root.platform.population = population
        texts[name] = writer().write(briefs(sim, "share"), root.platform, sim.streams).text
    assert np.mean([t[0].isupper() for t in texts["quiet"]]) < 0.1
    assert np.mean([any(ord(c) > 0x2600 for c in t) for t in texts["loud"]]) > 0.5
    assert sum(t.count("!") for t in texts["loud"]) > 2 * sum(t.count("!") for t in texts["quiet"])


def test_replies_take_up_their_parents_subject_without_repeating_it() -> None:
    sim = of_a_run()
    posts = sim.recorder.frames().table("posts", burn_in=True).set_index("id")
    replies = posts[posts.parent >= 0]

    def words(text: str) -> list[str]:
        return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()

    def shared(a: str, b: str) -> bool:
        runs = {tuple(words(a)[i : i + 4]) for i in range(len(words(a)) - 3)}
        return any(tuple(words(b)[i : i + 4]) in runs for i in range(len(words(b)) - 3))

    parents = posts.text[replies.parent].to_list()
    assert np.mean([shared(p, t) for p, t in zip(parents, replies.text, strict=True)]) <= 0.05

    def overlap(others: list[str]) -> float:
        common = set(["the", "a", "i", "to", "it", "and", "of", "in", "is", "that", "was", "for", "on", "my", "you", "at"])
        pairs = [(set(words(p)) - common, set(words(t)) - common) for p, t in zip(others, replies.text, strict=True)]
        return float(np.mean([len(a & b) > 0 for a, b in pairs]))

    assert overlap(parents) > 1.5 * overlap(parents[len(parents) // 2 :] + parents[: len(parents) // 2])


def test_a_run_hardly_says_anything_twice() -> None:
    texts = of_a_run().recorder.frames().table("posts").text
    assert texts.duplicated().mean() <= 0.01


def test_hostile_text_in_a_community_is_data() -> None:
    hostile = Community("x", HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE, "bread"), (Sketch(HOSTILE), Sketch("baker, 40")))
    people = grow(hostile, 40, Streams(1), 1, 0.0)
    sim = past().fork(past().arm, past().recorder.fork())
    sim.platform.population, sim.platform.community = people, hostile
    n = 40
    zero = np.zeros(n, np.int8)
    brief = Briefs(np.arange(n, dtype=np.int32), 3, zero, zero, np.zeros(n, np.float32), np.full(n, -1, np.int32), zero)
    texts = SketchWriter(hostile).write(brief, sim.platform, Streams(1)).text
    assert all(t.strip() and "\x1b" not in t and "\x00" not in t and "\u202e" not in t for t in texts)
