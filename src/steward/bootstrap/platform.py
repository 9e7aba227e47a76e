"""One process of the platform, from its start to its end: `steward up` and `steward serve`."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from steward.bootstrap.background import Background, resume_everything
from steward.bootstrap.callers import Callers
from steward.bootstrap.database import DatabaseServer, bring_up_to_date, database_server
from steward.bootstrap.demo.desk import DemoDesk
from steward.bootstrap.edge import keep_true, make_authenticator, make_edge
from steward.bootstrap.foundation import Foundation, open_foundation
from steward.bootstrap.home import Credentials, Home, HomeLock, Running
from steward.bootstrap.modules import GATEWAY, MODULES, migration_locations, service_names
from steward.bootstrap.ops import Ops, add_checks
from steward.bootstrap.seed import Seed
from steward.bootstrap.services import Services, assemble, rpc_server
from steward.bootstrap.settings import Settings
from steward.bootstrap.shredding import shredding
from steward.bootstrap.version import version
from steward.gateway.authn import Authenticator
from steward.gateway.demo import Demo, DemoSite
from steward.gateway.server import EdgeServer, check_free
from steward.kit.clock import Clock, SystemClock
from steward.kit.errors import StartRefused
from steward.kit.health import Health
from steward.kit.ids import Ids
from steward.kit.telemetry import Telemetry

RPC_GRACE_SECONDS = 10.0
PEERS_SECONDS = 15.0
GC_THRESHOLD = 20_000
"""Containers made before the youngest are looked through; a request makes some hundreds."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What a start ends with."""

    url: str | None
    """Where HTTP is answered, if it is."""
    rpc_address: str | None
    credentials: Credentials | None
    """The demo log-in, where there is a demo tenant."""
    without_demo: bool = False
    """`steward up` was to make no demo tenant."""


