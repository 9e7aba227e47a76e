"""A PostgreSQL that somebody else runs: set up as docs/operations/running.md says, and what is refused at the start."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import TWO, copy_home
from tests.e2e.external import run_sql
from tests.e2e.running import Steward, free_port
from tests.support.postgres import PostgresForTests


def refused(steward: Steward, code: int, **environment: str) -> str:
    """What a start that must be refused says; it ends by itself with this code, and without a traceback."""
    process = steward.spawn("up", **environment)
    assert process.wait(30) == code, steward.logs()
    said = steward.log_text()
    assert "Traceback" not in said
    assert steward.get("/ready").status == 0
    return said


def test_platform_serves_on_it_in_one_process_and_in_two(
    fresh: Steward, plain: PostgresForTests, addresses: Mapping[str, str]
) -> None:
    fresh.start(STEWARD_DEMO="true", **addresses)
    assert not (fresh.home / "postgres").exists()
    made = fresh.api("POST", "/api/v1/api-keys", {"name": "external", "scopes": ["user:read"]})
    assert made.status == 201
    tables = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('kit', 'identity', 'tenants', 'audit')"
    assert [row["tableowner"] for row in asyncio.run(run_sql(addresses["DATABASE_URL"], (tables,)))] == [
        "steward_owner"
    ]
    before = fresh.credentials
    fresh.stop()
    fresh.commands = TWO
    fresh.start(**addresses)
    assert fresh.credentials == before
    assert {entry["status"] for entry in fresh.get("/health").json["dependencies"].values()} == {"ok"}
    assert fresh.api("GET", "/api/v1/users", key=made.json["secret"]).status == 200
    assert fresh.api("POST", "/api/v1/audit/verify").json["ok"] is True
    fresh.stop()
    other = Steward(fresh.home.with_name("other"))
    assert "restore the master key that belongs to this database" in refused(other, 1, **addresses)


@pytest.mark.parametrize(
    ("role", "because"),
    [
        ("postgres", "superuser"),
        ("app_bypass", "BYPASSRLS"),
        ("app_member", "bypasses row-level security"),
        ("steward_owner", "CREATEROLE"),
    ],
)
def test_role_that_could_get_round_isolation_is_refused(
    fresh: Steward, plain: PostgresForTests, addresses: Mapping[str, str], role: str, because: str
) -> None:
    said = refused(fresh, 1, **{**addresses, "DATABASE_URL": plain.dsn("steward", role)})
    assert role in said
    assert because in said
    assert "steward_app" in said


def test_missing_address_of_the_owner_is_named(fresh: Steward, addresses: Mapping[str, str]) -> None:
    said = refused(fresh, 2, DATABASE_URL=addresses["DATABASE_URL"])
    assert "DATABASE_ADMIN_URL is missing" in said


@pytest.mark.parametrize("which", ["DATABASE_URL", "DATABASE_ADMIN_URL"])
def test_database_that_does_not_answer_is_named(fresh: Steward, plain: PostgresForTests, which: str) -> None:
    empty = {
        "DATABASE_URL": plain.dsn("empty", "steward_app"),
        "DATABASE_ADMIN_URL": plain.dsn("empty", "steward_owner"),
    }
    said = refused(fresh, 1, **{**empty, which: f"postgresql://somebody:hunter2@127.0.0.1:{free_port()}/steward"})
    assert f"cannot connect to the database of {which}" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("address", ["postgresql://a:hunter2@:port/x", "postgresql://a:hunter2@[::1/x"])
def test_address_that_is_none_is_named(fresh: Steward, address: str) -> None:
    said = refused(fresh, 1, DATABASE_URL=address, DATABASE_ADMIN_URL=address)
    assert "cannot connect to the database of DATABASE_URL" in said
    assert "hunter2" not in said


def test_database_that_is_not_there_is_named(fresh: Steward, plain: PostgresForTests) -> None:
    nowhere = {"DATABASE_URL": plain.dsn("nowhere", "steward_app"), "DATABASE_ADMIN_URL": plain.dsn("nowhere")}
    assert 'database "nowhere" does not exist' in refused(fresh, 1, **nowhere)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"DATABASE_URL": "mysql://root:hunter2@127.0.0.1/x"}, ["DATABASE_URL is ***", "postgresql://"]),
        (
            {
                "STEWARD_PORT": "eighty",
                "STEWARD_DB_POOL_SIZE": "201",
                "STEWARD_GATEWAY_MAX_BODY_BYTES": "-1",
                "STEWARD_GATEWAY_BODY_SECONDS": "nan",
                "STEWARD_PEERS": "identity",
                "DATABASE_URL_FILE": "/nowhere/at/all",
            },
            [
                "STEWARD_PORT is 'eighty': set it to a whole number",
                "leave it out for 8080",
                "STEWARD_DB_POOL_SIZE is '201'",
                "up to 200",
                "STEWARD_GATEWAY_MAX_BODY_BYTES is '-1'",
                "STEWARD_GATEWAY_BODY_SECONDS is 'nan'",
                "STEWARD_PEERS is 'identity'",
                "identity=10.0.0.7:9001",
                "DATABASE_URL_FILE",
                "/nowhere/at/all",
            ],
        ),
    ],
)
def test_wrong_variables_are_all_named_with_their_remedies(
    fresh: Steward, variables: dict[str, str], says: list[str]
) -> None:
    said = refused(fresh, 2, **variables)
    assert [part for part in says if part not in said] == []
    assert "hunter2" not in said
    assert not fresh.home.exists()


def test_misspelt_variable_is_told_and_does_no_harm(prepared_home: Path) -> None:
    running = Steward(copy_home(prepared_home, "misspelt")).start(STEWARD_GATEWAY_MAX_BODY_BYTE="5")
    assert "did you mean STEWARD_GATEWAY_MAX_BODY_BYTES?" in running.log_text()
    running.stop()
