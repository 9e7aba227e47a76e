"""Answers of the platform, as its contract has them."""

from typing import Any

AT = "2026-01-02T03:04:05Z"


def uuid(number: int) -> str:
    return f"0190d2a0-0000-7000-8000-{number:012d}"


def user(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": uuid(number),
        "email": f"u{number}@example.com",
        "name": f"User {number}",
        "state": "active",
        "roles": ["viewer"],
        "created_at": AT,
        "last_login_at": None,
        "version": 1,
        **fields,
    }


def tenant(**fields: Any) -> dict[str, Any]:
    return {
        "id": uuid(9),
        "slug": "acme",
        "name": "Acme",
        "plan": "pro",
        "state": "active",
        "locale": "en",
        "allowed_origins": [],
        "created_at": AT,
        "updated_at": AT,
        "version": 3,
        **fields,
    }


def entry(seq: int, **fields: Any) -> dict[str, Any]:
    return {
        "seq": seq,
        "id": uuid(seq),
        "at": AT,
        "service": "identity",
        "actor": {"type": "user", "id": uuid(1)},
        "action": "user.invited",
        "resource": f"user/{uuid(2)}",
        "outcome": "done",
        "reason": "",
        "request_id": "r",
        "address": "127.0.0.1",
        "before": None,
        "after": {"email": "***"},
        "hash": "00",
        **fields,
    }


def tokens(access: str, refresh: str, expires_in: int = 900) -> dict[str, Any]:
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "refresh_token": refresh,
        "session_id": uuid(5),
    }


def principal() -> dict[str, Any]:
    return {
        "tenant": uuid(9),
        "actor": {"type": "user", "id": uuid(1)},
        "scopes": ["user:read"],
        "roles": ["viewer"],
        "session_id": None,
        "key_id": None,
        "expires_at": AT,
    }


def api_key(**fields: Any) -> dict[str, Any]:
    return {
        "id": uuid(7),
        "name": "ci",
        "kind": "secret",
        "prefix": "stw_sk_ab",
        "scopes": ["user:read"],
        "created_by": uuid(1),
        "created_at": AT,
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
        **fields,
    }
