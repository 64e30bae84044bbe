"""How a language mind did: shares of the turns that failed, were refused or fell back, and what it all took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulacra.analysis.measures import EventTables
    from simulacra.minds.settings import Language


def failed_turns(tables: EventTables) -> Counter[str]:
    """Reason -> turns of the measured days that brought no post for it; empty where none failed."""
    return Counter(tables.arrow("failures", columns=("reason",)).column("reason").to_pylist())


def shares(failures: Mapping[str, int], posts: int, fallen_back: int = 0) -> dict[str, float]:
    """Of the turns that were to bring a post: shares that failed, were refused (a part of those), and were asked for alone after
    their batch had brought nothing usable for them. [0, 1]; 0 where there was no turn.

    posts: those that were written. fallen_back: counts every session of a run, so a resumed one may count a turn twice.
    """
    failed = sum(failures.values())
    turns = max(1, posts + failed)
    refused = sum(n for reason, n in failures.items() if reason.startswith("refused"))
    return {"failed": failed / turns, "refused": refused / turns, "fallen_back": min(1.0, fallen_back / turns)}


def language_facts(language: Language, failures: Mapping[str, int], posts: int, spent: Mapping[str, Any]) -> dict[str, Any]:
    """What results say of a language mind, as plain data. spent: the counters that the record keeps."""
    counted = ("calls", "retries", "stored", "input_tokens", "output_tokens", "cost", "unpriced")
    return {
        "model": language.model.name, "kind": language.model.kind, "autonomy": language.autonomy,
        "emergent": language.autonomy == "full", "past": language.past, "prompts": language.prompts, "batch": language.batch,
        "memory": language.memory, "persona_pool": len(language.pool.entries) if language.pool else 0,
        **{name: spent.get(name, 0) for name in counted},
        **shares(failures, posts, int(spent.get("fallen_back", 0))), "failures": dict(sorted(failures.items())),
    }  # fmt: skip


def told(facts: Mapping[str, Any]) -> list[str]:
    """The same in two lines, for people."""
    decided = "decided and written" if facts["emergent"] else "written"
    remember = "; members remember" if facts["memory"] else ""
    pool = f", {facts['persona_pool']} invented people recombined" if facts["persona_pool"] else ""
    head = f"Emergent: {decided} by" if facts["emergent"] else "Written by"
    reasons = ", ".join(f"{reason} {count}" for reason, count in facts["failures"].items())
    cost = f"${facts['cost']:.4f}" + (f" and {facts['unpriced']:,} calls of unknown price" if facts["unpriced"] else "")
    return [
        f"{head} {facts['model']}, prompts version {facts['prompts']}{pool}{remember}; burn-in by the {facts['past']}.",
        f"Turns that failed: {facts['failed']:.1%}, refused {facts['refused']:.1%}, fallen back from a batch "
        f"{facts['fallen_back']:.1%}{f' ({reasons})' if reasons else ''}. {facts['calls']:,} calls ({facts['retries']:,} retries, "
        f"{facts['stored']:,} answers from store), {facts['input_tokens']:,} + {facts['output_tokens']:,} tokens, {cost}.",
    ]
