"""Understands a message: the language, what is wanted, what is named, and how the customer feels."""

from typing import Final

from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.services.support.api import AgentType, ScoredIntent, Sentiment
from steward.services.support.languages import language_of
from steward.services.support.ports import Language, Understanding
from steward.services.support.understanding.clauses import clauses
from steward.services.support.understanding.entities.extracting import entities_in
from steward.services.support.understanding.framing import core_of
from steward.services.support.understanding.model import Guess, Model
from steward.services.support.understanding.models import Models
from steward.services.support.understanding.persons import wish_in
from steward.services.support.understanding.sentiment import sentiment_of

_HUMAN: Final = AgentType.HUMAN.value
_RULE: Final = 0.97
"""Confidence in an intent that a rule has found."""
_FURTHER: Final = 0.6
"""Confidence that a part of a message needs to have a wish of its own."""
_CLASSIFIED: Final = 2000
"""Characters of a message that are classified: what is wanted is said by then."""


class UnderstandingRoom:
    """Implements `Understander`."""

    def __init__(self, models: Models, clock: Clock) -> None:
        self._models = models
        self._clock = clock

    async def understand(self, ctx: Ctx, text: str, *, previous: Language | None) -> Understanding:
        model = await self._models.of(ctx)
        language = language_of(text, previous, ctx.locale)
        core = core_of(text)
        wish = wish_in(core)
        sentiment = sentiment_of(text)
        intents, unsure = _intents(model, core)
        by_rule = (wish.person or wish.complaint) and _HUMAN in model.intents
        if by_rule and intents[0].type != _HUMAN:
            intents = [ScoredIntent(type=_HUMAN, confidence=_RULE), *(one for one in intents if one.type != _HUMAN)]
            intents = intents[:1] if unsure else intents
            unsure = False
        return Understanding(
            language=language,
            intents=intents,
            unsure=unsure and not by_rule,
            entities=entities_in(text, language.value, self._clock.now().date()),
            sentiment=sentiment,
            complaint=wish.complaint or (sentiment is Sentiment.VERY_NEGATIVE and intents[0].type == _HUMAN),
            wants_person=wish.person,
            reason="rule" if by_rule else "classifier",
            core=core,
        )


def _intents(model: Model, text: str) -> tuple[list[ScoredIntent], bool]:
    """The intents of a message, best first, and whether the classifier would not say."""
    parts = clauses(text)
    whole, *further = model.guesses([text[:_CLASSIFIED], *parts])
    found = {each.intent: each.confidence for each in sorted(further, key=_confidence) if _tells(each)}
    if len(found) < 2:  # noqa: PLR2004 several wishes are two at least
        return [ScoredIntent(type=whole.intent, confidence=whole.confidence)], whole.unsure
    if not whole.unsure:
        found[whole.intent] = max(whole.confidence, found.get(whole.intent, 0.0))
    scored = [ScoredIntent(type=name, confidence=confidence) for name, confidence in found.items()]
    return sorted(scored, key=lambda each: -each.confidence), False


def _tells(guess: Guess) -> bool:
    return not guess.unsure and guess.confidence >= _FURTHER


def _confidence(guess: Guess) -> float:
    return guess.confidence
