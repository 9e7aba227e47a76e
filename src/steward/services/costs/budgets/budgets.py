"""What people do with budgets: make, look, change, end; and teams, that budgets may hold."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.errors import InvalidInput
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids
from steward.kit.outbox import StoredEvent
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.costs.api import (
    Budget,
    BudgetId,
    BudgetInput,
    BudgetUpdate,
    Subject,
    SubjectKind,
)
from steward.services.costs.errors import BudgetNameTaken, BudgetNotFound, UnknownTimeZone
from steward.services.costs.events import BudgetCreated, BudgetDeleted, BudgetUpdated
from steward.services.costs.repository.budgets import BudgetsRepository, TimeZonesSystemRepository
from steward.services.costs.subjects import subject_key, teams_of

_CREATE: Final = "create_budget"
_CONFIGURE: Final = "cost:configure"
_READ: Final = "cost:read"
_TERMS: Final = ("name", "limit", "enforcement", "alert_at")
_MEMBERS: Final = frozenset({SubjectKind.USER, SubjectKind.AGENT, SubjectKind.KEY})


class _Membership(msgspec.Struct, frozen=True):
    """For the trail."""

    team: str | None


class Budgets:
    """The use cases of budgets and teams."""

    def __init__(self, db: ServiceDb, authz: Authz, clock: Clock, ids: Ids, idempotency: Idempotency) -> None:
        self._db = db
        self._authz = authz
        self._clock = clock
        self._ids = ids
        self._idempotency = idempotency
        self._rows = BudgetsRepository()
        self._time_zones = TimeZonesSystemRepository()

    async def create_budget(self, ctx: Ctx, *, budget: BudgetInput) -> Budget:
        await self._authz.require(ctx, _CONFIGURE, "budget")
        _check_subject(budget.subject)
        now = self._clock.now()
        made = BudgetId(self._ids.new())
        try:
            async with self._db.tx(ctx) as tx:
                again = await self._idempotency.replay(tx, ctx, _CREATE, budget, Budget)
                if again is not None:
                    return again
                if not await self._time_zones.knows(tx, budget.time_zone):
                    raise UnknownTimeZone(budget.time_zone)
                await self._rows.insert(tx, ctx.require_tenant(), _new(made, budget, now))
                created = await self._get(tx, ctx, made)
                tx.audit(Audit(action="budget.created", resource=f"budget/{made}", after=budget))
                tx.emit(BudgetCreated(budget_id=made, name=budget.name))
                await self._idempotency.remember(tx, ctx, _CREATE, created)
                return created
        except asyncpg.UniqueViolationError as error:
            raise BudgetNameTaken(budget.name) from error

    async def get_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> Budget:
        await self._authz.require(ctx, _READ, f"budget/{budget_id}")
        async with self._db.read(ctx) as tx:
            return await self._get(tx, ctx, budget_id)

    async def list_budgets(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Budget]:
        await self._authz.require(ctx, _READ, "budget")
        after = decode_cursor(cursor, UUID)
        async with self._db.read(ctx) as tx:
            found = await self._rows.list_after(tx, ctx.require_tenant(), after, limit + 1, self._clock.now())
        more = len(found) > limit
        return Page(found[:limit], encode_cursor(found[limit - 1].id) if more else None)

    async def update_budget(self, ctx: Ctx, *, budget_id: BudgetId, change: BudgetUpdate) -> Budget:
        await self._authz.require(ctx, _CONFIGURE, f"budget/{budget_id}")
        try:
            async with self._db.tx(ctx) as tx:
                before = await self._get(tx, ctx, budget_id)
                await self._rows.update(tx, ctx.require_tenant(), budget_id, change, self._clock.now())
                after = await self._get(tx, ctx, budget_id)
                changed = [name for name in _TERMS if getattr(before, name) != getattr(after, name)]
                tx.audit(Audit(action="budget.updated", resource=f"budget/{budget_id}", before=before, after=after))
                tx.emit(BudgetUpdated(budget_id=budget_id, changed=changed))
                return after
        except asyncpg.UniqueViolationError as error:
            raise BudgetNameTaken(change.name or "") from error

    async def delete_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> None:
        await self._authz.require(ctx, _CONFIGURE, f"budget/{budget_id}")
        async with self._db.tx(ctx) as tx:
            before = await self._get(tx, ctx, budget_id)
            if not await self._rows.delete(tx, ctx.require_tenant(), budget_id):
                raise BudgetNotFound(budget_id)
            tx.audit(Audit(action="budget.deleted", resource=f"budget/{budget_id}", before=before))
            tx.emit(BudgetDeleted(budget_id=budget_id))

    async def set_team(self, ctx: Ctx, *, member: Subject, team: str | None) -> None:
        key = subject_key(member)
        await self._authz.require(ctx, _CONFIGURE, f"team-member/{key}")
        if member.kind not in _MEMBERS or not member.id:
            raise InvalidInput(
                f"{key!r} cannot be a team's member: name a user, an agent or a key with its id", field="member"
            )
        _check_path(team)
        async with self._db.tx(ctx) as tx:
            teams = teams_of(team) if team is not None else ()
            await self._rows.set_team(tx, ctx.require_tenant(), key, team, teams)
            tx.audit(Audit(action="team.member_set", resource=f"team-member/{key}", after=_Membership(team)))

    async def on_tenants(self, event: StoredEvent) -> None:
        """The handler for the bus: a tenant that is gone has no budgets; its ledger stays, as its accounts must."""
        if event.type == "tenants.TenantDeleted":
            ctx = SystemCtx(reason="the tenant was deleted", service="costs", tenant=event.tenant)
            async with self._db.tx(ctx) as tx:
                await self._rows.erase(tx, event.tenant)

    async def _get(self, tx: Tx, ctx: Ctx, budget_id: BudgetId) -> Budget:
        found = await self._rows.get(tx, ctx.require_tenant(), budget_id, self._clock.now())
        if found is None:
            raise BudgetNotFound(budget_id)
        return found


def _check_subject(subject: Subject) -> None:
    if (subject.kind is SubjectKind.TENANT) is bool(subject.id):
        raise InvalidInput(
            f"a budget of kind {subject.kind!s} cannot be of id {subject.id!r}: name whom it holds, and for the tenant"
            " itself leave the id empty",
            field="subject.id",
        )
    if subject.kind is SubjectKind.TEAM:
        _check_path(subject.id)


def _check_path(team: str | None) -> None:
    if team is not None and not all(team.split("/")):
        raise InvalidInput(f"team {team!r} is no path: write names with / between, such as shop/search", field="team")


def _new(made: BudgetId, budget: BudgetInput, now: datetime) -> Budget:
    return Budget(
        id=made,
        name=budget.name,
        subject=budget.subject,
        limit=budget.limit,
        unit=budget.unit,
        period=budget.period,
        enforcement=budget.enforcement,
        time_zone=budget.time_zone,
        alert_at=budget.alert_at,
        spent=0,
        reserved=0,
        period_start=None,
        resets_at=None,
        created_at=now,
        updated_at=now,
    )
