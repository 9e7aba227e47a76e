"""What identity knows of people, sealed and opened; call it while no transaction is open."""

import unicodedata
from collections.abc import Sequence

import msgspec

from steward.kit.crypto import Envelope
from steward.kit.ids import TenantId
from steward.services.identity.api import Role, Session, SessionId, User
from steward.services.identity.records import SessionRow, UserRow

_EMAIL = "identity.user.email"
_NAME = "identity.user.name"
_ADDRESS = "identity.session.address"
_AGENT = "identity.session.user_agent"
_AGENT_CHARS = 400


class SealedUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user's personal data as it is stored."""

    email: bytes
    email_index: bytes
    name: bytes


class People:
    """Seals personal data on the way in and opens it on the way out."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    async def email_index(self, email: str) -> bytes:
        """The blind index of an address, the same in every tenant and every spelling of case and form."""
        return await self._envelope.blind_index(None, normal_email(email), purpose=_EMAIL)

    async def seal_user(self, tenant: TenantId, *, email: str, name: str) -> SealedUser:
        return SealedUser(
            email=await self._envelope.seal(tenant, email.encode(), purpose=_EMAIL),
            email_index=await self.email_index(email),
            name=await self.seal_name(tenant, name),
        )

    async def seal_name(self, tenant: TenantId, name: str) -> bytes:
        return await self._envelope.seal(tenant, name.encode(), purpose=_NAME)

    async def seal_origin(self, tenant: TenantId, *, address: str, user_agent: str) -> tuple[bytes, bytes]:
        """Where a session comes from: network address and user agent, sealed; a long user agent is cut."""
        return (
            await self._envelope.seal(tenant, address.encode(), purpose=_ADDRESS),
            await self._envelope.seal(tenant, user_agent[:_AGENT_CHARS].encode(), purpose=_AGENT),
        )

    async def email_of(self, tenant: TenantId, row: UserRow) -> str:
        return (await self._envelope.open(tenant, row.email, purpose=_EMAIL)).decode()

    async def user(self, tenant: TenantId, row: UserRow) -> User:
        return User(
            id=row.id,
            email=await self.email_of(tenant, row),
            name=(await self._envelope.open(tenant, row.name, purpose=_NAME)).decode(),
            state=row.state,
            roles=strongest_first(row.roles),
            created_at=row.created_at,
            last_login_at=row.last_login_at,
            version=row.version,
        )

    async def session(self, tenant: TenantId, row: SessionRow, *, current: SessionId | None) -> Session:
        return Session(
            id=row.id,
            user_id=row.user_id,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            address=(await self._envelope.open(tenant, row.address, purpose=_ADDRESS)).decode(),
            user_agent=(await self._envelope.open(tenant, row.user_agent, purpose=_AGENT)).decode(),
            current=row.id == current,
        )


def normal_email(email: str) -> str:
    """One spelling for addresses that mean the same: trimmed, NFKC, case folded."""
    folded = unicodedata.normalize("NFKC", email).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def strongest_first(roles: Sequence[Role]) -> list[Role]:
    """The roles in the order of their definition."""
    return [role for role in Role if role in roles]
