"""The fake provider for benchmarks and crash tests: the same answer to everybody, for some tens of µs of CPU.

It reads of a request what it must, by searching its bytes, and sends answers that were made once. What it would bill
is told at `GET /billed`; `GET /billed?counts` tells the sums only, and `POST /reset` forgets them.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from weakref import WeakSet

import msgspec

from steward.kit.testing.provider import anthropic, openai
from steward.kit.testing.provider.connection import reset
from steward.kit.testing.provider.replies import Asked, Bill, Ending, Reply, Tokens
from steward.kit.testing.provider.speech import Event, Speech, speak

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model"\s*:\s*"([^"]*)"')
_MAX = re.compile(rb'"max_(?:completion_|output_)?tokens"\s*:\s*(\d+)')
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_USAGE = re.compile(rb'"include_usage"\s*:\s*true')
_MARK = re.compile(rb"mark:([0-9A-Za-z-]+)")
_ID = b"000000000000"
_ID_DIGITS = len(_ID)
_LAST_CHUNK = b"0\r\n\r\n"
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_WHOLE_HEAD = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_MOST_TEMPLATES = 256


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody gets. Times are in seconds."""

    input_tokens: int = 20
    output_tokens: int = 20
    """At most; fewer where fewer are asked for."""
    deltas: int = 20
    """Of a streamed answer; with fewer tokens there are as many fewer."""
    first: float = 0.0
    """Before anything is sent."""
    between: float = 0.0
    """Between two deltas; with 0 a streamed answer is sent at once."""
    fault: str = ""
    """`429`, `500`, `503`, `529`, `reset` (in place of an answer), `cut` (after half of it) or `hang`."""
    fault_every: int = 0
    """The fault strikes every so many requests; 0 never."""


class Template(msgspec.Struct, frozen=True):
    """An answer, ready but for its id."""

    frames: tuple[bytes, ...]
    """Of a stream, first the head with what goes before the first delta; of a whole answer all of it."""
    tokens: tuple[int, ...]
    """That were made when a frame is sent."""
    prefix: str


