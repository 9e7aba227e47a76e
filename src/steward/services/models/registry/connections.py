"""Making, showing and deleting connections."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from yarl import URL

from steward.kit.audit import Audit
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.http.addresses import AddressPolicy
from steward.kit.ids import PLATFORM, Ids
from steward.services.models.api import Connection, ConnectionInput, ConnectionName, Speaks
from steward.services.models.errors import ConnectionInUse, ConnectionNotFound, ConnectionRefused
from steward.services.models.events import ConnectionChanged
from steward.services.models.registry.access import Access
from steward.services.models.registry.endpoints import PURPOSE, owner_of
from steward.services.models.registry.environment import environment_connections
from steward.services.models.registry.records import (
    ConnectionRow,
    Registered,
    base_url_of,
    shown_connection,
)
from steward.services.models.registry.repository import RegistryRepository
from steward.services.models.settings import ModelsSettings

_FIELD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""A field's name (RFC 9110 section 5.6.2)."""
_VALUE: Final = re.compile(r"[ -~]{0,1000}")
_MAX_QUERY_NAME: Final = 100
_OWN_HEADERS: Final = frozenset(
    (
        *("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key"),
        *("host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection"),
        *("accept-encoding", "expect", "upgrade", "te", "trailer"),
    )
)
"""Fields that carry keys, or that say how the message itself is written."""


class ConnectionsUseCase:
    """`put_connection`, `list_connections` and `delete_connection` of `ModelsApi`."""

    def __init__(
        self, db: ServiceDb, access: Access, envelope: Envelope, clock: Clock, ids: Ids, settings: ModelsSettings
    ) -> None:
        self._db = db
        self._access = access
        self._envelope = envelope
        self._clock = clock
        self._ids = ids
        self._policy = AddressPolicy(frozenset(settings.allowed_hosts))
        self._environment = environment_connections(settings)

    async def put(
        self, ctx: Ctx, *, name: ConnectionName, connection: ConnectionInput, installation: bool
    ) -> Connection:
        """See `ModelsApi`. Raises `ConnectionRefused`, and `AddressRefused` for what may not be called."""
        there = await self._access.to_change(ctx, f"connection/{name}", installation=installation)
        self._check(connection, installation=installation)
        tenant = there.require_tenant()
        sealed = None
        if connection.key is not None:
            sealed = await self._envelope.seal(owner_of(tenant), connection.key.encode(), purpose=PURPOSE)
        given = msgspec.structs.replace(connection, key=None)
        async with self._db.tx(there) as tx:
            rows = RegistryRepository(tx)
            await rows.lock()
            before = _find((await rows.everything()).connections, name)
            row = ConnectionRow(
                name=name,
                settings=given,
                key=sealed or _kept_key(before, given),
                revision=self._ids.new(),
                updated_at=self._clock.now(),
            )
            await rows.put_connection(row)
            action = "connection.changed" if before else "connection.made"
            if before and sealed:
                action = "connection.key_replaced"
            tx.audit(Audit(action=action, resource=f"connection/{name}", before=_audited(before), after=_audited(row)))
            tx.emit(ConnectionChanged(name=name))
        return msgspec.structs.replace(shown_connection(row, own=True), own=there.tenant == ctx.tenant)

    async def list_all(self, ctx: Ctx) -> Sequence[Connection]:
        """See `ModelsApi`."""
        await self._access.to_read(ctx, "connection")
        async with self._db.read(ctx) as tx:
            own = await RegistryRepository(tx).everything()
        found = {row.name: shown_connection(row, own=True) for row in own.connections}
        for name, shown in (await self._of_installation(ctx)).items():
            found.setdefault(name, shown)
        return [found[name] for name in sorted(found)]

    async def delete(self, ctx: Ctx, *, name: ConnectionName, installation: bool) -> None:
        """See `ModelsApi`."""
        there = await self._access.to_change(ctx, f"connection/{name}", installation=installation)
        below = await self._below(there, installation=installation)
        async with self._db.tx(there) as tx:
            rows = RegistryRepository(tx)
            await rows.lock()
            registered = await rows.everything()
            before = _find(registered.connections, name)
            if before is None:
                raise ConnectionNotFound(name)
            if name not in below:
                _check_unused(registered, name)
            await rows.delete_connection(name)
            tx.audit(Audit(action="connection.deleted", resource=f"connection/{name}", before=_audited(before)))
            tx.emit(ConnectionChanged(name=name))

    async def _below(self, ctx: Ctx, *, installation: bool) -> Mapping[str, Connection]:
        """What takes a deleted connection's place, by name."""
        return self._of_environment() if installation else await self._of_installation(ctx)

    async def _of_installation(self, ctx: Ctx) -> Mapping[str, Connection]:
        async with self._db.read(ctx.for_tenant(PLATFORM)) as tx:
            stored = await RegistryRepository(tx).everything()
        return {
            **self._of_environment(),
            **{row.name: shown_connection(row, own=False) for row in stored.connections},
        }

    def _of_environment(self) -> Mapping[str, Connection]:
        return {
            row.name: msgspec.structs.replace(shown_connection(row, own=False), has_key=key is not None)
            for row, key in self._environment
        }

    def _check(self, given: ConnectionInput, *, installation: bool) -> None:
        _check_library(given)
        if given.base_url is not None:
            try:
                url = URL(given.base_url)
            except ValueError as error:
                raise ConnectionRefused("base_url", f"{given.base_url[:100]!r} is no URL") from error
            if url.raw_user is not None or url.raw_password is not None:
                raise ConnectionRefused("base_url", "it holds a user name or password: put the key into `key`")
            # Operators of the installation may lead into its network, tenants only where it lets them.
            if not installation:
                self._policy.check(url)
        for name, value in given.headers.items():
            _check_header(name, value)
        if given.key_header and not _FIELD.fullmatch(given.key_header):
            raise ConnectionRefused("key_header", f"{given.key_header!r} is no name of a header field")
        for name, value in given.query.items():
            if not name or len(name) > _MAX_QUERY_NAME or not _VALUE.fullmatch(value) or not name.isprintable():
                raise ConnectionRefused("query", f"parameter {name[:60]!r} has a name or value that no URL can carry")


