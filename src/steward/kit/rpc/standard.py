"""The standard services beside our own: health (grpc.health.v1) and reflection (grpc.reflection.v1alpha).

The libraries carry no types; everything that touches them is here.
"""

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection


class Health:
    """Says of each service whether it takes calls; watchers are told of changes."""

    def __init__(self) -> None:
        library: Any = health
        self._servicer: Any = library.aio.HealthServicer()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve it."""
        generated: Any = health_pb2_grpc
        generated.add_HealthServicer_to_server(self._servicer, server)

    async def set(self, service: str, *, serving: bool) -> None:
        """Tell whether the service with this full gRPC name takes calls; the empty name is the whole server."""
        statuses = health_pb2.HealthCheckResponse
        await self._servicer.set(service, statuses.SERVING if serving else statuses.NOT_SERVING)

    async def leave(self) -> None:
        """Tell for good that nothing here takes calls."""
        await self._servicer.enter_graceful_shutdown()


def add_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Let clients without our code find the services, their messages and the standard ones."""
    names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
