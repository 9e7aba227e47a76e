"""A suspended tenant gives out no tokens."""

import pytest

from steward.services.identity.api import IdentityApi
from steward.services.identity.errors import TenantClosed
from steward.services.tenants.api import TenantsApi
from tests.support.platform import PASSWORD, Installation


async def test_users_of_a_suspended_tenant_get_no_tokens_until_it_is_resumed(installation: Installation) -> None:
    tenant = await installation.tenant()
    identity, tenants = installation.api(IdentityApi), installation.api(TenantsApi)

    async def log_in() -> str:
        tokens = await identity.login(installation.ctx(None), email=tenant.owner_email, password=PASSWORD)
        return tokens.refresh_token

    refresh_token = await log_in()
    await tenants.suspend_tenant(installation.operator(), tenant_id=tenant.id, reason="unpaid")
    with pytest.raises(TenantClosed):
        await log_in()
    with pytest.raises(TenantClosed):
        await identity.refresh(installation.ctx(None), refresh_token=refresh_token)
    await tenants.resume_tenant(installation.operator(), tenant_id=tenant.id)
    assert await log_in()
    assert await identity.refresh(installation.ctx(None), refresh_token=refresh_token)
