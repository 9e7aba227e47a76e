"""Who calls: from a credential to the context of the call, for HTTP and gRPC alike."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from steward.gateway.errors import RateLimited, TenantSuspended, TwoCredentials
from steward.gateway.principals import TTL_S, Principals
from steward.gateway.settings import GatewaySettings
from steward.kit.cache import CachePort, View
from steward.kit.clock import Clock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import MalformedRequest, NotFound, Unauthenticated, Unavailable
from steward.kit.ids import TenantId
from steward.kit.ratelimit import Decision, RateLimiter
from steward.services.identity.api import IdentityApi, Principal
from steward.services.tenants.api import EdgePolicy, TenantsApi, TenantState

GATEWAY: Final = Actor(ActorType.SERVICE, "gateway")
EDGE_SCOPES: Final = frozenset(("service:edge",))
MINUTE_S: Final = 60.0

_MAX_CREDENTIAL: Final = 1024
_POLICY_BYTES: Final = 1024


class Identified(msgspec.Struct, frozen=True):
    """A caller who is known: the context of the call and what their tenant allows."""

    ctx: Ctx
    policy: EdgePolicy


class Authenticator:
    """Turns credentials into contexts.

    Principals and tenants' policies are remembered for at most 30 seconds and forgotten at once when the bus tells of
    a change (`gateway/consumers.py`). Refusals are not remembered; they count against the address.
    """

    def __init__(
        self,
        *,
        identity: IdentityApi,
        tenants: TenantsApi,
        cache: CachePort,
        limiter: RateLimiter,
        clock: Clock,
        settings: GatewaySettings,
    ) -> None:
        self._identity = identity
        self._tenants = tenants
        self._cache = cache
        self._limiter = limiter
        self._clock = clock
        self._settings = settings
        self._principals = Principals(cache, clock)
        self._policies: View[EdgePolicy] = View(cache, "edge-policy", ttl_s=TTL_S, size=_POLICY_BYTES)

    async def identify(
        self, credential: str, asking: Ctx, *, locale: str | None, idempotency_key: str | None
    ) -> Identified:
        """Who calls with this credential. `asking` tells of the call: request id, deadline, address, user agent.

        `locale` is what the caller asked for, None for the tenant's own. Raises `InvalidCredential`,
        `TenantSuspended`, `RateLimited` for an address with too many refusals, and what the services raise.
        """
        principal = await self._principal(credential, asking)
        policy = await self._policy(principal.tenant, asking)
        _check_state(policy)
        ctx = Ctx(
            tenant=principal.tenant,
            actor=principal.actor,
            scopes=principal.scopes,
            request_id=asking.request_id,
            deadline=asking.deadline,
            locale=locale or policy.locale,
            address=asking.address,
            user_agent=asking.user_agent,
            session_id=principal.session_id,
            key_id=principal.key_id,
            idempotency_key=idempotency_key,
            traceparent=asking.traceparent,
        )
        return Identified(ctx, policy)

    def take(self, identified: Identified) -> tuple[str, Decision]:
        """Count one request of a known caller; the name of the policy that applies, and what it says."""
        ctx = identified.ctx
        if ctx.key_id is not None:
            limit = identified.policy.requests_per_minute
            return "key", self._limiter.take(f"key:{ctx.key_id.int}", limit=limit, window_s=MINUTE_S)
        return "user", self._limiter.take(
            f"user:{ctx.actor.id}", limit=self._settings.user_per_minute, window_s=MINUTE_S
        )

    def take_address(self, address: str, *, guessed: bool = False) -> tuple[str, Decision]:
        """Count one request without a valid credential; `guessed` when it had one that is not good."""
        limit = self._settings.address_per_minute
        decision = self._limiter.take(f"address:{address}", limit=limit, window_s=MINUTE_S)
        if guessed and not decision.allowed:
            # Until there is room again, unknown credentials from there are refused without asking anybody.
            self._cache.put(None, f"barred:{address}", decision, ttl_s=decision.retry_after_s, size=len(address) + 128)
        return "address", decision

    def forget_session(self, session_id: UUID) -> None:
        self._principals.forget(session_id)

    def forget_key(self, key_id: UUID) -> None:
        self._principals.forget(key_id)

    def forget_user(self, user_id: UUID) -> None:
        self._principals.forget(str(user_id))

    def forget_policy(self, tenant: TenantId) -> None:
        """Forget the tenant's state, limits and origins. Its principals stay: no right of theirs is in there."""
        self._policies.drop(tenant, "")

    def forget_tenant(self, tenant: TenantId) -> None:
        """Forget the tenant's policy and all of its principals."""
        self._principals.forget(tenant)
        self.forget_policy(tenant)

    async def _principal(self, credential: str, asking: Ctx) -> Principal:
        # Compared by hash, so that no secret stays in memory and the time of the look-up tells nothing about it.
        digest = hashlib.sha256(credential.encode()).hexdigest()
        known = self._principals.get(digest, self._clock.now())
        if known is not None:
            return known
        barred: Decision | None = self._cache.get(None, f"barred:{asking.address}")
        if barred is not None:
            raise RateLimited("address", barred.limit, 1)
        return await self._principals.load(digest, lambda: self._identity.authenticate(asking, credential=credential))

    async def _policy(self, tenant: TenantId, asking: Ctx) -> EdgePolicy:
        known = self._policies.get(tenant, "")
        if known is not None:
            return known
        try:
            return await self._policies.get_or_load(
                tenant, "", lambda: self._tenants.get_edge_policy(asking.for_tenant(tenant), tenant_id=tenant)
            )
        except NotFound as error:
            raise Unauthenticated("the credential is of a tenant that does not exist any more") from error


def asking_ctx(request_id: str, deadline: datetime, *, address: str, user_agent: str, traceparent: str) -> Ctx:
    """The context in which the gateway itself asks who a caller is."""
    return Ctx(
        tenant=None,
        actor=GATEWAY,
        scopes=EDGE_SCOPES,
        request_id=request_id,
        deadline=deadline,
        address=address,
        user_agent=user_agent,
        traceparent=traceparent,
    )


def credential_of(authorization: bytes | None, api_key: bytes | None) -> str | None:
    """The credential of a request's `Authorization` and `X-API-Key`; None where there is none.

    Raises `TwoCredentials`, and `MalformedRequest` for a field that cannot be read.
    """
    token = _bearer(authorization) if authorization is not None else None
    if api_key is not None and token is not None and api_key != token:
        raise TwoCredentials
    given = token if token is not None else api_key
    if given is None:
        return None
    if not given or len(given) > _MAX_CREDENTIAL or not given.isascii():
        raise MalformedRequest(f"a credential has 1 to {_MAX_CREDENTIAL} ASCII characters, this one {len(given)} bytes")
    return given.decode()


def _bearer(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise MalformedRequest("Authorization has a scheme that is not read here: send `Authorization: Bearer <token>`")
    return token.strip()


def _check_state(policy: EdgePolicy) -> None:
    if policy.state is TenantState.ACTIVE:
        return
    if policy.state is TenantState.SUSPENDED:
        raise TenantSuspended
    if policy.state is TenantState.PROVISIONING:
        raise Unavailable("this tenant is still being set up: try again in 1 s", retry_after=1)
    raise Unauthenticated("the credential is of a tenant that does not exist any more")
