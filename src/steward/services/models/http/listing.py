"""Names that may be asked for, in OpenAI's form and in Anthropic's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from steward.services.models.api import ModelInfo
from steward.services.models.errors import InvalidParameter

_MAX_LIMIT: Final = 1000


def openai_entry(model: ModelInfo) -> Mapping[str, object]:
    return {"id": model.name, "object": "model", "created": model.created, "owned_by": model.owned_by}


def anthropic_entry(model: ModelInfo) -> Mapping[str, object]:
    at = datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.name, "display_name": model.name, "created_at": at}


def openai_list(models: Sequence[ModelInfo]) -> bytes:
    return msgspec.json.encode({"object": "list", "data": [openai_entry(each) for each in models]})


def anthropic_list(models: Sequence[ModelInfo], query: Mapping[str, str]) -> bytes:
    """A page, by `limit`, `after_id` and `before_id`. Raises `InvalidParameter`."""
    limit = _limit(query.get("limit"))
    names = [each.name for each in models]
    first, last = 0, len(models)
    if "after_id" in query:
        first = _place(names, "after_id", query["after_id"]) + 1
    elif "before_id" in query:
        last = _place(names, "before_id", query["before_id"])
        first = max(0, last - limit)
    page = models[first:last][:limit]
    more = first > 0 if "before_id" in query else first + len(page) < last
    return msgspec.json.encode(
        {
            "data": [anthropic_entry(each) for each in page],
            "has_more": more,
            "first_id": page[0].name if page else None,
            "last_id": page[-1].name if page else None,
        }
    )


def _limit(given: str | None) -> int:
    if given is None:
        return _MAX_LIMIT
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:6]) <= _MAX_LIMIT:
        raise InvalidParameter("limit", f"it is {given[:20]!r}: send a whole number from 1 to {_MAX_LIMIT}")
    return int(given)


def _place(names: Sequence[str], param: str, name: str) -> int:
    if name not in names:
        raise InvalidParameter(param, f"there is no model {name[:100]!r}")
    return names.index(name)
