"""The identity service on a real database, with the real tenants service beside it and a clock that tests move."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.kit.authz import Authz
from steward.kit.clock import SystemClock
from steward.kit.context import ANONYMOUS, Actor, ActorType, Ctx
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.crypto.passwords import Passwords, PasswordSettings
from steward.kit.db import Database, DbSettings, ServiceDb, forbid_open_tx
from steward.kit.failpoints import Failpoints
from steward.kit.idempotency import Idempotency
from steward.kit.ids import PLATFORM, Ids, TenantId
from steward.kit.intents import Intents
from steward.kit.module import Apis
from steward.kit.outbox import AuditRecord, StoredEvent
from steward.kit.rpc.balance import RoundRobin
from steward.kit.rpc.caller import CallerSigner, CallerVerifier
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.entry import Entry
from steward.kit.rpc.instances import InstancePool
from steward.kit.rpc.server import RpcServer
from steward.kit.rpc.servicer import Servicer
from steward.kit.telemetry import Telemetry
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys
from steward.services.identity.api import IdentityApi, Principal, Role, Tokens, UserId
from steward.services.identity.people import People
from steward.services.identity.platform.housekeeping import Housekeeping
from steward.services.identity.platform.last_use import LastUse
from steward.services.identity.platform.lock_out import LockOut
from steward.services.identity.platform.signing import SigningKeys
from steward.services.identity.quotas import Quotas
from steward.services.identity.rpc import IDENTITY, IdentityClient
from steward.services.identity.service import IdentityService
from steward.services.identity.settings import IdentitySettings
from steward.services.identity.use_case import IdentityParts
from steward.services.tenants.access import Access
from steward.services.tenants.api import Plan, TenantsApi
from steward.services.tenants.provisioning import Provisioning
from steward.services.tenants.quotas import Quotas as TenantQuotas
from steward.services.tenants.repository import TenantsRepository
from steward.services.tenants.service import TenantsService
from tests.support.rpc import Keys, Log, Resolver, Where

PASSWORD = "correct horse battery staple"
PATIENCE = timedelta(days=365)
"""Tests move the clock by months between the making of a context and its use."""
CHEAP = PasswordSettings(memory_kib=7168, passes=1, lanes=1)


class Crashed(BaseException):
    """Stands for the end of the process: nothing in it may act on it."""


class CrashPoint(Failpoints):
    """Ends the work at the place that `at` names, once, where a real failpoint would kill the process."""

    def __init__(self) -> None:
        super().__init__()
        self.at = ""

    def passing(self, place: str) -> None:
        if place == self.at:
            self.at = ""
            raise Crashed(place)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A registered user, logged in."""

    id: UserId
    email: str
    ctx: Ctx
    tokens: Tokens


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant with its owner."""

    tenant: TenantId
    slug: str
    owner: Member


class World:
    """Everything a test of identity touches."""

    def __init__(self, database: Database, admin_dsn: str, clock: FakeClock, master: LocalMasterKey) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.admin_dsn = admin_dsn
        self.database = database
        self.db = database.service("identity")
        self.envelope = Envelope(Keyring(MemoryDataKeys(), master, clock, self.ids), self.ids, guard=forbid_open_tx)
        self.apis = Apis()
        self.settings = IdentitySettings()
        self.crash = CrashPoint()
        self.parts = self._parts(self.settings)
        self.identity: IdentityApi = IdentityService(self.parts)
        self.tenants = self._tenants(database.service("tenants"))
        self.apis.put(IdentityApi, self.identity)
        self.apis.put(TenantsApi, self.tenants)
        self.housekeeping = Housekeeping(self.db, clock, Telemetry.for_tests(clock).metrics)
        self._count = 0

    def _parts(self, settings: IdentitySettings) -> IdentityParts:
        db, clock, ids = self.db, self.clock, self.ids
        intents = Intents(db, self.envelope, clock, ids, self.crash)
        return IdentityParts(
            db=db,
            clock=clock,
            ids=ids,
            authz=Authz(db),
            idempotency=Idempotency(b"secret of the tests", ids),
            intents=intents,
            apis=self.apis,
            passwords=Passwords(CHEAP, ids),
            people=People(self.envelope),
            signing=SigningKeys(db, self.envelope, clock, ids, settings),
            lock_out=LockOut(db, clock, settings),
            last_use=LastUse(db, clock, settings),
            quotas=Quotas(db, self.apis, intents),
            settings=settings,
        )

    def another_process(self) -> IdentityParts:
        """The parts as a second process on the same database has them, its kinds of intents registered."""
        parts = self._parts(self.settings)
        IdentityService(parts)
        return parts

    def _tenants(self, db: ServiceDb) -> TenantsService:
        authz = Authz(db)
        access = Access(authz)
        rows = TenantsRepository()
        quotas = TenantQuotas(db, authz, access, rows, self.clock)
        provisioning = Provisioning(
            db,
            authz,
            Intents(db, self.envelope, self.clock, self.ids, Failpoints()),
            Idempotency(b"secret of the tests", self.ids),
            quotas,
            self.envelope,
            self.apis,
            self.clock,
            self.ids,
        )
        return TenantsService(db, authz, access, quotas, provisioning, self.clock)

    def ctx(self, **given: Any) -> Ctx:
        """A context; of nobody unless told."""
        parts: dict[str, Any] = {
            "tenant": None,
            "actor": ANONYMOUS,
            "scopes": frozenset(),
            "request_id": "test",
            "deadline": self.clock.now() + PATIENCE,
            "address": "192.0.2.7",
            "user_agent": "pytest/1",
        }
        return Ctx(**{**parts, **given})

    def edge(self) -> Ctx:
        """The gateway's own context."""
        return self.ctx(actor=Actor(ActorType.SERVICE, "gateway"), scopes=frozenset({"service:edge"}))

    def ctx_of(self, principal: Principal) -> Ctx:
        """The context that the gateway makes of a principal."""
        return self.ctx(
            tenant=principal.tenant,
            actor=principal.actor,
            scopes=principal.scopes,
            session_id=principal.session_id,
            key_id=principal.key_id,
        )

    async def authenticated(self, credential: str) -> Ctx:
        return self.ctx_of(await self.identity.authenticate(self.edge(), credential=credential))

    async def new_home(self, plan: Plan = Plan.ENTERPRISE) -> Home:
        """A new tenant whose owner has registered and logged in."""
        self._count += 1
        slug = f"tenant-{self._count}"
        operator = self.ctx(
            tenant=PLATFORM,
            actor=Actor(ActorType.SERVICE, "tests"),
            scopes=frozenset({"platform:tenants"}),
        )
        email = f"owner@{slug}.example"
        created = await self.tenants.create_tenant(operator, name=slug, slug=slug, plan=plan, owner_email=email)
        owner = await self._registered(UserId(created.owner_id), email, created.invitation_token)
        return Home(tenant=created.tenant.id, slug=slug, owner=owner)

    async def new_member(self, home: Home, roles: Sequence[Role] = (), email: str = "") -> Member:
        """A user of the tenant, registered and logged in."""
        self._count += 1
        email = email or f"member-{self._count}@{home.slug}.example"
        owner = home.owner.ctx
        invited = roles or [Role.VIEWER]
        invitation = await self.identity.invite_user(owner, email=email, name="Member", roles=invited)
        if not roles:
            # Nobody is invited without a role: who has none has lost the last one.
            await self.identity.revoke_role(owner, user_id=invitation.user.id, role=Role.VIEWER)
        return await self._registered(invitation.user.id, email, invitation.token)

    async def login(self, email: str, password: str = PASSWORD, tenant: str | None = None) -> Tokens:
        return await self.identity.login(self.ctx(), email=email, password=password, tenant=tenant)

    async def _registered(self, user_id: UserId, email: str, token: str) -> Member:
        await self.identity.register(self.ctx(), token=token, name="Mem Ber", password=PASSWORD)
        tokens = await self.login(email, tenant=str(await self._tenant_of(user_id)))
        return Member(id=user_id, email=email, tokens=tokens, ctx=await self.authenticated(tokens.access_token))

    async def _tenant_of(self, user_id: UserId) -> UUID:
        (row,) = await self.rows("SELECT tenant_id FROM identity.user WHERE id = $1", user_id)
        return row["tenant_id"]

    async def rows(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """What the database holds, as its superuser sees it."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()

    async def audits(self, tenant: TenantId) -> list[AuditRecord]:
        """The tenant's audit entries of identity, oldest first."""
        rows = await self.rows("SELECT body FROM identity.audit_outbox WHERE tenant_id = $1 ORDER BY id", tenant)
        return [msgspec.json.decode(row["body"], type=AuditRecord) for row in rows]

    async def events(self, tenant: TenantId) -> list[StoredEvent]:
        """The tenant's events of identity, oldest first."""
        rows = await self.rows("SELECT body FROM identity.outbox WHERE tenant_id = $1 ORDER BY id", tenant)
        return [msgspec.json.decode(row["body"], type=StoredEvent) for row in rows]

    async def actions(self, tenant: TenantId) -> list[str]:
        """What the tenant's trail says was done, as `action outcome`."""
        return [f"{record.action} {record.outcome.value}" for record in await self.audits(tenant)]

    async def quota_used(self, tenant: TenantId, quota: str) -> int:
        rows = await self.rows("SELECT used FROM tenants.quota_use WHERE tenant_id = $1 AND quota = $2", tenant, quota)
        return rows[0]["used"] if rows else 0


@asynccontextmanager
async def identity_world(
    mode: str, app_dsn: str, admin_dsn: str, master: LocalMasterKey
) -> AsyncGenerator[World, None]:
    """A world on a migrated database; in mode `grpc` its `identity` is a client of what does the work."""
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        database = await Database.open(app_dsn, DbSettings(), clock)
        stack.push_async_callback(database.close)
        world = World(database, admin_dsn, clock, master)
        stack.callback(world.parts.passwords.close)
        if mode == "grpc":
            world.identity = await _served(stack, world)
        yield world


async def _served(stack: AsyncExitStack, world: World) -> IdentityApi:
    """A client of the world's identity service, over real gRPC."""
    private, keys = Ed25519PrivateKey.generate(), Keys()
    keys.known["tests"] = private.public_key()
    door = Entry(world.clock, world.ids, CallerVerifier(world.clock, keys), Resolver())
    servicer = Servicer(IDENTITY, world.identity, entry=door, clock=world.clock, ids=world.ids, log=Log())
    server = RpcServer([servicer], "127.0.0.1")
    await server.start()
    stack.push_async_callback(server.stop, 0)
    pool = InstancePool(IDENTITY, Where(server.address), RoundRobin(), SystemClock())
    stack.push_async_callback(pool.close)
    return IdentityClient(RpcClient(IDENTITY, pool, CallerSigner(world.clock, "tests", private), world.clock))
