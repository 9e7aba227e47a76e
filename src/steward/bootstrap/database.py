"""The database of a process: the embedded one or the one of DATABASE_URL, migrated."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from steward.bootstrap.embedded import EmbeddedError, EmbeddedPostgres
from steward.bootstrap.home import Home, HomeLock
from steward.bootstrap.platform_settings import PlatformSettings
from steward.kit.clock import Clock
from steward.kit.db.schema import migrate_in_subprocess, migrations_digest, schema_is_current
from steward.kit.settings import Problem, SettingsError

TAKE_OVER_SECONDS = 0.5


class DatabaseServer(Protocol):
    """Where the database comes from."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    @property
    def app_url(self) -> str: ...

    @property
    def admin_url(self) -> str: ...


class ExternalPostgres:
    """A PostgreSQL that somebody else runs."""

    def __init__(self, app_url: str, admin_url: str) -> None:
        self.app_url = app_url
        self.admin_url = admin_url

    async def start(self) -> None:
        """It runs already."""

    async def stop(self) -> None:
        """It goes on."""


class SharedPostgres:
    """The embedded server of a home that several `serve` processes share.

    One of them runs and watches it; when that one ends, another takes over the running server. The last one to leave
    shuts it down.
    """

    def __init__(self, home: Home, lock: HomeLock, clock: Clock, log: FilteringBoundLogger) -> None:
        self._home = home
        self._lock = lock
        self._clock = clock
        self._log = log
        self._server = EmbeddedPostgres(home, clock, log)
        self._watch: asyncio.Task[None] | None = None
        self._owned: int | None = None

    @property
    def app_url(self) -> str:
        return self._server.app_url

    @property
    def admin_url(self) -> str:
        return self._server.admin_url

    async def start(self) -> None:
        while not await self._try_own():
            if await self._server.reachable():
                break
            await self._clock.sleep(TAKE_OVER_SECONDS)
        else:
            return
        self._watch = asyncio.create_task(self._take_over(), name="postgres-take-over")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        # One at a time leaves, so that exactly one finds itself the last.
        leaving = await asyncio.to_thread(_flock, self._home.path / ".leaving.lock", fcntl.LOCK_EX)
        try:
            self._lock.withdraw()
            await self._leave_or_stop()
        finally:
            os.close(leaving)

    async def _leave_or_stop(self) -> None:
        if self._home.all_running():
            await self._server.leave()
        elif self._owned is not None or await self._try_own():
            await self._server.stop()
        self._disown()

    async def _take_over(self) -> None:
        while True:
            try:
                if await self._try_own():
                    return
            except EmbeddedError as error:
                self._log.error("PostgreSQL not taken over", event_type="postgres.take_over_failed", exc_info=error)
            await self._clock.sleep(TAKE_OVER_SECONDS)

    async def _try_own(self) -> bool:
        try:
            self._owned = _flock(self._home.path / ".postgres.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            await self._server.start()
        except BaseException:
            # Or nobody could run the server as long as this process lives.
            self._disown()
            raise
        return True

    def _disown(self) -> None:
        if self._owned is not None:
            os.close(self._owned)
            self._owned = None


def _flock(path: Path, how: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def external_postgres(settings: PlatformSettings) -> ExternalPostgres | None:
    """The server of DATABASE_URL, where there is one. Raises `SettingsError` for one address without the other."""
    if settings.database_url is None:
        return None
    if settings.database_admin_url is None:
        raise SettingsError(
            [
                Problem(
                    "DATABASE_ADMIN_URL",
                    "DATABASE_ADMIN_URL is missing: beside DATABASE_URL, migrations need the address of the owner",
                )
            ]
        )
    return ExternalPostgres(settings.database_url, settings.database_admin_url)


def database_server(
    settings: PlatformSettings, home: Home, lock: HomeLock, clock: Clock, log: FilteringBoundLogger, *, shared: bool
) -> DatabaseServer:
    """The server that the settings ask for. Raises `SettingsError` for one address without the other."""
    external = external_postgres(settings)
    if external is not None:
        return external
    if shared:
        return SharedPostgres(home, lock, clock, log)
    return EmbeddedPostgres(home, clock, log)


async def bring_up_to_date(server: DatabaseServer, locations: Sequence[Path], log: FilteringBoundLogger) -> bool:
    """Migrate unless the schema is that of these migrations already; whether there was something to do."""
    digest = await asyncio.to_thread(migrations_digest, locations)
    if await schema_is_current(server.app_url, digest):
        return False
    log.info("migrating the database", event_type="db.migrating")
    await migrate_in_subprocess(server.admin_url, locations)
    return True
