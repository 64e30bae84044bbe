"""The scorer that reads meaning: linear heads over sentence embeddings, as unlike the lexical scorer as a second opinion should be.

    semantic       toxicity, valence and six emotions (Ekman 1992) by logistic heads over all-MiniLM-L6-v2
    blend          toxicity alone: the mean of the semantic and the lexical logit
    blend-fitted   toxicity alone: the logits weighted as fitted on held-out data

Coefficients ship as `simulacra/data/heads.npz`; what they were trained on and how well they did stands in `heads.json`: toxicity AUC
.914 on Wikipedia comments, .757 on Ethos, .672 on HateCheck, .834 on Davidson; emotions .862 on average (.789 surprise to .930
fear) on GoEmotions. Neither scorer tells quotation or counter-speech from abuse: compare runs, do not read levels as rates.

About 100 posts a second on one core, three times as many where the processor multiplies in bfloat16 (a comparison's judge does so):
for runs that are kept, and for replicates whose design acts by the lexical scorer. `python -m benchmarks.measures` measures it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.scoring.profanity import Profanity
from simulacra.scoring.semantic import WEIGHTS_SHA256, embed

Floats = NDArray[np.float32]
Columns = dict[str, Floats]
"""Column of scores -> one value a text."""

EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
TOKENS = 64
"""Tokens of a text that the heads were trained on; the rest is cut off."""
_DIGITS = 4

_NOISE = re.compile(r"@user|@\w+|\bURL\b|https?://\S+|\bhttp\b")
_HASH = re.compile(r"#(\w+)")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|[\n\r]+")


class SecondScorer(Protocol):
    """Reads texts for a sidecar of a run."""

    @property
    def name(self) -> str:
        """By which its sidecar and its rows are called; fit for a file's name."""
        ...

    @property
    def identity(self) -> dict[str, Any]:
        """What determines its scores: two scorers of equal identity score equally."""
        ...

    def score(self, texts: Sequence[str]) -> Columns:
        """One value a text in every column; the same columns for any texts. `toxicity` is [0, 1], `valence` [-1, 1]."""
        ...


class Heads(NamedTuple):
    """The coefficients. All of shape [classes, 384] and [classes]."""

    toxicity_weights: Floats  # one class; Platt scaling is folded in
    toxicity_bias: Floats
    emotion_weights: Floats  # classes of EMOTIONS, each for itself
    emotion_bias: Floats
    emotion_thresholds: Floats  # [7] above which an emotion counts as there, tuned on GoEmotions' dev split; not .5
    valence_weights: Floats  # positive, negative, neither
    valence_bias: Floats


