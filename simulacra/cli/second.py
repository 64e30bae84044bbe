"""How second opinions on a run are told: which scorers agree, and which sees what authors meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulacra.record.runs import RunFolder
    from simulacra.scoring.opinions import Found


def agreement_lines(run: RunFolder, scorer: str | None = None) -> list[str]:
    """In words. scorer: only what is about it."""
    from simulacra.scoring.opinions import agreements

    return [_sentence(found) for found in agreements(run) if scorer is None or scorer in (found.first, found.second)]


def agreement_dict(found: Found) -> dict[str, Any]:
    return {"first": found.first, "second": found.second, **found.how._asdict()}


def example_lines(run: RunFolder, scorer: str, most: int = 4) -> list[str]:
    """Posts on which the recorded scorer and that one differ most, with both scores and what the author meant."""
    from simulacra.checks import clean
    from simulacra.scoring.opinions import disagreements
    from simulacra.terminal import paragraph

    found = disagreements(run, scorer, most).to_dict("records")
    if not found:
        return []
    lines = [f"They differ most on (lexical, {scorer}, what the author meant):"]
    for row in found:
        meant = "rude" if row["meant"] else "not rude"
        text = clean(row["text"])
        shown = text if len(text) <= 160 else text[:157] + "..."
        lines.append(paragraph(f"{row['lexical']:.2f}  {row[scorer]:.2f}  {meant:<8}  {shown}", "  ", " " * 24))
    return lines


def _sentence(found: Found) -> str:
    from simulacra.analysis.agreement import Agreement

    how = found.how
    if isinstance(how, Agreement):
        return (
            f"{found.first} and {found.second} on toxicity: correlation {how.correlation:.2f}, kappa at .5 {how.kappa:.2f}; they "
            f"differ on {how.differ:.1%} of {how.posts:,} posts ({how.low:.1%} to {how.high:.1%}): {how.both:,} over .5 by both, "
            f"{how.first_alone:,} by {found.first} alone, {how.second_alone:,} by {found.second} alone."
        )
    return (
        f"{found.first} against what authors meant: AUC {how.auc:.2f}; it sees {how.recall:.0%} of the posts meant to be rude, and "
        f"{how.precision:.0%} of the posts over .5 were."
    )
