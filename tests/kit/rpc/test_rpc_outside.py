"""Callers from outside, without our code: credentials, metadata, reflection, health."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import grpc
import msgspec
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from steward.kit.rpc.entry import LONGEST_SECONDS, address_of
from steward.kit.rpc.options import MAX_REQUEST_BYTES
from steward_proto.v1 import tenants_pb2
from tests.support.rpc import CLOCK, World

PATH = "/steward.v1.TenantService/"


@pytest.fixture
async def channel(world: World) -> AsyncGenerator[grpc.aio.Channel, None]:
    async with grpc.aio.insecure_channel(world.server.address) as opened:
        yield opened


async def call(channel: grpc.aio.Channel, rpc: str, request: Any, *metadata: tuple[str, str], **options: Any) -> bytes:
    data = request if isinstance(request, bytes) else request.SerializeToString()
    return await channel.unary_unary(PATH + rpc)(data, metadata=metadata, **options)


async def refusal(channel: grpc.aio.Channel, request: Any, *metadata: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "UpdateTenant", request, *metadata)
    trailing = caught.value.trailing_metadata()
    return caught.value.code().name, msgspec.json.decode(trailing["steward-error-bin"])


async def test_credential_and_metadata_reach_the_resolver(world: World, channel: grpc.aio.Channel) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await call(
        channel,
        "ListTenants",
        b"",
        ("authorization", "Bearer good"),
        ("idempotency-key", "k-1"),
        ("accept-language", "fr, zh-TW;q=0.9, en;q=0.5"),
        ("x-request-id", "mine-1"),
        ("traceparent", trace),
        timeout=5,
    )
    asked = world.resolver.asked[0]
    assert (asked["credential"], asked["idempotency_key"], asked["locale"]) == ("good", "k-1", "zh-Hant")
    assert (asked["request_id"], asked["address"]) == ("mine-1", "127.0.0.1")
    assert asked["user_agent"].startswith("grpc-python")
    assert 3 < (asked["deadline"] - CLOCK.now()).total_seconds() < 6
    assert world.tenants.calls[0][1].traceparent == trace


async def test_api_key_header_counts_as_credential(world: World, channel: grpc.aio.Channel) -> None:
    await call(channel, "ListTenants", b"", ("x-api-key", "good"))
    assert world.resolver.asked[0]["credential"] == "good"


async def test_without_credential_the_caller_is_anonymous(world: World, channel: grpc.aio.Channel) -> None:
    await call(channel, "ListTenants", b"")
    asked = world.resolver.asked[0]
    assert (asked["credential"], asked["idempotency_key"], asked["locale"]) == (None, None, "en")
    assert 25 < (asked["deadline"] - CLOCK.now()).total_seconds() < 31


async def test_deadline_of_outside_callers_is_bounded(world: World, channel: grpc.aio.Channel) -> None:
    await call(channel, "ListTenants", b"", timeout=10**6)
    assert (world.resolver.asked[0]["deadline"] - CLOCK.now()).total_seconds() <= LONGEST_SECONDS


async def test_request_id_is_given_back(world: World, channel: grpc.aio.Channel) -> None:
    for given, same in (("mine-1", True), ("bad id", False), ("x" * 200, False)):
        started = channel.unary_unary(PATH + "ListTenants")(b"", metadata=(("x-request-id", given),))
        await started
        answered = (await started.trailing_metadata())["x-request-id"]
        assert (answered == given) is same
        assert answered == world.resolver.asked[-1]["request_id"]


GOOD = tenants_pb2.UpdateTenantRequest(tenant_id="01a1fb9d-55e1-7000-b45b-7e379aa11df6", change={"name": "x"})


@pytest.mark.parametrize(
    ("metadata", "status", "code"),
    [
        ([("authorization", "Bearer bad")], "UNAUTHENTICATED", "unauthenticated"),
        ([("authorization", "Basic eDp5")], "UNAUTHENTICATED", "unauthenticated"),
        ([("authorization", "Bearer good"), ("x-api-key", "good")], "INVALID_ARGUMENT", "malformed_request"),
        ([("x-api-key", "good"), ("x-api-key", "good")], "INVALID_ARGUMENT", "malformed_request"),
        ([("idempotency-key", "a b")], "INVALID_ARGUMENT", "invalid_input"),
        ([("idempotency-key", "x" * 256)], "INVALID_ARGUMENT", "invalid_input"),
        ([("x-steward-context", "a.b.c")], "UNAUTHENTICATED", "invalid_caller_context"),
        ([("x-steward-context", "a.b.c"), ("x-api-key", "good")], "UNAUTHENTICATED", "invalid_caller_context"),
    ],
)
async def test_bad_metadata_refused(
    world: World, channel: grpc.aio.Channel, metadata: Sequence[tuple[str, str]], status: str, code: str
) -> None:
    answered, failure = await refusal(channel, GOOD, *metadata)
    assert (answered, failure["code"]) == (status, code)
    assert world.tenants.calls == []


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (b"\xff\xff", "malformed_request", None),
        (b"\x0a\x02\xc3\x28", "malformed_request", None),
        (b"", "invalid_input", "tenant_id"),
        (tenants_pb2.UpdateTenantRequest(tenant_id="1"), "invalid_input", "tenant_id"),
        (tenants_pb2.UpdateTenantRequest(tenant_id=GOOD.tenant_id), "invalid_input", "change"),
        (
            tenants_pb2.UpdateTenantRequest(tenant_id=GOOD.tenant_id, change={"plan": "gold"}),
            "invalid_input",
            "change.plan",
        ),
        (
            tenants_pb2.UpdateTenantRequest(tenant_id=GOOD.tenant_id, change={"allowed_origins": {"items": ["x"]}}),
            "invalid_input",
            "change.allowed_origins[0]",
        ),
    ],
)
async def test_bad_request_names_the_field(
    world: World, channel: grpc.aio.Channel, request_: Any, code: str, field: str | None
) -> None:
    status, failure = await refusal(channel, request_)
    assert (status, failure["code"], failure["data"].get("field")) == ("INVALID_ARGUMENT", code, field)
    assert world.tenants.calls == []


async def test_header_flood_and_oversized_message_refused(world: World, channel: grpc.aio.Channel) -> None:
    flood = [(f"x-{number}", "y" * 1000) for number in range(40)]
    for request, metadata in ((b"", flood), (b"x" * (MAX_REQUEST_BYTES + 1), [])):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, "ListTenants", request, *metadata)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert world.tenants.calls == []


def use_reflection(address: str) -> tuple[set[str], str, str]:
    """List the services, find GetTenant, call it: knows nothing but the address."""
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        method = DescriptorPool(database).FindServiceByName("steward.v1.TenantService").methods_by_name["GetTenant"]
        asked, answered = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        start = channel.unary_unary(PATH + method.name, asked.SerializeToString, answered.FromString)
        answer: Any = start(asked(tenant_id=GOOD.tenant_id), metadata=(("x-api-key", "good"),))
        return services, answer.name, method.containing_service.file.name


async def test_client_without_our_code_lists_and_calls(world: World) -> None:
    services, name, file = await asyncio.to_thread(use_reflection, world.server.address)
    assert services == {
        "steward.v1.TenantService",
        "steward.v1.AuditService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert (name, file) == ("Acme", "steward/v1/tenants.proto")


async def test_health_of_each_service_is_told(world: World, channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    request = health_pb2.HealthCheckRequest(service="steward.v1.AuditService")
    watch = stub.Watch(request)
    assert (await watch.read()).status == serving
    world.server.set_serving("steward.v1.AuditService", serving=False)
    assert (await watch.read()).status == not_serving
    assert (await stub.Check(request)).status == not_serving
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == serving
    assert set((await stub.List(health_pb2.HealthListRequest())).statuses) == {
        "",
        "steward.v1.AuditService",
        "steward.v1.TenantService",
    }
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch.cancel()


async def test_watch_of_the_health_ends_when_the_server_leaves(world: World, channel: grpc.aio.Channel) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    started = CLOCK.monotonic()
    await world.server.stop(20)
    assert CLOCK.monotonic() - started < 5
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert await watch.read() is grpc.aio.EOF


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.0.0.1:5000", "10.0.0.1"),
        ("ipv6:%5B2001:db8::1%5D:5000", "2001:db8::1"),
        ("ipv6:[::1]:5000", "::1"),
        ("unix:/run/x.sock", ""),
        ("", ""),
    ],
)
def test_address_is_read_from_the_peer(peer: str, address: str) -> None:
    assert address_of(peer) == address
