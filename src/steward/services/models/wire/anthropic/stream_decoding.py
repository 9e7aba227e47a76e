"""A streamed answer of Anthropic's, read event by event."""

from collections.abc import Sequence
from typing import Final

import msgspec

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Delta,
    Dialect,
    Finished,
    PartFinished,
    PartStarted,
    Reasoning,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)
from steward.services.models.wire.anthropic.blocks import decode_block
from steward.services.models.wire.anthropic.failures import failure_in_stream
from steward.services.models.wire.anthropic.fields import Fields, Malformed, read, read_list
from steward.services.models.wire.anthropic.open_block import OpenBlock
from steward.services.models.wire.anthropic.reply_decoding import decode_stop, stop_details, unreadable
from steward.services.models.wire.anthropic.usage import decode_usage
from steward.services.models.wire.ports import ServerEvent

_DELTA: Final = "content_block_delta"


class _TextDelta(msgspec.Struct, frozen=True, tag_field="type", tag="text_delta", forbid_unknown_fields=True):
    text: str


class _ThinkingDelta(msgspec.Struct, frozen=True, tag_field="type", tag="thinking_delta", forbid_unknown_fields=True):
    thinking: str


class _SignatureDelta(msgspec.Struct, frozen=True, tag_field="type", tag="signature_delta", forbid_unknown_fields=True):
    signature: str


class _InputDelta(msgspec.Struct, frozen=True, tag_field="type", tag="input_json_delta", forbid_unknown_fields=True):
    partial_json: str


_Known = _TextDelta | _ThinkingDelta | _SignatureDelta | _InputDelta


class _KnownEvent(msgspec.Struct, frozen=True):
    index: int
    delta: _Known


class _AnyEvent(msgspec.Struct, frozen=True):
    index: int
    delta: msgspec.Raw


class _StartEvent(msgspec.Struct, frozen=True):
    index: int
    content_block: msgspec.Raw


class _StopEvent(msgspec.Struct, frozen=True):
    index: int


class _Typed(msgspec.Struct, frozen=True):
    type: str


class _Thought(msgspec.Struct, frozen=True, tag_field="type", tag="thinking_delta"):
    thinking: str


class _Words(msgspec.Struct, frozen=True, tag_field="type", tag="text_delta"):
    text: str


_typed: Final = msgspec.json.Decoder(_Typed)
_known: Final = msgspec.json.Decoder(_KnownEvent)
_raw_delta: Final = msgspec.json.Decoder(_AnyEvent)
_loose: Final = msgspec.json.Decoder(_Words | _Thought)
_start: Final = msgspec.json.Decoder(_StartEvent)
_stop: Final = msgspec.json.Decoder(_StopEvent)


