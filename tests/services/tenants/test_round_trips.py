"""What the hot read and the hot write of the platform cost in round trips to the database."""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from steward.kit.authz import Authz
from steward.kit.clock import SystemClock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import Database
from steward.kit.ids import TenantId
from steward.services.tenants.access import Access
from steward.services.tenants.api import Plan, Tenant, TenantState, TenantUpdate
from steward.services.tenants.errors import TenantChanged, TenantNotFound
from steward.services.tenants.repository import TenantsRepository
from steward.services.tenants.service import TenantsService
from tests.support.database import Trips, ctx_of, database_at, database_of, new_tenant
from tests.support.postgres import PostgresForTests

WARM = 2
"""Calls after which a connection knows the statements."""


def service_on(database: Database) -> TenantsService:
    """The service without the parts that these calls do not touch."""
    db = database.service("tenants")
    authz = Authz(db)
    untouched = cast("Any", None)
    return TenantsService(db, authz, Access(authz), untouched, untouched, SystemClock())


async def settle(database: Database, tenant: TenantId, state: TenantState = TenantState.ACTIVE) -> Ctx:
    """Insert a tenant; the context of somebody who may do everything with it."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    row = Tenant(
        id=tenant,
        slug=f"t-{tenant.hex[-12:]}",
        name="Old",
        plan=Plan.FREE,
        state=state,
        locale="en",
        allowed_origins=["https://a.example"],
        created_at=now,
        updated_at=now,
        version=1,
    )
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        await TenantsRepository().insert(tx, row)
    return msgspec.structs.replace(
        ctx_of(tenant), scopes=frozenset(("tenant:read", "tenant:update", "platform:tenants"))
    )


async def test_round_trips_of_the_hot_read_and_the_hot_write(postgres: PostgresForTests, dsn: str) -> None:
    trips = Trips(str(postgres.directory / "data"), database_of(dsn), "steward_app")
    address = await trips.start()
    tenant = new_tenant()
    async with database_at(address, pool_size=1) as database:
        tenants = service_on(database)
        ctx = await settle(database, tenant)
        counted: list[tuple[int, int]] = []
        for number in range(WARM + 1):
            before = trips.count
            await tenants.get_tenant(ctx, tenant_id=tenant)
            reading = trips.count - before
            await tenants.update_tenant(ctx, tenant_id=tenant, change=TenantUpdate(name=f"New {number}"))
            counted.append((reading, trips.count - before - reading))
    trips.stop()
    assert counted[-1] == (1, 2)


async def test_change_tells_what_was_and_what_is(dsn: str) -> None:
    tenant = new_tenant()
    async with database_at(dsn) as database:
        tenants = service_on(database)
        ctx = await settle(database, tenant)
        after = await tenants.update_tenant(
            ctx, tenant_id=tenant, change=TenantUpdate(plan=Plan.PRO, allowed_origins=[], version=1)
        )
        assert (after.name, after.plan, after.allowed_origins, after.version) == ("Old", Plan.PRO, [], 2)
        assert await tenants.get_tenant(ctx, tenant_id=tenant) == after
        async with database.service("tenants").system_read(SystemCtx(reason="test", service="tenants")) as tx:
            sql = "SELECT body FROM tenants.audit_outbox WHERE tenant_id = $1"
            entry = msgspec.json.decode(await tx.fetchval(sql, tenant), type=dict[str, Any])
    told = [
        (entry[side]["plan"], entry[side]["allowed_origins"], entry[side]["version"]) for side in ("before", "after")
    ]
    assert told == [("free", ["https://a.example"], 1), ("pro", [], 2)]


@pytest.mark.parametrize("version", [0, 2, -1, 2**31, 2**70])
async def test_change_from_another_version_changes_nothing(dsn: str, version: int) -> None:
    tenant = new_tenant()
    async with database_at(dsn) as database:
        tenants = service_on(database)
        ctx = await settle(database, tenant)
        with pytest.raises(TenantChanged) as refused:
            await tenants.update_tenant(ctx, tenant_id=tenant, change=TenantUpdate(name="New", version=version))
        assert str(version) in refused.value.message
        assert (await tenants.get_tenant(ctx, tenant_id=tenant)).name == "Old"


async def test_deleted_and_unknown_tenants_are_not_found(dsn: str) -> None:
    async with database_at(dsn) as database:
        tenants = service_on(database)
        ctx = await settle(database, deleted := new_tenant(), TenantState.DELETED)
        for tenant in (deleted, new_tenant()):
            with pytest.raises(TenantNotFound):
                await tenants.update_tenant(ctx, tenant_id=tenant, change=TenantUpdate(name="New"))
