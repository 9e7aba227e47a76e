"""A real server around the edge, with the services in memory."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import msgspec
from litestar.handlers import HTTPRouteHandler

from steward.bootstrap.modules import MODULES
from steward.gateway.app import EdgeParts, create_app
from steward.gateway.authn import Authenticator
from steward.gateway.demo import DemoSite
from steward.gateway.edge import Edge
from steward.gateway.observe import TelemetryObserver
from steward.gateway.server import EdgeServer
from steward.gateway.settings import GatewaySettings
from steward.kit.cache import Cache
from steward.kit.clock import Clock, SystemClock
from steward.kit.ids import Ids
from steward.kit.ratelimit import RateLimiter
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from tests.gateway.fakes import TOKEN, FakeAudit, FakeDesk, FakeIdentity, FakeOps, FakeTenants

ROUTES = tuple(route for module in MODULES for route in module.routes)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
GENEROUS = GatewaySettings(user_per_minute=1_000_000, address_per_minute=1_000_000)


class Answer(NamedTuple):
    """What came back on a raw connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem details, checked for what every one has."""
        assert self.headers.get("content-type") == "application/problem+json", self
        document = msgspec.json.decode(self.body, type=dict[str, Any])
        assert document["status"] == self.status
        assert document["type"] == f"urn:steward:problem:{document['code']}"
        assert document["title"]
        assert document["detail"]
        assert document["request_id"] == self.headers["x-request-id"]
        return document


class Rig:
    """The edge with everything around it that a test looks at."""

    def __init__(self, settings: GatewaySettings, telemetry: Telemetry, clock: Clock) -> None:
        self.clock = clock
        self.identity = FakeIdentity(clock)
        self.tenants = FakeTenants()
        self.audit = FakeAudit()
        self.ops = FakeOps()
        self.desk = FakeDesk(clock)
        self.telemetry = telemetry
        self.authenticator = Authenticator(
            identity=self.identity,
            tenants=self.tenants,
            cache=Cache(clock, max_entries=10_000, max_bytes=1 << 24),
            limiter=RateLimiter(clock),
            clock=clock,
            settings=settings,
        )
        self._settings = settings
        self.demo = DemoSite()
        self.edge = self.build(ROUTES)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = EdgeServer(self.edge, settings, SystemClock(), host="127.0.0.1", port=self.port)

    def build(self, routes: Sequence[HTTPRouteHandler]) -> Edge:
        """An edge with these routes."""
        return create_app(
            EdgeParts(
                routes=routes,
                apis={
                    **dict.fromkeys(module.name for module in MODULES),
                    "identity": self.identity,
                    "tenants": self.tenants,
                    "audit": self.audit,
                    "support": self.desk,
                },
                sockets=[socket for module in MODULES for socket in module.sockets],
                authenticator=self.authenticator,
                ops=self.ops,
                observer=TelemetryObserver(self.telemetry, self.clock),
                clock=self.clock,
                ids=Ids(self.clock),
                settings=self._settings,
                version="0.0.0",
                demo=self.demo,
            )
        )

    @property
    def captured(self) -> CapturingTelemetry:
        assert isinstance(self.telemetry, CapturingTelemetry)
        return self.telemetry

    async def call(self, method: str, path: str, *, auto_decompress: bool = True, **options: Any) -> Answer:
        """One request by a real client."""
        session = aiohttp.ClientSession(auto_decompress=auto_decompress)
        async with session, session.request(method, self.url + path, **options) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await response.read())

    async def raw(self, data: bytes, *, limit: float = 10) -> Answer:
        """What the server says to these very bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            async with asyncio.timeout(limit):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(head[0].split()[1]), headers, body)
        finally:
            writer.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def running(
    settings: GatewaySettings = GENEROUS, *, telemetry: Telemetry | None = None, clock: Clock | None = None
) -> AsyncIterator[Rig]:
    """A rig whose server runs."""
    # In a thread, for to describe all routes takes a quarter of a second of a busy machine.
    rig = await asyncio.to_thread(Rig, settings, telemetry or Telemetry.for_tests(), clock or SystemClock())
    await rig.server.start()
    try:
        yield rig
    finally:
        rig.identity.release.set()
        await rig.server.stop()
