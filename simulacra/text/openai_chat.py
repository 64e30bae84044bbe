"""Any server that speaks the OpenAI protocol: OpenAI itself, vLLM, Ollama, LM Studio, llama.cpp. The one place that knows a key.

The client of the `openai` package retries what a network or an overloaded server does wrong; answers that came but cannot be used
are asked for again here, with another seed. Both within a deadline. Whatever is wrong then is an `Answer` with a short reason.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulacra.errors import Capped, SpecError
from simulacra.seams import Answer, Prompt
from simulacra.text import pool
from simulacra.text.abilities import (
    CHANCE,
    TRIAL,
    Abilities,
    Reply,
    body_of,
    context_of,
    lesser_schema,
    listed,
    refused_part,
    reply_of,
    short,
)
from simulacra.text.budget import CHARS_PER_TOKEN, Budget, price_of
from simulacra.text.faults import fault as fault_of
from simulacra.text.faults import follows, json_of, whole_sentences
from simulacra.text.models import OPENAI_URL, ModelSpec, is_loopback

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI

KEY_ENV = "OPENAI_API_KEY"
KEYLESS = "none"
"""Sent where a server wants no key: the client insists on one."""

CLIENT_RETRIES = 8
"""Of a request that failed on its way (429, 5xx, time-out, lost connection): about 40 seconds with the client's doubling waits."""

PATIENCE = 300.0
"""Seconds without any sign of the server after which a run stops, to be resumed, instead of filling itself with failures."""

Fault = Callable[[str], str]
Done = Callable[[int, Answer], None]


# -- the key ---------------------------------------------------------------------------------------------------------------


def key_for(base_url: str) -> str:
    """The key for an address: the environment's for OpenAI itself, for this machine and for the address that OPENAI_BASE_URL names;
    none for any other, since an address can come from a file that somebody else wrote. Raises SpecError where OpenAI needs one."""
    key = os.environ.get(KEY_ENV, "").strip()
    own = {urlsplit(url).netloc for url in (OPENAI_URL, os.environ.get("OPENAI_BASE_URL", "")) if url}
    if not key and urlsplit(base_url).netloc == urlsplit(OPENAI_URL).netloc:
        raise SpecError(f"No key: set {KEY_ENV} in the environment, or name a server of your own with --base-url.")
    return key if key and (is_loopback(base_url) or urlsplit(base_url).netloc in own) else KEYLESS


def scrubbed(message: str) -> str:
    """The message without the key, or anything that looks like one."""
    key = os.environ.get(KEY_ENV, "").strip()
    message = message.replace(key, "***") if key else message
    return re.sub(r"\b(sk-|Bearer\s+)[\w*.-]{6,}", r"\1***", message)


# -- counting requests -----------------------------------------------------------------------------------------------------


class _Cap(BaseException):
    """Carries `Capped` through the client, which retries whatever is an Exception."""

    def __init__(self, capped: Capped) -> None:
        self.capped = capped


@dataclass
class _Tally:
    """What one answer has taken so far."""

    budget: Budget
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    trouble: str = ""  # what the last response was about, where it was no answer

    def send(self) -> None:
        try:
            self.budget.call()
        except Capped as capped:
            raise _Cap(capped) from None
        self.calls += 1

    def answer(self, text: str, failure: str = "") -> Answer:
        return Answer("" if failure else text, failure, self.input_tokens, self.output_tokens, self.calls)


_tally: ContextVar[_Tally] = ContextVar("_tally")


async def _on_request(request: Any) -> None:
    """Called by the client before each request, its own retries included. Questions about the server are no calls."""
    if request.method == "POST":
        _tally.get().send()


async def _on_response(response: Any) -> None:
    """Called by the client for each response, those that it will retry included."""
    _tally.get().trouble = _trouble(response.status_code)


def _trouble(status: int) -> str:
    if status < 400:
        return ""
    return "rate limited" if status == 429 else "server error" if status >= 500 else f"rejected ({status})"


_clients: dict[tuple[int, str, float, int], AsyncOpenAI] = {}


