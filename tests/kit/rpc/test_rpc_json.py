"""Structs and unions of structs as JSON in a string field: for what a message has no form for."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from google.protobuf.message_factory import GetMessageClass

from steward.kit.errors import InvalidInput
from steward.kit.rpc.convert import codec
from tests.support.messages import described


class Circle(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="circle", omit_defaults=True):
    radius: int
    extra: Mapping[str, msgspec.Raw] = {}


class Group(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="group"):
    name: str
    shapes: Sequence["Circle | Group"]


Drawn = Circle | Group


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    shape: Drawn
    spare: Drawn | None = None
    plain: Circle
    maybe: Circle | None = None
    document: msgspec.Raw
    many: Sequence[Drawn] = ()


MESSAGES = described(
    {
        "Drawing": {
            "title": "string",
            "shape": "string",
            "spare": "optional string",
            "plain": "string",
            "maybe": "optional string",
            "document": "string",
            "many": "repeated string",
        },
        "Json": {"json": "string"},
        "Number": {"json": "int64"},
        "Text": {"shape": "string"},
        "Texts": {"items": "repeated string"},
        "Maybe": {"texts": "optional Texts"},
    }
)
CIRCLE = Circle(radius=3, extra={"colour": msgspec.Raw(b'{"red": [1, 2]}')})
GROUP = Group(name="both", shapes=[CIRCLE, Group(name="", shapes=[])])


@pytest.mark.parametrize("spare", [None, CIRCLE, GROUP])
@pytest.mark.parametrize("maybe", [None, CIRCLE])
def test_structs_and_unions_in_fields_come_back_the_same(spare: Drawn | None, maybe: Circle | None) -> None:
    drawing = Drawing(
        title="two", shape=GROUP, spare=spare, plain=CIRCLE, maybe=maybe, document=msgspec.Raw(b"[1]"), many=[CIRCLE]
    )
    both = codec(MESSAGES["Drawing"], Drawing)
    assert both.decode(both.encode(drawing)) == drawing


@pytest.mark.parametrize("value", [CIRCLE, GROUP])
def test_union_as_a_result_comes_back_the_same(value: Drawn) -> None:
    for name in ("Json", "Text"):
        both = codec(MESSAGES[name], Drawn)
        assert both.decode(both.encode(value)) == value


def test_struct_as_a_result_is_the_json_of_a_message_that_has_nothing_else() -> None:
    both = codec(MESSAGES["Json"], Group)
    assert both.decode(both.encode(GROUP)) == GROUP
    assert msgspec.json.encode(GROUP) in both.encode(GROUP)


@pytest.mark.parametrize("value", [None, [], ["a"]])
def test_result_that_may_be_none_comes_back_the_same(value: Sequence[str] | None) -> None:
    both = codec(MESSAGES["Maybe"], Sequence[str] | None)
    assert both.decode(both.encode(value)) == value


def test_result_that_may_be_none_needs_a_field_that_may_be_absent() -> None:
    with pytest.raises(TypeError, match="must be `optional`"):
        codec(MESSAGES["Json"], str | None)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"kind":"circle","radius":"x"}', "json.radius"),
        ('{"kind":"square"}', "json.kind"),
        ('{"kind":"group","name":"","shapes":[{"kind":"circle"}]}', "json.shapes[0]"),
        ("{", "json"),
        ("[" * 100_000, "json"),
    ],
)
def test_refusal_names_the_place(text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        codec(MESSAGES["Json"], Drawn).decode(GetMessageClass(MESSAGES["Json"])(json=text).SerializeToString())
    assert caught.value.data == {"field": field}
    assert caught.value.message.startswith(field)


@pytest.mark.parametrize("of", [Circle, Drawn, int | str, Drawn | str])
def test_type_that_does_not_match_is_refused_at_import(of: Any) -> None:
    with pytest.raises(TypeError):
        codec(MESSAGES["Number"], of)
    if of not in {Circle, Drawn}:
        with pytest.raises(TypeError):
            codec(MESSAGES["Text"], of)
