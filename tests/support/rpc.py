"""A tenants and an audit service that keep nothing but what they were asked, and two ends of gRPC around them."""

# ruff: noqa: ARG002 - a fake takes what the Protocol gives

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from steward.kit.audit import Outcome
from steward.kit.clock import SystemClock
from steward.kit.context import ANONYMOUS, Actor, ActorType, Ctx
from steward.kit.errors import AppError, Conflict, NotFound, Unauthenticated
from steward.kit.ids import Ids, TenantId
from steward.kit.paging import Page
from steward.kit.rpc.balance import Balancer, RoundRobin
from steward.kit.rpc.caller import CallerSigner, CallerVerifier
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.entry import Entry as Door
from steward.kit.rpc.instances import InstancePool
from steward.kit.rpc.observe import RpcObserver, no_guard
from steward.kit.rpc.server import RpcServer
from steward.kit.rpc.service import RpcService
from steward.kit.rpc.servicer import Servicer
from steward.services.audit.api import AuditApi, Checkpoint, Entry, EntryFilter, Verification
from steward.services.audit.rpc import AUDIT, AuditClient
from steward.services.tenants.api import (
    Amount,
    EdgePolicy,
    Email,
    Name,
    Plan,
    Quota,
    QuotaUse,
    Slug,
    Tenant,
    TenantCreated,
    TenantsApi,
    TenantState,
    TenantUpdate,
    TenantUsage,
)
from steward.services.tenants.rpc import TENANTS, TenantsClient

CLOCK = SystemClock()
IDS = Ids(CLOCK)
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class TenantGone(NotFound):
    code = "tenant_gone"

    def __init__(self, tenant_id: UUID) -> None:
        super().__init__(f"tenant {tenant_id} is gone: 沒有了", tenant_id=str(tenant_id))


class TornStream(Conflict):
    code = "torn_stream"


def ctx(seconds: float = 20, **changes: Any) -> Ctx:
    plain = Ctx(
        tenant=TenantId(IDS.new()),
        actor=Actor(ActorType.USER, "u-1"),
        scopes=frozenset({"tenant:read", "audit:read"}),
        request_id="r-1",
        deadline=CLOCK.now() + timedelta(seconds=seconds),
    )
    return msgspec.structs.replace(plain, **changes)


def tenant(tenant_id: TenantId | None = None, **changes: Any) -> Tenant:
    plain = Tenant(
        id=tenant_id or TenantId(IDS.new()),
        slug="acme",
        name="Acme 公司",
        plan=Plan.PRO,
        state=TenantState.ACTIVE,
        locale="zh-Hant",
        allowed_origins=["https://a.example"],
        created_at=AT,
        updated_at=AT,
        version=3,
    )
    return msgspec.structs.replace(plain, **changes)


def entry(seq: int, text: str = "") -> Entry:
    return Entry(
        seq=seq,
        id=IDS.new(),
        at=AT,
        service="tenants",
        actor=Actor(ActorType.SERVICE, "gateway"),
        action="tenant.updated",
        resource="tenant/1",
        outcome=Outcome.DONE,
        reason=text,
        request_id="r",
        address="127.0.0.1",
        before=None,
        after=msgspec.Raw(b'{"name": "Acme"}'),
        hash="00",
    )


class Tenants(TenantsApi):
    """Answers something for each method; `fails` makes every call fail, `hangs` makes it wait for its end."""

    def __init__(self, name: str = "Acme") -> None:
        self.name = name
        self.calls: list[tuple[str, Ctx, Mapping[str, Any]]] = []
        self.fails: Exception | None = None
        self.hangs = False
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def _called(self, method: str, ctx: Ctx, **arguments: Any) -> None:
        self.calls.append((method, ctx, arguments))
        self.entered.set()
        if self.fails is not None:
            raise self.fails
        if self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise

    async def create_tenant(self, ctx: Ctx, *, name: Name, slug: Slug, plan: Plan, owner_email: Email) -> TenantCreated:
        await self._called("create_tenant", ctx, name=name, slug=slug, plan=plan, owner_email=owner_email)
        return TenantCreated(tenant=tenant(name=name, slug=slug, plan=plan), owner_id=IDS.new(), invitation_token="t")

    async def get_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        await self._called("get_tenant", ctx, tenant_id=tenant_id)
        return tenant(tenant_id, name=self.name)

    async def list_tenants(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Tenant]:
        await self._called("list_tenants", ctx, limit=limit, cursor=cursor)
        return Page([tenant(), tenant()], "next")

    async def update_tenant(self, ctx: Ctx, *, tenant_id: TenantId, change: TenantUpdate) -> Tenant:
        await self._called("update_tenant", ctx, tenant_id=tenant_id, change=change)
        return tenant(tenant_id)

    async def suspend_tenant(self, ctx: Ctx, *, tenant_id: TenantId, reason: str) -> Tenant:
        await self._called("suspend_tenant", ctx, tenant_id=tenant_id, reason=reason)
        return tenant(tenant_id, name=reason)

    async def resume_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        await self._called("resume_tenant", ctx, tenant_id=tenant_id)
        return tenant(tenant_id)

    async def delete_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> None:
        await self._called("delete_tenant", ctx, tenant_id=tenant_id)

    async def update_quota(self, ctx: Ctx, *, tenant_id: TenantId, quota: Quota, limit: int | None) -> QuotaUse:
        await self._called("update_quota", ctx, tenant_id=tenant_id, quota=quota, limit=limit)
        return QuotaUse(quota=quota, limit=limit or 5, used=0, overridden=limit is not None)

    async def get_usage(self, ctx: Ctx, *, tenant_id: TenantId) -> TenantUsage:
        await self._called("get_usage", ctx, tenant_id=tenant_id)
        uses = [QuotaUse(quota=quota, limit=2**53 - 1, used=0, overridden=False) for quota in Quota]
        return TenantUsage(tenant_id=tenant_id, plan=Plan.FREE, quotas=uses)

    async def get_edge_policy(self, ctx: Ctx, *, tenant_id: TenantId) -> EdgePolicy:
        await self._called("get_edge_policy", ctx, tenant_id=tenant_id)
        return EdgePolicy(state=TenantState.ACTIVE, locale="en", requests_per_minute=60, allowed_origins=[])

    async def find_tenant(self, ctx: Ctx, *, slug: Slug) -> TenantId:
        await self._called("find_tenant", ctx, slug=slug)
        return TenantId(IDS.new())

    async def hold_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID, amount: Amount = 1) -> None:
        await self._called("hold_quota", ctx, quota=quota, holder=holder, amount=amount)

    async def release_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID) -> None:
        await self._called("release_quota", ctx, quota=quota, holder=holder)


