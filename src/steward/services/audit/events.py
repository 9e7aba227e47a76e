"""What the audit service tells the others."""

from steward.kit.outbox import DomainEvent


class ChainBroken(DomainEvent, frozen=True, kw_only=True):
    """A verification found a tenant's trail changed."""

    findings: int
    first: str
