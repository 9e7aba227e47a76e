"""API keys: made, listed and revoked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.crypto.secrets import Credential, CredentialKind, new_credential
from steward.kit.errors import InvalidInput
from steward.kit.ids import TenantId
from steward.kit.intents import Flow, Step
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.identity import events
from steward.services.identity.api import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyId,
    KeyKind,
    Name,
    Permission,
    UserId,
    UserState,
)
from steward.services.identity.callers import require_user
from steward.services.identity.errors import (
    ApiKeyNotFound,
    ExpiryTooLate,
    InvalidCredential,
    ScopeTooStrong,
    UserNotFound,
)
from steward.services.identity.keys.repository import ApiKeyRepository
from steward.services.identity.quotas import GiveBack
from steward.services.identity.records import ApiKeyRow
from steward.services.identity.roles import GRANTABLE
from steward.services.identity.use_case import IdentityParts, UseCase
from steward.services.identity.users.repository import UserRepository
from steward.services.tenants.api import Quota

_CREATE = "create_api_key"

_CREDENTIALS: Mapping[KeyKind, CredentialKind] = {
    KeyKind.SECRET: CredentialKind.SECRET_KEY,
    KeyKind.PUBLISHABLE: CredentialKind.PUBLISHABLE_KEY,
}


class KeyCreation(msgspec.Struct, frozen=True, kw_only=True):
    """State of the creation of a key: quota first, then the key."""

    row: ApiKeyRow
    secret: str
    secret_hash: bytes


class ApiKeys(UseCase):
    """The tenant's API keys."""

    def __init__(self, parts: IdentityParts) -> None:
        super().__init__(parts)
        self._creation = Flow(
            kind="identity.create_api_key",
            state=KeyCreation,
            steps=[
                Step(name="hold", do=self._hold_for_key, undo=self._undo_key),
                Step(name="create", do=self._insert_key),
            ],
        )
        parts.intents.register(self._creation)

    async def create_api_key(
        self,
        ctx: Ctx,
        *,
        name: Name,
        kind: KeyKind = KeyKind.SECRET,
        scopes: Sequence[Permission] = (),
        expires_at: datetime | None = None,
    ) -> ApiKeyCreated:
        await self._parts.authz.require(ctx, "key:create", "key")
        creator = require_user(ctx)
        async with self._denials_audited(ctx, "key:create", "key"):
            self._check_scopes(ctx, kind, scopes)
            await self._check_expiry(ctx, expires_at)
        row, credential = self._new_key(ctx.require_tenant(), creator, name, kind, scopes, expires_at)
        state = KeyCreation(row=row, secret=credential.text(), secret_hash=credential.digest())
        intent = await self._parts.intents.prepare(ctx, self._creation, state)
        async with self._parts.db.tx(ctx) as tx:
            request = (name, kind, scopes, expires_at)
            again = await self._parts.idempotency.replay(tx, ctx, _CREATE, request, ApiKeyCreated)
            if again is not None:
                return again
            await self._parts.intents.commit(tx, intent)
        state = await self._parts.intents.carry_out(ctx, intent)
        return _created(ctx.require_tenant(), state)

    async def list_api_keys(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        await self._parts.authz.require(ctx, "key:read", "key")
        after = decode_cursor(cursor, UUID)
        async with self._parts.db.read(ctx) as tx:
            rows = await ApiKeyRepository(tx).page(after, limit + 1)
        items = [_api_key(ctx.require_tenant(), row) for row in rows[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def revoke_api_key(self, ctx: Ctx, *, key_id: ApiKeyId) -> ApiKey:
        await self._parts.authz.require(ctx, "key:revoke", f"key/{key_id}")
        intent = await self._parts.quotas.prepare_giving_back(ctx, GiveBack(key_id=key_id))
        now = self._parts.clock.now()
        tenant = ctx.require_tenant()
        async with self._parts.db.tx(ctx) as tx:
            rows = ApiKeyRepository(tx)
            row = await rows.lock(key_id)
            if row is None:
                raise ApiKeyNotFound(key_id)
            if row.revoked_at is not None:
                return _api_key(tenant, row)
            await rows.revoke([key_id], now)
            before, after = _api_key(tenant, row), _api_key(tenant, msgspec.structs.replace(row, revoked_at=now))
            tx.audit(Audit(action="key.revoked", resource=f"key/{key_id}", before=before, after=after))
            tx.emit(events.ApiKeyRevoked(key_id=key_id))
            await self._parts.intents.commit(tx, intent)
        await self._parts.quotas.give_back(ctx, intent)
        return after

    def _check_scopes(self, ctx: Ctx, kind: KeyKind, scopes: Sequence[str]) -> None:
        if kind is KeyKind.PUBLISHABLE and scopes:
            raise InvalidInput("a publishable key takes no scopes: leave `scopes` out", field="scopes")
        if kind is KeyKind.SECRET and not scopes:
            raise InvalidInput("a secret key without scopes could do nothing: name at least one", field="scopes")
        for scope in scopes:
            if scope not in ctx.scopes or scope not in GRANTABLE:
                raise ScopeTooStrong(scope)

    async def _check_expiry(self, ctx: Ctx, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self._parts.clock.now():
            raise InvalidInput(
                f"expires_at {expires_at.isoformat()} is not in the future: name a later time, or leave it out",
                field="expires_at",
            )
        if ctx.key_id is None:
            return
        # Else whoever holds a key for a day could keep its rights for ever, through a key that it made.
        async with self._parts.db.tx(ctx) as tx:
            creating = await ApiKeyRepository(tx).find(ctx.key_id)
        if creating is None:
            raise InvalidCredential
        if creating.expires_at is not None and (expires_at is None or expires_at > creating.expires_at):
            raise ExpiryTooLate(creating.expires_at, expires_at)

    def _new_key(
        self,
        tenant: TenantId,
        creator: UserId,
        name: str,
        kind: KeyKind,
        scopes: Sequence[str],
        expires_at: datetime | None,
    ) -> tuple[ApiKeyRow, Credential]:
        credential = new_credential(self._parts.ids, _CREDENTIALS[kind], tenant, self._parts.ids.new())
        row = ApiKeyRow(
            id=ApiKeyId(credential.id),
            name=name,
            kind=kind,
            scopes=sorted(set(scopes)),
            created_by=creator,
            created_at=self._parts.clock.now(),
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
        )
        return row, credential

    async def _hold_for_key(self, ctx: Ctx, state: KeyCreation) -> KeyCreation:
        await self._parts.quotas.hold(ctx, Quota.API_KEYS, state.row.id)
        return state

    async def _insert_key(self, ctx: Ctx, state: KeyCreation) -> KeyCreation:
        row = state.row
        async with self._parts.db.tx(ctx) as tx:
            creator = await UserRepository(tx).lock(row.created_by)
            keys = ApiKeyRepository(tx)
            if await keys.lock(row.id) is not None:
                # Done before a crash. What became of the creator since is no reason to give the key's quota back.
                return state
            if creator is None or creator.state is not UserState.ACTIVE:
                raise UserNotFound(row.created_by)
            answer = _created(ctx.require_tenant(), state)
            await keys.insert(row, state.secret_hash)
            tx.audit(Audit(action="key.created", resource=f"key/{row.id}", after=answer.api_key))
            tx.emit(events.ApiKeyCreated(key_id=row.id))
            await self._parts.idempotency.remember(tx, ctx, _CREATE, answer)
        return state

    async def _undo_key(self, ctx: Ctx, state: KeyCreation) -> None:
        await self._parts.quotas.release(ctx, Quota.API_KEYS, state.row.id)
        async with self._parts.db.tx(ctx) as tx:
            await self._parts.idempotency.forget(tx, ctx, _CREATE)


def _created(tenant: TenantId, state: KeyCreation) -> ApiKeyCreated:
    return ApiKeyCreated(api_key=_api_key(tenant, state.row), secret=state.secret)


def _api_key(tenant: TenantId, row: ApiKeyRow) -> ApiKey:
    shown = Credential(kind=_CREDENTIALS[row.kind], tenant=tenant, id=row.id, secret=b"")
    return ApiKey(
        id=row.id,
        name=row.name,
        kind=row.kind,
        prefix=shown.prefix(),
        scopes=row.scopes,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
