"""The audit service with collectors that a test runs by hand, on a database whose owner is not to be trusted."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from steward.kit.audit import Audit
from steward.kit.bus import Reader
from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.services.audit.anchor import Anchor
from steward.services.audit.api import AuditApi, Finding, Verification
from steward.services.audit.collector import AuditSettings, Collector
from steward.services.audit.signing import Signer
from tests.support.database import as_owner, new_tenant
from tests.support.platform import Installation, open_installation
from tests.support.postgres import PostgresForTests

SCOPES = ("audit:read", "audit:verify", "audit:export")


class Archive:
    """An installation, its owner's way in, and as many collectors as a test wants."""

    def __init__(self, installation: Installation, owner_dsn: str, home: Path) -> None:
        self.installation = installation
        self.owner_dsn = owner_dsn
        self.anchor = Anchor(home / "audit" / "checkpoints.jsonl")
        self.audit = installation.api(AuditApi)

    def collector(self, *, batch: int = 1000, sources: Sequence[str] = ("tenants",)) -> Collector:
        """A collector as another process has it, for sources in which the tests write."""
        base = self.installation.foundation
        db = base.database.service("audit")
        signer = Signer(db, base.envelope, base.clock, base.ids)
        settings = AuditSettings(batch=batch)
        reader = Reader(base.database)
        return Collector(db, reader, base.wake, signer, self.anchor, sources, settings, base.clock, base.telemetry)

    def ctx(self, tenant: TenantId) -> Ctx:
        return self.installation.ctx(tenant, *SCOPES)

    async def write(self, tenant: TenantId, *actions: str, source: str = "tenants") -> None:
        """Entries of one transaction."""
        async with self.installation.foundation.database.service(source).tx(self.ctx(tenant)) as tx:
            for action in actions:
                tx.audit(Audit(action=action, resource=f"thing/{action}"))

    async def chain(self, batches: Sequence[Sequence[str]]) -> TenantId:
        """A new tenant with these entries sealed, batch after batch, each with a signed head."""
        tenant = new_tenant()
        for batch in batches:
            await self.write(tenant, *batch)
            await self.collector().collect()
        return tenant

    async def verify(self, tenant: TenantId) -> Verification:
        return await self.audit.verify_chain(self.ctx(tenant))

    async def findings(self, tenant: TenantId) -> Sequence[Finding]:
        return (await self.verify(tenant)).findings

    async def tamper(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """What somebody does who has the database but not the keys."""
        return await as_owner(self.owner_dsn, sql, *args)

    async def rows(self, tenant: TenantId) -> list[tuple[Any, ...]]:
        found = await self.tamper("SELECT seq, action FROM audit.entry WHERE tenant_id = $1 ORDER BY seq", tenant)
        return [tuple(row) for row in found]


@asynccontextmanager
async def open_archive(postgres: PostgresForTests, home: Path) -> AsyncGenerator[Archive]:
    """An archive on a database of its own; nothing is collected but by hand."""
    name = await postgres.clone()
    async with AsyncExitStack() as stack:
        installation = await open_installation(stack, "local", postgres.dsn(name, "steward_app"), home)
        background = installation.services.local["audit"].stop
        assert background is not None
        await background()
        yield Archive(installation, postgres.dsn(name), home)
    await postgres.drop(name)
