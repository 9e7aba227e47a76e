"""A world of identity for each module of tests, once in this process and once over gRPC."""

from collections.abc import AsyncGenerator

import pytest

from steward.kit.clock import SystemClock
from steward.kit.crypto import LocalMasterKey
from steward.kit.ids import Ids
from tests.support.identity import Home, World, identity_world
from tests.support.postgres import PostgresForTests


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> LocalMasterKey:
    return LocalMasterKey(tmp_path_factory.mktemp("master") / "master.key", Ids(SystemClock()))


@pytest.fixture(scope="module", params=["local", "grpc"])
async def world(
    request: pytest.FixtureRequest, postgres: PostgresForTests, master: LocalMasterKey
) -> AsyncGenerator[World, None]:
    name = await postgres.clone()
    async with identity_world(
        request.param, postgres.dsn(name, user="steward_app"), postgres.dsn(name), master
    ) as world:
        yield world
    await postgres.drop(name)


@pytest.fixture
async def home(world: World) -> Home:
    return await world.new_home()
