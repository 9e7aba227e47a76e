"""Choosing the terms by which the candidates of a large corpus are found: the rarest, as many as may be."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.services.knowledge.features import WORD, QueryFeatures

_TOGETHER: Final = (3, 2)
"""So many words that are too common alone, but which not many chunks have together."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    some: Sequence[int]
    """A candidate has one of these."""
    together: Sequence[Sequence[int]]
    """Or all of one of these groups."""


def choose(query: QueryFeatures, known: Mapping[int, int], budget: int) -> Choice:
    """Take terms from the rarest on until they are in more than `budget` chunks together.

    What is left is common; chunks with several of these words may still be better than those with one rare word.
    Where even the rarest is in more chunks than that, it is taken all the same, and some of its chunks are compared.
    """
    rising = sorted((term for term in query.terms if term in known), key=known.__getitem__)
    some: list[int] = []
    spent = 0
    for term in rising:
        spent += known[term]
        if spent > budget:
            break
        some.append(term)
    words = {term for term, kind in zip(query.word_terms, query.kinds, strict=True) if kind == WORD}
    rest = [term for term in rising if term in words and term not in some]
    groups = [rest[:count] for count in _TOGETHER if len(rest) >= count]
    return Choice(some=some or rising[:1], together=groups)
