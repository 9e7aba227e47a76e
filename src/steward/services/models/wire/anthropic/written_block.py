"""One content block of a stream to a client, from its start to its stop, as server-sent events."""

from typing import Final

from steward.services.models.messages import Delta, Dialect, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from steward.services.models.wire.anthropic.blocks import encode_part
from steward.services.models.wire.anthropic.fields import Value, encode

_DELTA: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}\n\n'
)
_RAW_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
_START: Final = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_STOP: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_FREE_TEXT_BEGINS: Final = '{"input":"'
_FREE_TEXT_ENDS: Final = '"}'
_PARAGRAPHS: Final = "\n\n"


def has_words(part: Part, *, own: bool) -> bool:
    """Whether a block can be made of the part. `own`: whether Anthropic answered."""
    if isinstance(part, Opaque):
        return part.dialect is Dialect.ANTHROPIC
    return own or isinstance(part, Text | Refusal | Reasoning | ToolCall)


class WrittenBlock:
    """`index`: of the part; `number`: of the block in the client's stream."""

    __slots__ = ("_own", "_part", "_said", "index", "number")

    def __init__(self, index: int, number: int, part: Part, *, own: bool) -> None:
        self.index = index
        self.number = number
        self._part = part
        self._own = own
        self._said = False

    @property
    def textual(self) -> bool:
        """Whether more of it may as well stand in another block."""
        return isinstance(self._part, Text | Refusal | Reasoning)

    def start(self) -> bytes:
        begun = _START % (self.number, encode(self._bare()))
        return begun + self._content(self._part) if isinstance(self._part, ToolCall) or not self._own else begun

    def _bare(self) -> Value:
        part = self._part
        if isinstance(part, ToolCall):
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": {}, **self._extra(part)}
        if isinstance(part, Reasoning) and part.redacted is None:
            text = part.text if self._own else ""
            return {"type": "thinking", "thinking": text, "signature": part.signature or "", **self._extra(part)}
        if self._own or not isinstance(part, Text | Refusal):
            return encode_part(part, "content", own=True)
        return {"type": "text", "text": ""}

    def _extra(self, part: Part) -> dict[str, Value]:
        return dict(part.extra) if self._own else {}

    def more(self, delta: Delta) -> bytes:
        if delta.raw is not None:
            self._said = True
            return _RAW_DELTA % (self.number, bytes(delta.raw)) if self._own else b""
        if delta.arguments is not None:
            return self._arguments(delta.arguments)
        if delta.signature is not None:
            return self._delta(b"signature_delta", b"signature", delta.signature)
        if delta.summary is not None:
            parted = delta.new_summary and self._said
            return self._text(_PARAGRAPHS + delta.summary if parted else delta.summary)
        return self._text(delta.text or "")

    def stop(self, whole: Part | None) -> bytes:
        """`whole`: the part as it is now, which tells what no delta did."""
        late = self._content(whole) if whole is not None and not self._said else b""
        if isinstance(self._part, ToolCall) and self._part.custom and self._said:
            late += self._delta(b"input_json_delta", b"partial_json", _FREE_TEXT_ENDS)
        return late + _STOP % self.number

    def _content(self, part: Part) -> bytes:
        """What a part holds, as a delta."""
        if isinstance(part, ToolCall):
            return self._arguments(part.arguments) if part.arguments else b""
        if self._own:
            return b""
        return self._text(words(part))

    def _text(self, text: str) -> bytes:
        if not text and not self._own:
            return b""
        if isinstance(self._part, Reasoning):
            return self._delta(b"thinking_delta", b"thinking", text)
        return self._delta(b"text_delta", b"text", text)

    def _arguments(self, text: str) -> bytes:
        """Free text of a custom tool stands as `input` in an object, for the client reads nothing else."""
        if isinstance(self._part, ToolCall) and self._part.custom:
            text = encode(text)[1:-1].decode()
            text = text if self._said else _FREE_TEXT_BEGINS + text
        return self._delta(b"input_json_delta", b"partial_json", text)

    def _delta(self, kind: bytes, name: bytes, text: str) -> bytes:
        self._said = True
        return _DELTA % (self.number, kind, name, encode(text))


def words(part: Part) -> str:
    """The text of a part that is made of text, such as a thought or its summary."""
    if isinstance(part, Reasoning):
        return part.text or _PARAGRAPHS.join(part.summary)
    return part.text if isinstance(part, Text | Refusal) else ""
