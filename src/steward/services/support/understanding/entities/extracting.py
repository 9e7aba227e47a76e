"""All entities of a message."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from steward.services.support.api import Entity, EntityType
from steward.services.support.understanding.entities.amounts import amounts
from steward.services.support.understanding.entities.dates import dates
from steward.services.support.understanding.entities.orders import orders
from steward.services.support.understanding.entities.products import products
from steward.services.support.understanding.entities.spans import Span, Spans, narrowed

MOST: Final = 50
"""Entities of a message that are told."""
_EMAIL: Final = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}(?![A-Za-z0-9-])"
)


def entities_in(text: str, locale: str, today: date) -> Sequence[Entity]:
    """The entities of a message in their order, none twice; where two share text, the surer kind has it."""
    plain = narrowed(text)
    taken: list[Span] = []
    for kind in (_emails(plain), orders(plain), amounts(plain, locale), dates(plain, today), products(plain)):
        for span in kind:
            if len(taken) < MOST and all(span.end <= other.start or other.end <= span.start for other in taken):
                taken.append(span)
    found: dict[tuple[EntityType, str], Entity] = {}
    for span in sorted(taken):
        entity = Entity(type=span.type, value=span.value, text=text[span.start : span.end])
        found.setdefault((span.type, span.value), entity)
    return list(found.values())


def _emails(text: str) -> Spans:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        yield Span(*match.span(), EntityType.EMAIL, match.group().lower())
