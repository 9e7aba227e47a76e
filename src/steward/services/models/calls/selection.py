"""In which order a call tries its targets."""

from collections.abc import Callable, Sequence

from steward.services.models.api import CallOptions
from steward.services.models.calls.routing import routed_size
from steward.services.models.ports import Endpoint, Resolved, Target


def chosen(resolved: Resolved, options: CallOptions) -> Sequence[Target]:
    """The targets of the call's size, without those that weigh nothing."""
    targets = resolved.targets
    if resolved.settings.routed:
        size = routed_size([target.candidate for target in targets], options)
        targets = [target for target in targets if target.candidate.size is size]
    return [target for target in targets if target.candidate.weight > 0]


def in_order(
    targets: Sequence[Target], random: Callable[[], float], full: Callable[[Endpoint], bool]
) -> Sequence[Target]:
    """By `order`; within one order by chance, each first with the share of its weight, those that are full last.

    Weighted sampling without replacement of Efraimidis and Spirakis (2006): the keys are uniform numbers to the power
    of 1/weight, largest first.
    """
    if len(targets) < 2:  # noqa: PLR2004 one has no order
        return targets
    ranked = [
        (target.candidate.order, full(target.endpoint), -(random() ** (1 / target.candidate.weight)), place)
        for place, target in enumerate(targets)
    ]
    return [targets[rank[-1]] for rank in sorted(ranked)]
