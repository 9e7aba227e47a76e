"""What the tenants service tells the others."""

from steward.kit.outbox import DomainEvent
from steward.services.tenants.api import Plan, Quota


class TenantCreated(DomainEvent, frozen=True, kw_only=True):
    slug: str
    name: str
    plan: Plan


class TenantUpdated(DomainEvent, frozen=True, kw_only=True):
    name: str
    plan: Plan
    locale: str
    allowed_origins: list[str]
    version: int
    changed: list[str]
    """The fields that are not what they were."""


class TenantSuspended(DomainEvent, frozen=True, kw_only=True):
    reason: str


class TenantResumed(DomainEvent, frozen=True, kw_only=True):
    pass


class TenantDeleted(DomainEvent, frozen=True, kw_only=True):
    pass


class QuotaChanged(DomainEvent, frozen=True, kw_only=True):
    quota: Quota
    limit: int
