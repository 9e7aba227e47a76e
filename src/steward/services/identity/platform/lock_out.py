"""Lock-out: failed log-ins in a row lock log-in for an address, whether or not it has a user."""

import math
from datetime import timedelta

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.services.identity.errors import AccountLocked
from steward.services.identity.platform.repository import LoginSystemRepository
from steward.services.identity.records import Attempt
from steward.services.identity.settings import IdentitySettings


class LockOut:
    """Counts failures by the blind index of an address.

    A password is checked first and counted after, and what the count says goes before what the check said. So of
    guesses made at the same time, no more than the limit ever learn whether they were right.
    """

    def __init__(self, db: ServiceDb, clock: Clock, settings: IdentitySettings) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings

    def refuse(self, attempt: Attempt | None) -> None:
        """Raise `AccountLocked` where log-in is locked now."""
        if attempt is not None and attempt.locked_until is not None:
            left = (attempt.locked_until - self._clock.now()).total_seconds()
            if left > 0:
                raise AccountLocked(math.ceil(left))

    async def check(self, email_index: bytes) -> None:
        """Raise `AccountLocked` where log-in is locked now."""
        async with self._db.system_tx(_CTX) as tx:
            attempt = await LoginSystemRepository(tx).attempt(email_index)
        self.refuse(attempt)

    async def failed(self, email_index: bytes) -> bool:
        """Count a failure; whether it locked log-in. Raises `AccountLocked` where it was locked meanwhile."""
        now = self._clock.now()
        until = now + timedelta(seconds=self._settings.lockout_seconds)
        async with self._db.system_tx(_CTX) as tx:
            rows = LoginSystemRepository(tx)
            counted = await rows.fail(email_index, now, self._settings.lockout_failures, until)
            standing = counted or await rows.attempt(email_index)
        if counted is None:
            self.refuse(standing)
        return counted is not None and counted.locked_until is not None

    async def succeeded(self, email_index: bytes) -> None:
        """Forget the failures. Raises `AccountLocked` where log-in was locked meanwhile."""
        async with self._db.system_tx(_CTX) as tx:
            standing = await LoginSystemRepository(tx).succeed(email_index, self._clock.now())
        self.refuse(standing)


_CTX = SystemCtx(reason="failed log-ins by address", service="identity")
