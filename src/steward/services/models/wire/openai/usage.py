"""Token counts, as OpenAI and the providers that follow it tell them."""

import math
from typing import Any, Final, cast

import msgspec

from steward.services.models.messages import Usage
from steward.services.models.wire.openai.fields import encode

_COUNTS: Final = msgspec.json.Decoder(dict[str, Any])
_IN: Final = "prompt_tokens_details"
_OUT: Final = "completion_tokens_details"
_PREDICTED: Final = ("accepted_prediction_tokens", "rejected_prediction_tokens")


def read_usage(raw: msgspec.Raw) -> Usage:
    """Usage from a provider's object.

    Some count reasoning beside `completion_tokens` and show it in `total_tokens` only; output is then what the total
    leaves, so that it is never below the provider's count. What they wrote of it stays in `extra` and is told again.
    Also read: `prompt_cache_hit_tokens` (DeepSeek) and a `cached_tokens` outside the details (Moonshot).
    """
    said = _COUNTS.decode(raw)
    into, out = _object(said.pop(_IN, None)), _object(said.pop(_OUT, None))
    prompt, completion = _take(said, "prompt_tokens"), _take(said, "completion_tokens")
    total = _take(said, "total_tokens")
    written = max(completion, total - prompt)
    cached = _take(into, "cached_tokens") or _count(said.get("prompt_cache_hit_tokens", said.get("cached_tokens")))
    reasoning = _take(out, "reasoning_tokens")
    for name in _PREDICTED:
        if not out.get(name):
            out.pop(name, None)
    if reasoning > written:
        out["reasoning_tokens"] = reasoning
    if written != completion:
        said["completion_tokens"] = completion
    if total and total != prompt + written:
        said["total_tokens"] = total
    return Usage(
        input_tokens=prompt,
        cache_read_tokens=min(cached, prompt),
        cache_write_tokens=_take(into, "cache_write_tokens"),
        output_tokens=written,
        reasoning_tokens=min(reasoning, written),
        audio_input_tokens=_take(into, "audio_tokens"),
        audio_output_tokens=_take(out, "audio_tokens"),
        extra={name: msgspec.Raw(encode(value)) for name, value in _left(said, into, out).items()},
    )


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _left(said: dict[str, Any], into: dict[str, Any], out: dict[str, Any]) -> dict[str, Any]:
    if into:
        said[_IN] = into
    if out:
        said[_OUT] = out
    return said


def _take(counts: dict[str, Any], name: str) -> int:
    return _count(counts.pop(name, 0))


def _count(value: object) -> int:
    return max(int(value), 0) if isinstance(value, int | float) and math.isfinite(value) else 0


def write_usage(usage: Usage, *, own: bool) -> dict[str, object]:
    """The object of an answer. `own`: `usage.extra` is of this dialect and is told, too."""
    into: dict[str, object] = {"cached_tokens": usage.cache_read_tokens, "audio_tokens": usage.audio_input_tokens}
    if written := usage.cache_write_tokens + usage.cache_write_1h_tokens:
        into["cache_write_tokens"] = written
    told: dict[str, object] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        _IN: into,
        _OUT: {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.audio_output_tokens,
            **dict.fromkeys(_PREDICTED, 0),
        },
    }
    if own:
        for name, raw in usage.extra.items():
            inner = told.get(name)
            told[name] = {**inner, **_COUNTS.decode(raw)} if isinstance(inner, dict) else raw
    return told
