"""The limits as they come, and what callers are told of them; real seconds, for the limits are by the minute."""

import itertools
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import copy_home
from tests.e2e.running import DEFAULT_LIMITS, Answer, Steward

ME = "/api/v1/auth/me"
USER_LIMIT = 60
ADDRESS_LIMIT = 100
pytestmark = pytest.mark.xdist_group("limits")


@pytest.fixture(scope="module")
def limited(prepared_home: Path) -> Iterator[Steward]:
    running = Steward(copy_home(prepared_home, "limited")).start(**DEFAULT_LIMITS)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bearer(limited: Steward) -> Mapping[str, str]:
    demo = limited.credentials
    tokens = limited.call("POST", "/api/v1/auth/login", {"email": demo["email"], "password": demo["password"]})
    return {"Authorization": f"Bearer {tokens.json['access_token']}"}


def spent(limited: Steward, path: str, headers: Mapping[str, str]) -> tuple[list[Answer], Answer]:
    """The answers until the limit is reached, and the refusal."""
    passed: list[Answer] = []
    while True:
        answer = limited.call("GET", path, headers=headers)
        if answer.status == 429:
            return passed, answer
        passed.append(answer)
        assert len(passed) < 1000


def said(answer: Answer) -> tuple[str, int, int, int, int]:
    """What the answer says of the limit: policy, quota, window, what is left, seconds until all of it is back."""
    policy = re.fullmatch(r'"([a-z]+)";q=(\d+);w=(\d+)', answer.headers["ratelimit-policy"])
    left = re.fullmatch(r'"([a-z]+)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert policy is not None
    assert left is not None
    assert policy[1] == left[1]
    return policy[1], int(policy[2]), int(policy[3]), int(left[2]), int(left[3])


def check_refusal(refused: Answer, policy: str, limit: int) -> int:
    """The refusal says which limit, how large it is, and when to come again; the seconds to wait."""
    wait = int(refused.headers["retry-after"])
    problem = refused.json
    assert refused.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["policy"], problem["limit"]) == ("rate_limited", policy, limit)
    assert problem["retry_after"] == wait > 0
    assert said(refused)[:4] == (policy, limit, 60, 0)
    return wait


def test_user_has_sixty_a_minute_and_more_after_the_time_said(limited: Steward, bearer: Mapping[str, str]) -> None:
    began = time.monotonic()
    passed, refused = spent(limited, ME, bearer)
    gained = int(time.monotonic() - began) + 1
    assert {answer.status for answer in passed} == {200}
    assert USER_LIMIT <= len(passed) <= USER_LIMIT + gained
    left = [said(answer) for answer in passed]
    assert left[0] == ("user", USER_LIMIT, 60, USER_LIMIT - 1, 1)
    assert all(after[3] <= before[3] for before, after in itertools.pairwise(left))
    assert left[-1][3] == 0
    wait = check_refusal(refused, "user", USER_LIMIT)
    assert wait == 1
    time.sleep(wait)
    assert limited.call("GET", ME, headers=bearer).status == 200


def test_another_caller_is_not_held_by_a_user_limit(limited: Steward, bearer: Mapping[str, str]) -> None:
    spent(limited, ME, bearer)
    assert limited.api("GET", ME).status == 200
    assert limited.call("GET", ME).status == 401


def test_second_token_of_a_user_has_no_limit_of_its_own(limited: Steward, bearer: Mapping[str, str]) -> None:
    demo = limited.credentials
    spent(limited, ME, bearer)
    second = limited.call("POST", "/api/v1/auth/login", {"email": demo["email"], "password": demo["password"]}).json
    passed, _ = spent(limited, ME, {"Authorization": f"Bearer {second['access_token']}"})
    assert len(passed) <= 2


def test_key_has_what_the_quota_of_its_tenant_says_at_once(limited: Steward) -> None:
    tenant = limited.credentials["tenant"]
    made = limited.api("POST", "/api/v1/api-keys", {"name": "slow", "scopes": ["user:read"]}).json
    key = {"X-API-Key": made["secret"]}
    assert said(limited.call("GET", "/api/v1/users", headers=key))[1] > 1000
    quota = f"/api/v1/tenants/{tenant}/quotas/requests_per_minute"
    assert limited.api("PUT", quota, {"limit": 5}).json["limit"] == 5
    fresh = limited.api("POST", "/api/v1/api-keys", {"name": "fresh", "scopes": ["user:read"]}).json
    passed, refused = spent(limited, "/api/v1/users", {"X-API-Key": fresh["secret"]})
    assert [answer.status for answer in passed] == [200] * 5
    assert [said(answer)[:4] for answer in passed] == [
        (
            "key",
            5,
            60,
            left,
        )
        for left in (4, 3, 2, 1, 0)
    ]
    assert check_refusal(refused, "key", 5) == pytest.approx(12, abs=1)
    assert limited.api("PUT", quota, {"limit": None}).json["overridden"] is False
    assert limited.call("GET", "/api/v1/users", headers={"X-API-Key": fresh["secret"]}).status == 200


def test_address_has_a_hundred_a_minute_without_a_credential(limited: Steward, bearer: Mapping[str, str]) -> None:
    """Last, for it leaves no log-in for a while."""
    began = time.monotonic()
    passed, refused = spent(limited, ME, {"Authorization": "Bearer wrong"})
    gained = int((time.monotonic() - began) * ADDRESS_LIMIT / 60) + 1
    assert {answer.status for answer in passed} == {401}
    assert ADDRESS_LIMIT - 20 <= len(passed) <= ADDRESS_LIMIT + gained
    check_refusal(refused, "address", ADDRESS_LIMIT)
    login = limited.call("POST", "/api/v1/auth/login", {"email": "a@example.com", "password": "guessed"})
    assert login.status in {401, 429}
    assert limited.call("GET", ME, headers={"X-API-Key": limited.credentials["api_key"]}).status == 200
    assert limited.get("/health").status == limited.get("/").status == 200
