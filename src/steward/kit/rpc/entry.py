"""Builds the context of an incoming call: from the token of another process, or from an outside caller's credential."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote

import grpc
import msgspec

from steward.kit.call_fields import idempotency_key_of, request_id_of, traceparent_of
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import MalformedRequest, Unauthenticated
from steward.kit.ids import Ids
from steward.kit.locale import negotiated
from steward.kit.rpc.caller import CONTEXT_KEY, CallerVerifier

DEFAULT_SECONDS = 30.0
"""How long an outside call may take where the caller names no deadline."""
LONGEST_SECONDS = 3600.0
"""How long an outside call may take at most, streams included."""
MAX_USER_AGENT = 256

_KEYS = frozenset(
    {
        CONTEXT_KEY,
        "authorization",
        "x-api-key",
        "idempotency-key",
        "accept-language",
        "user-agent",
        "x-request-id",
        "traceparent",
    }
)

Context = grpc.aio.ServicerContext[bytes, bytes]


class CredentialResolver(Protocol):
    """Finds out who an outside caller is."""

    async def resolve(
        self,
        credential: str | None,
        *,
        address: str,
        user_agent: str,
        request_id: str,
        locale: str,
        idempotency_key: str | None,
        deadline: datetime,
    ) -> Ctx:
        """The context of a call with this access token or API key; None is an anonymous caller.

        Raises `Unauthenticated` for a credential that is not good, and what limits the caller.
        """
        ...


class Entry:
    """The one way into the services of this process over gRPC."""

    def __init__(self, clock: Clock, ids: Ids, verifier: CallerVerifier, resolver: CredentialResolver) -> None:
        self._clock = clock
        self._ids = ids
        self._verifier = verifier
        self._resolver = resolver

    async def enter(self, service: str, call: Context) -> Ctx:
        """The context of a call to this service; a token that is not good is never taken for an anonymous call."""
        metadata = _metadata(call)
        token = metadata.get(CONTEXT_KEY)
        if token is not None:
            return await self._verifier.verify(token, service)
        request_id = self._request_id(metadata)
        call.set_trailing_metadata((("x-request-id", request_id),))
        ctx = await self._resolver.resolve(
            _credential(metadata),
            address=address_of(call.peer()),
            user_agent=metadata.get("user-agent", "")[:MAX_USER_AGENT],
            request_id=request_id,
            locale=negotiated(metadata.get("accept-language", "")),
            idempotency_key=_idempotency_key(metadata),
            deadline=self._deadline(call),
        )
        traceparent = traceparent_of(metadata.get("traceparent", ""))
        return msgspec.structs.replace(ctx, traceparent=traceparent) if traceparent else ctx

    def _request_id(self, metadata: Mapping[str, str]) -> str:
        return request_id_of(metadata.get("x-request-id", "")) or str(self._ids.new())

    def _deadline(self, call: Context) -> datetime:
        # The stubs say float, but without a deadline the library gives None.
        remaining: Any = call.time_remaining()
        seconds = DEFAULT_SECONDS if remaining is None else min(max(remaining, 0.0), LONGEST_SECONDS)
        return self._clock.now() + timedelta(seconds=seconds)


def address_of(peer: str) -> str:
    """The IP address in a peer's name, `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`; empty for other transports."""
    scheme, _, rest = peer.partition(":")
    if scheme not in {"ipv4", "ipv6"}:
        return ""
    return unquote(rest).rpartition(":")[0].strip("[]")


def _metadata(call: Context) -> Mapping[str, str]:
    """The entries that mean something here; one that is given twice is refused, for it is unclear which counts."""
    found: dict[str, str] = {}
    pairs: Any = call.invocation_metadata() or ()
    for key, value in pairs:
        if key in _KEYS:
            if key in found:
                raise MalformedRequest(f"metadata {key!r} is given twice: give it once", field=key)
            found[key] = value
    return found


def _credential(metadata: Mapping[str, str]) -> str | None:
    authorization, key = metadata.get("authorization"), metadata.get("x-api-key")
    if authorization is not None and key is not None:
        raise MalformedRequest("give one credential, `authorization` or `x-api-key`, not both", field="authorization")
    if authorization is None:
        return key
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated("`authorization` must be `Bearer` and an access token or API key")
    return credential.strip()


def _idempotency_key(metadata: Mapping[str, str]) -> str | None:
    key = metadata.get("idempotency-key")
    return None if key is None else idempotency_key_of(key)