def _check_library(given: ConnectionInput) -> None:
    if given.speaks is Speaks.PYDANTIC_AI and not given.library:
        raise ConnectionRefused("library", "with `pydantic-ai`, name the provider as it does, such as 'google-gla'")
    if given.speaks is not Speaks.PYDANTIC_AI and given.library:
        raise ConnectionRefused("library", f"{given.library!r} has no meaning where speaks is {given.speaks.value!r}")
    if given.batches and given.speaks is Speaks.PYDANTIC_AI:
        raise ConnectionRefused("batches", "batch endpoints are known of 'openai' and 'anthropic' only, of no library")


def _check_header(name: str, value: str) -> None:
    if not _FIELD.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ConnectionRefused("headers", f"{name[:60]!r} has a name or value that no header field can have")
    if name.lower() in _OWN_HEADERS:
        raise ConnectionRefused("headers", f"{name!r} is not for you to set: the key belongs into `key`")


def _kept_key(before: ConnectionRow | None, given: ConnectionInput) -> bytes | None:
    """The key that is there already; it goes to no other place than the one that it was given for."""
    if before is None or before.key is None:
        return None
    if _place(before.settings) != _place(given):
        raise ConnectionRefused(
            "key", "give it again: the connection leads elsewhere now, and the kept key was given for another place"
        )
    return before.key


def _place(given: ConnectionInput) -> tuple[str, str]:
    url = base_url_of(given)
    return given.library, str(URL(url).origin()) if url else ""


def _find(rows: Sequence[ConnectionRow], name: str) -> ConnectionRow | None:
    return next((row for row in rows if row.name == name), None)


def _check_unused(registered: Registered, name: str) -> None:
    for alias in registered.aliases:
        if any(each.connection == name for each in alias.settings.candidates):
            raise ConnectionInUse(name, alias.name)


def _audited(row: ConnectionRow | None) -> Connection | None:
    """What the audit trail keeps: never the key."""
    return None if row is None else shown_connection(row, own=True)
