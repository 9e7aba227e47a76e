"""The client itself: one object for a platform, with one part for each resource."""

from types import TracebackType
from typing import Self

from steward.client.auth import Auth
from steward.client.desk import DeskResource, IntentsResource
from steward.client.health import Health
from steward.client.identity import AuthResource, KeysResource, SessionsResource, UsersResource
from steward.client.knowledge import KnowledgeResource
from steward.client.tenants import TenantsResource
from steward.client.trail import AuditResource
from steward.client.transport import Transport
from steward.kit.clock import SystemClock
from steward.kit.ids import Ids


class StewardClient:
    """Talks to the platform at `url`; use it as an async context manager, or call `close`.

    `locale` (`en`, `zh-Hant`, `zh-Hans`) goes with each request as the language wished for; failures are told in
    English. `timeout_s` bounds each request, and for a stream each wait for its next part.
    """

    def __init__(
        self, url: str, auth: Auth, *, locale: str = "en", timeout_s: float = 30.0, ids: Ids | None = None
    ) -> None:
        clock = SystemClock()
        self._transport = Transport(url, auth, ids or Ids(clock), locale=locale, timeout_s=timeout_s)
        self.auth = AuthResource(self._transport)
        self.users = UsersResource(self._transport)
        self.keys = KeysResource(self._transport)
        self.sessions = SessionsResource(self._transport)
        self.tenants = TenantsResource(self._transport)
        self.audit = AuditResource(self._transport)
        self.desk = DeskResource(self._transport, clock)
        self.intents = IntentsResource(self._transport)
        self.knowledge = KnowledgeResource(self._transport)

    async def health(self) -> Health:
        """The state of the platform and of each part that it needs; also when it is not well."""
        return await self._transport.get_any("/health", Health)

    async def close(self) -> None:
        """Close the connections; doing so twice is harmless."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
