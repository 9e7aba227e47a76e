"""Calls from one end to the other: arguments, answers, failures, deadlines, cancellation, hooks."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest

from steward.kit.context import Ctx
from steward.kit.errors import (
    AppError,
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    Kind,
    NotFound,
    TooLarge,
    Unavailable,
    error_classes,
)
from steward.kit.ids import TenantId
from steward.kit.rpc.failures import packed, unpacked
from steward.kit.rpc.observe import Side
from steward.kit.rpc.options import MAX_ANSWER_BYTES, MAX_REQUEST_BYTES
from steward.services.tenants.api import Plan, Quota, TenantUpdate
from tests.support.rpc import AT, IDS, TenantGone, TornStream, World, ctx, running


async def test_answer_arrives_as_it_was_given(world: World) -> None:
    tenant_id = TenantId(IDS.new())
    async with world.tenants_client() as client:
        answer = await client.get_tenant(ctx(), tenant_id=tenant_id)
    assert answer.id == tenant_id
    assert (answer.created_at, answer.plan, answer.allowed_origins) == (AT, Plan.PRO, ["https://a.example"])
    assert type(answer.plan) is Plan


async def test_whole_context_crosses(world: World) -> None:
    sent = ctx(
        locale="zh-Hans",
        address="2001:db8::1",
        user_agent="curl",
        session_id=IDS.new(),
        key_id=IDS.new(),
        idempotency_key="once",
        taint=frozenset({"secret"}),
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    )
    async with world.tenants_client() as client:
        await client.delete_tenant(sent, tenant_id=TenantId(IDS.new()))
    assert world.tenants.calls[0][1] == sent


async def test_every_method_gets_its_arguments(world: World) -> None:
    tenant_id, holder, change = TenantId(IDS.new()), IDS.new(), TenantUpdate(name="New", allowed_origins=[])
    async with world.tenants_client() as client:
        await client.create_tenant(ctx(), name="Acme", slug="acme", plan=Plan.FREE, owner_email="a@b.example")
        page = await client.list_tenants(ctx(), limit=7)
        await client.update_tenant(ctx(), tenant_id=tenant_id, change=change)
        await client.suspend_tenant(ctx(), tenant_id=tenant_id, reason="unpaid")
        await client.resume_tenant(ctx(), tenant_id=tenant_id)
        await client.update_quota(ctx(), tenant_id=tenant_id, quota=Quota.AGENTS, limit=None)
        await client.update_quota(ctx(), tenant_id=tenant_id, quota=Quota.AGENTS, limit=0)
        usage = await client.get_usage(ctx(), tenant_id=tenant_id)
        await client.get_edge_policy(ctx(), tenant_id=tenant_id)
        found = await client.find_tenant(ctx(), slug="acme")
        await client.hold_quota(ctx(), quota=Quota.USERS, holder=holder)
        await client.release_quota(ctx(), quota=Quota.USERS, holder=holder)
    assert [(method, arguments) for method, _, arguments in world.tenants.calls] == [
        ("create_tenant", {"name": "Acme", "slug": "acme", "plan": Plan.FREE, "owner_email": "a@b.example"}),
        ("list_tenants", {"limit": 7, "cursor": None}),
        ("update_tenant", {"tenant_id": tenant_id, "change": change}),
        ("suspend_tenant", {"tenant_id": tenant_id, "reason": "unpaid"}),
        ("resume_tenant", {"tenant_id": tenant_id}),
        ("update_quota", {"tenant_id": tenant_id, "quota": Quota.AGENTS, "limit": None}),
        ("update_quota", {"tenant_id": tenant_id, "quota": Quota.AGENTS, "limit": 0}),
        ("get_usage", {"tenant_id": tenant_id}),
        ("get_edge_policy", {"tenant_id": tenant_id}),
        ("find_tenant", {"slug": "acme"}),
        ("hold_quota", {"quota": Quota.USERS, "holder": holder, "amount": 1}),
        ("release_quota", {"quota": Quota.USERS, "holder": holder}),
    ]
    assert (len(page.items), page.next_cursor) == (2, "next")
    assert {use.quota for use in usage.quotas} == set(Quota)
    assert found.version == 7


async def test_failure_keeps_class_message_and_data(world: World) -> None:
    tenant_id = TenantId(IDS.new())
    world.tenants.fails = TenantGone(tenant_id)
    async with world.tenants_client() as client:
        with pytest.raises(TenantGone) as caught:
            await client.get_tenant(ctx(), tenant_id=tenant_id)
    assert caught.value.message == world.tenants.fails.message
    assert caught.value.data == {"tenant_id": str(tenant_id)}


def test_every_failure_class_survives() -> None:
    for cls in error_classes():
        error = unpacked(packed(cls.restored("what happened", {"a": 1, "b": None, "c": "字"})))
        assert (error.code, error.kind, error.message) == (cls.code, cls.kind, "what happened")
        assert error.data == {"a": 1, "b": None, "c": "字"}


def test_failure_of_an_unknown_class_keeps_code_and_kind() -> None:
    error = unpacked(b'{"code":"from_the_future","kind":"quota","message":"m","data":{}}')
    assert (error.code, error.kind, error.status) == ("from_the_future", Kind.QUOTA, 429)
    assert unpacked(b'{"code":"x","kind":"from_the_future","message":"m","data":{}}').kind is Kind.INTERNAL


def test_long_failure_is_cut_to_fit_metadata() -> None:
    data = packed(Conflict("x" * 100_000, field="y"))
    assert len(data) < 8192
    assert isinstance(unpacked(data), Conflict)


async def test_longest_failure_crosses(world: World) -> None:
    world.tenants.fails = Conflict("字\n" * 100_000)
    async with world.tenants_client() as client:
        with pytest.raises(Conflict, match="字\n字"):
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))


async def test_unexpected_failure_is_logged_and_told_by_its_id(world: World) -> None:
    world.tenants.fails = KeyError("secret detail")
    async with world.tenants_client() as client:
        with pytest.raises(AppError) as caught:
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
    assert (type(caught.value), caught.value.kind) == (AppError, Kind.INTERNAL)
    assert "secret" not in caught.value.message
    event, fields = world.log.lines[0]
    assert (event, fields["error_id"]) == ("rpc_failed", caught.value.data["error_id"])
    assert fields["exc_info"] is world.tenants.fails


async def test_timeout_inside_the_work_is_no_deadline(world: World) -> None:
    world.tenants.fails = TimeoutError()
    async with world.tenants_client() as client:
        with pytest.raises(AppError) as caught:
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
    assert caught.value.kind is Kind.INTERNAL


async def test_bad_argument_names_its_field(world: World) -> None:
    async with world.tenants_client() as client:
        with pytest.raises(InvalidInput, match=r"change\.name: Expected `str` of length >= 1") as caught:
            await client.update_tenant(ctx(), tenant_id=TenantId(IDS.new()), change=TenantUpdate(name=""))
    assert caught.value.data == {"field": "change.name"}
    assert world.tenants.calls == []


async def test_value_that_no_message_holds_is_refused_before_the_call(world: World) -> None:
    async with world.tenants_client() as client:
        for bad in ("\ud800", "a\udfff"):
            with pytest.raises(InvalidInput, match="SuspendTenant"):
                await client.suspend_tenant(ctx(), tenant_id=TenantId(IDS.new()), reason=bad)
        with pytest.raises(InvalidInput, match="out of range"):
            await client.list_tenants(ctx(), limit=2**70)
    assert world.tenants.calls == []


async def test_too_large_request_and_answer_name_the_limit(world: World) -> None:
    async with world.tenants_client() as client:
        with pytest.raises(TooLarge, match="request to SuspendTenant"):
            await client.suspend_tenant(ctx(), tenant_id=TenantId(IDS.new()), reason="x" * MAX_REQUEST_BYTES)
    world.audit.text = "x" * MAX_ANSWER_BYTES
    async with world.audit_client() as audit:
        with pytest.raises(TooLarge, match="answer of GetEntry") as caught:
            await audit.get_entry(ctx(), seq=1)
    assert caught.value.data == {"limit": MAX_ANSWER_BYTES}


async def test_past_deadline_makes_no_call(world: World) -> None:
    async with world.tenants_client() as client:
        with pytest.raises(DeadlineExceeded):
            await client.get_tenant(ctx(seconds=-1), tenant_id=TenantId(IDS.new()))
    assert world.tenants.calls == []


async def test_deadline_ends_the_work_at_both_ends(world: World) -> None:
    async with world.tenants_client() as client:
        # Connected before, for on a busy machine that alone can take longer than this deadline.
        await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
        world.tenants.hangs = True
        with pytest.raises(DeadlineExceeded):
            await client.get_tenant(ctx(seconds=0.3), tenant_id=TenantId(IDS.new()))
        assert len(world.tenants.calls) == 2
        await asyncio.wait_for(world.tenants.cancelled.wait(), 5)


async def test_server_holds_to_the_context_deadline_by_itself(world: World) -> None:
    world.tenants.hangs = True
    late = ctx(seconds=20)
    async with world.client() as (rpc, pool):
        token = world.signer.sign(
            msgspec.structs.replace(late, deadline=late.deadline - timedelta(seconds=19.8)), "steward.v1.TenantService"
        )
        operation = rpc._service.operations["ListTenants"]
        async with pool.instance(late) as instance:
            call = instance.unary(operation.path)(b"", timeout=10, metadata=(("x-steward-context", token),))
            trailing = await call.trailing_metadata()
    error = unpacked(trailing["steward-error-bin"])
    assert isinstance(error, DeadlineExceeded)
    assert world.tenants.cancelled.is_set()


async def test_cancel_of_the_caller_cancels_the_work(world: World) -> None:
    world.tenants.hangs = True
    async with world.tenants_client() as client:
        call = asyncio.create_task(client.get_tenant(ctx(), tenant_id=TenantId(IDS.new())))
        await world.tenants.entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(world.tenants.cancelled.wait(), 5)
    assert world.log.lines == []


async def test_stream_gives_every_item_in_order(world: World) -> None:
    world.audit.count = 500
    async with world.audit_client() as client:
        items = [one async for one in client.export_entries(ctx())]
    assert [one.seq for one in items] == list(range(1, 501))
    assert bytes(items[0].after or b"") == b'{"name": "Acme"}'
    assert items[0].before is None


async def test_failure_in_the_middle_of_a_stream_keeps_its_class(world: World) -> None:
    world.audit.breaks = TornStream("torn", seq=3)
    seen: list[int] = []
    async with world.audit_client() as client:
        with pytest.raises(TornStream) as caught:  # noqa: PT012 - what came before the failure counts
            async for one in client.export_entries(ctx()):
                seen.append(one.seq)  # noqa: PERF401 - a comprehension would lose what came
    assert (seen, caught.value.data) == ([1, 2, 3], {"seq": 3})


async def test_slow_reader_slows_the_stream_and_leaving_ends_it(world: World) -> None:
    world.audit.count, world.audit.text = 10_000, "x" * 100_000
    async with world.audit_client() as client:
        stream = client.export_entries(ctx())
        assert (await anext(stream)).seq == 1
        for _ in range(20):  # Calls on the same loop give the server every chance to run ahead.
            await client.get_entry(ctx(), seq=1)
        assert world.audit.made < 500
        await stream.aclose()
        await asyncio.wait_for(world.audit.closed.wait(), 5)


async def test_deadline_ends_a_stream(world: World) -> None:
    world.audit.count, world.audit.text = 1_000_000, "x" * 1000
    async with world.audit_client() as client:
        await client.get_entry(ctx(), seq=1)
        with pytest.raises(DeadlineExceeded):
            async for _ in client.export_entries(ctx(seconds=0.3)):
                pass
        await asyncio.wait_for(world.audit.closed.wait(), 5)


async def test_guard_is_asked_before_each_call(world: World) -> None:
    def open_transaction() -> None:
        raise RuntimeError("a transaction is open")

    async with world.tenants_client(guard=open_transaction) as client:
        with pytest.raises(RuntimeError, match="a transaction is open"):
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
    assert world.tenants.calls == []


class Watcher:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Side, str]] = []

    @contextmanager
    def rpc_span(self, service: str, method: str, ctx: Ctx, side: Side) -> Iterator[Ctx]:
        outcome = "done"
        try:
            yield msgspec.structs.replace(ctx, traceparent=f"{ctx.traceparent}>{side}")
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self.seen.append((service, method, side, outcome))


async def test_observer_sees_both_ends_and_passes_the_trace_on() -> None:
    watcher = Watcher()
    async with running(watcher) as world, world.tenants_client() as client:
        await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
        world.tenants.fails = NotFound("no")
        with pytest.raises(NotFound):
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
        assert world.tenants.calls[0][1].traceparent == ">client>server"
    name = "steward.v1.TenantService"
    assert watcher.seen == [
        (name, "GetTenant", Side.SERVER, "done"),
        (name, "GetTenant", Side.CLIENT, "done"),
        (name, "GetTenant", Side.SERVER, "NotFound"),
        (name, "GetTenant", Side.CLIENT, "NotFound"),
    ]


async def test_dead_peer_is_named() -> None:
    async with running() as world, world.tenants_client() as client:
        await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
        await world.server.stop(0)
        with pytest.raises(Unavailable, match="tenants"):
            await client.get_tenant(ctx(), tenant_id=TenantId(IDS.new()))
