"""What the edge asks of the caller behind a WebSocket, at the handshake and again for every message."""

from datetime import timedelta

from steward.gateway.authn import Authenticator, Identified, asking_ctx
from steward.gateway.cors import check_origin, foreign_origin
from steward.gateway.errors import CredentialMissing, Defect, RateLimited
from steward.gateway.exchange import Exchange
from steward.gateway.observe import EdgeObserver
from steward.gateway.problems import failure_of
from steward.gateway.settings import GatewaySettings
from steward.kit.clock import Clock
from steward.kit.errors import AppError, MalformedRequest, Unauthenticated
from steward.kit.ids import Ids
from steward.kit.locale import preferred
from steward.kit.ratelimit import Decision


class Checks:
    """Finds out who calls, counts it and holds pages to their tenant's origins."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        observer: EdgeObserver,
        clock: Clock,
        ids: Ids,
        settings: GatewaySettings,
    ) -> None:
        self.settings = settings
        self.observer = observer
        self.clock = clock
        self.ids = ids
        self._authenticator = authenticator
        self._patience = timedelta(seconds=settings.request_seconds)

    async def identify(self, exchange: Exchange, credential: str | None) -> Identified:
        """Who calls; a refusal counts against the address."""
        language = exchange.read.get(b"accept-language")
        try:
            if credential is None:
                raise CredentialMissing
            asking = asking_ctx(
                exchange.request_id,
                self.clock.now() + self._patience,
                address=exchange.address,
                user_agent=exchange.user_agent,
                traceparent=exchange.traceparent,
            )
            identified = await self._authenticator.identify(
                credential,
                asking,
                locale=preferred(language.decode("latin-1")) if language else None,
                idempotency_key=None,
            )
        except (Unauthenticated, MalformedRequest) as error:
            self.observer.refused(error)
            self.count_address(exchange, guessed=credential is not None)
            raise
        exchange.ctx = identified.ctx
        self.observer.identified(identified.ctx)
        return identified

    def check_origin(self, exchange: Exchange, identified: Identified) -> None:
        if origin := foreign_origin(exchange):
            check_origin(origin, identified.policy.allowed_origins)

    def count(self, identified: Identified) -> None:
        self._held(*self._authenticator.take(identified))

    def count_address(self, exchange: Exchange, *, guessed: bool = False) -> None:
        self._held(*self._authenticator.take_address(exchange.address, guessed=guessed))

    def _held(self, policy: str, decision: Decision) -> None:
        if not decision.allowed:
            self.observer.limited(policy)
            raise RateLimited(policy, decision.limit, max(1, -int(-decision.retry_after_s // 1)))

    def failure(self, exchange: Exchange, error: Exception) -> AppError:
        """What a caller is told of an exception, and the log of a defect."""
        failure = failure_of(error, exchange)
        if failure is None:
            exchange.error = error
            exchange.error_id = str(self.ids.new())
            failure = Defect(exchange.error_id)
        exchange.status = failure.status
        return failure
