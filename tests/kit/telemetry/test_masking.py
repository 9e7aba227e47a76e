"""Masking: no secret and no forged line comes through, whatever its shape, in bounded time and size."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from steward.kit.telemetry.masking import MAX_RECORD, MAX_TEXT, MAX_VALUES, clean, is_secret_key, plain

JWT = "eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXBhcnQ"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "dbPassword",
        "new_password",
        "token",
        "refresh_token",
        "accessToken",
        "access_tokens",
        "Authorization",
        "Proxy-Authorization",
        "api_key",
        "apiKey",
        "X-API-Key",
        "APIKEY",
        "client_secret",
        "Set-Cookie",
        "private_key",
        "credentials",
        "passphrase",
    ],
)
def test_keys_that_name_a_secret_are_known(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    ["token_count", "tokenizer", "token_type", "key_id", "idempotency_key", "author", "status", "keyword", "passed"],
)
def test_keys_that_only_sound_secret_are_left(key: str) -> None:
    assert not is_secret_key(key)


def test_secret_values_are_masked_at_any_depth() -> None:
    found = plain({"a": [{"b": {"password": "hunter2", "pin": [{"token": 5}]}}], "api_key": None, "max_tokens": 7})
    assert found == {
        "a": [{"b": {"password": "***", "pin": [{"token": "***"}]}}],
        "api_key": None,
        "max_tokens": 7,
    }


@pytest.mark.parametrize(
    "secret",
    [
        "stw_sk_AbCd-_12_secretpart",
        "stw_pk_AbCd",
        "stw_rt_AbCd_x",
        "stw_in_AbCd_x",
        "Bearer abc123def456",
        "bearer ABCDEFGHIJKLMNOPQRSTUVWX",
        "Basic dXNlcjpwYXNzd29yZA==",
        JWT,
        "sk-ant-api03-abcdefghijklmnopqrstuv",
    ],
)
def test_credentials_inside_a_text_are_masked(secret: str) -> None:
    assert clean(f"before {secret}, after") == "before ***, after"
    assert plain({"note": [f"<{secret}>"]}) == {"note": ["<***>"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://app:s3cret@db:5432/x", "postgresql://***@db:5432/x"),
        ("GET /x?token=abc&page=2", "GET /x?token=***&page=2"),
        ('{"refresh_token": "a b", "n": 1}', '{"refresh_token": ***, "n": 1}'),
        ("password='a b' x", "password=*** x"),
        ("missing bearer token", "missing bearer token"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "***"),
    ],
)
def test_assigned_secrets_are_masked_and_prose_is_left(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_credential_cut_in_its_middle_is_still_masked() -> None:
    text = clean("x" * (MAX_TEXT - 20) + "stw_sk_" + "A" * 100)
    assert "stw_sk_" not in text


def test_controls_marks_and_lone_surrogates_are_escaped() -> None:
    assert clean("a\x1b[31mb\x00\r\x7f\x9b\u2028\u202e\ud800c\n\t") == (
        "a\\x1b[31mb\\x00\\x0d\\x7f\\x9b\\u2028\\u202e\\ud800c\n\t"
    )


def test_long_values_are_cut_with_a_note() -> None:
    assert clean("x" * (MAX_TEXT + 5)) == "x" * MAX_TEXT + "…[5 more characters]"


def test_a_record_is_bounded_in_texts_values_and_depth() -> None:
    wide = plain({"many": list(range(10 * MAX_VALUES)), "after": 1})
    assert len(wide["many"]) <= MAX_VALUES + 1
    assert len(msgspec.json.encode(plain({str(n): "x" * MAX_TEXT for n in range(100)}))) < 2 * MAX_RECORD
    deep: dict[str, object] = {}
    deep["again"] = deep
    assert len(msgspec.json.encode(plain(deep))) < 200


class Color(StrEnum):
    RED = "red"


class Inner(msgspec.Struct):
    email: Annotated[str, Meta(extra={"sensitive": True})]
    note: Annotated[str, Meta(extra={"sensitive": True})] | None = None


class Outer(msgspec.Struct):
    items: list[Inner]


def test_sensitive_fields_of_structs_are_masked_at_any_depth() -> None:
    assert plain({"page": Outer([Inner("a@b.c", "n"), Inner("d@e.f")])}) == {
        "page": {"items": [{"email": "***", "note": "***"}, {"email": "***", "note": None}]}
    }


def test_every_kind_of_value_becomes_plain_data() -> None:
    found = plain(
        {
            "id": UUID(int=1),
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "color": Color.RED,
            "path": Path("/x"),
            "bytes": b"123",
            "big": 2**80,
            "nan": float("nan"),
            "error": ValueError("token=abc"),
            "decimal": Decimal("1.5"),
            "set": {1},
        }
    )
    assert found == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-02T00:00:00+00:00",
        "color": "red",
        "path": "/x",
        "bytes": "<3 bytes>",
        "big": "0x100000000000000000000",
        "nan": "nan",
        "error": "ValueError: token=***",
        "decimal": "1.5",
        "set": [1],
    }


def test_a_stranger_shows_its_type_only() -> None:
    class Login:
        def __repr__(self) -> str:
            return "Login(password='hunter2')"

    assert "hunter2" not in str(plain({"login": Login()}))


_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
)


@given(st.dictionaries(st.text(st.characters(), max_size=8), _any, max_size=5))
def test_anything_can_be_encoded_as_one_line(values: dict[str, object]) -> None:
    encoded = msgspec.json.encode(plain(values))
    assert b"\n" not in encoded
    assert b"\x1b" not in encoded


@pytest.mark.parametrize(
    "unit",
    [
        "eyJ", "a.", "eyJ.", "-", "bearer ", "bearer\t", "://a:", "://:@", "password", "password = ", "stw_sk_", "sk-",
        "token ", "token\\", "\\", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", 'token="\\', "basic a", "eyJa-",
    ],
)  # fmt: skip
def test_hostile_texts_take_linear_time(unit: str) -> None:
    text = ("bearer://pass" + unit * MAX_TEXT)[:MAX_TEXT]
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 0.05
