"""Rotation of data keys: once a day, those that have sealed for long enough get a successor."""

from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from steward.kit.crypto import DataKey, Keyring
from steward.kit.module import Job

OLDEST = timedelta(days=90)
"""How long a data key seals; under its limit of 2^32 values at 500 a second. What it sealed still opens."""


def rotation(keyring: Keyring, log: FilteringBoundLogger) -> Job:
    """The job that looks for keys due for rotation; one that fails does not keep the others from theirs."""

    async def rotate() -> int:
        total = 0
        while rotated := sum([await _rotated(keyring, key, log) for key in await keyring.due_for_rotation(OLDEST)]):
            total += rotated
        return total

    return Job(name="data key rotation", every_seconds=86_400, run=rotate)


async def _rotated(keyring: Keyring, key: DataKey, log: FilteringBoundLogger) -> bool:
    try:
        await keyring.rotate(key.tenant)
    except Exception as error:
        log.exception("data key not rotated", event_type="key.rotation_failed", tenant_id=key.tenant, exc_info=error)
        return False
    return True
