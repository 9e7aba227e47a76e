"""The playbooks in force for each tenant: read and checked once, kept until an event says that they changed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import Telemetry
from steward.services.support.api import Playbook
from steward.services.support.dialogue.checks import World, check
from steward.services.support.dialogue.format import File, Phrases
from steward.services.support.dialogue.library import Library, ready
from steward.services.support.dialogue.repository import PlaybooksRepository
from steward.services.support.dialogue.shipped import Shipped
from steward.services.support.ports import ToolSpec

CHANGED: Final = "support.PlaybookChanged"
_KEPT_SECONDS: Final = 60
_MOST_TENANTS: Final = 2000
_BYTES: Final = 256 * 1024 * 1024


class Libraries:
    """Gives each call the playbooks of its tenant."""

    def __init__(
        self,
        db: ServiceDb,
        rows: PlaybooksRepository,
        shipped: Sequence[Shipped],
        tools: Mapping[str, ToolSpec],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._db = db
        self._rows = rows
        self._shipped = {each.name: each for each in shipped}
        self._plain = library_of([(each.file, each.source) for each in shipped])
        self._world = World(tools=tools, intents=None)
        self._log = telemetry.log
        cache = Cache(clock, max_entries=_MOST_TENANTS, max_bytes=_BYTES)
        self._kept: View[Library] = View(cache, "library", ttl_s=_KEPT_SECONDS)

    async def of(self, ctx: Ctx) -> Library:
        """The playbooks of the tenant of a call."""
        tenant = ctx.require_tenant()
        found = self._kept.get(tenant, "")
        return found if found is not None else await self._kept.get_or_load(tenant, "", lambda: self._load(ctx))

    def forget(self, ctx: Ctx) -> None:
        """Read a tenant's playbooks anew at the next call."""
        self._kept.drop_all(ctx.require_tenant())

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus; every process needs every event."""
        if event.type == CHANGED:
            self._kept.drop_all(event.tenant)

    async def _load(self, ctx: Ctx) -> Library:
        async with self._db.tx(ctx) as tx:
            own = await self._rows.list_all(tx, ctx.require_tenant())
        if not own:
            return self._plain
        return await asyncio.to_thread(self._merged, ctx, own)

    def _merged(self, ctx: Ctx, own: Sequence[Playbook]) -> Library:
        """The shipped files with the tenant's in their place; one that an older Steward took and this one does not
        is left out, with a word in the log, so that the desk goes on with what it ships.
        """
        files = {name: (each.file, each.source) for name, each in self._shipped.items()}
        phrases: list[tuple[File, str]] = []
        for playbook in own:
            file = self._usable(ctx, playbook)
            if isinstance(file, Phrases):
                phrases.append((file, playbook.source))
            elif file is not None:
                files[playbook.name] = (file, playbook.source)
        return library_of([*files.values(), *phrases])

    def _usable(self, ctx: Ctx, playbook: Playbook) -> File | None:
        # Its intents were checked when it was put; those that the tenant has no more are never asked for.
        checked = check(playbook.source, self._world, name=playbook.name)
        if checked.file is None:
            self._log.warning(
                "a tenant's playbook cannot be used any more",
                event_type="playbook.unusable",
                tenant_id=str(ctx.tenant),
                name=playbook.name,
                problem=str(checked.problems[0]),
            )
        return checked.file


def library_of(files: Sequence[tuple[File, str]]) -> Library:
    playbooks = [ready(file, source) for file, source in files if not isinstance(file, Phrases)]
    return Library(playbooks, [file for file, _ in files if isinstance(file, Phrases)])
