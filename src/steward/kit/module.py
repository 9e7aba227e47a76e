"""How a service registers itself: what bootstrap reads to run it here or to reach it elsewhere."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from steward.kit.authz import Authz
from steward.kit.bus import Reader, Subscription, Wake
from steward.kit.clock import Clock
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.failpoints import Failpoints
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids
from steward.kit.intents import Intents
from steward.kit.outbox import StoredEvent
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
from steward.kit.sockets import SocketRoute
from steward.kit.telemetry import Telemetry

A = TypeVar("A")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Background work that is repeated; one process of the fleet does it at a time."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]
    everywhere: bool = False
    """Every process does it, not one for all."""


class Apis:
    """The services' contracts, each answered by the implementation here or by a client of the process that has it.

    Services get this instead of each other, for they refer to one another in circles: look up when calling.
    """

    def __init__(self) -> None:
        self._found: dict[type[Any], Any] = {}

    def put(self, contract: type[Any], implementation: object) -> None:
        self._found[contract] = implementation

    def get(self, contract: type[A]) -> A:
        """What answers for a contract; a contract that nothing answers for is a defect of the wiring."""
        return self._found[contract]


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a service is built from."""

    db: ServiceDb
    clock: Clock
    ids: Ids
    envelope: Envelope
    authz: Authz
    idempotency: Idempotency
    intents: Intents
    apis: Apis
    telemetry: Telemetry
    reader: Reader
    wake: Wake
    failpoints: Failpoints
    environment: Mapping[str, str]
    """Environment variables, for the module's own settings class."""
    home: Path
    """The installation's directory for what does not belong into the database."""
    sources: Sequence[str]
    """Every service of the platform, each of which has an outbox."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A service, ready to be started."""

    api: Any
    subscriptions: Sequence[Subscription] = ()
    jobs: Sequence[Job] = ()
    listener: Callable[[StoredEvent], None] | None = None
    """Told of each event that this very process commits, of any service, before its transaction returns: for forgetting
    at once what the bus tells a moment later. It must be quick and must not raise."""
    intents: Intents | None = None
    """Resumed at start-up and by the sweeper."""
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A service as bootstrap knows it."""

    name: str
    """Of the service, its schema, its roles and its folder."""
    contract: type[Any]
    """The Protocol in its `api.py`."""
    build: Callable[[Parts], Built]
    rpc: RpcService
    """Its gRPC contract, from its `rpc.py`."""
    client: Callable[[RpcClient], Any]
    """Makes the client of the contract for a service that runs elsewhere."""
    routes: Sequence[Any]
    """The Litestar handlers of its `http.py`; they get the contract under the service's name."""
    sockets: Sequence[SocketRoute] = ()
    """The WebSockets that it answers."""
    migrations: Path
