"""The registry of processes: found while they live, gone when they withdraw or fall silent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.kit.cluster import ClusterSettings, ProcessRegistry
from steward.kit.db import Database
from steward.kit.db.pool import NullObserver
from steward.kit.ids import Ids
from steward.kit.testing.clock import FakeClock
from tests.support.database import database_at
from tests.support.postgres import PostgresForTests


class Standstill(FakeClock):
    """A clock on which a sleeper sleeps until `beat`."""

    def __init__(self) -> None:
        super().__init__()
        self._beat = asyncio.Condition()
        self.sleepers = 0

    async def sleep(self, seconds: float) -> None:  # noqa: ARG002 the port's shape
        self.sleepers += 1
        async with self._beat:
            await self._beat.wait()

    async def beat(self, seconds: float) -> None:
        """Let time pass and everybody wake, and wait until they have all gone to sleep again."""
        self.advance(seconds)
        before = self.sleepers
        async with self._beat:
            self._beat.notify_all()
        async with asyncio.timeout(5):
            while self.sleepers == before:  # noqa: ASYNC110 the sleeper tells nobody
                await asyncio.sleep(0.001)


class Member:
    """A process with its registry."""

    def __init__(self, database: Database, fixed: dict[str, list[str]] | None = None) -> None:
        self.clock = Standstill()
        self.id = Ids(FakeClock()).new()
        self.public_key = Ed25519PrivateKey.generate().public_key()
        self.registry = ProcessRegistry(database, ClusterSettings(), self.clock, fixed or {})

    async def announce(self, *services: str, address: str = "127.0.0.1:1") -> None:
        await self.registry.announce(self.id, services, address, self.public_key.public_bytes_raw())


class Reads(NullObserver):
    """Counts the transactions of the database that it observes."""

    def __init__(self) -> None:
        self.count = 0

    def transaction(self, service: str, tenant: str) -> AbstractContextManager[None]:  # noqa: ARG002 the port's shape
        self.count += 1
        return nullcontext()


@pytest_asyncio.fixture(scope="module")
async def dsn(postgres: PostgresForTests) -> AsyncGenerator[str]:
    name = await postgres.clone()
    yield postgres.dsn(name, "steward_app")
    await postgres.drop(name)


@pytest_asyncio.fixture(scope="module")
async def database(dsn: str) -> AsyncGenerator[Database]:
    async with database_at(dsn) as opened:
        yield opened


@pytest.fixture
async def reads(dsn: str) -> AsyncGenerator[tuple[Reads, Member]]:
    """A member on connections of its own, and the count of what it reads."""
    count = Reads()
    async with database_at(dsn, observer=count) as watched:
        yield count, Member(watched)


@pytest.fixture
async def members(database: Database) -> AsyncGenerator[tuple[Member, Member]]:
    one, two = Member(database), Member(database)
    yield one, two
    for member in (one, two):
        await member.registry.withdraw()


async def test_announced_process_is_found_by_its_services(members: tuple[Member, Member]) -> None:
    one, two = members
    await one.announce("tenants", "audit", address="127.0.0.1:7001")
    await two.announce("audit", address="127.0.0.1:7002")
    two.clock.advance(2)
    assert list(await two.registry.addresses("tenants")) == ["127.0.0.1:7001"]
    assert sorted(await two.registry.addresses("audit")) == ["127.0.0.1:7001", "127.0.0.1:7002"]
    assert list(await two.registry.addresses("identity")) == []


async def test_process_without_an_address_serves_nobody_but_its_key_counts(members: tuple[Member, Member]) -> None:
    one, two = members
    await one.announce("tenants", address="")
    assert list(await two.registry.addresses("tenants")) == []
    found = await two.registry.key(str(one.id))
    assert found is not None
    assert found.public_bytes_raw() == one.public_key.public_bytes_raw()


async def test_withdrawn_process_is_not_found(members: tuple[Member, Member]) -> None:
    one, two = members
    await one.announce("tenants")
    assert list(await two.registry.addresses("tenants")) == ["127.0.0.1:1"]
    await one.registry.withdraw()
    two.clock.advance(2)
    assert list(await two.registry.addresses("tenants")) == []
    assert await two.registry.key(str(one.id)) is None
    await one.registry.withdraw()


async def test_silent_process_is_gone_and_a_beating_one_is_not(members: tuple[Member, Member]) -> None:
    silent, beating = members
    await silent.announce("tenants", address="127.0.0.1:7001")
    await beating.announce("tenants", address="127.0.0.1:7002")
    await beating.clock.beat(9)
    assert len(await beating.registry.addresses("tenants")) == 2
    await beating.clock.beat(3)
    assert list(await beating.registry.addresses("tenants")) == ["127.0.0.1:7002"]


async def test_key_of_a_process_that_just_came_is_found_at_once(members: tuple[Member, Member]) -> None:
    one, two = members
    assert await two.registry.key(str(one.id)) is None
    await one.announce("tenants")
    assert await two.registry.key(str(one.id)) is not None


async def test_flood_of_forged_key_ids_reads_the_table_now_and_then(
    database: Database, reads: tuple[Reads, Member]
) -> None:
    one = Member(database)
    count, two = reads
    for number in range(500):
        assert await two.registry.key(f"forged-{number}") is None
    assert count.count == 20
    await one.announce("tenants")
    try:
        assert await two.registry.key(str(one.id)) is None
        two.clock.advance(0.06)
        assert await two.registry.key(str(one.id)) is not None
        two.clock.advance(1.1)
        known = count.count
        for _ in range(500):
            assert await two.registry.key(str(one.id)) is not None
        assert count.count == known
    finally:
        await one.registry.withdraw()


async def test_one_read_serves_all_who_ask_for_a_key_meanwhile(database: Database, reads: tuple[Reads, Member]) -> None:
    one = Member(database)
    count, two = reads
    await one.announce("tenants")
    try:
        found = await asyncio.gather(*(two.registry.key(str(one.id)) for _ in range(10)))
        assert None not in found
        # The one that the first began, which may have been too early for the others, and one for all of those.
        assert count.count == 2
    finally:
        await one.registry.withdraw()


async def test_key_of_a_process_that_fell_silent_stops_counting(members: tuple[Member, Member]) -> None:
    one, two = members
    await one.announce("tenants")
    assert await two.registry.key(str(one.id)) is not None
    two.clock.advance(9)
    assert await two.registry.key(str(one.id)) is not None
    two.clock.advance(2)
    assert await two.registry.key(str(one.id)) is None


async def test_key_that_nobody_has_is_none(members: tuple[Member, Member]) -> None:
    for kid in ("", "x", str(members[0].id)):
        assert await members[1].registry.key(kid) is None


async def test_fixed_peers_go_before_those_announced(database: Database) -> None:
    one, other = Member(database), Member(database, {"tenants": ["10.0.0.1:9", "10.0.0.2:9"]})
    await one.announce("tenants", "audit")
    try:
        assert list(await other.registry.addresses("tenants")) == ["10.0.0.1:9", "10.0.0.2:9"]
        assert list(await other.registry.addresses("audit")) == ["127.0.0.1:1"]
    finally:
        await one.registry.withdraw()


async def test_rows_of_the_long_dead_are_cleared_by_whoever_announces(
    members: tuple[Member, Member], database: Database
) -> None:
    dead, one = members
    await dead.announce("tenants")
    one.clock.advance(2 * 24 * 3600)
    await one.announce("tenants")
    connection = await database.acquire()
    try:
        await connection.execute("BEGIN; SET LOCAL ROLE steward_kit")
        rows = await connection.fetch("SELECT id FROM kit.process")
        await connection.execute("ROLLBACK")
    finally:
        await database.release(connection)
    assert [row["id"] for row in rows] == [one.id]
