"""A server that speaks the OpenAI protocol and does wrong on order: every fault that a model, an overloaded host or a network has.

In a thread of this process (`with FaultServer(...) as server`), or on its own: `python tests/fault_server.py [SECONDS]` prints its
address and answers, at once or after so many seconds, until its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from zlib import crc32

Respond = Callable[["Request"], str]

WORDS = "I watered the beans this morning and they look much better now, thanks for the tip."
STRUCTURED = {"word": "yes", "text": WORDS, "verdicts": [], "votes": [], "to": 0, "act": "share", "topic": 1, "breaks": "none"}

CONTENTS = {
    "empty": "",
    "null": None,
    "truncated json": '{"word": "yes", "text": "I watered the be',
    "invalid json": "{'word': yes,, text}",
    "markup": '<div class="reply" author="Lin">Nice.</div>',
    "refusal": "I'm sorry, but I can't help with that request.",
    "repetition": "very good " * 5000,
    "wrong language": "Ich habe heute Morgen die Bohnen gegossen und jetzt sehen sie schon viel besser aus.",
    "machine": "As an AI language model, I don't have a garden, but beans like sun.",
}
"""Faults of the content, by name; "echo" returns what the model was told."""

ON_THE_WAY = ("429", "429 retry-after", "500", "timeout", "reset", "dies")
FAULTS = (*ON_THE_WAY, *CONTENTS, "echo")


@dataclass
class Request:
    path: str
    body: dict
    number: int  # of the calls so far, from 1

    @property
    def text(self) -> str:
        """What it asks, without what the model was told."""
        messages = self.body.get("messages")
        return messages[-1]["content"] if messages else self.body.get("prompt", "")

    @property
    def system(self) -> str:
        messages = self.body.get("messages") or [{"role": "", "content": ""}]
        return messages[0]["content"]


@dataclass
class FaultServer:
    """respond: which fault a request gets, "" none. Counts calls by what they got, and the tokens that it charged for."""

    respond: Respond = lambda request: ""
    model: str = "m"
    refuses: tuple[str, ...] = ()  # parts of a request that are answered with 400
    key: str = field(default="", repr=False)  # the one that it wants
    calls: Counter[str] = field(default_factory=Counter)
    bodies: list[dict] = field(default_factory=list)
    headers: list[str] = field(default_factory=list, repr=False)
    delay: float = 0.05  # seconds before the answer where `respond` says "wait"
    keeps: bool = True  # bodies and headers, for tests to look at
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    in_flight: int = 0
    most_in_flight: int = 0
    port: int = 0

    def __enter__(self) -> FaultServer:
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        ready = Event()

        def serve() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._listen())
            ready.set()
            self._loop.run_forever()

        self._thread = Thread(target=serve, daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**22)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _die(self) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        """Leave no connection half served."""
        await self._die()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                head = [line.decode()]
                while (more := await reader.readline()) not in (b"\r\n", b""):
                    head.append(more.decode())
                length = next((int(h[15:]) for h in head if h.lower().startswith("content-length:")), 0)
                body = await reader.readexactly(length) if length else b""
                await self._handle(head, body, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side went away, or `_end` ends it; a task that ends cancelled makes asyncio of Python 3.11 complain
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _handle(self, head: list[str], body: bytes, writer: asyncio.StreamWriter) -> None:
        path = head[0].split()[1]
        if self.keeps:
            self.headers.append("".join(head))
        if self.key and f"Bearer {self.key}" not in "".join(head):
            return await self._send(
                writer, 401, {"error": {"message": f"Incorrect API key provided: {head}", "code": "invalid_api_key"}}
            )
        if path.endswith("/models"):
            return await self._send(writer, 200, {"data": [{"id": self.model, "object": "model", "max_model_len": 4096}]})
        request = Request(path, json.loads(body), self.total + 1)
        fault = self._refused(request) or self.respond(request)
        self.calls[fault] += 1
        if self.keeps:
            self.bodies.append(request.body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._answer(request, fault, writer)
        finally:
            self.in_flight -= 1

    def _refused(self, request: Request) -> str:
        if request.body.get("model") != self.model:
            return "no such model"
        return next((f"refuses {part}" for part in self.refuses if part in request.body), "")

    async def _answer(self, request: Request, fault: str, writer: asyncio.StreamWriter) -> None:
        match fault:
            case "429":
                await self._send(writer, 429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}})
            case "429 retry-after":
                await self._send(writer, 429, {"error": {"message": "Rate limit reached"}}, "Retry-After: 0.02\r\n")
            case "500":
                await self._send(writer, 500, {"error": {"message": "The server had an error"}})
            case "quota":
                await self._send(
                    writer, 429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, _NO_RETRY
                )
            case "timeout":
                await asyncio.sleep(30)
            case "reset":
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n" + b'{"choices": [{'
                )
                await writer.drain()
                writer.transport.abort()
            case "dies":
                if self._server.is_serving():
                    await self._die()
                    self._loop.call_later(0.3, lambda: self._loop.create_task(self._listen()))
                writer.transport.abort()
            case "no chat":
                await self._send(
                    writer, 404, {"error": {"message": "This is not a chat model. Did you mean to use v1/completions?"}}
                )
            case "no such model":
                await self._send(writer, 404, {"error": {"message": f"The model {request.body.get('model')} does not exist"}})
            case "wait":
                await asyncio.sleep(self.delay)
                await self._say(request, self._words(request), writer)
            case _ if fault.startswith("refuses "):
                part = fault.removeprefix("refuses ")
                hint = " Use 'max_completion_tokens' instead." if part == "max_tokens" else ""
                message = f"Unsupported parameter: '{part}' is not supported with this model.{hint}"
                await self._send(writer, 400, {"error": {"message": message, "param": part}})
            case "echo":
                await self._say(request, request.system or request.text, writer)
            case _:
                await self._say(request, CONTENTS[fault] if fault in CONTENTS else self._words(request), writer)

    def _words(self, request: Request) -> str:
        structured = "response_format" in request.body or "json_schema" in request.body
        if not structured:
            return f"{WORDS} ({request.text[-24:]})"
        return json.dumps(STRUCTURED | {"write": crc32(request.text.encode()) % 10 == 0})  # at one visit in ten

    async def _say(self, request: Request, content: str | None, writer: asyncio.StreamWriter) -> None:
        used = len(json.dumps(request.body)) // 4, len(content or "") // 4
        self.tokens[0] += used[0]
        self.tokens[1] += used[1]
        said = {"message": {"role": "assistant", "content": content}} if "messages" in request.body else {"text": content}
        usage = {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
        await self._send(
            writer, 200, {"choices": [{"index": 0, **said, "finish_reason": "stop"}], "model": self.model, "usage": usage}
        )

    async def _send(self, writer: asyncio.StreamWriter, status: int, data: dict, headers: str = "") -> None:
        out = json.dumps(data).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(out)}\r\n\r\n"
        writer.write(head.encode() + out)
        await writer.drain()


_NO_RETRY = "x-should-retry: false\r\n"


if __name__ == "__main__":
    delay = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    with FaultServer(lambda request: "wait" if delay else "", keeps=False, delay=delay) as server:
        print(server.url, flush=True)
        sys.stdin.read()
