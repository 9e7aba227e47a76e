"""How the models service's operations of files and batches are called."""

from collections.abc import Sequence

import msgspec

from steward.kit.context import Ctx
from steward.services.models.api import Batch, BatchId, FileId, FileInfo, ModelsApi
from tests.authorization.recipes.models import ASKED, SAID
from tests.authorization.recipes.recipe import HIDDEN, Arguments, Recipe, by, needs
from tests.authorization.stage import Stage

_CHAT = "/v1/chat/completions"
_CALL = "model:call"


def _requests() -> bytes:
    body = {"model": ASKED, "messages": SAID}
    return msgspec.json.encode({"custom_id": "probe", "method": "POST", "url": _CHAT, "body": body}) + b"\n"


async def put_file(_: Stage) -> Arguments:
    return {"name": "probe.jsonl", "purpose": "batch", "content": _requests()}


async def upload(_: Stage) -> Arguments:
    return {"file": _requests(), "purpose": "batch"}


async def own_file(stage: Stage) -> Arguments:
    return {"file_id": await _file(stage, _maker(stage))}


async def others_file(stage: Stage) -> Arguments:
    return {"file_id": await _file(stage, stage.tenant.owner)}


async def create_batch(stage: Stage) -> Arguments:
    return {"endpoint": _CHAT, "input_file": await _file(stage, _maker(stage))}


async def of_others_file(stage: Stage) -> Arguments:
    return {"endpoint": _CHAT, "input_file": await _file(stage, stage.tenant.owner)}


async def own_batch(stage: Stage) -> Arguments:
    return {"batch_id": await _batch(stage, _maker(stage))}


async def others_batch(stage: Stage) -> Arguments:
    return {"batch_id": await _batch(stage, stage.tenant.owner)}


def _maker(stage: Stage) -> Ctx:
    """The caller, where they may make what is theirs; else the tenant's owner."""
    caller = stage.caller
    if caller.tenant == stage.tenant.id and _CALL in caller.ctx.scopes:
        return stage.house.installation.ctx(caller.tenant, *caller.ctx.scopes, actor=caller.ctx.actor)
    return stage.tenant.owner


async def _file(stage: Stage, maker: Ctx) -> FileId:
    models = stage.house.installation.api(ModelsApi)
    made: FileInfo = await models.put_file(maker, **await put_file(stage))
    return made.id


async def _batch(stage: Stage, maker: Ctx) -> BatchId:
    models = stage.house.installation.api(ModelsApi)
    made: Batch = await models.create_batch(maker, endpoint=_CHAT, input_file=await _file(stage, maker))
    return made.id


_OTHERS = {
    **HIDDEN,
    "needs": (needs(_CALL, "model:configure"),),
    "enters": needs(_CALL),
    "hides": needs("model:configure"),
}
"""Files and batches are their maker's, and theirs who configure models."""
_SENT = {"sent_as": {"input_file": "input_file_id"}}

BATCHES: Sequence[Recipe] = (
    by(_CALL, "put_file", put_file),
    by(_CALL, "get_file", own_file, **HIDDEN),
    by("", "get_file", others_file, "of another", **_OTHERS),
    by(_CALL, "list_files"),
    by(_CALL, "read_file", own_file, **HIDDEN),
    by("", "read_file", others_file, "of another", **_OTHERS),
    by(_CALL, "delete_file", own_file, **HIDDEN),
    by("", "delete_file", others_file, "of another", **_OTHERS),
    by(_CALL, "create_batch", create_batch, **_SENT, **HIDDEN),
    by("", "create_batch", of_others_file, "of another's file", **_SENT, **_OTHERS),
    by(_CALL, "get_batch", own_batch, **HIDDEN),
    by("", "get_batch", others_batch, "of another", **_OTHERS),
    by(_CALL, "list_batches"),
    by(_CALL, "cancel_batch", own_batch, **HIDDEN),
    by("", "cancel_batch", others_batch, "of another", **_OTHERS),
)

UPLOADS: Sequence[Recipe] = (by(_CALL, "upload_file", upload),)
"""Over HTTP only: `put_file` as a form."""
