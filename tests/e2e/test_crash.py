"""kill -9 between each two steps of the operations that take several: what was begun is finished or undone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import copy_home
from tests.e2e.running import Answer, Steward, until


def places(kind: str, *names: str) -> list[Any]:
    """The first and the last place of an operation; those between are left to the long proof."""
    between = pytest.mark.proof
    return [pytest.param(f"{kind}:{name}", marks=[between] if name in names[1:-1] else []) for name in names]


CREATE_TENANT = places("create_tenant", "committed", "insert", "hold", "owner", "activate")
INVITE_USER = places("identity.invite_user", "committed", "hold", "create")
CREATE_KEY = places("identity.create_api_key", "committed", "hold", "create")
DELETE_TENANT = places("delete_tenant", "committed", "close", "erase", "shred", "bury")
DELETE_USER = places("identity.give_back", "committed", "release")


def tenant_named(name: str) -> dict[str, str]:
    return {"name": "Blue Tea", "slug": name, "plan": "pro", "owner_email": f"owner@{name}.example"}


def user_named(name: str) -> dict[str, Any]:
    return {"email": f"{name}@example.com", "name": "美", "roles": ["viewer"]}


def used(steward: Steward, quota: str) -> int:
    tenant = steward.credentials["tenant"]
    quotas = steward.api("GET", f"/api/v1/tenants/{tenant}/usage").json["quotas"]
    return next(int(entry["used"]) for entry in quotas if entry["quota"] == quota)


class Crashing(Steward):
    """An installation that can be told where to crash, and that goes on serving from one test to the next."""

    @property
    def place(self) -> Path:
        return self.home.parent / "failpoint"

    def begin(self) -> None:
        # The home has its demo tenant; its shop has no part in these tests.
        self.start(STEWARD_FAILPOINT=f"@{self.place}", STEWARD_DEMO="off")

    def crash_at(self, place: str, act: Callable[[], Answer]) -> None:
        """Act into the crash at this place, and start again."""
        if not self.processes:
            self.begin()
        self.place.write_text(place)
        answer = act()
        assert answer.status == 0, f"{place} was not passed: {answer}"
        self.wait_down()
        self.place.unlink()
        self.begin()


@pytest.fixture(scope="module")
def steward(prepared_home: Path) -> Iterator[Crashing]:
    running = Crashing(copy_home(prepared_home, "crashing"))
    running.begin()
    yield running
    running.stop()


@pytest.fixture
def name() -> str:
    """Of what a test makes, for they share an installation."""
    return f"n{uuid4().hex}"


@pytest.mark.parametrize("place", CREATE_TENANT)
def test_creation_of_a_tenant_survives_a_crash_at(steward: Crashing, name: str, place: str) -> None:
    def create() -> Answer:
        return steward.api("POST", "/api/v1/tenants", tenant_named(name), Idempotency_Key=name)

    steward.crash_at(place, create)
    made = settled(create)
    assert made.status == 201
    usage = steward.api("GET", f"/api/v1/tenants/{made.json['tenant']['id']}/usage").json
    assert next(entry["used"] for entry in usage["quotas"] if entry["quota"] == "users") == 1
    registered = steward.call(
        "POST",
        "/api/v1/auth/register",
        {"token": made.json["invitation_token"], "name": "Blue", "password": "a long password"},
    )
    assert registered.status == 201
    slugs = [tenant["slug"] for tenant in tenants(steward)]
    assert slugs.count(name) == 1


@pytest.mark.parametrize("place", INVITE_USER)
def test_invitation_survives_a_crash_at(steward: Crashing, name: str, place: str) -> None:
    def invite() -> Answer:
        return steward.api("POST", "/api/v1/users", user_named(name), Idempotency_Key=name)

    steward.crash_at(place, invite)
    invited = settled(invite)
    assert invited.status == 201
    emails = [user["email"] for user in steward.api("GET", "/api/v1/users?limit=200").json["items"]]
    assert emails.count(f"{name}@example.com") == 1
    assert used(steward, "users") == len(emails)


@pytest.mark.parametrize("place", CREATE_KEY)
def test_creation_of_a_key_survives_a_crash_at(steward: Crashing, name: str, place: str) -> None:
    def create() -> Answer:
        return steward.api("POST", "/api/v1/api-keys", {"name": name, "scopes": ["user:read"]}, Idempotency_Key=name)

    steward.crash_at(place, create)
    made = settled(create)
    assert made.status == 201
    assert steward.api("GET", "/api/v1/users", key=made.json["secret"]).status == 200
    names = [key["name"] for key in steward.api("GET", "/api/v1/api-keys?limit=200").json["items"]]
    assert names.count(name) == 1
    assert used(steward, "api_keys") == len(names)


@pytest.mark.parametrize("place", DELETE_TENANT)
def test_deletion_of_a_tenant_survives_a_crash_at(steward: Crashing, name: str, place: str) -> None:
    tenant = steward.api("POST", "/api/v1/tenants", tenant_named(name)).json["tenant"]["id"]
    steward.crash_at(place, lambda: steward.api("DELETE", f"/api/v1/tenants/{tenant}"))
    until(lambda: not any(found["id"] == tenant for found in tenants(steward)))
    assert steward.api("POST", "/api/v1/tenants", tenant_named(name)).status == 201


@pytest.mark.parametrize("place", DELETE_USER)
def test_deletion_of_a_user_survives_a_crash_at(steward: Crashing, name: str, place: str) -> None:
    user = steward.api("POST", "/api/v1/users", user_named(name)).json["user"]["id"]
    before = used(steward, "users")
    steward.crash_at(place, lambda: steward.api("DELETE", f"/api/v1/users/{user}"))
    if steward.api("GET", f"/api/v1/users/{user}").status == 200:
        assert steward.api("DELETE", f"/api/v1/users/{user}").status == 204
    until(lambda: used(steward, "users") == before - 1)


def settled(act: Callable[[], Answer]) -> Answer:
    """The answer once the work that the crash left behind has been finished or undone."""
    found: list[Answer] = []

    def done() -> bool:
        found.append(act())
        return found[-1].status != 409

    until(done)
    return found[-1]


def tenants(steward: Steward) -> list[dict[str, Any]]:
    return steward.api("GET", "/api/v1/tenants?limit=200").json["items"]
