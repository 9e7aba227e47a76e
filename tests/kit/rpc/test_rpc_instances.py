"""Many instances: balancing, health, refusal, coming and going; and how a server ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import msgspec
import pytest

from steward.kit.errors import NotFound, Unavailable
from steward.kit.ids import TenantId
from steward.kit.rpc.balance import ConsistentHash, LeastOutstanding, RoundRobin, by_session
from steward.kit.rpc.instances import Instance, InstancePool
from steward.kit.rpc.server import RpcServer
from steward.services.tenants.rpc import TENANTS, TenantsClient
from tests.support.rpc import CLOCK, IDS, Tenants, Where, World, ctx

ID = TenantId(IDS.new())


class Fleet:
    """Three instances that answer with their own names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tenants = [Tenants(name) for name in "abc"]
        self.servers: list[RpcServer] = [world.another(one) for one in self.tenants]

    @property
    def where(self) -> Where:
        return Where(*(server.address for server in self.servers))

    async def stop(self) -> None:
        await asyncio.gather(*(server.stop(0) for server in self.servers))


@pytest.fixture
async def fleet(world: World) -> AsyncGenerator[Fleet, None]:
    started = Fleet(world)
    for server in started.servers:
        await server.start()
    yield started
    await started.stop()


async def until(pool: InstancePool, address: str, *, ready: bool) -> Instance:
    """Wait until the pool sees this instance as it is."""
    async with asyncio.timeout(5):
        while True:
            instance = pool._instances[address]
            if instance.ready is ready:
                return instance
            await asyncio.sleep(0)


async def test_round_robin_gives_each_the_same(fleet: Fleet) -> None:
    async with fleet.world.client(where=fleet.where) as (rpc, pool):
        assert len(await pool.ready()) == 3
        client = TenantsClient(rpc)
        names = [(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(9)]
    assert Counter(names) == {"a": 3, "b": 3, "c": 3}


async def test_least_outstanding_avoids_the_busy(fleet: Fleet) -> None:
    fleet.tenants[1].hangs = True
    async with fleet.world.client(where=fleet.where, balancer=LeastOutstanding()) as (rpc, pool):
        await pool.ready()
        client = TenantsClient(rpc)
        calls = [asyncio.create_task(client.get_tenant(ctx(), tenant_id=ID)) for _ in range(3)]
        await fleet.tenants[1].entered.wait()
        names = {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)}
        assert names == {"a", "c"}
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert [instance.outstanding for instance in pool._instances.values()] == [0, 0, 0]


async def test_consistent_hash_keeps_a_tenant_in_one_place(fleet: Fleet) -> None:
    async with fleet.world.client(where=fleet.where, balancer=ConsistentHash()) as (rpc, pool):
        await pool.ready()
        client = TenantsClient(rpc)
        for _ in range(5):
            caller = ctx()
            assert len({(await client.get_tenant(caller, tenant_id=ID)).name for _ in range(4)}) == 1


class At:
    """A backend without a network."""

    def __init__(self, address: str, outstanding: int = 0) -> None:
        self.address = address
        self.outstanding = outstanding


def test_consistent_hash_moves_only_the_share_of_the_one_that_left() -> None:
    backends = [At(f"h{number}:1") for number in range(5)]
    callers = [ctx() for _ in range(1000)]
    before = [ConsistentHash().pick(backends, caller).address for caller in callers]
    after = [ConsistentHash().pick(backends[:-1], caller).address for caller in callers]
    moved = [one for one, other in zip(before, after, strict=True) if one != other]
    assert set(moved) == {"h4:1"}
    assert max(Counter(before).values()) < 300


def test_consistent_hash_by_session_follows_the_session() -> None:
    backends = [At(f"h{number}:1") for number in range(50)]
    caller = ctx(session_id=IDS.new())
    moved = msgspec.structs.replace(caller, tenant=TenantId(IDS.new()))
    hashed = ConsistentHash(by_session)
    assert hashed.pick(backends, caller) is hashed.pick(backends, moved)


def test_balancers_take_equals_in_turn() -> None:
    backends = [At("a"), At("b", 3), At("c")]
    least, turns = LeastOutstanding(), RoundRobin()
    assert [least.pick(backends, ctx()).address for _ in range(4)] == ["a", "c", "c", "a"]
    assert [turns.pick(backends, ctx()).address for _ in range(4)] == ["a", "b", "c", "a"]


async def test_instance_that_refuses_is_skipped(fleet: Fleet) -> None:
    where = fleet.where
    await fleet.servers[0].stop(0)
    async with fleet.world.tenants_client(where=where) as client:
        names = {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)}
    assert names == {"b", "c"}


