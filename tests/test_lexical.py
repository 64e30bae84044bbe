"""The lexical scorer equals the packages it stands on, and reads what a reader would expect."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from simulacra.scoring import profanity, vader
from simulacra.scoring.lexical import LexicalScorer
from simulacra.scoring.vader import Vader

PACKAGE = SentimentIntensityAnalyzer()
OURS = Vader()
TRICKY = """the a of we I but But BUT no nor or so this never without doubt least at very kind of sort was it not NOT
    good bad GOOD Great! awful (nice) :) :( xD ! !! ? ?? ??? ... it's don't"""
WORDS = [*TRICKY.split(), *BOOSTER_DICT, *NEGATE, *SPECIAL_CASES, *list(PACKAGE.emojis)[::40], *list(PACKAGE.lexicon)[::15]]


@pytest.fixture(scope="module")
def scorer() -> LexicalScorer:
    return LexicalScorer()


def odd_texts(count: int, seed: int) -> list[str]:
    """Texts in which VADER's rules meet far more often than in anybody's posts."""
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        gap = chance.choice([" ", " ", "  ", "\n", ". "])
        text = gap.join(chance.choice(WORDS) for _ in range(chance.randint(0, 22)))
        texts.append(text.upper() if chance.random() < 0.2 else text)
    return texts


def test_no_idiom_of_the_package_can_hide_among_plain_words():
    phrases = [*SPECIAL_CASES, *(booster for booster in BOOSTER_DICT if " " in booster)]
    assert all(set(phrase.split()) & vader._BEARING for phrase in phrases)


def test_valence_equals_the_package_on_many_odd_texts():
    for text in odd_texts(6000, seed=5):
        assert OURS.score(text).compound == PACKAGE.polarity_scores(text)["compound"], text


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_valence_equals_the_package_on_any_text(text: str):
    assert OURS.score(text).compound == PACKAGE.polarity_scores(text)["compound"]


def test_toxicity_equals_the_package_by_sentence(scorer: LexicalScorer):
    package = pytest.importorskip("profanity_check")
    chance = random.Random(2)
    known = profanity.load_weights().words
    texts = [
        chance.choice([". ", "? ", " ", "\n"]).join(chance.choice([*known, "xyzzy", "I", "Ünï"]) for _ in range(9))
        for _ in range(300)
    ]
    for text, ours in zip(texts, profanity.Profanity().score(texts), strict=True):
        sentences = [s for s in re.split(r"[.!?\n\r]", text) if re.search(r"\w\w", s)]
        assert ours == pytest.approx(max(package.predict_prob(sentences), default=0.0), abs=1e-6)


def test_a_long_post_does_not_dilute_an_insult(scorer: LexicalScorer):
    insult = "You are an idiot"
    long = f"We went on Saturday. It was quiet and we parked nearby. {insult}. The tickets were at the desk."
    short, padded = scorer.score([insult, long]).toxicity
    assert padded == short > 0.9


def test_scores_do_not_depend_on_the_batch(scorer: LexicalScorer):
    texts = odd_texts(60, seed=9)
    together = scorer.score(texts)
    for row, text in enumerate(texts):
        alone = scorer.score([text])
        for whole, single in zip(together, alone, strict=True):
            assert whole[row] == single[0]


def test_word_shares_count_lexicon_words_over_all_words(scorer: LexicalScorer):
    scores = scorer.score(["good good bad day", "nothing to see here", "not good"])
    np.testing.assert_allclose(scores.positive, [0.5, 0, 0.5])
    np.testing.assert_allclose(scores.negative, [0.25, 0, 0])
    np.testing.assert_array_equal(scores.words, [4, 4, 2])


@pytest.mark.parametrize("text", ["", " ", "...", "\n\n", "\x00", "!?", "a"])
def test_a_text_without_words_scores_nothing(scorer: LexicalScorer, text: str):
    scores = scorer.score([text, "you idiot"])
    assert scores.toxicity[0] == scores.valence[0] == 0
    assert scores.toxicity[1] > 0.9


def test_an_empty_batch_gives_empty_arrays(scorer: LexicalScorer):
    assert [len(column) for column in scorer.score([])] == [0] * 5


def test_nul_characters_do_not_shift_scores_between_texts(scorer: LexicalScorer):
    scores = scorer.score(["a nice day", "what\x00ever\x00", "you stupid idiot", "a nice walk"])
    assert (scores.toxicity > 0.5).tolist() == [False, False, True, False]


def test_a_damaged_or_unwritable_cache_changes_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = profanity.Profanity().score(["you idiot", "hello there"])
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    for folder in (tmp_path / "new", blocked):
        monkeypatch.setattr(profanity, "cache_folder", lambda folder=folder: folder)
        np.testing.assert_array_equal(profanity.Profanity().score(["you idiot", "hello there"]), expected)
    entry = next((tmp_path / "new").glob("*.npz"))
    entry.write_bytes(entry.read_bytes()[:5000])
    monkeypatch.setattr(profanity, "cache_folder", lambda: tmp_path / "new")
    np.testing.assert_array_equal(profanity.Profanity().score(["you idiot", "hello there"]), expected)
    assert entry.stat().st_size > 1000, "a damaged entry is written again"


def test_a_second_process_imports_neither_scikit_learn_nor_pandas(scorer: LexicalScorer):
    code = (
        "import sys; from simulacra.scoring.lexical import LexicalScorer; LexicalScorer().score(['you idiot']);"
        "sys.exit(any(m in sys.modules for m in ('sklearn', 'pandas', 'torch', 'profanity_check')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
