"""How a question is answered, and the answers that are kept."""

import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chat_fastapi import entities
from chat_fastapi.classifier import UNSURE_BELOW, Classifier
from chat_fastapi.language import Language
from chat_fastapi.models import Faq
from chat_fastapi.schemas import Citation, Intent

_HITS = 5
_SAME_LOCALE = 1.2
_NOTHING = {
    "en": "I do not know that. Shall I pass you on to a colleague?",
    "zh-Hans": "这个问题我不太清楚，需要帮您转接同事吗？",
    "zh-Hant": "這個問題我不太清楚，需要幫您轉接同事嗎？",
}


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    agent_type: str
    intent: Intent
    citations: list[Citation]
    sentiment: str
    faq_id: str | None


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    folded: str
    locale: str


class AnswerCache:
    """Answers by tenant, language and folded question, for a while."""

    def __init__(self, ttl_s: float = 3600.0, max_entries: int = 20_000) -> None:
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._kept: dict[tuple[UUID, str, str], tuple[float, Answer]] = {}

    def get(self, tenant: UUID, question: Question) -> Answer | None:
        found = self._kept.get((tenant, question.locale, question.folded))
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def put(self, tenant: UUID, question: Question, answer: Answer) -> None:
        if len(self._kept) >= self._max_entries:
            del self._kept[next(iter(self._kept))]
        self._kept[tenant, question.locale, question.folded] = (time.monotonic() + self._ttl_s, answer)


class Answering:
    def __init__(self, language: Language, classifier: Classifier) -> None:
        self._language = language
        self._classifier = classifier

    def question(self, text: str) -> Question:
        folded = self._language.fold(text)
        return Question(text, folded, self._language.locale(text, folded))

    async def answer(self, session: AsyncSession, question: Question) -> Answer:
        terms = self._language.terms(question.folded)
        kind, confidence = self._classifier.classify(question.folded, terms)
        intent = Intent(
            type=kind,
            confidence=round(confidence, 4),
            entities=entities.find(question.text),
            unsure=confidence < UNSURE_BELOW,
        )
        citations = await _search(session, terms, question.locale)
        best = citations[0] if citations else None
        return Answer(
            text=best.text if best else _NOTHING[question.locale],
            agent_type="faq",
            intent=intent,
            citations=citations[:1],
            sentiment=entities.mood(question.folded),
            faq_id=best.document_id if best else None,
        )


async def _search(session: AsyncSession, terms: list[str], locale: str) -> list[Citation]:
    """The FAQs that fit best, those of the customer's language first among equals."""
    query = func.to_tsquery("simple", " | ".join("'" + term.replace("'", "''") + "'" for term in dict.fromkeys(terms)))
    rank = func.ts_rank(Faq.terms, query, 1) * case((Faq.locale == locale, _SAME_LOCALE), else_=1.0)
    found = await session.execute(
        select(Faq.id, Faq.question, Faq.answer, rank.label("score"))
        .where(Faq.terms.op("@@")(query))
        .order_by(rank.desc())
        .limit(_HITS)
    )
    return [
        Citation(document_id=id_, chunk_id=f"{id_}#0", title=title, text=text, score=round(score, 4))
        for id_, title, text, score in found
    ]
