"""The spend log: a row a call in PostgreSQL, gathered and written many at a time.

LiteLLM's own goes through Prisma, whose engine is a binary that it downloads at its first start and that no package
registry has. This is less work than that: no keys or teams are updated, and rows are inserted by asyncpg.
"""

import asyncio
import os
from datetime import datetime
from typing import Any

import asyncpg
from litellm.integrations.custom_logger import CustomLogger

FLUSH_SECONDS = 0.1
_INSERT = (
    "INSERT INTO app.spend (request_id, model, key_hash, prompt_tokens, completion_tokens, spend, began_at, ended_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


class SpendLog(CustomLogger):
    """Keeps what every successful call cost."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Any, ...]] = []
        self._task: asyncio.Task[None] | None = None

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._write())
        usage = response_obj.usage
        metadata = kwargs.get("litellm_params", {}).get("metadata") or {}
        self._rows.append(
            (
                str(kwargs.get("litellm_call_id")),
                str(kwargs.get("model")),
                str(metadata.get("user_api_key_hash") or ""),
                usage.prompt_tokens,
                usage.completion_tokens,
                float(kwargs.get("response_cost") or 0.0),
                start_time,
                end_time,
            )
        )

    async def _write(self) -> None:
        connection = await asyncpg.connect(os.environ["SPEND_DATABASE_URL"])
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            rows, self._rows = self._rows, []
            if rows:
                await connection.executemany(_INSERT, rows)


log = SpendLog()
