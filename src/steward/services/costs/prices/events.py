"""What changes of prices tell the others, and the other processes of this service."""

from steward.kit.outbox import DomainEvent


class PriceChanged(DomainEvent, frozen=True, kw_only=True):
    """An override was set or taken back; of tenant `PLATFORM`, it is the installation's."""

    provider: str
    model: str
