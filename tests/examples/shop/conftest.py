"""One shop for all tests here; each changes orders of its own."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.support.shop import ShopProcess, headers


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Caller:
    """Calls a shop as somebody who has its credential."""

    def __init__(self, shop: ShopProcess, session: aiohttp.ClientSession) -> None:
        self.shop = shop
        self._session = session

    async def __call__(self, method: str, path: str, body: Any = None, **more: str) -> Answer:
        return await self.bare(method, path, body, **headers(**more))

    async def bare(self, method: str, path: str, body: Any = None, **more: str) -> Answer:
        async with self._session.request(method, self.shop.url + path, json=body, headers=more) as answer:
            data = await answer.json(content_type=None) if answer.status != 204 else None
            return Answer(answer.status, data, answer.headers)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopProcess]:
    running = ShopProcess(tmp_path_factory.mktemp("shop") / "data", tenant="the-tenant").start()
    yield running
    running.end()


@pytest.fixture
async def call(shop: ShopProcess) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield Caller(shop, session)


@pytest.fixture
def own_directory(tmp_path: Path) -> Path:
    return tmp_path / "shop"
