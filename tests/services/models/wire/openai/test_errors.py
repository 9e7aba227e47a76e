"""Failures: what providers' errors mean, and how clients are told ours."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from steward.kit.errors import AppError, Forbidden, Unauthenticated
from steward.services.costs.errors import BudgetExhausted
from steward.services.models.errors import (
    ContextTooLong,
    InvalidParameter,
    ModelNotFound,
    ProviderRefused,
    ProvidersBusy,
    ProvidersUnavailable,
    ProviderTimedOut,
)
from steward.services.models.failures import FailureKind, ProviderFailure
from tests.services.models.wire.openai.speech import CLIENT, SERVER

KEY = "sk-proj-abcdefghijklmnop1234"


def failed(status: int, error: Any = None, headers: dict[str, str] | None = None) -> ProviderFailure:
    return CLIENT.failure(status, headers or {}, json.dumps({"error": error or {}}).encode())


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "bad", "type": "invalid_request_error"}, FailureKind.REFUSED),
        (400, {"code": "context_length_exceeded"}, FailureKind.CONTEXT),
        (400, {"message": "This model's maximum context length is 8192 tokens"}, FailureKind.CONTEXT),
        (413, {"message": "prompt is too long: 9 tokens"}, FailureKind.CONTEXT),
        (400, {"code": "model_not_found"}, FailureKind.NOT_FOUND),
        (401, {"code": "invalid_api_key"}, FailureKind.UNAUTHORIZED),
        (402, {"message": "Insufficient Balance"}, FailureKind.QUOTA),
        (403, {"message": "country"}, FailureKind.UNAUTHORIZED),
        (404, {"code": "model_not_found"}, FailureKind.NOT_FOUND),
        (408, {}, FailureKind.TIMED_OUT),
        (409, {}, FailureKind.BROKEN),
        (418, {}, FailureKind.REFUSED),
        (422, {}, FailureKind.REFUSED),
        (429, {"code": "rate_limit_exceeded", "type": "tokens"}, FailureKind.RATE_LIMITED),
        (429, {"code": "insufficient_quota", "type": "insufficient_quota"}, FailureKind.QUOTA),
        (500, {}, FailureKind.BROKEN),
        (502, {}, FailureKind.BROKEN),
        (503, {}, FailureKind.OVERLOADED),
        (504, {}, FailureKind.BROKEN),
        (529, {}, FailureKind.OVERLOADED),
        (302, {}, FailureKind.BROKEN),
    ],
)
def test_a_status_and_its_words_mean_a_kind(status: int, error: dict[str, Any], kind: FailureKind) -> None:
    failure = failed(status, error)
    assert (failure.kind, failure.status, failure.unbilled) == (kind, status, True)


def test_the_providers_words_code_and_parameter_are_kept() -> None:
    failure = failed(400, {"message": "no such role", "code": "unsupported_value", "param": "messages[0].role"})
    assert (failure.message, failure.code, failure.param) == ("no such role", "unsupported_value", "messages[0].role")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        (b"", "the provider answered with status 500"),
        (b'{"error": "gone"}', "gone"),
        (b'{"object": "error", "message": "gone", "code": 40303}', "gone"),
        (b'[{"error": {"message": "gone", "status": "INTERNAL"}}]', "gone"),
        (b'{"detail": [{"loc": ["body"], "msg": "gone"}]}', '[{"loc":["body"],"msg":"gone"}]'),
        (b'{"error": {"message": "no", "metadata": {"raw": "upstream gone"}}}', "no: upstream gone"),
        (b"\xff", "�"),
        (b"[]", "the provider answered with status 500"),
        (b"5", "5"),
        (b"x" * 5000, "x" * 1000),
    ],
)
def test_errors_are_read_in_every_form(body: bytes, words: str) -> None:
    assert CLIENT.failure(500, {}, body).message == words


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:29:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "soon", "date": "Wed, 21 Oct 2015 07:29:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({}, None),
    ],
)
def test_when_to_try_again(headers: dict[str, str], seconds: float | None) -> None:
    assert failed(429, {}, headers).retry_after == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_key_that_a_provider_repeats_is_not(status: int) -> None:
    failure = failed(status, {"message": f"Incorrect API key provided: {KEY}.", "code": "x"})
    assert KEY[8:] not in f"{failure!r} {failure.message} {failure.args}"


def test_the_key_is_in_the_field_that_the_provider_reads() -> None:
    assert CLIENT.headers(KEY)["Authorization"] == f"Bearer {KEY}"
    azure = CLIENT.headers(KEY, "api-key")
    assert azure["api-key"] == KEY
    assert "Authorization" not in azure
    assert CLIENT.headers(None) == {"Content-Type": "application/json"}


INVALID = "invalid_request_error"
BUDGET = BudgetExhausted(UUID(int=1), "team", limit=5, used=5, unit="usd", resets_at=datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("error", "kind", "code", "param"),
    [
        (InvalidParameter("tools[2].name", "is missing"), INVALID, "invalid_parameter", "tools[2].name"),
        (ContextTooLong("too long"), INVALID, "context_length_exceeded", "messages"),
        (ModelNotFound("x"), INVALID, "model_not_found", "model"),
        (ProviderRefused("no", param="top_p", provider_code="odd"), INVALID, "odd", "top_p"),
        (Unauthenticated("who"), "authentication_error", "unauthenticated", None),
        (Forbidden("no"), "permission_error", "forbidden", None),
        (ProvidersBusy("m", 3.0), "rate_limit_error", "providers_busy", None),
        (BUDGET, "insufficient_quota", "budget_exhausted", None),
        (ProvidersUnavailable("m", "down"), "server_error", "providers_unavailable", None),
        (ProviderTimedOut("m", 3.0), "server_error", "provider_timed_out", None),
    ],
)
def test_our_failures_have_openais_form(error: AppError, kind: str, code: str, param: str | None) -> None:
    told = json.loads(SERVER.error(error, "req-1"))
    assert told == {
        "error": {"message": error.message, "type": kind, "param": param, "code": code},
        "request_id": "req-1",
    }
    assert "request_id" not in json.loads(SERVER.error(error, ""))
