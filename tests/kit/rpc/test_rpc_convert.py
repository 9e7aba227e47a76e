"""The converter: whatever fits comes back the same; what does not is refused and named."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Generic, NewType, TypeVar
from uuid import UUID

import msgspec
import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from steward.kit.errors import InvalidInput, MalformedRequest
from steward.kit.rpc.convert import codec
from steward.services.audit.api import Entry
from steward.services.tenants.api import Tenant, TenantUpdate
from steward_proto.v1 import audit_pb2, tenants_pb2
from tests.support.messages import described

T = TypeVar("T")
ThingId = NewType("ThingId", UUID)


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


class Number(IntEnum):
    ONE = 1


class Part(msgspec.Struct, frozen=True):
    name: str = ""
    size: int | None = None


class Tree(msgspec.Struct, frozen=True):
    value: int
    children: Sequence["Tree"]


class Box(msgspec.Struct, Generic[T], frozen=True):
    items: Sequence[T]
    next_cursor: str | None = None


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    id: ThingId
    text: str
    count: int
    ratio: float
    flag: bool
    blob: bytes
    colour: Colour
    at: datetime
    part: Part
    document: msgspec.Raw
    texts: Sequence[str]
    ids: Sequence[UUID]
    colours: frozenset[Colour]
    times: Sequence[datetime]
    parts: Sequence[Part]
    limits: Mapping[str, int]
    named: Mapping[UUID, Part]
    maybe_text: str | None
    maybe_count: int | None = None
    maybe_flag: bool | None = None
    maybe_at: datetime | None = None
    maybe_part: Part | None = None
    maybe_document: msgspec.Raw | None = None
    maybe_texts: Sequence[str] | None = None
    maybe_limits: Mapping[str, int] | None = None
    size: int = 7


MESSAGES = described(
    {
        "Part": {"name": "string", "size": "optional int64"},
        "Texts": {"items": "repeated string"},
        "Limits": {"items": "map<string, int64>"},
        "Tree": {"value": "int64", "children": "repeated Tree"},
        "Box": {"items": "repeated Part", "next_cursor": "optional string"},
        "Count": {"count": "int64"},
        "Two": {"a": "int64", "b": "int64"},
        "Colours": {"items": "repeated string"},
        "Empty": {},
        "Maybe": {"size": "optional int64"},
        "Plain": {"size": "int64"},
        "Single": {"size": "float"},
        "Text": {"size": "string"},
        "Thing": {
            "id": "string",
            "text": "string",
            "count": "int64",
            "ratio": "double",
            "flag": "bool",
            "blob": "bytes",
            "colour": "string",
            "at": "Timestamp",
            "part": "Part",
            "document": "string",
            "texts": "repeated string",
            "ids": "repeated string",
            "colours": "repeated string",
            "times": "repeated Timestamp",
            "parts": "repeated Part",
            "limits": "map<string, int64>",
            "named": "map<string, Part>",
            "maybe_text": "optional string",
            "maybe_count": "optional int64",
            "maybe_flag": "optional bool",
            "maybe_at": "optional Timestamp",
            "maybe_part": "optional Part",
            "maybe_document": "optional string",
            "maybe_texts": "optional Texts",
            "maybe_limits": "optional Limits",
            "size": "optional int64",
        },
    }
)

texts = st.text()
int64s = st.integers(-(2**63), 2**63 - 1)
times = st.datetimes(timezones=st.just(UTC))
parts = st.builds(Part, texts, st.none() | int64s)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
).map(lambda value: msgspec.Raw(msgspec.json.encode(value)))
things = st.builds(
    Thing,
    id=st.uuids().map(ThingId),
    text=texts,
    count=int64s,
    ratio=st.floats(allow_nan=False),
    flag=st.booleans(),
    blob=st.binary(),
    colour=st.sampled_from(Colour),
    at=times,
    part=parts,
    document=documents,
    texts=st.lists(texts),
    ids=st.lists(st.uuids()),
    colours=st.frozensets(st.sampled_from(Colour)),
    times=st.lists(times),
    parts=st.lists(parts),
    limits=st.dictionaries(texts, int64s),
    named=st.dictionaries(st.uuids(), parts),
    maybe_text=st.none() | texts,
    maybe_count=st.none() | int64s,
    maybe_flag=st.none() | st.booleans(),
    maybe_at=st.none() | times,
    maybe_part=st.none() | parts,
    maybe_document=st.none() | documents,
    maybe_texts=st.none() | st.lists(texts),
    maybe_limits=st.none() | st.dictionaries(texts, int64s),
    size=int64s,
)
trees = st.recursive(
    st.builds(Tree, int64s, st.just([])), lambda inner: st.builds(Tree, int64s, st.lists(inner)), max_leaves=8
)


@given(things)
def test_every_kind_of_field_comes_back_the_same(thing: Thing) -> None:
    both = codec(MESSAGES["Thing"], Thing)
    assert both.decode(both.encode(thing)) == thing


@given(trees)
def test_struct_that_contains_itself_comes_back_the_same(tree: Tree) -> None:
    both = codec(MESSAGES["Tree"], Tree)
    assert both.decode(both.encode(tree)) == tree


@given(st.builds(Box, st.lists(parts), st.none() | texts))
def test_generic_struct_comes_back_the_same(box: Box[Part]) -> None:
    both = codec(MESSAGES["Box"], Box[Part])
    assert both.decode(both.encode(box)) == box


@given(int64s, st.frozensets(st.sampled_from(Colour)))
def test_bare_results_come_back_the_same(count: int, colours: frozenset[Colour]) -> None:
    assert codec(MESSAGES["Count"], int).decode(codec(MESSAGES["Count"], int).encode(count)) == count
    both = codec(MESSAGES["Colours"], frozenset[Colour])
    assert both.decode(both.encode(colours)) == colours
    assert codec(MESSAGES["Empty"], None).decode(codec(MESSAGES["Empty"], None).encode(None)) is None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_give_a_value_or_a_clear_refusal(data: bytes) -> None:
    for descriptor, of in (
        (MESSAGES["Thing"], Thing),
        (tenants_pb2.Tenant.DESCRIPTOR, Tenant),
        (audit_pb2.Entry.DESCRIPTOR, Entry),
    ):
        try:
            codec(descriptor, of).decode(data)
        except (InvalidInput, MalformedRequest) as error:
            assert error.message  # noqa: PT017 - both outcomes are right


def test_time_in_another_zone_is_the_same_instant() -> None:
    both = codec(MESSAGES["Thing"], Thing)
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    thing = example(at=noon)
    decoded = both.decode(both.encode(thing)).at
    assert (decoded, decoded.tzinfo) == (noon, UTC)


def example(**changes: Any) -> Thing:
    plain = Thing(
        id=ThingId(UUID(int=1)),
        text="",
        count=0,
        ratio=0.0,
        flag=False,
        blob=b"",
        colour=Colour.RED,
        at=datetime(1970, 1, 1, tzinfo=UTC),
        part=Part(),
        document=msgspec.Raw(b"{}"),
        texts=[],
        ids=[],
        colours=frozenset(),
        times=[],
        parts=[],
        limits={},
        named={},
        maybe_text=None,
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    "change",
    [
        {"count": 2**63},
        {"text": "\ud800"},
        {"limits": {"a": -(2**63) - 1}},
    ],
)
def test_value_that_does_not_fit_is_a_value_error(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec(MESSAGES["Thing"], Thing).encode(example(**change))


def test_time_without_a_zone_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        codec(MESSAGES["Thing"], Thing).encode(example(at=datetime(2026, 1, 1)))  # noqa: DTZ001 that is the point


def test_absent_differs_from_empty_in_an_update() -> None:
    both = codec(tenants_pb2.TenantUpdate.DESCRIPTOR, TenantUpdate)
    for change in (
        TenantUpdate(),
        TenantUpdate(allowed_origins=[]),
        TenantUpdate(allowed_origins=["http://a.example"]),
    ):
        assert both.decode(both.encode(change)) == change
    assert both.decode(b"").allowed_origins is None


class WithDefault(msgspec.Struct, frozen=True):
    size: int = 7


def test_absent_field_takes_the_default() -> None:
    both = codec(MESSAGES["Maybe"], WithDefault)
    assert both.decode(b"").size == 7
    assert both.decode(both.encode(WithDefault(0))).size == 0


def refused(thing: Mapping[str, Any]) -> InvalidInput:
    message = GetMessageClass(MESSAGES["Thing"])
    good = message.FromString(codec(MESSAGES["Thing"], Thing).encode(example()))
    good.MergeFrom(message(**thing))
    with pytest.raises(InvalidInput) as caught:
        codec(MESSAGES["Thing"], Thing).decode(good.SerializeToString())
    return caught.value


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": "1"}, "id"),
        ({"colour": "green"}, "colour"),
        ({"ids": ["x"]}, "ids[0]"),
        ({"colours": ["red", "green"]}, "colours[1]"),
        ({"document": "{"}, "document"),
        ({"maybe_document": "nul"}, "maybe_document"),
        ({"at": {"seconds": 2**62}}, "at"),
        ({"times": [{"seconds": -(2**62)}]}, "times"),
    ],
)
def test_refusal_names_the_field(wrong: Mapping[str, Any], field: str) -> None:
    error = refused(wrong)
    assert error.data == {"field": field}
    assert error.message.startswith(field)


def test_missing_part_is_named() -> None:
    with pytest.raises(InvalidInput, match="created_at: it is missing") as caught:
        codec(tenants_pb2.Tenant.DESCRIPTOR, Tenant).decode(
            tenants_pb2.Tenant(id=str(UUID(int=1)), plan="pro", state="active").SerializeToString()
        )
    assert caught.value.data == {"field": "created_at"}


def test_refused_bare_value_is_named_after_its_field() -> None:
    small = Annotated[int, Meta(le=3)]
    with pytest.raises(InvalidInput, match="count: ") as caught:
        codec(MESSAGES["Count"], small).decode(codec(MESSAGES["Count"], int).encode(4))
    assert caught.value.data == {"field": "count"}


def shaped(kind: Any) -> Any:
    return msgspec.defstruct("Shaped", [("size", kind)], frozen=True)


@pytest.mark.parametrize(
    ("message", "of"),
    [
        ("Text", shaped(int)),
        ("Plain", shaped(str)),
        ("Plain", shaped(bytes)),
        ("Plain", shaped(Number)),
        ("Plain", shaped(int | None)),
        ("Plain", shaped(Sequence[int])),
        ("Plain", shaped(Part)),
        ("Plain", shaped(datetime)),
        ("Plain", shaped(int | str)),
        ("Plain", shaped(Any)),
        ("Single", shaped(float)),
        ("Plain", WithDefault),
        ("Plain", Part),
        ("Maybe", Part),
        ("Empty", Part),
        ("Empty", int),
        ("Two", int),
        ("Count", None),
        ("Texts", str),
        ("Box", Tenant),
    ],
)
def test_type_that_does_not_match_is_refused_at_import(message: str, of: Any) -> None:
    with pytest.raises(TypeError):
        codec(MESSAGES[message], of)


def test_codec_is_compiled_once() -> None:
    assert codec(MESSAGES["Box"], Box[Part]) is codec(MESSAGES["Box"], Box[Part])
