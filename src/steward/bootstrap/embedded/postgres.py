"""The supervisor of the embedded PostgreSQL: started, kept running, stopped."""

import asyncio
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg
from structlog.typing import FilteringBoundLogger

from steward.bootstrap.embedded.account import EmbeddedError, find_account, open_binaries, open_way
from steward.bootstrap.embedded.cluster import APP_ROLE, SUPERUSER, Cluster, find_binaries
from steward.bootstrap.embedded.processes import (
    PostmasterFile,
    end_orphans,
    is_postmaster,
    read_postmaster_file,
    send,
    wait_for_end,
)
from steward.bootstrap.home import Home
from steward.kit.clock import Clock

DATABASE = "steward"

_READY_POLL_S = 0.02
_STILL_STARTING_S = 10.0
_FAST_STOP_S = 30.0
_IMMEDIATE_STOP_S = 5.0
_FIRST_ATTEMPTS = 3
_LONGEST_PAUSE_S = 5.0

_LOGIN_ROLE = f"CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
_NEW_DATABASE = (
    f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' "
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
)


class EmbeddedPostgres:
    """One server for one home. Whoever makes it must hold the home's exclusive lock."""

    def __init__(self, home: Home, clock: Clock, log: FilteringBoundLogger) -> None:
        self._home = home
        self._clock = clock
        self._log = log
        self._cluster: Cluster | None = None
        self._pid: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._supervision: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make the cluster at the first start, run the server, make database and login role; then watch over it.

        A server that a killed platform left running is taken over. Raises `EmbeddedError` when it cannot be started.
        """
        began = self._clock.monotonic()
        self._cluster = await asyncio.to_thread(self._prepare)
        try:
            await self._launch_patiently(self._cluster, attempts=_FIRST_ATTEMPTS)
            await self._make_database()
        except BaseException:
            await self.stop()
            raise
        self._supervision = asyncio.create_task(self._supervise(self._cluster), name="embedded-postgres")
        self._log.info(
            "PostgreSQL is ready", event_type="postgres.ready", pid=self._pid, duration_ms=self._since(began)
        )

    async def stop(self) -> None:
        """Stop watching and shut the server down; committed work is safe at every step of it."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait({self._supervision})
            self._supervision = None
        self._ready = False
        for number, patience in (
            (signal.SIGINT, _FAST_STOP_S),
            (signal.SIGQUIT, _IMMEDIATE_STOP_S),
            (signal.SIGKILL, _IMMEDIATE_STOP_S),
        ):
            if self._pid is None or not self._lives(self._prepared(), self._pid):
                break
            if await self._ended(self._pid, number, patience):
                break
            self._log.warning(
                "PostgreSQL is slow to stop",
                event_type="postgres.stop_slow",
                pid=self._pid,
                signal=number.name,
                waited_s=patience,
            )
        self._pid = None

    async def leave(self) -> None:
        """Stop watching and let the server go on, for another process of this home that takes over."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait({self._supervision})
            self._supervision = None
        self._ready = False

    async def reachable(self) -> bool:
        """Whether the server that another process of this home runs takes connections of the login role."""
        self._cluster = await asyncio.to_thread(lambda: Cluster(self._home.postgres, find_account(), find_binaries()))
        try:
            connection = await asyncpg.connect(self.app_url, timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    @property
    def admin_url(self) -> str:
        """The database as its owner, the superuser: for migrations and backups."""
        return self._url(SUPERUSER, DATABASE)

    @property
    def app_url(self) -> str:
        """The database as the login role `steward_app`, which owns nothing."""
        return self._url(APP_ROLE, DATABASE)

    @property
    def pid(self) -> int | None:
        """The number of the server's process; None while there is none."""
        return self._pid

    def is_running(self) -> bool:
        """Whether the server takes connections, as far as the supervisor knows."""
        return self._ready

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self._prepared().socket_directory))}"

    def _prepared(self) -> Cluster:
        if self._cluster is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return self._cluster

    def _prepare(self) -> Cluster:
        account = find_account()
        binaries = find_binaries()
        cluster = Cluster(self._home.postgres, account, binaries)
        opened = [*open_way(self._home.postgres, account), *open_way(binaries, account)]
        if opened:
            reason = f"the user {account.name}, as which PostgreSQL runs, must pass through"
            self._log.warning(
                "directories opened for PostgreSQL",
                event_type="postgres.directories_opened",
                directories=[str(path) for path in opened],
                reason=reason,
            )
        open_binaries(binaries, account)
        cluster.prepare()
        return cluster

    async def _launch_patiently(self, cluster: Cluster, attempts: int | None) -> None:
        """Launch until it works, pausing longer each time; give up after `attempts`, if there is such a number."""
        failed = 0
        while True:
            try:
                await self._launch(cluster)
            except (EmbeddedError, OSError) as error:
                failed += 1
                if failed == attempts:
                    raise EmbeddedError(f"the embedded PostgreSQL does not start: {error}") from error
                pause = min(0.1 * 2**failed, _LONGEST_PAUSE_S)
                self._log.error(
                    "PostgreSQL does not start",
                    event_type="postgres.start_failed",
                    reason=str(error),
                    attempt=failed,
                    retry_in_s=pause,
                )
                await self._clock.sleep(pause)
            else:
                return

    async def _launch(self, cluster: Cluster) -> None:
        """Take over the server that runs, or start one, and wait until it takes connections."""
        left = await asyncio.to_thread(_leftover, cluster)
        if left is not None and (left.data, left.socket_directory) != (cluster.data, str(cluster.socket_directory)):
            self._log.info(
                "a PostgreSQL with its socket elsewhere is replaced", event_type="postgres.replaced", pid=left.pid
            )
            await self._ended(left.pid, signal.SIGINT, _FAST_STOP_S)
            left = None
        if left is not None:
            self._log.info("PostgreSQL of an earlier start taken over", event_type="postgres.adopted", pid=left.pid)
            self._pid, self._child = left.pid, None
            send(left.pid, signal.SIGHUP)  # It reads the configuration that was written a moment ago.
        else:
            orphans = await end_orphans(cluster.name, cluster.account, self._clock)
            if orphans:
                self._log.warning(
                    "processes of a dead PostgreSQL ended", event_type="postgres.orphans_ended", count=orphans
                )
            self._child = await asyncio.to_thread(_spawn, cluster)
            self._pid = self._child.pid
        await self._wait_until_ready(cluster, self._pid)
        self._ready = True

    async def _wait_until_ready(self, cluster: Cluster, pid: int) -> None:
        """Wait as long as the process lives: recovery after a crash takes the time that it takes."""
        began = said = self._clock.monotonic()
        while True:
            found = read_postmaster_file(cluster.data)
            if found is not None and found.pid == pid and found.ready:
                return
            if not self._lives(cluster, pid):
                self._pid = None
                words = await asyncio.to_thread(_last_words, cluster)
                raise EmbeddedError(f"PostgreSQL ended while it started: {words}")
            if self._clock.monotonic() - said > _STILL_STARTING_S:
                said = self._clock.monotonic()
                self._log.info(
                    "PostgreSQL is still starting",
                    event_type="postgres.still_starting",
                    pid=pid,
                    duration_ms=self._since(began),
                )
            await self._clock.sleep(_READY_POLL_S)

    def _lives(self, cluster: Cluster, pid: int) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return is_postmaster(pid, cluster.data, cluster.account)

    async def _supervise(self, cluster: Cluster) -> None:
        """Start the server again whenever it ends, for as long as the platform lives."""
        while True:
            if self._pid is not None:
                await wait_for_end(self._pid, self._clock)
            began = self._clock.monotonic()
            code = self._child.wait() if self._child is not None else None
            self._log.error("PostgreSQL ended by itself", event_type="postgres.died", pid=self._pid, exit_code=code)
            self._ready, self._pid, self._child = False, None, None
            await self._launch_patiently(cluster, attempts=None)
            self._log.warning(
                "PostgreSQL is back", event_type="postgres.restarted", pid=self._pid, duration_ms=self._since(began)
            )

    async def _ended(self, pid: int, number: signal.Signals, patience: float) -> bool:
        """Send a signal and wait for the end of the process, at most so many seconds."""
        send(pid, number)
        try:
            async with asyncio.timeout(patience):
                await wait_for_end(pid, self._clock)
        except TimeoutError:
            return False
        if self._child is not None and self._child.pid == pid:
            self._child.wait()
        return True

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self._url(SUPERUSER, "postgres"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APP_ROLE):
                await connection.execute(_LOGIN_ROLE)
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(_NEW_DATABASE)
        finally:
            await connection.close()

    def _since(self, began: float) -> int:
        return round((self._clock.monotonic() - began) * 1000)


