"""The rules of the audit service."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.kit.audit import Audit, Outcome
from steward.kit.authz import Authz
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.outbox import AuditRecord
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.audit.anchor import Anchor
from steward.services.audit.api import Checkpoint, Entry, EntryFilter, Verification
from steward.services.audit.chain import Head
from steward.services.audit.errors import EntryNotFound
from steward.services.audit.events import ChainBroken
from steward.services.audit.repository import AuditRepository, EntryRow
from steward.services.audit.signing import Signer
from steward.services.audit.verification import ChainCheck

_CHUNK = 500
_BEFORE_ALL = -(2**63)


class _Place(msgspec.Struct, frozen=True):
    """What a cursor of this service holds: the entry or checkpoint that a page ended with."""

    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class AuditService:
    """Implements `AuditApi`."""

    def __init__(self, db: ServiceDb, authz: Authz, signer: Signer, anchor: Anchor) -> None:
        self._db = db
        self._authz = authz
        self._signer = signer
        self._anchor = anchor
        self._rows = AuditRepository()

    async def list_entries(
        self, ctx: Ctx, *, where: EntryFilter = EntryFilter(), limit: int = 50, cursor: str | None = None
    ) -> Page[Entry]:
        await self._authz.require(ctx, "audit:read", "audit")
        before = _before(cursor)
        async with self._db.read(ctx) as tx:
            rows = await self._rows.newest(tx, ctx.require_tenant(), where, before, limit + 1)
        more = len(rows) > limit
        return Page([_entry(row) for row in rows[:limit]], encode_cursor(_Place(rows[limit - 1].seq)) if more else None)

    async def get_entry(self, ctx: Ctx, *, seq: int) -> Entry:
        await self._authz.require(ctx, "audit:read", f"audit/{seq}")
        async with self._db.read(ctx) as tx:
            row = await self._rows.get(tx, ctx.require_tenant(), seq)
        if row is None:
            raise EntryNotFound(seq)
        return _entry(row)

    async def export_entries(self, ctx: Ctx, *, where: EntryFilter = EntryFilter()) -> AsyncIterator[Entry]:
        await self._authz.require(ctx, "audit:export", "audit")
        async with self._db.tx(ctx) as tx:
            tx.audit(Audit(action="audit.exported", resource="audit", after=where))
        after = 0
        while True:
            async with self._db.read(ctx) as tx:
                rows = await self._rows.oldest(tx, ctx.require_tenant(), where, after, _CHUNK)
            for row in rows:
                yield _entry(row)
            if len(rows) < _CHUNK:
                return
            after = rows[-1].seq

    async def list_checkpoints(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Checkpoint]:
        await self._authz.require(ctx, "audit:read", "audit")
        before = _before(cursor)
        async with self._db.read(ctx) as tx:
            heads = await self._rows.checkpoints(tx, ctx.require_tenant(), before, limit + 1)
        more = len(heads) > limit
        page = [_checkpoint(head) for head in heads[:limit]]
        return Page(page, encode_cursor(_Place(heads[limit - 1].seq)) if more else None)

    async def verify_chain(self, ctx: Ctx) -> Verification:
        await self._authz.require(ctx, "audit:verify", "audit")
        checkpoints = await self._all_checkpoints(ctx)
        # The anchor goes first: a chain that grows while it is checked has then no signed head beyond what is read.
        signed = [*await self._anchor.of_tenant(ctx.require_tenant()), *checkpoints]
        check = ChainCheck(ctx.require_tenant(), signed, await self._signer.public_keys())
        await self._feed(ctx, check)
        async with self._db.tx(ctx) as tx:
            tx.audit(
                Audit(
                    action="audit.verified",
                    resource="audit",
                    outcome=Outcome.FAILED if check.findings else Outcome.DONE,
                    reason=check.findings[0].problem if check.findings else "",
                )
            )
            if check.findings:
                tx.emit(ChainBroken(findings=len(check.findings), first=check.findings[0].problem))
        return Verification(
            ok=not check.findings,
            entries=check.entries,
            checkpoints=len(checkpoints),
            findings=check.findings,
        )

    async def _feed(self, ctx: Ctx, check: ChainCheck) -> None:
        """Show the check every entry up to the head as it is now."""
        tenant = ctx.require_tenant()
        async with self._db.read(ctx) as tx:
            head = await self._rows.head(tx, tenant)
            # A head is committed with its signature, so this one, which may be newer than those read before, has one.
            for signed in await self._rows.checkpoints(tx, tenant, None if head is None else head.seq + 1, 1):
                check.expect(signed)
        after = _BEFORE_ALL
        while True:
            async with self._db.read(ctx) as tx:
                rows = await self._rows.oldest(tx, tenant, EntryFilter(), after, _CHUNK)
            for row in rows:
                if head is None or row.seq <= head.seq:
                    check.take(row)
            if len(rows) < _CHUNK or (head is not None and rows[-1].seq >= head.seq):
                break
            after = rows[-1].seq
        check.finish(head)

    async def _all_checkpoints(self, ctx: Ctx) -> Sequence[Head]:
        found: list[Head] = []
        before: int | None = None
        while True:
            async with self._db.read(ctx) as tx:
                heads = await self._rows.checkpoints(tx, ctx.require_tenant(), before, _CHUNK)
            found += heads
            if len(heads) < _CHUNK:
                return found
            before = heads[-1].seq


def _before(cursor: str | None) -> int | None:
    place = decode_cursor(cursor, _Place)
    return None if place is None else place.seq


def _entry(row: EntryRow) -> Entry:
    record = msgspec.json.decode(row.body, type=AuditRecord)
    return Entry(
        seq=row.seq,
        id=record.id,
        at=record.at,
        service=record.service,
        actor=record.actor,
        action=record.action,
        resource=record.resource,
        outcome=record.outcome,
        reason=record.reason,
        request_id=record.request_id,
        address=record.address,
        before=_raw(record.before),
        after=_raw(record.after),
        hash=row.hash.hex(),
    )


def _raw(value: object) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(msgspec.json.encode(value))


def _checkpoint(head: Head) -> Checkpoint:
    return Checkpoint(
        seq=head.seq, hash=head.hash.hex(), at=head.at, key_id=head.key_id, signature=head.signature.hex()
    )
