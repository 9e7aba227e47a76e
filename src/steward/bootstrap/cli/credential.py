"""Which credential a command sends: the log-in that is kept here, or the key of the platform on this machine."""

from collections.abc import Callable, Mapping

from steward.bootstrap.cli.options import Lang
from steward.bootstrap.cli.store import Logins, LoginStore
from steward.client import ApiKeyAuth, NoAuth, NotLoggedIn, SessionAuth, StewardClient
from steward.kit.clock import Clock
from steward.services.identity.api import Tokens


def kept_login(logins: Logins, url: str, clock: Clock, lang: Lang) -> SessionAuth:
    """Authenticates by the log-in to `url` that is kept here, and by nothing else."""

    async def refresh(refresh_token: str) -> Tokens:
        async with StewardClient(url, NoAuth(), locale=lang) as client:
            return await client.auth.refresh(refresh_token)

    return SessionAuth(LoginStore(logins, url), refresh, clock)


class LoginOrLocalKey:
    """The log-in; where there is none (any more), the API key of the platform that runs on this machine.

    `fallen_back` is called once, and only when the key is about to be sent: a command that sends nothing, such as
    `login`, has nothing to say about it.
    """

    def __init__(self, login: SessionAuth, key: ApiKeyAuth, fallen_back: Callable[[], None]) -> None:
        self._login = login
        self._key = key
        self._fallen_back = fallen_back
        self._by_key = False

    async def headers(self) -> Mapping[str, str]:
        if not self._by_key:
            try:
                return await self._login.headers()
            except NotLoggedIn:
                self._fall_back()
        return await self._key.headers()

    async def renew(self, refused: Mapping[str, str]) -> bool:
        if self._by_key:
            return False
        try:
            return await self._login.renew(refused)
        except NotLoggedIn:
            # A log-in of a platform that was made anew, or one that nobody used for long: the next try is by the key.
            self._fall_back()
            return True

    def _fall_back(self) -> None:
        self._by_key = True
        self._fallen_back()