@cache
def heads() -> Heads:
    """The shipped coefficients."""
    with (files("simulacra") / "data" / "heads.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return Heads(*(stored[name] for name in Heads._fields))


def provenance() -> dict[str, Any]:
    """What the heads were trained on, by whom, under which licences, and their test figures."""
    found: dict[str, Any] = json.loads((files("simulacra") / "data" / "heads.json").read_text(encoding="utf-8"))
    return found


class SemanticScorer:
    """Toxicity, valence and emotions by the meaning of words.

    toxicity: [0, 1], the maximum over sentences (an insult inside a longer post is missed by both scorers, alone it is seen; the
        price is false alarms), mentions, links and # stripped before. 0 for a text without words.
    valence: chance of positive minus chance of negative, [-1, 1]; the rest is neither.
    anger, disgust, fear, joy, sadness, surprise, neutral: chance of each by itself, [0, 1]; several may hold. Compare with
        `heads().emotion_thresholds`, not with .5.
    The first call of a process loads torch and the embedding model (ten seconds); WeightsError where it cannot.
    """

    name = "semantic"

    def __init__(self, emotions: bool = True, coarse: bool = False) -> None:
        """emotions: False reads toxicity alone, at about half the cost. coarse: as `embed` has it; scores move by less than .02."""
        self.emotions, self.coarse = emotions, coarse

    @property
    def identity(self) -> dict[str, Any]:
        return {"scorer": self.name, "version": 1, "embedding": WEIGHTS_SHA256, "tokens": TOKENS, "sentences": "maximum"} | (
            {"coarse": True} if self.coarse else {}
        )

    def score(self, texts: Sequence[str]) -> Columns:
        whole = [text.strip() for text in texts] if self.emotions else []
        parts = [sentences(text) for text in texts]
        vectors = _Embedded([*whole, *(sentence for part in parts for sentence in part)], self.coarse)
        columns = {"toxicity": self._toxicity(parts, vectors)}
        if self.emotions:
            columns |= self._felt(vectors.of(whole), np.array([bool(part) for part in parts]))
        return {name: values.round(_DIGITS).astype(np.float32) for name, values in columns.items()}

    @staticmethod
    def _felt(felt: Floats, said: NDArray[np.bool_]) -> Columns:
        """Valence and emotions of embedded texts; said: whether each has a word."""
        h = heads()
        emotion = _sigmoid(felt @ h.emotion_weights.T + h.emotion_bias)
        valence = _softmax(felt @ h.valence_weights.T + h.valence_bias)
        return {"valence": (valence[:, 0] - valence[:, 1]) * said} | {n: emotion[:, i] * said for i, n in enumerate(EMOTIONS)}

    @staticmethod
    def _toxicity(parts: Sequence[Sequence[str]], vectors: _Embedded) -> Floats:
        h = heads()
        flat = [sentence for part in parts for sentence in part]
        probability = _sigmoid(vectors.of(flat) @ h.toxicity_weights.T + h.toxicity_bias)[:, 0]
        found = np.zeros(len(parts), np.float32)
        np.maximum.at(found, np.repeat(np.arange(len(parts)), [len(part) for part in parts]), probability)
        return found


class BlendScorer:
    """Toxicity by both scorers together: steadier than either on tweets (OLID AUC .879 against .820 and .834).

    fitted: logits weighted .83 (semantic) and .26 (lexical) and shifted, as fitted on held-out data; otherwise their mean.
    """

    def __init__(self, fitted: bool = False) -> None:
        self.fitted = fitted
        self.name = "blend-fitted" if fitted else "blend"

    @cached_property
    def _parts(self) -> tuple[SemanticScorer, Profanity]:
        return SemanticScorer(emotions=False), Profanity()

    @property
    def identity(self) -> dict[str, Any]:
        return SemanticScorer().identity | {"scorer": self.name}

    def score(self, texts: Sequence[str]) -> Columns:
        semantic, lexical = self._parts
        toxicity = blend(semantic.score(texts)["toxicity"], lexical.score(texts).astype(np.float32), self.fitted)
        return {"toxicity": toxicity.round(_DIGITS).astype(np.float32)}


def blend(semantic: Floats, lexical: Floats, fitted: bool = False) -> Floats:
    """Both toxicities as one, [0, 1]: sigmoid of the mean logit, or of the fitted weighting; either is clipped to [.001, .999]."""
    a, b = _logit(semantic), _logit(lexical)
    return _sigmoid(0.83137 * a + 0.26011 * b + 0.41195 if fitted else 0.5 * a + 0.5 * b)


def sentences(text: str) -> list[str]:
    """The text's sentences without mentions, links and #, as the toxicity head was trained; [] where no word is left."""
    bare = _HASH.sub(r"\1", _NOISE.sub(" ", text))
    parts = (" ".join(part.split()) for part in _SENTENCES.split(bare))
    return [part for part in parts if any(letter.isalnum() for letter in part)]


class _Embedded:
    """Vectors of texts, each different text embedded once."""

    def __init__(self, texts: Sequence[str], coarse: bool) -> None:
        distinct = sorted(set(texts))
        self._row = {text: row for row, text in enumerate(distinct)}
        self._vectors = embed(distinct, TOKENS, coarse)

    def of(self, texts: Sequence[str]) -> Floats:
        return self._vectors[[self._row[text] for text in texts]]


def _sigmoid(x: NDArray[Any]) -> Floats:
    found: Floats = 1 / (1 + np.exp(-x))
    return found


def _logit(p: NDArray[Any]) -> Floats:
    p = np.clip(p, np.float32(0.001), np.float32(0.999))
    found: Floats = np.log(p / (1 - p))
    return found


def _softmax(x: NDArray[Any]) -> Floats:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    found: Floats = e / e.sum(axis=1, keepdims=True)
    return found
