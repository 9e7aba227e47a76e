"""Puts the room together."""

import msgspec

from steward.kit.bus import Subscription
from steward.kit.module import Job, Parts
from steward.services.support.understanding.intents import IntentsUseCase
from steward.services.support.understanding.models import Models
from steward.services.support.understanding.repository import IntentsRepository
from steward.services.support.understanding.room import UnderstandingRoom
from steward.services.support.understanding.shipped import Shipped
from steward.services.support.understanding.training.trainer import Trainer
from steward.services.support.understanding.trainings import Trainings


class UnderstandingParts(msgspec.Struct, frozen=True, kw_only=True):
    """The room `understanding`, ready: it wants `start` and `stop`, the bus the subscriptions, background the job.

    `models.heed` may also be told of events as this process commits them.
    """

    room: UnderstandingRoom
    use_case: IntentsUseCase
    models: Models
    shipped: Shipped
    trainings: Trainings
    subscriptions: tuple[Subscription, ...]
    job: Job

    async def start(self) -> None:
        """Begin to load or train the shipped classifier; does not wait for it."""
        await self.shipped.start()
        await self.trainings.start()

    async def stop(self) -> None:
        await self.trainings.stop()
        await self.shipped.stop()


def build(parts: Parts) -> UnderstandingParts:
    """The room."""
    rows, trainer = IntentsRepository(), Trainer()
    shipped = Shipped(trainer, parts.home / "models")
    models = Models(parts.db, rows, shipped)
    trainings = Trainings(parts.db, rows, trainer, parts.wake, parts.clock, parts.telemetry)
    return UnderstandingParts(
        room=UnderstandingRoom(models, parts.clock),
        use_case=IntentsUseCase(
            db=parts.db,
            authz=parts.authz,
            rows=rows,
            models=models,
            shipped=shipped,
            trainings=trainings,
            clock=parts.clock,
        ),
        models=models,
        shipped=shipped,
        trainings=trainings,
        subscriptions=(
            Subscription(
                name="support-intents",
                sources=tuple(name for name in ("support", "tenants") if name in parts.sources),
                handler=models.on_event,
                broadcast=True,
            ),
            Subscription(name="support-trainings", sources=("support",), handler=trainings.on_event, broadcast=True),
        ),
        job=Job(name="support-trainings", every_seconds=30, run=trainings.run, everywhere=True),
    )
