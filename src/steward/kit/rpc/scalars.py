"""How single values without inner fields are written to and read from a message."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from msgspec import inspect

from steward.kit.errors import InvalidInput

Functions = tuple[Callable[[Any], Any], Callable[[Any], Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGERS = frozenset(
    {FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_UINT32}
)
_TEXT = frozenset({FieldDescriptor.TYPE_STRING})
_FIELD_TYPES: Mapping[type[inspect.Type], frozenset[int]] = {
    inspect.StrType: _TEXT,
    inspect.UUIDType: _TEXT,
    inspect.EnumType: _TEXT,
    inspect.RawType: _TEXT,
    inspect.IntType: _INTEGERS,
    inspect.FloatType: frozenset({FieldDescriptor.TYPE_DOUBLE}),
    inspect.BoolType: frozenset({FieldDescriptor.TYPE_BOOL}),
    inspect.BytesType: frozenset({FieldDescriptor.TYPE_BYTES}),
    inspect.DateTimeType: frozenset({FieldDescriptor.TYPE_MESSAGE}),
}


def scalar(field: FieldDescriptor, of: inspect.Type) -> Functions | None:
    """Writer and reader of a field, None where the value stays as it is; a `TypeError` where the two do not match."""
    _check(field, of)
    if isinstance(of, inspect.DateTimeType):
        return _write_time, lambda stamp: _read_time(field.name, stamp.seconds, stamp.nanos)
    if isinstance(of, inspect.RawType):
        return _write_json, lambda text: _read_json(field.name, text)
    if isinstance(of, inspect.UUIDType):
        return str, _same
    return None


def _check(field: FieldDescriptor, of: inspect.Type) -> None:
    allowed = _FIELD_TYPES.get(type(of), frozenset[int]())
    if field.type not in allowed or (isinstance(of, inspect.EnumType) and not issubclass(of.cls, StrEnum)):
        raise TypeError(f"{field.full_name} cannot hold {of}")
    message = field.message_type
    if message is not None and message.full_name != "google.protobuf.Timestamp":
        raise TypeError(f"{field.full_name} must be a google.protobuf.Timestamp to hold a datetime")


def _same(value: Any) -> Any:
    return value


def _write_time(value: datetime) -> Mapping[str, int]:
    since = value - _EPOCH
    return {"seconds": since.days * 86_400 + since.seconds, "nanos": since.microseconds * 1000}


def _read_time(name: str, seconds: int, nanos: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise InvalidInput(f"{name}: {seconds} s is no time of the years 1 to 9999", field=name) from error


def json_text(field: FieldDescriptor, of: Any) -> Functions:
    """Writer and reader of a `string` field that holds a struct, or one of several, as JSON."""
    if field.type not in _TEXT:
        raise TypeError(f"{field.full_name} must be a string to hold {of} as JSON")
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(of)
    encode = msgspec.json.Encoder().encode
    name = field.name

    def read(text: str) -> Any:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError as error:
            said, _, path = str(error).partition(" - at `$")
            where = name + path.rstrip("`")
            raise InvalidInput(f"{where}: {said}", field=where) from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput(f"{name} is no JSON: {error}", field=name) from error

    return lambda value: encode(value).decode(), read


def _write_json(value: msgspec.Raw) -> str:
    return bytes(value).decode()


def _read_json(name: str, text: str) -> msgspec.Raw:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{name} is no JSON: {error}", field=name) from error
    return msgspec.Raw(text.encode())
