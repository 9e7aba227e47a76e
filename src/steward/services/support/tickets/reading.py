"""Reading tickets."""

from uuid import UUID

from steward.kit.authz import Authz
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.support.api import Ticket, TicketState
from steward.services.support.errors import TicketNotFound
from steward.services.support.tickets.repository import TicketsRepository


class TicketsUseCase:
    """The tickets' part of `SupportApi`."""

    def __init__(self, db: ServiceDb, authz: Authz, rows: TicketsRepository) -> None:
        self._db = db
        self._authz = authz
        self._rows = rows

    async def list_tickets(
        self, ctx: Ctx, *, state: TicketState | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Ticket]:
        await self._authz.require(ctx, "ticket:read", "ticket")
        before = decode_cursor(cursor, UUID)
        async with self._db.read(ctx) as tx:
            found = await self._rows.list_before(tx, ctx.require_tenant(), state, before, limit + 1)
        more = len(found) > limit
        return Page(found[:limit], encode_cursor(found[limit - 1].id) if more else None)

    async def get_ticket(self, ctx: Ctx, *, ticket_id: UUID) -> Ticket:
        await self._authz.require(ctx, "ticket:read", f"ticket/{ticket_id}")
        async with self._db.read(ctx) as tx:
            found = await self._rows.get(tx, ctx.require_tenant(), ticket_id)
        if found is None:
            raise TicketNotFound(ticket_id)
        return found
