"""Health of a process: whether each dependency answers, and whether the process takes work.

`report` is what `/health` shows and `readiness` what `/ready` shows. Both are open, so a failure is told by the message
of an `AppError` or the name of any other exception; the rest is in the log.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from structlog.typing import FilteringBoundLogger

from steward.kit.clock import Clock
from steward.kit.errors import AppError

Check = Callable[[], Awaitable[str]]
"""Returns a detail worth showing, such as a version, or an empty text; raises when the dependency does not answer."""

KEEP_S = 1.0
"""How long a result is given again, so that a flood of probes costs a dependency one check a second."""


class Status(StrEnum):
    OK = "ok"
    DOWN = "down"


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """Work in hand is finished, no new work is taken; there is no way back."""


class Dependency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the last check of one dependency found."""

    status: Status
    detail: str = ""
    checked_at: datetime


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """`down` when any dependency is."""

    status: Status
    version: str
    dependencies: Mapping[str, Dependency]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the process takes work: it is in state `ready` and every dependency answers."""

    ready: bool
    state: State
    waiting_for: Sequence[str]
    """The dependencies that are down."""


class _Registered(NamedTuple):
    check: Check
    timeout_s: float


class Health:
    """The dependencies of a process and the state it is in."""

    def __init__(self, version: str, clock: Clock, log: FilteringBoundLogger) -> None:
        self._version = version
        self._clock = clock
        self._log = log
        self._checks: dict[str, _Registered] = {}
        self._state = State.STARTING
        self._turn = asyncio.Lock()
        self._down: set[str] = set()
        self._last: HealthReport | None = None
        self._read_at = 0.0

    @property
    def state(self) -> State:
        return self._state

    def add(self, name: str, check: Check, *, timeout_s: float = 2.0) -> None:
        """Name a dependency; its check is down when it raises or takes longer than `timeout_s`."""
        if name in self._checks:
            raise ValueError(f"dependency {name!r} has a check already: give this one another name")
        self._checks[name] = _Registered(check, timeout_s)
        self._last = None

    def started(self) -> None:
        """Start-up is over; the process takes work as long as its dependencies answer."""
        if self._state is State.DRAINING:
            raise RuntimeError("the process is draining and cannot become ready again")
        self._state = State.READY

    def drain(self) -> None:
        """Take no new work from now on."""
        self._state = State.DRAINING

    async def report(self) -> HealthReport:
        """Check every dependency at once, or give the report of less than a second ago."""
        async with self._turn:
            if self._last is not None and self._clock.monotonic() - self._read_at < KEEP_S:
                return self._last
            found = await asyncio.gather(*(self._ask(name, *entry) for name, entry in self._checks.items()))
            dependencies = dict(zip(self._checks, found, strict=True))
            all_ok = all(dependency.status is Status.OK for dependency in found)
            self._last = HealthReport(
                status=Status.OK if all_ok else Status.DOWN, version=self._version, dependencies=dependencies
            )
            self._read_at = self._clock.monotonic()
            return self._last

    async def readiness(self) -> Readiness:
        """Whether to send work here."""
        dependencies = (await self.report()).dependencies
        down = [name for name, dependency in dependencies.items() if dependency.status is Status.DOWN]
        return Readiness(ready=self._state is State.READY and not down, state=self._state, waiting_for=down)

    async def _ask(self, name: str, check: Check, timeout_s: float) -> Dependency:
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                detail = await check()
        except Exception as error:  # noqa: BLE001 whatever a check raises means that its dependency is down
            detail = f"no answer within {timeout_s:g} s" if limit.expired() else _told(error)
            self._note_down(name, detail, error)
            return Dependency(status=Status.DOWN, detail=detail, checked_at=self._clock.now())
        self._note_up(name)
        return Dependency(status=Status.OK, detail=detail, checked_at=self._clock.now())

    def _note_down(self, name: str, detail: str, error: Exception) -> None:
        """Log the change, not each probe that finds it so."""
        if name not in self._down:
            self._down.add(name)
            self._log.error("dependency down", event_type="health.down", dependency=name, detail=detail, exc_info=error)

    def _note_up(self, name: str) -> None:
        if name in self._down:
            self._down.remove(name)
            self._log.info("dependency back", event_type="health.up", dependency=name)


def _told(error: Exception) -> str:
    return error.message if isinstance(error, AppError) else type(error).__name__
