"""How well rule sentences are read: cue words, and likeness of sentences alone, on both halves of tests/data/rules.toml.

python -m benchmarks.rules             # cue words; no model
python -m benchmarks.rules --likeness  # the kind nearest by embeddings too; needs the extra 'embeddings'
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulacra.rules import propose

SENTENCES = Path(__file__).parent.parent / "tests" / "data" / "rules.toml"
Sentence = Mapping[str, Any]


def graded_kinds(sentence: Sentence, kinds: Sequence[str], needs_all: bool = True) -> str:
    """right, unmatched or wrong kind. needs_all: every kind of the answer must be among them, else any one will do."""
    must, found = set(sentence["kinds"]), set(kinds)
    if not found:
        return "unmatched" if must else "right"
    return "right" if found <= must | set(sentence.get("also", ())) and (must <= found or not needs_all) else "wrong kind"


def by_cue_words(sentence: Sentence) -> str:
    told = propose(sentence["text"])
    grade = graded_kinds(sentence, told.kinds if told else ())
    return "wrong stance" if grade == "right" and told and told.stance != sentence.get("stance") else grade


def by_likeness(sentence: Sentence) -> str:
    """One kind at most and no stance: all that likeness says."""
    from simulacra.scoring.kinds import suggest

    kind = suggest([sentence["text"]])[0]
    return graded_kinds(sentence, [kind] if kind else [], needs_all=False)


def count(sentences: Sequence[Sentence], grade: Callable[[Sentence], str]) -> str:
    grades = Counter(grade(s) for s in sentences)
    return f"{grades['right']} of {len(sentences)} right, " + ", ".join(
        f"{grades[g]} {g}" for g in ("wrong kind", "wrong stance", "unmatched")
    )


def main(arguments: Sequence[str]) -> None:
    sentences = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["rule"]
    ways = {"cue words": by_cue_words} | ({"likeness alone": by_likeness} if "--likeness" in arguments else {})
    for way, grade in ways.items():
        for part, name in (("tune", "looked at"), ("held", "held out"), ("fresh", "held out, written later")):
            print(f"{way}, {name}: {count([s for s in sentences if s['set'] == part], grade)}")


if __name__ == "__main__":
    main(sys.argv[1:])
