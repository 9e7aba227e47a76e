"""What keeps true what the edge remembers: consumers of the bus, and a listener to this process's own events."""

from collections.abc import Callable, Sequence
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
    """Lets an `Authenticator` forget what events say is not so any more; every process needs every event."""

    # These end nothing: a new thing is not remembered yet, and a refused log-in has no principal.
    _HARMLESS: Final = frozenset(
        f"identity.{name}"
        for name in ("UserInvited", "UserRegistered", "UserRenamed", "SessionStarted", "LoginLocked", "ApiKeyCreated")
    )

    _HARMLESS_FIELDS: Final = frozenset(("name",))

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def heed(self, event: StoredEvent) -> None:
        """Forget what an event of any service makes untrue."""
        if event.type.startswith("identity."):
            self._heed_identity(event)
        elif event.type.startswith("tenants."):
            self._heed_tenants(event)

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus."""
        self.heed(event)

    def _heed_identity(self, event: StoredEvent) -> None:
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

    def _heed_tenants(self, event: StoredEvent) -> None:
        """Forget the state and limits of the tenant that changed; the callers of a suspended one are refused by it."""
        told = msgspec.json.decode(event.payload, type=_OfTenant)
        if told.changed is None or not self._HARMLESS_FIELDS.issuperset(told.changed):
            self._authenticator.forget_policy(told.tenant_id or event.tenant)


def consumers(authenticator: Authenticator) -> Sequence[Subscription]:
    """What a process with an edge subscribes to, so that revocation, roles, quotas and suspension act everywhere."""
    handler = CacheEvents(authenticator).on_event
    return (
        Subscription(name="edge-identity", sources=("identity",), handler=handler, broadcast=True),
        Subscription(name="edge-tenants", sources=("tenants",), handler=handler, broadcast=True),
    )


def listener(authenticator: Authenticator) -> Callable[[StoredEvent], None]:
    """What is told of each event of this very process, where the next request must not wait for the bus."""
    return CacheEvents(authenticator).heed
