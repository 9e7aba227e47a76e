"""The shop's database: one SQLite file, one connection, one request at a time.

Requests are short and never wait for anything else, so a single connection that each has for itself is both the
simplest and the safest: what a request reads cannot change under it.
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]

_SCHEMA = Path(__file__).parent / "schema.sql"


class Database:
    """Opens the file, and makes it at the first start."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None)  # Transactions are begun by hand.
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")  # What was answered survives a loss of power.
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA busy_timeout = 2000")
        self.connection.executescript(_SCHEMA.read_text(encoding="utf-8"))

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All or nothing of what is written within."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def setting(self, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def put_setting(self, name: str, value: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def close(self) -> None:
        self.connection.close()


def now() -> datetime:
    """The time in UTC; tests give the shop another clock."""
    return datetime.now(UTC)
