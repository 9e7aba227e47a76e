"""What a tool of the shop is told of the customer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest

from steward.kit.context import Ctx
from steward.kit.failpoints import Failpoints
from steward.services.support.conversations.actions import Searching, TurnActions
from steward.services.support.conversations.records import Conversation
from steward.services.support.conversations.turn import Turn
from steward.services.support.ports import Language, Model, ToolOutcome, ToolResult, Tools
from steward.services.support.tickets.opening import TicketOpening
from tests.support.dialogue import ctx


class Owned:
    """As much of a conversation as a call needs."""

    class owner:  # noqa: N801 - stands for an attribute
        customer_id = "c-1"


class Listening:
    """Tools that note the language they are asked in."""

    def __init__(self) -> None:
        self.locales: list[str] = []

    async def call(self, ctx: Ctx, *, arguments: Mapping[str, str], **_: object) -> ToolResult:
        self.locales.append(ctx.locale)
        return ToolResult(outcome=ToolOutcome.OK, data=arguments)


@pytest.mark.parametrize("language", list(Language))
async def test_shop_is_asked_in_the_language_of_the_message(language: Language) -> None:
    tools = Listening()
    turn = Turn(
        ctx(),
        cast("Conversation", Owned()),
        message_id=UUID(int=1),
        text="?",
        language=language,
        question=None,
        sent_at=datetime(2026, 11, 21, tzinfo=UTC),
        started=0.0,
    )
    actions = TurnActions(
        turn,
        accept=_accept,
        searching=cast("Searching", None),
        tools=cast("Tools", tools),
        tickets=cast("TicketOpening", None),
        model=cast("Model", None),
        failpoints=Failpoints(),
    )
    await actions.call("shop.list_orders", {})
    assert tools.locales == [language.value]


async def _accept(_: Any) -> None:
    return None
