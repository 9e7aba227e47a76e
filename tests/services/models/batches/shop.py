"""The room `batches` on a real database, with a scripted maker of requests."""

# ruff: noqa: ARG002 - the doubles have the parameters of the contracts that they stand for.

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from steward.kit.authz import Authz
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.crypto import Envelope, Keyring, LocalMasterKey
from steward.kit.db import Database, forbid_open_tx
from steward.kit.idempotency import Idempotency
from steward.kit.ids import TenantId
from steward.kit.telemetry import Telemetry
from steward.kit.testing.clock import FakeClock
from steward.kit.testing.data_keys import MemoryDataKeys
from steward.services.models.api import AliasInput, Batch, CallOptions, FileId, Speaks
from steward.services.models.batches.batches import BatchesUseCase
from steward.services.models.batches.files import FilesUseCase
from steward.services.models.batches.keeping import Keeping
from steward.services.models.batches.retiring.retiring import Retiring
from steward.services.models.batches.shipping.ledger import LineLedger
from steward.services.models.batches.shipping.ports import ProviderBatches
from steward.services.models.batches.shipping.questions import Questions
from steward.services.models.batches.shipping.shipping import Shipping
from steward.services.models.batches.worker import BatchWorker
from steward.services.models.errors import ModelNotFound
from steward.services.models.ports import Endpoint, Resolved, Target
from tests.support.database import IDS, ctx_of

CHAT = "/v1/chat/completions"

Answer = Callable[[str], Awaitable[tuple[int, bytes]]]


class Maker:
    """Stands where the pipeline is: keeps what it was asked, and answers as the test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Ctx, str, str]] = []
        self.answer: Answer = self._usual
        self.most = 0
        self._now = 0
        self._asked = asyncio.Condition()

    async def reached(self, count: int) -> None:
        """Wait until it was asked so often."""
        async with self._asked:
            await self._asked.wait_for(lambda: len(self.asked) >= count)

    async def __call__(self, ctx: Ctx, endpoint: str, body: bytes) -> tuple[int, bytes]:
        word = msgspec.json.decode(body)["word"]
        self.asked.append((ctx, endpoint, word))
        async with self._asked:
            self._asked.notify_all()
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self.answer(word)
        finally:
            self._now -= 1

    @property
    def words(self) -> list[str]:
        return [word for _, _, word in self.asked]

    async def _usual(self, word: str) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        return 200, msgspec.json.encode({"said": word})


class Yard:
    """What lies around the room: names, providers' batch endpoints, costs and rights. Here: nobody has any."""

    def __init__(self) -> None:
        self.targets: dict[str, list[Target]] = {}
        self.providers: dict[Speaks, ProviderBatches] = {}
        self.costs: Any = None
        self.lost_right = ""

    async def resolve(self, ctx: Ctx, model: str, options: CallOptions) -> Resolved:
        if model not in self.targets:
            raise ModelNotFound(model)
        targets = self.targets[model]
        settings = AliasInput(candidates=[one.candidate for one in targets])
        return Resolved(alias=model, settings=settings, targets=targets, own=True, revision="1")

    async def endpoint(self, ctx: Ctx, name: str) -> Endpoint | None:
        found = (one.endpoint for targets in self.targets.values() for one in targets)
        return next((one for one in found if one.name == name), None)

    async def fault(self, ctx: Ctx) -> str:
        return self.lost_right


class Room:
    """One process of the fleet, as far as batches go."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        clock: FakeClock,
        maker: Maker,
        telemetry: Telemetry,
        yard: "Yard | None" = None,
    ) -> None:
        yard = yard or Yard()
        db = database.service("models")
        self.clock = clock
        self.maker = maker
        self._keeping = Keeping(
            db=db, envelope=envelope, authz=Authz(db), idempotency=Idempotency(b"s" * 32, IDS), clock=clock, ids=IDS
        )
        self.files = FilesUseCase(self._keeping)
        self.batches = BatchesUseCase(self._keeping)
        self.retiring = Retiring(self._keeping, days=30)
        shipping = Shipping(
            keeping=self._keeping,
            directory=yard,
            endpoint_of=yard.endpoint,
            providers=yard.providers,
            questions=Questions(clock, IDS),
            ledger=LineLedger(cast("Any", lambda: yard.costs), clock),
            telemetry=telemetry,
        )
        self.worker = BatchWorker(
            self._keeping, self.files, maker, telemetry, shipping=shipping, rights=yard, concurrency=3
        )

    async def work(self) -> None:
        await self.worker.sweep()
        await self.worker.drain()

    async def upload(self, ctx: Ctx, lines: Sequence[object]) -> FileId:
        content = b"\n".join(one if isinstance(one, bytes) else msgspec.json.encode(one) for one in lines)
        return (await self.files.put(ctx, name="in.jsonl", purpose="batch", content=content)).id

    async def batch(self, ctx: Ctx, lines: Sequence[object]) -> Batch:
        file = await self.upload(ctx, lines)
        return await self.batches.create(ctx, endpoint=CHAT, input_file=file, metadata={"job": "night"})

    async def lines(self, ctx: Ctx, file: FileId | None) -> dict[str, dict[str, Any]]:
        """What an output file says, by custom id."""
        assert file is not None
        content = b"".join([piece async for piece in self.files.read(ctx, file=file)])
        found = [msgspec.json.decode(line) for line in content.splitlines()]
        assert (await self.files.get(ctx, file=file)).bytes == len(content)
        return {one["custom_id"]: one for one in found}


def envelope_at(path: Path) -> Envelope:
    clock = FakeClock()
    return Envelope(Keyring(MemoryDataKeys(), LocalMasterKey(path, IDS), clock, IDS), IDS, guard=forbid_open_tx)


def line(word: str, *, url: str = CHAT, **body: object) -> dict[str, object]:
    return {"custom_id": f"id-{word}", "method": "POST", "url": url, "body": {"model": "small", "word": word, **body}}


def caller(tenant: TenantId, *scopes: str, user: str = "u", key: str | None = None) -> Ctx:
    return msgspec.structs.replace(
        ctx_of(tenant, idempotency_key=key),
        scopes=frozenset(scopes or ("model:call",)),
        actor=Actor(ActorType.USER, user),
    )
