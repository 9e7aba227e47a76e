"""A log-in that renews itself, held by several at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from steward.bootstrap.cli.store import Login, Logins, LoginStore
from steward.client import SavedTokens, SessionAuth
from steward.kit.clock import SystemClock
from steward.services.identity.api import SessionId, Tokens

URL = "http://platform"


def store(directory: Path) -> LoginStore:
    """Another holder of the same log-in, as another process is one."""
    return LoginStore(Logins({"XDG_CONFIG_HOME": str(directory)}), URL)


async def test_holders_that_renew_at_once_use_the_refresh_token_only_once(tmp_path: Path) -> None:
    ended = datetime.now(UTC) - timedelta(seconds=1)
    tokens = SavedTokens(access_token="old", refresh_token="refresh-1", expires_at=ended)
    Logins({"XDG_CONFIG_HOME": str(tmp_path)}).put(URL, Login(email="a@example.com", tokens=tokens))
    used: list[str] = []

    async def refresh(refresh_token: str) -> Tokens:
        used.append(refresh_token)
        await asyncio.sleep(0)
        return Tokens(
            access_token="new",
            token_type="Bearer",
            expires_in=900,
            refresh_token="refresh-2",
            session_id=SessionId(UUID(int=1)),
        )

    holders = [SessionAuth(store(tmp_path), refresh, SystemClock()) for _ in range(4)]
    headers = await asyncio.gather(*(holder.headers() for holder in holders))
    assert headers == [{"Authorization": "Bearer new"}] * 4
    assert used == ["refresh-1"]
    login = Logins({"XDG_CONFIG_HOME": str(tmp_path)}).get(URL)
    assert login is not None
    assert login.email == "a@example.com"
