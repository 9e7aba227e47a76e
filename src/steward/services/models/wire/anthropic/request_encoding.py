"""A request of the message model, written as Anthropic's API takes it."""

from collections.abc import Iterator, Sequence
from typing import Final

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import Dialect, Message, ModelRequest, Part, Role, Text
from steward.services.models.wire.anthropic.blocks import bare_text, encode_part, put_extra
from steward.services.models.wire.anthropic.fields import Object, Value, encode
from steward.services.models.wire.anthropic.settings import encode_settings, merge_extra
from steward.services.models.wire.anthropic.tools import encode_tool_choice, encode_tools

_DIALECT: Final = Dialect.ANTHROPIC
_INSTRUCTIONS: Final = frozenset({Role.SYSTEM, Role.DEVELOPER})


def encode_request(request: ModelRequest, *, model: str, stream: bool) -> bytes:
    """Raises `CannotExpress`.

    Of a request that came in another dialect, `metadata` stays here: they are labels for reports, and Anthropic has no
    place for them.
    """
    own = request.dialect is _DIALECT
    if request.max_output_tokens is None:
        raise CannotExpress("a request without max_output_tokens", _DIALECT)
    body: Object = {"model": model, "max_tokens": request.max_output_tokens}
    first = _leading(request.messages, own=own)
    if system := _system(request.messages[:first], own=own):
        body["system"] = system
    body["messages"] = _messages(request.messages, first, own=own)
    if request.tools:
        body["tools"] = encode_tools(request.tools, own=own)
    choice = encode_tool_choice(request, own=own)
    if choice is not None:
        body["tool_choice"] = choice
    encode_settings(request, body, own=own)
    merge_extra(body, request.extra, own=own)
    if stream:
        body["stream"] = True
    return encode(body)


def _leading(messages: Sequence[Message], *, own: bool) -> int:
    """How many messages become the parameter `system`: in this dialect one, of others all that stand first."""
    count = 0
    for message in messages[:1] if own else messages:
        if message.role not in _INSTRUCTIONS:
            break
        count += 1
    return count


def _system(messages: Sequence[Message], *, own: bool) -> Value:
    for index, message in enumerate(messages):
        _refuse_labels(message, index)
    if len(messages) == 1 and messages[0].plain and (text := bare_text(messages[0].parts)) is not None:
        return text
    return [block for index, message in enumerate(messages) for block in _blocks(message, index, own=own)]


def _messages(messages: Sequence[Message], first: int, *, own: bool) -> list[Value]:
    written: list[Value] = []
    last: Object = {}
    before: Message | None = None
    for index in range(first, len(messages)):
        message = messages[index]
        _refuse_labels(message, index)
        role = _role(message, index, own=own)
        if before is not None and _joins(message, before, own=own) and last["role"] == role:
            _append(last, message, index, own=own)
        else:
            last = _object(message, role, index, own=own)
            written.append(last)
        before = message
    return written


def _refuse_labels(message: Message, index: int) -> None:
    # A phase says which of an assistant's messages was the answer: here their order says as much, as in OpenAI Chat.
    if message.name is not None:
        raise CannotExpress(f"messages[{index}].name", _DIALECT)


def _role(message: Message, index: int, *, own: bool) -> str:
    if message.role is Role.TOOL:
        return "user"
    if message.role in _INSTRUCTIONS:
        if not own:
            raise CannotExpress(f"messages[{index}] ({message.role} after the conversation has begun)", _DIALECT)
        return "system"
    return message.role.value


def _joins(message: Message, before: Message, *, own: bool) -> bool:
    """Anthropic wants the results of calls that were made together in one message."""
    return message.joined or (not own and message.role is Role.TOOL and before.role is Role.TOOL)


def _object(message: Message, role: str, index: int, *, own: bool) -> Object:
    plain = bare_text(message.parts) if message.plain else None
    content: Value = plain if plain is not None else list(_blocks(message, index, own=own))
    if message.plain and not message.parts:
        content = ""
    said: Object = {"role": role, "content": content}
    put_extra(said, message.extra, f"messages[{index}]", own=own)
    return said


def _append(last: Object, message: Message, index: int, *, own: bool) -> None:
    content = last["content"]
    blocks: list[Value] = [{"type": "text", "text": content}] if isinstance(content, str) else []
    if isinstance(content, list):
        blocks += content
    last["content"] = [*blocks, *_blocks(message, index, own=own)]
    put_extra(last, message.extra, f"messages[{index}]", own=own)


def _blocks(message: Message, index: int, *, own: bool) -> Iterator[Value]:
    path = f"messages[{index}]"
    alone = len(message.parts) == 1
    for number, part in enumerate(message.parts):
        if own or alone or not _is_empty(part):
            yield encode_part(part, f"{path}.content[{number}]", own=own, plain=message.plain)


def _is_empty(part: Part) -> bool:
    """OpenAI's clients write `""` beside tool calls where there is nothing to say; Anthropic refuses empty text."""
    return isinstance(part, Text) and not part.text
