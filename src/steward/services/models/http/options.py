"""How a call is to be made, from the header fields `Steward-…` of its request.

OpenAI's and Anthropic's bodies have no place for it, and their clients can send any header field.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from steward.services.models.api import CacheMode, CallOptions, Complexity, TagName, TagValue, TaskType
from steward.services.models.errors import InvalidParameter

E = TypeVar("E", bound=StrEnum)
Headers = Sequence[tuple[bytes, bytes]]

_PREFIX: Final = b"steward-"
_AT: Final = re.compile(r"\$\.(?P<field>\w+)")
_MAX_TAGS: Final = 20
_USUAL: Final = CallOptions()
_Tags = dict[TagName, TagValue]


def options_of(headers: Headers, metadata: Mapping[str, str] | None = None) -> CallOptions:
    """The options of a request. Raises `InvalidParameter` for a field that is unknown, twice there or wrong.

    Of a body's `metadata` those pairs are tags, too, that have the form of one; a header field goes before them.
    """
    given: dict[str, str] = {}
    for name, value in headers:
        if name.startswith(_PREFIX):
            _take(given, name.decode("latin-1"), value)
    if not given and not metadata:
        return _USUAL
    found: dict[str, Any] = {}
    for name, text in given.items():
        field, read = _FIELDS[name]
        found[field] = read(name, text)
    if metadata:
        found["tags"] = _with_metadata(found.get("tags", {}), metadata)
    try:
        return msgspec.convert(found, CallOptions)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `")
        at = _AT.search(path)
        name = _NAMES[at["field"]] if at else "steward-"
        raise InvalidParameter(_shown(name), f"{said[:1].lower()}{said[1:]}") from error


def _take(given: dict[str, str], name: str, value: bytes) -> None:
    if name not in _FIELDS:
        known = ", ".join(_shown(each) for each in _FIELDS)
        raise InvalidParameter(_shown(name[:60]), f"it is no header field here: there are {known}")
    if name in given:
        raise InvalidParameter(_shown(name), "it is there twice: send it once")
    try:
        given[name] = value.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise InvalidParameter(_shown(name), "it is not UTF-8") from error


def _one_of(kind: type[E]) -> Callable[[str, str], E]:
    def read(name: str, text: str) -> E:
        try:
            return kind(text.lower())
        except ValueError as error:
            choices = ", ".join(each.value for each in kind)
            raise InvalidParameter(_shown(name), f"it is {text[:40]!r}: send one of {choices}") from error

    return read


def _switch(name: str, text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        raise InvalidParameter(_shown(name), f"it is {text[:40]!r}: send on or off")
    return text.lower() == "on"


def _text(_: str, text: str) -> str:
    return text


def _list(_: str, text: str) -> list[str]:
    return [each for part in text.split(",") if (each := part.strip())]


def _tags(name: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in _list(name, text):
        key, equals, value = each.partition("=")
        if not equals or key.strip() in found:
            raise InvalidParameter(_shown(name), f"{each[:60]!r} is no tag, or there twice: send a=b,c=d")
        found[key.strip()] = value.strip()
    return found


def _with_metadata(tags: Mapping[str, str], metadata: Mapping[str, str]) -> Mapping[str, str]:
    found = dict(tags)
    for name, value in metadata.items():
        if len(found) < _MAX_TAGS and name not in found and _is_tag(name, value):
            found[name] = value
    return found


def _is_tag(name: str, value: str) -> bool:
    try:
        msgspec.convert({name: value}, _Tags)
    except msgspec.ValidationError:
        return False
    return True


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


_FIELDS: Final[Mapping[str, tuple[str, Callable[[str, str], Any]]]] = {
    "steward-cache": ("cache", _one_of(CacheMode)),
    "steward-coalesce": ("coalesce", _switch),
    "steward-hedge": ("hedge", _switch),
    "steward-task": ("task", _one_of(TaskType)),
    "steward-complexity": ("complexity", _one_of(Complexity)),
    "steward-agent": ("agent", _text),
    "steward-run": ("runs", _list),
    "steward-tags": ("tags", _tags),
    "steward-audience": ("audience", _text),
}
_NAMES: Final[Mapping[str, str]] = {field: name for name, (field, _) in _FIELDS.items()}
