"""The gRPC server of a process."""

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from steward.kit.rpc import health
from steward.kit.rpc.options import server_options
from steward.kit.rpc.servicer import Servicer

MAX_CONCURRENT = 1000
"""Calls and streams that are served at once; more are refused with RESOURCE_EXHAUSTED."""


class RpcServer:
    """Serves services with health and reflection. Start it once; a stopped one is not started again."""

    def __init__(
        self,
        servicers: Sequence[Servicer],
        host: str,
        port: int = 0,
        *,
        credentials: grpc.ServerCredentials | None = None,
        max_concurrent: int = MAX_CONCURRENT,
    ) -> None:
        self._servicers = servicers
        self._host = f"[{host}]" if ":" in host else host
        self._port = port
        self._credentials = credentials
        self._max_concurrent = max_concurrent
        self._health = health.Health()
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        """`host:port` to reach the server; port 0 becomes the real one at the start."""
        return f"{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises `OSError` where the address cannot be had."""
        server = grpc.aio.server(options=server_options(), maximum_concurrent_rpcs=self._max_concurrent)
        server.add_generic_rpc_handlers([self._health.handler(), *(one.handler() for one in self._servicers)])
        names = [servicer.service.full_name for servicer in self._servicers]
        library: Any = reflection  # It carries no types.
        library.enable_server_reflection((*names, health.NAME, library.SERVICE_NAME), server)
        self._port = self._bound(server)
        for name in names:
            self._health.set(name, serving=True)
        await server.start()
        self._server = server

    def set_serving(self, service: str, *, serving: bool) -> None:
        """Tell clients whether the service with this full gRPC name takes calls now."""
        self._health.set(service, serving=serving)

    async def stop(self, grace: float) -> None:
        """Tell clients to go elsewhere, refuse new calls, let running ones end for `grace` seconds, cancel the rest."""
        if self._server is None:
            return
        self._health.leave()
        await self._server.stop(grace)

    def _bound(self, server: grpc.aio.Server) -> int:
        try:
            if self._credentials is None:
                return server.add_insecure_port(self.address)
            return server.add_secure_port(self.address, self._credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self.address}: another process may use the port") from error
