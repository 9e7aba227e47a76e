"""Making the answers to popular questions ready before they are asked again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from steward.kit.clock import Clock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import Ids, TenantId
from steward.kit.outbox import StoredEvent
from steward.services.support.conversations.arrival import Arrivals
from steward.services.support.conversations.turn import Turn
from steward.services.support.conversations.working import Working
from steward.services.support.customers.owner import NOBODY

DEADLINE: Final = timedelta(seconds=30)
MOST: Final = 100


class _Counted(msgspec.Struct, frozen=True):
    """What is read of the event of the knowledge service."""

    questions: Sequence[str] = ()


class _NotForAnybody(Exception):
    """The answer takes a call outside, so it is not the same for everybody."""


class Warming:
    """Works questions out as if a new visitor had asked them, and writes nothing."""

    def __init__(self, arrivals: Arrivals, working: Working, clock: Clock, ids: Ids) -> None:
        self._arrivals = arrivals
        self._working = working
        self._clock = clock
        self._ids = ids

    async def warm(self, tenant: TenantId, event: StoredEvent) -> None:
        """Keep the answers to the questions that an event names."""
        for question in msgspec.json.decode(event.payload, type=_Counted).questions[:MOST]:
            turn = await self._arrivals.begin(self._ctx(tenant), NOBODY, None, question, None)
            turn.rehearsal = True
            if self._working.kept(turn) is None:
                await self._warm(turn)

    async def _warm(self, turn: Turn) -> None:
        try:
            self._working.keep(turn, await self._working.work_out(turn, _refuse))
        except _NotForAnybody:
            return

    def _ctx(self, tenant: TenantId) -> Ctx:
        return Ctx(
            tenant=tenant,
            actor=Actor(ActorType.SERVICE, "support"),
            scopes=frozenset(),
            request_id=f"warming-{self._ids.new()}",
            deadline=self._clock.now() + DEADLINE,
        )


async def _refuse(_: Turn) -> None:
    raise _NotForAnybody
