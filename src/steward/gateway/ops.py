"""Probes and metrics for those who run the platform."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Final, Protocol

import msgspec
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.errors import Forbidden
from steward.kit.web import OPEN, Caller

TAGS: Final = ("Operations",)


class HealthStatus(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    """It answers, but not all of it works."""
    DOWN = "down"


class DependencyHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one part that the platform needs is doing."""

    status: HealthStatus
    detail: str = ""
    """What is wrong, in words; absent when nothing is."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform is doing."""

    status: HealthStatus
    version: str
    dependencies: Annotated[Mapping[str, DependencyHealth], Meta(description="By name.")]


class OpsPort(Protocol):
    """What the probes ask; bootstrap implements it."""

    async def health(self) -> Health:
        """How each dependency is doing now; answers within a few seconds whatever is broken."""
        ...

    async def is_ready(self) -> bool:
        """Whether all that is needed to serve has started and this process is not shutting down."""
        ...

    def metrics(self) -> bytes:
        """All metrics in Prometheus text format 0.0.4."""
        ...


class Readiness(msgspec.Struct, frozen=True):
    ready: bool


Ops = NamedDependency[SkipValidation[OpsPort]]
OpenMetrics = NamedDependency[bool]


@get("/health", tags=TAGS, opt=OPEN)
async def get_health(ops: Ops) -> Response[Health]:
    """Get the health of the platform and of each dependency

    Answers 503 when one that is needed is down.
    """
    health = await ops.health()
    return Response(health, status_code=503 if health.status is HealthStatus.DOWN else 200)


@get("/ready", tags=TAGS, opt=OPEN)
async def get_readiness(ops: Ops) -> Response[Readiness]:
    """Get whether this process takes requests

    Answers 503 until all has started, and again once shut-down has begun.
    """
    ready = await ops.is_ready()
    return Response(Readiness(ready), status_code=200 if ready else 503)


@get("/metrics", tags=TAGS, opt=OPEN, media_type=MediaType.TEXT)
async def get_metrics(ctx: Caller, ops: Ops, open_metrics: OpenMetrics) -> Response[bytes]:
    """Get all metrics in Prometheus text format

    Answers this machine only, unless the installation opens it.
    """
    if not open_metrics and not _is_local(ctx):
        raise Forbidden("metrics are for this machine only: see STEWARD_GATEWAY_OPEN_METRICS")
    return Response(ops.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(ctx: Ctx) -> bool:
    try:
        return ip_address(ctx.address).is_loopback
    except ValueError:
        return False


ROUTES: Final[Sequence[HTTPRouteHandler]] = (get_health, get_readiness, get_metrics)
