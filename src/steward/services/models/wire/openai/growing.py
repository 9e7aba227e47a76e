"""The parts of one choice as a stream makes them grow: one is open at a time."""

from typing import Final

import msgspec

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Delta,
    Dialect,
    Opaque,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    StreamEvent,
    Text,
    ToolCall,
)
from steward.services.models.wire.openai.audio import AUDIO, joined_audio
from steward.services.models.wire.openai.calls import UNKNOWN_CALL, made_id
from steward.services.models.wire.openai.chunks import LEGACY, CallDelta
from steward.services.models.wire.openai.fields import EMPTY_OBJECT, NULL, Fields, encode
from steward.services.models.wire.openai.thoughts import BLOCKS, DETAILS, NAMES, USUAL, joined_lists

_KINDS: Final = frozenset({None, "function", "custom"})


class _Open:
    """The part that grows."""

    __slots__ = ("extra", "heard", "index", "part", "pieces", "wire")

    def __init__(self, index: int, part: Part, wire: int | None = None) -> None:
        self.index = index
        self.part = part
        self.wire = wire
        """The provider's index of a tool call."""
        self.pieces: list[str] = []
        self.extra: Fields = {}
        """What came later than the part's beginning."""
        self.heard: list[msgspec.Raw] = []
        """Pieces of audio."""


class Growing:
    """One choice of a stream. `seed` makes ids for calls that have none."""

    def __init__(self, choice: int, seed: str) -> None:
        self._choice = choice
        self._seed = seed
        self._count = 0
        self._open: _Open | None = None
        self._calls: dict[int, int] = {}
        """Part by the provider's index of a call, of calls that are done."""
        self._nameless: tuple[CallDelta, Fields] | None = None
        """The beginning of a call whose name is still to come."""
        self.extra: Fields = {}
        """The choice's own unknown fields: the latest of each, lists one after another."""
        self.message: Fields = {}
        """Unknown fields of deltas that belong to no part: they came with the end, or while a call was told."""
        self.finish_reason: str | None = None
        self.called = False
        self.refused = False

    def text(self, kind: type[Text | Refusal], text: str, logprobs: msgspec.Raw | None = None) -> list[StreamEvent]:
        """More of a text or refusal, which begins a part where none of its kind is open."""
        events = self._ensure(kind)
        self.refused = self.refused or kind is Refusal
        events.append(self._grown(text, logprobs))
        return events

    def reasoning(self, name: str, text: str) -> list[StreamEvent]:
        """More of the reasoning that the provider puts under this name."""
        events = self._ensure(Reasoning, {name: NULL} if name != USUAL else {})
        events.append(self._grown(text))
        return events

    def unknown(self, fields: Fields, *, last: bool = False) -> list[StreamEvent]:
        """Fields of a delta that are the provider's own: with the part that is told, or at the end of the choice.

        `last`: the choice ends with this delta.
        """
        events: list[StreamEvent] = []
        if AUDIO in fields:
            sound = {AUDIO: fields.pop(AUDIO)}
            events += self._ensure(Opaque)
            events.append(self._raw(sound))
        if fields.keys() & {DETAILS, BLOCKS}:
            events += self._ensure(Reasoning, {"reasoning": NULL} if DETAILS in fields else None)
        elif last:
            merge(self.message, fields)
            return events
        elif fields and self._open is None:
            events += self._ensure(Text)
        if not fields:
            return events
        if self._open is None or isinstance(self._open.part, ToolCall | Opaque):
            merge(self.message, fields)
            return events
        merge(self._open.extra, fields)
        events.append(self._raw(fields))
        return events

    def _raw(self, fields: Fields) -> Delta:
        opened = self._opened()
        if AUDIO in fields:
            opened.heard.append(fields[AUDIO])
        return Delta(index=opened.index, choice=self._choice, raw=msgspec.Raw(encode(fields)))

    def call(self, delta: CallDelta, extra: Fields) -> list[StreamEvent]:
        """More of a tool call. Calls without index, or all of index 0, are told apart by id and name."""
        if self._nameless is not None:
            delta, extra = _added(self._nameless[0], delta), {**self._nameless[1], **extra}
            self._nameless = None
        opened = self._open
        wire, name = delta.index, delta.name
        if opened is not None and isinstance(opened.part, ToolCall) and not _is_another(opened, delta):
            return self._more(opened.index, delta, extra)
        if wire is not None and wire in self._calls and not name:
            return self._more(self._calls[wire], delta, extra)
        if delta.type not in _KINDS:
            return self._strange(delta, extra)
        if not name:
            self._nameless = (delta, extra)
            return []
        events = self.close()
        call_id = "" if wire == LEGACY else delta.id or made_id(self._seed, self._choice, self._count)
        custom = delta.custom is not None or delta.type == "custom"
        part = ToolCall(id=call_id, name=name, arguments="", custom=custom, extra=extra)
        self.called = True
        events.append(self._begin(part, wire))
        if delta.said:
            events += self._more(self._count - 1, delta, {})
        return events

    def _strange(self, delta: CallDelta, extra: Fields) -> list[StreamEvent]:
        """A call of a kind that nobody here knows, whole as it came."""
        raw = msgspec.Raw(encode({"id": delta.id, "type": delta.type, **extra}))
        part = Opaque(dialect=Dialect.OPENAI, type=f"{UNKNOWN_CALL}{delta.type}", raw=raw)
        return [*self.close(), self._begin(part), *self.close()]

    def _more(self, index: int, delta: CallDelta, extra: Fields) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        opened = self._open if self._open is not None and self._open.index == index else None
        if delta.said:
            if opened is not None:
                opened.pieces.append(delta.said)
            events.append(Delta(index=index, choice=self._choice, arguments=delta.said))
        if extra:
            if opened is not None:
                merge(opened.extra, extra)
            told = {"tool_calls": [{"index": delta.index or 0, **extra}]}
            events.append(Delta(index=index, choice=self._choice, raw=msgspec.Raw(encode(told))))
        return events

    def close(self) -> list[StreamEvent]:
        """End the part that is open. It is told whole where more than its text came after its beginning."""
        opened, self._open = self._open, None
        if self._nameless is not None:
            raise ProviderFailure(FailureKind.MALFORMED, "the provider's answer has a tool call without a name")
        if opened is None:
            return []
        if opened.wire is not None:
            self._calls[opened.wire] = opened.index
        whole = _whole(opened) if opened.extra or opened.heard else None
        return [PartFinished(index=opened.index, choice=self._choice, part=whole)]

    def _ensure(self, kind: type[Part], extra: Fields | None = None) -> list[StreamEvent]:
        opened = self._open
        if opened is not None and type(opened.part) is kind:
            return []
        if kind is Opaque:
            part: Part = Opaque(dialect=Dialect.OPENAI, type=AUDIO, raw=EMPTY_OBJECT)
        elif kind is Reasoning:
            part = Reasoning(extra=extra or {})
        else:
            part = Text(text="") if kind is Text else Refusal(text="")
        return [*self.close(), self._begin(part)]

    def _begin(self, part: Part, wire: int | None = None) -> PartStarted:
        self._open = _Open(self._count, part, wire)
        self._count += 1
        return PartStarted(index=self._open.index, part=part, choice=self._choice)

    def _grown(self, text: str, logprobs: msgspec.Raw | None = None) -> Delta:
        opened = self._opened()
        opened.pieces.append(text)
        return Delta(index=opened.index, choice=self._choice, text=text, logprobs=logprobs)

    def _opened(self) -> _Open:
        if self._open is None:
            raise ProviderFailure(FailureKind.MALFORMED, "the provider's answer goes on where nothing began")
        return self._open


