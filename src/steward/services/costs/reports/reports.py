"""The ledger, entry by entry and in sums."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb, Tx
from steward.kit.errors import InvalidInput
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.costs.api import (
    GroupBy,
    LedgerEntry,
    LedgerFilter,
    Report,
    ReportQuery,
    ReportRow,
    SubjectKind,
)
from steward.services.costs.errors import ReportTooLarge, UnknownTimeZone
from steward.services.costs.reports.repository import SUMS, ReportsRepository
from steward.services.costs.reports.spans import Source, spans_of
from steward.services.costs.repository.budgets import TimeZonesSystemRepository

MOST_ROWS: Final = 10_000
_READ: Final = "cost:read"
_CHUNK: Final = 500
_UTC: Final = "UTC"
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""No entry is older or newer, and times between can be rounded to days."""
_DATED: Final = frozenset((GroupBy.DAY, GroupBy.MONTH))
_ONLY_IN_LEDGER: Final = frozenset((GroupBy.RUN, GroupBy.TAG))


class _Place(msgspec.Struct, frozen=True):
    """The entry that a page ended with."""

    call: UUID
    revision: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Reports:
    """`list_calls`, `report` and `export_calls` of `CostsApi`."""

    def __init__(self, db: ServiceDb, authz: Authz) -> None:
        self._db = db
        self._authz = authz
        self._rows = ReportsRepository()
        self._zones = TimeZonesSystemRepository()

    async def list_calls(
        self, ctx: Ctx, *, where: LedgerFilter | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[LedgerEntry]:
        """See `CostsApi`: by when calls began, each with its corrections."""
        await self._authz.require(ctx, _READ, "ledger")
        before = decode_cursor(cursor, _Place)
        place = None if before is None else (before.call, before.revision)
        wanted = _bounded(where or LedgerFilter())
        async with self._db.read(ctx) as tx:
            found = await self._rows.entries(tx, ctx.require_tenant(), wanted, place, limit + 1, newest_first=True)
        shown = found[:limit]
        more = len(found) > limit
        return Page(shown, encode_cursor(_Place(shown[-1].call_id, shown[-1].revision)) if more else None)

    async def export_calls(self, ctx: Ctx, *, where: LedgerFilter | None = None) -> AsyncIterator[LedgerEntry]:
        """See `CostsApi`. Calls that are settled meanwhile are in it if they began after those it has come to."""
        await self._authz.require(ctx, _READ, "ledger")
        wanted = _bounded(where or LedgerFilter())
        async with self._db.tx(ctx) as tx:
            tx.audit(Audit(action="ledger.exported", resource="ledger", after=wanted))
        place: tuple[UUID, int] | None = None
        while True:
            async with self._db.read(ctx) as tx:
                found = await self._rows.entries(tx, ctx.require_tenant(), wanted, place, _CHUNK, newest_first=False)
            for entry in found:
                yield entry
            if len(found) < _CHUNK:
                return
            place = (found[-1].call_id, found[-1].revision)

    async def report(self, ctx: Ctx, *, query: ReportQuery) -> Report:
        """See `CostsApi`. A call failed unless it succeeded or its caller left.

        Raises `InvalidInput` for a time that ends before it begins, and for groups that cannot be; `UnknownTimeZone`.
        """
        await self._authz.require(ctx, _READ, "report")
        _check(query)
        since = max(filter(None, (query.since, query.where.since, _EARLIEST)))
        until = min(filter(None, (query.until, query.where.until, _LATEST)))
        async with self._db.read(ctx) as tx:
            if query.time_zone != _UTC and not await self._zones.knows(tx, query.time_zone):
                raise UnknownTimeZone(query.time_zone)
            found: Sequence[asyncpg.Record] = ()
            if since < until:
                coarsest = await self._coarsest(tx, query, since, until)
                found = await self._rows.sums(
                    tx,
                    ctx.require_tenant(),
                    spans_of(since, until, coarsest),
                    query.group_by,
                    query.time_zone,
                    query.tag,
                    query.where,
                    MOST_ROWS + 1,
                )
        if len(found) > MOST_ROWS:
            raise ReportTooLarge(MOST_ROWS)
        return await asyncio.to_thread(_report, query.group_by, found)

    async def _coarsest(self, tx: Tx, query: ReportQuery, since: datetime, until: datetime) -> Source:
        """The coarsest table that can tell what is asked."""
        groups = frozenset(query.group_by)
        runs = query.where.subject is not None and query.where.subject.kind is SubjectKind.RUN
        if runs or groups & _ONLY_IN_LEDGER:
            return Source.LEDGER
        if groups & _DATED and query.time_zone != _UTC:
            whole = await self._rows.has_whole_hours(tx, query.time_zone, since, until)
            return Source.HOURS if whole else Source.LEDGER
        return Source.HOURS if GroupBy.HOUR in groups else Source.DAYS


def _bounded(where: LedgerFilter) -> LedgerFilter:
    """The same filter without times beyond the calendar of the database."""
    since = where.since and max(where.since, _EARLIEST)
    return msgspec.structs.replace(where, since=since, until=where.until and min(where.until, _LATEST))


def _check(query: ReportQuery) -> None:
    if query.until <= query.since:
        raise InvalidInput(
            f"until {query.until.isoformat()} is not after since {query.since.isoformat()}: name a later time",
            field="until",
        )
    if len(set(query.group_by)) < len(query.group_by):
        raise InvalidInput(f"group_by names {', '.join(query.group_by)}: name each once", field="group_by")
    if (GroupBy.TAG in query.group_by) != (query.tag is not None):
        raise InvalidInput("tag and the group `tag` go together: give both or neither", field="tag")


def _report(groups: Sequence[GroupBy], found: Sequence[asyncpg.Record]) -> Report:
    rows = [
        ReportRow(group={group.value: row[f"g{place}"] for place, group in enumerate(groups)}, **_sums(row))
        for row in found
    ]
    total = {name: sum(getattr(row, name) for row in rows) for name in SUMS}
    return Report(rows=rows, total=ReportRow(group={}, **total))


def _sums(row: asyncpg.Record) -> Mapping[str, int]:
    return {name: row[name] for name in SUMS}
