"""What the commands ask of the platform and what they show."""

import json
from pathlib import Path

import pytest

from tests.cli.examples import api_key, entry, tenant, user, uuid

USER = f"/api/v1/users/{uuid(1)}"
TENANT = f"/api/v1/tenants/{uuid(9)}"


def test_users_are_listed_as_a_table(authorized, remote) -> None:
    remote.on("GET", "/api/v1/users", (200, {"items": [user(1), user(2)]}))
    result = authorized("users", "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Id", "E-mail", "Name", "State", "Roles", "Last", "log-in"]
    assert lines[2].split() == [uuid(2), "u2@example.com", "User", "2", "active", "viewer", "-"]


def test_with_json_stdout_is_the_answer_and_nothing_else(authorized, remote) -> None:
    remote.on("GET", "/api/v1/users", (200, {"items": [user(1)], "next_cursor": "abc"}))
    result = authorized("users", "list", "--json", "--limit", "1")
    assert json.loads(result.stdout) == {"items": [user(1)], "next_cursor": "abc"}
    assert remote.requests[-1].query == {"limit": "1"}


def test_a_list_with_more_says_how_to_get_it(authorized, remote) -> None:
    remote.on("GET", "/api/v1/users", (200, {"items": [user(1)], "next_cursor": "abc"}))
    assert "--cursor abc" in authorized("users", "list").stderr


def test_all_walks_every_page(authorized, remote) -> None:
    def page(request):
        number = int(request.query.get("cursor", "1"))
        rest = {"next_cursor": str(number + 1)} if number < 3 else {}
        return 200, {"items": [user(number)], **rest}

    remote.on("GET", "/api/v1/users", page)
    result = authorized("users", "list", "--all", "--json")
    assert [one["id"] for one in json.loads(result.stdout)["items"]] == [uuid(1), uuid(2), uuid(3)]
    assert [request.query["limit"] for request in remote.requests] == ["200"] * 3


def test_an_invitation_shows_its_token_once_and_is_sent_with_an_idempotency_key(authorized, remote) -> None:
    remote.on("POST", "/api/v1/users", (201, {"user": user(), "token": "stw_in_x", "expires_at": user()["created_at"]}))
    result = authorized(
        "users", "invite", "n@example.com", "--name", "N", "--role", "developer", "--role", "support-agent"
    )
    assert result.exit_code == 0, result.output
    assert "stw_in_x" in result.stdout
    request = remote.requests[-1]
    assert request.body == {"email": "n@example.com", "name": "N", "roles": ["developer", "support-agent"]}
    assert request.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (("users", "show", uuid(1)), "GET", USER, None),
        (("users", "rename", uuid(1), "New"), "PATCH", USER, {"name": "New"}),
        (("users", "disable", uuid(1), "--yes"), "PATCH", USER, {"state": "disabled"}),
        (("users", "enable", uuid(1)), "PATCH", USER, {"state": "active"}),
        (("users", "assign", uuid(1), "admin"), "PUT", f"{USER}/roles/admin", None),
        (("users", "revoke", uuid(1), "admin"), "DELETE", f"{USER}/roles/admin", None),
    ],
)
def test_commands_on_a_user(authorized, remote, arguments, method, path, body) -> None:
    remote.on(method, path, (200, user()))
    result = authorized(*arguments)
    assert result.exit_code == 0, result.output
    assert "u1@example.com" in result.stdout
    assert remote.requests[-1].body == body


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (("tenants", "show", uuid(9)), "GET", TENANT, None),
        (
            ("tenants", "suspend", uuid(9), "--reason", "unpaid", "-y"),
            "POST",
            f"{TENANT}/suspend",
            {"reason": "unpaid"},
        ),
        (("tenants", "resume", uuid(9)), "POST", f"{TENANT}/resume", None),
        (("tenants", "update", uuid(9), "--plan", "free"), "PATCH", TENANT, {"plan": "free"}),
        (("tenants", "update", uuid(9), "--no-origins"), "PATCH", TENANT, {"allowed_origins": []}),
    ],
)
def test_commands_on_a_tenant(authorized, remote, arguments, method, path, body) -> None:
    remote.on(method, path, (200, tenant()))
    result = authorized(*arguments)
    assert result.exit_code == 0, result.output
    assert "acme" in result.stdout
    assert remote.requests[-1].body == body


