"""Rows of identity as the repositories give them; sealed values are still sealed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.ids import TenantId
from steward.services.identity.api import ApiKeyId, KeyKind, Role, SessionId, UserId, UserState


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UserId
    email: bytes
    name: bytes
    state: UserState
    roles: Sequence[Role]
    created_at: datetime
    last_login_at: datetime | None
    version: int


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to insert, invited."""

    id: UserId
    email: bytes
    email_index: bytes
    name: bytes
    roles: Sequence[Role]
    created_at: datetime


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    user_id: UserId
    secret_hash: bytes
    expires_at: datetime


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    id: SessionId
    user_id: UserId
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    """When its newest refresh token ends, and the session with it."""
    ends_at: datetime
    """The end that refreshing cannot move."""
    address: bytes
    user_agent: bytes


class RefreshRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token to insert."""

    id: UUID
    session_id: SessionId
    secret_hash: bytes
    expires_at: datetime


class SpendableRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token with its session, both locked, and its user."""

    session_id: SessionId
    user_id: UserId
    secret_hash: bytes
    expires_at: datetime
    spent_at: datetime | None
    ends_at: datetime
    revoked_at: datetime | None
    user_state: UserState
    roles: Sequence[Role] = ()


class ApiKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    id: ApiKeyId
    name: str
    kind: KeyKind
    scopes: Sequence[str]
    created_by: UserId
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyHolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether an API key counts and for what."""

    kind: KeyKind
    secret_hash: bytes
    scopes: Sequence[str]
    created_by: UserId
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    creator_state: UserState
    roles: Sequence[Role]


class SessionHolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A live session of an active user, with the roles the user has now."""

    expires_at: datetime
    last_used_at: datetime
    roles: Sequence[Role]


class Candidate(msgspec.Struct, frozen=True):
    """A user who may be meant by an address at log-in."""

    tenant: TenantId
    user_id: UserId


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How log-in stands for an address."""

    failures: int
    locked_until: datetime | None


class SigningKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    kid: str
    public_key: bytes
    private_key: bytes
    """Sealed."""
    created_at: datetime
    signs_from: datetime
    expires_at: datetime | None
    """When the key is forgotten; set once it has a successor."""
