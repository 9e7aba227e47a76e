"""HTTP to batch endpoints: a connection for each request, for these are few and may take long."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from steward.kit.db import forbid_open_tx
from steward.kit.http.addresses import AddressPolicy, CheckedResolver, Resolver
from steward.kit.http.errors import AddressRefused
from steward.services.models.api import Speaks
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.ports import Endpoint
from steward.services.models.wire.anthropic.client import AnthropicClient
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.ports import ClientCodec

REQUEST_SECONDS: Final = 100.0
"""Within which a request is answered; also of each piece of results, which are read as they come."""
MOST_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Of an answer, or of one line of results."""
_MOST_ERROR_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_PIECE_BYTES: Final = 64 * 1024
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_CLIENT_ERRORS: Final = (AddressRefused, aiohttp.ClientError, OSError, ValueError)


class HttpBatches:
    """Implements `BatchHttp`. Connections of tenants reach public addresses by https, and what the installation allows
    by name; the key is in the header only.
    """

    def __init__(self, resolver: Resolver, policy: AddressPolicy) -> None:
        self._resolver = resolver
        self._policy = policy
        self._openai = OpenAiClient(newer=True)
        self._anthropic = AnthropicClient()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        kind: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> bytes:
        """See `BatchHttp`."""
        url = _url(endpoint, path, query or {})
        try:
            async with asyncio.timeout(REQUEST_SECONDS), self._answer(endpoint, method, url, body, kind) as response:
                return await _read(response, MOST_ANSWER_BYTES, endpoint.name)
        except TimeoutError as error:
            message = f"{endpoint.name} did not answer within {REQUEST_SECONDS:g} s"
            raise ProviderFailure(FailureKind.TIMED_OUT, message) from error

    async def lines(self, endpoint: Endpoint, path: str) -> AsyncGenerator[bytes]:
        """See `BatchHttp`."""
        rest = bytearray()
        async with self._answer(endpoint, "GET", _url(endpoint, path, {}), None, "") as response:
            async for piece in response.content.iter_chunked(_PIECE_BYTES):
                rest += piece
                *whole, last = rest.split(b"\n")
                rest = bytearray(last)
                for line in whole:
                    if line.strip():
                        yield bytes(line)
                if len(rest) > MOST_ANSWER_BYTES:
                    raise _too_large(endpoint.name)
            if rest.strip():
                yield bytes(rest)

    async def close(self) -> None:
        """See `BatchHttp`."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    @asynccontextmanager
    async def _answer(
        self, endpoint: Endpoint, method: str, url: URL, body: bytes | None, kind: str
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        forbid_open_tx()
        codec: ClientCodec = self._anthropic if endpoint.speaks is Speaks.ANTHROPIC else self._openai
        try:
            if endpoint.owner is not None:
                self._policy.check(url)
            async with asyncio.timeout(REQUEST_SECONDS):
                response = await self._session(endpoint).request(
                    method, url, data=body, headers=_fields(endpoint, codec, kind), allow_redirects=False
                )
        except TimeoutError as error:
            message = f"{endpoint.name} did not answer within {REQUEST_SECONDS:g} s"
            raise ProviderFailure(FailureKind.TIMED_OUT, message) from error
        except _CLIENT_ERRORS as error:
            raise _broken(endpoint.name, error) from None
        try:
            if response.status != _OK:
                raise await _failure(response, codec, endpoint)
            yield response
        except TimeoutError as error:
            raise ProviderFailure(FailureKind.TIMED_OUT, f"{endpoint.name} stopped in its answer") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(endpoint.name, error) from None
        finally:
            response.close()

    def _session(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        checked = endpoint.owner is not None
        if checked not in self._sessions:
            resolver = CheckedResolver(self._resolver, self._policy) if checked else None
            self._sessions[checked] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=REQUEST_SECONDS),
            )
        return self._sessions[checked]


def _url(endpoint: Endpoint, path: str, query: Mapping[str, str]) -> URL:
    base = endpoint.base_url.rstrip("/")
    root = f"{AnthropicClient.path_for(base)}/batches" if endpoint.speaks is Speaks.ANTHROPIC else ""
    try:
        return URL(base + root + path).extend_query({**endpoint.query, **query})
    except ValueError as error:
        raise _broken(endpoint.name, error) from None


def _fields(endpoint: Endpoint, codec: ClientCodec, kind: str) -> CIMultiDict[str]:
    made = CIMultiDict({"User-Agent": "Steward", "Accept": "*/*", "Accept-Encoding": "identity"})
    made.update(codec.headers(endpoint.key.reveal() if endpoint.key is not None else None, endpoint.key_header))
    made.update(endpoint.headers)
    if kind:
        made["Content-Type"] = kind
    return made


async def _read(response: aiohttp.ClientResponse, most: int, name: str) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        body += piece
        if len(body) > most:
            raise _too_large(name)
    return bytes(body)


async def _failure(response: aiohttp.ClientResponse, codec: ClientCodec, endpoint: Endpoint) -> ProviderFailure:
    if response.status in _REDIRECTS:
        message = f"{endpoint.name} redirects, which is not followed: set base_url to the final address"
        return ProviderFailure(FailureKind.NOT_FOUND, message, status=response.status, unbilled=True)
    body = bytearray()
    while len(body) < _MOST_ERROR_BYTES and (piece := await response.content.readany()):
        body += piece
    headers = {name.lower(): value for name, value in response.headers.items()}
    failure = codec.failure(response.status, headers, bytes(body[:_MOST_ERROR_BYTES]))
    key = endpoint.key.reveal() if endpoint.key is not None else ""
    if key and key in failure.message:
        failure.message = failure.message.replace(key, "***")
        failure.args = (failure.message,)
    return failure


def _broken(name: str, error: Exception) -> ProviderFailure:
    """Raised `from None`: errors of the HTTP library hold the request with its header, and so the key."""
    if isinstance(error, AddressRefused):
        return ProviderFailure(FailureKind.UNREACHABLE, error.message, unbilled=True)
    never = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ValueError)
    if isinstance(error, never) and not isinstance(error, aiohttp.ClientResponseError):
        message = f"{name} cannot be reached for batches: check its base_url"
        return ProviderFailure(FailureKind.UNREACHABLE, message, unbilled=True)
    return ProviderFailure(FailureKind.CUT, f"the connection to {name} ended before the answer did")


def _too_large(name: str) -> ProviderFailure:
    message = f"an answer of {name} on a batch is over the limit of {MOST_ANSWER_BYTES} bytes"
    return ProviderFailure(FailureKind.MALFORMED, message)
