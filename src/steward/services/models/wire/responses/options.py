"""Tools, the choice of a tool, the format of the text and the reasoning that a request asks for."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import (
    Dialect,
    OutputFormat,
    OutputKind,
    Thinking,
    Tool,
    ToolChoice,
    ToolMode,
)
from steward.services.models.wire.responses.fields import Fields

_MODES: Final[Mapping[str, ToolMode]] = {one.value: one for one in (ToolMode.NONE, ToolMode.AUTO, ToolMode.REQUIRED)}
_AS_IT_LIKES: Final = "auto"
_FORMATS: Final = frozenset(one.value for one in OutputKind)
_NAMED: Final = frozenset(("function", "custom"))


class Picked(msgspec.Struct, frozen=True):
    """The tools that a model may call and how it is to choose."""

    tools: Sequence[Tool]
    choice: ToolChoice | None = None


def tools_of(fields: Fields) -> list[Tool]:
    return [_tool(one) for one in fields.objects("tools")]


def picked(fields: Fields, tools: Sequence[Tool]) -> Picked:
    """`tool_choice` in all its forms.

    `allowed_tools` is held by telling the model of no others (Open Responses wants it held as a hard limit, whatever
    the provider knows of it).
    """
    if fields.is_text("tool_choice"):
        return Picked(tools, ToolChoice(mode=_MODES[fields.one_of("tool_choice", _MODES) or "auto"]))
    given = fields.object("tool_choice")
    if given is None:
        return Picked(tools)
    kind = given.needed("type")
    if kind == "allowed_tools":
        return _allowed(given, tools)
    if kind in _NAMED:
        choice = ToolChoice(mode=ToolMode.TOOL, name=given.needed("name"), custom=kind == "custom")
    else:
        choice = ToolChoice(mode=ToolMode.TOOL, name=kind, raw=given.whole(kind))
    return Picked(tools, choice)


def format_of(text: Fields) -> OutputFormat | None:
    given = text.object("format")
    if given is None:
        return None
    kind = given.one_of("type", _FORMATS)
    if kind is None:
        raise InvalidParameter(given.name("type"), f"is missing: one of {', '.join(sorted(_FORMATS))}")
    if kind == OutputKind.TEXT:
        return None
    if kind == OutputKind.JSON:
        return OutputFormat(kind=OutputKind.JSON)
    schema = given.raw("schema")
    if schema is None:
        raise InvalidParameter(given.name("schema"), "is missing: give the JSON Schema of the answer")
    return OutputFormat(
        kind=OutputKind.SCHEMA,
        name=given.needed("name"),
        description=given.text("description"),
        schema=schema.copy(),
        strict=given.flag("strict"),
    )


def thinking_of(fields: Fields) -> Thinking | None:
    """A summary `auto` leaves it to the model whether there is one, so that no provider need be told."""
    given = fields.object("reasoning")
    if given is None:
        return None
    effort = given.text("effort")
    older = given.text("generate_summary")
    summary = given.text("summary") or older
    if summary == _AS_IT_LIKES:
        summary = None
    extra = given.rest()
    if effort is None and summary is None and not extra:
        return None
    return Thinking(effort=effort, summary=summary, extra=extra)


def _tool(fields: Fields) -> Tool:
    kind = fields.needed("type")
    if kind not in _NAMED:
        return Tool(name=kind, opaque=fields.whole(kind), dialect=Dialect.RESPONSES)
    name = fields.needed("name")
    description = fields.text("description")
    if kind == "custom":
        given = fields.raw("format")
        return Tool(name=name, description=description, custom=True, format=given and given.copy(), extra=fields.rest())
    parameters = fields.raw("parameters")
    return Tool(
        name=name,
        description=description,
        parameters=parameters and parameters.copy(),
        strict=fields.flag("strict"),
        extra=fields.rest(),
    )


def _allowed(given: Fields, tools: Sequence[Tool]) -> Picked:
    mode = _MODES[given.one_of("mode", _MODES) or "auto"]
    kept: list[Tool] = []
    for one in given.objects("tools"):
        kind = one.needed("type")
        name = one.needed("name") if kind in _NAMED else kind
        found = [tool for tool in tools if tool.name == name and (tool.opaque is None) == (kind in _NAMED)]
        if not found:
            raise InvalidParameter(one.path, f"{name[:80]!r} is not among the tools of the request")
        kept += found
    if not kept:
        raise InvalidParameter(given.name("tools"), "is empty: name a tool, or choose 'none'")
    return Picked(kept, ToolChoice(mode=mode))
