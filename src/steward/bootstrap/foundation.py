"""What every process of the platform stands on, opened once and closed last."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.kit.authz import Authz
from steward.kit.bus import Bus, BusSettings, Reader, Wake
from steward.kit.clock import Clock
from steward.kit.cluster import ClusterSettings, ProcessRegistry
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.crypto.repository import PostgresDataKeys
from steward.kit.db import Database, DbSettings, forbid_open_tx
from steward.kit.failpoints import Failpoints
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids
from steward.kit.intents import Intents
from steward.kit.module import Apis, Module, Parts
from steward.kit.rpc.caller import CallerSigner, CallerVerifier
from steward.kit.settings import load
from steward.kit.telemetry import BusObserver, DatabaseObserver, IntentObserver, Telemetry

_IDEMPOTENCY = "idempotency"


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """The shared parts of one process."""

    clock: Clock
    ids: Ids
    telemetry: Telemetry
    database: Database
    wake: Wake
    bus: Bus
    envelope: Envelope
    keyring: Keyring
    registry: ProcessRegistry
    process_id: UUID
    public_key: bytes
    signer: CallerSigner
    verifier: CallerVerifier
    failpoints: Failpoints
    idempotency_secret: bytes
    environment: Mapping[str, str]
    home: Path

    def parts(self, module: Module, apis: Apis, sources: Sequence[str]) -> Parts:
        """What one service is built from."""
        db = self.database.service(module.name)
        return Parts(
            db=db,
            clock=self.clock,
            ids=self.ids,
            envelope=self.envelope,
            authz=Authz(db),
            idempotency=Idempotency(self.idempotency_secret, self.ids),
            intents=Intents(db, self.envelope, self.clock, self.ids, self.failpoints, IntentObserver(self.telemetry)),
            apis=apis,
            telemetry=self.telemetry,
            reader=Reader(self.database),
            wake=self.wake,
            failpoints=self.failpoints,
            environment=self.environment,
            home=self.home,
            sources=sources,
        )

    async def close(self) -> None:
        """Close what was opened; nothing may be in use any more."""
        try:
            await self.wake.stop()
        finally:
            await self.database.close()


async def open_foundation(
    dsn: str,
    *,
    home: Path,
    environment: Mapping[str, str],
    peers: Mapping[str, Sequence[str]],
    pool_size: int,
    failpoint: str = "",
    telemetry: Telemetry,
    clock: Clock,
) -> Foundation:
    """Connect to a migrated database and make the shared parts. Raises what the database and the keys raise."""
    ids = Ids(clock)
    db_settings = DbSettings(pool_size=pool_size)
    database = await Database.open(dsn, db_settings, clock, DatabaseObserver(telemetry, clock))
    wake = Wake(dsn, clock)
    await wake.start()
    database.on_commit(wake.committed)
    master = LocalMasterKey(home / "keys" / "master.key", ids)
    keyring = Keyring(PostgresDataKeys(database), master, clock, ids)
    envelope = Envelope(keyring, ids, guard=forbid_open_tx)
    registry = ProcessRegistry(database, load(ClusterSettings, environment, "STEWARD_CLUSTER_"), clock, peers)
    private_key = Ed25519PrivateKey.generate()
    process_id = ids.new()
    bus_settings = load(BusSettings, environment, "STEWARD_BUS_")
    return Foundation(
        clock=clock,
        ids=ids,
        telemetry=telemetry,
        database=database,
        wake=wake,
        bus=Bus(database, wake, bus_settings, clock, BusObserver(telemetry, clock)),
        envelope=envelope,
        keyring=keyring,
        registry=registry,
        process_id=process_id,
        public_key=private_key.public_key().public_bytes_raw(),
        signer=CallerSigner(clock, str(process_id), private_key),
        verifier=CallerVerifier(clock, registry),
        failpoints=Failpoints(failpoint),
        idempotency_secret=await envelope.blind_index(None, _IDEMPOTENCY, purpose=_IDEMPOTENCY),
        environment=environment,
        home=home,
    )
