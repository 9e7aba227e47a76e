"""Input items as messages.

What the model made in one turn (reasoning, one message, tool calls) is one assistant's message, as other dialects have
it; each tool output is a message of its own. `status`, and `annotations` and `logprobs` of an output text, tell of the
making of an item and nothing to the model: they are read and not passed on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from steward.services.models.errors import InvalidParameter, UnsupportedParameter
from steward.services.models.messages import Dialect, Message, Opaque, Part, Reasoning, Role, Text, ToolCall, ToolResult
from steward.services.models.wire.responses.content import parts_of, tool_parts
from steward.services.models.wire.responses.fields import Fields
from steward.services.models.wire.responses.foreign import foreign_part, reasoning_of

_ROLES: Final[Mapping[str, Role]] = {one.value: one for one in (Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT)}
_PHASES: Final = frozenset(("commentary", "final_answer"))
_OUTPUT: Final = "_output"
_REFERENCE: Final = "item_reference"


def messages_of(fields: Fields) -> list[Message]:
    """All of `input`."""
    if fields.is_text("input"):
        return [Message(role=Role.USER, parts=(Text(text=fields.needed("input")),), plain=True)]
    found = _Conversation()
    for item in fields.objects("input"):
        found.add(item)
    return found.end()


class _Conversation:
    """Gathers items into messages."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._turn: list[Part] = []
        self._said: Message | None = None
        """The message item of the assistant's turn, once it came."""

    def add(self, item: Fields) -> None:
        kind = item.text("type") or ("message" if item.look("role") is not None else _REFERENCE)
        if kind == "message":
            self._add_message(item)
        elif kind in _TURN:
            if kind == "reasoning" and self._said is not None:
                self._close()
            item.skip("status")
            self._turn.extend(_TURN[kind](item))
        elif kind in _RESULTS:
            item.skip("status")
            self._append(_result(item, custom=kind.startswith("custom")))
        elif kind == _REFERENCE:
            raise UnsupportedParameter(
                f"{item.path} (type item_reference)", "no items are kept: send the item itself again"
            )
        else:
            self._add_other(item, kind)

    def end(self) -> list[Message]:
        self._close()
        return self._messages

    def _add_message(self, item: Fields) -> None:
        role = _ROLES[item.one_of("role", _ROLES) or _missing(item, "role")]
        item.skip("status")
        phase = item.one_of("phase", _PHASES)
        item_id = item.text("id")
        parts, plain = parts_of(item, "content")
        found = Message(role=role, parts=parts, phase=phase, id=item_id, plain=plain, extra=item.rest())
        if role is not Role.ASSISTANT or not parts:
            self._append(found)
        else:
            if self._said is not None:
                self._close()
            self._said = found
            self._turn.extend(parts)

    def _add_other(self, item: Fields, kind: str) -> None:
        """An item that one dialect alone knows."""
        part = foreign_part(kind, item)
        if part is None:
            part = Opaque(dialect=Dialect.RESPONSES, type=kind, raw=item.whole(kind))
        if kind.endswith(_OUTPUT):
            self._append(Message(role=Role.TOOL, parts=(part,)))
        else:
            self._turn.append(part)

    def _append(self, message: Message) -> None:
        self._close()
        self._messages.append(message)

    def _close(self) -> None:
        """The assistant's turn is over."""
        said = self._said
        if self._turn:
            self._messages.append(
                Message(
                    role=Role.ASSISTANT,
                    parts=tuple(self._turn),
                    phase=said.phase if said else None,
                    id=said.id if said else None,
                    plain=said.plain if said else False,
                    extra=said.extra if said else {},
                )
            )
        self._turn = []
        self._said = None


def _call(item: Fields) -> Sequence[Part]:
    return (_tool_call(item, "arguments", custom=False),)


def _custom_call(item: Fields) -> Sequence[Part]:
    return (_tool_call(item, "input", custom=True),)


def _tool_call(item: Fields, field: str, *, custom: bool) -> ToolCall:
    return ToolCall(
        id=item.needed("call_id"),
        name=item.needed("name"),
        arguments=item.needed(field),
        custom=custom,
        item_id=item.text("id"),
        extra=item.rest(),
    )


def _result(item: Fields, *, custom: bool) -> Message:
    item_id = item.text("id")
    call_id = item.needed("call_id")
    content, plain = tool_parts(item, "output")
    part = ToolResult(call_id=call_id, content=content, custom=custom, extra=item.rest())
    return Message(role=Role.TOOL, parts=(part,), id=item_id, plain=plain)


def _reasoning(item: Fields) -> Sequence[Part]:
    """One part for each text, all with the item's id; the first has the rest of the item."""
    item_id = item.text("id")
    summary = tuple(one.needed("text") for one in item.objects("summary"))
    texts = [one.needed("text") for one in item.objects("content")]
    encrypted = item.text("encrypted_content")
    first = reasoning_of(
        encrypted,
        text=texts[0] if texts else "",
        item_id=item_id,
        summary=summary,
        path=item.name("encrypted_content"),
    )
    return (first, *(Reasoning(text=text, id=item_id) for text in texts[1:]))


def _missing(item: Fields, field: str) -> str:
    raise InvalidParameter(item.name(field), f"is missing: one of {', '.join(_ROLES)}")


_TURN: Final[Mapping[str, Callable[[Fields], Sequence[Part]]]] = {
    "function_call": _call,
    "custom_tool_call": _custom_call,
    "reasoning": _reasoning,
}
_RESULTS: Final = frozenset(("function_call_output", "custom_tool_call_output"))
