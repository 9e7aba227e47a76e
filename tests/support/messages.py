"""Messages that a test describes at run time, instead of in a .proto file."""

from collections.abc import Mapping

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}


def described(messages: Mapping[str, Mapping[str, str]]) -> Mapping[str, Descriptor]:
    """The messages by name; a field is written as in a .proto file: `optional string`, `map<string, int64>`."""
    file = FileDescriptorProto(name="test.proto", package="test", syntax="proto3", dependency=[_TIMESTAMP])
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            _add(message, field, number, kind)
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    found = pool.AddSerializedFile(file.SerializeToString())
    described = found if found is not None else pool.FindFileByName("test.proto")
    return dict(described.message_types_by_name)


_TIMESTAMP = "google/protobuf/timestamp.proto"


def _add(message: DescriptorProto, name: str, number: int, kind: str) -> None:
    label, _, rest = kind.partition(" ") if kind.startswith(("optional ", "repeated ")) else ("", "", kind)
    repeated = label == "repeated" or rest.startswith("map<")
    field = message.field.add(
        name=name,
        number=number,
        label=FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL,
    )
    if rest.startswith("map<"):
        rest = _entry(message, name, rest)
    if label == "optional":
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    _set_type(field, rest)


def _entry(message: DescriptorProto, name: str, kind: str) -> str:
    key, value = kind.removeprefix("map<").removesuffix(">").split(", ")
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    for number, (field, one) in enumerate((("key", key), ("value", value)), start=1):
        _set_type(entry.field.add(name=field, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL), one)
    return f"{message.name}.{entry.name}"


def _set_type(field: FieldDescriptorProto, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        return
    field.type = FieldDescriptorProto.TYPE_MESSAGE
    field.type_name = ".google.protobuf.Timestamp" if kind == "Timestamp" else f".test.{kind}"
