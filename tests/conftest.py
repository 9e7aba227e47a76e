"""Fixtures for every test: one PostgreSQL a worker, and platforms on databases cloned from a migrated template."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from steward.bootstrap.modules import MODULES
from tests.support.blocking import pytest_configure, pytest_runtest_call
from tests.support.platform import Installation, open_installation
from tests.support.postgres import PostgresForTests, run_template

__all__ = ["pytest_configure", "pytest_runtest_call"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """The PostgreSQL of this worker, with a migrated template."""
    server = PostgresForTests()
    try:
        server.start()
        run_template(server, [module.migrations for module in MODULES])
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture(scope="session")
async def dsn(postgres: PostgresForTests) -> str:
    """A migrated database of this worker, as the login role; tests keep apart by using tenants of their own."""
    return postgres.dsn(await postgres.clone(), "steward_app")


NewDatabase = Callable[[], Coroutine[Any, Any, tuple[str, str]]]


@pytest_asyncio.fixture
async def new_database(postgres: PostgresForTests) -> AsyncIterator[NewDatabase]:
    """Makes migrated databases for a test that changes the schema or kills things: (as login role, as owner)."""
    made: list[str] = []

    async def make() -> tuple[str, str]:
        made.append(await postgres.clone())
        return postgres.dsn(made[-1], "steward_app"), postgres.dsn(made[-1])

    yield make
    for name in made:
        await postgres.drop(name)


@pytest_asyncio.fixture(scope="session", params=["local", "grpc"])
async def installation(
    request: pytest.FixtureRequest, dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """A platform to call through its contracts, once in this process and once over gRPC."""
    async with AsyncExitStack() as stack:
        yield await open_installation(stack, request.param, dsn, _home(tmp_path_factory))


@pytest_asyncio.fixture(scope="session")
async def platform(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """A platform in this process, for tests of which one mode is enough."""
    async with AsyncExitStack() as stack:
        yield await open_installation(stack, "local", dsn, _home(tmp_path_factory))


def _home(factory: pytest.TempPathFactory) -> Path:
    # One home, and so one master key, for all platforms on the worker's database.
    home = factory.getbasetemp() / "steward-home"
    home.mkdir(exist_ok=True)
    return home
