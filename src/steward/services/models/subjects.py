"""Whom a call counts for."""

from collections.abc import Sequence

from steward.kit.context import ActorType, Ctx
from steward.services.costs.api import Subject, SubjectKind
from steward.services.models.api import CallOptions


def subjects_of(ctx: Ctx, options: CallOptions) -> Sequence[Subject]:
    """The tenant, and as far as they are known the user, key, agent and runs; their teams are the costs service's."""
    found = [Subject(SubjectKind.TENANT)]
    if ctx.actor.type is ActorType.USER:
        found.append(Subject(SubjectKind.USER, ctx.actor.id))
    if ctx.key_id is not None:
        found.append(Subject(SubjectKind.KEY, str(ctx.key_id)))
    agent = options.agent or (ctx.actor.id if ctx.actor.type is ActorType.AGENT else "")
    if agent:
        found.append(Subject(SubjectKind.AGENT, agent))
    found.extend(Subject(SubjectKind.RUN, run) for run in options.runs)
    return found
