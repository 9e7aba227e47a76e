"""Making, showing and deleting aliases, and the list of names that a tenant is held to."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from steward.kit.audit import Audit
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.kit.ids import PLATFORM, Ids
from steward.services.models.api import Alias, AliasInput, AliasName
from steward.services.models.errors import AliasNotFound, ConnectionNotFound
from steward.services.models.events import AliasChanged, AllowedModelsChanged
from steward.services.models.registry.access import Access
from steward.services.models.registry.environment import environment_registry
from steward.services.models.registry.records import AliasRow, Registered, shown_alias
from steward.services.models.registry.repository import RegistryRepository
from steward.services.models.settings import ModelsSettings

_PATTERN: Final = re.compile(r"[!-)+-~]{0,300}\*?")
MAX_ALLOWED: Final = 200


class _Shown(msgspec.Struct, frozen=True):
    """What the audit trail keeps of an alias."""

    settings: AliasInput


class _Allowed(msgspec.Struct, frozen=True):
    names: Sequence[str] | None


class AliasesUseCase:
    """The methods of `ModelsApi` for aliases and allowed names."""

    def __init__(self, db: ServiceDb, access: Access, clock: Clock, ids: Ids, settings: ModelsSettings) -> None:
        self._db = db
        self._access = access
        self._clock = clock
        self._ids = ids
        self._environment = environment_registry(settings)

    async def put(self, ctx: Ctx, *, name: AliasName, alias: AliasInput, installation: bool) -> Alias:
        """See `ModelsApi`. Raises `ConnectionNotFound`, `AliasNotFound` for its `embeddings`, `InvalidInput`."""
        there = await self._access.to_change(ctx, f"alias/{name}", installation=installation)
        _check(alias)
        base = Registered() if there.tenant == PLATFORM else await self._stored_base(ctx)
        async with self._db.tx(there) as tx:
            rows = RegistryRepository(tx)
            await rows.lock()
            own = await rows.everything()
            self._check_known(alias, name, own, base)
            before = next((row for row in own.aliases if row.name == name), None)
            row = AliasRow(name=name, settings=alias, revision=self._ids.new(), updated_at=self._clock.now())
            await rows.put_alias(row)
            tx.audit(
                Audit(
                    action="alias.changed" if before else "alias.made",
                    resource=f"alias/{name}",
                    before=_Shown(before.settings) if before else None,
                    after=_Shown(alias),
                )
            )
            tx.emit(AliasChanged(name=name))
        return shown_alias(row, own=there.tenant == ctx.tenant)

    async def list_all(self, ctx: Ctx) -> Sequence[Alias]:
        """See `ModelsApi`."""
        await self._access.to_read(ctx, "alias")
        async with self._db.read(ctx) as tx:
            own = await RegistryRepository(tx).everything()
        base = await self._stored_base(ctx)
        found = {name: shown_alias(row, own=False) for name, row in self._environment.aliases.items()}
        found.update((row.name, shown_alias(row, own=False)) for row in base.aliases)
        found.update((row.name, shown_alias(row, own=True)) for row in own.aliases)
        return [found[name] for name in sorted(found)]

    async def delete(self, ctx: Ctx, *, name: AliasName, installation: bool) -> None:
        """See `ModelsApi`."""
        there = await self._access.to_change(ctx, f"alias/{name}", installation=installation)
        async with self._db.tx(there) as tx:
            rows = RegistryRepository(tx)
            await rows.lock()
            before = next((row for row in (await rows.everything()).aliases if row.name == name), None)
            if before is None:
                raise AliasNotFound(name)
            await rows.delete_alias(name)
            tx.audit(Audit(action="alias.deleted", resource=f"alias/{name}", before=_Shown(before.settings)))
            tx.emit(AliasChanged(name=name))

    async def set_allowed(self, ctx: Ctx, *, models: Sequence[str] | None) -> None:
        """See `ModelsApi`. Raises `InvalidInput`."""
        await self._access.to_change(ctx, "allowed", installation=False)
        if models is not None:
            _check_patterns(models)
        async with self._db.tx(ctx) as tx:
            rows = RegistryRepository(tx)
            await rows.lock()
            before = (await rows.everything()).allowed
            if models is None:
                await rows.delete_allowed()
            else:
                await rows.put_allowed(models, self._clock.now())
            tx.audit(
                Audit(action="allowed_models.set", resource="allowed", before=_Allowed(before), after=_Allowed(models))
            )
            tx.emit(AllowedModelsChanged())

    async def get_allowed(self, ctx: Ctx) -> Sequence[str] | None:
        """See `ModelsApi`."""
        await self._access.to_read(ctx, "allowed")
        async with self._db.read(ctx) as tx:
            return (await RegistryRepository(tx).everything()).allowed

    async def _stored_base(self, ctx: Ctx) -> Registered:
        async with self._db.read(ctx.for_tenant(PLATFORM)) as tx:
            return await RegistryRepository(tx).everything()

    def _check_known(self, alias: AliasInput, name: str, own: Registered, base: Registered) -> None:
        connections = {row.name for row in (*own.connections, *base.connections)} | self._environment.endpoints.keys()
        for each in alias.candidates:
            if each.connection not in connections:
                raise ConnectionNotFound(each.connection)
        wanted = alias.embeddings
        if wanted is None or wanted == name:
            return
        aliases = {row.name for row in (*own.aliases, *base.aliases)} | self._environment.aliases.keys()
        if wanted not in aliases and wanted.partition("/")[0] not in connections:
            raise AliasNotFound(wanted)


def _check(alias: AliasInput) -> None:
    if not any(each.weight for each in alias.candidates):
        raise InvalidInput("every candidate has weight 0: give one of them a share", field="candidates")
    for place, each in enumerate(alias.candidates):
        field = f"candidates[{place}].size"
        if alias.routed and each.size is None:
            raise InvalidInput(f"{field} is missing: each candidate of a routed alias names its size", field=field)
        if not alias.routed and each.size is not None:
            raise InvalidInput(f"{field} counts in a routed alias only: set `routed`, or leave it out", field=field)
    if alias.semantic_cache_seconds and alias.embeddings is None:
        raise InvalidInput("the semantic cache needs `embeddings`, the alias that embeds questions", field="embeddings")


def _check_patterns(models: Sequence[str]) -> None:
    if len(models) > MAX_ALLOWED:
        raise InvalidInput(f"there are {len(models)} names: give at most {MAX_ALLOWED}", field="models")
    for place, each in enumerate(models):
        if not each or not _PATTERN.fullmatch(each):
            raise InvalidInput(
                f"models[{place}] is {each[:60]!r}: write a name, or the beginning of names with `*` behind it",
                field=f"models[{place}]",
            )
