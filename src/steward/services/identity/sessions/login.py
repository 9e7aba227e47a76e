"""Log-in by address and password."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from steward.kit.audit import Audit, Outcome
from steward.kit.context import Ctx, SystemCtx
from steward.kit.errors import InvalidInput, NotFound
from steward.kit.ids import PLATFORM, TenantId
from steward.services.identity.api import Email, Secret, SessionId, Tokens, UserId
from steward.services.identity.callers import as_user
from steward.services.identity.errors import TenantNeeded, WrongCredentials
from steward.services.identity.events import LoginLocked, SessionStarted
from steward.services.identity.platform.repository import LoginSystemRepository
from steward.services.identity.records import Candidate, SessionRow
from steward.services.identity.sessions.issuing import Issuing
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.trail import SessionTrail
from steward.services.identity.users.repository import PasswordRepository, UserRepository
from steward.services.tenants.api import TenantsApi

_MOST_TENANTS = 8
"""In how many tenants an address is tried at most, where none is named."""

_NOBODY = Candidate(PLATFORM, UserId(UUID(int=0)))
"""Stands in where the address has no user, so that refusing takes the same steps and the same time."""


class Login(Issuing):
    """Turns an address and a password into a session."""

    async def login(self, ctx: Ctx, *, email: Email, password: Secret, tenant: str | None = None) -> Tokens:
        index = await self._parts.people.email_index(email)
        wanted = await self._tenant(ctx, tenant)
        candidates = await self._look_up(index, wanted)
        checks = [self._check(ctx, who, password) for who in candidates or [_NOBODY]]
        right = await asyncio.gather(*checks)
        matching = [who for who, matches in zip(candidates, right, strict=False) if matches]
        if not matching:
            await self._refuse(ctx, index, candidates)
            raise WrongCredentials
        await self._parts.lock_out.succeeded(index)
        if len(candidates) > 1:
            raise TenantNeeded
        await self._require_open(ctx, matching[0].tenant)
        return await self._open_session(ctx, matching[0])

    async def _tenant(self, ctx: Ctx, named: str | None) -> TenantId | None:
        """The tenant that is meant, by id or slug; one that does not exist is the platform's, where nobody lives."""
        if named is None:
            return None
        try:
            return TenantId(UUID(named))
        except ValueError:
            pass
        tenants = self._parts.apis.get(TenantsApi)
        try:
            return await tenants.find_tenant(ctx.as_service("identity", "service:edge"), slug=named)
        except (NotFound, InvalidInput):
            return PLATFORM

    async def _look_up(self, index: bytes, tenant: TenantId | None) -> Sequence[Candidate]:
        """Who may be meant. Raises `AccountLocked`."""
        async with self._parts.db.system_tx(SystemCtx(reason="log-in by address", service="identity")) as tx:
            rows = LoginSystemRepository(tx)
            attempt = await rows.attempt(index)
            candidates = await rows.candidates(index, tenant, _MOST_TENANTS)
        self._parts.lock_out.refuse(attempt)
        return candidates

    async def _check(self, ctx: Ctx, who: Candidate, password: str) -> bool:
        """Whether it is this user's password; an outdated hash of a right one is replaced."""
        passwords = self._parts.passwords
        there = ctx.for_tenant(who.tenant)
        async with self._parts.db.tx(there) as tx:
            stored = await PasswordRepository(tx).find(who.user_id)
        if stored is None:
            await passwords.verify_nobody(password)
            return False
        if not await passwords.verify(password, stored):
            return False
        if passwords.needs_rehash(stored):
            renewed = await passwords.hash(password)
            async with self._parts.db.tx(as_user(ctx, who.tenant, who.user_id)) as tx:
                if await PasswordRepository(tx).replace(who.user_id, stored, renewed, self._parts.clock.now()):
                    tx.audit(Audit(action="user.password_rehashed", resource=f"user/{who.user_id}"))
        return True

    async def _refuse(self, ctx: Ctx, index: bytes, candidates: Sequence[Candidate]) -> None:
        """Count the failure; write it to the trail of each tenant where the address has a user, or the platform's."""
        locked = await self._parts.lock_out.failed(index)
        for who in candidates or [_NOBODY]:
            async with self._parts.db.tx(ctx.for_tenant(who.tenant)) as tx:
                resource = "user" if who is _NOBODY else f"user/{who.user_id}"
                tx.audit(
                    Audit(
                        action="session.started",
                        resource=resource,
                        outcome=Outcome.FAILED,
                        reason="unknown address" if who is _NOBODY else "wrong password",
                    )
                )
                if locked and who is not _NOBODY:
                    seconds = self._parts.settings.lockout_seconds
                    tx.audit(Audit(action="user.login_locked", resource=resource, reason=f"for {seconds} s"))
                    tx.emit(LoginLocked(user_id=who.user_id, seconds=seconds))

    async def _open_session(self, ctx: Ctx, who: Candidate) -> Tokens:
        parts = self._parts
        now = parts.clock.now()
        session_id = SessionId(parts.ids.new())
        acting = as_user(ctx, who.tenant, who.user_id, session_id)
        ends_at = now + timedelta(seconds=parts.settings.session_seconds)
        credential, token = self._refresh_token(who.tenant, session_id, ends_at)
        address, agent = await parts.people.seal_origin(who.tenant, address=ctx.address, user_agent=ctx.user_agent)
        session = SessionRow(
            id=session_id,
            user_id=who.user_id,
            created_at=now,
            last_used_at=now,
            expires_at=token.expires_at,
            ends_at=ends_at,
            address=address,
            user_agent=agent,
        )
        async with parts.db.tx(acting) as tx:
            user = await UserRepository(tx).note_login(who.user_id, now)
            if user is None:
                raise WrongCredentials
            await SessionRepository(tx).insert(session, token)
            after = SessionTrail(user_id=who.user_id, expires_at=session.expires_at)
            tx.audit(Audit(action="session.started", resource=f"session/{session_id}", after=after))
            tx.emit(SessionStarted(user_id=who.user_id, session_id=session_id))
        return await self._tokens(acting, who.user_id, session_id, user.roles, credential)
