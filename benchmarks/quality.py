"""Do sketched posts read like people? The acceptance table, measured: `python -m benchmarks.quality [slug ...]`.

For every community a corpus of 3,000 posts with their parents is measured against bands taken from real forums. A corpus comes
from a synthetic mix of acts, moods and parents (the default: it needs the writer alone) or from the record of a run
(`--run PATH`). Results go to benchmarks/results/quality.json, those of runs to quality-runs.json.
Embeddings need the weights of all-MiniLM-L6-v2; without them
the figures that use them are left out, and a line says so.

    --large      50,000 posts a community, for exact duplicates alone
    --threads N  print N threads of each community, to be read
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from simulacra.community import Community, Sketch, bundled_communities, load_community
from simulacra.errors import SimulacraError
from simulacra.events import ACTS, KINDS, STRATA
from simulacra.minds.sketch import SketchWriter
from simulacra.people.phrases import find_topics
from simulacra.people.population import grow
from simulacra.persona import Population
from simulacra.scoring.lexical import LexicalScorer
from simulacra.scoring.semantic import embed
from simulacra.seams import Briefs, Scores, Writing
from simulacra.streams import Streams

RESULTS = Path(__file__).parent / "results" / "quality.json"
POSTS = 3000
SIX = 6
"""Communities among which the right one is to be found."""
MIX = {
    "share": 0.16, "ask": 0.10, "answer": 0.17, "agree": 0.14, "disagree": 0.12, "joke": 0.07, "vent": 0.08, "thank": 0.06,
    "promote": 0.02, "insult": 0.03, "off_topic": 0.03,
}  # fmt: skip
"""Share of each act in the synthetic mix."""
REPLY_SHARE = 0.75
OPENERS = ("share", "ask", "vent", "promote", "off_topic", "joke")
OPENING = sum(share for act, share in MIX.items() if act in OPENERS)
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
    Band("insults_unseen", (0.25, 0.6), (0.25, 0.6)),
    Band("right_community", (0.85, 1), (0, 1)),
    Band("posts_per_cpu_second", (8000, float("inf")), (8000, float("inf"))),
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

    def add(self, briefs: Briefs, writing: Writing) -> None:
        rows = slice(len(self.posts.text), len(self.posts.text) + len(writing.text))
        self.posts.text.extend(writing.text)
        for name in ("author", "act", "topic", "parent", "truth"):
            getattr(self.posts, name)[rows] = getattr(briefs, name)
        self.posts.memo[rows] = writing.memo
        ids = np.arange(rows.start, rows.stop)
        self.posts.root[rows] = np.where(briefs.parent >= 0, self.posts.root[briefs.parent], ids)


def synthetic(community: Community, posts: int = POSTS, seed: int = 1, personas: int = 1000, batch: int = 30) -> Corpus:
    """Posts in a realistic mix: three quarters reply to one of the recent posts, some of which draw many replies."""
    chance = np.random.default_rng(seed)
    world = _World(community, people(community, personas, seed), posts + batch)
    writer, streams = SketchWriter(community), Streams(seed)
    moods: list[float] = []
    strata: list[int] = []
    for step in range(-(-posts // batch)):
        briefs = _briefs(chance, world, community, batch, step)
        writing = writer.write(briefs, world, streams)  # type: ignore[arg-type]
        world.add(briefs, writing)
        moods.extend(briefs.mood.tolist())
        strata.extend(writing.stratum.tolist())
    return Corpus(
        community.slug,
        bool(community.voices),
        world.posts.text[:posts],
        world.posts.parent[:posts].tolist(),
        [ACTS[a] for a in world.posts.act[:posts]],
        world.posts.author[:posts].tolist(),
        np.array(moods[:posts]),
        strata[:posts],
    )


def _briefs(chance: np.random.Generator, world: _World, community: Community, batch: int, step: int) -> Briefs:
    """What `batch` different personas, the active ones more often, are asked to write."""
    activity = world.population.activity / world.population.activity.sum()
    weights = np.array([MIX[act] for act in ACTS])
    author = chance.choice(len(activity), batch, replace=False, p=activity).astype(np.int32)
    act = chance.choice(len(ACTS), batch, p=weights / weights.sum()).astype(np.int8)
    parent = _parents(chance, act, world.posts, len(world.posts.text))
    own = chance.integers(0, len(community.topics), batch)
    topic = np.where(parent >= 0, world.posts.topic[parent], own).astype(np.int8)
    mood = np.clip(chance.normal(0.1, 0.35, batch), -1, 1).astype(np.float32)
    truth = np.array([KINDS.index(TRUTH.get(ACTS[a], "none")) for a in act], np.int8)
    return Briefs(author, step, act, topic, mood, parent, truth)


def _parents(chance: np.random.Generator, act: np.ndarray, posts: Any, count: int) -> np.ndarray:
    """Rows of the posts replied to, -1 for none: recent posts, now and then the roots of their threads.

    Acts that need a parent always have one; four answers in five go to a recent question.
    """
    if not count:
        return np.full(len(act), -1, np.int32)
    opens = np.array([ACTS[a] in OPENERS for a in act])
    reply = ~opens | (chance.random(len(act)) < 1 - (1 - REPLY_SHARE) / OPENING)
    recent = np.maximum(count - 1 - np.floor(120 * chance.random(len(act)) ** 2).astype(int), 0)
    recent = np.where(chance.random(len(act)) < 0.3, posts.root[recent], recent)
    questions = np.flatnonzero(posts.act[max(0, count - 200) : count] == ACTS.index("ask")) + max(0, count - 200)
    if len(questions):
        answers = (act == ACTS.index("answer")) & (chance.random(len(act)) < 0.8)
        recent = np.where(answers, questions[chance.integers(0, len(questions), len(act))], recent)
    return np.where(reply, recent, -1).astype(np.int32)


def people(community: Community, personas: int, seed: int) -> Population:
    return grow(community, personas, Streams(seed), days=7, newcomer_rate=0.0, similarity=None)


def recorded(path: Path) -> Corpus:
    """The first posts of a run's measured days; replies to earlier posts count as openers, since their parents are not there."""
    from simulacra import open_run

    run = open_run(path)
    posts = run.posts.head(POSTS)
    row = {post: at for at, post in enumerate(posts["id"])}
    strata = [STRATA.index(s) for s in posts["stratum"].astype(str)]
    return Corpus(
        run.spec.community.slug,
        bool(run.spec.community.voices),
        posts["text"].tolist(),
        [row.get(parent, -1) for parent in posts["parent"]],
        posts["act"].astype(str).tolist(),
        posts["author"].tolist(),
        posts["mood"].to_numpy(),
        strata,
    )


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
    pairs = [pair for w in map(words, texts) for pair in pairwise(w)]
    return len(set(pairs)) / len(pairs)


