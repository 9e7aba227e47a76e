"""The collector: moves audit records from every service's outbox into the chains of their tenants."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.kit.bus import Reader, Wake
from steward.kit.bus.repository import AUDITS, Row
from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.outbox import AuditRecord, audits_of
from steward.kit.telemetry import Telemetry
from steward.services.audit.anchor import Anchor
from steward.services.audit.chain import Head, Link, canonical, genesis, head_bytes, next_link
from steward.services.audit.repository import CollectorSystemRepository, EntryRow
from steward.services.audit.signing import Signer

LOCK = "audit:collector"
_CTX = SystemCtx(reason="collection of audit records", service="audit")


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the audit service."""

    gather_seconds: Annotated[
        float, Meta(gt=0, le=1, description="How long records are gathered before they are sealed together.")
    ] = 0.25
    batch: Annotated[int, Meta(ge=1, le=10_000, description="Records sealed in one transaction.")] = 1000
    outbox_hours: Annotated[int, Meta(ge=1, description="How long sealed records stay in the outboxes.")] = 168


class Collector:
    """Seals what services have audited; one process at a time."""

    def __init__(
        self,
        db: ServiceDb,
        reader: Reader,
        wake: Wake,
        signer: Signer,
        anchor: Anchor,
        sources: Sequence[str],
        settings: AuditSettings,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._db = db
        self._reader = reader
        self._wake = wake
        self._signer = signer
        self._anchor = anchor
        self._sources = sources
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry
        self._rows = CollectorSystemRepository()
        self._task: asyncio.Task[None] | None = None
        self._checked = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="audit-collector")

    async def stop(self) -> None:
        """Stop; what is not sealed yet waits in the outboxes for the next collector."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def collect(self) -> int:
        """Seal everything that is there now; how many entries. Raises `CursorAhead`."""
        await self._signer.load()
        await self._check_cursors()
        total = 0
        for source in self._sources:
            while sealed := await self._collect_batch(source):
                total += sealed
        return total

    async def _check_cursors(self) -> None:
        """Once is enough: the database does not go back while this process has it."""
        if self._checked:
            return
        for source in self._sources:
            async with self._db.system_tx(_CTX) as tx:
                position = await self._rows.position(tx, source)
            await self._reader.check(source, position)
        self._checked = True

    async def clean_up(self) -> int:
        """Delete records from the outboxes that were sealed long ago; how many."""
        before = self._clock.now() - timedelta(hours=self._settings.outbox_hours)
        deleted = 0
        for source in self._sources:
            async with self._db.system_tx(_CTX) as tx:
                upto = await self._rows.position(tx, source)
            deleted += await self._reader.delete(source, AUDITS, upto, before)
        return deleted

    async def _run(self) -> None:
        signal = self._wake.waiter(*map(audits_of, self._sources))
        sealed_at = self._clock.monotonic()
        while True:
            try:
                if await self._wake.try_lock(LOCK):
                    await self.collect()
                sealed_at = self._clock.monotonic()
            except Exception as error:
                # The collector must outlive any failure; nothing is lost, for the cursor has not moved.
                self._telemetry.log.exception("audit collection failed, trying again", exc_info=error)
            self._telemetry.metrics.audit_unsealed(self._clock.monotonic() - sealed_at)
            await self._pause(signal)

    async def _pause(self, signal: asyncio.Event) -> None:
        """Wait until there is something, at most a second, then a moment for more to gather."""
        try:
            async with asyncio.timeout(1.0 - self._settings.gather_seconds):
                await signal.wait()
        except TimeoutError:
            return
        signal.clear()
        await self._clock.sleep(self._settings.gather_seconds)

    async def _collect_batch(self, source: str) -> int:
        async with self._db.system_read(_CTX) as tx:
            old = await self._rows.position(tx, source)
        rows = (await self._reader.read(source, AUDITS, old, self._settings.batch)).rows
        if not rows:
            return 0
        async with self._db.system_tx(_CTX) as tx:
            if not await self._rows.advance(tx, source, old, rows[-1].position):
                return 0
            links = await self._rows.lock_heads(tx, sorted({TenantId(row.tenant) for row in rows}))
            entries, ends = _chain(rows, links)
            heads = [self._sign(tenant, link) for tenant, link in ends.items()]
            await self._rows.append(tx, entries)
            await self._rows.save_heads(tx, ends)
            await self._rows.insert_checkpoints(tx, heads)
        await self._anchor.append(heads)
        self._telemetry.metrics.audit_sealed(source, len(entries))
        return len(entries)

    def _sign(self, tenant: TenantId, link: Link) -> Head:
        now = self._clock.now()
        key_id, signature = self._signer.sign(head_bytes(tenant, link, now))
        return Head(tenant=tenant, seq=link.seq, hash=link.hash, at=now, key_id=key_id, signature=signature)


def _chain(rows: Sequence[Row], links: dict[TenantId, Link]) -> tuple[list[EntryRow], dict[TenantId, Link]]:
    """The entries that the rows become, and the new end of each tenant's chain."""
    entries: list[EntryRow] = []
    ends: dict[TenantId, Link] = {}
    for row in rows:
        tenant = TenantId(row.tenant)
        body = canonical(row.body)
        link = next_link(ends.get(tenant) or links.get(tenant) or genesis(tenant), body)
        ends[tenant] = link
        entries.append(entry_row(tenant, link, body))
    return entries, ends


def entry_row(tenant: TenantId, link: Link, body: str) -> EntryRow:
    """The row of an entry: its canonical form, and beside it the columns that lists are filtered by."""
    record = msgspec.json.decode(body, type=AuditRecord)
    return EntryRow(
        tenant_id=tenant,
        seq=link.seq,
        id=record.id,
        at=record.at,
        actor=record.actor.id,
        action=record.action,
        resource=record.resource,
        outcome=record.outcome,
        body=body,
        hash=link.hash,
    )
