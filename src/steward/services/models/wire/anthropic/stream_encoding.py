"""A streamed answer of the message model, written as Anthropic's clients take it.

They want one content block at a time, from its start to its stop. Other dialects may begin a part before the one before
it is told to be done: then text is closed early (and begun again in another block where more of it comes), and what
belongs to a later tool call waits until the call before it is whole. Their parts without a word make no block.
"""

from typing import Final

from steward.services.models.messages import (
    Delta,
    Dialect,
    Failed,
    Finished,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StopReason,
    StreamEvent,
    Text,
    Usage,
    UsageReport,
)
from steward.services.models.wire.anthropic.failures import encode_stream_error
from steward.services.models.wire.anthropic.fields import Object, encode
from steward.services.models.wire.anthropic.reply_encoding import encode_stop
from steward.services.models.wire.anthropic.usage import encode_later_usage, encode_usage
from steward.services.models.wire.anthropic.written_block import WrittenBlock, has_words, words

_NOTHING: Final = Usage()
_UNTOLD: Final = Finished(stop=StopReason.OTHER)
_BESIDE_STOP: Final = frozenset({"container", "stop_details"})
"""Fields of a whole answer that a stream gives beside the stop reason."""
_LAST: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_PartEvent = PartStarted | Delta | PartFinished


class AnthropicStreamEncoder:
    """Writes one stream."""

    def __init__(self) -> None:
        self._begun = False
        self._own = False
        self._first = _NOTHING
        self._report: UsageReport | None = None
        self._finished = _UNTOLD
        self._blocks = 0
        self._open: WrittenBlock | None = None
        self._parts: dict[int, Part] = {}
        self._shown: set[int] = set()
        self._waiting: list[_PartEvent] = []

    def encode(self, event: StreamEvent) -> bytes:
        if isinstance(event, Delta):
            return b"" if event.choice else self._more(event)
        if isinstance(event, PartStarted | PartFinished):
            return b"" if event.choice else self._part(event)
        if isinstance(event, Started):
            return self._start(event)
        if isinstance(event, Failed):
            return _frame(b"error", encode_stream_error(event.code, event.message))
        if isinstance(event, UsageReport):
            self._report = event
        elif event.choice == 0:
            self._finished = event
        return b""

    def end(self) -> bytes:
        """The last block's end, the stop reason and the tokens; nothing for a stream that never began."""
        if not self._begun:
            return b""
        return self._settle() + _frame(b"message_delta", encode(self._message_delta())) + _LAST

    def _start(self, event: Started) -> bytes:
        self._begun = True
        self._own = event.dialect is Dialect.ANTHROPIC
        self._first = event.usage or _NOTHING
        message: Object = {
            "id": event.id,
            "type": "message",
            "role": "assistant",
            "model": event.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(self._first, own=self._own),
        }
        if self._own:
            message |= event.extra
        return _frame(b"message_start", encode({"type": "message_start", "message": message}))

    def _message_delta(self) -> Object:
        finished, report = self._finished, self._report
        usage = self._first if report is None else report.usage
        delta: Object = {
            "stop_reason": encode_stop(finished.stop, finished.stop_raw, own=self._own),
            "stop_sequence": finished.stop_sequence,
        }
        said: Object = {
            "type": "message_delta",
            "delta": delta,
            "usage": encode_later_usage(usage, self._first, own=self._own),
        }
        if self._own:
            delta |= finished.extra
            for name, raw in () if report is None else report.extra.items():
                (delta if name in _BESIDE_STOP else said)[name] = raw
        return said

    def _part(self, event: PartStarted | PartFinished) -> bytes:
        return self._begin(event) if isinstance(event, PartStarted) else self._finish(event)

    def _begin(self, event: PartStarted) -> bytes:
        if not has_words(event.part, own=self._own):
            return b""
        self._parts[event.index] = event.part
        if self._own or not isinstance(event.part, Text | Refusal | Reasoning) or words(event.part):
            return self._opened(event, event.part)
        return b""

    def _more(self, event: Delta) -> bytes:
        if self._open is not None and self._open.index == event.index:
            return self._open.more(event)
        part = self._parts.get(event.index)
        if part is None:
            return b""
        if self._waits(event.index):
            self._waiting.append(event)
            return b""
        if isinstance(part, Text | Refusal | Reasoning) and (event.text or event.summary):
            begun = self._opened(event, _blank(part))
            return begun + self._open.more(event) if begun and self._open is not None else begun
        return b""

    def _opened(self, event: _PartEvent, part: Part) -> bytes:
        """A new block; empty where the event has to wait for the end of the call that is open."""
        if self._open is not None and not self._open.textual:
            self._waiting.append(event)
            return b""
        closed = self._closed(None)
        self._open = WrittenBlock(event.index, self._blocks, part, own=self._own)
        self._blocks += 1
        self._shown.add(event.index)
        return closed + self._open.start()

    def _finish(self, event: PartFinished) -> bytes:
        if self._open is not None and self._open.index == event.index:
            return self._closed(event.part) + self._resume()
        if self._waits(event.index):
            self._waiting.append(event)
        elif event.index in self._parts and event.index not in self._shown and event.part and words(event.part):
            begun = self._opened(event, event.part)
            return begun + self._closed(None) if begun else begun
        return b""

    def _closed(self, whole: Part | None) -> bytes:
        block, self._open = self._open, None
        return b"" if block is None else block.stop(whole)

    def _waits(self, index: int) -> bool:
        return any(event.index == index for event in self._waiting)

    def _resume(self) -> bytes:
        """What waited, as far as it need not wait again."""
        waiting, self._waiting = self._waiting, []
        return b"".join([self.encode(event) for event in waiting])

    def _settle(self) -> bytes:
        """All that is open or waits, at the end."""
        written: list[bytes] = []
        while self._open is not None or self._waiting:
            written += [self._closed(None), self._resume()]
        return b"".join(written)


def _blank(part: Part) -> Part:
    """The part as it begins another time."""
    return Reasoning() if isinstance(part, Reasoning) else Text(text="")


def _frame(name: bytes, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, data)
