"""A running platform that the tests of the contracts may fill with anything."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.house import House, open_house
from tests.support.postgres import PostgresForTests


@pytest_asyncio.fixture(scope="session")
async def house(postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    name = await postgres.clone()
    dsns = postgres.dsn(name, "steward_app"), postgres.dsn(name)
    async with open_house(*dsns, tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def document(house: House) -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    return (await house.http("GET", "/openapi.json")).json
