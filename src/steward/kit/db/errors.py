"""What can go wrong with the database, as callers are told."""

from steward.kit.errors import StartRefused, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or the connection broke; whether a commit under way happened is not known."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "the database does not answer: try again in a second, with the same Idempotency-Key if you sent one",
            retry_after=1,
        )


class DatabaseBusy(Unavailable):
    """No connection became free in time."""

    code = "database_busy"

    def __init__(self, waited: float) -> None:
        super().__init__(f"no database connection became free within {waited:.1f} s: try again", retry_after=1)


class TransactionConflict(Unavailable):
    """PostgreSQL ended the transaction because another one stood in its way; nothing of it was kept."""

    code = "transaction_conflict"

    def __init__(self) -> None:
        super().__init__("another change got in the way of this one and nothing was changed: try again", retry_after=1)


class RoleTooStrong(StartRefused):
    """The login role of the process could get round row-level security; the platform refuses to start on it."""


class MigrationFailed(StartRefused):
    """The schema could not be brought up to date; nothing of the migration that failed was kept."""


class DatabaseUnreachable(StartRefused):
    """The database of the settings cannot be connected to."""

    def __init__(self, variable: str, reason: object) -> None:
        super().__init__(
            f"cannot connect to the database of {variable} ({reason}): check that it runs, and the address, database, "
            "role and password in it"
        )
