"""Converts structs to protobuf messages and back, by codecs compiled once for a message and a Python type.

How Python types appear in a message (everything else is refused when the codec is compiled, at import):

    str, int, float, bool, bytes    the scalar of that kind
    UUID, StrEnum                   string
    msgspec.Raw                     string that holds JSON
    datetime                        google.protobuf.Timestamp, UTC, cut to microseconds
    a struct                        a message with exactly the struct's fields, or a string that holds it as JSON
    a union of tagged structs       string that holds it as JSON
    Sequence, frozenset             repeated
    Mapping                         map
    X | None                        optional; a collection in a message of its own with the one field `items`
    None as a result                a message without fields
    a struct as a result            also a message with the one string `json`
    any other result                a message with one field
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.message_factory import GetMessageClass
from msgspec import inspect

from steward.kit.errors import InvalidInput, MalformedRequest
from steward.kit.rpc.shape import Shape, Shapes, without_none

T = TypeVar("T")


class Codec(Generic[T]):
    """Turns values of one Python type into the bytes of one message and back."""

    def __init__(self, descriptor: Descriptor, of: Any) -> None:
        self._name = descriptor.full_name
        self._type = of
        self._message: Callable[..., Message] = GetMessageClass(descriptor)
        self._parse: Callable[[bytes], Message] = GetMessageClass(descriptor).FromString
        self._shape, self._field = _root(descriptor, inspect.type_info(of))

    def encode(self, value: T) -> bytes:
        """The message's bytes; a value that does not fit is a `ValueError`, one of a wrong type a `TypeError`.

        Too large an integer, text with lone surrogates and a message over 2 GiB are such values.
        """
        try:
            return self._message(**self._shape.write(value)).SerializeToString()
        except (OverflowError, EncodeError) as error:
            raise ValueError(f"a value does not fit into {self._name}: {error}") from error

    def decode(self, data: bytes) -> T:
        """The value; bytes of no such message are a `MalformedRequest`, a refused value is an `InvalidInput`."""
        try:
            message = self._parse(data)
        except DecodeError as error:
            raise MalformedRequest(f"the {len(data)} bytes received are no {self._name}: {error}") from error
        try:
            return msgspec.convert(self._shape.read(message), self._type)
        except msgspec.ValidationError as error:
            raise _refused(error, self._field) from error


@cache
def codec(descriptor: Descriptor, of: Any) -> Codec[Any]:
    """The codec of this message and type; a `TypeError` names what does not match."""
    return Codec(descriptor, of)


def _root(descriptor: Descriptor, of: inspect.Type) -> tuple[Shape, str]:
    """The shape of a whole message, and the field's name where it holds a bare value."""
    shapes = Shapes()
    fields = list(descriptor.fields)
    if isinstance(of, inspect.StructType) and not _is_json(fields):
        return shapes.struct(descriptor, of), ""
    if isinstance(of, inspect.NoneType):
        if fields:
            raise TypeError(f"{descriptor.full_name} answers None, so it must have no fields")
        return Shape(write=lambda _: {}, read=lambda _: None), ""
    if len(fields) != 1:
        raise TypeError(f"{descriptor.full_name} must have exactly one field to hold {of}")
    name = fields[0].name
    of, nullable = without_none(of)
    shape = shapes.field(fields[0], of)
    if nullable and not fields[0].has_presence:
        raise TypeError(f"{fields[0].full_name} must be `optional`, for the result may be None")
    return Shape(
        write=lambda value: {} if value is None else {name: shape.write(value)},
        read=lambda message: None if nullable and not message.HasField(name) else shape.read(getattr(message, name)),
    ), name


def _is_json(fields: Sequence[FieldDescriptor]) -> bool:
    return [(field.name, field.type) for field in fields] == [("json", FieldDescriptor.TYPE_STRING)]


def _refused(error: msgspec.ValidationError, field: str) -> InvalidInput:
    """The same error with the field's path, which msgspec puts last: ``… - at `$.change.name` ``."""
    text, _, path = str(error).partition(" - at `$")
    where = path.rstrip("`")
    if text.startswith("Object missing required field `"):
        where = f"{where}.{text.split('`')[1]}"
        text = "it is missing"
    name = where.lstrip(".") if where.startswith(".") else f"{field}{where}"
    return InvalidInput(f"{name}: {text}", field=name)
