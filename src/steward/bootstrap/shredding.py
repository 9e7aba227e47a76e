"""Forgetting the keys of deleted tenants in every process, at once and not when its cache expires."""

from steward.kit.bus import Subscription
from steward.kit.crypto import Keyring
from steward.kit.outbox import StoredEvent

DELETED = "tenants.TenantDeleted"


def shredding(keyring: Keyring) -> Subscription:
    """What every process subscribes to, for each keeps unwrapped keys for some minutes."""

    async def forget(event: StoredEvent) -> None:
        if event.type == DELETED:
            keyring.forget(event.tenant)

    return Subscription(name="keyring", sources=("tenants",), handler=forget, broadcast=True)
