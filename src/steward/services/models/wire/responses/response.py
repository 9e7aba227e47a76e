"""The response object."""

from collections.abc import Mapping, Sequence

import msgspec

from steward.kit.clock import Clock
from steward.kit.ids import Ids
from steward.services.models.messages import Choice, ModelReply, Refusal, StopReason
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.responses.echo import DEFAULTS
from steward.services.models.wire.responses.output import (
    COMPLETED,
    INCOMPLETE,
    Item,
    incomplete_reason,
    items_of,
    tier_of,
    usage_of,
)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same from a response's first event to its last."""

    id: str
    base: str
    """The ids of its items are made from it."""
    created: int
    model: str
    asked: Asked
    from_cache: str = ""

    @classmethod
    def new(cls, asked: Asked, ids: Ids, clock: Clock, *, model: str, created: int, from_cache: str = "") -> "Head":
        base = ids.new().hex
        return cls(
            id=f"resp_{base}",
            base=base,
            created=created or seconds(clock),
            model=model,
            asked=asked,
            from_cache=from_cache,
        )

    def response(
        self,
        *,
        status: str,
        output: Sequence[Item] = (),
        usage: Mapping[str, object] | None = None,
        completed: int | None = None,
        incomplete: str | None = None,
        error: Mapping[str, object] | None = None,
        tier: str = "default",
    ) -> Mapping[str, object]:
        """The whole object."""
        whole: dict[str, object] = {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": completed,
            "status": status,
            "error": error,
            "incomplete_details": None if incomplete is None else {"reason": incomplete},
            "model": self.model,
            "output": output,
            "usage": usage,
            "service_tier": tier,
            **DEFAULTS,
            **self.asked.echo,
        }
        if self.from_cache:
            whole["from_cache"] = self.from_cache
        return whole


def seconds(clock: Clock) -> int:
    return int(clock.now().timestamp())


def response_of(reply: ModelReply, asked: Asked, ids: Ids, clock: Clock) -> Mapping[str, object]:
    """A whole answer; of several choices the first, for this dialect asks for one."""
    head = Head.new(asked, ids, clock, model=reply.model, created=reply.created, from_cache=reply.from_cache)
    choice = reply.choices[0] if reply.choices else Choice(parts=(), stop=StopReason.END)
    reason = incomplete_reason(choice.stop, refused=any(isinstance(part, Refusal) for part in choice.parts))
    return head.response(
        status=INCOMPLETE if reason else COMPLETED,
        output=items_of(choice, head.base, incomplete=reason is not None),
        usage=usage_of(reply.usage),
        completed=None if reason else seconds(clock),
        incomplete=reason,
        tier=tier_of(reply.dialect, reply.extra),
    )
