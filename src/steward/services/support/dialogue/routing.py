"""Which playbooks a message that begins something new is for."""

from collections.abc import Iterator

import msgspec

from steward.services.support.api import EntityType, ScoredIntent
from steward.services.support.dialogue.format import ANY_INTENT
from steward.services.support.dialogue.library import FALLBACK, Library, Ready
from steward.services.support.dialogue.turn import Turn

MAX_ROUTES = 3
"""Wishes of one message that are looked after."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook for a wish."""

    ready: Ready
    intent: ScoredIntent
    reason: str
    worded: bool
    """The message has words or entities that the playbook names."""
    order: str | None = None
    """The order it is about, where the message names several."""
    asks_order: bool = False
    """Several wishes and several orders: which is meant has to be asked."""


def routes(turn: Turn) -> list[Route]:
    """The playbooks of a message's wishes, each once, the surest first; none where the desk cannot tell.

    Of an unsure guess only playbooks count whose words occur in the message.
    """
    found: dict[tuple[str, str | None], Route] = {}
    for route in _each(turn):
        found.setdefault((route.ready.book.name, route.order), route)
    return list(found.values())[:MAX_ROUTES]


def _each(turn: Turn) -> Iterator[Route]:
    library, understood = turn.library, turn.given.understanding
    anyway = library.choose(ANY_INTENT, turn.message, turn.entities)
    if anyway is not None:
        intent = ScoredIntent(type=anyway.ready.intent, confidence=1.0)
        yield Route(ready=anyway.ready, intent=intent, reason="playbook", worded=True)
        return
    for intent in understood.intents:
        chosen = library.choose(intent.type, turn.message, turn.entities)
        worded = chosen is not None and chosen.worded
        if understood.unsure and not worded:
            continue
        ready = chosen.ready if chosen else fallback(library)
        if ready is not None:
            route = Route(ready=ready, intent=intent, reason=understood.reason, worded=worded)
            yield from _by_order(turn, route)


def fallback(library: Library) -> Ready | None:
    """The playbook for what none handles."""
    return library.get(FALLBACK)


def _by_order(turn: Turn, route: Route) -> Iterator[Route]:
    """The same playbook for each order that the message names."""
    orders = turn.named(EntityType.ORDER_ID) if route.ready.order_slot else ()
    if len(orders) < 2:  # noqa: PLR2004 one is filled as any entity
        yield route
    elif len(turn.given.understanding.intents) > 1:
        yield msgspec.structs.replace(route, asks_order=True)
    else:
        for order in orders:
            yield msgspec.structs.replace(route, order=order)
