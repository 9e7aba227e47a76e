"""What the installation has by its environment alone: connections of the keys that are set, and the usual aliases.

Rows of the installation with the same names go before these.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from steward.services.models.api import AliasInput, Candidate, ConnectionInput, Size, Speaks
from steward.services.models.ports import Endpoint, Key
from steward.services.models.registry.endpoints import endpoint_of
from steward.services.models.registry.names import Registry
from steward.services.models.registry.records import AliasRow, ConnectionRow
from steward.services.models.settings import ModelsSettings

ROUTED: Final = "default"
_OPENAI: Final = "openai"
_ANTHROPIC: Final = "anthropic"
_USUAL: Final[Mapping[Size, Sequence[str]]] = {
    Size.SMALL: (f"{_ANTHROPIC}/claude-haiku-4-5", f"{_OPENAI}/gpt-4.1-mini"),
    Size.MEDIUM: (f"{_ANTHROPIC}/claude-sonnet-4-5", f"{_OPENAI}/gpt-4.1"),
    Size.LARGE: (f"{_ANTHROPIC}/claude-opus-4-5", f"{_OPENAI}/gpt-5"),
}
_SINCE: Final = datetime(1970, 1, 1, tzinfo=UTC)


def environment_registry(settings: ModelsSettings) -> Registry:
    """The connections and aliases of these settings."""
    endpoints: dict[str, Endpoint] = {}
    for row, key in environment_connections(settings):
        endpoints[row.name] = endpoint_of(row, owner=None, key=None if key is None else Key(key))
    chosen = _chosen(settings, endpoints)
    aliases = {size.value: _alias(size.value, AliasInput(candidates=each)) for size, each in chosen.items()}
    if chosen:
        sized = [msgspec.structs.replace(each, size=size) for size, found in chosen.items() for each in found]
        aliases[ROUTED] = _alias(ROUTED, AliasInput(candidates=sized, routed=True))
    return Registry(endpoints=endpoints, aliases=aliases)


def environment_connections(settings: ModelsSettings) -> Sequence[tuple[ConnectionRow, str | None]]:
    """The connections of these settings with their keys."""
    given = (
        (_OPENAI, Speaks.OPENAI, settings.openai_base_url, settings.openai_api_key),
        (_ANTHROPIC, Speaks.ANTHROPIC, settings.anthropic_base_url, settings.anthropic_api_key),
    )
    return [
        (_connection(name, speaks, url, settings.max_concurrency), key)
        for name, speaks, url, key in given
        if url or key
    ]


def _connection(name: str, speaks: Speaks, url: str | None, max_concurrency: int) -> ConnectionRow:
    return ConnectionRow(
        name=name,
        settings=ConnectionInput(speaks=speaks, base_url=url, max_concurrency=max_concurrency),
        key=None,
        revision=_revision(f"{name} {url}"),
        updated_at=_SINCE,
    )


def _chosen(settings: ModelsSettings, endpoints: Mapping[str, Endpoint]) -> Mapping[Size, Sequence[Candidate]]:
    named = {Size.SMALL: settings.small, Size.MEDIUM: settings.medium, Size.LARGE: settings.large}
    found: dict[Size, Sequence[Candidate]] = {}
    for size in Size:
        choices = [each.partition("/") for each in named[size] or _USUAL[size]]
        usable = [(connection, model) for connection, _, model in choices if connection in endpoints]
        if usable:
            found[size] = [
                Candidate(
                    connection=connection,
                    model=model,
                    order=order,
                    max_output_tokens=settings.max_output_tokens,
                )
                for order, (connection, model) in enumerate(usable)
            ]
    return found


def _alias(name: str, alias: AliasInput) -> AliasRow:
    said = " ".join(f"{each.connection}/{each.model}" for each in alias.candidates)
    return AliasRow(name=name, settings=alias, revision=_revision(f"{name} {said}"), updated_at=_SINCE)


def _revision(text: str) -> UUID:
    """The same in every process of the installation."""
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
