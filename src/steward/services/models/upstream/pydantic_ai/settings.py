"""What a request sets, in the library's words: settings, tools and the form of the output."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from steward.services.models.messages import ModelRequest, OutputKind, Thinking, Tool, ToolChoice, ToolMode
from steward.services.models.upstream.pydantic_ai.library import Library, inexpressible
from steward.services.models.wire.anthropic.betas import BETAS

if TYPE_CHECKING:
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.tools import ToolDefinition

_SAME: Mapping[str, str] = {
    "max_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "parallel_tool_calls": "parallel_tool_calls",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "service_tier": "service_tier",
}
"""Theirs and ours."""
_UNSAID = ("logprobs", "top_logprobs", "user", "metadata", "verbosity")
_TIERS = frozenset({"auto", "default", "flex", "priority"})
_EFFORTS = frozenset({"minimal", "low", "medium", "high", "xhigh", "max"})


def settings_of(model: "Model", request: ModelRequest) -> "ModelSettings":
    """The settings; retries are ours to make. Raises `CannotExpress` for what the model's class would leave out."""
    _check(request)
    made: dict[str, Any] = {name: getattr(request, ours) for name, ours in _SAME.items()}
    made["stop_sequences"] = list(request.stop) or None
    made["tool_choice"] = _choice(request.tool_choice) if request.tool_choice else None
    made["thinking"] = _thinking(request.thinking) if request.thinking else None
    if request.logit_bias:
        made["logit_bias"] = {token: int(bias) for token, bias in request.logit_bias.items()}
    made = {name: value for name, value in made.items() if value is not None}
    for name in made:
        if name in model.unsupported_settings:
            raise inexpressible(_SAME.get(name, name))
    return cast("ModelSettings", {**made, "max_retries": 0})


def parameters_of(library: Library, request: ModelRequest) -> "ModelRequestParameters":
    """Tools and the form of the output. Raises `CannotExpress`."""
    made = library.models.ModelRequestParameters(function_tools=[_tool(library, tool) for tool in request.tools])
    output = request.output
    if output is None or output.kind is OutputKind.TEXT:
        return made
    if output.kind is OutputKind.JSON or output.schema is None:
        raise inexpressible("response_format of type json_object")
    made.output_mode = "native"
    made.output_object = library.output.OutputObjectDefinition(
        json_schema=msgspec.json.decode(output.schema, type=dict[str, Any]),
        name=output.name,
        description=output.description,
        strict=output.strict,
    )
    return made


def _check(request: ModelRequest) -> None:
    for name in _unsaid(request):
        raise inexpressible(name)


def _unsaid(request: ModelRequest) -> Iterator[str]:
    yield from (name for name in _UNSAID if getattr(request, name) is not None)
    yield from (name for name in request.extra if name != BETAS)
    if request.choices != 1:
        yield "n"
    if request.service_tier is not None and request.service_tier not in _TIERS:
        yield "service_tier"


def _tool(library: Library, tool: Tool) -> "ToolDefinition":
    if tool.custom or tool.opaque is not None or tool.extra:
        raise inexpressible(f"tool {tool.name!r}")
    make: Callable[..., ToolDefinition] = library.tools.ToolDefinition
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    if tool.parameters is not None:
        schema = msgspec.json.decode(tool.parameters, type=dict[str, Any])
    return make(name=tool.name, description=tool.description, parameters_json_schema=schema, strict=tool.strict)


def _choice(choice: ToolChoice) -> str | list[str]:
    match choice.mode:
        case ToolMode.AUTO | ToolMode.NONE | ToolMode.REQUIRED:
            return choice.mode.value
        case ToolMode.TOOL if choice.name is not None and not choice.custom:
            return [choice.name]
        case _:
            raise inexpressible("tool_choice")


def _thinking(thinking: Thinking) -> str | bool:
    if thinking.budget_tokens is not None:
        raise inexpressible("thinking.budget_tokens")
    if thinking.summary is not None or thinking.extra:
        raise inexpressible("reasoning.summary" if thinking.summary else "thinking")
    if thinking.effort is not None and thinking.effort not in {*_EFFORTS, "none"}:
        raise inexpressible("reasoning_effort")
    if thinking.mode == "disabled" or thinking.effort == "none":
        return False
    return thinking.effort or True
