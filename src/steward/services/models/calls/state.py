"""One call on its way: what all of its attempts have in common."""

from collections.abc import Mapping, Sequence

from steward.kit.clock import Clock
from steward.kit.context import ActorType, Ctx
from steward.kit.ids import text_of
from steward.services.costs.api import Subject, SubjectKind
from steward.services.models.api import CallOptions
from steward.services.models.ports import Resolved

_TENANT = Subject(SubjectKind.TENANT)


class CallState:
    """Made at the beginning of a call; its clock runs from then on."""

    __slots__ = ("_clock", "_until", "alias", "began", "costs_ctx", "ctx", "low", "seconds", "subjects", "tags")

    def __init__(self, ctx: Ctx, options: CallOptions, resolved: Resolved, clock: Clock) -> None:
        self.ctx = ctx
        self.alias = resolved.alias
        self.low = options.low_priority
        self.tags: Mapping[str, str] = options.tags
        self.costs_ctx = ctx.as_service("models", "service:costs")
        self.subjects = subjects_of(ctx, options)
        self.began = clock.monotonic()
        left = (ctx.deadline - clock.now()).total_seconds()
        self.seconds = max(0.0, min(resolved.settings.deadline, left))
        """For all attempts together."""
        self._until = self.began + self.seconds
        self._clock = clock

    def left(self) -> float:
        """Seconds; at or below zero nothing may be begun."""
        return self._until - self._clock.monotonic()


def subjects_of(ctx: Ctx, options: CallOptions) -> Sequence[Subject]:
    """Whom a call counts for; teams are added by the costs service."""
    found = [_TENANT]
    actor = ctx.actor
    if actor.type is ActorType.USER:
        found.append(Subject(SubjectKind.USER, actor.id))
    agent = options.agent or (actor.id if actor.type is ActorType.AGENT else "")
    if agent:
        found.append(Subject(SubjectKind.AGENT, agent))
    if ctx.key_id is not None:
        found.append(Subject(SubjectKind.KEY, text_of(ctx.key_id)))
    found.extend(Subject(SubjectKind.RUN, run) for run in options.runs)
    return found