def _client(base_url: str, timeout: float, slots: int) -> AsyncOpenAI:
    """One client an address and process: it holds the open connections, which live on the loop."""
    from httpx2 import Limits
    from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

    # A traceback may show what these names hold: of the key, only its hash.
    place = (id(pool.loop()), base_url, timeout, hash(key_for(base_url)))
    if place not in _clients:
        http = DefaultAsyncHttpx2Client(
            event_hooks={"request": [_on_request], "response": [_on_response]},
            limits=Limits(max_connections=slots + 8, max_keepalive_connections=slots + 8),
        )
        _clients[place] = AsyncOpenAI(
            api_key=key_for(base_url), base_url=base_url, timeout=timeout, max_retries=CLIENT_RETRIES, http_client=http
        )
    return _clients[place]


# -- the adapter -----------------------------------------------------------------------------------------------------------


@dataclass
class OpenAIChat:
    """A `TextGenerator` over one model at one address.

    abilities: what is known of the server already, which is then not asked. address: where the server is, once it is needed; by
    default the model's own. Raises SpecError at the first question where there is no key, no such model or no server.
    """

    model: ModelSpec
    budget: Budget = field(default_factory=Budget)
    abilities: Abilities | None = None
    address: Callable[[], str] | None = None
    _begun: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            import openai
        except ImportError:
            raise SpecError(
                "Talking to a model needs the package openai. Install it: pip install 'simulacra[language]'"
            ) from None
        self._openai = openai
        self._price = price_of(self.model)
        if self._price is None and self.budget.max_cost is not None:
            raise SpecError(
                f"No price is known for {self.model.name!r}, so --max-cost cannot hold. Cap it with --max-calls, or name a price "
                "table of your own in SIMULACRA_PRICES."
            )
        if self.model.kind == "openai":
            key_for(self.model.base_url)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def chats(self) -> bool:
        """Asks the server at first, where neither the specification nor a store knows."""
        if self.model.chats is not None:
            return self.model.chats
        return self.found().chats

    def found(self) -> Abilities:
        """What the server can do, asked now if it is not known. Raises SpecError for what must be mended before a run."""
        if self.abilities is None:
            pool.run(self._begin())
        assert self.abilities is not None
        return self.abilities

    def answer(self, prompts: Sequence[Prompt], fault: Fault | None = None) -> list[Answer]:
        """One answer a prompt, in order; see `seams.TextGenerator`."""
        answers: dict[int, Answer] = {}
        self.ask(prompts, fault, answers.__setitem__)
        return [answers[i] for i in range(len(prompts))]

    def ask(self, prompts: Sequence[Prompt], fault: Fault | None, done: Done) -> None:
        """Answer all prompts, telling `done` of each as it comes, on the loop's thread. Raises Capped once nothing is under way."""
        if prompts:
            pool.run(self._ask(prompts, fault, done))

    @property
    def busy_share(self) -> float:
        """See `Pool.busy_share`."""
        return self._pool().busy_share

    # -- asking --

    async def _ask(self, prompts: Sequence[Prompt], fault: Fault | None, done: Done) -> None:
        self.budget.check()
        await self._begin()
        capped: list[Capped] = []
        slots = self._pool()

        async def one(row: int) -> None:
            async with slots.slot():
                if capped:
                    return
                try:
                    answer = await self._answer(prompts[row], fault)
                except Capped as error:
                    capped.append(error)
                    return
            self.budget.answered(answer.calls, answer.failure)
            done(row, answer)

        outcomes = await asyncio.gather(*(one(row) for row in range(len(prompts))), return_exceptions=True)
        for outcome in [*capped, *outcomes]:
            if outcome is not None:
                raise outcome

    async def _answer(self, prompt: Prompt, fault: Fault | None) -> Answer:
        tally = _Tally(self.budget)
        token = _tally.set(tally)
        try:
            async with asyncio.timeout(self.model.deadline):
                return await self._attempts(prompt, fault, tally)
        except TimeoutError:
            return tally.answer("", tally.trouble or "deadline")
        except _Cap as stop:
            raise stop.capped from None
        finally:
            _tally.reset(token)

    async def _attempts(self, prompt: Prompt, fault: Fault | None, tally: _Tally) -> Answer:
        reason = ""
        for attempt in range(1 + self.model.retries):
            assert self.abilities is not None
            path, body = body_of(prompt, self.model, self.abilities, attempt)
            try:
                reply = await self._send(path, body, tally)
            except self._openai.APIError as error:
                return tally.answer("", self._reason(error))
            text, reason = usable(reply, prompt, fault)
            if not reason:
                return tally.answer(text)
        return tally.answer("", reason)

    async def _send(self, path: str, body: dict[str, Any], tally: _Tally) -> Reply | None:
        """One request and the client's retries of it; None for a response that is none of the protocol's."""
        import httpx2

        limit = body.get("max_tokens") or body.get("max_completion_tokens") or 0
        asked = len(str(body.get("messages", body.get("prompt")))) / CHARS_PER_TOKEN
        reserved = self._price.of(asked, limit) if self._price else 0.0
        calls, tokens = tally.calls, (0, 0)
        while not self.budget.reserve(reserved):
            await asyncio.sleep(0.02)
        try:
            response = await self._http().post(path, cast_to=httpx2.Response, body=body)
            self._pool().reached()
            reply = reply_of(_json(response), body)
            tokens = (reply.input_tokens, reply.output_tokens) if reply else tokens
            return reply
        finally:
            self.budget.settle(reserved, self._price, tally.calls - calls, *tokens)
            tally.input_tokens += tokens[0]
            tally.output_tokens += tokens[1]

    def _reason(self, error: APIError) -> str:
        """Why there is no answer, in a word or two. Raises Capped for what no later call would fare better with."""
        if not isinstance(error, self._openai.APIStatusError):
            timeout = isinstance(error, self._openai.APITimeoutError)
            if self._pool().unreached() > PATIENCE:
                raise Capped(f"{self._where} has not answered for {PATIENCE / 60:.0f} minutes. Resume the run when it is back.")
            return "timeout" if timeout else "no connection"
        self._pool().reached()
        said, status = f"{error.code} {error.message}".lower(), error.status_code
        if "insufficient_quota" in said or status in (401, 402, 403):
            raise Capped(
                f"{self._where} refuses further calls ({status}): {self._said(error)} Resume the run when that is mended."
            )
        if status in (400, 422) and ("content_filter" in said or "content policy" in said or "moderation" in said):
            return "refused"
        return "prompt too long" if status in (400, 413, 422) and "context" in said else _trouble(status)

    # -- the first time --

    @property
    def _where(self) -> str:
        return self.model.base_url or f"The model {self.name}"

    def _url(self) -> str:
        return self.model.base_url if self.address is None else self.address()

    def _http(self) -> AsyncOpenAI:
        return _client(self._url(), self.model.timeout, self.model.concurrency)

    def _pool(self) -> pool.Pool:
        return pool.pool_of(self._url(), self.model.concurrency)

    def _said(self, error: APIError) -> str:
        return scrubbed(short(error.message))

    async def _begin(self) -> None:
        """Find out what the server can do; where that is known, only whether it is there and knows us."""
        if self._begun:
            return
        tally = _Tally(self.budget)
        token = _tally.set(tally)
        try:
            models, llama = await self._models()
            if self.abilities is None:
                self.abilities = await self._probe(models, llama, tally)
            self._begun = True
        except _Cap as stop:
            raise stop.capped from None
        finally:
            _tally.reset(token)

    async def _models(self) -> tuple[dict[str, dict[str, Any]], bool]:
        import httpx2

        http = self._http().with_options(max_retries=1, timeout=min(self.model.timeout, 20))
        try:
            return listed(_json(await http.get("/models", cast_to=httpx2.Response)))
        except self._openai.APIStatusError as error:
            if error.status_code in (401, 403):
                raise SpecError(self._denied(error)) from None
            return {}, False
        except self._openai.APIError as error:
            raise SpecError(
                f"{self._where} cannot be reached ({scrubbed(short(str(error.__cause__ or error)))}). Is the server running?"
            ) from None

    def _denied(self, error: APIError) -> str:
        if self._http().api_key == KEYLESS and os.environ.get(KEY_ENV):
            return f"{self._where} wants a key. Yours goes nowhere unasked: set OPENAI_BASE_URL={self._where} to send it there."
        return f"{self._where} refuses the key: {self._said(error)} Set {KEY_ENV} to one that is valid there."

    async def _probe(self, models: dict[str, dict[str, Any]], llama: bool, tally: _Tally) -> Abilities:
        chats = self.model.chats if self.model.chats is not None else not (llama and await self._has_no_template())
        entry = models.get(self.name) or (next(iter(models.values())) if len(models) == 1 else {})
        able = Abilities(chats=chats, llama=llama, context=context_of(entry))
        able = await self._trial(able, models, tally)
        first, second = [await self._try(CHANCE, able, tally) for _ in range(2)]
        same = first is not None and second is not None and first.text == second.text != ""
        return replace(able, seeds=same and "seed" not in able.dropped)

    async def _trial(self, able: Abilities, models: dict[str, dict[str, Any]], tally: _Tally) -> Abilities:
        """Ask the tiny question in ever plainer ways until it is taken."""
        while True:
            _, body = body_of(TRIAL, self.model, able)
            try:
                reply = await self._try(TRIAL, able, tally)
            except self._openai.APIStatusError as error:
                plainer = self._plainer(able, error, body, models)
                if plainer is None:
                    raise SpecError(self._unusable(error, models)) from None
                able = plainer
                continue
            except self._openai.APIError as error:
                raise SpecError(f"{self._where} did not answer a first question ({self._said(error)}).") from None
            if reply is None:
                raise SpecError(
                    f"{self._where} does not answer in the way of the OpenAI protocol. Does the address end in /v1?"
                )
            able = replace(able, thinks=able.thinks or reply.thought)
            if (
                not able.chats
                or able.schema == "none"
                or reply.finish == "length"
                or follows(json_of(reply.text), TRIAL.schema or {})
            ):
                return able
            able = lesser_schema(able)

    def _plainer(self, able: Abilities, error: Any, body: dict[str, Any], models: dict[str, Any]) -> Abilities | None:
        said, status = error.message.lower(), error.status_code
        no_chat = status in (400, 404, 405, 501) and ("chat" in said or (status in (404, 405) and self.name in models))
        if able.chats and self.model.chats is None and no_chat:
            return replace(able, chats=False)
        # llama.cpp answers 500 to a schema that it cannot turn into a grammar.
        return refused_part(able, f"{error.param or ''} {said}", body) if status in (400, 422, 500) else None

    def _unusable(self, error: Any, models: dict[str, Any]) -> str:
        if error.status_code in (401, 403):
            return self._denied(error)
        if models and self.name not in models:
            known = ", ".join(sorted(models)[:12])
            return f"No model called {self.name!r} at {self._where}. It has: {known}."
        return f"{self._where} refuses {self.name!r} ({error.status_code}): {self._said(error)}"

    async def _try(self, prompt: Prompt, able: Abilities, tally: _Tally) -> Reply | None:
        return await self._send(*body_of(prompt, self.model, able), tally)

    async def _has_no_template(self) -> bool:
        """Whether a llama.cpp server holds a base model: one that comes without a chat template."""
        import httpx2

        root = self._url().removesuffix("/v1")
        try:
            props = _json(await self._http().with_options(base_url=root).get("/props", cast_to=httpx2.Response))
        except self._openai.APIError:
            return False
        if not isinstance(props, dict):
            return False
        # Without a template of the model's own, llama.cpp puts in one whose marks the model does not end its turns with.
        template, end = str(props.get("chat_template", "")), props.get("eos_token")
        return "<|im_end|>" in template and end is not None and end != "<|im_end|>"


def _json(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def usable(reply: Reply | None, prompt: Prompt, fault: Fault | None) -> tuple[str, str]:
    """The text to keep of a reply, and what is wrong with it ("" nothing). An answer to a schema comes as canonical JSON; one that ran
    out of tokens ends with its last full sentence."""
    if reply is None:
        return "", "no answer in the response"
    if reply.refused:
        return "", "refused"
    text = reply.text.strip()
    if reason := fault_of(text, prompt):
        truncated = reply.finish == "length" and reason in ("invalid JSON", "empty")
        return "", "truncated" if truncated else reason
    if prompt.schema is not None:
        text = json.dumps(json_of(text), ensure_ascii=False)
    elif reply.finish == "length":
        text = whole_sentences(text)
        if not text:
            return "", "truncated"
    return text, fault(text) if fault is not None else ""
