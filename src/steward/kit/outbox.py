"""What a transaction leaves behind for others: events and audit records, in the writer's own schema."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from steward.kit.audit import Outcome
from steward.kit.context import Actor
from steward.kit.ids import TenantId


def audits_of(service: str) -> str:
    """What wakes those who wait for a service's audit records alone; its events wake by the service's name."""
    return f"{service}:audit"


class DomainEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the events that services emit; named in the past tense. Its type is `<service>.<ClassName>`."""


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the outbox holds it and consumers get it."""

    id: UUID
    tenant: TenantId
    type: str
    """`<service>.<ClassName>`."""
    at: datetime
    request_id: str
    actor: Actor
    payload: msgspec.Raw
    """The `DomainEvent` as JSON."""
    traceparent: str = ""
    """W3C Trace Context of the work that emitted it."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An audit entry as the audit outbox holds it, before the audit service chains it."""

    id: UUID
    tenant: TenantId
    service: str
    at: datetime
    actor: Actor
    request_id: str
    address: str
    action: str
    resource: str
    outcome: Outcome
    reason: str
    before: Any
    after: Any
