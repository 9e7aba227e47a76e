"""What the use cases of identity are built from and share."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import msgspec

from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import ActorType, Ctx
from steward.kit.crypto.passwords import Passwords
from steward.kit.db import ServiceDb, Tx
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids
from steward.kit.intents import Intents
from steward.kit.module import Apis
from steward.services.identity.api import Role
from steward.services.identity.callers import require_user
from steward.services.identity.errors import ExpiryTooLate, RoleTooStrong, ScopeTooStrong
from steward.services.identity.people import People
from steward.services.identity.platform.last_use import LastUse
from steward.services.identity.platform.lock_out import LockOut
from steward.services.identity.platform.signing import SigningKeys
from steward.services.identity.quotas import Quotas
from steward.services.identity.records import UserRow
from steward.services.identity.roles import missing_for, permissions_of
from steward.services.identity.settings import IdentitySettings
from steward.services.identity.users.repository import UserRepository


class IdentityParts(msgspec.Struct, frozen=True, kw_only=True):
    """The collaborators of the use cases."""

    db: ServiceDb
    clock: Clock
    ids: Ids
    authz: Authz
    idempotency: Idempotency
    intents: Intents
    apis: Apis
    passwords: Passwords
    people: People
    signing: SigningKeys
    lock_out: LockOut
    last_use: LastUse
    quotas: Quotas
    settings: IdentitySettings


class UseCase:
    """Base of the use cases, of which the service is made."""

    def __init__(self, parts: IdentityParts) -> None:
        self._parts = parts

    @asynccontextmanager
    async def _denials_audited(self, ctx: Ctx, permission: str, resource: str) -> AsyncGenerator[None]:
        """Write a refusal of more than the caller has to the trail, as one for want of a permission is."""
        try:
            yield
        except (RoleTooStrong, ScopeTooStrong, ExpiryTooLate):
            await self._parts.authz.refused(ctx, permission, resource)
            raise

    async def _refuse_over_stronger(self, tx: Tx, ctx: Ctx, user: UserRow) -> None:
        """Raise `RoleTooStrong` for a user who may do more than the user who calls.

        A key is measured by the roles of its creator: its scopes say what it may do, not to whom.
        """
        allowed = ctx.scopes
        if ctx.actor.type is ActorType.USER:
            caller = await UserRepository(tx).find(require_user(ctx))
            allowed |= permissions_of(caller.roles) if caller else frozenset()
        refuse_stronger(user.roles, allowed)


def refuse_stronger(roles: Sequence[Role], allowed: frozenset[str]) -> None:
    """Raise `RoleTooStrong` for a role that permits anything beyond `allowed`."""
    for role in roles:
        missing = missing_for(role, allowed)
        if missing is not None:
            raise RoleTooStrong(role.value, missing)
