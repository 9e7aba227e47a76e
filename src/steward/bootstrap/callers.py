"""Who calls over gRPC from outside the fleet: the same credentials and limits as over HTTP."""

from datetime import datetime

from steward.gateway.authn import Authenticator, asking_ctx
from steward.gateway.errors import RateLimited
from steward.kit.context import ANONYMOUS, Ctx
from steward.kit.errors import Unauthenticated
from steward.kit.ratelimit import Decision


class Callers:
    """The `CredentialResolver` of the gRPC servers."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def resolve(
        self,
        credential: str | None,
        *,
        address: str,
        user_agent: str,
        request_id: str,
        locale: str | None,
        idempotency_key: str | None,
        deadline: datetime,
    ) -> Ctx:
        """The context of a call; without a credential an anonymous one. Raises `RateLimited`, `Unauthenticated`."""
        if credential is None:
            self._refuse_over(*self._authenticator.take_address(address))
            return Ctx(
                tenant=None,
                actor=ANONYMOUS,
                scopes=frozenset(),
                request_id=request_id,
                deadline=deadline,
                locale=locale or "en",
                address=address,
                user_agent=user_agent,
                idempotency_key=idempotency_key,
            )
        asking = asking_ctx(request_id, deadline, address=address, user_agent=user_agent, traceparent="")
        try:
            identified = await self._authenticator.identify(
                credential, asking, locale=locale, idempotency_key=idempotency_key
            )
        except Unauthenticated:
            self._refuse_over(*self._authenticator.take_address(address, guessed=True))
            raise
        self._refuse_over(*self._authenticator.take(identified))
        return identified.ctx

    def _refuse_over(self, policy: str, decision: Decision) -> None:
        if not decision.allowed:
            raise RateLimited(policy, decision.limit, max(1, round(decision.retry_after_s)))
