"""A changing call that comes twice under one Idempotency-Key is done once and answered twice.

The answer is kept in the transaction of the change, so it is there exactly if the change is; refusals are kept too.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import msgspec

from examples.shop.database import Clock, Database
from examples.shop.problems import Problem

KEPT = timedelta(days=7)


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class Replies:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def once(self, key: str | None, request: bytes, work: Callable[[], msgspec.Struct], status: int = 200) -> Answer:
        """Do `work` in a transaction, or give the first answer again; 409 for the key of another request."""
        with self._db.transaction():
            if key is None:
                return Answer(status, msgspec.json.encode(work()))
            found = self._known(key, request)
            if found is None:
                found = _answer(work, status)
                values = (key, _hash(request), found.status, found.body, self._clock().isoformat())
                self._db.connection.execute("INSERT INTO answer VALUES (?, ?, ?, ?, ?)", values)
            return found

    def forget_old(self) -> None:
        before = (self._clock() - KEPT).isoformat()
        self._db.connection.execute("DELETE FROM answer WHERE at < ?", (before,))

    def _known(self, key: str, request: bytes) -> Answer | None:
        row = self._db.connection.execute("SELECT * FROM answer WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        if row["request_hash"] != _hash(request):
            raise Problem(409, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
        return Answer(row["status"], row["body"])


def _answer(work: Callable[[], msgspec.Struct], status: int) -> Answer:
    try:
        return Answer(status, msgspec.json.encode(work()))
    except Problem as problem:  # Rules are checked before anything is written, so there is nothing to roll back.
        return Answer(problem.status, msgspec.json.encode(problem.body))


def _hash(request: bytes) -> bytes:
    return hashlib.sha256(request).digest()
