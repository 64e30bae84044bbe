"""How second opinions on a run are told: which scorers agree, and which sees what authors meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simulacra.analysis.agreement import Agreement, Discernment
    from simulacra.record.runs import RunFolder


class Found(NamedTuple):
    """Two judges of toxicity on the posts of one run. second: `truth` where the other judge is what authors meant."""

    first: str
    second: str
    how: Agreement | Discernment


def agreements(run: RunFolder) -> list[Found]:
    """Every pair of scorers that have read the run (the recorded one is `lexical`), then each against the truth."""
    from simulacra.analysis.agreement import agreement, discernment
    from simulacra.analysis.facts import Facts
    from simulacra.scoring.sidecar import read_scores, scorers_of

    posts = Facts(run.frames()).posts
    scores = {"lexical": posts.toxicity}
    for name in scorers_of(run):
        found = read_scores(run, name)
        if "toxicity" in found and len(found["post"]) == len(posts.id):
            scores[name] = found["toxicity"]
    names = list(scores)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    between = [Found(a, b, agreement(scores[a], scores[b])) for a, b in pairs]
    return [*between, *(Found(name, "truth", discernment(values, posts.uncivil)) for name, values in scores.items())]


def agreement_lines(run: RunFolder, scorer: str | None = None) -> list[str]:
    """In words. scorer: only what is about it."""
    return [_sentence(found) for found in agreements(run) if scorer is None or scorer in (found.first, found.second)]


def agreement_dict(found: Found) -> dict[str, Any]:
    return {"first": found.first, "second": found.second, **found.how._asdict()}


def _sentence(found: Found) -> str:
    from simulacra.analysis.agreement import Agreement

    how = found.how
    if isinstance(how, Agreement):
        return (
            f"{found.first} and {found.second} on toxicity: correlation {how.correlation:.2f}, kappa at .5 {how.kappa:.2f} "
            f"({how.both:,} posts over .5 by both, {how.first_alone:,} by {found.first} alone, {how.second_alone:,} by "
            f"{found.second} alone)."
        )
    return (
        f"{found.first} against what authors meant: AUC {how.auc:.2f}; it sees {how.recall:.0%} of the posts meant to be rude, and "
        f"{how.precision:.0%} of the posts over .5 were."
    )
