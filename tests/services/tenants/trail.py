"""What tenants left behind for others: their events and audit entries, as the outboxes hold them."""

from typing import Any

import msgspec

from steward.kit.context import SystemCtx
from steward.kit.ids import TenantId
from tests.support.platform import Installation

_CTX = SystemCtx(reason="tests", service="tenants")


async def _bodies(installation: Installation, table: str, tenant: TenantId) -> list[Any]:
    async with installation.foundation.database.service("tenants").system_tx(_CTX) as tx:
        rows = await tx.fetch(f"SELECT body FROM tenants.{table} WHERE tenant_id = $1 ORDER BY xid, id", tenant)
    return [msgspec.json.decode(row["body"]) for row in rows]


async def events(installation: Installation, tenant: TenantId) -> list[str]:
    """The types of a tenant's events, in order."""
    return [body["type"] for body in await _bodies(installation, "outbox", tenant)]


async def audits(installation: Installation, tenant: TenantId) -> list[tuple[str, str, str]]:
    """A tenant's audit entries of this service, in order: action, outcome, resource."""
    found = await _bodies(installation, "audit_outbox", tenant)
    return [(body["action"], body["outcome"], body["resource"]) for body in found]


async def reasons(installation: Installation, tenant: TenantId, action: str) -> list[str]:
    """What a tenant's audit entries of an action give as their reason, in order."""
    found = await _bodies(installation, "audit_outbox", tenant)
    return [body["reason"] for body in found if body["action"] == action]
