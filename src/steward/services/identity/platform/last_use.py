"""When keys and sessions were last used: noted in memory, written in batches, off the path of the request."""

from datetime import datetime, timedelta
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.services.identity.platform.repository import UseSystemRepository
from steward.services.identity.settings import IdentitySettings


class LastUse:
    """Collects uses; `flush` is called once an interval and when the process drains."""

    def __init__(self, db: ServiceDb, clock: Clock, settings: IdentitySettings) -> None:
        self._db = db
        self._clock = clock
        self._precision = timedelta(seconds=settings.last_used_seconds)
        self._keys: dict[tuple[TenantId, UUID], datetime] = {}
        self._sessions: dict[tuple[TenantId, UUID], datetime] = {}

    def key(self, tenant: TenantId, key_id: UUID, before: datetime | None) -> None:
        """Note the use of an API key whose last use known to the database is `before`."""
        now = self._clock.now()
        if before is None or now - before >= self._precision:
            self._keys[tenant, key_id] = now

    def session(self, tenant: TenantId, session_id: UUID, before: datetime) -> None:
        """Note the use of a session."""
        now = self._clock.now()
        if now - before >= self._precision:
            self._sessions[tenant, session_id] = now

    async def flush(self) -> int:
        """Write what was noted; how many. What cannot be written stays noted for the next time."""
        keys, sessions = self._keys, self._sessions
        if not keys and not sessions:
            return 0
        self._keys, self._sessions = {}, {}
        try:
            async with self._db.system_tx(SystemCtx(reason="last use", service="identity")) as tx:
                rows = UseSystemRepository(tx)
                await rows.touch_keys(keys)
                await rows.touch_sessions(sessions)
        except BaseException:
            self._keys = keys | self._keys
            self._sessions = sessions | self._sessions
            raise
        return len(keys) + len(sessions)
