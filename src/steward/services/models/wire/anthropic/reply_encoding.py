"""A whole answer of the message model, written as Anthropic's clients take it.

What another dialect said is told as far as there are words: of several choices the first; no log probabilities, no
audio. A foreign part that has none is left out.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.messages import (
    Choice,
    Dialect,
    ModelReply,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    StopReason,
    Text,
    ToolCall,
)
from steward.services.models.wire.anthropic.blocks import arguments_of, encode_part
from steward.services.models.wire.anthropic.fields import Object, Value, as_raw, encode
from steward.services.models.wire.anthropic.usage import encode_usage

_DIALECT: Final = Dialect.ANTHROPIC
_WORDS: Final[Mapping[StopReason, str]] = {
    StopReason.END: "end_turn",
    StopReason.LENGTH: "max_tokens",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.TOOL_CALLS: "tool_use",
    StopReason.FILTERED: "refusal",
    StopReason.REFUSED: "refusal",
    StopReason.PAUSED: "pause_turn",
    StopReason.CONTEXT: "model_context_window_exceeded",
    StopReason.OTHER: "end_turn",
}


def encode_reply(reply: ModelReply) -> bytes:
    own = reply.dialect is _DIALECT
    choice = reply.choices[0] if reply.choices else Choice(parts=(), stop=StopReason.OTHER)
    blocks = [encode_answer(part, own=own) for part in choice.parts]
    body: Object = {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [block for block in blocks if block is not None],
        "stop_reason": encode_stop(choice.stop, choice.stop_raw, own=own),
        "stop_sequence": choice.stop_sequence,
        "usage": encode_usage(reply.usage, own=own),
    }
    if own:
        body |= choice.extra
        body |= reply.extra
    return encode(body)


def encode_stop(stop: StopReason, word: str | None, *, own: bool) -> str | None:
    """In Anthropic's words; a reason of its own that is none of ours is given back."""
    if own and stop is StopReason.OTHER:
        return word
    return _WORDS[stop]


def encode_answer(part: Part, *, own: bool) -> Value:
    """A part of an answer as a block; None where there are no words for it."""
    if isinstance(part, Opaque):
        return part.raw if part.dialect is _DIALECT else None
    if own:
        return encode_part(part, "content", own=True)
    if isinstance(part, Text | Refusal):
        return {"type": "text", "text": part.text}
    if isinstance(part, Reasoning):
        return thinking(part)
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": _input(part)}
    return None


def thinking(part: Reasoning) -> Object | None:
    """What another provider's model thought. An empty signature says that Anthropic vouches for nothing."""
    text = part.text or "\n\n".join(part.summary)
    return {"type": "thinking", "thinking": text, "signature": part.signature or ""} if text else None


def _input(part: ToolCall) -> msgspec.Raw:
    """Arguments that are no object, such as a custom tool's free text, stand in one, under `input`."""
    arguments = None if part.custom else arguments_of(part.arguments)
    return as_raw({"input": part.arguments}) if arguments is None else arguments
