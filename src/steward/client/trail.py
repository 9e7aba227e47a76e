"""The client's part for the audit trail."""

from collections.abc import AsyncIterator

import msgspec

from steward.client.transport import Query, Transport
from steward.kit.paging import Page
from steward.services.audit.api import Checkpoint, Entry, EntryFilter, Verification

_ENTRIES = "/api/v1/audit/entries"
_EVERYTHING = EntryFilter()


class _ReadEntry(Entry, frozen=True, kw_only=True):
    """An entry as it is decoded: msgspec decodes `Raw`, but not `Raw | None`."""

    before: msgspec.Raw
    after: msgspec.Raw

    def entry(self) -> Entry:
        return msgspec.structs.replace(self, before=_present(self.before), after=_present(self.after))


class AuditResource:
    """The tenant's audit trail."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def entries(
        self, *, where: EntryFilter = _EVERYTHING, limit: int = 50, cursor: str | None = None
    ) -> Page[Entry]:
        query = {**_query(where), "limit": limit, "cursor": cursor}
        page = await self._transport.get(_ENTRIES, Page[_ReadEntry], query)
        return Page([item.entry() for item in page.items], page.next_cursor)

    async def entry(self, seq: int) -> Entry:
        return (await self._transport.get(f"{_ENTRIES}/{seq}", _ReadEntry)).entry()

    def export(self, *, where: EntryFilter = _EVERYTHING) -> AsyncIterator[bytes]:
        """Every entry, oldest first, each as a line of JSON with its line feed, unchanged from the platform."""
        return self._transport.lines("/api/v1/audit/export", _query(where))

    async def checkpoints(self, *, limit: int = 50, cursor: str | None = None) -> Page[Checkpoint]:
        query: Query = {"limit": limit, "cursor": cursor}
        return await self._transport.get("/api/v1/audit/checkpoints", Page[Checkpoint], query)

    async def verify(self) -> Verification:
        """Have the platform recompute the whole chain."""
        return await self._transport.call("POST", "/api/v1/audit/verify", Verification)


def _query(where: EntryFilter) -> Query:
    return msgspec.structs.asdict(where)


def _present(raw: msgspec.Raw) -> msgspec.Raw | None:
    return None if bytes(raw) == b"null" else raw