def repeated_openings(texts: Sequence[str], window: int = 100, size: int = 5) -> float:
    """Share of posts of `size` words or more whose first words opened one of the `window` posts before: what a reader of one page
    takes for a template."""
    openings = [tuple(words(t)[:size]) for t in texts]
    known = [row for row, opening in enumerate(openings) if len(opening) == size]
    return sum(openings[row] in openings[max(0, row - window) : row] for row in known) / max(1, len(known))


def close_neighbours(vectors: np.ndarray, window: int = 100, cosine: float = 0.9) -> float:
    """Share of posts whose sentence vector lies within `cosine` of one of the `window` posts before."""
    close = [bool((vectors[max(0, row - window) : row] @ vectors[row] > cosine).any()) for row in range(1, len(vectors))]
    return float(np.mean(close))


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
    """Share of each community's odd rows that lie nearest to its own centroid, centroids being taken over the even rows.

    A mean over rows that were not used for the centroids, so chance is one in the number of communities.
    """
    centroids = np.stack([v[::2].mean(axis=0) for v in vectors.values()])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return {
        name: float((np.argmax(v[1::2] @ centroids.T, axis=1) == at).mean()) for at, (name, v) in enumerate(vectors.items())
    }


def thread_vectors(corpus: Corpus, vectors: np.ndarray) -> np.ndarray:
    """The mean vector of every thread of three posts or more."""
    root = list(range(len(corpus.texts)))
    for row, parent in enumerate(corpus.parents):
        root[row] = root[parent] if parent >= 0 else row
    owner, sizes = np.unique(root, return_inverse=True)[1], np.bincount(np.unique(root, return_inverse=True)[1])
    total = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(total, owner, vectors)
    return total[sizes >= 3] / sizes[sizes >= 3, None]


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
    uncivil = [STRATA[code] for code in corpus.strata if code]
    if uncivil:
        found["insults_unseen"] = uncivil.count("neither") / len(uncivil)
    if vectors is not None:
        found["cosine_gain"] = cosine_gain(vectors, corpus.parents)
    return found


