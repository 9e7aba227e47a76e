"""Tools, the choice among them and the form of the answer, as a request names them."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Dialect, OutputFormat, OutputKind, Tool, ToolChoice, ToolMode
from steward.services.models.wire.openai.content import take_cache
from steward.services.models.wire.openai.fields import (
    NULL,
    Fields,
    begins,
    fields_of,
    keep,
    need_object,
    need_text,
    read,
    take,
    take_text,
    text_of,
)

_WORDS: Final[Mapping[str, ToolMode]] = {"auto": ToolMode.AUTO, "none": ToolMode.NONE, "required": ToolMode.REQUIRED}
_BOOL: Final = msgspec.json.Decoder(bool)


class _Schema(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    schema: msgspec.Raw = NULL
    strict: bool | None = None


class _Output(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


_OUTPUT: Final = msgspec.json.Decoder(_Output)


def read_tool(raw: msgspec.Raw, path: str) -> Tool:
    """One of `tools`; a provider's own tool is kept as it came."""
    fields = fields_of(raw, path)
    kind = need_text(fields, "type", path)
    if kind not in {"function", "custom"}:
        return Tool(name=kind, opaque=raw, dialect=Dialect.OPENAI)
    inner = need_object(fields, kind, path)
    inside = f"{path}.{kind}"
    name, description = need_text(inner, "name", inside), take_text(inner, "description", inside)
    cache = take_cache(fields)
    if kind == "custom":
        form = take(inner, "format")
        extra = keep(fields, kind, inner)
        return Tool(name=name, description=description, custom=True, format=form, cache=cache, extra=extra)
    parameters, strict = take(inner, "parameters"), take(inner, "strict")
    return Tool(
        name=name,
        description=description,
        parameters=parameters,
        strict=None if strict is None else read(_BOOL, strict, f"{inside}.strict"),
        cache=cache,
        extra=keep(fields, kind, inner),
    )


def read_tool_choice(raw: msgspec.Raw) -> ToolChoice:
    """A word, a tool, some tools (`allowed_tools`), or a form of a provider's own."""
    path = "tool_choice"
    if begins(raw, b'"'):
        mode = _WORDS.get(text_of(raw, path))
        if mode is None:
            raise InvalidParameter(path, f"must be one of {', '.join(_WORDS)}, or an object")
        return ToolChoice(mode=mode)
    fields = fields_of(raw, path)
    kind = need_text(fields, "type", path)
    if kind == "allowed_tools":
        return ToolChoice(mode=ToolMode.ALLOWED, raw=raw)
    if kind not in {"function", "custom"}:
        return ToolChoice(mode=ToolMode.TOOL, name=kind, raw=raw)
    inner: Fields = need_object(fields, kind, path)
    name = need_text(inner, "name", f"{path}.{kind}")
    return ToolChoice(mode=ToolMode.TOOL, name=name, custom=kind == "custom", raw=raw if fields or inner else None)


def read_output(raw: msgspec.Raw) -> OutputFormat | None:
    """The `response_format`; None for one that only its provider knows. Raises `InvalidParameter` for a broken one."""
    try:
        said = _OUTPUT.decode(raw)
    except msgspec.DecodeError:
        kind = need_text(fields := fields_of(raw, "response_format"), "type", "response_format")
        if kind == "json_schema":
            need_text(need_object(fields, kind, "response_format"), "name", f"response_format.{kind}")
        return None
    if said.type == "json_schema" and said.json_schema is None:
        raise InvalidParameter("response_format.json_schema", "is missing: give an object with name and schema")
    if said.json_schema is None:
        return OutputFormat(kind=OutputKind(said.type))
    if said.type != "json_schema":
        return None
    schema = said.json_schema
    return OutputFormat(
        kind=OutputKind.SCHEMA,
        name=schema.name,
        description=schema.description,
        schema=None if schema.schema == NULL else schema.schema,
        strict=schema.strict,
    )
