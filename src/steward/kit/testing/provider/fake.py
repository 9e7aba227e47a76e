"""The fake provider: a real HTTP server that answers as a test tells it, and counts what it would bill."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, cast

import msgspec

from steward.kit.testing.provider import anthropic, openai
from steward.kit.testing.provider.batches import Batches
from steward.kit.testing.provider.connection import Connection, Gone, Request
from steward.kit.testing.provider.delivery import Delivery
from steward.kit.testing.provider.replies import Asked, Bill, Reply
from steward.kit.testing.provider.speech import Event, Speech, speak

Answering = Callable[[str, str], str]
"""What a model says to a system text and a user text."""
Scripted = Callable[[Asked], Reply]

MARK = re.compile(rb"mark:([0-9A-Za-z-]+)")
_OK = 200
_JSON = "application/json"
_MODEL_OPERATIONS = frozenset({"chat/completions", "messages", "embeddings"})


class FakeProvider:
    """Speaks OpenAI and Anthropic, streamed and whole, and their batches; `async with` runs it on a free port.

    A request gets the next `Reply` of `script`, then what `answer` makes of it, and else what these say: `say` is the
    answer or makes it; `status` other than 200 is an error in the provider's form; `cut` ends the answer at its token
    limit; `raw` is sent instead of any answer; while `stuck` is set nothing is answered at all. With `keys` set, other
    keys are refused.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.billed: list[Bill] = []
        self.script: deque[Reply] = deque()
        self.answer: Scripted | None = None
        self.keys: set[str] | None = None
        self.models = ["fake-small", "fake-large"]
        self.disconnects = 0
        """How often a client went away before its answer was whole."""
        self.connections = 0
        """How many were opened so far."""
        self.say: str | Answering = "All right."
        self.status = _OK
        self.cut = False
        self.raw: bytes | None = None
        self.stuck = False
        self.url = ""
        """Without a path: a base URL of OpenAI's form has `/v1` behind it."""
        self.batches = Batches(self._line)
        self._open: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._open:
            await connection.stop()
        self._open.clear()

    def tell(self, *replies: Reply) -> None:
        """Queue replies for the next requests."""
        self.script.extend(replies)

    async def drop_idle(self) -> int:
        """Close the connections that wait for a request, as a server does with old ones; how many there were."""
        idle = [connection for connection in self._open if not connection.busy]
        for connection in idle:
            await connection.stop()
            self._open.discard(connection)
        return len(idle)

    def _connect(self) -> Connection:
        self.connections += 1
        connection = Connection(self._serve)
        self._open.add(connection)
        return connection

    async def _serve(self, connection: Connection, request: Request) -> None:
        path, _, query = request.target.partition("?")
        asked = Asked(
            path=path,
            headers=request.headers,
            body=_body(request),
            method=request.method,
            query=query,
            raw=request.body,
        )
        self.asked.append(asked)
        if self.stuck:
            await connection.wait_gone(None)
        reply = self._reply(asked)
        try:
            await self._deliver(Delivery(connection, reply), asked, reply)
        except Gone:
            self.disconnects += not reply.drop
            raise

    async def _deliver(self, delivery: Delivery, asked: Asked, reply: Reply) -> None:
        operation = _operation(asked)
        if reply.body is not None:
            await delivery.whole(reply.body, _JSON)
        elif reply.status != _OK:
            await delivery.whole(_error(asked, reply), _JSON)
        elif operation in {"chat/completions", "messages"}:
            await self._speak(delivery, asked, reply)
        else:
            await self._other(delivery, asked, operation)

    async def _speak(self, delivery: Delivery, asked: Asked, reply: Reply) -> None:
        speech = self._speech(asked, reply)
        bill = _bill(speech, asked)
        self.billed.append(bill)
        try:
            if asked.stream:
                await delivery.stream(_with_error(_events(speech, asked), asked, reply))
            else:
                await delivery.whole(_whole(speech, asked), _JSON)
        finally:
            bill.finished = delivery.finished
            if asked.stream and not delivery.finished:
                bill.output_tokens = speech.output_at(delivery.pieces)

    async def _other(self, delivery: Delivery, asked: Asked, operation: str) -> None:
        if operation == "embeddings":
            body, tokens = openai.embeddings(asked, len(asked.raw))
            bill = Bill(
                id=f"embd-{len(self.billed):012d}",
                model=str(asked.body.get("model")),
                dialect="openai",
                input_tokens=tokens.input,
                output_tokens=0,
                stream=False,
                asked_max=None,
                mark=_mark(asked.raw),
            )
            self.billed.append(bill)
            await delivery.whole(body, _JSON)
            bill.finished = True
        elif operation == "models":
            await delivery.whole(openai.models(self.models), _JSON)
        elif _makes_batch(asked, operation) and self.batches.refuses:
            reply = Reply(status=400, error_message="no batches today")
            await Delivery(delivery.connection, reply).whole(_error(asked, reply), _JSON)
        elif (body := self.batches.answer(asked, operation)) is not None:
            lost = _makes_batch(asked, operation) and self.batches.loses
            await (Delivery(delivery.connection, Reply(drop=True)) if lost else delivery).whole(body, _JSON)
        else:
            reply = Reply(status=404, error_message=f"no {asked.method} {asked.path} here")
            await Delivery(delivery.connection, reply).whole(_error(asked, reply), _JSON)

    def _reply(self, asked: Asked) -> Reply:
        if self.keys is not None and _key(asked) not in self.keys:
            return Reply(status=401)
        if (found := _fault(asked)) is not None:
            return Reply(status=400, error_message=found, error_param=found.split(":")[0])
        asks_a_model = _operation(asked) in _MODEL_OPERATIONS
        if self.script and asks_a_model:
            return self.script.popleft()
        if self.answer is not None and asks_a_model:
            return self.answer(asked)
        if self.raw is not None:
            return Reply(body=self.raw)
        if self.status != _OK or "messages" not in asked.body:
            return Reply(status=self.status)
        text = self.say if isinstance(self.say, str) else self.say(asked.system, asked.user)
        stop = "max_tokens" if _is_anthropic(asked) else "length"
        return Reply(text=text, stop=stop if self.cut else "")

    def _speech(self, asked: Asked, reply: Reply) -> Speech:
        return speak(
            reply,
            number=len(self.billed) + 1,
            model=str(asked.body["model"]),
            prefix=anthropic.PREFIX if _is_anthropic(asked) else openai.PREFIX,
            asked_max=asked.asked_max,
            read=len(asked.raw),
        )

    def _line(self, asked: Asked) -> tuple[int, bytes]:
        """One request of a batch: its status and its body."""
        self.asked.append(asked)
        reply = self._reply(asked)
        if reply.status != _OK:
            return reply.status, _error(asked, reply)
        if asked.path.endswith("/embeddings"):
            return _OK, openai.embeddings(asked, len(asked.raw))[0]
        speech = self._speech(asked, reply)
        bill = _bill(speech, asked)
        bill.finished = True
        self.billed.append(bill)
        return _OK, _whole(speech, asked)


