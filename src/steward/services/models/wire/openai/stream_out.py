"""A stream of events, written for a client.

The finish reasons, the late fields of the answer and the usage are told at the end. Every chunk repeats id, time,
model, `service_tier` and `system_fingerprint`, as OpenAI's do; other fields of the answer stand in the first one only.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from steward.services.models.messages import (
    Delta,
    Dialect,
    Failed,
    Finished,
    Opaque,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StreamEvent,
    Text,
    ToolCall,
    UsageReport,
)
from steward.services.models.wire.openai.audio import AUDIO
from steward.services.models.wire.openai.calls import UNKNOWN_CALL
from steward.services.models.wire.openai.errors import write_failed
from steward.services.models.wire.openai.fields import EMPTY_OBJECT, NULL, encode, fields_of, items_of, put_back
from steward.services.models.wire.openai.messages_out import write_call
from steward.services.models.wire.openai.reply_in import MESSAGE
from steward.services.models.wire.openai.reply_out import late_fields, write_id
from steward.services.models.wire.openai.stops import write_stop
from steward.services.models.wire.openai.stream_in import CHUNK
from steward.services.models.wire.openai.thoughts import BETWEEN, BLOCKS, NAMES, USUAL, blocks_of
from steward.services.models.wire.openai.usage import write_usage
from steward.services.models.wire.ports import Asked

_REPEATED: Final = ("service_tier", "system_fingerprint")
_DONE: Final = b"data: [DONE]\n\n"
_PAD: Final = 32
"""Padded chunks have a multiple of so many bytes."""


class _Part:
    """A part that is being told."""

    __slots__ = ("call", "kind", "names", "part", "pieces", "signature")

    def __init__(self, part: Part, call: int) -> None:
        self.part = part
        self.kind = type(part)
        self.call = call
        """Place among the tool calls."""
        self.names = [name for name in NAMES if part.extra.get(name) == NULL] or [USUAL]
        self.pieces: list[str] = []
        """Of a reasoning that may turn out to be signed."""
        self.signature = part.signature if isinstance(part, Reasoning) else None

    def block(self) -> Reasoning:
        """The reasoning as it was told."""
        redacted = self.part.redacted if isinstance(self.part, Reasoning) else None
        return Reasoning(text="".join(self.pieces), signature=self.signature, redacted=redacted)


class OpenAiStreamWriter:
    """Writes one streamed answer (`StreamEncoder`)."""

    def __init__(
        self, asked: Asked, *, created: Callable[[], int], reply_id: Callable[[], str], pad: Callable[[int], str]
    ) -> None:
        self._asked = asked
        self._now = created
        self._new_id = reply_id
        self._pad = pad
        self._created = 0
        self._reply_id = ""
        self._own = False
        self._dialect: Dialect | None = None
        self._model = ""
        self._repeated: dict[str, object] = {}
        self._head = b""
        self._tail = b""
        self._once: dict[str, object] = {}
        self._parts: dict[tuple[int, int], _Part] = {}
        self._calls: dict[int, int] = {}
        """Tool calls by choice; a choice that is here has told its role."""
        self._refused: set[int] = set()
        self._finished: list[Finished] = []
        self._usage: UsageReport | None = None
        self._failed = False

    def encode(self, event: StreamEvent) -> bytes:
        match event:
            case Delta():
                return self._delta(event)
            case PartStarted():
                return self._begin(event)
            case PartFinished():
                return self._close(event)
            case Started():
                self._start(event)
            case Finished():
                self._finished.append(event)
            case UsageReport():
                self._usage = event
            case Failed():
                self._failed = True
                return b"data: " + write_failed(event) + b"\n\n"
        return b""

    def end(self) -> bytes:
        if self._failed:
            return b""
        report = self._usage
        late: dict[str, object] = dict(report.extra) if report is not None and self._own else {}
        told: list[bytes] = []
        for event in self._finished:
            last = event is self._finished[-1]
            told.append(self._finish(event, {} if self._asked.include_usage or not last else late))
        if self._asked.include_usage and report is not None:
            usage = write_usage(report.usage, own=self._own)
            told.append(self._event({**self._base(), "choices": [], "usage": usage, **late}))
        told.append(_DONE)
        return b"".join(told)

    def _start(self, event: Started) -> None:
        self._dialect, self._own = event.dialect, event.dialect is Dialect.OPENAI
        self._created = event.created or self._now()
        self._reply_id = write_id(event.id or self._new_id(), event.dialect if event.id else None)
        self._once = dict(event.extra) if self._own else {}
        self._repeated = {name: self._once.pop(name) for name in _REPEATED if name in self._once}
        if event.from_cache:
            self._once["from_cache"] = event.from_cache
        self._model = event.model
        head = encode({**self._base(), "choices": []})
        self._head = b"data: " + head.removesuffix(b"]}") + b'{"index":'
        self._tail = b',"finish_reason":null}]' + (b',"usage":null}' if self._asked.include_usage else b"}") + b"\n\n"

    def _base(self) -> dict[str, object]:
        return {
            "id": self._reply_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            **self._repeated,
        }

    def _chunk(self, choice: int, delta: bytes, logprobs: msgspec.Raw | None = None) -> bytes:
        """One choice's delta, given as JSON."""
        known = b"null" if logprobs is None else bytes(logprobs)
        told = b'%b%d,"delta":%b,"logprobs":%b%b' % (self._head, choice, delta, known, self._tail)
        if self._once or self._asked.include_obfuscation:
            more, self._once = self._once, {}
            return self._event({**msgspec.json.decode(told[6:], type=dict[str, msgspec.Raw]), **more})
        return told

    def _event(self, told: dict[str, object]) -> bytes:
        if self._asked.include_obfuscation:
            told["obfuscation"] = ""
            told["obfuscation"] = self._pad(-len(encode(told)) % _PAD)
        return b"data: " + encode(told) + b"\n\n"

    def _begin(self, event: PartStarted) -> bytes:
        part, choice = event.part, event.choice
        told = self._open(choice, b'""' if isinstance(part, Text | Reasoning | Refusal) else b"null")
        calls = self._calls[choice]
        opened = self._parts[choice, event.index] = _Part(part, calls)
        if isinstance(part, ToolCall) or (isinstance(part, Opaque) and part.type.startswith(UNKNOWN_CALL)):
            self._calls[choice] += 1
        if isinstance(part, ToolCall):
            return told + self._chunk(choice, self._call(part, calls))
        if more := self._fields(part, calls) if self._own else {}:
            told += self._chunk(choice, encode(more))
        if isinstance(part, Text | Refusal | Reasoning) and part.text:
            told += self._said(choice, opened, part.text, None)
        elif isinstance(part, Reasoning) and part.summary:
            told += self._said(choice, opened, BETWEEN.join(part.summary), None)
        return told

    def _open(self, choice: int, content: bytes) -> bytes:
        """A choice's first delta, where there was none yet."""
        if choice in self._calls:
            return b""
        self._calls[choice] = 0
        return self._chunk(choice, b'{"role":"assistant","content":%b,"refusal":null}' % content)

    def _fields(self, part: Part, place: int) -> dict[str, object]:
        """What a provider of this dialect told with a part besides its text."""
        if isinstance(part, Opaque):
            if part.type.startswith(UNKNOWN_CALL):
                return {"tool_calls": [{**fields_of(part.raw, ""), "index": place}]}
            return (
                {} if part.raw == EMPTY_OBJECT else {AUDIO: part.raw} if part.type == AUDIO else {"content": [part.raw]}
            )
        return {name: raw for name, raw in part.extra.items() if name not in NAMES or raw != NULL}

    def _call(self, part: ToolCall, place: int) -> bytes:
        if not part.id and self._own:
            return encode({"function_call": {"name": part.name, "arguments": part.arguments, **part.extra}})
        call = {**write_call(part, put_back if part.extra and self._own else None), "index": place}
        return encode({"tool_calls": [call]})

    def _delta(self, event: Delta) -> bytes:
        opened = self._parts.get((event.choice, event.index))
        if opened is None or (event.logprobs is not None and not isinstance(opened.part, Text | Refusal)):
            return self._open(event.choice, b"null") + self._chunk(event.choice, b"{}", event.logprobs)
        if event.text is not None:
            return self._said(event.choice, opened, event.text, event.logprobs)
        if event.arguments is not None:
            return self._chunk(event.choice, self._arguments(opened, event.arguments))
        if event.summary is not None:
            between = BETWEEN if event.new_summary and opened.pieces else ""
            return self._said(event.choice, opened, between + event.summary, None)
        if event.signature is not None:
            opened.signature = (opened.signature or "") + event.signature
        elif event.raw is not None and self._own:
            return self._chunk(event.choice, self._raw(opened, event.raw))
        return b""

    def _raw(self, opened: _Part, raw: msgspec.Raw) -> bytes:
        """A delta as it came; of a tool call under the place that the call has here."""
        if not isinstance(opened.part, ToolCall):
            return bytes(raw)
        calls = [
            {**fields_of(item, ""), "index": opened.call} for item in items_of(fields_of(raw, "")["tool_calls"], "")
        ]
        return encode({"tool_calls": calls})

    def _said(self, choice: int, opened: _Part, text: str, logprobs: msgspec.Raw | None) -> bytes:
        if opened.kind is Text:
            return self._chunk(choice, b'{"content":%b}' % encode(text), logprobs)
        if opened.kind is Refusal:
            self._refused.add(choice)
            return self._chunk(choice, b'{"refusal":%b}' % encode(text), logprobs)
        opened.pieces.append(text)
        return self._chunk(choice, encode(dict.fromkeys(opened.names, text)), logprobs)

    def _arguments(self, opened: _Part, more: str) -> bytes:
        part = opened.part
        if isinstance(part, ToolCall) and not part.id and self._own:
            return encode({"function_call": {"arguments": more}})
        custom = isinstance(part, ToolCall) and part.custom
        inner = {"custom": {"input": more}} if custom else {"function": {"arguments": more}}
        return encode({"tool_calls": [{"index": opened.call, **inner}]})

    def _close(self, event: PartFinished) -> bytes:
        """Signed and encrypted thinking is told when it is whole."""
        opened = self._parts[event.choice, event.index]
        if opened.kind is not Reasoning or self._own:
            return b""
        blocks = blocks_of([event.part if isinstance(event.part, Reasoning) else opened.block()])
        return self._chunk(event.choice, encode({BLOCKS: blocks})) if blocks else b""

    def _finish(self, event: Finished, late: dict[str, object]) -> bytes:
        told = self._open(event.choice, b'""')
        refused = event.choice in self._refused
        choice: dict[str, object] = {
            "index": event.choice,
            "delta": {},
            "logprobs": None,
            "finish_reason": write_stop(event.stop, event.stop_raw, self._dialect, refused=refused),
        }
        chunk: dict[str, object] = {**self._base(), "choices": [choice]}
        if self._asked.include_usage:
            chunk["usage"] = None
        if self._own:
            choice.update({name: raw for name, raw in event.extra.items() if name not in {CHUNK, MESSAGE}})
            choice["delta"] = late_fields(event.extra, MESSAGE)
            chunk.update(late_fields(event.extra, CHUNK))
        return told + self._event({**chunk, **late})
