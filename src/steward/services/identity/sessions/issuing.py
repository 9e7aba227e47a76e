"""The tokens of a session: one access token and one refresh token at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from steward.kit.context import Ctx
from steward.kit.crypto.secrets import Credential, CredentialKind, new_credential
from steward.kit.ids import TenantId
from steward.services.identity.api import Role, SessionId, Tokens, UserId
from steward.services.identity.errors import TenantClosed
from steward.services.identity.people import strongest_first
from steward.services.identity.records import RefreshRow
from steward.services.identity.tokens import AccessClaims
from steward.services.identity.use_case import UseCase
from steward.services.tenants.api import TenantsApi, TenantState


class Issuing(UseCase):
    """What log-in and refreshing share."""

    async def _require_open(self, ctx: Ctx, tenant: TenantId) -> None:
        """Raise `TenantClosed` for a suspended or deleted tenant, whose users get no tokens; outside transactions."""
        asking = ctx.as_service("identity", "service:edge").for_tenant(tenant)
        policy = await self._parts.apis.get(TenantsApi).get_edge_policy(asking, tenant_id=tenant)
        if policy.state in (TenantState.SUSPENDED, TenantState.DELETED):
            raise TenantClosed

    def _refresh_token(
        self, tenant: TenantId, session_id: SessionId, ends_at: datetime
    ) -> tuple[Credential, RefreshRow]:
        """A new refresh token and the row that knows it; it lasts no longer than the session may."""
        parts = self._parts
        credential = new_credential(parts.ids, CredentialKind.REFRESH_TOKEN, tenant, parts.ids.new())
        expires_at = parts.clock.now() + timedelta(seconds=parts.settings.refresh_token_seconds)
        row = RefreshRow(
            id=credential.id,
            session_id=session_id,
            secret_hash=credential.digest(),
            expires_at=min(expires_at, ends_at),
        )
        return credential, row

    async def _tokens(
        self, ctx: Ctx, user_id: UserId, session_id: SessionId, roles: Sequence[Role], refresh: Credential
    ) -> Tokens:
        """The answer to the caller; the access token is signed here, after the transaction."""
        parts = self._parts
        lifetime = parts.settings.access_token_seconds
        now = int(parts.clock.now().timestamp())
        claims = AccessClaims(
            iss=parts.settings.issuer,
            sub=user_id,
            tenant=ctx.require_tenant(),
            sid=session_id,
            roles=strongest_first(roles),
            iat=now,
            exp=now + lifetime,
            jti=parts.ids.new(),
        )
        return Tokens(
            access_token=await parts.signing.sign(claims),
            token_type="Bearer",  # noqa: S106 the type's name in RFC 6750
            expires_in=lifetime,
            refresh_token=refresh.text(),
            session_id=session_id,
        )
