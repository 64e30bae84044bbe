"""Second opinions on a run: which of its scorers agree, which sees what authors meant, and where two of them part.

agreements(run)                     -> [Found("lexical", "semantic", Agreement(...)), Found("lexical", "truth", ...), ...]
agreement_table(run)                -> the pairs of scorers as a frame, one row each
disagreements(run, "semantic")      -> the posts on which the recorded scorer and that one differ most, as a frame
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulacra.analysis.agreement import Agreement, Discernment, agreement, discernment
from simulacra.analysis.catalogue import LEXICAL, TRUTH
from simulacra.analysis.facts import Array, Facts
from simulacra.analysis.judge import NOBODY, acting_columns
from simulacra.analysis.measures import ALL, score_of
from simulacra.scoring.sidecar import read_scores, scorers_of

if TYPE_CHECKING:
    import pandas as pd

    from simulacra.experiment import Run
    from simulacra.record.runs import RunFolder

BLENDS = ("blend", "blend-fitted")
"""Scorers that hold the recorded one."""


class Found(NamedTuple):
    """Two judges of toxicity on the posts of one run. second: `truth` where the other judge is what authors meant."""

    first: str
    second: str
    how: Agreement | Discernment


def agreements(run: RunFolder) -> list[Found]:
    """Every pair of scorers that have read all of the run (the recorded one is `lexical`), then each against the truth."""
    facts = Facts(run.frames())
    scores = _toxicity(run, facts)
    names = list(scores)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    between = [Found(a, b, agreement(scores[a], scores[b])) for a, b in pairs]
    return [*between, *(Found(name, TRUTH, discernment(values, facts.posts.uncivil)) for name, values in scores.items())]


def agreement_table(run: RunFolder) -> pd.DataFrame:
    """One row a pair of scorers: first, second, and the fields of `Agreement`; no rows where only one scorer has read the run."""
    import pandas as pd

    rows = [{"first": f.first, "second": f.second, **f.how._asdict()} for f in agreements(run) if isinstance(f.how, Agreement)]
    return pd.DataFrame(rows, columns=["first", "second", *Agreement._fields])


def disagreements(run: RunFolder, scorer: str, most: int = 6) -> pd.DataFrame:
    """Posts on which the recorded scorer and another differ most, half of them each way, those it scores higher first.

    Columns: post, text, lexical, the other scorer's name, meant (whether the author meant to be rude). Equal texts once.
    """
    import pandas as pd

    facts = Facts(run.frames())
    scores = _toxicity(run, facts)
    if scorer not in scores:
        return pd.DataFrame(columns=["post", "text", LEXICAL, scorer, "meant"])
    texts = run.frames().arrow("posts", burn_in=True, columns=("id", "text")).to_pandas().sort_values("id")["text"].to_numpy()
    found = pd.DataFrame({
        "post": facts.posts.id, "text": texts, LEXICAL: scores[LEXICAL].astype(float), scorer: scores[scorer].astype(float),
        "meant": facts.posts.uncivil,
    }).drop_duplicates("text")  # fmt: skip
    found = found.iloc[np.argsort(-(found[scorer] - found[LEXICAL]).to_numpy(), kind="stable")]
    above, below = found[found[scorer] > found[LEXICAL]], found[found[scorer] < found[LEXICAL]]
    return pd.concat([above.head(most // 2), below.tail(most - most // 2)], ignore_index=True)


def judged_values(run: Run, values: Mapping[str, float]) -> tuple[dict[str, float], str]:
    """A run's measures as they may be shown, and who judged what its design acts by ("": nothing, `nobody`: no other has read it).

    values: measures by what the record holds. Those by a score that the design acts by are taken by a second scorer that has read all
    of the run, semantic before others, never by a blend with the first; NaN where there is none.
    """
    scores = acting_columns([run.spec.arm])
    if not scores:
        return dict(values), ""
    own = {name for name in values if score_of(name) in scores}
    posts = len(Facts(run.frames).posts.id)
    others = [name for name in scorers_of(run.folder) if name not in BLENDS]
    for name in sorted(others, key=lambda name: (name != "semantic", name)):
        found = read_scores(run.folder, name)
        if scores <= found.keys() and len(found["post"]) == posts:
            facts = Facts(run.frames, {score: found[score].astype(np.float64) for score in scores})
            return {m: float(ALL[m].function(facts)) if m in own else value for m, value in values.items()}, name
    return {m: math.nan if m in own else value for m, value in values.items()}, NOBODY


def _toxicity(run: RunFolder, facts: Facts) -> dict[str, Array]:
    """Scorer -> [posts] toxicity, for those that have scored every post."""
    scores: dict[str, Array] = {LEXICAL: facts.posts.toxicity}
    for name in scorers_of(run):
        found = read_scores(run, name)
        if "toxicity" in found and len(found["post"]) == len(facts.posts.id):
            scores[name] = found["toxicity"]
    return scores
