"""What people are told when it does not work, in which language, and with which exit code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from steward.bootstrap.cli.messages import CATALOGUE
from steward.bootstrap.cli.options import Lang, global_first, language

LIST = ("GET", "/api/v1/users")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [(401, "unauthenticated", 4), (403, "permission_denied", 4), (422, "invalid_input", 1), (500, "internal", 1)],
)
def test_a_refusal_is_a_message_a_request_id_and_an_exit_code(
    authorized, remote, problem_of, status, code, exit_code
) -> None:
    remote.on(*LIST, (status, problem_of(status, code, "what happened and what to do")))
    result = authorized("users", "list")
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert result.stderr.startswith("Error: what happened and what to do\n")
    assert "req-1" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_rate_limit_says_when_to_try_again(authorized, remote, problem_of) -> None:
    remote.on(*LIST, (429, problem_of(429, "rate_limited", "too many requests", retry_after=7)))
    assert "Try again in 7 seconds." in authorized("users", "list").stderr


def test_a_message_cannot_steer_the_terminal(authorized, remote, problem_of) -> None:
    remote.on(*LIST, (422, problem_of(422, "invalid_input", "bad\u001b]0;x\u0007")))
    assert "\u001b]" not in authorized("users", "list").stderr


def test_nobody_at_the_address_is_said_with_a_remedy(cli) -> None:
    result = cli("users", "list", "--url", "http://127.0.0.1:1", "--api-key", "k")
    assert result.exit_code == 5
    assert "http://127.0.0.1:1 (Connection refused)" in result.stderr
    assert "steward up" in result.stderr


def test_an_address_that_is_none_is_said(cli) -> None:
    result = cli("status", "--url", "nonsense")
    assert result.exit_code == 5
    assert "nonsense" in result.stderr


@pytest.mark.parametrize("answer", [(200, b"<html>"), (502, b"<html>"), (200, {"items": [{"id": 1}]})])
def test_an_answer_of_something_else_is_no_traceback(authorized, remote, answer) -> None:
    remote.on(*LIST, answer)
    result = authorized("users", "list")
    assert result.exit_code == 1
    assert "not of this API" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "show", "not-an-id"),
        ("users", "assign"),
        ("nothing",),
        ("users", "list", "--limit", "0"),
        ("--lang", "xx"),
    ],
)
def test_wrong_usage_is_exit_code_two(authorized, arguments) -> None:
    assert authorized(*arguments).exit_code == 2


def test_a_wrong_setting_is_exit_code_two_and_names_it(authorized) -> None:
    authorized.env["STEWARD_PORT"] = "http"
    result = authorized("users", "list")
    assert result.exit_code == 2
    assert "STEWARD_PORT is 'http'" in result.stderr


@pytest.mark.parametrize(("status", "exit_code"), [("ok", 0), ("degraded", 1), ("down", 1)])
def test_status_shows_each_dependency_without_a_log_in(cli, remote, status, exit_code) -> None:
    answer = {"status": status, "version": "1.2.3", "dependencies": {"database": {"status": status, "detail": "why"}}}
    remote.on("GET", "/health", (503 if status == "down" else 200, answer))
    result = cli("status", "--url", remote.url)
    assert result.exit_code == exit_code
    assert result.stdout.splitlines()[1].split() == ["database", status, "why"]
    assert "1.2.3" in result.stderr


def test_the_language_is_chosen_by_option_and_by_the_system(cli) -> None:
    cli.env["LANG"] = "zh_CN.UTF-8"
    assert "尚未登录" in cli("whoami", "--url", "http://127.0.0.1:1").stderr
    assert "尚未登入" in cli("whoami", "--url", "http://127.0.0.1:1", "--lang", "zh-Hant").stderr


def test_the_platform_is_asked_to_answer_in_the_same_language(authorized, remote, problem_of) -> None:
    remote.on(*LIST, (403, problem_of(403, "permission_denied", "x")))
    authorized("users", "list", "--lang", "zh-Hans")
    assert remote.requests[-1].headers["accept-language"] == "zh-Hans"


@pytest.mark.parametrize(
    ("env", "lang"),
    [
        ({}, Lang.EN),
        ({"LANG": "de_DE.UTF-8"}, Lang.EN),
        ({"LANG": "zh_TW.UTF-8"}, Lang.ZH_HANT),
        ({"LC_ALL": "zh_SG", "LANG": "en_US"}, Lang.ZH_HANS),
        ({"STEWARD_LANG": "zh-Hant", "LANG": "en_US"}, Lang.ZH_HANT),
    ],
)
def test_the_language_of_an_environment(env, lang) -> None:
    assert language(None, env) is lang


def test_every_message_has_the_same_places_in_every_language() -> None:
    places = re.compile(r"{(\w+)}")
    uneven = [key for key, texts in CATALOGUE.items() if len({frozenset(places.findall(text)) for text in texts}) > 1]
    assert uneven == []
    assert [key for key, texts in CATALOGUE.items() if not all(texts)] == []


def test_every_message_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    source = "\n".join(
        path.read_text()
        for path in Path(sys.modules["steward.bootstrap.cli"].__file__ or "").parent.rglob("*.py")
        if path.name != "messages.py"
    )
    keys = set(
        re.findall(
            r'"((?:audit|auth|confirm|error|init|keys|list|login|logout|password|prompt|register|sessions|status|tenants|users|value|warning)(?:\.[a-z_]+)?)"',
            source,
        )
    )
    named = {key for key in keys if "." in key and not key.startswith("steward")}
    assert named - set(CATALOGUE) == set()
    plain = {key for key in CATALOGUE if not key.startswith("heading.")}
    assert {key for key in plain if f'"{key}"' not in source} == set()
    headings = {key.removeprefix("heading.") for key in CATALOGUE if key.startswith("heading.")}
    assert {name for name in headings if f'"{name}"' not in source} == set()


def test_global_options_work_wherever_they_stand() -> None:
    line = ("users", "list", "--json", "--url", "http://x", "--api-key=k", "--", "--json")
    assert global_first(line) == ["--json", "--url", "http://x", "--api-key=k", "users", "list", "--", "--json"]


def test_help_loads_neither_tables_nor_http(cli) -> None:
    code = (
        "import sys\n"
        "from steward.bootstrap.cli import main\n"
        "sys.argv = ['steward', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'rich', 'aiohttp', 'msgspec', 'asyncpg', 'litestar'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    import_path = [path for path in sys.path if path]
    done = subprocess.run(
        (sys.executable, "-c", f"import sys; sys.path[:0] = {import_path!r}\n{code}"),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("up", "serve", "users", "audit", "Exit codes"))