class Process:
    """One process: which services it runs, and whether it answers HTTP."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], names: Sequence[str], *, alone: bool
    ) -> None:
        """`alone` is `steward up`: all services, the home to itself, and where it is wanted a demo tenant."""
        self._settings = settings
        self._environment = environment
        self._names = names
        self._alone = alone
        self._clock: Clock = SystemClock()
        self._home = Home(settings.platform.home)
        self._site = DemoSite()
        self.started = False
        self._telemetry = Telemetry(settings.telemetry, self._clock, Ids(self._clock), version=version())

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Started]:
        """The process, serving; it drains and stops at the end, in the reverse order of its start."""
        self._telemetry.take_over_stdlib_logs()
        self._home.create()
        async with AsyncExitStack() as stack:
            stack.callback(self._telemetry.shutdown)
            lock = self._home.lock(exclusive=self._alone)
            stack.callback(lock.release)
            # Said before anything is shared, so that no other process of the home takes itself for the last one.
            self._announce(lock, "starting")
            self._check_port()
            demo = await self._demo(stack)
            server = await self._database(stack, lock)
            environment = self._environment if demo is None else demo.environment(self._environment)
            foundation = await self._foundation(stack, server, environment)
            services = assemble(foundation, MODULES, [name for name in self._names if name != GATEWAY])
            health = Health(version(), self._clock, self._telemetry.log)
            started = await self._serve(stack, foundation, services, health, lock, demo)
            health.started()
            self.started = True
            self._telemetry.log.info("platform ready", event_type="platform.ready", services=list(self._names))
            yield started
            self._telemetry.log.info("platform draining", event_type="platform.draining")
            health.drain()

    def _check_port(self) -> None:
        """Raise `PortInUse` now and not after a database was made; the server looks again when it starts."""
        platform = self._settings.platform
        if GATEWAY in self._names and platform.port:
            check_free("127.0.0.1" if self._alone else platform.host, platform.port)

    async def _demo(self, stack: AsyncExitStack) -> DemoDesk | None:
        """The demo of `steward up`, where it is wanted; first of all, so that its shop starts beside the rest."""
        platform = self._settings.platform
        if not (self._alone and platform.makes_demo):
            return None
        demo = await DemoDesk.open(self._home, platform.shop_port, self._clock, Ids(self._clock), self._telemetry.log)
        stack.push_async_callback(demo.stop)
        return demo

    async def _database(self, stack: AsyncExitStack, lock: HomeLock) -> DatabaseServer:
        server = database_server(
            self._settings.platform, self._home, lock, self._clock, self._telemetry.log, shared=not self._alone
        )
        await server.start()
        stack.push_async_callback(server.stop)
        await bring_up_to_date(server, migration_locations(), self._telemetry.log)
        return server

    async def _foundation(
        self, stack: AsyncExitStack, server: DatabaseServer, environment: Mapping[str, str]
    ) -> Foundation:
        platform = self._settings.platform
        foundation = await open_foundation(
            server.app_url,
            home=self._home.path,
            environment=environment,
            peers=platform.peer_addresses(),
            pool_size=platform.db_pool_size,
            failpoint=platform.failpoint,
            telemetry=self._telemetry,
            clock=self._clock,
        )
        stack.push_async_callback(foundation.close)
        return foundation

    async def _serve(
        self,
        stack: AsyncExitStack,
        foundation: Foundation,
        services: Services,
        health: Health,
        lock: HomeLock,
        demo: DemoDesk | None,
    ) -> Started:
        authenticator = make_authenticator(foundation, services, self._settings.gateway)
        keep_true(foundation, authenticator)
        foundation.bus.subscribe(shredding(foundation.keyring))
        for built in services.local.values():
            for subscription in built.subscriptions:
                foundation.bus.subscribe(subscription)
        await services.start()
        stack.push_async_callback(services.stop)
        if self._alone:
            # Before the first request: every intent that is there now was left behind, and none is at work.
            await resume_everything(services)
        rpc_address = await self._serve_rpc(stack, foundation, services, authenticator)
        await self._await_peers(services)
        # Before the edge remembers anything and until it has drained, so that no change of rights passes unheard.
        await foundation.bus.start()
        stack.push_async_callback(foundation.bus.stop)
        add_checks(health, foundation, services)
        url = await self._serve_http(stack, foundation, services, authenticator, health)
        await self._start_background(stack, foundation, services)
        credentials = None
        if demo is not None and url:
            credentials = await Seed(foundation, services.apis, self._home, url).run()
            credentials = await demo.furnish(foundation, services.apis, credentials)
            self._show(credentials)
        self._announce(lock, url or f"grpc://{rpc_address}")
        return Started(
            url=url,
            rpc_address=rpc_address,
            credentials=credentials,
            without_demo=self._alone and demo is None,
        )

    def _show(self, credentials: Credentials) -> None:
        """Serve the demo page, now that it has what it needs."""
        if credentials.publishable_key and credentials.shop_url:
            self._site.show(Demo(publishable_key=credentials.publishable_key, shop_url=credentials.shop_url))

    async def _serve_rpc(
        self, stack: AsyncExitStack, foundation: Foundation, services: Services, authenticator: Authenticator
    ) -> str | None:
        platform = self._settings.platform
        address = ""
        if services.local and not (self._alone and platform.rpc_port == 0):
            host = "127.0.0.1" if self._alone else platform.rpc_host
            server = rpc_server(foundation, services, Callers(authenticator), host, platform.rpc_port)
            try:
                await server.start()
            except OSError as error:
                raise StartRefused(f"cannot answer gRPC: {error}; set STEWARD_RPC_PORT to a free port") from error
            stack.push_async_callback(server.stop, RPC_GRACE_SECONDS)
            address = platform.rpc_advertise or server.address
        await foundation.registry.announce(foundation.process_id, list(services.local), address, foundation.public_key)
        stack.push_async_callback(foundation.registry.withdraw)
        return address or None

    async def _await_peers(self, services: Services) -> None:
        """Wait for the services that run elsewhere: processes of a fleet are started in any order."""
        deadline = self._clock.monotonic() + PEERS_SECONDS
        for name, pool in services.pools.items():
            while not await pool.ready():
                if self._clock.monotonic() > deadline:
                    self._telemetry.log.warning("a service is not there yet", event_type="peer.missing", peer=name)
                    return
                await self._clock.sleep(0.1)

    async def _serve_http(
        self,
        stack: AsyncExitStack,
        foundation: Foundation,
        services: Services,
        authenticator: Authenticator,
        health: Health,
    ) -> str | None:
        if GATEWAY not in self._names:
            return None
        platform = self._settings.platform
        host = "127.0.0.1" if self._alone else platform.host
        ops = Ops(health, self._telemetry.metrics, foundation.database)
        edge = make_edge(foundation, services, authenticator, ops, self._settings.gateway, version(), self._site)
        port = platform.port or free_port(host)
        server = EdgeServer(edge, self._settings.gateway, self._clock, host=host, port=port)
        await server.start()
        stack.push_async_callback(server.stop)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _start_background(self, stack: AsyncExitStack, foundation: Foundation, services: Services) -> None:
        background = Background(foundation, services)
        await background.start()
        stack.push_async_callback(background.stop)

    def _announce(self, lock: HomeLock, url: str) -> None:
        lock.announce(
            Running(
                pid=os.getpid(),
                url=url,
                started_at=self._clock.now().isoformat(),
                command="up" if self._alone else "serve",
            )
        )


def free_port(host: str) -> int:
    """A port that nothing listens on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as probe:
        return probe.getsockname()[1]


async def run_up(settings: Settings, environment: Mapping[str, str], ready: Callable[[Started], None]) -> None:
    """Serve everything until SIGINT or SIGTERM, then drain. `ready` is called once all is up."""
    await _run(Process(settings, environment, (*service_names(), GATEWAY), alone=True), ready)


async def run_serve(
    settings: Settings, environment: Mapping[str, str], names: Sequence[str], ready: Callable[[Started], None]
) -> None:
    """Serve the named services (and HTTP where `gateway` is among them) until SIGINT or SIGTERM, then drain."""
    await _run(Process(settings, environment, names, alone=False), ready)


async def _run(process: Process, ready: Callable[[Started], None]) -> None:
    stop = asyncio.Event()
    serving = asyncio.create_task(_serve_until(process, ready, stop), name="platform")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _interrupt, stop, process, serving)
    await asyncio.wait({serving})
    if not serving.cancelled():
        await serving


def _interrupt(stop: asyncio.Event, process: Process, serving: asyncio.Task[None]) -> None:
    """Drain; while it is still starting there is nothing to drain, so give up the start."""
    if process.started:
        stop.set()
    else:
        serving.cancel()


def _settle_memory() -> None:
    """Keep the garbage collector from walking again and again through what lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


async def _serve_until(process: Process, ready: Callable[[Started], None], stop: asyncio.Event) -> None:
    async with process.running() as started:
        _settle_memory()
        ready(started)
        await stop.wait()
