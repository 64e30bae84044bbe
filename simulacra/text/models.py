"""Which language model writes, named completely: what `run.json` holds of it, and what a stored answer belongs to."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from simulacra.errors import SpecError

OPENAI_URL = "https://api.openai.com/v1"
KINDS = ("openai", "local")
PACKAGED = "gemma-3-270m-q4_k_m"
PACKAGED_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""The model that comes with the extra `simulacra[local]`: Gemma 3 270M, base, 4 bit."""

_OURS = (
    "model",
    "messages",
    "prompt",
    "n",
    "stream",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "json_schema",
)


@dataclass(frozen=True)
class ModelSpec:
    """A language model and how it is called. Never holds a key: that stays in the environment."""

    kind: str  # "openai": any server that speaks the OpenAI protocol; "local": llama.cpp in this process
    name: str = ""  # as the server knows it; for "local" what to call the file
    base_url: str = ""  # "openai" only; default: OPENAI_BASE_URL, else OpenAI itself
    path: str = ""  # "local" only: a GGUF file; "" the packaged one
    sha256: str = ""  # "local" only: of that file; "" is not checked; the packaged one always is
    chats: bool | None = None  # False: a base model, which continues pages; None: ask the server
    sampling: Mapping[str, Any] = field(
        default_factory=dict, hash=False
    )  # more of the request's body: top_p, reasoning_effort ...
    concurrency: int = 0  # calls under way at once, of all runs of this process together; 0: 8 for "local", else 32
    timeout: float = 60.0  # seconds without a byte from the server before a call is given up
    deadline: float = 180.0  # seconds for one answer, all its retries included
    retries: int = 2  # further calls where what came back cannot be used; failed connections are retried apart from that

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpecError(f"No kind of model called {self.kind!r}. Known: {', '.join(KINDS)}.")
        getattr(self, f"_check_{self.kind}")()
        if not self.concurrency:
            object.__setattr__(self, "concurrency", 8 if self.kind == "local" else 32)
        _within("concurrency", self.concurrency, 1, 1024)
        _within("retries", self.retries, 0, 10)
        _within("timeout", self.timeout, 0.01, 3600)
        _within("deadline", self.deadline, 0.01, 24 * 3600)
        for key in self.sampling:
            if key in _OURS:
                raise SpecError(f"model.sampling.{key}: this is set by the program. Leave it out.")

    def _check_openai(self) -> None:
        if not self.name:
            raise SpecError("No model was named. Say which one, such as --model gpt-4o-mini.")
        url = (self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpecError(f"base URL {url[:60]!r}: expected an address such as http://localhost:11434/v1.")
        if parts.username or parts.password or parts.query:
            raise SpecError(
                "base URL: holds a user, password or query. Give the plain address; a key belongs in OPENAI_API_KEY."
            )
        object.__setattr__(self, "base_url", url)

    def _check_local(self) -> None:
        if self.base_url:
            raise SpecError("A local model has no base URL. Use --mind openai for a server, or leave --base-url out.")
        if not self.name:
            object.__setattr__(self, "name", os.path.basename(self.path).removesuffix(".gguf") or PACKAGED)
        if not self.path:
            object.__setattr__(self, "sha256", PACKAGED_SHA256)

    @property
    def on_this_machine(self) -> bool:
        """Costs no money and needs no key: in this process, or behind a loopback address."""
        return self.kind == "local" or is_loopback(self.base_url)

    def identity(self) -> dict[str, Any]:
        """What an answer may depend on beside the prompt: stored answers belong to it."""
        where = {"sha256": self.sha256 or self.path} if self.kind == "local" else {"base_url": self.base_url}
        name = {"name": self.name} if self.kind == "openai" else {}
        return {"kind": self.kind, **name, **where, "sampling": dict(self.sampling)}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for run.json; `from_dict` gives an equal specification."""
        return {f.name: dict(self.sampling) if f.name == "sampling" else getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "model") -> ModelSpec:
        """The specification that `to_dict` described. Raises SpecError naming `where`."""
        if not isinstance(data, Mapping):
            raise SpecError(f"{where}: expected a table that names a model, got {str(data)[:40]!r}.")
        known = {f.name: f for f in fields(cls)}
        for key, value in data.items():
            if key not in known:
                raise SpecError(f"{where}.{str(key)[:40]}: unknown. Known: {', '.join(known)}.")
            if not _fits(key, value):
                raise SpecError(f"{where}.{key} = {str(value)[:40]!r}: not a value of the right kind.")
        if "kind" not in data:
            raise SpecError(f"{where}.kind is missing. Write one of {', '.join(KINDS)}.")
        return cls(**data)


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _fits(key: str, value: object) -> bool:
    if key == "sampling":
        return isinstance(value, Mapping)
    if key == "chats":
        return value is None or isinstance(value, bool)
    if key in ("concurrency", "retries"):
        return isinstance(value, int) and not isinstance(value, bool)
    if key in ("timeout", "deadline"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise SpecError(f"model.{name} = {value!r}: expected {low:g} to {high:g}.")
