"""Why an answer ended, in the dialect's words and in ours."""

from collections.abc import Mapping
from typing import Final

from steward.services.models.messages import Dialect, StopReason

_HEARD: Final[Mapping[str, StopReason]] = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "content_filter": StopReason.FILTERED,
    # Words of providers that follow OpenAI in the rest.
    "eos": StopReason.END,
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "max_tokens": StopReason.LENGTH,
    "model_length": StopReason.CONTEXT,
    "tool_use": StopReason.TOOL_CALLS,
    "safety": StopReason.FILTERED,
}
_TOLD: Final[Mapping[StopReason, str]] = {
    StopReason.LENGTH: "length",
    StopReason.CONTEXT: "length",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.FILTERED: "content_filter",
}
_PLAIN: Final[Mapping[StopReason, str]] = {
    StopReason.END: "stop",
    StopReason.LENGTH: "length",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.FILTERED: "content_filter",
}


def read_stop(word: str | None, *, calls: bool, refused: bool, sequence: str | None) -> tuple[StopReason, str | None]:
    """The reason, and the provider's word where ours says more or less.

    "stop" is also what is said after a refusal, a stop sequence and, by some providers and by OpenAI for a tool that
    was demanded, after tool calls: the answer shows which it was.
    """
    if word is None:
        return (StopReason.TOOL_CALLS if calls else StopReason.OTHER), None
    stop = _HEARD.get(word, StopReason.OTHER)
    if stop is StopReason.END:
        if calls:
            stop = StopReason.TOOL_CALLS
        elif refused:
            stop = StopReason.REFUSED
        elif sequence is not None:
            stop = StopReason.STOP_SEQUENCE
    return stop, None if _PLAIN.get(stop) == word else word


def write_stop(stop: StopReason, raw: str | None, dialect: Dialect | None, *, refused: bool) -> str:
    """The word for a reason; a refusal that was not put in words is told as OpenAI's filter."""
    if raw is not None and dialect is Dialect.OPENAI:
        return raw
    if stop is StopReason.REFUSED and not refused:
        return "content_filter"
    return _TOLD.get(stop, "stop")
