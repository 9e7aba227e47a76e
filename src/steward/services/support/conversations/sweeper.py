"""Messages that were left behind: taken up by whichever process comes first, and given up after a few attempts."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.telemetry import Telemetry
from steward.services.support.api import AgentType, HandOffReason, Intent, ScoredIntent, Sentiment
from steward.services.support.conversations.answers import KeptAnswer
from steward.services.support.conversations.arrival import Arrivals
from steward.services.support.conversations.desk import Desk
from steward.services.support.conversations.records import PendingMessage
from steward.services.support.conversations.repository import (
    ConversationsRepository,
    ConversationsSystemRepository,
)
from steward.services.support.conversations.texts import FAILED, FAILED_SUBJECT
from steward.services.support.conversations.turn import Turn
from steward.services.support.conversations.working import Worked
from steward.services.support.errors import SessionNotFound
from steward.services.support.ports import HandOff, Reply
from steward.services.support.tickets.opening import TicketOpening

ATTEMPTS: Final = 5
AT_A_TIME: Final = 20
DEADLINE: Final = timedelta(seconds=30)
ACTIVE: Final = timedelta(minutes=5)
MONTHS_AHEAD: Final = 12


class Sweeper:
    """Background work of conversations."""

    def __init__(
        self,
        *,
        db: ServiceDb,
        rows: ConversationsRepository,
        arrivals: Arrivals,
        desk: Desk,
        tickets: TicketOpening,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._db = db
        self._rows = rows
        self._all_rows = ConversationsSystemRepository()
        self._arrivals = arrivals
        self._desk = desk
        self._tickets = tickets
        self._clock = clock
        self._metrics = telemetry.metrics
        self._log = telemetry.log

    async def sweep(self) -> int:
        """Keep what is worked on here, and take up what nobody works on; how many messages were taken up."""
        leased = self._desk.leased()
        async with self._db.system_tx(_system("messages that wait for an answer")) as tx:
            if leased:
                await self._all_rows.renew(tx, leased, self._desk.lease_end())
            claimed = await self._all_rows.claim(tx, self._clock.now(), self._desk.lease_end(), AT_A_TIME)
        for tenant, message_id in sorted(claimed, key=lambda one: one[1]):
            if self._desk.live(message_id) is None:
                try:
                    await self._take_up(tenant, message_id)
                except Exception as error:  # noqa: BLE001 - reported; the others are not to wait for it
                    self._log.error("a message was not taken up", message_id=str(message_id), exc_info=error)
        return len(claimed)

    async def make_months(self) -> None:
        async with self._db.system_tx(_system("partitions of the months to come")) as tx:
            await self._all_rows.make_months(tx, MONTHS_AHEAD)

    async def count_active(self) -> None:
        async with self._db.system_read(_system("number of active conversations")) as tx:
            count = await self._all_rows.count_active(tx, self._clock.now() - ACTIVE)
        self._metrics.active_conversations(count)

    async def _take_up(self, tenant: TenantId, message_id: UUID) -> None:
        ctx = SystemCtx(reason="a message that waits for an answer", service="support", tenant=tenant)
        async with self._db.read(ctx) as tx:
            pending = await self._rows.pending(tx, tenant, message_id)
        if pending is None:
            return
        try:
            turn = await self._arrivals.again(self._ctx(tenant, pending), pending)
        except SessionNotFound:
            # Its tenant is being deleted.
            return
        if pending.attempts > ATTEMPTS:
            await self._give_up(turn)
        else:
            self._desk.start(turn)

    async def _give_up(self, turn: Turn) -> None:
        """Tell the customer that it did not work, and a person that they are needed."""
        request = HandOff(
            reason=HandOffReason.UNAVAILABLE,
            subject=FAILED_SUBJECT[turn.language],
            summary="\n".join([*turn.conversation.recent, f"user: {turn.text}"]),
            sentiment=Sentiment.NEUTRAL,
        )
        turn.escalated = True
        ticket = await self._tickets.open(turn.ctx, turn.conversation, turn.message_id, request)
        reply = Reply(
            text=FAILED[turn.language].format(number=ticket.number),
            agent_type=AgentType.HUMAN,
            intent=ScoredIntent(type=AgentType.HUMAN, confidence=0.0),
            degraded=True,
            ticket_id=ticket.id,
        )
        intent = Intent(type=AgentType.HUMAN, confidence=0.0, unsure=True, reason="failed")
        answer = KeptAnswer(reply=reply, intent=intent, sentiment=Sentiment.NEUTRAL)
        await self._desk.answer(turn, instead=Worked(answer=answer, state=turn.conversation.dialogue))

    def _ctx(self, tenant: TenantId, pending: PendingMessage) -> Ctx:
        """The context of the message as it came, but for its deadline; its rights are those of any message."""
        origin = pending.origin
        return Ctx(
            tenant=tenant,
            actor=origin.actor,
            scopes=frozenset(("conversation:write",)),
            request_id=origin.request_id,
            deadline=self._clock.now() + DEADLINE,
            locale=origin.locale,
            address=origin.address,
            key_id=origin.key_id,
            traceparent=origin.traceparent,
        )


def _system(reason: str) -> SystemCtx:
    return SystemCtx(reason=reason, service="support")
