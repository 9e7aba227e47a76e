"""The credentials that the platform gives out: API keys, refresh tokens and invitations.

Form: `stw_<kind>_<place>_<secret>`, 94 characters. `place` is base64url (RFC 4648 section 5, no padding) of 16 bytes
tenant and 16 bytes id, so that a look-up touches just that tenant's rows; `secret` is base64url of 32 random bytes.
Only SHA-256 of the secret's bytes is stored: 256 random bits need no slow hash.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from steward.kit.ids import Ids, TenantId

SECRET_BYTES = 32
_PART_CHARS = 43
_BRAND = "stw_"
_PLACE_START = len(_BRAND) + 3
_PLACE_END = _PLACE_START + _PART_CHARS
CREDENTIAL_CHARS = _PLACE_END + 1 + _PART_CHARS
_SHOWN_CHARS = _PLACE_START + 32
"""Shows the tenant and the first 8 bytes of the id: with UUIDv7 its time and counter."""


class CredentialKind(StrEnum):
    SECRET_KEY = "sk"  # noqa: S105 a name for a kind, not a secret
    PUBLISHABLE_KEY = "pk"
    REFRESH_TOKEN = "rt"  # noqa: S105 a name for a kind, not a secret
    INVITATION = "in"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential taken apart. Its `repr` leaves the secret out; `text()` is to be shown once and never logged."""

    kind: CredentialKind
    tenant: TenantId
    id: UUID
    secret: bytes

    def text(self) -> str:
        """The credential as its holder keeps it."""
        return f"{_BRAND}{self.kind}_{_encode(self.tenant.bytes + self.id.bytes)}_{_encode(self.secret)}"

    def prefix(self) -> str:
        """How the text begins, enough to tell credentials of a tenant apart; no part of the secret."""
        return self.text()[:_SHOWN_CHARS]

    def digest(self) -> bytes:
        """What to store: SHA-256 of the secret, 32 bytes."""
        return hashlib.sha256(self.secret).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether a stored digest is this credential's, in constant time."""
        return hmac.compare_digest(self.digest(), digest)

    def __repr__(self) -> str:
        return f"Credential({self.prefix()}…)"


def new_credential(ids: Ids, kind: CredentialKind, tenant: TenantId, credential_id: UUID) -> Credential:
    """A credential with a fresh secret."""
    return Credential(kind=kind, tenant=tenant, id=credential_id, secret=ids.token(SECRET_BYTES))


def parse_credential(text: str) -> Credential | None:
    """The credential that a text is, or None; of each credential exactly one text is accepted."""
    if len(text) != CREDENTIAL_CHARS or not text.startswith(_BRAND):
        return None
    kind = _KINDS.get(text[len(_BRAND) : _PLACE_START])
    place = _decode(text[_PLACE_START:_PLACE_END])
    secret = _decode(text[_PLACE_END + 1 :])
    if kind is None or place is None or secret is None or text[_PLACE_END] != "_":
        return None
    return Credential(kind=kind, tenant=TenantId(UUID(bytes=place[:16])), id=UUID(bytes=place[16:]), secret=secret)


_KINDS: Mapping[str, CredentialKind] = {f"{kind}_": kind for kind in CredentialKind}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # The decoder also takes `+`, `/` and stray low bits; a text that does not come out again is not ours.
    return data if _encode(data) == text else None
