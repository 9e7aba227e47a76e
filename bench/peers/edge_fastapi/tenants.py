"""The two operations on tenants that are measured."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from edge_fastapi.auth import Principal, current_principal, require
from edge_fastapi.database import Database
from edge_fastapi.models import AuditEntry, OutboxEvent, Tenant
from edge_fastapi.problems import Problem
from edge_fastapi.schemas import Actor, Audit, Event, TenantOut, TenantUpdate, TenantUpdated

router = APIRouter(prefix="/api/v1/tenants", tags=["Tenants"])


async def tenant_session(
    request: Request, principal: Annotated[Principal, Depends(current_principal)]
) -> AsyncGenerator[AsyncSession]:
    """A transaction on the caller's tenant, committed before the answer is sent."""
    database: Database = request.app.state.database
    async with database.transaction(principal.tenant) as session:
        yield session


Session = Annotated[AsyncSession, Depends(tenant_session, scope="function")]
Reader = Annotated[Principal, Depends(require("tenant:read"))]
Writer = Annotated[Principal, Depends(require("tenant:update"))]


@router.get("/{tenant_id}")
async def get_tenant(tenant_id: UUID, _: Reader, session: Session) -> TenantOut:
    tenant = await session.scalar(select(Tenant).where(Tenant.id == tenant_id))
    if tenant is None:
        raise Problem(404, "tenant_not_found", f"there is no tenant {tenant_id}")
    return TenantOut.model_validate(tenant)


@router.patch("/{tenant_id}")
async def update_tenant(
    tenant_id: UUID, change: TenantUpdate, principal: Writer, session: Session, request: Request
) -> TenantOut:
    tenant = await session.scalar(select(Tenant).where(Tenant.id == tenant_id).with_for_update())
    if tenant is None:
        raise Problem(404, "tenant_not_found", f"there is no tenant {tenant_id}")
    if change.version is not None and change.version != tenant.version:
        raise Problem(409, "tenant_changed", f"version {change.version} is not the present one, {tenant.version}")
    before = TenantOut.model_validate(tenant)
    for field, value in change.model_dump(exclude_none=True, exclude={"version"}).items():
        setattr(tenant, field, value)
    tenant.version += 1
    tenant.updated_at = datetime.now(UTC)
    after = TenantOut.model_validate(tenant)
    _record(session, principal, request, before, after)
    return after


def _record(session: AsyncSession, principal: Principal, request: Request, before: TenantOut, after: TenantOut) -> None:
    """The audit entry and the event of a change, in its transaction."""
    actor = Actor(type="user", id=str(principal.key_id))
    request_id: str = request.scope["request_id"]
    event = Event(
        id=uuid4(),
        tenant=after.id,
        type="tenants.TenantUpdated",
        at=after.updated_at,
        request_id=request_id,
        actor=actor,
        payload=TenantUpdated(
            name=after.name,
            plan=after.plan,
            locale=after.locale,
            allowed_origins=after.allowed_origins,
            version=after.version,
        ),
    )
    audit = Audit(
        id=uuid4(),
        tenant=after.id,
        service="tenants",
        at=after.updated_at,
        actor=actor,
        request_id=request_id,
        address=request.client.host if request.client else "",
        action="tenant.updated",
        resource=f"tenant/{after.id}",
        outcome="done",
        reason="",
        before=before.model_dump(mode="json"),
        after=after.model_dump(mode="json"),
    )
    session.add(OutboxEvent(tenant_id=after.id, id=event.id, body=event.model_dump_json()))
    session.add(AuditEntry(tenant_id=after.id, id=audit.id, body=audit.model_dump_json()))
