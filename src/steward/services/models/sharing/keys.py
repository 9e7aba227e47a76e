"""When two requests are the same: a digest of everything that can change the answer."""

import hashlib
from typing import Final

import msgspec

from steward.kit.ids import TenantId
from steward.services.models.messages import ModelRequest
from steward.services.models.ports import Call

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_SIZE: Final = 24


def key_of(call: Call) -> str:
    """Equal for calls whose answers may be exchanged: same tenant, alias as it is now, audience and request.

    Who asks (`user`) and for what account (`metadata`, tags) do not change an answer and are left out.
    """
    return _digest(call, call.request)


def frame_of(call: Call, without: ModelRequest) -> str:
    """The same for a request from which the question was taken: what must be equal for a semantic hit."""
    return _digest(call, without)


def _digest(call: Call, request: ModelRequest) -> str:
    bare = request
    if request.user is not None or request.metadata is not None:
        bare = msgspec.structs.replace(request, user=None, metadata=None)
    tenant: TenantId = call.ctx.require_tenant()
    head = f"{tenant.int:x}|{call.resolved.alias}|{call.resolved.revision}|{len(call.options.audience)}|"
    hashed = hashlib.blake2b(head.encode(), digest_size=_SIZE)
    hashed.update(call.options.audience.encode())
    hashed.update(_encode(bare))
    return hashed.hexdigest()