class AnthropicStreamDecoder:
    """Reads one stream. `ping`, and events of types that are not known here, give nothing."""

    def __init__(self) -> None:
        self._usage: dict[str, msgspec.Raw] = {}
        self._open: dict[int, OpenBlock] = {}
        self._parts = 0
        self._begun = False
        self._finished = False

    def feed(self, event: ServerEvent) -> Sequence[StreamEvent]:
        try:
            name = event.event
            if name == _DELTA:
                return self._delta(event.data)
            return self._other(name or read(_typed, event.data, "event").type, event.data)
        except Malformed as error:
            raise unreadable(str(error)) from error

    def end(self) -> Sequence[StreamEvent]:
        if not self._finished:
            raise ProviderFailure(FailureKind.CUT, "the provider's stream ended before its answer did")
        return ()

    def _other(self, name: str, data: bytes) -> Sequence[StreamEvent]:
        match name:
            case "content_block_delta":
                return self._delta(data)
            case "content_block_start":
                return self._block_start(data)
            case "content_block_stop":
                return self._close(read(_stop, data, name).index)
            case "message_start":
                return self._message_start(data)
            case "message_delta":
                return self._message_delta(data)
            case "message_stop":
                return self._message_stop()
            case "error":
                raise failure_in_stream(data)
            case _:
                return ()

    def _message_start(self, data: bytes) -> Sequence[StreamEvent]:
        fields = Fields.of(data, "message_start").object("message")
        if fields is None:
            raise Malformed("message_start.message", "it must be there, an object")
        for name in ("type", "role", "stop_reason", "stop_sequence"):
            fields.left.pop(name, None)
        content = fields.raw("content")
        if content is not None and read_list(content, "message_start.message.content"):
            fields.left["content"] = content
        usage = fields.object("usage")
        self._usage = {} if usage is None else dict(usage.rest())
        self._begun = True
        started = Started(
            id=fields.needed("id"),
            model=fields.needed("model"),
            usage=None if usage is None else self._tokens(),
            dialect=Dialect.ANTHROPIC,
            extra=fields.rest(),
        )
        return (started,)

    def _tokens(self) -> Usage:
        return decode_usage(Fields(dict(self._usage), "usage"))

    def _block_start(self, data: bytes) -> Sequence[StreamEvent]:
        event = read(_start, data, "content_block_start")
        if not self._begun:
            raise Malformed("content_block_start", "it came before message_start")
        block = OpenBlock(self._parts, decode_block(event.content_block, "content_block"))
        self._parts += 1
        self._open[event.index] = block
        return (PartStarted(index=block.index, part=block.start),)

    def _delta(self, data: bytes) -> Sequence[StreamEvent]:
        try:
            event = _known.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._unusual(data)
        block = self._block(event.index)
        delta, start = event.delta, block.start
        if isinstance(delta, _TextDelta) and isinstance(start, Text):
            block.said(delta.text)
            return (Delta(index=block.index, text=delta.text),)
        if isinstance(delta, _InputDelta) and isinstance(start, ToolCall):
            block.asked(delta.partial_json)
            return (Delta(index=block.index, arguments=delta.partial_json),)
        if isinstance(start, Reasoning):
            if isinstance(delta, _ThinkingDelta):
                return (Delta(index=block.index, text=delta.thinking),)
            if isinstance(delta, _SignatureDelta):
                return (Delta(index=block.index, signature=delta.signature),)
        return self._raw(block, read(_raw_delta, data, _DELTA).delta)

    def _unusual(self, data: bytes) -> Sequence[StreamEvent]:
        """A delta with more than its own fields, or of another type. Its words go before what else it has."""
        event = read(_raw_delta, data, _DELTA)
        block = self._block(event.index)
        try:
            delta = _loose.decode(event.delta)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._raw(block, event.delta)
        text = delta.text if isinstance(delta, _Words) else delta.thinking
        if not text or not isinstance(block.start, Text if isinstance(delta, _Words) else Reasoning):
            return self._raw(block, event.delta)
        block.said(text)
        return (Delta(index=block.index, text=text),)

    def _raw(self, block: OpenBlock, delta: msgspec.Raw) -> Sequence[StreamEvent]:
        block.raw(delta)
        return (Delta(index=block.index, raw=delta),)

    def _block(self, index: int) -> OpenBlock:
        block = self._open.get(index)
        if block is None:
            raise Malformed(_DELTA, f"there is no open block {index}")
        return block

    def _close(self, index: int) -> Sequence[StreamEvent]:
        block = self._open.pop(index, None)
        if block is None:
            raise Malformed("content_block_stop", f"there is no open block {index}")
        late = block.late()
        finished = PartFinished(index=block.index, part=block.whole())
        return (finished,) if late is None else (late, finished)

    def _message_delta(self, data: bytes) -> Sequence[StreamEvent]:
        fields = Fields.of(data, "message_delta")
        fields.left.pop("type", None)
        delta, usage = fields.object("delta"), fields.object("usage")
        events: list[StreamEvent] = []
        if delta is not None:
            events += self._finish(delta)
        if usage is not None:
            self._usage |= usage.rest()
        events.append(UsageReport(usage=self._tokens(), extra=fields.rest()))
        return events

    def _finish(self, delta: Fields) -> list[StreamEvent]:
        stop, word = decode_stop(delta)
        sequence, details = delta.text("stop_sequence"), stop_details(delta)
        if stop is None:
            return []
        extra = {**details, **delta.rest()}
        return self._end(Finished(stop=stop, stop_raw=word, stop_sequence=sequence, extra=extra))

    def _end(self, finished: Finished) -> list[StreamEvent]:
        events: list[StreamEvent] = [PartFinished(index=one.index, part=one.whole()) for one in self._open.values()]
        self._open.clear()
        self._finished = True
        return [*events, finished]

    def _message_stop(self) -> Sequence[StreamEvent]:
        if self._finished:
            return ()
        if not self._begun:
            raise Malformed("message_stop", "it came before message_start")
        return [*self._end(Finished(stop=StopReason.OTHER)), UsageReport(usage=self._tokens())]
