"""A tenant's own playbooks: put in the place of the shipped ones, or beside them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.services.support.api import Playbook
from steward.services.support.dialogue.checks import World, check
from steward.services.support.dialogue.libraries import Libraries
from steward.services.support.dialogue.repository import PlaybooksRepository
from steward.services.support.dialogue.shipped import SHIPPED_INTENTS, Shipped
from steward.services.support.errors import PlaybookInvalid, PlaybookNotFound
from steward.services.support.events import PlaybookChanged
from steward.services.support.ports import ToolSpec

MAX_PLAYBOOKS: Final = 200

IntentNames = Callable[[Ctx], Awaitable[Collection[str]]]
"""The names of a tenant's intents."""


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit trail keeps of a playbook."""

    name: str
    version: int
    characters: int


class PlaybooksUseCase:
    """Lists, puts and deletes playbooks; see `SupportApi`."""

    def __init__(
        self,
        db: ServiceDb,
        authz: Authz,
        clock: Clock,
        rows: PlaybooksRepository,
        libraries: Libraries,
        shipped: Sequence[Shipped],
        tools: Mapping[str, ToolSpec],
        intents: IntentNames | None,
    ) -> None:
        self._db = db
        self._authz = authz
        self._clock = clock
        self._rows = rows
        self._libraries = libraries
        self._shipped = {each.name: Playbook(name=each.name, source=each.source, version=0) for each in shipped}
        self._tools = tools
        self._intents = intents

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]:
        """See `SupportApi.list_playbooks`."""
        await self._authz.require(ctx, "conversation:read", "playbook")
        async with self._db.tx(ctx) as tx:
            own = await self._rows.list_all(tx, ctx.require_tenant())
        found = {**self._shipped, **{each.name: each for each in own}}
        return sorted(found.values(), key=lambda each: each.name)

    async def put_playbook(self, ctx: Ctx, *, name: str, source: str) -> Playbook:
        """See `SupportApi.put_playbook`."""
        await self._authz.require(ctx, "support:configure", f"playbook/{name}")
        intents = SHIPPED_INTENTS if self._intents is None else {*SHIPPED_INTENTS, *await self._intents(ctx)}
        # A large one takes longer than the event loop may be held.
        checked = await asyncio.to_thread(check, source, World(tools=self._tools, intents=intents), name=name)
        if checked.file is None:
            raise PlaybookInvalid("\n".join(map(str, checked.problems)))
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            before = {each.name: each for each in await self._rows.list_all(tx, tenant)}
            if name not in before and len(before) >= MAX_PLAYBOOKS:
                raise PlaybookInvalid(_too_many(len(before)))
            saved = await self._rows.put(tx, tenant, name, source, self._clock.now())
            tx.audit(
                Audit(
                    action="playbook.put",
                    resource=f"playbook/{name}",
                    before=_version(before.get(name)),
                    after=_version(saved),
                )
            )
            tx.emit(PlaybookChanged(name=name, version=saved.version))
        self._libraries.forget(ctx)
        return saved

    async def delete_playbook(self, ctx: Ctx, *, name: str) -> None:
        """See `SupportApi.delete_playbook`."""
        await self._authz.require(ctx, "support:configure", f"playbook/{name}")
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            if not await self._rows.delete(tx, tenant, name):
                raise PlaybookNotFound(name)
            tx.audit(Audit(action="playbook.deleted", resource=f"playbook/{name}"))
            tx.emit(PlaybookChanged(name=name, version=0))
        self._libraries.forget(ctx)


def _version(playbook: Playbook | None) -> _Version | None:
    if playbook is None:
        return None
    return _Version(name=playbook.name, version=playbook.version, characters=len(playbook.source))


def _too_many(count: int) -> str:
    return f"the tenant has {count} playbooks of its own, and {MAX_PLAYBOOKS} are taken: delete one first"
