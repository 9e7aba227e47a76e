"""A platform for tests through the services' contracts: real parts on a real database, local or over gRPC."""

import atexit
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from steward.bootstrap.callers import Callers
from steward.bootstrap.edge import make_authenticator
from steward.bootstrap.foundation import Foundation, open_foundation
from steward.bootstrap.modules import MODULES
from steward.bootstrap.services import Services, assemble, rpc_server
from steward.gateway.authn import Authenticator
from steward.gateway.settings import GatewaySettings
from steward.kit.clock import Clock, SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.failpoints import Failpoints
from steward.kit.ids import PLATFORM, TenantId
from steward.kit.module import Module
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from steward.services.identity.api import IdentityApi, Role, UserId
from steward.services.identity.roles import permissions_of
from steward.services.tenants.api import Plan, TenantsApi

A = TypeVar("A")

CHEAP_PASSWORDS = {
    "STEWARD_PASSWORD_MEMORY_KIB": "7168",
    "STEWARD_PASSWORD_PASSES": "1",
    "STEWARD_PASSWORD_LANES": "1",
}
PASSWORD = "correct-horse-battery"
PLATFORM_SCOPE = "platform:tenants"


class TestTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh tenant with an owner who has registered."""

    __test__ = False

    id: TenantId
    slug: str
    owner_id: UserId
    owner_email: str
    owner: Ctx


class Installation:
    """Services answered here or, in mode `grpc`, by a second process-alike over real gRPC."""

    def __init__(self, mode: str, foundation: Foundation, services: Services, serving: Services) -> None:
        self.mode = mode
        self.foundation = foundation
        self.services = services
        self.serving = serving
        """The services that do the work; the same as `services` in mode `local`."""
        self._count = 0

    @property
    def telemetry(self) -> CapturingTelemetry:
        assert isinstance(self.foundation.telemetry, CapturingTelemetry)
        return self.foundation.telemetry

    def api(self, contract: type[A]) -> A:
        return self.services.apis.get(contract)

    def authenticator(self, settings: GatewaySettings | None = None) -> Authenticator:
        return make_authenticator(self.foundation, self.services, settings or GatewaySettings())

    def ctx(
        self,
        tenant: TenantId | None,
        *scopes: str,
        actor: Actor | None = None,
        idempotency_key: str | None = None,
        session_id: UUID | None = None,
    ) -> Ctx:
        """A context as an entry would build it."""
        self._count += 1
        return Ctx(
            tenant=tenant,
            actor=actor or Actor(ActorType.SERVICE, "test"),
            scopes=frozenset(scopes),
            request_id=f"test-{self._count}",
            deadline=self.foundation.clock.now() + timedelta(seconds=30),
            address="192.0.2.7",
            user_agent="tests",
            idempotency_key=idempotency_key,
            session_id=session_id,
        )

    def operator(self) -> Ctx:
        """A platform operator."""
        return self.ctx(PLATFORM, PLATFORM_SCOPE, actor=Actor(ActorType.USER, str(self.foundation.ids.new())))

    async def tenant(self, plan: Plan = Plan.ENTERPRISE) -> TestTenant:
        """A new tenant whose owner has registered."""
        slug = f"t-{self.foundation.ids.new().hex}"
        email = f"owner@{slug}.example"
        created = await self.api(TenantsApi).create_tenant(
            self.operator(), name="Test", slug=slug, plan=plan, owner_email=email
        )
        identity = self.api(IdentityApi)
        await identity.register(self.ctx(None), token=created.invitation_token, name="Owner", password=PASSWORD)
        owner_id = UserId(created.owner_id)
        owner = self.user_ctx(created.tenant.id, owner_id, Role.OWNER)
        return TestTenant(id=created.tenant.id, slug=slug, owner_id=owner_id, owner_email=email, owner=owner)

    def user_ctx(self, tenant: TenantId, user_id: UserId, *roles: Role) -> Ctx:
        """A user's context with the permissions of these roles."""
        return self.ctx(tenant, *permissions_of(roles), actor=Actor(ActorType.USER, str(user_id)))

    async def user(self, tenant: TestTenant, *roles: Role) -> Ctx:
        """The context of a new user with these roles, who has registered."""
        identity = self.api(IdentityApi)
        email = f"{self.foundation.ids.new().hex}@test.example"
        invited = await identity.invite_user(tenant.owner, email=email, name="Somebody", roles=list(roles))
        await identity.register(self.ctx(None), token=invited.token, name="Somebody", password=PASSWORD)
        return self.user_ctx(tenant.id, invited.user.id, *roles)


async def open_installation(
    stack: AsyncExitStack,
    mode: str,
    dsn: str,
    home: Path,
    clock: Clock | None = None,
    failpoints: Failpoints | None = None,
    modules: Sequence[Module] = MODULES,
) -> Installation:
    """Build an installation; `stack` closes it. `failpoints` and `modules` are those of the process that works."""
    clock = clock or SystemClock()
    foundation, services = await _serving(stack, dsn, home, clock, failpoints, modules)
    if mode == "local":
        return Installation(mode, foundation, services, services)
    callers = Callers(make_authenticator(foundation, services, GatewaySettings(address_per_minute=1_000_000)))
    server = rpc_server(foundation, services, callers, "127.0.0.1", 0)
    await server.start()
    stack.push_async_callback(server.stop, 1.0)
    await foundation.registry.announce(
        foundation.process_id, list(services.local), server.address, foundation.public_key
    )
    stack.push_async_callback(foundation.registry.withdraw)
    calling = await _foundation(stack, dsn, home, clock, {name: [server.address] for name in services.local})
    await calling.registry.announce(calling.process_id, [], "", calling.public_key)
    stack.push_async_callback(calling.registry.withdraw)
    clients = assemble(calling, MODULES, [])
    stack.push_async_callback(clients.stop)
    return Installation(mode, calling, clients, services)


async def _serving(
    stack: AsyncExitStack,
    dsn: str,
    home: Path,
    clock: Clock,
    failpoints: Failpoints | None,
    modules: Sequence[Module],
) -> tuple[Foundation, Services]:
    foundation = await _foundation(stack, dsn, home, clock)
    if failpoints is not None:
        foundation = msgspec.structs.replace(foundation, failpoints=failpoints)
    services = assemble(foundation, modules, [module.name for module in modules])
    await services.start()
    stack.push_async_callback(services.stop)
    return foundation, services


@cache
def _models() -> Path:
    """Where the homes of this worker share the model that is shipped, so that it is trained once."""
    shared = tempfile.TemporaryDirectory(prefix="steward-models-")
    atexit.register(shared.cleanup)
    return Path(shared.name)


async def _foundation(
    stack: AsyncExitStack, dsn: str, home: Path, clock: Clock, peers: Mapping[str, list[str]] | None = None
) -> Foundation:
    """`peers` names who is called, for other tests' processes may live on the same database."""
    (home / "keys").mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / "models").exists():
        (home / "models").symlink_to(_models())
    telemetry = Telemetry.for_tests(clock)
    stack.callback(telemetry.shutdown)
    foundation = await open_foundation(
        dsn,
        home=home,
        environment=CHEAP_PASSWORDS,
        peers=peers or {},
        pool_size=10,
        telemetry=telemetry,
        clock=clock,
    )
    stack.push_async_callback(foundation.close)
    return foundation
