"""What goes in and out, as pydantic checks it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"^[^\x00]+$")]
Customer = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ChatIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    message: Text
    session_id: UUID | None = None
    user_id: Customer | None = None
    customer_token: Annotated[str, StringConstraints(max_length=4096)] | None = None
    metadata: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=1000)]],
        Field(max_length=20),
    ] = {}


class Entity(BaseModel):
    type: str
    value: str
    text: str


class Intent(BaseModel):
    type: str
    confidence: float
    entities: list[Entity]
    unsure: bool
    others: list[str] = []
    reason: str = "classifier"


class Citation(BaseModel):
    document_id: str
    chunk_id: str
    title: str
    text: str
    score: float


class ChatOut(BaseModel):
    session_id: UUID
    message_id: UUID
    message: str
    agent_type: Literal["faq", "order", "refund", "technical", "human"]
    intent: Intent
    citations: list[Citation]
    timestamp: datetime
    response_time_ms: int
    from_cache: bool
    degraded: bool
    sentiment: str
    ticket_id: UUID | None = None
