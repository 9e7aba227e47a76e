"""What the edge forgets when a tenant changes: its state and limits, and neither more nor for nothing."""

import msgspec
import pytest

from steward.services.tenants.api import TenantState
from tests.gateway.fakes import TENANT
from tests.gateway.rig import BEARER, Rig, running
from tests.gateway.test_authentication import deliver

ME = "/api/v1/auth/me"
OWN = f"/api/v1/tenants/{TENANT}"


async def suspend_behind_the_edge(rig: Rig) -> None:
    """Have the edge remember an active tenant that is suspended by now."""
    assert (await rig.call("GET", ME, headers=BEARER)).status == 200
    rig.tenants.policy = msgspec.structs.replace(rig.tenants.policy, state=TenantState.SUSPENDED)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"name": "New"}, 200), ({"name": "New", "locale": "en"}, 403), ({"allowed_origins": []}, 403)],
)
async def test_update_is_heeded_at_once_where_it_changes_what_the_edge_keeps(body: object, status: int) -> None:
    async with running() as rig:
        await suspend_behind_the_edge(rig)
        assert (await rig.call("PATCH", OWN, headers=BEARER, json=body)).status == 200
        assert (await rig.call("GET", ME, headers=BEARER)).status == status


@pytest.mark.parametrize(("changed", "status"), [(["name"], 200), (["name", "plan"], 403), (None, 403)])
async def test_event_is_heeded_where_it_changes_what_the_edge_keeps(changed: list[str] | None, status: int) -> None:
    async with running() as rig:
        await suspend_behind_the_edge(rig)
        await deliver(rig, "tenants.TenantUpdated", **({} if changed is None else {"changed": changed}))
        assert (await rig.call("GET", ME, headers=BEARER)).status == status


async def test_change_of_a_tenant_leaves_its_callers_known() -> None:
    async with running() as rig:
        for locale in ("en", "zh-Hant", "en"):
            assert (await rig.call("PATCH", OWN, headers=BEARER, json={"locale": locale})).status == 200
            await deliver(rig, "tenants.TenantUpdated", changed=["locale"])
        assert rig.identity.asked == 1
