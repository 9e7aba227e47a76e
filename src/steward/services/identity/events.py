"""The events of identity. Caches of principals are dropped by them, so each carries the ids that it makes invalid."""

from collections.abc import Sequence
from uuid import UUID

from steward.kit.outbox import DomainEvent


class UserInvited(DomainEvent, frozen=True, kw_only=True):
    user_id: UUID
    roles: Sequence[str]


class UserRegistered(DomainEvent, frozen=True, kw_only=True):
    user_id: UUID


class UserRenamed(DomainEvent, frozen=True, kw_only=True):
    user_id: UUID


class UserDisabled(DomainEvent, frozen=True, kw_only=True):
    """A user may do nothing any more; their sessions have ended and their keys rest."""

    user_id: UUID
    session_ids: Sequence[UUID]
    key_ids: Sequence[UUID]


class UserEnabled(DomainEvent, frozen=True, kw_only=True):
    user_id: UUID


class UserDeleted(DomainEvent, frozen=True, kw_only=True):
    """A user is gone; their sessions have ended and their keys are revoked."""

    user_id: UUID
    session_ids: Sequence[UUID]
    key_ids: Sequence[UUID]


class PasswordChanged(DomainEvent, frozen=True, kw_only=True):
    """A password was changed; the sessions named have ended."""

    user_id: UUID
    session_ids: Sequence[UUID]


class RolesChanged(DomainEvent, frozen=True, kw_only=True):
    """What a user may do has changed, and so what their live sessions and keys may."""

    user_id: UUID
    roles: Sequence[str]
    session_ids: Sequence[UUID]
    key_ids: Sequence[UUID]


class SessionStarted(DomainEvent, frozen=True, kw_only=True):
    user_id: UUID
    session_id: UUID


class SessionRevoked(DomainEvent, frozen=True, kw_only=True):
    """A session has ended before its time: log-out, revocation or reuse of a refresh token."""

    user_id: UUID
    session_id: UUID


class LoginLocked(DomainEvent, frozen=True, kw_only=True):
    """Failed log-ins in a row have locked log-in for a while."""

    user_id: UUID
    seconds: int


class ApiKeyCreated(DomainEvent, frozen=True, kw_only=True):
    key_id: UUID


class ApiKeyRevoked(DomainEvent, frozen=True, kw_only=True):
    key_id: UUID


class IdentitiesErased(DomainEvent, frozen=True, kw_only=True):
    """Every user, session and key of the event's tenant is gone."""
