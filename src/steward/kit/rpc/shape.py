"""How the values of a Python type are written to and read from the fields of a message."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from msgspec import inspect

from steward.kit.rpc.scalars import json_text, scalar


def _same(value: Any) -> Any:
    return value


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of functions; by default the value is the same on both sides."""

    write: Callable[[Any], Any] = _same
    """From a value that is there to what the message's constructor takes."""
    read: Callable[[Any], Any] = _same
    """From the field of a message to what `msgspec.convert` takes."""


class _Member(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a struct beside that of its message."""

    name: str
    shape: Shape
    presence: bool
    """Whether the message can say that the field is absent."""
    nulled: bool
    """Whether absent reads as None; otherwise the struct's default applies, or msgspec says that it is missing."""


class Shapes:
    """Finds the shape of each field; one instance serves the compilation of one codec."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], list[_Member]] = {}

    def struct(self, descriptor: Descriptor, of: inspect.StructType) -> Shape:
        """The shape of a message that has exactly the struct's fields."""
        key = (descriptor.full_name, repr(of.cls))
        if key not in self._members:
            members: list[_Member] = []
            self._members[key] = members  # Known before its fields are compiled, for a struct may contain itself.
            _same_names(descriptor, of)
            members.extend(self._member(descriptor.fields_by_name[one.encode_name], one) for one in of.fields)
        members = self._members[key]
        raws = tuple(one.encode_name for one in of.fields if isinstance(without_none(one.type)[0], inspect.RawType))
        plain = Shape(write=lambda value: _write(members, value), read=lambda message: _read(members, message))
        return _holding_json(plain, of, raws) if raws else plain

    def field(self, field: FieldDescriptor, of: inspect.Type) -> Shape:
        """The shape of a value of this type that is there."""
        of = _bare(of)
        if isinstance(of, inspect.CollectionType):
            return self._collection(field, of)
        if isinstance(of, inspect.DictType):
            return self._mapping(field, of)
        if field.is_repeated:
            raise TypeError(f"{field.full_name} is repeated, but the Python type is {of}")
        return self._single(field, of)

    def _member(self, field: FieldDescriptor, one: inspect.Field) -> _Member:
        of, nullable = without_none(one.type)
        if nullable and not field.has_presence:
            raise TypeError(f"{field.full_name} must be `optional`, for the struct's field may be None")
        if not one.required and not field.has_presence and not _reads_the_same(field, one):
            raise TypeError(
                f"{field.full_name} must be `optional`, for the struct's field has the default {one.default!r}"
            )
        shape = self.field(field, of)
        return _Member(name=one.name, shape=shape, presence=field.has_presence, nulled=nullable and one.required)

    def _single(self, field: FieldDescriptor, of: inspect.Type) -> Shape:
        of = _bare(of)
        if isinstance(of, inspect.UnionType):
            return _as_json(field, _union(of))
        if isinstance(of, inspect.StructType):
            if field.type == FieldDescriptor.TYPE_STRING:
                return _as_json(field, of.cls)
            return self.struct(_message_of(field), of)
        functions = scalar(field, of)
        return Shape() if functions is None else Shape(write=functions[0], read=functions[1])

    def _collection(self, field: FieldDescriptor, of: inspect.CollectionType) -> Shape:
        if not field.is_repeated:
            return self._wrapped(field, of)
        one = self._single(field, of.item_type)
        write, read = one.write, one.read
        if write is _same and read is _same:
            return Shape(write=_same, read=list)
        return Shape(
            write=lambda items: [write(item) for item in items], read=lambda items: [read(item) for item in items]
        )

    def _mapping(self, field: FieldDescriptor, of: inspect.DictType) -> Shape:
        if not field.is_repeated:
            return self._wrapped(field, of)
        entry = _message_of(field).fields_by_name
        key, value = self._single(entry["key"], of.key_type), self._single(entry["value"], of.value_type)
        return Shape(
            write=lambda items: {key.write(name): value.write(item) for name, item in items.items()},
            read=lambda items: {key.read(name): value.read(item) for name, item in items.items()},
        )

    def _wrapped(self, field: FieldDescriptor, of: inspect.Type) -> Shape:
        """A collection in a message of its own, so that an absent one differs from an empty one."""
        message = _message_of(field)
        if [one.name for one in message.fields] != ["items"] or not message.fields[0].is_repeated:
            raise TypeError(f"{field.full_name} must be repeated, or a message with the one repeated field `items`")
        shape = self.field(message.fields[0], of)
        return Shape(write=lambda value: {"items": shape.write(value)}, read=lambda outer: shape.read(outer.items))


def _as_json(field: FieldDescriptor, of: Any) -> Shape:
    """The shape of a struct, or one of several, in a `string`; `msgspec.convert` lets the struct read from it pass."""
    write, read = json_text(field, of)
    return Shape(write=write, read=read)


def _union(of: inspect.UnionType) -> Any:
    """The annotation again, of a union that has nothing but structs."""
    members = [_bare(one) for one in of.types]
    structs = tuple(one.cls for one in members if isinstance(one, inspect.StructType))
    if len(structs) < len(members):
        raise TypeError(f"a union of others than structs has no form in a message: {of}")
    union: Any = Union
    return union[structs]


def _write(members: Iterable[_Member], value: Any) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for member in members:
        one = getattr(value, member.name)
        if one is not None:
            written[member.name] = member.shape.write(one)
    return written


def _read(members: Iterable[_Member], message: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for member in members:
        name = member.name
        if not member.presence or message.HasField(name):
            plain[name] = member.shape.read(getattr(message, name))
        elif member.nulled:
            plain[name] = None
    return plain


def _holding_json(plain: Shape, of: inspect.StructType, raws: Iterable[str]) -> Shape:
    """The shape of a struct with raw JSON, which `msgspec.convert` cannot make: the struct itself is made here."""
    cls = of.cls
    names = frozenset(raws)
    others = [
        (one.name, one.type) if one.required else (one.name, one.type, one.default)
        for one in msgspec.structs.fields(cls)
        if one.name not in names
    ]
    rest = msgspec.defstruct(f"{cls.__name__}WithoutJson", others, kw_only=True, frozen=True)

    def read(message: Any) -> msgspec.Struct:
        values = plain.read(message)
        documents = {name: values.pop(name) for name in names if name in values}
        checked: Mapping[str, Any] = msgspec.structs.asdict(msgspec.convert(values, rest))
        return cls(**checked, **documents)

    return Shape(write=plain.write, read=read)


def _reads_the_same(field: FieldDescriptor, one: inspect.Field) -> bool:
    """Whether an absent field reads as the struct's default anyway: the empty or zero value."""
    return field.is_repeated or (isinstance(one.default, str | int | float | bytes) and not one.default)


def _same_names(descriptor: Descriptor, of: inspect.StructType) -> None:
    ours = {one.encode_name for one in of.fields}
    theirs = {field.name for field in descriptor.fields}
    if ours != theirs:
        raise TypeError(
            f"{descriptor.full_name} and {of.cls} differ: only the message has {sorted(theirs - ours)}, "
            f"only the struct has {sorted(ours - theirs)}"
        )


def without_none(of: inspect.Type) -> tuple[inspect.Type, bool]:
    """The type without None, and whether None was allowed."""
    of = _bare(of)
    if not isinstance(of, inspect.UnionType):
        return of, False
    rest = [_bare(one) for one in of.types if not isinstance(one, inspect.NoneType)]
    return (rest[0] if len(rest) == 1 else inspect.UnionType(tuple(rest))), len(rest) < len(of.types)


def _bare(of: inspect.Type) -> inspect.Type:
    """The type without its documentation and marks."""
    return of.type if isinstance(of, inspect.Metadata) else of


def _message_of(field: FieldDescriptor) -> Descriptor:
    if field.message_type is None:
        raise TypeError(f"{field.full_name} must be a message")
    return field.message_type