class LeanProvider:
    """Counts and answers; `connection` is the protocol factory of a server."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.billed: list[Bill] = []
        self.requests = 0
        self.open: WeakSet[LeanConnection] = WeakSet()
        self._templates: dict[tuple[bytes, bool, bool, bytes, int], Template] = {}
        self._numbers = 0

    def connection(self) -> "LeanConnection":
        """For one client."""
        made = LeanConnection(self)
        self.open.add(made)
        return made

    def template(self, path: bytes, body: bytes) -> tuple[Template, Bill]:
        """The answer to a request, and its bill."""
        model, most = _MODEL.search(body), _MAX.search(body)
        stream = _STREAM.search(body) is not None
        limit = int(most[1]) if most else None
        tokens = self.plan.output_tokens if limit is None else min(self.plan.output_tokens, limit)
        name = model[1] if model else b""
        key = (path, stream, stream and _USAGE.search(body) is not None, name, tokens)
        made = self._templates.get(key)
        if made is None:
            if len(self._templates) > _MOST_TEMPLATES:
                self._templates.clear()
            made = self._templates[key] = _make(self.plan, *key)
        self._numbers += 1
        mark = _MARK.search(body)
        bill = Bill(
            id=f"{made.prefix}{self._numbers:0{_ID_DIGITS}d}",
            model=name.decode(),
            dialect="anthropic" if made.prefix == anthropic.PREFIX else "openai",
            input_tokens=self.plan.input_tokens,
            output_tokens=0 if stream else made.tokens[-1],
            stream=stream,
            asked_max=limit,
            mark=mark[1].decode() if mark else "",
        )
        self.billed.append(bill)
        return made, bill

    def faulty(self) -> str:
        """The fault that strikes this request, if one does."""
        self.requests += 1
        every = self.plan.fault_every
        return self.plan.fault if every and self.requests % every == 0 else ""

    def report(self, *, counts: bool) -> bytes:
        """What was billed."""
        told = {
            "requests": self.requests,
            "answers": len(self.billed),
            "finished": sum(bill.finished for bill in self.billed),
            "input_tokens": sum(bill.input_tokens for bill in self.billed),
            "output_tokens": sum(bill.output_tokens for bill in self.billed),
            "over_max": sum(not bill.kept_max for bill in self.billed),
            "connections": len(self.open),
        }
        return msgspec.json.encode(told if counts else {**told, "billed": self.billed})

    def reset(self) -> None:
        """Forget what was billed."""
        self.billed = []
        self.requests = 0


class LeanConnection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, provider: LeanProvider) -> None:
        self._provider = provider
        self._waiting: bytes = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._bill: Bill | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's shape
        """See `asyncio.Protocol`."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._waiting = self._waiting + data if self._waiting else data
        if self._timer is None:
            self._work()

    def _work(self) -> None:
        while self._waiting and self._timer is None:
            data = self._waiting
            end = data.find(_HEAD_END)
            if end < 0:
                return
            head = data[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(data) < whole:
                return
            self._waiting = data[whole:]
            self._request(head[: head.find(b"\r\n")], data[end + 4 : whole])

    def _request(self, line: bytes, body: bytes) -> None:
        method, target, _ = line.split(b" ", 2)
        if method == b"POST" and target.endswith((b"/chat/completions", b"/messages")):
            fault = self._provider.faulty()
            if fault and fault != "cut":
                self._fail(fault)
                return
            template, bill = self._provider.template(target, body)
            self._bill = bill
            frames = tuple(frame.replace(_ID, bill.id[-_ID_DIGITS:].encode()) for frame in template.frames)
            if fault:
                self._cut(frames)
            elif self._provider.plan.first:
                self._later(self._provider.plan.first, lambda: self._begin(frames, template))
            else:
                self._begin(frames, template)
        else:
            self._other(method, target, body)

    def _begin(self, frames: tuple[bytes, ...], template: Template) -> None:
        between = self._provider.plan.between
        if not between or len(frames) == 1:
            self._write(b"".join(frames))
            self._finish(template)
            return
        begun = asyncio.get_running_loop().time()
        self._next(frames, template, 0, begun)

    def _next(self, frames: tuple[bytes, ...], template: Template, place: int, begun: float) -> None:
        self._write(frames[place])
        if self._bill is not None:
            self._bill.output_tokens = template.tokens[place]
        place += 1
        if place == len(frames):
            self._finish(template)
            return
        at = begun + place * self._provider.plan.between
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(at, lambda: self._next(frames, template, place, begun))

    def _finish(self, template: Template) -> None:
        if self._bill is not None:
            self._bill.output_tokens = template.tokens[-1]
            self._bill.finished = self._transport is not None and not self._transport.is_closing()
            self._bill = None
        self._timer = None
        if self._waiting:
            self._work()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, what)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _cut(self, frames: tuple[bytes, ...]) -> None:
        data = b"".join(frames)
        self._write(data[: len(data) // 2])
        if self._bill is not None and self._bill.stream:
            self._bill.output_tokens = self._provider.plan.output_tokens // 2
        self._close(Ending.CLOSE)

    def _fail(self, fault: str) -> None:
        if fault.isdigit():
            body = openai.error(Reply(status=int(fault)), "told to fail")
            self._write(_WHOLE_HEAD % (int(fault), b"Status", len(body)) + body)
        elif fault == "reset":
            self._close(Ending.RESET)

    def _close(self, how: Ending) -> None:
        if self._transport is None:
            return
        if how is Ending.RESET:
            reset(self._transport)
        else:
            self._transport.close()

    def _other(self, method: bytes, target: bytes, body: bytes) -> None:
        path, _, query = target.partition(b"?")
        answer, status = b"{}", 200
        if path == b"/billed":
            answer = self._provider.report(counts=query == b"counts")
        elif path == b"/reset" and method == b"POST":
            self._provider.reset()
        elif path.endswith(b"/models"):
            answer = openai.models(["fake"])
        elif path.endswith(b"/embeddings"):
            asked = Asked(path=path.decode(), headers={}, body=msgspec.json.decode(body, type=dict[str, Any]))
            answer = openai.embeddings(asked, len(body))[0]
        else:
            answer, status = openai.error(Reply(status=404), "no such path here"), 404
        self._write(_WHOLE_HEAD % (status, b"OK", len(answer)) + answer)


def _make(plan: Plan, path: bytes, stream: bool, usage: bool, model: bytes, tokens: int) -> Template:  # noqa: FBT001 the parts of a key
    deltas = max(1, min(plan.deltas, tokens)) if stream else 1
    reply = Reply(
        text="tok " * deltas if stream else "tok " * tokens,
        heeds_max=False,
        usage=Tokens(input=plan.input_tokens, output=tokens),
        stop="" if tokens == plan.output_tokens else ("length" if b"chat" in path else "max_tokens"),
    )
    is_anthropic = path.endswith(b"/messages")
    prefix = anthropic.PREFIX if is_anthropic else openai.PREFIX
    speech = speak(reply, number=0, model=model.decode(), prefix=prefix, asked_max=None, read=0)
    if not stream:
        body = anthropic.whole(speech) if is_anthropic else openai.whole(speech)
        return Template((_WHOLE_HEAD % (200, b"OK", len(body)) + body,), (tokens,), prefix)
    options: Mapping[str, object] = {"stream_options": {"include_usage": usage}}
    asked = Asked(path=path.decode(), headers={}, body=dict(options))
    return _stream(speech, anthropic.events(speech) if is_anthropic else openai.events(speech, asked), prefix)


def _stream(speech: Speech, events: Iterable[Event], prefix: str) -> Template:
    """A frame for each delta; what comes before the first, and after the last, goes with it."""
    groups: dict[int, list[bytes]] = {}
    for event in events:
        groups.setdefault(max(1, event.pieces), []).append(event.data)
    frames = [b"".join(b"%x\r\n%b\r\n" % (len(data), data) for data in group) for group in groups.values()]
    frames[0] = _STREAM_HEAD + frames[0]
    frames[-1] += _LAST_CHUNK
    return Template(tuple(frames), tuple(speech.output_at(pieces) for pieces in groups), prefix)
