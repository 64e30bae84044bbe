"""The scorer that reads meaning: sign, determinism, sentences; without its model one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from simulacra.analysis.agreement import agreement, auc, discernment, kappa
from simulacra.scoring import semantic
from simulacra.scoring.heads import EMOTIONS, BlendScorer, SemanticScorer, blend, heads, provenance, sentences
from simulacra.scoring.semantic import DIMENSIONS, WeightsError

RUDE = [
    "You are a complete idiot and everybody here is sick of you.",
    "What a pathetic loser, go away.",
    "You people are disgusting parasites.",
    "Nobody asked you, shut up, you clown.",
    "He is a dunce and so is whoever hired him.",
    "Only a gullible fool would believe that, you are an embarrassment.",
]
CIVIL = [
    "The museum is open until six on Thursdays.",
    "Thank you, that was a lovely afternoon.",
    "Has anybody tried the new bus line to the zoo?",
    "I planted tomatoes along the fence this spring.",
    "My knee still hurts, but I walked to the corner and back.",
    "We should meet again next week, bring the plans.",
]
FELT = {
    "anger": "I am furious, this makes me so angry!",
    "disgust": "That is gross, it makes me want to vomit.",
    "fear": "I am terrified, I was so scared I could not move.",
    "joy": "I am so happy, this is wonderful, congratulations!",
    "sadness": "I cried all night, I miss her and feel so sad.",
    "surprise": "Wow, I did not expect that at all, really?!",
    "neutral": "The train leaves from platform four.",
}


@pytest.fixture(scope="module")
def scorer() -> SemanticScorer:
    return SemanticScorer()


def test_rude_posts_score_above_civil_ones_and_as_published(scorer: SemanticScorer) -> None:
    scores = scorer.score([*RUDE, *CIVIL])["toxicity"]
    rude = np.array([True] * len(RUDE) + [False] * len(CIVIL))
    assert auc(scores, rude) >= provenance()["toxicity"]["test_auc"]["wiki_nonfuzzed"]
    assert (scores[rude] > 0.5).mean() > 0.6 and (scores[~rude] > 0.5).mean() == 0
    assert scores.dtype == np.float32 and scores.min() >= 0 and scores.max() <= 1


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_each_emotion_is_strongest_in_the_sentence_that_says_it(scorer: SemanticScorer, emotion: str) -> None:
    scores = scorer.score(list(FELT.values()))[emotion]
    own = list(FELT).index(emotion)
    assert scores.argmax() == own
    assert scores[own] > heads().emotion_thresholds[EMOTIONS.index(emotion)]


def test_valence_has_the_right_sign(scorer: SemanticScorer) -> None:
    good, bad, flat = scorer.score([FELT["joy"], FELT["sadness"], FELT["neutral"]])["valence"]
    assert good > 0.5 and bad < -0.5 and abs(flat) < 0.3


def test_equal_texts_score_equally_again_and_in_one_batch(scorer: SemanticScorer) -> None:
    texts = [*RUDE, *CIVIL, RUDE[0]]
    first, again = scorer.score(texts), scorer.score(texts)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert all(values[0] == values[-1] for values in first.values())


def test_coarse_products_move_no_score_by_a_fiftieth_and_say_so(scorer: SemanticScorer) -> None:
    coarse, texts = SemanticScorer(coarse=True), [*RUDE, *CIVIL, *FELT.values()]
    fine, quick = scorer.score(texts), coarse.score(texts)
    assert all(np.allclose(fine[name], quick[name], atol=0.02) for name in fine)
    assert coarse.identity != scorer.identity


def test_an_insult_inside_a_long_post_is_seen_as_a_sentence(scorer: SemanticScorer) -> None:
    long = "We walked along the river and had a look at the bridges. You are an idiot. Then we took the bus home in the rain."
    assert scorer.score([long])["toxicity"][0] > 0.5


def test_texts_without_words_score_nothing(scorer: SemanticScorer) -> None:
    scores = scorer.score(["", "   ", "🙂🙂", "@somebody https://example.org"])
    assert all((values == 0).all() for values in scores.values())
    assert all(len(values) == 0 for values in scorer.score([]).values())


def test_mentions_links_and_hashes_are_not_read() -> None:
    assert sentences("@ana look: https://x.org/a?b #lovely day! Yes.\nNo") == ["look: lovely day!", "Yes.", "No"]
    assert sentences("3.5 stars") == ["3.5 stars"]
    assert sentences("@ana #!") == []


def test_a_blend_lies_between_its_parts_or_where_it_was_fitted() -> None:
    a, b = np.float32([0.9, 0.0, 1.0]), np.float32([0.5, 0.0, 1.0])
    assert blend(a, b) == pytest.approx([0.75, 0.001, 0.999], abs=1e-3)
    logit = 0.83137 * np.log(9) + 0.41195
    assert blend(a, b, fitted=True)[0] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)
    assert list(BlendScorer().score(RUDE[:1])) == ["toxicity"]
    assert BlendScorer(fitted=True).score(RUDE[:2])["toxicity"].min() > 0.5


def test_the_heads_fit_the_embeddings_and_say_where_they_come_from() -> None:
    h = heads()
    assert h.toxicity_weights.shape == (1, DIMENSIONS) and h.emotion_weights.shape == (len(EMOTIONS), DIMENSIONS)
    told = provenance()
    assert told["embedding"]["sha256"] == semantic.WEIGHTS_SHA256
    assert told["emotion"]["classes"] == list(EMOTIONS)
    assert "GoEmotions" in told["emotion"]["training"]["data"]


def test_without_weights_there_is_one_line(monkeypatch: pytest.MonkeyPatch, scorer: SemanticScorer) -> None:
    monkeypatch.setattr(semantic, "WEIGHTS_PACKAGE", "no_such_package")
    with pytest.raises(WeightsError, match="Install the extra 'embeddings'"):
        scorer.score(["anything"])


# -- agreement -------------------------------------------------------------------------------------------------------------


def test_agreement_of_scorers_is_counted() -> None:
    first, second = np.array([0.9, 0.8, 0.1, 0.2, 0.1]), np.array([0.7, 0.1, 0.2, 0.9, 0.0])
    found = agreement(first, second)
    assert (found.posts, found.both, found.first_alone, found.second_alone) == (5, 1, 1, 1)
    assert found.kappa == pytest.approx((0.6 - 0.52) / 0.48)
    assert found.correlation == pytest.approx(np.corrcoef(first, second)[0, 1])


def test_kappa_is_one_for_alike_and_nothing_where_nothing_differs() -> None:
    yes, no = np.array([True, False, True]), np.zeros(3, bool)
    assert kappa(yes, yes) == pytest.approx(1)
    assert np.isnan(kappa(no, no)) and np.isnan(kappa(no[:0], no[:0]))


def test_discernment_is_measured_against_intent() -> None:
    scores, rude = np.array([0.9, 0.6, 0.6, 0.1]), np.array([True, True, False, False])
    found = discernment(scores, rude)
    assert found.auc == pytest.approx(3.5 / 4) and found.recall == 1 and found.precision == pytest.approx(2 / 3)
    assert np.isnan(auc(scores, np.zeros(4, bool)))
