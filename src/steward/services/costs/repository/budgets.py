"""Budgets, what is used of them, and who belongs to which team."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.costs.api import Budget, BudgetId, BudgetUpdate, Enforcement, Period, Unit
from steward.services.costs.subjects import subject_key, subject_of

_COLUMNS: Final = (
    "budget_id, name, subject, ceiling, in_tokens, period, hard, time_zone, alert_at, created_at, updated_at"
)
_WITH_USE: Final = (
    f"SELECT {', '.join(f'b.{column}' for column in _COLUMNS.split(', '))}, coalesce(u.spent, 0) AS spent,"
    " coalesce(u.reserved, 0) AS reserved, b.started, costs.period_end(b.period, b.time_zone, b.started) AS ends"
    " FROM (SELECT *, costs.period_start(period, time_zone, $2) AS started FROM costs.budget WHERE tenant_id = $1) b"
    " LEFT JOIN costs.budget_use u"
    " ON u.tenant_id = $1 AND u.budget_id = b.budget_id AND u.period_start = b.started"
)


class BudgetsRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def insert(self, tx: Tx, tenant: TenantId, budget: Budget) -> None:
        """Raises asyncpg's unique violation for a name that is taken."""
        await tx.execute(
            f"INSERT INTO costs.budget (tenant_id, {_COLUMNS})"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            tenant,
            budget.id,
            budget.name,
            subject_key(budget.subject),
            budget.limit,
            budget.unit is Unit.TOKENS,
            budget.period,
            budget.enforcement is Enforcement.HARD,
            budget.time_zone,
            list(budget.alert_at),
            budget.created_at,
            budget.updated_at,
        )

    async def get(self, tx: Tx, tenant: TenantId, budget_id: BudgetId, now: datetime) -> Budget | None:
        """A budget with its use in the period that runs now."""
        row = await tx.fetchrow(f"{_WITH_USE} WHERE b.budget_id = $3", tenant, now, budget_id)
        return _budget(row) if row else None

    async def list_after(
        self, tx: Tx, tenant: TenantId, after: UUID | None, limit: int, now: datetime
    ) -> Sequence[Budget]:
        rows = await tx.fetch(
            f"{_WITH_USE} WHERE ($3::uuid IS NULL OR b.budget_id > $3) ORDER BY b.budget_id LIMIT $4",
            tenant,
            now,
            after,
            limit,
        )
        return [_budget(row) for row in rows]

    async def update(self, tx: Tx, tenant: TenantId, budget_id: BudgetId, change: BudgetUpdate, now: datetime) -> bool:
        """Change a budget; False where there is none. Raises asyncpg's unique violation for a name that is taken."""
        updated = await tx.execute(
            "UPDATE costs.budget SET name = coalesce($3, name), ceiling = coalesce($4, ceiling),"
            " hard = coalesce($5, hard), alert_at = coalesce($6, alert_at), updated_at = $7"
            " WHERE tenant_id = $1 AND budget_id = $2",
            tenant,
            budget_id,
            change.name,
            change.limit,
            None if change.enforcement is None else change.enforcement is Enforcement.HARD,
            None if change.alert_at is None else list(change.alert_at),
            now,
        )
        return updated == 1

    async def delete(self, tx: Tx, tenant: TenantId, budget_id: BudgetId) -> bool:
        """End a budget; False where there is none. Calls in flight that count for it go on without it."""
        deleted = await tx.execute(
            "DELETE FROM costs.budget WHERE tenant_id = $1 AND budget_id = $2", tenant, budget_id
        )
        await tx.execute("DELETE FROM costs.budget_use WHERE tenant_id = $1 AND budget_id = $2", tenant, budget_id)
        return deleted == 1

    async def set_team(self, tx: Tx, tenant: TenantId, member: str, team: str | None, teams: Sequence[str]) -> None:
        """Say which team a member counts for; None takes it out."""
        if team is None:
            await tx.execute("DELETE FROM costs.team_member WHERE tenant_id = $1 AND member = $2", tenant, member)
            return
        await tx.execute(
            "INSERT INTO costs.team_member (tenant_id, member, team, teams) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (tenant_id, member) DO UPDATE SET team = excluded.team, teams = excluded.teams",
            tenant,
            member,
            team,
            list(teams),
        )

    async def erase(self, tx: Tx, tenant: TenantId) -> None:
        """Delete what a tenant configured; the ledger stays."""
        await tx.execute("DELETE FROM costs.budget WHERE tenant_id = $1", tenant)
        await tx.execute("DELETE FROM costs.budget_use WHERE tenant_id = $1", tenant)
        await tx.execute("DELETE FROM costs.team_member WHERE tenant_id = $1", tenant)


class TimeZonesSystemRepository:
    """The time zones that the database knows, which are nobody's."""

    async def knows(self, tx: Tx, name: str) -> bool:
        return await tx.fetchval("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", name)


def _budget(row: asyncpg.Record) -> Budget:
    recurs = row["period"] != Period.TOTAL
    return Budget(
        id=BudgetId(row["budget_id"]),
        name=row["name"],
        subject=subject_of(row["subject"]),
        limit=row["ceiling"],
        unit=Unit.TOKENS if row["in_tokens"] else Unit.USD,
        period=Period(row["period"]),
        enforcement=Enforcement.HARD if row["hard"] else Enforcement.SOFT,
        time_zone=row["time_zone"],
        alert_at=row["alert_at"],
        spent=row["spent"],
        reserved=row["reserved"],
        period_start=row["started"] if recurs else None,
        resets_at=row["ends"] if recurs else None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
