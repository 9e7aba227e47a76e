"""Rooms on the worker's database; a tenant of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio

from steward.kit.db import Database
from steward.kit.telemetry import Telemetry
from steward.kit.testing.clock import FakeClock
from tests.services.models.batches.shop import Maker, Room, Yard, envelope_at
from tests.support.database import as_owner, database_at, database_of
from tests.support.postgres import PostgresForTests


class NewRoom(Protocol):
    def __call__(self, yard: Yard | None = None, maker: Maker | None = None) -> Room: ...


@pytest_asyncio.fixture(scope="session")
async def owner_dsn(postgres: PostgresForTests) -> AsyncIterator[str]:
    """Of a database of these tests' own: workers take up whatever batch waits in theirs."""
    name = await postgres.clone()
    yield postgres.dsn(name)
    await postgres.drop(name)


@pytest_asyncio.fixture(scope="session")
async def database(owner_dsn: str, postgres: PostgresForTests) -> AsyncIterator[Database]:
    async with database_at(postgres.dsn(database_of(owner_dsn), "steward_app")) as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def new_room(database: Database, owner_dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[NewRoom]:
    """Makes rooms that are as many processes on one database, each with a maker; no batch is left to others."""
    envelope, telemetry = envelope_at(tmp_path / "master.key"), Telemetry.for_tests()
    made: list[Room] = []

    def make(yard: Yard | None = None, maker: Maker | None = None) -> Room:
        made.append(Room(database, envelope, clock, maker or Maker(), telemetry, yard))
        return made[-1]

    yield make
    for room in made:
        await room.worker.stop()
    await as_owner(owner_dsn, "DELETE FROM models.batch_work")
    telemetry.shutdown()


@pytest.fixture
def room(new_room: NewRoom) -> Room:
    return new_room()
