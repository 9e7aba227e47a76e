"""Stand-ins for the rooms beside the conversations: they do just what a message tells them to.

`search …` answers from knowledge, `call …` calls a tool, `person` hands off, `slow` waits until it is let go on,
`break` fails, `remember …` leaves a frame behind, and anything else is answered with its own words.
"""

# ruff: noqa: ARG002 - the shapes are those of the ports

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from steward.kit.context import Ctx
from steward.kit.module import Built, Module, Parts
from steward.services.knowledge.api import Hit, SearchResult, SourceKind
from steward.services.support.api import (
    AgentType,
    Citation,
    Classified,
    HandOffReason,
    IntentExamples,
    IntentSet,
    Playbook,
    ScoredIntent,
    Sentiment,
    ShopConnection,
)
from steward.services.support.assembly import Rooms, assemble
from steward.services.support.module import MODULE
from steward.services.support.ports import (
    Actions,
    Dialogue,
    DialogueState,
    Frame,
    HandOff,
    Language,
    ModelFailed,
    Reply,
    ToolOutcome,
    ToolResult,
    ToolSpec,
    TurnInput,
    Understanding,
)


class Script:
    """What the stand-ins of one process do, and what was done with them."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.waiting = asyncio.Event()
        """Set when a message is worked on that waits."""
        self.broken = False
        """Whether `break` breaks."""
        self.calls: list[tuple[str, str]] = []
        """Tool and key."""
        self.responses = 0
        self.searches = 0
        self.recorded = 0
        self.noted: list[tuple[str, str]] = []
        """Questions that the cache answered, and by which FAQ."""
        self.on_search: Callable[[], None] | None = None
        self.faqs: dict[str, str] = {}
        self.model_fails = False
        self.model = False
        self.seen: list[TurnInput] = []

    async def pause(self) -> None:
        self.waiting.set()
        await self.let_go.wait()


class StandInUnderstander:
    async def understand(self, ctx: Ctx, text: str, *, previous: Language | None) -> Understanding:
        return Understanding(
            language=previous or Language.EN,
            intents=[ScoredIntent(type="faq", confidence=0.9)],
            unsure="hm" in text,
            entities=(),
            sentiment=Sentiment.NEUTRAL,
            complaint=False,
            wants_person="person" in text,
        )


class StandInDialogue(Dialogue):
    def __init__(self, script: Script) -> None:
        self._script = script

    async def respond(
        self, ctx: Ctx, state: DialogueState, turn: TurnInput, actions: Actions
    ) -> tuple[Reply, DialogueState]:
        script = self._script
        script.responses += 1
        script.seen.append(turn)
        state = msgspec.structs.replace(state, language=turn.understanding.language)
        verb, _, rest = turn.text.partition(" ")
        match verb:
            case "search":
                return await self._search(rest, actions), state
            case "call":
                await script.pause()
                for name in rest.split(","):
                    result = await actions.call(name, {"name": name})
                return _reply(f"{rest}: {result.outcome} for {turn.customer_id}"), state
            case "slow":
                await script.pause()
                return _reply("at last"), state
            case "person":
                ref = await actions.hand_off(
                    HandOff(
                        reason=HandOffReason.REQUEST,
                        subject="A person",
                        summary="\n".join(turn.recent),
                        sentiment=turn.understanding.sentiment,
                    )
                )
                said = _reply(f"ticket {ref.number}")
                return msgspec.structs.replace(said, ticket_id=ref.id), msgspec.structs.replace(state, escalated=True)
            case "break":
                if script.broken:
                    raise ZeroDivisionError
                return _reply("whole again"), state
            case "remember":
                frames = (*state.frames, Frame(playbook="p", version=1, step="s", slots={"said": rest}))
                return _reply("remembered"), msgspec.structs.replace(state, frames=frames)
            case "recall":
                return _reply(",".join(frame.slots["said"] for frame in state.frames)), state
            case _:
                return _reply(turn.text), state

    async def _search(self, query: str, actions: Actions) -> Reply:
        hits = await actions.search(query)
        if not hits:
            return _reply("nothing found")
        best = hits[0]
        citation = Citation(
            document_id=best.document_id, chunk_id=best.chunk_id, title=best.title, text=best.text, score=best.score
        )
        phrased = await actions.phrase(query, [citation], Language.EN)
        return Reply(
            text=phrased or best.text,
            agent_type=AgentType.FAQ,
            intent=ScoredIntent(type="faq", confidence=0.95),
            citations=[citation],
            cacheable=phrased is None,
            answered_by=best.document_id,
        )


class StandInTools:
    """Remembers the outcome of each key, as a shop does."""

    def __init__(self, script: Script) -> None:
        self._script = script

    @property
    def specs(self) -> Mapping[str, ToolSpec]:
        return {}

    async def call(
        self, ctx: Ctx, *, customer_id: str | None, tool: str, arguments: Mapping[str, str], idempotency_key: str
    ) -> ToolResult:
        self._script.calls.append((tool, idempotency_key))
        return ToolResult(outcome=ToolOutcome.OK, data=dict(arguments))


class StandInModel:
    def __init__(self, script: Script) -> None:
        self._script = script

    async def available(self, ctx: Ctx) -> bool:
        return self._script.model

    async def phrase(self, ctx: Ctx, question: str, citations: Sequence[Citation], language: Language) -> str:
        return "in a model's words"

    async def route(self, ctx: Ctx, text: str, intents: Sequence[str]) -> ScoredIntent:
        if self._script.model_fails:
            raise ModelFailed
        return ScoredIntent(type="technical", confidence=0.8)


class StandInKnowledge:
    """Answers with FAQs of which a word is asked."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def search(
        self, ctx: Ctx, *, query: str, k: int = 10, filters: object = None, recorded: bool = True
    ) -> SearchResult:
        assert ctx.scopes == {"knowledge:read"}
        self._script.searches += 1
        self._script.recorded += recorded
        if self._script.on_search is not None:
            self._script.on_search()
        found = [(name, text) for name, text in self._script.faqs.items() if name in query]
        return SearchResult(
            query_id=uuid4(),
            hits=[
                Hit(
                    document_id=name,
                    chunk_id=f"{name}#0",
                    kind=SourceKind.FAQ,
                    title=name,
                    text=text,
                    locale="en",
                    score=1.0,
                    confidence=1.0,
                )
                for name, text in found[:k]
            ],
        )

    async def note_answered(self, ctx: Ctx, *, question: str, faq_id: str) -> UUID:
        self._script.noted.append((question, faq_id))
        return uuid4()


