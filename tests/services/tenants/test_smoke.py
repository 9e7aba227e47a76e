from steward.services.tenants.api import TenantsApi
from tests.support.platform import Installation


async def test_tenant_is_created_and_read(installation: Installation) -> None:
    tenant = await installation.tenant()
    found = await installation.api(TenantsApi).get_tenant(tenant.owner, tenant_id=tenant.id)
    assert found.slug == tenant.slug
