# ruff: noqa: ARG002 - the fakes have the parameters of the contracts that they stand for.
"""The three services in memory: only what the edge's tests call. The real ones take their place in tests/e2e."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from steward.kit.audit import Outcome
from steward.kit.clock import Clock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import Conflict, Forbidden
from steward.kit.health import Dependency, HealthReport, Readiness, State, Status
from steward.kit.ids import Ids, TenantId
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.audit.api import Entry, EntryFilter
from steward.services.identity.api import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyId,
    JsonWebKeySet,
    Principal,
    Role,
    Session,
    SessionId,
    Tokens,
    User,
    UserId,
    UserState,
    UserUpdate,
)
from steward.services.identity.errors import InvalidCredential, WrongCredentials
from steward.services.support.api import ChatEvent, ChatEventType
from steward.services.support.errors import SessionNotFound
from steward.services.tenants.api import EdgePolicy, Plan, Tenant, TenantState

TENANT = TenantId(UUID("018f3c5a-0000-7000-8000-0000000000aa"))
USER = UserId(UUID("018f3c5a-0000-7000-8000-0000000000bb"))
SESSION = SessionId(UUID("018f3c5a-0000-7000-8000-0000000000cc"))
KEY = ApiKeyId(UUID("018f3c5a-0000-7000-8000-0000000000dd"))
AT = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "token-of-a-user"
API_KEY = "stw_sk_of-a-server"


class FakeIdentity:
    """Knows one user's token and one API key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.seen: list[Ctx] = []
        self.known = {
            TOKEN: (Actor(ActorType.USER, str(USER)), SESSION, None),
            API_KEY: (Actor(ActorType.SERVICE, "key"), None, KEY),
        }
        self.cancelled = asyncio.Event()
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        self.hold_authenticate: asyncio.Event | None = None

    async def authenticate(self, ctx: Ctx, *, credential: str) -> Principal:
        assert ctx.scopes == {"service:edge"}
        self.asked += 1
        self.was_asked.set()
        found = self.known.get(credential)
        if self.hold_authenticate is not None:
            await self.hold_authenticate.wait()
        if found is None:
            raise InvalidCredential
        actor, session, key = found
        return Principal(
            tenant=TENANT,
            actor=actor,
            scopes=frozenset({"user:read"}),
            roles=[Role.ADMIN],
            session_id=session,
            key_id=key,
            expires_at=self._clock.now() + timedelta(seconds=30),
        )

    async def whoami(self, ctx: Ctx) -> Principal:
        self.seen.append(ctx)
        return Principal(
            tenant=ctx.require_tenant(),
            actor=ctx.actor,
            scopes=ctx.scopes,
            roles=[],
            session_id=None,
            key_id=None,
            expires_at=AT,
        )

    async def login(self, ctx: Ctx, *, email: str, password: str, tenant: str | None = None) -> Tokens:
        self.seen.append(ctx)
        if password != "open sesame":
            raise WrongCredentials
        return Tokens(
            access_token=TOKEN, token_type="Bearer", expires_in=900, refresh_token="refresh", session_id=SESSION
        )

    async def logout(self, ctx: Ctx) -> None:
        self.known.pop(TOKEN, None)

    async def get_user(self, ctx: Ctx, *, user_id: UserId) -> User:
        return User(
            id=user_id,
            email="ada@example.com",
            name="Ada",
            state=UserState.ACTIVE,
            roles=[Role.OWNER],
            created_at=AT,
            last_login_at=None,
            version=1,
        )

    async def update_user(self, ctx: Ctx, *, user_id: UserId, change: UserUpdate) -> User:
        return await self.get_user(ctx, user_id=user_id)

    async def assign_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        return await self.get_user(ctx, user_id=user_id)

    async def list_users(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        first = decode_cursor(cursor, int) or 0
        user = await self.get_user(ctx, user_id=USER)
        return Page([user] * limit, encode_cursor(first + limit))

    async def list_roles(self, ctx: Ctx) -> Sequence[Any]:
        raise ZeroDivisionError("secret detail of the inside")

    async def list_sessions(self, ctx: Ctx, *, user_id: UserId | None = None) -> Sequence[Session]:
        """Hangs until it is released, and notes when it is cancelled."""
        self.arrived.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return []

    async def create_api_key(self, ctx: Ctx, *, name: str, kind: Any, scopes: Any, expires_at: Any) -> ApiKeyCreated:
        self.seen.append(ctx)
        if name == "taken":
            raise Conflict("there is a key of this name", name=name)
        key = ApiKey(
            id=KEY,
            name=name,
            kind=kind,
            prefix="stw_sk_",
            scopes=scopes,
            created_by=USER,
            created_at=AT,
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
        )
        return ApiKeyCreated(api_key=key, secret="stw_sk_new")

    async def get_jwks(self, ctx: Ctx) -> JsonWebKeySet:
        return JsonWebKeySet([])


class FakeTenants:
    """Has one tenant, whose policy tests change."""

    def __init__(self) -> None:
        self.policy = EdgePolicy(
            state=TenantState.ACTIVE,
            locale="zh-Hant",
            requests_per_minute=100_000,
            allowed_origins=("https://shop.example",),
        )
        self.updates: list[Any] = []

    async def get_edge_policy(self, ctx: Ctx, *, tenant_id: TenantId) -> EdgePolicy:
        assert ctx.tenant == tenant_id == TENANT
        return self.policy

    async def get_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        return Tenant(
            id=tenant_id,
            slug="demo",
            name="Demo",
            plan=Plan.PRO,
            state=self.policy.state,
            locale="en",
            allowed_origins=self.policy.allowed_origins,
            created_at=AT,
            updated_at=AT,
            version=1,
        )

    async def update_tenant(self, ctx: Ctx, *, tenant_id: TenantId, change: Any) -> Tenant:
        self.updates.append(change)
        return await self.get_tenant(ctx, tenant_id=tenant_id)

    async def suspend_tenant(self, ctx: Ctx, *, tenant_id: TenantId, reason: str) -> Tenant:
        self.policy = msgspec.structs.replace(self.policy, state=TenantState.SUSPENDED)
        return await self.get_tenant(ctx, tenant_id=tenant_id)


class FakeAudit:
    """Has as many entries as a test asks for."""

    def __init__(self) -> None:
        self.entries = 3
        self.denied = False
        self.where: EntryFilter | None = None
        self.endless = False
        self.ended = asyncio.Event()

    async def list_entries(
        self, ctx: Ctx, *, where: EntryFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[Entry]:
        self.where = where
        return Page([])

    async def get_entry(self, ctx: Ctx, *, seq: int) -> Entry:
        return self._entry(seq)

    async def export_entries(self, ctx: Ctx, *, where: EntryFilter) -> AsyncIterator[Entry]:
        if self.denied:
            raise Forbidden("you may not export")
        try:
            seq = 0
            while self.endless or seq < self.entries:
                seq += 1
                yield self._entry(seq)
        finally:
            self.ended.set()

    def _entry(self, seq: int) -> Entry:
        return Entry(
            seq=seq,
            id=UUID(int=seq),
            at=AT,
            service="identity",
            actor=Actor(ActorType.USER, str(USER)),
            action="user.invited",
            resource="user/1",
            outcome=Outcome.DONE,
            reason="",
            request_id="r",
            address="",
            before=None,
            after=msgspec.Raw(b'{"name":"Ada"}'),
            hash="00",
        )


class FakeDesk:
    """Says everything back in two events, and does what some words tell it to."""

    def __init__(self, clock: Clock) -> None:
        self._ids = Ids(clock)
        self.seen: list[tuple[Ctx, str, str | None]] = []
        self.resumed: list[str] = []
        self.release = asyncio.Event()
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()

    async def chat_stream(
        self,
        ctx: Ctx,
        *,
        message: str,
        session_id: UUID | None = None,
        user_id: str | None = None,
        customer_token: str | None = None,
        metadata: Any = None,
        after: str | None = None,
    ) -> AsyncIterator[ChatEvent]:
        self.seen.append((ctx, message, customer_token))
        if after is not None:
            self.resumed.append(after)
        if message == "whose":
            raise SessionNotFound(session_id or USER)
        if message == "break":
            raise ZeroDivisionError("secret detail of the inside")
        message_id = self._ids.new()
        session = session_id or self._ids.new()
        yield ChatEvent(id=f"{message_id}:0", type=ChatEventType.ACCEPTED, session_id=session, message_id=message_id)
        if message == "hold":
            self.arrived.set()
            try:
                await self.release.wait()
            finally:
                self.left.set()
        yield ChatEvent(
            id=f"{message_id}:1", type=ChatEventType.DELTA, session_id=session, message_id=message_id, text=message
        )


class FakeOps:
    """A platform whose health a test decides."""

    def __init__(self) -> None:
        self.status = Status.OK

    async def health(self) -> HealthReport:
        database = Dependency(status=self.status, checked_at=AT)
        return HealthReport(status=self.status, version="0", dependencies={"database": database})

    async def readiness(self) -> Readiness:
        return Readiness(ready=self.status is Status.OK, state=State.READY, waiting_for=[])

    def metrics(self) -> bytes:
        return b"steward_up 1\n"
