"""Probes and metrics for those who run the platform."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final, Protocol

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation

from steward.kit.context import Ctx
from steward.kit.errors import Forbidden
from steward.kit.health import HealthReport, Readiness, Status
from steward.kit.telemetry import CONTENT_TYPE
from steward.kit.web import OPEN, Caller

TAGS: Final = ("Operations",)
PROBE: Final[Mapping[str, Any]] = {**OPEN, "also_answers": (503,)}


class OpsPort(Protocol):
    """What the probes ask; bootstrap implements it."""

    async def health(self) -> HealthReport:
        """How each dependency is doing now; answers within a few seconds whatever is broken."""
        ...

    async def readiness(self) -> Readiness:
        """Whether this process takes work."""
        ...

    def metrics(self) -> bytes:
        """All metrics in Prometheus text format 0.0.4."""
        ...


Ops = NamedDependency[SkipValidation[OpsPort]]
OpenMetrics = NamedDependency[bool]


@get("/health", tags=TAGS, opt=PROBE)
async def get_health(ops: Ops) -> Response[HealthReport]:
    """Get the health of the platform and of each dependency

    Answers 503 when one that is needed is down.
    """
    report = await ops.health()
    return Response(report, status_code=200 if report.status is Status.OK else 503)


@get("/ready", tags=TAGS, opt=PROBE)
async def get_readiness(ops: Ops) -> Response[Readiness]:
    """Get whether this process takes requests

    Answers 503 until all has started, and again once shut-down has begun.
    """
    readiness = await ops.readiness()
    return Response(readiness, status_code=200 if readiness.ready else 503)


@get("/metrics", tags=TAGS, opt=OPEN, media_type=MediaType.TEXT)
async def get_metrics(ctx: Caller, ops: Ops, open_metrics: OpenMetrics) -> Response[bytes]:
    """Get all metrics in Prometheus text format

    Answers this machine only, unless the installation opens it.
    """
    if not open_metrics and not _is_local(ctx):
        raise Forbidden("metrics are for this machine only: see STEWARD_GATEWAY_OPEN_METRICS")
    return Response(ops.metrics(), media_type=CONTENT_TYPE)


def _is_local(ctx: Ctx) -> bool:
    try:
        return ip_address(ctx.address).is_loopback
    except ValueError:
        return False


ROUTES: Final[Sequence[HTTPRouteHandler]] = (get_health, get_readiness, get_metrics)
