"""A whole answer of Anthropic's, read into the message model."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Choice, Dialect, ModelReply, StopReason, Usage
from steward.services.models.wire.anthropic.blocks import decode_block
from steward.services.models.wire.anthropic.fields import Fields, Malformed, at
from steward.services.models.wire.anthropic.usage import decode_usage

_STOPS: Final[Mapping[str, StopReason]] = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "tool_use": StopReason.TOOL_CALLS,
    "pause_turn": StopReason.PAUSED,
    "refusal": StopReason.REFUSED,
    "model_context_window_exceeded": StopReason.CONTEXT,
}


def decode_reply(body: bytes) -> ModelReply:
    """Raises `ProviderFailure`."""
    try:
        body.decode()
        fields = Fields.of(body, "")
        return _decode(fields)
    except Malformed as error:
        raise unreadable(str(error)) from error
    except UnicodeDecodeError as error:
        raise unreadable("it is not valid UTF-8") from error


def unreadable(reason: str) -> ProviderFailure:
    return ProviderFailure(FailureKind.MALFORMED, f"the provider's answer cannot be read: {reason}")


def _decode(fields: Fields) -> ModelReply:
    if fields.text("type") == "error":
        raise Malformed("type", "an error with the status of an answer")
    fields.left.pop("role", None)
    content = fields.raws("content")
    if content is None:
        raise Malformed("content", "it must be there, a list of blocks")
    usage = fields.object("usage")
    stop, stop_raw = decode_stop(fields)
    choice = Choice(
        parts=[decode_block(raw, at("content", index)) for index, raw in enumerate(content)],
        stop=stop or StopReason.OTHER,
        stop_raw=stop_raw,
        stop_sequence=fields.text("stop_sequence"),
        extra=stop_details(fields),
    )
    return ModelReply(
        id=fields.needed("id"),
        model=fields.needed("model"),
        choices=[choice],
        usage=Usage() if usage is None else decode_usage(usage),
        dialect=Dialect.ANTHROPIC,
        extra=fields.rest(),
    )


def decode_stop(fields: Fields) -> tuple[StopReason | None, str | None]:
    """The reason, and Anthropic's word where it is none of ours; None where it gives none."""
    word = fields.text("stop_reason")
    if word is None:
        return None, None
    reason = _STOPS.get(word)
    return (StopReason.OTHER, word) if reason is None else (reason, None)


def stop_details(fields: Fields) -> Mapping[str, msgspec.Raw]:
    """`stop_details`, which belong to the choice."""
    raw = fields.raw("stop_details")
    return {} if raw is None else {"stop_details": raw}
