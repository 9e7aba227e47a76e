"""Logging in and out, and which credential a command uses."""

import json
import stat

from steward.bootstrap.home import Credentials, Home
from tests.cli.examples import principal, tokens, user

ME = ("GET", "/api/v1/auth/me")
LOGIN = ("POST", "/api/v1/auth/login")
REFRESH = ("POST", "/api/v1/auth/refresh")
LOGOUT = ("POST", "/api/v1/auth/logout")


def log_in(cli, remote, expires_in: int = 900):
    remote.on(*LOGIN, (200, tokens("access-1", "refresh-1", expires_in)))
    result = cli(
        "login", "--url", remote.url, "--email", "a@example.com", "--password-stdin", typed="a long password\n"
    )
    assert result.exit_code == 0, result.output
    return result


def test_login_sends_what_was_typed_and_keeps_the_tokens_for_the_owner_only(cli, remote) -> None:
    result = log_in(cli, remote)
    assert remote.requests[0].body == {"email": "a@example.com", "password": "a long password"}
    assert "authorization" not in remote.requests[0].headers
    file = cli.config / "steward" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert f"Logged in to {remote.url} as a@example.com." in result.stdout
    assert "a long password" not in file.read_text()


def test_login_asks_for_what_is_missing(cli, remote) -> None:
    remote.on(*LOGIN, (200, tokens("a", "r")))
    result = cli("login", "--url", remote.url, typed="b@example.com\nsecret\n")
    assert result.exit_code == 0
    assert remote.requests[0].body == {"email": "b@example.com", "password": "secret"}
    assert "secret" not in result.output


