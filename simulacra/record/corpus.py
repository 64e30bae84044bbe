"""A run as a ConvoKit corpus, so that its politeness, dynamics and coordination tools work on simulated threads.

Format: convokit.cornell.edu/documentation/data_format.html (Chang et al. 2020, SIGDIAL), as ConvoKit 5 reads and writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.persona import Population
from simulacra.record.durable import write_file
from simulacra.record.frames import HOURS_PER_DAY
from simulacra.record.runs import RunFolder

SECONDS_PER_STEP = 3600

_POST_META = ("act", "topic", "toxicity", "valence", "positive", "negative", "words", "mood", "truth", "stratum", "rule", "day")
_LEFT_OUT = ("handle", "interests")
_INDEX_TYPES = {bool: "<class 'bool'>", int: "<class 'int'>", float: "<class 'float'>", str: "<class 'str'>"}


def write_corpus(run: RunFolder, folder: Path) -> None:
    """The five files of a ConvoKit corpus: every post an utterance, every thread a conversation, every author a speaker.

    Ids are strings: an utterance's is its post id, a conversation's that of its first post, a speaker's the persona's handle.
    Timestamps are simulated seconds, 0 at the beginning of day 1 and negative in burn-in. Personas that wrote nothing are
    left out, as ConvoKit would do on loading.
    """
    folder.mkdir()
    frames = run.frames()
    posts = frames.arrow("posts", burn_in=True)
    personas = frames.arrow("personas")
    handles = personas["handle"].to_pylist()
    speakers = _speakers(personas, np.unique(posts["author"].to_numpy()), handles)
    conversations = _conversations(posts)
    meta = {"run": run.id, "digest": run.digest, "community": _community_name(run), "simulated": True}
    example = _write_utterances(folder / "utterances.jsonl", posts, handles, _outcomes(run, posts))
    _write_json(folder / "speakers.json", speakers)
    _write_json(folder / "conversations.json", conversations)
    _write_json(folder / "corpus.json", meta)
    _write_json(
        folder / "index.json",
        {
            "utterances-index": _index(example),
            "speakers-index": _index(next(iter(speakers.values()), {})),
            "conversations-index": _index(next(iter(conversations.values()), {})),
            "overall-index": _index(meta),
            "version": 1,
            "vectors": [],
        },
    )


def _write_utterances(file: Path, posts: pa.Table, handles: list[str], outcomes: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Returns the metadata of one utterance, for the index."""
    example: dict[str, Any] = {}

    def lines(out: Any) -> None:
        for utterance in _utterances(posts, handles, outcomes):
            example.update(utterance["meta"])
            out.write(json.dumps(utterance).encode("ascii") + b"\n")

    write_file(file, lines)
    return example


def _utterances(posts: pa.Table, handles: list[str], outcomes: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
    start = 0
    for batch in posts.to_batches(max_chunksize=10_000):
        columns = batch.to_pydict()
        for i, post in enumerate(columns["id"]):
            parent = None if columns["parent"][i] < 0 else str(columns["parent"][i])
            yield {
                "id": str(post),
                "conversation_id": str(columns["root"][i]),
                "text": columns["text"][i],
                "speaker": handles[columns["author"][i]],
                "meta": {name: _short(columns[name][i]) for name in _POST_META}
                | {"burn_in": columns["step"][i] < 0}
                | {name: values[start + i].item() for name, values in outcomes.items()},
                "reply-to": parent,  # ConvoKit's files say reply-to, its documentation reply_to; its loader takes either
                "reply_to": parent,
                "timestamp": columns["step"][i] * SECONDS_PER_STEP,
                "vectors": [],
            }
        start += batch.num_rows


def _short(value: Any) -> Any:
    """Recorded floats have four decimals; as doubles they would show seventeen."""
    return round(value, 4) if isinstance(value, float) else value


def _outcomes(run: RunFolder, posts: pa.Table) -> dict[str, NDArray[Any]]:
    """What became of each post: votes it got, whether it was removed."""
    ids = posts["id"].to_numpy()
    size = int(ids.max(initial=-1)) + 1
    reactions = run.frames().arrow("reactions", burn_in=True, columns=["post", "reaction"])
    post, kind = reactions["post"].to_numpy(), reactions["reaction"].to_numpy()
    outcomes: dict[str, NDArray[Any]] = {}
    for name, code in (("upvotes", 1), ("downvotes", -1), ("reports", 2)):
        outcomes[name] = np.bincount(post[kind == code], minlength=size)[ids]
    rulings = run.frames().arrow("rulings", burn_in=True, columns=["post", "action"])
    removed = np.zeros(size, bool)
    touched = rulings["post"].to_numpy()[rulings["action"].cast(pa.string()).to_numpy() == "remove"]
    removed[touched[touched >= 0]] = True
    return outcomes | {"removed": removed[ids]}


def _speakers(personas: pa.Table, authors: NDArray[np.integer], handles: list[str]) -> dict[str, Any]:
    names = ["id", *(field.name for field in fields(Population) if field.name not in _LEFT_OUT)]
    columns = {name: personas[name].take(pa.array(authors)).to_pylist() for name in names}
    return {
        handles[author]: {("persona" if name == "id" else name): _short(columns[name][i]) for name in names}
        for i, author in enumerate(authors.tolist())
    }


def _conversations(posts: pa.Table) -> dict[str, Any]:
    roots, sizes = np.unique(posts["root"].to_numpy(), return_counts=True)
    size = dict(zip(roots.tolist(), sizes.tolist(), strict=True))
    opening = {
        post: (topic, step) for post, topic, step in zip(*(posts[c].to_pylist() for c in ("id", "topic", "step")), strict=True)
    }
    return {
        str(root): {"topic": opening[root][0], "day": opening[root][1] // HOURS_PER_DAY + 1, "posts": size[root]}
        for root in roots.tolist()
    }


def _community_name(run: RunFolder) -> str:
    community = run.info["cause"].get("community", "")
    return str(community.get("name", "") if isinstance(community, dict) else community)


def _index(example: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [_INDEX_TYPES[type(value)]] for name, value in example.items()}


def _write_json(file: Path, value: Any) -> None:
    write_file(file, lambda out: out.write(json.dumps(value).encode("ascii")))
