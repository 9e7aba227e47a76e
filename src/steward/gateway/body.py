"""Reading a request's body: bounded in size, time and kind before anything is made of it."""

import asyncio
import contextlib
from typing import Final

from steward.gateway.decoding import LARGE
from steward.gateway.errors import BodyTooLarge, BodyTooSlow, UnsupportedCharset, UnsupportedMediaType
from steward.gateway.exchange import Exchange, Message, Receive, printable
from steward.gateway.json_guard import check_json
from steward.gateway.settings import GatewaySettings
from steward.kit.errors import MalformedRequest

_WITH_BODY: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_JSON: Final = b"application/json"
_MAX_LENGTH_DIGITS: Final = 18
_MAX_PIECES: Final = 8192
"""Pieces that a body may come in: each costs the same work, so a megabyte of single bytes would cost a minute of it."""


_DISCARDED: Final = 8 << 20
"""Bytes of a body too large that are read and dropped: a caller who is still sending when the connection ends does not
get to read the answer (RFC 9112 section 9.6)."""
_DISCARD_SECONDS: Final = 2.0
_DISCARD_PAUSE: Final = 0.2
"""Seconds without a byte after which a caller counts as one who is not sending any more."""


async def read_body(exchange: Exchange, receive: Receive, settings: GatewaySettings, most: int) -> bytes:
    """The body of at most `most` bytes, empty where there is none; checked to be JSON within the limits.

    Raises `BodyTooLarge` before keeping anything where the length is declared, `BodyTooSlow`, `UnsupportedMediaType`,
    `UnsupportedCharset`, `MalformedRequest` for one that breaks off or comes in crumbs, and what `check_json` raises.
    """
    declared = _declared_length(exchange)
    if declared is not None and declared > most:
        if declared <= _DISCARDED and not exchange.read.get(b"expect"):
            await _discard(receive, _DISCARDED)
        raise BodyTooLarge(most)
    if declared == 0 or exchange.method not in _WITH_BODY:
        return b""
    _check_content_type(exchange.read.get(b"content-type", b""), has_body=declared is not None)
    try:
        async with asyncio.timeout(settings.body_seconds):
            body = await _collect(receive, most)
    except TimeoutError as error:
        raise BodyTooSlow(settings.body_seconds) from error
    if body:
        _check_content_type(exchange.read.get(b"content-type", b""), has_body=True)
        if len(body) > LARGE:
            await asyncio.to_thread(check_json, body, settings.max_json_depth)
        else:
            check_json(body, settings.max_json_depth)
    return body


def replay(body: bytes) -> Message:
    """The message that hands the whole body to the application."""
    return {"type": "http.request", "body": body, "more_body": False}


def _declared_length(exchange: Exchange) -> int | None:
    """The declared length; None for a chunked body, 0 for none."""
    given = exchange.read.get(b"content-length")
    coding = exchange.read.get(b"transfer-encoding")
    if coding is not None and coding.strip().lower() != b"chunked":
        raise MalformedRequest(f"Transfer-Encoding {printable(coding, 40)!r} is not read here: send chunked")
    if given is None:
        return 0 if coding is None else None
    if not given.isdigit() or len(given) > _MAX_LENGTH_DIGITS:
        raise MalformedRequest(f"Content-Length {given[:40]!r} is no number of bytes")
    return int(given)


async def _discard(receive: Receive, most: int) -> None:
    """Read and drop what is left of a body, within bounds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            more = True
            while more and most > 0:
                message = await asyncio.wait_for(receive(), _DISCARD_PAUSE)
                most -= len(message.get("body", b""))
                more = message.get("more_body", False)


async def _collect(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Also said of chunks that cannot be read; who is really gone does not hear the answer.
            raise MalformedRequest("the body broke off before its end: send it whole")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            if message.get("more_body", False):
                await _discard(receive, _DISCARDED - size)
            raise BodyTooLarge(limit)
        chunks.append(chunk)
        if len(chunks) > _MAX_PIECES:
            raise MalformedRequest(f"the body comes in more than {_MAX_PIECES} pieces: send larger ones")
        more = message.get("more_body", False)
    return b"".join(chunks)


def _check_content_type(value: bytes, *, has_body: bool) -> None:
    kind, *parameters = value.split(b";")
    if not value and not has_body:
        return
    if kind.strip().lower() != _JSON:
        raise UnsupportedMediaType(value.decode("latin-1"))
    for parameter in parameters:
        name, _, charset = parameter.strip().partition(b"=")
        if name.lower() == b"charset" and charset.strip(b'"').lower() not in {b"utf-8", b"utf8"}:
            raise UnsupportedCharset(charset.decode("latin-1"))
