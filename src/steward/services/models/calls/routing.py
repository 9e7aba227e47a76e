"""Which size of model a task gets: the table of task types, moved by complexity, met by what the alias has."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from steward.services.models.api import CallOptions, Candidate, Complexity, Size, TaskType

_SIZES: Final = (Size.SMALL, Size.MEDIUM, Size.LARGE)
_BY_TASK: Final[Mapping[TaskType, int]] = {
    TaskType.FAQ: 0,
    TaskType.ORDER: 0,
    TaskType.REFUND: 1,
    TaskType.TECHNICAL: 1,
    TaskType.UNKNOWN: 1,
    TaskType.HUMAN: 2,
}
_STEP: Final[Mapping[Complexity, int]] = {Complexity.LOW: -1, Complexity.NORMAL: 0, Complexity.HIGH: 1}


def wanted_size(task: TaskType | None, complexity: Complexity | None) -> Size:
    """The size that fits a task. What nobody said counts as unknown and normal."""
    place = _BY_TASK[task or TaskType.UNKNOWN] + _STEP[complexity or Complexity.NORMAL]
    return _SIZES[min(max(place, 0), len(_SIZES) - 1)]


def nearest_size(wanted: Size, there: Collection[Size]) -> Size | None:
    """The wanted size, else the next larger one, else the next smaller one; None where there is none."""
    place = _SIZES.index(wanted)
    for size in (*_SIZES[place:], *reversed(_SIZES[:place])):
        if size in there:
            return size
    return None


def routed_size(candidates: Sequence[Candidate], options: CallOptions) -> Size | None:
    """The size of a routed alias that a call goes to. Candidates of weight 0 do not count; None where none is left."""
    there = {candidate.size for candidate in candidates if candidate.size is not None and candidate.weight > 0}
    return nearest_size(wanted_size(options.task, options.complexity), there)