def test_a_tenant_update_without_a_change_is_wrong_usage(authorized, remote) -> None:
    result = authorized("tenants", "update", uuid(9))
    assert result.exit_code == 2
    assert "nothing to change" in result.stderr


@pytest.mark.parametrize(("limit", "sent"), [((), None), (("10",), 10)])
def test_a_quota_is_overridden_or_given_back_to_the_plan(authorized, remote, limit, sent) -> None:
    answer = {"quota": "users", "limit": 5, "used": 1, "overridden": bool(limit)}
    remote.on("PUT", f"{TENANT}/quotas/users", (200, answer))
    assert authorized("tenants", "quota", uuid(9), "users", *limit).exit_code == 0
    assert remote.requests[-1].body == {"limit": sent}


def test_usage_is_shown_per_quota(authorized, remote) -> None:
    quotas = [{"quota": "users", "limit": 5, "used": 1, "overridden": False}]
    remote.on("GET", f"{TENANT}/usage", (200, {"tenant_id": uuid(9), "plan": "free", "quotas": quotas}))
    assert authorized("tenants", "usage", uuid(9)).stdout.splitlines()[1].split() == ["users", "1", "5", "no"]


def test_a_tenant_is_created_with_its_owner(authorized, remote) -> None:
    created = {"tenant": tenant(), "owner_id": uuid(1), "invitation_token": "stw_in_o"}
    remote.on("POST", "/api/v1/tenants", (201, created))
    result = authorized("tenants", "create", "acme", "--name", "Acme", "--owner", "o@example.com", "--plan", "pro")
    assert "stw_in_o" in result.stdout
    expected = {"name": "Acme", "slug": "acme", "plan": "pro", "owner_email": "o@example.com"}
    assert remote.requests[-1].body == expected


def test_a_key_is_created_and_its_secret_shown_once(authorized, remote) -> None:
    remote.on("POST", "/api/v1/api-keys", (201, {"api_key": api_key(), "secret": "stw_sk_secret"}))
    result = authorized("keys", "create", "ci", "--scope", "user:read", "--expires", "2027-01-01")
    assert result.exit_code == 0, result.output
    assert "stw_sk_secret" in result.stdout
    body = remote.requests[-1].body
    assert (body["name"], body["kind"], body["scopes"]) == ("ci", "secret", ["user:read"])
    assert body["expires_at"].startswith(("2026-12-31T", "2027-01-01T"))
    assert body["expires_at"][-1] == "Z" or body["expires_at"][-6] in "+-"


def test_keys_are_listed_and_revoked(authorized, remote) -> None:
    remote.on("GET", "/api/v1/api-keys", (200, {"items": [api_key()]}))
    remote.on("DELETE", f"/api/v1/api-keys/{uuid(7)}", (200, api_key(revoked_at="2026-01-02T03:04:05Z")))
    assert "stw_sk_ab" in authorized("keys", "list").stdout
    assert "Revoked API key ci." in authorized("keys", "revoke", uuid(7), "--yes").stdout


def test_sessions_are_listed_and_ended(authorized, remote) -> None:
    session = {
        "id": uuid(5),
        "user_id": uuid(1),
        "created_at": "2026-01-02T03:04:05Z",
        "last_used_at": "2026-01-02T03:04:05Z",
        "expires_at": "2026-01-02T03:04:05Z",
        "address": "::1",
        "user_agent": "evil\u001b[2Jprogram",
        "current": True,
    }
    remote.on("GET", "/api/v1/auth/sessions", (200, {"items": [session]}))
    remote.on("DELETE", f"/api/v1/auth/sessions/{uuid(5)}", (204, None))
    result = authorized("sessions", "list", "--user", uuid(1))
    assert remote.requests[-1].query == {"user_id": uuid(1)}
    assert "\u001b" not in result.stdout
    assert "evil�[2Jprogram" in result.stdout
    assert authorized("sessions", "revoke", uuid(5), "-y").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "delete", uuid(1)),
        ("users", "disable", uuid(1)),
        ("keys", "revoke", uuid(7)),
        ("sessions", "revoke", uuid(5)),
        ("tenants", "delete", uuid(9)),
        ("tenants", "suspend", uuid(9), "--reason", "r"),
    ],
)
def test_what_destroys_asks_first(authorized, remote, arguments) -> None:
    result = authorized(*arguments, typed="n\n")
    assert result.exit_code == 1
    assert remote.requests == []


