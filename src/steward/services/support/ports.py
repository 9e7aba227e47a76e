"""The seams inside the support service: what its rooms (understanding, dialogue, shop, conversations, model) share.

A message goes: conversations (who, which session) → understanding (what is wanted) → dialogue (a playbook says what to
do) → tools (knowledge, shop, hand-off) → conversations (durable answer). Each arrow is one Protocol here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from steward.kit.context import Ctx
from steward.services.knowledge.api import Hit
from steward.services.support.api import AgentType, Citation, Entity, HandOffReason, ScoredIntent, Sentiment


class Language(StrEnum):
    """What the customer writes, and is answered in."""

    EN = "en"
    HANT = "zh-Hant"
    HANS = "zh-Hans"


class Understanding(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says, as far as it can be told from the message alone."""

    language: Language
    intents: Sequence[ScoredIntent]
    """Best first, at least one; further ones only where the message has several wishes."""
    unsure: bool
    """The classifier would not say."""
    entities: Sequence[Entity]
    sentiment: Sentiment
    complaint: bool
    """The customer complains of the service and wants it put right."""
    wants_person: bool
    """The customer asks for a person."""
    reason: str = "classifier"
    core: str = ""
    """The text without greeting, self-introduction, thanks and sign-off; empty where nobody looked for them."""


class Understander(Protocol):
    """The room `understanding`."""

    async def understand(self, ctx: Ctx, text: str, *, previous: Language | None) -> Understanding:
        """`previous` is the session's language, for a text that tells none (a bare number)."""
        ...


class ToolOutcome(StrEnum):
    OK = "ok"
    NOT_FOUND = "not_found"
    """There is no such thing, or it is not this customer's."""
    REFUSED = "refused"
    """The shop's rules forbid it; `reason` is the rule's code."""
    INVALID = "invalid"
    """The arguments are not what the shop takes; `reason` says which."""
    UNAVAILABLE = "unavailable"
    """The shop does not answer, or is not connected."""


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    outcome: ToolOutcome
    data: Mapping[str, Any] = {}
    """What the tool answered, as in its specification."""
    reason: str = ""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that a playbook may call."""

    name: str
    """`shop.get_order`."""
    summary: str
    arguments: Mapping[str, str]
    """Name to type: `string`, `number`, `date`; a `?` at the end of the type makes it optional."""
    changes: bool
    """Whether it changes something in the shop; it is then called with an Idempotency-Key."""
    needs_customer: bool = True
    """Refused for an anonymous customer without asking the shop."""


class Tools(Protocol):
    """The room `shop`: the tools of a tenant's shop. Never raises for what a shop may do; bugs still raise."""

    @property
    def specs(self) -> Mapping[str, ToolSpec]: ...

    async def call(
        self, ctx: Ctx, *, customer_id: str | None, tool: str, arguments: Mapping[str, str], idempotency_key: str
    ) -> ToolResult:
        """Call a tool for a verified customer (None: anonymous). The same key again gives the first outcome again."""
        ...


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook in the middle of its work; the last frame of a state is the one that talks."""

    playbook: str
    version: int
    step: str
    """Id of the step that waits for the customer."""
    slots: Mapping[str, Any] = {}
    tries: int = 0
    """How often this step has asked in vain."""


class DialogueState(msgspec.Struct, frozen=True, kw_only=True):
    """What a session remembers between messages. Stored as JSON, so new fields need defaults."""

    frames: Sequence[Frame] = ()
    language: Language | None = None
    low_confidence: int = 0
    """Unsure answers in a row."""
    offered: str = ""
    """What the last answer offered and a plain yes would accept: `hand_off:<reason>`, or a playbook to come back to."""
    offered_summary: str = ""
    """For the ticket, if an offered hand-off is accepted."""
    escalated: bool = False
    mentioned: Mapping[str, str] = {}
    """What was named last in the session, by the type of the entity: `cancel it` is then about that order."""


class TurnInput(msgspec.Struct, frozen=True, kw_only=True):
    """One message, for the dialogue."""

    message_id: UUID
    text: str
    understanding: Understanding
    customer_id: str | None
    """None for an anonymous customer."""
    now: datetime
    recent: Sequence[str] = ()
    """Up to ten messages before this one, `user: …` or `agent: …`, oldest first; for summaries."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that a dialogue came to."""

    text: str
    agent_type: AgentType
    intent: ScoredIntent
    """What the message was taken for in the end (a playbook's question decides what its answer means)."""
    intent_reason: str = ""
    citations: Sequence[Citation] = ()
    degraded: bool = False
    ticket_id: UUID | None = None
    cacheable: bool = False
    """True only for an answer from knowledge alone that would be the same for anyone at any point of a session."""
    answered_by: str | None = None
    """The FAQ that was given as the answer, for its view count."""


class HandOff(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a person."""

    reason: HandOffReason
    subject: str
    summary: str
    sentiment: Sentiment


class TicketRef(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: int


class Actions(Protocol):
    """What a dialogue can do while it works on one message; made by the conversations for each message."""

    async def search(self, query: str, *, k: int = 5) -> Sequence[Hit]:
        """Search the tenant's knowledge; hits in the customer's language come first among equals."""
        ...

    async def call(self, tool: str, arguments: Mapping[str, str]) -> ToolResult:
        """Call a tool of the shop; the message is durable before, and the call has its own idempotency key."""
        ...

    async def hand_off(self, request: HandOff) -> TicketRef:
        """Make a ticket (once for a message and a session's open ticket) and mark the session escalated."""
        ...

    async def phrase(self, question: str, citations: Sequence[Citation], language: Language) -> str | None:
        """The answer in a model's words, from these citations only; None where there is no model.

        Raises `ModelFailed` when there is one and it failed or took longer than 8 s.
        """
        ...


class Dialogue(Protocol):
    """The room `dialogue`: agents as playbooks."""

    async def respond(
        self, ctx: Ctx, state: DialogueState, turn: TurnInput, actions: Actions
    ) -> tuple[Reply, DialogueState]:
        """Answer one message. Repeating it from the same state makes the same calls in the same order."""
        ...


class ModelFailed(Exception):
    """The model gave an error or took too long; the desk goes on without it."""


class Model(Protocol):
    """The room `model`: a language model, where the installation has one."""

    async def available(self, ctx: Ctx) -> bool:
        """Whether there is one for this tenant."""
        ...

    async def phrase(self, ctx: Ctx, question: str, citations: Sequence[Citation], language: Language) -> str:
        """An answer from the citations only; raises `ModelFailed`, after 8 s at the latest."""
        ...

    async def route(self, ctx: Ctx, text: str, intents: Sequence[str]) -> ScoredIntent:
        """The intent by the model; an unreadable answer counts as `faq` at 0.5. Raises `ModelFailed`."""
        ...
