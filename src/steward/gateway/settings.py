"""Settings of the edge: what a request may cost and who may call."""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Network = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$", examples=["10.0.0.0/8"])]
Origin = Annotated[str, Meta(pattern=r"^https?://[^/\s]+$", max_length=255, examples=["https://console.example.com"])]


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and lists that the edge enforces."""

    max_body_bytes: Annotated[Count, Meta(description="Largest request body; a larger one is answered 413.")] = 1 << 20
    max_url_bytes: Annotated[Count, Meta(description="Longest path and query together; a longer one is 431.")] = 8192
    max_header_bytes: Annotated[Count, Meta(description="Most bytes of header fields together; more is 431.")] = 16384
    max_header_fields: Annotated[int, Meta(ge=1, le=100, description="Most header fields; more is 431.")] = 64
    max_json_depth: Annotated[
        int, Meta(ge=1, le=500, description="Deepest nesting of a JSON body; deeper is answered 422.")
    ] = 32
    header_seconds: Annotated[Seconds, Meta(description="Time to send the header; the connection is closed then.")] = 10
    body_seconds: Annotated[Seconds, Meta(description="Time to send the body; slower is answered 408.")] = 10
    request_seconds: Annotated[Seconds, Meta(description="Time a request may take; longer is answered 504.")] = 30
    stream_seconds: Annotated[Seconds, Meta(description="Time a streamed answer may take; it is cut off then.")] = 3600
    max_in_flight: Annotated[Count, Meta(description="Requests worked on at a time; one more is answered 503.")] = 1000
    max_connections: Annotated[
        Count, Meta(description="Connections open at a time, idle ones included; further ones wait to be accepted.")
    ] = 10_000
    max_socket_message_bytes: Annotated[
        Count, Meta(description="Largest message of a WebSocket; a larger one closes it with 1009.")
    ] = 128 * 1024
    socket_auth_seconds: Annotated[
        Seconds, Meta(description="Time for the first message of a WebSocket without credential; it is closed then.")
    ] = 10
    socket_idle_seconds: Annotated[
        Seconds, Meta(description="Time a WebSocket may be silent; it is closed with 4408 then.")
    ] = 600
    max_sockets: Annotated[Count, Meta(description="WebSockets open at a time; one more is answered 503.")] = 2000
    sockets_per_credential: Annotated[
        Count, Meta(description="WebSockets of one credential open at a time; one more is closed with 4429.")
    ] = 500
    sockets_per_address: Annotated[
        Count, Meta(description="WebSockets of one address that have shown no credential yet; one more is 429.")
    ] = 20
    user_per_minute: Annotated[Count, Meta(description="Requests of one user in a minute; one more is 429.")] = 60
    address_per_minute: Annotated[
        Count, Meta(description="Requests without a valid credential from one address in a minute; one more is 429.")
    ] = 100
    principal_cache_entries: Annotated[
        Count, Meta(description="Credentials whose owner is remembered, for at most 30 seconds each.")
    ] = 50_000
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Meta(description="Addresses or networks of proxies whose X-Forwarded-For and -Proto count."),
    ] = ()
    allowed_origins: Annotated[
        tuple[Origin, ...],
        Meta(description="Web origins that may call the operations without a credential, such as log-in."),
    ] = ()
    open_metrics: Annotated[
        bool, Meta(description="Whether /metrics answers others than this machine; guard it by the network then.")
    ] = False
    drain_seconds: Annotated[Seconds, Meta(description="Time that requests in flight get to end at shutdown.")] = 35
