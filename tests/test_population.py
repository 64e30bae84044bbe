"""Growing personas: who descends from whom, what they have in common, how they differ, and that each is one person for ever."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.community import Community, Sketch, bundled_communities, load_community
from simulacra.errors import SpecError
from simulacra.people import population
from simulacra.people.lists import occupations, people, with_article
from simulacra.people.names import handles, shuffled
from simulacra.people.population import DEGREES, grow, us_adults
from simulacra.persona import OLD_HAND, Population
from simulacra.scoring.semantic import topic_affinity, word_affinity
from simulacra.streams import Streams

TRAITS_01 = ("irritability", "susceptibility", "compliance", "verbosity", "punctuation", "emoji", "capitals")


def described(*sketches: str, topics: Sequence[str] = ("seeds", "compost", "slugs")) -> Community:
    return Community("garden", "Garden", "Neighbours trade seeds.", ("Be kind.",), tuple(topics), tuple(map(Sketch, sketches)))


@cache
def pittsburgh(personas: int = 1000, seed: int = 1) -> Population:
    community = load_community("pittsburgh")
    return grow(community, personas, Streams(seed), 7, 0.01, topic_affinity(community, use_model=False))


def assert_same_people(one: Population, other: Population) -> None:
    for f in fields(Population):
        assert np.array_equal(getattr(one, f.name), getattr(other, f.name)), f.name


# -- one person for ever -----------------------------------------------------------------------------------------------------


def test_persona_17_is_the_same_person_in_a_small_and_in_a_large_population() -> None:
    small, large = pittsburgh(300), pittsburgh(70_000)  # the large one is grown in more than one piece
    assert_same_people(small.take(slice(0, 300)), large.take(slice(0, 300)))


def test_newcomers_do_not_depend_on_the_length_of_the_run() -> None:
    community = described("baker, 41, cheerful", "nurse, 30")
    short, long = (grow(community, 500, Streams(4), days, 0.013) for days in (3, 11))
    assert len(short) == 500 + round(500 * 0.013 * 3) and len(long) == 500 + round(500 * 0.013 * 11)
    assert_same_people(short, long.take(slice(0, len(short))))
    steps = long.arrival[500:]
    assert np.histogram(steps, 11, (0, 11 * 24))[0].tolist() == pytest.approx([6.5] * 11, abs=1)  # evenly over the days


def test_how_many_are_grown_at_a_time_changes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = grow_again(500, 5)
    monkeypatch.setattr(population, "_CHUNK", 120)
    assert_same_people(whole, grow_again(500, 5))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200), st.integers(1, 20), st.floats(0, 0.3), st.integers(0, 10**9))
def test_newcomers_arrive_in_order_within_the_measured_days(personas: int, days: int, rate: float, seed: int) -> None:
    arrival = grow(described("baker"), personas, Streams(seed), days, rate).arrival
    assert len(arrival) == personas + round(personas * rate * days)
    assert (arrival[:personas] == OLD_HAND).all()
    new = arrival[personas:]
    assert (new >= 0).all() and (new < days * 24).all() and (np.diff(new) >= 0).all()


def test_another_seed_gives_other_people_and_the_same_seed_the_same() -> None:
    assert_same_people(pittsburgh(200, 5), grow_again(200, 5))
    assert not set(pittsburgh(200, 5).bio) & set(pittsburgh(200, 6).bio)


def grow_again(personas: int, seed: int) -> Population:
    community = load_community("pittsburgh")
    return grow(community, personas, Streams(seed), 7, 0.01, topic_affinity(community, use_model=False))


# -- ranges ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", bundled_communities())
def test_every_trait_of_every_bundled_community_is_in_range(slug: str) -> None:
    community = load_community(slug)
    people = grow(community, 800, Streams(2), 3, 0.02, topic_affinity(community, use_model=False))
    for f in fields(Population):
        column = getattr(people, f.name)
        assert len(column) == len(people)
        if column.dtype == object:
            assert all(isinstance(text, str) and text and text.isprintable() for text in column), f.name
        else:
            assert np.isfinite(column).all(), f.name
    for name in TRAITS_01:
        assert getattr(people, name).min() >= 0 and getattr(people, name).max() <= 1, name
    assert people.age.min() >= 18 and people.age.max() <= 90
    assert np.abs(people.baseline).max() <= 1 and people.activity.min() > 0
    assert people.interests.dtype == np.float32 and np.allclose(people.interests.sum(axis=1), 1, atol=1e-3)
    assert 0.3 <= people.group.mean() <= 0.7
    assert max(map(len, people.bio)) < 260 and max(map(len, people.handle)) < 40


def test_the_population_as_a_whole_is_as_promised() -> None:
    people = pittsburgh(20_000)
    assert people.activity.mean() == pytest.approx(1.72, rel=0.1)
    assert gini(people.activity) == pytest.approx(0.69, abs=0.03)
    assert people.activity.max() == 12 and 0.15 < (people.activity < 1 / 7).mean() < 0.27
    assert 0.1 < np.corrcoef(people.activity, people.extraversion)[0, 1] < 0.4
    assert people.susceptibility.mean() == pytest.approx(0.5, abs=0.03)
    assert people.baseline.mean() == pytest.approx(0.1, abs=0.06) and people.baseline.std() == pytest.approx(0.2, abs=0.05)
    five = np.corrcoef(
        [people.openness, people.conscientiousness, people.extraversion, people.agreeableness, people.neuroticism]
    )
    assert five[1, 3] > 0.1 and five[0, 2] > 0.1 and (five[4, 1:4] < -0.05).all()
    assert np.corrcoef(people.irritability, people.neuroticism)[0, 1] > 0.3
    assert np.corrcoef(people.compliance, people.conscientiousness)[0, 1] > 0.3


def gini(values: np.ndarray) -> float:
    ordered, n = np.sort(values.astype(float)), len(values)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


@pytest.mark.parametrize("seed", range(6))
def test_home_groups_stay_between_30_and_70_percent_even_where_all_sketches_lean_one_way(seed: int) -> None:
    for sketches in (["renter, wants change"] * 3, ["farmer, wants the town left alone"], ["baker", "nurse"]):
        assert 0.3 <= grow(described(*sketches), 4000, Streams(seed)).group.mean() <= 0.7


def test_home_group_goes_with_stance_and_party() -> None:
    people = grow(described("renter, 30, wants change", "farmer, 60, wants the town left alone"), 4000, Streams(1))
    assert people.group[people.sketch == 0].mean() > people.group[people.sketch == 1].mean() + 0.4
    renters = people.sketch == 0
    assert (
        people.group[renters & (people.party == "Democrat")].mean()
        > people.group[renters & (people.party == "Republican")].mean()
    )


# -- descent -----------------------------------------------------------------------------------------------------------------


def test_sketches_have_their_share_by_weight_even_in_a_small_population() -> None:
    community = described("baker, 41", "nurse, 30", "welder, 50")
    sketches = tuple(replace(s, weight=w) for s, w in zip(community.personas, (3.0, 1.0, 0.0), strict=True))
    counts = np.bincount(grow(replace(community, personas=sketches), 40, Streams(3)).sketch, minlength=3)
    assert abs(counts[0] - 30) <= 1 and counts[2] == 0


def test_tempers_show_in_the_descendants() -> None:
    people = grow(described("baker, 41, cheerful", "baker, 41, grumpy, short-tempered", "baker, 41"), 3000, Streams(1))
    cheerful, grumpy, plain = (people.sketch == s for s in range(3))
    assert people.baseline[cheerful].mean() > people.baseline[plain].mean() + 0.15 > people.baseline[grumpy].mean() + 0.3
    assert people.irritability[grumpy].mean() > people.irritability[plain].mean() + 0.2
    assert people.irritability[plain].mean() == pytest.approx(0.5, abs=0.05)
    assert people.baseline[cheerful].std() > 0.1  # around the sketch, not copies of it


def test_descendants_of_a_41_year_old_are_around_41() -> None:
    age = grow(described("art teacher, 41"), 2000, Streams(1)).age.astype(float)
    assert age.mean() == pytest.approx(41, abs=0.5) and 3 < age.std() < 7


def test_ages_that_a_sketch_leaves_open_come_from_the_joint_counts() -> None:
    people, counts = grow(described("lives here"), 20_000, Streams(1)), us_adults()
    for band, (low, high) in enumerate(((18, 29), (30, 44), (45, 59), (60, 90))):
        expected = counts.people[counts.band == band].sum() / counts.people.sum()
        assert ((people.age >= low) & (people.age <= high)).mean() == pytest.approx(expected, abs=0.02)


def test_party_follows_the_joint_counts_given_age_and_degree() -> None:
    people, counts = grow(described("lives here"), 40_000, Streams(1)), us_adults()
    for party in ("Democrat", "Republican"):
        for degree, name in enumerate(DEGREES):
            cells, here = counts.degree == degree, people.degree == name
            expected = counts.people[cells & (counts.party == party)].sum() / counts.people[cells].sum()
            assert (people.party[here] == party).mean() == pytest.approx(expected, abs=0.05)


def test_half_keep_the_occupation_and_most_others_stay_in_its_field() -> None:
    work = list(grow(described("art teacher, 41"), 3000, Streams(1)).work)
    jobs = occupations()
    kept = sum(w == "art teacher" for w in work) / len(work)
    field = jobs.field_of("art teacher")
    related = set(jobs.titles[jobs.start[field] : jobs.start[field + 1]])
    assert 0.45 < kept < 0.6 and sum(w in related for w in work) / len(work) > 0.85 and len(set(work)) > 50


def test_occupations_fit_age_and_degree() -> None:
    people = grow(described("grad student, 24", "student, 45", "surgeon, 45", "lives here"), 6000, Streams(1))
    assert not any("student" in work for work, age in zip(people.work, people.age, strict=True) if age > 40)
    surgeons = people.work == "surgeon"
    assert surgeons.any() and set(people.degree[surgeons]) <= set(DEGREES[2:])
    retired = np.array([work.startswith("retired ") for work in people.work])
    assert retired[people.age >= 67].mean() > 0.6 and not retired[people.age < 57].any()


def test_sex_follows_the_words_of_a_sketch() -> None:
    people = grow(described("mother of two, 36", "nurse, 36"), 2000, Streams(1))
    assert (people.sex[people.sketch == 0] == "Female").mean() > 0.9
    assert 0.4 < (people.sex[people.sketch == 1] == "Female").mean() < 0.7


def test_writing_habits_show_in_the_descendants() -> None:
    people = grow(
        described("baker, 41, never uses capitals, emoji", "baker, 41, long paragraphs, lots of exclamation marks"),
        2000,
        Streams(1),
    )
    first, second = people.sketch == 0, people.sketch == 1
    assert people.capitals[first].mean() < 0.15 < 0.4 < people.capitals[second].mean()
    assert people.emoji[first].mean() > people.emoji[second].mean() + 0.2
    assert people.verbosity[second].mean() > people.verbosity[first].mean() + 0.2
    assert people.punctuation[second].mean() > people.punctuation[first].mean() + 0.2


@pytest.mark.parametrize("slug", ["pittsburgh", "local-politics"])
def test_interests_are_highest_on_the_topics_nearest_to_the_sketch(slug: str) -> None:
    community = load_community(slug)
    near = topic_affinity(community, use_model=False)
    people = grow(community, 3000, Streams(1), similarity=near)
    for s in range(len(community.personas)):
        mean = people.interests[people.sketch == s].mean(axis=0)
        assert mean.argmax() in np.argsort(-near.sketches[s])[:2]
        assert np.corrcoef(mean, near.sketches[s])[0, 1] > 0.7
    assert (people.interests.argmax(axis=1) != near.sketches[people.sketch].argmax(axis=1)).mean() > 0.15  # and people differ


def test_interests_work_by_words_alone() -> None:
    community = described("baker, 41, loves compost", "nurse, 30, hates slugs")
    interests = grow(community, 1000, Streams(1)).interests
    sketch = grow(community, 1000, Streams(1)).sketch
    assert interests[sketch == 0].mean(axis=0).argmax() == 1 and interests[sketch == 1].mean(axis=0).argmax() == 2
    assert word_affinity(community).source == "words"


def test_one_topic_and_one_silent_sketch_still_make_people() -> None:
    people = grow(described("x", topics=("seeds",)), 50, Streams(1))
    assert (people.interests == 1).all() and len(set(people.bio)) > 45


def test_hostile_sketches_and_topics_are_only_data() -> None:
    hostile = '{work} [a|b] %s {0} <script> =1+1 "'
    people = grow(described(hostile, f"nurse {hostile}, 41", topics=(hostile, "{topic}", "b")), 300, Streams(1))
    assert any(hostile[:10] in bio for bio in people.bio) and all(people.work)


# -- names and profile lines ---------------------------------------------------------------------------------------------


def test_handles_are_distinct_whatever_the_case_of_letters() -> None:
    ids = np.arange(150_000)
    names = handles(ids, ids % 3 == 0, Streams(9))
    assert len({name.lower() for name in names}) == len(ids)
    far = handles(np.arange(1_990_000, 2_000_000), np.zeros(10_000, bool), Streams(9))
    assert len({name.lower() for name in far}) == 10_000 and not set(far) & set(names)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3000), st.integers(0, 10**9))
def test_shuffled_is_a_permutation(size: int, seed: int) -> None:
    assert np.array_equal(np.sort(shuffled(Streams(seed), "x", np.arange(size), size)), np.arange(size))


def test_handles_come_in_several_shapes() -> None:
    names = handles(np.arange(3000), np.arange(3000) % 2 == 0, Streams(1))
    shapes = Counter(re.sub(r"[A-Z]", "A", re.sub(r"[a-z]+", "a", re.sub(r"\d+", "9", name))) for name in names)
    assert len([s for s, n in shapes.items() if n > 20]) >= 12 and max(shapes.values()) < 0.35 * len(names)


def test_words_of_a_handle_do_not_run_together_into_something_rude() -> None:
    lists = {name: set(words.split()) for name, words in people()["handles"].items()}
    rude = re.compile("|".join(lists.pop("rude")))
    words = set().union(*lists.values())
    for name in handles(np.arange(60_000), np.arange(60_000) % 2 == 0, Streams(2)):
        for part in re.split(r"[_.\-\d]+|and", name.lower()):
            assert not rude.search(part) or part in words or any(part[:-1] == w for w in words), name


def test_word_lists_of_handles_do_not_overlap() -> None:
    lists = {name: words.split() for name, words in people()["handles"].items() if name != "rude"}
    every = [w for words in lists.values() for w in words]
    assert [w for w, n in Counter(every).items() if n > 1] == [] and all(w.isalpha() and w.islower() for w in every)
    assert len(lists["female"]) == len(lists["male"])


@pytest.mark.parametrize("slug", bundled_communities())
def test_at_most_2_percent_of_a_thousand_bios_are_near_duplicates(slug: str) -> None:
    community = load_community(slug)
    bios = list(grow(community, 1000, Streams(8), similarity=topic_affinity(community, use_model=False)).bio)
    assert near_duplicates(bios) <= 0.02


def near_duplicates(texts: Sequence[str]) -> float:
    """Share of texts with another whose word 3-grams have a Jaccard similarity of .8 and more."""
    grams = [frozenset(zip(w, w[1:], w[2:], strict=False)) for w in (re.findall(r"\w+", t.lower()) for t in texts)]
    holders: dict[object, list[int]] = {}
    for i, g in enumerate(grams):
        for gram in g:
            holders.setdefault(gram, []).append(i)
    near = set()
    for i, g in enumerate(grams):
        shared = Counter(j for gram in g for j in holders[gram] if j != i)
        if any(n / (len(g) + len(grams[j]) - n) >= 0.8 for j, n in shared.items()):
            near.add(i)
    return len(near) / len(texts)


def test_the_near_duplicate_count_finds_copies() -> None:
    assert near_duplicates(["one two three four", "One, two three four!", "five six seven eight"]) == pytest.approx(2 / 3)


def test_bios_tell_true_things_about_their_persona() -> None:
    everyone = pittsburgh()
    ages = [
        (int(m[1]), age)
        for bio, age in zip(everyone.bio, everyone.age, strict=True)
        if (m := re.search(r"\b(\d\d)-year-old", bio))
    ]
    assert len(ages) > 5 and all(said == age for said, age in ages)
    for bio, work in zip(everyone.bio, everyone.work, strict=True):
        job = re.search(r"\b(?:they pay me as an?|day job:) ([\w' -]+?)(?: [·/|-] |[.;,!]|$)", bio, re.I)
        assert not job or job[1].split(" ")[0].lower() in work.lower()
    quiet = everyone.capitals < 0.2
    assert quiet.any() and all(bio == bio.lower() for bio in everyone.bio[quiet])


def test_profile_lines_draw_on_the_whole_of_their_lists() -> None:
    text, lines = "\n".join(pittsburgh(3000).bio).lower(), people()["bios"]
    for name in ("pets", "hobbies", "doing", "when", "drinks", "skills", "sunny", "sour", "home", "free"):
        used = [line for line in lines[name] if line.split("{")[0].lower() in text]
        assert len(used) > 0.9 * len(lines[name]), name


def test_articles_fit_their_nouns() -> None:
    nouns = (
        "nurse",
        "electrician",
        "HVAC tech",
        "X-ray tech",
        "university clerk",
        "911 dispatcher",
        "hour counter",
        "QA tester",
        "",
    )
    assert [with_article(n) for n in nouns[:6]] == [
        "a nurse", "an electrician", "an HVAC tech", "an X-ray tech", "a university clerk", "a 911 dispatcher",
    ]  # fmt: skip
    assert with_article("QA tester") == "a QA tester" and with_article("") == ""


# -- bad input and speed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts", [(0, 7, 0.0), (-5, 7, 0.0), (3_000_000, 7, 0.0), (10, 0, 0.0), (10, 7, -0.1), (10, 7, float("nan"))]
)
def test_absurd_counts_are_refused_in_one_line(counts: tuple[int, int, float]) -> None:
    with pytest.raises(SpecError, match="expected"):
        grow(described("baker"), counts[0], Streams(1), counts[1], counts[2])


def test_growing_imports_neither_pandas_nor_torch_and_is_the_same_in_another_process() -> None:
    code = (
        "import sys, hashlib; from simulacra.community import load_community; from simulacra.people.population import grow\n"
        "from simulacra.scoring.semantic import topic_affinity; from simulacra.streams import Streams\n"
        "c = load_community('pittsburgh'); p = grow(c, 200, Streams(5), 7, .01, topic_affinity(c, use_model=False))\n"
        "print(sorted({'pandas', 'torch', 'sklearn', 'duckdb'} & set(sys.modules)), list(p.bio[:3]), p.baseline[:3].tolist())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": "77"}, check=True)
    here = pittsburgh(200, 5)
    assert run.stdout.strip() == f"[] {list(here.bio[:3])} {here.baseline[:3].tolist()}"
