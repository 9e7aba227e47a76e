"""A whole answer, written for a client.

What another provider's dialect said is told as far as this one can: its reasoning as `reasoning_content` and, where it
is signed or encrypted, in `thinking_blocks` (see `thoughts`); the extra fields and opaque parts of others are not.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from steward.services.models.messages import (
    Choice,
    Dialect,
    Extra,
    ModelReply,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from steward.services.models.wire.openai.audio import AUDIO
from steward.services.models.wire.openai.calls import UNKNOWN_CALL
from steward.services.models.wire.openai.fields import encode, fields_of, put_back
from steward.services.models.wire.openai.messages_out import write_call
from steward.services.models.wire.openai.reply_in import MESSAGE
from steward.services.models.wire.openai.stops import write_stop
from steward.services.models.wire.openai.stream_in import CHUNK
from steward.services.models.wire.openai.thoughts import BLOCKS, USUAL, blocks_of, name_fields, readable
from steward.services.models.wire.openai.usage import write_usage

_ID: Final = "chatcmpl-"


def write_id(said: str, dialect: Dialect | None) -> str:
    """An answer's id in this dialect: a provider's of the same one as it is, another's behind OpenAI's prefix."""
    return said if dialect is Dialect.OPENAI or said.startswith(_ID) else _ID + said


def write_reply(reply: ModelReply, *, created: int, reply_id: str) -> bytes:
    """A whole answer. `created` and `reply_id` are told where the provider gave none."""
    own = reply.dialect is Dialect.OPENAI
    told: dict[str, object] = {
        "id": write_id(reply.id or reply_id, reply.dialect if reply.id else None),
        "object": "chat.completion",
        "created": reply.created or created,
        "model": reply.model,
        "choices": [_choice(choice, reply.dialect) for choice in reply.choices],
        "usage": write_usage(reply.usage, own=own),
    }
    if own:
        told.update(reply.extra)
        for choice in reply.choices:
            told.update(late_fields(choice.extra, CHUNK))
    if reply.from_cache:
        told["from_cache"] = reply.from_cache
    return encode(told)


def _choice(choice: Choice, dialect: Dialect | None) -> dict[str, object]:
    own = dialect is Dialect.OPENAI
    message = _Message(own=own)
    for part in choice.parts:
        message.add(part)
    refused = bool(message.refusals)
    told: dict[str, object] = {
        "index": choice.index,
        MESSAGE: message.told(),
        "logprobs": choice.logprobs,
        "finish_reason": write_stop(choice.stop, choice.stop_raw, dialect, refused=refused),
    }
    return put_back(told, {k: v for k, v in choice.extra.items() if k != CHUNK}, MESSAGE) if own else told


class _Message:
    """An answer's message, put together of its parts."""

    def __init__(self, *, own: bool) -> None:
        self._own = own
        self.refusals: list[str] = []
        self._texts: list[str] = []
        self._odd: list[object] = []
        self._thoughts: list[Reasoning] = []
        self._calls: list[object] = []
        self._fields: dict[str, object] = {}

    def add(self, part: Part) -> None:
        if isinstance(part, Text):
            self._texts.append(part.text)
            self._odd.append({"type": "text", "text": part.text})
            self._keep(part.extra)
        elif isinstance(part, ToolCall):
            self._call(part)
        elif isinstance(part, Reasoning):
            self._thoughts.append(part)
        elif isinstance(part, Refusal):
            self.refusals.append(part.text)
            self._keep(part.extra)
        elif isinstance(part, Opaque) and self._own:
            self._opaque(part)

    def _keep(self, extra: Extra) -> None:
        if self._own:
            self._fields.update(extra)

    def _call(self, part: ToolCall) -> None:
        if part.id or not self._own:
            self._calls.append(write_call(part, put_back if part.extra and self._own else None))
        else:
            self._fields["function_call"] = {"name": part.name, "arguments": part.arguments, **part.extra}

    def _opaque(self, part: Opaque) -> None:
        if part.type == AUDIO:
            self._fields[AUDIO] = part.raw
        elif part.type.startswith(UNKNOWN_CALL):
            self._calls.append(part.raw)
        else:
            self._odd.append(part.raw)

    def told(self) -> dict[str, object]:
        told: dict[str, object] = {
            "role": "assistant",
            "content": self._content(),
            "refusal": "".join(self.refusals) if self.refusals else None,
        }
        if self._thoughts:
            told.update(write_thoughts(self._thoughts, own=self._own))
        if self._calls:
            told["tool_calls"] = self._calls
        told.update(self._fields)
        return told

    def _content(self) -> str | list[object] | None:
        """A string; a list where the provider's own parts stand among the texts; null where something else was said."""
        if len(self._odd) > len(self._texts):
            return self._odd
        said = "".join(self._texts)
        if not said and (self._calls or self.refusals or self._fields):
            return None
        return said


def write_thoughts(parts: Sequence[Reasoning], *, own: bool) -> dict[str, object]:
    """Reasoning as a message's fields: a provider's of this dialect under its own names."""
    told: dict[str, object] = {}
    if own:
        for part in parts:
            for name, value in name_fields(part).items():
                before = told.get(name)
                told[name] = before + value if isinstance(before, str) and isinstance(value, str) else value
        return told
    if text := readable(parts):
        told[USUAL] = text
    if blocks := blocks_of(parts):
        told[BLOCKS] = blocks
    return told


def late_fields(extra: Extra, name: str) -> dict[str, msgspec.Raw]:
    """The fields that an extra field of this name holds."""
    return fields_of(extra[name], name) if name in extra else {}
