"""Audit entries as services write them: what `tx.audit` takes, and the masking of sensitive values."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, cast, get_args, get_type_hints
from uuid import UUID

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


def masked(value: object) -> Any:
    """The value as plain data, with every field marked `Meta(extra={"sensitive": True})` replaced by `***`."""
    match value:
        case str() | int() | float() | None | datetime() | UUID():
            # First, for most values are such, and to see that a value is no struct costs more than all of this.
            return msgspec.to_builtins(value)
        case msgspec.Struct():
            secret = sensitive_fields(type(value))
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            return {
                name: MASK if name in secret and inner is not None else masked(inner) for name, inner in fields.items()
            }
        case Mapping():
            entries = cast("Mapping[object, object]", value)
            return {str(key): masked(inner) for key, inner in entries.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(inner) for inner in cast("Collection[object]", value)]
        case _:
            return msgspec.to_builtins(value)


@cache
def sensitive_fields(cls: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a struct whose type is marked sensitive, anywhere in it."""
    hints = get_type_hints(cls, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _is_sensitive(hint))


def _is_sensitive(hint: Any) -> bool:
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and (meta.extra or {}).get("sensitive"):
            return True
    return any(_is_sensitive(inner) for inner in get_args(hint))
