"""The instances of a service that this process calls: found through a port, watched, chosen by a balancer."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import grpc

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.errors import AppError, Unavailable
from steward.kit.rpc.balance import Balancer
from steward.kit.rpc.options import channel_options
from steward.kit.rpc.service import RpcService

CONNECT_TIMEOUT_S = 2.0
"""How long a call waits for an instance to be connected before it tries another."""
REFRESH_S = 5.0
"""How old the list of addresses may be when a call is made."""
NONE_REFRESH_S = 0.1
"""The same while none of them can take calls."""
DRAIN_S = 30.0
"""How long calls may go on to an instance that is no longer listed."""

_READY = grpc.ChannelConnectivity.READY
_DOWN = grpc.ChannelConnectivity.TRANSIENT_FAILURE
_CLOSED = grpc.ChannelConnectivity.SHUTDOWN


class Addresses(Protocol):
    """Finds where a service runs: a static list, DNS, Consul."""

    async def addresses(self, service: str) -> Sequence[str]:
        """`host:port` of each instance of the service, healthy or not."""
        ...


class Instance:
    """One instance and the channel to it. Ready means connected and, by its own word, serving."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self.address = address
        self.outstanding = 0
        self.ready = False
        self.down = False
        self._channel = channel
        self._settled = asyncio.Event()
        self._unary: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._stream: dict[str, grpc.aio.UnaryStreamMultiCallable[bytes, bytes]] = {}
        self._watching = asyncio.create_task(self._watch(), name=f"watch {address}")

    def unary(self, path: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        """What calls this method with bytes for bytes."""
        if path not in self._unary:
            self._unary[path] = self._channel.unary_unary(path)
        return self._unary[path]

    def stream(self, path: str) -> grpc.aio.UnaryStreamMultiCallable[bytes, bytes]:
        """What calls this method with bytes for a stream of bytes."""
        if path not in self._stream:
            self._stream[path] = self._channel.unary_stream(path)
        return self._stream[path]

    async def settle(self, seconds: float) -> bool:
        """Wait until it is known whether the instance can take calls; False where it cannot, or not in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        except TimeoutError:
            return False
        return self.ready

    async def close(self, grace: float | None) -> None:
        """Close the channel, after `grace` seconds even where calls go on."""
        self.down, self.ready = True, False
        await self._channel.close(grace)
        # The core ends a watch only when nothing holds the channel, and a failure's traceback may hold it for long.
        self._watching.cancel()
        await asyncio.wait([self._watching])

    async def _watch(self) -> None:
        state = self._channel.get_state(try_to_connect=True)
        while state is not _CLOSED:
            self._note(state)
            await self._channel.wait_for_state_change(state)
            state = self._channel.get_state(try_to_connect=True)

    def _note(self, state: grpc.ChannelConnectivity) -> None:
        """An instance that was down stays so while the core tries again; one that was ready is in doubt."""
        was_ready, self.ready = self.ready, state is _READY
        self.down = state is _DOWN or (self.down and not self.ready)
        if self.ready or self.down:
            self._settled.set()
        elif was_ready:
            self._settled.clear()


class InstancePool:
    """Channels to every instance of one service, opened at the first call."""

    def __init__(
        self,
        service: RpcService,
        addresses: Addresses,
        balancer: Balancer,
        clock: Clock,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self._service = service
        self._addresses = addresses
        self._balancer = balancer
        self._clock = clock
        self._credentials = credentials
        self._instances: dict[str, Instance] = {}
        self._listed_at: float | None = None
        self._listing = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def instance(self, ctx: Ctx) -> AsyncGenerator[Instance, None]:
        """An instance for one call, counted as busy with it; `Unavailable` where none can take it."""
        chosen = await self._chosen(ctx)
        chosen.outstanding += 1
        try:
            yield chosen
        finally:
            chosen.outstanding -= 1

    async def ready(self) -> Sequence[str]:
        """Addresses of the instances that can take calls, once each has been tried; for start-up and health checks."""
        instances = await self._listed()
        await asyncio.gather(*(instance.settle(CONNECT_TIMEOUT_S) for instance in instances))
        return [instance.address for instance in instances if instance.ready]

    async def close(self, grace: float | None = None) -> None:
        """Close every channel; calls that go on get `grace` seconds to end."""
        for instance in self._instances.values():
            self._leave(instance, grace)
        self._instances.clear()
        await asyncio.gather(*self._leaving)

    async def _chosen(self, ctx: Ctx) -> Instance:
        """Ready ones first; one that is being connected is waited for, and skipped where it refuses.

        Nothing has been sent to an instance that is skipped, so trying another is always right.
        """
        candidates = await self._candidates(ctx)
        while candidates:
            ready = [instance for instance in candidates if instance.ready]
            chosen = self._balancer.pick(ready or candidates, ctx)
            if chosen.ready or await chosen.settle(self._patience(ctx)):
                return chosen
            candidates = [instance for instance in candidates if instance is not chosen and not instance.down]
        known = ", ".join(self._instances) or "no address is known"
        raise Unavailable(
            f"no instance of {self._service.name} can take calls now ({known})",
            service=self._service.name,
            retry_after=1,
        )

    async def _candidates(self, ctx: Ctx) -> Sequence[Instance]:
        """Instances that may take a call; where there are none, one that is just starting is waited for."""
        until = self._clock.monotonic() + self._patience(ctx)
        while True:
            candidates = [instance for instance in await self._listed() if not instance.down]
            if candidates or self._clock.monotonic() >= until:
                return candidates
            await self._clock.sleep(NONE_REFRESH_S)

    def _patience(self, ctx: Ctx) -> float:
        return min(CONNECT_TIMEOUT_S, max(0.0, (ctx.deadline - self._clock.now()).total_seconds()))

    async def _listed(self) -> Sequence[Instance]:
        if self._outdated():
            async with self._listing:
                if self._outdated():
                    await self._list()
        return list(self._instances.values())

    def _outdated(self) -> bool:
        if self._listed_at is None:
            return True
        usable = any(not instance.down for instance in self._instances.values())
        return self._clock.monotonic() - self._listed_at >= (REFRESH_S if usable else NONE_REFRESH_S)

    async def _list(self) -> None:
        try:
            addresses = await self._addresses.addresses(self._service.name)
        except AppError:
            if not self._instances:
                raise
            addresses = list(self._instances)  # What was known last is better than nothing.
        for address in self._instances.keys() - set(addresses):
            self._leave(self._instances.pop(address), DRAIN_S)
        for address in addresses:
            if address not in self._instances:
                self._instances[address] = Instance(address, self._channel(address))
        self._listed_at = self._clock.monotonic()

    def _channel(self, address: str) -> grpc.aio.Channel:
        options = channel_options(self._service.full_name)
        if self._credentials is None:
            return grpc.aio.insecure_channel(address, options)
        return grpc.aio.secure_channel(address, self._credentials, options)

    def _leave(self, instance: Instance, grace: float | None) -> None:
        task = asyncio.create_task(instance.close(grace), name=f"leave {instance.address}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
