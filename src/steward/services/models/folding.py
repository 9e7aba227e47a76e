"""Between a stream of events and a whole answer: folds one into the other, both ways."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from steward.services.models.messages import (
    Choice,
    Delta,
    Finished,
    ModelReply,
    Opaque,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)

_NOTHING: Final = Usage()


class _Growing:
    """A part of which more may come."""

    __slots__ = ("arguments", "logprobs", "part", "raws", "signature", "summary", "text")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.text: list[str] = []
        self.arguments: list[str] = []
        self.signature: list[str] = []
        self.summary: list[list[str]] = []
        self.raws: list[msgspec.Raw] = []
        self.logprobs: list[msgspec.Raw] = []

    def add(self, delta: Delta) -> None:
        if delta.text is not None:
            self.text.append(delta.text)
        if delta.arguments is not None:
            self.arguments.append(delta.arguments)
        if delta.signature is not None:
            self.signature.append(delta.signature)
        if delta.summary is not None:
            if delta.new_summary or not self.summary:
                self.summary.append([])
            self.summary[-1].append(delta.summary)
        if delta.raw is not None:
            self.raws.append(delta.raw)
        if delta.logprobs is not None:
            self.logprobs.append(delta.logprobs)

    def whole(self) -> Part:
        """The part as it is now. What a dialect alone understands of its deltas only its `PartFinished` can tell."""
        part = self.part
        more = "".join(self.text)
        match part:
            case Text() | Refusal():
                return msgspec.structs.replace(part, text=part.text + more) if more else part
            case Reasoning():
                return msgspec.structs.replace(
                    part,
                    text=part.text + more,
                    signature="".join(self.signature) or part.signature,
                    summary=[*part.summary, *("".join(one) for one in self.summary)],
                )
            case ToolCall():
                return msgspec.structs.replace(part, arguments=part.arguments + "".join(self.arguments))
            case _:
                return part


class Assembly:
    """Folds the events of one stream; feed it every event but `Failed`."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._parts: dict[int, dict[int, _Growing]] = {}
        self._finished: dict[int, Finished] = {}
        self._usage: UsageReport | None = None

    def add(self, event: StreamEvent) -> None:
        match event:
            case Delta():
                self._parts[event.choice][event.index].add(event)
            case PartStarted():
                self._parts.setdefault(event.choice, {})[event.index] = _Growing(event.part)
            case PartFinished() if event.part is not None:
                self._parts[event.choice][event.index] = _Growing(event.part)
            case Finished():
                self._finished[event.choice] = event
            case UsageReport():
                self._usage = event
            case Started():
                self._started = event
            case _:
                pass

    @property
    def complete(self) -> bool:
        """Whether every choice that began has ended."""
        return bool(self._finished) and self._parts.keys() <= self._finished.keys()

    @property
    def has_raw(self) -> bool:
        """Whether a part grew by what only its dialect understands and was not told as a whole."""
        return any(part.raws for parts in self._parts.values() for part in parts.values())

    def text(self, choice: int = 0) -> str:
        """The plain text of a choice so far."""
        parts = self._parts.get(choice, {})
        return "".join(one.text for index in sorted(parts) if isinstance(one := parts[index].whole(), Text))

    def reply(self) -> ModelReply:
        """The whole answer. Raises `ValueError` before the stream began."""
        started = self._started
        if started is None:
            message = "a stream without its first event makes no answer"
            raise ValueError(message)
        report = self._usage
        return ModelReply(
            id=started.id,
            model=started.model,
            created=started.created,
            dialect=started.dialect,
            provider=started.provider,
            from_cache=started.from_cache,
            choices=[self._choice(index) for index in sorted(self._parts.keys() | self._finished.keys())],
            usage=report.usage if report else started.usage or _NOTHING,
            extra={**started.extra, **(report.extra if report else {})},
        )

    def _choice(self, index: int) -> Choice:
        growing = self._parts.get(index, {})
        finished = self._finished.get(index)
        logprobs = [raw for place in sorted(growing) for raw in growing[place].logprobs]
        return Choice(
            index=index,
            parts=[growing[place].whole() for place in sorted(growing)],
            stop=finished.stop if finished else StopReason.OTHER,
            stop_raw=finished.stop_raw if finished else None,
            stop_sequence=finished.stop_sequence if finished else None,
            logprobs=_joined(logprobs) if logprobs else None,
            extra=finished.extra if finished else {},
        )


def _joined(pieces: Sequence[msgspec.Raw]) -> msgspec.Raw:
    """Log probabilities of all deltas as of one answer (OpenAI: an object of lists)."""
    lists: dict[str, list[msgspec.Raw]] = {}
    for piece in pieces:
        for name, items in msgspec.json.decode(piece, type=dict[str, list[msgspec.Raw] | None]).items():
            lists.setdefault(name, []).extend(items or ())
    return msgspec.Raw(msgspec.json.encode({name: items or None for name, items in lists.items()}))


def replay(reply: ModelReply) -> Iterator[StreamEvent]:
    """The events of a stream that says the same as a whole answer."""
    yield Started(
        id=reply.id,
        model=reply.model,
        created=reply.created,
        dialect=reply.dialect,
        provider=reply.provider,
        from_cache=reply.from_cache,
    )
    for choice in reply.choices:
        for index, part in enumerate(choice.parts):
            yield from _told(choice.index, index, part)
        if choice.logprobs is not None:
            yield Delta(choice=choice.index, index=max(len(choice.parts) - 1, 0), text="", logprobs=choice.logprobs)
        yield Finished(
            choice=choice.index,
            stop=choice.stop,
            stop_raw=choice.stop_raw,
            stop_sequence=choice.stop_sequence,
            extra=choice.extra,
        )
    yield UsageReport(usage=reply.usage, extra=reply.extra)


def _told(choice: int, index: int, part: Part) -> Iterator[StreamEvent]:
    match part:
        case Text() | Refusal():
            yield PartStarted(choice=choice, index=index, part=msgspec.structs.replace(part, text=""))
            yield Delta(choice=choice, index=index, text=part.text)
        case Reasoning():
            bare = msgspec.structs.replace(part, text="", signature=None, summary=())
            yield PartStarted(choice=choice, index=index, part=bare)
            for paragraph in part.summary:
                yield Delta(choice=choice, index=index, summary=paragraph, new_summary=True)
            if part.text:
                yield Delta(choice=choice, index=index, text=part.text)
            if part.signature is not None:
                yield Delta(choice=choice, index=index, signature=part.signature)
        case ToolCall():
            yield PartStarted(choice=choice, index=index, part=msgspec.structs.replace(part, arguments=""))
            yield Delta(choice=choice, index=index, arguments=part.arguments)
        case Opaque() | _:
            yield PartStarted(choice=choice, index=index, part=part)
    yield PartFinished(choice=choice, index=index, part=part)
