"""The HTTP sessions of a process: one for hosts that tenants name, one for those of the installation."""

import select

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection

from steward.kit.http.addresses import AddressPolicy, CheckedResolver, Resolver
from steward.services.models.ports import Endpoint

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 50.0
"""Shorter than the idle time after which the usual providers and their proxies hang up."""
_NAMES_SECONDS = 30
_HUNG_UP = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class StaleConnection(Exception):
    """The provider had closed the idle connection before anything of the request was written to it."""


class Sessions:
    """Opened with the first call and kept; how many calls are made at a time is not decided here.

    A tenant's connections and the installation's never share a socket: only the former are held to public addresses,
    and a pooled socket is not resolved again.
    """

    def __init__(self, resolver: Resolver, policy: AddressPolicy) -> None:
        self._resolver = resolver
        self.policy = policy
        self._checked: aiohttp.ClientSession | None = None
        self._free: aiohttp.ClientSession | None = None

    def of(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        """The session for calls to an endpoint."""
        if endpoint.owner is not None:
            if self._checked is None:
                self._checked = _session(CheckedResolver(self._resolver, self.policy))
            return self._checked
        if self._free is None:
            self._free = _session(None)
        return self._free

    async def close(self) -> None:
        """Close every socket; a later call opens new ones."""
        sessions = (self._checked, self._free)
        self._checked = self._free = None
        for session in sessions:
            if session is not None:
                await session.close()


class _Request(aiohttp.ClientRequest):
    """Looks whether its connection is still there before it writes to it.

    A request that was written may have been worked on, and so have cost money, even if the connection then breaks
    without an answer; one that was not written may safely be sent again.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        transport = conn.transport
        if transport is None or _hung_up(transport.get_extra_info("socket").fileno()):
            raise StaleConnection
        return await super().send(conn)


def _hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, _HUNG_UP)
    return bool(poll.poll(0))


def _session(resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=resolver, limit=0, ttl_dns_cache=_NAMES_SECONDS, keepalive_timeout=_IDLE_SECONDS
        ),
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS),
    )
