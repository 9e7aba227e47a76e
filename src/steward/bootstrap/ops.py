"""What the probes and the metrics endpoint of a process answer."""

from collections.abc import Sequence
from typing import Final, Protocol

from steward.bootstrap.foundation import Foundation
from steward.bootstrap.services import Services
from steward.kit.bus import Wake
from steward.kit.db import Database
from steward.kit.errors import Unavailable
from steward.kit.health import Health, HealthReport, Readiness
from steward.kit.telemetry import Metrics

NEEDED: Final = frozenset(("tenants", "identity", "audit"))
"""What every installation has. A service beside these may be left out: one that this process has never seen running
is told to be absent, and only one that it has seen can be down."""


class BusDown(Unavailable):
    """The side connection of the bus is away; events wait in their outboxes meanwhile."""

    code = "bus_down"

    def __init__(self) -> None:
        super().__init__("the bus has no connection to the database; it connects again by itself", retry_after=1)


class ServiceDown(Unavailable):
    """No process answers for a service."""

    code = "service_down"

    def __init__(self, service: str) -> None:
        super().__init__(f"no process answers for the service {service!r}: start `steward serve {service}`")


class Ops:
    """Implements the gateway's `OpsPort`."""

    def __init__(self, health: Health, metrics: Metrics, database: Database) -> None:
        self._health = health
        self._metrics = metrics
        self._database = database

    async def health(self) -> HealthReport:
        return await self._health.report()

    async def readiness(self) -> Readiness:
        return await self._health.readiness()

    def metrics(self) -> bytes:
        size, idle = self._database.connections()
        self._metrics.pool_connections(idle=idle, used=size - idle)
        return self._metrics.exposition()


def add_checks(health: Health, foundation: Foundation, services: Services) -> None:
    """Watch the database, the bus and every service, here or elsewhere."""
    health.add("database", lambda: _database(foundation.database))
    health.add("bus", lambda: _bus(foundation.wake))
    for name in services.local:
        health.add(name, _here)
    for name, pool in services.pools.items():
        health.add(name, Remote(name, pool).check)


async def _database(database: Database) -> str:
    await database.check()
    return ""


async def _bus(wake: Wake) -> str:
    if not wake.connected:
        raise BusDown
    return ""


async def _here() -> str:
    return "in this process"


class Answering(Protocol):
    """The processes that run a service elsewhere."""

    async def ready(self) -> Sequence[str]:
        """Addresses of those that take calls."""
        ...


class Remote:
    """Watches a service that runs elsewhere, or may be left out."""

    def __init__(self, name: str, pool: Answering) -> None:
        self._name = name
        self._pool = pool
        self._expected = name in NEEDED

    async def check(self) -> str:
        """Where it answers, or that nothing runs it; raises `ServiceDown` for one that is needed or was there."""
        addresses = await self._pool.ready()
        if addresses:
            self._expected = True
            return f"at {', '.join(addresses)}"
        if self._expected:
            raise ServiceDown(self._name)
        return f"absent: `steward serve {self._name}` adds it"
