"""Registers the tenants service."""

from pathlib import Path

from steward.kit.module import Built, Module, Parts
from steward.services.tenants.access import Access
from steward.services.tenants.api import TenantsApi
from steward.services.tenants.http import ROUTES
from steward.services.tenants.provisioning import Provisioning
from steward.services.tenants.quotas import Quotas
from steward.services.tenants.repository import TenantsRepository
from steward.services.tenants.rpc import TENANTS, TenantsClient
from steward.services.tenants.service import TenantsService


def build(parts: Parts) -> Built:
    access = Access(parts.authz)
    quotas = Quotas(parts.db, parts.authz, access, TenantsRepository(), parts.clock)
    provisioning = Provisioning(
        parts.db,
        parts.authz,
        parts.intents,
        parts.idempotency,
        quotas,
        parts.envelope,
        parts.apis,
        parts.clock,
        parts.ids,
    )
    service = TenantsService(parts.db, parts.authz, access, quotas, provisioning, parts.clock)
    return Built(api=service, intents=parts.intents)


MODULE = Module(
    name="tenants",
    contract=TenantsApi,
    build=build,
    rpc=TENANTS,
    client=TenantsClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
