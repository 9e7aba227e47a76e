"""Tenants through their contract, local and over gRPC: every operation, every refusal, what is left behind."""

import msgspec
import pytest

from steward.kit.authz import LoginNeeded, PermissionDenied
from steward.kit.context import ANONYMOUS
from steward.kit.errors import InvalidInput
from steward.kit.ids import TenantId
from steward.services.identity.api import Role
from steward.services.tenants.api import Plan, Quota, TenantsApi, TenantState, TenantUpdate
from steward.services.tenants.errors import OwnTenant, SlugTaken, TenantChanged, TenantNotFound, WrongTenantState
from tests.services.tenants.trail import audits, events, reasons
from tests.support.database import IDS
from tests.support.platform import PLATFORM_SCOPE, Installation


def tenants(installation: Installation) -> TenantsApi:
    return installation.api(TenantsApi)


async def test_created_tenant_is_active_and_read_as_it_was_made(installation: Installation) -> None:
    slug = f"t-{IDS.new().hex}"
    created = await tenants(installation).create_tenant(
        installation.operator(), name="Größe 店", slug=slug, plan=Plan.PRO, owner_email="o@example.com"
    )
    found = await tenants(installation).get_tenant(installation.operator(), tenant_id=created.tenant.id)
    assert found == created.tenant
    assert (found.name, found.slug, found.plan, found.state) == ("Größe 店", slug, Plan.PRO, TenantState.ACTIVE)
    assert (found.version, found.locale, list(found.allowed_origins)) == (1, "en", [])
    assert created.invitation_token.startswith("stw_in_")
    assert await events(installation, found.id) == ["tenants.TenantCreated"]
    assert await audits(installation, found.id) == [("tenant.created", "done", f"tenant/{found.id}")]


async def test_taken_slug_is_refused_and_leaves_no_tenant(installation: Installation) -> None:
    tenant = await installation.tenant()
    before = await count_of(installation)
    with pytest.raises(SlugTaken) as refused:
        await tenants(installation).create_tenant(
            installation.operator(), name="N", slug=tenant.slug, plan=Plan.FREE, owner_email="o@example.com"
        )
    assert refused.value.data == {"field": "slug", "slug": tenant.slug}
    assert await count_of(installation) == before


async def count_of(installation: Installation) -> int:
    found, cursor = 0, None
    while True:
        page = await tenants(installation).list_tenants(installation.operator(), limit=200, cursor=cursor)
        found += len(page.items)
        if (cursor := page.next_cursor) is None:
            return found


async def test_refused_slug_frees_the_idempotency_key(installation: Installation) -> None:
    tenant = await installation.tenant()
    ctx = msgspec.structs.replace(installation.operator(), idempotency_key=IDS.new().hex)
    with pytest.raises(SlugTaken):
        await tenants(installation).create_tenant(
            ctx, name="N", slug=tenant.slug, plan=Plan.FREE, owner_email="o@example.com"
        )
    slug = f"t-{IDS.new().hex}"
    again = await tenants(installation).create_tenant(
        ctx, name="N", slug=slug, plan=Plan.FREE, owner_email="o@example.com"
    )
    assert again.tenant.slug == slug


async def test_list_is_paged_oldest_first_and_each_tenant_is_once(installation: Installation) -> None:
    made = [(await installation.tenant()).id for _ in range(3)]
    seen: list[TenantId] = []
    cursor = None
    while True:
        page = await tenants(installation).list_tenants(installation.operator(), limit=2, cursor=cursor)
        assert len(page.items) <= 2
        seen += [tenant.id for tenant in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)
    assert set(made) <= set(seen)


async def test_cursor_of_another_list_refused(installation: Installation) -> None:
    with pytest.raises(InvalidInput):
        await tenants(installation).list_tenants(installation.operator(), cursor="nonsense")


