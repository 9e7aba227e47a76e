"""Cursors: a key there and back, and nothing else accepted."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.kit.errors import InvalidInput
from steward.kit.paging import decode_cursor, encode_cursor


class Key(msgspec.Struct, frozen=True):
    at: datetime
    id: UUID


@given(st.builds(Key, st.datetimes(timezones=st.just(UTC)), st.uuids()))
def test_key_comes_back_from_its_cursor(key: Key) -> None:
    assert decode_cursor(encode_cursor(key), Key) == key


@given(st.text(max_size=80))
def test_text_comes_back_from_its_cursor(key: str) -> None:
    assert decode_cursor(encode_cursor(key), str) == key


@pytest.mark.parametrize("alien", ["!", " ", "\n", "é"])
def test_cursor_with_a_character_put_into_it_is_refused(alien: str) -> None:
    whole = encode_cursor("abcdefgh")
    for place in range(len(whole) + 1):
        with pytest.raises(InvalidInput):
            decode_cursor(whole[:place] + alien * 4 + whole[place:], str)


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None, Key) is None


def test_cursor_needs_no_escaping_in_an_address() -> None:
    assert all(c.isalnum() or c in "-_" for c in encode_cursor("??>>~~" * 20))


@pytest.mark.parametrize(
    "cursor",
    ["", "!", "AAAA A", "ünknown", "a", encode_cursor({"at": 1}), encode_cursor("text"), "W1tbW1tb", "\x00", "ZZ==ZZ"],
)
def test_cursor_of_others_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(cursor, Key)
    assert refused.value.data == {"field": "cursor"}
    assert "next_cursor" in refused.value.message


@given(st.text(max_size=100))
def test_any_text_is_a_cursor_or_refused_in_few_words(cursor: str) -> None:
    message = ""
    try:
        decode_cursor(cursor, Key)
    except InvalidInput as refused:
        message = refused.message
    assert len(message) < 500
