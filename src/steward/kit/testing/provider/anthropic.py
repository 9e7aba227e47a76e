"""The fake provider's side of Anthropic Messages, version 2023-06-01."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from steward.kit.testing.provider.replies import Reply, Tokens
from steward.kit.testing.provider.speech import Event, Speech, SpokenPart

PREFIX = "msg_"
OVERLOADED = 529
_KINDS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}


def whole(speech: Speech) -> bytes:
    """The body of a `message`."""
    body = _message(speech)
    body["content"] = [_block(part, speech, part.text) for part in speech.parts]
    body["stop_reason"] = _reason(speech)
    if not speech.reply.untold:
        body["usage"] = usage(speech.told)
    return msgspec.json.encode(body)


def events(speech: Speech) -> Iterator[Event]:
    """The stream from `message_start` to `message_stop`."""
    started = _message(speech)
    if not speech.reply.untold:
        started["usage"] = {**usage(speech.told), "output_tokens": min(1, speech.told.output)}
    yield _event("message_start", message=started)
    yield _event("ping")
    said = 0
    for index, part in enumerate(speech.parts):
        yield _event("content_block_start", said, index=index, content_block=_block(part, speech, ""))
        for piece in part.pieces:
            said += 1
            yield _event("content_block_delta", said, index=index, delta=_delta(part, piece))
        if part.kind == "reasoning":
            signature = {"type": "signature_delta", "signature": speech.reply.signature}
            yield _event("content_block_delta", said, index=index, delta=signature)
        yield _event("content_block_stop", said, index=index)
    told = {} if speech.reply.untold else usage(speech.told)
    delta = {"stop_reason": _reason(speech), "stop_sequence": None}
    yield _event("message_delta", said, delta=delta, usage=told)
    yield _event("message_stop", said)


def error(reply: Reply, message: str, request_id: str) -> bytes:
    """The body of an error."""
    return msgspec.json.encode({"type": "error", "error": _error(reply, message), "request_id": request_id})


def error_event(reply: Reply, message: str) -> bytes:
    """An error in mid stream."""
    return _event("error", error=_error(reply, message)).data


def usage(tokens: Tokens) -> dict[str, Any]:
    """Tokens in Anthropic's words: its `input_tokens` are those that no cache has to do with."""
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.output,
    }


def _message(speech: Speech) -> dict[str, Any]:
    return {
        "id": speech.id,
        "type": "message",
        "role": "assistant",
        "model": speech.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(part: SpokenPart, speech: Speech, text: str) -> dict[str, Any]:
    if part.call is not None:
        arguments = msgspec.Raw(text.encode() if text and text == part.call.arguments else b"{}")
        return {"type": "tool_use", "id": part.call.id, "name": part.call.name, "input": arguments}
    if part.kind == "reasoning":
        return {"type": "thinking", "thinking": text, "signature": speech.reply.signature if text else ""}
    return {"type": "text", "text": text}


def _delta(part: SpokenPart, piece: str) -> dict[str, Any]:
    if part.call is not None:
        return {"type": "input_json_delta", "partial_json": piece}
    if part.kind == "reasoning":
        return {"type": "thinking_delta", "thinking": piece}
    return {"type": "text_delta", "text": piece}


def _reason(speech: Speech) -> str:
    if speech.reply.stop:
        return speech.reply.stop
    if speech.cut:
        return "max_tokens"
    if speech.reply.refusal:
        return "refusal"
    return "tool_use" if speech.reply.calls else "end_turn"


def _event(name: str, pieces: int = 0, /, **fields: object) -> Event:
    data = msgspec.json.encode({"type": name, **fields})
    return Event(b"event: %b\ndata: %b\n\n" % (name.encode(), data), pieces)


def _error(reply: Reply, message: str) -> dict[str, Any]:
    kind = reply.error_type or _KINDS.get(reply.status, "api_error")
    return {"type": kind, "message": reply.error_message or message}
