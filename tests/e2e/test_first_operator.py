"""An installation on somebody else's PostgreSQL: no demo tenant is made there, and `steward init` lets people in."""

import json
from collections.abc import Mapping

from tests.e2e.running import Answer, Steward, until

PASSWORD = "correct horse battery"


def log_in(steward: Steward, email: str) -> Answer:
    return steward.call("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})


def init(steward: Steward, *words: str, code: int = 0, **environment: str) -> str:
    """What `steward init` says, with this exit code."""
    done = steward.cli("init", *words, STEWARD_API_KEY="", **environment)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr if code else done.stdout


def register(steward: Steward, token: str) -> None:
    body = {"token": token, "name": "Ann", "password": PASSWORD}
    assert steward.call("POST", "/api/v1/auth/register", body).status == 201


def test_operator_is_invited_before_the_first_start_or_beside_it(
    fresh: Steward, own_addresses: Mapping[str, str]
) -> None:
    words = ("--email", "ann@example.com", "--json")
    made = json.loads(init(fresh, *words, **own_addresses))
    assert (made["email"], made["slug"]) == ("ann@example.com", "operators")
    fresh.spawn("up", **own_addresses)
    until(lambda: fresh.get("/ready").status == 200, 60)
    assert not (fresh.home / "credentials.json").exists()
    assert "init --email" in fresh.log_text()
    # Beside what runs; the same call shows the same invitation, for the first answer may have been lost.
    assert json.loads(init(fresh, *words, **own_addresses)) == made
    register(fresh, made["token"])
    bearer = {"Authorization": f"Bearer {log_in(fresh, 'ann@example.com').json['access_token']}"}
    listed = fresh.call("GET", "/api/v1/tenants", headers=bearer)
    assert [tenant["slug"] for tenant in listed.json["items"]] == ["operators"]
    body = {"name": "Acme", "slug": "acme", "plan": "pro", "owner_email": "o@acme.example"}
    assert fresh.call("POST", "/api/v1/tenants", body, headers=bearer).status == 201


def test_second_operator_joins_the_tenant_of_the_first(fresh: Steward, own_addresses: Mapping[str, str]) -> None:
    fresh.spawn("up", **own_addresses)
    until(lambda: fresh.get("/ready").status == 200, 60)
    first = json.loads(init(fresh, "--email", "ann@example.com", "--slug", "us", "--json", **own_addresses))
    second = json.loads(init(fresh, "--email", "bob@example.com", "--slug", "us", "--json", **own_addresses))
    assert second["tenant"] == first["tenant"]
    register(fresh, second["token"])
    bearer = {"Authorization": f"Bearer {log_in(fresh, 'bob@example.com').json['access_token']}"}
    assert fresh.call("GET", "/api/v1/auth/me", headers=bearer).json["roles"] == ["owner", "platform-operator"]
    assert fresh.call("GET", "/api/v1/audit/entries", headers=bearer).status == 200


def test_wrong_words_are_named_and_nothing_is_made(fresh: Steward, own_addresses: Mapping[str, str]) -> None:
    assert "email" in init(fresh, "--email", "nobody", code=1, **own_addresses)
    assert "slug" in init(fresh, "--email", "a@example.com", "--slug", "No Slug", code=1, **own_addresses)
    assert "DATABASE_ADMIN_URL is missing" in init(
        fresh, "--email", "a@example.com", code=2, DATABASE_URL=own_addresses["DATABASE_URL"]
    )


def test_platform_that_holds_its_own_database_is_named(steward: Steward) -> None:
    steward.start()
    assert f"in use by process {steward.processes[0].pid}" in init(steward, "--email", "a@example.com", code=3)


def test_own_database_needs_no_running_platform(steward: Steward) -> None:
    made = init(steward, "--email", "ann@example.com")
    assert "stw_in_" in made
    steward.start()
    register(steward, next(word for word in made.split() if word.startswith("stw_in_")))
    assert log_in(steward, "ann@example.com").status == 200


def test_demo_is_made_or_not_as_it_is_wanted(fresh: Steward) -> None:
    fresh.spawn("up", STEWARD_DEMO="false")
    until(lambda: fresh.get("/ready").status == 200, 60)
    assert not (fresh.home / "credentials.json").exists()
    fresh.stop()
    fresh.start(STEWARD_DEMO="true")
    assert fresh.api("GET", "/api/v1/users").status == 200
