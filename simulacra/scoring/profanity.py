"""Toxicity by the trained linear model of alt-profanity-check, without importing scikit-learn.

The package holds a TF-IDF vectoriser and five calibrated linear support-vector machines, whose probabilities are averaged. Their
coefficients are read out once, which takes the package and scikit-learn (1.6 s to import), and kept in the user's cache folder under a
hash of the package's model files: another model is another entry. Without a writable cache every process reads them out anew;
the scores are the same.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_MODEL_FILES = ("vectorizer.joblib", "model.joblib")
_TEXT_END, _SENTENCE_END, _UNKNOWN = -3, -2, -1
_PIECES = re.compile(r"\b\w\w+\b|[.!?\n\r\x00]")
"""The vectoriser's words, and what ends a sentence or (NUL) a text."""


class Weights(NamedTuple):
    """The model as arrays. V words, five machines."""

    words: list[str]  # [V]
    idf: F64  # [V]
    coefficients: F64  # [5, V]
    intercepts: F64  # [5]
    slopes: F64  # [5] of the sigmoids (Platt 1999)
    offsets: F64  # [5]


class Profanity:
    """Probability that a text is offensive, as the maximum over its sentences: a long post dilutes an insult."""

    def __init__(self) -> None:
        self._model = load_weights()
        self._vocabulary = _Vocabulary({word: i for i, word in enumerate(self._model.words)})
        self._vocabulary |= {"\x00": _TEXT_END} | dict.fromkeys(".!?\n\r", _SENTENCE_END)
        self._weighted = (self._model.coefficients * self._model.idf).T  # [V, 5]

    def score(self, texts: Sequence[str]) -> F64:
        """[m] in [0, 1], own scale: compare runs, do not read levels as rates. 0 for a text without words."""
        if not texts:
            return np.zeros(0)
        ids = self._ids(texts)
        sentence = np.cumsum(ids < _UNKNOWN)  # the mark that ends a sentence belongs to the next one: harmless
        text = np.cumsum(ids == _TEXT_END)
        is_word = ids >= _UNKNOWN
        numbers, first = np.unique(sentence[is_word], return_index=True)  # sentences that hold a word
        known = ids >= 0
        probability = self._probability(np.searchsorted(numbers, sentence[known]), ids[known], len(numbers))
        scores = np.zeros(len(texts))
        np.maximum.at(scores, text[is_word][first], probability)
        return scores

    def _ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        joined = "\x00".join(texts)
        if joined.count("\x00") != len(texts) - 1:  # hostile text: a NUL inside
            joined = "\x00".join(t.replace("\x00", " ") for t in texts)
        pieces = _PIECES.findall(joined.lower() + "\x00")
        return np.fromiter(map(self._vocabulary.__getitem__, pieces), np.int64, len(pieces))

    def _probability(self, sentence: NDArray[np.int64], word: NDArray[np.int64], sentences: int) -> F64:
        """The model's probability for each sentence, from its words (repeated as they occur)."""
        size = len(self._model.words)
        pairs, counts = np.unique(sentence * size + word, return_counts=True)
        sentence, word = pairs // size, pairs % size
        norm = np.sqrt(np.bincount(sentence, (counts * self._model.idf[word]) ** 2, sentences))
        norm[norm == 0] = 1.0
        total = np.zeros(sentences)
        for machine in range(len(self._model.intercepts)):
            reach = np.bincount(sentence, counts * self._weighted[word, machine], sentences) / norm
            reach += self._model.intercepts[machine]
            total += 1.0 / (1.0 + np.exp(self._model.slopes[machine] * reach + self._model.offsets[machine]))
        return total / len(self._model.intercepts)


class _Vocabulary(dict[str, int]):
    def __missing__(self, word: str) -> int:
        return _UNKNOWN


def load_weights() -> Weights:
    """The model's arrays from the cache, else from the package (and into the cache where it can be written)."""
    path = cache_folder() / f"profanity-{_fingerprint()}.npz"
    try:
        return _read(path)
    except (OSError, ValueError, KeyError, BadZipFile):  # no entry yet, or a damaged one: it is written again
        weights = extract_weights()
    with suppress(OSError):  # a cache that cannot be written costs time in the next process, nothing else
        _write(path, weights)
    return weights


def extract_weights() -> Weights:
    """The model's arrays from the installed package. Imports scikit-learn."""
    from profanity_check.profanity_check import model, vectorizer

    machines = model.calibrated_classifiers_
    words = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    return Weights(
        words,
        np.asarray(vectorizer.idf_, np.float64),
        np.array([m.estimator.coef_[0] for m in machines]),
        np.array([m.estimator.intercept_[0] for m in machines]),
        np.array([m.calibrators[0].a_ for m in machines]),
        np.array([m.calibrators[0].b_ for m in machines]),
    )


def cache_folder() -> Path:
    """Where this user's programs keep what can be made again."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "simulacra"


def _fingerprint() -> str:
    """Hash of the package's version and model files."""
    digest = blake2b(metadata.version("alt-profanity-check").encode(), digest_size=12)
    spec = find_spec("profanity_check")  # finds the folder without importing the package, and so without scikit-learn
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("alt-profanity-check is not installed: pip install alt-profanity-check")
    for name in _MODEL_FILES:
        digest.update((Path(spec.submodule_search_locations[0]) / "data" / name).read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Weights:
    with np.load(path, allow_pickle=False) as stored:
        blob = stored["words"].tobytes().decode()
        return Weights(blob.split("\n"), *(stored[name] for name in Weights._fields[1:]))


def _write(path: Path, weights: Weights) -> None:
    """Written under a name of its own and renamed: two first runs at once do not read each other's half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(weights, name) for name in Weights._fields[1:]}
    words = np.frombuffer("\n".join(weights.words).encode(), np.uint8)
    temporary = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(temporary, words=words, **arrays)
    temporary.replace(path)
