"""The messages of a request, read. What nearly all messages look like is decoded in one go; the rest level by level.

Normal forms: a null says what absence says; so does an empty `annotations`. A refusal that stands as
the only part of a list is told as the field `refusal`. A message of the old role `function` is kept whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import (
    Audio,
    Dialect,
    File,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from steward.services.models.wire.openai.calls import read_calls
from steward.services.models.wire.openai.content import read_content
from steward.services.models.wire.openai.fields import (
    EMPTY_LIST,
    NULL,
    Fields,
    fields_of,
    items_of,
    need_text,
    take,
    take_text,
)
from steward.services.models.wire.openai.thoughts import take_reasoning

WHOLE: Final = "message"
"""The type of an `Opaque` that is a whole message."""
ANNOTATIONS: Final = "annotations"


class _Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str


class _Call(msgspec.Struct, tag_field="type", tag="function", forbid_unknown_fields=True):
    id: str
    function: _Function


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    role: Role
    content: str | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    refusal: None = None
    annotations: None = None
    audio: None = None
    function_call: None = None


_PLAIN: Final = msgspec.json.Decoder(_Plain)
_PLAINS: Final = msgspec.json.Decoder(list[_Plain])


def read_messages(raw: msgspec.Raw) -> Sequence[Message]:
    """The parameter `messages`. Raises `InvalidParameter`."""
    try:
        messages = [_plain(each) for each in _PLAINS.decode(raw)]
    except msgspec.DecodeError:
        messages = [None]
    if None in messages:
        return [_read(item, f"messages[{place}]") for place, item in enumerate(items_of(raw, "messages"))]
    if not messages:
        raise InvalidParameter("messages", "is an empty list: give at least one message")
    return [message for message in messages if message is not None]


def _read(raw: msgspec.Raw, path: str) -> Message:
    try:
        message = _plain(_PLAIN.decode(raw))
    except msgspec.DecodeError:
        message = None
    return message or _read_fields(raw, path)


def _plain(said: _Plain) -> Message | None:
    """The message, if it is as its role wants it; what is wrong with it else, reading field by field finds."""
    role, text = said.role, said.content
    if role is Role.ASSISTANT:
        return _plain_assistant(said)
    if text is None or said.tool_calls is not None or said.reasoning_content is not None:
        return None
    parts: Sequence[Part] = (Text(text=text),) if text else ()
    if role is Role.TOOL:
        if said.tool_call_id is None:
            return None
        parts = (ToolResult(call_id=said.tool_call_id, content=(Text(text=text),) if text else ()),)
    elif said.tool_call_id is not None:
        return None
    return Message(role=role, parts=parts, name=said.name, plain=True)


def _plain_assistant(said: _Plain) -> Message | None:
    text, calls = said.content, said.tool_calls
    if said.tool_call_id is not None or (text is None and not calls):
        return None
    parts: list[Part] = []
    if said.reasoning_content is not None:
        parts.append(Reasoning(text=said.reasoning_content))
    if text:
        parts.append(Text(text=text))
    if calls:
        parts.extend(ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments) for call in calls)
    return Message(role=Role.ASSISTANT, parts=parts, name=said.name, plain=text is not None)


def _read_fields(raw: msgspec.Raw, path: str) -> Message:
    fields = fields_of(raw, path)
    role = need_text(fields, "role", path)
    if role == "function":
        return Message(role=Role.TOOL, parts=(Opaque(dialect=Dialect.OPENAI, type=WHOLE, raw=raw),))
    reader = _READERS.get(role)
    if reader is None:
        raise InvalidParameter(f"{path}.role", f"{role[:40]!r} must be one of {', '.join(_READERS)}, function")
    return reader(fields, path)


def _said(role: Role) -> Callable[[Fields, str], Message]:
    def read(fields: Fields, path: str) -> Message:
        parts, plain = _content(fields, path)
        name = take_text(fields, "name", path)
        return Message(role=role, parts=parts, name=name, plain=plain, extra=fields)

    return read


def _content(fields: Fields, path: str) -> tuple[list[Part], bool]:
    raw = take(fields, "content")
    if raw is None:
        raise InvalidParameter(f"{path}.content", "is missing: give a string or a list of parts")
    return read_content(raw, f"{path}.content")


def _tool(fields: Fields, path: str) -> Message:
    parts, plain = _content(fields, path)
    content: list[Text | Image | File | Opaque] = []
    for place, part in enumerate(parts):
        if not isinstance(part, Text | Image | File | Opaque):
            raise InvalidParameter(f"{path}.content[{place}]", "a tool's result has parts of text, images and files")
        content.append(part)
    result = ToolResult(call_id=need_text(fields, "tool_call_id", path), content=content)
    name = take_text(fields, "name", path)
    return Message(role=Role.TOOL, parts=(result,), name=name, plain=plain, extra=fields)


def _assistant(fields: Fields, path: str) -> Message:
    parts: list[Part] = [*take_reasoning(fields, path, empty=True)]
    content, plain = read_content(fields.pop("content", NULL), f"{path}.content")
    _check_kinds(content, path)
    parts += content
    refusal = take_text(fields, "refusal", path)
    if refusal is not None:
        parts.append(Refusal(text=refusal))
    calls = take(fields, "tool_calls")
    if calls is not None:
        parts += read_calls(calls, f"{path}.tool_calls")
    for name in ("audio", "function_call"):
        if fields.get(name) == NULL:
            del fields[name]
    _annotate(parts, fields)
    name = take_text(fields, "name", path)
    if not (parts or plain or fields):
        raise InvalidParameter(f"{path}.content", "is missing: an assistant's message has content or tool_calls")
    return Message(role=Role.ASSISTANT, parts=parts, name=name, plain=plain, extra=fields)


def _check_kinds(content: Sequence[Part], path: str) -> None:
    for place, part in enumerate(content):
        if isinstance(part, Audio):
            raise InvalidParameter(
                f"{path}.content[{place}].type", "an assistant's audio is told by its id, in the message's field audio"
            )


def _annotate(parts: list[Part], fields: Fields) -> None:
    """Annotations, which the dialect has beside the text, go with the text that they annotate."""
    raw = take(fields, ANNOTATIONS)
    if raw is None or raw == EMPTY_LIST:
        return
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if isinstance(part, Text):
            parts[place] = Text(text=part.text, cache=part.cache, extra={**part.extra, ANNOTATIONS: raw})
            return
    fields[ANNOTATIONS] = raw


_READERS: Final[Mapping[str, Callable[[Fields, str], Message]]] = {
    "system": _said(Role.SYSTEM),
    "developer": _said(Role.DEVELOPER),
    "user": _said(Role.USER),
    "assistant": _assistant,
    "tool": _tool,
}
