"""The services of one process: those it runs, built here; the others, reached over gRPC."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import msgspec

from steward.bootstrap.callers import Callers
from steward.bootstrap.foundation import Foundation
from steward.bootstrap.observers import RpcTelemetry
from steward.kit.db import forbid_open_tx
from steward.kit.module import Apis, Built, Module
from steward.kit.rpc.balance import RoundRobin
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.entry import Entry
from steward.kit.rpc.instances import InstancePool
from steward.kit.rpc.server import RpcServer
from steward.kit.rpc.servicer import Servicer


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Every contract answered, and what runs here."""

    apis: Apis
    local: Mapping[str, Built]
    modules: Mapping[str, Module]
    pools: Mapping[str, InstancePool]
    """Connections to the services that run elsewhere."""

    async def start(self) -> None:
        for built in self.local.values():
            if built.start is not None:
                await built.start()

    async def stop(self) -> None:
        """Stop what runs here, the last built first, and close the connections to the others, whatever fails."""
        async with AsyncExitStack() as stack:
            for pool in self.pools.values():
                stack.push_async_callback(pool.close)
            for built in self.local.values():
                if built.stop is not None:
                    stack.push_async_callback(built.stop)


def assemble(foundation: Foundation, modules: Sequence[Module], here: Sequence[str]) -> Services:
    """Build the services named in `here` and make clients of the others."""
    apis = Apis()
    local: dict[str, Built] = {}
    pools: dict[str, InstancePool] = {}
    sources = tuple(module.name for module in modules)
    for module in modules:
        if module.name in here:
            built = module.build(foundation.parts(module, apis, sources))
            local[module.name] = built
            if built.listener is not None:
                foundation.database.on_event(built.listener)
            apis.put(module.contract, built.api)
        else:
            pool = InstancePool(module.rpc, foundation.registry, RoundRobin(), foundation.clock)
            pools[module.name] = pool
            apis.put(module.contract, module.client(_client(foundation, module, pool)))
    return Services(apis=apis, local=local, modules={module.name: module for module in modules}, pools=pools)


def rpc_server(foundation: Foundation, services: Services, callers: Callers, host: str, port: int) -> RpcServer:
    """The gRPC server for the services that run here."""
    entry = Entry(foundation.clock, foundation.ids, foundation.verifier, callers)
    observer = RpcTelemetry(foundation.telemetry, foundation.clock)
    servicers = [
        Servicer(
            services.modules[name].rpc,
            built.api,
            entry=entry,
            clock=foundation.clock,
            ids=foundation.ids,
            log=foundation.telemetry.log,
            observer=observer,
        )
        for name, built in services.local.items()
    ]
    return RpcServer(servicers, host, port)


def _client(foundation: Foundation, module: Module, pool: InstancePool) -> RpcClient:
    return RpcClient(
        module.rpc,
        pool,
        foundation.signer,
        foundation.clock,
        observer=RpcTelemetry(foundation.telemetry, foundation.clock),
        guard=forbid_open_tx,
    )
