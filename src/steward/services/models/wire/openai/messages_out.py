"""The messages of a request, written for a provider.

What this dialect has no place for: the order of text, reasoning and calls within one message; whether a message was one
with that before it (`joined`); names that another dialect's store gave to items (`id`, `item_id`, `phase`). They say
nothing about what was said, and are left out. That a tool failed (`is_error`) is told in words, in front of its result.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Dialect,
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
from steward.services.models.wire.openai.calls import UNKNOWN_CALL
from steward.services.models.wire.openai.content_out import NAME, Telling, annotations, write_content
from steward.services.models.wire.openai.fields import NULL, put_back
from steward.services.models.wire.openai.messages_in import ANNOTATIONS, WHOLE
from steward.services.models.wire.openai.thoughts import write_reasoning

_ROLES: Final[Mapping[Role, str]] = {role: role.value for role in Role}
_FAILED: Final = "Error: "


def write_messages(messages: Sequence[Message], telling: Telling) -> list[object]:
    """The list for `messages`. Raises `CannotExpress`."""
    told: list[object] = []
    for place, message in enumerate(messages):
        parts = message.parts
        # What nearly all messages are.
        if message.plain and len(parts) == 1 and not message.extra and message.name is None:
            part = parts[0]
            if isinstance(part, Text) and not part.extra:
                told.append({"role": _ROLES[message.role], "content": part.text})
                continue
        told.extend(_written(message, telling, f"messages[{place}]"))
    return told


def _written(message: Message, telling: Telling, path: str) -> Iterator[object]:
    parts = message.parts
    if len(parts) == 1 and isinstance(parts[0], Opaque) and parts[0].type == WHOLE:
        if parts[0].dialect is not Dialect.OPENAI:
            raise CannotExpress(path, NAME)
        yield parts[0].raw
    elif message.role is Role.TOOL:
        yield from _results(message, telling, path)
    else:
        write = _assistant if message.role is Role.ASSISTANT else _plain
        told: dict[str, object] = {"role": _ROLES[message.role], **write(message, telling, path)}
        yield _finished(message, told, telling, path)


def _finished(message: Message, told: dict[str, object], telling: Telling, path: str) -> dict[str, object]:
    if message.name is not None:
        told["name"] = message.name
    return put_back(told, telling.check(message.extra, path)) if message.extra else told


def _plain(message: Message, telling: Telling, path: str) -> dict[str, object]:
    content = write_content(message.parts, telling, f"{path}.content", plain=message.plain)
    return {"content": "" if content is None else content}


def _results(message: Message, telling: Telling, path: str) -> Iterator[object]:
    """One message for each result: this dialect has no other way to give several."""
    for place, part in enumerate(message.parts):
        if not isinstance(part, ToolResult):
            raise CannotExpress(f"{path}.content[{place}]", NAME)
        told: dict[str, object] = {
            "role": "tool",
            "tool_call_id": part.call_id,
            "content": _result(part, telling, f"{path}.content[{place}]", plain=message.plain),
        }
        if part.extra:
            put_back(told, telling.check(part.extra, f"{path}.content[{place}]"))
        yield _finished(message, told, telling, path)


def _result(part: ToolResult, telling: Telling, path: str, *, plain: bool) -> str | list[object]:
    content: list[Part] = list(part.content)
    for place, inner in enumerate(content):
        if not isinstance(inner, Text) and telling.dialect is not Dialect.OPENAI:
            raise CannotExpress(f"{path}.content[{place}]", NAME)
    if part.is_error:
        content = _as_failed(content)
    written = write_content(content, telling, f"{path}.content", plain=plain)
    return "" if written is None else written


def _as_failed(content: list[Part]) -> list[Part]:
    first = content[0] if content else None
    if isinstance(first, Text):
        if first.text.lower().startswith("error"):
            return content
        return [Text(text=_FAILED + first.text, cache=first.cache, extra=first.extra), *content[1:]]
    return [Text(text=_FAILED.strip(": ")), *content]


class _Sorted:
    """An assistant's parts by the place that they have here."""

    def __init__(self) -> None:
        self.thoughts: list[Reasoning] = []
        self.content: list[Part] = []
        self.calls: list[ToolCall | Opaque] = []
        self.refusals: list[Refusal] = []

    def add(self, part: Part, path: str) -> None:
        match part:
            case Reasoning():
                self.thoughts.append(part)
            case ToolCall():
                self.calls.append(part)
            case Opaque() if part.type.startswith(UNKNOWN_CALL):
                self.calls.append(part)
            case Refusal() if not part.extra:
                self.refusals.append(part)
            case ToolResult():
                raise CannotExpress(path, NAME)
            case _:
                self.content.append(part)


def _assistant(message: Message, telling: Telling, path: str) -> dict[str, object]:
    found = _Sorted()
    for place, part in enumerate(message.parts):
        found.add(part, f"{path}.content[{place}]")
    if len(found.refusals) > 1:
        found.content += found.refusals
        found.refusals = []
    fields, aloud = write_reasoning(found.thoughts, telling.dialect, path, newer=telling.newer)
    if aloud:
        found.content.insert(0, Text(text=f"<think>\n{aloud}\n</think>\n"))
    content = write_content(found.content, telling, f"{path}.content", plain=message.plain)
    told: dict[str, object] = {"content": content, **fields}
    if found.refusals:
        told["refusal"] = found.refusals[0].text
    if found.calls:
        told["tool_calls"] = [
            _call(part, telling, f"{path}.tool_calls[{place}]") for place, part in enumerate(found.calls)
        ]
    if (noted := annotations(found.content)) != NULL:
        told[ANNOTATIONS] = noted
    return told


def _call(part: ToolCall | Opaque, telling: Telling, path: str) -> object:
    extra = telling.check(part.extra, path)
    if isinstance(part, Opaque):
        if part.dialect is not Dialect.OPENAI:
            raise CannotExpress(path, NAME)
        return part.raw
    return write_call(part, put_back if extra else None)


def write_call(part: ToolCall, add: Callable[..., dict[str, object]] | None = None) -> dict[str, object]:
    """A tool call as requests and answers have it; `add` puts its extra fields in."""
    kind = "custom" if part.custom else "function"
    inner = {"name": part.name, ("input" if part.custom else "arguments"): part.arguments}
    told: dict[str, object] = {"id": part.id, "type": kind, kind: inner}
    return add(told, part.extra, kind) if add else told
