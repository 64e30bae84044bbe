"""Who writes: the sketch mind, a model on this machine, or one behind an address; with what it will take, told before it begins.

A key is read from the environment by the process that plays. It is never asked for here, shown, or kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import streamlit as st

from simulacra.errors import SimulacraError
from simulacra.experiment import RunSpec
from simulacra.minds.settings import Language, make_language
from simulacra.views import parts, say

if TYPE_CHECKING:
    from simulacra.estimates import Estimate

ESTIMATES = "simulacra.estimates"
KEY_ENV = "OPENAI_API_KEY"
KINDS = {"sketch": "Sketch mind", "local": "Model on this machine", "openai": "Model at an address"}
ABOUT = {
    "sketch": "A grammar over phrase banks writes, thousands of posts a second, for nothing: no key, no network.",
    "local": "A small language model runs in the program itself: no key, no network, and some posts a second at best.",
    "openai": "Any server that speaks the OpenAI protocol: a hosted service, Ollama, vLLM, a llama.cpp server.",
}  # fmt: skip
"""Mind -> what it is in plain words."""


@dataclass(frozen=True)
class Choice:
    """The mind of a run as it is chosen on a page. Caps: dollars and calls, 0 for none."""

    mind: str = "sketch"
    model: str = ""
    base_url: str = ""
    autonomy: str = "guided"
    past: str = "sketch"
    max_cost: float = 0.0
    max_calls: int = 0
    memory: bool = True

    @property
    def is_sketch(self) -> bool:
        return self.mind == "sketch"

    def language(self) -> Language | None:
        """The language mind that this names; None for the sketch mind. Raises SpecError for what makes no sense."""
        if self.is_sketch:
            return None
        return make_language(
            self.mind, self.model or None, self.base_url, self.autonomy, self.past, memory=None if self.memory else 0
        )

    def arguments(self) -> list[str]:
        """The same for the command line of the process that plays."""
        if self.is_sketch:
            return []
        told = {"model": self.model, "base-url": self.base_url, "autonomy": self.autonomy, "past": self.past}
        named = [word for key, value in told.items() if value for word in (f"--{key}", value)]
        named += [] if self.memory else ["--no-memory"]
        return ["--mind", self.mind, *named, *caps(self.max_cost, self.max_calls), "--yes"]  # agreed to on the page


def caps(max_cost: float, max_calls: int) -> list[str]:
    """Caps on dollars and calls for a command line; those that are 0 are left out."""
    cost = ["--max-cost", f"{max_cost:g}"] if max_cost else []
    return [*cost, *(["--max-calls", str(max_calls)] if max_calls else [])]


def is_ready() -> bool:
    """Whether language minds can be chosen here: the program can say beforehand what they take."""
    return find_spec(ESTIMATES) is not None


def kinds() -> list[str]:
    """The minds that can be used here: the local one where its library is installed."""
    there = {"sketch": True, "local": find_spec("xllamacpp") is not None, "openai": True}
    return [kind for kind in KINDS if there[kind]]


def choose(key: str) -> Choice:
    """Inputs for the mind."""
    names = kinds()
    kind = st.segmented_control(
        "Who writes", names, default=names[0], format_func=lambda name: KINDS[name], key=f"{key}-mind", required=True
    )
    st.caption(ABOUT[kind])
    if kind == "sketch":
        return Choice()
    model, address = _which(kind, key)
    left, right = st.columns(2)
    with left:
        more = (
            "The model decides who answers whom, votes and reports, from what it sees: one call a visit instead of one a post"
        )
        full = st.toggle("It decides as well", key=f"{key}-full", help=more)
        cost = st.number_input("Stop at dollars", 0.0, 10_000.0, 0.0, 1.0, key=f"{key}-cost", help="0: no cap")
    with right:
        past = st.toggle(
            "It writes the burn-in", key=f"{key}-past", help="Two unmeasured days; the sketch mind writes them for nothing"
        )
        calls = st.number_input("Stop at calls", 0, 10_000_000, 0, 100, key=f"{key}-calls", help="0: no cap")
    more = "Who writes remembers what it read and wrote, and thinks back now and then: a call more for each such thought"
    memory = st.toggle("They remember", True, key=f"{key}-memory", help=more)
    cost = 0.0 if kind == "local" else float(cost)
    return Choice(kind, model, address, "full" if full else "guided", "model" if past else "sketch", cost, int(calls), memory)


def _which(kind: str, key: str) -> tuple[str, str]:
    """Inputs for the model: (its name or file, its address)."""
    if kind == "local":
        empty = "a GGUF file; empty: the one that comes along"
        return st.text_input("Model file", key=f"{key}-file", max_chars=500, placeholder=empty).strip(), ""
    address = st.text_input("Address", key=f"{key}-address", max_chars=300, placeholder="http://127.0.0.1:11434/v1")
    model = st.text_input("Model", key=f"{key}-model", max_chars=200, placeholder="the name by which the server knows it")
    there = "is set" if os.environ.get(KEY_ENV) else "is not set; servers on this machine need none"
    st.caption(f"A key is read from {KEY_ENV} in the environment in which the app was started: it {there}.")
    return model.strip(), address.strip()


# -- what it takes ---------------------------------------------------------------------------------------------------------


def agreed(spec: RunSpec, choice: Choice, key: str, arms: int = 1, seeds: int = 1) -> bool:
    """What a language run will take, from a dry run; whether it was told, and agreed to where it is much."""

    def price() -> Estimate:
        estimated: Estimate = import_module(ESTIMATES).estimate(  # late: it imports every mind
            replace(spec, mind=choice.mind, language=choice.language()), arms, seeds
        )
        return estimated

    what = (asdict(choice), spec.personas, spec.days, spec.seed, arms, seeds, spec.arm.design(), spec.community.goal)
    return agreed_price(key, what, price)


def cap_inputs(key: str) -> tuple[float, int]:
    """Inputs for caps: (dollars, calls), 0 for none."""
    left, right = st.columns(2)
    cost = left.number_input("Stop at dollars", 0.0, 10_000.0, 0.0, 0.1, key=f"{key}-cost", help="0: no cap")
    calls = right.number_input("Stop at calls", 0, 10_000_000, 0, 10, key=f"{key}-calls", help="0: no cap")
    return float(cost), int(calls)


def agreed_price(key: str, what: object, price: Callable[[], Estimate]) -> bool:
    """What asking a model will take; whether it was told, and agreed to where it is much. what: of which that is the price."""
    try:
        told = _estimated(key, what, price)
    except SimulacraError as error:
        say.mistake(error)
        return False
    if told is None:
        return False
    cost = "unknown" if told["cost"] is None else "none" if told["cost"] == 0 else f"about ${told['cost']:,.2f}"
    parts.figures([
        ("Calls", f"about {told['calls']:,}", "Counted in a dry run: the same members with the same chances, the sketch mind writing"),
        ("Tokens", f"about {told['input_tokens'] + told['output_tokens']:,}", "Read and written by the model, retries not counted"),
        ("Time", f"about {say.duration(told['seconds'])}", "Rough: it depends on how fast the model is"),
        ("Cost", cost, "By the price table; a model that it does not know has no price"),
    ])  # fmt: skip
    st.caption(f"{told['input_tokens']:,} tokens in and about {told['output_tokens']:,} out. Retries are not counted.")
    return not told["is_large"] or st.checkbox("That is much: begin all the same", key=f"{key}-agreed")


def _estimated(key: str, what: object, price: Callable[[], Estimate]) -> Mapping[str, Any] | None:
    """The estimate of exactly this, from the session or made at the press of a button."""
    kept = st.session_state.get(f"{key}-estimate")
    if kept is not None and kept[0] == what:
        found: Mapping[str, Any] = kept[1]
        return found
    if st.button("Estimate time and cost", key=f"{key}-ask", icon=":material/calculate:"):
        with st.spinner("Playing it dry ..."):
            told: Mapping[str, Any] = price().to_dict()
        st.session_state[f"{key}-estimate"] = (what, told)
        return told
    st.caption("Time and cost are told before a model is asked.")
    return None
