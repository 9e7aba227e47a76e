"""The registry on a real database, with a tenant of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from steward.kit.authz import Authz
from steward.kit.clock import SystemClock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.db import Database, forbid_open_tx
from steward.kit.ids import TenantId
from steward.kit.telemetry import Telemetry
from steward.kit.testing.data_keys import MemoryDataKeys
from steward.services.models.registry.access import Access
from steward.services.models.registry.aliases import AliasesUseCase
from steward.services.models.registry.connections import ConnectionsUseCase
from steward.services.models.registry.directory import TenantDirectory
from steward.services.models.settings import ModelsSettings
from tests.support.database import IDS, ctx_of, database_at, new_tenant
from tests.support.postgres import PostgresForTests

ALL = frozenset({"model:call", "model:read", "model:configure"})
OPERATOR = frozenset({"platform:tenants", "model:read"})


class Shelf:
    """The room `registry` over one database."""

    def __init__(self, database: Database, envelope: Envelope, settings: ModelsSettings, telemetry: Telemetry) -> None:
        clock = SystemClock()
        self.db = database.service("models")
        access = Access(Authz(self.db))
        self.envelope = envelope
        self.directory = TenantDirectory(self.db, envelope, clock, telemetry, settings)
        self.connections = ConnectionsUseCase(self.db, access, envelope, clock, IDS, settings)
        self.aliases = AliasesUseCase(self.db, access, clock, IDS, settings)
        database.on_event(self.directory.heed)


class Registries:
    """Makes shelves with settings of their own on the same database."""

    def __init__(self, database: Database, envelope: Envelope, telemetry: Telemetry) -> None:
        self._parts = (database, envelope)
        self._telemetry = telemetry

    def shelf(self, **settings: object) -> Shelf:
        return Shelf(*self._parts, ModelsSettings(**settings), self._telemetry)  # pyright: ignore[reportArgumentType] by name


@pytest_asyncio.fixture(scope="session")
async def own_dsn(postgres: PostgresForTests) -> str:
    """A database for these tests alone: what others set up for a whole installation would be seen here."""
    return postgres.dsn(await postgres.clone(), "steward_app")


@pytest_asyncio.fixture
async def registries(own_dsn: str, tmp_path: Path) -> AsyncIterator[Registries]:
    keyring = Keyring(MemoryDataKeys(), LocalMasterKey(tmp_path / "master.key", IDS), SystemClock(), IDS)
    telemetry = Telemetry.for_tests()
    async with database_at(own_dsn) as database:
        yield Registries(database, Envelope(keyring, IDS, guard=forbid_open_tx), telemetry)
    telemetry.shutdown()


@pytest.fixture
def shelf(registries: Registries) -> Shelf:
    return registries.shelf(allowed_hosts=("models.internal:8080",))


def with_scopes(ctx: Ctx, scopes: frozenset[str]) -> Ctx:
    return Ctx(tenant=ctx.tenant, actor=ctx.actor, scopes=scopes, request_id=ctx.request_id, deadline=ctx.deadline)


@pytest.fixture
def admin() -> Ctx:
    return with_scopes(ctx_of(new_tenant()), ALL)


@pytest.fixture
def operator() -> Ctx:
    return with_scopes(ctx_of(new_tenant()), OPERATOR)


def other_tenant(ctx: Ctx) -> Ctx:
    return ctx.for_tenant(TenantId(IDS.new()))
