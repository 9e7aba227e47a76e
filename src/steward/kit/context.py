"""The context of a call: who acts, for which tenant, with which rights, until when.

`Ctx` is the first argument of every api and service method. It is built once at each entry (HTTP, gRPC, a row that
background work picks up) and never changed on the way. `SystemCtx` is for work that belongs to no request and must
name its reason. There is no way to the database without one of the two.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from steward.kit.ids import TenantId


class ActorType(StrEnum):
    USER = "user"
    AGENT = "agent"
    SERVICE = "service"
    CUSTOMER = "customer"
    ANONYMOUS = "anonymous"


class Actor(msgspec.Struct, frozen=True):
    """Who acts. `id` is the user's, agent's or customer's id, a service's name, or empty for anonymous."""

    type: ActorType
    id: str = ""


ANONYMOUS = Actor(ActorType.ANONYMOUS)


class Ctx(msgspec.Struct, frozen=True, kw_only=True):
    """The context of one call."""

    tenant: TenantId | None
    """The tenant whose data the call may touch; None only before log-in."""
    actor: Actor
    scopes: frozenset[str]
    """Effective permissions, `resource:action`; roles and key scopes are resolved already."""
    request_id: str
    deadline: datetime
    """When the caller stops waiting; outgoing calls take what is left of it."""
    locale: str = "en"
    """BCP 47 tag of the language to answer in: `en`, `zh-Hant` or `zh-Hans`."""
    address: str = ""
    """Address of the caller as the edge saw it."""
    user_agent: str = ""
    session_id: UUID | None = None
    """The log-in session, where the actor is a user."""
    key_id: UUID | None = None
    """The API key that was used, where one was."""
    idempotency_key: str | None = None
    taint: frozenset[str] = frozenset()
    """Information-flow labels that the work has read so far."""
    traceparent: str = ""
    """W3C Trace Context of the caller; empty starts a new trace."""

    def require_tenant(self) -> TenantId:
        """The tenant; a call without one is a defect of the entry that built the context."""
        if self.tenant is None:
            message = f"request {self.request_id} has no tenant: authenticate before calling a tenant's service"
            raise RuntimeError(message)
        return self.tenant

    def for_tenant(self, tenant: TenantId) -> "Ctx":
        """The same caller on another tenant's data; only after a check of a platform permission."""
        return msgspec.structs.replace(self, tenant=tenant)

    def as_service(self, service: str, *scopes: str) -> "Ctx":
        """The call that a service makes on its own account to get this one done, with just these scopes."""
        return msgspec.structs.replace(
            self,
            actor=Actor(ActorType.SERVICE, service),
            scopes=frozenset(scopes),
            session_id=None,
            key_id=None,
            idempotency_key=None,
        )


class SystemCtx(msgspec.Struct, frozen=True, kw_only=True):
    """The context of work that no request asked for: collection, sweeping, start-up."""

    reason: str
    """Why this work may look across tenants; it is logged."""
    service: str
    """The service that works."""
    tenant: TenantId | None = None
    """The one tenant it works for, where there is one."""

    def require_tenant(self) -> TenantId:
        """The tenant; work across tenants has none and must use a system transaction."""
        if self.tenant is None:
            message = f"{self.service} works across tenants ({self.reason}): use a system transaction"
            raise RuntimeError(message)
        return self.tenant
