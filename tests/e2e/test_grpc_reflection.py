"""A gRPC client that has nothing of Steward's code: it learns the services by reflection, and calls them."""

import base64
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.e2e.conftest import TWO, copy_home
from tests.e2e.running import Steward, until

HEALTH = "grpc.health.v1.Health"
USERS, TENANTS, AUDIT = (f"steward.v1.{name}Service" for name in ("User", "Tenant", "Audit"))
SECONDS = 20
NOBODY = "01a1fbbf-c49f-7000-a8a6-d2945af25f9a"
Metadata = Sequence[tuple[str, str]]

pytestmark = pytest.mark.xdist_group("grpc_reflection")


class Client:
    """One server, as reflection describes it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.channel = grpc.insecure_channel(address, options=(("grpc.max_metadata_size", 1 << 20),))
        self._database = ProtoReflectionDescriptorDatabase(self.channel)
        self._pool = DescriptorPool(self._database)

    def services(self) -> set[str]:
        return set(self._database.get_services())

    def call(self, service: str, method: str, metadata: Metadata = (), /, **fields: Any) -> dict[str, Any]:
        """A call whose request has these fields; the answer as JSON has it."""
        request, answers = self._types(service, method)
        call = self.channel.unary_unary(f"/{service}/{method}")
        data = call(request(**fields).SerializeToString(), metadata=metadata, timeout=SECONDS)
        return _plain(answers, data)

    def stream(self, service: str, method: str, metadata: Metadata = (), /, **fields: Any) -> list[dict[str, Any]]:
        request, answers = self._types(service, method)
        call = self.channel.unary_stream(f"/{service}/{method}")
        items = call(request(**fields).SerializeToString(), metadata=metadata, timeout=SECONDS)
        return [_plain(answers, data) for data in items]

    def refusal(self, service: str, method: str, data: bytes, metadata: Metadata = ()) -> tuple[str, str, Any]:
        """Status, details and the failure in the trailing metadata of a call that must be refused."""
        with pytest.raises(grpc.RpcError) as caught:
            self.channel.unary_unary(f"/{service}/{method}")(data, metadata=metadata, timeout=SECONDS)
        error: Any = caught.value
        trailing = dict(error.trailing_metadata() or ())
        packed = trailing.get("steward-error-bin")
        return error.code().name, error.details(), None if packed is None else json.loads(packed)

    def request(self, service: str, method: str, /, **fields: Any) -> bytes:
        return self._types(service, method)[0](**fields).SerializeToString()

    def _types(self, service: str, method: str) -> tuple[Any, Any]:
        found = self._pool.FindServiceByName(service).methods_by_name[method]
        return GetMessageClass(found.input_type), GetMessageClass(found.output_type)


def _plain(kind: Any, data: bytes) -> dict[str, Any]:
    return MessageToDict(kind.FromString(data), preserving_proto_field_name=True)


@pytest.fixture(scope="module")
def fleet(prepared_home: Path) -> Iterator[Steward]:
    """The services divided over two processes."""
    running = Steward(copy_home(prepared_home, "reflected"), TWO).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def clients(fleet: Steward) -> Iterator[Mapping[str, Client]]:
    """A client for each service of the fleet, at the addresses that the processes print."""

    def addresses() -> list[str]:
        return re.findall(r"^gRPC is answered at (\S+)\.$", fleet.log_text(), re.MULTILINE)

    until(lambda: len(addresses()) == len(TWO), SECONDS)
    made = [Client(address) for address in addresses()]
    yield {service: client for client in made for service in client.services() if service.startswith("steward.")}
    for client in made:
        client.channel.close()


@pytest.fixture(scope="module")
def bearer(fleet: Steward, clients: Mapping[str, Client]) -> Metadata:
    """The access token of a log-in over gRPC, as metadata."""
    demo = fleet.credentials
    tokens = clients[USERS].call(USERS, "Login", email=demo["email"], password=demo["password"])
    assert tokens["token_type"] == "Bearer"
    return (("authorization", f"Bearer {tokens['access_token']}"),)


@pytest.fixture
def key(fleet: Steward) -> Metadata:
    return (("x-api-key", fleet.credentials["api_key"]),)


def test_services_are_listed_where_they_run(clients: Mapping[str, Client]) -> None:
    others = {f"steward.v1.{name}Service" for name in ("Costs", "Knowledge", "Models", "Support")}
    assert set(clients) == {USERS, TENANTS, AUDIT, *others}
    assert clients[USERS] is clients[AUDIT]
    assert clients[TENANTS] is not clients[USERS]
    for client in clients.values():
        assert {HEALTH, "grpc.reflection.v1alpha.ServerReflection"} <= client.services()


def test_health_of_each_service_is_told(clients: Mapping[str, Client]) -> None:
    for service, client in clients.items():
        assert client.call(HEALTH, "Check", service=service) == {"status": "SERVING"}
        assert client.call(HEALTH, "Check", service="") == {"status": "SERVING"}
    request = clients[AUDIT].request(HEALTH, "Check", service="steward.v1.NoService")
    assert clients[AUDIT].refusal(HEALTH, "Check", request)[0] == "NOT_FOUND"


def test_tenant_is_read_with_a_token_and_with_a_key(
    fleet: Steward, clients: Mapping[str, Client], bearer: Metadata, key: Metadata
) -> None:
    demo = fleet.credentials
    as_bearer = (("authorization", f"Bearer {demo['api_key']}"),)
    for metadata in (bearer, key, as_bearer):
        tenant = clients[TENANTS].call(TENANTS, "GetTenant", metadata, tenant_id=demo["tenant"])
        assert (tenant["id"], tenant["plan"], tenant["state"]) == (demo["tenant"], "enterprise", "active")


def test_change_made_here_is_seen_over_http(fleet: Steward, clients: Mapping[str, Client], key: Metadata) -> None:
    invited = clients[USERS].call(
        USERS, "InviteUser", key, email="grpc@example.com", name="葛小姐", roles=["viewer", "auditor"]
    )
    seen = fleet.api("GET", f"/api/v1/users/{invited['user']['id']}").json
    assert (seen["name"], seen["email"], seen["roles"]) == ("葛小姐", "grpc@example.com", invited["user"]["roles"])


def test_trail_is_exported_as_a_stream(clients: Mapping[str, Client], key: Metadata) -> None:
    entries = clients[AUDIT].stream(AUDIT, "ExportEntries", key)
    assert len(entries) > 3
    assert [int(entry["seq"]) for entry in entries] == list(range(1, len(entries) + 1))
    some = clients[AUDIT].stream(AUDIT, "ExportEntries", key, where={"action": "key."})
    assert {entry["action"].split(".")[0] for entry in some} == {"key"}


def test_call_without_a_credential_is_refused(fleet: Steward, clients: Mapping[str, Client]) -> None:
    client, tenant = clients[TENANTS], fleet.credentials["tenant"]
    request = client.request(TENANTS, "GetTenant", tenant_id=tenant)
    for metadata in ((), (("authorization", "Bearer x"),), (("x-api-key", "stw_sk_x"),)):
        status, details, failure = client.refusal(TENANTS, "GetTenant", request, metadata)
        assert (status, failure["kind"]) == ("UNAUTHENTICATED", "unauthenticated")
        assert details == f"{failure['code']}: {failure['message']}"
    with pytest.raises(grpc.RpcError) as caught:
        clients[AUDIT].stream(AUDIT, "ExportEntries")
    refused: Any = caught.value
    assert refused.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("service", "method", "fields", "scope"),
    [
        (USERS, "Authenticate", {"credential": "x"}, "service:edge"),
        (USERS, "EraseTenant", {}, "service:provision"),
        (TENANTS, "GetEdgePolicy", {"tenant_id": NOBODY}, "service:edge"),
        (TENANTS, "FindTenant", {"slug": "demo"}, "service:edge"),
        (TENANTS, "HoldQuota", {"quota": "users", "holder": NOBODY}, "service:quota"),
        (
            TENANTS,
            "ReleaseQuota",
            {"quota": "users", "holder": NOBODY},
            "service:quota",
        ),
    ],
)
def test_operation_for_services_is_refused_to_an_owner(
    clients: Mapping[str, Client], key: Metadata, service: str, method: str, fields: dict[str, Any], scope: str
) -> None:
    client = clients[service]
    status, details, failure = client.refusal(service, method, client.request(service, method, **fields), key)
    assert status == "PERMISSION_DENIED"
    assert scope in details
    assert failure["data"]["permission"] == scope


@pytest.mark.parametrize(
    ("service", "method", "fields", "status", "code"),
    [
        (TENANTS, "GetTenant", {"tenant_id": "no id"}, "INVALID_ARGUMENT", "invalid_input"),
        (TENANTS, "GetTenant", {"tenant_id": NOBODY}, "NOT_FOUND", "tenant_not_found"),
        (USERS, "InviteUser", {"email": "a", "name": "a", "roles": ["viewer"]}, "INVALID_ARGUMENT", "invalid_input"),
        (
            USERS,
            "InviteUser",
            {"email": "a@b", "name": "a\0", "roles": ["viewer"]},
            "INVALID_ARGUMENT",
            "invalid_input",
        ),
        (USERS, "InviteUser", {"email": "a@b", "name": "a", "roles": ["root"]}, "INVALID_ARGUMENT", "invalid_input"),
        (USERS, "ListUsers", {"limit": 201}, "INVALID_ARGUMENT", "invalid_input"),
        (USERS, "ListUsers", {"limit": -1}, "INVALID_ARGUMENT", "invalid_input"),
        (USERS, "ListUsers", {"cursor": "x' OR 1=1"}, "INVALID_ARGUMENT", "invalid_input"),
        (USERS, "CreateApiKey", {"name": "a", "scopes": ["user:read"] * 65}, "INVALID_ARGUMENT", "invalid_input"),
        (TENANTS, "SuspendTenant", {"tenant_id": NOBODY, "reason": "a" * 501}, "INVALID_ARGUMENT", "invalid_input"),
        (
            TENANTS,
            "UpdateTenantQuota",
            {"tenant_id": NOBODY, "quota": "users", "limit": -1},
            "INVALID_ARGUMENT",
            "invalid_input",
        ),
        (USERS, "Login", {"email": "a@b", "password": "x" * 2000}, "INVALID_ARGUMENT", "invalid_input"),
        (USERS, "Login", {"email": "a@b.c", "password": "wrong"}, "UNAUTHENTICATED", "wrong_credentials"),
        (AUDIT, "GetEntry", {"seq": 2**62}, "NOT_FOUND", "audit_entry_not_found"),
        (AUDIT, "GetEntry", {"seq": -(2**63)}, "NOT_FOUND", "audit_entry_not_found"),
        (AUDIT, "ListEntries", {"where": {"action": "\0"}}, "INVALID_ARGUMENT", "invalid_input"),
    ],
)
def test_wrong_request_is_a_clear_failure(
    clients: Mapping[str, Client],
    key: Metadata,
    service: str,
    method: str,
    fields: dict[str, Any],
    status: str,
    code: str,
) -> None:
    client = clients[service]
    metadata = () if method == "Login" else key
    answered = client.refusal(service, method, client.request(service, method, **fields), metadata)
    assert (answered[0], answered[2]["code"]) == (status, code)
    assert len(answered[1]) > 20


def test_bytes_that_are_no_message_are_refused(clients: Mapping[str, Client], key: Metadata) -> None:
    for data in (b"\xff" * 100, b"\x0a\x02\xc3\x28", b"\x0a\xff\xff\xff\xff\x0f", bytes(range(256))):
        status, _, failure = clients[TENANTS].refusal(TENANTS, "GetTenant", data, key)
        assert (status, failure["code"]) == ("INVALID_ARGUMENT", "malformed_request")


def test_message_over_the_limit_is_refused(clients: Mapping[str, Client], key: Metadata) -> None:
    request = clients[USERS].request(USERS, "ListUsers", cursor="x" * 40_000_000)
    assert clients[USERS].refusal(USERS, "ListUsers", request, key)[0] == "RESOURCE_EXHAUSTED"
    assert len(clients[USERS].call(USERS, "ListUsers", key)["items"]) >= 1


def test_metadata_over_the_limit_is_refused(clients: Mapping[str, Client], key: Metadata) -> None:
    client = clients[TENANTS]
    for more in ([("x-big", "a" * 100_000)], [(f"x-{number}", "a" * 50) for number in range(1000)]):
        status, details, _ = client.refusal(TENANTS, "ListTenants", b"", [*key, *more])
        assert status == "RESOURCE_EXHAUSTED"
        assert "metadata" in details
    assert client.call(TENANTS, "ListTenants", key)["items"]


def test_unknown_operation_is_unimplemented(clients: Mapping[str, Client], key: Metadata) -> None:
    for path in (f"{TENANTS}/DropTables", f"{USERS}/Login", "grpc.admin.v1/Everything"):
        service, method = path.split("/")
        assert clients[TENANTS].refusal(service, method, b"", key)[0] == "UNIMPLEMENTED"


def test_forged_context_of_a_process_is_refused(fleet: Steward, clients: Mapping[str, Client], key: Metadata) -> None:
    client, tenant = clients[TENANTS], fleet.credentials["tenant"]
    request = client.request(TENANTS, "GetTenant", tenant_id=tenant)
    for alg in ("Ed25519", "none", "HS256"):
        for kid in (NOBODY, "' OR true --", "../../dev/null"):
            forged = [("x-steward-context", _context(alg, kid, tenant))]
            for metadata in (forged, [*forged, *key]):
                status, _, failure = client.refusal(TENANTS, "GetTenant", request, metadata)
                assert (status, failure["code"]) == ("UNAUTHENTICATED", "invalid_caller_context")
    for text in ("x", "a.b.c", "..", "a" * 13_000):
        assert client.refusal(TENANTS, "GetTenant", request, [("x-steward-context", text)])[0] == "UNAUTHENTICATED"


def test_other_protocols_on_the_port_harm_nobody(clients: Mapping[str, Client], key: Metadata) -> None:
    client = clients[TENANTS]
    host, port = client.address.rsplit(":", 1)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01" + b"a" * 300, preface + b"\xff" * 1000):
        with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert client.call(TENANTS, "ListTenants", key)["items"]


def test_nothing_broke_inside(fleet: Steward) -> None:
    text = fleet.log_text()
    assert "rpc_failed" not in text
    assert "Traceback" not in text
    assert fleet.credentials["api_key"].rsplit("_", 1)[1] not in text


def _context(alg: str, kid: str, tenant: str) -> str:
    """A caller context such as processes sign, by a process that nobody knows."""
    expires = time.time() + 50
    ctx = {
        "tenant": tenant,
        "actor": {"type": "service", "id": "gateway"},
        "scopes": ["service:edge", "service:quota", "tenant:read", "platform:tenants"],
        "request_id": "forged",
        "deadline": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires)),
    }
    parts = ({"alg": alg, "typ": "steward-caller+jwt", "kid": kid}, {"aud": TENANTS, "exp": expires, "ctx": ctx})
    signed = ".".join(_b64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_b64(Ed25519PrivateKey.generate().sign(signed.encode()))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