def test_after_login_commands_go_there_with_its_token(cli, remote) -> None:
    log_in(cli, remote)
    remote.on(*ME, (200, principal()))
    result = cli("whoami", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["roles"] == ["viewer"]
    assert remote.requests[-1].headers["authorization"] == "Bearer access-1"


def test_a_token_about_to_end_is_renewed_first_and_kept(cli, remote) -> None:
    log_in(cli, remote, expires_in=10)
    remote.on(*REFRESH, (200, tokens("access-2", "refresh-2")))
    remote.on(*ME, (200, principal()))
    assert cli("whoami").exit_code == 0
    assert cli("whoami").exit_code == 0
    assert [(r.path, r.headers.get("authorization")) for r in remote.requests[1:]] == [
        ("/api/v1/auth/refresh", None),
        ("/api/v1/auth/me", "Bearer access-2"),
        ("/api/v1/auth/me", "Bearer access-2"),
    ]
    assert remote.requests[1].body == {"refresh_token": "refresh-1"}


def test_a_token_that_is_refused_is_renewed_once(cli, remote, problem_of) -> None:
    log_in(cli, remote)
    remote.on(*REFRESH, (200, tokens("access-2", "refresh-2")))

    def me(request):
        if request.headers["authorization"] == "Bearer access-2":
            return 200, principal()
        return 401, problem_of(401, "unauthenticated", "the token has ended")

    remote.on(*ME, me)
    assert cli("whoami").exit_code == 0


def test_a_log_in_that_has_ended_for_good_is_forgotten(cli, remote, problem_of) -> None:
    log_in(cli, remote, expires_in=10)
    remote.on(*REFRESH, (401, problem_of(401, "invalid_credential", "used twice")))
    result = cli("whoami")
    assert result.exit_code == 4
    assert "steward login" in result.stderr
    assert cli("whoami", "--url", remote.url).exit_code == 4
    assert [r.path for r in remote.requests].count("/api/v1/auth/refresh") == 1


def test_logout_ends_the_session_and_forgets_it(cli, remote) -> None:
    log_in(cli, remote)
    remote.on("POST", "/api/v1/auth/logout", (204, None))
    assert cli("logout").exit_code == 0
    assert remote.requests[-1].headers["authorization"] == "Bearer access-1"
    assert cli("whoami", "--url", remote.url).exit_code == 4


def test_without_a_log_in_the_key_of_the_platform_here_is_used_and_said_once(cli, remote) -> None:
    home = Home(cli.home)
    home.create()
    home.write_credentials(
        Credentials(url=remote.url, tenant="t", email="demo@example.com", password="p", api_key="stw_sk_demo")
    )
    remote.on(*ME, (200, principal()))
    result = cli("whoami", "--json")
    assert result.exit_code == 0
    assert remote.requests[-1].headers["x-api-key"] == "stw_sk_demo"
    assert result.stderr.count("demo@example.com") == 1
    json.loads(result.stdout)


def test_the_key_of_the_platform_here_is_not_sent_elsewhere(cli, remote) -> None:
    home = Home(cli.home)
    home.create()
    home.write_credentials(
        Credentials(url="http://127.0.0.1:1", tenant="t", email="e", password="p", api_key="stw_sk_demo")
    )
    result = cli("whoami", "--url", remote.url)
    assert result.exit_code == 4
    assert remote.requests == []


def test_a_key_on_the_line_wins(authorized, remote) -> None:
    remote.on(*ME, (200, principal()))
    assert authorized("whoami", "--api-key", "stw_sk_line").exit_code == 0
    assert remote.requests[-1].headers["x-api-key"] == "stw_sk_line"


def test_register_asks_for_the_new_password_twice(cli, remote) -> None:
    remote.on("POST", "/api/v1/auth/register", (201, user()))
    result = cli(
        "register", "--url", remote.url, "--token", "stw_in_x", "--name", "Ann", typed="long enough\nlong enough\n"
    )
    assert result.exit_code == 0, result.output
    assert remote.requests[-1].body == {"token": "stw_in_x", "name": "Ann", "password": "long enough"}


def platform_here(cli, url: str) -> None:
    """A home on this machine whose platform answers at this address."""
    home = Home(cli.home)
    home.create()
    home.write_credentials(
        Credentials(url=url, tenant="t", email="demo@example.com", password="p", api_key="stw_sk_demo")
    )


def test_login_and_logout_say_nothing_of_the_key_that_they_do_not_use(cli, remote) -> None:
    platform_here(cli, remote.url)
    remote.on(*LOGOUT, (204, None))
    out = cli("logout", "--url", remote.url)
    into = log_in(cli, remote)
    assert [(result.exit_code, "demo@example.com" in result.output) for result in (out, into, cli("logout"))] == [
        (0, False),
        (0, False),
        (0, False),
    ]
    assert "x-api-key" not in {name for request in remote.requests for name in request.headers}


def test_a_log_in_that_has_ended_gives_way_to_the_key_of_the_platform_here(cli, remote, problem_of) -> None:
    platform_here(cli, remote.url)
    remote.on(*REFRESH, (401, problem_of(401, "invalid_credential", "the session has ended")))

    def me(request):
        if request.headers.get("x-api-key") == "stw_sk_demo":
            return 200, principal()
        return 401, problem_of(401, "invalid_credential", "the token has ended")

    remote.on(*ME, me)
    for expires_in in (10, 900):
        log_in(cli, remote, expires_in=expires_in)
        result = cli("whoami", "--json")
        assert result.exit_code == 0, result.output
        assert result.stderr.count("demo@example.com") == 1
        assert json.loads(result.stdout)["roles"] == ["viewer"]


def test_a_key_that_is_refused_is_not_sent_again(cli, remote, problem_of) -> None:
    platform_here(cli, remote.url)
    remote.on(*ME, (401, problem_of(401, "invalid_credential", "revoked")))
    assert cli("whoami").exit_code == 4
    assert [request.path for request in remote.requests] == [ME[1]]


def test_logout_of_a_log_in_that_has_ended_forgets_it_and_is_no_failure(cli, remote, problem_of) -> None:
    platform_here(cli, remote.url)
    log_in(cli, remote, expires_in=10)
    remote.on(*REFRESH, (401, problem_of(401, "invalid_credential", "the session has ended")))
    result = cli("logout")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Logged out of {remote.url}." in result.stdout
    assert LOGOUT[1] not in [request.path for request in remote.requests]


def test_logout_ends_the_session_though_a_key_is_given(cli, remote) -> None:
    log_in(cli, remote)
    remote.on(*LOGOUT, (204, None))
    assert cli("logout", "--api-key", "stw_sk_line").exit_code == 0
    assert remote.requests[-1].headers["authorization"] == "Bearer access-1"


def test_what_needs_a_log_in_of_ones_own_says_so_without_blaming_the_key(authorized, remote, problem_of) -> None:
    remote.on(
        "GET", "/api/v1/auth/sessions", (401, problem_of(401, "user_login_needed", "an API key has no log-in: log in"))
    )
    said = authorized("sessions", "list").stderr
    assert "an API key has no log-in" in said
    assert "Check the API key" not in said
