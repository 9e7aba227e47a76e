"""A running platform for the walks over all operations, and a tenant on either side."""

from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest
import pytest_asyncio

from tests.authorization.operations import Route, routes_of
from tests.authorization.stage import Behind
from tests.support.house import House, Member, open_house
from tests.support.platform import TestTenant
from tests.support.postgres import PostgresForTests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All on one worker, which makes one house."""
    for item in items:
        if "tests/authorization/" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("authorization"))


@pytest_asyncio.fixture(scope="session")
async def house_dsns(postgres: PostgresForTests) -> tuple[str, str]:
    """A database of its own, for the walks look at all that is in it: as login role, as owner."""
    name = await postgres.clone()
    return postgres.dsn(name, "steward_app"), postgres.dsn(name)


@pytest_asyncio.fixture(scope="session")
async def house(house_dsns: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(*house_dsns, tmp_path_factory.getbasetemp() / "house") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def next_house(
    house: House, house_dsns: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Another process-alike of the same fleet, which hears of the first one's changes over the bus only."""
    async with open_house(*house_dsns, tmp_path_factory.getbasetemp() / "house") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def routes(house: House) -> Mapping[str, Route]:
    return routes_of((await house.http("GET", "/openapi.json")).json)


@pytest_asyncio.fixture(scope="session")
async def behind(house_dsns: tuple[str, str]) -> AsyncIterator[Behind]:
    connection = await asyncpg.connect(house_dsns[1])
    yield await Behind.of(connection)
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def tenant(house: House) -> TestTenant:
    """The tenant whose things are asked for."""
    return await house.installation.tenant()


@pytest_asyncio.fixture(scope="session")
async def owner(house: House, tenant: TestTenant) -> Member:
    return await house.logged_in(tenant.id, tenant.owner_email)


@pytest_asyncio.fixture(scope="session")
async def stranger(house: House) -> Member:
    """The owner of another tenant."""
    other = await house.installation.tenant()
    return await house.logged_in(other.id, other.owner_email)
