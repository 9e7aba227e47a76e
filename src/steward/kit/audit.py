"""Audit entries as services write them: what `tx.audit` takes, and the masking of sensitive values."""

from enum import StrEnum
from functools import cache
from typing import Any, get_type_hints

import msgspec

MASK = "***"


class Outcome(StrEnum):
    DONE = "done"
    DENIED = "denied"
    FAILED = "failed"


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, to be written in the transaction of the change it tells of."""

    action: str
    """What was done, `resource.verb`, for example `user.invited`."""
    resource: str
    """On what, `kind/id`."""
    before: msgspec.Struct | None = None
    after: msgspec.Struct | None = None
    outcome: Outcome = Outcome.DONE
    reason: str = ""


def masked(value: msgspec.Struct | None) -> Any:
    """The struct as plain data with every field marked `Meta(extra={"sensitive": True})` replaced by `***`."""
    if value is None:
        return None
    plain = msgspec.to_builtins(value)
    for name in _sensitive_fields(type(value)):
        if plain.get(name) is not None:
            plain[name] = MASK
    for name in value.__struct_fields__:
        inner = getattr(value, name)
        if isinstance(inner, msgspec.Struct):
            plain[name] = masked(inner)
    return plain


@cache
def _sensitive_fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        name
        for name, hint in hints.items()
        for meta in getattr(hint, "__metadata__", ())
        if isinstance(meta, msgspec.Meta) and (meta.extra or {}).get("sensitive")
    )