def _is_another(opened: _Open, delta: CallDelta) -> bool:
    """Whether a delta begins another call than the open one. Some providers repeat the id or the name in each."""
    part = opened.part
    if delta.index is not None and delta.index != opened.wire:
        return True
    if not delta.name or not isinstance(part, ToolCall):
        return False
    return delta.id != part.id if delta.id else delta.index is None


def _added(first: CallDelta, more: CallDelta) -> CallDelta:
    inner = more.function or more.custom
    if inner is None:
        return first
    said = first.said + more.said
    if more.function is not None:
        more.function.arguments = said
    elif more.custom is not None:
        more.custom.input = said
    more.id = first.id or more.id
    more.index = more.index if first.index is None else first.index
    return more


def _whole(opened: _Open) -> Part:
    part = opened.part
    extra = {**part.extra, **opened.extra}
    if isinstance(part, Text | Refusal | Reasoning):
        return msgspec.structs.replace(part, text="".join(opened.pieces), extra=extra)
    if isinstance(part, Opaque):
        return msgspec.structs.replace(part, raw=joined_audio(opened.heard))
    return msgspec.structs.replace(part, arguments="".join(opened.pieces), extra=extra)


def merge(known: Fields, more: Fields) -> None:
    """Add fields of a later chunk: lists one after another, of other values the latest."""
    for name, raw in more.items():
        known[name] = joined_lists(known[name], raw) if name in known and name not in NAMES else raw
