"""Tokens as Anthropic counts them.

Its `input_tokens` leaves out what was read from or written into the cache; ours holds all that was read. What a request
caused beside its own turns (compaction, an advisor) stands in `iterations` only, and is paid for: the message model
counts it, too, and keeps Anthropic's own sums in `Usage.extra`, so that they are given back as they came.
"""

from typing import Final

import msgspec

from steward.services.models.messages import Usage
from steward.services.models.wire.anthropic.fields import Fields, Malformed, Object, at

_OWN_SUMS: Final = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "cache_creation",
)
_NOT_BESIDE: Final = frozenset({"message", "fallback_message"})
"""Iterations that are turns of the answer itself."""


def decode_usage(fields: Fields) -> Usage:
    """Raises `Malformed`."""
    before = {name: raw for name in _OWN_SUMS if (raw := fields.left.get(name)) is not None}
    own = _sums(fields)
    reasoning = _reasoning(fields)
    extra = fields.rest()
    everything = _with_iterations(own, fields)
    if everything != own:
        extra = {**extra, **before}
    read_all, read_cached, written, written_1h, output = everything
    return Usage(
        input_tokens=read_all,
        cache_read_tokens=read_cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        output_tokens=output,
        reasoning_tokens=reasoning,
        extra=extra,
    )


_Sums = tuple[int, int, int, int, int]
"""All that was read, read from the cache, written into it, written for an hour, output."""


def _sums(fields: Fields) -> _Sums:
    cached = _count(fields, "cache_read_input_tokens")
    written, hour = _count(fields, "cache_creation_input_tokens"), 0
    raw = fields.left.get("cache_creation")
    split = fields.object("cache_creation")
    if raw is not None and split is not None:
        hour = _count(split, "ephemeral_1h_input_tokens")
        written = max(written, hour + _count(split, "ephemeral_5m_input_tokens"))
        if split.rest():
            fields.left["cache_creation"] = raw
    plain = _count(fields, "input_tokens")
    return plain + cached + written, cached, written - hour, hour, _count(fields, "output_tokens")


def _count(fields: Fields, name: str) -> int:
    count = fields.count(name) or 0
    if count < 0:
        raise Malformed(at(fields.path, name), f"{count} tokens cannot be")
    return count


def _reasoning(fields: Fields) -> int:
    raw = fields.left.get("output_tokens_details")
    details = fields.object("output_tokens_details")
    if raw is None or details is None:
        return 0
    count = _count(details, "thinking_tokens")
    if details.rest() or not count:
        fields.left["output_tokens_details"] = raw
    return count


def _with_iterations(own: _Sums, fields: Fields) -> _Sums:
    raw = fields.left.get("iterations")
    if raw is None:
        return own
    read, cached, written, hour, output = own
    for iteration in fields.raws("iterations") or ():
        one = Fields.of(iteration, at(fields.path, "iterations"))
        if one.text("type") not in _NOT_BESIDE:
            sums = _sums(one)
            read, cached, written = read + sums[0], cached + sums[1], written + sums[2]
            hour, output = hour + sums[3], output + sums[4]
    return read, cached, written, hour, output


def encode_usage(usage: Usage, *, own: bool) -> Object:
    """`own`: whether Anthropic answered, so that `extra` is its."""
    written, hour = usage.cache_write_tokens, usage.cache_write_1h_tokens
    said: Object = {
        "input_tokens": max(0, usage.input_tokens - usage.cache_read_tokens - written - hour),
        "cache_creation_input_tokens": written + hour,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": hour},
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        said["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if own:
        said.update(usage.extra)
    return said


def encode_later_usage(usage: Usage, first: Usage, *, own: bool) -> Object:
    """The tokens at the end of a stream that began with `first`: what is summed up, and what is new."""
    said = encode_usage(usage, own=own)
    if (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (
        first.cache_write_tokens,
        first.cache_write_1h_tokens,
    ):
        said.pop("cache_creation", None)
    if own:
        for name, raw in first.extra.items():
            if name not in _OWN_SUMS and _same(usage.extra.get(name), raw):
                said.pop(name, None)
    return said


def _same(one: msgspec.Raw | None, other: msgspec.Raw) -> bool:
    return one is not None and bytes(one) == bytes(other)