def _leftover(cluster: Cluster) -> PostmasterFile | None:
    """The server that runs on this data directory already; the lock files that a dead one left are removed.

    PostgreSQL itself takes any process with the number in such a file for a running server, even a dead one that
    nobody has reaped. It still refuses to start beside a live one, whose shared memory it finds.
    """
    found = read_postmaster_file(cluster.data)
    if found is not None and is_postmaster(found.pid, found.data, cluster.account):
        return found
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    for name in (cluster.socket_name, f"{cluster.socket_name}.lock"):
        (cluster.socket_directory / name).unlink(missing_ok=True)
    return None


def _spawn(cluster: Cluster) -> "subprocess.Popen[bytes]":
    """Start the server in a session of its own, so that Ctrl-C at the terminal does not reach it before us."""
    startup: Path = cluster.log / "startup.log"
    with startup.open("wb") as out:
        startup.chmod(0o600)
        return subprocess.Popen(  # noqa: S603  # Our own binary, no shell.
            cluster.command(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cluster.data,
            env=cluster.environment(),
            umask=0o077,
            start_new_session=True,
            **cluster.account.run_as,
        )


def _last_words(cluster: Cluster) -> str:
    """The end of what the server said, from its start-up log and from its newest log file."""
    files = sorted(cluster.log.glob("*.log"), key=lambda file: file.stat().st_mtime)[-2:]
    text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    return " | ".join(text.strip().splitlines()[-6:])
