"""What a call wants of a provider: how much it may read and write, and the request that says so."""

from typing import Final, Protocol

import msgspec

from steward.services.models.api import Candidate
from steward.services.models.messages import EmbeddingRequest, ModelRequest

_PER_TEXT = 4
"""Tokens that a provider may put around each text that it embeds."""


class Bound(Protocol):
    """Room `counting`: most tokens that a request can have."""

    def __call__(self, request: ModelRequest, *, image_tokens: int, context_tokens: int | None) -> int: ...


LEAST_TOKENS: Final = 256
"""A short answer is given whole or not at all; only one that may be longer is cut down to what a budget has left."""


class Demand(Protocol):
    """One call to be made, whatever kind it is of."""

    @property
    def operation(self) -> str:
        """`chat` or `embeddings`."""
        ...

    @property
    def choices(self) -> int:
        """How many answers it wants."""
        ...

    @property
    def tier(self) -> str:
        """The service tier that is asked for, where it has a price of its own."""
        ...

    @property
    def reads_more(self) -> bool:
        """Whether tools run at the provider, so that what it reads grows while it answers."""
        ...

    def input_tokens(self, candidate: Candidate) -> int:
        """A bound from above."""
        ...

    def output_tokens(self, candidate: Candidate) -> int:
        """Wanted, for all choices together."""
        ...

    def least_output_tokens(self, candidate: Candidate) -> int:
        """With fewer it is not worth making."""
        ...


class ChatDemand:
    """An answer of a model."""

    operation = "chat"

    def __init__(self, request: ModelRequest, bound: Bound, *, least: int = LEAST_TOKENS) -> None:
        """`least` is for each choice."""
        self.request = request
        self.choices = request.choices
        self.reads_more = any(tool.opaque is not None for tool in request.tools)
        self.tier = request.service_tier or ""
        self._bound = bound
        self._least = least
        self._counted: tuple[int, int | None, int] | None = None

    def input_tokens(self, candidate: Candidate) -> int:
        """See `Demand`."""
        image, context = candidate.image_tokens, candidate.context_tokens
        if self._counted is None or self._counted[:2] != (image, context):
            self._counted = (image, context, self._bound(self.request, image_tokens=image, context_tokens=context))
        return self._counted[2]

    def output_tokens(self, candidate: Candidate) -> int:
        """The caller's limit, within the candidate's."""
        return self._limit(candidate) * self.choices

    def least_output_tokens(self, candidate: Candidate) -> int:
        """At least one for each choice, and one more than it may think, for providers refuse less."""
        thinking = self.request.thinking
        least = self._least
        if thinking is not None and thinking.budget_tokens is not None:
            least = max(least, thinking.budget_tokens + 1)
        return min(least, self._limit(candidate)) * self.choices

    def limited(self, output_tokens: int) -> ModelRequest:
        """The request that asks for no more output tokens than these, for all choices together."""
        each = output_tokens // self.choices
        if self.request.max_output_tokens == each:
            return self.request
        return msgspec.structs.replace(self.request, max_output_tokens=each)

    def _limit(self, candidate: Candidate) -> int:
        asked = self.request.max_output_tokens
        most = candidate.max_output_tokens
        return most if asked is None or asked > most else asked


class EmbeddingDemand:
    """Vectors of texts."""

    operation = "embeddings"
    choices = 0
    reads_more = False
    tier = ""

    def __init__(self, request: EmbeddingRequest) -> None:
        self.request = request
        self._input = sum(len(text.encode()) for text in request.texts) + sum(map(len, request.tokens))
        self._input += _PER_TEXT * (len(request.texts) + len(request.tokens))

    def input_tokens(self, candidate: Candidate) -> int:  # noqa: ARG002 the same for each candidate
        """A token of a byte-level vocabulary stands for a byte at least."""
        return self._input

    def output_tokens(self, candidate: Candidate) -> int:  # noqa: ARG002 a vector is no output
        """None."""
        return 0

    def least_output_tokens(self, candidate: Candidate) -> int:  # noqa: ARG002 a vector is no output
        """None."""
        return 0
