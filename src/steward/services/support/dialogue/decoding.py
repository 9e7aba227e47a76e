"""From a playbook's YAML to its structs, with every problem of the form, not just the first."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import msgspec
from msgspec import inspect

from steward.services.support.dialogue.format import SLOT_TYPES, STEP_TYPES, File, Phrases, Playbook
from steward.services.support.dialogue.problems import Problem, choose
from steward.services.support.dialogue.yaml_source import Document, NotReadable, Path, read, shown

MAX_PROBLEMS: Final = 50
"""More are not told at once."""

_AT: Final = re.compile(r" - at (?:`key` in )?`\$(?P<path>[^`]*)`$")
_PART: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_FIELD: Final = re.compile(r"field `(?P<name>[^`]*)`")
_VALUE: Final = re.compile(r"^Invalid (?:enum )?value (?P<value>.*)$")
_KINDS: Mapping[str, type[Any]] = {"playbook": Playbook, "phrases": Phrases}


class Decoded(msgspec.Struct, frozen=True):
    """A file as far as it could be read."""

    file: File | None
    document: Document | None
    problems: tuple[Problem, ...]


def decode(source: str) -> Decoded:
    """Read a playbook or phrases; `file` is None where there are problems."""
    try:
        document = read(source)
    except NotReadable as error:
        return Decoded(None, None, (error.problem,))
    problems = tuple(_problems(document))[:MAX_PROBLEMS]
    if problems:
        return Decoded(None, document, problems)
    kind = _KINDS[document.value["kind"]]
    return Decoded(cast("File", msgspec.convert(document.value, type=kind)), document, ())


def _problems(document: Document) -> Iterator[Problem]:
    """The problems of each part for itself, for a conversion of the whole stops at the first."""
    whole = document.value
    if not isinstance(whole, dict):
        yield Problem(line=1, path="", text=f"this is {_named(whole)}: write `kind: playbook` and the other fields")
        return
    fields = cast("dict[str, Any]", whole)
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        text = "`kind` is missing: add it" if kind is None else f"kind {kind!r} is not known"
        yield Problem(line=document.line(("kind",)), path="kind", text=f"{text}; {choose(str(kind), _KINDS)}")
        return
    steps, slots = fields.get("steps"), fields.get("slots")
    rest = dict(fields)
    if kind == "playbook" and isinstance(steps, list) and steps:
        rest["steps"] = [{"do": "end"}]
        for at, step in enumerate(cast("list[Any]", steps)[:200]):
            yield from _tagged(document, ("steps", at), step, "do", STEP_TYPES)
        if len(cast("list[Any]", steps)) > 200:  # noqa: PLR2004 the bound of the form
            rest["steps"] = steps
    if kind == "playbook" and isinstance(slots, dict):
        rest["slots"] = {name: {"type": "data"} for name in cast("dict[str, Any]", slots)}
        for name, slot in cast("dict[str, Any]", slots).items():
            yield from _tagged(document, ("slots", name), slot, "type", SLOT_TYPES)
    yield from _converted(document, (), rest, _KINDS[kind])


def _tagged(document: Document, path: Path, value: Any, tag: str, types: Mapping[str, type[Any]]) -> Iterator[Problem]:
    """The problems of a step or slot, whose kind stands in its field `tag`."""
    if not isinstance(value, dict):
        text = f"this is {_named(value)}: write a map with `{tag}`"
        yield Problem(line=document.line(path), path=shown(path), text=text)
        return
    kind = cast("dict[str, Any]", value).get(tag)
    if not isinstance(kind, str) or kind not in types:
        text = f"`{tag}` is missing: add it" if kind is None else f"`{tag}: {kind}` is not known"
        yield Problem(line=document.line((*path, tag)), path=shown(path), text=f"{text}; {choose(str(kind), types)}")
        return
    yield from _converted(document, path, value, types[kind])


def _converted(document: Document, path: Path, value: Any, kind: type[Any]) -> Iterator[Problem]:
    try:
        msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        inner, reason = _located(str(error))
        reason = _explained(reason, kind, inner, _value_at(value, inner))
        where = (*path, *inner)
        unknown = _FIELD.search(reason)
        line = document.line((*where, unknown["name"])) if unknown else document.line(where)
        yield Problem(line=line, path=shown(where), text=reason)


def _located(message: str) -> tuple[Path, str]:
    """The path in an error of msgspec, and the error without it."""
    found = _AT.search(message)
    if found is None:
        return (), message
    parts: list[str | int] = []
    for name, index in _PART.findall(found["path"]):
        if name or index:
            parts.append(name or int(index))
    return tuple(parts), message[: found.start()]


def _explained(reason: str, kind: type[Any], path: Path, value: Any) -> str:
    field = _FIELD.search(reason)
    if "unknown field" in reason and field:
        return f"unknown field `{field['name']}`: {choose(field['name'], _fields(kind, path))}"
    if "missing required field" in reason and field:
        return f"the field `{field['name']}` is missing: add it"
    if reason.startswith("Expected `str`, got"):
        return f"{value!r} is {_named(value)} and not a text: put it in quotation marks"
    if reason.startswith("Expected"):
        bound = reason[0].lower() + reason[1:]
        return f"{bound}, and this is {_brief(value)}: correct it"
    if invalid := _VALUE.match(reason):
        known = _members(kind, path)
        return f"{invalid['value']} is not known: {choose(str(value), known)}"
    return f"{reason}: correct it"


def _fields(kind: type[Any], path: Path) -> list[str]:
    found = _type_at(inspect.type_info(kind), path)
    if not isinstance(found, inspect.StructType):
        return []
    tag = [found.tag_field] if found.tag_field else []
    return [*tag, *(field.encode_name for field in found.fields)]


def _members(kind: type[Any], path: Path) -> list[str]:
    found = _type_at(inspect.type_info(kind), path)
    return [str(member.value) for member in found.cls] if isinstance(found, inspect.EnumType) else []


def _type_at(info: inspect.Type, path: Path) -> inspect.Type | None:
    """The type that a path leads to; of a union the first that has the way."""
    if isinstance(info, inspect.Metadata):
        return _type_at(info.type, path)
    if isinstance(info, inspect.UnionType):
        ways = (_type_at(each, path) for each in info.types if not isinstance(each, inspect.NoneType))
        return next((way for way in ways if way is not None), None)
    if not path:
        return info
    if isinstance(info, inspect.StructType):
        way = next((field.type for field in info.fields if field.encode_name == path[0]), None)
        return _type_at(way, path[1:]) if way is not None else None
    if isinstance(info, inspect.CollectionType) and isinstance(path[0], int):
        return _type_at(info.item_type, path[1:])
    return None


def _value_at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _named(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(cast("type[Any]", type(value)), "nothing")


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 what fits into a line
