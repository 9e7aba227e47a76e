"""Desks with stand-ins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.services.support.conversations.desk import Desk, open_desk

NewDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture(scope="session")
def desk_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The home of all platforms on the worker's database.
    home = tmp_path_factory.getbasetemp() / "steward-home"
    home.mkdir(exist_ok=True)
    return home


@pytest_asyncio.fixture(params=["local", "grpc"])
async def desk(request: pytest.FixtureRequest, dsn: str, desk_home: Path) -> AsyncIterator[Desk]:
    """A desk in this process, and one over gRPC."""
    async with AsyncExitStack() as stack:
        yield await open_desk(stack, dsn, desk_home, mode=request.param)


@pytest_asyncio.fixture
async def new_desk(dsn: str, desk_home: Path) -> AsyncIterator[NewDesk]:
    """Makes desks in this process; with `tenant` a further process of the first one's fleet."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Desk:
            return await open_desk(stack, dsn, desk_home, **settings)

        yield make
