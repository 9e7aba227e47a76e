"""The SQL of the connections to shops."""

from datetime import datetime

import msgspec

from steward.kit.db import Tx


class ShopRow(msgspec.Struct, frozen=True, kw_only=True):
    base_url: str
    credential: bytes
    """Sealed."""
    updated_at: datetime


class ShopRepository:
    """The shop of the transaction's tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def get(self, *, lock: bool = False) -> ShopRow | None:
        row = await self._tx.fetchrow(
            "SELECT base_url, credential, updated_at FROM support.shop WHERE tenant_id = $1"
            + (" FOR UPDATE" if lock else ""),
            self._tenant,
        )
        return None if row is None else msgspec.convert(dict(row), ShopRow)

    async def put(self, shop: ShopRow) -> None:
        await self._tx.execute(
            "INSERT INTO support.shop (tenant_id, base_url, credential, updated_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (tenant_id) DO UPDATE SET base_url = $2, credential = $3, updated_at = $4",
            self._tenant,
            shop.base_url,
            shop.credential,
            shop.updated_at,
        )

    async def delete(self) -> None:
        await self._tx.execute("DELETE FROM support.shop WHERE tenant_id = $1", self._tenant)
