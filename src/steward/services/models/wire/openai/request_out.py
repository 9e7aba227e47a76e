"""A request, written for a provider."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Dialect,
    ModelRequest,
    OutputFormat,
    OutputKind,
    Thinking,
    Tool,
    ToolChoice,
    ToolMode,
)
from steward.services.models.wire.openai.content_out import NAME, Telling
from steward.services.models.wire.openai.fields import encode, put_back
from steward.services.models.wire.openai.messages_out import write_messages
from steward.services.models.wire.openai.request_in import SAME

_PLAIN: Final = ("temperature", "top_p", "parallel_tool_calls", *SAME)
_OPTIONS: Final = "stream_options"
_NOT_TOLD: Final = frozenset((_OPTIONS, "anthropic-beta"))
_SHARED: Final = frozenset(("prompt_cache_key", "prompt_cache_retention", "safety_identifier"))
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNNAMED: Final = "output"
"""For an answer's schema of a dialect in which schemas have no names."""
_TIERS: Final[Mapping[str, str]] = {"standard_only": "default"}


def write_request(request: ModelRequest, *, model: str, stream: bool, newer: bool) -> bytes:
    """The body. Raises `CannotExpress` for what the dialect cannot say.

    `top_k` is not OpenAI's: it is told where a caller of this dialect named it, for its provider will know it.
    """
    telling = Telling(request.dialect, newer)
    told: dict[str, object] = {"model": model, "messages": write_messages(request.messages, telling)}
    for name in _PLAIN:
        value = getattr(request, name)
        if value is not None:
            told[name] = value
    told.update(_others(request, newer=newer))
    if request.tools:
        told["tools"] = [_tool(tool, telling, f"tools[{place}]") for place, tool in enumerate(request.tools)]
    if request.tool_choice is not None:
        told["tool_choice"] = _tool_choice(request.tool_choice, request.dialect)
    for name, raw in _parameters(request, telling):
        told.setdefault(name, raw)
    told["stream"] = stream
    if stream:
        more: dict[str, Any] = _FIELDS.decode(request.extra[_OPTIONS]) if _OPTIONS in request.extra else {}
        told[_OPTIONS] = {**more, "include_usage": True}
    return encode(told)


def _parameters(request: ModelRequest, telling: Telling) -> Iterator[tuple[str, msgspec.Raw]]:
    """Parameters that the message model has no field for.

    Responses has some of the same name and meaning; the header of Anthropic's betas is none of the request's words.
    """
    for name, raw in request.extra.items():
        if name in _NOT_TOLD:
            continue
        if not (request.dialect is Dialect.RESPONSES and name in _SHARED):
            telling.check({name: raw}, "")
        yield name, raw


def _others(request: ModelRequest, *, newer: bool) -> Iterator[tuple[str, object]]:
    """Parameters that have another form, or another name, here."""
    if request.max_output_tokens is not None:
        yield "max_completion_tokens" if newer else "max_tokens", request.max_output_tokens
    if request.stop:
        yield "stop", list(request.stop)
    if request.choices != 1:
        yield "n", request.choices
    if request.top_k is not None:
        if request.dialect is not Dialect.OPENAI:
            raise CannotExpress("top_k", NAME)
        yield "top_k", request.top_k
    if request.thinking is not None and (effort := _effort(request.thinking)) is not None:
        yield "reasoning_effort", effort
    if request.output is not None:
        yield "response_format", _output(request.output)
    if request.dialect is Dialect.ANTHROPIC and request.service_tier in _TIERS:
        yield "service_tier", _TIERS[request.service_tier]


def _effort(thinking: Thinking) -> str | None:
    """Thinking that is off is effort `none`; that adapts is what models do here unasked."""
    for name in ("budget_tokens", "summary"):
        if getattr(thinking, name) is not None:
            raise CannotExpress(f"thinking.{name}", NAME)
    if thinking.extra:
        raise CannotExpress(f"thinking.{next(iter(thinking.extra))}", NAME)
    return "none" if thinking.mode == "disabled" else thinking.effort


def _output(output: OutputFormat) -> dict[str, object]:
    if output.kind is not OutputKind.SCHEMA:
        return {"type": output.kind.value}
    schema: dict[str, object] = {"name": output.name or _UNNAMED}
    for name in ("description", "schema", "strict"):
        value = getattr(output, name)
        if value is not None:
            schema[name] = value
    return {"type": "json_schema", "json_schema": schema}


def _tool(tool: Tool, telling: Telling, path: str) -> object:
    if tool.opaque is not None:
        if tool.dialect is not Dialect.OPENAI:
            raise CannotExpress(f"{path} ({tool.name})", NAME)
        return tool.opaque
    extra = telling.check(tool.extra, path)
    inner: dict[str, object] = {"name": tool.name}
    for name in ("description", "parameters", "strict", "format"):
        value = getattr(tool, name)
        if value is not None:
            inner[name] = value
    kind = "custom" if tool.custom else "function"
    told: dict[str, object] = {"type": kind, kind: inner}
    telling.hint(tool.cache, told)
    return put_back(told, extra, kind) if extra else told


def _tool_choice(choice: ToolChoice, dialect: Dialect | None) -> object:
    if choice.raw is not None:
        if dialect is Dialect.RESPONSES and choice.mode is ToolMode.ALLOWED:
            return _allowed(choice.raw)
        if dialect is not None and dialect is not Dialect.OPENAI:
            raise CannotExpress("tool_choice", NAME)
        return choice.raw
    if choice.mode is ToolMode.TOOL:
        kind = "custom" if choice.custom else "function"
        return {"type": kind, kind: {"name": choice.name}}
    return choice.mode.value


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    type: str


class _AllowedTools(msgspec.Struct, forbid_unknown_fields=True):
    """As Responses writes it."""

    tools: list[_Named]
    mode: str = "auto"
    type: str = "allowed_tools"


_ALLOWED: Final = msgspec.json.Decoder(_AllowedTools)


def _allowed(raw: msgspec.Raw) -> dict[str, object]:
    """Some of the tools: Responses has the same with one level less."""
    try:
        said = _ALLOWED.decode(raw)
    except msgspec.DecodeError as error:
        raise CannotExpress("tool_choice", NAME) from error
    if any(tool.type not in {"function", "custom"} for tool in said.tools):
        raise CannotExpress("tool_choice.tools", NAME)
    tools = [{"type": tool.type, tool.type: {"name": tool.name}} for tool in said.tools]
    return {"type": "allowed_tools", "allowed_tools": {"mode": said.mode, "tools": tools}}
