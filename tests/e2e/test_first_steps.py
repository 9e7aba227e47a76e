"""What a new user does first, in one process and in two."""

import re

from tests.e2e.running import Steward, until


def test_health_names_each_dependency(installation: Steward) -> None:
    health = installation.get("/health")
    assert health.status == 200
    assert {"database", "bus", "tenants", "identity", "audit"} <= set(health.json["dependencies"])


def test_demo_key_reads_its_tenant(installation: Steward) -> None:
    demo = installation.credentials
    assert set(demo) == {"url", "tenant", "email", "password", "api_key", "publishable_key", "shop_url"}
    tenant = installation.api("GET", f"/api/v1/tenants/{demo['tenant']}")
    assert tenant.status == 200
    assert tenant.json["plan"] == "enterprise"


def test_invited_user_registers_logs_in_and_is_seen_in_the_trail(installation: Steward) -> None:
    invited = installation.api(
        "POST", "/api/v1/users", {"email": "lin@example.com", "name": "林小姐", "roles": ["viewer"]}
    )
    assert invited.status == 201
    registered = installation.call(
        "POST",
        "/api/v1/auth/register",
        {"token": invited.json["token"], "name": "林小姐", "password": "correct horse battery"},
    )
    assert registered.status == 201
    tokens = installation.call(
        "POST", "/api/v1/auth/login", {"email": "LIN@example.com", "password": "correct horse battery"}
    )
    assert tokens.status == 200
    access = tokens.json["access_token"]
    me = installation.call("GET", "/api/v1/auth/me", headers={"Authorization": f"Bearer {access}"})
    assert me.json["roles"] == ["viewer"]
    refused = installation.call(
        "POST",
        "/api/v1/users",
        {"email": "x@example.com", "name": "x", "roles": ["viewer"]},
        headers={"Authorization": f"Bearer {access}"},
    )
    assert refused.status == 403
    assert refused.json["permission"] == "user:invite"
    _sees_in_trail(installation, "user.invited", "access.denied")


def test_revoked_session_and_key_stop_working_at_once(installation: Steward) -> None:
    made = installation.api("POST", "/api/v1/api-keys", {"name": "short", "scopes": ["user:read"]})
    key = made.json["secret"]
    assert installation.api("GET", "/api/v1/users", key=key).status == 200
    revoked = installation.api("DELETE", f"/api/v1/api-keys/{made.json['api_key']['id']}")
    assert revoked.status == 200
    until(lambda: installation.api("GET", "/api/v1/users", key=key).status == 401)


def test_trail_verifies(installation: Steward) -> None:
    checked = installation.api("POST", "/api/v1/audit/verify")
    assert checked.status == 200
    assert checked.json["ok"] is True
    assert checked.json["entries"] > 0


def test_same_idempotency_key_gives_the_same_answer(installation: Steward) -> None:
    body = {"name": "once", "scopes": ["user:read"]}
    first = installation.api("POST", "/api/v1/api-keys", body, Idempotency_Key="e2e-1")
    again = installation.api("POST", "/api/v1/api-keys", body, Idempotency_Key="e2e-1")
    other = installation.api(
        "POST", "/api/v1/api-keys", {"name": "other", "scopes": ["user:read"]}, Idempotency_Key="e2e-1"
    )
    assert first.status == again.status == 201
    assert first.json == again.json
    assert (other.status, other.json["code"]) == (409, "idempotency_key_reused")


def test_command_line_shows_status_and_users(installation: Steward) -> None:
    status = installation.cli("--url", installation.url, "status")
    assert status.returncode == 0, status.stderr
    assert "database" in status.stdout
    users = installation.cli("--url", installation.url, "--json", "users", "list")
    assert users.returncode == 0, users.stderr
    assert "owner@demo.example" in users.stdout
    verified = installation.cli("--url", installation.url, "audit", "verify")
    assert verified.returncode == 0, verified.stderr


def test_keys_for_access_tokens_are_public(installation: Steward) -> None:
    keys = installation.get("/.well-known/jwks.json").json["keys"]
    assert keys
    assert all(key["alg"] == "Ed25519" and "d" not in key for key in keys)


def test_metrics_are_prometheus_text(installation: Steward) -> None:
    text = installation.get("/metrics").body.decode()
    assert re.search(r"^steward_requests_total\{.*\} \d", text, re.MULTILINE)


def _sees_in_trail(installation: Steward, *actions: str) -> None:
    def seen() -> bool:
        entries = installation.api("GET", "/api/v1/audit/entries?limit=200").json["items"]
        return set(actions) <= {entry["action"] for entry in entries}

    until(seen)
