"""The whole platform in this process: services on a real database behind the real HTTP edge and gRPC server."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import grpc
import msgspec

from steward.bootstrap.callers import Callers
from steward.bootstrap.edge import keep_true, make_edge
from steward.bootstrap.modules import MODULES
from steward.bootstrap.ops import Ops, add_checks
from steward.bootstrap.platform import free_port
from steward.bootstrap.services import rpc_server
from steward.gateway.server import EdgeServer
from steward.gateway.settings import GatewaySettings
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import HTTP_STATUS, Kind
from steward.kit.health import Health
from steward.kit.ids import TenantId
from steward.kit.module import Module
from steward.kit.rpc.failures import FAILURE_KEY, Failure
from steward.kit.rpc.service import Operation
from steward.kit.testing.provider import FakeProvider
from steward.services.costs.api import CostsApi, PriceInput, TokenPrices
from steward.services.identity.api import IdentityApi, Role, Tokens, UserId
from steward.services.identity.roles import GRANTABLE
from steward.services.models.api import ConnectionInput, ModelsApi, Speaks
from tests.support.platform import PASSWORD, Installation, TestTenant, open_installation

GENEROUS = GatewaySettings(user_per_minute=1_000_000, address_per_minute=1_000_000)
LOOPBACK = "127.0.0.1"

RPCS: Mapping[str, Operation] = {
    operation.method: operation for module in MODULES for operation in module.rpc.operations.values()
}
"""Every operation of the contracts by the name of its method, which is its `operationId` over HTTP too."""


class Answer(NamedTuple):
    """What came back, over HTTP or gRPC."""

    status: int
    """The HTTP status; of a gRPC call the one that its failure has over HTTP, 200 when it succeeded."""
    code: str
    """The failure's stable name, empty for a success."""
    body: bytes
    headers: Mapping[str, str] = {}

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A user with a session: tokens for the outside, a context for calls through the contract."""

    id: UserId
    tenant: TenantId
    email: str
    tokens: Tokens
    ctx: Ctx

    @property
    def bearer(self) -> Mapping[str, str]:
        return bearer(self.tokens.access_token)


class House:
    """One process-alike of the platform, with what tests call it by."""

    def __init__(
        self, installation: Installation, owner_dsn: str, url: str, http: aiohttp.ClientSession, rpc: grpc.aio.Channel
    ) -> None:
        self.installation = installation
        self.owner_dsn = owner_dsn
        """The database as its owner sees it, to look behind the scenes."""
        self.url = url
        self._http = http
        self._rpc = rpc

    async def http(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None, **query: str
    ) -> Answer:
        """One request; a body is sent as JSON, unless it is bytes."""
        form = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self._http.request(
            method, self.url + path, headers=headers, params=query, skip_auto_headers=("Accept-Encoding",), **form
        ) as response:
            data = await response.read()
            code = "" if response.ok else _code(data, response.headers.get("content-type", ""))
            return Answer(response.status, code, data, dict(response.headers))

    async def rpc(self, operation: Operation, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """One call as a client outside the fleet makes it; of a stream, all items."""
        data = operation.requests.encode(operation.request(**arguments))
        metadata = [(name.lower(), value) for name, value in headers.items()]
        try:
            if operation.streams:
                call = self._rpc.unary_stream(operation.path)(data, metadata=metadata, timeout=20)
                return Answer(200, "", b"".join([item async for item in call]))
            return Answer(200, "", await self._rpc.unary_unary(operation.path)(data, metadata=metadata, timeout=20))
        except grpc.aio.AioRpcError as error:
            return _refusal(error)

    def method(self, name: str) -> Any:
        """The method of this name, of whichever contract has it, as the services here implement it."""
        module = next(one for one in MODULES if name in {rpc.method for rpc in one.rpc.operations.values()})
        return getattr(self.installation.api(module.contract), name)

    async def member(self, tenant: TestTenant, *roles: Role) -> Member:
        """A new user of a tenant with just these roles, logged in."""
        identity = self.installation.api(IdentityApi)
        email = f"{self.installation.foundation.ids.new().hex}@member.example"
        invited = await identity.invite_user(
            self.inviting(tenant), email=email, name="Member", roles=list(roles or (Role.VIEWER,))
        )
        await identity.register(self.installation.ctx(None), token=invited.token, name="Member", password=PASSWORD)
        return await self.logged_in(tenant.id, email)

    async def logged_in(self, tenant: TenantId, email: str) -> Member:
        """A new session of a user."""
        identity = self.installation.api(IdentityApi)
        tokens = await identity.login(self.installation.ctx(None), email=email, password=PASSWORD, tenant=str(tenant))
        principal = await identity.authenticate(
            self.installation.ctx(None, "service:edge"), credential=tokens.access_token
        )
        ctx = self.installation.ctx(tenant, *principal.scopes, actor=principal.actor, session_id=principal.session_id)
        return Member(
            id=msgspec.convert(principal.actor.id, UserId), tenant=tenant, email=email, tokens=tokens, ctx=ctx
        )

    def inviting(self, tenant: TestTenant) -> Ctx:
        """The context of somebody who may give every role there is."""
        return self.installation.ctx(tenant.id, *GRANTABLE, actor=Actor(ActorType.USER, str(tenant.owner_id)))


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def open_house(
    dsn: str, owner_dsn: str, home: Path, modules: Sequence[Module] = MODULES
) -> AsyncGenerator[House]:
    """Run one; several on one database and home are processes of one fleet."""
    async with AsyncExitStack() as stack:
        installation = await open_installation(stack, "local", dsn, home, modules=modules)
        foundation, services = installation.foundation, installation.services
        authenticator = installation.authenticator(GENEROUS)
        health = Health("0.0.0", foundation.clock, foundation.telemetry.log)
        add_checks(health, foundation, services)
        keep_true(foundation, authenticator)
        ops = Ops(health, foundation.telemetry.metrics, foundation.database)
        edge = make_edge(foundation, services, authenticator, ops, GENEROUS, "0.0.0")
        port = free_port(LOOPBACK)
        server = EdgeServer(edge, GENEROUS, foundation.clock, host=LOOPBACK, port=port)
        await server.start()
        stack.push_async_callback(server.stop)
        rpcs = rpc_server(foundation, services, Callers(authenticator), LOOPBACK, 0)
        await rpcs.start()
        stack.push_async_callback(rpcs.stop, 1.0)
        await foundation.registry.announce(
            foundation.process_id, list(services.local), rpcs.address, foundation.public_key
        )
        stack.push_async_callback(foundation.registry.withdraw)
        await foundation.bus.start()
        stack.push_async_callback(foundation.bus.stop)
        health.started()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        rpc = await stack.enter_async_context(grpc.aio.insecure_channel(rpcs.address))
        if "models" in services.local:
            await _connect_provider(installation, await stack.enter_async_context(FakeProvider()))
        yield House(installation, owner_dsn, f"http://{LOOPBACK}:{port}", http, rpc)


def _code(body: bytes, kind: str) -> str:
    """The stable name of a failure, as a problem or in OpenAI's form; Anthropic's has the kind only."""
    if "json" not in kind:
        return ""
    told = msgspec.json.decode(body)
    error = told.get("error", told)
    return error.get("code") or error.get("type", "")


async def _connect_provider(installation: Installation, provider: FakeProvider) -> None:
    """A connection `probe` of the installation, with a model `m` that costs nothing."""
    connection = ConnectionInput(speaks=Speaks.OPENAI, base_url=f"{provider.url}/v1", key="sk-probe")
    operator = installation.operator()
    await installation.api(ModelsApi).put_connection(operator, name="probe", connection=connection, installation=True)
    price = PriceInput(prices=TokenPrices(input=0, output=0))
    await installation.api(CostsApi).put_price(operator, provider="probe", model="m", price=price)


def _refusal(error: grpc.aio.AioRpcError) -> Answer:
    parts = (error.trailing_metadata() or grpc.aio.Metadata()).get(FAILURE_KEY)
    if not isinstance(parts, bytes):
        return Answer(500, error.code().name, (error.details() or "").encode())
    failure = msgspec.json.decode(parts, type=Failure)
    return Answer(HTTP_STATUS[Kind(failure.kind)], failure.code, parts)
