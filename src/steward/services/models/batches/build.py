"""Makes the room."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from steward.kit.context import Ctx
from steward.kit.http.addresses import AddressPolicy, Resolver
from steward.kit.module import Job, Parts
from steward.services.costs.api import CostsApi
from steward.services.identity.api import IdentityApi
from steward.services.models.api import Speaks
from steward.services.models.batches.batches import BatchesUseCase
from steward.services.models.batches.files import FilesUseCase
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.retiring.retiring import EVERY_SECONDS, Retiring
from steward.services.models.batches.rights import IdentityRights
from steward.services.models.batches.running import RunLine
from steward.services.models.batches.shipping.anthropic import AnthropicBatches
from steward.services.models.batches.shipping.http import HttpBatches
from steward.services.models.batches.shipping.ledger import LineLedger
from steward.services.models.batches.shipping.openai import OpenAiBatches
from steward.services.models.batches.shipping.ports import BatchHttp
from steward.services.models.batches.shipping.questions import Questions
from steward.services.models.batches.shipping.shipping import Shipping
from steward.services.models.batches.worker import SWEEP_SECONDS, BatchWorker
from steward.services.models.ports import Directory, Endpoint
from steward.services.models.settings import ModelsSettings

_SWEEP: Final = "models batches"
_RETIRE: Final = "models batches retiring"


class BatchesRoom(msgspec.Struct, frozen=True):
    """Files, batches, who works on them, and who deletes them."""

    files: FilesUseCase
    batches: BatchesUseCase
    worker: BatchWorker
    retiring: Retiring
    http: BatchHttp

    @property
    def jobs(self) -> Sequence[Job]:
        """The work is to be done in every process; `stop` ends it."""
        return (
            Job(name=_SWEEP, every_seconds=SWEEP_SECONDS, run=self.worker.sweep, everywhere=True),
            Job(name=_RETIRE, every_seconds=EVERY_SECONDS, run=self.retiring.sweep),
        )

    async def stop(self) -> None:
        """Leave the work to others."""
        await self.worker.stop()
        await self.http.close()


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """What the room needs of others of its service."""

    run_line: RunLine
    directory: Directory
    endpoint_of: Callable[[Ctx, str], Awaitable[Endpoint | None]]
    resolver: Resolver


def build_batches(parts: Parts, neighbours: Neighbours, settings: ModelsSettings) -> BatchesRoom:
    keeping = Keeping(
        db=parts.db,
        envelope=parts.envelope,
        authz=parts.authz,
        idempotency=parts.idempotency,
        clock=parts.clock,
        ids=parts.ids,
    )
    files = FilesUseCase(keeping)
    http = HttpBatches(neighbours.resolver, AddressPolicy(frozenset(settings.allowed_hosts)))
    shipping = Shipping(
        keeping=keeping,
        directory=neighbours.directory,
        endpoint_of=neighbours.endpoint_of,
        providers={Speaks.OPENAI: OpenAiBatches(http), Speaks.ANTHROPIC: AnthropicBatches(http)},
        questions=Questions(parts.clock, parts.ids),
        ledger=LineLedger(lambda: parts.apis.get(CostsApi), parts.clock),
        telemetry=parts.telemetry,
    )
    rights = IdentityRights(lambda: parts.apis.get(IdentityApi), parts.clock)
    worker = BatchWorker(keeping, files, neighbours.run_line, parts.telemetry, shipping=shipping, rights=rights)
    return BatchesRoom(files, BatchesUseCase(keeping), worker, Retiring(keeping, settings.batch_days), http)
