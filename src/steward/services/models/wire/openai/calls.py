"""Tool calls of an assistant, read from requests and from whole answers."""

from hashlib import blake2b

import msgspec

from steward.services.models.messages import Dialect, Opaque, ToolCall
from steward.services.models.wire.openai.fields import (
    Fields,
    begins,
    fields_of,
    items_of,
    keep,
    need_object,
    need_text,
    take,
    take_text,
    text_of,
)

UNKNOWN_CALL = "tool_call:"
"""Begins the type of an `Opaque` that stood among the tool calls."""


def made_id(seed: str, choice: int, place: int) -> str:
    """An id for a call that a provider gave none: the same for the same answer, and hardly for another."""
    return "call_" + blake2b(f"{seed}/{choice}/{place}".encode(), digest_size=12).hexdigest()


def read_calls(raw: msgspec.Raw, path: str) -> list[ToolCall | Opaque]:
    """The tool calls of a request's message. Raises `InvalidParameter`."""
    return [_call(item, f"{path}[{place}]") for place, item in enumerate(items_of(raw, path))]


def _call(raw: msgspec.Raw, path: str) -> ToolCall | Opaque:
    fields = fields_of(raw, path)
    call_id, kind = need_text(fields, "id", path), take_text(fields, "type", path) or "function"
    if kind == "function":
        inner = need_object(fields, "function", path)
        inside = f"{path}.function"
        name, said = need_text(inner, "name", inside), need_text(inner, "arguments", inside)
        return ToolCall(id=call_id, name=name, arguments=said, extra=keep(fields, "function", inner))
    if kind == "custom":
        inner = need_object(fields, "custom", path)
        inside = f"{path}.custom"
        name, said = need_text(inner, "name", inside), need_text(inner, "input", inside)
        return ToolCall(id=call_id, name=name, arguments=said, custom=True, extra=keep(fields, "custom", inner))
    return Opaque(dialect=Dialect.OPENAI, type=UNKNOWN_CALL + kind, raw=raw)


def heard_calls(raw: msgspec.Raw, path: str, seed: str, choice: int) -> list[ToolCall | Opaque]:
    """The tool calls of an answer: providers leave out ids and types, and write arguments as an object."""
    return [
        _heard(item, f"{path}[{place}]", made_id(seed, choice, place)) for place, item in enumerate(items_of(raw, path))
    ]


def _heard(raw: msgspec.Raw, path: str, spare_id: str) -> ToolCall | Opaque:
    fields = fields_of(raw, path)
    call_id, kind = take_text(fields, "id", path) or spare_id, take_text(fields, "type", path) or "function"
    if kind not in {"function", "custom"}:
        return Opaque(dialect=Dialect.OPENAI, type=UNKNOWN_CALL + kind, raw=raw)
    inner = need_object(fields, kind, path)
    custom = kind == "custom"
    name = need_text(inner, "name", f"{path}.{kind}")
    said = _arguments(inner, "input" if custom else "arguments")
    return ToolCall(id=call_id, name=name, arguments=said, custom=custom, extra=keep(fields, kind, inner))


def heard_function(raw: msgspec.Raw, path: str) -> ToolCall:
    """The call of the older form `function_call`, which has no id."""
    inner: Fields = fields_of(raw, path)
    name, said = need_text(inner, "name", path), _arguments(inner, "arguments")
    return ToolCall(id="", name=name, arguments=said, extra=inner)


def _arguments(inner: Fields, name: str) -> str:
    raw = take(inner, name)
    if raw is None:
        return ""
    return text_of(raw, name) if begins(raw, b'"') else bytes(raw).decode()
