"""The rule `sql-outside-repository`."""

import pytest

from lint.rules.sql_outside_repository import check
from lint.tests.samples import lines_found, marked

SERVICE = "src/steward/services/tenants/service.py"

BAD = """
_USERS = "SELECT id FROM identity.user"  # bad


async def read(tx, table):
    await tx.fetch("select 1")  # bad
    await tx.fetch(f"SELECT * FROM {table} WHERE id = $1")  # bad
    await tx.execute("INSERT INTO a (b) " + "VALUES ($1)")  # bad
    query = "update a set b = $1"  # bad
    query = "DELETE FROM a"  # bad
    query = "WITH gone AS (DELETE FROM a RETURNING b) SELECT b"  # bad
    query = "CREATE TABLE a (b int)"  # bad
    query = "ALTER ROLE steward_app NOBYPASSRLS"  # bad
    query = "DROP INDEX a"  # bad
    query = "LISTEN outbox"  # bad
    query = "NOTIFY outbox"  # bad
    query = "SELECT pg_notify($1, '')"  # bad
    query = " pg_try_advisory_lock($1)"  # bad
    query = " ".join(["SELECT id", "FROM a"])  # bad
    query = "select id from a where b = $1"  # bad
"""

GOOD = '''
"""SELECT id FROM a: an example in prose."""

HELP = "Select a tenant from the list, then update its plan."
METHODS = ("SELECT", "DELETE", "UPDATE")
VERB = "create the tenant with its keys"
MESSAGE = "Delete from the outside in."
NAME = "pg_dump"
ROUTE = "/api/v1/users/{user_id}/select"


def show(client):
    """DELETE FROM a would be wrong here."""
    client.fetch("https://example.org")
    client.execute("users list")
    client.select("select a page")
    client.fetch(NAME, "update")
    call("with care")
    os.path.join()
    return ", ".join(["select", "from"])
'''


def test_statements_are_found() -> None:
    assert lines_found(check, BAD, SERVICE) == marked(BAD)


def test_prose_passes() -> None:
    assert lines_found(check, GOOD, SERVICE) == []


@pytest.mark.parametrize(
    "path",
    [
        "src/steward/services/tenants/repository.py",
        "src/steward/services/agents/repository/journal.py",
        "src/steward/services/tenants/migrations/tenants_0001.py",
        "src/steward/kit/db/tx.py",
        "src/steward/bootstrap/embedded/postgres.py",
        "tests/kit/test_db.py",
        "bench/edge.py",
    ],
)
def test_the_places_of_sql_are_free(path: str) -> None:
    assert lines_found(check, BAD, path) == []