async def test_instance_that_never_answers_holds_up_no_call(world: World) -> None:
    held: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1")
    host, port = silent.sockets[0].getsockname()
    async with world.client(where=Where(f"{host}:{port}", world.server.address)) as (rpc, pool):
        await pool._listed()
        await until(pool, world.server.address, ready=True)
        started = CLOCK.monotonic()
        for _ in range(6):
            await TenantsClient(rpc).get_tenant(ctx(), tenant_id=ID)
        assert CLOCK.monotonic() - started < 0.7  # Waiting for the silent one would take a second.
    for writer in held:
        writer.close()
    silent.close()
    await silent.wait_closed()


async def test_instance_that_is_not_serving_is_skipped_until_it_is(fleet: Fleet) -> None:
    address = fleet.servers[0].address
    async with fleet.world.client(where=fleet.where) as (rpc, pool):
        await pool.ready()
        client = TenantsClient(rpc)
        fleet.servers[0].set_serving(TENANTS.full_name, serving=False)
        await until(pool, address, ready=False)
        assert {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)} == {"b", "c"}
        fleet.servers[0].set_serving(TENANTS.full_name, serving=True)
        await until(pool, address, ready=True)
        assert {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)} == {"a", "b", "c"}


async def test_call_goes_on_when_an_instance_stops_and_returns(fleet: Fleet) -> None:
    address = fleet.servers[0].address
    async with fleet.world.client(where=fleet.where) as (rpc, pool):
        await pool.ready()
        client = TenantsClient(rpc)
        await fleet.servers[0].stop(0)
        await until(pool, address, ready=False)
        assert {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)} == {"b", "c"}
        again = fleet.world.another(fleet.tenants[0], port=int(address.rpartition(":")[2]))
        await again.start()
        fleet.servers.append(again)
        await until(pool, address, ready=True)
        assert {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(6)} == {"a", "b", "c"}


async def test_no_instance_is_unavailable_and_names_the_service(world: World) -> None:
    async with world.tenants_client(where=Where()) as client:
        with pytest.raises(Unavailable, match="tenants") as caught:
            await client.get_tenant(ctx(), tenant_id=ID)
    assert caught.value.data == {"service": "tenants", "retry_after": 1}


async def test_addresses_that_come_and_go_are_followed(fleet: Fleet) -> None:
    where = Where(fleet.servers[0].address)
    async with fleet.world.client(where=where) as (rpc, pool):
        client = TenantsClient(rpc)
        assert (await client.get_tenant(ctx(), tenant_id=ID)).name == "a"
        where.known = [fleet.servers[1].address]
        pool._listed_at = None
        assert {(await client.get_tenant(ctx(), tenant_id=ID)).name for _ in range(3)} == {"b"}
        where.fails = NotFound("the directory is down")
        pool._listed_at = None
        assert (await client.get_tenant(ctx(), tenant_id=ID)).name == "b"


async def test_first_lookup_that_fails_is_told(world: World) -> None:
    where = Where()
    where.fails = Unavailable("the directory is down")
    async with world.tenants_client(where=where) as client:
        with pytest.raises(Unavailable, match="directory"):
            await client.get_tenant(ctx(), tenant_id=ID)


async def test_stop_lets_running_calls_end_and_does_not_wait_for_watchers(world: World) -> None:
    world.tenants.hangs = True
    async with world.tenants_client() as client:
        call = asyncio.create_task(client.get_tenant(ctx(), tenant_id=ID))
        await world.tenants.entered.wait()
        started = CLOCK.monotonic()
        stopping = asyncio.create_task(world.server.stop(0.5))
        with pytest.raises(Unavailable):
            await call
        await stopping
        assert 0.4 < CLOCK.monotonic() - started < 5
    async with world.client(where=Where(world.server.address)) as (_, pool):
        assert await pool.ready() == []


async def test_more_calls_than_allowed_are_refused(world: World) -> None:
    tenants = Tenants()
    tenants.hangs = True
    server = world.another(tenants, max_concurrent=2)  # The client's watch of the health is one of them.
    await server.start()
    async with world.client(where=Where(server.address)) as (rpc, pool):
        await pool.ready()
        client = TenantsClient(rpc)
        first = asyncio.create_task(client.get_tenant(ctx(), tenant_id=ID))
        await tenants.entered.wait()
        with pytest.raises(Unavailable):
            await client.get_tenant(ctx(), tenant_id=ID)
        first.cancel()
        await asyncio.wait([first])
    await server.stop(0)


async def test_port_in_use_is_told(world: World) -> None:
    _, _, port = world.server.address.rpartition(":")
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
        await world.another(Tenants(), port=int(port)).start()
