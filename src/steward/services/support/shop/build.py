"""Puts the room together."""

import msgspec

from steward.kit.bus import Subscription
from steward.kit.db import forbid_open_tx
from steward.kit.http import Breakers, HttpSettings, SafeClient, SystemResolver
from steward.kit.http.addresses import AddressPolicy
from steward.kit.ids import Ids
from steward.kit.module import Parts
from steward.kit.settings import load
from steward.services.support.shop.connections import Connections
from steward.services.support.shop.settings import SETTINGS_PREFIX, ShopSettings
from steward.services.support.shop.tools import ShopTools
from steward.services.support.shop.use_case import ShopUseCase

_MAX_ANSWER_BYTES = 256 * 1024


class ShopRoom(msgspec.Struct, frozen=True, kw_only=True):
    """The room `shop`, ready: the tools want `start` and `stop`, the bus the subscription."""

    tools: ShopTools
    use_case: ShopUseCase
    subscription: Subscription


def build(parts: Parts) -> ShopRoom:
    """The room, by the settings in the environment."""
    settings = load(ShopSettings, parts.environment, SETTINGS_PREFIX)
    http = _http(settings)
    connections = Connections(parts.db, parts.envelope, parts.clock, parts.telemetry, settings.cache_seconds)
    resolver = SystemResolver()
    client = SafeClient(
        http,
        parts.clock,
        Breakers(parts.clock, failures=settings.breaker_failures, probe_after_s=settings.breaker_seconds),
        resolver,
        random=lambda: _chance(parts.ids),
        guard=forbid_open_tx,
    )
    return ShopRoom(
        tools=ShopTools(client, resolver, connections, parts.clock, parts.telemetry),
        use_case=ShopUseCase(
            parts.db, parts.authz, parts.envelope, parts.clock, connections, AddressPolicy(http.allowed_hosts)
        ),
        subscription=Subscription(
            name="support-shop", sources=("support",), handler=connections.on_event, broadcast=True
        ),
    )


def _http(settings: ShopSettings) -> HttpSettings:
    return HttpSettings(
        allowed_hosts=frozenset(settings.allowed_hosts),
        connect_seconds=settings.attempt_seconds,
        read_seconds=settings.attempt_seconds,
        attempt_seconds=settings.attempt_seconds,
        total_seconds=settings.total_seconds,
        attempts=settings.attempts,
        max_response_bytes=_MAX_ANSWER_BYTES,
    )


def _chance(ids: Ids) -> float:
    return int.from_bytes(ids.token(4)) / 2**32
