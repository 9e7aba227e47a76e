"""Carrying intents out, undoing refused ones, resuming those a crash left behind."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.crypto import Envelope, KeyDestroyed
from steward.kit.db import ServiceDb, Tx
from steward.kit.errors import AppError, Kind
from steward.kit.failpoints import Failpoints
from steward.kit.ids import PLATFORM, Ids, TenantId
from steward.kit.intents import repository
from steward.kit.intents.repository import IntentRow

S = TypeVar("S", bound=msgspec.Struct)

PURPOSE = "intent"
LEASE = timedelta(seconds=45)
"""How long a process has for a step before the sweeper takes the intent over; longer than any request."""
TIME_TO_RESUME = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)

TRANSIENT = frozenset({Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.INTERNAL, Kind.BAD_GATEWAY, Kind.RATE_LIMITED})
"""Failures that say nothing of the work itself: the intent waits and is tried again."""


class Step(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """One idempotent step. `undo` must bear that `do` happened wholly, partly or not at all."""

    name: str
    do: Callable[[Ctx, S], Awaitable[S]]
    undo: Callable[[Ctx, S], Awaitable[None]] | None = None


class Flow(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """A kind of intent: its state and its steps. Changing the steps of a kind needs a new kind."""

    kind: str
    state: type[S]
    steps: Sequence[Step[S]]


class Intent(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """Work that is decided on; durable once its transaction has committed."""

    flow: Flow[S]
    row: IntentRow
    state: S

    @property
    def id(self) -> UUID:
        return self.row.id


class _Content(msgspec.Struct, frozen=True):
    ctx: Ctx
    state: msgspec.Raw


class IntentObserver(Protocol):
    """What is told of intents; telemetry implements it."""

    def resumed(self, kind: str) -> None: ...

    def undone(self, kind: str, step: str, error: AppError) -> None: ...

    def stuck(self, kind: str, attempts: int, error: Exception) -> None: ...


class NullIntentObserver:
    """Watches nothing."""

    def resumed(self, kind: str) -> None:
        """Ignore it."""

    def undone(self, kind: str, step: str, error: AppError) -> None:
        """Ignore it."""

    def stuck(self, kind: str, attempts: int, error: Exception) -> None:
        """Ignore it."""


class Intents:
    """The intents of one service."""

    def __init__(
        self,
        db: ServiceDb,
        envelope: Envelope,
        clock: Clock,
        ids: Ids,
        failpoints: Failpoints,
        observer: IntentObserver | None = None,
    ) -> None:
        self._db = db
        self._envelope = envelope
        self._clock = clock
        self._ids = ids
        self._failpoints = failpoints
        self._observer = observer or NullIntentObserver()
        self._flows: dict[str, Flow[Any]] = {}

    def register(self, flow: Flow[Any]) -> None:
        """Make a kind known, so that intents of it can be resumed."""
        self._flows[flow.kind] = flow

    async def prepare(self, ctx: Ctx, flow: Flow[S], state: S) -> Intent[S]:
        """An intent, sealed and ready to be committed; call it before the transaction is opened."""
        tenant = ctx.require_tenant()
        row = IntentRow(
            tenant=tenant,
            id=self._ids.new(),
            kind=flow.kind,
            step=0,
            undoing=False,
            attempts=0,
            sealed=await self._seal(ctx, state),
        )
        return Intent(flow=flow, row=row, state=state)

    async def commit(self, tx: Tx, intent: Intent[Any]) -> None:
        """Write the intent with the transaction: from its commit on, the work will be done or undone."""
        await repository.insert(tx, intent.row, self._clock.now() + LEASE)

    async def carry_out(self, ctx: Ctx, intent: Intent[S]) -> S:
        """Do all steps; the state after the last.

        Raises what a step was refused with, after undoing those before it. A failure of the surroundings
        (`Unavailable` and its like) is raised too, but the intent stays and is carried out later.
        """
        self._passing(intent, "committed")
        steps = intent.flow.steps
        while intent.row.step < len(steps):
            step = steps[intent.row.step]
            try:
                state = await step.do(ctx, intent.state)
            except AppError as error:
                if error.kind in TRANSIENT:
                    raise
                self._observer.undone(intent.row.kind, step.name, error)
                await self._undo(ctx, intent)
                raise
            self._passing(intent, step.name)
            intent = await self._advance(ctx, intent, intent.row.step + 1, state)
        await self._finish(ctx, intent.row)
        return intent.state

    async def resume(self, *, everything: bool = False, limit: int = 50) -> int:
        """Carry on with intents that were left behind; how many were tried.

        `everything` also takes those whose lease still runs: only for a start-up that knows that no other process is
        there.
        """
        now = self._clock.now()
        due = now + LONGEST_PAUSE if everything else now
        until = now + LEASE
        async with self._db.system_tx(SystemCtx(reason="resume intents", service=self._db.name)) as tx:
            claimed = await repository.claim_due(tx, due, until, limit)
        tried = 0
        for tenant, intent_id in claimed:
            # One that could outlast the lease is left to whoever claims it next.
            if self._clock.now() + TIME_TO_RESUME > until:
                break
            await self._resume(tenant, intent_id)
            tried += 1
        return tried

    async def _resume(self, tenant: TenantId, intent_id: UUID) -> None:
        system = SystemCtx(reason="resume an intent", service=self._db.name, tenant=tenant)
        async with self._db.tx(system) as tx:
            row = await repository.load(tx, tenant, intent_id)
        if row is None:
            return
        try:
            content = await self._opened(row)
            if content is None:
                async with self._db.tx(system) as tx:
                    await repository.delete(tx, row.tenant, row.id)
                return
            await self._carry_on(row, content)
        except Exception as error:  # noqa: BLE001 a failure must not stop the sweeper; it is reported and tried again
            await self._postpone(system, row, error)
        else:
            self._observer.resumed(row.kind)

    async def _opened(self, row: IntentRow) -> _Content | None:
        """What an intent holds; None where its tenant was deleted and, with its keys, what was to be done for it."""
        try:
            plain = await self._envelope.open(_owner(row.tenant), row.sealed, purpose=PURPOSE)
        except KeyDestroyed:
            return None
        return msgspec.json.decode(plain, type=_Content)

    async def _carry_on(self, row: IntentRow, content: _Content) -> None:
        flow = self._flows[row.kind]
        ctx = msgspec.structs.replace(content.ctx, deadline=self._clock.now() + TIME_TO_RESUME)
        intent = Intent(flow=flow, row=row, state=msgspec.json.decode(content.state, type=flow.state))
        if row.undoing:
            await self._undo(ctx, intent)
        else:
            await self.carry_out(ctx, intent)

    async def _undo(self, ctx: Ctx, intent: Intent[Any]) -> None:
        """Undo the step that was refused (it may have happened in part) and all before it, last first."""
        row = msgspec.structs.replace(intent.row, undoing=True)
        if not await self._save(ctx, row):
            # Another process took the intent over after the lease and brought it to its end.
            return
        for step in reversed(intent.flow.steps[: row.step + 1]):
            if step.undo is not None:
                await step.undo(ctx, intent.state)
            self._passing(intent, f"undo {step.name}")
        await self._finish(ctx, row)

    async def _advance(self, ctx: Ctx, intent: Intent[S], step: int, state: S) -> Intent[S]:
        sealed = intent.row.sealed if state is intent.state else await self._seal(ctx, state)
        row = msgspec.structs.replace(intent.row, step=step, sealed=sealed)
        await self._save(ctx, row)
        return msgspec.structs.replace(intent, row=row, state=state)

    async def _save(self, ctx: Ctx, row: IntentRow) -> bool:
        """Write how far the intent got; False where it is gone."""
        async with self._db.tx(ctx.for_tenant(row.tenant)) as tx:
            return await repository.save(tx, row, self._clock.now() + LEASE)

    async def _finish(self, ctx: Ctx, row: IntentRow) -> None:
        async with self._db.tx(ctx.for_tenant(row.tenant)) as tx:
            await repository.delete(tx, row.tenant, row.id)

    async def _postpone(self, system: SystemCtx, row: IntentRow, error: Exception) -> None:
        """Put an intent off, unless it was refused and undone to the end, and so is gone."""
        attempts = row.attempts + 1
        pause = min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_PAUSE)
        async with self._db.tx(system) as tx:
            now = await repository.load(tx, row.tenant, row.id)
            if now is None:
                return
            again = msgspec.structs.replace(now, attempts=attempts)
            await repository.save(tx, again, self._clock.now() + pause)
        self._observer.stuck(row.kind, attempts, error)

    async def _seal(self, ctx: Ctx, state: msgspec.Struct) -> bytes:
        content = _Content(ctx, msgspec.Raw(msgspec.json.encode(state)))
        return await self._envelope.seal(_owner(ctx.require_tenant()), msgspec.json.encode(content), purpose=PURPOSE)

    def _passing(self, intent: Intent[Any], place: str) -> None:
        self._failpoints.passing(f"{intent.row.kind}:{place}")


def _owner(tenant: TenantId) -> TenantId | None:
    """Whose data key seals an intent: the platform's own work has none of a tenant."""
    return None if tenant == PLATFORM else tenant
