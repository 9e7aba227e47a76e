"""The SQL of intents: the sets that tenants put, and the models trained from them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.support.api import IntentExamples, IntentSummary, TrainingState


class SetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A set, without its examples."""

    version: int
    state: TrainingState
    problem: str
    accuracy: float | None
    trained_at: datetime | None
    created_at: datetime
    intents: Sequence[IntentSummary]


class StoredModel(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    model: bytes


class IntentsRepository:
    """The intents of one tenant, in its transactions."""

    async def latest(self, tx: Tx, tenant: TenantId) -> SetRow | None:
        """The newest set; names and numbers of its examples only."""
        row = await tx.fetchrow(
            "SELECT version, state, problem, accuracy, trained_at, created_at,"
            " (SELECT json_agg(json_build_object('name', one->>'name', 'examples', jsonb_array_length(one->'examples'))"
            "  ORDER BY place) FROM jsonb_array_elements(intents) WITH ORDINALITY AS each (one, place)) AS summary"
            " FROM support.intent_set WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1",
            tenant,
        )
        if row is None:
            return None
        fields = {name: value for name, value in row.items() if name != "summary"}
        summary = msgspec.json.decode(row["summary"], type=Sequence[IntentSummary])
        return msgspec.convert({**fields, "intents": summary}, SetRow)

    async def serving(self, tx: Tx, tenant: TenantId) -> int:
        """The version that classifies; 0 for the set that Steward ships."""
        found = await tx.fetchval("SELECT max(version) FROM support.intent_model WHERE tenant_id = $1", tenant)
        return found or 0

    async def model(self, tx: Tx, tenant: TenantId) -> StoredModel | None:
        """The newest model."""
        row = await tx.fetchrow(
            "SELECT version, model FROM support.intent_model WHERE tenant_id = $1 ORDER BY version DESC LIMIT 1", tenant
        )
        return None if row is None else StoredModel(version=row["version"], model=row["model"])

    async def examples(self, tx: Tx, tenant: TenantId, version: int) -> Sequence[IntentExamples]:
        """A set's intents; none where the set is gone, or a newer one has taken its place."""
        found = await tx.fetchval(
            "SELECT intents FROM support.intent_set WHERE tenant_id = $1 AND version = $2"
            " AND version = (SELECT max(version) FROM support.intent_set WHERE tenant_id = $1)",
            tenant,
            version,
        )
        return () if found is None else msgspec.json.decode(found, type=Sequence[IntentExamples])

    async def insert(
        self, tx: Tx, tenant: TenantId, intents: Sequence[IntentExamples], state: TrainingState, created_at: datetime
    ) -> int:
        """Add a set in the place of all older ones; its version. Those who put sets at once wait for each other."""
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('intents:' || $1::uuid::text, 0))", tenant)
        version = await tx.fetchval(
            "INSERT INTO support.intent_set (tenant_id, version, intents, state, created_at)"
            " SELECT $1, 1 + greatest((SELECT max(version) FROM support.intent_set WHERE tenant_id = $1),"
            "  (SELECT max(version) FROM support.intent_model WHERE tenant_id = $1), 0), $2::jsonb, $3, $4"
            " RETURNING version",
            tenant,
            msgspec.json.encode(intents).decode(),
            state.value,
            created_at,
        )
        await tx.execute("DELETE FROM support.intent_set WHERE tenant_id = $1 AND version < $2", tenant, version)
        return version

    async def mark(self, tx: Tx, tenant: TenantId, version: int, state: TrainingState, problem: str = "") -> bool:
        """Note how far training got; False where the set was replaced."""
        changed = await tx.execute(
            "UPDATE support.intent_set SET state = $3, problem = $4 WHERE tenant_id = $1 AND version = $2",
            tenant,
            version,
            state.value,
            problem,
        )
        return changed == 1

    async def trained(
        self, tx: Tx, tenant: TenantId, version: int, model: bytes, accuracy: float, trained_at: datetime
    ) -> bool:
        """Have a model classify from now on; False where its set was replaced or is trained already."""
        ready = await tx.execute(
            "UPDATE support.intent_set SET state = 'ready', problem = '', accuracy = $3, trained_at = $4"
            " WHERE tenant_id = $1 AND version = $2 AND state <> 'ready'",
            tenant,
            version,
            accuracy,
            trained_at,
        )
        if ready != 1:
            return False
        await tx.execute("DELETE FROM support.intent_model WHERE tenant_id = $1 AND version <= $2", tenant, version)
        await tx.execute(
            "INSERT INTO support.intent_model (tenant_id, version, model) VALUES ($1, $2, $3)", tenant, version, model
        )
        return True


class IntentsSystemRepository:
    """What is to be trained, of whichever tenant."""

    async def waiting(self, tx: Tx) -> list[tuple[TenantId, int]]:
        """The sets that are not trained, oldest first."""
        rows = await tx.fetch(
            "SELECT tenant_id, version FROM support.intent_set WHERE state IN ('queued', 'training')"
            " ORDER BY created_at LIMIT 1000"
        )
        return [(TenantId(row["tenant_id"]), row["version"]) for row in rows]
