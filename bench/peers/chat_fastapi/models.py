"""The tables of conversations, as SQLAlchemy sees them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from edge_fastapi.models import Base
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column


class Session(Base):
    __tablename__ = "session"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_kind: Mapped[str]
    owner_id: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str]
    dialogue: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    messages: Mapped[int]
    meta: Mapped[dict[str, str]] = mapped_column("metadata", JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Message(Base):
    __tablename__ = "message"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    sender: Mapped[str]
    agent_type: Mapped[str | None]
    text: Mapped[str]
    intent: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    citations: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    reply_to: Mapped[UUID | None]
    from_cache: Mapped[bool]
    degraded: Mapped[bool]
    response_time_ms: Mapped[int | None]
    sentiment: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Query(Base):
    __tablename__ = "query"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    question: Mapped[str]
    key: Mapped[str]
    faq_id: Mapped[str | None]
    answered: Mapped[bool]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Faq(Base):
    __tablename__ = "faq"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str]
    answer: Mapped[str]
    locale: Mapped[str]
    terms: Mapped[str] = mapped_column(TSVECTOR)
