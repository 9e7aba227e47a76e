"""Creating and deleting tenants: intents, because the identity service has its part in both."""

from datetime import datetime

import asyncpg
import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope
from steward.kit.crypto.secrets import CredentialKind, new_credential
from steward.kit.db import ServiceDb, Tx
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids, TenantId
from steward.kit.intents import Flow, Intents, Step
from steward.kit.module import Apis
from steward.services.identity.api import IdentityApi, UserId
from steward.services.tenants.api import Plan, Quota, Tenant, TenantCreated, TenantState
from steward.services.tenants.errors import OwnTenant, SlugTaken, TenantNotFound, WrongTenantState
from steward.services.tenants.events import TenantCreated as TenantCreatedEvent
from steward.services.tenants.events import TenantDeleted, TenantSuspended
from steward.services.tenants.quotas import Quotas
from steward.services.tenants.repository import TenantsRepository

CREATE = "create_tenant"
DELETE = "delete_tenant"
_DELETION = "the tenant is being deleted"


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    """State of the creation of a tenant."""

    tenant_id: TenantId
    slug: str
    name: str
    plan: Plan
    owner_email: str
    owner_id: UserId
    invitation: str
    at: datetime


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """State of the deletion of a tenant."""

    tenant_id: TenantId


class Provisioning:
    """The beginning and the end of tenants."""

    def __init__(
        self,
        db: ServiceDb,
        authz: Authz,
        intents: Intents,
        idempotency: Idempotency,
        quotas: Quotas,
        envelope: Envelope,
        apis: Apis,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._db = db
        self._authz = authz
        self._intents = intents
        self._idempotency = idempotency
        self._quotas = quotas
        self._envelope = envelope
        self._apis = apis
        self._clock = clock
        self._ids = ids
        self._rows = TenantsRepository()
        self._creation = Flow(
            kind=CREATE,
            state=Creation,
            steps=(
                Step(name="insert", do=self._insert, undo=self._withdraw),
                Step(name="hold", do=self._hold, undo=self._release),
                Step(name="owner", do=self._provision_owner, undo=self._erase),
                Step(name="activate", do=self._activate),
            ),
        )
        self._deletion = Flow(
            kind=DELETE,
            state=Deletion,
            steps=(
                Step(name="close", do=self._close),
                Step(name="erase", do=self._erase_users),
                Step(name="shred", do=self._shred),
                Step(name="bury", do=self._bury),
            ),
        )
        intents.register(self._creation)
        intents.register(self._deletion)

    async def create(self, ctx: Ctx, *, name: str, slug: str, plan: Plan, owner_email: str) -> TenantCreated:
        await self._authz.require(ctx, "platform:tenants", "tenant")
        tenant_id, owner_id = TenantId(self._ids.new()), UserId(self._ids.new())
        invitation = new_credential(self._ids, CredentialKind.INVITATION, tenant_id, self._ids.new())
        state = Creation(
            tenant_id=tenant_id,
            slug=slug,
            name=name,
            plan=plan,
            owner_email=owner_email,
            owner_id=owner_id,
            invitation=invitation.text(),
            at=self._clock.now(),
        )
        intent = await self._intents.prepare(ctx, self._creation, state)
        async with self._db.tx(ctx) as tx:
            request = (name, slug, plan, owner_email)
            again = await self._idempotency.replay(tx, ctx, CREATE, request, TenantCreated)
            if again is not None:
                return again
            await self._intents.commit(tx, intent)
        state = await self._intents.carry_out(ctx, intent)
        return _created(state)

    async def delete(self, ctx: Ctx, tenant_id: TenantId) -> None:
        """Delete a tenant for a caller whom `Access` has let through to it."""
        if ctx.tenant == tenant_id:
            raise OwnTenant
        async with self._db.tx(ctx.for_tenant(tenant_id)) as tx:
            tenant = await self._rows.get(tx, tenant_id)
        if tenant is None or tenant.state is TenantState.DELETED:
            raise TenantNotFound(tenant_id)
        if tenant.state is TenantState.PROVISIONING:
            raise WrongTenantState(tenant.state, "deleted")
        intent = await self._intents.prepare(ctx, self._deletion, Deletion(tenant_id=tenant_id))
        async with self._db.tx(ctx) as tx:
            await self._intents.commit(tx, intent)
        await self._intents.carry_out(ctx, intent)

    async def _insert(self, ctx: Ctx, state: Creation) -> Creation:
        try:
            async with self._db.tx(ctx.for_tenant(state.tenant_id)) as tx:
                await self._rows.insert(tx, _new_tenant(state))
        except asyncpg.UniqueViolationError as error:
            raise SlugTaken(state.slug) from error
        return state

    async def _hold(self, ctx: Ctx, state: Creation) -> Creation:
        there = ctx.as_service("tenants", "service:quota").for_tenant(state.tenant_id)
        await self._quotas.hold(there, Quota.USERS, state.owner_id, 1)
        return state

    async def _provision_owner(self, ctx: Ctx, state: Creation) -> Creation:
        there = ctx.as_service("tenants", "service:provision").for_tenant(state.tenant_id)
        await self._apis.get(IdentityApi).provision_owner(
            there, user_id=state.owner_id, email=state.owner_email, invitation=state.invitation
        )
        return state

    async def _activate(self, ctx: Ctx, state: Creation) -> Creation:
        async with self._db.tx(ctx.for_tenant(state.tenant_id)) as tx:
            tenant = await self._rows.lock(tx, state.tenant_id)
            if tenant is None:
                raise TenantNotFound(state.tenant_id)
            if tenant.state is TenantState.PROVISIONING:
                active = msgspec.structs.replace(tenant, state=TenantState.ACTIVE)
                await self._rows.update(tx, active)
                tx.audit(Audit(action="tenant.created", resource=f"tenant/{tenant.id}", after=active))
                tx.emit(TenantCreatedEvent(slug=state.slug, name=state.name, plan=state.plan))
        async with self._db.tx(ctx) as tx:
            await self._idempotency.remember(tx, ctx, CREATE, _created(state))
        return state

    async def _withdraw(self, ctx: Ctx, state: Creation) -> None:
        """Undo of `insert`, also when the slug was taken: bury the row, if any, and free the idempotency key."""
        async with self._db.tx(ctx.for_tenant(state.tenant_id)) as tx:
            tenant = await self._rows.lock(tx, state.tenant_id)
            if tenant is not None:
                await self._bury_row(tx, tenant)
        async with self._db.tx(ctx) as tx:
            await self._idempotency.forget(tx, ctx, CREATE)

    async def _release(self, ctx: Ctx, state: Creation) -> None:
        there = ctx.as_service("tenants", "service:quota").for_tenant(state.tenant_id)
        await self._quotas.release(there, Quota.USERS, state.owner_id)

    async def _erase(self, ctx: Ctx, state: Creation) -> None:
        await self._erase_users(ctx, Deletion(tenant_id=state.tenant_id))

    async def _close(self, ctx: Ctx, state: Deletion) -> Deletion:
        """Refuse the tenant's calls from now on."""
        async with self._db.tx(ctx.for_tenant(state.tenant_id)) as tx:
            tenant = await self._rows.lock(tx, state.tenant_id)
            if tenant is not None and tenant.state is TenantState.ACTIVE:
                closed = self._changed(tenant, TenantState.SUSPENDED)
                await self._rows.update(tx, closed)
                tx.audit(
                    Audit(
                        action="tenant.suspended",
                        resource=f"tenant/{tenant.id}",
                        before=tenant,
                        after=closed,
                        reason=_DELETION,
                    )
                )
                tx.emit(TenantSuspended(reason=_DELETION))
        return state

    async def _erase_users(self, ctx: Ctx, state: Deletion) -> Deletion:
        there = ctx.as_service("tenants", "service:provision").for_tenant(state.tenant_id)
        await self._apis.get(IdentityApi).erase_tenant(there)
        return state

    async def _shred(self, ctx: Ctx, state: Deletion) -> Deletion:  # noqa: ARG002 a step's shape
        await self._envelope.shred(state.tenant_id)
        return state

    async def _bury(self, ctx: Ctx, state: Deletion) -> Deletion:
        """The last entry of the tenant's trail and its last event, once with the change of state."""
        async with self._db.tx(ctx.for_tenant(state.tenant_id)) as tx:
            tenant = await self._rows.lock(tx, state.tenant_id)
            if tenant is not None and tenant.state is not TenantState.DELETED:
                await self._bury_row(tx, tenant)
                tx.audit(Audit(action="tenant.deleted", resource=f"tenant/{tenant.id}", before=tenant))
                tx.emit(TenantDeleted())
        return state

    async def _bury_row(self, tx: Tx, tenant: Tenant) -> None:
        """Leave of the tenant only that there was one: its name is gone and its slug is free."""
        buried = msgspec.structs.replace(
            self._changed(tenant, TenantState.DELETED),
            slug=f"deleted-{tenant.id.hex}",
            name="deleted",
            allowed_origins=[],
        )
        await self._rows.update(tx, buried)

    def _changed(self, tenant: Tenant, state: TenantState) -> Tenant:
        return msgspec.structs.replace(tenant, state=state, version=tenant.version + 1, updated_at=self._clock.now())


def _new_tenant(state: Creation) -> Tenant:
    return Tenant(
        id=state.tenant_id,
        slug=state.slug,
        name=state.name,
        plan=state.plan,
        state=TenantState.PROVISIONING,
        locale="en",
        allowed_origins=[],
        created_at=state.at,
        updated_at=state.at,
        version=1,
    )


def _created(state: Creation) -> TenantCreated:
    tenant = msgspec.structs.replace(_new_tenant(state), state=TenantState.ACTIVE)
    return TenantCreated(tenant=tenant, owner_id=state.owner_id, invitation_token=state.invitation)
