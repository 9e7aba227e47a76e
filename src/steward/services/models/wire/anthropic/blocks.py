"""Content blocks and the message model's parts, both ways.

A block of a type that is not known here, or a known one of another form, becomes an `Opaque` part that holds it whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Audio,
    Dialect,
    Extra,
    File,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from steward.services.models.wire.anthropic.caching import put_cache, take_cache
from steward.services.models.wire.anthropic.fields import (
    Fields,
    Malformed,
    Object,
    Value,
    as_text,
    at,
    is_text,
    object_from,
    read_list,
    read_text,
)
from steward.services.models.wire.anthropic.sources import (
    decode_document,
    decode_image,
    encode_document,
    encode_image,
)

_DIALECT: Final = Dialect.ANTHROPIC
_NO_ARGUMENTS: Final = "{}"


def decode_block(raw: msgspec.Raw, path: str) -> Part:
    """Raises `Malformed`."""
    fields = Fields.of(raw, path)
    kind = fields.needed("type")
    reader = _READERS.get(kind)
    part = reader(fields) if reader else None
    return Opaque(dialect=_DIALECT, type=kind, raw=raw) if part is None else part


def _decode_text(fields: Fields) -> Text:
    text = fields.needed("text")
    return Text(text=text, cache=take_cache(fields), extra=fields.rest()) if fields.left else Text(text=text)


def _decode_tool_use(fields: Fields) -> ToolCall:
    arguments = fields.raw("input")
    return ToolCall(
        id=fields.needed("id"),
        name=fields.needed("name"),
        arguments=_NO_ARGUMENTS if arguments is None else as_text(arguments),
        cache=take_cache(fields),
        extra=fields.rest(),
    )


def _decode_tool_result(fields: Fields) -> ToolResult:
    content = fields.raw("content")
    return ToolResult(
        call_id=fields.needed("tool_use_id"),
        content=() if content is None else _decode_result(content, at(fields.path, "content")),
        is_error=fields.flag("is_error") or False,
        cache=take_cache(fields),
        extra=fields.rest(),
    )


def has_plain_content(raw: msgspec.Raw) -> bool:
    """Whether the `content` of a message or tool result is a bare string."""
    content = Fields.of(raw, "").left.get("content")
    return content is not None and is_text(content)


def _decode_result(raw: msgspec.Raw, path: str) -> list[Text | Image | File | Opaque]:
    if is_text(raw):
        return [Text(text=read_text(raw, path))]
    parts: list[Text | Image | File | Opaque] = []
    for index, block in enumerate(read_list(raw, path)):
        part = decode_block(block, at(path, index))
        if not isinstance(part, Text | Image | File | Opaque):
            raise Malformed(at(path, index), "a tool's result holds text, images, documents and the like")
        parts.append(part)
    return parts


def _decode_thinking(fields: Fields) -> Reasoning:
    return Reasoning(
        text=fields.needed("thinking"),
        signature=fields.text("signature"),
        cache=take_cache(fields),
        extra=fields.rest(),
    )


def _decode_redacted(fields: Fields) -> Reasoning:
    return Reasoning(redacted=fields.needed("data"), cache=take_cache(fields), extra=fields.rest())


_READERS: Final[Mapping[str, Callable[[Fields], Part | None]]] = {
    "text": _decode_text,
    "image": decode_image,
    "document": decode_document,
    "tool_use": _decode_tool_use,
    "tool_result": _decode_tool_result,
    "thinking": _decode_thinking,
    "redacted_thinking": _decode_redacted,
}


def encode_part(part: Part, path: str, *, own: bool, plain: bool = False) -> Object | msgspec.Raw:
    """A part of a request as a block. Raises `CannotExpress`, which names `path`.

    `own`: whether the request came in this dialect, whose `extra` the part then has. `plain`: whether a tool's result
    is to be a bare string.
    """
    if isinstance(part, Opaque):
        if part.dialect is not _DIALECT:
            raise CannotExpress(f"{path} ({part.type})", _DIALECT)
        return part.raw
    block = _encode_result(part, path, own=own, plain=plain) if isinstance(part, ToolResult) else None
    if block is None:
        block = _encode_simple(part, path, own=own)
    put_cache(block, part.cache)
    put_extra(block, part.extra, path, own=own)
    return block


def put_extra(block: Object, extra: Extra, path: str, *, own: bool) -> None:
    """Give back what came in this dialect. Raises `CannotExpress` for what came in another one."""
    if not extra:
        return
    if not own:
        raise CannotExpress(at(path, next(iter(extra))), _DIALECT)
    block.update(extra)


def _encode_simple(part: Part, path: str, *, own: bool) -> Object:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        return _encode_tool_use(part, path)
    if isinstance(part, Reasoning):
        return _encode_thinking(part, path, own=own)
    if isinstance(part, Image):
        return encode_image(part, path, own=own)
    if isinstance(part, File):
        return encode_document(part, path, own=own)
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text}
    raise CannotExpress(f"{path} (audio)" if isinstance(part, Audio) else path, _DIALECT)


def _encode_tool_use(part: ToolCall, path: str) -> Object:
    arguments = None if part.custom else arguments_of(part.arguments)
    if arguments is None:
        raise CannotExpress(f"{path}: arguments that are no JSON object", _DIALECT)
    return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments}


def arguments_of(text: str) -> msgspec.Raw | None:
    """A tool's arguments as an object: none at all are an empty one; None for what is no object."""
    return object_from(text or _NO_ARGUMENTS)


def _encode_thinking(part: Reasoning, path: str, *, own: bool) -> Object:
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    if part.signature is None and not own:
        raise CannotExpress(f"{path} (reasoning without a signature of Anthropic's)", _DIALECT)
    block: Object = {"type": "thinking", "thinking": part.text}
    if part.signature is not None:
        block["signature"] = part.signature
    return block


def _encode_result(part: ToolResult, path: str, *, own: bool, plain: bool) -> Object:
    if part.custom:
        raise CannotExpress(f"{path}: the result of a custom tool", _DIALECT)
    block: Object = {"type": "tool_result", "tool_use_id": part.call_id}
    text = bare_text(part.content) if plain else None
    if text is not None:
        block["content"] = text
    elif part.content:
        inner = f"{path}.content"
        content: list[Value] = [encode_part(one, f"{inner}[{i}]", own=own) for i, one in enumerate(part.content)]
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return block


def bare_text(parts: Sequence[Part]) -> str | None:
    """The text of a content that may as well be a bare string."""
    if len(parts) != 1:
        return None
    part = parts[0]
    return part.text if isinstance(part, Text) and part.cache is None and not part.extra else None
