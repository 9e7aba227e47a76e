"""Whom a credential speaks for, and with what rights at this moment."""

from collections.abc import Mapping
from datetime import timedelta

from steward.kit.authz import LoginNeeded
from steward.kit.context import ANONYMOUS, Actor, ActorType, Ctx
from steward.kit.crypto.secrets import Credential, CredentialKind, parse_credential
from steward.kit.ids import TenantId
from steward.services.identity.api import (
    ApiKeyId,
    JsonWebKeySet,
    KeyKind,
    Principal,
    Role,
    Secret,
    SessionId,
    UserId,
    UserState,
)
from steward.services.identity.callers import own_id
from steward.services.identity.errors import InvalidCredential
from steward.services.identity.keys.repository import ApiKeyRepository
from steward.services.identity.people import strongest_first
from steward.services.identity.records import KeyHolderRow
from steward.services.identity.roles import PUBLISHABLE_SCOPES, permissions_of
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.use_case import UseCase
from steward.services.identity.users.repository import UserRepository

KEPT = timedelta(seconds=30)
"""How long a caller may keep an answer; events end it sooner."""

_KEY_KINDS: Mapping[CredentialKind, KeyKind] = {
    CredentialKind.SECRET_KEY: KeyKind.SECRET,
    CredentialKind.PUBLISHABLE_KEY: KeyKind.PUBLISHABLE,
}


class Authentication(UseCase):
    """Access tokens and API keys are turned into principals."""

    async def authenticate(self, ctx: Ctx, *, credential: Secret) -> Principal:
        await self._parts.authz.require(ctx, "service:edge")
        if credential.startswith("stw_"):
            return await self._by_key(ctx, credential)
        return await self._by_token(ctx, credential)

    async def whoami(self, ctx: Ctx) -> Principal:
        if ctx.tenant is None:
            raise LoginNeeded
        roles: list[Role] = []
        user_id = own_id(ctx)
        if user_id is not None:
            async with self._parts.db.read(ctx) as tx:
                user = await UserRepository(tx).find(user_id)
            roles = strongest_first(user.roles) if user else []
        return Principal(
            tenant=ctx.tenant,
            actor=ctx.actor,
            scopes=ctx.scopes,
            roles=roles,
            session_id=SessionId(ctx.session_id) if ctx.session_id else None,
            key_id=ApiKeyId(ctx.key_id) if ctx.key_id else None,
            expires_at=self._parts.clock.now() + KEPT,
        )

    async def get_jwks(self, ctx: Ctx) -> JsonWebKeySet:  # noqa: ARG002 the contract's shape; open to all
        return await self._parts.signing.jwks()

    async def _by_token(self, ctx: Ctx, token: str) -> Principal:
        claims = await self._parts.signing.verify(token)
        tenant, session_id, user_id = TenantId(claims.tenant), SessionId(claims.sid), UserId(claims.sub)
        now = self._parts.clock.now()
        async with self._parts.db.read(ctx.for_tenant(tenant)) as tx:
            holder = await SessionRepository(tx).holder(session_id, user_id, now)
        if holder is None:
            raise InvalidCredential
        self._parts.last_use.session(tenant, session_id, holder.last_used_at)
        left = timedelta(seconds=claims.exp - now.timestamp())
        return Principal(
            tenant=tenant,
            actor=Actor(ActorType.USER, str(user_id)),
            scopes=permissions_of(holder.roles),
            roles=strongest_first(holder.roles),
            session_id=session_id,
            key_id=None,
            expires_at=min(now + KEPT, now + left, holder.expires_at),
        )

    async def _by_key(self, ctx: Ctx, text: str) -> Principal:
        credential = parse_credential(text)
        kind = _KEY_KINDS.get(credential.kind) if credential else None
        if credential is None or kind is None:
            raise InvalidCredential
        async with self._parts.db.read(ctx.for_tenant(credential.tenant)) as tx:
            holder = await ApiKeyRepository(tx).holder(credential.id, kind)
        now = self._parts.clock.now()
        if holder is None or not _counts(holder, credential) or (holder.expires_at and holder.expires_at <= now):
            raise InvalidCredential
        self._parts.last_use.key(credential.tenant, credential.id, holder.last_used_at)
        publishable = kind is KeyKind.PUBLISHABLE
        return Principal(
            tenant=credential.tenant,
            actor=ANONYMOUS if publishable else Actor(ActorType.USER, str(holder.created_by)),
            scopes=PUBLISHABLE_SCOPES if publishable else permissions_of(holder.roles).intersection(holder.scopes),
            roles=[],
            session_id=None,
            key_id=ApiKeyId(credential.id),
            expires_at=min(now + KEPT, holder.expires_at or now + KEPT),
        )


def _counts(holder: KeyHolderRow, credential: Credential) -> bool:
    """Whether the secret is right (compared first, in constant time), the key not revoked, its creator active."""
    return (
        credential.matches(holder.secret_hash)
        and holder.revoked_at is None
        and holder.creator_state is UserState.ACTIVE
    )
