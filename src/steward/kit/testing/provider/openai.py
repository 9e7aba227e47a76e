"""The fake provider's side of OpenAI Chat Completions, Embeddings and Models."""

import hashlib
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from steward.kit.testing.provider.replies import Asked, Reply, Tokens
from steward.kit.testing.provider.speech import Event, Speech, SpokenPart

PREFIX = "chatcmpl-"
CREATED = 1_760_000_000
_KINDS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_CODES: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def whole(speech: Speech) -> bytes:
    """The body of `chat.completion`."""
    body: dict[str, Any] = {
        "id": speech.id,
        "object": "chat.completion",
        "created": CREATED,
        "model": speech.model,
        "choices": [
            {"index": 0, "message": _message(speech), "logprobs": None, "finish_reason": _reason(speech)},
        ],
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }
    if not speech.reply.untold:
        body["usage"] = usage(speech.told)
    return msgspec.json.encode(body)


def events(speech: Speech, asked: Asked) -> Iterator[Event]:
    """The stream of `chat.completion.chunk`, up to `[DONE]`."""
    yield _chunk(speech, {"role": "assistant", "content": "", "refusal": None})
    said = calls = 0
    for part in speech.parts:
        if part.call is not None:
            function = {"name": part.call.name, "arguments": ""}
            start = {"index": calls, "id": part.call.id, "type": "function", "function": function}
            yield _chunk(speech, {"tool_calls": [start]}, pieces=said)
        for piece in part.pieces:
            said += 1
            yield _chunk(speech, _delta(part, piece, calls), pieces=said)
        calls += part.call is not None
    yield _chunk(speech, {}, reason=_reason(speech), pieces=said)
    options: dict[str, Any] = asked.body.get("stream_options") or {}
    if options.get("include_usage") and not speech.reply.untold:
        tail: dict[str, Any] = {**_head(speech), "choices": [], "usage": usage(speech.told)}
        yield Event(_event(tail), said)
    yield Event(b"data: [DONE]\n\n", said)


def error(reply: Reply, message: str) -> bytes:
    """The body of an error."""
    return msgspec.json.encode({"error": _error(reply, message)})


def error_event(reply: Reply, message: str) -> bytes:
    """An error in mid stream."""
    return _event({"error": _error(reply, message)})


def embeddings(asked: Asked, read: int) -> tuple[bytes, Tokens]:
    """Vectors that depend on nothing but the text."""
    given = asked.body.get("input", "")
    alone = isinstance(given, str) or (given and isinstance(given[0], int))
    texts: Sequence[Any] = [given] if alone else given
    size = int(asked.body.get("dimensions") or 8)
    vectors = [_vector(repr(text), size) for text in texts]
    as_base64 = asked.body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": at, "embedding": _base64(vector) if as_base64 else vector}
        for at, vector in enumerate(vectors)
    ]
    told = {"prompt_tokens": read // 4 + 1, "total_tokens": read // 4 + 1}
    body = {"object": "list", "data": data, "model": asked.body.get("model"), "usage": told}
    return msgspec.json.encode(body), Tokens(input=read // 4 + 1, output=0)


def models(names: Sequence[str]) -> bytes:
    """The list of models."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in names]
    return msgspec.json.encode({"object": "list", "data": data})


def usage(tokens: Tokens) -> dict[str, Any]:
    """Tokens in OpenAI's words."""
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _message(speech: Speech) -> dict[str, Any]:
    said = {kind: "".join(p.text for p in speech.parts if p.kind == kind) for kind in ("text", "refusal", "reasoning")}
    calls = [
        {"id": p.call.id, "type": "function", "function": {"name": p.call.name, "arguments": p.text}}
        for p in speech.parts
        if p.call is not None
    ]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said["text"] or (None if calls or said["refusal"] else ""),
        "refusal": said["refusal"] or None,
    }
    if said["reasoning"]:
        message["reasoning_content"] = said["reasoning"]
    if calls:
        message["tool_calls"] = calls
    return message


def _delta(part: SpokenPart, piece: str, calls: int) -> dict[str, Any]:
    if part.call is not None:
        return {"tool_calls": [{"index": calls, "function": {"arguments": piece}}]}
    names = {"text": "content", "refusal": "refusal", "reasoning": "reasoning_content"}
    return {names[part.kind]: piece}


def _reason(speech: Speech) -> str:
    if speech.reply.stop:
        return speech.reply.stop
    if speech.cut:
        return "length"
    return "tool_calls" if speech.reply.calls else "stop"


def _head(speech: Speech) -> dict[str, Any]:
    return {
        "id": speech.id,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": speech.model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _chunk(speech: Speech, delta: dict[str, Any], *, reason: str | None = None, pieces: int = 0) -> Event:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return Event(_event({**_head(speech), "choices": [choice]}), pieces)


def _event(body: object) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def _error(reply: Reply, message: str) -> dict[str, Any]:
    return {
        "message": reply.error_message or message,
        "type": reply.error_type or _KINDS.get(reply.status, "server_error"),
        "param": reply.error_param or None,
        "code": reply.error_code or _CODES.get(reply.status),
    }


def _vector(text: str, size: int) -> list[float]:
    values: list[float] = []
    while len(values) < size:
        digest = hashlib.sha256(f"{len(values)}:{text}".encode()).digest()
        values += [byte / 128 - 1 for byte in digest]
    return values[:size]


def _base64(vector: Sequence[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
