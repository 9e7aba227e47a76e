"""A content block of a stream between its start and its stop."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.messages import Delta, Opaque, Part, Text, ToolCall
from steward.services.models.wire.anthropic.fields import Fields, Object, Value, as_raw, object_from

_CITATION: Final = "citations_delta"
_INPUT: Final = "input_json_delta"
_SUMMARY: Final = "compaction_delta"


class OpenBlock:
    """Keeps what has to be known at the stop: a call's arguments, and deltas that this dialect alone understands."""

    __slots__ = ("_arguments", "_asked", "_raws", "_text", "index", "start")

    def __init__(self, index: int, part: Part) -> None:
        self.index = index
        self._arguments = ""
        self._asked = False
        self._raws: list[msgspec.Raw] = []
        self._text: list[str] = []
        if isinstance(part, ToolCall):
            self._arguments = part.arguments
            part = msgspec.structs.replace(part, arguments="")
        self.start = part

    def said(self, text: str) -> None:
        self._text.append(text)

    def asked(self, arguments: str) -> None:
        if arguments:
            self._asked = True

    def raw(self, delta: msgspec.Raw) -> None:
        self._raws.append(delta)

    def late(self) -> Delta | None:
        """A call's arguments where no delta brought any: those it began with, `{}` as a rule."""
        if isinstance(self.start, ToolCall) and not self._asked:
            return Delta(index=self.index, arguments=self._arguments)
        return None

    def whole(self) -> Part | None:
        """The part, where its deltas alone do not tell it to all; None where they do, or one is of an unknown type."""
        if not self._raws:
            return None
        deltas = [Fields.of(raw, "delta") for raw in self._raws]
        if isinstance(self.start, Text):
            return self._cited(self.start, deltas)
        return self._merged(self.start, deltas) if isinstance(self.start, Opaque) else None

    def _cited(self, start: Text, deltas: list[Fields]) -> Text | None:
        citations: list[Value] = []
        for delta in deltas:
            citation = delta.raw("citation") if delta.text("type") == _CITATION else None
            if citation is None:
                return None
            citations.append(citation)
        first = Fields(dict(start.extra), "content_block").raws("citations") or ()
        extra = {**start.extra, "citations": as_raw([*first, *citations])}
        return msgspec.structs.replace(start, text=start.text + "".join(self._text), extra=extra)

    def _merged(self, start: Opaque, deltas: list[Fields]) -> Opaque | None:
        kinds = {delta.text("type") for delta in deltas}
        block: Object = dict(Fields.of(start.raw, "content_block").left)
        if kinds == {_INPUT}:
            text = "".join(delta.text("partial_json") or "" for delta in deltas)
            arguments = object_from(text) if text else None
            if arguments is None and text:
                return None
            if arguments is not None:
                block["input"] = arguments
        elif kinds == {_SUMMARY}:
            block.update(_last(deltas))
        else:
            return None
        return msgspec.structs.replace(start, raw=as_raw(block))


def _last(deltas: list[Fields]) -> Mapping[str, msgspec.Raw]:
    """The newest of each field that was given."""
    given: dict[str, msgspec.Raw] = {}
    for delta in deltas:
        given.update(delta.rest())
    return given
