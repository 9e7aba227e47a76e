"""A body of known length is whole when its bytes are there; only others are asked for their end."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from steward.gateway.body import read_body
from steward.gateway.exchange import Exchange, Message, Rules
from steward.gateway.settings import GatewaySettings
from steward.gateway.vigil import Vigil

RULES = Rules(most_bytes=1000, depth=10, seconds=30.0, patience=timedelta(seconds=30))
JSON = (b"content-type", b"application/json")


async def pieces_asked_for(head: Mapping[bytes, bytes], *pieces: bytes) -> tuple[bytes, int]:
    """The body that is read from these pieces, of which none says that it is the last, and how many were asked for."""
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        if asked > len(pieces):
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": pieces[asked - 1], "more_body": True}

    scope = {"method": "POST", "path": "/v1/x", "scheme": "http"}
    exchange = Exchange(scope, "id", "", 0.0)
    exchange.read = dict([JSON]) | dict(head)
    vigil = Vigil(receive, RULES.seconds)
    try:
        body = await read_body(exchange, receive, GatewaySettings(), RULES, vigil)
    finally:
        vigil.close()
    return body, asked


async def test_declared_body_is_not_asked_for_its_end() -> None:
    async with asyncio.timeout(5):
        assert await pieces_asked_for({b"content-length": b"5"}, b"[1,", b"2]") == (b"[1,2]", 2)


async def test_chunked_body_is_read_until_its_end() -> None:
    async with asyncio.timeout(5):
        assert await pieces_asked_for({b"transfer-encoding": b"chunked"}, b"[1,", b"2]") == (b"[1,2]", 3)


async def test_length_beside_chunks_decides_nothing() -> None:
    head = {b"transfer-encoding": b"chunked", b"content-length": b"3"}
    async with asyncio.timeout(5):
        assert await pieces_asked_for(head, b"[1]", b"    ") == (b"[1]    ", 3)