class Audit(AuditApi):
    """Exports `count` entries with `text` in each, then `breaks` if set."""

    def __init__(self) -> None:
        self.count = 3
        self.text = ""
        self.breaks: Exception | None = None
        self.made = 0
        self.closed = asyncio.Event()

    async def list_entries(
        self,
        ctx: Ctx,
        *,
        where: EntryFilter = EntryFilter(),
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Entry]:
        return Page([entry(1, text=repr(where))])

    async def get_entry(self, ctx: Ctx, *, seq: int) -> Entry:
        return entry(seq, self.text)

    async def export_entries(self, ctx: Ctx, *, where: EntryFilter = EntryFilter()) -> AsyncIterator[Entry]:
        try:
            for seq in range(1, self.count + 1):
                self.made = seq
                yield entry(seq, self.text)
            if self.breaks is not None:
                raise self.breaks
        finally:
            self.closed.set()

    async def list_checkpoints(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Checkpoint]:
        return Page([Checkpoint(seq=1, hash="00", at=AT, key_id="k", signature="ff")])

    async def verify_chain(self, ctx: Ctx) -> Verification:
        return Verification(ok=True, entries=1, checkpoints=1, findings=())


class Keys:
    """The processes that are trusted."""

    def __init__(self) -> None:
        self.known: dict[str, Ed25519PublicKey] = {}

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        return self.known.get(kid)


class Resolver:
    """Knows one credential, `good`."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    async def resolve(
        self, credential: str | None, *, user_agent: str, idempotency_key: str | None, **rest: Any
    ) -> Ctx:
        self.asked.append(
            {"credential": credential, "user_agent": user_agent, "idempotency_key": idempotency_key, **rest}
        )
        if credential not in {None, "good"}:
            raise Unauthenticated("the credential is not good")
        rest.pop("address")
        return Ctx(tenant=None, actor=ANONYMOUS, scopes=frozenset(), **rest)


class Log:
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Mapping[str, Any]]] = []

    def error(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))


class Where:
    """A list of addresses that a test changes."""

    def __init__(self, *addresses: str) -> None:
        self.known: Sequence[str] = addresses
        self.fails: AppError | None = None

    async def addresses(self, service: str) -> Sequence[str]:
        if self.fails is not None:
            raise self.fails
        return self.known


class World:
    """One process that serves, and what another needs to call it."""

    def __init__(self, observer: RpcObserver | None = None) -> None:
        self.tenants, self.audit = Tenants(), Audit()
        self.keys, self.resolver, self.log = Keys(), Resolver(), Log()
        private = Ed25519PrivateKey.generate()
        self.keys.known["gateway-1"] = private.public_key()
        self.signer = CallerSigner(CLOCK, "gateway-1", private)
        self.observer = observer
        self.door = Door(CLOCK, IDS, CallerVerifier(CLOCK, self.keys), self.resolver)
        self.server = self.another(self.tenants)

    def another(self, tenants: TenantsApi, **options: Any) -> RpcServer:
        servicers = [self._servicer(TENANTS, tenants), self._servicer(AUDIT, self.audit)]
        return RpcServer(servicers, "127.0.0.1", **options)

    def _servicer(self, service: RpcService, implementation: object) -> Servicer:
        return Servicer(
            service,
            implementation,
            entry=self.door,
            clock=CLOCK,
            ids=IDS,
            log=self.log,
            observer=self.observer,
        )

    @asynccontextmanager
    async def client(
        self,
        service: RpcService = TENANTS,
        where: Where | None = None,
        balancer: Balancer | None = None,
        guard: Callable[[], None] = no_guard,
    ) -> AsyncGenerator[tuple[RpcClient, InstancePool], None]:
        pool = InstancePool(service, where or Where(self.server.address), balancer or RoundRobin(), CLOCK)
        try:
            yield RpcClient(service, pool, self.signer, CLOCK, observer=self.observer, guard=guard), pool
        finally:
            await pool.close()

    @asynccontextmanager
    async def tenants_client(self, **options: Any) -> AsyncGenerator[TenantsClient, None]:
        async with self.client(TENANTS, **options) as (rpc, _):
            yield TenantsClient(rpc)

    @asynccontextmanager
    async def audit_client(self) -> AsyncGenerator[AuditClient, None]:
        async with self.client(AUDIT) as (rpc, _):
            yield AuditClient(rpc)


@asynccontextmanager
async def running(observer: RpcObserver | None = None) -> AsyncGenerator[World, None]:
    world = World(observer)
    await world.server.start()
    try:
        yield world
    finally:
        await world.server.stop(0)
