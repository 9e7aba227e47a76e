"""What can go wrong in identity, one class per business failure."""

from datetime import datetime
from uuid import UUID

from steward.kit.errors import AppError, Conflict, Forbidden, Kind, NotFound, Unauthenticated


class InvalidCredential(Unauthenticated):
    """A token or key that does not count; the same for unknown, malformed, expired, revoked and forged ones."""

    code = "invalid_credential"

    def __init__(self) -> None:
        super().__init__("the credential is not valid (any more): log in again, or use another key")


class UserLoginNeeded(Unauthenticated):
    """What concerns the caller's own account or session was asked for with an API key, which has neither."""

    code = "user_login_needed"

    def __init__(self) -> None:
        super().__init__(
            "this concerns the caller's own log-in, and an API key has none: log in as a user (`steward login`, or "
            "`POST /api/v1/auth/login`) and send the access token",
        )


class WrongCredentials(Unauthenticated):
    """Address and password do not go together; which of the two is wrong is not told."""

    code = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("the e-mail address or the password is wrong")


class AccountLocked(AppError):
    """Too many failed log-ins in a row; `retry_after` is in seconds."""

    code = "account_locked"
    kind = Kind.RATE_LIMITED

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"log-in is locked after too many failures: try again in {retry_after} s", retry_after=retry_after
        )


class TenantNeeded(Conflict):
    """The address has users in several tenants, so the tenant must be named."""

    code = "tenant_needed"

    def __init__(self) -> None:
        super().__init__("this address belongs to several tenants: name one in `tenant`, by its id or slug")


class UserNotFound(NotFound):
    code = "user_not_found"

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"there is no user {user_id} in your tenant: check the id", user_id=str(user_id))


class SessionNotFound(NotFound):
    code = "session_not_found"

    def __init__(self, session_id: UUID | None) -> None:
        what = (
            f"there is no live session {session_id} in your tenant: it has ended, or the id is another"
            if session_id
            else "this credential belongs to no session: log out with the access token of a log-in"
        )
        super().__init__(what, session_id=str(session_id) if session_id else None)


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"

    def __init__(self, key_id: UUID) -> None:
        super().__init__(f"there is no API key {key_id} in your tenant: check the id", key_id=str(key_id))


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("a user of this tenant has this e-mail address already: delete that user or use another one")


class UserChanged(Conflict):
    """The user is not in the version that the change was made from."""

    code = "user_changed"

    def __init__(self, version: int, current: int) -> None:
        super().__init__(
            f"the change was made from version {version}, but the user is at {current}: read it and try again",
            version=version,
            current=current,
        )


class WrongUserState(Conflict):
    """The user's state does not allow the change."""

    code = "wrong_user_state"

    def __init__(self, state: str, wanted: str) -> None:
        super().__init__(
            f"a user who is {state} cannot become {wanted}: active and disabled change into each other, "
            "and an invited user becomes active by registering",
            state=state,
            wanted=wanted,
        )


class LastOwner(Conflict):
    """The change would leave the tenant without an active owner."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("a tenant keeps at least one active owner: make another user owner first")


class RoleTooStrong(Forbidden):
    """A role that permits more than the caller may do."""

    code = "role_too_strong"

    def __init__(self, role: str, missing: str) -> None:
        super().__init__(
            f"role {role} permits {missing}, which you may not do yourself: ask someone who may",
            role=role,
            missing=missing,
        )


class ScopeTooStrong(Forbidden):
    """A scope that the caller does not have, or that no key can have."""

    code = "scope_too_strong"

    def __init__(self, scope: str) -> None:
        super().__init__(f"scope {scope} is not among your own permissions: leave it out", scope=scope)


class ExpiryTooLate(Forbidden):
    """A key that would outlast the key that creates it."""

    code = "expiry_too_late"

    def __init__(self, limit: datetime, wanted: datetime | None) -> None:
        what = f"one until {wanted.isoformat()}" if wanted else "one that never expires"
        super().__init__(
            f"this API key expires at {limit.isoformat()} and cannot create {what}: name an `expires_at` no later than "
            "that, or create the key as a user who is logged in",
            field="expires_at",
            limit=limit.isoformat(),
        )


class TenantClosed(Forbidden):
    """The tenant is suspended or deleted: its users can neither log in nor refresh."""

    code = "tenant_closed"

    def __init__(self) -> None:
        super().__init__("this tenant is suspended, so nobody can log in to it: ask the platform's operator")
