"""The HTTP server around the edge: granian, embedded in this process's event loop."""

import asyncio
import resource
import socket
from typing import Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from steward.gateway.edge import Edge
from steward.gateway.settings import GatewaySettings
from steward.kit.clock import Clock
from steward.kit.errors import StartRefused
from steward.kit.telemetry import granian_logging

_BACKLOG: Final = 1024
_BUFFER_BYTES: Final = 128 * 1024
"""What the server reads ahead of a connection; the edge's own limits lie below it and answer in words."""
_RETRY_S: Final = 0.005
_FAREWELL_S: Final = 1.0
"""Time to say to callers that were given up why."""
_OTHER_FILES: Final = 512
"""Files that the rest of the process may have open: database, peers, logs."""


class PortInUse(StartRefused):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on {host}:{port} ({reason.lower()}): stop what listens there, or choose another port "
            "with STEWARD_PORT"
        )


class EdgeServer:
    """Serves one `Edge` between `start` and `stop`, which lets what is in flight end first."""

    def __init__(self, edge: Edge, settings: GatewaySettings, clock: Clock, *, host: str, port: int) -> None:
        self._edge = edge
        self._clock = clock
        self._host = host
        self._port = port
        self._serving: asyncio.Task[None] | None = None
        self._settings = settings
        self._server = Server(
            edge,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=True,
            backlog=_BACKLOG,
            backpressure=_room_for(settings.max_connections),
            http1_settings=HTTP1Settings(
                header_read_timeout=int(settings.header_seconds * 1000), max_buffer_size=_BUFFER_BYTES
            ),
            log_level=LogLevels.error,
            log_dictconfig=dict(granian_logging()),
        )

    async def start(self) -> None:
        """Start serving; done when connections are accepted. Raises `PortInUse`."""
        check_free(self._host, self._port)
        self._serving = asyncio.create_task(self._server.serve(), name="http")
        trying = asyncio.create_task(self._until_accepting())
        try:
            await asyncio.wait((self._serving, trying), return_when=asyncio.FIRST_COMPLETED)
        finally:
            trying.cancel()
        if self._serving.done():
            await self._serving

    async def stop(self) -> None:
        """Refuse new requests, wait for those in flight as long as the settings allow, then close the port."""
        self._edge.drain()
        if not await self._idle_within(self._settings.drain_seconds):
            self._edge.abandon()
            await self._idle_within(_FAREWELL_S)
        self._server.stop()
        if self._serving is not None:
            await self._serving

    async def _idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._edge.idle()
        except TimeoutError:
            return False
        return True

    async def _until_accepting(self) -> None:
        # granian says nothing when it listens, so this knocks.
        while True:
            try:
                _, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await self._clock.sleep(_RETRY_S)
            else:
                writer.close()
                return


def _room_for(connections: int) -> int:
    """How many connections the server may hold: as many as asked for, where the system lets it have the files.

    The server counts connections and not requests, idle ones included, and accepts no more beyond it. So the figure
    lies far above the number of requests worked on: else a thousand silent callers would keep out all others.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - _OTHER_FILES)


def check_free(host: str, port: int) -> None:
    """Refuse a port in use; the server itself would share it (SO_REUSEPORT), and two platforms answer by turns."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(host, port, error.strerror or str(error)) from error
