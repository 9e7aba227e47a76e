"""Providers that speak a dialect of ours, over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NoReturn

import msgspec

from steward.kit.errors import AppError
from steward.kit.http.errors import AddressRefused
from steward.services.models.api import Speaks
from steward.services.models.errors import CannotExpress
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    EmbeddingReply,
    EmbeddingRequest,
    ModelReply,
    ModelRequest,
    Started,
    StreamEvent,
)
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.answers import MAX_ANSWER_BYTES, check_form, read_error, read_whole
from steward.services.models.upstream.failing import (
    broken,
    hangs_up,
    inexpressible,
    is_redirect,
    is_unbilled,
    redirected,
    without_key,
)
from steward.services.models.upstream.http1.connecting import NotConnected
from steward.services.models.upstream.http1.connection import Connection
from steward.services.models.upstream.http1.head import BadAnswer, Head
from steward.services.models.upstream.http1.pool import HangsUp, Pool
from steward.services.models.upstream.patience import Patience
from steward.services.models.upstream.pools import Pools
from steward.services.models.upstream.prepared import Preparations, Prepared, write_head
from steward.services.models.upstream.reading import Reading
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsClient
from steward.services.models.wire.ports import ClientCodec

_OK = 200
_BROKEN = (BadAnswer, OSError)
_NOTHING_SAID: Mapping[str, str] = {}


class DirectUpstream:
    """An `Upstream` for endpoints of the dialects that have a codec here; see `ProviderUpstream`."""

    def __init__(self, pools: Pools, preparations: Preparations, guard: Callable[[], None]) -> None:
        self._pools = pools
        self._preparations = preparations
        self._guard = guard
        self._embeddings = OpenAiEmbeddingsClient()

    async def complete(self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float) -> ModelReply:
        """See `Upstream`."""
        try:
            prepared = self._prepared(endpoint)
            codec = prepared.codec
            body = _encoded(lambda: codec.encode(request, model=model, stream=False))
            said = prepared.says(request) if prepared.says is not None else _NOTHING_SAID
            header = self._header(endpoint, prepared, prepared.line, said, len(body), stream=False)
            reply = codec.decode(await self._whole(endpoint, prepared, header, body, seconds))
        except ProviderFailure as failure:
            raise without_key(failure, endpoint) from failure.__cause__
        return msgspec.structs.replace(reply, provider=endpoint.name)

    async def stream(
        self, endpoint: Endpoint, request: ModelRequest, *, model: str, seconds: float
    ) -> AsyncGenerator[StreamEvent]:
        """See `Upstream`."""
        reading: Reading | None = None
        try:
            prepared = self._prepared(endpoint)
            codec = prepared.codec
            body = _encoded(lambda: codec.encode(request, model=model, stream=True))
            said = prepared.says(request) if prepared.says is not None else _NOTHING_SAID
            header = self._header(endpoint, prepared, prepared.line, said, len(body), stream=True)
            reading = await self._reading(endpoint, prepared, header, body, seconds)
            while events := await reading.more():
                for event in events:
                    yield msgspec.structs.replace(event, provider=endpoint.name) if type(event) is Started else event
        except ProviderFailure as failure:
            raise without_key(failure, endpoint) from failure.__cause__
        finally:
            if reading is not None:
                reading.close()

    async def embed(
        self, endpoint: Endpoint, request: EmbeddingRequest, *, model: str, seconds: float
    ) -> EmbeddingReply:
        """See `Upstream`."""
        try:
            prepared = self._prepared(endpoint)
            if endpoint.speaks is not Speaks.OPENAI:
                raise inexpressible(CannotExpress("input", endpoint.speaks.value))
            body = _encoded(lambda: self._embeddings.encode(request, model=model))
            header = self._header(endpoint, prepared, prepared.embeddings, _NOTHING_SAID, len(body), stream=False)
            reply = self._embeddings.decode(await self._whole(endpoint, prepared, header, body, seconds))
        except ProviderFailure as failure:
            raise without_key(failure, endpoint) from failure.__cause__
        return msgspec.structs.replace(reply, provider=endpoint.name)

    async def close(self) -> None:
        """See `Upstream`; the pools are closed by who made them."""

    def _prepared(self, endpoint: Endpoint) -> Prepared:
        try:
            return self._preparations.of(endpoint)
        except (AddressRefused, ValueError) as error:
            raise broken(endpoint.name, error) from None

    def _header(
        self, endpoint: Endpoint, prepared: Prepared, line: bytes, said: Mapping[str, str], size: int, *, stream: bool
    ) -> bytes:
        try:
            return write_head(line, endpoint, prepared.codec, said, size, stream=stream)
        except ValueError as error:
            raise broken(endpoint.name, error) from None

    async def _whole(self, endpoint: Endpoint, prepared: Prepared, header: bytes, body: bytes, seconds: float) -> bytes:
        self._guard()
        name, left = endpoint.name, min(endpoint.time_outs.total, seconds)
        loop = asyncio.get_running_loop()
        ends = loop.time() + left
        pool = self._pools.of(endpoint)
        try:
            connection = pool.idle(prepared.target) or await _opened(pool, prepared, name, ends)
        except TimeoutError:
            raise _late(name, left) from None
        timer = loop.call_at(ends, lambda: connection.fail(_late(name, left)))
        try:
            connection.ask(header, body, whole=MAX_ANSWER_BYTES)
            head = await connection.answered()
            await _check(head, connection, prepared.codec, name, stream=False)
            return read_whole(connection, name)
        except _BROKEN as error:
            raise broken(name, error) from None
        finally:
            timer.cancel()
            pool.give_back(connection)

    async def _reading(
        self, endpoint: Endpoint, prepared: Prepared, header: bytes, body: bytes, seconds: float
    ) -> Reading:
        self._guard()
        name = endpoint.name
        patience = Patience(endpoint.time_outs, seconds=seconds, name=name)
        pool = self._pools.of(endpoint)
        try:
            connection = pool.idle(prepared.target) or await _opened(pool, prepared, name, patience.over)
        except TimeoutError:
            raise patience.failure() from None
        patience.watch(connection)
        reading = Reading(connection, pool, prepared.codec.stream(), patience, name)
        try:
            patience.begin_waiting()
            connection.ask(header, body)
            head = await connection.answered()
            await _check(head, connection, prepared.codec, name, stream=True)
            patience.end_waiting()
        except _BROKEN as error:
            reading.close()
            raise broken(name, error) from None
        except BaseException:
            reading.close()
            raise
        return reading


async def _opened(pool: Pool, prepared: Prepared, name: str, ends: float) -> Connection:
    """Raises `TimeoutError` when the call's time is over before."""
    try:
        async with asyncio.timeout_at(ends):
            return await pool.opened(prepared.target)
    except HangsUp:
        raise hangs_up(name) from None
    except (AddressRefused, NotConnected, ValueError) as error:
        raise broken(name, error) from None


async def _check(head: Head, connection: Connection, codec: ClientCodec, name: str, *, stream: bool) -> None:
    """Raise `ProviderFailure` for an answer whose head is not good."""
    if head.status != _OK:
        await _refuse(head, connection, codec, name)
    check_form(head, name, stream=stream)


async def _refuse(head: Head, connection: Connection, codec: ClientCodec, name: str) -> NoReturn:
    if is_redirect(head.status):
        raise redirected(name, head.status)
    try:
        body = await read_error(connection)
    except _BROKEN:
        body = b""
    failure = codec.failure(head.status, head.fields(), body)
    failure.unbilled = is_unbilled(head.status)
    raise failure


def _late(name: str, seconds: float) -> ProviderFailure:
    return ProviderFailure(FailureKind.TIMED_OUT, f"{name} did not send a whole answer within {seconds:g} s")


def _encoded(encode: Callable[[], bytes]) -> bytes:
    try:
        return encode()
    except AppError as error:
        raise inexpressible(error) from error
