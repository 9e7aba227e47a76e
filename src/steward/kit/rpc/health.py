"""The standard health service, grpc.health.v1.Health.

Written out instead of the library's servicer because that one's watches never end: a server that is watched, as ours
are by every client, could only stop by using up its whole grace.
"""

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

NAME = "grpc.health.v1.Health"
_Answer = health_pb2.HealthCheckResponse


class Health:
    """Says of each service whether it takes calls; watchers are told of changes."""

    def __init__(self) -> None:
        self._serving: dict[str, bool] = {"": True}
        self._changed = asyncio.Event()
        self._left = False

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server takes."""
        # The stubs know only the synchronous handlers.
        check: Any = self._check
        watch: Any = self._watch
        listing: Any = self._list
        messages: Any = health_pb2  # The library's types lack List.
        return grpc.method_handlers_generic_handler(
            NAME,
            {
                "Check": grpc.unary_unary_rpc_method_handler(
                    check, health_pb2.HealthCheckRequest.FromString, _Answer.SerializeToString
                ),
                "Watch": grpc.unary_stream_rpc_method_handler(
                    watch, health_pb2.HealthCheckRequest.FromString, _Answer.SerializeToString
                ),
                "List": grpc.unary_unary_rpc_method_handler(
                    listing,
                    messages.HealthListRequest.FromString,
                    messages.HealthListResponse.SerializeToString,
                ),
            },
        )

    def set(self, service: str, *, serving: bool) -> None:
        """Tell whether the service with this full gRPC name takes calls; the empty name is the whole server."""
        if not self._left:
            self._serving[service] = serving
            self._tell()

    def leave(self) -> None:
        """Tell for good that nothing here takes calls, and end every watch."""
        self._serving = dict.fromkeys(self._serving, False)
        self._left = True
        self._tell()

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()

    def _status(self, service: str) -> _Answer.ServingStatus:
        serving = self._serving.get(service)
        if serving is None:
            return _Answer.SERVICE_UNKNOWN
        return _Answer.SERVING if serving else _Answer.NOT_SERVING

    async def _check(self, request: health_pb2.HealthCheckRequest, call: grpc.aio.ServicerContext[Any, Any]) -> _Answer:
        if request.service not in self._serving:
            await call.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} is served here")
        return _Answer(status=self._status(request.service))

    async def _watch(self, request: health_pb2.HealthCheckRequest, call: grpc.aio.ServicerContext[Any, Any]) -> None:
        last: _Answer.ServingStatus | None = None
        while True:
            changed = self._changed
            status = self._status(request.service)
            if status != last:
                await call.write(_Answer(status=status))
                last = status
            if self._left:
                return
            await changed.wait()

    async def _list(self, _request: object, _call: object) -> object:
        messages: Any = health_pb2
        return messages.HealthListResponse(
            statuses={service: _Answer(status=self._status(service)) for service in self._serving}
        )
