"""How sure it is that a chunk answers a query, comparable between queries.

A logistic function of the score, in units that do not grow with the corpus, and of what share of the query's words and
concepts, weighed by how telling they are, the chunk has. Its constants were fitted to questions that have an answer and
to ones that have none; see docs/decisions/0015-search.md.
"""

import math
from typing import Final

import msgspec

ANSWERED: Final = 0.5
"""From here on a hit counts as an answer; what that lets pass stands in docs/decisions/0015-search.md."""

_BIAS: Final = -11.02
_COVERED: Final = 2.08
_MEANT: Final = 1.22
_STRENGTH: Final = 4.48


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How far a chunk has what is asked for; see `ranking.Scores`."""

    covered: float
    meant: float
    strength: float


def confidence(coverage: Coverage) -> float:
    """0 to 1."""
    shares = _COVERED * coverage.covered + _MEANT * coverage.meant
    sum_ = _BIAS + shares + _STRENGTH * math.log1p(coverage.strength)
    return round(1 / (1 + math.exp(-sum_)), 4)
