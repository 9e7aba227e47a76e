"""The client for outgoing calls whose address a tenant can steer."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp.http_exceptions import LineTooLong
from multidict import CIMultiDictProxy

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, DeadlineExceeded
from steward.kit.http.addresses import AddressPolicy, CheckedResolver, Resolver
from steward.kit.http.body import read_body
from steward.kit.http.breaker import Breakers
from steward.kit.http.call import REDIRECTS, Call
from steward.kit.http.errors import (
    AddressRefused,
    RedirectRefused,
    ResponseTooLarge,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from steward.kit.http.retry import Backoff, is_repeatable, is_transient
from steward.kit.http.settings import HttpSettings

_MAX_REDIRECTS = 5
_SERVER_ERROR = 500


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream's answer, whatever its status."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    """Decompressed."""
    url: str
    """Where the answer came from, after redirects."""


class SafeClient:
    """Calls public addresses over https, and hosts inside only where the installation names them.

    The name is resolved once, and the connection goes to the very address that was checked. Redirects are followed
    at most five times, each checked like a first call. Time, size and number of attempts are bounded. A call is
    repeated only if its method is idempotent or it carries an Idempotency-Key; where the connection of an idempotent
    method breaks before an answer, aiohttp repeats it once by itself within the attempt. Each tenant has its own
    breaker for each origin, so that no tenant can shut an origin for the others.

    Use it as `async with SafeClient(…) as client`. `guard` is called first in each request; it raises while a
    transaction is open. `random` gives numbers in [0, 1).
    """

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        breakers: Breakers,
        resolver: Resolver,
        *,
        random: Callable[[], float],
        guard: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._breakers = breakers
        self._policy = AddressPolicy(settings.allowed_hosts)
        self._resolver = resolver
        self._backoff = Backoff(clock, random)
        self._guard = guard
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(self._resolver, self._policy),
            use_dns_cache=False,
            limit=self._settings.max_connections,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Content-Type"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        ctx: Ctx,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        max_bytes: int | None = None,
    ) -> Response:
        """Send a request and read the answer; an answer with an error status is returned, not raised.

        `max_bytes` lowers the limit of the body. The call ends by the context's deadline at the latest. Raises
        `AddressRefused`, `RequestRefused`, `RedirectRefused`, `UpstreamTimeout`, `UpstreamUnavailable`,
        `ResponseTooLarge`, `CircuitOpen`, `DeadlineExceeded`.
        """
        self._guard()
        call = Call.of(method, url, headers or {}, body)
        limit = min(max_bytes or self._settings.max_response_bytes, self._settings.max_response_bytes)
        left_s = (ctx.deadline - self._clock.now()).total_seconds()
        ends = self._clock.monotonic() + min(left_s, self._settings.total_seconds)
        for _ in range(_MAX_REDIRECTS + 1):
            self._policy.check(call.url)
            response = await self._repeated(ctx, call, limit, ends)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or location is None:
                return response
            call = call.redirected(response.status, location)
        raise RedirectRefused(call.host, f"was reached after more than {_MAX_REDIRECTS} redirects")

    async def _repeated(self, ctx: Ctx, call: Call, limit: int, ends: float) -> Response:
        attempts = self._settings.attempts if is_repeatable(call.method, call.headers) else 1
        attempt = 0
        while True:
            attempt += 1
            outcome: Response | AppError
            try:
                outcome = await self._attempt(ctx, call, limit, ends)
                if not is_transient(outcome.status):
                    return outcome
                wait_s = self._backoff.wait_s(attempt, outcome.headers.get("Retry-After"))
            except (UpstreamTimeout, UpstreamUnavailable) as error:
                outcome = error
                wait_s = self._backoff.wait_s(attempt)
            if attempt >= attempts or self._clock.monotonic() + wait_s >= ends:
                if isinstance(outcome, AppError):
                    raise outcome
                return outcome
            await self._clock.sleep(wait_s)

    async def _attempt(self, ctx: Ctx, call: Call, limit: int, ends: float) -> Response:
        left_s = ends - self._clock.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded(f"the caller's time was over before {call.host} was called", host=call.host)
        timeout_s = min(self._settings.attempt_seconds, left_s)
        permit = self._breakers.of((ctx.tenant, call.origin), call.origin).admit()
        try:
            response = await self._send(call, limit, timeout_s)
            if response.status >= _SERVER_ERROR:
                permit.failed()
            else:
                permit.succeeded()
        except UpstreamTimeout:
            # Less than the usual time tells of the caller's hurry, not of the upstream.
            if timeout_s == self._settings.attempt_seconds:
                permit.failed()
            raise
        except UpstreamUnavailable:
            permit.failed()
            raise
        else:
            return response
        finally:
            permit.abandoned()

    async def _send(self, call: Call, limit: int, timeout_s: float) -> Response:
        if self._session is None:
            message = "SafeClient is not open: use it as `async with SafeClient(…) as client`"
            raise RuntimeError(message)
        timeout = aiohttp.ClientTimeout(
            total=timeout_s, sock_connect=self._settings.connect_seconds, sock_read=self._settings.read_seconds
        )
        try:
            async with self._session.request(
                call.method,
                call.url,
                headers=call.headers,
                data=call.body or None,
                allow_redirects=False,
                timeout=timeout,
            ) as answer:
                return await self._read(call, answer, limit)
        except TimeoutError as error:
            raise UpstreamTimeout(call.host, timeout_s) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._failure(call.host, error) from error

    async def _read(self, call: Call, answer: aiohttp.ClientResponse, limit: int) -> Response:
        header_bytes = sum(len(name) + len(value) + 4 for name, value in answer.raw_headers)
        if header_bytes > self._settings.max_header_bytes:
            raise ResponseTooLarge(call.host, "header section", self._settings.max_header_bytes)
        # A redirect's body is of no use; leaving it unread closes the connection.
        redirects = answer.status in REDIRECTS and "Location" in answer.headers
        body = b"" if redirects else await read_body(answer, call.host, limit)
        return Response(status=answer.status, headers=answer.headers, body=body, url=str(call.url))

    def _failure(self, host: str, error: Exception) -> AppError:
        """What went wrong, without the addresses that aiohttp's own messages name."""
        match error:
            case aiohttp.InvalidURL():
                return AddressRefused(host, "it is no address in its usual form")
            case aiohttp.ClientConnectorDNSError():
                problem = "its name cannot be resolved"
            case aiohttp.ClientSSLError():
                problem = "its TLS certificate or TLS version is not accepted"
            case aiohttp.ClientConnectorError():
                problem = "no connection can be made"
            case aiohttp.ClientResponseError() if _is_too_long(error):
                return ResponseTooLarge(host, "header section", self._settings.max_header_bytes)
            case aiohttp.ClientResponseError():
                problem = "its answer is not valid HTTP"
            case _:
                problem = "the connection broke before the answer was whole"
        return UpstreamUnavailable(host, problem)


def _is_too_long(error: BaseException) -> bool:
    cause = error.__cause__
    return cause is not None and (isinstance(cause, LineTooLong) or _is_too_long(cause))
