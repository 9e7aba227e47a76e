"""What the tenants service refuses, and why."""

from steward.kit.errors import AppError, Conflict, Kind, NotFound
from steward.services.tenants.api import Quota, TenantState


class TenantNotFound(NotFound):
    code = "tenant_not_found"

    def __init__(self, named: object) -> None:
        super().__init__(f"there is no tenant {named} that you may see: check the id", tenant=str(named))


class SlugTaken(Conflict):
    code = "slug_taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"the slug {slug!r} belongs to another tenant: choose another", field="slug", slug=slug)


class TenantChanged(Conflict):
    code = "tenant_changed"

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"the tenant was changed since version {expected} (now {found}): read it again and repeat the change",
            expected=expected,
            found=found,
        )


class WrongTenantState(Conflict):
    code = "wrong_tenant_state"

    def __init__(self, state: TenantState, wanted: str) -> None:
        super().__init__(
            f"a tenant that is {state.value} cannot be {wanted}: read its state, and repeat this once it is another",
            state=state.value,
        )


class OwnTenant(Conflict):
    code = "own_tenant"

    def __init__(self) -> None:
        super().__init__(
            "you cannot suspend or delete the tenant that you are logged in to: have another operator do it"
        )


class QuotaExceeded(AppError):
    """A quota of the tenant is used up; the message names it, its limit and its use."""

    code = "quota_exceeded"
    kind = Kind.QUOTA

    def __init__(self, quota: Quota, limit: int, used: int, asked: int) -> None:
        super().__init__(
            f"the quota {quota.value!r} allows {limit}, {used} are in use and {asked} more were asked for: free some, "
            "or ask the platform's operator for a larger quota or plan",
            quota=quota.value,
            limit=limit,
            used=used,
            asked=asked,
        )
