"""A FAQ in several languages: what is found by one of them is found in all, and shown in the customer's own.

FAQs are versions of one another where their ids differ in nothing but their locale at the end: `returns.en` and
`returns.zh-Hant`.
"""

from collections.abc import Iterable
from typing import Final

from steward.services.knowledge.api import SourceKind
from steward.services.knowledge.records import Passage

SAME_LOCALE: Final = 1.3
"""What a chunk in the language and script of the query scores more."""
LENT: Final = 0.7
"""What part of the lead of its best version a FAQ is given."""
OTHER_VERSION: Final = 0.3
"""What a FAQ keeps of its score where it has a version in the language of the query."""


class Versions:
    """The scores of what was found, by what it says and in which languages."""

    def __init__(self, scored: Iterable[tuple[float, int, Passage]], locale: str | None) -> None:
        self._locale = locale
        self._best: dict[str, tuple[float, int]] = {}
        self._own: set[str] = set()
        for total, row, shown in scored:
            matter = _matter_of(shown)
            if matter not in self._best or self._best[matter][0] < total:
                self._best[matter] = (total, row)
            if shown.locale == locale:
                self._own.add(matter)

    def score(self, total: float, shown: Passage) -> float:
        """A score with what the best version lends, and with the advantage of the language of the query."""
        matter = _matter_of(shown)
        lent = total + LENT * (self._best[matter][0] - total)
        if shown.locale == self._locale:
            return SAME_LOCALE * lent
        return OTHER_VERSION * lent if matter in self._own else lent

    def best_row(self, shown: Passage) -> int:
        """The row of the version that was found best."""
        return self._best[_matter_of(shown)][1]


def _matter_of(shown: Passage) -> str:
    """What all versions of a FAQ have in common; of what has no versions, something of its own."""
    matter = shown.source_id.removesuffix(f".{shown.locale}")
    if shown.kind is SourceKind.FAQ and matter != shown.source_id:
        return matter
    return f"{shown.source_id}\0{shown.ordinal}"
