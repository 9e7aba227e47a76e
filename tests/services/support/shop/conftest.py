"""The room `shop` on a real database, against the real demo shop and against one that misbehaves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from aiohttp import web

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.kit.module import Apis, Module
from steward.services.support.ports import ToolResult
from steward.services.support.shop.build import ShopRoom, build
from steward.services.support.shop.settings import ALLOWED_HOSTS
from tests.support.platform import Installation
from tests.support.postgres import PostgresForTests
from tests.support.shop import SECRET, ShopProcess

CONFIGURE = "support:configure"
QUICK = {
    "STEWARD_SHOP_ATTEMPT_SECONDS": "0.4",
    "STEWARD_SHOP_TOTAL_SECONDS": "1.5",
    "STEWARD_SHOP_ATTEMPTS": "2",
    "STEWARD_SHOP_BREAKER_FAILURES": "4",
    "STEWARD_SHOP_BREAKER_SECONDS": "0.3",
}


class Room:
    """A room and a tenant of its own."""

    def __init__(self, platform: Installation, room: ShopRoom, tenant: TenantId) -> None:
        self.platform = platform
        self.room = room
        self.tenant = tenant
        self._keys = 0

    def ctx(self, *scopes: str, locale: str = "en") -> Ctx:
        return msgspec.structs.replace(self.platform.ctx(self.tenant, *scopes), locale=locale)

    async def connect(self, url: str, credential: str = SECRET) -> None:
        await self.room.use_case.put_shop(self.ctx(CONFIGURE), base_url=url, credential=credential)

    async def call(
        self, tool: str, customer: str | None, *, key: str = "", locale: str = "en", **arguments: str
    ) -> ToolResult:
        self._keys += 1
        return await self.room.tools.call(
            self.ctx(locale=locale),
            customer_id=customer,
            tool=f"shop.{tool}",
            arguments=arguments,
            idempotency_key=key or f"{self.tenant}-{self._keys}",
        )


class Misbehaving:
    """A shop that answers what a test says, and notes what it was asked."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.answers: list[web.Response] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return self.answers.pop(0) if self.answers else web.json_response({"code": "spent"}, status=500)


@pytest.fixture
async def misbehaving() -> AsyncIterator[Misbehaving]:
    shop = Misbehaving()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield shop
    await runner.cleanup()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopProcess]:
    running = ShopProcess(tmp_path_factory.mktemp("desk-shop") / "data").start()
    yield running
    running.end()


OpenRoom = Callable[..., Awaitable[Room]]


@pytest.fixture
async def open_room(platform: Installation) -> AsyncIterator[OpenRoom]:
    """Makes rooms that may call the URLs given."""
    opened: list[ShopRoom] = []

    async def open_(*urls: str, tenant: TenantId | None = None, **settings: str) -> Room:
        hosts = ",".join(url.removeprefix("http://") for url in urls)
        parts = platform.foundation.parts(cast("Module", SimpleNamespace(name="support")), Apis(), ())
        environment: dict[str, Any] = {**QUICK, ALLOWED_HOSTS: hosts, **settings}
        room = build(msgspec.structs.replace(parts, environment=environment))
        await room.tools.start()
        opened.append(room)
        return Room(platform, room, tenant or TenantId(platform.foundation.ids.new()))

    yield open_
    for room in opened:
        await room.tools.stop()


@pytest.fixture
async def desk(open_room: OpenRoom, shop: ShopProcess) -> Room:
    """A room whose tenant has the demo shop."""
    room = await open_room(shop.url)
    await room.connect(shop.url)
    return room


@pytest.fixture
def own_shop(tmp_path: Path) -> Iterator[ShopProcess]:
    """A shop that a test may kill."""
    running = ShopProcess(tmp_path / "data").start()
    yield running
    running.end()


Rows = Callable[..., Awaitable[list[asyncpg.Record]]]


@pytest.fixture
async def owner_rows(postgres: PostgresForTests, dsn: str) -> AsyncIterator[Rows]:
    """The database as its owner sees it, row policies or not."""
    connection = await asyncpg.connect(postgres.dsn(urlsplit(dsn).path.lstrip("/")))

    async def rows(query: str, *values: object) -> list[asyncpg.Record]:
        return await connection.fetch(query, *values)

    yield rows
    await connection.close()
