"""Reading an answer's body within a limit, compressed or not."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from aiohttp import ClientResponse

from steward.kit.http.errors import ResponseTooLarge, UpstreamUnavailable

_PIECE_BYTES = 64 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


async def read_body(response: ClientResponse, host: str, limit: int) -> bytes:
    """The whole body, decompressed; the limit holds for what came and for what it decompressed to.

    Decompression is done here, piece by piece: a few kilobytes that stand for gigabytes cost no more than the limit.
    Raises `ResponseTooLarge`, `UpstreamUnavailable` for a broken or unknown encoding.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        raise UpstreamUnavailable(host, f"it answers in the encoding {encoding[:20]!r}, which was not asked for")
    pieces = _received(response, host, limit)
    if encoding in {"gzip", "x-gzip"}:
        pieces = _unzipped(pieces, host)
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            raise ResponseTooLarge(host, "body", limit)
    return bytes(body)


async def _received(response: ClientResponse, host: str, limit: int) -> AsyncIterator[bytes]:
    received = 0
    async for piece in response.content.iter_any():
        received += len(piece)
        if received > limit:
            raise ResponseTooLarge(host, "body", limit)
        yield piece


async def _unzipped(pieces: AsyncIterator[bytes], host: str) -> AsyncIterator[bytes]:
    """One gzip member (RFC 1952). An empty body counts as whole, for answers to HEAD have none."""
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    begun = False
    async for piece in pieces:
        begun = True
        waiting = piece
        while waiting and not decoder.eof:
            try:
                yield decoder.decompress(waiting, _PIECE_BYTES)
            except zlib.error as error:
                raise UpstreamUnavailable(host, "its compressed answer is broken") from error
            waiting = decoder.unconsumed_tail
            await asyncio.sleep(0)
        if decoder.unused_data:
            raise UpstreamUnavailable(host, "its compressed answer has data behind its end")
    while begun and not decoder.eof:
        # Input is used up, but output may be left in the decoder.
        rest = decoder.decompress(decoder.unconsumed_tail, _PIECE_BYTES)
        if not rest:
            raise UpstreamUnavailable(host, "its compressed answer broke off")
        yield rest
