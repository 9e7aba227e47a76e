"""All SQL of customer keys."""

from collections.abc import Sequence

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.support.api import CustomerKey


class CustomerKeysRepository:
    """Rows of one tenant, in a transaction of that tenant."""

    async def replace(self, tx: Tx, tenant: TenantId, keys: Sequence[CustomerKey]) -> None:
        await tx.execute("DELETE FROM support.customer_key WHERE tenant_id = $1", tenant)
        await tx.execute(
            "INSERT INTO support.customer_key (tenant_id, kid, jwk) SELECT $1, * FROM unnest($2::text[], $3::text[])",
            tenant,
            [key.kid for key in keys],
            [key.jwk for key in keys],
        )

    async def list_all(self, tx: Tx, tenant: TenantId) -> list[CustomerKey]:
        rows = await tx.fetch("SELECT kid, jwk FROM support.customer_key WHERE tenant_id = $1 ORDER BY kid", tenant)
        return [CustomerKey(kid=row["kid"], jwk=row["jwk"]) for row in rows]
