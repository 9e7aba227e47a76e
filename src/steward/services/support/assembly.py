"""Puts the rooms of the support service together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from steward.kit.bus import Subscription
from steward.kit.module import Built, Job, Parts
from steward.kit.outbox import StoredEvent
from steward.kit.ratelimit import RateLimiter
from steward.kit.settings import load
from steward.kit.text import detect_locale, fold
from steward.services.support.changes import Changes
from steward.services.support.conversations.answers import AnswerCache
from steward.services.support.conversations.arrival import Arrivals
from steward.services.support.conversations.chat import Chat
from steward.services.support.conversations.desk import Desk
from steward.services.support.conversations.following import Following
from steward.services.support.conversations.history import History
from steward.services.support.conversations.noting import Noting
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.conversations.sweeper import Sweeper
from steward.services.support.conversations.warming import Warming
from steward.services.support.conversations.working import Specialists, Working
from steward.services.support.conversations.writer import TurnWriter
from steward.services.support.customers.door import Door
from steward.services.support.customers.keys import CustomerKeys
from steward.services.support.customers.repository import CustomerKeysRepository
from steward.services.support.erasing import Erasing
from steward.services.support.ports import Dialogue, Model, Tools, Understander
from steward.services.support.service import Intents, Playbooks, Shop, SupportService, UseCases
from steward.services.support.settings import SETTINGS_PREFIX, SupportSettings
from steward.services.support.tickets.opening import TicketOpening
from steward.services.support.tickets.reading import TicketsUseCase
from steward.services.support.tickets.repository import TicketsRepository

LIMITED_CUSTOMERS = 200_000
SWEEPS_IN_A_LEASE = 3


class Rooms(msgspec.Struct, frozen=True, kw_only=True):
    """What the conversations are given by the other rooms."""

    understander: Understander
    dialogue: Dialogue
    tools: Tools
    model: Model
    intents: Intents
    playbooks: Playbooks
    shop: Shop
    subscriptions: Sequence[Subscription] = ()
    listeners: Sequence[Callable[[StoredEvent], None]] = ()
    jobs: Sequence[Job] = ()
    start: Sequence[Callable[[], Awaitable[object]]] = ()
    stop: Sequence[Callable[[], Awaitable[object]]] = ()


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of conversations that others share."""

    rows: ConversationsRepository
    sessions: Sessions
    answers: AnswerCache
    arrivals: Arrivals
    working: Working
    desk: Desk
    door: Door
    keys: CustomerKeys
    tickets: TicketOpening


def assemble(parts: Parts, rooms: Rooms) -> Built:
    """The service of these rooms."""
    settings = load(SupportSettings, parts.environment, SETTINGS_PREFIX)
    one = _desk(parts, rooms, settings)
    sweeper = Sweeper(
        db=parts.db,
        rows=one.rows,
        arrivals=one.arrivals,
        desk=one.desk,
        tickets=one.tickets,
        clock=parts.clock,
        telemetry=parts.telemetry,
    )
    warming = Warming(one.arrivals, one.working, parts.clock, parts.ids)
    changes = Changes(one.answers, one.sessions, one.keys, Erasing(parts.db), warming.warm)

    def listen(event: StoredEvent) -> None:
        changes.heed(event)
        for listener in rooms.listeners:
            listener(event)

    async def start() -> None:
        await asyncio.to_thread(_load_tables)
        await sweeper.make_months()
        for begin in rooms.start:
            await begin()

    async def stop() -> None:
        await one.desk.stop()
        for end in rooms.stop:
            await end()

    return Built(
        api=SupportService(_use_cases(parts, rooms, settings, one)),
        subscriptions=(*changes.subscriptions(parts.sources), *rooms.subscriptions),
        jobs=(
            Job(
                name="support-left-behind",
                every_seconds=settings.lease_seconds / SWEEPS_IN_A_LEASE,
                run=sweeper.sweep,
                everywhere=True,
            ),
            Job(name="support-months", every_seconds=24 * 3600, run=sweeper.make_months),
            Job(name="support-active", every_seconds=30, run=sweeper.count_active, everywhere=True),
            *rooms.jobs,
        ),
        listener=listen,
        start=start,
        stop=stop,
    )


def _load_tables() -> None:
    """Have the tables of both scripts made, which takes a while the first time."""
    detect_locale(fold("台湾的订单"))


def _desk(parts: Parts, rooms: Rooms, settings: SupportSettings) -> _Desk:
    rows = ConversationsRepository()
    sessions = Sessions(parts.db, rows, parts.clock)
    answers = AnswerCache(parts.clock, parts.telemetry)
    tickets = TicketOpening(parts.db, TicketsRepository(), parts.clock, parts.ids, parts.telemetry)
    specialists = Specialists(
        understander=rooms.understander,
        dialogue=rooms.dialogue,
        tools=rooms.tools,
        model=rooms.model,
        tickets=tickets,
    )
    working = Working(specialists, answers, parts.apis, parts.clock, parts.failpoints)
    noting = Noting(parts.apis, parts.telemetry)
    desk = Desk(
        db=parts.db,
        rows=rows,
        sessions=sessions,
        writer=TurnWriter(parts.db, rows),
        working=working,
        noting=noting,
        clock=parts.clock,
        ids=parts.ids,
        telemetry=parts.telemetry,
        failpoints=parts.failpoints,
        lease_seconds=settings.lease_seconds,
    )
    keys = CustomerKeys(parts.db, parts.authz, CustomerKeysRepository(), parts.clock)
    limiter = RateLimiter(parts.clock, max_entries=LIMITED_CUSTOMERS)
    return _Desk(
        rows=rows,
        sessions=sessions,
        answers=answers,
        arrivals=Arrivals(sessions, answers, parts.clock, parts.ids),
        working=working,
        desk=desk,
        door=Door(parts.authz, keys, limiter, settings.customer_per_minute),
        keys=keys,
        tickets=tickets,
    )


def _use_cases(parts: Parts, rooms: Rooms, settings: SupportSettings, one: _Desk) -> UseCases:
    chat = Chat(
        door=one.door,
        arrivals=one.arrivals,
        desk=one.desk,
        working=one.working,
        following=Following(parts.db, one.rows, one.sessions, one.desk, parts.clock),
        db=parts.db,
        rows=one.rows,
        idempotency=parts.idempotency,
        clock=parts.clock,
        telemetry=parts.telemetry,
        patience_seconds=settings.specialist_seconds,
    )
    return UseCases(
        chat=chat,
        history=History(parts.db, parts.authz, one.rows, one.sessions, one.door, parts.clock),
        tickets=TicketsUseCase(parts.db, parts.authz, TicketsRepository()),
        intents=rooms.intents,
        playbooks=rooms.playbooks,
        shop=rooms.shop,
        customer_keys=one.keys,
    )
