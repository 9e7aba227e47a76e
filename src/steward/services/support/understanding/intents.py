"""A tenant's intents: put, looked at, and used to classify texts."""

import asyncio
from collections.abc import Sequence
from typing import Final

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.services.support.api import Classified, IntentExamples, IntentSet, IntentSummary, TrainingState
from steward.services.support.events import IntentsReplaced, IntentsTrained
from steward.services.support.understanding.errors import IntentTwice, TooFewIntents, TooManyExamples
from steward.services.support.understanding.model import Guess, Model
from steward.services.support.understanding.models import Models
from steward.services.support.understanding.repository import IntentsRepository
from steward.services.support.understanding.shipped import Shipped
from steward.services.support.understanding.training.trainer import TrainingFailed
from steward.services.support.understanding.trainings import Trainings

MOST_EXAMPLES: Final = 20_000
AT_ONCE: Final = 1000
"""Examples up to which a set is trained before the call returns."""
_LEAST_INTENTS: Final = 2
_ON_THE_LOOP: Final = 8
"""Texts that are classified without a thread, if they are short in all: 2 ms at most."""
_SHORT: Final = 2000


class IntentsUseCase:
    """The part of `SupportApi` about intents."""

    def __init__(
        self,
        *,
        db: ServiceDb,
        authz: Authz,
        rows: IntentsRepository,
        models: Models,
        shipped: Shipped,
        trainings: Trainings,
        clock: Clock,
    ) -> None:
        self._db = db
        self._authz = authz
        self._rows = rows
        self._models = models
        self._shipped = shipped
        self._trainings = trainings
        self._clock = clock

    async def put_intents(self, ctx: Ctx, *, intents: Sequence[IntentExamples]) -> IntentSet:
        await self._authz.require(ctx, "support:configure", "intents")
        if _checked(intents) > AT_ONCE:
            await self._store(ctx, intents, TrainingState.QUEUED, None, "")
            return await self._current(ctx)
        try:
            model = await self._trainings.trained(intents)
        except TrainingFailed as error:
            await self._store(ctx, intents, TrainingState.FAILED, None, str(error))
        else:
            await self._store(ctx, intents, TrainingState.TRAINING, model, "")
        return await self._current(ctx)

    async def get_intents(self, ctx: Ctx) -> IntentSet:
        await self._authz.require(ctx, "conversation:read", "intents")
        return await self._current(ctx)

    async def classify(self, ctx: Ctx, *, texts: Sequence[str]) -> Sequence[Classified]:
        await self._authz.require(ctx, "conversation:read", "intents")
        model = await self._models.of(ctx)
        if len(texts) <= _ON_THE_LOOP and sum(map(len, texts)) <= _SHORT:
            guesses = model.guesses(texts)
        else:
            guesses = await asyncio.to_thread(model.guesses, texts)
        return [_classified(guess) for guess in guesses]

    async def _store(
        self, ctx: Ctx, intents: Sequence[IntentExamples], state: TrainingState, model: Model | None, problem: str
    ) -> None:
        """Write a set, with its model where it has one already."""
        tenant = ctx.require_tenant()
        encoded = b"" if model is None else await asyncio.to_thread(model.encode)
        now = self._clock.now()
        async with self._db.tx(ctx) as tx:
            before = await self._rows.latest(tx, tenant)
            version = await self._rows.insert(tx, tenant, intents, state, now)
            if problem:
                await self._rows.mark(tx, tenant, version, state, problem)
            tx.emit(IntentsReplaced(version=version))
            if model is not None:
                await self._rows.trained(tx, tenant, version, encoded, model.accuracy, now)
                tx.emit(IntentsTrained(version=version))
            after = await self._rows.latest(tx, tenant)
            tx.audit(Audit(action="intents.replaced", resource=f"intents/{version}", before=before, after=after))
        if model is not None:
            self._models.forget(tenant)

    async def _current(self, ctx: Ctx) -> IntentSet:
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            row = await self._rows.latest(tx, tenant)
            serving = await self._rows.serving(tx, tenant)
        if row is None:
            return await self._shipped_set()
        return IntentSet(
            version=row.version,
            state=row.state,
            intents=row.intents,
            examples=_examples(row.intents),
            serving_version=serving,
            trained_at=row.trained_at,
            accuracy=row.accuracy,
            problem=row.problem,
        )

    async def _shipped_set(self) -> IntentSet:
        model = await self._shipped.model()
        intents = self._shipped.intents
        return IntentSet(
            version=0,
            state=TrainingState.READY,
            intents=intents,
            examples=_examples(intents),
            serving_version=0,
            accuracy=model.accuracy,
        )


def _checked(intents: Sequence[IntentExamples]) -> int:
    """How many examples there are in all; raises for what cannot be trained from."""
    if len(intents) < _LEAST_INTENTS:
        raise TooFewIntents(len(intents))
    names: set[str] = set()
    for each in intents:
        if each.name in names:
            raise IntentTwice(each.name)
        names.add(each.name)
    count = sum(len(each.examples) for each in intents)
    if count > MOST_EXAMPLES:
        raise TooManyExamples(count, MOST_EXAMPLES)
    return count


def _examples(intents: Sequence[IntentSummary]) -> int:
    return sum(each.examples for each in intents)


def _classified(guess: Guess) -> Classified:
    return Classified(intent=guess.intent, confidence=guess.confidence, unsure=guess.unsure)
