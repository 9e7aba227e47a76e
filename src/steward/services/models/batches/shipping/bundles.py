"""Lines gathered for one connection."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.kit.context import Ctx
from steward.kit.errors import AppError
from steward.services.models.api import Speaks
from steward.services.models.batches.requests import read_line
from steward.services.models.batches.shipping.ledger import OPTIONS
from steward.services.models.batches.shipping.ports import ProviderBatches
from steward.services.models.batches.shipping.questions import Question, Questions
from steward.services.models.ports import Directory, Endpoint, Resolved

MOST_LINES: Final = 10_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a submission; providers take more, and this is what a process holds at a time."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a provider's batch can make."""

    number: int
    question: Question
    resolved: Resolved
    body: bytes
    """With all the output tokens that it wants."""

    @property
    def endpoint(self) -> Endpoint:
        return self.resolved.targets[0].endpoint

    @property
    def wanted(self) -> int:
        return self.question.demand.output_tokens(self.resolved.targets[0].candidate)

    def limited(self, granted: int) -> bytes:
        """The body, with no more output tokens than granted."""
        return self.body if granted >= self.wanted else self.question.encode(self.resolved.targets[0], granted)


class Bundle:
    """Lines that go to one connection together."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.parcels: list[Parcel] = []
        self._bytes = 0

    def add(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)
        self._bytes += len(parcel.body)

    @property
    def full(self) -> bool:
        return len(self.parcels) >= MOST_LINES or self._bytes >= MOST_BYTES


class Packing:
    """Finds out which lines a provider's batch can make."""

    def __init__(self, directory: Directory, questions: Questions, providers: Mapping[Speaks, ProviderBatches]) -> None:
        self._directory = directory
        self._questions = questions
        self._providers = providers

    async def parcel(self, ctx: Ctx, endpoint: str, number: int, line: bytes) -> Parcel | None:
        """None for a line that is to be made by itself: there it is also told what is wrong with it."""
        try:
            question = self._questions.read(endpoint, bytes(read_line(line).body))
            resolved = await self._directory.resolve(ctx, question.model, OPTIONS)
            if not self._takes(resolved):
                return None
            target = resolved.targets[0]
            body = question.encode(target, question.demand.output_tokens(target.candidate))
        except AppError:
            return None
        return Parcel(number=number, question=question, resolved=resolved, body=body)

    def _takes(self, resolved: Resolved) -> bool:
        if len(resolved.targets) != 1:
            return False
        endpoint = resolved.targets[0].endpoint
        return endpoint.batches and endpoint.speaks in self._providers
