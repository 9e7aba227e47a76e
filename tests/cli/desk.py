"""Answers of the desk, as its contract has them."""

import json
from typing import Any

from tests.cli.examples import AT, uuid


def citation(**fields: Any) -> dict[str, Any]:
    return {"document_id": "f1", "chunk_id": "f1#0", "title": "How long?", "text": "Two days.", "score": 2.5, **fields}


def chat_answer(**fields: Any) -> dict[str, Any]:
    return {
        "session_id": uuid(1),
        "message_id": uuid(2),
        "message": "Two days.",
        "agent_type": "faq",
        "intent": {"type": "faq", "confidence": 0.93},
        "citations": [citation()],
        "timestamp": AT,
        "response_time_ms": 4,
        "from_cache": False,
        "degraded": False,
        "sentiment": "neutral",
        "ticket_id": None,
        **fields,
    }


def event(number: int, kind: str, **fields: Any) -> bytes:
    """One event of a stream, as it goes over the wire."""
    name = f"{uuid(2)}:{number}"
    body = {"id": name, "type": kind, "session_id": uuid(1), "message_id": uuid(2), **fields}
    return f"id: {name}\nevent: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def stream(*, answer: dict[str, Any] | None = None) -> list[bytes]:
    """A whole stream, event by event, with a comment of the kind that keeps it alive."""
    return [
        event(0, "message.accepted"),
        b": still here\n\n",
        event(1, "status", text="shop.get_order"),
        event(1000, "intent", intent={"type": "order", "confidence": 0.9}),
        event(1001, "message.delta", text="Two "),
        event(1002, "message.delta", text="days."),
        event(1003, "message.completed", answer=answer or chat_answer()),
    ]