def _operation(asked: Asked) -> str:
    return asked.path.removeprefix("/v1").strip("/")


def _makes_batch(asked: Asked, operation: str) -> bool:
    return asked.method == "POST" and operation in {"batches", "messages/batches"}


def _is_anthropic(asked: Asked) -> bool:
    return "/messages" in asked.path


def _whole(speech: Speech, asked: Asked) -> bytes:
    return anthropic.whole(speech) if _is_anthropic(asked) else openai.whole(speech)


def _events(speech: Speech, asked: Asked) -> Iterator[Event]:
    return anthropic.events(speech) if _is_anthropic(asked) else openai.events(speech, asked)


def _with_error(events: Iterable[Event], asked: Asked, reply: Reply) -> Iterator[Event]:
    said = 0
    for place, event in enumerate(events):
        if place == reply.error_after:
            made = anthropic.error_event if _is_anthropic(asked) else openai.error_event
            yield Event(made(reply, "Overloaded"), said)
            return
        said = event.pieces
        yield event


def _error(asked: Asked, reply: Reply) -> bytes:
    if _is_anthropic(asked):
        return anthropic.error(reply, f"invalid key: {asked.headers.get('x-api-key')}", "req_fake")
    return openai.error(reply, f"Incorrect key: {asked.headers.get('authorization')}")


def _bill(speech: Speech, asked: Asked) -> Bill:
    return Bill(
        id=speech.id,
        model=speech.model,
        dialect="anthropic" if _is_anthropic(asked) else "openai",
        input_tokens=speech.billed.input,
        output_tokens=speech.billed.output,
        cached_tokens=speech.billed.cached,
        cache_write_tokens=speech.billed.cache_write,
        reasoning_tokens=speech.billed.reasoning,
        stream=asked.stream,
        asked_max=asked.asked_max,
        mark=_mark(asked.raw),
    )


def _mark(raw: bytes) -> str:
    found = MARK.search(raw)
    return found[1].decode() if found else ""


def _key(asked: Asked) -> str:
    return asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")


def _body(request: Request) -> dict[str, Any]:
    try:
        body: object = msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _fault(asked: Asked) -> str | None:
    """What a provider would refuse in any request."""
    operation = _operation(asked)
    if operation not in _MODEL_OPERATIONS:
        return None
    wanted = ["model", "input"] if operation == "embeddings" else ["model", "messages"]
    if operation == "messages":
        wanted.append("max_tokens")
    return next((f"{name}: Field required" for name in wanted if name not in asked.body), None)
