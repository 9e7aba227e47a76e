"""Consumers of the bus that keep what the edge remembers true."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from steward.gateway.authn import Authenticator
from steward.kit.bus import Subscription
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent


class _Ended(msgspec.Struct, frozen=True):
    """The ids in an event of identity whose principals are not to be believed any more."""

    user_id: UUID | None = None
    session_id: UUID | None = None
    key_id: UUID | None = None
    session_ids: Sequence[UUID] = ()
    key_ids: Sequence[UUID] = ()


class _OfTenant(msgspec.Struct, frozen=True):
    tenant_id: TenantId | None = None
    changed: Sequence[str] | None = None
    """The fields that an update changed."""


class CacheEvents:
    """Consumers of the bus that let an `Authenticator` forget; every process needs every event (broadcast)."""

    # These end nothing: a new thing is not remembered yet, and a refused log-in has no principal.
    _HARMLESS: Final = frozenset(
        f"identity.{name}"
        for name in ("UserInvited", "UserRegistered", "UserRenamed", "SessionStarted", "LoginLocked", "ApiKeyCreated")
    )

    _HARMLESS_FIELDS: Final = frozenset(("name",))

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def on_identity(self, event: StoredEvent) -> None:
        """Forget the sessions, keys and users that an event of identity names, or the tenant where it names none."""
        if event.type in self._HARMLESS:
            return
        ended = msgspec.json.decode(event.payload, type=_Ended)
        sessions = [*ended.session_ids, *((ended.session_id,) if ended.session_id else ())]
        keys = [*ended.key_ids, *((ended.key_id,) if ended.key_id else ())]
        for session in sessions:
            self._authenticator.forget_session(session)
        for key in keys:
            self._authenticator.forget_key(key)
        # A password change and a log-out name the user too, whose other sessions go on; looking them up anew is cheap.
        if ended.user_id is not None:
            self._authenticator.forget_user(ended.user_id)
        if not sessions and not keys and ended.user_id is None:
            self._authenticator.forget_tenant(event.tenant)

    async def on_tenants(self, event: StoredEvent) -> None:
        """Forget the state and limits of the tenant that changed; the callers of a suspended one are refused by it."""
        told = msgspec.json.decode(event.payload, type=_OfTenant)
        if told.changed is None or not self._HARMLESS_FIELDS.issuperset(told.changed):
            self._authenticator.forget_policy(told.tenant_id or event.tenant)


def consumers(authenticator: Authenticator) -> Sequence[Subscription]:
    """What a process with an edge subscribes to, so that revocation, roles, quotas and suspension act at once."""
    events = CacheEvents(authenticator)
    return (
        Subscription(name="edge-identity", sources=("identity",), handler=events.on_identity, broadcast=True),
        Subscription(name="edge-tenants", sources=("tenants",), handler=events.on_tenants, broadcast=True),
    )
