"""How sure it is that a chunk answers a query, comparable between queries.

A logistic function of what share of the query's words, weighed by how telling they are, the chunk has. Its constants
were fitted to questions that have an answer and to ones that have none; see docs/decisions/0015-search.md.
"""

import math
from typing import Final

import msgspec

ANSWERED: Final = 0.5
"""From here on a hit counts as an answer; what that lets pass stands in docs/decisions/0015-search.md."""

_BIAS: Final = -3.63
_COVERED: Final = 3.33
_TITLED: Final = 6.18
_PAIRED: Final = 5.05


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of a query that a chunk has, each 0 to 1; see `ranking.Scores`."""

    covered: float
    titled: float
    paired: float


def confidence(coverage: Coverage) -> float:
    """0 to 1."""
    sum_ = _BIAS + _COVERED * coverage.covered + _TITLED * coverage.titled + _PAIRED * coverage.paired
    return round(1 / (1 + math.exp(-sum_)), 4)
