"""Do sketched posts read like people? The acceptance table, measured: `python -m benchmarks.quality [slug ...]`.

For every community a corpus of 3,000 posts with their parents is measured against bands taken from real forums. A corpus comes
either from a synthetic mix of acts, moods and parents (the default: it needs the writer alone) or from the record of a run
(`--run PATH`). Results go to benchmarks/results/quality.json. Embeddings need the weights of all-MiniLM-L6-v2; without them the two figures
that use them are left out and say so.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from simulacra.community import Community, Sketch, bundled_communities, load_community
from simulacra.events import ACTS, KINDS
from simulacra.minds.sketch import SketchWriter
from simulacra.persona import Population
from simulacra.phrases import find_topics
from simulacra.scoring.lexical import LexicalScorer
from simulacra.seams import Briefs, Scores
from simulacra.streams import Streams

MIX = {
    "share": 0.16, "ask": 0.10, "answer": 0.17, "agree": 0.14, "disagree": 0.12, "joke": 0.07, "vent": 0.08, "thank": 0.06,
    "promote": 0.02, "insult": 0.03, "off_topic": 0.03,
}  # fmt: skip
"""Share of each act in the synthetic mix."""
REPLY_SHARE = 0.75
OPENERS = ("share", "ask", "vent", "promote", "off_topic", "joke")
TRUTH = {"insult": "insult", "promote": "self_promotion", "off_topic": "off_topic"}


class Corpus(NamedTuple):
    """Posts of one community, in the order of writing."""

    name: str
    has_voices: bool
    texts: list[str]
    parents: list[int]  # row of the parent, -1 opens a thread
    acts: list[str]
    authors: list[int]
    moods: np.ndarray
    strata: list[int]


class Band(NamedTuple):
    """What a figure must lie in: low <= figure <= high."""

    figure: str
    voices: tuple[float, float]
    bare: tuple[float, float]


BANDS = (
    Band("exact_duplicates", (0, 0.003), (0, 0.01)),
    Band("near_duplicates", (0, 0.01), (0, 0.04)),
    Band("distinct_bigrams", (0.40, 1), (0.30, 1)),
    Band("cosine_gain", (0.18, 0.32), (0.12, 0.32)),
    Band("shared_runs", (0, 0.05), (0, 0.05)),
    Band("words_median", (9, 20), (9, 20)),
    Band("words_p90", (22, 60), (22, 60)),
    Band("valence_mean", (-0.05, 0.35), (-0.05, 0.35)),
    Band("valence_sd", (0.35, 0.55), (0.35, 0.55)),
    Band("valence_positive", (0.35, 0.65), (0.35, 0.65)),
    Band("valence_negative", (0.12, 0.35), (0.12, 0.35)),
    Band("toxic", (0.01, 0.12), (0.01, 0.12)),
    Band("mood_correlation", (0.3, 1), (0.3, 1)),
)


# -- corpora ---------------------------------------------------------------------------------------------------------------


def bakers() -> Community:
    """A community that nobody wrote a bank for."""
    goal = "Home bakers swap sourdough starters, argue about flour and hydration, and rescue each other's failed loaves."
    sketches = (
        Sketch("night nurse, 34, keeps a rye starter called Boris, cheerful, short lower-case bursts"),
        Sketch("retired engineer, 68, weighs everything, fussy about hydration, blunt, writes in full sentences"),
        Sketch("student, 22, bakes in a toaster oven, loves banana bread, sarcastic, emoji"),
        Sketch("father of three, 41, collects bread books, patient, long paragraphs"),
        Sketch("pizza cook, 29, swears by cold fermentation, short-tempered, never uses capitals"),
    )
    rules = ("Be kind.", "No selling of bread or courses.", "Stay on topic: baking bread.")
    topics = find_topics(goal, rules, [s.sketch for s in sketches])
    return Community("bakers", "Crumb and Crust", goal, rules, topics, sketches)


class _World:
    """What a writer sees of a platform: a population and the posts so far."""

    def __init__(self, community: Community, population: Population, room: int) -> None:
        self.community, self.population = community, population
        columns = ("author", "step", "parent", "root", "act", "topic", "memo", "valence", "toxicity", "truth")
        self.posts = SimpleNamespace(text=[], **{name: np.zeros(room, np.int64) for name in columns})

    def add(self, briefs: Briefs, writing: Any) -> None:
        rows = slice(len(self.posts.text), len(self.posts.text) + len(writing.text))
        self.posts.text.extend(writing.text)
        for name in ("author", "act", "topic", "parent", "truth"):
            getattr(self.posts, name)[rows] = getattr(briefs, name)
        self.posts.memo[rows] = writing.memo
        ids = np.arange(rows.start, rows.stop)
        self.posts.root[rows] = np.where(briefs.parent >= 0, self.posts.root[briefs.parent], ids)


def synthetic(community: Community, posts: int, seed: int = 1, personas: int = 1000, batch: int = 30) -> Corpus:
    """Posts in a realistic mix: three quarters reply to one of the recent posts, some of which draw many replies."""
    chance = np.random.default_rng(seed)
    population = people(community, personas, seed)
    world, writer, streams = _World(community, population, posts + batch), SketchWriter(community), Streams(seed)
    moods, strata = [], []
    weights = np.array([MIX[act] for act in ACTS])
    activity = population.activity / population.activity.sum()
    for step in range(-(-posts // batch)):
        author = chance.choice(personas, batch, replace=False, p=activity).astype(np.int32)
        act = chance.choice(len(ACTS), batch, p=weights / weights.sum()).astype(np.int8)
        parent = _parents(chance, act, len(world.posts.text))
        own = chance.integers(0, len(community.topics), batch)
        topic = np.where(parent >= 0, world.posts.topic[parent], own).astype(np.int8)
        mood = np.clip(chance.normal(0.1, 0.35, batch), -1, 1).astype(np.float32)
        truth = np.array([KINDS.index(TRUTH.get(ACTS[a], "none")) for a in act], np.int8)
        briefs = Briefs(author, step, act, topic, mood, parent, truth)
        writing = writer.write(briefs, world, streams)  # type: ignore[arg-type]
        world.add(briefs, writing)
        moods.append(mood)
        strata.extend(writing.stratum.tolist())
    rows = slice(0, posts)
    return Corpus(
        community.slug,
        bool(community.voices),
        world.posts.text[rows],
        world.posts.parent[rows].tolist(),
        [ACTS[a] for a in world.posts.act[rows]],
        world.posts.author[rows].tolist(),
        np.concatenate(moods)[rows],
        strata[rows],
    )


def _parents(chance: np.random.Generator, act: np.ndarray, posts: int) -> np.ndarray:
    """Rows of the posts replied to: recent ones, a few of which draw most replies; acts that need a parent always have one."""
    if not posts:
        return np.full(len(act), -1, np.int32)
    opens = np.array([ACTS[a] in OPENERS for a in act])
    share = 1 - (1 - REPLY_SHARE) / max(opens.mean(), 1e-9)
    reply = ~opens | (chance.random(len(act)) < share)
    recent = np.floor(60 * chance.random(len(act)) ** 2).astype(int) + 1
    return np.where(reply, np.maximum(posts - recent, 0), -1).astype(np.int32)


def people(community: Community, personas: int, seed: int) -> Population:
    from simulacra.population import grow

    return grow(community, personas, Streams(seed), days=7, newcomer_rate=0.0, similarity=None).take(slice(0, personas))


# -- figures ---------------------------------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return [w for w in (raw.strip(".,!?;:()\"'…-").lower() for raw in text.split()) if w]


def _runs(tokens: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return set(zip(*(tokens[i:] for i in range(size)), strict=False))


def exact_duplicates(texts: Sequence[str]) -> float:
    """Share of posts whose words stood in an earlier post, case and punctuation aside."""
    keys = [" ".join(words(t)) for t in texts]
    return 1 - len(set(keys)) / len(keys)


def near_duplicates(texts: Sequence[str]) -> float:
    """Share of posts with a word 3-gram Jaccard of .8 or more to an earlier one (posts under three words count by equality)."""
    grams = [_runs(w, 3) or {tuple(w)} for w in map(words, texts)]
    holders: dict[tuple[str, ...], list[int]] = {}
    near = 0
    for row, own in enumerate(grams):
        shared: dict[int, int] = {}
        for gram in own:
            for other in holders.get(gram, ()):
                shared[other] = shared.get(other, 0) + 1
            holders.setdefault(gram, []).append(row)
        near += any(n / (len(own) + len(grams[other]) - n) >= 0.8 for other, n in shared.items())
    return near / len(grams)


def distinct_bigrams(texts: Sequence[str]) -> float:
    """Different pairs of neighbouring words over all such pairs."""
    pairs = [pair for w in map(words, texts) for pair in zip(w, w[1:], strict=False)]
    return len(set(pairs)) / len(pairs)


def shared_runs(texts: Sequence[str], parents: Sequence[int], size: int = 4) -> float:
    """Share of replies that hold a run of four words of their parent."""
    replies = [(row, parent) for row, parent in enumerate(parents) if parent >= 0]
    runs = [_runs(words(t), size) for t in texts]
    return float(np.mean([bool(runs[row] & runs[parent]) for row, parent in replies]))


def cosine_gain(vectors: np.ndarray, parents: Sequence[int], seed: int = 0) -> float:
    """Mean cosine of replies to their parents less that to random other posts of the community."""
    parent = np.asarray(parents)
    reply = np.flatnonzero(parent >= 0)
    other = np.random.default_rng(seed).integers(0, len(vectors), len(reply))
    cosine = np.einsum("id,id->i", vectors[reply], vectors[parent[reply]])
    return float((cosine - np.einsum("id,id->i", vectors[reply], vectors[other])).mean())


def right_community(vectors: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of each community's odd posts that lie nearest to its own centroid, centroids being taken over the even posts."""
    names = list(vectors)
    centroids = np.stack([v[::2].mean(axis=0) for v in vectors.values()])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return {name: float((np.argmax(vectors[name][1::2] @ centroids.T, axis=1) == at).mean()) for at, name in enumerate(names)}


