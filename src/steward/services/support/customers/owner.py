"""Who a session belongs to."""

from enum import StrEnum

import msgspec


class OwnerKind(StrEnum):
    CUSTOMER = "customer"
    """Known for sure: a back end said so, or a token that the tenant signed."""
    VISITOR = "visitor"
    """Whoever it is; the id, where there is one, is only what they say."""


class Owner(msgspec.Struct, frozen=True):
    """Whom a session belongs to; a visitor without an id is anybody who knows the session's id."""

    kind: OwnerKind
    id: str = ""

    @property
    def customer_id(self) -> str | None:
        """The customer in the tenant's books; None for an anonymous one."""
        return self.id if self.kind is OwnerKind.CUSTOMER else None


NOBODY = Owner(OwnerKind.VISITOR)
