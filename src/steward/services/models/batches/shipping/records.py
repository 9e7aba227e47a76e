"""Rows of submissions."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from steward.services.costs.api import CallUsage


class SubmissionState(StrEnum):
    INTENDED = "intended"
    """Stored; nothing was sent."""
    SENT = "sent"
    """It may have arrived."""
    ACCEPTED = "accepted"
    """The provider works on it."""
    ENDED = "ended"


class SubmissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that were, or are to be, submitted at once."""

    id: UUID
    batch: UUID
    connection: str
    state: SubmissionState
    lines: int
    made_at: datetime
    """When it was sent; until then, when it was stored."""
    provider_batch: str = ""
    cancelled: bool = False
    """The provider was told to cancel it."""

    def custom_id(self, number: int) -> str:
        """Of a line, for the provider: 64 characters of letters, digits and hyphens at most."""
        return f"{self.id.hex}-{number}"

    def number(self, custom_id: str) -> int | None:
        """Of the line that a provider names; None for what is none of this submission."""
        mine, _, number = custom_id.partition("-")
        return int(number) if mine == self.id.hex and number.isascii() and number.isdigit() else None


class HeldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a submission, with its call in the ledger."""

    number: int
    call_id: UUID
    request: bytes
    """Sealed."""
    bound: CallUsage
    """The most that it can have used."""
