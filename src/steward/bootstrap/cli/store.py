"""The log-ins of this user on this machine, one for each platform: `~/.config/steward/credentials.json`, mode 0600."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from steward.bootstrap.home import write_atomically
from steward.client import SavedTokens


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in."""

    email: str
    tokens: SavedTokens


class _File(msgspec.Struct, frozen=True, kw_only=True):
    current: str | None = None
    """Where the last log-in was: what commands talk to unless told otherwise."""
    logins: dict[str, Login] = {}


class Logins:
    """The file of log-ins."""

    def __init__(self, env: Mapping[str, str]) -> None:
        base = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else Path("~/.config").expanduser()
        self._directory = base / "steward"
        self._path = self._directory / "credentials.json"

    @property
    def current(self) -> str | None:
        """The address of the last log-in."""
        return self._read().current

    def get(self, url: str) -> Login | None:
        return self._read().logins.get(url)

    def put(self, url: str, login: Login) -> None:
        file = self._read()
        self._write(_File(current=url, logins={**file.logins, url: login}))

    def remove(self, url: str) -> None:
        file = self._read()
        left = {other: login for other, login in file.logins.items() if other != url}
        self._write(_File(current=None if file.current == url else file.current, logins=left))

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        """Hold the file for this process alone."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(self) -> _File:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File()
        except msgspec.MsgspecError:
            return _File()  # Damaged or from another version: as good as none, and the next log-in writes it anew.

    def _write(self, file: _File) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._path, msgspec.json.format(msgspec.json.encode(file)) + b"\n")


class LoginStore:
    """One platform's log-in as the client's `TokenStore`."""

    def __init__(self, logins: Logins, url: str) -> None:
        self._logins = logins
        self._url = url

    def load(self) -> SavedTokens | None:
        login = self._logins.get(self._url)
        return login.tokens if login else None

    def save(self, tokens: SavedTokens) -> None:
        login = self._logins.get(self._url)
        self._logins.put(self._url, Login(email=login.email if login else "", tokens=tokens))

    def clear(self) -> None:
        self._logins.remove(self._url)

    @asynccontextmanager
    async def exclusive(self) -> AsyncGenerator[None]:
        async with self._logins.locked():
            yield
