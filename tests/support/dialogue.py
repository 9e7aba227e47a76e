"""Conversations with the desk's dialogue as data: what a customer says, what the shop answers, what must come of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import TenantId
from steward.services.knowledge.api import Hit, SourceKind
from steward.services.support.api import Entity, EntityType, ScoredIntent, Sentiment
from steward.services.support.dialogue.checks import World
from steward.services.support.dialogue.engine import PlaybookDialogue
from steward.services.support.dialogue.libraries import library_of
from steward.services.support.dialogue.library import Library
from steward.services.support.dialogue.shipped import SHIPPED_INTENTS, shipped
from steward.services.support.ports import (
    DialogueState,
    HandOff,
    Language,
    ModelFailed,
    Reply,
    TicketRef,
    ToolOutcome,
    ToolResult,
    TurnInput,
    Understanding,
)
from steward.services.support.shop.catalog import SPECS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORLD = World(tools=SPECS, intents=SHIPPED_INTENTS)
_ORDER = re.compile(r"ORD-\d{4}-\d{6}")
_ITEMS = [{"name": "Kettle", "quantity": 2}, {"name": "Cup", "quantity": 1}]


def order(order_id: str = "ORD-2026-000123", status: str = "paid", **changes: Any) -> dict[str, Any]:
    """An order as `shop.get_order` answers it, with nothing that may be absent."""
    open_ = status in ("pending", "paid")
    return {
        "order_id": order_id,
        "status": status,
        "placed_at": "2026-11-10T08:00:00Z",
        "total": "129.00",
        "currency": "USD",
        "items": _ITEMS,
        "address": "1 Old Road, Springfield",
        "can_cancel": open_,
        "can_change_address": open_,
        "tracking_number": None,
        "carrier": None,
        "expected_at": None,
        "delivered_at": None,
        **changes,
    }


def refund(order_id: str = "ORD-2026-000123", **changes: Any) -> dict[str, Any]:
    return {
        "refund_id": "RF-7",
        "order_id": order_id,
        "status": "requested",
        "kind": "refund",
        "amount": "129.00",
        "currency": "USD",
        "updated_at": "2026-11-20T08:00:00Z",
        **changes,
    }


def eligibility(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "ORD-2026-000123",
        "eligible": True,
        "reason": "eligible",
        "kinds": ["refund", "exchange"],
        "amount": "129.00",
        "currency": "USD",
        "until": None,
        **changes,
    }


def hit(text: str, *, title: str = "Question", locale: str = "en", confidence: float = 0.8, **changes: Any) -> Hit:
    given = {"document_id": "faq-1", "chunk_id": "faq-1#0", "kind": SourceKind.FAQ, "score": confidence, **changes}
    return Hit(title=title, text=text, locale=locale, confidence=confidence, **given)


class FakeActions:
    """The `Actions` of a message: answers as it is told and notes what was called."""

    def __init__(self) -> None:
        self.shop: dict[str, ToolResult] = {}
        """What a tool answers, instead of what it answers by itself."""
        self.hits: Sequence[Hit] = ()
        self.model: str | None = None
        self.model_fails = False
        self.calls: list[tuple[str, Mapping[str, str]]] = []
        self.searched: list[str] = []
        self.handed_off: list[HandOff] = []
        self.log: list[str] = []

    async def search(self, query: str, *, k: int = 5) -> Sequence[Hit]:
        self.searched.append(query)
        self.log.append("search")
        return self.hits[:k]

    async def call(self, tool: str, arguments: Mapping[str, str]) -> ToolResult:
        self.calls.append((tool, dict(arguments)))
        self.log.append(tool)
        return self.shop.get(tool) or self._own(tool, arguments)

    async def hand_off(self, request: HandOff) -> TicketRef:
        self.handed_off.append(request)
        self.log.append("hand_off")
        return TicketRef(id=UUID(int=77), number=77)

    async def phrase(self, *_: object) -> str | None:
        self.log.append("phrase")
        if self.model_fails:
            raise ModelFailed
        return self.model

    def _own(self, tool: str, arguments: Mapping[str, str]) -> ToolResult:
        named = arguments.get("order_id", "ORD-2026-000123")
        data: Mapping[str, Any] = {
            "shop.list_orders": {"orders": [order("ORD-2026-000123"), order("ORD-2026-000124", "shipped")]},
            "shop.get_order": order(named),
            "shop.change_address": order(named, address=arguments.get("address", "")),
            "shop.cancel_order": order(named, "cancelled"),
            "shop.refund_eligibility": eligibility(order_id=named),
            "shop.request_refund": refund(named, kind=arguments.get("kind", "refund")),
            "shop.get_refund": refund(named),
            "shop.find_product": {"products": []},
        }[tool]
        return ToolResult(outcome=ToolOutcome.OK, data=data)


@cache
def shipped_library() -> Library:
    return library_of([(each.file, each.source) for each in shipped(WORLD)])


def ctx() -> Ctx:
    return Ctx(
        tenant=TenantId(UUID(int=1)),
        actor=Actor(ActorType.CUSTOMER, "c-1"),
        scopes=frozenset(),
        request_id="test",
        deadline=NOW + timedelta(seconds=30),
    )


class Talk:
    """A session of a customer with the dialogue."""

    def __init__(self, language: Language, *, customer: str | None = "c-1", library: Library | None = None) -> None:
        self.language = language
        self.customer = customer
        self.library = library or shipped_library()
        self.actions = FakeActions()
        self.state = DialogueState()
        self.recent: list[str] = []
        self._dialogue = PlaybookDialogue(self._find, SPECS)
        self._count = 0

    async def _find(self, _: Ctx) -> Library:
        return self.library

    async def say(self, text: str, *intents: str, **flags: Any) -> Reply:
        """One message; an intent with `?` behind it is unsure."""
        self._count += 1
        turn = TurnInput(
            message_id=UUID(int=self._count),
            text=text,
            understanding=understanding(text, self.language, *intents, **flags),
            customer_id=self.customer,
            now=NOW,
            recent=self.recent[-10:],
        )
        self.actions.calls, self.actions.log = [], []
        reply, state = await self._dialogue.respond(ctx(), self.state, turn, self.actions)
        # What is stored is JSON, so only what comes back from it counts.
        self.state = msgspec.json.decode(msgspec.json.encode(state), type=DialogueState)
        self.recent += [f"user: {text}", f"agent: {reply.text}"]
        return reply


def understanding(text: str, language: Language, *intents: str, **flags: Any) -> Understanding:
    named = intents or ("faq?",)
    unsure = named[0].endswith("?")
    confidence = 0.3 if unsure else 0.9
    found = [
        Entity(type=EntityType.ORDER_ID, value=match.group(), text=match.group()) for match in _ORDER.finditer(text)
    ]
    return Understanding(
        language=language,
        intents=[ScoredIntent(type=name.rstrip("?"), confidence=confidence) for name in named],
        unsure=unsure,
        entities=found,
        sentiment=Sentiment.VERY_NEGATIVE if flags.get("angry") else Sentiment.NEUTRAL,
        complaint=bool(flags.get("complaint")),
        wants_person=bool(flags.get("person")),
        core=str(flags.get("core", "")),
    )