class StandInUseCases:
    """The set-up that other rooms have tests of."""

    async def put_intents(self, ctx: Ctx, *, intents: Sequence[IntentExamples]) -> IntentSet:
        raise NotImplementedError

    async def get_intents(self, ctx: Ctx) -> IntentSet:
        raise NotImplementedError

    async def classify(self, ctx: Ctx, *, texts: Sequence[str]) -> Sequence[Classified]:
        raise NotImplementedError

    async def list_playbooks(self, ctx: Ctx) -> Sequence[Playbook]:
        raise NotImplementedError

    async def put_playbook(self, ctx: Ctx, *, name: str, source: str) -> Playbook:
        raise NotImplementedError

    async def delete_playbook(self, ctx: Ctx, *, name: str) -> None:
        raise NotImplementedError

    async def put_shop(self, ctx: Ctx, *, base_url: str, credential: str) -> ShopConnection:
        raise NotImplementedError

    async def get_shop(self, ctx: Ctx) -> ShopConnection:
        raise NotImplementedError

    async def delete_shop(self, ctx: Ctx) -> None:
        raise NotImplementedError


def _reply(text: str, **rest: Any) -> Reply:
    return Reply(text=text, agent_type=AgentType.FAQ, intent=ScoredIntent(type="faq", confidence=0.9), **rest)


def module(script: Script, **environment: str) -> Module:
    """The support service with these stand-ins."""
    use_cases = StandInUseCases()

    def build(parts: Parts) -> Built:
        rooms = Rooms(
            understander=StandInUnderstander(),
            dialogue=StandInDialogue(script),
            tools=StandInTools(script),
            model=StandInModel(script),
            intents=use_cases,
            playbooks=use_cases,
            shop=use_cases,
        )
        named = {f"STEWARD_SUPPORT_{name.upper()}": value for name, value in environment.items()}
        return assemble(msgspec.structs.replace(parts, environment={**parts.environment, **named}), rooms)

    return msgspec.structs.replace(MODULE, build=build)
