"""Masking: nothing marked sensitive gets into the audit trail, however deep it lies."""

from typing import Annotated

import msgspec
from msgspec import Meta

from steward.kit.audit import MASK, masked

Secret = Annotated[str, Meta(extra={"sensitive": True})]


class Inner(msgspec.Struct, frozen=True):
    token: Secret
    shown: str = "inner"


class Outer(msgspec.Struct, frozen=True):
    password: Secret
    maybe: Secret | None = None
    many: list[Secret] = []
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}
    shown: str = "outer"


WHOLE = Outer(
    password="hush-1",
    maybe="hush-2",
    many=["hush-3"],
    inner=Inner("hush-4"),
    inners=(Inner("hush-5"),),
    by_name={"one": Inner("hush-6")},
)


def test_no_sensitive_value_is_left_at_any_depth() -> None:
    text = msgspec.json.encode(masked(WHOLE)).decode()
    assert "hush" not in text


def test_masked_value_says_what_was_there() -> None:
    assert masked(WHOLE) == {
        "password": MASK,
        "maybe": MASK,
        "many": MASK,
        "inner": {"token": MASK, "shown": "inner"},
        "inners": [{"token": MASK, "shown": "inner"}],
        "by_name": {"one": {"token": MASK, "shown": "inner"}},
        "shown": "outer",
    }


def test_absent_sensitive_value_is_shown_as_absent() -> None:
    assert masked(Outer(password="hush"))["maybe"] is None


def test_nothing_stays_nothing() -> None:
    assert masked(None) is None
