"""How the operations of the audit service are called."""

from collections.abc import Sequence

from steward.services.audit.api import EntryFilter
from tests.authorization.recipes.recipe import Arguments, Recipe, by
from tests.authorization.stage import Stage


async def entries(_: Stage) -> Arguments:
    return {"where": EntryFilter(), "limit": 200}


async def export(_: Stage) -> Arguments:
    return {"where": EntryFilter()}


async def first_entry(_: Stage) -> Arguments:
    return {"seq": 1}


AUDIT: Sequence[Recipe] = (
    by("audit:read", "list_entries", entries),
    by("audit:read", "get_entry", first_entry),
    by("audit:export", "export_entries", export),
    by("audit:read", "list_checkpoints"),
    by("audit:verify", "verify_chain"),
)
