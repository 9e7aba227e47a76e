"""Tools and the choice among them, both ways."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import Dialect, ModelRequest, Tool, ToolChoice, ToolMode
from steward.services.models.wire.anthropic.blocks import put_extra
from steward.services.models.wire.anthropic.caching import put_cache, take_cache
from steward.services.models.wire.anthropic.fields import Fields, Object, Value

_DIALECT: Final = Dialect.ANTHROPIC
_OWN: Final = "custom"
"""A tool of the caller's, in Anthropic's words."""
_ANY_OBJECT: Final[Mapping[str, Value]] = {"type": "object", "properties": {}}
_MODES: Final[Mapping[str, ToolMode]] = {
    "auto": ToolMode.AUTO,
    "any": ToolMode.REQUIRED,
    "tool": ToolMode.TOOL,
    "none": ToolMode.NONE,
}
_WORDS: Final[Mapping[ToolMode, str]] = {mode: word for word, mode in _MODES.items()}


def decode_tool(raw: msgspec.Raw, path: str) -> Tool:
    """Raises `Malformed`."""
    fields = Fields.of(raw, path)
    kind = fields.text("type")
    if kind is not None and kind != _OWN:
        return Tool(name=fields.text("name") or kind, opaque=raw, dialect=_DIALECT)
    return Tool(
        name=fields.needed("name"),
        description=fields.text("description"),
        parameters=fields.raw("input_schema"),
        strict=fields.flag("strict"),
        cache=take_cache(fields),
        extra=fields.rest(),
    )


def decode_tool_choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether tools may be called in parallel, where the request says so."""
    raw = fields.raw("tool_choice")
    if raw is None:
        return None, None
    choice = Fields.of(raw, "tool_choice")
    mode, name = _MODES.get(choice.needed("type")), choice.text("name")
    alone = choice.flag("disable_parallel_tool_use")
    if mode is None or choice.rest() or (mode is ToolMode.TOOL) != (name is not None):
        return ToolChoice(mode=ToolMode.ALLOWED, raw=raw), None
    return ToolChoice(mode=mode, name=name), None if alone is None else not alone


def encode_tools(tools: Sequence[Tool], *, own: bool) -> list[Value]:
    """Raises `CannotExpress`."""
    return [_encode_tool(tool, f"tools[{index}]", own=own) for index, tool in enumerate(tools)]


def _encode_tool(tool: Tool, path: str, *, own: bool) -> Value:
    if tool.opaque is not None:
        if tool.dialect is not _DIALECT:
            raise CannotExpress(f"{path} ({tool.name})", _DIALECT)
        return tool.opaque
    if tool.custom:
        raise CannotExpress(f"{path} (custom tool {tool.name!r})", _DIALECT)
    block: Object = {"name": tool.name}
    if tool.description is not None:
        block["description"] = tool.description
    if tool.parameters is not None or not own:
        block["input_schema"] = tool.parameters or _ANY_OBJECT
    if tool.strict is not None:
        block["strict"] = tool.strict
    put_cache(block, tool.cache)
    put_extra(block, tool.extra, path, own=own)
    return block


def encode_tool_choice(request: ModelRequest, *, own: bool) -> Value:
    """None where the request leaves it open. Raises `CannotExpress`.

    A choice of no tool leaves `parallel_tool_calls` without a meaning, and Anthropic has no place for it there.
    """
    choice, parallel = request.tool_choice, request.parallel_tool_calls
    if choice is None:
        return None if parallel is None else {"type": "auto", "disable_parallel_tool_use": not parallel}
    if choice.raw is not None and own:
        return choice.raw
    word = _WORDS.get(choice.mode)
    if word is None or choice.raw is not None or choice.custom:
        raise CannotExpress("tool_choice", _DIALECT)
    said: Object = {"type": word}
    if choice.name is not None:
        said["name"] = choice.name
    if parallel is not None and choice.mode is not ToolMode.NONE:
        said["disable_parallel_tool_use"] = not parallel
    return said
