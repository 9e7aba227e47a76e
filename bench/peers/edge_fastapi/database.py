"""Sessions: one transaction each, as the API's role and on one tenant's rows."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from edge_fastapi.settings import Settings

# Role and tenant in one statement: a session costs BEGIN, this, the work, and COMMIT.
_SCOPE = text("SELECT set_config('role', 'edge_peer', true), set_config('app.tenant', :tenant, true)")


class Database:
    def __init__(self, settings: Settings) -> None:
        self._engine: AsyncEngine = create_async_engine(
            settings.database_url, pool_size=settings.pool_size, max_overflow=0
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self, tenant: UUID) -> AsyncGenerator[AsyncSession]:
        async with self._sessions.begin() as session:
            await session.execute(_SCOPE, {"tenant": str(tenant)})
            yield session

    async def close(self) -> None:
        await self._engine.dispose()
