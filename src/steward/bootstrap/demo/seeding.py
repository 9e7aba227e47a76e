"""Sets the demo tenant's desk up, once, through the services' own operations; each step may be repeated."""

from datetime import timedelta
from importlib.resources import files

import msgspec

from steward.bootstrap.foundation import Foundation
from steward.bootstrap.home import Credentials
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import TenantId
from steward.kit.module import Apis
from steward.services.identity.api import IdentityApi, KeyKind, Role
from steward.services.identity.roles import permissions_of
from steward.services.knowledge.api import ImportFormat, KnowledgeApi
from steward.services.support.api import CustomerKey, SupportApi
from steward.services.tenants.api import TenantsApi, TenantUpdate

PATIENCE = timedelta(seconds=60)


class _PublicKey(msgspec.Struct, frozen=True):
    kid: str


class DeskSeed:
    """Connects the shop, imports FAQs, and makes what a page needs."""

    def __init__(self, foundation: Foundation, apis: Apis, key: str) -> None:
        self._clock = foundation.clock
        self._apis = apis
        self._key = key

    async def connect_shop(self, credentials: Credentials, url: str, credential: str) -> None:
        """Name the shop and its credential."""
        await self._apis.get(SupportApi).put_shop(self._as_seed(credentials), base_url=url, credential=credential)

    async def trust_shop(self, credentials: Credentials, jwk: bytes) -> None:
        """Believe what the shop says of its customers."""
        key = CustomerKey(kid=msgspec.json.decode(jwk, type=_PublicKey).kid, jwk=jwk.decode())
        await self._apis.get(SupportApi).put_customer_keys(self._as_seed(credentials), keys=[key])

    async def import_faqs(self, credentials: Credentials) -> None:
        """The demo shop's FAQs, in three scripts."""
        content = files("steward.bootstrap.demo").joinpath("faqs.csv").read_text(encoding="utf-8")
        ctx = self._as_seed(credentials)
        await self._apis.get(KnowledgeApi).import_faqs(ctx, format=ImportFormat.CSV, content=content)

    async def open_to_pages(self, credentials: Credentials) -> str:
        """Let pages of this machine call the desk; the publishable key for them."""
        await self._allow_origins(credentials)
        if credentials.publishable_key:
            return credentials.publishable_key
        created = await self._apis.get(IdentityApi).create_api_key(
            await self._as_owner(credentials), name="demo page", kind=KeyKind.PUBLISHABLE
        )
        return created.secret

    async def _allow_origins(self, credentials: Credentials) -> None:
        ctx = self._as_seed(credentials)
        tenants, tenant_id = self._apis.get(TenantsApi), ctx.require_tenant()
        tenant = await tenants.get_tenant(ctx, tenant_id=tenant_id)
        port = credentials.url.rpartition(":")[2]
        ours = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
        origins = list(dict.fromkeys((*tenant.allowed_origins, *ours)))
        if origins != list(tenant.allowed_origins):
            change = TenantUpdate(allowed_origins=origins, version=tenant.version)
            await tenants.update_tenant(ctx, tenant_id=tenant_id, change=change)

    def _as_seed(self, credentials: Credentials) -> Ctx:
        return Ctx(
            tenant=msgspec.convert(credentials.tenant, TenantId),
            actor=Actor(ActorType.SERVICE, "seed"),
            scopes=permissions_of((Role.OWNER,)),
            request_id=self._key,
            deadline=self._clock.now() + PATIENCE,
            idempotency_key=self._key,
        )

    async def _as_owner(self, credentials: Credentials) -> Ctx:
        """As whom the demo's own API key is. Raises `InvalidCredential` if it was revoked."""
        ctx = self._as_seed(credentials)
        asking = msgspec.structs.replace(ctx, tenant=None, scopes=frozenset({"service:edge"}))
        principal = await self._apis.get(IdentityApi).authenticate(asking, credential=credentials.api_key)
        return msgspec.structs.replace(
            ctx, tenant=principal.tenant, actor=principal.actor, scopes=principal.scopes, key_id=principal.key_id
        )
