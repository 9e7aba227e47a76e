"""The rule `commit-outside-db`."""

import pytest

from lint.rules.commit_outside_db import check
from lint.tests.samples import lines_found, marked

SERVICE = "src/steward/services/tenants/service.py"

BAD = """
async def change(self, connection, tx, pool):
    pool.transaction("read only")  # bad
    async with connection.transaction(isolation="serializable"):  # bad
        await connection.execute("begin")  # bad
    await connection.commit()  # bad
    await connection.rollback()  # bad
    await tx.execute("COMMIT")  # bad
    await tx.execute("UPDATE a SET b = 1; ROLLBACK;")  # bad
    statement = "START TRANSACTION ISOLATION LEVEL SERIALIZABLE"  # bad
    await tx.execute(f"SAVEPOINT step")  # bad
"""

GOOD = '''
"""COMMIT"""

TEXT = "BEGIN, role and tenant travel in one message"
BODY = "DO $$ BEGIN PERFORM 1; END $$"
STATES = ("begin", "commit")
START = begin()


async def change(self, ctx, tx, intent):
    """Ends with a COMMIT."""
    await self._intents.commit(tx, intent)
    await tx.execute()
    await tx.execute("SELECT 1")
    session.note("rollback")
'''


def test_transactions_begun_or_ended_are_found() -> None:
    assert lines_found(check, BAD, SERVICE) == marked(BAD)


def test_prose_and_other_commits_pass() -> None:
    assert lines_found(check, GOOD, SERVICE) == []


@pytest.mark.parametrize("path", ["src/steward/kit/db/pool.py", "bench/edge.py", "tests/kit/test_db.py"])
def test_database_kit_benchmarks_and_tests_are_free(path: str) -> None:
    assert lines_found(check, BAD, path) == []