async def test_update_changes_what_is_given_and_counts_the_version(installation: Installation) -> None:
    tenant = await installation.tenant()
    change = TenantUpdate(name="New", locale="zh-Hant", allowed_origins=["https://a.example"], version=1)
    after = await tenants(installation).update_tenant(tenant.owner, tenant_id=tenant.id, change=change)
    assert (after.name, after.locale, list(after.allowed_origins)) == ("New", "zh-Hant", ["https://a.example"])
    assert (after.version, after.plan, after.slug) == (2, Plan.ENTERPRISE, tenant.slug)
    assert after.updated_at > after.created_at
    cleared = await tenants(installation).update_tenant(
        tenant.owner, tenant_id=tenant.id, change=TenantUpdate(allowed_origins=[])
    )
    assert (cleared.name, list(cleared.allowed_origins), cleared.version) == ("New", [], 3)
    assert (await events(installation, tenant.id))[1:] == ["tenants.TenantUpdated"] * 2
    assert [entry[0] for entry in await audits(installation, tenant.id)][1:] == ["tenant.updated"] * 2


async def test_update_from_an_old_version_refused(installation: Installation) -> None:
    tenant = await installation.tenant()
    await tenants(installation).update_tenant(tenant.owner, tenant_id=tenant.id, change=TenantUpdate(name="One"))
    with pytest.raises(TenantChanged) as refused:
        await tenants(installation).update_tenant(
            tenant.owner, tenant_id=tenant.id, change=TenantUpdate(name="Two", version=1)
        )
    assert refused.value.data == {"expected": 1, "found": 2}
    assert (await tenants(installation).get_tenant(tenant.owner, tenant_id=tenant.id)).name == "One"


async def test_plan_is_changed_by_operators_only(installation: Installation) -> None:
    tenant = await installation.tenant(Plan.FREE)
    change = TenantUpdate(plan=Plan.PRO)
    with pytest.raises(PermissionDenied) as refused:
        await tenants(installation).update_tenant(tenant.owner, tenant_id=tenant.id, change=change)
    assert refused.value.data["permission"] == PLATFORM_SCOPE
    after = await tenants(installation).update_tenant(installation.operator(), tenant_id=tenant.id, change=change)
    assert after.plan is Plan.PRO


async def test_suspended_and_resumed_in_turn_only(installation: Installation) -> None:
    tenant, operator = await installation.tenant(), installation.operator()
    api = tenants(installation)
    with pytest.raises(WrongTenantState) as refused:
        await api.resume_tenant(operator, tenant_id=tenant.id)
    assert refused.value.data == {"state": "active"}
    assert (await api.suspend_tenant(operator, tenant_id=tenant.id, reason="unpaid")).state is TenantState.SUSPENDED
    with pytest.raises(WrongTenantState):
        await api.suspend_tenant(operator, tenant_id=tenant.id, reason="again")
    assert (await api.resume_tenant(operator, tenant_id=tenant.id)).state is TenantState.ACTIVE
    assert (await events(installation, tenant.id))[1:] == ["tenants.TenantSuspended", "tenants.TenantResumed"]
    assert [entry[0] for entry in await audits(installation, tenant.id)][1:] == ["tenant.suspended", "tenant.resumed"]
    assert await reasons(installation, tenant.id, "tenant.suspended") == ["unpaid"]


async def test_own_tenant_is_neither_suspended_nor_deleted(installation: Installation) -> None:
    tenant = await installation.tenant()
    ctx = installation.ctx(tenant.id, PLATFORM_SCOPE)
    with pytest.raises(OwnTenant):
        await tenants(installation).suspend_tenant(ctx, tenant_id=tenant.id, reason="r")
    with pytest.raises(OwnTenant):
        await tenants(installation).delete_tenant(ctx, tenant_id=tenant.id)


async def test_another_tenant_is_not_found_and_the_attempt_is_audited(installation: Installation) -> None:
    mine, other = await installation.tenant(), await installation.tenant()
    api = tenants(installation)
    calls = (
        api.get_tenant(mine.owner, tenant_id=other.id),
        api.update_tenant(mine.owner, tenant_id=other.id, change=TenantUpdate(name="Mine")),
        api.get_usage(mine.owner, tenant_id=other.id),
    )
    for call in calls:
        with pytest.raises(TenantNotFound):
            await call
    denied = ("access.denied", "denied", f"tenant/{other.id}")
    assert [entry for entry in await audits(installation, mine.id) if entry[1] == "denied"] == [denied] * 3
    assert (await tenants(installation).get_tenant(other.owner, tenant_id=other.id)).name == "Test"


