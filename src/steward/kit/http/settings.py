"""Settings of outgoing HTTP calls."""

from typing import Annotated

import msgspec
from msgspec import Meta


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which hosts outgoing calls may reach besides public ones, and their limits."""

    allowed_hosts: Annotated[
        frozenset[str],
        Meta(
            description="Hosts, as `host` (ports 80 and 443) or `host:port`, that calls may reach although they are "
            "inside the network, and by plain http. An IPv6 address stands in brackets."
        ),
    ] = frozenset()
    connect_seconds: Annotated[float, Meta(gt=0, le=60, description="How long connecting may take.")] = 5.0
    read_seconds: Annotated[float, Meta(gt=0, le=600, description="How long the upstream may be silent.")] = 10.0
    attempt_seconds: Annotated[float, Meta(gt=0, le=600, description="How long one attempt may take.")] = 10.0
    total_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="How long a call may take with its retries and redirects.")
    ] = 30.0
    attempts: Annotated[int, Meta(ge=1, le=10, description="Attempts at a call that may be repeated.")] = 3
    max_response_bytes: Annotated[
        int, Meta(ge=1024, le=1024**3, description="Longest body, also after decompression.")
    ] = 10 * 1024 * 1024
    max_header_bytes: Annotated[
        int, Meta(ge=1024, le=1024**2, description="Longest header section of an answer; one field may take 8 KiB.")
    ] = 32 * 1024
    max_connections: Annotated[int, Meta(ge=1, le=10_000, description="Connections open at a time.")] = 100
