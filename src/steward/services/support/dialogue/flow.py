"""What can happen in a playbook: its steps as a graph, and what holds on every way through it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from steward.services.support.dialogue.format import (
    Ask,
    Call,
    Condition,
    Confirm,
    End,
    Forget,
    Go,
    Guide,
    PassOn,
    Search,
    Step,
    When,
)
from steward.services.support.dialogue.library import step_ids


class Edge(msgspec.Struct, frozen=True):
    """A way from one step to another."""

    to: int
    fills: frozenset[str] = frozenset()
    """Slots that have a value on this way."""
    empties: frozenset[str] = frozenset()
    confirmed: bool | None = None
    """Whether a yes to a confirmation holds from here on; None leaves it as it was."""


class Flow:
    """The graph of a playbook whose names of steps are all known; the end is the number behind the last step."""

    def __init__(self, steps: Sequence[Step], changes: Callable[[str], bool]) -> None:
        self._steps = steps
        self._at: Mapping[str, int] = {name: at for at, name in enumerate(step_ids(steps))}
        self._changes = changes
        self.edges: Sequence[Sequence[Edge]] = [list(self._ways(at, step)) for at, step in enumerate(steps)]

    def _ways(self, at: int, step: Step) -> Iterator[Edge]:
        following, end = at + 1, len(self._steps)
        match step:
            case Ask():
                yield Edge(following, fills=frozenset((step.slot,)), confirmed=False)
            case Confirm():
                yield Edge(following, confirmed=True)
                yield Edge(self._to(step.no, end), confirmed=False)
            case Guide():
                yield Edge(following, confirmed=False)
                yield Edge(self._to(step.helped, end), confirmed=False)
            case Call():
                yield from self._outcomes(at, step)
            case When():
                yield Edge(self._to(step.go, end), fills=frozenset(_present(step.if_, so=True)))
                yield Edge(self._to(step.otherwise, following), fills=frozenset(_present(step.if_, so=False)))
            case Go():
                yield Edge(self._to(step.to, end))
            case Search():
                yield Edge(self._to(step.found, following))
                yield Edge(self._to(step.nothing, following))
            case Forget():
                yield Edge(following, empties=frozenset(step.slots))
            case PassOn() | End():
                yield Edge(end)
            case _:
                yield Edge(following)

    def _outcomes(self, at: int, step: Call) -> Iterator[Edge]:
        used = False if self._changes(step.tool) else None
        saved = frozenset((step.save,)) if step.save else frozenset[str]()
        yield Edge(at + 1, fills=saved, confirmed=used)
        refused = step.on.refused
        others = refused.values() if isinstance(refused, Mapping) else [refused]
        for name in (step.on.not_found, step.on.invalid, step.on.unavailable, *others):
            if name is not None:
                yield Edge(self._at[name], confirmed=used)

    def _to(self, name: str | None, default: int) -> int:
        return default if name is None else self._at[name]

    def reachable(self) -> set[int]:
        seen, todo = {0}, [0]
        while todo:
            for edge in self._edges(todo.pop()):
                if edge.to not in seen:
                    seen.add(edge.to)
                    todo.append(edge.to)
        return seen

    def filled(self) -> Sequence[AbstractSet[str] | None]:
        """The slots that have a value before each step, whichever way led there; None where none does."""
        found: list[AbstractSet[str] | None] = [None] * (len(self._steps) + 1)
        found[0] = frozenset()
        todo = [0]
        while todo:
            at = todo.pop()
            before = found[at] or frozenset()
            for edge in self._edges(at):
                after, known = (before - edge.empties) | edge.fills, found[edge.to]
                joined = after if known is None else known & after
                if joined != known:
                    found[edge.to] = joined
                    todo.append(edge.to)
        return found

    def confirmed(self) -> Sequence[bool | None]:
        """Whether a yes to a confirmation holds before each step, whichever way led there."""
        found: list[bool | None] = [None] * (len(self._steps) + 1)
        found[0] = False
        todo = [0]
        while todo:
            at = todo.pop()
            for edge in self._edges(at):
                after = found[at] if edge.confirmed is None else edge.confirmed
                joined = bool(after) and found[edge.to] is not False
                if joined != found[edge.to]:
                    found[edge.to] = joined
                    todo.append(edge.to)
        return found

    def endless(self) -> list[int]:
        """Steps that can follow each other for ever without waiting for the customer, in order; empty where none can.

        A question for a slot that is filled does not wait, so it counts only where the slot is emptied on the way.
        """
        waiting = {at for at, step in enumerate(self._steps) if _waits(step)}
        asking = {at: step.slot for at, step in enumerate(self._steps) if isinstance(step, Ask) and not step.again}
        found = True
        while found:
            found = False
            for at, slot in asking.items():
                if at not in waiting and not self._returns(at, waiting | self._forgetting(slot)):
                    waiting.add(at)
                    found = True
        return [at for at in range(len(self._steps)) if at not in waiting and self._returns(at, waiting)]

    def _forgetting(self, slot: str) -> set[int]:
        return {at for at, step in enumerate(self._steps) if isinstance(step, Forget) and slot in step.slots}

    def _returns(self, start: int, without: Collection[int]) -> bool:
        """Whether a step can follow itself on a way that avoids others."""
        seen: set[int] = set()
        todo = [start]
        while todo:
            for edge in self._edges(todo.pop()):
                if edge.to == start:
                    return True
                if edge.to not in seen and edge.to not in without:
                    seen.add(edge.to)
                    todo.append(edge.to)
        return False

    def _edges(self, at: int) -> Sequence[Edge]:
        return self.edges[at] if at < len(self.edges) else ()


def _waits(step: Step) -> bool:
    return isinstance(step, Confirm | Guide) or (isinstance(step, Ask) and step.again)


def _present(condition: Condition, *, so: bool) -> Iterator[str]:
    """The slots that surely have a value where a condition holds (`so`), or where it does not."""
    if condition.not_ is not None:
        yield from _present(condition.not_, so=not so)
    for each in (condition.all if so else condition.any) or ():
        yield from _present(each, so=so)
    if condition.slot is None:
        return
    tested = condition.exists is None
    if (so and (tested or condition.exists)) or (not so and condition.exists is False):
        yield condition.slot
        yield condition.slot.split(".")[0]
