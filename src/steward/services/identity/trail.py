"""What the audit trail keeps of users and sessions: nothing personal, so that nothing needs to be erased from it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from steward.services.identity.api import Role, UserId, UserState
from steward.services.identity.records import UserRow


class UserTrail(msgspec.Struct, frozen=True, kw_only=True):
    state: UserState
    roles: Sequence[Role]
    version: int


class SessionTrail(msgspec.Struct, frozen=True, kw_only=True):
    user_id: UserId
    expires_at: datetime


def user_trail(row: UserRow) -> UserTrail:
    """The user as the trail shows them before or after a change."""
    return UserTrail(state=row.state, roles=row.roles, version=row.version)
