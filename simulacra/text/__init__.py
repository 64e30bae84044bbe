"""Asking language models: a model named completely, a budget, a store of answers. `make_generator` puts them together."""

from __future__ import annotations

from pathlib import Path

from simulacra.seams import TextGenerator
from simulacra.text.abilities import Abilities
from simulacra.text.budget import Budget, Price, Spent, price_of, price_table
from simulacra.text.models import ModelSpec
from simulacra.text.replay import Answers, Asking, Replay

__all__ = ["Abilities", "Answers", "Budget", "ModelSpec", "Price", "Spent", "make_generator", "price_of", "price_table"]


def make_generator(
    model: ModelSpec, answers: str | Path | None = None, budget: Budget | None = None, retry_failed: bool = False
) -> TextGenerator:
    """The model, ready to be asked.

    answers: a file in which every answer is kept and looked up first; None keeps nothing. budget: caps and counters; by default
    none and one's own. retry_failed: stored failures are asked again, once. What the server can do is found out before this
    returns, unless the file knows. Raises SpecError for what must be mended before a run: no key, no server, no such model.
    """
    budget = Budget() if budget is None else budget
    if answers is None:
        adapter = _adapter(model, budget, None)
        adapter.found()
        return adapter  # type: ignore[return-value]
    store = Answers(answers)
    known = store.abilities(store.model(model))
    adapter = _adapter(model, budget, known)
    if known is None:
        store.keep_abilities(store.model(model), adapter.found())
    return Replay(adapter, model, store, budget, retry_failed)


def _adapter(model: ModelSpec, budget: Budget, known: Abilities | None) -> Asking:
    if model.kind == "local":
        from simulacra.text.llama_local import local_chat

        return local_chat(model, budget, known)
    from simulacra.text.openai_chat import OpenAIChat

    return OpenAIChat(model, budget, known)
