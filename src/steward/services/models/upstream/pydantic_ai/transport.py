"""Carries the library's HTTP requests over our own sessions, with their checks of addresses.

What fails here is a `ProviderFailure` at once; the library wraps it, and `failing` finds it again.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from steward.kit.http.errors import AddressRefused
from steward.services.models.ports import Endpoint
from steward.services.models.upstream.answers import MAX_ANSWER_BYTES, too_large
from steward.services.models.upstream.failing import broken, hangs_up, is_redirect, redirected
from steward.services.models.upstream.pydantic_ai.library import Library
from steward.services.models.upstream.sessions import Sessions, StaleConnection

if TYPE_CHECKING:
    import httpx2

_HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})
_MOST_STALE = 64


def make_client(library: Library, sessions: Sessions, endpoint: Endpoint) -> "httpx2.AsyncClient":
    """An HTTP client for one endpoint: no redirects, no cookies, nothing of the environment."""
    http = library.http

    class Body(http.AsyncByteStream):
        """An answer's body, within the bound; closing it hangs up."""

        def __init__(self, answer: aiohttp.ClientResponse) -> None:
            self._answer = answer

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            try:
                while piece := await self._answer.content.readany():
                    size += len(piece)
                    if size > MAX_ANSWER_BYTES:
                        raise too_large(endpoint.name)
                    yield piece
            except (aiohttp.ClientError, OSError) as error:
                raise broken(endpoint.name, error) from None

        async def aclose(self) -> None:
            self._answer.close()

    class Transport(http.AsyncBaseTransport):
        """Sends each request once."""

        async def handle_async_request(self, request: "httpx2.Request") -> "httpx2.Response":
            body = await request.aread()
            url = URL(str(request.url))
            url = url.extend_query({name: value for name, value in endpoint.query.items() if name not in url.query})
            header = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
            header |= {"accept-encoding": "identity", **endpoint.headers}
            try:
                answer = await _send(sessions, endpoint, request.method, url, header, body)
            except (AddressRefused, ValueError, aiohttp.ClientError, OSError) as error:
                raise broken(endpoint.name, error) from None
            if is_redirect(answer.status):
                answer.close()
                raise redirected(endpoint.name, answer.status)
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers]
            return http.Response(answer.status, headers=pairs, stream=Body(answer), request=request)

    return http.AsyncClient(transport=Transport(), trust_env=False, follow_redirects=False, timeout=None)


async def _send(
    sessions: Sessions, endpoint: Endpoint, method: str, url: URL, header: dict[str, str], body: bytes
) -> aiohttp.ClientResponse:
    if endpoint.owner is not None:
        sessions.policy.check(url)
    for _ in range(_MOST_STALE):
        try:
            return await sessions.of(endpoint).request(method, url, data=body, headers=header, allow_redirects=False)
        except StaleConnection:
            continue
    raise hangs_up(endpoint.name)
