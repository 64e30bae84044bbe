"""What is wrong with what a model wrote: pure functions from a text to "" or a short reason. A faulty text never becomes a post.

`fault` holds for any answer to any prompt and is applied by the adapters themselves; `post_fault` holds for the words of a persona
and is for callers to pass as the `fault` of `TextGenerator.answer`. They err on the side of asking again: a good text that is
refused costs one more call, a bad one that is kept stands in a thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from simulacra.seams import Prompt

LONGEST = 12
"""Characters that an answer may have for each token it was allowed; more is a server that does not stop."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_FENCE = re.compile(r"^```\w*\s*|\s*```$")
_MARKUP = re.compile(
    r"</?[a-z][a-z0-9]*(?:\s+[\w-]+\s*=|\s*/?>)"  # tags
    r"|<\|[^|>]{1,40}\|>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|</?s>"  # chat templates
    r"|^\s*(?:system|assistant|user|human|###\s*\w+)\s*:\s",  # roles
    re.IGNORECASE | re.MULTILINE,
)
_CANNOT = r"(?:can(?:no|'|’)t|(?:a|'|’)m (?:unable|not able) to|won(?:'|’)t)"
_DO = (
    r"(?:help (?:you )?with (?:that|this)|assist|comply|fulfil|do that|engage in|participate in|provide|continue with this"
    r"|(?:write|create|generate|produce) (?:any |a |the |such |this |that |an )?(?:\w+ )?(?:content|posts?|comments?|text"
    r"|material|messages?|that|this)\b)"
)
_REFUSAL = re.compile(
    rf"^\W*(?:i(?:'|’)?m (?:really |very |so )?sorry,? (?:but )?(?:(?:i|this|that) )?{_CANNOT}"
    rf"|(?:sorry,? (?:but )?)?i {_CANNOT} (?:to )?{_DO}|i(?:'|’)m (?:unable|not able) to {_DO}|i (?:must|have to) (?:decline|refuse))",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"\bas an? (?:ai|a\.i\.|artificial intelligence|(?:large )?language model|virtual assistant|chat ?bot)\b"
    r"|\bi(?:(?:'|’)m| am) (?:just |only )?an? (?:ai|artificial intelligence|(?:large )?language model|virtual assistant|chat ?bot)\b"
    r"|\bmy (?:training data|knowledge cutoff|programming)\b|\b(?:chatgpt|openai)(?:'|’)s (?:policy|policies|guidelines)\b"
    r"|\b(?:content|usage) (?:policy|policies|guidelines) (?:do not|don(?:'|’)t|prevent|prohibit)",
    re.IGNORECASE,
)
_ENGLISH = frozenset(
    """the a an and or but of to in on at for with from by is are was were be been am i you he she it we they me him her us them my
    your his its our their this that these those not no yes so if as do does did have has had will would can could should what who
    how when where why there here just about up out all any some more than then too very get got like im dont thats ive""".split()  # noqa: SIM905
)


def fault(text: str, prompt: Prompt) -> str:
    """Why the text is no answer to that prompt at all: "empty", "too long", "repetition", "echoed prompt" or "invalid JSON"."""
    if not text.strip():
        return "empty"
    if len(text) > LONGEST * prompt.max_tokens + 200:
        return "repetition" if is_repetitive(text) else "too long"
    if echoes(text, prompt.system):
        return "echoed prompt"
    if prompt.schema is not None:
        return "" if follows(json_of(text), prompt.schema) else "invalid JSON"
    return "repetition" if is_repetitive(text) else ""


def post_fault(text: str, language: str = "en") -> str:
    """Why the text cannot be what a persona wrote: "empty", "refused", "speaks as a machine", "markup", "repetition" or "wrong
    language". language: "en" is checked by its commonest words and its letters; any other is not checked."""
    if not text.strip():
        return "empty"
    if _REFUSAL.search(text):
        return "refused"
    if _MACHINE.search(text):
        return "speaks as a machine"
    if _MARKUP.search(text):
        return "markup"
    if is_repetitive(text):
        return "repetition"
    return "wrong language" if language == "en" and not looks_english(text) else ""


def is_repetitive(text: str) -> bool:
    """Whether a text goes round in circles: few different three-word runs for its length, or one character run on and on."""
    if re.search(r"(.)\1{39}", text):
        return True
    words = text.lower().split()
    if len(words) < 24:
        return False
    runs = {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
    return len(runs) < 0.5 * (len(words) - 2)


def looks_english(text: str) -> bool:
    """Whether a text of eight words or more is English: its letters are Latin, and some of its words are among the commonest.
    Shorter texts, and texts without words, pass as long as most letters are Latin."""
    letters = [c for c in text if c.isalpha()]
    if letters and sum(c < "ɐ" for c in letters) < 0.7 * len(letters):
        return False
    words = [w.replace("'", "") for w in _WORD.findall(text.lower().replace("’", "'"))]
    return len(words) < 8 or sum(w in _ENGLISH for w in words) >= 0.12 * len(words)


def echoes(text: str, system: str, run: int = 12) -> bool:
    """Whether a text repeats twelve words in a row of what the model was told to do."""
    told, said = system.lower().split(), text.lower().split()
    if len(told) < run or len(said) < run:
        return False
    known = {tuple(told[i : i + run]) for i in range(len(told) - run + 1)}
    return any(tuple(said[i : i + run]) in known for i in range(len(said) - run + 1))


# -- structured answers ----------------------------------------------------------------------------------------------------


def json_of(text: str) -> Any:
    """The JSON value in a text that may have a code fence or words around it; None where there is none or it breaks off."""
    bare = _FENCE.sub("", text.strip())
    starts = [at for at in (bare.find("{"), bare.find("[")) if at >= 0]
    for at in sorted({0, *starts}):
        try:
            return json.JSONDecoder().raw_decode(bare[at:].lstrip())[0]
        except (json.JSONDecodeError, RecursionError):
            continue
    return None


def follows(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value has the types, required keys and listed words that a JSON schema asks for. Reads `type`, `required`,
    `properties`, `items`, `minItems`, `maxItems`, `enum`, `minimum` and `maximum`; anything else in the schema is not checked."""
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if kind is not None and not any(_is(value, k) for k in kinds):
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return all(key in value for key in schema.get("required", ())) and all(
            follows(value[k], known[k]) for k in value if k in known
        )
    if isinstance(value, list):
        few_enough = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return few_enough and all(follows(item, schema.get("items", {})) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


def _is(value: Any, kind: object) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case _:
            return True


def whole_sentences(text: str) -> str:
    """The text up to its last full sentence, for an answer that ran out of tokens; "" where not one sentence is full."""
    ends = [m.end() for m in re.finditer(r"[.!?…][\"'”’)]*(?=\s|$)", text)]
    return text[: ends[-1]] if ends else ""
