"""Group commit: many chats in few transactions, none harmed by its neighbour, and sessions on several processes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from steward.kit.context import Actor, ActorType
from steward.kit.db import Tx
from steward.services.support.conversations.repository import ConversationsRepository
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk, left_behind

CHATS = 50
MOST_TRANSACTIONS = 10


class Counted:
    """Transactions and statements for the tenant, without what readers of the outboxes do for all."""

    def __init__(self) -> None:
        self.transactions = 0
        self.statements = 0


@contextmanager
def counting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Counts what this process asks of the database."""
    counted = Counted()
    observer = desk.installation.foundation.database.observer
    transaction, run = observer.transaction, Tx.__dict__["_run"]

    def counted_transaction(service: str, tenant: str) -> Any:
        counted.transactions += (service, tenant) == ("support", str(desk.tenant))
        return transaction(service, tenant)

    async def counted_run(tx: Any, sql: str, act: Any) -> Any:
        counted.statements += (tx.service, tx.ctx.tenant) == ("support", desk.tenant)
        return await run(tx, sql, act)

    with monkeypatch.context() as patch:
        patch.setattr(observer, "transaction", counted_transaction)
        patch.setattr(Tx, "_run", counted_run)
        yield counted


async def test_concurrent_chats_share_transactions(new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await new_desk()
    await desk.say("hello")
    with counting(desk, monkeypatch) as counted:
        answers = await asyncio.gather(*(desk.say(f"hello {number}", user=f"u{number}") for number in range(CHATS)))
    assert 1 <= counted.transactions <= MOST_TRANSACTIONS
    assert [answer.message for answer in answers] == [f"hello {number}" for number in range(CHATS)]
    entries = await left_behind(desk, "audit_outbox")
    assert len([entry for entry in entries if entry["action"] == "message.answered"]) == CHATS + 1


async def test_chat_is_one_transaction_of_one_statement(new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await new_desk()
    desk.script.faqs["shipping"] = "Within three days."
    session = (await desk.say("search shipping")).session_id
    for text, in_session in (("search shipping", None), ("search shipping", session), ("hello", session)):
        with counting(desk, monkeypatch) as counted:
            await desk.say(text, in_session)
        assert (counted.transactions, counted.statements) == (1, 1), text


async def test_message_the_database_refuses_does_not_fail_its_neighbours(
    new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await new_desk()
    await desk.say("hello")
    complete = ConversationsRepository.complete

    async def refusing(self: Any, tx: Any, tenant: Any, turns: Any) -> Any:
        if any(turn.answered.text == "poison" for turn in turns):
            await tx.execute("SELECT 1 / 0")
        return await complete(self, tx, tenant, turns)

    monkeypatch.setattr(ConversationsRepository, "complete", refusing)
    texts = ["one", "two", "poison", "three", "four"]
    answers = await asyncio.gather(*(desk.say(text, user=text) for text in texts))
    assert [answer.message for answer in answers if not answer.degraded] == ["one", "two", "three", "four"]
    assert answers[2].degraded


async def test_audit_entries_of_a_group_name_each_ones_own_actor(new_desk: NewDesk) -> None:
    desk = await new_desk()
    callers = [
        desk.installation.ctx(
            desk.tenant,
            "conversation:write",
            "support:act-as-customer",
            actor=Actor(ActorType.SERVICE, f"shop-{number}"),
        )
        for number in range(5)
    ]
    answers = await asyncio.gather(*(desk.say("hello", ctx=caller) for caller in callers))
    entries = await left_behind(desk, "audit_outbox")
    found = {entry["resource"]: (entry["actor"]["id"], entry["request_id"], entry["address"]) for entry in entries}
    assert found == {
        f"session/{answer.session_id}": (caller.actor.id, caller.request_id, caller.address)
        for caller, answer in zip(callers, answers, strict=True)
    }


async def test_two_processes_share_a_session_and_lose_nothing(new_desk: NewDesk) -> None:
    one = await new_desk()
    two = await new_desk(tenant=one.tenant)
    session = (await one.say("hello")).session_id
    numbers = range(16)
    await asyncio.gather(*((one, two)[number % 2].say(f"remember {number}", session) for number in numbers))
    recalled = (await two.say("recall", session)).message.split(",")
    assert sorted(recalled, key=int) == [str(number) for number in numbers]
    assert (await one.say("recall", session)).message.split(",") == recalled
    assert len(await one.history(session)) == 2 * (len(numbers) + 3)


async def test_session_cleared_while_its_message_is_worked_on_goes_on_fresh(new_desk: NewDesk) -> None:
    one = await new_desk()
    two = await new_desk(tenant=one.tenant)
    session = (await one.say("remember a")).session_id
    one.script.let_go.clear()
    working = asyncio.ensure_future(one.say("slow", session))
    await one.script.waiting.wait()
    await two.api.clear_session(two.ctx(), session_id=session, user_id="ann")
    one.script.let_go.set()
    assert (await working).message == "at last"
    assert await two.texts(session) == ["slow", "at last"]
    assert (await two.say("recall", session)).message == ""
