"""Reading JSON level by level, so that fields that nobody knows are seen and kept as they came."""

import re
from typing import Final, TypeVar

import msgspec

from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Extra

T = TypeVar("T")
Fields = dict[str, msgspec.Raw]

NULL: Final = msgspec.json.decode(b"null", type=msgspec.Raw)
EMPTY_LIST: Final = msgspec.json.decode(b"[]", type=msgspec.Raw)
EMPTY_OBJECT: Final = msgspec.json.decode(b"{}", type=msgspec.Raw)
encode: Final = msgspec.json.Encoder().encode

_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_AT: Final = re.compile(r"^(.*?)(?: - at `(?:key in )?\$(.*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(.*)`$")


def read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes, path: str) -> T:
    """Decode a value of the parameter `path`. Raises `InvalidParameter` naming it, or what of it is wrong."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(path, error) from error


def invalid(path: str, error: Exception) -> InvalidParameter:
    """What msgspec found wrong, with the parameter's name as a caller knows it: `messages[2].content`."""
    found = _AT.match(str(error))
    what, below = (found[1], found[2] or "") if found else (str(error), "")
    if missing := _MISSING.match(what):
        below, what = f"{below}.{missing[1]}", "is missing"
    where = (path + below).lstrip(".") or "body"
    return InvalidParameter(where, what[:1].lower() + what[1:])


def fields_of(raw: msgspec.Raw | bytes, path: str) -> Fields:
    """An object's fields, not yet read."""
    return read(_FIELDS, raw, path)


def items_of(raw: msgspec.Raw, path: str) -> list[msgspec.Raw]:
    """A list's items, not yet read."""
    return read(_ITEMS, raw, path)


def text_of(raw: msgspec.Raw, path: str) -> str:
    return read(_TEXT, raw, path)


def begins(raw: msgspec.Raw, mark: bytes) -> bool:
    """Whether the value's JSON begins so: `"` a string, `[` a list, `{` an object."""
    return bytes(memoryview(raw)[:1]) == mark


def take(fields: Fields, name: str) -> msgspec.Raw | None:
    """Take a field out; None where it is absent or null."""
    raw = fields.pop(name, None)
    return None if raw is None or raw == NULL else raw


def take_text(fields: Fields, name: str, path: str) -> str | None:
    """Take a string out; None where it is absent or null."""
    raw = take(fields, name)
    return None if raw is None else text_of(raw, f"{path}.{name}")


def need_text(fields: Fields, name: str, path: str) -> str:
    """Take a string out that must be there."""
    text = take_text(fields, name, path)
    if text is None:
        raise InvalidParameter(f"{path}.{name}".lstrip("."), "is missing: give a string")
    return text


def need_object(fields: Fields, name: str, path: str) -> Fields:
    """Take an object out that must be there."""
    raw = take(fields, name)
    if raw is None:
        raise InvalidParameter(f"{path}.{name}", "is missing: give an object")
    return fields_of(raw, f"{path}.{name}")


def keep(extra: Fields, wrapper: str, inner: Fields) -> Extra:
    """Extra fields of an object and, under the wrapper's name, of the object within it."""
    if inner:
        extra[wrapper] = msgspec.Raw(encode(inner))
    return extra


def put_back(told: dict[str, object], extra: Extra, wrapper: str = "") -> dict[str, object]:
    """The inverse of `keep`: extra fields into `told`, and those of the wrapper into the object that is there."""
    for name, raw in extra.items():
        inner = told.get(name) if name == wrapper else None
        told[name] = {**inner, **_FIELDS.decode(raw)} if isinstance(inner, dict) else raw
    return told
