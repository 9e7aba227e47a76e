"""Settings of the calls to tenants' shops."""

from typing import Annotated

import msgspec
from msgspec import Meta

SETTINGS_PREFIX = "STEWARD_SHOP_"
ALLOWED_HOSTS = f"{SETTINGS_PREFIX}ALLOWED_HOSTS"


class ShopSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which shops may be called, and for how long the desk waits for one."""

    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Hosts inside the network, as `host` (ports 80 and 443) or `host:port`, at which shops may be, "
            "also by plain http. Shops on the public network need https and are not listed."
        ),
    ] = ()
    attempt_seconds: Annotated[float, Meta(gt=0, le=60, description="How long one attempt at a call may take.")] = 2.0
    total_seconds: Annotated[
        float, Meta(gt=0, le=60, description="How long a call may take with its retries; the customer waits for it.")
    ] = 8.0
    attempts: Annotated[int, Meta(ge=1, le=10, description="Attempts at a call.")] = 3
    breaker_failures: Annotated[
        int, Meta(ge=1, le=1000, description="Failed attempts in a row after which a tenant's shop is left alone.")
    ] = 5
    breaker_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="After how long a shop that is left alone is tried again.")
    ] = 5.0
    cache_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="How long a process may use a connection that was changed elsewhere.")
    ] = 60.0
