"""Errors: what a provider's say, and how ours are said to Anthropic's clients."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from steward.kit.errors import AppError, Forbidden, MalformedRequest, NotFound, TooLarge, Unauthenticated
from steward.services.costs.errors import BudgetExhausted
from steward.services.models.errors import (
    ContextTooLong,
    InvalidParameter,
    ModelNotFound,
    ProvidersBusy,
    ProvidersUnavailable,
    ProviderTimedOut,
)
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer

CLIENT = AnthropicClient()
SERVER = AnthropicServer()
NOW = "Sat, 21 Nov 2026 10:00:00 GMT"


def failure(status: int, kind: str, message: str = "words", **headers: str) -> ProviderFailure:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return CLIENT.failure(status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (400, "invalid_request_error", "max_tokens: too large", FailureKind.REFUSED),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", FailureKind.CONTEXT),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 1 + 2 > 3",
            FailureKind.CONTEXT,
        ),
        (400, "invalid_request_error", "Your credit balance is too low to access the API", FailureKind.QUOTA),
        (401, "authentication_error", "invalid x-api-key", FailureKind.UNAUTHORIZED),
        (402, "billing_error", "pay", FailureKind.QUOTA),
        (403, "permission_error", "no", FailureKind.UNAUTHORIZED),
        (404, "not_found_error", "model: claude-0", FailureKind.NOT_FOUND),
        (409, "invalid_request_error", "conflict", FailureKind.REFUSED),
        (413, "request_too_large", "Request exceeds the maximum size", FailureKind.REFUSED),
        (422, "invalid_request_error", "no", FailureKind.REFUSED),
        (429, "rate_limit_error", "slow down", FailureKind.RATE_LIMITED),
        (500, "api_error", "Internal server error", FailureKind.BROKEN),
        (502, "api_error", "bad gateway", FailureKind.BROKEN),
        (503, "overloaded_error", "busy", FailureKind.OVERLOADED),
        (504, "timeout_error", "too slow", FailureKind.TIMED_OUT),
        (529, "overloaded_error", "Overloaded", FailureKind.OVERLOADED),
    ],
)
def test_each_error_has_its_kind(status: int, kind: str, message: str, expected: FailureKind) -> None:
    failed = failure(status, kind, message)
    assert (failed.kind, failed.status, failed.code, failed.message) == (expected, status, kind, message)
    assert failed.unbilled


def test_a_spending_limit_is_told_from_a_rate_limit() -> None:
    error = {"type": "rate_limit_error", "message": "x", "details": {"error_code": "enforced_spend_limit_reached"}}
    failed = CLIENT.failure(429, {}, json.dumps({"type": "error", "error": error}).encode())
    assert failed.kind is FailureKind.QUOTA


def test_the_parameter_at_fault_is_named() -> None:
    assert failure(400, "invalid_request_error", "messages.0.content: Field required").param == "messages.0.content"
    assert failure(400, "invalid_request_error", "Something: else").param == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        ({"retry_after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": NOW}, 30),
        ({"retry_after": "Sat, 21 Nov 2026 09:00:30 GMT", "date": NOW}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "nan"}, None),
        (
            {
                "date": NOW,
                "anthropic_ratelimit_tokens_remaining": "0",
                "anthropic_ratelimit_tokens_reset": "2026-11-21T10:00:42Z",
                "anthropic_ratelimit_requests_remaining": "5",
                "anthropic_ratelimit_requests_reset": "2026-11-21T10:01:42Z",
            },
            42,
        ),
        ({"date": "never", "anthropic_ratelimit_tokens_remaining": "0"}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert failure(429, "rate_limit_error", **headers).retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"{}", b'{"error": "x"}', b"\xff"])
def test_an_answer_that_is_no_error_of_anthropics_still_has_its_kind(body: bytes) -> None:
    failed = CLIENT.failure(502, {}, body)
    assert (failed.kind, failed.code) == (FailureKind.BROKEN, "")
    assert "502" in failed.message


def test_a_long_reason_is_cut() -> None:
    assert len(failure(400, "invalid_request_error", "x" * 100_000).message) == 2000


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MalformedRequest("x"), "invalid_request_error"),
        (InvalidParameter("max_tokens", "x"), "invalid_request_error"),
        (ContextTooLong("x"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (Forbidden("x"), "permission_error"),
        (NotFound("x"), "not_found_error"),
        (ModelNotFound("x"), "not_found_error"),
        (TooLarge("x"), "request_too_large"),
        (ProvidersBusy("m", 3), "rate_limit_error"),
        (ProvidersUnavailable("m", "x"), "overloaded_error"),
        (ProviderTimedOut("m", 3), "timeout_error"),
        (AppError("x"), "api_error"),
    ],
)
def test_a_failure_is_said_with_anthropics_type(error: AppError, kind: str) -> None:
    assert json.loads(SERVER.error(error, "req-1")) == {
        "type": "error",
        "error": {"type": kind, "message": error.message},
        "request_id": "req-1",
    }


def test_an_exhausted_budget_is_a_rate_limit_that_names_it() -> None:
    resets = datetime(2026, 12, 1, tzinfo=UTC)
    error = BudgetExhausted(UUID(int=1), "march", limit=10, used=9, unit="usd", resets_at=resets)
    said = json.loads(SERVER.error(error, "req-1"))["error"]
    assert (error.status, said["type"]) == (429, "rate_limit_error")
    assert "'march'" in said["message"]
    assert "2026-12-01" in said["message"]
