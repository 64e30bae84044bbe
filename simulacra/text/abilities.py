"""What a server was found to be able to do, and the request bodies that follow from it: pure functions, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from simulacra.seams import Prompt
from simulacra.text.models import ModelSpec

SCHEMAS = ("strict", "object", "none")
"""How far a server takes a JSON schema, best first: it binds the answer; it promises JSON of some kind; it knows none."""

THINKING = 1500
"""Tokens that a model which thinks before it answers may use for that, on top of the answer's own."""

_OPTIONAL = ("temperature", "seed", "stop")


@dataclass(frozen=True)
class Abilities:
    """Found out once per address and model, by asking."""

    chats: bool = True
    schema: str = "strict"  # one of SCHEMAS
    limit: str = "max_tokens"  # what the longest answer is called; newer models of OpenAI want max_completion_tokens
    dropped: tuple[str, ...] = ()  # parts of a request that it refuses
    seeds: bool = False  # equal seeds gave equal answers when tried
    thinks: bool = False  # writes tokens that are not part of the answer
    llama: bool = False  # a llama.cpp server, which binds pages to a schema, too
    context: int = 0  # tokens that prompt and answer may have together; 0 unknown

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "dropped": list(self.dropped)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Abilities:
        return cls(**{**data, "dropped": tuple(data.get("dropped", ()))})


class Reply(NamedTuple):
    """What a server sent for one request."""

    text: str  # without thoughts; "" where there was none
    finish: str  # "stop", "length", "content_filter" ... as the server says
    input_tokens: int
    output_tokens: int
    refused: bool = False
    thought: bool = False


def body_of(prompt: Prompt, model: ModelSpec, able: Abilities, attempt: int = 0) -> tuple[str, dict[str, Any]]:
    """Path and body of the request for a prompt; further attempts differ in their seed, or they would get the same answer."""
    body: dict[str, Any] = {"model": model.name}
    if able.chats:
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        body["messages"] = [*system, {"role": "user", "content": prompt.user}]
    else:
        body["prompt"] = prompt.system + prompt.user
    body[able.limit] = prompt.max_tokens + (THINKING if able.thinks else 0)
    body["temperature"] = prompt.temperature
    body["seed"] = (prompt.seed + 1_000_003 * attempt + 7_919 * prompt.repeat) & 0x7FFFFFFF
    if prompt.stop:
        body["stop"] = list(prompt.stop[:4])
    body |= model.sampling
    if prompt.schema is not None:
        body |= _bound(prompt.schema, able)
    return "/chat/completions" if able.chats else "/completions", {k: v for k, v in body.items() if k not in able.dropped}


def _bound(schema: Mapping[str, Any], able: Abilities) -> dict[str, Any]:
    if not able.chats:
        return {"json_schema": schema} if able.llama else {}
    match able.schema:
        case "strict":
            return {
                "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
            }
        case "object":
            return {"response_format": {"type": "json_object"}}
        case _:
            return {}


def reply_of(data: Any, sent: Mapping[str, Any]) -> Reply | None:
    """What a response body says; None where it is not of the protocol's shape. Tokens that it does not count are estimated."""
    try:
        choice = data["choices"][0]
        message = choice["message"] if "message" in choice else {"content": choice["text"]}
        raw, usage = message.get("content") or "", data.get("usage") or {}
        finish = str(choice.get("finish_reason") or "")
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    if not isinstance(raw, str):
        return None
    text = without_thoughts(raw)
    input_tokens = _count(usage, "prompt_tokens", len(str(sent.get("messages", sent.get("prompt", "")))) / 4)
    output_tokens = _count(usage, "completion_tokens", len(raw) / 4)
    details = usage.get("completion_tokens_details") or {}
    thought = text != raw or bool(message.get("reasoning_content")) or _count(details, "reasoning_tokens", 0) > 0
    refused = finish == "content_filter" or bool(message.get("refusal"))
    return Reply(text, finish, input_tokens, output_tokens, refused, thought)


def _count(usage: Any, key: str, otherwise: float) -> int:
    value = usage.get(key) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and 0 <= value < 10**9 else int(otherwise)


def without_thoughts(text: str) -> str:
    """The text after what a model that thinks aloud has put between <think> tags; "" where it never stopped thinking."""
    if not text.lstrip().startswith("<think>"):
        return text
    return text.partition("</think>")[2].lstrip()


# -- finding out -----------------------------------------------------------------------------------------------------------

TRIAL = Prompt(
    "You answer in JSON.", 'Write the JSON object {"word": "yes"} and nothing else.', max_tokens=60, temperature=0.5, seed=1,
    stop=("\n\n\n",), schema={"type": "object", "properties": {"word": {"type": "string", "enum": ["yes"]}}, "required": ["word"],
    "additionalProperties": False},
)  # fmt: skip
"""A tiny call that uses every part of a request."""

CHANCE = Prompt("", "Name any three things that one can see from a train:", max_tokens=12, temperature=1.0, seed=11)
"""Asked twice: a server that minds seeds gives one answer."""


def refused_part(able: Abilities, message: str, sent: Mapping[str, Any]) -> Abilities | None:
    """The abilities without that part of a request which an error message complains of; None where nothing is left to leave out."""
    said = message.lower()
    if "max_completion_tokens" in said and able.limit == "max_tokens":
        return replace(able, limit="max_completion_tokens")
    if ("response_format" in said or "json" in said or "schema" in said) and able.schema != "none":
        return lesser_schema(able)
    for part in _OPTIONAL:
        if part in sent and re.search(rf"\b{part}\b", said):
            return replace(able, dropped=(*able.dropped, part))
    if able.schema != "none" and "response_format" in sent:
        return lesser_schema(able)
    return None


def lesser_schema(able: Abilities) -> Abilities:
    """The next lower way of asking for structure."""
    return replace(able, schema=SCHEMAS[SCHEMAS.index(able.schema) + 1])


def listed(data: Any) -> tuple[dict[str, dict[str, Any]], bool]:
    """Models that GET /models names, and whether it is a llama.cpp server; ({}, False) where it says nothing that can be read."""
    entries = data.get("data") if isinstance(data, Mapping) else None
    models = {str(e["id"]): dict(e) for e in entries or () if isinstance(e, Mapping) and "id" in e}
    return models, any(e.get("owned_by") == "llamacpp" for e in models.values())


def context_of(entry: Mapping[str, Any]) -> int:
    """Tokens of context that a model's entry in /models speaks of (llama.cpp, vLLM, LM Studio and OpenRouter differ); 0 for none."""
    meta = entry.get("meta") if isinstance(entry.get("meta"), Mapping) else {}
    found = [
        meta.get("n_ctx") if meta else None,
        *(entry.get(k) for k in ("max_model_len", "context_length", "max_context_length")),
    ]
    return next((value for value in found if isinstance(value, int) and value > 0), 0)


def short(message: str, most: int = 160) -> str:
    """A server's message on one line, for one of ours."""
    try:
        parsed = json.loads(message)
        message = str(parsed.get("error", parsed).get("message", message)) if isinstance(parsed, dict) else message
    except (json.JSONDecodeError, AttributeError):
        pass
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return line if len(line) <= most else line[: most - 1] + "…"
