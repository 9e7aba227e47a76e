"""Answers as output items, and what a response is made of besides."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.messages import (
    Choice,
    Dialect,
    Extra,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    StopReason,
    Text,
    ToolCall,
    Usage,
)
from steward.services.models.wire.responses.annotations import annotations_of, logprobs_of
from steward.services.models.wire.responses.foreign import encrypted_of, foreign_item

Item = Mapping[str, object]

COMPLETED: Final = "completed"
INCOMPLETE: Final = "incomplete"

_LIMITS: Final = frozenset((StopReason.LENGTH, StopReason.CONTEXT))
_TIERS: Final = frozenset(("auto", "default", "flex", "scale", "priority"))
_EMPTY_CALL: Final = "{}"


def incomplete_reason(stop: StopReason, *, refused: bool) -> str | None:
    """Why an answer is not complete; None where it is.

    `refused`: whether the refusal has words. A pause is the end of a server's own rounds of messages.
    """
    if stop in _LIMITS:
        return "max_output_tokens"
    if stop is StopReason.FILTERED:
        return "content_filter"
    if stop is StopReason.REFUSED and not refused:
        return "content_filter"
    return "max_messages" if stop is StopReason.PAUSED else None


def items_of(choice: Choice, base: str, *, incomplete: bool) -> list[Item]:
    """The items of an answer. `base` makes their ids; the last one is incomplete where the answer is."""
    items: list[Item] = []
    content: list[Item] = []
    logprobs = choice.logprobs
    last = len(choice.parts) - 1
    for place, part in enumerate(choice.parts):
        status = INCOMPLETE if incomplete and place == last else COMPLETED
        if isinstance(part, (Text, Refusal)):
            content.append(content_of(part, logprobs_of(logprobs)))
            logprobs = None
            if place == last or not isinstance(choice.parts[place + 1], (Text, Refusal)):
                items.append(message_item(item_id("msg", base, len(items)), content, status, choice.phase))
                content = []
        else:
            items.append(item_of(part, base, len(items), status))
    return items


def item_id(prefix: str, base: str, place: int) -> str:
    return f"{prefix}_{base}{place:02d}"


def item_of(part: Part, base: str, place: int, status: str) -> Item:
    """An item of its own: anything but text."""
    match part:
        case Reasoning():
            return reasoning_item(part, part.id or item_id("rs", base, place), status)
        case ToolCall():
            return call_item(part, call_item_id(part, base, place), status)
        case _:
            return other_item(part, item_id("ext", base, place), status)


def other_item(part: Part, own_id: str, status: str) -> Item:
    """An item of a kind that is not common to all dialects."""
    if isinstance(part, Opaque) and part.dialect is Dialect.RESPONSES:
        return msgspec.json.decode(part.raw, type=dict[str, msgspec.Raw])
    return foreign_item(part, own_id, status)


def message_item(own_id: str, content: Sequence[Item], status: str, phase: str | None) -> Item:
    item: dict[str, object] = {
        "id": own_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }
    if phase is not None:
        item["phase"] = phase
    return item


def content_of(part: Text | Refusal, logprobs: Sequence[object] = ()) -> Item:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": annotations_of(part), "logprobs": logprobs}


def reasoning_item(part: Reasoning, own_id: str, status: str) -> Item:
    item: dict[str, object] = {
        "id": own_id,
        "type": "reasoning",
        "status": status,
        "summary": [{"type": "summary_text", "text": one} for one in part.summary],
    }
    if part.text:
        item["content"] = [{"type": "reasoning_text", "text": part.text}]
    if (encrypted := encrypted_of(part)) is not None:
        item["encrypted_content"] = encrypted
    return item


def call_item_id(part: ToolCall, base: str, place: int) -> str:
    return part.item_id or item_id("ctc" if part.custom else "fc", base, place)


def call_item(part: ToolCall, own_id: str, status: str) -> Item:
    if part.custom:
        return {
            "id": own_id,
            "type": "custom_tool_call",
            "status": status,
            "call_id": part.id,
            "name": part.name,
            "input": part.arguments,
        }
    arguments = part.arguments if part.arguments or status != COMPLETED else _EMPTY_CALL
    return {
        "id": own_id,
        "type": "function_call",
        "status": status,
        "call_id": part.id,
        "name": part.name,
        "arguments": arguments,
    }


def usage_of(usage: Usage) -> Mapping[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens + usage.cache_write_1h_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def tier_of(dialect: Dialect | None, extra: Extra) -> str:
    """The service tier that answered, where the provider is one that knows them."""
    raw = extra.get("service_tier") if dialect is Dialect.OPENAI else None
    found = None if raw is None else msgspec.json.decode(raw)
    return found if found in _TIERS else "default"
