"""Server-sent events, however the stream is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.wire.ports import ServerEvent
from steward.services.models.wire.sse import EventParser

LINES = st.sampled_from(
    [
        "data: a",
        "data:b",
        "data:  c",
        "data",
        "data: 你好 🎈",
        "event: error",
        "event:",
        ": note",
        "id: 7",
        "retry: 9",
        "x",
    ]
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(["", "\ufeff"]))
    for line in draw(st.lists(st.one_of(LINES, st.just("")), max_size=24)):
        text += line + draw(st.sampled_from(["\n", "\r", "\r\n"]))
    return (text + draw(st.sampled_from(["", "data: cut"]))).encode()


@settings(max_examples=80, deadline=None)
@given(stream=streams(), cuts=st.lists(st.integers(0, 400), max_size=40))
def test_any_chunking_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    whole = EventParser().feed(stream)
    parser = EventParser()
    ends = sorted({cut for cut in cuts if cut < len(stream)} | {len(stream)})
    found: list[ServerEvent] = []
    for start, end in zip([0, *ends], ends, strict=False):
        found += parser.feed(stream[start:end])
    assert found == whole
    parser = EventParser()
    assert [event for place in range(len(stream)) for event in parser.feed(stream[place : place + 1])] == whole


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_three_ways(end: bytes) -> None:
    stream = end.join([b"event: add", b"data: 1", b"", b"data: 2", b"data: 3", b"", b""])
    assert EventParser().feed(stream) == [ServerEvent(b"1", "add"), ServerEvent(b"2\n3")]


def test_comments_unknown_fields_and_empty_events_say_nothing() -> None:
    stream = b"\xef\xbb\xbf: ping\n\nid: 1\nretry: 5\n\ndata:\n\ndata\n\nevent: x\n\ndata: a: b\n\n"
    assert EventParser().feed(stream) == [ServerEvent(b"a: b")]


def test_only_the_first_byte_order_mark_is_taken_off() -> None:
    assert EventParser().feed(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n") == [ServerEvent(b"1")]


def test_an_event_that_the_end_cuts_is_not_told() -> None:
    assert EventParser().feed(b"data: 1\n\ndata: 2\n") == [ServerEvent(b"1")]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 60, b"data: 12345678\n" * 4, b"data: 1\n" + b"x" * 60])
def test_an_event_beyond_the_bound_is_refused(piece: bytes) -> None:
    with pytest.raises(ProviderFailure, match="more than 48 bytes") as refused:
        EventParser(48).feed(piece)
    assert refused.value.kind is FailureKind.MALFORMED


def test_the_bound_is_of_one_event_and_not_of_the_stream() -> None:
    parser = EventParser(48)
    assert sum(len(parser.feed(b"data: 0123456789\n: note\n\n")) for _ in range(50)) == 50
    assert sum(len(parser.feed(bytes([byte]))) for byte in b"data: 0123456789\n\n" * 9) == 9
