"""The services' descriptions: complete, with clients that equal their Protocols, and generated code in step."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from steward.kit.context import Ctx
from steward.kit.rpc.service import RpcService
from steward.services.audit.rpc import AUDIT, AuditClient
from steward.services.identity.rpc import IDENTITY, IdentityClient
from steward.services.tenants.api import Tenant, TenantsApi
from steward.services.tenants.rpc import TENANTS, TenantsClient
from steward_proto.v1 import audit_pb2, tenants_pb2, users_pb2

ROOT = Path(__file__).parents[3]
BOTH = [(TENANTS, TenantsClient), (AUDIT, AuditClient), (IDENTITY, IdentityClient)]
REQUIRED = {
    "UserService": {"Register", "Login", "GetUser", "UpdateUser", "AssignRole"},
    "TenantService": {"CreateTenant", "GetTenant", "UpdateTenantQuota", "GetTenantUsage"},
}


class Recorder:
    """Stands for the RpcClient: keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, _ctx: Ctx, rpc: str, **arguments: Any) -> None:
        self.asked.append((rpc, arguments))

    def stream(self, _ctx: Ctx, rpc: str, **arguments: Any) -> None:
        self.asked.append((rpc, arguments))


@pytest.mark.parametrize(("service", "client"), BOTH)
def test_client_covers_every_method_with_the_same_signature(service: RpcService, client: type[Any]) -> None:
    assert {operation.method for operation in service.operations.values()}
    for operation in service.operations.values():
        own = vars(client).get(operation.method)
        assert own is not None, f"{client.__name__} lacks {operation.method}"
        contract = getattr(service.protocol, operation.method)
        assert inspect.signature(own) == inspect.signature(contract)
        assert inspect.iscoroutinefunction(own) == inspect.iscoroutinefunction(contract)


@pytest.mark.parametrize(("service", "client"), BOTH)
async def test_client_passes_every_argument_to_its_own_operation(service: RpcService, client: type[Any]) -> None:
    for rpc, operation in service.operations.items():
        recorder = Recorder()
        arguments = {field.name: object() for field in msgspec.structs.fields(operation.request)}
        answer = getattr(client(recorder), operation.method)(None, **arguments)
        if answer is not None:
            await answer
        assert recorder.asked == [(rpc, arguments)]


@pytest.mark.parametrize(("name", "operations"), REQUIRED.items())
def test_required_operations_are_there(name: str, operations: set[str]) -> None:
    found = {service.full_name: set(service.operations) for service, _ in BOTH}
    assert operations <= found[f"steward.v1.{name}"]


def test_every_service_of_the_package_is_described() -> None:
    declared = {
        service.full_name
        for file in (audit_pb2, tenants_pb2, users_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
    }
    assert declared == {service.full_name for service, _ in BOTH}


class Small(Protocol):
    async def get_tenant(self, ctx: Ctx, *, tenant_id: str) -> Tenant: ...


def without(rpc: str) -> dict[str, Callable[..., Any]]:
    methods = {one.rpc: getattr(TenantsApi, one.method) for one in TENANTS.operations.values()}
    return {name: method for name, method in methods.items() if name != rpc}


def test_description_that_misses_an_operation_is_refused() -> None:
    descriptor = tenants_pb2.DESCRIPTOR.services_by_name["TenantService"]
    for operations in (without("GetTenant"), without("GetTenant") | {"GetTenant": TenantsApi.find_tenant}):
        with pytest.raises(TypeError, match="get_tenant"):
            RpcService("tenants", descriptor, TenantsApi, operations)
    with pytest.raises(TypeError, match="CreateTenant"):
        RpcService("tenants", descriptor, Small, {"GetTenant": Small.get_tenant})


def test_stream_must_be_one_on_both_sides() -> None:
    class NoStream(Protocol):
        async def list_entries(self, ctx: Ctx, *, where: str) -> None: ...
        async def get_entry(self, ctx: Ctx, *, seq: int) -> None: ...
        async def export_entries(self, ctx: Ctx) -> None: ...
        async def list_checkpoints(self, ctx: Ctx) -> None: ...
        async def verify_chain(self, ctx: Ctx) -> None: ...

    descriptor = audit_pb2.DESCRIPTOR.services_by_name["AuditService"]
    with pytest.raises(TypeError, match="server stream"):
        RpcService(
            "audit",
            descriptor,
            NoStream,
            {"ExportEntries": NoStream.export_entries}
            | {one.rpc: getattr(NoStream, one.method) for one in AUDIT.operations.values()},
        )


def test_generated_code_is_in_step_with_the_protos() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "proto" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
