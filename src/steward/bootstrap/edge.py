"""The HTTP edge of a process, wired to whatever answers for each service."""

from steward.bootstrap.foundation import Foundation
from steward.bootstrap.services import Services
from steward.gateway.app import EdgeParts, create_app
from steward.gateway.authn import Authenticator
from steward.gateway.consumers import consumers, listener
from steward.gateway.demo import DemoSite
from steward.gateway.edge import Edge
from steward.gateway.observe import TelemetryObserver
from steward.gateway.ops import OpsPort
from steward.gateway.settings import GatewaySettings
from steward.kit.cache import Cache
from steward.kit.ratelimit import RateLimiter
from steward.kit.telemetry import CacheObserver
from steward.services.identity.api import IdentityApi
from steward.services.tenants.api import TenantsApi

_BYTES_A_CREDENTIAL = 4096
_LIMITED_CALLERS = 200_000


def make_authenticator(foundation: Foundation, services: Services, settings: GatewaySettings) -> Authenticator:
    """What tells who calls, for the HTTP edge and for the gRPC server of this process."""
    entries = settings.principal_cache_entries
    cache = Cache(
        foundation.clock,
        max_entries=entries,
        max_bytes=entries * _BYTES_A_CREDENTIAL,
        observer=CacheObserver(foundation.telemetry, "principals"),
    )
    return Authenticator(
        identity=services.apis.get(IdentityApi),
        tenants=services.apis.get(TenantsApi),
        cache=cache,
        limiter=RateLimiter(foundation.clock, max_entries=_LIMITED_CALLERS),
        clock=foundation.clock,
        settings=settings,
    )


def keep_true(foundation: Foundation, authenticator: Authenticator) -> None:
    """Have what the authenticator remembers follow what happens: at once for this process, by the bus for others."""
    foundation.database.on_event(listener(authenticator))
    for subscription in consumers(authenticator):
        foundation.bus.subscribe(subscription)


def make_edge(
    foundation: Foundation,
    services: Services,
    authenticator: Authenticator,
    ops: OpsPort,
    settings: GatewaySettings,
    version: str,
    demo: DemoSite | None = None,
) -> Edge:
    """The ASGI application with every service's routes; `demo` is shown once there is a demo desk."""
    modules = services.modules.values()
    parts = EdgeParts(
        routes=[route for module in modules for route in module.routes],
        sockets=[socket for module in modules for socket in module.sockets],
        apis={module.name: services.apis.get(module.contract) for module in modules},
        authenticator=authenticator,
        ops=ops,
        observer=TelemetryObserver(foundation.telemetry, foundation.clock),
        clock=foundation.clock,
        ids=foundation.ids,
        settings=settings,
        version=version,
        demo=demo or DemoSite(),
    )
    return create_app(parts)
