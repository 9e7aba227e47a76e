"""One chunk of a provider's stream, read: in one go where it has only the dialect's own fields, else level by level."""

from typing import Any, Final

import msgspec

from steward.services.models.wire.openai.errors import failure_within
from steward.services.models.wire.openai.fields import EMPTY_LIST, NULL, Fields, encode, fields_of, items_of, take
from steward.services.models.wire.openai.thoughts import NAMES

ABSENT: Final = msgspec.json.decode(b"null", type=msgspec.Raw)
"""Known by identity."""


class FunctionDelta(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    arguments: str | None = None


class CustomDelta(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    input: str | None = None


class CallDelta(msgspec.Struct, forbid_unknown_fields=True):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None
    custom: CustomDelta | None = None

    @property
    def name(self) -> str:
        inner = self.function or self.custom
        return (inner.name or "") if inner else ""

    @property
    def said(self) -> str:
        """More of the arguments."""
        if self.function is not None:
            return self.function.arguments or ""
        return (self.custom.input or "") if self.custom is not None else ""


class MessageDelta(msgspec.Struct, forbid_unknown_fields=True):
    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[CallDelta] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class ChoiceDelta(msgspec.Struct, forbid_unknown_fields=True):
    delta: MessageDelta | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL


class Chunk(msgspec.Struct, forbid_unknown_fields=True):
    choices: list[ChoiceDelta] = []
    id: str | None = None
    object: str | None = None
    created: int = 0
    model: str | None = None
    usage: msgspec.Raw = NULL
    obfuscation: str | None = None
    """Padding that hides lengths; it means nothing."""
    system_fingerprint: msgspec.Raw = ABSENT
    service_tier: msgspec.Raw = ABSENT
    provider: msgspec.Raw = ABSENT


class Heard(msgspec.Struct):
    """A choice's delta with what the dialect does not know of it."""

    choice: ChoiceDelta
    extra: Fields = {}
    delta: Fields = {}
    """Of the delta's object."""
    calls: list[Fields] = []
    """Of each of its tool calls."""


_CHUNK: Final = msgspec.json.Decoder(Chunk)
_DELTA: Final = msgspec.json.Decoder(MessageDelta)
_CALL: Final = msgspec.json.Decoder(CallDelta)
_INDEX: Final = msgspec.json.Decoder(int)
_WORD: Final = msgspec.json.Decoder(str)
_LEFT: Final = ("system_fingerprint", "service_tier", "provider")
LEGACY: Final = -1
"""The index of the call of the older form, `function_call`."""


def read_chunk(data: bytes) -> tuple[Chunk, list[Heard], Fields]:
    """The chunk, its choices and its unknown fields. Raises `ProviderFailure` for an error, msgspec's for bad JSON."""
    try:
        chunk = _CHUNK.decode(data)
    except msgspec.ValidationError:
        return _by_level(data)
    extra: Fields = {}
    for name in _LEFT:
        raw: msgspec.Raw = getattr(chunk, name)
        if raw is not ABSENT:
            extra[name] = raw
    return chunk, [Heard(choice) for choice in chunk.choices], extra


def _by_level(data: bytes) -> tuple[Chunk, list[Heard], Fields]:
    fields = fields_of(data, "")
    error, usage = take(fields, "error"), take(fields, "usage")
    if error is not None and usage is None:
        raise failure_within(error)
    choices = take(fields, "choices")
    for name in ("object", "obfuscation"):
        fields.pop(name, None)
    chunk = Chunk(usage=usage or NULL)
    for name in ("id", "model"):
        if (raw := take(fields, name)) is not None:
            setattr(chunk, name, _WORD.decode(raw))
    if (created := take(fields, "created")) is not None:
        chunk.created = int(msgspec.json.decode(created, type=float))
    if error is not None:
        fields["error"] = error
        return chunk, [], fields
    heard = [_choice(item, place) for place, item in enumerate(items_of(choices, "choices"))] if choices else []
    if usage is None and heard:
        chunk.usage = take(heard[0].extra, "usage") or chunk.usage
    return chunk, heard, fields


def _choice(raw: msgspec.Raw, place: int) -> Heard:
    fields = fields_of(raw, f"choices[{place}]")
    if (error := take(fields, "error")) is not None:
        raise failure_within(error)
    said = take(fields, "delta") or take(fields, "message")
    index, word, logprobs = take(fields, "index"), take(fields, "finish_reason"), take(fields, "logprobs")
    choice = ChoiceDelta(
        index=_INDEX.decode(index) if index is not None else place,
        finish_reason=_WORD.decode(word) if word is not None else None,
        logprobs=logprobs or NULL,
    )
    heard = Heard(choice, extra={name: raw for name, raw in fields.items() if raw != NULL})
    if said is not None:
        _delta(heard, fields_of(said, f"choices[{place}].delta"))
    return heard


def _delta(heard: Heard, fields: Fields) -> None:
    calls, legacy = take(fields, "tool_calls"), take(fields, "function_call")
    known: dict[str, Any] = {}
    for name in ("role", "content", "refusal", *NAMES):
        raw = fields.get(name)
        if raw is not None and (raw == NULL or bytes(raw)[:1] == b'"'):
            known[name] = fields.pop(name)
    delta = _DELTA.decode(encode(known))
    if calls is not None:
        read = [_call(item, f"tool_calls[{place}]") for place, item in enumerate(items_of(calls, "tool_calls"))]
        delta.tool_calls = [call for call, _ in read]
        heard.calls = [extra for _, extra in read]
    if legacy is not None:
        call = CallDelta(index=LEGACY, function=msgspec.json.decode(legacy, type=FunctionDelta))
        delta.tool_calls = [*(delta.tool_calls or ()), call]
    heard.choice.delta = delta
    heard.delta = {name: raw for name, raw in fields.items() if raw not in (NULL, EMPTY_LIST)}


def _call(raw: msgspec.Raw, path: str) -> tuple[CallDelta, Fields]:
    fields = fields_of(raw, path)
    known = {name: fields.pop(name) for name in CallDelta.__struct_fields__ if name in fields}
    for kind in ("function", "custom"):
        inner = fields_of(known[kind], path) if known.get(kind, NULL) != NULL else {}
        arguments = inner.get("arguments")
        if arguments is not None and bytes(arguments)[:1] == b"{":
            inner["arguments"] = msgspec.Raw(encode(bytes(arguments).decode()))
        names = (FunctionDelta if kind == "function" else CustomDelta).__struct_fields__
        left = {name: inner.pop(name) for name in list(inner) if name not in names}
        if inner or left:
            known[kind] = msgspec.Raw(encode(inner))
        if left:
            fields[kind] = msgspec.Raw(encode(left))
    return _CALL.decode(encode(known)), fields
