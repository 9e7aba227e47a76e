"""Reading a request's body: bounded in size, time and kind before anything is made of it."""

import asyncio
import contextlib
from typing import Final

from steward.gateway.decoding import LARGE
from steward.gateway.errors import BodyTooLarge, UnsupportedCharset, UnsupportedMediaType
from steward.gateway.exchange import JSON, Exchange, Message, Receive, Rules, printable
from steward.gateway.json_guard import check_json
from steward.gateway.settings import GatewaySettings
from steward.gateway.vigil import Vigil
from steward.kit.errors import MalformedRequest

_WITH_BODY: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_MAX_LENGTH_DIGITS: Final = 18
_MAX_PIECES: Final = 8192
"""Pieces that a body may come in: each costs the same work, so a megabyte of single bytes would cost a minute of it."""


_DISCARDED: Final = 8 << 20
"""Bytes of a body too large that are read and dropped: a caller who is still sending when the connection ends does not
get to read the answer (RFC 9112 section 9.6)."""
_DISCARD_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 60.0
_DISCARD_PAUSE: Final = 0.2
"""Seconds without a byte after which a caller counts as one who is not sending any more."""


async def read_body(
    exchange: Exchange, receive: Receive, settings: GatewaySettings, rules: Rules, vigil: Vigil
) -> bytes:
    """The body within the path's limits, empty where there is none; checked to be JSON where it is to be that.

    Raises `BodyTooLarge` before keeping anything where the length is declared, `UnsupportedMediaType`,
    `UnsupportedCharset`, `MalformedRequest` for one that breaks off or comes in crumbs, and what `check_json` raises.
    The vigil ends the request where the body takes too long.
    """
    declared = _declared_length(exchange)
    most = rules.most_bytes
    if declared is not None and declared > most:
        if declared <= _DISCARDED and not exchange.read.get(b"expect"):
            await _discard(receive, _DISCARDED)
        raise BodyTooLarge(most)
    if declared == 0 or exchange.method not in _WITH_BODY:
        return b""
    _check_content_type(exchange.read.get(b"content-type", b""), rules.kind, has_body=declared is not None)
    vigil.await_body(_seconds_for(rules, settings))
    body = await _collect(receive, most, _known_end(exchange, declared))
    vigil.body_was_read()
    if body:
        if declared is None:
            _check_content_type(exchange.read.get(b"content-type", b""), rules.kind, has_body=True)
        if rules.kind == JSON:
            await _check_json(body, rules.depth)
    return body


async def _check_json(body: bytes, depth: int) -> None:
    if len(body) > LARGE:
        await asyncio.to_thread(check_json, body, depth)
    else:
        check_json(body, depth)


def _seconds_for(rules: Rules, settings: GatewaySettings) -> float:
    """More time for paths that take more than usual, at the rate of the usual ones, within a minute."""
    if rules.most_bytes <= settings.max_body_bytes:
        return settings.body_seconds
    wanted = settings.body_seconds * rules.most_bytes / settings.max_body_bytes
    return min(wanted, max(settings.body_seconds, _MOST_SECONDS))


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


def _known_end(exchange: Exchange, declared: int | None) -> int | None:
    """The length at which the body is whole; None where only the server can tell (RFC 9112 section 6.3)."""
    return None if b"transfer-encoding" in exchange.read else declared


async def _collect(receive: Receive, limit: int, whole: int | None) -> bytes:
    """The body. `whole` spares asking for its end: that costs a way to the server's thread and back."""
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
        more = message.get("more_body", False) and size != whole
    return b"".join(chunks)


def _check_content_type(value: bytes, wanted: bytes, *, has_body: bool) -> None:
    kind, *parameters = value.split(b";")
    if not value and not has_body:
        return
    if kind.strip().lower() != wanted:
        raise UnsupportedMediaType(value.decode("latin-1"), wanted.decode())
    for parameter in parameters:
        name, _, charset = parameter.strip().partition(b"=")
        if name.lower() == b"charset" and charset.strip(b'"').lower() not in {b"utf-8", b"utf8"}:
            raise UnsupportedCharset(charset.decode("latin-1"))
