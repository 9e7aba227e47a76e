"""How a client authenticates: by API key, by a log-in that renews itself, or not at all."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from steward.client.errors import ApiError, NotLoggedIn
from steward.kit.clock import Clock
from steward.services.identity.api import Tokens

_UNAUTHENTICATED = 401
_EARLY = timedelta(seconds=30)
"""A token this close to its end is renewed before it is used."""


class Auth(Protocol):
    """Gives the headers of each request, and gets one chance after a 401."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to send. Raises `NotLoggedIn`."""
        ...

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """After a 401 to a request with these headers: whether to try again with new ones."""
        ...


class NoAuth:
    """For the operations that are open to all."""

    async def headers(self) -> Mapping[str, str]:
        return {}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        del refused
        return False


class ApiKeyAuth:
    """Authenticates by an API key."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def headers(self) -> Mapping[str, str]:
        return {"X-API-Key": self._key}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        del refused
        return False


class SavedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in as it is kept."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    """End of the access token."""

    @classmethod
    def of(cls, tokens: Tokens, now: datetime) -> "SavedTokens":
        """Tokens that were given out just now."""
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=now + timedelta(seconds=tokens.expires_in),
        )


class TokenStore(Protocol):
    """Where a log-in is kept between requests, and between processes."""

    def load(self) -> SavedTokens | None: ...

    def save(self, tokens: SavedTokens) -> None: ...

    def clear(self) -> None: ...

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Keeps every other holder of the same log-in from renewing it meanwhile."""
        ...


class SessionAuth:
    """Authenticates by a log-in, renewing the access token when it ends.

    A refresh token is good once, and a second use ends the session. So it is used under the store's lock, and a process
    that finds the tokens changed takes those instead.
    """

    def __init__(self, store: TokenStore, refresh: Callable[[str], Awaitable[Tokens]], clock: Clock) -> None:
        self._store = store
        self._refresh = refresh
        self._clock = clock

    async def headers(self) -> Mapping[str, str]:
        tokens = self._stored()
        if tokens.expires_at - self._clock.now() < _EARLY:
            await self._renew(tokens.access_token)
            tokens = self._stored()
        return _bearer(tokens.access_token)

    async def renew(self, refused: Mapping[str, str]) -> bool:
        await self._renew(refused["Authorization"].removeprefix("Bearer "))
        return True

    async def _renew(self, stale: str) -> None:
        async with self._store.exclusive():
            tokens = self._stored()
            if tokens.access_token != stale:
                return
            try:
                new = await self._refresh(tokens.refresh_token)
            except ApiError as error:
                if error.status != _UNAUTHENTICATED:
                    raise
                self._store.clear()
                raise NotLoggedIn from error
            self._store.save(SavedTokens.of(new, self._clock.now()))

    def _stored(self) -> SavedTokens:
        tokens = self._store.load()
        if tokens is None:
            raise NotLoggedIn
        return tokens


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