def test_what_destroys_goes_on_after_yes(authorized, remote) -> None:
    remote.on("DELETE", USER, (204, None))
    remote.on("DELETE", TENANT, (204, None))
    assert authorized("users", "delete", uuid(1), typed="y\n").exit_code == 0
    assert authorized("tenants", "delete", uuid(9), "--yes").exit_code == 0
    assert [request.path for request in remote.requests] == [USER, TENANT]


@pytest.mark.parametrize(("allowed", "code"), [(True, 0), (False, 1)])
def test_explain_says_why_and_its_exit_code_says_whether(authorized, remote, allowed, code) -> None:
    answer = {"permission": "user:invite", "allowed": allowed, "because": ["admin > user:invite"]}
    remote.on("GET", f"{USER}/permissions/user%3Ainvite", (200, answer))
    remote.on("GET", f"{USER}/permissions/user:invite", (200, answer))
    result = authorized("users", "explain", uuid(1), "user:invite")
    assert result.exit_code == code
    assert "admin > user:invite" in result.stdout


def test_roles_are_listed(authorized, remote) -> None:
    roles = {"items": [{"role": "viewer", "inherits": [], "permissions": ["user:read"]}]}
    remote.on("GET", "/api/v1/roles", (200, roles))
    assert authorized("users", "roles").stdout.splitlines()[1].split() == ["viewer", "-", "user:read"]


def test_audit_entries_are_filtered_and_shown(authorized, remote) -> None:
    remote.on("GET", "/api/v1/audit/entries", (200, {"items": [entry(2), entry(1)]}))
    remote.on("GET", "/api/v1/audit/entries/2", (200, entry(2)))
    result = authorized("audit", "list", "--action", "user.", "--outcome", "done", "--since", "2026-01-01")
    assert result.exit_code == 0, result.output
    query = remote.requests[-1].query
    assert (query["action"], query["outcome"]) == ("user.", "done")
    assert query["since"].startswith("2026-01-01T00:00:00")
    assert '{"email":' in authorized("audit", "show", "2").stdout.replace('{"email": ', '{"email":')
    assert json.loads(authorized("audit", "show", "2", "--json").stdout) == entry(2)


def test_an_export_is_written_whole_and_for_its_owner_only(authorized, remote, tmp_path: Path) -> None:
    lines = b"".join(json.dumps(entry(seq)).encode() + b"\n" for seq in (1, 2))
    remote.on("GET", "/api/v1/audit/entries", (200, {"items": [entry(2)]}))
    remote.on("GET", "/api/v1/audit/export", (200, lines))
    file = tmp_path / "trail.ndjson"
    result = authorized("audit", "export", str(file))
    assert result.exit_code == 0, result.output
    assert file.read_bytes() == lines
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Exported 2 entries" in result.stdout
    assert authorized("audit", "export", "-").stdout.encode() == lines


def test_a_refused_export_leaves_no_file(authorized, remote, problem_of, tmp_path: Path) -> None:
    remote.on("GET", "/api/v1/audit/entries", (200, {"items": []}))
    remote.on("GET", "/api/v1/audit/export", (403, problem_of(403, "permission_denied", "audit:export is missing")))
    assert authorized("audit", "export", str(tmp_path / "f")).exit_code == 4
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_an_export_that_cannot_be_written_says_why(authorized, remote, tmp_path: Path) -> None:
    remote.on("GET", "/api/v1/audit/entries", (200, {"items": []}))
    remote.on("GET", "/api/v1/audit/export", (200, b""))
    result = authorized("audit", "export", str(tmp_path / "missing" / "f"))
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_verify_says_that_a_chain_is_intact(authorized, remote) -> None:
    answer = {"ok": True, "entries": 10, "checkpoints": 2, "findings": []}
    remote.on("POST", "/api/v1/audit/verify", (200, answer))
    result = authorized("audit", "verify")
    assert result.exit_code == 0
    assert "10 entries, 2 checkpoints" in result.stdout


def test_verify_prints_findings_and_fails_on_a_broken_chain(authorized, remote) -> None:
    findings = [{"seq": 4, "problem": "hash differs"}]
    answer = {"ok": False, "entries": 10, "checkpoints": 2, "findings": findings}
    remote.on("POST", "/api/v1/audit/verify", (200, answer))
    result = authorized("audit", "verify")
    assert result.exit_code == 1
    assert "hash differs" in result.stdout
    assert "tampered" in result.stderr
    assert json.loads(authorized("audit", "verify", "--json").stdout) == answer
