"""Counting off the event loop, by vocabularies that are read when the process starts."""

import asyncio
from pathlib import Path

from steward.kit.errors import StartRefused
from steward.services.models.api import ModelRequest, TokenCount
from steward.services.models.counting.counter import Counter
from steward.services.models.counting.vocabulary import VocabularyUnreadable, load_vocabularies


class Tokens:
    """Counts the tokens of requests; by estimate until `load` is done, and without a directory."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._counter = Counter()

    async def load(self) -> None:
        """Read the vocabularies. Raises `StartRefused`."""
        if self._directory is None:
            return
        try:
            self._counter = Counter(await asyncio.to_thread(load_vocabularies, self._directory))
        except VocabularyUnreadable as error:
            raise StartRefused(str(error)) from error

    async def count(self, request: ModelRequest, model: str) -> TokenCount:
        """In a thread, for a long request takes milliseconds and more."""
        return await asyncio.to_thread(self._counter.count, request, model)