def strata_seen(corpus: Corpus, scores: Scores) -> dict[str, float]:
    """Share of the posts of each stratum that the lexical scorer flags: near 1 for both and lexical, near 0 for the others."""
    strata = np.array(corpus.strata)
    return {
        name: float((scores.toxicity[strata == code] > 0.5).mean())
        for code, name in enumerate(STRATA)
        if (strata == code).any()
    }


def speed(community: Community) -> float:
    """Posts written and scored per CPU-second, once the bank's lines have been compiled by 3,000 posts before."""
    world, writer, scorer = _World(community, people(community, 1000, 3), 6100), SketchWriter(community), LexicalScorer()
    chance, spent = np.random.default_rng(3), 0.0
    for step in range(60):
        briefs = _briefs(chance, world, community, 100, step)
        start = process_time()
        writing = writer.write(briefs, world, Streams(3))  # type: ignore[arg-type]
        scorer.score(writing.text)
        spent += (process_time() - start) * (step >= 30)
        world.add(briefs, writing)
    return 3000 / spent


# -- the table -------------------------------------------------------------------------------------------------------------


def judge(corpus: Corpus, found: Mapping[str, float]) -> list[dict[str, Any]]:
    """One row a band: community, figure, value, low, high, and whether it passes."""
    rows = []
    for band in BANDS:
        if band.figure in found:
            low, high = band.voices if corpus.has_voices else band.bare
            value = found[band.figure]
            row = {"community": corpus.name, "figure": band.figure, "value": round(value, 4), "low": low, "high": high}
            rows.append({**row, "pass": bool(low <= value <= high)})
    return rows


def embedder() -> Callable[[Sequence[str]], np.ndarray] | None:
    """Sentence vectors of unit length, or None where the weights cannot be used, with a line that says why."""
    try:
        embed(["."])
    except SimulacraError as problem:
        print(f"No embeddings, so no figures of cosine and community: {problem}", file=sys.stderr)
        return None
    return embed


def measure(corpora: Sequence[Corpus], speeds: Mapping[str, float]) -> dict[str, Any]:
    """All rows of the table, and figures that have no band."""
    scorer, vectors_of = LexicalScorer(), embedder()
    found, notes, vectors = {}, {}, {}
    for corpus in corpora:
        scores = scorer.score(corpus.texts)
        if vectors_of:
            vectors[corpus.name] = vectors_of(corpus.texts)
        found[corpus.name] = figures(corpus, scores, vectors.get(corpus.name))
        notes[corpus.name] = {
            "flagged_by_lexical": strata_seen(corpus, scores),
            "repeated_openings": round(repeated_openings(corpus.texts), 4),
        }
        if vectors_of:
            notes[corpus.name]["close_neighbours"] = round(close_neighbours(vectors[corpus.name]), 4)
    for name, value in speeds.items():
        found[name]["posts_per_cpu_second"] = value
    voiced = {c.name: vectors[c.name] for c in corpora if c.has_voices and c.name in vectors}
    threads = {c.name: thread_vectors(c, vectors[c.name]) for c in corpora if c.name in voiced}
    if len(voiced) >= SIX:  # against fewer communities the figure means less and would look better
        for name, share in right_community(voiced).items():
            found[name]["right_community"] = share
        for name, share in right_community(threads).items():
            notes[name]["right_community_by_thread"] = round(share, 4)
    return {"rows": [row for c in corpora for row in judge(c, found[c.name])], "notes": notes}


