"""A request as Anthropic's clients send it, read into the message model."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import (
    Dialect,
    Extra,
    Message,
    ModelRequest,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from steward.services.models.wire.anthropic.blocks import decode_block, has_plain_content
from steward.services.models.wire.anthropic.fields import Fields, Malformed, at, is_text, read_list, read_text
from steward.services.models.wire.anthropic.settings import decode_output, decode_user
from steward.services.models.wire.anthropic.tools import decode_tool, decode_tool_choice
from steward.services.models.wire.ports import Asked

_ROLES: Final[Mapping[str, Role]] = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_DIRECT: Final = b'{"type":"direct"}'
_NO_SYSTEM: Final = Message(role=Role.SYSTEM, parts=())
"""Before a message of role `system` that stands first and is not the parameter `system`."""


def decode_request(body: bytes) -> Asked:
    """Raises `InvalidParameter`."""
    try:
        body.decode()
        fields = Fields.of(body, "")
        stream = fields.flag("stream") or False
        return Asked(request=_decode(fields), stream=stream)
    except Malformed as error:
        raise InvalidParameter(error.path or "body", error.message) from error
    except UnicodeDecodeError as error:
        raise InvalidParameter("body", "it is not valid UTF-8") from error


def _decode(fields: Fields) -> ModelRequest:
    choice, parallel = decode_tool_choice(fields)
    thinking, output = decode_output(fields)
    return ModelRequest(
        model=fields.needed("model"),
        messages=_decode_messages(fields),
        dialect=Dialect.ANTHROPIC,
        max_output_tokens=_limit(fields),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.count("top_k"),
        stop=fields.texts("stop_sequences"),
        tools=[decode_tool(raw, at("tools", index)) for index, raw in enumerate(fields.raws("tools") or ())],
        tool_choice=choice,
        parallel_tool_calls=parallel,
        output=output,
        thinking=thinking,
        user=decode_user(fields),
        service_tier=fields.text("service_tier"),
        extra=fields.rest(),
    )


def _limit(fields: Fields) -> int:
    limit = fields.count("max_tokens")
    if limit is None or limit < 0:
        raise Malformed("max_tokens", "it must be there, a whole number from 0")
    return limit


def _decode_messages(fields: Fields) -> list[Message]:
    messages = _decode_system(fields)
    raws = fields.raws("messages")
    if raws is None:
        raise Malformed("messages", "it must be there, a list of messages")
    for index, raw in enumerate(raws):
        _add_message(messages, Fields.of(raw, at("messages", index)))
    return messages


def _decode_system(fields: Fields) -> list[Message]:
    raw = fields.raw("system")
    if raw is None:
        return []
    parts, plain = _decode_content(raw, "system")
    return [Message(role=Role.SYSTEM, parts=[part for part, _ in parts], plain=plain)]


def _add_message(messages: list[Message], fields: Fields) -> None:
    role = _ROLES.get(name := fields.needed("role"))
    if role is None:
        raise Malformed(at(fields.path, "role"), f"it must be user, assistant or system, not {name!r:.100}")
    raw = fields.raw("content")
    if raw is None:
        raise Malformed(at(fields.path, "content"), "it must be there, a string or a list of blocks")
    parts, plain = _decode_content(raw, at(fields.path, "content"))
    if role is Role.SYSTEM and not messages:
        messages.append(_NO_SYSTEM)
    if role is Role.USER:
        _split(messages, parts, plain=plain, extra=fields.rest())
    else:
        messages.append(Message(role=role, parts=[part for part, _ in parts], plain=plain, extra=fields.rest()))


def _split(messages: list[Message], parts: list[tuple[Part, bool]], *, plain: bool, extra: Extra) -> None:
    """A user's message as one for each tool's result and one for the words between them."""
    words: list[Part] = []
    first = len(messages)

    def add(role: Role, held: list[Part], *, plain: bool) -> None:
        joined = len(messages) > first
        messages.append(
            Message(role=role, parts=held, plain=plain, joined=joined, extra={} if joined else extra),
        )

    for part, is_plain in parts:
        if isinstance(part, ToolResult):
            if words:
                add(Role.USER, words, plain=False)
                words = []
            add(Role.TOOL, [part], plain=is_plain)
        else:
            words.append(part)
    if words or len(messages) == first:
        add(Role.USER, words, plain=plain)


def _decode_content(raw: msgspec.Raw, path: str) -> tuple[list[tuple[Part, bool]], bool]:
    """The parts, each with whether its own content is a bare string, and whether all of it is one."""
    if is_text(raw):
        return [(Text(text=read_text(raw, path)), False)], True
    parts: list[tuple[Part, bool]] = []
    for index, block in enumerate(read_list(raw, path)):
        part = decode_block(block, at(path, index))
        if isinstance(part, ToolResult):
            parts.append((part, has_plain_content(block)))
        else:
            parts.append((_without_default(part), False))
    return parts, False


def _without_default(part: Part) -> Part:
    """A call that the model made directly says so in vain: it is the rule, and no other dialect has words for it."""
    if isinstance(part, ToolCall) and part.extra:
        caller = part.extra.get("caller")
        if caller is not None and bytes(caller).replace(b" ", b"") == _DIRECT:
            rest = {name: raw for name, raw in part.extra.items() if name != "caller"}
            return msgspec.structs.replace(part, extra=rest)
    return part
