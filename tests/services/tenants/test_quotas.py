"""Quotas: held once per holder, never exceeded, exact however many ask at once."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.kit.context import Ctx
from steward.services.tenants.api import Plan, Quota, QuotaUse, TenantsApi
from steward.services.tenants.errors import QuotaExceeded, TenantNotFound
from tests.services.tenants.trail import audits, events
from tests.support.database import IDS, new_tenant
from tests.support.platform import Installation, TestTenant

MOST = 2**53 - 1


def service(installation: Installation, tenant: TestTenant) -> Ctx:
    return installation.ctx(tenant.id, "service:quota")


async def use_of(installation: Installation, tenant: TestTenant, quota: Quota) -> QuotaUse:
    usage = await installation.api(TenantsApi).get_usage(tenant.owner, tenant_id=tenant.id)
    return next(use for use in usage.quotas if use.quota is quota)


async def test_usage_shows_every_quota_with_its_limit_by_plan(installation: Installation) -> None:
    tenant = await installation.tenant(Plan.FREE)
    usage = await installation.api(TenantsApi).get_usage(tenant.owner, tenant_id=tenant.id)
    assert [use.quota for use in usage.quotas] == list(Quota)
    assert usage.plan is Plan.FREE
    assert await use_of(installation, tenant, Quota.USERS) == QuotaUse(
        quota=Quota.USERS, limit=5, used=1, overridden=False
    )


async def test_hold_counts_once_however_often_its_holder_asks(installation: Installation) -> None:
    tenant, holder = await installation.tenant(), IDS.new()
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    for _ in range(3):
        await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=4)
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 4
    for _ in range(2):
        await api.release_quota(ctx, quota=Quota.AGENTS, holder=holder)
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 0


async def test_refusal_names_quota_limit_and_use_and_takes_nothing(installation: Installation) -> None:
    tenant = await installation.tenant(Plan.FREE)
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    await api.hold_quota(ctx, quota=Quota.AGENTS, holder=IDS.new(), amount=2)
    with pytest.raises(QuotaExceeded) as refused:
        await api.hold_quota(ctx, quota=Quota.AGENTS, holder=(holder := IDS.new()), amount=2)
    assert refused.value.data == {"quota": "agents", "limit": 3, "used": 2, "asked": 2}
    assert refused.value.status == 429
    await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=1)
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 3


async def test_first_hold_beyond_the_limit_refused(installation: Installation) -> None:
    tenant = await installation.tenant(Plan.FREE)
    with pytest.raises(QuotaExceeded):
        await installation.api(TenantsApi).hold_quota(
            service(installation, tenant), quota=Quota.SANDBOXES, holder=IDS.new(), amount=2
        )
    assert (await use_of(installation, tenant, Quota.SANDBOXES)).used == 0


async def test_largest_amount_is_counted_without_overflow(installation: Installation) -> None:
    tenant, operator = await installation.tenant(), installation.operator()
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    await api.update_quota(operator, tenant_id=tenant.id, quota=Quota.STORAGE_BYTES, limit=MOST)
    await api.hold_quota(ctx, quota=Quota.STORAGE_BYTES, holder=IDS.new(), amount=MOST)
    with pytest.raises(QuotaExceeded):
        await api.hold_quota(ctx, quota=Quota.STORAGE_BYTES, holder=IDS.new(), amount=MOST)
    assert (await use_of(installation, tenant, Quota.STORAGE_BYTES)).used == MOST


async def test_override_is_set_and_taken_back(installation: Installation) -> None:
    tenant, operator = await installation.tenant(Plan.FREE), installation.operator()
    api = installation.api(TenantsApi)
    raised = await api.update_quota(operator, tenant_id=tenant.id, quota=Quota.AGENTS, limit=9)
    assert raised == QuotaUse(quota=Quota.AGENTS, limit=9, used=0, overridden=True)
    assert await use_of(installation, tenant, Quota.AGENTS) == raised
    back = await api.update_quota(operator, tenant_id=tenant.id, quota=Quota.AGENTS, limit=None)
    assert back == QuotaUse(quota=Quota.AGENTS, limit=3, used=0, overridden=False)
    assert (await events(installation, tenant.id))[1:] == ["tenants.QuotaChanged"] * 2
    assert [entry[0] for entry in await audits(installation, tenant.id)][1:] == ["tenant.quota_changed"] * 2


async def test_limit_below_the_use_keeps_what_is_held_and_refuses_more(installation: Installation) -> None:
    tenant, holder = await installation.tenant(), IDS.new()
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=5)
    await api.update_quota(installation.operator(), tenant_id=tenant.id, quota=Quota.AGENTS, limit=2)
    await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=5)
    with pytest.raises(QuotaExceeded):
        await api.hold_quota(ctx, quota=Quota.AGENTS, holder=IDS.new())
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 5


async def test_quota_of_a_tenant_that_never_was(installation: Installation) -> None:
    ctx = installation.ctx(new_tenant(), "service:quota")
    with pytest.raises(TenantNotFound):
        await installation.api(TenantsApi).hold_quota(ctx, quota=Quota.AGENTS, holder=IDS.new())
    await installation.api(TenantsApi).release_quota(ctx, quota=Quota.AGENTS, holder=IDS.new())


@pytest.mark.parametrize("limit", [0, 1, 17])
async def test_fifty_at_once_get_exactly_what_there_is(installation: Installation, limit: int) -> None:
    tenant = await installation.tenant()
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    await api.update_quota(installation.operator(), tenant_id=tenant.id, quota=Quota.AGENTS, limit=limit)

    async def ask() -> bool:
        try:
            await api.hold_quota(ctx, quota=Quota.AGENTS, holder=IDS.new())
        except QuotaExceeded:
            return False
        return True

    assert sum(await asyncio.gather(*(ask() for _ in range(50)))) == limit
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == limit


async def test_one_holder_asking_twenty_times_at_once_holds_once(installation: Installation) -> None:
    tenant, holder = await installation.tenant(), IDS.new()
    ctx, api = service(installation, tenant), installation.api(TenantsApi)
    await asyncio.gather(*(api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=3) for _ in range(20)))
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 3
    await asyncio.gather(*(api.release_quota(ctx, quota=Quota.AGENTS, holder=holder) for _ in range(20)))
    assert (await use_of(installation, tenant, Quota.AGENTS)).used == 0


HOLDERS = [UUID(int=number) for number in range(1, 5)]
ACTS = st.one_of(
    st.tuples(st.just("hold"), st.sampled_from(HOLDERS), st.integers(0, 6)),
    st.tuples(st.just("release"), st.sampled_from(HOLDERS), st.just(0)),
    st.tuples(st.just("limit"), st.just(HOLDERS[0]), st.integers(0, 12)),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=3, max_size=12))
async def test_use_follows_the_model_through_any_acts(
    platform: Installation, acts: list[tuple[str, UUID, int]]
) -> None:
    """A state machine over holds, releases and limits, beside a dictionary that says what must come of them."""
    tenant = await platform.tenant()
    ctx, api = service(platform, tenant), platform.api(TenantsApi)
    held: dict[UUID, int] = {}
    limit = (await use_of(platform, tenant, Quota.AGENTS)).limit
    for act, holder, amount in acts:
        if act == "limit":
            limit = amount
            await api.update_quota(platform.operator(), tenant_id=tenant.id, quota=Quota.AGENTS, limit=limit)
        elif act == "release":
            held.pop(holder, None)
            await api.release_quota(ctx, quota=Quota.AGENTS, holder=holder)
        elif holder in held or sum(held.values()) + amount <= limit:
            held.setdefault(holder, amount)
            await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=amount)
        else:
            with pytest.raises(QuotaExceeded) as refused:
                await api.hold_quota(ctx, quota=Quota.AGENTS, holder=holder, amount=amount)
            assert refused.value.data["used"] == sum(held.values())
        use = await use_of(platform, tenant, Quota.AGENTS)
        assert (use.used, use.limit) == (sum(held.values()), limit)