def show_threads(corpus: Corpus, count: int) -> None:
    """Print threads that have replies, from the middle of the corpus, as trees."""
    replies: dict[int, list[int]] = {}
    for row, parent in enumerate(corpus.parents):
        replies.setdefault(parent, []).append(row)
    roots = [root for root in replies.get(-1, []) if root in replies]
    start = max(0, len(roots) // 2 - count // 2)
    for root in roots[start : start + count]:
        stack = [(root, 0)]
        while stack:
            row, depth = stack.pop()
            print(f"{'    ' * depth}[{corpus.acts[row]}] {corpus.texts[row]}".replace("\n", " / "))
            stack += [(reply, depth + 1) for reply in reversed(replies.get(row, []))]
        print()


def large(community: Community) -> dict[str, Any]:
    """Exact duplicates among 50,000 posts."""
    value = exact_duplicates(synthetic(community, 50_000, batch=50).texts)
    row = {"community": community.slug, "figure": "exact_duplicates_50000", "value": round(value, 4), "low": 0, "high": 0.01}
    return {**row, "pass": value <= 0.01}


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(row["community"] for row in rows))
    values = {(row["figure"], row["community"]): row for row in rows}
    print(f"{'':24}" + "".join(f"{name[:15]:>17}" for name in names))
    for figure in dict.fromkeys(row["figure"] for row in rows):
        cells = [values.get((figure, name)) for name in names]
        shown = [f"{c['value']:g}{'  ' if c['pass'] else ' !'}" if c else "" for c in cells]
        print(f"{figure:24}" + "".join(f"{text:>17}" for text in shown))
    failed = sum(not row["pass"] for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} figures in their bands; ! marks the others")


def communities(slugs: Sequence[str]) -> list[Community]:
    """Those named, "bakers" being the one without voices; all bundled ones and the bakers if none is named."""
    return [bakers() if slug == "bakers" else load_community(slug) for slug in slugs or [*bundled_communities(), "bakers"]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.split("\n")[0])
    parser.add_argument("slug", nargs="*", help="bundled communities, or bakers (no voices); default: all")
    parser.add_argument("--run", action="append", default=[], type=Path, help="measure the posts of a recorded run instead")
    parser.add_argument("--large", action="store_true", help="also 50,000 posts a community, for exact duplicates")
    parser.add_argument("--threads", type=int, default=0, help="print this many threads of each corpus")
    options = parser.parse_args(arguments)
    known = [] if options.run else communities(options.slug)
    corpora = [recorded(path) for path in options.run] or [synthetic(community) for community in known]
    for corpus in corpora if options.threads else []:
        show_threads(corpus, options.threads)
    result = measure(corpora, {community.slug: speed(community) for community in known})
    if options.large:
        result["rows"] += [large(community) for community in known if community.voices]  # no band is set without voices
    print_table(result["rows"])
    for name, note in result["notes"].items():
        print(name, json.dumps(note))
    machine = {"machine": platform.processor() or platform.machine(), "python": platform.python_version()}
    source = [path.name for path in options.run] or "synthetic"
    target = RESULTS.with_stem("quality-runs") if options.run else RESULTS
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({**machine, "source": source, **result}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
