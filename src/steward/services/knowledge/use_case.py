"""What the use cases of knowledge are built from and share."""

import msgspec

from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.db import ServiceDb
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids
from steward.services.knowledge.caches import Caches
from steward.services.knowledge.recorder import Recorder
from steward.services.knowledge.shelf import Shelf


class KnowledgeParts(msgspec.Struct, frozen=True, kw_only=True):
    """The collaborators of the use cases."""

    db: ServiceDb
    clock: Clock
    ids: Ids
    authz: Authz
    idempotency: Idempotency
    caches: Caches
    recorder: Recorder
    shelf: Shelf


class UseCase:
    """Base of the use cases, of which the service is made."""

    def __init__(self, parts: KnowledgeParts) -> None:
        self._parts = parts
