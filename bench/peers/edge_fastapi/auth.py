"""Who calls: API keys, found by hash and remembered for 30 seconds, and what they may do."""

import hashlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader
from sqlalchemy import select

from edge_fastapi.database import Database
from edge_fastapi.limits import RateLimiter
from edge_fastapi.models import ApiKey, Tenant
from edge_fastapi.problems import Problem

_header = APIKeyHeader(name="X-API-Key", auto_error=False)


@dataclass(frozen=True, slots=True)
class Principal:
    tenant: UUID
    key_id: UUID
    scopes: frozenset[str]
    requests_per_minute: int
    expires_at: datetime | None


class Keys:
    """API keys of the form `<tenant, 32 hex digits>_<secret>`."""

    def __init__(self, database: Database, ttl_s: float) -> None:
        self._database = database
        self._ttl_s = ttl_s
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, key: str) -> Principal | None:
        digest = hashlib.sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known is not None and known[0] > time.monotonic():
            principal = known[1]
        else:
            principal = await self._load(key, digest)
            if principal is None:
                return None
            self._known[digest] = (time.monotonic() + self._ttl_s, principal)
        if principal.expires_at is not None and principal.expires_at <= datetime.now(UTC):
            return None
        return principal

    async def _load(self, key: str, digest: bytes) -> Principal | None:
        try:
            tenant = UUID(hex=key.partition("_")[0])
        except ValueError:
            return None
        async with self._database.transaction(tenant) as session:
            found = (
                await session.execute(
                    select(ApiKey)
                    .join(Tenant, Tenant.id == ApiKey.tenant_id)
                    .where(ApiKey.tenant_id == tenant, ApiKey.secret_hash == digest, Tenant.state == "active")
                )
            ).scalar_one_or_none()
        if found is None:
            return None
        return Principal(tenant, found.id, frozenset(found.scopes), found.requests_per_minute, found.expires_at)


async def current_principal(request: Request, key: Annotated[str | None, Security(_header)]) -> Principal:
    """The caller, whose request is counted."""
    keys: Keys = request.app.state.keys
    principal = await keys.principal(key) if key else None
    if principal is None:
        raise Problem(401, "unauthenticated", "send a valid API key as `X-API-Key`")
    limiter: RateLimiter = request.app.state.limiter
    decision = limiter.take(str(principal.key_id), principal.requests_per_minute)
    request.state.principal = principal
    request.state.decision = decision
    if not decision.allowed:
        raise Problem(429, "rate_limited", f"at most {decision.limit} requests a minute: try again later")
    return principal


def require(permission: str) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency that wants a caller with a permission."""

    async def check(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
        if permission not in principal.scopes:
            raise Problem(403, "permission_denied", f"this needs the permission {permission!r}")
        return principal

    return check