async def test_operations_of_operators_refused_to_owners_and_audited(installation: Installation) -> None:
    mine, other = await installation.tenant(), await installation.tenant()
    api, ctx = tenants(installation), mine.owner
    own = (
        api.create_tenant(ctx, name="N", slug="s", plan=Plan.FREE, owner_email="o@example.com"),
        api.list_tenants(ctx),
        api.suspend_tenant(ctx, tenant_id=mine.id, reason="r"),
        api.resume_tenant(ctx, tenant_id=mine.id),
        api.update_quota(ctx, tenant_id=mine.id, quota=Quota.USERS, limit=10**6),
    )
    for call in own:
        with pytest.raises(PermissionDenied) as refused:
            await call
        assert refused.value.data["permission"] == PLATFORM_SCOPE
    others = (
        api.suspend_tenant(ctx, tenant_id=other.id, reason="r"),
        api.resume_tenant(ctx, tenant_id=other.id),
        api.update_quota(ctx, tenant_id=other.id, quota=Quota.USERS, limit=10**6),
    )
    for call in others:
        with pytest.raises(TenantNotFound):
            await call
    with pytest.raises((PermissionDenied, TenantNotFound)):
        await api.delete_tenant(ctx, tenant_id=other.id)
    assert [entry[:2] for entry in await audits(installation, mine.id)][1:] == [("access.denied", "denied")] * 9


async def test_operations_of_services_refused_to_people(installation: Installation) -> None:
    tenant = await installation.tenant()
    api = tenants(installation)
    calls = (
        api.get_edge_policy(tenant.owner, tenant_id=tenant.id),
        api.find_tenant(tenant.owner, slug=tenant.slug),
        api.hold_quota(tenant.owner, quota=Quota.USERS, holder=IDS.new()),
        api.release_quota(tenant.owner, quota=Quota.USERS, holder=IDS.new()),
    )
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call


async def test_nobody_is_asked_to_log_in(installation: Installation) -> None:
    nobody = installation.ctx(None, actor=ANONYMOUS)
    tenant = await installation.tenant()
    for call in (
        tenants(installation).get_tenant(nobody, tenant_id=tenant.id),
        tenants(installation).list_tenants(nobody),
    ):
        with pytest.raises(LoginNeeded):
            await call


async def test_viewer_reads_and_does_not_change(installation: Installation) -> None:
    tenant = await installation.tenant()
    viewer = await installation.user(tenant, Role.VIEWER)
    assert (await tenants(installation).get_tenant(viewer, tenant_id=tenant.id)).id == tenant.id
    assert (await tenants(installation).get_usage(viewer, tenant_id=tenant.id)).tenant_id == tenant.id
    with pytest.raises(PermissionDenied) as refused:
        await tenants(installation).update_tenant(viewer, tenant_id=tenant.id, change=TenantUpdate(name="X"))
    assert refused.value.data["permission"] == "tenant:update"


async def test_tenant_that_never_was_is_not_found(installation: Installation) -> None:
    nowhere, operator = TenantId(IDS.new()), installation.operator()
    api = tenants(installation)
    for call in (
        api.get_tenant(operator, tenant_id=nowhere),
        api.update_tenant(operator, tenant_id=nowhere, change=TenantUpdate(name="X")),
        api.suspend_tenant(operator, tenant_id=nowhere, reason="r"),
        api.resume_tenant(operator, tenant_id=nowhere),
        api.delete_tenant(operator, tenant_id=nowhere),
        api.update_quota(operator, tenant_id=nowhere, quota=Quota.USERS, limit=1),
        api.get_usage(operator, tenant_id=nowhere),
        api.get_edge_policy(installation.ctx(None, "service:edge"), tenant_id=nowhere),
        api.find_tenant(installation.ctx(None, "service:edge"), slug="no-such-slug"),
    ):
        with pytest.raises(TenantNotFound):
            await call


async def test_edge_learns_policy_and_id_by_slug(installation: Installation) -> None:
    tenant, edge = await installation.tenant(Plan.FREE), installation.ctx(None, "service:edge")
    api = tenants(installation)
    assert await api.find_tenant(edge, slug=tenant.slug) == tenant.id
    policy = await api.get_edge_policy(edge, tenant_id=tenant.id)
    assert (policy.state, policy.locale, policy.requests_per_minute) == (TenantState.ACTIVE, "en", 100)
    await api.update_quota(installation.operator(), tenant_id=tenant.id, quota=Quota.REQUESTS_PER_MINUTE, limit=7)
    assert (await api.get_edge_policy(edge, tenant_id=tenant.id)).requests_per_minute == 7
