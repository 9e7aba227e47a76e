"""A world of identity for each module of tests."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

import steward.services.identity
import steward.services.tenants
from steward.kit.clock import SystemClock
from steward.kit.crypto import LocalMasterKey
from steward.kit.ids import Ids
from tests.support.identity import Home, World, identity_world
from tests.support.postgres import PostgresForTests, run_template

LOCATIONS = [
    Path(package.__file__).parent / "migrations"
    for package in (steward.services.identity, steward.services.tenants)
    if package.__file__
]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresForTests]:
    postgres = PostgresForTests()
    try:
        postgres.start()
        run_template(postgres, LOCATIONS)
        yield postgres
    finally:
        postgres.stop()


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> LocalMasterKey:
    return LocalMasterKey(tmp_path_factory.mktemp("master") / "master.key", Ids(SystemClock()))


@pytest.fixture(scope="module")
async def world(server: PostgresForTests, master: LocalMasterKey) -> AsyncGenerator[World, None]:
    name = await server.clone()
    async with identity_world(server.dsn(name, user="steward_app"), server.dsn(name), master) as world:
        yield world


@pytest.fixture
async def home(world: World) -> Home:
    return await world.new_home()
