"""Creating and deleting tenants through crashes between each two steps: finished or undone, each effect once."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from steward.kit.clock import SystemClock
from steward.kit.context import Ctx
from steward.kit.crypto import KeyDestroyed
from steward.kit.errors import Conflict, Unavailable
from steward.kit.ids import PLATFORM
from steward.services.identity.api import IdentityApi
from steward.services.identity.errors import WrongCredentials
from steward.services.tenants.api import Plan, Quota, TenantCreated, TenantsApi, TenantState
from steward.services.tenants.errors import TenantNotFound, WrongTenantState
from tests.services.tenants.trail import audits, events
from tests.support.database import IDS
from tests.support.identity import Crashed, CrashPoint
from tests.support.platform import PASSWORD, Installation, TestTenant, open_installation
from tests.support.postgres import PostgresForTests

CREATION = [f"create_tenant:{step}" for step in ("committed", "insert", "hold", "owner", "activate")]
DELETION = [f"delete_tenant:{step}" for step in ("committed", "close", "erase", "shred", "bury")]


class Crashing(msgspec.Struct, frozen=True):
    """An installation that can be told where to crash."""

    installation: Installation
    crash: CrashPoint

    @property
    def tenants(self) -> TenantsApi:
        return self.installation.api(TenantsApi)

    async def restart(self) -> None:
        """What a start-up does about intents that a crash left behind."""
        self.crash.at = ""
        intents = self.installation.services.local["tenants"].intents
        assert intents is not None
        await intents.resume(everything=True)


@pytest_asyncio.fixture(scope="module")
async def crashing(postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crashing]:
    name, home, crash = await postgres.clone(), Path(tmp_path_factory.mktemp("home")), CrashPoint()
    async with AsyncExitStack() as stack:
        dsn = postgres.dsn(name, "steward_app")
        yield Crashing(await open_installation(stack, "local", dsn, home, SystemClock(), crash), crash)
    await postgres.drop(name)


async def create(crashing: Crashing, ctx: Ctx, slug: str) -> TenantCreated:
    return await crashing.tenants.create_tenant(
        ctx, name="N", slug=slug, plan=Plan.FREE, owner_email=f"owner@{slug}.example"
    )


@pytest.mark.parametrize("place", CREATION)
async def test_creation_survives_a_crash_and_its_key_gives_the_answer(crashing: Crashing, place: str) -> None:
    slug = f"t-{IDS.new().hex}"
    ctx = msgspec.structs.replace(crashing.installation.operator(), idempotency_key=IDS.new().hex)
    crashing.crash.at = place
    with pytest.raises(Crashed):
        await create(crashing, ctx, slug)
    await crashing.restart()
    created = await create(crashing, ctx, slug)
    tenant = created.tenant.id
    assert (await crashing.tenants.get_tenant(ctx, tenant_id=tenant)).state is TenantState.ACTIVE
    usage = await crashing.tenants.get_usage(ctx, tenant_id=tenant)
    assert next(use.used for use in usage.quotas if use.quota is Quota.USERS) == 1
    assert await events(crashing.installation, tenant) == ["tenants.TenantCreated"]
    assert [entry[0] for entry in await audits(crashing.installation, tenant)] == ["tenant.created"]
    anonymous = crashing.installation.ctx(None)
    user = await crashing.installation.api(IdentityApi).register(
        anonymous, token=created.invitation_token, name="Owner", password=PASSWORD
    )
    assert user.id == created.owner_id


class Refusing:
    """The identity service of a day on which it refuses or does not answer."""

    def __init__(self, real: IdentityApi, error: Exception) -> None:
        self._real = real
        self._error = error

    async def provision_owner(self, *_: object, **__: object) -> None:
        raise self._error

    async def erase_tenant(self, ctx: Ctx) -> None:
        await self._real.erase_tenant(ctx)


@pytest.mark.parametrize("crash", ["", "undo owner", "undo hold", "undo insert"])
async def test_refused_creation_is_undone_whole_and_frees_slug_and_key(crashing: Crashing, crash: str) -> None:
    slug, apis = f"t-{IDS.new().hex}", crashing.installation.services.apis
    ctx = msgspec.structs.replace(crashing.installation.operator(), idempotency_key=IDS.new().hex)
    real = apis.get(IdentityApi)
    apis.put(IdentityApi, Refusing(real, Conflict("not today")))
    crashing.crash.at = f"create_tenant:{crash}"
    with pytest.raises(Crashed if crash else Conflict):
        await create(crashing, ctx, slug)
    apis.put(IdentityApi, real)
    await crashing.restart()
    edge = crashing.installation.ctx(None, "service:edge")
    with pytest.raises(TenantNotFound):
        await crashing.tenants.find_tenant(edge, slug=slug)
    assert (await create(crashing, ctx, slug)).tenant.slug == slug


async def test_creation_waits_for_a_service_that_does_not_answer(crashing: Crashing) -> None:
    slug, apis = f"t-{IDS.new().hex}", crashing.installation.services.apis
    ctx = msgspec.structs.replace(crashing.installation.operator(), idempotency_key=IDS.new().hex)
    real = apis.get(IdentityApi)
    apis.put(IdentityApi, Refusing(real, Unavailable("away")))
    with pytest.raises(Unavailable):
        await create(crashing, ctx, slug)
    apis.put(IdentityApi, real)
    edge = crashing.installation.ctx(None, "service:edge")
    tenant = await crashing.tenants.find_tenant(edge, slug=slug)
    with pytest.raises(WrongTenantState):
        await crashing.tenants.delete_tenant(crashing.installation.operator(), tenant_id=tenant)
    await crashing.restart()
    assert (await create(crashing, ctx, slug)).tenant.id == tenant


async def deleted(crashing: Crashing, tenant: TestTenant, sealed: bytes) -> None:
    """Check that nothing but the fact is left of a tenant."""
    installation = crashing.installation
    left = await crashing.tenants.get_tenant(installation.operator(), tenant_id=tenant.id)
    assert (left.state, left.name, left.slug) == (TenantState.DELETED, "deleted", f"deleted-{tenant.id.hex}")
    with pytest.raises(KeyDestroyed):
        await installation.foundation.envelope.open(tenant.id, sealed, purpose="test")
    with pytest.raises(WrongCredentials):
        await installation.api(IdentityApi).login(
            installation.ctx(None), email=tenant.owner_email, password=PASSWORD, tenant=str(tenant.id)
        )
    assert await events(installation, tenant.id) == [
        "tenants.TenantCreated",
        "tenants.TenantSuspended",
        "tenants.TenantDeleted",
    ]
    actions = [entry[0] for entry in await audits(installation, tenant.id)]
    assert actions == ["tenant.created", "tenant.suspended", "tenant.deleted"]


@pytest.mark.parametrize("place", ["", *DELETION])
async def test_deletion_shreds_and_erases_through_a_crash(crashing: Crashing, place: str) -> None:
    tenant = await crashing.installation.tenant()
    sealed = await crashing.installation.foundation.envelope.seal(tenant.id, b"value", purpose="test")
    crashing.crash.at = place
    operator = crashing.installation.operator()
    if place:
        with pytest.raises(Crashed):
            await crashing.tenants.delete_tenant(operator, tenant_id=tenant.id)
        await crashing.restart()
    else:
        await crashing.tenants.delete_tenant(operator, tenant_id=tenant.id)
    await deleted(crashing, tenant, sealed)
    for call in (
        crashing.tenants.delete_tenant(operator, tenant_id=tenant.id),
        crashing.tenants.suspend_tenant(operator, tenant_id=tenant.id, reason="r"),
        crashing.tenants.update_quota(operator, tenant_id=tenant.id, quota=Quota.USERS, limit=1),
    ):
        with pytest.raises(TenantNotFound):
            await call


async def test_slug_of_a_deleted_tenant_is_free(crashing: Crashing) -> None:
    tenant, operator = await crashing.installation.tenant(), crashing.installation.operator()
    await crashing.tenants.delete_tenant(operator, tenant_id=tenant.id)
    assert (await create(crashing, operator, tenant.slug)).tenant.id != tenant.id


async def test_suspended_tenant_is_deleted_without_a_second_suspension(crashing: Crashing) -> None:
    tenant, operator = await crashing.installation.tenant(), crashing.installation.operator()
    await crashing.tenants.suspend_tenant(operator, tenant_id=tenant.id, reason="unpaid")
    await crashing.tenants.delete_tenant(operator, tenant_id=tenant.id)
    assert (await events(crashing.installation, tenant.id))[1:] == ["tenants.TenantSuspended", "tenants.TenantDeleted"]


async def test_no_intent_is_left_after_all_this(crashing: Crashing) -> None:
    async with crashing.installation.foundation.database.service("tenants").tx(crashing.installation.operator()) as tx:
        assert await tx.fetch("SELECT id FROM tenants.intent WHERE tenant_id = $1", PLATFORM) == []
