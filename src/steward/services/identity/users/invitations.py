"""Invitations: a user is invited, and accepts by setting a password."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.crypto.secrets import Credential, CredentialKind, new_credential, parse_credential
from steward.kit.db import Tx
from steward.kit.intents import Flow, Step
from steward.services.identity.api import (
    Email,
    Invitation,
    Name,
    Password,
    Role,
    Secret,
    User,
    UserId,
    UserState,
)
from steward.services.identity.callers import as_user
from steward.services.identity.errors import EmailTaken, InvalidCredential
from steward.services.identity.events import UserInvited, UserRegistered
from steward.services.identity.people import strongest_first
from steward.services.identity.records import InvitationRow, NewUser, UserRow
from steward.services.identity.trail import user_trail
from steward.services.identity.use_case import IdentityParts, UseCase, refuse_stronger
from steward.services.identity.users.repository import PasswordRepository, UserRepository
from steward.services.tenants.api import Quota

_INVITE = "invite_user"


class InvitationIntent(msgspec.Struct, frozen=True, kw_only=True):
    """State of an invitation: quota first, then the user."""

    user_id: UserId
    email: str
    name: str
    roles: Sequence[Role]
    token: str
    at: datetime
    expires_at: datetime


class Inviting(UseCase):
    """Creates invited users, exactly one for each invitation however often a step is repeated."""

    async def _insert_invited(self, ctx: Ctx, state: InvitationIntent) -> UserRow:
        """Insert the user with their invitation, unless that was done before. Raises `EmailTaken`."""
        tenant = ctx.require_tenant()
        sealed = await self._parts.people.seal_user(tenant, email=state.email, name=state.name)
        user = NewUser(
            id=state.user_id,
            email=sealed.email,
            email_index=sealed.email_index,
            name=sealed.name,
            roles=state.roles,
            created_at=state.at,
        )
        async with self._parts.db.tx(ctx) as tx:
            inserted = await UserRepository(tx).insert(user)
            row = await UserRepository(tx).find(state.user_id)
            if row is None:
                raise EmailTaken
            if inserted:
                await self._insert_invitation(tx, state, row)
                answer = Invitation(user=_invited(state), token=state.token, expires_at=state.expires_at)
                await self._parts.idempotency.remember(tx, ctx, _INVITE, answer)
        return row

    async def _insert_invitation(self, tx: Tx, state: InvitationIntent, user: UserRow) -> None:
        credential = invitation_credential(state.token)
        await PasswordRepository(tx).insert_invitation(
            InvitationRow(
                id=credential.id,
                user_id=state.user_id,
                secret_hash=credential.digest(),
                expires_at=state.expires_at,
            )
        )
        tx.audit(Audit(action="user.invited", resource=f"user/{state.user_id}", after=user_trail(user)))
        tx.emit(UserInvited(user_id=state.user_id, roles=[role.value for role in state.roles]))


class Invitations(Inviting):
    """Invites users and lets them register."""

    def __init__(self, parts: IdentityParts) -> None:
        super().__init__(parts)
        self._invitation = Flow(
            kind="identity.invite_user",
            state=InvitationIntent,
            steps=[
                Step(name="hold", do=self._hold_for_user, undo=self._undo_user),
                Step(name="create", do=self._create_invited),
            ],
        )
        parts.intents.register(self._invitation)

    async def invite_user(self, ctx: Ctx, *, email: Email, name: Name, roles: Sequence[Role]) -> Invitation:
        await self._parts.authz.require(ctx, "user:invite", "user")
        async with self._denials_audited(ctx, "user:invite", "user"):
            refuse_stronger(roles, ctx.scopes)
        state = self._new_invitation(ctx, email, name, roles)
        index = await self._parts.people.email_index(email)
        intent = await self._parts.intents.prepare(ctx, self._invitation, state)
        async with self._parts.db.tx(ctx) as tx:
            request = (email, name, roles)
            again = await self._parts.idempotency.replay(tx, ctx, _INVITE, request, Invitation)
            if again is not None:
                return again
            if await UserRepository(tx).has_address(index):
                raise EmailTaken
            await self._parts.intents.commit(tx, intent)
        state = await self._parts.intents.carry_out(ctx, intent)
        return Invitation(user=_invited(state), token=state.token, expires_at=state.expires_at)

    async def register(self, ctx: Ctx, *, token: Secret, name: Name, password: Password) -> User:
        credential = invitation_credential(token)
        parts = self._parts
        async with parts.db.tx(ctx.for_tenant(credential.tenant)) as tx:
            invitation = await self._open_invitation(tx, credential)
        # Hashed only now: a made-up token must not cost that much work.
        hashed = await parts.passwords.hash(password)
        sealed = await parts.people.seal_name(credential.tenant, name)
        acting = as_user(ctx, credential.tenant, invitation.user_id)
        async with parts.db.tx(acting) as tx:
            await self._open_invitation(tx, credential)
            user = await self._activate(tx, invitation.user_id, sealed, hashed)
        return await parts.people.user(credential.tenant, user)

    async def _open_invitation(self, tx: Tx, credential: Credential) -> InvitationRow:
        """The invitation that is open to the holder of this token. Raises `InvalidCredential`."""
        invitation = await PasswordRepository(tx).find_invitation(credential.id)
        now = self._parts.clock.now()
        if invitation is None or not credential.matches(invitation.secret_hash) or invitation.expires_at <= now:
            raise InvalidCredential
        return invitation

    async def _activate(self, tx: Tx, user_id: UserId, name: bytes, hashed: str) -> UserRow:
        users, passwords = UserRepository(tx), PasswordRepository(tx)
        before = await users.lock(user_id)
        if before is None or before.state is not UserState.INVITED:
            raise InvalidCredential
        await users.set_name(user_id, name)
        await users.set_state(user_id, UserState.ACTIVE)
        await passwords.put(user_id, hashed, self._parts.clock.now())
        await passwords.delete_invitations(user_id)
        after = msgspec.structs.replace(before, name=name, state=UserState.ACTIVE, version=before.version + 2)
        tx.audit(
            Audit(
                action="user.registered",
                resource=f"user/{user_id}",
                before=user_trail(before),
                after=user_trail(after),
            )
        )
        tx.emit(UserRegistered(user_id=user_id))
        return after

    def _new_invitation(self, ctx: Ctx, email: str, name: str, roles: Sequence[Role]) -> InvitationIntent:
        parts = self._parts
        credential = new_credential(parts.ids, CredentialKind.INVITATION, ctx.require_tenant(), parts.ids.new())
        now = parts.clock.now()
        return InvitationIntent(
            user_id=UserId(parts.ids.new()),
            email=email,
            name=name,
            roles=strongest_first(roles),
            token=credential.text(),
            at=now,
            expires_at=now + timedelta(seconds=parts.settings.invitation_seconds),
        )

    async def _hold_for_user(self, ctx: Ctx, state: InvitationIntent) -> InvitationIntent:
        await self._parts.quotas.hold(ctx, Quota.USERS, state.user_id)
        return state

    async def _create_invited(self, ctx: Ctx, state: InvitationIntent) -> InvitationIntent:
        await self._insert_invited(ctx, state)
        return state

    async def _undo_user(self, ctx: Ctx, state: InvitationIntent) -> None:
        await self._parts.quotas.release(ctx, Quota.USERS, state.user_id)
        async with self._parts.db.tx(ctx) as tx:
            await self._parts.idempotency.forget(tx, ctx, _INVITE)


def invitation_credential(token: str) -> Credential:
    """The parts of an invitation token. Raises `InvalidCredential`."""
    credential = parse_credential(token)
    if credential is None or credential.kind is not CredentialKind.INVITATION:
        raise InvalidCredential
    return credential


def _invited(state: InvitationIntent) -> User:
    return User(
        id=state.user_id,
        email=state.email,
        name=state.name,
        state=UserState.INVITED,
        roles=state.roles,
        created_at=state.at,
        last_login_at=None,
        version=1,
    )
