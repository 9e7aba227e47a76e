"""Serves an implementation of a Protocol: one generic handler for each operation of its description."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Never

import grpc
import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, DeadlineExceeded, InvalidInput, TooLarge
from steward.kit.ids import Ids
from steward.kit.rpc.entry import Context, Entry
from steward.kit.rpc.failures import FAILURE_KEY, details_of, packed, status_of
from steward.kit.rpc.observe import ErrorLog, NoObserver, RpcObserver, Side
from steward.kit.rpc.options import MAX_ANSWER_BYTES
from steward.kit.rpc.service import Operation, RpcService

_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_LARGE: Final = 1 << 20
"""Reading a request larger than this takes milliseconds, and so is done in a thread."""

Work = Callable[[Ctx, Mapping[str, Any]], Awaitable[bytes]]


class Servicer:
    """The operations of one service in this process.

    A failure crosses with its class; anything else is logged with an `error_id` that the caller is given. The work
    is cancelled when the caller cancels, goes away or has waited until the deadline.
    """

    def __init__(
        self,
        service: RpcService,
        implementation: object,
        *,
        entry: Entry,
        clock: Clock,
        ids: Ids,
        log: ErrorLog,
        observer: RpcObserver | None = None,
    ) -> None:
        self.service = service
        self._implementation = implementation
        self._entry = entry
        self._clock = clock
        self._ids = ids
        self._log = log
        self._observer = observer or NoObserver()

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server takes."""
        handlers = {
            rpc: self._streaming(operation) if operation.streams else self._unary(operation)
            for rpc, operation in self.service.operations.items()
        }
        return grpc.method_handlers_generic_handler(self.service.full_name, handlers)

    def _unary(self, operation: Operation) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = getattr(self._implementation, operation.method)

        async def handle(data: bytes, call: Context) -> bytes:
            async def work(ctx: Ctx, arguments: Mapping[str, Any]) -> bytes:
                return _encoded(operation, await method(ctx, **arguments))

            return await self._serve(operation, data, call, work)

        # The stubs know only the synchronous handlers.
        behavior: Any = handle
        return grpc.unary_unary_rpc_method_handler(behavior)

    def _streaming(self, operation: Operation) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = getattr(self._implementation, operation.method)

        async def handle(data: bytes, call: Context) -> None:
            async def work(ctx: Ctx, arguments: Mapping[str, Any]) -> bytes:
                async with _closing(method(ctx, **arguments)) as items:
                    async for item in items:
                        # Waits until the transport takes the item: a slow reader slows the work down.
                        await call.write(_encoded(operation, item))
                return b""

            await self._serve(operation, data, call, work)

        behavior: Any = handle
        return grpc.unary_stream_rpc_method_handler(behavior)

    async def _serve(self, operation: Operation, data: bytes, call: Context, work: Work) -> bytes:
        try:
            entered = await self._entry.enter(self.service.full_name, call)
            with self._observer.rpc_span(self.service.full_name, operation.rpc, entered, Side.SERVER) as ctx:
                async with self._in_time(ctx):
                    large = len(data) > _LARGE
                    request = await asyncio.to_thread(_read, operation, data) if large else _read(operation, data)
                    return await work(ctx, msgspec.structs.asdict(request))
        except AppError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever it was is logged and told by its id
            failure = self._unexpected(operation, error)
        return await _refuse(call, failure)

    @asynccontextmanager
    async def _in_time(self, ctx: Ctx) -> AsyncGenerator[None, None]:
        left = (ctx.deadline - self._clock.now()).total_seconds()
        limit = asyncio.timeout(max(left, 0.0))
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceeded(f"{self.service.name} could not finish before the deadline") from error

    def _unexpected(self, operation: Operation, error: Exception) -> AppError:
        error_id = str(self._ids.new())
        self._log.error(
            "rpc_failed", service=self.service.full_name, method=operation.rpc, error_id=error_id, exc_info=error
        )
        return AppError(f"something went wrong here; the log has it as {error_id}", error_id=error_id)


async def _refuse(call: Context, failure: AppError) -> Never:
    trailing: Any = call.trailing_metadata() or ()
    await call.abort(status_of(failure), details_of(failure), (*trailing, (FAILURE_KEY, packed(failure))))


def _read(operation: Operation, data: bytes) -> msgspec.Struct:
    request = operation.requests.decode(data)
    _refuse_nul(data, request)
    return request


def _refuse_nul(data: bytes, request: msgspec.Struct) -> None:
    """Refuse text with a NUL, as over HTTP: PostgreSQL cannot hold it, so no field means anything with it."""
    # Few messages have such a byte at all; only those are searched.
    if b"\0" in data and _ESCAPED_NUL.search(msgspec.json.encode(request)):
        raise InvalidInput("the request contains a NUL character: leave it out")


@asynccontextmanager
async def _closing(items: AsyncIterator[Any]) -> AsyncGenerator[AsyncIterator[Any], None]:
    """Ends an unfinished generator at once and in this task, so that what it holds is let go."""
    try:
        yield items
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


def _encoded(operation: Operation, answer: Any) -> bytes:
    data = operation.answers.encode(answer)
    if len(data) > MAX_ANSWER_BYTES:
        raise TooLarge(
            f"the answer of {operation.rpc} has {len(data)} bytes, at most {MAX_ANSWER_BYTES} can be sent: "
            "ask for fewer items",
            limit=MAX_ANSWER_BYTES,
        )
    return data
