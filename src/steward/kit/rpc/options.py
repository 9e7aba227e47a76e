"""Limits and settings of the gRPC transport, the same at both ends where both must agree."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_REQUEST_BYTES = 36 * 1024 * 1024
"""Largest request: the largest body that the HTTP edge takes, 32 MiB, with what an encoding may add."""
MAX_ANSWER_BYTES = 36 * 1024 * 1024
"""Largest answer, or item of a stream: many vectors."""
MAX_METADATA_BYTES = 16 * 1024
"""All metadata of one call, names included, counted as HTTP/2 does (RFC 9113 section 10.5.1)."""
KEEPALIVE_S = 20
KEEPALIVE_TIMEOUT_S = 5
MAX_BACKOFF_S = 2
"""Longest pause between attempts to reach an instance that is down."""

Options = Sequence[tuple[str, Any]]

_SHARED: Options = (
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", MAX_METADATA_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_S * 1000),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_S * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
)


def server_options() -> Options:
    """Arguments of a server; a port that another process uses is refused instead of shared."""
    pings = KEEPALIVE_S * 1000 // 2
    return (
        *_SHARED,
        ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
        ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", pings),
    )


def channel_options(service: str) -> Options:
    """Arguments of a channel to one instance.

    The core watches the instance's health (grpc.health.v1.Health/Watch) and shows the channel as ready only while
    the service named is serving; that works under the policy `round_robin`, even with a single address.
    """
    config: Mapping[str, Any] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": service},
    }
    return (
        *_SHARED,
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.max_send_message_length", MAX_REQUEST_BYTES),
        ("grpc.service_config", json.dumps(config)),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 1000),
        ("grpc.max_reconnect_backoff_ms", MAX_BACKOFF_S * 1000),
        ("grpc.enable_http_proxy", 0),
    )
