"""`POST /api/v1/chat`: a customer's message and its answer."""

import os
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from edge_fastapi.auth import Principal, require
from edge_fastapi.database import Database
from edge_fastapi.limits import RateLimiter
from edge_fastapi.models import AuditEntry
from edge_fastapi.problems import Problem
from edge_fastapi.schemas import Actor, Audit
from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chat_fastapi.answers import Answer, AnswerCache, Answering, Question
from chat_fastapi.models import Message, Query, Session
from chat_fastapi.schemas import ChatIn, ChatOut

router = APIRouter(prefix="/api/v1", tags=["Desk"])

Writer = Annotated[Principal, Depends(require("conversation:write"))]


@router.post("/chat")
async def chat(body: ChatIn, principal: Writer, request: Request) -> ChatOut:
    started = time.perf_counter()
    state = request.app.state
    owner = _owner(body, principal)
    _count(state.limiter, principal, owner[1], state.customer_per_minute)
    answering: Answering = state.answering
    cache: AnswerCache = state.answers
    question = answering.question(body.message)
    database: Database = state.database
    async with database.transaction(principal.tenant) as session:
        conversation = await _conversation(session, principal.tenant, owner, body, question.locale)
        kept = cache.get(principal.tenant, question)
        answer = kept or await answering.answer(session, question)
        out = _out(conversation, answer, started, from_cache=kept is not None)
        _record(session, principal, request, question, answer, out)
    if kept is None:
        cache.put(principal.tenant, question, answer)
    return out


def _owner(body: ChatIn, principal: Principal) -> tuple[str, str]:
    if body.user_id is not None and "support:act-as-customer" in principal.scopes:
        return "customer", body.user_id
    return "visitor", body.user_id or ""


def _count(limiter: RateLimiter, principal: Principal, customer: str, per_minute: int) -> None:
    if not limiter.take(f"{principal.tenant}:{customer}", per_minute).allowed:
        raise Problem(429, "customer_limited", f"a customer may send {per_minute} messages a minute: try again later")


async def _conversation(
    session: AsyncSession, tenant: UUID, owner: tuple[str, str], body: ChatIn, locale: str
) -> Session:
    """The session, locked until its answer is written, or a new one."""
    now = datetime.now(UTC)
    if body.session_id is None:
        made = Session(
            tenant_id=tenant,
            id=new_id(),
            owner_kind=owner[0],
            owner_id=owner[1],
            locale=locale,
            state="active",
            dialogue={},
            version=1,
            messages=2,
            meta=body.metadata,
            created_at=now,
            updated_at=now,
        )
        session.add(made)
        return made
    found = await session.scalar(
        select(Session).where(Session.tenant_id == tenant, Session.id == body.session_id).with_for_update()
    )
    if found is None or (found.owner_kind, found.owner_id) != owner:
        raise Problem(404, "chat_session_not_found", f"there is no session {body.session_id} of yours")
    found.version += 1
    found.messages += 2
    found.locale = locale
    found.updated_at = now
    return found


def _out(conversation: Session, answer: Answer, started: float, *, from_cache: bool) -> ChatOut:
    return ChatOut(
        session_id=conversation.id,
        message_id=new_id(),
        message=answer.text,
        agent_type=answer.agent_type,
        intent=answer.intent,
        citations=answer.citations,
        timestamp=conversation.updated_at,
        response_time_ms=int((time.perf_counter() - started) * 1000),
        from_cache=from_cache,
        degraded=False,
        sentiment=answer.sentiment,
    )


def _record(
    session: AsyncSession,
    principal: Principal,
    request: Request,
    question: Question,
    answer: Answer,
    out: ChatOut,
) -> None:
    """Message, answer, query and audit entry, in the transaction of the message."""
    tenant = principal.tenant
    common = {"tenant_id": tenant, "session_id": out.session_id, "degraded": False, "created_at": out.timestamp}
    intent = answer.intent.model_dump(mode="json")
    session.add_all(
        [
            Message(id=out.message_id, sender="user", text=question.text, intent=intent, from_cache=False, **common),
            Message(
                id=new_id(),
                sender="agent",
                text=answer.text,
                agent_type=answer.agent_type,
                citations=[citation.model_dump(mode="json") for citation in answer.citations],
                reply_to=out.message_id,
                from_cache=out.from_cache,
                response_time_ms=out.response_time_ms,
                sentiment=answer.sentiment,
                **common,
            ),
            Query(
                tenant_id=tenant,
                id=new_id(),
                question=question.text,
                key=question.folded,
                faq_id=answer.faq_id,
                answered=answer.faq_id is not None,
                asked_at=out.timestamp,
            ),
        ]
    )
    audit = Audit(
        id=new_id(),
        tenant=tenant,
        service="support",
        at=out.timestamp,
        actor=Actor(type="user", id=str(principal.key_id)),
        request_id=request.scope["request_id"],
        address=request.client.host if request.client else "",
        action="message.answered",
        resource=f"session/{out.session_id}",
        outcome="done",
        reason="",
        before={},
        after={},
    )
    session.add(AuditEntry(tenant_id=tenant, id=audit.id, body=audit.model_dump_json()))


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562), so that rows are inserted at the end of their indexes."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=value & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x7000 << 64 | 0x8000 << 48)
