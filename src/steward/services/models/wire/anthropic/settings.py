"""Thinking, structured output, the end user and what else a request sets, both ways."""

from collections.abc import Mapping
from typing import Final

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Dialect,
    Extra,
    ModelRequest,
    OutputFormat,
    OutputKind,
    Thinking,
)
from steward.services.models.wire.anthropic.betas import BETAS
from steward.services.models.wire.anthropic.blocks import put_extra
from steward.services.models.wire.anthropic.fields import Fields, Object, as_raw

_DIALECT: Final = Dialect.ANTHROPIC
_EFFORTS: Final = frozenset({"low", "medium", "high", "xhigh", "max"})
_HOTTEST: Final = 1.0
_TIERS: Final[Mapping[str, str]] = {"auto": "auto", "default": "standard_only"}
"""OpenAI's words, of which Anthropic knows the sense."""


def decode_output(fields: Fields) -> tuple[Thinking | None, OutputFormat | None]:
    """`thinking` and `output_config`; of the latter, what is not known here stays among the fields.

    `output_format` is the older name of `output_config.format` and means the same.
    """
    config = fields.object("output_config")
    effort = None if config is None else config.text("effort")
    output = _decode_format(fields, "output_format")
    if config is not None:
        output = _decode_format(config, "format") or output
        _leave(fields, "output_config", config)
    return _decode_thinking(fields.object("thinking"), effort), output


def _decode_thinking(fields: Fields | None, effort: str | None) -> Thinking | None:
    if fields is None:
        return None if effort is None else Thinking(effort=effort)
    return Thinking(
        mode=fields.needed("type"),
        budget_tokens=fields.count("budget_tokens"),
        effort=effort,
        extra=fields.rest(),
    )


def _decode_format(fields: Fields, name: str) -> OutputFormat | None:
    """One of a form that is not known here stays among the fields."""
    raw = fields.raw(name)
    if raw is None:
        return None
    given = Fields.of(raw, name)
    kind, schema = given.text("type"), given.raw("schema")
    if kind == "json_schema" and schema is not None and not given.rest():
        return OutputFormat(kind=OutputKind.SCHEMA, schema=schema)
    fields.left[name] = raw
    return None


def decode_user(fields: Fields) -> str | None:
    """`metadata.user_id`; other metadata stay among the fields."""
    metadata = fields.object("metadata")
    if metadata is None:
        return None
    user = metadata.text("user_id")
    _leave(fields, "metadata", metadata)
    return user


def _leave(fields: Fields, name: str, left: Fields) -> None:
    if rest := left.rest():
        fields.left[name] = as_raw(rest)


def encode_settings(request: ModelRequest, body: Object, *, own: bool) -> None:
    """Raises `CannotExpress` naming the parameter, in OpenAI's words where the request came from there."""
    _refuse_foreign(request)
    if request.temperature is not None:
        if request.temperature > _HOTTEST and not own:
            raise CannotExpress("temperature above 1", _DIALECT)
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    if request.stop:
        body["stop_sequences"] = request.stop
    if request.service_tier is not None:
        tier = request.service_tier if own else _TIERS.get(request.service_tier)
        if tier is None:
            raise CannotExpress(f"service_tier {request.service_tier!r}", _DIALECT)
        body["service_tier"] = tier
    _encode_thinking(request.thinking, body, own=own)
    _encode_format(request.output, body)
    if request.user is not None:
        body["metadata"] = {"user_id": request.user}


def _refuse_foreign(request: ModelRequest) -> None:
    """What Anthropic has no words for; a value that changes nothing is as good as none."""
    asked: Mapping[str, object] = {
        "n": request.choices > 1,
        "seed": request.seed is not None,
        "logprobs": request.logprobs,
        "top_logprobs": request.top_logprobs,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "logit_bias": request.logit_bias,
        "verbosity": request.verbosity,
    }
    for name, value in asked.items():
        if value:
            raise CannotExpress(name, _DIALECT)


def _encode_thinking(thinking: Thinking | None, body: Object, *, own: bool) -> None:
    if thinking is None:
        return
    effort, mode = thinking.effort, thinking.mode
    if not own:
        effort, mode = _thinking_from(thinking)
    if thinking.summary is not None:
        raise CannotExpress("reasoning.summary", _DIALECT)
    if mode is not None:
        said: Object = {"type": mode}
        if thinking.budget_tokens is not None:
            said["budget_tokens"] = thinking.budget_tokens
        put_extra(said, thinking.extra, "thinking", own=own)
        body["thinking"] = said
    if effort is not None:
        body["output_config"] = {"effort": effort}


def _thinking_from(thinking: Thinking) -> tuple[str | None, str | None]:
    """Effort and mode of a request that came in another dialect.

    An effort asks for thinking: `adaptive`, for that is the mode which effort steers; `none` forbids it.
    """
    effort = thinking.effort
    if effort == "none":
        return None, "disabled"
    if effort is not None and effort not in _EFFORTS:
        raise CannotExpress(f"reasoning_effort {effort!r}", _DIALECT)
    if thinking.mode is not None:
        return effort, thinking.mode
    if thinking.budget_tokens is not None:
        return effort, "enabled"
    return effort, None if effort is None else "adaptive"


def _encode_format(output: OutputFormat | None, body: Object) -> None:
    """A schema's `name` is a label and `strict` what Anthropic always is: both are left out."""
    if output is None or output.kind is OutputKind.TEXT:
        return
    if output.kind is not OutputKind.SCHEMA or output.schema is None:
        raise CannotExpress(f"response_format {output.kind}", _DIALECT)
    if output.description is not None:
        raise CannotExpress("response_format.json_schema.description", _DIALECT)
    config = body.setdefault("output_config", {})
    if isinstance(config, dict):
        config["format"] = {"type": "json_schema", "schema": output.schema}


def merge_extra(body: Object, extra: Extra, *, own: bool) -> None:
    """Give back what was left over of `output_config` and `metadata`, and all other parameters."""
    for name, raw in extra.items():
        if name == BETAS:
            continue
        if not own:
            raise CannotExpress(name, _DIALECT)
        known = body.get(name)
        body[name] = {**Fields.of(raw, name).left, **known} if isinstance(known, dict) else raw
