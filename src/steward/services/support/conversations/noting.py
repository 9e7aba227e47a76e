"""Telling the knowledge service of questions that were answered from the cache, behind the customers' backs."""

import asyncio
from collections import deque
from typing import Final

from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.kit.module import Apis
from steward.kit.telemetry import Telemetry
from steward.services.knowledge.api import KnowledgeApi

MOST: Final = 10_000
"""Questions that wait to be told; what is more is not counted."""
MAX_QUESTION: Final = 2000


class Noting:
    """Notes answered questions, one after the other; none of it is worth a customer's wait or failure."""

    def __init__(self, apis: Apis, telemetry: Telemetry) -> None:
        self._apis = apis
        self._log = telemetry.log
        self._waiting: deque[tuple[Ctx, str, str]] = deque(maxlen=MOST)
        self._task: asyncio.Task[None] | None = None

    def note(self, ctx: Ctx, question: str, faq_id: str) -> None:
        self._waiting.append((ctx, question[:MAX_QUESTION], faq_id))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="support-noting")

    async def stop(self) -> None:
        """Wait until all is told."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _drain(self) -> None:
        knowledge = self._apis.get(KnowledgeApi)
        while self._waiting:
            ctx, question, faq_id = self._waiting.popleft()
            asking = ctx.as_service("support", "knowledge:read")
            try:
                await knowledge.note_answered(asking, question=question, faq_id=faq_id)
            except AppError as error:
                self._log.warning("an answered question was not counted", exc_info=error)
