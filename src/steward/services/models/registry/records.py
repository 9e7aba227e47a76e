"""Rows of the registry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.services.models.api import Alias, AliasInput, Connection, ConnectionInput, Speaks

BASE_URLS: Mapping[Speaks, str] = {
    Speaks.OPENAI: "https://api.openai.com/v1",
    Speaks.ANTHROPIC: "https://api.anthropic.com",
    Speaks.PYDANTIC_AI: "",
}
"""Where a dialect's own provider is."""


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as it is stored."""

    name: str
    settings: ConnectionInput
    """Without the key."""
    key: bytes | None
    """Sealed."""
    revision: UUID
    updated_at: datetime

    @property
    def base_url(self) -> str:
        return base_url_of(self.settings)


class AliasRow(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    settings: AliasInput
    revision: UUID
    updated_at: datetime


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a tenant, or the installation, has registered."""

    connections: Sequence[ConnectionRow] = ()
    aliases: Sequence[AliasRow] = ()
    allowed: Sequence[str] | None = None


def base_url_of(settings: ConnectionInput) -> str:
    """Where a connection leads, without a slash at its end; empty where a library knows."""
    return (settings.base_url or BASE_URLS[settings.speaks]).rstrip("/")


def shown_connection(row: ConnectionRow, *, own: bool) -> Connection:
    """A connection as people see it: without the key, and of somebody else's without what it sends."""
    given = row.settings
    return Connection(
        name=row.name,
        own=own,
        speaks=given.speaks,
        base_url=row.base_url if own else "",
        has_key=row.key is not None,
        prices=given.prices or row.name,
        library=given.library,
        headers=given.headers if own else {},
        query=given.query if own else {},
        key_header=given.key_header if own else "",
        max_concurrency=given.max_concurrency,
        requests_per_minute=given.requests_per_minute,
        tokens_per_minute=given.tokens_per_minute,
        queue_seconds=given.queue_seconds,
        time_outs=given.time_outs,
        can_continue=given.can_continue,
        batches=given.batches,
        updated_at=row.updated_at,
    )


def shown_alias(row: AliasRow, *, own: bool) -> Alias:
    return Alias(name=row.name, own=own, settings=row.settings, updated_at=row.updated_at)
