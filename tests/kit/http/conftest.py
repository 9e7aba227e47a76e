"""A real upstream on loopback, and clients that may call it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from steward.kit.context import ANONYMOUS, Ctx
from steward.kit.http import Breakers, HttpSettings, Resolver, SafeClient
from steward.kit.ids import TenantId
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.resolver import FakeResolver

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Upstream:
    """A server that answers with the handler a test sets and notes what it was asked."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.handler: Handler = self.fine
        self.held = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def fine(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text="fine")

    async def hang(self, _request: web.Request) -> web.StreamResponse:
        await self.held.wait()
        return web.Response(text="late")

    def answers(self, *answers: web.Response | type[Exception]) -> None:
        """Give these answers one after the other, then 200."""
        left = list(answers)

        async def handler(request: web.Request) -> web.StreamResponse:
            if not left:
                return web.Response(text="fine")
            answer = left.pop(0)
            if isinstance(answer, web.Response):
                return answer
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.handler = handler

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return await self.handler(request)


async def _started(upstream: Upstream) -> AsyncIterator[Upstream]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", upstream.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.port = runner.addresses[0][1]
    yield upstream
    upstream.held.set()
    await runner.cleanup()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async for started in _started(Upstream()):
        yield started


@pytest.fixture
async def second() -> AsyncIterator[Upstream]:
    async for started in _started(Upstream()):
        yield started


class Desk:
    """Makes clients with settings of a test's choice and closes them after it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breakers = Breakers(self.clock)
        self.guarded = 0
        self._clients: list[SafeClient] = []

    def guard(self) -> None:
        self.guarded += 1

    def ctx(self, tenant: TenantId | None = None, seconds: float = 3600) -> Ctx:
        return Ctx(
            tenant=tenant,
            actor=ANONYMOUS,
            scopes=frozenset(),
            request_id="r",
            deadline=self.clock.now() + timedelta(seconds=seconds),
        )

    async def client(self, *allowed: str, resolver: Resolver | None = None, **settings: Any) -> SafeClient:
        client = SafeClient(
            HttpSettings(allowed_hosts=frozenset(allowed), **settings),
            self.clock,
            self.breakers,
            resolver or FakeResolver({}),
            random=lambda: 0.5,
            guard=self.guard,
        )
        self._clients.append(client)
        return await client.__aenter__()

    async def close(self) -> None:
        for client in self._clients:
            await client.__aexit__(None, None, None)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    await made.close()
