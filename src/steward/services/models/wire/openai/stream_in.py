"""A provider's stream, read into events.

The choices are finished when the stream ends (`[DONE]` or the end of the connection), for some providers repeat the
finish reason, send more after it, or tell the usage after it. Top-level fields of the first chunks are in
`Started.extra`, those that come or change later in the last `UsageReport.extra`, or, where the provider told no usage,
under `chunk` in the last `Finished.extra`. A provider that told no usage gives no `UsageReport`.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from steward.kit.errors import AppError
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Dialect,
    Finished,
    Refusal,
    Started,
    StreamEvent,
    Text,
    Usage,
    UsageReport,
)
from steward.services.models.wire.openai.chunks import ChoiceDelta, Chunk, Heard, MessageDelta, read_chunk
from steward.services.models.wire.openai.errors import failure_within
from steward.services.models.wire.openai.fields import NULL, Fields, encode, fields_of
from steward.services.models.wire.openai.growing import Growing, merge
from steward.services.models.wire.openai.reply_in import MESSAGE, malformed, matched
from steward.services.models.wire.openai.stops import read_stop
from steward.services.models.wire.openai.usage import read_usage
from steward.services.models.wire.ports import ServerEvent

CHUNK: Final = "chunk"
_DONE: Final = b"[DONE]"
_GROQ: Final = "x_groq"


class OpenAiStream:
    """Reads one streamed answer (`StreamDecoder`)."""

    def __init__(self) -> None:
        self._choices: dict[int, Growing] = {}
        self._known: Fields = {}
        self._late: Fields = {}
        self._usage: Usage | None = None
        self._seed = ""
        self._started = False
        self._ended = False
        self._failure: ProviderFailure | None = None

    def feed(self, event: ServerEvent) -> Sequence[StreamEvent]:
        if self._failure is not None:
            raise self._failure
        data = event.data
        if self._ended or not data.strip():
            return ()
        if data.startswith(_DONE):
            return self.end()
        try:
            if event.event == "error":
                raise failure_within(data)
            return self._read(data)
        except (AppError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise malformed(error) from error

    def end(self) -> Sequence[StreamEvent]:
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return ()
        if not self._choices or any(choice.finish_reason is None for choice in self._choices.values()):
            raise ProviderFailure(FailureKind.CUT, "the provider's stream ended before its answer did")
        if any(choice.finish_reason == "error" for choice in self._choices.values()):
            raise ProviderFailure(FailureKind.BROKEN, "the provider ended its answer with an error")
        self._ended = True
        return self._finish()

    def _read(self, data: bytes) -> list[StreamEvent]:
        chunk, heard, extra = read_chunk(data)
        error = extra.pop("error", None)
        if error is not None:
            return self._fail(failure_within(error), chunk)
        events: list[StreamEvent] = []
        if self._started:
            if extra:
                self._note(extra)
        else:
            self._known.update(extra)
            if not heard and chunk.usage == NULL:
                return events
            events.append(self._start(chunk, data))
        for each in heard:
            events += self._hear(each)
        if chunk.usage != NULL:
            usage = read_usage(chunk.usage)
            if usage != self._usage and any(choice.finish_reason is None for choice in self._choices.values()):
                events.append(UsageReport(usage=usage))
            self._usage = usage
        return events

    def _fail(self, failure: ProviderFailure, chunk: Chunk) -> list[StreamEvent]:
        """An error that comes with the usage so far: that is told first, the failure next."""
        if not self._started or chunk.usage == NULL:
            raise failure
        self._failure = failure
        return [UsageReport(usage=read_usage(chunk.usage))]

    def _start(self, chunk: Chunk, data: bytes) -> Started:
        self._started = True
        self._seed = chunk.id or blake2b(data, digest_size=16).hexdigest()
        return Started(
            id=chunk.id or "",
            model=chunk.model or "",
            created=chunk.created,
            dialect=Dialect.OPENAI,
            extra=dict(self._known),
        )

    def _note(self, extra: Fields) -> None:
        for name, raw in extra.items():
            if raw != self._known.get(name, NULL):
                self._known[name] = self._late[name] = raw

    def _hear(self, heard: Heard) -> list[StreamEvent]:
        said = heard.choice
        choice = self._choices.get(said.index)
        if choice is None:
            choice = self._choices[said.index] = Growing(said.index, self._seed)
        if heard.extra:
            merge(choice.extra, heard.extra)
        events = [] if said.delta is None else _grow(choice, said, said.delta, heard)
        if said.finish_reason is not None:
            choice.finish_reason = said.finish_reason
        return events

    def _finish(self) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for index in sorted(self._choices):
            events += self._choices[index].close()
        usage = self._usage or self._groq_usage()
        left = self._late if usage is None else {}
        for index in sorted(self._choices):
            events.append(_finished(index, self._choices[index], left))
            left = {}
        if usage is not None:
            events.append(UsageReport(usage=usage, extra=self._late))
        return events

    def _groq_usage(self) -> Usage | None:
        """Groq's usage of its compound models, which stands within its own field."""
        own = self._known.get(_GROQ)
        try:
            raw = None if own is None else fields_of(own, _GROQ).get("usage")
            return None if raw is None or raw == NULL else read_usage(raw)
        except (AppError, msgspec.DecodeError) as error:
            raise malformed(error) from error


def _grow(choice: Growing, said: ChoiceDelta, delta: MessageDelta, heard: Heard) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    logprobs = None if said.logprobs == NULL else said.logprobs
    if delta.reasoning_content:
        events += choice.reasoning("reasoning_content", delta.reasoning_content)
        if delta.reasoning and delta.reasoning != delta.reasoning_content:
            events += choice.unknown({"reasoning": msgspec.Raw(encode(delta.reasoning))})
    elif delta.reasoning:
        events += choice.reasoning("reasoning", delta.reasoning)
    if delta.content or (logprobs is not None and not delta.refusal):
        events += choice.text(Text, delta.content or "", logprobs)
        logprobs = None
    if delta.refusal:
        events += choice.text(Refusal, delta.refusal, logprobs)
    for place, call in enumerate(delta.tool_calls or ()):
        events += choice.call(call, heard.calls[place] if place < len(heard.calls) else {})
    if heard.delta:
        events += choice.unknown(heard.delta, last=said.finish_reason is not None)
    return events


def _finished(index: int, choice: Growing, left: Fields) -> Finished:
    sequence = matched(choice.extra)
    stop, raw = read_stop(choice.finish_reason, calls=choice.called, refused=choice.refused, sequence=sequence)
    extra = dict(choice.extra)
    if choice.message:
        extra[MESSAGE] = msgspec.Raw(encode(choice.message))
    if left:
        extra[CHUNK] = msgspec.Raw(encode(left))
    return Finished(stop=stop, choice=index, stop_raw=raw, stop_sequence=sequence, extra=extra)
