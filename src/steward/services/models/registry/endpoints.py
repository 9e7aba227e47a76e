"""Connections made ready for use: with their keys out of the envelope."""

from typing import Final

from steward.kit.crypto import Envelope
from steward.kit.ids import PLATFORM, TenantId
from steward.services.models.ports import Endpoint, Key
from steward.services.models.registry.records import ConnectionRow

PURPOSE: Final = "models.connection.key"


def endpoint_of(row: ConnectionRow, *, owner: TenantId | None, key: Key | None) -> Endpoint:
    given = row.settings
    return Endpoint(
        name=row.name,
        owner=owner,
        revision=row.revision,
        speaks=given.speaks,
        base_url=row.base_url,
        key=key,
        key_header=given.key_header,
        headers=given.headers,
        query=given.query,
        prices=given.prices or row.name,
        library=given.library,
        max_concurrency=given.max_concurrency,
        requests_per_minute=given.requests_per_minute,
        tokens_per_minute=given.tokens_per_minute,
        queue_seconds=given.queue_seconds,
        time_outs=given.time_outs,
        can_continue=given.can_continue,
        batches=given.batches,
    )


async def opened(envelope: Envelope, row: ConnectionRow, tenant: TenantId) -> Endpoint:
    """A stored connection of a tenant, or of `PLATFORM`, with its key. Raises what `Envelope.open` raises."""
    owner = owner_of(tenant)
    key = None
    if row.key is not None:
        key = Key((await envelope.open(owner, row.key, purpose=PURPOSE)).decode())
    return endpoint_of(row, owner=owner, key=key)


def owner_of(tenant: TenantId) -> TenantId | None:
    """Whose keys seal: a tenant's, or with None the platform's own."""
    return None if tenant == PLATFORM else tenant
