"""kill -9 between each two steps of the operations that take several: what was begun is finished or undone."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.running import Answer, Steward, until

TENANT = {"name": "Blue Tea", "slug": "blue-tea", "plan": "pro", "owner_email": "owner@blue.example"}
USER = {"email": "mei@example.com", "name": "美", "roles": ["viewer"]}
KEY = {"name": "robot", "scopes": ["user:read"]}

CREATE_TENANT = [f"create_tenant:{place}" for place in ("committed", "insert", "hold", "owner", "activate")]
INVITE_USER = [f"identity.invite_user:{place}" for place in ("committed", "hold", "create")]
CREATE_KEY = [f"identity.create_api_key:{place}" for place in ("committed", "hold", "create")]
DELETE_TENANT = [f"delete_tenant:{place}" for place in ("committed", "close", "erase", "shred", "bury")]
DELETE_USER = [f"identity.give_back:{place}" for place in ("committed", "release")]


def used(steward: Steward, quota: str) -> int:
    tenant = steward.credentials["tenant"]
    quotas = steward.api("GET", f"/api/v1/tenants/{tenant}/usage").json["quotas"]
    return next(int(entry["used"]) for entry in quotas if entry["quota"] == quota)


def crash_at(steward: Steward, place: str, act: Callable[[], Answer]) -> None:
    """Start with the place armed, act into the crash, and start again without it."""
    steward.start(STEWARD_FAILPOINT=place)
    answer = act()
    assert answer.status == 0, f"{place} was not passed: {answer}"
    steward.wait_down()
    steward.start()


@pytest.mark.parametrize("place", CREATE_TENANT)
def test_creation_of_a_tenant_survives_a_crash_at(steward: Steward, place: str) -> None:
    def create() -> Answer:
        return steward.api("POST", "/api/v1/tenants", TENANT, Idempotency_Key="blue")

    crash_at(steward, place, create)
    made = steward_answer(create)
    assert made.status == 201
    usage = steward.api("GET", f"/api/v1/tenants/{made.json['tenant']['id']}/usage").json
    assert next(entry["used"] for entry in usage["quotas"] if entry["quota"] == "users") == 1
    registered = steward.call(
        "POST",
        "/api/v1/auth/register",
        {"token": made.json["invitation_token"], "name": "Blue", "password": "a long password"},
    )
    assert registered.status == 201
    slugs = [tenant["slug"] for tenant in steward.api("GET", "/api/v1/tenants").json["items"]]
    assert slugs.count("blue-tea") == 1


@pytest.mark.parametrize("place", INVITE_USER)
def test_invitation_survives_a_crash_at(steward: Steward, place: str) -> None:
    def invite() -> Answer:
        return steward.api("POST", "/api/v1/users", USER, Idempotency_Key="mei")

    crash_at(steward, place, invite)
    invited = steward_answer(invite)
    assert invited.status == 201
    emails = [user["email"] for user in steward.api("GET", "/api/v1/users").json["items"]]
    assert emails.count("mei@example.com") == 1
    assert used(steward, "users") == len(emails)


@pytest.mark.parametrize("place", CREATE_KEY)
def test_creation_of_a_key_survives_a_crash_at(steward: Steward, place: str) -> None:
    def create() -> Answer:
        return steward.api("POST", "/api/v1/api-keys", KEY, Idempotency_Key="robot")

    crash_at(steward, place, create)
    made = steward_answer(create)
    assert made.status == 201
    assert steward.api("GET", "/api/v1/users", key=made.json["secret"]).status == 200
    names = [key["name"] for key in steward.api("GET", "/api/v1/api-keys").json["items"]]
    assert names.count("robot") == 1
    assert used(steward, "api_keys") == len(names)


@pytest.mark.parametrize("place", DELETE_TENANT)
def test_deletion_of_a_tenant_survives_a_crash_at(steward: Steward, place: str) -> None:
    steward.start()
    tenant = steward.api("POST", "/api/v1/tenants", TENANT).json["tenant"]["id"]
    steward.stop()
    crash_at(steward, place, lambda: steward.api("DELETE", f"/api/v1/tenants/{tenant}"))
    until(lambda: not any(found["id"] == tenant for found in tenants(steward)))
    assert steward.api("POST", "/api/v1/tenants", TENANT).status == 201


@pytest.mark.parametrize("place", DELETE_USER)
def test_deletion_of_a_user_survives_a_crash_at(steward: Steward, place: str) -> None:
    steward.start()
    user = steward.api("POST", "/api/v1/users", USER).json["user"]["id"]
    before = used(steward, "users")
    steward.stop()
    crash_at(steward, place, lambda: steward.api("DELETE", f"/api/v1/users/{user}"))
    if steward.api("GET", f"/api/v1/users/{user}").status == 200:
        assert steward.api("DELETE", f"/api/v1/users/{user}").status == 204
    until(lambda: used(steward, "users") == before - 1)


def steward_answer(act: Callable[[], Answer]) -> Answer:
    """The answer once the work that the crash left behind has been finished or undone."""
    found: list[Answer] = []

    def settled() -> bool:
        found.append(act())
        return found[-1].status != 409

    until(settled)
    return found[-1]


def tenants(steward: Steward) -> list[dict[str, Any]]:
    return steward.api("GET", "/api/v1/tenants?limit=200").json["items"]
