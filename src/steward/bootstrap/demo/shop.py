"""The demo shop as a child process: found, started, kept running, ended with the platform."""

import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
from structlog.typing import FilteringBoundLogger

import steward
from steward.bootstrap.embedded.processes import send, wait_for_end
from steward.kit.clock import Clock
from steward.kit.ids import TenantId

HOST = "127.0.0.1"

_MODULE = "examples.shop"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
"""The shop is not ours: it sees none of the platform's settings and secrets."""
_POLL_S = 0.02
_STOP_S = 3.0
_STEADY_S = 10.0
_LONGEST_PAUSE_S = 30.0


def find_shop() -> Path | None:
    """The check-out that holds the demo shop, the directory to run it in; None where only the package is installed."""
    root = Path(steward.__file__).parents[2]
    return root if (root / "examples" / "shop" / "__main__.py").is_file() else None


class DemoShop:
    """One shop on one directory and port.

    The shop ends when its standard input does, whose other end this process holds: so it ends with the platform, also
    with one that is killed.
    """

    def __init__(
        self, root: Path, data: Path, port: int, credential: str, clock: Clock, log: FilteringBoundLogger
    ) -> None:
        self._root = root
        self._data = data
        self._port = port
        self._credential = credential
        self._clock = clock
        self._log = log
        self._child: subprocess.Popen[bytes] | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The number of its process; None while there is none."""
        return self._child.pid if self._child is not None else None

    def start(self, tenant: TenantId) -> None:
        """Run it from now on, again and again if need be; its customers' tokens are for this tenant."""
        if self._supervision is None:
            self._supervision = asyncio.create_task(self._supervise(tenant), name="demo-shop")

    async def stop(self) -> None:
        """End it, and start it no more."""
        if self._supervision is None:
            return
        self._supervision.cancel()
        await asyncio.wait({self._supervision})
        self._supervision = None
        if self._child is None:
            return
        _let_go(self._child)
        try:
            async with asyncio.timeout(_STOP_S):
                await wait_for_end(self._child.pid, self._clock)
        except TimeoutError:
            send(self._child.pid, signal.SIGKILL)
        await asyncio.to_thread(self._child.wait)
        self._child = None

    async def customer_key(self, patience_s: float) -> bytes | None:
        """The public key (JWK) that its customers' tokens are signed with; None if it does not answer that long."""
        ends = self._clock.monotonic() + patience_s
        async with aiohttp.ClientSession(trust_env=False) as session:
            while self._clock.monotonic() < ends:
                try:
                    async with session.get(f"{self.url}/demo/customer-key", timeout=_timeout()) as answer:
                        if answer.status == 200:  # noqa: PLR2004 that is OK
                            return await answer.content.read(4096)
                except (aiohttp.ClientError, TimeoutError):
                    await self._clock.sleep(_POLL_S)
        return None

    async def _supervise(self, tenant: TenantId) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            self._child = await asyncio.to_thread(self._spawn, tenant)
            await wait_for_end(self._child.pid, self._clock)
            code = self._child.wait()
            _let_go(self._child)
            failures = 1 if self._clock.monotonic() - began > _STEADY_S else failures + 1
            pause = min(0.1 * 2 ** (failures - 1), _LONGEST_PAUSE_S)
            self._log.error(
                "the demo shop ended by itself",
                event_type="demo.shop_ended",
                exit_code=code,
                retry_in_s=pause,
                log=str(self._data / "shop.log"),
            )
            await self._clock.sleep(pause)

    def _spawn(self, tenant: TenantId) -> "subprocess.Popen[bytes]":
        with (self._data / "shop.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 our own program and arguments
                self._command(tenant),
                cwd=self._root,
                env=_environment(os.environ),
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the platform, which then ends the shop.
            )

    def _command(self, tenant: TenantId) -> Sequence[str]:
        return (
            *(sys.executable, "-m", _MODULE),
            *("--data", str(self._data), "--port", str(self._port), "--tenant", str(tenant)),
            *("--credential-sha256", hashlib.sha256(self._credential.encode()).hexdigest()),
            "--until-stdin-ends",
        )


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a shop could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _let_go(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:
        child.stdin.close()


def _environment(ours: Mapping[str, str]) -> Mapping[str, str]:
    return {name: ours[name] for name in _INHERITED if name in ours}


def _timeout() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=2)
