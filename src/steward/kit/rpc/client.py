"""Calls another process: what the typed clients in each service's `rpc.py` stand on."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import DeadlineExceeded, InvalidInput, MalformedRequest, TooLarge
from steward.kit.rpc.caller import CONTEXT_KEY, CallerSigner
from steward.kit.rpc.failures import BadAnswer, from_status
from steward.kit.rpc.instances import Instance, InstancePool
from steward.kit.rpc.observe import NoObserver, RpcObserver, Side, no_guard
from steward.kit.rpc.options import MAX_REQUEST_BYTES
from steward.kit.rpc.service import Operation, RpcService


class RpcClient:
    """Calls the operations of one service; failures are raised as the classes that the service raised.

    `guard` is asked before each call and raises where none may be made, as with an open transaction.
    """

    def __init__(
        self,
        service: RpcService,
        pool: InstancePool,
        signer: CallerSigner,
        clock: Clock,
        *,
        observer: RpcObserver | None = None,
        guard: Callable[[], None] = no_guard,
    ) -> None:
        self._service = service
        self._pool = pool
        self._signer = signer
        self._clock = clock
        self._observer = observer or NoObserver()
        self._guard = guard

    async def call(self, ctx: Ctx, rpc: str, **arguments: Any) -> Any:
        """One request, one answer. `Unavailable` names the peer, `DeadlineExceeded` is for the context's deadline."""
        self._guard()
        operation = self._service.operations[rpc]
        with self._observer.rpc_span(self._service.full_name, rpc, ctx, Side.CLIENT) as traced:
            data = self._request(operation, arguments)
            self._left(ctx)
            async with self._pool.instance(ctx) as instance:
                start = instance.unary(operation.path)
                try:
                    answer = await start(data, timeout=self._left(ctx), metadata=self._metadata(traced))
                except grpc.aio.AioRpcError as error:
                    raise from_status(error, self._peer(instance)) from error
            return self._answer(operation, answer)

    async def stream(self, ctx: Ctx, rpc: str, **arguments: Any) -> AsyncIterator[Any]:
        """One request, a stream of answers. Leaving the stream early cancels the work at the other end."""
        self._guard()
        operation = self._service.operations[rpc]
        with self._observer.rpc_span(self._service.full_name, rpc, ctx, Side.CLIENT) as traced:
            data = self._request(operation, arguments)
            self._left(ctx)
            async with self._pool.instance(ctx) as instance:
                start = instance.stream(operation.path)
                call = start(data, timeout=self._left(ctx), metadata=self._metadata(traced))
                try:
                    async for answer in call:
                        yield self._answer(operation, answer)
                except grpc.aio.AioRpcError as error:
                    raise from_status(error, self._peer(instance)) from error
                finally:
                    call.cancel()

    def _request(self, operation: Operation, arguments: dict[str, Any]) -> bytes:
        request = operation.request(**arguments)
        try:
            data = operation.requests.encode(request)
        except ValueError as error:
            raise InvalidInput(f"{operation.rpc}: {error}") from error
        if len(data) > MAX_REQUEST_BYTES:
            raise TooLarge(
                f"the request to {operation.rpc} has {len(data)} bytes, at most {MAX_REQUEST_BYTES} are allowed",
                limit=MAX_REQUEST_BYTES,
            )
        return data

    def _answer(self, operation: Operation, data: bytes) -> Any:
        try:
            return operation.answers.decode(data)
        except (InvalidInput, MalformedRequest) as error:
            raise BadAnswer(f"the answer of {self._service.name} to {operation.rpc} cannot be read: {error}") from error

    def _left(self, ctx: Ctx) -> float:
        """Seconds until the caller stops waiting, more than none."""
        left = (ctx.deadline - self._clock.now()).total_seconds()
        if left <= 0:
            raise DeadlineExceeded(f"no time is left to ask {self._service.name}")
        return left

    def _metadata(self, ctx: Ctx) -> tuple[tuple[str, str], ...]:
        return ((CONTEXT_KEY, self._signer.sign(ctx, self._service.full_name)),)

    def _peer(self, instance: Instance) -> str:
        return f"{self._service.name} at {instance.address}"
