"""The HTTP server around the edge: granian, embedded in this process's event loop."""

import asyncio
from typing import Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from steward.gateway.edge import Edge
from steward.gateway.settings import GatewaySettings
from steward.kit.telemetry import granian_logging

_BACKLOG: Final = 1024
_BUFFER_BYTES: Final = 128 * 1024
"""What the server reads ahead of a connection; the edge's own limits lie below it and answer in words."""
_HEADROOM: Final = 100
"""Connections beyond the edge's limit that the server still takes, so that the edge can tell them to come back."""


class EdgeServer:
    """Serves one `Edge`: `run` until `stop`, which lets what is in flight end first."""

    def __init__(self, edge: Edge, settings: GatewaySettings, *, host: str, port: int) -> None:
        self._edge = edge
        self._settings = settings
        self._server = Server(
            edge,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=settings.max_in_flight + _HEADROOM,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(settings.header_seconds * 1000), max_buffer_size=_BUFFER_BYTES
            ),
            log_dictconfig=dict(granian_logging()),
        )

    async def run(self) -> None:
        """Serve until `stop` is called; the port is bound when control first returns to the loop."""
        await self._server.serve()

    async def stop(self) -> None:
        """Refuse new requests, wait for those in flight as long as the settings allow, then close the port."""
        self._edge.drain()
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._edge.idle()
        except TimeoutError:
            self._edge.abandon()
        self._server.stop()
