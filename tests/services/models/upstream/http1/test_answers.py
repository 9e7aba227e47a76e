"""The reader of answers: the same as aiohttp's parser reads where both read, and strict where one may read twice."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.models.upstream.http1.answer import AnswerReader
from steward.services.models.upstream.http1.head import BadAnswer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
NAMES = st.sampled_from(["X-A", "date", "Set-Cookie", "x_b", "Retry-After", "CONTENT-TYPE", "connection-id"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
CUTS = st.lists(st.integers(0, 400), max_size=6)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    return [data[a:b] for a, b in pairwise(places)]


def read(pieces: Sequence[bytes]) -> tuple[AnswerReader, bytes]:
    reader, body = AnswerReader(), b""
    for piece in pieces:
        reader.feed(piece)
        body += reader.take()
    return reader, body


def read_by_aiohttp(loop: asyncio.AbstractEventLoop, pieces: Sequence[bytes]) -> tuple[int, bytes, bool]:
    """Status, body, and whether it is complete."""
    protocol = BaseProtocol(loop)
    parser = HttpResponseParser(protocol, loop, 2**20, read_until_eof=True, auto_decompress=False)
    messages = []
    for piece in pieces:
        messages += parser.feed_data(piece)[0]
    (message, payload), *_ = messages
    return message.code, payload.read_nowait(-1), payload.is_eof()


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Whole answers as a provider may send them."""
    body = draw(st.binary(max_size=60))
    fields = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    status = draw(st.sampled_from([b"200 OK", b"404 Not Found", b"429 ", b"500"]))
    if draw(st.booleans()):
        fields.append((draw(st.sampled_from(["Content-Length", "content-length"])), str(len(body))))
        sent = body
    else:
        fields.append(("Transfer-Encoding", draw(st.sampled_from(["chunked", "Chunked"]))))
        sizes = split(body, draw(CUTS)) if body else []
        form = draw(st.sampled_from([b"%x", b"%X", b"0%x", b"%x;name=value"]))
        sent = b"".join(form % len(piece) + b"\r\n" + piece + b"\r\n" for piece in sizes)
        sent += b"0\r\n" + draw(st.sampled_from([b"", b"X-Sum: 1\r\n"])) + b"\r\n"
    head = "".join(f"{name}: {value}\r\n" for name, value in draw(st.permutations(fields)))
    return b"HTTP/1.1 " + status + b"\r\n" + head.encode() + b"\r\n" + sent


@given(answer=answers(), cuts=CUTS)
@settings(max_examples=150, deadline=None)
def test_reads_what_aiohttp_reads_in_any_pieces(
    loop: asyncio.AbstractEventLoop, answer: bytes, cuts: list[int]
) -> None:
    reader, body = read(split(answer, cuts))
    assert reader.head is not None
    theirs = read_by_aiohttp(loop, [answer])
    assert (reader.head.status, body, reader.done) == theirs
    assert reader.done
    assert reader.keep


@given(answer=answers(), at=st.integers(0, 200), byte=st.sampled_from(b"\r\n \t:;,0aG\x00\xff"), cuts=CUTS)
@settings(max_examples=150, deadline=None)
def test_what_it_takes_of_a_spoilt_answer_aiohttp_takes_the_same_way(
    loop: asyncio.AbstractEventLoop, answer: bytes, at: int, byte: int, cuts: list[int]
) -> None:
    at %= len(answer)
    spoilt = answer[:at] + bytes([byte]) + answer[at + 1 :]
    try:
        reader, body = read(split(spoilt, cuts))
    except BadAnswer:
        return
    if not reader.done or not reader.keep:
        return
    try:
        theirs = read_by_aiohttp(loop, [spoilt])
    except HttpProcessingError:
        # Of the two, only the status line's reason phrase is read more freely here.
        assert at < spoilt.index(b"\r\n")
        return
    assert reader.head is not None
    assert (reader.head.status, body) == theirs[:2]


@given(answer=answers(), cuts=CUTS, cut=st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_an_answer_that_breaks_off_is_not_whole(answer: bytes, cuts: list[int], cut: int) -> None:
    reader, _ = read(split(answer[: cut % len(answer)], cuts))
    assert not reader.end()
    assert not reader.keep


AMBIGUOUS = {
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length twice": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "length and chunks": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of an old server": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": OK + b"Content-Length: -1\r\n\r\n",
    "signed length": OK + b"Content-Length: +1\r\n\r\na",
    "length in words": OK + b"Content-Length: 1_0\r\n\r\n",
    "empty length": OK + b"Content-Length:\r\n\r\n",
    "folded line": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "no name": OK + b": a\r\n\r\n",
    "no colon": OK + b"what\r\n\r\n",
    "bare line feed": OK + b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare return": OK + b"X: a\rContent-Length: 3\r\n\r\nabc",
    "zero byte": OK + b"X: a\x00\r\n\r\n",
    "other protocol": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "long status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
    "chunk size in words": CHUNKED + b"zz\r\n",
    "signed chunk size": CHUNKED + b"-1\r\n",
    "chunk size with underscore": CHUNKED + b"1_0\r\n",
    "chunk size with prefix": CHUNKED + b"0x1\r\na\r\n",
    "empty chunk size": CHUNKED + b"\r\n",
    "chunk longer than its size": CHUNKED + b"1\r\nab\r\n",
    "chunk line with line feed only": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "trailer that is none": CHUNKED + b"0\r\nwhat\r\n\r\n",
    "long chunk line": CHUNKED + b"1;" + b"x" * 5000,
    "endless chunk size": CHUNKED + b"0" * 20 + b"1\r\n",
    "endless trailer": CHUNKED + b"0\r\nX: " + b"x" * 70_000,
    "endless head": OK + b"X: " + b"x" * 70_000,
    "endless interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3000,
}


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest.mark.parametrize("size", [1_000_000, 999])
def test_refuses_what_may_be_read_in_two_ways_or_has_no_end(name: str, size: int) -> None:
    data = AMBIGUOUS[name]
    with pytest.raises(BadAnswer):
        read([data[at : at + size] for at in range(0, len(data), size)])


def test_interim_answers_are_passed_over() -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + OK
        + b"Content-Length: 2\r\n\r\nab"
    )
    for cut in range(len(data)):
        reader, body = read([data[:cut], data[cut:]])
        assert (body, reader.done, reader.keep) == (b"ab", True, True)


def test_a_body_without_length_ends_with_the_connection() -> None:
    reader, body = read([OK + b"\r\nab", b"cd"])
    assert (body, reader.done) == (b"abcd", False)
    assert reader.end()
    assert not reader.keep


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 2\r\n\r\nabHTTP/1.1 200",
        CHUNKED + b"0\r\n\r\nmore",
        OK + b"Content-Length: 0\r\n\r\nx",
        OK + b"Connection: x, Close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_a_connection_with_more_than_the_answer_or_an_end_of_its_own_is_not_kept(data: bytes) -> None:
    reader, _ = read([data])
    assert reader.done
    assert not reader.keep


def test_answers_without_a_body() -> None:
    reader, body = read([b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"])
    assert (body, reader.done, reader.keep) == (b"", True, True)


def test_fields_are_told_by_lower_case_name() -> None:
    reader, _ = read([b"HTTP/1.1 429\r\nRetry-After:  7 \r\nX-Trace: no\r\n\r\n"])
    assert reader.head is not None
    assert reader.head.fields() == {"retry-after": "7", "x-trace": "no"}
