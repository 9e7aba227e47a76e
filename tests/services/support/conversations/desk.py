"""A platform whose desk has stand-ins for the other rooms, and what tests call it by."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from steward.bootstrap.modules import MODULES
from steward.kit.clock import Clock, SystemClock
from steward.kit.context import Actor, ActorType, Ctx, SystemCtx
from steward.kit.failpoints import Failpoints
from steward.kit.ids import TenantId
from steward.services.knowledge.api import KnowledgeApi
from steward.services.support.api import ChatAnswer, ChatEvent, Message, SupportApi
from tests.services.support.conversations.stand_ins import Script, StandInKnowledge, module
from tests.support.platform import Installation, open_installation

WRITES = "conversation:write"
READS = "conversation:read"
ACTS = "support:act-as-customer"


class Desk:
    """One process with the stand-ins of its script."""

    def __init__(self, installation: Installation, script: Script, tenant: TenantId) -> None:
        self.installation = installation
        self.script = script
        self.tenant = tenant

    @property
    def api(self) -> SupportApi:
        return self.installation.api(SupportApi)

    def ctx(self, *scopes: str, tenant: TenantId | None = None, idempotency_key: str | None = None) -> Ctx:
        """A tenant's back end, with all it needs where nothing is said."""
        return self.installation.ctx(
            tenant or self.tenant,
            *(scopes or (WRITES, ACTS)),
            actor=Actor(ActorType.SERVICE, "shop"),
            idempotency_key=idempotency_key,
        )

    async def say(self, text: str, session: UUID | None = None, user: str | None = "ann", **rest: Any) -> ChatAnswer:
        """One message of a customer, by the tenant's back end."""
        ctx = rest.pop("ctx", None) or self.ctx()
        return await self.api.chat(ctx, message=text, session_id=session, user_id=user, **rest)

    def stream(
        self, text: str, session: UUID | None = None, user: str | None = "ann", **rest: Any
    ) -> AsyncIterator[ChatEvent]:
        ctx = rest.pop("ctx", None) or self.ctx()
        return self.api.chat_stream(ctx, message=text, session_id=session, user_id=user, **rest)

    async def history(self, session: UUID) -> list[Message]:
        page = await self.api.get_history(self.ctx(READS), session_id=session, limit=200)
        return list(page.items)

    async def texts(self, session: UUID) -> list[str]:
        return [message.text for message in await self.history(session)]

    async def sweep(self) -> None:
        """What the background job does every few seconds."""
        jobs = self.installation.serving.local["support"].jobs
        await next(job for job in jobs if job.name == "support-left-behind").run()


async def open_desk(
    stack: AsyncExitStack,
    dsn: str,
    home: Path,
    *,
    mode: str = "local",
    tenant: TenantId | None = None,
    clock: Clock | None = None,
    failpoints: Failpoints | None = None,
    **settings: str,
) -> Desk:
    """A process of its own; several on one database are a fleet. A new tenant where none is given."""
    script = Script()
    modules = [module(script, **settings) if one.name == "support" else one for one in MODULES]
    installation = await open_installation(stack, mode, dsn, home, clock, failpoints, modules)
    knowledge: Any = StandInKnowledge(script)
    installation.serving.apis.put(KnowledgeApi, knowledge)
    return Desk(installation, script, tenant or (await installation.tenant()).id)


async def left_behind(desk: Desk, table: str) -> list[Any]:
    """The bodies of a tenant's events (`outbox`) or audit entries (`audit_outbox`), in order."""
    db = desk.installation.foundation.database.service("support")
    async with db.system_tx(SystemCtx(reason="tests", service="support")) as tx:
        rows = await tx.fetch(f"SELECT body FROM support.{table} WHERE tenant_id = $1 ORDER BY xid, id", desk.tenant)
    return [msgspec.json.decode(row["body"]) for row in rows]


class Later(SystemClock):
    """A clock that is ahead, for a process that comes when leases have run out."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead
