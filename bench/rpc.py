"""CPU of one unary gRPC call, client and server together, over loopback in one process.

Beside the whole call stand the parts: a bare grpc.aio call with the same bytes, and the signed caller context.
Run with `src` and the repository's root on PYTHONPATH. The last line is JSON; `*_us` are microseconds of CPU a call,
the median of alternating rounds.
"""

import json
import statistics
import time
from collections.abc import Awaitable, Callable

import grpc
import uvloop

from steward.kit.ids import TenantId
from steward.services.tenants.rpc import TENANTS
from tests.support.rpc import IDS, World, ctx, running, tenant

CALLS = 1000
ROUNDS = 7


async def bare_server() -> tuple[grpc.aio.Server, str]:
    """A server that answers every call with the same bytes."""
    answer = TENANTS.operations["GetTenant"].answers.encode(tenant())

    async def handle(_request: bytes, _call: object) -> bytes:
        return answer

    server = grpc.aio.server()
    handlers = {"Get": grpc.unary_unary_rpc_method_handler(handle)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bare", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"127.0.0.1:{port}"


async def cpu_us(call: Callable[[], Awaitable[object]]) -> float:
    """Microseconds of CPU of this process for one call."""
    started = time.process_time()
    for _ in range(CALLS):
        await call()
    return (time.process_time() - started) / CALLS * 1e6


async def token(world: World) -> None:
    """Sign a context and verify it, as each call does."""
    await world.door._verifier.verify(world.signer.sign(ctx(), "a"), "a")  # noqa: SLF001 a part of the call is measured alone


async def main() -> None:
    """Measure and print."""
    server, address = await bare_server()
    asked = TenantId(IDS.new())
    async with running() as world, world.tenants_client() as client, grpc.aio.insecure_channel(address) as channel:
        request = TENANTS.operations["GetTenant"].requests.encode(
            TENANTS.operations["GetTenant"].request(tenant_id=asked)
        )
        bare = channel.unary_unary("/bare/Get")
        subjects: dict[str, Callable[[], Awaitable[object]]] = {
            "call": lambda: client.get_tenant(ctx(), tenant_id=asked),
            "bare_call": lambda: bare(request),
            "token": lambda: token(world),
            "in_process": lambda: world.tenants.get_tenant(ctx(), tenant_id=asked),
        }
        figures: dict[str, list[float]] = {name: [] for name in subjects}
        for _ in range(ROUNDS):
            for name, subject in subjects.items():
                figures[name].append(await cpu_us(subject))
            world.tenants.calls.clear()
    await server.stop(0)
    print(json.dumps({f"{name}_us": round(statistics.median(values), 1) for name, values in figures.items()}))


if __name__ == "__main__":
    uvloop.run(main())
