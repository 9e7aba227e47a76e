"""`cache_control`: where a prompt is to be kept by the provider up to."""

from typing import Final

from steward.services.models.messages import CacheHint
from steward.services.models.wire.anthropic.fields import Fields, Object

_FIELD: Final = "cache_control"


def take_cache(fields: Fields) -> CacheHint | None:
    """The hint of a block or tool. One of a form that is not known here stays among the fields."""
    raw = fields.left.get(_FIELD)
    if raw is None:
        return None
    hint = fields.object(_FIELD)
    if hint is None:
        return None
    kind, ttl = hint.text("type"), hint.text("ttl")
    if kind == "ephemeral" and not hint.rest():
        return CacheHint(ttl=ttl)
    fields.left[_FIELD] = raw
    return None


def put_cache(block: Object, hint: CacheHint | None) -> None:
    if hint is not None:
        block[_FIELD] = {"type": "ephemeral"} if hint.ttl is None else {"type": "ephemeral", "ttl": hint.ttl}