def figures(corpus: Corpus, scores: Scores, vectors: np.ndarray | None) -> dict[str, float]:
    """The table's figures of one corpus."""
    counts = np.array([len(words(t)) for t in corpus.texts])
    valence = scores.valence
    found = {
        "exact_duplicates": exact_duplicates(corpus.texts),
        "near_duplicates": near_duplicates(corpus.texts),
        "distinct_bigrams": distinct_bigrams(corpus.texts),
        "shared_runs": shared_runs(corpus.texts, corpus.parents),
        "words_median": float(np.median(counts)),
        "words_p90": float(np.percentile(counts, 90)),
        "valence_mean": float(valence.mean()),
        "valence_sd": float(valence.std()),
        "valence_positive": float((valence > 0.05).mean()),
        "valence_negative": float((valence < -0.05).mean()),
        "toxic": float((scores.toxicity > 0.5).mean()),
        "mood_correlation": float(np.corrcoef(corpus.moods, valence)[0, 1]),
    }
    if vectors is not None:
        found["cosine_gain"] = cosine_gain(vectors, corpus.parents)
    return found


# -- the table -------------------------------------------------------------------------------------------------------------


def judge(corpus: Corpus, found: Mapping[str, float]) -> list[dict[str, Any]]:
    """One row a band: figure, value, band, whether it passes."""
    rows = []
    for band in BANDS:
        if band.figure in found:
            low, high = band.voices if corpus.has_voices else band.bare
            value = found[band.figure]
            row = {"community": corpus.name, "figure": band.figure, "value": round(value, 4), "low": low, "high": high}
            rows.append({**row, "pass": bool(low <= value <= high)})
    return rows


def embedder() -> Callable[[Sequence[str]], np.ndarray] | None:
    """Sentence vectors of unit length, or None where the weights are missing."""
    from simulacra.scoring.semantic import embed

    return embed


def measure(corpora: Sequence[Corpus]) -> list[dict[str, Any]]:
    scorer, embed = LexicalScorer(), embedder()
    rows, vectors = [], {}
    for corpus in corpora:
        vectors[corpus.name] = embed(corpus.texts) if embed else None
        rows += judge(corpus, figures(corpus, scorer.score(corpus.texts), vectors[corpus.name]))
    voiced = {c.name: vectors[c.name] for c in corpora if c.has_voices and vectors[c.name] is not None}
    if len(voiced) > 1:
        for name, share in right_community(voiced).items():
            rows.append({"community": name, "figure": "right_community", "value": round(share, 4), "low": 0.85, "high": 1, "pass": share >= 0.85})
    return rows
