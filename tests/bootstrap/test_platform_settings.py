"""The composed settings and the page made from them."""

from pathlib import Path

import pytest

from steward.bootstrap import docs
from steward.bootstrap.settings import load_settings, parts, unknown_variables
from steward.kit.settings import SettingsError, describe


def test_the_defaults_suffice() -> None:
    settings = load_settings({})
    assert settings.platform.port == 8080
    assert settings.platform.home == Path(".steward")


def test_problems_of_all_parts_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"STEWARD_PORT": "x", "DATABASE_URL": "mysql://root:hunter2@db"})
    assert {problem.variable for problem in caught.value.problems} == {"STEWARD_PORT", "DATABASE_URL"}
    assert "hunter2" not in str(caught.value)


def test_access_token_lasts_a_minute_at_least() -> None:
    variable = "STEWARD_IDENTITY_ACCESS_TOKEN_SECONDS"
    assert load_settings({variable: "60"}).identity.access_token_seconds == 60
    with pytest.raises(SettingsError, match=f"{variable} is '59'"):
        load_settings({variable: "59"})


@pytest.mark.parametrize(
    ("env", "makes_demo"),
    [
        ({}, True),
        ({"DATABASE_URL": "postgresql://db/x"}, False),
        ({"DATABASE_URL": "postgresql://db/x", "STEWARD_DEMO": "true"}, True),
        ({"STEWARD_DEMO": "false"}, False),
    ],
)
def test_demo_tenant_is_made_where_nobody_else_can_be(env: dict[str, str], makes_demo: bool) -> None:
    assert load_settings(env).platform.makes_demo is makes_demo


def test_peers_are_grouped_by_service() -> None:
    settings = load_settings({"STEWARD_PEERS": "identity=a:1,audit=b:2,identity=[::1]:3"})
    assert settings.platform.peer_addresses() == {"identity": ["a:1", "[::1]:3"], "audit": ["b:2"]}


def test_a_variable_that_no_part_reads_is_reported() -> None:
    assert [problem.variable for problem in unknown_variables({"STEWARD_PORTT": "1", "STEWARD_PORT": "1"})] == [
        "STEWARD_PORTT"
    ]


def test_no_two_parts_read_one_variable() -> None:
    names = [variable.name for part in parts() for variable in describe(part.cls, part.prefix)]
    assert len(names) == len(set(names))


def test_every_setting_says_what_it_is_for() -> None:
    silent = [v.name for part in parts() for v in describe(part.cls, part.prefix) if not v.description]
    assert silent == []


def test_the_page_is_written_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    text = (tmp_path / docs.TARGET).read_text()
    assert "| `STEWARD_PORT` | a whole number from 0 up to 65535 | `8080` |" in text
    assert docs.main(["--chekc"]) == 2
